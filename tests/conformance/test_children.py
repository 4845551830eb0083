"""Child executions: starting, what the parent hears, child policies, children that continue as new."""

from __future__ import annotations

import pytest

from .decisions import (
    WORKFLOW,
    cancel,
    complete,
    fail,
    start_child,
)
from .domain import DOMAIN, ROLE, TYPE_DEFAULTS, Domain
from .families import OWN_LIST, child_of, with_child


def test_initiated_shows_the_defaults_of_the_type(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_child('child'))
    assert run.only('StartChildWorkflowExecutionInitiated') == {
        'workflowId': 'child',
        'workflowType': WORKFLOW,
        'taskList': {'name': 'deciders'},
        'childPolicy': 'ABANDON',
        'executionStartToCloseTimeout': '3600',
        'taskStartToCloseTimeout': '60',
        'decisionTaskCompletedEventId': 4,
    }


GIVEN = {
    'input': 'in',
    'executionStartToCloseTimeout': '100',
    'taskList': {'name': 'elsewhere'},
    'taskPriority': '2',
    'taskStartToCloseTimeout': '10',
    'childPolicy': 'REQUEST_CANCEL',
    'tagList': ['t'],
    'lambdaRole': ROLE,
}


def test_initiated_shows_what_the_decision_overrides(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_child('child', control='mine', **GIVEN))
    assert run.only('StartChildWorkflowExecutionInitiated') == {
        **GIVEN,
        'control': 'mine',
        'workflowId': 'child',
        'workflowType': WORKFLOW,
        'decisionTaskCompletedEventId': 4,
    }


def test_the_child_starts_soon(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_child('child'))
    swf.settle()
    started = run.only('ChildWorkflowExecutionStarted')
    assert started['workflowExecution']['workflowId'] == 'child'
    assert (started['workflowType'], started['initiatedEventId']) == (WORKFLOW, 5)
    assert run.types()[-2:] == ['ChildWorkflowExecutionStarted', 'DecisionTaskScheduled']


def test_the_child_knows_its_parent(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_child('child', **GIVEN))
    swf.settle()
    child = child_of(swf, run)
    assert child.types() == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
    assert child.only('WorkflowExecutionStarted') == {
        **GIVEN,
        'workflowType': WORKFLOW,
        'parentWorkflowExecution': run.execution,
        'parentInitiatedEventId': 5,
    }
    assert child.info()['parent'] == run.execution


def test_the_child_gets_decision_tasks(swf: Domain) -> None:
    _, child = with_child(swf)
    assert swf.poll_decision('children')['workflowExecution'] == child.execution


def test_priority_is_not_inherited_from_the_parent(swf: Domain) -> None:
    run = swf.start(taskPriority='5')
    swf.decide(start_child())
    swf.settle()
    assert 'taskPriority' not in child_of(swf, run).only('WorkflowExecutionStarted')


def test_two_children_share_a_decision_task_of_the_parent(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_child('one', taskList=OWN_LIST), start_child('two', taskList=OWN_LIST))
    swf.settle()
    assert run.types()[-3:] == [
        'ChildWorkflowExecutionStarted',
        'DecisionTaskScheduled',
        'ChildWorkflowExecutionStarted',
    ]


def test_an_open_child_is_counted(swf: Domain) -> None:
    run, child = with_child(swf)
    assert run.open_counts()['openChildWorkflowExecutions'] == 1
    swf.terminate(child)
    swf.settle()
    assert run.open_counts()['openChildWorkflowExecutions'] == 0


CLOSES = {
    'Completed': (complete('r'), {'result': 'r'}),
    'Failed': (fail('why', 'd'), {'reason': 'why', 'details': 'd'}),
    'Canceled': (cancel('d'), {'details': 'd'}),
}


@pytest.mark.parametrize('how', CLOSES)
def test_the_parent_learns_of_the_close(swf: Domain, how: str) -> None:
    sent, attributes = CLOSES[how]
    run, child = with_child(swf)
    swf.decide(sent, task_list='children')
    swf.settle()
    assert run.only(f'ChildWorkflowExecution{how}') == {
        **attributes,
        'workflowExecution': child.execution,
        'workflowType': WORKFLOW,
        'initiatedEventId': 5,
        'startedEventId': 6,
    }
    assert run.types()[-2:] == [f'ChildWorkflowExecution{how}', 'DecisionTaskScheduled']


def test_the_parent_learns_of_a_termination(swf: Domain) -> None:
    run, child = with_child(swf)
    swf.terminate(child, reason='r', details='d')
    swf.settle()
    assert run.only('ChildWorkflowExecutionTerminated') == {
        'workflowExecution': child.execution,
        'workflowType': WORKFLOW,
        'initiatedEventId': 5,
        'startedEventId': 6,
    }


def test_the_parent_learns_of_a_time_out(swf: Domain) -> None:
    run, child = with_child(swf, executionStartToCloseTimeout='10')
    swf.advance(11)
    assert run.only('ChildWorkflowExecutionTimedOut') == {
        'workflowExecution': child.execution,
        'workflowType': WORKFLOW,
        'initiatedEventId': 5,
        'startedEventId': 6,
        'timeoutType': 'START_TO_CLOSE',
    }
    assert run.types()[-1] == 'DecisionTaskScheduled'


