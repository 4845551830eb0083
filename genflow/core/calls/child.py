"""Child workflows: retried like activities, and signalled once they have started."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from genflow.core.calls.call import Cancellation, RetryableCall
from genflow.core.calls.external import SignalCall, signal_child
from genflow.core.calls.phases import SENT
from genflow.core.errors import (
    ChildCanceled,
    ChildFailed,
    ChildTerminated,
    ChildTimedOut,
    DefinitionError,
    SignalFailed,
    TaskFailed,
)
from genflow.core.model import decisions, events
from genflow.core.model.options import ChildOptions
from genflow.core.tasks.task import ERROR

__all__ = ['ChildCall', 'child_id']

SAFE = frozenset('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._;=-')
MAX_PARENT = 180
"""Characters of the parent's workflow id that stand in a child's; SWF takes 256 in all."""


def child_id(workflow_id: str | None, run_id: str | None, attempt_id: str) -> str:
    """The workflow id of a child that was given none: unique to the run, the call and the attempt."""
    parent = ''.join(letter if letter in SAFE else '_' for letter in (workflow_id or 'workflow')[:MAX_PARENT])
    digest = sha256(f'{workflow_id}\n{run_id}'.encode()).hexdigest()[:10]
    return f'{parent}-{digest}-{attempt_id}'


class ChildCall(RetryableCall):
    """``self.order(x)`` where ``order`` is a ``WorkflowProxy``.

    Attributes:
        run_id: The run id of the child, once it has started.
        detached: Whether the child may outlive this execution.
        lingering: Whether it is cancelled for the code, and keeps this execution open until SWF has closed it.
    """

    __slots__ = ('detached', 'lingering', 'on_start', 'run_id', 'wants_cancel')

    kind = 'child'
    quota = 'child'
    is_stoppable = True

    def __init__(self, loop: Any, proxy: Any, settings: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__(loop, proxy, settings, args, kwargs)
        self.run_id: str | None = None
        self.detached = False
        self.lingering = False
        self.wants_cancel = False
        self.on_start: list[SignalCall] = []

    # public methods

    @property
    def workflow_id(self) -> str | None:
        """The child's workflow id; ``None`` on a description that was given none."""
        if self.key is not None:
            return self.key
        if self.settings.workflow_id is not None or self.number is None:
            given: str | None = self.settings.workflow_id
            return given
        return self._own_id()

    def signal(self, signal: Any, value: Any = None) -> SignalCall:
        """Signals the child, once it has started; settles when SWF has delivered it."""
        return signal_child(self, signal, value)

    def detach(self) -> ChildCall:
        """Lets the child outlive this execution, which then waits for its start only.

        Raises:
            DefinitionError: This execution's own child policy is not ``ABANDON``: SWF applies the policy of the
                execution that closes, on every close.
        """
        if self.number is None or self.loop.silent:
            return self
        policy = self.loop.info.child_policy
        if policy != 'ABANDON':
            raise DefinitionError(
                f'{self.label} cannot outlive this execution, whose child policy is {policy}: SWF applies it to '
                "every open child on every close. Start this workflow with child_policy='ABANDON'"
            )
        self.detached = True
        self._let_go()
        return self

    # the life of a call

    def _own_id(self) -> str:
        info = self.loop.info
        return child_id(info.workflow_id or None, info.run_id or None, self.attempt_id)  # as ids without one were made

    def start_decision(self) -> decisions.Decision:
        options: ChildOptions = self.settings
        return decisions.StartChild(
            self._own_id() if self.settings.workflow_id is None else self.settings.workflow_id,
            self.proxy.name,
            self.proxy.version,
            self.input,
            self.attempt_id,
            options.task_list,
            options.priority,
            options.workflow_duration,
            options.decision_duration,
            options.child_policy,
            options.tags or (),
            options.lambda_role,
        )

    def matches_start(self, event: Any) -> bool:
        given = self.settings.workflow_id
        if isinstance(event, events.Refused):
            return event.kind == 'child' and (event.control or self.attempt_id) == self.attempt_id
        return (
            isinstance(event, events.ChildInitiated)
            and event.control == self.attempt_id
            and event.name == self.proxy.name
            and event.version == self.proxy.version
            and (event.workflow_id == given if given is not None else event.workflow_id.endswith(f'-{self.attempt_id}'))
        )

    def recorded(self, event: Any) -> None:
        super().recorded(event)
        if type(event) is events.ChildInitiated:
            self.key = event.workflow_id

    def description(self) -> dict[str, Any]:
        return {**super().description(), 'workflow id': self.workflow_id}

    def apply(self, event: Any) -> None:
        _CHILD[type(event)](self, event)

    def started(self, event: events.ChildStarted) -> None:
        self.run_id = event.run_id
        self._let_go()
        if self.wants_cancel:
            self.loop.outbox.add(Cancellation(self))
        waiting, self.on_start = self.on_start, []
        for call in waiting:
            call.child_started()

    def _let_go(self) -> None:
        if self.detached and self.run_id is not None and self.keeps_open:
            self.keeps_open = False
            self.loop.open_blockers -= 1

    def settle(self, state: int, outcome: Any) -> None:
        super().settle(state, outcome)
        if self.on_start and self.phase is not SENT:
            self._never_started()

    def _never_started(self) -> None:
        waiting, self.on_start = self.on_start, []
        for call in waiting:
            self.loop.deferred.pop(call.number or 0, None)
            call.settle(ERROR, SignalFailed('the child was never started', task=call))

    def over(self) -> None:
        super().over()
        if self.on_start:
            self._never_started()
        self.loop.refs.pop(self.ref, None)
        self.run_id = None
        self.wants_cancel = False
        if self.lingering:
            self.lingering = False
            self.loop.open_blockers -= 1

    def attempt_failed(self, error: TaskFailed, *, uncounted: bool = False) -> None:
        self.loop.refs.pop(self.ref, None)
        self.run_id = None
        super().attempt_failed(error, uncounted=uncounted)

    def failed(self, event: events.Failed) -> None:
        self.attempt_failed(ChildFailed(event.reason, event.details, task=self))

    def timed_out(self, event: events.TimedOut) -> None:
        error = ChildTimedOut(f'timed out: {event.timeout_type}', task=self, timeout_type=event.timeout_type)
        self.attempt_failed(error)

    def was_canceled(self, event: events.Canceled) -> None:
        self.attempt_failed(ChildCanceled('canceled', event.details, task=self))

    def terminated(self, event: events.Terminated) -> None:
        self.attempt_failed(ChildTerminated('terminated', task=self))

    def undelivered(self, event: events.Undelivered) -> None:
        self.loop.refs.pop(self.ref, None)
        self.loop.refuse(self, event)

    # cancellation

    def ask_to_cancel(self) -> None:
        if self.keeps_open:
            self.keeps_open = False
            self.lingering = True
        if self.run_id is None:
            self.wants_cancel = True
        else:
            self.loop.outbox.add(Cancellation(self))

    @property
    def cancels_on_start(self) -> bool:
        """Whether it is to be cancelled as soon as it has started."""
        return self.wants_cancel and self.run_id is None

    def cancel_decision(self) -> decisions.Decision:
        return decisions.RequestCancelExternal(str(self.key), None, str(self.number))

    def matches_cancel(self, event: Any) -> bool:
        return isinstance(event, events.CancelInitiated) and event.workflow_id == self.key

    def canceled_error(self) -> TaskFailed:
        return ChildCanceled('canceled by the workflow', task=self)

    def timeout_error(self, seconds: int) -> TaskFailed:
        return ChildTimedOut(f'not settled within {seconds} s', task=self)


_CHILD: dict[type, Any] = {
    events.ChildStarted: ChildCall.started,
    events.Completed: ChildCall.succeeded,
    events.Failed: ChildCall.failed,
    events.TimedOut: ChildCall.timed_out,
    events.Canceled: ChildCall.was_canceled,
    events.Terminated: ChildCall.terminated,
    events.Undelivered: ChildCall.undelivered,
}
