"""An execution that waits for nothing: found out within the decision, instead of hanging until it times out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .attempts import Pause
from .calls import Call, Cancellation
from .errors import WorkflowStalled
from .locations import suspended_at

if TYPE_CHECKING:
    from .drivers import Driver
    from .execution import Execution

__all__ = ['check_stalled', 'standing']

MAX_BRANCHES = 5


def check_stalled(execution: Execution) -> None:
    """Looks whether anything could bring an open execution another decision task, once it has answered this one.

    Raises:
        WorkflowStalled: It has not.
    """
    if execution.closed or execution.outbox.parked or _open_work(execution):
        return
    if any(box.is_awaited() for box in execution.mailboxes.values()):
        return
    raise WorkflowStalled(
        f'{execution.spec.name} is open and waits for nothing that SWF could bring (activity, child, timer, signal); '
        f'{standing(execution)}'
    )


def _open_work(execution: Execution) -> bool:
    """Whether the history will speak of something: what is sent, or open and not a timer that is being cancelled."""
    if any(not isinstance(entry, Cancellation) for entry in execution.outbox.unsent()):
        return True
    for known in execution.refs.values():
        call = known.call if isinstance(known, Pause) else known
        cancellation = call.cancellation if isinstance(call, Call) else None
        if cancellation is None or cancellation.timer is None:
            return True
    return False


def standing(driver: Driver) -> str:
    """Where each branch stands, for a report."""
    places = [
        suspended_at(generator) + ('' if branch.awaiting is None else f', waiting for {branch.awaiting.label}')
        for generator, branch in list(driver.branches.items())[:MAX_BRANCHES]
    ]
    return 'it stands at ' + '; '.join(places) if places else 'run has ended'
