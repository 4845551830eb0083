"""The end of an execution: its last event, and the consequences for its parent and its children."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from genflow.local.rules.recording import HistoryFull, given, record, record_and_decide
from genflow.local.state.domains import DAY
from genflow.local.state.execution import Execution
from genflow.local.state.items import Child
from genflow.local.state.state import State

__all__ = ['CHILD_POLICIES', 'CLOSINGS', 'close', 'end_full_history', 'request_cancel']

CLOSINGS: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    'WorkflowExecutionCompleted': ('COMPLETED', 'ChildWorkflowExecutionCompleted', ('result',)),
    'WorkflowExecutionFailed': ('FAILED', 'ChildWorkflowExecutionFailed', ('reason', 'details')),
    'WorkflowExecutionCanceled': ('CANCELED', 'ChildWorkflowExecutionCanceled', ('details',)),
    'WorkflowExecutionTimedOut': ('TIMED_OUT', 'ChildWorkflowExecutionTimedOut', ('timeoutType',)),
    'WorkflowExecutionTerminated': ('TERMINATED', 'ChildWorkflowExecutionTerminated', ()),
    'WorkflowExecutionContinuedAsNew': ('CONTINUED_AS_NEW', None, ()),
}
"""Closing event -> (close status, the event its parent gets or None, the attributes of that event)."""


def close(
    state: State,
    execution: Execution,
    at: int,
    event_type: str,
    attributes: dict[str, Any],
    *,
    child_policy: str | None = None,
) -> None:
    """Records the last event, frees the workflow id, informs the parent and applies the child policy.

    ``child_policy`` replaces the execution's own for this close.
    """
    record(state, execution, at, event_type, attributes)
    status, parent_event, members = CLOSINGS[event_type]
    policy = child_policy or execution.child_policy
    children = list(execution.children.values())
    row = closed_row(state, execution, status)
    state.batch.closed.append(row)
    state.expect_expiry(row['expires'])
    execution.closed = True
    state.leave(execution)
    state.recently_closed.add(execution, row['expires'])
    state.close_watchers.closed(execution.key, state.batch.number)
    if parent_event and execution.parent:
        outcome = {name: attributes[name] for name in members if name in attributes}
        state.agenda.append(partial(tell_parent, execution=execution, event_type=parent_event, outcome=outcome))
    for child in children:
        state.agenda.append(partial(apply_child_policy, parent=execution, child=child, policy=policy))


def closed_row(state: State, execution: Execution, status: str) -> dict[str, Any]:
    """The row of a closed execution, beside its history; its open counts stay as they are at the close."""
    progress = execution.progress
    return {
        'key': execution.key,
        'closed': execution.last_time,
        'status': status,
        'expires': max(
            state.domains[execution.domain].expiry(execution.last_time),
            execution.last_time + state.limits.kept_days * DAY,
        ),
        'outcome': given(
            openCounts=execution.open_counts,
            latestActivityTaskTimestamp=progress.latest_activity and progress.latest_activity / 1000,
            latestExecutionContext=progress.context,
        ),
    }


def tell_parent(state: State, at: int, *, execution: Execution, event_type: str, outcome: dict[str, Any]) -> None:
    """Records in the parent, if it is open, how its child ended."""
    origin = execution.parent
    parent = state.find(origin.key) if origin else None
    if origin is None or parent is None or origin.initiated not in parent.children:
        return
    child = parent.children.pop(origin.initiated)
    state.drop(parent, child)
    attributes = {
        'workflowExecution': execution.reference,
        'workflowType': execution.type,
        **outcome,
        'initiatedEventId': child.id,
        'startedEventId': child.started,
    }
    record_and_decide(state, parent, at, event_type, attributes)


def apply_child_policy(state: State, at: int, *, parent: Execution, child: Child, policy: str) -> None:
    """Applies the child policy of a parent that closes to one child that was started."""
    execution = state.find(child.key) if child.key else None
    if execution is not None:
        CHILD_POLICIES[policy](state, at, execution, parent)


def terminate_child(state: State, at: int, execution: Execution, parent: Execution) -> None:
    """TERMINATE; the child's own policy then applies to its children."""
    close(
        state,
        execution,
        at,
        'WorkflowExecutionTerminated',
        {'childPolicy': execution.child_policy, 'cause': 'CHILD_POLICY_APPLIED'},
    )


def ask_child(state: State, at: int, execution: Execution, parent: Execution) -> None:
    """REQUEST_CANCEL."""
    request_cancel(
        state,
        execution,
        at,
        {
            'externalWorkflowExecution': parent.reference,
            'externalInitiatedEventId': 0,
            'cause': 'CHILD_POLICY_APPLIED',
        },
    )


def abandon_child(state: State, at: int, execution: Execution, parent: Execution) -> None:
    """ABANDON: the child continues without a parent."""


CHILD_POLICIES: dict[str, Callable[[State, int, Execution, Execution], None]] = {
    'TERMINATE': terminate_child,
    'REQUEST_CANCEL': ask_child,
    'ABANDON': abandon_child,
}


def request_cancel(state: State, execution: Execution, at: int, attributes: dict[str, Any]) -> None:
    """Records a request for cancellation; SWF records each one."""
    record_and_decide(state, execution, at, 'WorkflowExecutionCancelRequested', attributes)
    if not execution.progress.cancel_requested:
        execution.progress.cancel_requested = True
        state.batch.canceled.append(execution.key)
        state.touch(execution, execution.progress)


def end_full_history(state: State, at: int, full: HistoryFull) -> None:
    """Terminates an execution whose history has reached its limit, as SWF does in place of the next event."""
    execution = full.execution
    attributes = {'childPolicy': execution.child_policy, 'cause': 'EVENT_LIMIT_EXCEEDED'}
    close(state, execution, at, 'WorkflowExecutionTerminated', attributes)
