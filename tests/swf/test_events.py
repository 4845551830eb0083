"""Every event type of botocore's model has a reader or a reason to be ignored, and is read as SWF's reference says."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

import botocore.session
import pytest

from genflow.core.errors import HistoryError
from genflow.core.model import events as core
from genflow.swf.wire.events import IGNORED, READERS, translate

MODEL = botocore.session.get_session().get_service_model('swf')
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def event(kind, attributes, number=9):
    member = f'{kind[0].lower()}{kind[1:]}EventAttributes'
    return {'eventId': number, 'eventTimestamp': WHEN, 'eventType': kind, member: attributes}


def read(kind, **attributes):
    return translate([event(kind, attributes)])


def example(shape):
    """A value for a shape of botocore's model with every member set."""
    if shape.type_name == 'structure':
        return {name: example(member) for name, member in shape.members.items()}
    if shape.type_name == 'list':
        return [example(shape.member)]
    return {'long': 3, 'string': '7', 'timestamp': WHEN}[shape.type_name]


def test_every_event_type_of_the_model_has_a_place():
    assert set(READERS) == set(MODEL.shape_for('EventType').enum)
    assert {kind for kind, reader in READERS.items() if reader is None} == set(IGNORED)


@pytest.mark.parametrize('kind', sorted(set(READERS) - set(IGNORED)))
def test_every_reader_takes_what_the_model_promises(kind):
    member = f'{kind[0].lower()}{kind[1:]}EventAttributes'
    shape = MODEL.shape_for('HistoryEvent').members[member]
    everything = example(shape)
    (value,) = translate([event(kind, everything)])
    assert value.id == 9
    required = {name: value for name, value in everything.items() if name in shape.required_members}
    if kind != 'StartLambdaFunctionFailed':  # the model requires nothing of it, the service always says these
        assert translate([event(kind, required)])[0].id == 9


@pytest.mark.parametrize('kind', sorted(IGNORED))
def test_ignored_events_are_left_out(kind):
    assert read(kind) == []


def test_the_first_event_holds_what_the_execution_was_started_with():
    (value,) = read(
        'WorkflowExecutionStarted',
        workflowType={'name': 'Order', 'version': '2'},
        input='[[], {}]',
        taskList={'name': 'main'},
        childPolicy='ABANDON',
        executionStartToCloseTimeout='3600',
        taskStartToCloseTimeout='NONE',
        taskPriority='-5',
        tagList=['a', None, 'b'],  # the service keeps a null that was sent
        lambdaRole='arn:role',
        parentInitiatedEventId=4,
        parentWorkflowExecution={'workflowId': 'w', 'runId': 'r'},
        continuedExecutionRunId='old',
    )
    assert value == core.WorkflowStarted(
        id=9,
        time=WHEN,
        name='Order',
        version='2',
        input='[[], {}]',
        task_list='main',
        child_policy='ABANDON',
        workflow_duration=3600,
        decision_duration=math.inf,
        priority=-5,
        tags=('a', 'b'),
        lambda_role='arn:role',
        parent_workflow_id='w',
        parent_run_id='r',
        continued_run_id='old',
    )


@pytest.mark.parametrize(
    'said', [WHEN.timestamp(), WHEN.astimezone(timezone(timedelta(hours=2)))], ids=['seconds', 'another zone']
)
def test_times_are_utc_whatever_the_client_gives(said):
    started = {**event('DecisionTaskStarted', {'scheduledEventId': 8}), 'eventTimestamp': said}
    (value,) = translate([started])
    assert value == core.DecisionStarted(9, WHEN)
    assert value.time.tzinfo is timezone.utc


def test_a_decision_task_that_nobody_started_leaves_no_trace():
    assert read('DecisionTaskTimedOut', timeoutType='SCHEDULE_TO_START', scheduledEventId=7, startedEventId=0) == []
    assert read('DecisionTaskTimedOut', timeoutType='START_TO_CLOSE', scheduledEventId=7, startedEventId=8) == [
        core.DecisionTimedOut(9)
    ]


def test_a_child_refused_at_once_is_distinguished_from_one_whose_id_is_taken():
    said = {
        'workflowType': {'name': 'Child', 'version': '1'},
        'workflowId': 'w',
        'decisionTaskCompletedEventId': 4,
        'control': 'c',
    }
    assert read(
        'StartChildWorkflowExecutionFailed', **said, cause='WORKFLOW_TYPE_DOES_NOT_EXIST', initiatedEventId=0
    ) == [core.Refused(9, 4, 'child', 'w', 'WORKFLOW_TYPE_DOES_NOT_EXIST', 'c')]
    assert read('StartChildWorkflowExecutionFailed', **said, cause='WORKFLOW_ALREADY_RUNNING', initiatedEventId=5) == [
        core.Undelivered(9, 5, 'WORKFLOW_ALREADY_RUNNING')
    ]


