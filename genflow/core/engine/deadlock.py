"""An execution that waits for nothing: found out within the decision, instead of hanging until it times out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.core.authoring.updates import updates_of
from genflow.core.calls.call import Call, Cancellation
from genflow.core.calls.retryable import RetryTimer
from genflow.core.errors import WorkflowStalled
from genflow.core.text import suspended_at

if TYPE_CHECKING:
    from genflow.core.engine.execution import Execution
    from genflow.core.tasks.branch import Branch
    from genflow.core.tasks.loop import Loop

__all__ = ['check_stalled', 'describe_blocked', 'is_stalled']

MAX_BRANCHES = 5


def check_stalled(execution: Execution) -> None:
    """Looks whether anything could bring an open execution another decision task, once it has answered this one.

    Raises:
        WorkflowStalled: It has not.
    """
    if execution.closed or not is_stalled(execution):
        return
    raise WorkflowStalled(
        f'{execution.spec.name} is open and waits for nothing that SWF could bring (activity, child, timer, signal); '
        f'{describe_blocked(execution)}'
    )


def is_stalled(execution: Execution) -> bool:
    """Whether nothing can bring an open execution another decision task."""
    if execution.outbox.throttled or _open_work(execution):
        return False
    if any(box.is_awaited() for box in execution.mailboxes.values()):
        return False
    if execution.closing.pending_close is None and updates_of(execution.spec.cls):
        return False
    return not (execution.mailboxes and execution.conditions.is_awaited())  # a signal may make the condition true


def _open_work(execution: Execution) -> bool:
    """Whether the history will speak of something: what is sent, or open and not a timer that is being cancelled."""
    if any(not isinstance(entry, Cancellation) for entry in execution.outbox.unsent()):
        return True
    for known in execution.refs.values():
        call = known.call if isinstance(known, RetryTimer) else known
        cancellation = call.cancellation if isinstance(call, Call) else None
        if cancellation is None or cancellation.timer is None:
            return True
    return False


def describe_blocked(loop: Loop) -> str:
    """Where each branch stands, and which signals came that nobody has read, for a report."""
    branches = list(loop.branches.items())[:MAX_BRANCHES]
    places = [suspended_at(generator) + _doing(branch) for generator, branch in branches]
    where = 'it stands at ' + '; '.join(places) if places else 'run has ended'
    unread = ', '.join(f'{name!r} ({count})' for name, count in loop.unread())
    return f'{where}; signals that nobody has read: {unread}' if unread else where


def _doing(branch: Branch) -> str:
    if branch.awaiting is not None:
        return f', waiting for {branch.awaiting.label}'
    return '' if branch.cancel_state is None else ', to be cancelled when what it waits for has ended'
