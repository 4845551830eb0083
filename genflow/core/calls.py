"""Calls: the tasks that SWF knows by an id.

A call passes through phases: NEW while an argument is still a task, HELD while SWF's limit on open work leaves it no
place, QUEUED while its decision waits in the outbox, SENT once the history has recorded it, CLOSED when SWF says nothing more of it. What the code sees of it (open, value,
error) is the task's own state: a cancelled activity is settled for the code while SWF still has it open.

A retried call keeps its number; each attempt has an id of its own, ``<number>.<attempt>``. A wait before an attempt is
a timer of the engine, ``<number>.<attempt>;w``. Whether there is one is decided when the decision is sent, and read
from the history at replay, so that changed policies and delays disturb nothing that runs.
"""

from __future__ import annotations

import math
from types import FrameType, GeneratorType
from typing import TYPE_CHECKING, Any

from . import decisions, events
from .errors import (
    ActivityCanceled,
    ActivityFailed,
    ActivityTimedOut,
    DefinitionError,
    HistoryError,
    PayloadTooLarge,
    ScheduleFailed,
    TaskFailed,
)
from .failures import decode_failure
from .locations import Location, place
from .options import ActivityOptions, seconds
from .serialization import MAX_PAYLOAD, excerpt
from .tasks import ERROR, OPEN, VALUE, Task

if TYPE_CHECKING:
    from .execution import Execution
    from .proxies import ActivityProxy

__all__ = [
    'CLOSED',
    'HELD',
    'NEW',
    'PROCESS_DIED',
    'QUEUED',
    'SENT',
    'ActivityCall',
    'Call',
    'Cancellation',
    'Pause',
    'RetriedCall',
    'TimerCall',
    'timer_seconds',
]

NEW, HELD, QUEUED, SENT, CLOSED = 'new', 'held', 'queued', 'sent', 'closed'

PROCESS_DIED = 'genflow.ProcessDied'
"""The details of a time-out that says no more than that the worker's process is gone; it counts as no try."""

ATOMS = frozenset({str, int, float, bool, type(None), bytes})


def timer_seconds(value: Any) -> int:
    """The length of a timer in whole seconds.

    Raises:
        DefinitionError: It is no number, negative, infinite or longer than a year.
    """
    found = seconds(value)
    if found is None or found == math.inf:
        raise DefinitionError(f'a timer of {value!r} seconds never fires; give a number of seconds')
    return int(found)


class Call(Task[Any]):
    """The part that all calls share.

    Attributes:
        lane: Which of SWF's limits on open work it counts for, or ``None``.
        incompatible: Whether SWF refuses a batch that has its decision and a close.
        input: The serialized arguments.
        phase: How far it has come with SWF.
        key: The id by which SWF knows it, once it is recorded.
        ref: The id of the event that recorded it.
        where: The user's line that made it.
        cancellation: The entry in the outbox that cancels it, while that is unsent.
    """

    __slots__ = ('cancellation', 'input', 'key', 'phase', 'ref', 'where')

    lane: str | None = None
    incompatible = False
    driver: Execution

    def __init__(self, driver: Any) -> None:
        super().__init__(driver)
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

    def prepare(self) -> None:
        """Serializes the arguments."""

    def begin(self) -> None:
        """Queues the call: its arguments are there."""
        self.driver.outbox.add(self)

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
        self.driver.refs[event.id] = self

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
        if self.phase in (SENT, QUEUED) and self.lane is not None:
            self.driver.outbox.release(self.lane)
        self.phase = CLOSED
        if self.cancellation is not None:
            self.cancellation.dropped = True
            self.cancellation = None

    def withdraw(self) -> None:
        if self.phase == QUEUED:
            self.over()
        elif self.phase in (NEW, HELD):
            self.phase = CLOSED
        elif self.phase == SENT:
            self.ask_to_cancel()

    def ask_to_cancel(self) -> None:
        """Cancels what SWF has; nothing where SWF cannot."""

    @property
    def dropped(self) -> bool:
        return self.phase not in (QUEUED, HELD)

    def too_large(self, text: str, what: str) -> PayloadTooLarge:
        return PayloadTooLarge(
            f'{what} of {self.label} has {len(text):,} characters, SWF takes {MAX_PAYLOAD:,}: {excerpt(text)}; '
            f'pass a reference to the data instead (called at {place(self.where)})'
        )


