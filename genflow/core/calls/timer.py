"""Timers: ``self.sleep(seconds)``, and a task with a time limit, ``task.timeout(seconds)``."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

from genflow.core.calls.call import Call, Cancellation, refused_key
from genflow.core.durations import Duration
from genflow.core.errors import DefinitionError, TaskFailed
from genflow.core.model import decisions, events
from genflow.core.model.options import seconds as seconds_of
from genflow.core.tasks.combinators import Combined
from genflow.core.tasks.task import OPEN, VALUE, Task
from genflow.core.tasks.unused import UsageTracked

__all__ = ['Limit', 'Limited', 'TimerCall', 'timer_seconds']


def timer_seconds(value: Any) -> int:
    """The length of a timer in whole seconds.

    Raises:
        DefinitionError: It is no duration, negative, infinite or longer than a year.
    """
    found = seconds_of(value)
    if found is None or found == math.inf:
        raise DefinitionError(f'a timer of {value!r} seconds never fires; give a number of seconds or a timedelta')
    return int(found)


class TimerCall(UsageTracked, Call):
    """``self.sleep(seconds)``, and the timer of a ``.timeout()``."""

    __slots__ = ('seconds', 'used')

    kind = 'timer'
    quota = 'timer'
    incompatible = True

    def __init__(self, loop: Any, length: int) -> None:
        super().__init__(loop)
        self.seconds = length
        self.used = False

    def mark_used(self) -> None:
        self.used = True

    def decision(self) -> decisions.Decision:
        return decisions.StartTimer(str(self.number), self.seconds)

    def matches(self, event: Any) -> bool:
        if isinstance(event, events.TimerStarted):
            return event.timer_id == str(self.number) and event.seconds == self.seconds
        return refused_key(event, 'timer') == str(self.number)

    def recorded(self, event: Any) -> None:
        super().recorded(event)
        self.key = str(self.number)

    def recorded_input(self, event: Any) -> str | None:
        return None

    def apply(self, event: Any) -> None:
        del self.loop.refs[event.ref]
        self.over()
        self.settle(VALUE, None)

    def ask_to_cancel(self) -> None:
        self.loop.outbox.add(Cancellation(self, self.key))

    def timer_gone(self) -> None:
        self.loop.refs.pop(self.ref, None)
        self.over()

    @property
    def lasts(self) -> float | None:
        return self.seconds

    def description(self) -> dict[str, Any]:
        return {'kind': self.kind, 'number': self.number, 'seconds': self.seconds}

    def asked(self) -> tuple[Any, ...]:
        return (self.seconds,)

    @property
    def label(self) -> str:
        return f'timer ({self.seconds} s)' if self.number is None else f'timer {self.number} ({self.seconds} s)'


class Limit(TimerCall):
    """The timer of a time limit; the task with the limit handles its end."""

    __slots__ = ()


class Limited(Combined):
    """Timers: ``self.sleep(seconds)``, and a task with a time limit, ``task.timeout(seconds)``."""

    __slots__ = ('expired', 'keep', 'seconds', 'timer')

    kind = 'timeout'

    def __init__(self, task: Task[Any], seconds: Duration, *, keep: bool) -> None:
        self.seconds = timer_seconds(seconds)
        self.keep = keep
        loop = None if task.loop is None else task.loop.owner
        super().__init__(loop, [task])
        self.expired: BaseException | None = None
        self.timer: TimerCall | None = None
        if loop is None:
            return
        if task.state == OPEN:
            self.timer = Limit(loop, self.seconds)
            loop.schedule(self.timer, sys._getframe(2))
            self.timer.watch(self)
        self.attach()

    def notify(self, task: Task[Any]) -> None:
        if self.decided:
            return
        if task is self.timer:
            self._expire()
            return
        self.settle(task.state, task.outcome)
        if self.timer is not None:
            self.timer.cancel()

    def _expire(self) -> None:
        """The time is up: cancels the task, and settles when that has ended."""
        (member,) = self.members
        error = self.expired = _with_failure(member.timeout_error(self.seconds), member.last_failure)
        if not self.keep:
            member.cancel()
        self.fail(error, () if self.keep else [member])

    def settle(self, state: int, outcome: Any) -> None:
        super().settle(state, outcome)
        if outcome is not None and outcome is self.expired and not self.retrieved and self.loop is not None:
            self.loop.unretrieved.append(self)

    def waited_for(self) -> Iterable[Task[Any]]:
        return self.members if self.timer is None else (*self.members, self.timer)

    def stop(self) -> Iterable[Task[Any]] | None:
        """Keeps the time limit until the task below has ended."""
        return None if self.keep else self.members

    def withdraw(self) -> Iterable[Task[Any]]:
        if self.timer is not None:
            self.timer.cancel()
        return () if self.keep else self.members

    def release(self) -> None:
        """Its one member says what its options are."""

    @property
    def options(self) -> Any:
        return (*self.members, *self.described)[0].options

    @property
    def last_failure(self) -> BaseException | None:
        return self.members[0].last_failure if self.members else None

    def timeout_error(self, seconds: int) -> TaskFailed:
        (member,) = self.members
        return member.timeout_error(seconds)

    def canceled_error(self) -> TaskFailed:
        (member,) = self.members or self.described
        error: TaskFailed = member.canceled_error()
        return error

    def asked(self) -> tuple[Any, ...]:
        return (self.seconds, self.keep, *super().asked())


def _with_failure(error: TaskFailed, last: BaseException | None) -> TaskFailed:
    """The error of a time limit that names what the last attempt within it failed with."""
    if last is not None:
        text = getattr(last, 'reason', None) or str(last)
        error.reason = f'{error.reason}; the last attempt failed with {type(last).__name__}: {text}'
        error.args = (error.reason, error.details)
        error.__cause__ = last
    return error


Task.limited = Limited
