"""What is due when: a table of moments, and a heap of those that come soon."""

from __future__ import annotations

import heapq
import math
from itertools import count

__all__ = ['SOON', 'Deadlines']

SLACK = 1_024
"""Stale entries tolerated before the heap is rebuilt."""

SOON = 1_000
"""Milliseconds from the first deadline on in which others are put into the heap with it."""

SHARE = 16
"""At least one of so many is put into the heap with it, however far they are from one another."""

Entry = tuple[int, int, int]
"""A moment, the order in which it was set, and whose deadline it is."""


class Deadlines:
    """The next deadline of every open thing, in order; of equal moments the one that was set first comes first.

    Theory of operation. Most deadlines never come: what may take minutes has ended in milliseconds. So a deadline is
    only noted in a table when it is set. When the first one is asked for, all that come before a *horizon* go into a
    heap, and so does what is set later and comes before it. When nothing of the heap counts any more, the next part of
    the table follows, with a later horizon.

    A changed or dropped deadline leaves its old entry in the heap, to be skipped when it surfaces; when such entries
    outnumber the live ones the heap is rebuilt, so that heartbeats (each moves a deadline) cost no memory.

    Attributes:
        soonest: Nothing is due before that moment. Something may be due then: a deadline that was dropped or changed
            since leaves it as it is, until :meth:`first` looks.
    """

    def __init__(self) -> None:
        self._current: dict[int, Entry] = {}
        self._heap: list[Entry] = []
        self._horizon: float = -math.inf
        self._order = count()
        self.soonest: float = math.inf

    def __len__(self) -> int:
        return len(self._current)

    def set(self, ref: int, moment: int | None) -> None:
        """``ref`` is due at ``moment``, or never."""
        if moment is None:
            self._current.pop(ref, None)
            return
        known = self._current.get(ref)
        if known is None or known[0] != moment:
            entry = self._current[ref] = moment, next(self._order), ref
            if moment < self.soonest or moment < self._horizon:
                self._note(entry)

    def _note(self, entry: Entry) -> None:
        """A deadline comes first, or before the horizon."""
        moment = entry[0]
        self.soonest = min(self.soonest, moment)
        if moment < self._horizon:
            heapq.heappush(self._heap, entry)
            if len(self._heap) > 2 * len(self._current) + SLACK:
                self._heap = [each for each in self._heap if self._current.get(each[2]) is each]
                heapq.heapify(self._heap)

    def drop(self, ref: int) -> None:
        """``ref`` is no longer due."""
        self._current.pop(ref, None)

    def first(self) -> int | None:
        """The earliest moment."""
        current = self._current
        while current:
            while self._heap:
                entry = self._heap[0]
                if current.get(entry[2]) is entry:
                    self.soonest = entry[0]
                    return entry[0]
                heapq.heappop(self._heap)
            self._move_horizon()
        self.soonest = math.inf
        return None

    def pop(self) -> tuple[int, int]:
        """Take the earliest: (moment, ref). To be called after :meth:`first` gave a moment."""
        moment, _, ref = heapq.heappop(self._heap)
        del self._current[ref]
        return moment, ref

    def _move_horizon(self) -> None:
        """Put the next ones into the heap, which is empty."""
        entries = self._current.values()
        several = heapq.nsmallest(len(entries) // SHARE + 1, entries)
        self._horizon = horizon = max(several[0][0] + SOON, several[-1][0] + 1)
        self._heap = [entry for entry in entries if entry[0] < horizon]
        heapq.heapify(self._heap)
