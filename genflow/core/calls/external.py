"""Messages to other executions: signals and cancel requests."""

from __future__ import annotations

import sys
from typing import Any, Protocol

from genflow.core.calls.call import Call
from genflow.core.calls.phases import CLOSED
from genflow.core.errors import CancelFailed, SignalFailed, TaskFailed
from genflow.core.model import decisions, events
from genflow.core.payloads.hooks import MAX_PAYLOAD
from genflow.core.payloads.wire_text import units
from genflow.core.payloads.writing import INPUT_WAY_OUT, too_large, written
from genflow.core.protocols import Engine
from genflow.core.tasks.signals import signal_name
from genflow.core.tasks.task import ERROR, OPEN, VALUE
from genflow.core.text import place

__all__ = ['CancelCall', 'ExternalCall', 'SignalCall', 'signal_child']


class Child(Protocol):
    """A child as the target of a signal; :class:`genflow.core.calls.child.ChildCall` documents it."""

    number: int | None
    loop: Engine
    phase: str
    state: int
    run_id: str | None
    on_start: list[SignalCall]

    @property
    def workflow_id(self) -> str | None: ...


class ExternalCall(Call):
    """A message to another execution: a signal or a cancel request.

    Attributes:
        target: The workflow id of the receiver, or the child that receives it.
        receiver: The workflow id of the receiver, once the message is to be sent; each attempt of a child has its own.
        undelivered: The exception class that its ``yield`` raises if it was not delivered.
    """

    __slots__ = ('receiver', 'run_id', 'target')

    undelivered: type[TaskFailed] = SignalFailed

    def __init__(self, loop: Any, target: str | Child, run_id: str | None) -> None:
        super().__init__(loop)
        self.target = target
        self.run_id = run_id
        self.receiver: str | None = None
        self.keeps_open = True

    @property
    def workflow_id(self) -> str | None:
        if self.receiver is not None:
            return self.receiver
        return self.target if isinstance(self.target, str) else self.target.workflow_id

    def begin(self) -> None:
        self.receiver = self.workflow_id
        super().begin()

    def recorded(self, event: Any) -> None:
        super().recorded(event)
        self.key = str(self.number)

    def was_refused(self, event: events.Refused) -> bool:
        """Whether a refusal is of this message: SWF records none as initiated that the decider may not send."""
        return event.kind == self.kind and event.control == str(self.number)

    def apply(self, event: Any) -> None:
        del self.loop.refs[event.ref]
        if isinstance(event, events.Undelivered):
            self.loop.refuse(self, event)
        else:
            self.over()
            self.settle(VALUE, None)

    def refused(self, event: Any) -> None:
        self.over()
        self.settle(ERROR, self.undelivered(event.cause, f'{self.label} was not delivered', task=self))

    def description(self) -> dict[str, Any]:
        return {'kind': self.kind, 'number': self.number, 'workflow id': self.workflow_id, 'run id': self.run_id}


class SignalCall(ExternalCall):
    """A signal to another execution.

    Attributes:
        signal: The signal's name.
    """

    __slots__ = ('signal', 'value')

    kind = 'signal'

    def __init__(self, loop: Any, target: str | Child, run_id: str | None, signal: str, value: Any) -> None:
        super().__init__(loop, target, run_id)
        self.signal = signal
        self.value = value

    def arguments(self) -> tuple[Any, ...]:
        return (self.value,)

    def prepare(self) -> None:
        self.input = written(self.value, f'the value of {self.label}')
        if units(self.input) > MAX_PAYLOAD:
            way_out = f'{INPUT_WAY_OUT} (called at {place(self.where)})'
            raise too_large(f'the value of {self.label}', self.input, way_out)

    def begin(self) -> None:
        """Queues the signal, or keeps it until the child that it is for has started."""
        target = self.target
        if not isinstance(target, str) and target.run_id is None:
            if target.phase == CLOSED or target.state != OPEN:
                self.settle(ERROR, SignalFailed('UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION', task=self))
            else:
                self.loop.deferred[self.number or 0] = self
                target.on_start.append(self)
        else:
            super().begin()

    def child_started(self) -> None:
        self.loop.deferred.pop(self.number or 0, None)
        if self.state == OPEN:
            super().begin()

    def decision(self) -> decisions.Decision:
        return decisions.SignalExternal(str(self.workflow_id), self.signal, self.run_id, self.input, str(self.number))

    def matches(self, event: Any) -> bool:
        if isinstance(event, events.Refused):
            return self.was_refused(event)
        return (
            isinstance(event, events.SignalInitiated)
            and event.control == str(self.number)
            and event.workflow_id == self.workflow_id
            and event.signal == self.signal
            and event.run_id == self.run_id
        )

    def recorded_input(self, event: Any) -> str | None:
        return self.input if isinstance(event, events.Refused) else super().recorded_input(event)

    def asked(self) -> tuple[Any, ...]:
        return (self.target, self.run_id, self.signal, self.value)

    def description(self) -> dict[str, Any]:
        return {**super().description(), 'signal': self.signal, 'input': self.input}

    @property
    def label(self) -> str:
        number = '' if self.number is None else f' {self.number}'
        return f'signal{number} {self.signal!r} to {self.workflow_id}'


class CancelCall(ExternalCall):
    """A cancel request to another execution."""

    __slots__ = ()

    kind = 'cancel request'
    undelivered = CancelFailed

    def decision(self) -> decisions.Decision:
        return decisions.RequestCancelExternal(str(self.workflow_id), self.run_id, str(self.number))

    def matches(self, event: Any) -> bool:
        if isinstance(event, events.Refused):
            return self.was_refused(event)
        return (
            isinstance(event, events.CancelInitiated)
            and event.control == str(self.number)
            and event.workflow_id == self.workflow_id
            and event.run_id == self.run_id
        )

    def recorded_input(self, event: Any) -> str | None:
        return None

    def asked(self) -> tuple[Any, ...]:
        return (self.target, self.run_id)

    @property
    def label(self) -> str:
        number = '' if self.number is None else f' {self.number}'
        return f'cancel request{number} to {self.workflow_id}'


def signal_child(child: Child, signal: Any, value: Any) -> SignalCall:
    """A signal to a child, sent once that has started."""
    loop = None if child.number is None else child.loop.owner
    call = SignalCall(loop, child, None, signal_name(signal), value)
    if loop is not None:
        loop.schedule(call, sys._getframe(2))
    elif child.number is not None:
        child.loop.describes(call.label)
    return call
