"""Group commit: calls that run at the same time share one transaction of the file.

Theory of operation. A call changes the world under the service's lock, which adds to the open batch, and leaves the
lock; then it waits here until its batch is in the file. The first to wait becomes the *leader*: it closes the batch,
writes it, and wakes all whose changes were in it; who came too late for that batch finds the next leader among
themselves. So nobody but callers does any work, one caller alone pays no thread switch, and the slower the disk the
more calls share a commit.

Where calls have just shared a commit, the next leader waits a moment (never longer than the last write took, and never
longer than :data:`LONGEST_WAIT`) for as many to come again: all were woken at once, and the first back must not
write alone what the others bring a few microseconds later.

A write that fails takes with it every change made since the last one that succeeded: the calls that wait get the error,
and the service forgets what it remembered and reads the file again. What was acknowledged before is in the file.

Without a file nothing must survive, so nobody waits: changes are written in large portions, and before a read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import attrs

from genflow.local.batch import Batch
from genflow.local.errors import StoreError
from genflow.local.store import Store
from genflow.local.world import World

LONGEST_WAIT = 0.002

#: events collected before they are written where nobody waits for that.
PORTION = 2_000


@attrs.define(slots=True)
class Statistics:
    """What a service has done so far.

    Attributes:
        calls: operations carried out.
        changes: those of them that changed something.
        commits: transactions written.
    """

    calls: int = 0
    changes: int = 0
    commits: int = 0


class Journal:
    """The way of changes into the file.

    Args:
        lock: the service's lock, under which the world is changed.
        recover: called under the lock after a failed write; must read everything again.
    """

    def __init__(self, store: Store, world: World, lock: threading.RLock, recover: Callable[[], None]) -> None:
        self._store = store
        self._world = world
        self._lock = lock
        self._recover = recover
        self._mutex = threading.Lock()
        self._settled = threading.Condition(self._mutex)
        self._gathered = threading.Condition(self._mutex)
        self._written = 0
        self._writing = False
        self._arrived = 0
        self._expected = 1
        self._last_write = 0.0
        self._failures: list[tuple[int, int, StoreError]] = []
        self.statistics = Statistics()

    @property
    def written(self) -> int:
        """The number of the last batch that is settled."""
        return self._written

    def mark(self) -> int:
        """The batch that must be settled before what the world now shows may be told; under the service's lock."""
        batch = self._world.batch
        if batch.empty:
            return batch.number - 1
        if self._store.in_memory:
            if len(batch.events) >= PORTION:
                self.flush()
            return 0
        return batch.number

    def settle(self, number: int) -> None:
        """Wait until the batch of that number is in the file; not to be called under the service's lock.

        Raises:
            StoreError: it could not be written.
        """
        if number > self._written:
            if self._becomes_leader(number):
                self._lead()
            self._raise_failure(number)

    def _becomes_leader(self, number: int) -> bool:
        """Wait for somebody else's write, or find that it is on this thread to write."""
        with self._mutex:
            self._arrived += 1
            if self._arrived >= self._expected:
                self._gathered.notify()
            while self._written < number:
                if not self._writing:
                    self._writing = True
                    self._gather()
                    return True
                self._settled.wait()
            return False

    def _gather(self) -> None:
        """Give those who shared the last commit the chance to share this one."""
        if self._arrived < self._expected:
            wait = min(self._last_write, LONGEST_WAIT)
            self._gathered.wait_for(lambda: self._arrived >= self._expected, timeout=wait)

    def _lead(self) -> None:
        """Write the open batch and wake everybody."""
        with self._mutex:
            sharing, self._arrived = self._arrived, 0
        began = time.perf_counter()
        try:
            self.flush()
        finally:
            with self._mutex:
                self._expected = sharing + self._arrived
                self._last_write = time.perf_counter() - began
                self._writing = False
                self._settled.notify_all()

    def flush(self) -> int:
        """Write the open batch now, and say its number.

        Batches are written in order: whoever calls this is the leader, or (without a file) holds the service's lock.
        """
        with self._lock:
            batch = self._world.batch
            if batch.empty:
                return batch.number - 1
            columns = batch.columns()
            self._world.batch = Batch(batch.number + 1)
        try:
            self._store.write(columns)
        except StoreError as error:
            self._fail(batch.number, error)
        else:
            self.statistics.commits += 1
            self._written = max(self._written, batch.number)
        return batch.number

    def _fail(self, number: int, error: StoreError) -> None:
        """Everything from that batch on is lost; go back to what the file has."""
        with self._lock:
            last = self._world.batch.number
            self._failures.append((number, last, error))
            del self._failures[:-16]
            self._recover()
            self._world.batch = Batch(last + 1)
            self._written = last

    def _raise_failure(self, number: int) -> None:
        for first, last, error in self._failures:
            if first <= number <= last:
                raise type(error)(str(error)) from error
