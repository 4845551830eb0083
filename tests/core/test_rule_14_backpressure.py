"""Rule 14: limits and rates are back-pressure, and no error."""

from __future__ import annotations

import pytest

from genflow import ActivityProxy, NondeterminismError, Retry, TaskFailed
from genflow.core.engine.outbox import QUOTAS
from genflow.core.model import decisions, events
from genflow.core.model.wire_names import WAKE_TIMER_PREFIX
from genflow.testing.explorer.playing.service_model import OPEN_LIMITS

from .played import catching
from .story import Story

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
    ('quota', 'call'),
    [
        ('activity', lambda s: s.echo()),
        ('child', lambda s: s.child()),
        ('lambda', lambda s: s.shrink(1)),
        ('timer', lambda s: s.sleep(9)),
    ],
)
def test_never_more_than_swfs_limit_is_requested(quota, call):
    extra = 3

    def run(self):
        yield [call(self) for _ in range(QUOTAS[quota] + extra)]
        return 'all'

    story = Story(run)
    assert len(story.decide()) == QUOTAS[quota]
    for round_ in range(extra):
        if quota == 'timer':
            story.fired(1 + round_)
        else:
            story.completed(1 + round_)
        (line,) = story.decide()
        assert str(QUOTAS[quota] + 1 + round_) in line
    assert QUOTAS[quota] <= 1000


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
    monkeypatch.setitem(QUOTAS, 'activity', 3)

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
    monkeypatch.setitem(QUOTAS, 'timer', 2)

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
    monkeypatch.setitem(QUOTAS, 'timer', 1)

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


# waits before an attempt are timers


@pytest.fixture
def three(monkeypatch):
    """The engine may have three of each kind open, and ten timers of its own; SWF refuses more."""
    for quota in QUOTAS:
        monkeypatch.setitem(QUOTAS, quota, 3)
    for kind, limit in {'activity': 3, 'child': 3, 'timer': 3 + 10}.items():
        monkeypatch.setitem(OPEN_LIMITS, kind, limit)


def refused(story):
    return [event for event in story.events if isinstance(event, events.Refused)]


def run_to_its_end(story):
    """Every timer fires and every call completes, the first that is open first; the most timers open but wake-ups."""
    most = 0
    while story.closed is None:
        item = next(iter(story.open.values()))
        if item.kind == 'timer':
            story.fired(item)
        else:
            story.completed(item, item.attempt)
        story.decide()
        timers = [
            item for item in story.open.values() if item.kind == 'timer' and not item.key.startswith(WAKE_TIMER_PREFIX)
        ]
        most = max(most, len(timers))
    return most


@pytest.mark.usefixtures('three')
def test_more_waits_than_timers_may_be_open_are_not_requested():
    def run(self):
        with self.options(delay=3600):
            return (yield [self.echo() for _ in range(8)])

    story = Story(run)
    assert story.decide() == ['timer 1.1;w 3600s', 'timer 2.1;w 3600s', 'timer 3.1;w 3600s', 'timer wake-3 0s']
    story.fired('wake-3')
    assert story.decide()[0] == 'marker genflow.held {"marks":["4.1","5.1","6.1"]}'


def delayed(self):
    with self.options(delay=3600):
        return (yield [self.echo() for _ in range(8)])


def delayed_beside_timers(self):
    timers = [self.sleep(60) for _ in range(5)]
    with self.options(delay=3600):
        calls = [self.echo() for _ in range(4)]
    yield timers
    return (yield calls)


def delayed_of_every_kind(self):
    with self.options(delay=3600):
        return (yield [call() for _ in range(3) for call in (self.echo, self.other, self.shrink)])


@pytest.mark.usefixtures('three')
@pytest.mark.parametrize('run', [delayed, delayed_beside_timers, delayed_of_every_kind])
def test_waits_beyond_the_limit_come_one_after_the_other_and_none_is_refused(run):
    story = Story(run, evict=lambda: len(story.answers) % 3 == 1)
    story.decide()
    most = run_to_its_end(story)
    assert most == 3
    assert refused(story) == []
    marks = [f'{number}.1' for number in range(1, 9)]
    if run is delayed:
        assert story.result == marks


@pytest.mark.usefixtures('three')
def test_the_waits_before_further_tries_are_counted_too():
    patient = ActivityProxy('Patient', '1', retry=Retry(2, initial_interval=60, jitter=0))

    def run(self):
        timers = [self.sleep(60) for _ in range(3)]
        call = self.patient()
        yield timers
        return (yield call)

    story = Story(run, members={'patient': patient}, evict=lambda: True)
    story.decide()
    story.failed('4.1')
    assert story.decide() == ['marker genflow.held {"marks":["4.2"]}']
    story.fired(2)
    assert story.decide() == ['timer 4.2;w 60s']
    story.fired('4.2;w')
    assert story.decide() == ['activity 4.2 Patient [[],{}]']
    story.completed('4.2', 'second')
    story.fired(1)
    story.fired(3)
    story.decide()
    assert story.result == 'second'


@pytest.mark.usefixtures('three')
def test_a_call_whose_wait_has_no_place_is_cancelled_like_another():
    def run(self):
        timers = [self.sleep(60) for _ in range(3)]
        with self.options(delay=3600):
            first, second = self.echo('first'), self.echo('second')
        yield self.stop.get()
        first.cancel()
        yield timers
        second.cancel()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == []
    story.fired(1)
    assert story.decide() == ['timer 5.1;w 3600s']
    story.fired(2)
    story.fired(3)
    assert story.decide() == ['complete null']


