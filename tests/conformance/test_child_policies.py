"""What becomes of the children when their parent closes."""

from __future__ import annotations

import pytest

from .decisions import (
    Decision,
    cancel,
    complete,
    continue_as_new,
    fail,
    start_child,
)
from .domain import DOMAIN, Domain, Run
from .families import OWN_LIST, child_of, with_child

ENDINGS: dict[str, Decision | None] = {
    'terminated': None,
    'completed': complete(),
    'failed': fail(),
    'canceled': cancel(),
    'continued': continue_as_new(),
}


def close(swf: Domain, run: Run, ending: str) -> None:
    """Close the parent in this way and let its child policy be applied."""
    sent = ENDINGS[ending]
    if sent is None:
        swf.terminate(run)
    else:
        swf.signal(run, input='i')
        swf.decide(sent)
    swf.settle()


@pytest.mark.parametrize('ending', ENDINGS)
def test_policy_terminate(swf: Domain, ending: str) -> None:
    run, child = with_child(swf, 'TERMINATE')
    close(swf, run, ending)
    assert child.only('WorkflowExecutionTerminated') == {'cause': 'CHILD_POLICY_APPLIED', 'childPolicy': 'ABANDON'}
    assert child.info()['closeStatus'] == 'TERMINATED'


@pytest.mark.parametrize('ending', ENDINGS)
def test_policy_request_cancel(swf: Domain, ending: str) -> None:
    run, child = with_child(swf, 'REQUEST_CANCEL')
    close(swf, run, ending)
    requested = child.only('WorkflowExecutionCancelRequested')
    assert (requested['cause'], requested['externalWorkflowExecution']) == ('CHILD_POLICY_APPLIED', run.execution)
    assert child.info()['executionStatus'] == 'OPEN'


def test_policy_request_cancel_schedules_a_decision_task(swf: Domain) -> None:
    run, child = with_child(swf, 'REQUEST_CANCEL')
    swf.decide(task_list='children')
    close(swf, run, 'completed')
    assert child.types()[-2:] == ['WorkflowExecutionCancelRequested', 'DecisionTaskScheduled']


@pytest.mark.parametrize('ending', ENDINGS)
def test_policy_abandon(swf: Domain, ending: str) -> None:
    run, child = with_child(swf, 'ABANDON')
    close(swf, run, ending)
    assert child.types() == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
    assert child.info()['parent'] == run.execution


def test_policy_after_a_time_out(swf: Domain) -> None:
    run = swf.start('parent', childPolicy='TERMINATE', executionStartToCloseTimeout='10')
    swf.decide(start_child('child', taskList=OWN_LIST))
    swf.settle()
    swf.advance(11)
    assert child_of(swf, run).info()['closeStatus'] == 'TERMINATED'
    assert run.only('WorkflowExecutionTimedOut')['childPolicy'] == 'TERMINATE'


def test_a_termination_may_override_the_policy(swf: Domain) -> None:
    run, child = with_child(swf, 'ABANDON')
    swf.terminate(run, childPolicy='TERMINATE')
    swf.settle()
    assert child.info()['closeStatus'] == 'TERMINATED'


def test_a_termination_by_policy_cascades(swf: Domain) -> None:
    _, child = with_child(swf, 'TERMINATE', childPolicy='TERMINATE')
    swf.decide(start_child('grandchild', taskList={'name': 'grandchildren'}), task_list='children')
    swf.settle()
    grandchild = child_of(swf, child)
    swf.client.terminate_workflow_execution(domain=DOMAIN, workflowId='parent')
    swf.settle()
    assert child.only('WorkflowExecutionTerminated') == {'cause': 'CHILD_POLICY_APPLIED', 'childPolicy': 'TERMINATE'}
    assert grandchild.info()['closeStatus'] == 'TERMINATED'


def test_the_policy_shows_nothing_in_the_parent(swf: Domain) -> None:
    run, _ = with_child(swf, 'TERMINATE')
    close(swf, run, 'completed')
    assert run.types()[-1] == 'WorkflowExecutionCompleted'


def test_closed_children_are_left_alone(swf: Domain) -> None:
    run, child = with_child(swf, 'TERMINATE')
    swf.decide(complete(), task_list='children')
    swf.settle()
    swf.decide(complete())
    swf.settle()
    assert (run.info()['closeStatus'], child.info()['closeStatus']) == ('COMPLETED', 'COMPLETED')


def open_ids(swf: Domain) -> list[str]:
    found = swf.client.list_open_workflow_executions(domain=DOMAIN, startTimeFilter={'oldestDate': 0})
    return [info['execution']['workflowId'] for info in found['executionInfos']]


def test_a_child_initiated_with_the_close_starts_if_it_may_be_abandoned(swf: Domain) -> None:
    swf.start('parent', childPolicy='ABANDON')
    swf.decide(start_child('child'), complete())
    swf.settle()
    assert open_ids(swf) == ['child']


@pytest.mark.parametrize('policy', ['TERMINATE', 'REQUEST_CANCEL'])
def test_a_child_initiated_with_the_close_never_starts_otherwise(swf: Domain, policy: str) -> None:
    swf.start('parent', childPolicy=policy)
    swf.decide(start_child('child'), complete())
    swf.settle()
    assert open_ids(swf) == []
