"""Task lists: what waits to be polled, and who waits for it."""

from __future__ import annotations

import heapq
import logging
import threading
from collections import deque
from collections.abc import Callable
from itertools import count

__all__ = ['CallbackWaiter', 'TaskQueue', 'Waiter']

LOG = logging.getLogger(__name__)

SLACK = 64


class Waiter:
    """One poll that waits for work.

    ``wake`` may be called once or many times, by anybody who holds the service's lock; ``wait`` returns at the first.

    Attributes:
        poller: The thread that waits; None where none does.
        process: The name of the process whose poll it is; empty for anybody else's.
    """

    __slots__ = ('__weakref__', '_gate', 'poller', 'process', 'woken')

    def __init__(self, poller: threading.Thread | None = None) -> None:
        self.poller: threading.Thread | None = poller or threading.current_thread()
        self._gate = threading.Lock()
        self._gate.acquire()
        self.woken = False
        self.process = ''

    def wake(self) -> None:
        if not self.woken:
            self.woken = True
            self._gate.release()

    def wait(self, seconds: float) -> bool:
        """Block until woken, or for ``seconds``; say whether it was woken."""
        return self._gate.acquire(timeout=seconds)


class CallbackWaiter(Waiter):
    """A poll that waits without a thread: to wake it is to call ``ring``, which must neither block nor call back.

    Where ``ring`` fails, that is logged: whoever has made a task is not to suffer from it.
    """

    __slots__ = ('_ring',)

    def __init__(self, ring: Callable[[], object]) -> None:
        super().__init__()
        self.poller = None
        self._ring = ring

    def wake(self) -> None:
        if not self.woken:
            super().wake()
            try:
                self._ring()
            except Exception:
                LOG.exception('the function %r failed, which was to be called when a poll can get a task', self._ring)


class TaskQueue:
    """The tasks of one task list, by priority (high first), then by age.

    A task that is withdrawn stays in the heap until it surfaces or until such leftovers outnumber the live ones.

    Attributes:
        live: The tasks that wait here, by their refs.
        waiters: The polls that wait for one, the one that has waited longest first.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, int]] = []
        self.live: set[int] = set()
        self._order = count()
        self.waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self.live)

    @property
    def idle(self) -> bool:
        """Nothing waits here, no task and no poller."""
        return not self.live and not self.waiters

    @property
    def polls(self) -> int:
        """Polls that wait for a task."""
        return sum(not waiter.woken for waiter in self.waiters)

    @property
    def oldest(self) -> int | None:
        """Since when the task has waited that has waited longest."""
        return min((since for _, since, _, ref in self._heap if ref in self.live), default=None)

    @property
    def refs(self) -> frozenset[int]:
        """The tasks."""
        return frozenset(self.live)

    def add(self, ref: int, priority: int, since: int, may: Callable[[Waiter], bool] | None = None) -> None:
        """A task is ready; of the polls that may take it, the one that has waited longest is woken."""
        self.live.add(ref)
        heapq.heappush(self._heap, (-priority, since, next(self._order), ref))
        if self.waiters:
            self.wake_one(may)

    def discard(self, ref: int) -> None:
        """The task was taken back."""
        self.live.discard(ref)
        if len(self._heap) > 2 * len(self.live) + SLACK:
            self._heap = [entry for entry in self._heap if entry[3] in self.live]
            heapq.heapify(self._heap)

    def clear(self) -> None:
        """Forget the tasks; who waits goes on waiting."""
        self._heap.clear()
        self.live.clear()

    def take(self, may: Callable[[int], bool] | None = None) -> int | None:
        """The next task, which is then nobody else's; those that may not be taken stay."""
        if may is not None:
            return self._take_allowed(may)
        heap, live = self._heap, self.live
        while heap:
            ref = heapq.heappop(heap)[3]
            if ref in live:
                live.remove(ref)
                return ref
        return None

    def _take_allowed(self, may: Callable[[int], bool]) -> int | None:
        passed = []
        try:
            while self._heap:
                entry = heapq.heappop(self._heap)
                ref = entry[3]
                if ref not in self.live:
                    continue
                if may(ref):
                    self.live.remove(ref)
                    return ref
                passed.append(entry)
            return None
        finally:
            for entry in passed:
                heapq.heappush(self._heap, entry)

    def wake_one(self, may: Callable[[Waiter], bool] | None = None) -> None:
        """Wake the poll that has waited longest, of those that may be woken."""
        if may is not None:
            self.waiters = deque(waiter for waiter in self.waiters if not waiter.woken)
            chosen = next(filter(may, self.waiters), None)
            if chosen is not None:
                self.waiters.remove(chosen)
                chosen.wake()
            return
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.woken:
                waiter.wake()
                return
