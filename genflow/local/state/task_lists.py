"""Task lists: what waits to be polled, and who waits for it."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable
from itertools import count

SLACK = 64


class Waiter:
    """One poll that waits for work.

    ``wake`` may be called once or many times, by anybody who holds the service's lock; ``wait`` returns at the first.

    Attributes:
        poller: the thread that waits; None where none does.
    """

    __slots__ = ('__weakref__', '_gate', 'poller', 'woken')

    def __init__(self, poller: threading.Thread | None = None) -> None:
        self.poller: threading.Thread | None = poller or threading.current_thread()
        self._gate = threading.Lock()
        self._gate.acquire()
        self.woken = False

    def wake(self) -> None:
        if not self.woken:
            self.woken = True
            self._gate.release()

    def wait(self, seconds: float) -> bool:
        """Block until woken, or for ``seconds``; say whether it was woken."""
        return self._gate.acquire(timeout=seconds)


class CallbackWaiter(Waiter):
    """A poll that waits without a thread: to wake it is to call ``ring``, which must neither block nor call back."""

    __slots__ = ('_ring',)

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__()
        self.poller = None
        self._ring = ring

    def wake(self) -> None:
        if not self.woken:
            super().wake()
            self._ring()


class TaskQueue:
    """The tasks of one task list, by priority (high first), then by age.

    A task that is withdrawn stays in the heap until it surfaces or until such leftovers outnumber the live ones.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, int]] = []
        self._live: set[int] = set()
        self._order = count()
        self.waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._live)

    @property
    def idle(self) -> bool:
        """Nothing waits here, no task and no poller."""
        return not self._live and not self.waiters

    @property
    def polls(self) -> int:
        """Polls that wait for a task."""
        return sum(not waiter.woken for waiter in self.waiters)

    @property
    def oldest(self) -> int | None:
        """Since when the task has waited that has waited longest."""
        return min((since for _, since, _, ref in self._heap if ref in self._live), default=None)

    def add(self, ref: int, priority: int, since: int) -> None:
        """A task is ready; the poll that has waited longest is woken for it."""
        self._live.add(ref)
        heapq.heappush(self._heap, (-priority, since, next(self._order), ref))
        self.wake_one()

    def discard(self, ref: int) -> None:
        """The task was taken back."""
        self._live.discard(ref)
        if len(self._heap) > 2 * len(self._live) + SLACK:
            self._heap = [entry for entry in self._heap if entry[3] in self._live]
            heapq.heapify(self._heap)

    def clear(self) -> None:
        """Forget the tasks; who waits goes on waiting."""
        self._heap.clear()
        self._live.clear()

    def take(self) -> int | None:
        """The next task, which is then nobody else's."""
        while self._heap:
            ref = heapq.heappop(self._heap)[3]
            if ref in self._live:
                self._live.remove(ref)
                return ref
        return None

    def wake_one(self) -> None:
        """Wake the poll that has waited longest."""
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.woken:
                waiter.wake()
                return
