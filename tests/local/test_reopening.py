"""What a file says when it is opened again, and what became of what was going on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from genflow.local.rules.crash_recovery import PROCESS_DIED
from tests.local.domain import COMPLETE, WORKFLOW, decision, schedule


def attributes(event):
    (found,) = (value for name, value in event.items() if name.endswith('EventAttributes'))
    return found


def busy(domain):
    """An execution with something open of every kind; the tasks that were handed out."""
    execution = domain.start(tagList=['x', 'é\x00'], taskPriority='7', input='"payload"')
    domain.decide(
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
    activity = domain.poll_activity()
    domain.swf.record_activity_task_heartbeat(taskToken=activity['taskToken'], details='half')
    domain.swf.request_cancel_workflow_execution(domain='dom', workflowId='w')
    task = domain.poll_decision('sticky')
    return execution, activity, task


def test_everything_is_as_it_was(opened):
    domain = opened()
    execution, _activity, _task = busy(domain)
    before = domain.describe(execution), domain.history(execution)
    domain = opened()
    after = domain.describe(execution), domain.history(execution)
    assert before[1] == after[1]
    for name in ('executionInfo', 'executionConfiguration', 'openCounts', 'latestExecutionContext'):
        assert before[0][name] == after[0][name]
    assert before[0]['latestActivityTaskTimestamp'] == after[0]['latestActivityTaskTimestamp']


def test_tokens_continue(opened):
    execution, activity, task = busy(opened())
    domain = opened()
    assert domain.swf.record_activity_task_heartbeat(taskToken=activity['taskToken'])['cancelRequested'] is False
    domain.complete(activity)
    domain.respond(task)
    assert domain.types(execution)[-3:] == ['ActivityTaskCompleted', 'DecisionTaskScheduled', 'DecisionTaskCompleted']


def test_what_waited_waits_with_its_input(opened):
    busy(opened())
    domain = opened()
    assert domain.poll_activity('others')['input'] == '[2]'
    assert 'taskToken' not in domain.poll_activity('others')


def test_a_sticky_list_holds_across_restarts(opened):
    _execution, _, task = busy(opened())
    domain = opened()
    domain.respond(task)
    domain.signal()
    assert domain.poll_decision('sticky')['previousStartedEventId'] == task['startedEventId']


def test_overdue_deadlines_strike_in_order_at_their_moments(opened, clock):
    domain = opened()
    execution = domain.start()
    start = clock.now()
    timers = {'c': 300, 'a': 10, 'b': 70}
    domain.decide(
        *(decision('StartTimer', timerId=name, startToFireTimeout=str(seconds)) for name, seconds in timers.items()),
        schedule('x', scheduleToStartTimeout='40'),
    )
    domain.swf.close()
    clock.advance(86_399)
    domain = opened()
    struck = [
        (attributes(event).get('timerId') or attributes(event)['timeoutType'], event['eventTimestamp'])
        for event in domain.history(execution)
        if event['eventType'] in {'TimerFired', 'ActivityTaskTimedOut'}
    ]
    expected = [('a', 10), ('SCHEDULE_TO_START', 40), ('b', 70), ('c', 300)]
    assert struck == [(name, start + timedelta(seconds=seconds)) for name, seconds in expected]


def test_an_execution_that_ended_meanwhile_is_closed(opened, clock):
    domain = opened()
    execution = domain.start()
    domain.swf.close()
    clock.advance(86_400)
    info = opened().describe(execution)['executionInfo']
    assert (info['closeStatus'], info['closeTimestamp']) == ('TIMED_OUT', clock.now())


def test_started_tasks_stay_started_unless_they_are_abandoned(opened):
    execution, _activity, _task = busy(opened())
    domain = opened()
    assert domain.describe(execution)['openCounts']['openDecisionTasks'] == 0  # it is started, and waits for nobody
    assert 'taskToken' not in domain.poll_decision()
    assert 'taskToken' not in domain.poll_activity()


def test_abandoned_tasks_time_out_at_once(opened, clock):
    execution, activity, task = busy(opened())
    clock.advance(1)
    domain = opened(abandon_started=True)
    events = {event['eventType']: event for event in domain.history(execution)}
    assert attributes(events['ActivityTaskTimedOut']) == {
        'timeoutType': 'START_TO_CLOSE',
        'details': f'{PROCESS_DIED} half',  # what the worker said last is kept
        'scheduledEventId': 5,
        'startedEventId': activity['startedEventId'],
    }
    assert events['ActivityTaskTimedOut']['eventTimestamp'] == clock.now()
    assert attributes(events['DecisionTaskTimedOut'])['startedEventId'] == task['startedEventId']
    assert domain.poll_decision()['previousStartedEventId'] == 3  # on the original list: the sticky one is gone too
    with pytest.raises(ClientError, match='Unknown activity, scheduledEventId = 5'):
        domain.complete(activity)


@pytest.mark.parametrize('wake', ['before', 'after'])
def test_abandoning_leaves_no_task_on_a_list_of_the_dead_process(opened, wake):
    domain = opened()
    domain.start()
    domain.decide(taskList={'name': 'sticky'}, taskListScheduleToStartTimeout='30')
    if wake == 'before':
        domain.signal()
    domain = opened(abandon_started=True)
    if wake == 'after':
        domain.signal()
    assert domain.poll_decision()['previousStartedEventId'] == 3


def test_a_list_that_was_given_for_good_is_kept(opened):
    domain = opened()
    domain.start()
    domain.decide(taskList={'name': 'elsewhere'})
    domain = opened(abandon_started=True)
    domain.signal()
    assert domain.poll_decision('elsewhere')['previousStartedEventId'] == 3


def test_abandoning_leaves_waiting_tasks_alone(opened):
    busy(opened())
    assert opened(abandon_started=True).poll_activity('others')['activityId'] == 'waiting'


def test_a_running_lambda_function_dies_with_its_service(opened):
    domain = opened()
    domain.swf.register_lambda('f', lambda value: value, run=lambda work: None)
    execution = domain.start(lambdaRole='arn:aws:iam::1:role/r')
    domain.decide(decision('ScheduleLambdaFunction', id='l', name='f'))
    assert domain.types(execution)[-1] == 'LambdaFunctionStarted'
    assert opened().types(execution)[-2:] == ['LambdaFunctionTimedOut', 'DecisionTaskScheduled']


def test_registrations_and_tags_are_kept(opened):
    domain = opened()
    domain.swf.deprecate_workflow_type(domain='dom', workflowType=WORKFLOW)
    arn = domain.swf.describe_domain(name='dom')['domainInfo']['arn']
    domain.swf.tag_resource(resourceArn=arn, tags=[{'key': 'k', 'value': 'v'}])
    before = domain.swf.describe_workflow_type(domain='dom', workflowType=WORKFLOW)
    domain = opened()
    after = domain.swf.describe_workflow_type(domain='dom', workflowType=WORKFLOW)
    assert after['typeInfo'] == before['typeInfo']
    assert after['configuration'] == before['configuration']
    assert domain.swf.list_tags_for_resource(resourceArn=arn)['tags'] == [{'key': 'k', 'value': 'v'}]


def test_a_deleted_type_stays_deleted(opened):
    domain = opened()
    for act in ('deprecate', 'delete'):
        getattr(domain.swf, f'{act}_workflow_type')(domain='dom', workflowType=WORKFLOW)
    with pytest.raises(ClientError, match='Unknown type'):
        opened().swf.describe_workflow_type(domain='dom', workflowType=WORKFLOW)


@pytest.mark.thorough
def test_children_report_to_their_parent_after_a_restart(opened):
    domain = opened()
    execution = domain.start()
    domain.decide(decision('StartChildWorkflowExecution', workflowType=WORKFLOW, workflowId='child'))
    domain.decide()
    domain = opened()
    assert domain.poll_decision()['workflowExecution']['workflowId'] == 'child'
    domain = opened(abandon_started=True)
    domain.decide(COMPLETE)
    assert domain.types(execution)[-2:] == ['ChildWorkflowExecutionCompleted', 'DecisionTaskScheduled']


def test_pages_continue_after_a_restart(opened):
    domain = opened()
    execution = domain.start()
    domain.decide(*(decision('RecordMarker', markerName=str(number)) for number in range(30)))
    first = domain.swf.get_workflow_execution_history(domain='dom', execution=execution, maximumPageSize=10)
    second = opened().swf.get_workflow_execution_history(
        domain='dom', execution=execution, maximumPageSize=10, nextPageToken=first['nextPageToken']
    )
    assert [event['eventId'] for event in second['events']] == list(range(11, 21))


@pytest.mark.thorough
def test_retention_is_kept_across_restarts(opened, clock):
    domain = opened()
    execution = domain.start()
    domain.decide(COMPLETE)
    assert opened().describe(execution)['executionInfo']['executionStatus'] == 'CLOSED'
    clock.advance(7 * 86_400 - 1)
    assert opened().types(execution)
    clock.advance(1)
    with pytest.raises(ClientError, match='Unknown execution'):
        opened().types(execution)
