"""The ways in which an execution closes, UNHANDLED_DECISION, what may share a batch with a close, continuing as new."""

from __future__ import annotations

import pytest

from .decisions import (
    Decision,
    cancel,
    cancel_activity,
    cancel_external,
    cancel_timer,
    complete,
    continue_as_new,
    fail,
    marker,
    schedule,
    schedule_lambda,
    signal_external,
    start_child,
    start_timer,
)
from .domain import ROLE, Domain

CLOSES = {
    'complete': (complete('r'), 'WorkflowExecutionCompleted', {'result': 'r'}, 'COMPLETED'),
    'fail': (fail('why', 'd'), 'WorkflowExecutionFailed', {'reason': 'why', 'details': 'd'}, 'FAILED'),
    'cancel': (cancel('d'), 'WorkflowExecutionCanceled', {'details': 'd'}, 'CANCELED'),
}
BARE_CLOSES = {'complete': complete(), 'fail': fail(), 'cancel': cancel(), 'continue': continue_as_new()}
NAMES = {
    'complete': 'CompleteWorkflowExecution',
    'fail': 'FailWorkflowExecution',
    'cancel': 'CancelWorkflowExecution',
    'continue': 'ContinueAsNewWorkflowExecution',
}
EVERY_CLOSE = pytest.mark.parametrize('close', BARE_CLOSES)


@pytest.mark.parametrize('close', CLOSES)
def test_close_is_recorded(swf: Domain, close: str) -> None:
    sent, kind, attributes, _ = CLOSES[close]
    run = swf.start()
    swf.decide(sent)
    assert run.types()[-2:] == ['DecisionTaskCompleted', kind]
    assert run.only(kind) == {**attributes, 'decisionTaskCompletedEventId': 4}


@pytest.mark.parametrize('close', CLOSES)
def test_close_without_members_records_none(swf: Domain, close: str) -> None:
    run = swf.start()
    swf.decide(BARE_CLOSES[close])
    assert run.only(CLOSES[close][1]) == {'decisionTaskCompletedEventId': 4}


@pytest.mark.parametrize('close', CLOSES)
def test_close_shows_in_the_info(swf: Domain, close: str) -> None:
    run = swf.start()
    swf.decide(CLOSES[close][0])
    info = run.info()
    assert (info['executionStatus'], info['closeStatus']) == ('CLOSED', CLOSES[close][3])


def test_result_keeps_an_empty_string(swf: Domain) -> None:
    run = swf.start()
    swf.decide(complete(''))
    assert run.only('WorkflowExecutionCompleted')['result'] == ''


@EVERY_CLOSE
def test_close_is_unhandled_when_something_came_while_deciding(swf: Domain, close: str) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.signal(run, input='i')
    swf.respond(task, BARE_CLOSES[close])
    assert run.only(f'{NAMES[close]}Failed') == {'cause': 'UNHANDLED_DECISION', 'decisionTaskCompletedEventId': 6}
    assert run.types()[3:] == [
        'WorkflowExecutionSignaled',
        'DecisionTaskScheduled',
        'DecisionTaskCompleted',
        f'{NAMES[close]}Failed',
    ]
    assert run.info()['executionStatus'] == 'OPEN'


@EVERY_CLOSE
def test_close_succeeds_at_the_next_task(swf: Domain, close: str) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.signal(run, input='i')
    swf.respond(task, BARE_CLOSES[close])
    swf.decide(BARE_CLOSES[close])
    assert run.info()['executionStatus'] == 'CLOSED'


