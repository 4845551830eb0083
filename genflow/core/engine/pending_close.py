"""How an execution wants to end: decided when ``run`` has ended, sent when nothing holds it any more.

A wish stands until SWF accepts it: a close that SWF answers with UNHANDLED_DECISION is wished again after the events
that came in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define

from genflow.core.model import decisions
from genflow.core.model.options import RestartOptions
from genflow.core.model.restart import Restart
from genflow.core.payloads.envelopes import restart_input
from genflow.core.payloads.failures import encode_failure, users_traceback
from genflow.core.payloads.hooks import MAX_PAYLOAD
from genflow.core.payloads.wire_text import shortened
from genflow.core.tasks.task import Task
from genflow.core.text import place

__all__ = ['HOW', 'Cancel', 'Complete', 'ContinueWith', 'Fail', 'PendingClose']

HOW = {
    decisions.CompleteWorkflow: 'completed',
    decisions.FailWorkflow: 'failed',
    decisions.CancelWorkflow: 'canceled',
    decisions.ContinueAsNew: 'continued',
}


@define
class Complete:
    """``run`` returned."""

    result: str

    def decision(self) -> decisions.Decision:
        return decisions.CompleteWorkflow(self.result)


@define
class Fail:
    """``run`` raised, or a failure was left that nobody took.

    Attributes:
        left: The task whose failure nobody took.
    """

    error: BaseException
    left: Task[Any] | None = None

    def decision(self, lost: Sequence[BaseException] = ()) -> decisions.Decision:
        """The close.

        Args:
            lost: What clean-ups raised beside the failure.
        """
        if self.left is None and not lost:
            return decisions.FailWorkflow(*encode_failure(self.error))
        text = users_traceback(self.error)
        if self.left is not None:
            where = place(getattr(self.left, 'where', None))
            text += (
                f'Nothing retrieved this failure of {self.left.label}, called at {where}: yield the task, or give its '
            )
            text += 'proxy error_handling=True.\n'
        return decisions.FailWorkflow(*encode_failure(self.error, text + lost_text(lost)))


@define
class Cancel:
    """The cancellation left ``run``."""

    details: str | None = None

    def decision(self, lost: Sequence[BaseException] = ()) -> decisions.Decision:
        """The close.

        Args:
            lost: What clean-ups raised.
        """
        text = (self.details or '') + lost_text(lost)
        return decisions.CancelWorkflow(shortened(text, MAX_PAYLOAD) or None)


def lost_text(lost: Sequence[BaseException]) -> str:
    """What a close says of exceptions that clean-ups raised."""
    return ''.join(f'\nThe clean-up of a cancelled branch raised:\n{users_traceback(error)}' for error in lost)


@define
class ContinueWith:
    """``run`` returned a restart, or the hook for long histories did.

    Attributes:
        signals: Name and input of each signal that was not read, collected when the close is sent.
    """

    restart: Restart
    options: RestartOptions
    signals: tuple[tuple[str, str | None], ...] = ()

    def decision(self) -> decisions.ContinueAsNew:
        given = self.options
        return decisions.ContinueAsNew(
            restart_input(self.restart.input, self.signals),
            given.version,
            given.task_list,
            given.priority,
            given.workflow_duration,
            given.decision_duration,
            given.child_policy,
            given.tags or (),
            given.lambda_role,
        )


PendingClose = Complete | Fail | Cancel | ContinueWith
