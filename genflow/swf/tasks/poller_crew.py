"""Threads that poll one list; their number follows the work.

Theory of operation. A thread that has taken a task does not poll until it is done, so as long as one thread polls, no
task waits. A thread that takes a task while no other thread polls starts another one, up to the limit; a thread whose
poll is empty while others poll ends. So an idle list costs one poll, and a list whose activities block gets threads
until all of its tasks run or the limit is reached.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from attrs import define, field

from genflow.swf.tasks.collection import COLLECTION

__all__ = ['PollerCrew']

T = TypeVar('T')


@define(eq=False)
class PollerCrew:
    """The threads of one list.

    Attributes:
        limit: How many there may be.
        spawn: Starts a thread that calls :meth:`work`.
    """

    limit: int
    spawn: Callable[[], None]
    _threads: int = field(default=0, init=False)
    _polling: int = field(default=0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def start(self) -> None:
        """Begins, with one thread."""
        self._grow()

    def work(self, poll: Callable[[], T | None], perform: Callable[[T], None], is_over: Callable[[], bool]) -> None:
        """One thread's work.

        Args:
            poll: Waits for a task; ``None`` where there was none.
            perform: Does it.
            is_over: Returns true if polling should end.
        """
        while not is_over():
            task = poll()
            if task is None:
                if self._is_spare():
                    return
                continue
            with self._lock:
                self._polling -= 1
            if not is_over():
                self._grow()
            with COLLECTION.lasting():
                perform(task)
                del task
            with self._lock:
                self._polling += 1

    def _grow(self) -> None:
        """Starts another thread if none polls."""
        with self._lock:
            if self._polling or self._threads >= self.limit:
                return
            self._threads += 1
            self._polling += 1
        self.spawn()

    def _is_spare(self) -> bool:
        """Whether this thread, whose poll was empty, should end because another one polls."""
        with self._lock:
            if self._polling < 2:  # noqa: PLR2004 - this one and another
                return False
            self._threads -= 1
            self._polling -= 1
            return True
