"""Calls: the tasks that SWF knows by an id.

A call passes through phases: NEW while an argument is still a task, HELD while SWF's limit on open work leaves it no
place, QUEUED while its decision waits in the outbox, SENT once the history has recorded it, CLOSED when SWF says
nothing more of it. SEATED is QUEUED too, for a wait before an attempt, with a place among the open timers. What the
code sees of it (open, value, error) is the task's own state: a cancelled activity is settled for the code while SWF
still has it open.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import FrameType
from typing import Any

from genflow.core.errors import (
    HistoryError,
    PayloadTooLarge,
    ScheduleFailed,
)
from genflow.core.model import decisions, events
from genflow.core.payloads.hooks import MAX_PAYLOAD, excerpt
from genflow.core.payloads.wire_text import units
from genflow.core.protocols import Engine
from genflow.core.tasks.task import ERROR, Task
from genflow.core.text import Location, place

__all__ = [
    'BACKLOGGED',
    'CLOSED',
    'NEW',
    'QUEUED',
    'SENT',
    'SLOT_RESERVED',
    'Call',
    'Cancellation',
    'refused_key',
]

NEW, BACKLOGGED, QUEUED, SLOT_RESERVED, SENT, CLOSED = 'new', 'held', 'queued', 'seated', 'sent', 'closed'

ATOMS = frozenset({str, int, float, bool, type(None), bytes})


class Call(Task[Any]):
    """The part that all calls share.

    Attributes:
        quota: Which of SWF's limits on open work it counts for, or ``None``.
        incompatible: Whether it is not sent beside a close: SWF refuses a batch that schedules an activity or timer and
            closes.
        input: The serialized arguments.
        phase: How far it has come with SWF.
        key: The id by which SWF knows it, once it is recorded.
        ref: The id of the event that recorded it.
        where: The user's line that made it.
        cancellation: The entry in the outbox that cancels it, while that is unsent.
    """

    __slots__ = ('cancellation', 'input', 'key', 'phase', 'ref', 'where')

    quota: str | None = None
    incompatible = False
    is_call = True
    loop: Engine

    def __init__(self, loop: Any) -> None:
        super().__init__(loop)
        self.input: str | None = None
        self.phase = NEW
        self.key: str | None = None
        self.ref = 0
        self.where: Location | None = None
        self.cancellation: Cancellation | None = None

    # before it is sent

    def made_at(self, frame: FrameType) -> None:
        self.where = (frame.f_code, frame.f_lasti)

    def arguments(self) -> tuple[Any, ...]:
        """The values that may contain tasks."""
        return ()

    def is_plain(self) -> bool:
        """Whether it is plain at a glance that no argument contains a task."""
        return False

    @property
    def may_wait_for_branches(self) -> bool:  # type: ignore[override]
        return self.phase == NEW

    def waited_for(self) -> Iterable[Task[Any]]:
        """The tasks among the arguments that are not there yet."""
        return self.loop.open_arguments(self)

    def prepare(self) -> None:
        """Serializes the arguments."""

    def begin(self) -> None:
        """Queues the call: its arguments are there."""
        self.loop.outbox.add(self)

    def decision(self) -> decisions.Decision:
        """What to send now."""
        raise TypeError(f'{self.kind} sends nothing')

    # matching against the history

    def matches(self, event: Any) -> bool:
        """Whether a recorded output event is this call's, apart from its input."""
        raise TypeError(f'{self.kind} matches nothing')

    def recorded(self, event: Any) -> None:
        """The history shows that it was sent."""
        self.phase = SENT
        if isinstance(event, events.Refused):
            return
        self.ref = event.id
        self.loop.refs[event.id] = self

    def recorded_input(self, event: Any) -> str | None:
        """What the history recorded as the input, where that is to be compared with :attr:`input`."""
        return getattr(event, 'input', None)

    def description(self) -> dict[str, Any]:
        """What it asks for, for a report."""
        return {'kind': self.kind, 'number': self.number, 'input': self.input}

    # afterwards

    def apply(self, event: Any) -> None:
        """What the history says of it."""
        raise HistoryError(f'event {event.id} ({type(event).__name__}) says nothing that {self.label} knows')

    def refused(self, event: Any) -> None:
        """SWF would not do it."""
        self.over()
        self.settle(ERROR, ScheduleFailed(event.cause, getattr(event, 'message', None), task=self))

    def over(self) -> None:
        """SWF says nothing more of it."""
        phase, self.phase = self.phase, CLOSED
        if self.quota is not None and (phase is SENT or phase is QUEUED):
            self.loop.outbox.release(self.quota)
        if self.cancellation is not None:
            self.cancellation.dropped = True
            self.cancellation = None

    def withdraw(self) -> Iterable[Task[Any]]:
        if self.phase == QUEUED:
            self.over()
        elif self.phase in (NEW, BACKLOGGED):
            self.phase = CLOSED
        elif self.phase == SENT:
            self.ask_to_cancel()
        return ()

    def ask_to_cancel(self) -> None:
        """Cancels what SWF has; nothing where SWF cannot."""

    @property
    def lasts(self) -> float | None:
        """How many seconds it may take at most, where the code says so."""
        return None

    @property
    def dropped(self) -> bool:
        return self.phase not in (QUEUED, SLOT_RESERVED, BACKLOGGED)

    def too_large(self, text: str, what: str, blame: str = '') -> PayloadTooLarge:
        return PayloadTooLarge(
            f'{what} of {self.label} has {units(text):,} characters, SWF takes {MAX_PAYLOAD:,}: {excerpt(text)}; '
            f'{blame}pass a reference to the data instead (called at {place(self.where)})'
        )