class Cancellation:
    """An entry of the outbox: cancels a call that SWF has."""

    __slots__ = ('call', 'dropped', 'timer')

    lane = None
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
            shown = event.timer_id if isinstance(event, events.TimerCanceled) else _refused(event, 'cancel timer')
            return bool(shown == self.timer)
        return bool(self.call.matches_cancel(event))  # type: ignore[attr-defined]

    def recorded(self, event: Any) -> None:
        call, timer = self.call, self.timer
        call.cancellation = None
        if timer is not None and isinstance(event, events.TimerCanceled):
            call.timer_gone()  # type: ignore[attr-defined]
        elif isinstance(event, events.CancelInitiated):
            call.driver.refs[event.id] = call.driver.ignored

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


def _refused(event: Any, kind: str) -> str | None:
    """The key of a refused decision of this kind."""
    return event.key if isinstance(event, events.Refused) and event.kind == kind else None


class TimerCall(Call):
    """``self.sleep(seconds)``, and the timer of a ``.timeout()``."""

    __slots__ = ('seconds',)

    kind = 'timer'
    lane = 'timer'
    incompatible = True

    def __init__(self, driver: Any, length: int) -> None:
        super().__init__(driver)
        self.seconds = length

    def decision(self) -> decisions.Decision:
        return decisions.StartTimer(str(self.number), self.seconds)

    def matches(self, event: Any) -> bool:
        if isinstance(event, events.TimerStarted):
            return event.timer_id == str(self.number) and event.seconds == self.seconds
        return _refused(event, 'timer') == str(self.number)

    def recorded(self, event: Any) -> None:
        super().recorded(event)
        self.key = str(self.number)

    def recorded_input(self, event: Any) -> str | None:
        return None

    def apply(self, event: Any) -> None:
        del self.driver.refs[event.ref]
        self.over()
        self.settle(VALUE, None)

    def ask_to_cancel(self) -> None:
        self.driver.outbox.add(Cancellation(self, self.key))

    def timer_gone(self) -> None:
        self.driver.refs.pop(self.ref, None)
        self.over()

    def description(self) -> dict[str, Any]:
        return {'kind': self.kind, 'number': self.number, 'seconds': self.seconds}

    def asked(self) -> tuple[Any, ...]:
        return (self.seconds,)

    @property
    def label(self) -> str:
        return f'timer ({self.seconds} s)' if self.number is None else f'timer {self.number} ({self.seconds} s)'


class Pause:
    """The engine's timer before an attempt."""

    __slots__ = ('call',)

    def __init__(self, call: RetriedCall) -> None:
        self.call = call

    def apply(self, event: Any) -> None:
        call = self.call
        call.timer_gone()
        if call.state == OPEN:
            call.ready = True
            call.driver.outbox.add(call)


