"""Calls of the main thread, carried out by a thread of the service's own, where no signal handler interrupts them.

Python runs signal handlers in the main thread, between any two bytecodes. An exception that one of them raises (Ctrl-C,
``signal.alarm``, a test's time-out) appears wherever the main thread is. In the middle of a call it would leave half a
rule in memory, or a lock that nobody gives up. So the main thread only hands its call over, which is one step that
cannot be interrupted, and waits. An exception ends the waiting; the call itself is carried out whole, as if the answer
had been lost on its way.

Handing over and waiting takes some 8 µs by itself; on a file, where two threads alternate, a call takes 10 to 60 % more
processor time. So other threads make their calls themselves: no signal handler interrupts them. An exception that is
raised in one from outside (``PyThreadState_SetAsyncExc``) does, and nothing guards against that.

A service of a single test can do without (:class:`CallsHere`): two thirds of its calls' time would go into handing them
over, and when the test is interrupted, nobody goes on with what it has begun.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from attrs import define, field

from genflow.local.errors import LocalError, ServiceClosed

__all__ = ['CallThread', 'CallsHere']

T = TypeVar('T')

LOOK_AGAIN = 1.0
"""Seconds after which one who waits sees whether the thread is still there."""

IDLE_TIMEOUT = 1.0
"""Seconds for which a thread whose owner is gone waits for another."""

SPARE = 1
"""How many of those there are at most."""


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
    """A thread and what it is to do, for one owner after the other; it keeps no owner alive.

    Attributes:
        jobs: In the order in which they were asked for; ``None`` from an owner that has no more of them.
        owned: An owner may ask for more.
    """

    jobs: queue.SimpleQueue[Job | None] = field(factory=queue.SimpleQueue)
    owned: bool = False
    _thread: threading.Thread | None = None

    def ensure_running(self) -> None:
        """Starts the thread, unless it runs, and marks it as owned."""
        self.owned = True
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._serve, name='genflow-local-calls', daemon=True)
            self._thread = thread
            try:
                thread.start()
            except KeyError as error:  # threading lost the exception of a signal handler that raised it just then
                raise (error.__context__ or error) from None

    def _serve(self) -> None:
        is_taken = False
        while True:
            try:
                job = self.jobs.get(timeout=None if self.owned else LOOK_AGAIN if is_taken else IDLE_TIMEOUT)
            except queue.Empty:
                if self.owned:
                    continue
                if is_taken:
                    return  # by somebody who was interrupted
                try:
                    _IDLE.remove(self)
                except ValueError:  # somebody takes it just now, and may have seen it alive
                    is_taken = True
                    continue
                return
            is_taken = False
            if job is not None:
                job.carry_out()
            elif self._is_let_go():
                return
            del job  # drop references to the last call while idle

    def _is_let_go(self) -> bool:
        """Whether the thread may end; else it waits a moment for another owner."""
        self.owned = False
        if self not in _IDLE:
            if len(_IDLE) >= SPARE:
                return True
            _IDLE.append(self)
        return False


_IDLE: list[_Line] = []
"""Those whose owner is gone. One that is interrupted may share a line with another for a while, which does no harm."""

if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_IDLE.clear)  # their threads are the parent's


class CallThread:
    """Where the main thread's calls are carried out, one after the other.

    The thread is there from the first call on, until :meth:`stop` or until its owner is gone. It then waits a moment
    for the next owner: a new thread costs as much as ten calls, and a test makes a service of its own.

    Attributes:
        is_interruptible: An exception may come out of the middle of a call, with half of its work done.
    """

    is_interruptible = False

    def __init__(self) -> None:
        self._line: _Line | None = None

    def __del__(self) -> None:
        if hasattr(self, '_line'):  # else a signal handler interrupted the constructor
            self.stop()

    def call(self, work: Callable[[], T]) -> T:
        """Do ``work``, here or there, and give back what it gives or raise what it raises."""
        if threading.current_thread() is not threading.main_thread():
            return work()
        job = Job(work)
        try:
            line = self._running_line()
        except RuntimeError:  # the interpreter is about to end and starts no thread any more
            return work()
        line.jobs.put(job)
        while not job.done.acquire(timeout=LOOK_AGAIN):
            line.ensure_running()
        return job.outcome()  # type: ignore[no-any-return]

    end = call
    """The same for the last call, which is carried out in any case."""

    def post(self, work: Callable[[], object]) -> None:
        """Have ``work`` done, here or there, without waiting for it there."""
        if threading.current_thread() is threading.main_thread():
            self._running_line().jobs.put(Job(work))
        else:
            work()

    def stop(self) -> None:
        """Give the thread up when it has done what was asked for before."""
        if self._line is not None:
            self._line.jobs.put(None)
            self._line = None

    def _running_line(self) -> _Line:
        line = self._line
        if line is None:
            try:
                line = self._line = _IDLE.pop()
            except IndexError:
                line = self._line = _Line()
        line.ensure_running()
        return line


class CallsHere:
    """Calls of the main thread are carried out there, too.

    Once an exception has come out of the middle of one, what it has done may be half of a rule; from then on no other
    is carried out.

    Attributes:
        is_interruptible: As for :class:`CallThread`.
    """

    is_interruptible = True

    def __init__(self) -> None:
        self._interrupted: str | None = None

    def call(self, work: Callable[[], T]) -> T:
        """Do ``work``.

        Raises:
            ServiceClosed: A call before was interrupted.
        """
        if self._interrupted is not None:
            raise ServiceClosed(
                f'an exception ({self._interrupted}) interrupted a call of this service, which may be half done, so '
                'that the service is of no more use: make another one (or another Tester)'
            )
        try:
            return work()
        except LocalError:
            raise
        except BaseException as error:  # of a signal handler
            self._interrupted = type(error).__name__
            raise

    def end(self, work: Callable[[], T]) -> T:
        """Do ``work``, although a call before may have been interrupted."""
        return work()

    def post(self, work: Callable[[], object]) -> None:
        """Do ``work``, unless a call before was interrupted."""
        with contextlib.suppress(ServiceClosed):
            self.call(work)

    def stop(self) -> None:
        """There is no thread that would end."""
