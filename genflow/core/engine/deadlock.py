"""An execution that waits for nothing: found out within the decision, instead of hanging until it times out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.core.calls.call import Call, Cancellation
from genflow.core.calls.retryable import RetryTimer
from genflow.core.errors import WorkflowStalled
from genflow.core.locations import suspended_at

if TYPE_CHECKING:
    from genflow.core.engine.execution import Execution
    from genflow.core.tasks.loop import Loop

__all__ = ['check_stalled', 'describe_blocked']

MAX_BRANCHES = 5


def check_stalled(execution: Execution) -> None:
    """Looks whether anything could bring an open execution another decision task, once it has answered this one.

    Raises:
        WorkflowStalled: It has not.
    """
    if execution.closed or execution.outbox.throttled or _open_work(execution):
        return
    if any(box.is_awaited() for box in execution.mailboxes.values()):
        return
    raise WorkflowStalled(
        f'{execution.spec.name} is open and waits for nothing that SWF could bring (activity, child, timer, signal); '
        f'{describe_blocked(execution)}'
    )


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
    places = [
        suspended_at(generator) + ('' if branch.awaiting is None else f', waiting for {branch.awaiting.label}')
        for generator, branch in list(loop.branches.items())[:MAX_BRANCHES]
    ]
    where = 'it stands at ' + '; '.join(places) if places else 'run has ended'
    unread = ', '.join(f'{name!r} ({count})' for name, count in loop.unread())
    return f'{where}; signals that nobody has read: {unread}' if unread else where
