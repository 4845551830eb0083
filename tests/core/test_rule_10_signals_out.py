"""Rule 10: signals to children and other executions."""

from __future__ import annotations

from contextlib import suppress

import pytest

from genflow import (
    Retry,
    ScheduleFailed,
    SignalFailed,
    TaskFailed,
    all_of,
)
from genflow.core.model.decisions import StartChild

from .story import Desk, Story


def test_signals_out_settle_when_delivered():
    def run(self):
        child = self.child.with_options(workflow_id='kid')()
        yield self.external('other', 'run-9').signal(Desk.go, {'x': 1})
        yield child.signal('stop')
        return (yield child)

    story = Story(run)
    assert story.decide() == ['child 1.1 Child [[],{}]', 'signal other go {"x":1}']
    assert story.answer.all[1].run_id == 'run-9'
    story.delivered(2)
    assert story.decide() == []
    story.child_started(1)
    assert story.decide() == ['signal kid stop null']
    story.delivered(3)
    assert story.decide() == []
    story.completed('kid', 1)
    assert story.decide() == ['complete 1']


def test_a_signal_to_no_open_execution_fails():
    def run(self):
        try:
            yield self.external('gone').signal('go')
        except SignalFailed as error:
            return error.reason

    story = Story(run)
    story.decide()
    story.undelivered(1)
    assert story.decide() == ['complete "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"']


def test_a_signal_to_a_child_that_never_started_fails():
    def run(self):
        child = self.child()
        task = child.signal('go')
        with suppress(TaskFailed):
            yield child
        try:
            yield task
        except SignalFailed:
            return 'told'

    story = Story(run)
    story.decide()
    story.undelivered(1, 'WORKFLOW_ALREADY_RUNNING')
    assert story.decide() == ['complete "told"']


@pytest.mark.parametrize('how', ['canceled before it was sent', 'an argument failed', 'refused'])
def test_a_signal_to_a_child_that_never_came_to_start_fails(how):
    def run(self):
        child = self.child(self.echo() if how == 'an argument failed' else 1)
        task = child.signal('go')
        if how == 'canceled before it was sent':
            child.cancel()
        return (yield all_of(child, task, failures='return')) and [type(task.exception()).__name__, child.done()]

    story = Story(run)
    story.decide(refuse={StartChild: 'WORKFLOW_TYPE_DOES_NOT_EXIST'})
    if how == 'an argument failed':
        story.failed(1)
    if story.closed is None:
        story.decide()
    assert story.result == ['SignalFailed', True]


def signals_a_child_that_it_cancels(**options):
    """The method ``run`` of a workflow that cancels its child at a signal, before the child has begun."""

    def run(self):
        child = self.child.with_options(**options)()
        task = child.signal('go')
        yield self.stop.get()
        child.cancel()
        try:
            yield task
        except SignalFailed:
            return 'told'

    return run


def test_a_signal_to_a_child_that_is_cancelled_during_its_delay_fails():
    story = Story(signals_a_child_that_it_cancels(delay=9))
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['complete "told"']


def test_a_signal_to_a_child_that_was_given_up_and_then_refused_fails():
    story = Story(signals_a_child_that_it_cancels())
    story.decide()
    story.signaled('stop')
    assert story.decide() == []
    story.undelivered(1, 'WORKFLOW_TYPE_DOES_NOT_EXIST')
    assert story.decide() == ['complete "told"']
    assert not story.sticky.deferred


def test_a_signal_waits_for_the_attempt_that_starts():
    def run(self):
        child = self.child.with_options(retry=Retry(2, initial_interval=0, on=(ScheduleFailed,)))()
        yield child.signal('go')
        return (yield child)

    story = Story(run)
    story.decide(refuse={StartChild: 'WORKFLOW_TYPE_DOES_NOT_EXIST'})
    assert story.decide() == ['child 1.2 Child [[],{}]']
    story.child_started(1)
    assert story.decide() == [f'signal {story.find("1.2").key} go null']


def test_a_signal_between_two_attempts_waits_for_the_second():
    def run(self):
        child = self.child.with_options(retry=Retry(2, initial_interval=0))()
        yield self.echo()
        yield child.signal('go')
        return (yield child)

    story = Story(run)
    story.decide()
    story.child_started(1)
    story.decide()
    story.failed('1.1')
    assert story.decide() == ['child 1.2 Child [[],{}]']
    story.completed(2)
    assert story.decide() == []
    story.child_started('1.2')
    assert story.decide() == [f'signal {story.find("1.2").key} go null']


def test_a_signal_that_swf_refused_for_its_rate_goes_to_the_attempt_that_it_was_for():
    def run(self):
        child = self.child.with_options(retry=1)()
        return (yield [child, child.signal('hello')])

    story = Story(run)
    story.decide()
    first = story.find(1).key
    story.child_started(1)
    assert story.decide() == [f'signal {first} hello null']
    story.undelivered('2', 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED')
    story.timed_out(1)
    story.decide(limit=1)
    story.fired('backoff-1')
    assert story.decide() == ['child 1.2 Child [[],{}]', f'signal {first} hello null']
    assert story.find(1).key != first
    story.child_started(1)
    assert story.decide() == []
    story.undelivered('2')
    assert story.decide()[-1].startswith('fail ')


def test_a_signal_to_a_child_that_has_closed_fails():
    def run(self):
        child = self.child()
        yield child
        try:
            yield child.signal('go')
        except SignalFailed:
            return 'told'

    story = Story(run)
    story.decide()
    story.child_started(1)
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete "told"']


def test_cancel_requests_out_settle_when_delivered():
    def run(self):
        yield self.external('other').cancel()
        return 'done'

    story = Story(run)
    assert story.decide() == ['cancel execution other']
    story.delivered('cancel other')
    assert story.decide() == ['complete "done"']
