"""What can be read of an execution, as long as its retention lasts; what waits on a list."""

from __future__ import annotations

import threading

import pytest

from .decisions import ACTIVITY, WORKFLOW, complete, schedule, schedule_lambda, start_child, start_timer
from .domain import DOMAIN, ROLE, START_SETTINGS, Domain


def test_describe_shows_the_info_of_an_open_execution(swf: Domain) -> None:
    run = swf.start(tagList=['t'])
    info = run.info()
    assert info.pop('startTimestamp').timestamp() == run.at('WorkflowExecutionStarted')
    assert info == {
        'execution': run.execution,
        'workflowType': WORKFLOW,
        'executionStatus': 'OPEN',
        'tagList': ['t'],
        'cancelRequested': False,
    }


def test_describe_shows_the_configuration(swf: Domain) -> None:
    given = {**START_SETTINGS, 'taskPriority': '9', 'lambdaRole': ROLE}
    assert swf.start(**given).describe()['executionConfiguration'] == given


def test_describe_leaves_unset_configuration_out(swf: Domain) -> None:
    configuration = swf.start().describe()['executionConfiguration']
    assert set(configuration) == set(START_SETTINGS)


def test_describe_counts_what_is_open(swf: Domain) -> None:
    release = threading.Event()
    swf.register_lambda('double', lambda event: release.wait(30))
    run = swf.start(lambdaRole=ROLE)
    child = start_child(taskList={'name': 'children'})
    swf.decide(schedule('a'), schedule('b'), start_timer(), child, schedule_lambda())
    swf.settle()
    swf.decide()
    found = run.open_counts()
    release.set()
    assert found == {
        'openActivityTasks': 2,
        'openDecisionTasks': 0,
        'openTimers': 1,
        'openChildWorkflowExecutions': 1,
        'openLambdaFunctions': 1,
    }


def test_describe_counts_a_scheduled_decision_task_as_open(swf: Domain) -> None:
    assert swf.start().open_counts()['openDecisionTasks'] == 1


