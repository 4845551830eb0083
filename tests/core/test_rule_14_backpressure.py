"""Rule 14: limits and rates are back-pressure, and no error."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityProxy,
    Retry,
    TaskFailed,
)
from genflow.core import decisions
from genflow.core.outbox import LANES

from .story import Story


def catching(call):
    def run(self):
        try:
            yield call(self)
        except TaskFailed as error:
            return [type(error).__name__, error.reason]
        return 'done'

    return run


RATE = {decisions.ScheduleActivity: 'ACTIVITY_CREATION_RATE_EXCEEDED'}


def test_the_back_off_doubles_to_a_minute():
    def run(self):
        yield self.echo()
        return 'through'

    story = Story(run)
    waits = []
    story.decide(refuse=RATE)
    for number in range(1, 9):
        (line,) = story.decide()
        waits.append(line)
        story.fired(f'backoff-{number}')
        assert story.decide(refuse=RATE if number < 8 else None) == ['activity 1.1 Echo [[],{}]']
    assert waits == [f'timer backoff-{n} {s}s' for n, s in enumerate([1, 2, 4, 8, 16, 32, 60, 60], 1)]
    story.completed(1)
    assert story.decide() == ['complete "through"']


def test_the_back_off_of_a_signal_doubles_too():
    story = Story(lambda self: self.external('w').signal('s'))
    story.decide()
    for number, seconds in enumerate([1, 2, 4], 1):
        story.undelivered(next(iter(story.open.values())).key, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED')
        assert story.decide() == [f'timer backoff-{number} {seconds}s']
        story.fired(f'backoff-{number}')
        assert story.decide() == ['signal w s null']


def test_a_success_ends_the_doubling():
    def run(self):
        yield self.echo()
        yield self.echo()

    story = Story(run)
    story.decide(refuse=RATE)
    story.decide()
    story.fired('backoff-1')
    story.decide()
    story.completed(1)
    story.decide(refuse=RATE)
    assert story.decide() == ['timer backoff-2 1s']


def test_there_is_one_back_off_timer_for_all():
    def run(self):
        yield [self.echo(), self.child(), self.sleep(9)]

    story = Story(run)
    said = story.decide(
        refuse={
            decisions.ScheduleActivity: 'ACTIVITY_CREATION_RATE_EXCEEDED',
            decisions.StartChild: 'CHILD_CREATION_RATE_EXCEEDED',
            decisions.StartTimer: 'TIMER_CREATION_RATE_EXCEEDED',
        }
    )
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    assert story.decide() == said


def test_what_else_happens_during_a_back_off_sends_nothing_again():
    def run(self):
        self.echo()
        yield self.go.get()
        yield self.other()

    story = Story(run)
    story.decide(refuse=RATE)
    assert story.decide() == ['timer backoff-1 1s']
    story.signaled('go')
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.fired('backoff-1')
    assert story.decide() == ['activity 1.1 Echo [[],{}]']


def test_a_call_that_waits_for_its_rate_holds_the_close():
    def run(self):
        self.echo()
        return 'done'

    story = Story(run)
    story.decide(refuse=RATE)
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete "done"']


def test_a_call_cancelled_while_it_waits_for_its_rate_is_not_sent():
    def run(self):
        task = self.echo()
        yield self.stop.get()
        task.cancel()
        yield self.other()

    story = Story(run)
    story.decide(refuse=RATE)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.fired('backoff-1')
    assert story.decide() == []
    assert story.is_open('2.1')


def test_a_rate_is_no_try():
    def run(self):
        try:
            yield self.echo()
        except TaskFailed as error:
            return error.reason

    story = Story(run, members={'echo': ActivityProxy('Echo', 'v1', retry=Retry(2, initial_interval=0))})
    story.decide(refuse=RATE)
    story.decide()
    story.fired('backoff-1')
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.failed(1)
    assert story.decide() == ['activity 1.2 Echo [[],{}]']
    story.failed(1, reason='second')
    assert story.decide() == ['complete "second"']


# open work


@pytest.mark.parametrize(
    ('lane', 'call'),
    [
        ('activity', lambda s: s.echo()),
        ('child', lambda s: s.child()),
        ('lambda', lambda s: s.shrink(1)),
        ('timer', lambda s: s.sleep(9)),
    ],
)
def test_never_more_than_swfs_limit_is_asked_for(lane, call):
    extra = 3

    def run(self):
        yield [call(self) for _ in range(LANES[lane] + extra)]
        return 'all'

    story = Story(run)
    assert len(story.decide()) == LANES[lane]
    for round_ in range(extra):
        if lane == 'timer':
            story.fired(1 + round_)
        else:
            story.completed(1 + round_)
        (line,) = story.decide()
        assert str(LANES[lane] + 1 + round_) in line
    assert LANES[lane] <= 1000


def test_a_call_in_the_backlog_that_is_cancelled_is_never_sent():
    def run(self):
        tasks = [self.echo() for _ in range(1002)]
        yield self.stop.get()
        tasks[1000].cancel()
        yield tasks[0]
        yield self.stop.get()

    story = Story(run)
    assert len(story.decide()) == 1000
    story.signaled('stop')
    story.completed('1.1')
    assert story.decide() == ['activity 1002.1 Echo [[],{}]']


def test_a_limit_that_swf_reaches_earlier_is_waited_out():
    story = Story(catching(lambda s: s.echo()))
    story.decide(refuse={decisions.ScheduleActivity: 'OPEN_ACTIVITIES_LIMIT_EXCEEDED'})
    assert story.decide() == ['timer backoff-1 1s']


def test_a_delay_is_no_open_activity_and_makes_room_at_once(monkeypatch):
    monkeypatch.setitem(LANES, 'activity', 3)

    def run(self):
        with self.options(delay=3600):
            calls = [self.echo() for _ in range(3)]
        yield [*calls, self.other()]

    story = Story(run)
    said = story.decide()
    assert [line.split()[1] for line in said] == ['1.1;w', '2.1;w', '3.1;w', 'wake-3']
    story.fired('wake-3')  # the room that was made brings no decision task by itself
    assert story.decide() == ['activity 4.1 Other [[],{}]']


def test_a_cancelled_timer_makes_room_at_once(monkeypatch):
    monkeypatch.setitem(LANES, 'timer', 2)

    def run(self):
        timers = [self.sleep(3600) for _ in range(2)]
        self.sleep(60)
        yield self.stop.get()
        timers[0].cancel()
        yield self.go.get()

    story = Story(run)
    assert story.decide() == ['timer 1 3600s', 'timer 2 3600s']
    story.signaled('stop')
    first, wake = story.decide()
    assert first == 'cancel timer 1'
    assert wake.startswith('timer wake-')
    story.fired(wake.split()[1])
    assert story.decide() == ['timer 3 60s']


def test_a_timer_that_waits_for_the_room_of_a_cancelled_one_is_no_stall(monkeypatch):
    monkeypatch.setitem(LANES, 'timer', 1)

    def run(self):
        yield self.echo().timeout(60)
        yield self.sleep(5)
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(1)
    cancel, wake = story.decide()
    assert cancel == 'cancel timer 2'
    story.fired(wake.split()[1])
    assert story.decide() == ['timer 3 5s']
