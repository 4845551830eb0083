"""Signals and cancel requests that one execution sends to another."""

from __future__ import annotations

import pytest

from .decisions import cancel_external, complete, signal_external
from .domain import TYPE_DEFAULTS, Domain, Run

ELSEWHERE = {'taskList': {'name': 'elsewhere'}}


def pair(swf: Domain) -> tuple[Run, Run]:
    """A target that has nothing to decide, and a sender whose first decision waits."""
    target = swf.start('target', **ELSEWHERE)
    swf.decide(task_list='elsewhere')
    return target, swf.start('sender')


def test_signal_initiated(swf: Domain) -> None:
    _, sender = pair(swf)
    swf.decide(signal_external('target', 'go', input='in', control='mine'))
    assert sender.only('SignalExternalWorkflowExecutionInitiated') == {
        'workflowId': 'target',
        'signalName': 'go',
        'input': 'in',
        'control': 'mine',
        'decisionTaskCompletedEventId': 4,
    }


def test_signal_initiated_shows_the_run_where_it_was_given(swf: Domain) -> None:
    target, sender = pair(swf)
    swf.decide(signal_external('target', runId=target.run_id))
    assert sender.only('SignalExternalWorkflowExecutionInitiated')['runId'] == target.run_id


def test_signal_reaches_the_target(swf: Domain) -> None:
    target, sender = pair(swf)
    swf.decide(signal_external('target', 'go', input='in'))
    swf.settle()
    assert target.only('WorkflowExecutionSignaled') == {
        'signalName': 'go',
        'input': 'in',
        'externalWorkflowExecution': sender.execution,
        'externalInitiatedEventId': 5,
    }
    assert target.types()[-2:] == ['WorkflowExecutionSignaled', 'DecisionTaskScheduled']


def test_signal_is_confirmed_to_the_sender(swf: Domain) -> None:
    target, sender = pair(swf)
    swf.decide(signal_external('target'))
    swf.settle()
    assert sender.only('ExternalWorkflowExecutionSignaled') == {
        'workflowExecution': target.execution,
        'initiatedEventId': 5,
    }
    assert sender.types()[-2:] == ['ExternalWorkflowExecutionSignaled', 'DecisionTaskScheduled']


def test_signal_by_run_id(swf: Domain) -> None:
    target, _ = pair(swf)
    swf.decide(signal_external('target', runId=target.run_id))
    swf.settle()
    assert len(target.all('WorkflowExecutionSignaled')) == 1


def test_signal_to_no_open_execution(swf: Domain) -> None:
    run = swf.start()
    swf.decide(signal_external('nobody', control='mine'))
    swf.settle()
    assert run.only('SignalExternalWorkflowExecutionFailed') == {
        'workflowId': 'nobody',
        'cause': 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION',
        'initiatedEventId': 5,
        'decisionTaskCompletedEventId': 4,
        'control': 'mine',
    }
    assert run.types()[-2:] == ['SignalExternalWorkflowExecutionFailed', 'DecisionTaskScheduled']


def test_signal_to_a_closed_run(swf: Domain) -> None:
    target, sender = pair(swf)
    swf.terminate(target)
    swf.decide(signal_external('target', runId=target.run_id))
    swf.settle()
    failed = sender.only('SignalExternalWorkflowExecutionFailed')
    assert (failed['cause'], failed['runId']) == ('UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION', target.run_id)


def test_signal_to_itself(swf: Domain) -> None:
    run = swf.start()
    swf.decide(signal_external('w', 'me'))
    swf.settle()
    assert run.only('WorkflowExecutionSignaled')['externalWorkflowExecution'] == run.execution
    assert run.only('ExternalWorkflowExecutionSignaled')['workflowExecution'] == run.execution


def test_signal_together_with_the_close(swf: Domain) -> None:
    target, sender = pair(swf)
    swf.decide(signal_external('target', 'bye'), complete())
    swf.settle()
    assert target.only('WorkflowExecutionSignaled')['signalName'] == 'bye'
    assert sender.types()[-1] == 'WorkflowExecutionCompleted'


