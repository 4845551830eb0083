"""Who carries a request out: the loop's own thread where it came alone, workers where there are more."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from genflow.local.http import dispatcher
from genflow.local.http.aws_json import Call, Reply
from genflow.local.http.dispatcher import SMALL, Dispatcher
from genflow.local.http.http11 import Request


class Service:
    """Remembers in which threads it was called."""

    long_poll = 0

    def __init__(self, together=0):
        self.threads = []
        self.barrier = threading.Barrier(together) if together else None

    def call_json(self, operation, members):
        self.threads.append(threading.current_thread())
        if self.barrier:
            self.barrier.wait(60)
        return operation


def request(path='/', body=b''):
    return Request('POST', path, {}, body, keep_alive=True)


def carry_out(service, *rounds):
    """The replies to rounds of requests, each of which arrives as one."""

    async def main():
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(8) as workers:
            dispatcher = Dispatcher(loop, lambda request: Call(service, request.path, {}), workers)
            replies = []
            for requests in rounds:
                futures = [loop.create_future() for _ in requests]
                for asked, future in zip(requests, futures, strict=True):
                    dispatcher.take(asked, future.set_result)
                replies += await asyncio.gather(*futures)
        return replies

    return asyncio.run(main())


def on_the_loop(service):
    return [thread is threading.main_thread() for thread in service.threads]


def test_a_request_alone_is_carried_out_at_once():
    service = Service()
    assert carry_out(service, [request()], [request()]) == [Reply(200, b'/')] * 2
    assert on_the_loop(service) == [True, True]


def test_requests_that_arrive_together_are_carried_out_together():
    service = Service(together=3)
    carry_out(service, [request()] * 3)
    assert on_the_loop(service) == [False] * 3


def test_a_large_request_is_for_a_worker():
    service = Service()
    carry_out(service, [request(body=b'x' * SMALL)], [request(body=b'x' * (SMALL + 1))])
    assert on_the_loop(service) == [True, False]


def test_the_switches_for_tests_are_for_a_worker():
    service = Service()
    carry_out(service, [request(path='/_genflow/clock')])
    assert on_the_loop(service) == [False]


def test_the_loop_is_free_again_when_the_workers_are():
    service = Service()
    carry_out(service, [request()] * 2, [request()])
    assert on_the_loop(service) == [False, False, True]


def test_a_call_that_took_long_is_followed_by_a_pause(monkeypatch):
    monkeypatch.setattr(dispatcher, 'LONG', -1.0)
    service = Service()
    carry_out(service, [request()], [request()])
    assert on_the_loop(service) == [True, False]


def test_nobody_is_told_when_the_loop_has_ended():
    loop = asyncio.new_event_loop()
    dispatcher = Dispatcher(loop, partial(Call, Service()), ThreadPoolExecutor(1))
    loop.close()
    dispatcher.later(loop.stop)