def test_describe_counts_no_decision_task_while_one_is_started(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    assert run.open_counts()['openDecisionTasks'] == 0
    swf.signal(run, input='i')  # the next task is queued behind the started one
    assert run.open_counts()['openDecisionTasks'] == 0


def test_describe_counts_a_started_activity_as_open(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.take_activity()
    assert run.open_counts()['openActivityTasks'] == 1


def test_counts_are_frozen_by_the_close(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(), start_timer())
    swf.terminate(run)
    assert (run.open_counts()['openActivityTasks'], run.open_counts()['openTimers']) == (1, 1)


def test_latest_activity_timestamp_is_absent_before_any(swf: Domain) -> None:
    assert 'latestActivityTaskTimestamp' not in swf.start().describe()


def test_latest_activity_timestamp_follows_the_events_of_activities(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.advance(5)
    task = swf.take_activity()
    assert run.describe()['latestActivityTaskTimestamp'].timestamp() == run.at('ActivityTaskStarted')
    swf.advance(5)
    swf.client.respond_activity_task_completed(taskToken=task['taskToken'])
    assert run.describe()['latestActivityTaskTimestamp'].timestamp() == run.at('ActivityTaskCompleted')


def test_execution_context_is_absent_before_any(swf: Domain) -> None:
    assert 'latestExecutionContext' not in swf.start().describe()


def test_execution_context_is_the_last_one_given(swf: Domain) -> None:
    run = swf.start()
    swf.decide(executionContext='first')
    swf.signal(run, input='i')
    swf.decide()
    assert run.describe()['latestExecutionContext'] == 'first'


def test_execution_context_may_be_set_to_nothing(swf: Domain) -> None:
    run = swf.start()
    swf.decide(executionContext='first')
    swf.signal(run, input='i')
    swf.decide(executionContext='')
    assert run.describe()['latestExecutionContext'] == ''


def test_execution_context_is_recorded(swf: Domain) -> None:
    run = swf.start()
    swf.decide(executionContext='c')
    assert run.only('DecisionTaskCompleted') == {'executionContext': 'c', 'scheduledEventId': 2, 'startedEventId': 3}


def test_describe_of_a_closed_execution(swf: Domain) -> None:
    run = swf.start()
    swf.advance(2)
    swf.decide(complete('r'))
    info = run.info()
    assert (info['executionStatus'], info['closeStatus'], info['cancelRequested']) == ('CLOSED', 'COMPLETED', False)
    assert info['closeTimestamp'].timestamp() == run.at('WorkflowExecutionCompleted')


READS = ['describe_workflow_execution', 'get_workflow_execution_history']


@pytest.mark.parametrize('method', READS)
def test_reading_an_unknown_execution(swf: Domain, method: str) -> None:
    expected = 'Unknown execution: WorkflowExecution=[workflowId=w, runId=r]'
    with swf.refused('UnknownResourceFault', expected):
        getattr(swf.client, method)(domain=DOMAIN, execution={'workflowId': 'w', 'runId': 'r'})


@pytest.mark.parametrize('method', READS)
def test_reading_needs_the_id_that_belongs_to_the_run(swf: Domain, method: str) -> None:
    run = swf.start()
    with swf.refused('UnknownResourceFault'):
        getattr(swf.client, method)(domain=DOMAIN, execution={'workflowId': 'x', 'runId': run.run_id})


@pytest.mark.parametrize('method', READS)
def test_reading_from_an_unknown_domain(swf: Domain, method: str) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        getattr(swf.client, method)(domain='nowhere', execution=swf.start().execution)


def test_retention_ends_after_its_days(swf: Domain) -> None:
    run = swf.start()
    swf.terminate(run)
    swf.advance(7 * 86400 - 10)
    assert run.info()['closeStatus'] == 'TERMINATED'
    swf.advance(86400 + 20)
    with swf.refused('UnknownResourceFault'):
        run.describe()


@pytest.mark.parametrize('days', ['0', 'NONE'])
def test_without_retention_a_closed_run_is_gone(swf: Domain, days: str) -> None:
    swf.client.register_domain(name='brief', workflowExecutionRetentionPeriodInDays=days)
    swf.client.register_workflow_type(domain='brief', **WORKFLOW)
    run = swf.start(domain='brief', **START_SETTINGS)
    swf.client.terminate_workflow_execution(domain='brief', workflowId='w')
    with swf.refused('UnknownResourceFault'):
        swf.client.describe_workflow_execution(domain='brief', execution=run.execution)


def test_pending_activity_tasks_are_those_that_wait(swf: Domain) -> None:
    swf.start()
    swf.decide(schedule('a'), schedule('b'), schedule('c', activityType=ACTIVITY, taskList={'name': 'elsewhere'}))
    swf.take_activity()
    found = swf.client.count_pending_activity_tasks(domain=DOMAIN, taskList={'name': 'workers'})
    assert found == {'count': 1, 'truncated': False}


def test_pending_decision_tasks_are_those_that_wait(swf: Domain) -> None:
    for name in 'abc':
        swf.start(name)
    swf.poll_decision()
    found = swf.client.count_pending_decision_tasks(domain=DOMAIN, taskList={'name': 'deciders'})
    assert found == {'count': 2, 'truncated': False}


@pytest.mark.parametrize('kind', ['activity', 'decision'])
def test_pending_tasks_of_an_unknown_list(swf: Domain, kind: str) -> None:
    count = getattr(swf.client, f'count_pending_{kind}_tasks')
    assert count(domain=DOMAIN, taskList={'name': 'never'}) == {'count': 0, 'truncated': False}


@pytest.mark.parametrize('kind', ['activity', 'decision'])
def test_pending_tasks_of_an_unknown_domain(swf: Domain, kind: str) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        getattr(swf.client, f'count_pending_{kind}_tasks')(domain='nowhere', taskList={'name': 'never'})


def test_a_cancel_request_does_not_show_after_the_close(swf: Domain) -> None:
    run = swf.start()
    swf.request_cancel(run)
    swf.terminate(run)
    assert run.info()['cancelRequested'] is False


def test_nothing_of_a_closed_execution_is_pending(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.signal(run, input='i')
    swf.terminate(run)
    for count, name in [('activity', 'workers'), ('decision', 'deciders')]:
        method = getattr(swf.client, f'count_pending_{count}_tasks')
        assert method(domain=DOMAIN, taskList={'name': name})['count'] == 0


def test_a_queued_task_is_not_pending_while_another_is_decided(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    swf.signal(run, input='i')
    found = swf.client.count_pending_decision_tasks(domain=DOMAIN, taskList={'name': 'deciders'})
    assert found['count'] == 0


def test_runs_of_one_id_are_described_apart(swf: Domain) -> None:
    first = swf.start(tagList=['first'])
    swf.terminate(first)
    second = swf.start(tagList=['second'])
    assert (first.info()['tagList'], second.info()['tagList']) == (['first'], ['second'])
    assert (first.info()['executionStatus'], second.info()['executionStatus']) == ('CLOSED', 'OPEN')
