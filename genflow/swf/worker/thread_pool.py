"""A thread pool whose threads start on demand, and end when they have been idle for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from attrs import define, field

__all__ = ['IDLE_TIMEOUT', 'ThreadPool']

IDLE_TIMEOUT = 5.0
"""Seconds for which a thread waits for the next job before it ends."""

Job = Callable[[], None]


@define(eq=False)
class ThreadPool:
    """Runs each job at once, on a thread that is idle or a new one.

    Attributes:
        spawn: Starts a thread.
        linger: Seconds for which a thread waits for the next job.
    """

    spawn: Callable[[Job], None]
    linger: float = IDLE_TIMEOUT
    _idle: int = field(default=0, init=False)
    _draining: bool = field(default=False, init=False)
    _jobs: SimpleQueue[Job | None] = field(factory=SimpleQueue, init=False, repr=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False)

    def run(self, job: Job) -> None:
        """Runs the job on a thread."""
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._jobs.put(job)
                return
        self.spawn(lambda: self._work(job))

    def drain(self) -> None:
        """Ends idle threads now, the others after their jobs. Callable from any thread and from a signal handler."""
        with self._lock:
            self._draining = True
            for _ in range(self._idle):
                self._jobs.put(None)
            self._idle = 0

    def _work(self, job: Job | None) -> None:
        while job is not None:
            job()
            job = self._next()

    def _next(self) -> Job | None:
        with self._lock:
            if self._draining:
                return None
            self._idle += 1
        try:
            return self._jobs.get(timeout=self.linger)
        except Empty:
            with self._lock:
                if self._jobs.empty():
                    self._idle -= 1
                    return None
            return self._jobs.get()