class Cancellation:
    """An entry of the outbox: cancels a call that SWF has."""

    __slots__ = ('call', 'dropped', 'timer')

    quota = None
    input = None
    incompatible = False

    def __init__(self, call: Call, timer: str | None = None) -> None:
        self.call = call
        self.timer = timer
        self.dropped = False
        call.cancellation = self

    def decision(self) -> decisions.Decision:
        if self.timer is not None:
            return decisions.CancelTimer(self.timer)
        return self.call.cancel_decision()  # type: ignore[attr-defined,no-any-return]

    def matches(self, event: Any) -> bool:
        if self.timer is not None:
            shown = event.timer_id if isinstance(event, events.TimerCanceled) else refused_key(event, 'cancel timer')
            return bool(shown == self.timer)
        return bool(self.call.matches_cancel(event))  # type: ignore[attr-defined]

    def recorded(self, event: Any) -> None:
        call, timer = self.call, self.timer
        call.cancellation = None
        if timer is not None and isinstance(event, events.TimerCanceled):
            call.timer_gone()  # type: ignore[attr-defined]
        elif isinstance(event, events.CancelInitiated):
            call.loop.refs[event.id] = call.loop.ignored

    def withdraw(self) -> None:
        """It is not sent: SWF keeps the call open."""
        self.dropped = True
        self.call.cancellation = None

    def recorded_input(self, event: Any) -> str | None:
        return None

    def description(self) -> dict[str, Any]:
        return {'kind': f'cancel {self.call.kind}', 'number': self.call.number, 'id': self.timer or self.call.key}

    @property
    def label(self) -> str:
        return f'the cancellation of {self.call.label}'

    @property
    def where(self) -> Location | None:
        return self.call.where


class Ignored:
    """Stands for what the history may say of something that the code does not wait for."""

    __slots__ = ()

    def apply(self, event: Any) -> None:
        """Nothing comes of it."""


def refused_key(event: Any, kind: str) -> str | None:
    """The key of a refused decision of this kind."""
    return event.key if isinstance(event, events.Refused) and event.kind == kind else None