def test_an_unhandled_close_leaves_the_rest_of_the_batch_alone(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.signal(run, input='i')
    swf.respond(task, marker(), complete())
    assert run.types()[-2:] == ['MarkerRecorded', 'CompleteWorkflowExecutionFailed']


def test_a_cancel_request_while_deciding_makes_a_close_unhandled(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.request_cancel(run)
    swf.respond(task, complete())
    assert run.only('CompleteWorkflowExecutionFailed')['cause'] == 'UNHANDLED_DECISION'


def test_an_activity_that_completes_while_deciding_makes_a_close_unhandled(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    activity = swf.take_activity()
    swf.signal(run, input='i')
    task = swf.poll_decision()
    swf.client.respond_activity_task_completed(taskToken=activity['taskToken'])
    swf.respond(task, complete())
    assert run.only('CompleteWorkflowExecutionFailed')['cause'] == 'UNHANDLED_DECISION'


def test_a_timer_that_fires_while_deciding_makes_a_close_unhandled(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'))
    swf.signal(run, input='i')
    task = swf.poll_decision()
    swf.advance(11)
    swf.respond(task, complete())
    assert run.only('CompleteWorkflowExecutionFailed')['cause'] == 'UNHANDLED_DECISION'


def test_an_activity_that_starts_while_deciding_does_not(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.signal(run, input='i')
    task = swf.poll_decision()
    swf.take_activity()
    swf.respond(task, complete())
    assert run.info()['closeStatus'] == 'COMPLETED'


def test_what_came_before_the_task_started_does_not(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, input='i')
    swf.decide(complete())
    assert run.info()['closeStatus'] == 'COMPLETED'


def test_open_activities_timers_and_children_do_not(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(), start_timer(), start_child())
    swf.settle()
    swf.decide(complete())
    assert run.info()['closeStatus'] == 'COMPLETED'


def test_an_earlier_failure_of_the_batch_does_not(swf: Domain) -> None:
    run = swf.start()
    swf.decide(cancel_timer('never'), complete())
    assert run.types()[-2:] == ['CancelTimerFailed', 'WorkflowExecutionCompleted']


@EVERY_CLOSE
def test_close_must_be_last(swf: Domain, close: str) -> None:
    run = swf.start()
    with swf.refused('ValidationException', 'Close must be last decision in list'):
        swf.decide(BARE_CLOSES[close], marker())
    assert run.types()[-1] == 'DecisionTaskStarted'


def test_two_closes(swf: Domain) -> None:
    swf.start()
    with swf.refused('ValidationException', 'Close must be last decision in list'):
        swf.decide(complete(), fail())


@EVERY_CLOSE
@pytest.mark.parametrize('other', [schedule(), start_timer()], ids=['ScheduleActivityTask', 'StartTimer'])
def test_close_is_incompatible_with(swf: Domain, close: str, other: Decision) -> None:
    run = swf.start()
    with swf.refused('ValidationException', 'Specified decision is incompatible with close decision'):
        swf.decide(other, BARE_CLOSES[close])
    assert run.types()[-1] == 'DecisionTaskStarted'


def test_a_refused_batch_leaves_its_token_usable(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    with swf.refused('ValidationException'):
        swf.respond(task, complete(), marker())
    swf.respond(task, marker(), complete())
    assert run.info()['closeStatus'] == 'COMPLETED'


SHARES = {
    'RecordMarker': (marker(), ['MarkerRecorded']),
    'CancelTimer': (cancel_timer('t'), ['TimerCanceled']),
    'RequestCancelActivityTask': (cancel_activity('a'), ['ActivityTaskCancelRequested']),
    'StartChildWorkflowExecution': (start_child(), ['StartChildWorkflowExecutionInitiated']),
    'SignalExternalWorkflowExecution': (signal_external('x'), ['SignalExternalWorkflowExecutionInitiated']),
    'RequestCancelExternalWorkflowExecution': (
        cancel_external('x'),
        ['RequestCancelExternalWorkflowExecutionInitiated'],
    ),
    'ScheduleLambdaFunction': (schedule_lambda(), ['LambdaFunctionScheduled']),
}


@pytest.mark.parametrize('kind', SHARES)
def test_close_may_share_a_batch_with(swf: Domain, kind: str) -> None:
    swf.register_lambda('double', lambda value: value)
    run = swf.start(lambdaRole=ROLE)
    swf.decide(schedule('a'), start_timer('t'))
    swf.signal(run, input='i')
    sent, recorded = SHARES[kind]
    swf.decide(sent, complete())
    swf.settle()
    assert run.types()[-2:] == [*recorded, 'WorkflowExecutionCompleted']


@EVERY_CLOSE
def test_nothing_follows_the_close(swf: Domain, close: str) -> None:
    run = swf.start()
    swf.decide(schedule('a', scheduleToStartTimeout='10'), start_timer('t', '10'))
    swf.signal(run, input='i')
    swf.decide(BARE_CLOSES[close])
    last = run.types()[-1]
    swf.advance(60)
    assert (
        run.types()[-1]
        == last
        == {**{name: CLOSES[name][1] for name in CLOSES}}.get(close, 'WorkflowExecutionContinuedAsNew')
    )


def test_the_id_is_free_at_once(swf: Domain) -> None:
    swf.start()
    swf.decide(complete())
    assert swf.start().info()['executionStatus'] == 'OPEN'


@pytest.mark.parametrize(
    'sent',
    [complete('x' * 32769), fail('x' * 257), fail(details='x' * 32769), cancel('x' * 32769)],
    ids=['result', 'reason', 'details', 'cancel-details'],
)
def test_close_refuses_what_is_too_long(swf: Domain, sent: Decision) -> None:
    swf.start()
    with swf.refused('ValidationException'):
        swf.decide(sent)
