"""Decisions that compute for too long are reported, and interrupted once their time-out is over.

A decision is pure computing and takes milliseconds; one that takes seconds has a blocking call in it, or a loop. One
thread checks the decider threads at intervals. After the time-out of a decision, SWF no longer accepts an answer, so an
exception is raised in the thread that computes it: the execution is held with the user's line, and the decider
continues with others. Python raises it between two instructions, so a call that blocks in C holds its thread until it
returns. The time in which a decision waits for the next page of its history does not count.
"""

from __future__ import annotations

import ctypes
import logging
import math
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TypeVar

from attrs import define, field

from genflow.core.engine.execution import Execution
from genflow.core.engine.workflow_values import Abort
from genflow.core.errors import GenflowError
from genflow.steady_time import monotonic
from genflow.swf.tasks.polled_tasks import DecisionTask

__all__ = ['DecisionInterrupted', 'SlowDecisionWatchdog']

T = TypeVar('T')

log = logging.getLogger('genflow.worker')

_OURS = str(Path(__file__).parents[2])
_LINES = 10

LOOK = 1.0
"""The longest interval between two checks, in seconds."""


class DecisionInterrupted(GenflowError):
    """A decision went on until its time-out was over."""


@define(eq=False)
class _Running:
    """A decision that is being computed.

    Attributes:
        since: When it began; later by the time for which it has waited for its history.
        waits: Whether it waits for that.
        error: The exception that interrupted it, if it was interrupted.
    """

    task: DecisionTask
    execution: Execution
    since: float
    waits: bool = False
    reported: bool = False
    error: DecisionInterrupted | None = None

    @property
    def limit(self) -> float:
        """Seconds that the decision may take."""
        limit = self.execution.base.decision_duration
        return math.inf if limit is None else limit


@define(eq=False)
class SlowDecisionWatchdog:
    """Reports and interrupts slow decisions.

    Attributes:
        threshold: Seconds after which a decision is reported, each once; ``math.inf`` reports none.
    """

    threshold: float = 2.0
    clock: Callable[[], float] = monotonic
    _running: dict[int, _Running] = field(factory=dict, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def over(self, task: DecisionTask, execution: Execution, compute: Callable[[], T]) -> T:
        """Calls ``compute``, which decides ``task`` on the calling thread, and returns its value.

        Raises:
            DecisionInterrupted: It did not end before the decision's time-out.
            BaseException: The exception of ``compute``.
        """
        me = threading.get_ident()
        running = self._running[me] = _Running(task, execution, self.clock())
        try:
            try:
                found = compute()
            finally:
                self._leave(me, running)
        except Abort:
            self._leave(me, running)  # once more, in case that the interrupt came while it was being left
            if running.error is None:
                raise
        if running.error is not None:
            raise running.error
        return found

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """In the block, the calling thread waits for the history of its decision: it does not compute meanwhile."""
        running, began = self._running[threading.get_ident()], self.clock()
        with self._lock:
            running.waits = True
        try:
            yield
        finally:
            with self._lock:
                running.since += self.clock() - began
                running.waits = False

    def look(self) -> None:
        """Reports decisions that take too long, and interrupts those whose time-out is over."""
        now = self.clock()
        for thread, running in list(self._running.items()):
            if running.waits:
                continue
            if not running.reported and now - running.since >= self.threshold:
                running.reported = True
                self._report(thread, running, now)
            if now - running.since >= running.limit:
                self._interrupt(thread, running)

    def watch(self, pause: Callable[[float], bool]) -> None:
        """Checks until ``pause`` returns true because the program is about to stop."""
        while not pause(min(self.threshold / 2, LOOK)):
            self.look()

    def _interrupt(self, thread: int, running: _Running) -> None:
        """Raises an exception in the thread; again at each look, since the user's code may catch it."""
        with self._lock:
            if self._running.get(thread) is not running or running.waits:
                return
            if running.error is None:
                stack = _user_stack(sys._current_frames().get(thread))  # noqa: SLF001 - as below
                running.error = DecisionInterrupted(
                    f'the decision had not ended after {running.limit:g} s, its time-out, and was interrupted; a '
                    f'workflow must not block: it waits by yielding tasks. It was at:\n{stack}'
                )
                running.execution.give_up(running.error)
            _raise_in(thread, Abort)

    def _leave(self, thread: int, running: _Running) -> None:
        """Ends the watch over the calling thread: it is not interrupted any more, even by a pending interrupt."""
        with self._lock:
            self._running.pop(thread, None)
        if running.error is not None:
            _take_what_was_sent(thread)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """In the block, a thread of its own checks the decisions."""
        over = threading.Event()
        threading.Thread(target=self.watch, args=(over.wait,), name='genflow-watch', daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _report(self, thread: int, running: _Running, now: float) -> None:
        frame = sys._current_frames().get(thread)  # noqa: SLF001 - documented, the underscore is a warning sign
        log.warning(
            'deciding %s has taken %.1f s so far; a workflow must not block: it waits by yielding tasks. It is at:\n%s',
            running.task,
            now - running.since,
            _user_stack(frame),
        )


def _user_stack(frame: FrameType | None) -> str:
    """The innermost lines of a stack, from the user's code on."""
    stack = traceback.extract_stack(frame) if frame is not None else traceback.StackSummary()
    first = next((n for n, line in reversed(list(enumerate(stack))) if line.filename.startswith(_OURS)), -1)
    shown = stack[first + 1 :] or stack
    return ''.join(traceback.format_list(shown[-_LINES:])).rstrip()


def _raise_in(thread: int, error: type[BaseException]) -> None:
    """Raises an exception in a thread at its next instruction."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _take_what_was_sent(me: int) -> None:
    """Makes the calling thread receive an interrupt that may still be pending.

    Python can withdraw an interrupt. But after that it checks for one at every call and loop of every thread, for ever,
    and 3.11 hangs at the first call that a debugger or coverage traces. So a second interrupt is sent, which replaces
    the first if that is still pending, and is caught here.
    """
    with suppress(Abort):
        _raise_in(me, Abort)
        while True:  # until the next instruction, which is the one where it is raised
            pass
