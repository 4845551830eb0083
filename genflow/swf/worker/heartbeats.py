"""Heartbeats of activities: those that activities send, and those that are sent for them in the background.

Each running activity task has a :class:`TaskHeartbeat`. The one thread of :class:`Heartbeats` sends a heartbeat for
each whose last one is half its time-out ago. A call of ``heartbeat(details)`` sends at once, unless the last one was
sent less than :data:`QUIET` seconds ago; then its details go out with the next one, so that a tight loop is cheap.
Details are sent in order, and background heartbeats repeat the latest, since SWF keeps only those of the last
heartbeat.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import Factory, define, field

from genflow.steady_time import monotonic
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient

__all__ = ['Heartbeats', 'TaskHeartbeat']

log = logging.getLogger('genflow.worker')

QUIET = 1.0
"""The least number of seconds between two heartbeats of one task; a quarter of its time-out if that is less."""

RETRY_FOR = 10.0
"""Seconds for which one heartbeat is retried; the next one is due soon anyway."""


@define(eq=False)
class TaskHeartbeat:
    """The heartbeats of one activity task. Safe to use from several threads.

    Attributes:
        token: The task's.
        timeout: The heartbeat time-out in seconds, ``math.inf`` for none.
        alive: Whether the task is still this worker's and its cancellation was not requested, as of the last heartbeat.
        cancel_requested: Whether its cancellation was requested.
        on_lost: Called once ``alive`` is false; from any thread.
    """

    service: RetryingClient
    token: str
    timeout: float
    clock: Callable[[], float] = monotonic
    alive: bool = True
    cancel_requested: bool = False
    on_lost: Callable[[], None] | None = None
    _details: str | None = None
    _last: float = field(default=Factory(lambda self: self.clock(), takes_self=True))
    _sending: threading.Lock = field(factory=threading.Lock, repr=False)

    @property
    def details(self) -> str | None:
        """The details of the last heartbeat of the activity, sent or not."""
        return self._details

    @property
    def due(self) -> float:
        """The time of the next background heartbeat."""
        return self._last + self.timeout / 2

    @property
    def _quiet(self) -> float:
        return min(QUIET, self.timeout / 4)

    def beat(self, details: str | None) -> bool:
        """Implements ``Activity.heartbeat``; returns whether to continue."""
        self._details = details
        if self.alive and self.clock() >= self._last + self._quiet:
            self.send()
        return self.alive

    def send(self) -> None:
        """Sends a heartbeat with the latest details."""
        with self._sending:
            details, self._last = self._details, self.clock()
            request: dict[str, Any] = {'taskToken': self.token}
            if details is not None:
                request['details'] = details
            try:
                answer = self.service.call('record_activity_task_heartbeat', patience=RETRY_FOR, **request)
            except Exception as error:  # noqa: BLE001 - whatever it is, the activity itself goes on
                self._failed(error)
            else:
                self.cancel_requested = bool(answer.get('cancelRequested'))
                if self.cancel_requested:
                    self.lose()

    def lose(self) -> None:
        """Marks the task as lost."""
        first, self.alive = self.alive, False
        if first and self.on_lost is not None:
            self.on_lost()

    def _failed(self, error: Exception) -> None:
        if faults.is_late(error):
            self.lose()
        else:
            log.warning('a heartbeat could not be sent: %s', error)


@define(eq=False)
class Heartbeats:
    """Sends the heartbeats that are due, for all activities of a worker, from one thread of its own."""

    clock: Callable[[], float] = monotonic
    _pulses: set[TaskHeartbeat] = field(factory=set)
    _changed: threading.Condition = field(factory=threading.Condition, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    @contextmanager
    def kept_up(self, pulse: TaskHeartbeat) -> Iterator[None]:
        """In the block, heartbeats are sent for a task that has a time-out."""
        with self._changed:
            self._pulses.add(pulse)
            self._begin()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._pulses.discard(pulse)
                self._changed.notify()

    def send_due(self) -> None:
        """Sends every heartbeat that is due."""
        with self._changed:
            pulses = [pulse for pulse in self._pulses if pulse.alive and pulse.due <= self.clock()]
        for pulse in pulses:
            pulse.send()

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name='genflow-heartbeats', daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while self._wait():
            self.send_due()

    def _wait(self) -> bool:
        """Waits until a heartbeat is due; false when there have been no activities for a while."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._pulses), _IDLE_TIMEOUT):
                self._thread = None
                return False
            due = min((pulse.due for pulse in self._pulses if pulse.alive), default=math.inf)
            self._changed.wait(None if due == math.inf else max(0.0, due - self.clock()))
            return True


_IDLE_TIMEOUT = 5.0
"""Seconds for which the thread waits for the next activity before it ends."""
