"""Seconds that pass evenly: for time-outs, pauses and deadlines, whatever happens to the time of day.

Libraries with which tests freeze or move the time (freezegun, time-machine) replace ``time.monotonic`` too, and a
deadline would never come. They leave the system's own clocks alone, which are read here. On Linux the one is taken that
goes on while the machine sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

__all__ = ['monotonic', 'monotonic_ns']

_CLOCK: int | None = getattr(time, 'CLOCK_BOOTTIME', getattr(time, 'CLOCK_MONOTONIC', None))

monotonic_ns: Callable[[], int] = time.monotonic_ns if _CLOCK is None else partial(time.clock_gettime_ns, _CLOCK)
"""Nanoseconds since some moment in the past."""

monotonic: Callable[[], float] = time.monotonic if _CLOCK is None else partial(time.clock_gettime, _CLOCK)
"""Seconds since some moment in the past."""
