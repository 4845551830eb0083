"""The end of an execution: its last event, and what follows from it elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from genflow.local.rules.execution import Execution
from genflow.local.rules.recording import HistoryFull, given, record, record_and_decide
from genflow.local.rules.state import Child
from genflow.local.world import World

#: closing event -> (close status, the event its parent gets or None, the attributes the parent is told).
CLOSINGS: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    'WorkflowExecutionCompleted': ('COMPLETED', 'ChildWorkflowExecutionCompleted', ('result',)),
    'WorkflowExecutionFailed': ('FAILED', 'ChildWorkflowExecutionFailed', ('reason', 'details')),
    'WorkflowExecutionCanceled': ('CANCELED', 'ChildWorkflowExecutionCanceled', ('details',)),
    'WorkflowExecutionTimedOut': ('TIMED_OUT', 'ChildWorkflowExecutionTimedOut', ('timeoutType',)),
    'WorkflowExecutionTerminated': ('TERMINATED', 'ChildWorkflowExecutionTerminated', ()),
    'WorkflowExecutionContinuedAsNew': ('CONTINUED_AS_NEW', None, ()),
}


def close(
    world: World,
    execution: Execution,
    at: int,
    event_type: str,
    attributes: dict[str, Any],
    *,
    child_policy: str | None = None,
) -> None:
    """Record the last event, free the workflow id, tell the parent and apply the child policy.

    ``child_policy`` is for this end only, instead of the execution's own.
    """
    record(world, execution, at, event_type, attributes)
    status, told, members = CLOSINGS[event_type]
    policy = child_policy or execution.child_policy
    children = list(execution.children.values())
    row = closed_row(world, execution, status)
    world.batch.closed.append(row)
    world.expect_expiry(row['expires'])
    execution.closed = True
    world.leave(execution)
    if told and execution.parent:
        outcome = {name: attributes[name] for name in members if name in attributes}
        world.agenda.append(partial(tell_parent, execution=execution, event_type=told, outcome=outcome))
    for child in children:
        world.agenda.append(partial(apply_child_policy, parent=execution, child=child, policy=policy))


def closed_row(world: World, execution: Execution, status: str) -> dict[str, Any]:
    """What the file keeps of a closed execution beside its history; the open counts are frozen as they are."""
    progress = execution.progress
    return {
        'key': execution.key,
        'closed': execution.last_time,
        'status': status,
        'expires': world.domains[execution.domain].expiry(execution.last_time),
        'outcome': given(
            openCounts=execution.open_counts,
            latestActivityTaskTimestamp=progress.latest_activity and progress.latest_activity / 1000,
            latestExecutionContext=progress.context,
        ),
    }


def tell_parent(world: World, at: int, *, execution: Execution, event_type: str, outcome: dict[str, Any]) -> None:
    """The parent, if it is still open, learns how its child ended."""
    origin = execution.parent
    parent = world.find(origin.key) if origin else None
    if origin is None or parent is None or origin.initiated not in parent.children:
        return
    child = parent.children.pop(origin.initiated)
    world.drop(parent, child)
    attributes = {
        'workflowExecution': execution.reference,
        'workflowType': execution.type,
        **outcome,
        'initiatedEventId': child.id,
        'startedEventId': child.started,
    }
    record_and_decide(world, parent, at, event_type, attributes)


def apply_child_policy(world: World, at: int, *, parent: Execution, child: Child, policy: str) -> None:
    """What happens to a child that has been started when its parent ends."""
    execution = world.find(child.key) if child.key else None
    if execution is not None:
        CHILD_POLICIES[policy](world, at, execution, parent)


def terminate_child(world: World, at: int, execution: Execution, parent: Execution) -> None:
    """TERMINATE; the child's own policy then applies to its children."""
    close(
        world,
        execution,
        at,
        'WorkflowExecutionTerminated',
        {'childPolicy': execution.child_policy, 'cause': 'CHILD_POLICY_APPLIED'},
    )


def ask_child(world: World, at: int, execution: Execution, parent: Execution) -> None:
    """REQUEST_CANCEL."""
    request_cancel(
        world,
        execution,
        at,
        {
            'externalWorkflowExecution': parent.reference,
            'externalInitiatedEventId': 0,
            'cause': 'CHILD_POLICY_APPLIED',
        },
    )


def abandon_child(world: World, at: int, execution: Execution, parent: Execution) -> None:
    """ABANDON: the child goes on, with nobody to report to."""


CHILD_POLICIES: dict[str, Callable[[World, int, Execution, Execution], None]] = {
    'TERMINATE': terminate_child,
    'REQUEST_CANCEL': ask_child,
    'ABANDON': abandon_child,
}


def request_cancel(world: World, execution: Execution, at: int, attributes: dict[str, Any]) -> None:
    """Record that somebody wishes the execution to cancel itself; each request is recorded."""
    record_and_decide(world, execution, at, 'WorkflowExecutionCancelRequested', attributes)
    if not execution.progress.cancel_requested:
        execution.progress.cancel_requested = True
        world.batch.canceled.append(execution.key)
        world.touch(execution, execution.progress)


def end_full_history(world: World, at: int, full: HistoryFull) -> None:
    """The history has reached its limit: SWF terminates the execution in place of the next event."""
    execution = full.execution
    attributes = {'childPolicy': execution.child_policy, 'cause': 'EVENT_LIMIT_EXCEEDED'}
    close(world, execution, at, 'WorkflowExecutionTerminated', attributes)
