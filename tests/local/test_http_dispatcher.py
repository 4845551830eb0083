"""Who carries a request out: the loop's own thread what is short, together with what came with it; workers the rest."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from genflow.local import LocalSWF
from genflow.local.engine.served import Begun
from genflow.local.errors import DiskFull
from genflow.local.http import dispatcher
from genflow.local.http.aws_json import Call, Reply
from genflow.local.http.dispatcher import SMALL, Dispatcher
from genflow.local.http.holding import Held, Holding
from genflow.local.http.http11 import Request
from tests.local.domain import COMPLETE, Domain


class Service:
    """Remembers in which threads it was called."""

    long_poll = 0
    answers_here = True

    def __init__(self, together=0):
        self.threads = []
        self.barrier = threading.Barrier(together) if together else None

    def call_json(self, operation, members):
        self.threads.append(threading.current_thread())
        if self.barrier:
            self.barrier.wait(60)
        return operation


class Steps(Service):
    """Does calls in two steps, and remembers these in order; the path is the name of a call.

    Args:
        long: Calls whose second step takes long.
        lost: Calls whose changes the file cannot keep.
    """

    def __init__(self, long='', lost=''):
        super().__init__()
        self.steps = []
        self.long = long
        self.lost = lost

    def begin(self, operation, members):
        self.steps.append(f'begin {operation}')
        return Begun(lambda: self.finish(operation), is_long=operation in self.long)

    def finish(self, operation):
        self.steps.append(f'finish {operation}')
        self.threads.append(threading.current_thread())
        if operation in self.lost:
            raise DiskFull('no room')
        return operation


def small(name):
    """A request that the loop's thread takes, for the call of that name."""
    return Request('POST', '/', {'call': name}, b'', keep_alive=True)


def request(path='/', body=b''):
    return Request('POST', path, {}, body, keep_alive=True)


def carry_out(service, *rounds):
    """The replies to rounds of requests, each of which arrives as one."""

    async def main():
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(8) as workers:
            dispatcher = Dispatcher(loop, lambda request: Call(service, called(request), {}), workers)
            replies = []
            for requests in rounds:
                futures = [loop.create_future() for _ in requests]
                for asked, future in zip(requests, futures, strict=True):
                    dispatcher.take(asked, future.set_result)
                replies += await asyncio.gather(*futures)
        return replies

    return asyncio.run(main())


def called(request):
    return request.headers.get('call', request.path)


def on_the_loop(service):
    return [thread is threading.main_thread() for thread in service.threads]


def test_a_request_alone_is_carried_out_at_once():
    service = Steps()
    assert carry_out(service, [request()], [request()]) == [Reply(200, b'/')] * 2
    assert on_the_loop(service) == [True, True]


def test_calls_that_cannot_be_begun_are_for_workers():
    service = Service(together=3)
    carry_out(service, [request()] * 3)
    assert on_the_loop(service) == [False] * 3


def test_all_that_arrives_together_is_begun_before_the_first_is_waited_for():
    service = Steps()
    replies = carry_out(service, [small('a'), small('b'), small('c')], [small('d'), small('e')])
    assert [reply.body for reply in replies] == [b'a', b'b', b'c', b'd', b'e']
    first, second = service.steps[:6], service.steps[6:]
    assert first == ['begin a', 'begin b', 'begin c', 'finish a', 'finish b', 'finish c']
    assert second == ['begin d', 'begin e', 'finish d', 'finish e']
    assert on_the_loop(service) == [True] * 5


def test_who_comes_alone_again_and_again_does_not_wait_for_others():
    """Until another one sends something."""
    service = Steps()

    async def main():
        with ThreadPoolExecutor(1) as workers:
            loop = asyncio.get_running_loop()
            turns = Dispatcher(loop, lambda request: Call(service, called(request), {}), workers)
            replies = {name: [] for name in 'ab'}  # by connection
            take = {name: found.append for name, found in replies.items()}
            waits = []

            async def arrive(*names):
                before = [len(replies[name]) for name in names]
                for name in names:
                    turns.take(small(name), take[name])
                waits.append([len(replies[name]) == number for name, number in zip(names, before, strict=True)])
                await asyncio.sleep(0)
                assert [len(replies[name]) for name in names] == [number + 1 for number in before]

            for _ in range(dispatcher.ALONE + 3):
                await arrive('a')
            await arrive('a', 'b')
            await arrive('b')
            await arrive('a', 'b')
        return waits

    alone = [[True]] * (dispatcher.ALONE + 1) + [[False]] * 2
    assert asyncio.run(main()) == [*alone, [False, True], [True], [True, True]]
    assert service.steps[-4:] == ['begin a', 'begin b', 'finish a', 'finish b']


