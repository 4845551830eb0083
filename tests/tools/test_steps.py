from __future__ import annotations

from datetime import datetime, timedelta, timezone

import botocore.session
import pytest

from genflow.insight import ExecutionView, attributes_of
from genflow.insight.view import CHANGES, CLOSES, OPENS, REFUSALS
from genflow.tools.executions.steps import NOTES, SILENT, ExecutionSteps

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def event(number, kind, **attributes):
    block = f'{kind[0].lower()}{kind[1:]}EventAttributes'
    return {
        'eventId': number,
        'eventType': kind,
        'eventTimestamp': START + timedelta(seconds=number),
        block: attributes,
    }


def activity(number, name='Charge', activity_id='1.1'):
    kind = {'name': name, 'version': '2'}
    return event(number, 'ActivityTaskScheduled', activityType=kind, activityId=activity_id)


STARTED = event(1, 'WorkflowExecutionStarted', workflowType={'name': 'Order', 'version': '1'})


def texts(events):
    return [step.text for step in ExecutionSteps().apply_all(events)]


def test_the_tables_hold_each_of_swfs_event_types_once():
    model = botocore.session.get_session().get_service_model('swf')
    refusals = set(REFUSALS) - set(CHANGES)
    tables = [*OPENS, *CHANGES, *refusals, *NOTES, *CLOSES, *SILENT]
    assert sorted(tables) == sorted(model.shape_for('EventType').enum)


def test_an_activity_from_scheduled_to_completed():
    steps = ExecutionSteps()
    events = [
        STARTED,
        event(2, 'DecisionTaskScheduled', startToCloseTimeout='60'),
        activity(5),
        event(6, 'ActivityTaskStarted', scheduledEventId=5),
        event(7, 'ActivityTaskCompleted', scheduledEventId=5, startedEventId=6),
    ]
    assert [step.text for step in steps.apply_all(events)] == [
        'workflow Order 1 started',
        'activity Charge 2 [1.1] scheduled',
        'activity Charge 2 [1.1] started',
        'activity Charge 2 [1.1] completed',
    ]
    view = steps.view
    assert view.operation_at(5).last.ended_at == START + timedelta(seconds=7)
    assert (view.is_open, view.open_operations(), view.last_event_id) == (True, [], 7)


def test_what_is_open_is_listed_oldest_first():
    steps = ExecutionSteps()
    done = event(7, 'ActivityTaskCompleted', scheduledEventId=5, startedEventId=6)
    list(steps.apply_all([STARTED, activity(5), event(6, 'TimerStarted', timerId='2', startToFireTimeout='30'), done]))
    assert [(one.kind, one.name) for one in steps.view.open_operations()] == [('timer', '30 s')]


def test_a_failure_shows_the_first_line_of_its_reason_and_is_worth_a_look():
    steps = ExecutionSteps()
    failed = event(7, 'ActivityTaskFailed', scheduledEventId=5, startedEventId=6, reason='Declined: no funds\nmore')
    *_, step = steps.apply_all([activity(5), failed])
    assert step.text == 'activity Charge 2 [1.1] failed: Declined: no funds'
    assert step.went_wrong


def test_details_and_results_are_never_shown():
    secret = event(7, 'ActivityTaskCompleted', scheduledEventId=5, startedEventId=6, result='secret')
    *_, completed = shown = texts([activity(5), secret])
    assert 'completed' in completed
    assert not [text for text in shown if 'secret' in text]


def test_events_that_were_seen_are_not_told_twice():
    steps = ExecutionSteps()
    assert len(list(steps.apply_all([STARTED, activity(5)]))) == 2
    assert list(steps.apply_all([STARTED, activity(5)])) == []


@pytest.mark.parametrize(
    ('kind', 'attributes', 'text', 'went_wrong'),
    [
        ('WorkflowExecutionCompleted', {'result': '1'}, 'workflow completed', False),
        ('WorkflowExecutionFailed', {'reason': 'broken'}, 'workflow failed: broken', True),
        ('WorkflowExecutionTimedOut', {'timeoutType': 'START_TO_CLOSE'}, 'workflow timed out: START_TO_CLOSE', True),
        ('WorkflowExecutionContinuedAsNew', {'newExecutionRunId': 'r2'}, 'workflow continued as new', False),
    ],
)
def test_a_close(kind, attributes, text, went_wrong):
    steps = ExecutionSteps()
    (step,) = steps.apply_all([event(9, kind, **attributes)])
    assert (step.text, step.went_wrong) == (text, went_wrong)
    assert not steps.view.is_open
    assert attributes_of(steps.view.events[-1]) == attributes


def test_what_swf_refused_is_told_with_its_cause():
    refused = event(4, 'ScheduleActivityTaskFailed', activityId='1.1', cause='ACTIVITY_TYPE_DOES_NOT_EXIST')
    assert texts([refused]) == ['activity 1.1 was refused: ACTIVITY_TYPE_DOES_NOT_EXIST']


def test_what_waits_for_children_or_for_nothing_does_nothing_by_itself():
    view = ExecutionView()
    kind = {'name': 'Item', 'version': '1'}
    history = [
        (STARTED, False),
        (event(2, 'DecisionTaskScheduled'), False),
        (event(3, 'DecisionTaskStarted', scheduledEventId=2), False),
        (event(4, 'DecisionTaskCompleted', scheduledEventId=2, startedEventId=3), True),
        (event(5, 'StartChildWorkflowExecutionInitiated', workflowType=kind, workflowId='c'), True),
        (event(6, 'TimerStarted', timerId='1', startToFireTimeout='5'), False),
        (event(7, 'TimerFired', timerId='1', startedEventId=6), True),
        (event(8, 'DecisionTaskScheduled'), False),
        (event(9, 'DecisionTaskStarted', scheduledEventId=8), False),
        (event(10, 'DecisionTaskScheduled'), False),
        (event(11, 'DecisionTaskTimedOut', scheduledEventId=8, startedEventId=9, timeoutType='START_TO_CLOSE'), False),
        (event(12, 'DecisionTaskStarted', scheduledEventId=10), False),
        (event(13, 'DecisionTaskScheduled'), False),
        (event(14, 'DecisionTaskCompleted', scheduledEventId=10, startedEventId=12), False),
        (event(15, 'DecisionTaskStarted', scheduledEventId=13), False),
        (event(16, 'DecisionTaskCompleted', scheduledEventId=13, startedEventId=15), True),
        (event(17, 'WorkflowExecutionCompleted'), False),
    ]
    for happened, passive in history:
        view.apply(happened)
        assert view.is_passive is passive, happened
