"""What a file says when it is opened again, and what became of what was going on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from genflow.local.rules.crash_recovery import PROCESS_DIED
from tests.local.office import COMPLETE, WORKFLOW, decision, schedule


def attributes(event):
    (found,) = (value for name, value in event.items() if name.endswith('EventAttributes'))
    return found


def busy(office):
    """An execution with something open of every kind; the tasks that were handed out."""
    execution = office.start(tagList=['x', 'é\x00'], taskPriority='7', input='"payload"')
    office.decide(
        schedule('started', input='[1]'),
        schedule('waiting', input='[2]', taskList={'name': 'others'}),
        decision('StartTimer', timerId='t', startToFireTimeout='100'),
        decision(
            'StartChildWorkflowExecution', workflowType=WORKFLOW, workflowId='child', taskList={'name': 'children'}
        ),
        taskList={'name': 'sticky'},
        taskListScheduleToStartTimeout='30',
        executionContext='here',
    )
    activity = office.poll_activity()
    office.swf.record_activity_task_heartbeat(taskToken=activity['taskToken'], details='half')
    office.swf.request_cancel_workflow_execution(domain='dom', workflowId='w')
    task = office.poll_decision('sticky')
    return execution, activity, task


def test_everything_is_as_it_was(opened):
    office = opened()
    execution, _activity, _task = busy(office)
    before = office.describe(execution), office.history(execution)
    office = opened()
    after = office.describe(execution), office.history(execution)
    assert before[1] == after[1]
    for name in ('executionInfo', 'executionConfiguration', 'openCounts', 'latestExecutionContext'):
        assert before[0][name] == after[0][name]
    assert before[0]['latestActivityTaskTimestamp'] == after[0]['latestActivityTaskTimestamp']


def test_tokens_continue(opened):
    execution, activity, task = busy(opened())
    office = opened()
    assert office.swf.record_activity_task_heartbeat(taskToken=activity['taskToken'])['cancelRequested'] is False
    office.complete(activity)
    office.respond(task)
    assert office.types(execution)[-3:] == ['ActivityTaskCompleted', 'DecisionTaskScheduled', 'DecisionTaskCompleted']


def test_what_waited_waits_with_its_input(opened):
    busy(opened())
    office = opened()
    assert office.poll_activity('others')['input'] == '[2]'
    assert 'taskToken' not in office.poll_activity('others')


def test_a_sticky_list_holds_across_restarts(opened):
    _execution, _, task = busy(opened())
    office = opened()
    office.respond(task)
    office.signal()
    assert office.poll_decision('sticky')['previousStartedEventId'] == task['startedEventId']


def test_overdue_deadlines_strike_in_order_at_their_moments(opened, clock):
    office = opened()
    execution = office.start()
    start = clock.now()
    timers = {'c': 300, 'a': 10, 'b': 70}
    office.decide(
        *(decision('StartTimer', timerId=name, startToFireTimeout=str(seconds)) for name, seconds in timers.items()),
        schedule('x', scheduleToStartTimeout='40'),
    )
    office.swf.close()
    clock.advance(86_399)
    office = opened()
    struck = [
        (attributes(event).get('timerId') or attributes(event)['timeoutType'], event['eventTimestamp'])
        for event in office.history(execution)
        if event['eventType'] in {'TimerFired', 'ActivityTaskTimedOut'}
    ]
    expected = [('a', 10), ('SCHEDULE_TO_START', 40), ('b', 70), ('c', 300)]
    assert struck == [(name, start + timedelta(seconds=seconds)) for name, seconds in expected]


def test_an_execution_that_ended_meanwhile_is_closed(opened, clock):
    office = opened()
    execution = office.start()
    office.swf.close()
    clock.advance(86_400)
    info = opened().describe(execution)['executionInfo']
    assert (info['closeStatus'], info['closeTimestamp']) == ('TIMED_OUT', clock.now())


def test_started_tasks_stay_started_unless_they_are_abandoned(opened):
    execution, _activity, _task = busy(opened())
    office = opened()
    assert office.describe(execution)['openCounts']['openDecisionTasks'] == 0  # it is started, and waits for nobody
    assert 'taskToken' not in office.poll_decision()
    assert 'taskToken' not in office.poll_activity()


def test_abandoned_tasks_time_out_at_once(opened, clock):
    execution, activity, task = busy(opened())
    clock.advance(1)
    office = opened(abandon_started=True)
    events = {event['eventType']: event for event in office.history(execution)}
    assert attributes(events['ActivityTaskTimedOut']) == {
        'timeoutType': 'START_TO_CLOSE',
        'details': f'{PROCESS_DIED} half',  # what the worker said last is kept
        'scheduledEventId': 5,
        'startedEventId': activity['startedEventId'],
    }
    assert events['ActivityTaskTimedOut']['eventTimestamp'] == clock.now()
    assert attributes(events['DecisionTaskTimedOut'])['startedEventId'] == task['startedEventId']
    assert office.poll_decision()['previousStartedEventId'] == 3  # on the original list: the sticky one is gone too
    with pytest.raises(ClientError, match='Unknown activity, scheduledEventId = 5'):
        office.complete(activity)


@pytest.mark.parametrize('wake', ['before', 'after'])
def test_abandoning_leaves_no_task_on_a_list_of_the_dead_process(opened, wake):
    office = opened()
    office.start()
    office.decide(taskList={'name': 'sticky'}, taskListScheduleToStartTimeout='30')
    if wake == 'before':
        office.signal()
    office = opened(abandon_started=True)
    if wake == 'after':
        office.signal()
    assert office.poll_decision()['previousStartedEventId'] == 3


def test_a_list_that_was_given_for_good_is_kept(opened):
    office = opened()
    office.start()
    office.decide(taskList={'name': 'elsewhere'})
    office = opened(abandon_started=True)
    office.signal()
    assert office.poll_decision('elsewhere')['previousStartedEventId'] == 3


def test_abandoning_leaves_waiting_tasks_alone(opened):
    busy(opened())
    assert opened(abandon_started=True).poll_activity('others')['activityId'] == 'waiting'


def test_a_running_lambda_function_dies_with_its_service(opened):
    office = opened()
    office.swf.register_lambda('f', lambda value: value, run=lambda work: None)
    execution = office.start(lambdaRole='arn:aws:iam::1:role/r')
    office.decide(decision('ScheduleLambdaFunction', id='l', name='f'))
    assert office.types(execution)[-1] == 'LambdaFunctionStarted'
    assert opened().types(execution)[-2:] == ['LambdaFunctionTimedOut', 'DecisionTaskScheduled']


def test_registrations_and_tags_are_kept(opened):
    office = opened()
    office.swf.deprecate_workflow_type(domain='dom', workflowType=WORKFLOW)
    arn = office.swf.describe_domain(name='dom')['domainInfo']['arn']
    office.swf.tag_resource(resourceArn=arn, tags=[{'key': 'k', 'value': 'v'}])
    before = office.swf.describe_workflow_type(domain='dom', workflowType=WORKFLOW)
    office = opened()
    after = office.swf.describe_workflow_type(domain='dom', workflowType=WORKFLOW)
    assert after['typeInfo'] == before['typeInfo']
    assert after['configuration'] == before['configuration']
    assert office.swf.list_tags_for_resource(resourceArn=arn)['tags'] == [{'key': 'k', 'value': 'v'}]


def test_a_deleted_type_stays_deleted(opened):
    office = opened()
    for act in ('deprecate', 'delete'):
        getattr(office.swf, f'{act}_workflow_type')(domain='dom', workflowType=WORKFLOW)
    with pytest.raises(ClientError, match='Unknown type'):
        opened().swf.describe_workflow_type(domain='dom', workflowType=WORKFLOW)


@pytest.mark.thorough
def test_children_report_to_their_parent_after_a_restart(opened):
    office = opened()
    execution = office.start()
    office.decide(decision('StartChildWorkflowExecution', workflowType=WORKFLOW, workflowId='child'))
    office.decide()
    office = opened()
    assert office.poll_decision()['workflowExecution']['workflowId'] == 'child'
    office = opened(abandon_started=True)
    office.decide(COMPLETE)
    assert office.types(execution)[-2:] == ['ChildWorkflowExecutionCompleted', 'DecisionTaskScheduled']


def test_pages_continue_after_a_restart(opened):
    office = opened()
    execution = office.start()
    office.decide(*(decision('RecordMarker', markerName=str(number)) for number in range(30)))
    first = office.swf.get_workflow_execution_history(domain='dom', execution=execution, maximumPageSize=10)
    second = opened().swf.get_workflow_execution_history(
        domain='dom', execution=execution, maximumPageSize=10, nextPageToken=first['nextPageToken']
    )
    assert [event['eventId'] for event in second['events']] == list(range(11, 21))


@pytest.mark.thorough
def test_retention_is_kept_across_restarts(opened, clock):
    office = opened()
    execution = office.start()
    office.decide(COMPLETE)
    assert opened().describe(execution)['executionInfo']['executionStatus'] == 'CLOSED'
    clock.advance(7 * 86_400 - 1)
    assert opened().types(execution)
    clock.advance(1)
    with pytest.raises(ClientError, match='Unknown execution'):
        opened().types(execution)
