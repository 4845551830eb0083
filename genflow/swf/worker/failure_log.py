"""The log of failures that may come again with every attempt, such as a page of a history that cannot be read.

A task that could not be handled is handed out again when it has timed out. So a failure that lasts comes once for each
attempt, and in an outage once for each execution.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Hashable

from attrs import define, field

from genflow.swf.aws import faults

__all__ = ['FailureLog']

log = logging.getLogger('genflow.worker')

KNOWN = 256
"""How many kinds of failures are counted; the one that was logged first is forgotten for another."""


@define(eq=False)
class FailureLog:
    """Logs the first failure of a kind with its traceback, and each further one in a line with their number.

    Failures are of one kind if they have the same class and error code, and the same lines of code led to them.
    """

    _counts: dict[Hashable, int] = field(factory=dict, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def write(self, error: BaseException, message: str, *args: object) -> None:
        """Logs a failure.

        Args:
            error: What was raised.
            message: What could not be done; as for :mod:`logging`.
            args: Its arguments.
        """
        number = self._count(error)
        if number == 1:
            log.error(message, *args, exc_info=error)
        else:
            again = f'{message}: %s: %s (failure %d of this kind; the first one was logged with its traceback)'
            log.error(again, *args, type(error).__name__, faults.shown(error), number)

    def _count(self, error: BaseException) -> int:
        # A set: the lines of an exception that is raised anew are added to those of the first time.
        lines = frozenset((frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__))
        kind = (type(error), faults.code_of(error), lines)
        with self._lock:
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            if len(self._counts) > KNOWN:
                del self._counts[next(iter(self._counts))]
        return number
