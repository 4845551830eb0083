"""What a service without a file keeps: tables in memory, and beside them the events, as the texts that they are.

Most of what is kept are events, and most of a service without a file is never read. To write them into a table costs as
much as all else that is written, and nothing is gained by it where no file has to be the same after a crash.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from genflow.local.state.transaction import EVENT_BITS
from genflow.local.store.file import MEMORY
from genflow.local.store.store import Answered, Store

__all__ = ['MemoryStore']


class MemoryStore(Store):
    """A :class:`Store` whose events are in no table."""

    def __init__(self, synchronous: str = 'FULL') -> None:
        super().__init__(MEMORY, synchronous)
        self._events: defaultdict[int, list[str]] = defaultdict(list)  # by execution, from event 1 on

    def fold(
        self, columns: tuple[str | None, ...], answers: Answered = (), events: Sequence[tuple[int, str]] = ()
    ) -> None:
        super().fold(columns, answers)
        known = self._events
        for ref, text in events:
            known[ref >> EVENT_BITS].append(text)

    def reset(self) -> None:
        super().reset()
        self._events.clear()

    def _forget(self, key: int) -> None:
        super()._forget(key)
        self._events.pop(key, None)

    def events(self, key: int, first: int, last: int, *, newest_first: bool = False) -> list[str]:
        texts = self._events.get(key, [])[max(first, 1) - 1 : last]
        return texts[::-1] if newest_first else texts

    def last_event(self, key: int) -> tuple[int, str]:
        texts = self._events.get(key)
        return (len(texts), texts[-1]) if texts else super().last_event(key)  # which says that there is none

    def _last(self, key: int, types: str) -> str | None:
        beginning = types.rstrip('%')
        texts: list[str] = self._events.get(key, [])
        return next((text for text in reversed(texts) if json.loads(text)['eventType'].startswith(beginning)), None)
