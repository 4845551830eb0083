"""The numbers of a process's calls, by which a call whose answer was lost can be repeated and happens once.

See :mod:`genflow.local.state.answers` for what becomes of them where the file is.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator

from genflow.local.state.answers import Caller

__all__ = ['POLLS', 'READS', 'Numbers']

POLLS = frozenset({'PollForActivityTask', 'PollForDecisionTask'})

READS = ('List', 'Count', 'Describe', 'Get')
"""How the names of the operations begin that change nothing, and so can simply be repeated."""


class Numbers:
    """The numbers of this process's calls; without a lock, which an exception of a signal handler might leave taken."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, int] = {}

    @contextlib.contextmanager
    def caller(self, process: str, operation: str, *, owns: bool) -> Iterator[Caller]:
        """Who makes a call, while it is made."""
        if operation.startswith(READS):
            yield Caller(process, owns=owns)
            return
        thread = threading.get_ident()
        before = self._waiting.get(thread)  # of a call that a signal handler has interrupted to make this one
        self._waiting[thread] = before or 0
        number = next(self._numbers)
        self._waiting[thread] = before or number
        try:
            yield Caller(process, number, min(list(self._waiting.values())), owns)
        finally:
            if before is None:
                self._waiting.pop(thread, None)

    def waiting(self) -> list[int]:
        """The numbers of the calls that are under way."""
        return [number for number in list(self._waiting.values()) if number]
