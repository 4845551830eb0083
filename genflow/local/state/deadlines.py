"""What is due when: a heap of moments, with a table of which of its entries still count."""

from __future__ import annotations

import heapq
import math
from itertools import count

__all__ = ['Deadlines']

SLACK = 1_024
"""Stale entries tolerated before the heap is rebuilt."""


class Deadlines:
    """The next deadline of every open thing, in order; of equal moments the one that was set first comes first.

    A changed or dropped deadline leaves its old entry in the heap, to be skipped when it surfaces; when such entries
    outnumber the live ones the heap is rebuilt, so that heartbeats (each moves a deadline) cost no memory.

    Attributes:
        soonest: Nothing is due before that moment. Something may be due then: a deadline that was dropped or changed
            since leaves it as it is, until :meth:`first` looks.
    """

    def __init__(self) -> None:
        self._current: dict[int, int] = {}
        self._heap: list[tuple[int, int, int]] = []
        self._order = count()
        self.soonest: float = math.inf

    def __len__(self) -> int:
        return len(self._current)

    def set(self, ref: int, moment: int | None) -> None:
        """``ref`` is due at ``moment``, or never."""
        if moment is None:
            self._current.pop(ref, None)
        elif self._current.get(ref) != moment:
            self._current[ref] = moment
            heapq.heappush(self._heap, (moment, next(self._order), ref))
            self.soonest = min(self.soonest, moment)
            if len(self._heap) > 2 * len(self._current) + SLACK:
                self._rebuild()

    def drop(self, ref: int) -> None:
        """``ref`` is no longer due."""
        self._current.pop(ref, None)

    def first(self) -> int | None:
        """The earliest moment."""
        heap, current = self._heap, self._current
        while heap:
            moment, _, ref = heap[0]
            if current.get(ref) == moment:
                self.soonest = moment
                return moment
            heapq.heappop(heap)
        self.soonest = math.inf
        return None

    def pop(self) -> tuple[int, int]:
        """Take the earliest: (moment, ref). To be called after :meth:`first` gave a moment."""
        moment, _, ref = heapq.heappop(self._heap)
        del self._current[ref]
        return moment, ref

    def _rebuild(self) -> None:
        """Keep one entry for every live deadline."""
        current = self._current
        live = [entry for entry in self._heap if current.get(entry[2]) == entry[0]]
        live.sort(reverse=True)
        self._heap = list({entry[2]: entry for entry in live}.values())  # of several entries of a deadline, the first
        heapq.heapify(self._heap)
