"""Those who wait for executions to close, and are told once the file has it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field

__all__ = ['CloseWatchers', 'Wake']

Wake = Callable[[], None]
"""Called at most once, from any thread; it must neither block nor call the service."""


@define(eq=False)
class CloseWatchers:
    """Whom to wake, by the execution's key; to be used under the service's lock.

    Attributes:
        due: The batches that have closes which somebody waits for, and whom to wake for each.
    """

    due: list[tuple[int, list[Wake]]] = field(factory=list)
    _waiting: dict[int, list[Wake]] = field(factory=dict)
    _left: deque[tuple[int, Wake]] = field(factory=deque)

    def add(self, key: int, wake: Wake) -> None:
        """Have somebody woken when that execution has closed."""
        self._forget_left()
        self._waiting.setdefault(key, []).append(wake)

    def discard(self, key: int, wake: Wake) -> None:
        """Nobody waits there any more; may be called without the lock, and so is only noted here."""
        self._left.append((key, wake))

    def _forget_left(self) -> None:
        while self._left:
            key, wake = self._left.popleft()
            wakes = self._waiting.get(key, [])
            if wake in wakes:
                wakes.remove(wake)
                if not wakes:
                    del self._waiting[key]

    def closed(self, key: int, batch: int) -> None:
        """That execution has closed, in that batch."""
        self._forget_left()
        wakes = self._waiting.pop(key, None)
        if wakes:
            self.due.append((batch, wakes))

    def take_written(self, batch: float) -> list[Wake]:
        """Whom to wake now that the file has everything up to that batch."""
        written = [wake for number, wakes in self.due if number <= batch for wake in wakes]
        self.due = [one for one in self.due if one[0] > batch]
        return written

    def take_all(self) -> list[Wake]:
        """Everybody: what they wait for may be gone."""
        self._forget_left()
        found = [wake for wakes in (*self._waiting.values(), *(wakes for _, wakes in self.due)) for wake in wakes]
        self._waiting, self.due = {}, []
        return found
