"""Kept executions: taken by one, put back when accepted, bounded; and continued only where the history goes on."""

from __future__ import annotations

from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.worker.sticky_cache import BYTES_PER_EVENT, CachedExecution, StickyCache, continuation


class Execution:
    closed = False
    answered = 3

    def __init__(self):
        self.closings = 0

    def close(self):
        self.closings += 1


def kept(events=10):
    return CachedExecution(Execution(), 'tl', events)


def test_taking_removes():
    cache = StickyCache()
    one = kept()
    cache.put('r1', one)
    assert cache.take('r1') is one
    assert cache.take('r1') is None
    assert one.execution.closings == 0


def test_the_longest_unused_makes_room():
    cache = StickyCache(max_executions=2)
    first, second, third = kept(), kept(), kept()
    cache.put('r1', first)
    cache.put('r2', second)
    cache.put('r1', cache.take('r1'))
    cache.put('r3', third)
    assert [each.execution.closings for each in (first, second, third)] == [0, 1, 0]
    assert len(cache) == 2


def test_memory_is_bounded_by_the_lengths_of_the_histories():
    cache = StickyCache(max_bytes=100 * BYTES_PER_EVENT)
    first, second = kept(60), kept(41)
    cache.put('r1', first)
    cache.put('r2', second)
    assert (first.execution.closings, second.execution.closings) == (1, 0)
    assert cache.take('r2') is second
    cache.put('r3', kept(100))
    assert len(cache) == 1


def test_of_one_run_there_is_one():
    cache = StickyCache(max_bytes=100 * BYTES_PER_EVENT)
    first, second = kept(60), kept(60)
    cache.put('r1', first)
    cache.put('r1', second)
    cache.put('r2', kept(40))
    assert (first.execution.closings, second.execution.closings, len(cache)) == (1, 0, 2)


def test_a_shut_cache_closes_what_it_has_and_what_comes():
    cache = StickyCache()
    first, late = kept(), kept()
    cache.put('r1', first)
    cache.close_all()
    cache.put('r2', late)
    assert (first.execution.closings, late.execution.closings, len(cache)) == (1, 1, 0)


def started(number):
    return {'eventId': number, 'eventType': 'DecisionTaskStarted', 'decisionTaskStartedEventAttributes': {}}


def completed(number, started_id):
    said = {'startedEventId': started_id}
    return {'eventId': number, 'eventType': 'DecisionTaskCompleted', 'decisionTaskCompletedEventAttributes': said}


def other(number):
    return {'eventId': number, 'eventType': 'MarkerRecorded'}


WHOLE = [other(1), other(2), started(3), completed(4, 3), other(5), other(6), started(7)]


def task(events, previous=3):
    return DecisionTask('t', 'w', 'r', 'Order', '1', 7, previous, events)


def test_a_trimmed_page_continues():
    assert list(continuation(task(WHOLE[2:]), 3)) == WHOLE[2:]


def test_a_whole_history_is_trimmed():
    assert list(continuation(task(WHOLE), 3)) == WHOLE[2:]


def test_nothing_was_answered_yet():
    assert continuation(task(WHOLE, previous=0), 0) is None


def test_another_worker_decided_meanwhile():
    assert continuation(task(WHOLE, previous=5), 3) is None


def test_a_page_that_begins_too_late():
    assert continuation(task(WHOLE[3:]), 3) is None
    assert continuation(task([]), 3) is None


def test_a_page_that_begins_with_something_else():
    assert continuation(task([other(3), completed(4, 3)]), 3) is None


def test_a_page_without_the_completion_of_that_decision():
    assert continuation(task([started(3), completed(4, 2), started(7)]), 3) is None