class RetriedCall(Call):
    """A call that may need several attempts: an activity, a child or a Lambda function.

    Attributes:
        attempt: From 1.
        free: How many attempts count as no try.
        ready: Whether the wait before this attempt is over.
        pausing: The id of the timer of that wait while it is open.
    """

    __slots__ = ('args', 'attempt', 'failure', 'free', 'kwargs', 'pausing', 'proxy', 'ready', 'settings')

    def __init__(self, driver: Any, proxy: Any, settings: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__(driver)
        self.proxy = proxy
        self.settings = settings
        self.args = args
        self.kwargs = kwargs
        self.attempt = 1
        self.free = 0
        self.ready = False
        self.pausing: str | None = None
        self.failure: BaseException | None = None
        self.holds = True

    @property
    def options(self) -> Any:
        return self.settings

    def arguments(self) -> tuple[Any, ...]:
        return (self.args, self.kwargs) if self.kwargs else (self.args,)

    def prepare(self) -> None:
        text = self.input = self.proxy._serialize_arguments(*self.args, **self.kwargs)
        if not isinstance(text, str):
            raise DefinitionError(f'_serialize_arguments of {self.label} gave {type(text).__name__}, not text')
        if len(text) > MAX_PAYLOAD:
            raise self.too_large(text, self._longest())

    def _longest(self) -> str:
        """The argument that is to blame for a payload that is too large."""
        named = [(f'argument {place}', value) for place, value in enumerate(self.args, 1)]
        named += [(f'argument {name!r}', value) for name, value in self.kwargs.items()]
        return max(named, key=lambda item: len(repr(item[1])), default=('the input', None))[0]

    # attempts

    @property
    def mark(self) -> str:
        """``<number>.<attempt>``, which stands in the id or control of every attempt."""
        return f'{self.number}.{self.attempt}'

    def pause(self) -> int:
        """Seconds to wait before this attempt; asked only where the decision is live."""
        if self.attempt == 1:
            return int(self.settings.delay)
        if self.failure is None:  # a free try
            return 0
        return int(self.settings.retry.interval(self.attempt - 1 - self.free, self.driver.jitter(self)))

    def decision(self) -> decisions.Decision:
        if not self.ready:
            wait = self.pause()
            if wait:
                return decisions.StartTimer(f'{self.mark};w', wait)
        return self.start_decision()

    def start_decision(self) -> decisions.Decision:
        raise TypeError(f'{self.kind} starts nothing')

    def matches(self, event: Any) -> bool:
        if isinstance(event, events.TimerStarted):
            return not self.ready and event.timer_id == f'{self.mark};w'
        if isinstance(event, events.Refused) and event.kind == 'timer':
            return event.key == f'{self.mark};w'
        return self.matches_start(event)

    def matches_start(self, event: Any) -> bool:
        raise TypeError(f'{self.kind} matches nothing')

    def recorded(self, event: Any) -> None:
        if type(event) is not events.TimerStarted:
            super().recorded(event)
        else:
            self._paused(event)

    def _paused(self, event: events.TimerStarted) -> None:
        driver = self.driver
        self.phase = SENT
        self.ref = event.id
        self.pausing = event.timer_id
        driver.refs[event.id] = Pause(self)
        driver.outbox.take('timer')
        if self.lane is not None:
            driver.outbox.release(self.lane)

    def recorded_input(self, event: Any) -> str | None:
        return self.input if isinstance(event, (events.TimerStarted, events.Refused)) else event.input

    def timer_gone(self) -> None:
        """The pause is over or was cancelled."""
        self.pausing = None
        self.phase = CLOSED
        self.driver.refs.pop(self.ref, None)
        self.driver.outbox.release('timer')
        if self.cancellation is not None:
            self.cancellation.dropped = True
            self.cancellation = None

    def attempt_failed(self, error: TaskFailed, *, free: bool = False) -> None:
        """One attempt failed: another one, or the end."""
        if self.state != OPEN:
            self.over()
            return
        failure = self.brought_back(error)
        if not self.driver.tries_again(self, failure, free=free):
            self.over()
            self.settle(ERROR, failure)
            return
        self.free += free
        self.failure = None if free else failure
        self.attempt += 1
        self.ready = False
        self.phase = QUEUED
        self.driver.outbox.put(self)

    def brought_back(self, error: TaskFailed) -> BaseException:
        """The user's own exception where ``raises=`` names its class, else ``error`` itself."""
        remote = decode_failure(error.reason, error.details)
        error.details, error.traceback, error.names = remote.details, remote.traceback, remote.names
        error.args = (error.reason, error.details)
        own = remote.rebuilt(self.settings.raises) if self.settings.raises else None
        if own is None:
            return error
        own.__cause__ = error
        return own

    def refused(self, event: Any) -> None:
        self.attempt_failed(ScheduleFailed(event.cause, getattr(event, 'message', None), task=self))

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
                f'the result of {self.label} in event {event.id} cannot be read: {excerpt(text or "")}; does the other '
                f'side write it with the same transport? ({type(error).__name__}: {error})'
            ) from error
        self.settle(VALUE, value)

    def withdraw(self) -> None:
        if self.phase == SENT and self.pausing is not None:
            self.driver.outbox.add(Cancellation(self, self.pausing))
        else:
            super().withdraw()

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
        words = [*map(_brief, self.args), *(f'{name}={_brief(value)}' for name, value in self.kwargs.items())]
        state = ('', ' done', ' failed')[self.state]
        return f'<{self.label}({", ".join(words)}){state}>'


