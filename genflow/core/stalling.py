"""An execution that waits for nothing: found out within the decision, instead of hanging until it times out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import WorkflowStalled
from .locations import suspended_at
from .tasks import OPEN

if TYPE_CHECKING:
    from .execution import Execution

__all__ = ['check_stalled', 'standing']

MAX_BRANCHES = 5


def check_stalled(execution: Execution) -> None:
    """Looks whether an open execution that decides nothing has anything to wait for.

    Raises:
        WorkflowStalled: It has not.
    """
    if execution.closed or execution.refs or execution.outbox.parked or execution.context is not None:
        return
    gets = (get for box in execution.mailboxes.values() for get in box.gets)
    if any(get.state == OPEN and get.wanted() for get in gets):
        return
    raise WorkflowStalled(
        f'{execution.spec.name} is open and waits for nothing that SWF could bring (activity, child, timer, signal); '
        f'{standing(execution)}'
    )


def standing(execution: Execution) -> str:
    """Where each branch stands, for a report."""
    places = [
        suspended_at(generator) + ('' if branch.awaiting is None else f', waiting for {branch.awaiting.label}')
        for generator, branch in list(execution.branches.items())[:MAX_BRANCHES]
    ]
    return 'it stands at ' + '; '.join(places) if places else 'run has ended'
