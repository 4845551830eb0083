"""Long polls: a poll of an empty list is held, and ends as soon as there is work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from .backends import BACKENDS
from .decisions import complete, schedule, start_timer

HOLD = 120.0  # real seconds, far more than any of these tests takes


def in_background(call: Callable[[], Any]) -> Future[Any]:
    """Call in a thread that has begun when this returns."""
    begun = threading.Event()

    def run() -> Any:
        begun.set()
        return call()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(run)
    pool.shutdown(wait=False)
    assert begun.wait(HOLD)
    return future


def test_a_poll_ends_when_an_execution_starts(ours: str) -> None:
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        future = in_background(swf.poll_decision)
        swf.start()
        assert future.result(HOLD / 2)['startedEventId'] == 3


def test_a_poll_ends_when_a_signal_comes(ours: str) -> None:
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        run = swf.start()
        swf.decide()
        future = in_background(swf.poll_decision)
        swf.signal(run)
        assert future.result(HOLD / 2)['previousStartedEventId'] == 3


def test_a_poll_ends_when_the_queued_task_becomes_free(ours: str) -> None:
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        run = swf.start()
        task = swf.poll_decision()
        swf.signal(run)
        future = in_background(swf.poll_decision)
        swf.respond(task)
        assert future.result(HOLD / 2)['previousStartedEventId'] == 3


def test_a_poll_ends_when_an_activity_is_scheduled(ours: str) -> None:
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        swf.start()
        future = in_background(swf.poll_activity)
        swf.decide(schedule('a'))
        assert future.result(HOLD / 2)['activityId'] == 'a'


def test_a_poll_ends_when_a_timer_fires(ours: str) -> None:
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        swf.start()
        swf.decide(start_timer('t', '10'))
        future = in_background(swf.poll_decision)
        swf.advance(11)
        assert future.result(HOLD / 2)['events'][-2]['eventType'] == 'DecisionTaskScheduled'


def test_a_poll_ends_when_a_decision_task_times_out(ours: str) -> None:
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        swf.start()
        swf.poll_decision()
        future = in_background(swf.poll_decision)
        swf.advance(61)
        assert future.result(HOLD / 2)['startedEventId'] == 6


@pytest.mark.parametrize('hold', [0, 0.05])
def test_a_poll_that_finds_nothing_is_empty(ours: str, hold: float) -> None:
    with BACKENDS[ours](long_poll=hold) as swf:
        swf.prepare()
        assert swf.poll_activity() == {'startedEventId': 0}
        assert swf.poll_decision() == {'startedEventId': 0, 'previousStartedEventId': 0}


def test_many_polls_share_many_tasks_out(ours: str) -> None:
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        futures = [in_background(swf.poll_activity) for _ in range(8)]
        swf.start()
        swf.decide(*(schedule(str(n)) for n in range(8)))
        assert {future.result(HOLD / 2)['activityId'] for future in futures} == {str(n) for n in range(8)}


def test_one_task_ends_one_poll(ours: str) -> None:
    """The others go on waiting, and each gets a task of its own later."""
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        futures = [in_background(swf.poll_activity) for _ in range(4)]
        run = swf.start()
        swf.decide(schedule('a'))
        (first, *_), _ = wait(futures, HOLD / 2, FIRST_COMPLETED)
        assert first.result()['activityId'] == 'a'
        swf.signal(run)
        swf.decide(schedule('b'), schedule('c'), schedule('d'))
        assert sorted(future.result(HOLD / 2)['activityId'] for future in futures) == ['a', 'b', 'c', 'd']


def test_other_calls_continue_while_polls_are_held(ours: str) -> None:
    with BACKENDS[ours](long_poll=HOLD) as swf:
        swf.prepare()
        futures = [in_background(lambda: swf.poll_decision('elsewhere')) for _ in range(8)]
        run = swf.start()
        swf.decide(complete())
        assert run.info()['closeStatus'] == 'COMPLETED'
        for n in range(8):
            swf.start(str(n), taskList={'name': 'elsewhere'})
        assert all('taskToken' in future.result(HOLD / 2) for future in futures)
