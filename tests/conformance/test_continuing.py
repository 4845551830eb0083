"""Continuing as new."""

from __future__ import annotations

from typing import Any

import pytest

from .decisions import (
    WORKFLOW,
    continue_as_new,
)
from .domain import DOMAIN, ROLE, TYPE_DEFAULTS, Domain


def successor(swf: Domain, run: Any) -> Any:
    return swf.run(run.workflow_id, run.only('WorkflowExecutionContinuedAsNew')['newExecutionRunId'])


def test_continue_as_new_closes_the_old_run(swf: Domain) -> None:
    run = swf.start()
    swf.decide(continue_as_new())
    recorded = run.only('WorkflowExecutionContinuedAsNew')
    assert recorded.pop('newExecutionRunId') != run.run_id
    assert recorded == {
        'workflowType': WORKFLOW,
        'taskList': {'name': 'deciders'},
        'childPolicy': 'ABANDON',
        'executionStartToCloseTimeout': '3600',
        'taskStartToCloseTimeout': '60',
        'decisionTaskCompletedEventId': 4,
    }
    assert run.info()['closeStatus'] == 'CONTINUED_AS_NEW'


def test_continue_as_new_starts_a_new_run(swf: Domain) -> None:
    run = swf.start()
    swf.decide(continue_as_new())
    new = successor(swf, run)
    assert new.types() == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
    assert new.only('WorkflowExecutionStarted') == {
        'workflowType': WORKFLOW,
        'taskList': {'name': 'deciders'},
        'childPolicy': 'ABANDON',
        'executionStartToCloseTimeout': '3600',
        'taskStartToCloseTimeout': '60',
        'continuedExecutionRunId': run.run_id,
        'parentInitiatedEventId': 0,
    }


def test_continue_as_new_takes_what_the_decision_says(swf: Domain) -> None:
    run = swf.start()
    given = {
        'input': 'in',
        'executionStartToCloseTimeout': '50',
        'taskList': {'name': 'elsewhere'},
        'taskPriority': '6',
        'taskStartToCloseTimeout': '5',
        'childPolicy': 'TERMINATE',
        'tagList': ['t'],
        'lambdaRole': ROLE,
    }
    swf.decide(continue_as_new(**given))
    old, new = run.only('WorkflowExecutionContinuedAsNew'), successor(swf, run).only('WorkflowExecutionStarted')
    assert {name: old[name] for name in given} == {name: new[name] for name in given} == given


def test_continue_as_new_inherits_nothing_but_the_id(swf: Domain) -> None:
    run = swf.start(
        input='in',
        tagList=['t'],
        taskPriority='3',
        lambdaRole=ROLE,
        taskList={'name': 'elsewhere'},
        childPolicy='TERMINATE',
    )
    swf.decide(continue_as_new(), task_list='elsewhere')
    started = successor(swf, run).only('WorkflowExecutionStarted')
    assert set(started) == {
        'workflowType',
        'taskList',
        'childPolicy',
        'executionStartToCloseTimeout',
        'taskStartToCloseTimeout',
        'continuedExecutionRunId',
        'parentInitiatedEventId',
    }
    assert (started['taskList'], started['childPolicy']) == ({'name': 'deciders'}, 'ABANDON')


def test_continue_as_new_may_change_the_version(swf: Domain) -> None:
    swf.client.register_workflow_type(domain=DOMAIN, name='wf', version='2', **TYPE_DEFAULTS)
    run = swf.start()
    swf.decide(continue_as_new(workflowTypeVersion='2'))
    assert successor(swf, run).info()['workflowType'] == {'name': 'wf', 'version': '2'}


def test_continue_as_new_keeps_the_id_taken(swf: Domain) -> None:
    swf.start()
    swf.decide(continue_as_new())
    with swf.refused('WorkflowExecutionAlreadyStartedFault'):
        swf.start()


def test_a_signal_reaches_the_new_run(swf: Domain) -> None:
    run = swf.start()
    swf.decide(continue_as_new())
    swf.signal(run)
    assert successor(swf, run).types()[-1] == 'WorkflowExecutionSignaled'
    with swf.refused('UnknownResourceFault'):
        swf.signal(run, runId=run.run_id)


def test_continue_as_new_does_not_inherit_an_override(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run)
    swf.decide(continue_as_new(), task_list='host')
    assert successor(swf, run).only('DecisionTaskScheduled')['taskList'] == {'name': 'deciders'}


def test_the_life_of_the_new_run_begins_anew(swf: Domain) -> None:
    run = swf.start(executionStartToCloseTimeout='100')
    swf.advance(90)
    swf.decide(continue_as_new(executionStartToCloseTimeout='100'))
    swf.advance(90)
    assert successor(swf, run).info()['executionStatus'] == 'OPEN'
    swf.advance(20)
    assert successor(swf, run).info()['closeStatus'] == 'TIMED_OUT'


CONTINUE_FAILURES = {
    'defaultExecutionStartToCloseTimeout': 'DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'defaultTaskStartToCloseTimeout': 'DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'defaultTaskList': 'DEFAULT_TASK_LIST_UNDEFINED',
    'defaultChildPolicy': 'DEFAULT_CHILD_POLICY_UNDEFINED',
}


@pytest.mark.parametrize('missing', CONTINUE_FAILURES)
def test_continue_as_new_without_a_default(swf: Domain, missing: str) -> None:
    given = {name: value for name, value in TYPE_DEFAULTS.items() if name != missing}
    swf.client.register_workflow_type(domain=DOMAIN, name='wf', version='2', **given)
    run = swf.start()
    swf.decide(continue_as_new(workflowTypeVersion='2'))
    assert run.only('ContinueAsNewWorkflowExecutionFailed') == {
        'cause': CONTINUE_FAILURES[missing],
        'decisionTaskCompletedEventId': 4,
    }
    assert run.types()[-1] == 'DecisionTaskScheduled'


def test_continue_as_new_to_an_unknown_version(swf: Domain) -> None:
    run = swf.start()
    swf.decide(continue_as_new(workflowTypeVersion='never'))
    assert run.only('ContinueAsNewWorkflowExecutionFailed')['cause'] == 'WORKFLOW_TYPE_DOES_NOT_EXIST'
    assert run.types()[-1] == 'DecisionTaskScheduled'


def test_continue_as_new_of_a_deprecated_type(swf: Domain) -> None:
    run = swf.start()
    swf.client.deprecate_workflow_type(domain=DOMAIN, workflowType=WORKFLOW)
    swf.decide(continue_as_new())
    assert run.only('ContinueAsNewWorkflowExecutionFailed')['cause'] == 'WORKFLOW_TYPE_DEPRECATED'


def test_an_unhandled_continue_comes_before_its_other_causes(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.signal(run)
    swf.respond(task, continue_as_new(workflowTypeVersion='never'))
    assert run.only('ContinueAsNewWorkflowExecutionFailed')['cause'] == 'UNHANDLED_DECISION'


@pytest.mark.parametrize('seconds', ['NONE', '31536001'])
def test_continue_as_new_refuses_an_endless_execution(swf: Domain, seconds: str) -> None:
    swf.start()
    with swf.refused('ValidationException'):
        swf.decide(continue_as_new(executionStartToCloseTimeout=seconds))
