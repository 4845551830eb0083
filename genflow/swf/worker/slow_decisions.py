"""Decisions that compute for too long are reported, with the line of the user's code that is at it.

A decision is pure computing and takes milliseconds; one that takes seconds has a blocking call in it, or a loop, and
may run into its time-out. One thread looks from time to time at what the decider threads are doing.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from attrs import define, field

from genflow.swf.worker.polled_tasks import DecisionTask

__all__ = ['SlowDecisionWatchdog']

log = logging.getLogger('genflow.worker')

_OURS = str(Path(__file__).parents[2])
_LINES = 10


@define
class _Running:
    task: DecisionTask
    since: float
    reported: bool = False


@define(eq=False)
class SlowDecisionWatchdog:
    """Reports decisions that take longer than ``threshold`` seconds, each once; ``math.inf`` reports none."""

    threshold: float = 2.0
    clock: Callable[[], float] = time.monotonic
    _running: dict[int, _Running] = field(factory=dict, init=False)

    @contextmanager
    def over(self, task: DecisionTask) -> Iterator[None]:
        """The calling thread decides ``task``."""
        me = threading.get_ident()
        self._running[me] = _Running(task, self.clock())
        try:
            yield
        finally:
            del self._running[me]

    def look(self) -> None:
        """Reports what has been running for too long."""
        now = self.clock()
        for thread, running in list(self._running.items()):
            if not running.reported and now - running.since >= self.threshold:
                running.reported = True
                self._report(thread, running, now)

    def watch(self, pause: Callable[[float], bool]) -> None:
        """Looks for ever, until ``pause`` says that the program is about to stop."""
        while not pause(min(self.threshold / 2, threading.TIMEOUT_MAX)):
            self.look()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Looks, on a thread of its own, throughout the block."""
        over = threading.Event()
        threading.Thread(target=self.watch, args=(over.wait,), name='genflow-watch', daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _report(self, thread: int, running: _Running, now: float) -> None:
        frame = sys._current_frames().get(thread)  # noqa: SLF001 - documented, the underscore is a warning sign
        log.warning(
            'deciding %s has taken %.1f s so far; a workflow computes only, and leaves waiting to tasks. It is at:\n%s',
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