def test_a_closed_parent_receives_no_event(swf: Domain) -> None:
    run, _ = with_child(swf)
    swf.terminate(run)
    swf.decide(complete(), task_list='children')
    swf.settle()
    assert run.types()[-1] == 'WorkflowExecutionTerminated'


def test_a_later_run_of_the_parents_id_receives_no_event(swf: Domain) -> None:
    run, _ = with_child(swf)
    swf.terminate(run)
    again = swf.start('parent')
    swf.decide(complete(), task_list='children')
    swf.settle()
    assert again.types() == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']


def test_an_id_that_is_running(swf: Domain) -> None:
    swf.start('child', taskList=OWN_LIST)
    run = swf.start('parent')
    swf.decide(start_child('child', control='mine'))
    swf.settle()
    assert run.only('StartChildWorkflowExecutionFailed') == {
        'workflowId': 'child',
        'workflowType': WORKFLOW,
        'cause': 'WORKFLOW_ALREADY_RUNNING',
        'control': 'mine',
        'initiatedEventId': 5,
        'decisionTaskCompletedEventId': 4,
    }
    assert run.types()[-2:] == ['StartChildWorkflowExecutionFailed', 'DecisionTaskScheduled']
    assert run.open_counts()['openChildWorkflowExecutions'] == 0


def test_a_child_with_the_id_of_its_parent(swf: Domain) -> None:
    run = swf.start('same')
    swf.decide(start_child('same'))
    swf.settle()
    assert run.only('StartChildWorkflowExecutionFailed')['cause'] == 'WORKFLOW_ALREADY_RUNNING'


def test_an_id_is_free_again_when_the_child_has_closed(swf: Domain) -> None:
    run, child = with_child(swf)
    swf.terminate(child)
    swf.settle()
    swf.decide(start_child('child', taskList=OWN_LIST))
    swf.settle()
    assert child_of(swf, run, 1).info()['executionStatus'] == 'OPEN'


FAILURES = {
    'defaultExecutionStartToCloseTimeout': 'DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'defaultTaskList': 'DEFAULT_TASK_LIST_UNDEFINED',
    'defaultTaskStartToCloseTimeout': 'DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'defaultChildPolicy': 'DEFAULT_CHILD_POLICY_UNDEFINED',
}
BARE = {'name': 'bare', 'version': '1'}


@pytest.mark.parametrize('missing', FAILURES)
def test_start_without_a_default(swf: Domain, missing: str) -> None:
    given = {name: value for name, value in TYPE_DEFAULTS.items() if name != missing}
    swf.client.register_workflow_type(domain=DOMAIN, **BARE, **given)
    run = swf.start()
    swf.decide(start_child('child', workflowType=BARE, control='mine'))
    assert run.only('StartChildWorkflowExecutionFailed') == {
        'workflowId': 'child',
        'workflowType': BARE,
        'cause': FAILURES[missing],
        'control': 'mine',
        'initiatedEventId': 0,
        'decisionTaskCompletedEventId': 4,
    }
    assert run.types()[-2:] == ['StartChildWorkflowExecutionFailed', 'DecisionTaskScheduled']


def test_start_of_an_unknown_type(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_child('child', workflowType=BARE))
    failed = run.only('StartChildWorkflowExecutionFailed')
    assert (failed['cause'], failed['initiatedEventId']) == ('WORKFLOW_TYPE_DOES_NOT_EXIST', 0)
    assert 'StartChildWorkflowExecutionInitiated' not in run.types()


def test_start_of_a_deprecated_type(swf: Domain) -> None:
    swf.client.register_workflow_type(domain=DOMAIN, **BARE, **TYPE_DEFAULTS)
    swf.client.deprecate_workflow_type(domain=DOMAIN, workflowType=BARE)
    run = swf.start()
    swf.decide(start_child('child', workflowType=BARE))
    assert run.only('StartChildWorkflowExecutionFailed')['cause'] == 'WORKFLOW_TYPE_DEPRECATED'


@pytest.mark.parametrize(
    'attributes',
    [
        {'executionStartToCloseTimeout': 'NONE'},
        {'executionStartToCloseTimeout': '31536001'},
        {'childPolicy': 'ADOPT'},
        {'tagList': ['1', '2', '3', '4', '5', '6']},
        {'input': 'x' * 32769},
        {'taskList': {'name': 'a:b'}},
        {'taskList': {'name': ' a'}},
    ],
    ids=str,
)
def test_start_refuses_members(swf: Domain, attributes: dict) -> None:
    run = swf.start()
    with swf.refused('ValidationException'):
        swf.decide(start_child('child', **attributes))
    assert run.types()[-1] == 'DecisionTaskStarted'


def test_a_childs_id_may_have_colons(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_child('parent:1/child'))
    swf.settle()
    assert child_of(swf, run).workflow_id == 'parent:1/child'
