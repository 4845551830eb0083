"""Long polls: the queue of waiting polls, their wake-up, and the thread that watches the clock.

Theory of operation. A poll that finds its list empty enters the list's line of waiters, and sleeps outside of the
service's lock. A task that becomes pollable wakes the one that has waited longest; it takes the task itself, or goes
back to sleep where somebody was quicker. Who leaves the line without a task although there is one wakes the next.

Deadlines need nobody to watch them as long as nobody is waiting: every call first does what has become due, and what
is due is dated at its deadline, so no caller can tell the difference. Only a waiting poll must be woken by a deadline;
for its sake a *timekeeper* thread sleeps until the next one. It starts with the first poll that waits, is told when an
earlier deadline appears, and goes when nobody has waited for a while. Where the time has ended an execution, it also
tells those who wait for that.

On a clock that skips, the last poll that has to wait moves the time on, until somebody is woken. A task that waits in a
list where nobody stands in line may only wait for a worker that is just starting: then the timekeeper looks again after
a moment, and moves the time on if nothing has happened since.
"""

from __future__ import annotations

import contextlib
import math
import threading
import weakref
from collections.abc import Callable

from genflow.local.clock import Clock, ManualClock
from genflow.local.errors import StoreError
from genflow.local.requests import faults
from genflow.local.state.state import State
from genflow.local.state.task_lists import TaskQueue, Waiter

__all__ = ['LongPolls']

IDLE_TIMEOUT = 5.0
"""Seconds that the timekeeper stays when no poll is waiting."""

RECHECK = 0.05
"""Seconds in which a worker that is there takes a task that waits for it."""


class LongPolls:
    """The polls that are waiting.

    Args:
        lock: The service's lock.
        tick: Does what is due; called under the lock.
        tell: Wakes those who wait for executions that ``tick`` has ended; not called under the lock.
    """

    def __init__(
        self,
        state: State,
        clock: Clock,
        lock: threading.RLock,
        tick: Callable[[], int],
        tell: Callable[[], None],
    ) -> None:
        self._state = state
        self._clock = clock
        self._lock = lock
        self._tick = tick
        self._tell = tell
        self._changed = threading.Condition(lock)
        self._timekeeper: threading.Thread | None = None
        self._asleep_until: float = -math.inf  # the timekeeper; an earlier deadline wakes it
        self._waiting: dict[Waiter, TaskQueue] = {}
        self._pollers: weakref.WeakKeyDictionary[threading.Thread, bool] = weakref.WeakKeyDictionary()
        self._moves = 0
        self.busy = 0
        self.closed = False

    # All of these are called under the lock.

    def enter(self, queue: TaskQueue, waiter: Waiter) -> None:
        """Stand in line.

        Raises:
            ServiceError: LimitExceededFault: too many stand there.
            RuntimeError: There is no timekeeper, and no thread can be started.
        """
        limit = self._state.limits.pollers
        if len(queue.waiters) >= limit:
            raise faults.limit_exceeded(f'A task list can have {limit} pollers at a time')
        self._watch()
        queue.waiters.append(waiter)
        self._waiting[waiter] = queue
        self._moves += 1
        if waiter.poller is not None:
            self._pollers[waiter.poller] = True
        self._closes_are_due()

    def leave(self, waiter: Waiter) -> TaskQueue:
        """Out of the line, with or without a task; the list in whose line it was."""
        queue = self._waiting.pop(waiter)
        if waiter in queue.waiters:
            queue.waiters.remove(waiter)
        if waiter.poller is not None:
            self._pollers[waiter.poller] = False
        return queue

    def saw(self, poller: threading.Thread) -> None:
        """That thread polls, and so is one that time may have to wait for, where it skips."""
        if self._clock.skips:
            self._pollers[poller] = False

    def stands(self, waiter: Waiter) -> bool:
        """Whether that poll is in line."""
        return waiter in self._waiting

    def wake_all(self) -> None:
        """Wake everybody, because the service is closed or emptied."""
        for waiter in self._waiting:
            waiter.wake()
        self._changed.notify_all()

    def deadlines_changed(self) -> None:
        """Tell the timekeeper if it would sleep too long."""
        if self._state.deadlines.soonest < self._asleep_until:
            first = self._state.deadlines.first()
            if first is not None and first < self._asleep_until:
                self._changed.notify_all()

    def skip(self, *, patiently: bool = False) -> None:
        """On a clock that skips: move to the next deadline while everybody waits and nobody is woken by it.

        ``patiently`` says that tasks which wait have waited long enough for somebody to take them.
        """
        clock = self._clock
        while clock.skips and isinstance(clock, ManualClock) and self._everybody_waits():
            first = self._state.deadlines.first()
            if first is None or (not patiently and any(map(len, self._state.queues.values()))):
                return
            clock.skip_to(first)
            self._tick()
            self._closes_are_due()
            patiently = False

    def _everybody_waits(self) -> bool:
        alive = [waits for thread, waits in self._pollers.items() if thread.is_alive()]
        return bool(alive) and all(alive) and not self.busy and not any(waiter.woken for waiter in self._waiting)

    def _watch(self) -> None:
        """Have a timekeeper, on a clock that moves by itself."""
        moves = self._clock.seconds_until(self._clock.milliseconds() + 1) is not None
        if self._timekeeper is None and (moves or self._clock.skips):
            keep = self._keep_time if moves else self._keep_skipping
            timekeeper = threading.Thread(target=self._keep, args=(keep,), name='genflow-local-time', daemon=True)
            timekeeper.start()  # it waits for the lock
            self._timekeeper, self._asleep_until = timekeeper, math.inf

    def _closes_are_due(self) -> bool:
        """Whether the time has ended executions that somebody waits for; the timekeeper tells, as no call may come."""
        if not self._state.close_watchers.due:
            return False
        self._changed.notify_all()
        return True

    def _keep(self, keep: Callable[[], bool]) -> None:
        """The timekeeper: look at the clock as long as somebody waits."""
        with contextlib.suppress(StoreError):  # the next call will report the problem of the file
            while self._goes_on(keep):
                self._tell()

    def _goes_on(self, keep: Callable[[], bool]) -> bool:
        """One look at the clock; whether there is to be another."""
        with self._lock:
            goes_on = False
            try:
                goes_on = not self.closed and (self._closes_are_due() or keep())
            finally:
                if not goes_on:
                    self._timekeeper, self._asleep_until = None, -math.inf
            return goes_on

    def _keep_time(self) -> bool:
        """Do what is due, sleep until more is, and say whether to go on.

        It looks again after IDLE_TIMEOUT in any case, so later deadlines need not wake it.
        """
        self._tick()
        if self._closes_are_due():
            return True
        first, latest = self._state.deadlines.first(), self._clock.milliseconds() + round(IDLE_TIMEOUT * 1000)
        self._asleep_until = until = latest if first is None else min(first, latest)
        seconds = self._clock.seconds_until(until)
        is_notified = self._changed.wait(IDLE_TIMEOUT if seconds is None else min(seconds, IDLE_TIMEOUT))
        return is_notified or bool(self._waiting)

    def _keep_skipping(self) -> bool:
        """Move the time on when nothing has happened for a moment, and say whether to go on."""
        moves = self._moves
        self._changed.wait(RECHECK)
        if moves == self._moves:
            self.skip(patiently=True)
        return bool(self._waiting) or self._closes_are_due()
