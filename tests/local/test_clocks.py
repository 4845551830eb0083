"""Virtual time: nothing here waits, and years pass."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from datetime import datetime, timedelta, timezone

import pytest

from genflow.local import LocalSWF, ManualClock, SkippingClock, SystemClock
from genflow.local.clock import Clock, to_datetime, to_milliseconds
from genflow.local.engine import long_polls
from genflow.local.errors import ServiceClosed
from tests.local.domain import COMPLETE, Domain, decision, schedule

YEAR = 31_536_000


def timer(name, seconds):
    return decision('StartTimer', timerId=name, startToFireTimeout=str(seconds))


def test_a_manual_clock_begins_in_2000_and_stands_still():
    clock = ManualClock()
    assert clock.now() == clock.now() == datetime(2000, 1, 1, tzinfo=timezone.utc)


def test_a_manual_clock_runs_forward_only():
    with pytest.raises(ValueError, match='time only moves forward'):
        ManualClock().advance(-1)


def test_advance_to_a_moment():
    clock = ManualClock()
    clock.advance_to(datetime(2001, 1, 1, tzinfo=timezone.utc))
    clock.advance_to(datetime(2000, 6, 1, tzinfo=timezone.utc))
    assert clock.now() == datetime(2001, 1, 1, tzinfo=timezone.utc)


def test_the_system_clock_is_the_time_of_day():
    before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
    assert before <= SystemClock().now() <= datetime.now(timezone.utc)


def test_moments_and_milliseconds():
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone(timedelta(hours=2)))
    assert to_milliseconds(moment) == 1_767_315_845_678
    assert to_datetime(1_767_315_845_678) == moment


def test_a_poll_on_a_manual_clock_answers_at_once(domain):
    assert domain.poll_decision()['startedEventId'] == 0


def test_timers_of_a_year_fire_in_their_order_at_their_moments(domain, clock):
    execution = domain.start(executionStartToCloseTimeout=str(YEAR))
    start = clock.now()
    domain.decide(*(timer(f't{day}', day * 86_400) for day in range(364, 0, -1)))
    clock.advance(YEAR - 1)
    fired = [event for event in domain.history(execution) if event['eventType'] == 'TimerFired']
    assert [event['timerFiredEventAttributes']['timerId'] for event in fired] == [f't{day}' for day in range(1, 365)]
    assert [event['eventTimestamp'] for event in fired] == [start + timedelta(days=day) for day in range(1, 365)]


def test_time_before_1970_passes_as_any_other(path):
    """Tests travel there, too."""
    clock = ManualClock(datetime(1912, 6, 23, tzinfo=timezone.utc))
    with LocalSWF(path, clock) as swf:
        domain = Domain(swf).prepare()
        execution = domain.start()
        domain.decide(decision('StartTimer', timerId='t', startToFireTimeout='60'))
        clock.advance(60)
        assert domain.history(execution)[-2]['eventType'] == 'TimerFired'
    with LocalSWF(path, clock) as swf:
        domain = Domain(swf)
        domain.decide(COMPLETE)
        last = domain.history(execution)[-1]
        assert last['eventTimestamp'] == clock.now() == datetime(1912, 6, 23, 0, 1, tzinfo=timezone.utc)
        clock.advance(100 * 86_400)
        with pytest.raises(swf.exceptions.UnknownResourceFault):
            domain.history(execution)
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert file.execute('SELECT count(*) FROM executions').fetchone() == (0,)


def test_what_a_timeout_sets_off_is_dated_by_it(domain, clock):
    """The decision task that times out is scheduled again at that moment, and times out again from there."""
    execution = domain.start()
    start = clock.now()
    domain.decide(taskList={'name': 'sticky'}, taskListScheduleToStartTimeout='5')
    domain.decide(timer('t', 10)) if domain.poll_decision()['startedEventId'] else domain.signal()
    clock.advance(100)
    events = {event['eventType']: event['eventTimestamp'] for event in domain.history(execution)}
    assert events['DecisionTaskTimedOut'] == start + timedelta(seconds=5)
    assert events['DecisionTaskScheduled'] == start + timedelta(seconds=5)


def test_several_services_share_a_clock(clock):
    with LocalSWF(clock=clock) as one, LocalSWF(clock=clock) as two:
        offices = [Domain(one).prepare(), Domain(two).prepare()]
        executions = [domain.start() for domain in offices]
        for domain in offices:
            domain.decide(timer('t', 60))
        clock.advance(60)
        for domain, execution in zip(offices, executions, strict=True):
            assert domain.types(execution)[-2:] == ['TimerFired', 'DecisionTaskScheduled']


def test_a_closed_service_hears_no_more_of_its_clock():
    class Watched(ManualClock):
        told = 0

        def subscribe(self, moved):
            def tell():
                self.told += 1
                moved()

            return super().subscribe(tell)

    clock = Watched()
    service = LocalSWF(clock=clock)
    clock.advance(1)
    assert clock.told == 1
    service.close()
    clock.advance(1)
    assert clock.told == 1


def test_next_deadline(domain, clock):
    assert domain.swf.next_deadline() is None
    domain.start()
    assert domain.swf.next_deadline() == clock.now() + timedelta(seconds=86_400)
    domain.decide(timer('t', 60))
    assert domain.swf.next_deadline() == clock.now() + timedelta(seconds=60)


def test_a_clock_that_goes_back_does_not_take_events_back(domain):
    class Wandering(ManualClock):
        offset = 0

        def milliseconds(self):
            return super().milliseconds() + self.offset

    clock = Wandering()
    with LocalSWF(clock=clock) as swf:
        domain = Domain(swf).prepare()
        execution = domain.start()
        clock.offset = -3_600_000
        domain.signal()
        dates = [event['eventTimestamp'] for event in domain.history(execution)]
    assert dates == sorted(dates)


def working(domain, work, over):
    """A thread that polls until it is told that it is over, or the service is closed."""

    def loop():
        with contextlib.suppress(ServiceClosed):
            while not over.is_set():
                work()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


def test_a_skipping_clock_runs_while_everybody_waits():
    """A decider sleeps a month ten times; nobody advances the clock."""
    clock = SkippingClock()
    begin = clock.now()
    over = threading.Event()
    with contextlib.closing(LocalSWF(clock=clock)) as swf:
        domain = Domain(swf).prepare()
        execution = domain.start(executionStartToCloseTimeout=str(YEAR))

        def decide():
            task = domain.poll_decision()
            if 'taskToken' not in task:
                return
            fired = sum(event['eventType'] == 'TimerFired' for event in task['events'])
            if fired == 10:
                domain.respond(task, COMPLETE)
                over.set()
            else:
                domain.respond(task, timer(f't{fired}', 30 * 86_400))

        working(domain, decide, over)
        assert over.wait(60)
        info = domain.describe(execution)['executionInfo']
    assert info['closeStatus'] == 'COMPLETED'
    assert info['closeTimestamp'] - begin == timedelta(days=300)


def test_a_skipping_clock_stands_while_a_task_is_worked_on():
    clock = SkippingClock()
    begin, seen, over = clock.now(), [], threading.Event()
    working_on_it, done = threading.Event(), threading.Event()
    with contextlib.closing(LocalSWF(clock=clock)) as swf:
        domain = Domain(swf).prepare()
        domain.start()

        def perform():
            task = domain.poll_activity()
            if 'taskToken' in task:
                working_on_it.set()
                assert done.wait(60)
                seen.append(clock.now())
                domain.complete(task)
                over.set()

        def decide():
            task = domain.poll_decision()
            if 'taskToken' in task:
                domain.respond(task, schedule('a'), timer('t', 3600))

        threads = [working(domain, perform, over), working(domain, decide, over)]
        assert working_on_it.wait(60)
        done.set()
        assert over.wait(60)
        swf.close()
        for thread in threads:
            thread.join(60)
    assert seen == [begin]


class Watched(Clock):
    """Tells of each moment until which somebody sleeps."""

    def __init__(self):
        self.asked = queue.SimpleQueue()

    def milliseconds(self):
        return SystemClock().milliseconds()

    def seconds_until(self, milliseconds):
        self.asked.put(milliseconds)
        return super().seconds_until(milliseconds)

    def sleeps_until(self, least, most):
        """Waits until somebody sleeps until a moment between these two, in seconds from now."""
        while not least * 1000 < self.asked.get(timeout=60) - self.milliseconds() < most * 1000:
            pass


def test_who_sleeps_for_a_poll_is_woken_where_something_comes_earlier(monkeypatch):
    monkeypatch.setattr(long_polls, 'IDLE_TIMEOUT', YEAR)
    clock = Watched()
    with contextlib.closing(LocalSWF(clock=clock)) as swf:
        domain = Domain(swf).prepare()
        poll = {'domain': 'dom', 'taskList': {'name': 'nobody sends here'}}
        assert swf.hold('PollForDecisionTask', poll, lambda: None).attempt() is None
        domain.start('late', executionStartToCloseTimeout=str(YEAR))
        clock.sleeps_until(YEAR / 2, YEAR + 1)
        domain.start('early', executionStartToCloseTimeout='86400')
        clock.sleeps_until(40_000, 86_401)
