"""Calls: the tasks that SWF knows by an id.

A call passes through the phases of :mod:`genflow.core.calls.phases`, from the code that makes it until SWF says nothing
more of it.

Activities, children and Lambda functions may need several attempts (:class:`RetryableCall`). A call keeps its number;
each attempt has an id of its own, ``<number>.<attempt>``. A wait before an attempt is a timer of the engine,
``<number>.<attempt>;w``. Whether there is one is decided when the decision is sent, and read from the history at
replay, so that changed policies and delays disturb nothing that runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from genflow.core.calls.phases import (
    BACKLOGGED,
    NEW,
    OVER,
    PAUSED,
    QUEUED,
    RECORDED,
    SENT,
    SLOT_RESERVED,
    WAIT_OVER,
    WAIT_RECORDED,
)
from genflow.core.errors import (
    HistoryError,
    ScheduleFailed,
    TaskFailed,
)
from genflow.core.model import decisions, events
from genflow.core.model.info import Info
from genflow.core.model.refusals import WAYS_OUT
from genflow.core.model.retry import least_wait
from genflow.core.model.wire_names import RETRY_TIMER_SUFFIX
from genflow.core.payloads.failures import decode_failure
from genflow.core.payloads.hooks import MAX_PAYLOAD, excerpt
from genflow.core.payloads.writing import check_input, written_arguments
from genflow.core.protocols import Callee, Engine
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task, Waiter
from genflow.core.text import Location, place, short

__all__ = [
    'Call',
    'Cancellation',
    'Ignored',
    'RetryTimer',
    'RetryableCall',
    'refused_key',
]

MAX_SHOWN = 200

ATOMS = frozenset({str, int, float, bool, type(None), bytes})


class Call(Task[Any]):
    """The part that all calls share.

    Attributes:
        quota: Which of SWF's limits on open work it counts for, or ``None``.
        incompatible: Whether it is not sent beside a close: SWF refuses a batch that schedules an activity or timer and
            closes.
        input: The serialized arguments.
        phase: Where it is on its way to SWF and back; see :mod:`genflow.core.calls.phases`.
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

    def arguments(self) -> tuple[Any, ...]:
        """The values that may contain tasks."""
        return ()

    def is_plain(self) -> bool:
        """Cheap check: true if no argument can contain a task."""
        return False

    @property
    def may_wait_for_branches(self) -> bool:  # type: ignore[override]
        return self.phase == NEW

    def waited_for(self) -> Iterable[Task[Any]]:
        """The open tasks among the arguments."""
        return self.loop.open_arguments(self)

    def prepare(self) -> None:
        """Serializes the arguments."""

    def begin(self) -> None:
        """Queues the call; all tasks among its arguments have settled."""
        self.loop.outbox.add(self)

    def decision(self) -> decisions.Decision:
        """What to send now."""
        raise TypeError(f'a {self.kind} has no decision to send')

    # matching against the history

    def matches(self, event: Any) -> bool:
        """Whether a recorded output event is this call's, apart from its input."""
        raise TypeError(f'{self.kind} matches nothing')

    def recorded(self, event: Any) -> None:
        """The history shows that it was sent."""
        self.loop.outbox.change(self, RECORDED)
        if isinstance(event, events.Refused):
            return
        self.ref = event.id
        self.loop.refs[event.id] = self

    def recorded_input(self, event: Any) -> str | None:
        """What the history recorded as the input, where that is to be compared with :attr:`input`."""
        return getattr(event, 'input', None)

    def description(self) -> dict[str, Any]:
        """What it asks SWF for, in words, for a report."""
        return {'kind': self.kind, 'number': self.number, 'input': self.input}

    # afterwards

    def apply(self, event: Any) -> None:
        """Applies an event about it."""
        raise HistoryError(f'event {event.id} ({type(event).__name__}) does not apply to {self.label}')

    def refused(self, event: Any) -> None:
        """Applies SWF's refusal."""
        self.over()
        self.settle(ERROR, ScheduleFailed(event.cause, getattr(event, 'message', None), task=self))

    def over(self) -> None:
        """Ends the call at SWF: no further event is about it."""
        self.loop.outbox.change(self, OVER)
        if self.cancellation is not None:
            self.cancellation.dropped = True
            self.cancellation = None

    def withdraw(self) -> Iterable[Task[Any]]:
        if self.phase is QUEUED:
            self.over()
        elif self.phase is SENT:
            self.ask_to_cancel()
        else:
            self.loop.outbox.change(self, OVER)
        return ()

    def ask_to_cancel(self) -> None:
        """Requests its cancellation at SWF; does nothing for a kind of call that SWF cannot cancel."""

    @property
    def lasts(self) -> float | None:
        """The most seconds that it may take; ``None`` if the code sets no limit."""
        return None

    def check_duration(self, reported: set[Location | None]) -> None:
        """Reports a call that lasts longer than the execution itself, once for each line: SWF says nothing of it.

        An execution ends by its own time-out, an hour unless its type says otherwise. A timer that would fire later
        never does, and a time limit that is longer limits nothing.

        Args:
            reported: The lines of which that was reported.
        """
        lasts = self.lasts
        if lasts is None or lasts == math.inf or self.where in reported:
            return
        left = _seconds_left(self.loop)
        if lasts >= left:
            reported.add(self.where)
            info = self.loop.info
            self.loop.report(
                f'{info}: {self.label}, called at {place(self.where)}, lasts {lasts:,.0f} s, but the execution itself '
                f'times out in {left:,.0f} s: its workflow_duration is {info.workflow_duration:,.0f} s. Give the '
                'workflow a longer one, as in @workflow(..., workflow_duration=31 * 86400)'
            )

    @property
    def dropped(self) -> bool:
        return self.phase not in (QUEUED, SLOT_RESERVED, BACKLOGGED)


