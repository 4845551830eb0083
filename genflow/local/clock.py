"""The clocks of the service: the system's, one that a test moves, and one that skips idle time.

The service reads one number from a clock, :meth:`Clock.milliseconds` since the epoch. Time never
runs backwards for the service: it keeps the largest value it has seen.

* :class:`SystemClock` is the time of day. Services that go by it are not disturbed when it is set.
* :class:`ManualClock` moves only when :meth:`~ManualClock.advance` is called. Every service on it then processes
  what became due, each time-out dated at its own deadline and in the order of the deadlines, so a year with all its
  timers passes as fast as the events can be written. A poll that finds nothing answers *at once*, since waiting on
  a clock that stands still would never end; a service made with an explicit ``long_poll`` waits that many real
  seconds instead, and wakes when an advance brings work.
* :class:`SkippingClock` moves by itself, to the next deadline, whenever every thread that has ever polled is waiting
  in a poll and there is nothing to hand out. While a task is being worked on it stands still.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import ClassVar

from genflow.local import forks
from genflow.steady_time import monotonic_ns

__all__ = [
    'FIRST_MOMENT',
    'LAST_MOMENT',
    'Clock',
    'ManualClock',
    'SkippingClock',
    'SteadyClock',
    'SystemClock',
    'steady',
    'to_datetime',
    'to_milliseconds',
]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)

FIRST_MOMENT, LAST_MOMENT = -62_135_596_800_000, 253_402_300_799_999
"""Milliseconds since the epoch of the first and the last moment that there is a date for: the years 1 to 9999."""

_DAY: int | None = getattr(time, 'CLOCK_REALTIME', None)

STEP = 1_000
"""Milliseconds by which the time of day must leave the steady clock before that is a step."""

LOG = logging.getLogger(__name__)


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch; a naive ``moment`` is local time, as everywhere in Python."""
    return (moment.astimezone(timezone.utc) - EPOCH) // MILLISECOND


def to_datetime(milliseconds: int) -> datetime:
    """The aware moment in UTC."""
    return EPOCH + milliseconds * MILLISECOND


class Clock:
    """A source of time.

    Attributes:
        hold: Default number of real seconds for which an empty poll is held.
        skips: The service may move this clock when everything waits.
    """

    hold: ClassVar[float] = 60.0
    skips: ClassVar[bool] = False

    def milliseconds(self) -> int:
        """Whole milliseconds since the epoch."""
        raise TypeError(f'{type(self).__name__} must say what time it is: define milliseconds()')

    def now(self) -> datetime:
        """The same moment, aware and in UTC."""
        return to_datetime(self.milliseconds())

    def seconds_until(self, milliseconds: int) -> float | None:
        """Real seconds until the clock reaches a time by itself; None if it never does."""
        return max(0.0, (milliseconds - self.milliseconds()) / 1000)

    def subscribe(self, moved: Callable[[], None]) -> Callable[[], None]:
        """Calls ``moved`` after every jump; returns a function that ends the subscription."""
        return lambda: None


class SystemClock(Clock):
    """The time of day. A service reads it once and goes on steadily from there; see :class:`SteadyClock`."""

    def milliseconds(self) -> int:
        # Libraries that freeze the time for some threads and not for others leave this function alone.
        return (time.time_ns() if _DAY is None else time.clock_gettime_ns(_DAY)) // 1_000_000


class SteadyClock(Clock):
    """The time of day as it was at the beginning, and the time that has passed since.

    Deadlines come on time and no event is dated before another, although the time of day is set forward or back
    meanwhile. The first such step is logged; the time of day is read once a millisecond for that.
    """

    def __init__(self, day: SystemClock) -> None:
        self._day = day
        self._offset = day.milliseconds() - monotonic_ns() // 1_000_000
        self._told = False
        self._looked: int | None = None

    def milliseconds(self) -> int:
        now = monotonic_ns() // 1_000_000 + self._offset
        if now != self._looked and not self._told:
            self._looked = now
            ahead = self._day.milliseconds() - now
            if abs(ahead) > STEP:
                self._tell(ahead)
        return now

    def start_at(self, moment: int) -> None:
        """Begin no earlier than ``moment``, where a file already holds events of that time."""
        ahead = moment - self.milliseconds()
        if ahead > 0:
            self._offset += ahead

    def _tell(self, ahead: int) -> None:
        self._told = True
        LOG.warning(
            'The time of day (%s) is %.1f s %s the clock of this service, which is monotonic: timers fire on '
            'time, and events get its time until the service is opened again. Further steps are not logged.',
            self._day.now().isoformat(timespec='seconds'),
            abs(ahead) / 1000,
            'ahead of' if ahead > 0 else 'behind',
        )


def steady(clock: Clock) -> Clock:
    """What a service goes by: the steady version of the time of day, any other clock as it is."""
    return SteadyClock(clock) if isinstance(clock, SystemClock) else clock


class ManualClock(Clock):
    """Time that stands still until it is moved.

    Args:
        start: The first moment; 2000-01-01 UTC unless given.
    """

    hold: ClassVar[float] = 0.0

    def __init__(self, start: datetime = datetime(2000, 1, 1, tzinfo=timezone.utc)) -> None:
        self._milliseconds = to_milliseconds(start)
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[], None]] = []
        forks.register(self)

    def pause(self) -> None:
        """Before a fork: nobody moves it."""
        self._lock.acquire()

    def resume(self) -> None:
        """In the parent."""
        self._lock.release()

    def orphan(self) -> None:
        """In the child, where this clock may go on, by itself."""
        self._lock = threading.RLock()
        forks.register(self)

    def milliseconds(self) -> int:
        return self._milliseconds

    def seconds_until(self, milliseconds: int) -> float | None:
        return 0.0 if milliseconds <= self._milliseconds else None

    def advance(self, seconds: float) -> None:
        """Moves the clock by ``seconds``; every service on it then processes what became due.

        Raises:
            ValueError: ``seconds`` is negative.
        """
        if seconds < 0:
            raise ValueError(f'cannot advance a clock by {seconds} seconds: time only moves forward')
        with self._lock:
            self._milliseconds += round(seconds * 1000)
        self._tell()

    def advance_to(self, moment: datetime) -> None:
        """Move on to ``moment``; a moment in the past changes nothing."""
        self.skip_to(to_milliseconds(moment))
        self._tell()

    def skip_to(self, milliseconds: int) -> None:
        """Move on without telling anybody; for a service that is about to look itself."""
        with self._lock:
            self._milliseconds = max(self._milliseconds, milliseconds)

    def subscribe(self, moved: Callable[[], None]) -> Callable[[], None]:
        with self._lock:
            self._subscribers.append(moved)
        return lambda: self._unsubscribe(moved)

    def _unsubscribe(self, moved: Callable[[], None]) -> None:
        with self._lock:
            if moved in self._subscribers:
                self._subscribers.remove(moved)

    def _tell(self) -> None:
        with self._lock:
            subscribers = list(self._subscribers)
        for moved in subscribers:
            moved()


class SkippingClock(ManualClock):
    """A clock that the service moves to the next deadline when every poller waits and nothing is to be handed out.

    A poller is a thread that has polled and still lives. A thread that works on a task outside of a poll holds the
    time, and so does a Lambda function that runs; a task whose worker has left it to somebody else (polling on) does
    not.
    """

    hold: ClassVar[float] = 60.0
    skips: ClassVar[bool] = True
