"""A task with a time limit: ``task.timeout(seconds)``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from genflow.core.calls.call import TimerCall, timer_seconds
from genflow.core.errors import TaskFailed
from genflow.core.model.durations import Duration
from genflow.core.tasks.combinators import Combined
from genflow.core.tasks.task import OPEN, Task

__all__ = ['Limit', 'Limited']


class Limit(TimerCall):
    """The timer of a time limit: it does nothing by itself."""

    __slots__ = ()


class Limited(Combined):
    """A task with a time limit: ``task.timeout(seconds)``."""

    __slots__ = ('keep', 'seconds', 'struck', 'timer')

    kind = 'timeout'

    def __init__(self, task: Task[Any], seconds: Duration, *, keep: bool) -> None:
        self.seconds = timer_seconds(seconds)
        self.keep = keep
        loop = None if task.loop is None else task.loop.owner
        super().__init__(loop, [task])
        self.struck: BaseException | None = None
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
            self._strike()
            return
        self.settle(task.state, task.outcome)
        if self.timer is not None:
            self.timer.cancel()

    def _strike(self) -> None:
        """The time is up: cancels the task, and settles when that has ended."""
        (member,) = self.members
        error = self.struck = _with_failure(member.timeout_error(self.seconds), member.last_failure)
        if not self.keep:
            member.cancel()
        self.fail(error, () if self.keep else [member])

    def settle(self, state: int, outcome: Any) -> None:
        super().settle(state, outcome)
        if outcome is not None and outcome is self.struck and not self.retrieved and self.loop is not None:
            self.loop.unretrieved.append(self)

    def waited_for(self) -> Iterable[Task[Any]]:
        return self.members if self.timer is None else (*self.members, self.timer)

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
