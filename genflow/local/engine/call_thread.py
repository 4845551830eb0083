"""Calls of the main thread, carried out by a thread of the service's own, where no signal handler interrupts them.

Python runs signal handlers in the main thread, between any two bytecodes. An exception that one of them raises (Ctrl-C,
``signal.alarm``, a test's time-out) appears wherever the main thread is. In the middle of a call it would leave half a
rule in memory, or a lock that nobody gives up. So the main thread only hands its call over, which is one step that
cannot be interrupted, and waits. An exception ends the waiting; the call itself is carried out whole, as if the answer
had been lost on its way.

Handing over and waiting takes some 8 µs by itself; on a file, where two threads alternate, a call takes 10 to 60 % more
processor time. So other threads make their calls themselves: no signal handler interrupts them. An exception that is
raised in one from outside (``PyThreadState_SetAsyncExc``) does, and nothing guards against that.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from attrs import define, field

__all__ = ['CallThread']

T = TypeVar('T')

LOOK_AGAIN = 1.0
"""Seconds after which one who waits sees whether the thread is still there."""


class Job:
    """One call, and how it ended."""

    __slots__ = ('done', 'error', 'result', 'work')

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def carry_out(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            self.error = error
        self.done.release()

    def outcome(self) -> Any:
        if self.error is None:
            return self.result
        error, self.error = self.error, None
        try:
            raise error
        finally:
            del error


@define(eq=False)
class _Line:
    """What the thread shares with its owner, which it does not keep alive.

    Attributes:
        jobs: In the order in which they were asked for; None wakes the thread to look whether it is over.
        over: No more is to be expected.
    """

    jobs: queue.SimpleQueue[Job | None] = field(factory=queue.SimpleQueue)
    over: bool = False

    def serve(self) -> None:
        while not (self.over and self.jobs.empty()):
            job = self.jobs.get()
            if job is not None:
                job.carry_out()
            del job  # drop references to the last call while idle


class CallThread:
    """Where the main thread's calls are carried out, one after the other.

    The thread starts with the first call, and ends with :meth:`stop` or when its owner is gone.
    """

    def __init__(self) -> None:
        self._line = _Line()
        self._thread: threading.Thread | None = None

    def __del__(self) -> None:
        if hasattr(self, '_line'):  # else a signal handler interrupted the constructor
            self.stop()

    def call(self, work: Callable[[], T]) -> T:
        """Do ``work``, here or there, and give back what it gives or raise what it raises."""
        if threading.current_thread() is not threading.main_thread():
            return work()
        job = Job(work)
        try:
            self._be_there()
        except RuntimeError:  # the interpreter is about to end and starts no thread any more
            return work()
        self._line.jobs.put(job)
        while not job.done.acquire(timeout=LOOK_AGAIN):
            self._be_there()
        return job.outcome()  # type: ignore[no-any-return]

    def post(self, work: Callable[[], object]) -> None:
        """Have ``work`` done, here or there, without waiting for it there."""
        if threading.current_thread() is threading.main_thread():
            self._line.jobs.put(Job(work))
        else:
            work()

    def stop(self) -> None:
        """Have the thread end when it has done what was asked for before."""
        self._line.over = True
        self._line.jobs.put(None)

    def _be_there(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._line.serve, name='genflow-local-calls', daemon=True)
            self._thread = thread
            try:
                thread.start()
            except KeyError as error:  # threading lost the exception of a signal handler that raised it just then
                raise (error.__context__ or error) from None