TYPE = {'name': 'A', 'version': '1'}
EXECUTION = {'workflowId': 'w', 'runId': 'r'}
CASES = [
    ('WorkflowExecutionSignaled', {'signalName': 's', 'input': 'i'}, core.Signaled(9, 's', 'i')),
    (
        'WorkflowExecutionCancelRequested',
        {'cause': 'CHILD_POLICY_APPLIED'},
        core.CancelRequested(9, 'CHILD_POLICY_APPLIED'),
    ),
    (
        'WorkflowExecutionCompleted',
        {'result': '1', 'decisionTaskCompletedEventId': 4},
        core.Closed(9, 4, 'completed', '1'),
    ),
    (
        'WorkflowExecutionFailed',
        {'reason': 'r', 'details': 'd', 'decisionTaskCompletedEventId': 4},
        core.Closed(9, 4, 'failed', None, 'r', 'd'),
    ),
    (
        'WorkflowExecutionCanceled',
        {'details': 'd', 'decisionTaskCompletedEventId': 4},
        core.Closed(9, 4, 'canceled', None, None, 'd'),
    ),
    (
        'WorkflowExecutionContinuedAsNew',
        {'newExecutionRunId': 'r2', 'input': 'i', 'decisionTaskCompletedEventId': 4},
        core.Closed(9, 4, 'continued', 'i', None, None, 'r2'),
    ),
    (
        'WorkflowExecutionTerminated',
        {'childPolicy': 'TERMINATE', 'cause': 'EVENT_LIMIT_EXCEEDED'},
        core.Closed(9, None, 'terminated', None, 'EVENT_LIMIT_EXCEEDED'),
    ),
    (
        'CompleteWorkflowExecutionFailed',
        {'cause': 'UNHANDLED_DECISION', 'decisionTaskCompletedEventId': 4},
        core.CloseRefused(9, 4, 'completed', 'UNHANDLED_DECISION'),
    ),
    ('DecisionTaskCompleted', {'startedEventId': 3, 'scheduledEventId': 2}, core.DecisionCompleted(9, 3)),
    (
        'ActivityTaskScheduled',
        {'activityType': TYPE, 'activityId': '7.2', 'decisionTaskCompletedEventId': 4, 'input': 'i'},
        core.ActivityScheduled(9, 4, '7.2', 'A', '1', 'i'),
    ),
    (
        'ScheduleActivityTaskFailed',
        {'activityType': TYPE, 'activityId': '7.2', 'decisionTaskCompletedEventId': 4, 'cause': 'X'},
        core.Refused(9, 4, 'activity', '7.2', 'X'),
    ),
    ('ActivityTaskCompleted', {'scheduledEventId': 5, 'startedEventId': 6, 'result': '1'}, core.Completed(9, 5, '1')),
    ('ActivityTaskFailed', {'scheduledEventId': 5, 'reason': 'r', 'details': 'd'}, core.Failed(9, 5, 'r', 'd')),
    (
        'ActivityTaskTimedOut',
        {'timeoutType': 'HEARTBEAT', 'scheduledEventId': 5, 'startedEventId': 6, 'details': 'half'},
        core.TimedOut(9, 5, 'HEARTBEAT', 'half'),
    ),
    ('ActivityTaskCanceled', {'scheduledEventId': 5, 'details': 'd'}, core.Canceled(9, 5, 'd')),
    (
        'ActivityTaskCancelRequested',
        {'activityId': '7.1', 'decisionTaskCompletedEventId': 4},
        core.ActivityCancelRequested(9, 4, '7.1'),
    ),
    (
        'RequestCancelActivityTaskFailed',
        {'activityId': '7.1', 'decisionTaskCompletedEventId': 4, 'cause': 'ACTIVITY_ID_UNKNOWN'},
        core.Refused(9, 4, 'cancel activity', '7.1', 'ACTIVITY_ID_UNKNOWN'),
    ),
    (
        'TimerStarted',
        {'timerId': 't', 'startToFireTimeout': '60', 'control': 'c', 'decisionTaskCompletedEventId': 4},
        core.TimerStarted(9, 4, 't', 60, 'c'),
    ),
    ('TimerFired', {'timerId': 't', 'startedEventId': 5}, core.TimerFired(9, 5)),
    (
        'TimerCanceled',
        {'timerId': 't', 'startedEventId': 5, 'decisionTaskCompletedEventId': 4},
        core.TimerCanceled(9, 4, 't'),
    ),
    (
        'CancelTimerFailed',
        {'timerId': 't', 'decisionTaskCompletedEventId': 4, 'cause': 'TIMER_ID_UNKNOWN'},
        core.Refused(9, 4, 'cancel timer', 't', 'TIMER_ID_UNKNOWN'),
    ),
    (
        'MarkerRecorded',
        {'markerName': 'm', 'details': 'd', 'decisionTaskCompletedEventId': 4},
        core.MarkerRecorded(9, 4, 'm', 'd'),
    ),
    (
        'StartChildWorkflowExecutionInitiated',
        {'workflowId': 'w', 'workflowType': TYPE, 'decisionTaskCompletedEventId': 4, 'input': 'i', 'control': 'c'},
        core.ChildInitiated(9, 4, 'w', 'A', '1', 'i', 'c'),
    ),
    (
        'ChildWorkflowExecutionStarted',
        {'workflowExecution': EXECUTION, 'workflowType': TYPE, 'initiatedEventId': 5},
        core.ChildStarted(9, 5, 'w', 'r'),
    ),
    (
        'ChildWorkflowExecutionCompleted',
        {'workflowExecution': EXECUTION, 'initiatedEventId': 5, 'startedEventId': 6, 'result': '1'},
        core.Completed(9, 5, '1'),
    ),
    ('ChildWorkflowExecutionTerminated', {'initiatedEventId': 5, 'startedEventId': 6}, core.Terminated(9, 5)),
    (
        'SignalExternalWorkflowExecutionInitiated',
        {'workflowId': 'w', 'runId': 'r', 'signalName': 's', 'input': 'i', 'decisionTaskCompletedEventId': 4},
        core.SignalInitiated(9, 4, 'w', 's', 'r', 'i'),
    ),
    (
        'ExternalWorkflowExecutionSignaled',
        {'workflowExecution': EXECUTION, 'initiatedEventId': 5},
        core.Delivered(9, 5),
    ),
    (
        'RequestCancelExternalWorkflowExecutionInitiated',
        {'workflowId': 'w', 'decisionTaskCompletedEventId': 4, 'control': 'c'},
        core.CancelInitiated(9, 4, 'w', None, 'c'),
    ),
    (
        'RequestCancelExternalWorkflowExecutionFailed',
        {'workflowId': 'w', 'cause': 'X', 'initiatedEventId': 5, 'decisionTaskCompletedEventId': 4},
        core.Undelivered(9, 5, 'X'),
    ),
    (
        'LambdaFunctionScheduled',
        {'id': '3', 'name': 'f', 'input': 'i', 'decisionTaskCompletedEventId': 4},
        core.LambdaScheduled(9, 4, '3', 'f', 'i'),
    ),
    ('LambdaFunctionTimedOut', {'scheduledEventId': 5, 'startedEventId': 6}, core.TimedOut(9, 5, 'START_TO_CLOSE')),
    (
        'StartLambdaFunctionFailed',
        {'scheduledEventId': 5, 'cause': 'ASSUME_ROLE_FAILED', 'message': 'no role'},
        core.Undelivered(9, 5, 'ASSUME_ROLE_FAILED', 'no role'),
    ),
]


@pytest.mark.parametrize(('kind', 'attributes', 'expected'), CASES, ids=[case[0] for case in CASES])
def test_events_are_read(kind, attributes, expected):
    assert read(kind, **attributes) == [expected]


def test_an_event_type_of_a_later_service_is_named():
    with pytest.raises(HistoryError, match=r'event 9, SomethingNew, is not known to this release of genflow'):
        read('SomethingNew')


@pytest.mark.parametrize('given', [list, iter, tuple])
def test_the_first_event_that_cannot_be_read_is_named_though_all_are_read_at_once(given):
    readable = event('TimerFired', {'startedEventId': 5})
    events = [readable, {**event('Later', {}), 'eventId': 10}, {**event('TimerFired', {}), 'eventId': 11}]
    with pytest.raises(HistoryError, match='event 10, Later, is not known'):
        translate(given(events))
    with pytest.raises(HistoryError, match="event 11, TimerFired, lacks the member 'startedEventId'"):
        translate(given(events[::2]))


def test_an_event_without_its_attributes_is_named():
    with pytest.raises(HistoryError, match=r"event 9, ActivityTaskCompleted, lacks the member 'scheduledEventId'"):
        read('ActivityTaskCompleted', result='1')
