"""Sagas: what was done is undone once, whatever goes wrong and whenever."""

from __future__ import annotations

import pytest

from genflow import ActivityFailed, CompensationFailed, Saga
from genflow.core.model import events

from .story import Desk, Story

STEPS = 4


def book_all(self, failing=None):
    saga = Saga()
    try:
        for step in range(STEPS):
            saga.add(self.other, step)
            yield self.echo(step)
        yield self.sleep(60)
    except BaseException:
        yield from saga.compensate()
        raise


def scheduled(story, name):
    return [event.input for event in story.events if isinstance(event, events.ActivityScheduled) and event.name == name]


def play(story, cancel_at):
    """Completes what is open, oldest first, one event at a time, with a cancel request before the given one."""
    for moment in range(40):
        if moment == cancel_at:
            story.cancel_requested()
        if story.is_due:
            story.decide()
        if story.closed is not None:
            return
        work = sorted(story.open.values(), key=lambda item: item.ref)
        if work and work[0].kind == 'activity':
            story.completed(work[0].key)
        elif work:
            story.fired(work[0].key)
    raise AssertionError('the story does not end')


@pytest.mark.parametrize('cancel_at', range(STEPS + 1))
def test_each_step_that_completed_before_a_cancellation_is_undone_once_last_first(cancel_at):
    story = Story(book_all)
    play(story, cancel_at)
    assert story.closed.how == 'canceled'
    begun = [f'[[{step}],{{}}]' for step in range(min(cancel_at + 1, STEPS))]
    assert scheduled(story, 'Echo') == begun[:cancel_at]  # what the cancellation finds unsent is never sent
    assert scheduled(story, 'Other') == begun[::-1]


def test_a_saga_that_is_not_disturbed_undoes_nothing():
    story = Story(book_all)
    play(story, None)
    assert story.closed.how == 'completed'
    assert scheduled(story, 'Other') == []


def test_a_failure_is_undone_and_raised_as_itself():
    story = Story(book_all)
    story.decide()
    story.completed(1)
    story.decide()
    story.failed(2, reason='full')
    assert story.decide() == ['activity 3.1 Other [[1],{}]']
    story.completed(3)
    assert story.decide() == ['activity 4.1 Other [[0],{}]']
    story.completed(4)
    assert story.decide() == ['fail ActivityFailed: activity 2 Echo v1: full']


def test_a_compensation_that_fails_keeps_no_other_from_running():
    story = Story(book_all)
    story.decide()
    story.completed(1)
    story.decide()
    story.failed(2)
    story.decide()
    story.failed(3, reason='cannot undo')
    assert story.decide() == ['activity 4.1 Other [[0],{}]']
    story.completed(4)
    (said,) = story.decide()
    assert said.startswith('fail CompensationFailed: 1 compensation(s) failed: ')


def test_a_cancellation_during_the_compensation_waits_until_it_is_over():
    story = Story(book_all)
    story.decide()
    story.failed(1)
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.completed(2)
    (said,) = story.decide()
    assert said.startswith('fail ActivityFailed')


def test_compensations_may_be_branches_and_plain_functions():
    done = []

    def undo(self, step):
        yield self.other(step)
        done.append(step)

    def run(self):
        saga = Saga()
        saga.add(done.append, 'plain')
        saga.add(undo, self, 'branch')
        yield from saga.compensate()
        return 'undone'

    story = Story(run)
    assert story.decide() == ['activity 1.1 Other [["branch"],{}]']
    story.completed(1)
    done.clear()
    assert story.decide() == ['complete "undone"']
    assert done[-2:] == ['branch', 'plain']


def test_an_evicted_saga_undoes_nothing():
    story = Story(book_all)
    story.decide()
    story.sticky.close()
    assert [entry.number for entry in story.sticky.outbox.unsent()] == [1]
    assert story.sticky.open_blockers == 1


def test_by_hand_a_saga_is_a_generator_like_any_other():
    saga = Saga()
    saga.add(lambda: 1 / 0)
    with pytest.raises(CompensationFailed) as caught:
        list(saga.compensate())
    assert isinstance(caught.value.errors[0], ZeroDivisionError)
    assert ActivityFailed not in type(caught.value).__mro__


