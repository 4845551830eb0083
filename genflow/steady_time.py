"""Seconds that pass evenly: for time-outs, pauses and deadlines, whatever happens to the time of day.

Libraries with which tests freeze or move the time (freezegun, time-machine) replace ``time.monotonic`` too, and a
deadline would never come. They leave the system's own clocks alone, which are read here. On Linux the one is taken that
goes on while the machine sleeps.
"""

from __future__ import annotations

import time

__all__ = ['monotonic', 'monotonic_ns']

_CLOCK: int | None = getattr(time, 'CLOCK_BOOTTIME', getattr(time, 'CLOCK_MONOTONIC', None))


def monotonic_ns() -> int:
    """Nanoseconds since some moment in the past."""
    return time.monotonic_ns() if _CLOCK is None else time.clock_gettime_ns(_CLOCK)


def monotonic() -> float:
    """Seconds since some moment in the past."""
    return monotonic_ns() / 1e9