class RetryableCall(Call):
    """A call that may need several attempts: an activity, a child or a Lambda function.

    Attributes:
        attempt: The number of the current attempt, from 1.
        uncounted: The number of attempts that do not count for the retry policy.
        ready: Whether the wait before this attempt is over.
    """

    __slots__ = ('args', 'attempt', 'failure', 'kwargs', 'proxy', 'ready', 'settings', 'uncounted')

    quota: str
    is_stoppable = False
    """Whether it can be asked to stop while it runs."""
    incompatible = True  # a wait before it is a timer; and what a close would end at once is not begun

    def __init__(self, loop: Any, proxy: Callee, settings: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # Every slot of the base classes is set here: three calls of __init__ are a tenth of what a call costs.
        self.loop = loop
        self.number = self.outcome = self.waiters = self.input = self.key = self.where = self.cancellation = None
        self.state = OPEN
        self.retrieved = False
        self.phase = NEW
        self.ref = 0
        self.proxy = proxy
        self.settings = settings
        self.args = args
        self.kwargs = kwargs
        self.attempt = 1
        self.uncounted = 0
        self.ready = False
        self.failure: BaseException | None = None
        self.keeps_open = True

    @property
    def options(self) -> Any:
        return self.settings

    def arguments(self) -> tuple[Any, ...]:
        return (self.args, self.kwargs) if self.kwargs else (self.args,)

    def wait(self, waiter: Waiter) -> None:  # as a task's, without two calls more
        self.retrieved = True
        if self.waiters is None:
            self.waiters = [waiter]
        else:
            self.watch(waiter)

    def is_plain(self) -> bool:
        for value in self.args:
            if type(value) not in ATOMS:
                return False
        return not self.kwargs

    def prepare(self) -> None:
        write = self.proxy._serialize_arguments
        try:
            text = self.input = write(*self.args, **self.kwargs)
        except (TypeError, ValueError):  # once more, to say which argument it is: what costs time is left to here
            text = self.input = written_arguments(self.label, write, self.args, self.kwargs)
        if type(text) is not str or not text.isascii() or len(text) > MAX_PAYLOAD:
            check_input(text, self.label, self.args, self.kwargs, self.where)

    @property
    def lasts(self) -> float | None:
        lasts: float | None = self.settings.lasts
        return lasts

    # attempts and retries

    @property
    def attempt_id(self) -> str:
        """``<number>.<attempt>``, which stands in the id or control of every attempt."""
        return f'{self.number}.{self.attempt}'

    @property
    def wait_id(self) -> str:
        """The id of the timer of the wait before this attempt."""
        return f'{self.attempt_id}{RETRY_TIMER_SUFFIX}'

    def pause(self) -> int:
        """The seconds to wait before this attempt; read only in a live decision."""
        if self.attempt == 1:
            return int(self.settings.delay)
        if self.failure is None:  # an uncounted try
            return 0
        tried = self.attempt - 1 - self.uncounted
        wait = self.settings.retry.for_failure(self.failure).interval(tried, self.loop.jitter(self))
        return max(int(wait), least_wait(self.failure, tried))

    def decision(self) -> decisions.Decision:
        if not self.ready:
            wait = self.pause()
            if wait:
                return decisions.StartTimer(self.wait_id, wait)
        return self.start_decision()

    def start_decision(self) -> decisions.Decision:
        raise TypeError(f'{self.kind} starts nothing')

    def matches(self, event: Any) -> bool:
        if isinstance(event, events.TimerStarted):
            return not self.ready and event.timer_id == self.wait_id
        if isinstance(event, events.Refused) and event.kind == 'timer':
            return event.key == self.wait_id
        return self.matches_start(event)

    def waits_for(self, event: Any) -> bool:
        """Whether a refusal is that of the wait before an attempt."""
        return isinstance(event, events.Refused) and event.kind == 'timer'

    def matches_start(self, event: Any) -> bool:
        raise TypeError(f'{self.kind} matches nothing')

    def recorded(self, event: Any) -> None:
        if type(event) is events.TimerStarted:
            self.loop.outbox.change(self, WAIT_RECORDED)
            self.ref = event.id
            self.loop.refs[event.id] = RetryTimer(self)
        else:
            super().recorded(event)

    def recorded_input(self, event: Any) -> str | None:
        return self.input if isinstance(event, (events.TimerStarted, events.Refused)) else event.input

    def timer_gone(self) -> None:
        """The wait has ended or was cancelled."""
        self.loop.refs.pop(self.ref, None)
        self.loop.outbox.change(self, WAIT_OVER if self.state == OPEN else OVER)
        if self.cancellation is not None:
            self.cancellation.dropped = True
            self.cancellation = None

    def attempt_failed(self, error: TaskFailed, *, uncounted: bool = False) -> None:
        """Applies the failure of an attempt: another attempt follows, or the call fails."""
        if self.state != OPEN:
            self.over()
            return
        failure = self.brought_back(error)
        if not self.loop.tries_again(self, failure, uncounted=uncounted):
            self.over()
            self._note(failure)
            self.settle(ERROR, failure)
            return
        self.uncounted += uncounted
        self.failure = None if uncounted else failure
        self.attempt += 1
        self.ready = False
        self.loop.outbox.again(self)

    @property
    def last_failure(self) -> BaseException | None:
        return self.failure

    def _note(self, failure: BaseException) -> None:
        """Adds to a failure that its policy did not apply to it; to its traceback, for its text may be compared."""
        note = self.settings.retry.unused(failure, self.attempt - self.uncounted)
        if note is not None:
            notes = vars(failure).setdefault('__notes__', [])
            if note not in notes:
                notes.append(note)

    def brought_back(self, error: TaskFailed) -> BaseException:
        """The user's own exception where ``raises=`` names its class, else ``error`` itself."""
        remote = decode_failure(error.reason, error.details)
        error.details, error.traceback, error.names = remote.details, remote.traceback, remote.names
        error.retry_after = remote.retry_after
        error.args = (error.reason, error.details)
        own = remote.rebuilt(self.settings.raises) if self.settings.raises else None
        if own is None:
            return error
        own.__cause__ = error
        return own

    def refused(self, event: Any) -> None:
        details = getattr(event, 'message', None) or WAYS_OUT.get(event.cause)
        self.attempt_failed(ScheduleFailed(event.cause, details, task=self))

    def succeeded(self, event: Any) -> None:
        """SWF has its result."""
        self.over()
        if self.state != OPEN:
            return
        text = event.result
        try:
            value = None if text is None else self.proxy._deserialize_result(text)
        except Exception as error:
            raise HistoryError(
                f'the result of {self.label} in event {event.id} cannot be read: {excerpt(text or "")}; check that '
                f'the other side uses the same transport ({type(error).__name__}: {error})'
            ) from error
        self.settle(VALUE, value)

    def stop(self) -> Iterable[Task[Any]] | None:
        if not self.is_stoppable or self.phase is not SENT:
            return None
        if self not in self.loop.stopping:
            self.loop.stopping.add(self)
            self.ask_to_cancel()
        return ()

    def withdraw(self) -> Iterable[Task[Any]]:
        if self in self.loop.stopping:  # the cancellation was requested
            return ()
        if self.phase is not PAUSED:
            return super().withdraw()
        self.loop.outbox.add(Cancellation(self, self.wait_id))
        return ()

    # descriptions

    def asked(self) -> tuple[Any, ...]:
        return (self.proxy.name, self.proxy.version, self.args, self.kwargs)

    def description(self) -> dict[str, Any]:
        return {
            'kind': self.kind,
            'number': self.number,
            'name': self.proxy.name,
            'version': self.proxy.version,
            'input': self.input,
        }

    @property
    def label(self) -> str:
        number = '' if self.number is None else f' {self.number}'
        version = '' if self.proxy.version is None else f' {self.proxy.version}'
        return f'{self.kind}{number} {self.proxy.name}{version}'

    def __repr__(self) -> str:
        words = [
            *(short(value, MAX_SHOWN) for value in self.args),
            *(f'{name}={short(value, MAX_SHOWN)}' for name, value in self.kwargs.items()),
        ]
        state = ('', ' done', ' failed')[self.state]
        return f'<{self.label}({", ".join(words)}){state}>'


class RetryTimer:
    """The engine's timer before an attempt."""

    __slots__ = ('call',)

    def __init__(self, call: RetryableCall) -> None:
        self.call = call

    def apply(self, event: Any) -> None:
        call = self.call
        call.timer_gone()
        if call.state == OPEN:
            call.ready = True
            call.loop.outbox.add(call)


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
        """Removes the cancellation from the outbox, so that SWF keeps the call open."""
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
    """Stands for something in the history that the code does not wait for, so that its events change nothing."""

    __slots__ = ()

    def apply(self, event: Any) -> None:
        """Ignores the event."""


def _seconds_left(loop: Engine) -> float:
    """The seconds until an execution times out."""
    info: Info = loop.info
    if info.workflow_duration is None or info.started_at is None:
        return math.inf
    return info.workflow_duration - (loop.time - info.started_at).total_seconds()


def refused_key(event: Any, kind: str) -> str | None:
    """The key of a refused decision of this kind."""
    return event.key if isinstance(event, events.Refused) and event.kind == kind else None