@pytest.mark.usefixtures('three')
def test_a_call_with_a_place_among_the_timers_that_is_cancelled_unsent_gives_the_place_back():
    def run(self):
        timers = [self.sleep(60) for _ in range(3)]
        with self.options(delay=3600):
            calls = [self.echo(number) for number in range(2)]
        yield timers[0]
        calls[0].cancel()
        yield calls[1]

    story = Story(run)
    story.decide()
    story.fired(1)
    assert story.decide() == ['timer 5.1;w 3600s']


@pytest.mark.usefixtures('three')
def test_a_call_that_has_lost_its_delay_meanwhile_is_sent_at_once():
    """A delay is asked for in the live decision only, so the code may change it while the call waits for its place."""
    delays = [3600]

    def run(self):
        timers = [self.sleep(60) for _ in range(3)]
        call = self.echo.with_options(delay=delays[0])('late')
        others = [self.other(number) for number in range(3)]
        yield timers
        return (yield [call, *others])

    story = Story(run)
    story.decide()
    story.fired('wake-3')
    story.decide()
    delays[0] = 0
    story.sticky.close()
    story.sticky = story.execution()
    story.fired(1)
    assert story.decide() == ['activity 4.1 Echo [["late"],{}]']
    for number in (2, 3):
        story.fired(number)
        story.decide()
    run_to_its_end(story)
    assert story.sticky.outbox.open == dict.fromkeys(QUOTAS, 0)


@pytest.mark.usefixtures('three')
def test_a_wait_that_swf_refuses_all_the_same_is_waited_out():
    def run(self):
        timers = [self.sleep(60) for _ in range(3)]
        call = self.echo.with_options(delay=3600)('late')
        yield timers
        return (yield call)

    story = Story(run)
    story.decide()
    story.fired(1)
    assert story.decide(refuse={'4.1;w': 'TIMER_CREATION_RATE_EXCEEDED'}) == ['timer 4.1;w 3600s']
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    assert story.decide() == ['timer 4.1;w 3600s']
    run_to_its_end(story)
    assert story.result == '4.1'
    assert story.sticky.outbox.open == dict.fromkeys(QUOTAS, 0)


@pytest.mark.usefixtures('three')
def test_the_place_of_a_wait_that_swf_refuses_goes_to_the_next_in_the_next_decision():
    def run(self):
        timers = [self.sleep(60) for _ in range(3)]
        with self.options(delay=3600):
            calls = [self.echo(number) for number in range(3)]
        yield timers
        return (yield calls)

    story = Story(run, evict=lambda: True)
    assert story.decide()[0] == 'marker genflow.held {"marks":["4.1","5.1","6.1"]}'
    story.fired(1)
    assert story.decide(refuse={'4.1;w': 'TIMER_CREATION_RATE_EXCEEDED'}) == ['timer 4.1;w 3600s']
    assert story.decide() == ['timer 5.1;w 3600s', 'timer backoff-1 1s']
    run_to_its_end(story)
    assert story.result == ['4.1', '5.1', '6.1']
    assert story.sticky.outbox.open == dict.fromkeys(QUOTAS, 0)


@pytest.mark.usefixtures('three')
def test_the_place_of_a_call_that_has_lost_its_delay_goes_to_the_next_at_once():
    delays = [3600]

    def run(self):
        timers = [self.sleep(60) for _ in range(3)]
        first = self.echo.with_options(delay=delays[0])('first')
        second = self.echo.with_options(delay=3600)('second')
        yield timers
        return (yield [first, second])

    story = Story(run)
    assert story.decide()[0] == 'marker genflow.held {"marks":["4.1","5.1"]}'
    delays[0] = 0
    story.sticky.close()
    story.sticky = story.execution()
    story.fired(1)
    said = story.decide()
    assert said[0] == 'activity 4.1 Echo [["first"],{}]'
    story.fired(said[1].split()[1])  # the room that was made brings no decision task by itself
    assert story.decide() == ['timer 5.1;w 3600s']
    run_to_its_end(story)
    assert story.result == ['4.1', '5.1']
    assert story.sticky.outbox.open == dict.fromkeys(QUOTAS, 0)


@pytest.mark.usefixtures('three')
def test_what_was_held_back_and_then_cancelled_beyond_a_portion_blocks_nobody():
    def run(self):
        with self.options(delay=3600):
            calls = [self.echo(number) for number in range(3)] + [self.shrink(number) for number in range(2)]
        yield self.stop.get()
        for call in calls[:3]:
            call.cancel()
        return (yield calls[3:])

    story = Story(run)
    assert story.decide(limit=1) == [
        'marker genflow.held {"marks":["4.1","5.1"]}',
        *(f'timer {number}.1;w 3600s' for number in (1, 2, 3)),
    ]
    story.signaled('stop')
    assert story.decide() == ['timer 4.1;w 3600s', 'timer 5.1;w 3600s']


def test_the_code_that_no_longer_makes_a_call_which_waits_for_a_place_is_noticed(three):
    more = [True]

    def run(self):
        timers = [self.sleep(60) for _ in range(3)]
        if more[0]:
            self.echo.with_options(delay=3600)('late')
        yield timers

    story = Story(run)
    story.decide()
    more[0] = False
    story.sticky = story.execution()
    story.fired(1)
    with pytest.raises(NondeterminismError, match=r'genflow\.held'):
        story.decide()
