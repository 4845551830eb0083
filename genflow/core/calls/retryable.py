"""Calls that may need several attempts: activities, children and Lambda functions.

A retried call keeps its number; each attempt has an id of its own, ``<number>.<attempt>``. A wait before an attempt is
a timer of the engine, ``<number>.<attempt>;w``. Whether there is one is decided when the decision is sent, and read
from the history at replay, so that changed policies and delays disturb nothing that runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genflow.core.calls.call import ATOMS, CLOSED, NEW, QUEUED, SENT, SLOT_RESERVED, Call, Cancellation
from genflow.core.errors import DefinitionError, HistoryError, ScheduleFailed, TaskFailed
from genflow.core.model import decisions, events
from genflow.core.model.refusals import WAYS_OUT
from genflow.core.model.retry import least_wait
from genflow.core.model.wire_names import RETRY_TIMER_SUFFIX
from genflow.core.payloads.failures import decode_failure
from genflow.core.payloads.hooks import MAX_PAYLOAD, excerpt
from genflow.core.payloads.wire_text import is_sendable, units
from genflow.core.payloads.writing import named, written_arguments
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task, Waiter
from genflow.core.text import short

__all__ = ['RetryTimer', 'RetryableCall']

MAX_SHOWN = 200


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


class RetryableCall(Call):
    """A call that may need several attempts: an activity, a child or a Lambda function.

    Attributes:
        attempt: From 1.
        uncounted: How many attempts count as no try.
        ready: Whether the wait before this attempt is over.
        pausing: The id of the timer of that wait while it is open.
    """

    __slots__ = ('args', 'attempt', 'failure', 'kwargs', 'pausing', 'proxy', 'ready', 'settings', 'uncounted')

    quota: str
    is_stoppable = False
    """Whether it can be asked to stop while it runs."""
    incompatible = True  # a wait before it is a timer; and what a close would end at once is not begun

    def __init__(self, loop: Any, proxy: Any, settings: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
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
        self.pausing: str | None = None
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
        if not isinstance(text, str):
            raise DefinitionError(f'_serialize_arguments of {self.label} gave {type(text).__name__}, not text')
        if text.isascii() and len(text) <= MAX_PAYLOAD:  # the fast path
            return
        if not is_sendable(text):
            raise ValueError(f'_serialize_arguments of {self.label} returned text with a lone surrogate')
        if units(text) > MAX_PAYLOAD:
            raise self.too_large(text, 'the input', self._longest())

    def _longest(self) -> str:
        """The argument that takes most of a payload that is too large."""
        sizes = [(len(short(value, MAX_PAYLOAD)), name) for name, value in named(self.args, self.kwargs)]
        return f'most of it is {max(sizes)[1]}; ' if sizes else ''

    @property
    def lasts(self) -> float | None:
        return self.settings.delay or None

    # attempts

    @property
    def attempt_id(self) -> str:
        """``<number>.<attempt>``, which stands in the id or control of every attempt."""
        return f'{self.number}.{self.attempt}'

    def pause(self) -> int:
        """Seconds to wait before this attempt; asked only where the decision is live."""
        if self.attempt == 1:
            return int(self.settings.delay)
        if self.failure is None:  # a free try
            return 0
        tried = self.attempt - 1 - self.uncounted
        wait = self.settings.retry.for_failure(self.failure).interval(tried, self.loop.jitter(self))
        return max(int(wait), least_wait(self.failure, tried))

    def decision(self) -> decisions.Decision:
        if not self.ready:
            wait = self.pause()
            if wait:
                return decisions.StartTimer(f'{self.attempt_id}{RETRY_TIMER_SUFFIX}', wait)
        return self.start_decision()

    def start_decision(self) -> decisions.Decision:
        raise TypeError(f'{self.kind} starts nothing')

    def matches(self, event: Any) -> bool:
        if isinstance(event, events.TimerStarted):
            return not self.ready and event.timer_id == f'{self.attempt_id}{RETRY_TIMER_SUFFIX}'
        if isinstance(event, events.Refused) and event.kind == 'timer':
            return event.key == f'{self.attempt_id}{RETRY_TIMER_SUFFIX}'
        return self.matches_start(event)

    def waits_for(self, event: Any) -> bool:
        """Whether a refusal is that of the wait before an attempt."""
        return isinstance(event, events.Refused) and event.kind == 'timer'

    def matches_start(self, event: Any) -> bool:
        raise TypeError(f'{self.kind} matches nothing')

    def recorded(self, event: Any) -> None:
        if type(event) is events.TimerStarted:
            self._paused(event)
        else:
            if self.phase is SLOT_RESERVED:  # no wait after all, or SWF refused it
                self.loop.outbox.return_slot(self)
            super().recorded(event)

    def _paused(self, event: events.TimerStarted) -> None:
        loop = self.loop
        if self.phase is not SLOT_RESERVED:
            loop.outbox.move(self.quota, 'timer')
        self.phase = SENT
        self.ref = event.id
        self.pausing = event.timer_id
        loop.refs[event.id] = RetryTimer(self)

    def recorded_input(self, event: Any) -> str | None:
        return self.input if isinstance(event, (events.TimerStarted, events.Refused)) else event.input

    def timer_gone(self) -> None:
        """The pause is over or was cancelled."""
        self.pausing = None
        self.phase = CLOSED
        self.loop.refs.pop(self.ref, None)
        self.loop.outbox.release('timer')
        if self.cancellation is not None:
            self.cancellation.dropped = True
            self.cancellation = None

    def attempt_failed(self, error: TaskFailed, *, uncounted: bool = False) -> None:
        """One attempt failed: another one, or the end."""
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
        self.phase = QUEUED
        self.loop.outbox.put(self)

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
        said = getattr(event, 'message', None) or WAYS_OUT.get(event.cause)
        self.attempt_failed(ScheduleFailed(event.cause, said, task=self))

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
        if not self.is_stoppable or self.phase is not SENT or self.pausing is not None:
            return None
        if self not in self.loop.stopping:
            self.loop.stopping.add(self)
            self.ask_to_cancel()
        return ()

    def withdraw(self) -> Iterable[Task[Any]]:
        if self in self.loop.stopping:  # it has been asked
            return ()
        if self.phase is SLOT_RESERVED:
            self.phase = CLOSED
            self.loop.outbox.release('timer')
            return ()
        if self.phase != SENT or self.pausing is None:
            return super().withdraw()
        self.loop.outbox.add(Cancellation(self, self.pausing))
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
