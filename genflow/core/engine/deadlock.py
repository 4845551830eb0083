"""A state that waits for nothing: found out within the decision, instead of hanging until it times out."""

from __future__ import annotations

from genflow.core.authoring.updates import updates_of
from genflow.core.calls.call import Call, Cancellation, RetryTimer
from genflow.core.engine.state import State
from genflow.core.errors import WorkflowStalled

__all__ = ['check_stalled', 'is_stalled']


def check_stalled(state: State) -> None:
    """Looks whether anything could bring an open state another decision task, once it has answered this one.

    Raises:
        WorkflowStalled: It has not.
    """
    if state.closed or not is_stalled(state):
        return
    raise WorkflowStalled(
        f'{state.spec.name} is open and waits for nothing that SWF can deliver (activity, child, timer, signal); '
        f'{state.describe_blocked()}'
    )


def is_stalled(state: State) -> bool:
    """Whether nothing can bring an open state another decision task."""
    if state.outbox.throttled or _open_work(state):
        return False
    if any(box.is_awaited() for box in state.mailboxes.values()):
        return False
    if state.pending_close is None and updates_of(state.spec.cls):
        return False
    return not (state.mailboxes and state.conditions.is_awaited())  # a signal may make the condition true


def _open_work(state: State) -> bool:
    """Whether the history will speak of something: what is sent, or open and not a timer that is being cancelled."""
    if any(not isinstance(entry, Cancellation) for entry in state.outbox.unsent()):
        return True
    for known in state.refs.values():
        call = known.call if isinstance(known, RetryTimer) else known
        cancellation = call.cancellation if isinstance(call, Call) else None
        if cancellation is None or cancellation.timer is None:
            return True
    return False