def test_signals_keep_their_order(swf: Domain) -> None:
    target, _ = pair(swf)
    swf.decide(*(signal_external('target', str(n)) for n in range(5)))
    swf.settle()
    assert [event['signalName'] for event in target.all('WorkflowExecutionSignaled')] == ['0', '1', '2', '3', '4']


def test_cancel_initiated(swf: Domain) -> None:
    _, sender = pair(swf)
    swf.decide(cancel_external('target', control='mine'))
    assert sender.only('RequestCancelExternalWorkflowExecutionInitiated') == {
        'workflowId': 'target',
        'control': 'mine',
        'decisionTaskCompletedEventId': 4,
    }


def test_cancel_reaches_the_target(swf: Domain) -> None:
    target, sender = pair(swf)
    swf.decide(cancel_external('target'))
    swf.settle()
    assert target.only('WorkflowExecutionCancelRequested') == {
        'externalWorkflowExecution': sender.execution,
        'externalInitiatedEventId': 5,
    }
    assert target.types()[-2:] == ['WorkflowExecutionCancelRequested', 'DecisionTaskScheduled']
    assert target.info()['cancelRequested'] is True


def test_cancel_is_confirmed_to_the_sender(swf: Domain) -> None:
    target, sender = pair(swf)
    swf.decide(cancel_external('target'))
    swf.settle()
    assert sender.only('ExternalWorkflowExecutionCancelRequested') == {
        'workflowExecution': target.execution,
        'initiatedEventId': 5,
    }
    assert sender.types()[-1] == 'DecisionTaskScheduled'


@pytest.mark.parametrize('run_id', [None, 'never'])
def test_cancel_of_no_open_execution(swf: Domain, run_id: str | None) -> None:
    run = swf.start()
    swf.decide(cancel_external('nobody', runId=run_id, control='mine'))
    swf.settle()
    expected = {
        'workflowId': 'nobody',
        'cause': 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION',
        'initiatedEventId': 5,
        'decisionTaskCompletedEventId': 4,
        'control': 'mine',
    }
    assert run.only('RequestCancelExternalWorkflowExecutionFailed') == expected | ({'runId': run_id} if run_id else {})
    assert run.types()[-1] == 'DecisionTaskScheduled'


def test_cancel_of_itself(swf: Domain) -> None:
    run = swf.start()
    swf.decide(cancel_external('w'))
    swf.settle()
    assert run.only('WorkflowExecutionCancelRequested')['externalWorkflowExecution'] == run.execution


@pytest.mark.parametrize('name', ['', 'x' * 257])
def test_signal_refuses_names(swf: Domain, name: str) -> None:
    swf.start()
    with swf.refused('ValidationException'):
        swf.decide(signal_external('target', name))


def test_what_comes_back_while_the_sender_decides_queues_one_task(swf: Domain) -> None:
    _, sender = pair(swf)
    swf.signal(sender, input='i')
    swf.decide(signal_external('target'), cancel_external('target'))
    swf.settle()
    assert sender.types()[-3:] == [
        'ExternalWorkflowExecutionSignaled',
        'DecisionTaskScheduled',
        'ExternalWorkflowExecutionCancelRequested',
    ]
    assert sender.open_counts()['openDecisionTasks'] == 1


def test_an_execution_of_another_domain_is_unknown(swf: Domain) -> None:
    swf.client.register_domain(name='other', workflowExecutionRetentionPeriodInDays='1')
    swf.client.register_workflow_type(domain='other', name='wf', version='1', **TYPE_DEFAULTS)
    swf.start('target', domain='other')
    run = swf.start('sender')
    swf.decide(signal_external('target'))
    swf.settle()
    assert run.only('SignalExternalWorkflowExecutionFailed')['cause'] == 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION'
