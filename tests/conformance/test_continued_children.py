"""Children that continue as new, and stay children."""

from __future__ import annotations

from .decisions import (
    WORKFLOW,
    complete,
    continue_as_new,
    start_timer,
)
from .domain import Domain, Run
from .families import OWN_LIST, with_child


def continued(swf: Domain, child: Run) -> Run:
    return swf.run(child.workflow_id, child.only('WorkflowExecutionContinuedAsNew')['newExecutionRunId'])


def test_a_child_that_continues_stays_a_child(swf: Domain) -> None:
    run, child = with_child(swf)
    swf.decide(continue_as_new(taskList=OWN_LIST), task_list='children')
    swf.settle()
    started = continued(swf, child).only('WorkflowExecutionStarted')
    assert (started['parentWorkflowExecution'], started['parentInitiatedEventId']) == (run.execution, 5)
    assert continued(swf, child).info()['parent'] == run.execution


def test_the_parent_is_told_nothing_of_the_hand_over(swf: Domain) -> None:
    run, _ = with_child(swf)
    swf.decide(continue_as_new(taskList=OWN_LIST), task_list='children')
    swf.settle()
    assert run.types()[-1] == 'DecisionTaskCompleted'
    assert run.open_counts()['openChildWorkflowExecutions'] == 1


def test_the_parent_learns_of_the_close_of_the_last_run(swf: Domain) -> None:
    run, child = with_child(swf)
    swf.decide(continue_as_new(taskList=OWN_LIST), task_list='children')
    swf.decide(complete('r'), task_list='children')
    swf.settle()
    assert run.only('ChildWorkflowExecutionCompleted') == {
        'workflowExecution': continued(swf, child).execution,
        'workflowType': WORKFLOW,
        'initiatedEventId': 5,
        'startedEventId': 6,
        'result': 'r',
    }


def test_the_policy_reaches_the_run_that_a_child_continued_as(swf: Domain) -> None:
    run, child = with_child(swf, 'TERMINATE')
    swf.decide(continue_as_new(taskList=OWN_LIST), task_list='children')
    swf.settle()
    swf.terminate(run)
    swf.settle()
    assert continued(swf, child).info()['closeStatus'] == 'TERMINATED'


def test_a_child_closed_while_the_parent_decides_queues_a_task(swf: Domain) -> None:
    run, child = with_child(swf)
    swf.signal(run, input='i')
    task = swf.poll_decision()
    swf.terminate(child)
    swf.settle()
    swf.respond(task, complete())
    assert run.only('CompleteWorkflowExecutionFailed')['cause'] == 'UNHANDLED_DECISION'


def test_a_child_has_timers_of_its_own(swf: Domain) -> None:
    run, child = with_child(swf)
    swf.decide(start_timer('t', '10'), task_list='children')
    swf.advance(11)
    assert child.only('TimerFired')['timerId'] == 't'
    assert 'TimerFired' not in run.types()
