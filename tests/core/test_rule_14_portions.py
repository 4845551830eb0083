"""Rule 14: what does not fit into one response comes with the next."""

from __future__ import annotations

from genflow import (
    ActivityProxy,
    Retry,
)
from genflow.core.model import decisions, events

from .story import Story


def test_what_does_not_fit_is_sent_in_order_after_a_wake_up():
    def run(self):
        yield [self.echo(n) for n in range(5)]
        return 'all'

    story = Story(run)
    assert story.decide(limit=2) == [f'activity {n}.1 Echo [[{n - 1}],{{}}]' for n in range(1, 6)]
    assert [item.key for item in story.open.values()] == ['1.1', '2.1', 'wake-3']
    story.fired('wake-3')
    assert story.decide(limit=2) == [f'activity {n}.1 Echo [[{n - 1}],{{}}]' for n in range(3, 6)]
    story.fired(next(item.key for item in story.open.values() if item.kind == 'timer'))
    assert story.decide() == ['activity 5.1 Echo [[4],{}]']
    for number in range(1, 6):
        story.completed(number)
    assert story.decide() == ['complete "all"']


def test_the_wake_up_timer_takes_no_time():
    story = Story(lambda self: [self.echo(), self.echo()])
    story.start()
    assert story.answer.first_chunk(1)[-1] == decisions.StartTimer('wake-3', 0, None)
    assert story.answer.first_chunk(2) == story.answer.all


def test_something_else_may_come_before_the_wake_up():
    def run(self):
        yield [self.echo(n) for n in range(4)]
        return 'all'

    story = Story(run)
    story.decide(limit=1)
    story.completed('1.1')
    assert len(story.decide()) == 3
    for number in (2, 3, 4):
        story.completed(number)
    story.fired('wake-3')
    assert story.decide() == ['complete "all"']


def test_markers_go_with_the_decision_that_made_them():
    def run(self):
        self.echo(self.side_effect(lambda: 1), self.side_effect(lambda: 2))
        yield [self.echo(), self.echo()]

    story = Story(run)
    story.start()
    found = story.answer.first_chunk(1)
    assert [type(decision) for decision in found] == [
        decisions.RecordMarker,
        decisions.RecordMarker,
        decisions.StartTimer,
    ]
    story.respond(1)
    story.fired('wake-3')
    assert [line.split()[0] for line in story.decide()] == ['activity'] * 3


def test_a_call_that_is_cancelled_before_its_portion_is_never_sent():
    def run(self):
        tasks = [self.echo(n) for n in range(3)]
        yield tasks[0]
        tasks[1].cancel()
        yield tasks[2]

    story = Story(run)
    story.decide(limit=1)
    story.completed('1.1')
    assert story.decide() == ['activity 3.1 Echo [[2],{}]']


def test_a_retry_that_did_not_fit_is_followed_from_the_history():
    def run(self):
        yield [self.sturdy(n) for n in range(3)]
        return 'all'

    story = Story(run)
    story.decide()
    for number in (1, 2, 3):
        story.timed_out(number)
    assert len(story.decide(limit=1)) == 3
    story.fired(next(item.key for item in story.open.values() if item.kind == 'timer'))
    assert story.decide() == ['activity 2.2 Sturdy [[1],{}]', 'activity 3.2 Sturdy [[2],{}]']
    for number in (1, 2, 3):
        story.completed(number)
    assert story.decide() == ['complete "all"']


def test_a_wait_before_a_retry_that_did_not_fit():
    members = {'patient': ActivityProxy('Patient', '1', retry=Retry(5, initial_interval=10, jitter=0.5))}

    def run(self):
        yield [self.patient(n) for n in range(3)]
        return 'all'

    story = Story(run, members=members)
    story.decide()
    for number in (1, 2, 3):
        story.failed(number)
    waits = story.decide(limit=1)
    assert [line.split()[1] for line in waits] == ['1.2;w', '2.2;w', '3.2;w']
    story.fired('1.2;w')
    assert story.decide(limit=1) == [*waits[1:], 'activity 1.2 Patient [[0],{}]']


def test_a_close_that_did_not_fit_comes_with_the_next():
    def run(self):
        tasks = [self.echo() for _ in range(3)]
        yield self.stop.get()
        for task in tasks:
            task.cancel()
        raise ValueError('done')

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide(limit=2)[-1] == 'fail ValueError: done'
    assert story.closed is None
    story.fired(next(item.key for item in story.open.values() if item.kind == 'timer'))
    assert story.decide() == ['cancel activity 3.1', 'fail ValueError: done']


def test_a_decision_without_anything_left_cannot_be_sent_in_portions():
    story = Story(lambda self: self.echo())
    story.start()
    assert story.answer.first_chunk(100) == story.answer.all


def test_what_did_not_fit_is_known_though_the_wake_up_timer_was_refused():
    members = {'patient': ActivityProxy('Patient', '1', retry=Retry(3, initial_interval=5, jitter=0))}

    def run(self):
        return (yield [self.patient(1), self.patient(2)])

    story = Story(run, members=members)
    story.decide()
    story.failed(1)
    story.failed(2)
    story.start()
    story.respond(1, {story.answer.wake.timer_id: 'TIMER_CREATION_RATE_EXCEEDED'})
    assert [event.details for event in story.events if isinstance(event, events.MarkerRecorded)] == [
        '{"marks":["1.2","2.2"]}'
    ]
    assert story.decide() == ['timer 2.2;w 5s']
    for number in (1, 2):
        story.fired(f'{number}.2;w')
    story.decide()
    story.completed(1, 'one')
    story.completed(2, 'two')
    assert story.decide() == ['complete ["one","two"]']
