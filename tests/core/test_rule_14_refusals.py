"""Rule 14: never hang silently; every failed decision has a defined outcome for each of its causes."""

from __future__ import annotations

import pytest
from botocore.session import Session

from genflow import (
    CancelFailed,
    HistoryError,
    LambdaFailed,
    ScheduleFailed,
    SignalFailed,
    WorkflowProxy,
)
from genflow.core.model import decisions, events
from genflow.core.model.refusals import is_backpressure

from .played import catching
from .story import Desk, Story

SWF = Session().get_service_model('swf')


def causes(shape):
    return SWF.shape_for(f'{shape}FailedCause').enum


NEVER = 'OPERATION_NOT_PERMITTED'

CALLS = {
    'ScheduleActivityTask': (lambda s: s.echo(), decisions.ScheduleActivity),
    'StartChildWorkflowExecution': (lambda s: s.child(), decisions.StartChild),
    'StartTimer': (lambda s: s.sleep(60), decisions.StartTimer),
    'ScheduleLambdaFunction': (lambda s: s.shrink(1), decisions.ScheduleLambda),
}

SYNCHRONOUS = [(name, cause) for name in CALLS for cause in causes(name)]


@pytest.mark.parametrize(('name', 'cause'), [pair for pair in SYNCHRONOUS if not is_backpressure(pair[1])])
def test_a_refused_call_raises_at_its_task(name, cause):
    call, decision = CALLS[name]
    story = Story(catching(call))
    story.decide(refuse={decision: cause})
    assert story.decide() == [f'complete ["ScheduleFailed","{cause}"]']


@pytest.mark.parametrize(('name', 'cause'), [pair for pair in SYNCHRONOUS if is_backpressure(pair[1])])
def test_a_limit_or_rate_is_waited_out(name, cause):
    call, decision = CALLS[name]
    story = Story(catching(call))
    said = story.decide(refuse={decision: cause})
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    assert story.decide() == said
    assert story.open


def test_the_causes_that_are_waited_out_are_the_limits_and_rates():
    names = [*CALLS, 'SignalExternalWorkflowExecution', 'RequestCancelExternalWorkflowExecution']
    names.append('ContinueAsNewWorkflowExecution')
    every = {cause for name in names for cause in causes(name)}
    assert {cause for cause in every if is_backpressure(cause)} == {
        'OPEN_ACTIVITIES_LIMIT_EXCEEDED',
        'ACTIVITY_CREATION_RATE_EXCEEDED',
        'OPEN_CHILDREN_LIMIT_EXCEEDED',
        'OPEN_WORKFLOWS_LIMIT_EXCEEDED',
        'CHILD_CREATION_RATE_EXCEEDED',
        'OPEN_TIMERS_LIMIT_EXCEEDED',
        'TIMER_CREATION_RATE_EXCEEDED',
        'OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED',
        'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED',
        'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED',
        'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED',
        'CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED',
    }


@pytest.mark.parametrize('cause', causes('RequestCancelActivityTask'))
def test_a_refused_cancel_of_an_activity_is_ignored(cause):
    def run(self):
        task = self.echo()
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()
        return 'done'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide(refuse={decisions.RequestCancelActivity: cause}) == ['cancel activity 1.1']
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete "done"']


@pytest.mark.parametrize('cause', causes('CancelTimer'))
def test_a_refused_cancel_of_a_timer_is_ignored(cause):
    def run(self):
        task = self.sleep(60)
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()
        return 'done'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide(refuse={decisions.CancelTimer: cause}) == ['cancel timer 1']
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete "done"']


@pytest.mark.parametrize('name', ['signal', 'cancel'])
@pytest.mark.parametrize('cause', causes('SignalExternalWorkflowExecution'))
def test_a_message_to_another_execution_fails_or_is_sent_again(name, cause):
    cause = cause.replace('SIGNAL', 'REQUEST_CANCEL') if name == 'cancel' else cause
    assert cause in causes(f'{"Signal" if name == "signal" else "RequestCancel"}ExternalWorkflowExecution')
    arguments = ('go',) if name == 'signal' else ()

    def run(self):
        try:
            yield getattr(self.external('w'), name)(*arguments)
        except {'signal': SignalFailed, 'cancel': CancelFailed}[name] as error:
            return error.reason

    story = Story(run)
    said = story.decide()
    (item,) = story.open.values()
    story.undelivered(item.key, cause)
    if not is_backpressure(cause):
        assert story.decide() == [f'complete "{cause}"']
        return
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    assert story.decide() == said


