from __future__ import annotations

from datetime import datetime, timedelta, timezone

import botocore.session
import pytest

from genflow.tools.run.progress import CHANGES, CLOSES, NOTES, OPENS, REFUSED, SILENT, Progress, attributes_of

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
    return [step.text for step in Progress().apply_all(events)]


def test_the_tables_hold_each_of_swfs_event_types_once():
    model = botocore.session.get_session().get_service_model('swf')
    tables = [*OPENS, *CHANGES, *REFUSED, *NOTES, *CLOSES, *SILENT]
    assert sorted(tables) == sorted(model.shape_for('EventType').enum)


def test_an_activity_from_scheduled_to_completed():
    progress = Progress()
    events = [
        STARTED,
        event(2, 'DecisionTaskScheduled', startToCloseTimeout='60'),
        activity(5),
        event(6, 'ActivityTaskStarted', scheduledEventId=5),
        event(7, 'ActivityTaskCompleted', scheduledEventId=5, startedEventId=6),
    ]
    assert [step.text for step in progress.apply_all(events)] == [
        'workflow Order 1 started',
        'activity Charge 2 [1.1] scheduled',
        'activity Charge 2 [1.1] started',
        'activity Charge 2 [1.1] completed',
    ]
    assert progress.rows[5].ended == START + timedelta(seconds=7)
    assert (progress.is_open, progress.open_rows, progress.last_event_id) == (True, [], 7)


def test_what_is_open_is_listed_oldest_first():
    progress = Progress()
    done = event(7, 'ActivityTaskCompleted', scheduledEventId=5, startedEventId=6)
    list(
        progress.apply_all([STARTED, activity(5), event(6, 'TimerStarted', timerId='2', startToFireTimeout='30'), done])
    )
    assert [(row.kind, row.name, row.state) for row in progress.open_rows] == [('timer', '30 s', 'started')]


def test_a_failure_shows_the_first_line_of_its_reason_and_is_worth_a_look():
    progress = Progress()
    failed = event(7, 'ActivityTaskFailed', scheduledEventId=5, startedEventId=6, reason='Declined: no funds\nmore')
    *_, step = progress.apply_all([activity(5), failed])
    assert step.text == 'activity Charge 2 [1.1] failed: Declined: no funds'
    assert step.went_wrong


def test_details_and_results_are_never_shown():
    secret = event(7, 'ActivityTaskCompleted', scheduledEventId=5, startedEventId=6, result='secret')
    assert not any('secret' in text for text in texts([activity(5), secret]))


def test_events_that_were_seen_are_not_told_twice():
    progress = Progress()
    assert len(list(progress.apply_all([STARTED, activity(5)]))) == 2
    assert list(progress.apply_all([STARTED, activity(5)])) == []


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
    progress = Progress()
    (step,) = progress.apply_all([event(9, kind, **attributes)])
    assert (step.text, step.went_wrong) == (text, went_wrong)
    assert not progress.is_open
    assert attributes_of(progress.close) == attributes


def test_what_swf_refused_is_told_with_its_cause():
    refused = event(4, 'ScheduleActivityTaskFailed', activityId='1.1', cause='ACTIVITY_TYPE_DOES_NOT_EXIST')
    assert texts([refused]) == ['an activity was not scheduled: ACTIVITY_TYPE_DOES_NOT_EXIST']


def test_what_waits_for_children_or_for_nothing_does_nothing_by_itself():
    progress = Progress()
    kind = {'name': 'Item', 'version': '1'}
    steps = [
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
    for happened, passive in steps:
        progress.apply(happened)
        assert progress.is_passive is passive, happened
