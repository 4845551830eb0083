"""Pauses the cyclic garbage collector while a long history is read and replayed.

Reading makes hundreds of thousands of objects, all of which stay, and the collector looks through them again and again:
a quarter of the time of a cold decision. The switch belongs to the whole process, so those who hold it off at the same
time are counted, and the last one to leave switches it on again. It stays off where the program has it off. A timer
switches it on in any case after :data:`LONGEST`, for pages may be slow to come, and a user's code may loop or block.

Once it is on, it looks through everything that was made meanwhile and is still there, which is as long as the replay of
a long history. So a thread that polls has it on again when it has let go of the task: see
:meth:`HeldCollection.lasting`.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

__all__ = ['COLLECTION', 'LONG', 'HeldCollection']

LONG = 1_000
"""The shortest history, in events, for which the collector is paused."""

LONGEST = 2.0
"""The most seconds for which the collector is paused."""


@define(eq=False)
class HeldCollection:
    """Pauses the collector, counted over all threads of the process.

    Attributes:
        longest: Seconds after which it is switched on again, even inside a block.
    """

    longest: float = LONGEST
    _holders: int = field(default=0, init=False)
    _timer: threading.Timer | None = field(default=None, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)
    _lasting: threading.local = field(factory=threading.local, init=False, repr=False)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Pauses the collector in the block, or to the end of the thread's block of :meth:`lasting`."""
        self._enter()
        try:
            yield
        finally:
            open_holds = getattr(self._lasting, 'open_holds', None)
            if open_holds is None:
                self._leave()
            else:
                self._lasting.open_holds = open_holds + 1

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """Has a pause that begins in this block end with it: whoever lets go of what was read does so before.

        Blocks may nest: an activity may run a worker of its own on its thread.
        """
        before = getattr(self._lasting, 'open_holds', None)
        self._lasting.open_holds = 0
        try:
            yield
        finally:
            open_holds, self._lasting.open_holds = self._lasting.open_holds, before
            for _ in range(open_holds):
                self._leave()

    def forget(self) -> None:
        """Resets the count in a forked child, whose only thread may not be inside a block."""
        self._lock = threading.Lock()
        self._holders = 0
        self._switch_on()

    def _enter(self) -> None:
        with self._lock:
            self._holders += 1
            if self._holders == 1 and gc.isenabled():
                gc.disable()
                self._timer = threading.Timer(self.longest, self._took_too_long)
                self._timer.daemon = True
                self._timer.start()

    def _leave(self) -> None:
        with self._lock:
            self._holders = max(0, self._holders - 1)
            if not self._holders:
                self._switch_on()

    def _took_too_long(self) -> None:
        with self._lock:
            self._switch_on()

    def _switch_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            gc.enable()


COLLECTION = HeldCollection()

if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=COLLECTION.forget)