@pytest.mark.parametrize(
    ('cause', 'expected'), [('WORKFLOW_ALREADY_RUNNING', 'ScheduleFailed'), ('OPEN_WORKFLOWS_LIMIT_EXCEEDED', None)]
)
def test_a_child_that_could_not_start_after_all(cause, expected):
    story = Story(catching(lambda s: s.child()))
    said = story.decide()
    story.undelivered(1, cause)
    if expected:
        assert story.decide() == [f'complete ["{expected}","{cause}"]']
    else:
        assert story.decide() == ['timer backoff-1 1s']
        story.fired('backoff-1')
        story.used.clear()  # the same attempt again: the first was never started
        assert story.decide() == said


def test_a_lambda_function_that_could_not_start():
    def run(self):
        try:
            yield self.shrink(1)
        except LambdaFailed as error:
            return error.reason

    story = Story(run)
    story.decide()
    story.undelivered(1, 'ASSUME_ROLE_FAILED')
    assert story.decide() == ['complete "ASSUME_ROLE_FAILED"']


# the engine's own


def test_a_marker_that_may_not_be_recorded_is_held():
    def run(self):
        self.side_effect(lambda: 1)
        yield self.echo()

    story = Story(run)
    story.decide(refuse={decisions.RecordMarker: NEVER})
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


@pytest.mark.parametrize('how', ['complete', 'fail', 'cancel', 'continue'])
def test_a_close_that_is_not_permitted_is_held(how):
    def run(self):
        if how == 'fail':
            raise ValueError
        if how == 'continue':
            return self.restart()
        if how == 'cancel':
            yield self.go.get()
        return None

    story = Story(run)
    if how == 'cancel':
        story.cancel_requested()
    story.start()
    story.respond_close_refused(NEVER)
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


def test_the_wait_before_an_attempt_is_held_where_timers_are_not_permitted():
    def run(self):
        yield self.echo.with_options(delay=5)()

    story = Story(run)
    story.decide(refuse={'1.1;w': NEVER})
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


def test_a_back_off_timer_that_is_not_permitted_is_held():
    story = Story(catching(lambda s: s.echo()))
    story.decide(refuse={decisions.ScheduleActivity: 'ACTIVITY_CREATION_RATE_EXCEEDED'})
    story.decide(refuse={'backoff-1': NEVER})
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


def test_a_wake_up_timer_that_is_not_permitted_is_held():
    def run(self):
        yield [self.echo(), self.echo(), self.echo()]

    story = Story(run)
    story.start()
    story.respond(1, refuse={'wake-3': NEVER})
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


@pytest.mark.parametrize('cause', causes('ContinueAsNewWorkflowExecution'))
def test_each_cause_of_a_refused_restart(cause):
    story = Story(lambda self: self.restart(1))
    story.start()
    story.respond_close_refused(cause)
    if cause == 'UNHANDLED_DECISION':
        assert story.decide() == ['continue [[1],{}]']
    elif cause == NEVER:
        with pytest.raises(HistoryError, match=NEVER):
            story.decide()
    elif is_backpressure(cause):
        assert story.decide() == ['timer backoff-1 1s']
        story.fired('backoff-1')
        assert story.decide() == ['continue [[1],{}]']
    else:
        (line,) = story.decide()
        assert line.startswith(f'fail ScheduleFailed: {cause}')


# children, by name


def test_a_child_whose_workflow_id_is_taken():
    members = {'kid': WorkflowProxy('Child', 'v1', workflow_id='kid', retry=0)}

    def run(self):
        try:
            yield self.kid()
        except ScheduleFailed as error:
            return error.cause

    story = Story(run, members=members)
    story.decide()
    story.undelivered('kid', 'WORKFLOW_ALREADY_RUNNING')
    assert story.decide() == ['complete "WORKFLOW_ALREADY_RUNNING"']


def test_an_event_about_nothing_known_is_an_error():
    story = Story(lambda self: self.echo())
    story.decide()
    story.add(events.Completed, ref=999, result=None)
    with pytest.raises(HistoryError, match='refers to event 999'):
        story.decide()


def test_a_proxy_of_the_class_takes_no_part_in_it():
    assert Desk.echo.task(1).number is None
