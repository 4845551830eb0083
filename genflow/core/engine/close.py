"""The end of an execution: from ``run``'s last word to the close that SWF accepts.

When ``run`` has ended, what it wishes stands: its result, its failure, its cancellation or a restart. The close waits
until every branch has ended: where ``run`` returned, spawned branches are waited for and the others cancelled; where
it raised or was cancelled, all are cancelled. A failure then closes, whatever calls are open; where the execution was
cancelled, what is still open is asked to stop; and everything but a failure waits until nothing that was called holds
the execution any more. A failure that nobody took turns a result into a failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from attrs import define, field

from genflow.core.calls.call import Cancellation
from genflow.core.calls.child import ChildCall
from genflow.core.engine.deadlock import is_stalled
from genflow.core.engine.pending_close import Cancel, Complete, ContinueWith, Fail, PendingClose
from genflow.core.engine.state import State
from genflow.core.engine.throttling import Backoff
from genflow.core.engine.updates import has_replies
from genflow.core.errors import (
    BranchCanceled,
    Canceled,
    ScheduleFailed,
    TaskCanceled,
    WorkflowCanceled,
    YieldError,
)
from genflow.core.model import decisions
from genflow.core.model.refusals import NOT_PERMITTED, UNHANDLED, is_backpressure, refused_engine
from genflow.core.model.restart import Restart
from genflow.core.payloads.wire_text import is_sendable
from genflow.core.payloads.writing import RESULT_WAY_OUT, check_length, written
from genflow.core.tasks.branch import Branch
from genflow.core.tasks.task import ERROR, OPEN, Task
from genflow.core.tasks.unused import dropped_by
from genflow.core.text import raised_at

__all__ = ['Closing']

CARRIED_OVER = (
    'task_list',
    'priority',
    'workflow_duration',
    'decision_duration',
    'child_policy',
    'tags',
    'lambda_role',
)
"""The options of event 1 that a restart gives to the next run, unless it names others."""


@define(eq=False)
class Closing:
    """How one execution ends."""

    _state: State
    _backoff: Backoff
    _reported_unread: dict[str, int] = field(factory=dict, init=False)
    _reported_errors: list[Task[Any]] = field(factory=list, init=False)

    @property
    def failing(self) -> bool:
        return isinstance(self._state.pending_close, Fail)

    def interrupt(self) -> None:
        """A cancellation was requested: each branch gets it once."""
        if not self._state.interrupted:
            self._state.interrupted = True
            self._cancel_branches(self._state.live)

    def conclude(self, root: Branch) -> None:
        """``run`` has ended: what does it wish?"""
        if self._state.pending_close is not None:
            return
        outcome = root.outcome
        self._report_unused(root)
        if root.state != ERROR:
            self._state.pending_close = self._returned(outcome)
        elif isinstance(outcome, Canceled):
            self._state.pending_close = Cancel(outcome.details)
        else:
            self._state.pending_close = Fail(outcome)
        if isinstance(self._state.pending_close, (Fail, Cancel)):
            self._cancel_branches(self._state.live)
        else:
            self._cancel_branches(filter(_is_dispensable, self._state.live))

    def _cancel_branches(self, branches: Iterable[Branch]) -> None:
        error = WorkflowCanceled if self._state.interrupted else BranchCanceled
        self._state.cancellations.cancel(list(branches), error, targeted=False)

    # what has to end before the close

    def unwind(self) -> None:
        """Ends at the end of a decision what has to end before the close."""
        state = self._state
        self._fail_for_what_is_left()
        if self._state.pending_close is not None and not state.open_blockers and state.live:
            self._cancel_branches(filter(_is_dispensable, state.live))
        state.settle_all()
        if state.live and self._is_hopeless() and is_stalled(state):
            self._close_branches()
        if self._state.pending_close is not None and not state.live and self._asks_to_stop():
            self._cancel_open()
        state.settle_all()

    def _report_unused(self, root: Branch) -> None:
        state = self._state
        unused = list(state.unused.found(state, tasks=root.state != ERROR))
        if not state.replaying:
            for what in dict.fromkeys([*unused, *dropped_by(state.spec.cls)]):
                state.report(f'{state.info}: {what}')

    def _fail_for_what_is_left(self) -> None:
        """A failure that nobody took is the execution's."""
        if isinstance(self._state.pending_close, (Complete, ContinueWith)):
            left = self.failure_left()
            if left is not None:
                self._state.pending_close = Fail(left.outcome, left)
                self._cancel_branches(self._state.live)

    def _asks_to_stop(self) -> bool:
        return not self.failing and (self._state.interrupted or isinstance(self._state.pending_close, Cancel))

    def _is_hopeless(self) -> bool:
        """Whether the branches are to end in any case."""
        return self._state.interrupted or all(branch.cancel_state is not None for branch in self._state.live)

    def _close_branches(self) -> None:
        """Closes branches that wait for nothing while the execution is being cancelled, as at a suspension."""
        state = self._state
        if not state.replaying:
            state.report(
                f'{state.info} is being cancelled and waits for nothing that SWF can deliver, so its branches are '
                f'closed; {state.describe_blocked()}'
            )
        for branch in list(state.live):
            branch.close()
            branch.raised(branch.cancel_state.error if branch.cancel_state is not None else BranchCanceled())

    def _returned(self, value: Any) -> PendingClose:
        restart = self._state.restart
        if restart is not None and value is not restart:
            return Fail(YieldError('restart() was called but not returned; write `return self.restart(...)`'))
        if restart is not None:
            return self.continuing(restart)
        try:
            return Complete(self._result_text(value))
        except Exception as error:  # noqa: BLE001 - what the user's serializer raises fails the workflow
            return Fail(error)

    def _result_text(self, value: Any) -> str:
        state = self._state
        workflow = state.workflow
        text: str = ''
        if workflow is not None:
            text = written(value, f'the result of {state.spec.name}.run', workflow._serialize_result)
        if not is_sendable(text):
            raise ValueError(f'_serialize_result of {state.spec.name} returned text with a lone surrogate')
        return check_length(text, f'the result of {state.spec.name}', RESULT_WAY_OUT)

    def continuing(self, restart: Restart) -> ContinueWith:
        """The wish to go on with the next run, which gets the options of event 1 and the unread signals."""
        given, now = restart.options, self._state.base
        carried = {name: getattr(now, name) for name in CARRIED_OVER if getattr(given, name) is None}
        return ContinueWith(restart, attrs.evolve(given, **carried), self._unread())

    def _unread(self) -> tuple[tuple[str, str | None], ...]:
        return tuple((name, text) for name, box in self._state.mailboxes.items() for text in box.texts)

    def _report_unread(self) -> None:
        """Says which signals nobody has read, once for each time that their number has changed.

        A close that SWF refuses is decided again. A replay finds out as well what was reported then.
        """
        unread = {name: len(box.items) for name, box in self._state.mailboxes.items() if box.items}
        if unread and unread != self._reported_unread and not self._state.replaying:
            counts = ', '.join(f'{name!r} ({count})' for name, count in unread.items())
            self._state.report(
                f'{self._state.info} ends with unread signals: {counts}. To lose none, yield every call, and call '
                'drain() as the last step before run returns'
            )
        self._reported_unread = unread

    def _cancel_open(self) -> None:
        """Cancels everything that is open, in the order in which it was called."""
        found = {call.number or 0: call for call in self._state.calls() if call.state == OPEN}
        for _, call in sorted(found.items()):
            call.cancel()

    # the close

    def decision(self) -> decisions.Decision | None:
        """The close that may be sent now; what SWF would not take beside it is dropped from the outbox."""
        state = self._state
        pending_close = state.pending_close
        if pending_close is None or state.close_waits or state.live:
            return None
        if self._is_kept_waiting():
            return None
        state.outbox.clear_beside(completes=isinstance(pending_close, Complete))
        return self._close(pending_close)

    def _close(self, pending_close: PendingClose) -> decisions.Decision:
        if isinstance(pending_close, ContinueWith):
            return self._restart(pending_close)
        self._report_unread()
        if not isinstance(pending_close, (Fail, Cancel)):
            return pending_close.decision()
        if isinstance(pending_close, Fail) and self._state.replaying:
            return decisions.FailWorkflow()  # its text is for people and is not compared
        return pending_close.decision(self._lost())

    def _restart(self, pending_close: ContinueWith) -> decisions.ContinueAsNew:
        """The restart, with the unread signals.

        Raises:
            PayloadTooLarge: They are too many; the execution is held until the code reads them first.
        """
        found = attrs.evolve(pending_close, signals=self._unread()).decision()
        if not self._state.replaying:
            unread = ', '.join(f'{name!r} ({count})' for name, count in self._state.unread())
            check_length(
                found.input or '',
                f'{self._state.info}: the restart (unread signals: {unread})',
                'have run read them before it restarts, with drain() for instance',
            )
        return found

    def _is_kept_waiting(self) -> bool:
        """Whether calls keep it from closing; a failure waits only for children that it could not cancel yet."""
        state = self._state
        if self.failing:
            return any(isinstance(known, ChildCall) and known.cancels_on_start for known in state.refs.values())
        return state.open_blockers > 0 or self._leaves_child_unasked() or self.waits_for_replies

    @property
    def waits_for_replies(self) -> bool:
        """Whether replies to updates are sent before the close."""
        state = self._state
        if self.failing or state.live or state.open_blockers:
            return False
        return has_replies(state, earlier=not isinstance(state.pending_close, ContinueWith))

    def _leaves_child_unasked(self) -> bool:
        """Whether a completion would come before the cancellation of a detached child, which it does not end."""
        if not isinstance(self._state.pending_close, Complete):
            return False
        return any(
            isinstance(entry, Cancellation) and isinstance(entry.call, ChildCall) and entry.timer is None
            for entry in self._state.outbox.unsent()
        )

    def _lost(self) -> list[BaseException]:
        """What clean-ups raised, of which nobody has heard but the log."""
        state = self._state
        left = self._state.pending_close.left if isinstance(self._state.pending_close, Fail) else None
        lost = [task for task in state.unretrieved if task.was_cancelled and not task.retrieved and task is not left]
        for task in lost:
            if not state.replaying and task not in self._reported_errors:
                self._reported_errors.append(task)
                what = f'{type(task.outcome).__qualname__} at {raised_at(task.outcome)}'
                state.report(f'{state.info}: a clean-up raised {what}; see the details of the close event')
        return [task.outcome for task in lost]

    def failure_left(self) -> Task[Any] | None:
        """The first task whose failure nobody took."""
        state = self._state
        kept = state.unretrieved = [task for task in state.unretrieved if not task.retrieved]
        for task in kept:
            handled = getattr(task.options, 'error_handling', False)
            if not handled and not (self._state.interrupted and isinstance(task.outcome, TaskCanceled)):
                return task
        return None

    def refused(self, event: Any) -> None:
        """SWF did not accept the close."""
        if event.cause == NOT_PERMITTED:
            raise refused_engine(event)
        if event.cause == UNHANDLED:
            return
        if is_backpressure(event.cause):
            self._state.close_waits = True
            self._backoff.start()
        else:
            self._state.pending_close = Fail(ScheduleFailed(event.cause, 'the restart was refused'))


def _is_dispensable(branch: Branch) -> bool:
    """Whether a branch is not waited for when ``run`` has returned."""
    return branch.daemon or not (branch.spawned or branch.keeps_open or branch.wanted())