def _brief(value: Any) -> str:
    if isinstance(value, GeneratorType):
        return value.__name__
    text = repr(value)
    return text if len(text) <= 200 else f'{text[:199]}…'


class ActivityCall(RetriedCall):
    """``self.echo(x)`` where ``echo`` is an ``ActivityProxy``."""

    __slots__ = ()

    kind = 'activity'
    lane = 'activity'
    incompatible = True
    proxy: ActivityProxy

    def activity_id(self) -> str:
        heartbeat = self.settings.heartbeat
        if heartbeat is None:
            return f'{self.number}.{self.attempt}'
        return f'{self.number}.{self.attempt};h={0 if heartbeat == math.inf else int(heartbeat)}'

    def start_decision(self) -> decisions.Decision:
        options: ActivityOptions = self.settings
        proxy = self.proxy
        return decisions.ScheduleActivity(
            self.activity_id(),
            proxy.name,
            proxy.version,
            self.input,
            None,
            options.task_list,
            options.priority,
            options.heartbeat,
            options.effective_schedule_to_close,
            options.schedule_to_start,
            options.start_to_close,
        )

    def matches_start(self, event: Any) -> bool:
        if isinstance(event, events.Refused):
            return event.kind == 'activity' and event.key.partition(';')[0] == self.mark
        return (
            isinstance(event, events.ActivityScheduled)
            and event.activity_id.partition(';')[0] == self.mark
            and event.name == self.proxy.name
            and event.version == self.proxy.version
        )

    def recorded(self, event: Any) -> None:
        super().recorded(event)
        if type(event) is events.ActivityScheduled:
            self.key = event.activity_id

    def apply(self, event: Any) -> None:
        del self.driver.refs[event.ref]
        _ACTIVITY[type(event)](self, event)

    def failed(self, event: events.Failed) -> None:
        self.attempt_failed(ActivityFailed(event.reason, event.details, task=self))

    def timed_out(self, event: events.TimedOut) -> None:
        died = event.details == PROCESS_DIED
        error = ActivityTimedOut(
            f'timed out: {event.timeout_type}', event.details, task=self, timeout_type=event.timeout_type
        )
        self.attempt_failed(error, free=died)

    def was_canceled(self, event: events.Canceled) -> None:
        self.attempt_failed(ActivityCanceled('canceled', event.details, task=self))

    def ask_to_cancel(self) -> None:
        self.driver.outbox.add(Cancellation(self))

    def cancel_decision(self) -> decisions.Decision:
        return decisions.RequestCancelActivity(str(self.key))

    def matches_cancel(self, event: Any) -> bool:
        if isinstance(event, events.ActivityCancelRequested):
            return event.activity_id == self.key
        return _refused(event, 'cancel activity') == self.key

    def canceled_error(self) -> TaskFailed:
        return ActivityCanceled('canceled by the workflow', task=self)

    def timeout_error(self, seconds: int) -> TaskFailed:
        return ActivityTimedOut(f'not settled within {seconds} s', task=self)


_ACTIVITY: dict[type, Any] = {
    events.Completed: ActivityCall.succeeded,
    events.Failed: ActivityCall.failed,
    events.TimedOut: ActivityCall.timed_out,
    events.Canceled: ActivityCall.was_canceled,
}