def test_a_failing_compensation_does_not_hide_the_reason():
    def run(self):
        saga = Saga()
        saga.add(self.other)
        try:
            raise ValueError('the reason')  # noqa: TRY301
        except BaseException:
            yield from saga.compensate()
            raise

    story = Story(run)
    story.decide()
    story.failed(1, reason='not undone')
    (line,) = story.decide()
    assert line.startswith('fail CompensationFailed: 1 compensation(s) failed: ')
    assert 'because of ValueError' in line
    assert 'ValueError: the reason' in story.failure.traceback


@pytest.mark.parametrize('call', [lambda self: self.echo(1), lambda self: self.branch(), lambda self: None])
def test_a_compensation_that_is_called_already_is_refused(call):
    class Books(Desk):
        def branch(self):
            yield self.echo()

        def run(self):
            with pytest.raises(TypeError, match=r'write `saga.add\(self.undo, x\)`'):
                Saga().add(call(self))
            yield self.other()

    assert Story(Books).decide()[-1].endswith('Other [[],{}]')


# saga.run


def driven(self, failing=None):
    self.saga = Saga()
    return (yield from self.saga.run(steps(self, failing)))


def steps(self, failing):
    for step in range(STEPS):
        self.saga.add(self.other, step)
        if step == failing:
            raise KeyError(step)
        yield self.echo(step)
    yield self.sleep(60)
    return 'done'


def test_run_gives_what_the_steps_give_and_undoes_nothing():
    story = Story(driven)
    play(story, None)
    assert story.result == 'done'
    assert scheduled(story, 'Other') == []


@pytest.mark.parametrize('cancel_at', range(STEPS + 1))
def test_run_undoes_at_a_cancellation(cancel_at):
    story = Story(driven)
    play(story, cancel_at)
    assert story.closed.how == 'canceled'
    assert scheduled(story, 'Other') == [f'[[{step}],{{}}]' for step in range(min(cancel_at + 1, STEPS))][::-1]


def test_run_raises_what_the_steps_raise():
    story = Story(driven, 2)
    play(story, None)
    assert story.failure.reason == 'KeyError: 2'
    assert scheduled(story, 'Other') == ['[[2],{}]', '[[1],{}]', '[[0],{}]']


def failing_all(story):
    while story.closed is None:
        for item in sorted(story.open.values(), key=lambda item: item.ref):
            story.failed(item.key, reason='cannot undo')
        story.decide()


def test_compensations_that_failed_are_notes_of_what_was_raised():
    story = Story(driven, 1)
    story.decide()
    story.completed(1)
    story.decide()
    failing_all(story)
    assert story.failure.reason == 'KeyError: 1'
    assert story.failure.traceback.count('A compensation failed: ActivityFailed: ') == 2
    assert 'cannot undo' in story.failure.traceback


def test_compensations_that_failed_stand_in_the_details_of_a_cancellation():
    story = Story(driven)
    story.decide()
    story.cancel_requested()
    story.decide()
    failing_all(story)
    assert story.closed.how == 'canceled'
    assert 'A compensation failed: ActivityFailed: ' in story.answers[-1].all[-1].details


def test_a_suspension_undoes_nothing():
    undone = []

    def run(self):
        saga = Saga()

        def work():
            saga.add(undone.append, 1)
            yield self.echo()

        yield from saga.run(work())

    story = Story(run)
    story.decide()
    story.sticky.close()
    assert undone == []


def test_run_takes_a_generator_and_add_no_task():
    def run(self):
        saga = Saga()
        for wrong in (lambda: saga.run(driven), lambda: saga.add(self.echo()), lambda: saga.add(driven(self))):
            with pytest.raises(TypeError):
                wrong()
        return 1

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    assert story.result == 1


def test_a_saga_that_is_never_driven_is_reported(caplog):
    def run(self):
        Saga().run(steps(self, None))
        return
        yield

    Story(run).decide()
    assert 'the generator Saga.run() was created at' in caplog.text