def test_no_turn_is_so_long_that_its_first_request_waits_for_ever(monkeypatch):
    monkeypatch.setattr(dispatcher, 'TOGETHER', 2)
    service = Steps()
    carry_out(service, [small(name) for name in 'abc'])
    assert service.steps == ['begin a', 'begin b', 'finish a', 'finish b', 'begin c', 'finish c']


def test_what_takes_longer_than_a_commit_is_finished_by_a_worker_though_it_comes_alone():
    """An answer that is read from the file would hold up every other connection."""
    service = Steps(long='a')
    assert carry_out(service, [small('a')]) == [Reply(200, b'a')]
    assert service.steps == ['begin a', 'finish a']
    assert on_the_loop(service) == [False]


def test_what_takes_longer_than_a_commit_is_finished_by_a_worker():
    service = Steps(long='b')
    replies = carry_out(service, [small('a'), small('b')])
    assert [reply.body for reply in replies] == [b'a', b'b']
    threads = dict(zip((step for step in service.steps if step.startswith('finish')), service.threads, strict=True))
    assert threads['finish a'] is threading.main_thread()
    assert threads['finish b'] is not threading.main_thread()


@pytest.mark.parametrize('busy', [0, 1])
def test_where_no_worker_can_be_started_the_loop_carries_out_what_is_theirs(monkeypatch, busy):
    """The system may have no room for another thread; what arrived at the same moment is answered, too, each once."""
    service, start = Steps(long='ac'), threading.Thread.start

    def refuse(thread):
        if thread.name.startswith('no room'):
            raise RuntimeError("can't start new thread")
        start(thread)

    async def main():
        loop, free = asyncio.get_running_loop(), threading.Event()
        with ThreadPoolExecutor(8, thread_name_prefix='no room') as workers:
            for _ in range(busy):
                workers.submit(free.wait, 60)
            turns = Dispatcher(loop, lambda request: Call(service, called(request), {}), workers)
            futures = [loop.create_future() for _ in 'abcd']
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, 'start', refuse)
                for name, future in zip('abc', futures, strict=False):
                    turns.take(small(name), future.set_result)
                turns.take(request(body=b'x' * (SMALL + 1)), futures[3].set_result)
                replies = await asyncio.wait_for(asyncio.gather(*futures), 60)
            free.set()  # a worker finds what was meant for it
        return replies

    assert asyncio.run(main()) == [Reply(200, name) for name in (b'a', b'b', b'c', b'/')]
    assert sorted(step for step in service.steps if 'finish' in step) == ['finish a', 'finish b', 'finish c']
    assert len(service.threads) == 4


SINCE_EVER = {'domain': 'dom', 'startTimeFilter': {'oldestDate': 0}}


@pytest.mark.parametrize(
    ('operation', 'members', 'is_long'),
    [
        ('SignalWorkflowExecution', {'domain': 'dom', 'workflowId': 'open', 'signalName': 's'}, False),
        ('CountPendingDecisionTasks', {'domain': 'dom', 'taskList': {'name': 'deciders'}}, False),
        ('ListDomains', {'registrationStatus': 'REGISTERED'}, False),
        ('CountOpenWorkflowExecutions', SINCE_EVER, True),
        ('CountClosedWorkflowExecutions', SINCE_EVER, True),
        ('ListOpenWorkflowExecutions', SINCE_EVER, True),
        ('ListClosedWorkflowExecutions', SINCE_EVER, True),
        ('DescribeWorkflowExecution', {'domain': 'dom'}, True),
        ('GetWorkflowExecutionHistory', {'domain': 'dom'}, True),
    ],
)
def test_answers_from_the_file_take_longer_than_a_commit(path, operation, members, is_long):
    """As many executions as there are, or as long a history."""
    with LocalSWF(path, synchronous='OFF') as swf:
        domain = Domain(swf).prepare()
        closed = domain.start('closed')
        domain.decide(COMPLETE)
        domain.start('open')
    with LocalSWF(path, synchronous='OFF') as swf:
        begun = swf.begin(operation, {**members, 'execution': closed} if members == {'domain': 'dom'} else members)
        begun.finish()
        assert begun.is_long == is_long


