"""Executions: start, signal, cancel, terminate, describe, read."""

from __future__ import annotations

import json
from typing import Any

from genflow.local.operations.answers import Answer, EventTexts, Reading
from genflow.local.operations.histories import with_events
from genflow.local.operations.lookup import domain_of, live_domain, open_execution, type_of
from genflow.local.operations.paging import history_page_size, page_start, span
from genflow.local.operations.registry import type_text
from genflow.local.requests import faults
from genflow.local.requests.tokens import page_token
from genflow.local.rules.closing import close, request_cancel
from genflow.local.rules.recording import given, record_and_decide
from genflow.local.rules.starting import missing_default, resolve, start_execution
from genflow.local.state.execution import Execution
from genflow.local.state.state import State
from genflow.local.store import Store

__all__ = ['CALLS', 'stored_info', 'stored_run']


def start_workflow_execution(state: State, request: dict[str, Any], now: int) -> dict[str, Any]:
    domain = live_domain(state, request)
    record = type_of(domain, 'workflow', request)
    if record.deprecated is not None:
        raise faults.fault('TypeDeprecatedFault', type_text(record))
    missing = missing_default(request, record)
    if missing:
        raise faults.fault('DefaultUndefinedFault', missing)
    if (domain.name, request['workflowId']) in state.open:
        raise faults.fault('WorkflowExecutionAlreadyStartedFault', 'Already Started')
    if state.population.get(domain.name, 0) >= state.limits.open_executions:
        raise faults.limit_exceeded(f'A domain can have {state.limits.open_executions} open executions')
    execution = start_execution(
        state,
        now,
        domain=domain.name,
        workflow_id=request['workflowId'],
        workflow_type=(record.name, record.version),
        settings=resolve(request, record),
    )
    return {'runId': execution.run_id}


def signal_workflow_execution(state: State, request: dict[str, Any], now: int) -> None:
    execution = open_execution(state, request)
    attributes = given(signalName=request['signalName'], input=request.get('input'), externalInitiatedEventId=0)
    record_and_decide(state, execution, now, 'WorkflowExecutionSignaled', attributes)


def request_cancel_workflow_execution(state: State, request: dict[str, Any], now: int) -> None:
    request_cancel(state, open_execution(state, request), now, {'externalInitiatedEventId': 0})


def terminate_workflow_execution(state: State, request: dict[str, Any], now: int) -> None:
    execution = open_execution(state, request)
    policy = request.get('childPolicy') or execution.child_policy
    attributes = given(
        reason=request.get('reason'),
        details=request.get('details'),
        childPolicy=policy,
        cause='OPERATOR_INITIATED',
    )
    close(state, execution, now, 'WorkflowExecutionTerminated', attributes, child_policy=policy)


# Reading.


def named_run(state: State, request: dict[str, Any]) -> Execution | None:
    """The run if it is open."""
    domain_of(state, request)
    found = state.running_one(request['domain'], request['execution']['workflowId'])
    return found if found is not None and found.run_id == request['execution']['runId'] else None


def run_at_hand(state: State, request: dict[str, Any], now: int) -> Execution | None:
    """The run if it is open, or closed so lately that its newest events are in memory."""
    execution = request['execution']
    found = named_run(state, request)
    return found or state.recently_closed.find((request['domain'], execution['workflowId'], execution['runId']), now)


def stored_run(store: Store, request: dict[str, Any], now: int) -> dict[str, Any]:
    """The row of a closed run that is still kept.

    Raises:
        ServiceError: UnknownResourceFault.
    """
    workflow_id, run_id = request['execution']['workflowId'], request['execution']['runId']
    row = store.run(request['domain'], workflow_id, run_id)
    if row is None or (row['expires'] is not None and row['expires'] <= now):
        raise faults.unknown_execution(workflow_id, run_id)
    return row


def describe_workflow_execution(state: State, request: dict[str, Any], now: int) -> Answer:
    execution = named_run(state, request)
    if execution is None:
        return Reading(lambda store: describe_closed(stored_run(store, request, now)))
    progress = execution.progress
    return given(
        executionInfo=open_info(execution),
        executionConfiguration=execution.configuration,
        openCounts=execution.open_counts,
        latestActivityTaskTimestamp=progress.latest_activity and progress.latest_activity / 1000,
        latestExecutionContext=progress.context,
    )


def open_info(execution: Execution) -> dict[str, Any]:
    """SWF's WorkflowExecutionInfo of an open run."""
    parent = execution.parent
    return given(
        execution=execution.reference,
        workflowType=execution.type,
        startTimestamp=execution.started_at / 1000,
        executionStatus='OPEN',
        parent=parent and {'workflowId': parent.workflow_id, 'runId': parent.run_id},
        tagList=list(execution.tags) or None,
        cancelRequested=execution.progress.cancel_requested,
    )


def stored_info(row: dict[str, Any]) -> dict[str, Any]:
    """SWF's WorkflowExecutionInfo of any run, from its row; a closed one has no request any more."""
    parent = row['about']['parent']
    return given(
        execution={'workflowId': row['workflow_id'], 'runId': row['run_id']},
        workflowType={'name': row['type_name'], 'version': row['type_version']},
        startTimestamp=row['started'] / 1000,
        closeTimestamp=None if row['closed'] is None else row['closed'] / 1000,
        executionStatus='OPEN' if row['status'] is None else 'CLOSED',
        closeStatus=row['status'],
        parent=parent and {'workflowId': parent[1], 'runId': parent[2]},
        tagList=[json.loads(tag) for tag in row['tags']] or None,
        cancelRequested=bool(row['cancel_requested']) and row['status'] is None,
    )


def describe_closed(row: dict[str, Any]) -> dict[str, Any]:
    """The description of a closed run."""
    return {
        'executionInfo': stored_info(row),
        'executionConfiguration': row['about']['configuration'],
        **row['outcome'],
    }


def get_workflow_execution_history(state: State, request: dict[str, Any], now: int) -> Answer:
    execution = run_at_hand(state, request, now)
    reverse, size = bool(request.get('reverseOrder')), history_page_size(state, request)
    query = f'History {request["domain"]} {request["execution"]["runId"]} {reverse}'
    start = page_start(state, request, now, query)

    def answer(last: int) -> tuple[Any, dict[str, Any]]:
        page = span(1, last, size, start, reverse=reverse)
        return page, {'nextPageToken': page_token(now, query, page.next)} if page.next else {}

    if execution is not None:
        return with_events(execution, *answer(execution.last_event), reverse=reverse)

    def read(store: Store) -> dict[str, Any]:
        key = stored_run(store, request, now)['key']
        page, found = answer(store.last_event(key)[0])
        found['events'] = EventTexts(store.events(key, page.first, page.last, newest_first=reverse))
        return found

    return Reading(read)


CALLS = {
    'StartWorkflowExecution': start_workflow_execution,
    'SignalWorkflowExecution': signal_workflow_execution,
    'RequestCancelWorkflowExecution': request_cancel_workflow_execution,
    'TerminateWorkflowExecution': terminate_workflow_execution,
    'DescribeWorkflowExecution': describe_workflow_execution,
    'GetWorkflowExecutionHistory': get_workflow_execution_history,
}
