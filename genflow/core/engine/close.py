"""The end of an execution: from ``run``'s last word to the close that SWF accepts.

When ``run`` has ended, what it wishes stands: its result, its failure, its cancellation or a restart. A failure closes
at once; everything else waits until nothing that was called holds the execution any more. A failure that nobody took
turns a result into a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from genflow.core.engine.closing import Cancel, Complete, ContinueWith, Fail, PendingClose, Restart
from genflow.core.engine.history import UNHANDLED
from genflow.core.engine.replay import NOT_PERMITTED, refused_engine
from genflow.core.errors import PayloadTooLarge, ScheduleFailed, TaskCanceled, WorkflowCanceled, YieldError
from genflow.core.model import decisions
from genflow.core.model.refusals import is_backpressure
from genflow.core.payloads.hooks import MAX_PAYLOAD, excerpt
from genflow.core.payloads.wire_text import is_sendable, units
from genflow.core.payloads.writing import written
from genflow.core.tasks.branch import Branch
from genflow.core.tasks.task import ERROR, OPEN, Task

if TYPE_CHECKING:
    from genflow.core.engine.execution import Execution

__all__ = ['Closing']

SAID_AGAIN = (
    'task_list',
    'priority',
    'workflow_duration',
    'decision_duration',
    'child_policy',
    'tags',
    'lambda_role',
)
"""What event 1 said of this run and a restart says of the next, unless it is given something else."""


class Closing:
    """How one execution ends.

    Attributes:
        pending_close: What ``run`` ended with; ``None`` while it runs.
        restart: What ``self.restart(...)`` gave; it has to be returned.
        interrupted: A cancellation was requested.
        waits: SWF refused a close for its rate; it is sent again after the back-off.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self.pending_close: PendingClose | None = None
        self.restart: Restart | None = None
        self.interrupted = False
        self.waits = False
        self._reported: dict[str, int] = {}

    @property
    def failing(self) -> bool:
        return isinstance(self.pending_close, Fail)

    def interrupt(self) -> None:
        """A cancellation was requested: told once to each branch that stands unshielded."""
        if self.interrupted:
            return
        self.interrupted = True
        execution = self._execution
        branches = list(execution.branches.values())
        if execution.root is not None and execution.root not in branches:
            branches.insert(0, execution.root)
        for branch in branches:
            branch.interrupt()
        if self.pending_close is not None and not self.failing:
            self._cancel_open()

    def conclude(self, root: Branch) -> None:
        """``run`` has ended: what does it wish?"""
        if self.pending_close is not None:
            return
        execution, outcome = self._execution, root.outcome
        self._report_unused(root)
        if root.state != ERROR:
            self.pending_close = self._returned(outcome)
        elif isinstance(outcome, WorkflowCanceled):
            self.pending_close = Cancel()
        else:
            self.pending_close = Fail(outcome)
        if self.failing:
            execution.close()
            return
        self._close_unwanted()
        if self.interrupted:
            self._cancel_open()

    def _report_unused(self, root: Branch) -> None:
        execution = self._execution
        for what in execution.unused.found(execution, tasks=root.state != ERROR):
            if not execution.replaying:
                execution.report(f'{execution.info}: {what}')

    def _close_unwanted(self) -> None:
        """Closes the branches that nobody spawned and nobody waits for, until closing one frees no other.

        A branch comes after the one that began it, so that a chain of them is closed in one go.
        """
        closed = True
        while closed:
            closed = False
            for branch in list(self._execution.branches.values()):
                if not branch.keeps_open and not branch.wanted():
                    branch.close()
                    closed = True

    def _returned(self, value: Any) -> PendingClose:
        restart = self.restart
        if restart is not None and value is not restart:
            return Fail(YieldError('restart() was called but not returned; write `return self.restart(...)`'))
        if restart is not None:
            return self.continuing(restart)
        try:
            return Complete(self._result_text(value))
        except Exception as error:  # noqa: BLE001 - what the user's serializer raises fails the workflow
            return Fail(error)

    def _result_text(self, value: Any) -> str:
        execution = self._execution
        workflow = execution.workflow
        text: str = ''
        if workflow is not None:
            text = written(value, f'the result of {execution.spec.name}.run', workflow._serialize_result)
        if not is_sendable(text):
            raise ValueError(f'_serialize_result of {execution.spec.name} gave text with half of a surrogate pair')
        if units(text) > MAX_PAYLOAD:
            raise PayloadTooLarge(
                f'the result of {execution.spec.name} has {units(text):,} characters, SWF takes {MAX_PAYLOAD:,}: '
                f'{excerpt(text)}; return a reference to the data instead'
            )
        return text

    def continuing(self, restart: Restart) -> ContinueWith:
        """The wish to go on with the next run: what event 1 said is said again, and unread signals travel along."""
        given, now = restart.options, self._execution.base
        said = {name: getattr(now, name) for name in SAID_AGAIN if getattr(given, name) is None}
        return ContinueWith(restart, attrs.evolve(given, **said), self._unread())

    def _unread(self) -> tuple[tuple[str, str | None], ...]:
        return tuple((name, text) for name, box in self._execution.mailboxes.items() for text in box.items)

    def _report_unread(self) -> None:
        """Says which signals nobody has read, once for each time that their number has changed.

        A close that SWF refuses is decided again. A replay finds out as well what was reported then.
        """
        unread = {name: len(box.items) for name, box in self._execution.mailboxes.items() if box.items}
        if unread and unread != self._reported and not self._execution.replaying:
            counts = ', '.join(f'{name!r} ({count})' for name, count in unread.items())
            self._execution.report(
                f'{self._execution.info} ends with unread signals: {counts}. Where none may be lost, yield everything '
                'that is called, and call drain() as the last act before run returns'
            )
        self._reported = unread

    def _cancel_open(self) -> None:
        """Cancels everything that is open, in the order in which it was called."""
        found = {call.number or 0: call for call in self._execution.calls() if call.state == OPEN}
        for _, call in sorted(found.items()):
            call.cancel()

    # the close

    def decision(self) -> decisions.Decision | None:
        """The close that may be sent now; what SWF would not take beside it is dropped from the outbox."""
        pending_close, execution = self.pending_close, self._execution
        if pending_close is None or self.waits:
            return None
        if isinstance(pending_close, (Complete, ContinueWith)):
            left = self.failure_left()
            if left is not None:
                pending_close = self.pending_close = Fail(left.outcome, left)
                execution.close()
        if not isinstance(pending_close, Fail) and execution.open_blockers:
            return None
        execution.outbox.clear_beside(completes=isinstance(pending_close, Complete))
        return self._close(pending_close)

    def _close(self, pending_close: PendingClose) -> decisions.Decision:
        if isinstance(pending_close, ContinueWith):
            return attrs.evolve(pending_close, signals=self._unread()).decision()
        self._report_unread()
        if isinstance(pending_close, Fail) and self._execution.replaying:
            return decisions.FailWorkflow()  # its text is for people and is not compared
        return pending_close.decision()

    def failure_left(self) -> Task[Any] | None:
        """The first task whose failure nobody took."""
        execution = self._execution
        kept = execution.unretrieved = [task for task in execution.unretrieved if not task.retrieved]
        for task in kept:
            handled = getattr(task.options, 'error_handling', False)
            if not handled and not (self.interrupted and isinstance(task.outcome, TaskCanceled)):
                return task
        return None

    def refused(self, event: Any) -> None:
        """SWF did not accept the close."""
        if event.cause == NOT_PERMITTED:
            raise refused_engine(event)
        if event.cause == UNHANDLED:
            return
        if is_backpressure(event.cause):
            self.waits = True
            self._execution.backoff.start()
        else:
            self.pending_close = Fail(ScheduleFailed(event.cause, 'the restart was refused'))
