"""Signals, cancel requests and terminations from outside."""

from __future__ import annotations

import pytest

from .decisions import schedule, start_timer
from .domain import DOMAIN, Domain, Run


def test_signal_is_recorded(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, 'go', input='now')
    assert run.only('WorkflowExecutionSignaled') == {'signalName': 'go', 'input': 'now', 'externalInitiatedEventId': 0}


def test_signal_needs_no_input(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, 'go')
    assert run.only('WorkflowExecutionSignaled') == {'signalName': 'go', 'externalInitiatedEventId': 0}


def test_signal_keeps_an_empty_input(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, 'go', input='')
    assert run.only('WorkflowExecutionSignaled')['input'] == ''


def test_signal_schedules_a_decision_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide()
    swf.signal(run, input='i')
    assert run.types()[-2:] == ['WorkflowExecutionSignaled', 'DecisionTaskScheduled']
    assert run.at('WorkflowExecutionSignaled') == run.at('DecisionTaskScheduled', 1)


def test_each_signal_is_an_event(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, 'twice', input='i')
    swf.signal(run, 'twice', input='i')
    assert len(run.all('WorkflowExecutionSignaled')) == 2


def test_signal_by_run_id(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, runId=run.run_id, input='i')
    assert run.only('WorkflowExecutionSignaled')['signalName'] == 's'


def test_an_empty_run_id_counts_as_none(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, runId='', input='i')
    assert run.only('WorkflowExecutionSignaled')['signalName'] == 's'


def test_signal_name_has_no_rule_for_characters(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, 'a:b/c|d', input='i')
    assert run.only('WorkflowExecutionSignaled')['signalName'] == 'a:b/c|d'


OUTSIDE = {
    'signal_workflow_execution': {'signalName': 's', 'input': 'i'},
    'request_cancel_workflow_execution': {},
    'terminate_workflow_execution': {},
}


def call(swf: Domain, method: str, run: Run, **request: object) -> None:
    request = {'domain': DOMAIN, 'workflowId': run.workflow_id, **OUTSIDE[method], **request}
    getattr(swf.client, method)(**request)


@pytest.mark.parametrize('method', OUTSIDE)
def test_a_call_on_an_unknown_domain(swf: Domain, method: str) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        call(swf, method, swf.start(), domain='nowhere')


@pytest.mark.parametrize('method', OUTSIDE)
def test_a_call_on_an_unknown_execution(swf: Domain, method: str) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown execution, workflowId = never'):
        call(swf, method, swf.run('never', 'never'))


@pytest.mark.parametrize('method', OUTSIDE)
def test_a_call_on_an_unknown_run(swf: Domain, method: str) -> None:
    swf.start()
    with swf.refused('UnknownResourceFault', 'Unknown execution: WorkflowExecution=[workflowId=w, runId=never]'):
        call(swf, method, swf.run('w', 'never'), runId='never')


@pytest.mark.parametrize('method', OUTSIDE)
def test_a_call_on_a_closed_execution(swf: Domain, method: str) -> None:
    run = swf.start()
    swf.terminate(run)
    with swf.refused('UnknownResourceFault', 'Unknown execution, workflowId = w'):
        call(swf, method, run)


@pytest.mark.parametrize('method', OUTSIDE)
def test_a_call_on_a_closed_run(swf: Domain, method: str) -> None:
    run = swf.start()
    swf.terminate(run)
    swf.start()
    expected = f'Unknown execution: WorkflowExecution=[workflowId=w, runId={run.run_id}]'
    with swf.refused('UnknownResourceFault', expected):
        call(swf, method, run, runId=run.run_id)


def test_cancel_request_is_recorded_and_schedules_a_decision_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide()
    swf.request_cancel(run)
    assert run.only('WorkflowExecutionCancelRequested') == {'externalInitiatedEventId': 0}
    assert run.types()[-2:] == ['WorkflowExecutionCancelRequested', 'DecisionTaskScheduled']


def test_cancel_request_only_advises(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(), start_timer())
    swf.request_cancel(run)
    assert run.info()['executionStatus'] == 'OPEN'
    assert (run.open_counts()['openActivityTasks'], run.open_counts()['openTimers']) == (1, 1)


def test_each_cancel_request_is_an_event(swf: Domain) -> None:
    run = swf.start()
    swf.request_cancel(run)
    swf.request_cancel(run, runId=run.run_id)
    assert len(run.all('WorkflowExecutionCancelRequested')) == 2


def test_cancel_request_shows_in_the_info(swf: Domain) -> None:
    run = swf.start()
    before = run.info()['cancelRequested']
    swf.request_cancel(run)
    assert (before, run.info()['cancelRequested']) == (False, True)


def test_terminate_is_recorded_as_the_last_event(swf: Domain) -> None:
    run = swf.start()
    swf.terminate(run, reason='r', details='d')
    assert run.types()[-1] == 'WorkflowExecutionTerminated'
    assert run.only('WorkflowExecutionTerminated') == {
        'reason': 'r',
        'details': 'd',
        'childPolicy': 'ABANDON',
        'cause': 'OPERATOR_INITIATED',
    }


def test_terminate_without_reason_and_details(swf: Domain) -> None:
    run = swf.start()
    swf.terminate(run)
    assert run.only('WorkflowExecutionTerminated') == {'childPolicy': 'ABANDON', 'cause': 'OPERATOR_INITIATED'}


def test_terminate_shows_the_child_policy_that_it_overrides(swf: Domain) -> None:
    run = swf.start()
    swf.terminate(run, childPolicy='REQUEST_CANCEL')
    assert run.only('WorkflowExecutionTerminated')['childPolicy'] == 'REQUEST_CANCEL'


def test_terminate_closes_at_once(swf: Domain) -> None:
    run = swf.start()
    swf.advance(3)
    swf.terminate(run)
    info = run.info()
    assert (info['executionStatus'], info['closeStatus']) == ('CLOSED', 'TERMINATED')
    assert info['closeTimestamp'].timestamp() == run.at('WorkflowExecutionTerminated')


def test_terminate_while_a_decision_is_being_made(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    swf.terminate(run, runId=run.run_id)
    assert run.types()[-2:] == ['DecisionTaskStarted', 'WorkflowExecutionTerminated']


@pytest.mark.parametrize('members', [{'reason': 'x' * 257}, {'details': 'x' * 32769}, {'childPolicy': 'X'}], ids=str)
def test_terminate_refuses_members(swf: Domain, members: dict) -> None:
    run = swf.start()
    with swf.refused('ValidationException'):
        swf.terminate(run, **members)