def test_a_call_whose_change_the_file_cannot_keep_is_refused_alone():
    """Which ones these are is the journal's matter."""
    replies = carry_out(Steps(lost='ac'), [small('a'), small('b'), small('c')])
    assert [reply.status for reply in replies] == [500, 200, 500]


def test_a_large_request_is_for_a_worker():
    service = Steps()
    carry_out(service, [request(body=b'x' * SMALL)], [request(body=b'x' * (SMALL + 1))])
    assert on_the_loop(service) == [True, False]


def test_the_switches_for_tests_are_for_a_worker():
    service = Service()
    carry_out(service, [request(path='/_genflow/clock')])
    assert on_the_loop(service) == [False]


def test_a_call_that_took_long_is_followed_by_a_pause(monkeypatch):
    monkeypatch.setattr(dispatcher, 'LONG', -1.0)
    service = Steps()
    carry_out(service, [request()], [request()])
    assert on_the_loop(service) == [True, False]


class Polls(Service):
    """Has polls that an event answers."""

    long_poll = 60
    answered = False

    def hold(self, operation, members, wake):
        self.wake = wake
        return Poll(self, wake)


class Poll:
    hold = 60

    def __init__(self, service, wake):
        self.service = service
        self.wake = wake

    def attempt(self, *, last=False):
        return 'task' if self.service.answered or last else None

    def begin(self, *, last=False):
        """That there are two steps has it attempted on the loop."""
        answer = self.attempt(last=last)
        return answer and Begun(lambda: answer)


class PollsElsewhere(Polls):
    """A service whose file another process has."""

    answers_here = False

    def begin(self, operation, members):
        return Begun(partial(self.call_json, operation, members), is_long=True)

    def hold(self, operation, members, wake):
        return PollElsewhere(self)


class PollElsewhere:
    hold = 60

    def __init__(self, service):
        self.service = service

    def attempt(self, *, last=False):
        self.service.threads.append(threading.current_thread())
        return 'task'


def test_polls_of_another_process_that_come_together_are_for_workers():
    service = PollsElsewhere()
    requests = [small('PollForDecisionTask'), small('PollForActivityTask')]
    assert carry_out(service, requests) == [Reply(200, b'task')] * 2
    assert on_the_loop(service) == [False, False]


def test_what_another_process_does_is_for_a_worker_though_it_comes_alone():
    service = PollsElsewhere()
    carry_out(service, [small('ListDomains')], [small('PollForDecisionTask')])
    assert on_the_loop(service) == [False, False]


def test_a_poll_that_was_answered_is_no_garbage():
    """Many of them wait, and each is attempted again and again: nobody should have to look for what is left of them."""

    async def main():
        loop, service = asyncio.get_running_loop(), Polls()
        with ThreadPoolExecutor(1) as workers:
            turns = Dispatcher(loop, lambda request: None, workers)
            held = Held(Call(service, 'PollForDecisionTask', {}))
            held.stand(turns.later)
            reply = loop.create_future()
            holding = Holding(held, turns, reply.set_result)
            holding.begin()
            service.answered = True
            service.wake()
            assert await reply == Reply(200, b'task')
            left = [weakref.ref(holding), weakref.ref(held)]
            service.wake = None
            del held, holding, reply
            await asyncio.sleep(0)
            return [one() for one in left]

    gc.disable()
    try:
        assert asyncio.run(main()) == [None, None]
    finally:
        gc.enable()


def test_nobody_is_told_when_the_loop_has_ended():
    loop = asyncio.new_event_loop()
    dispatcher = Dispatcher(loop, partial(Call, Service()), ThreadPoolExecutor(1))
    loop.close()
    dispatcher.later(loop.stop)
