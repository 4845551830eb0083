"""Group commit: calls that run at the same time share one transaction of the file.

Theory of operation. A call changes the state under the service's lock, which adds to the open batch, and leaves the
lock; then it waits here until its batch is in the file. The first to wait becomes the *leader*: it closes the batch,
writes it, lets everybody go whose changes were in it, and makes the first of those who came too late for that batch
the next leader. So nobody but callers does any work, one caller alone pays no thread switch, calls go on while the disk
is busy, and the slower it is the more of them share the next commit.

Where several call one after the other, a leader waits a moment for others to share its commit: until half of those who
were there lately have come, of two both, and never longer than the last write took. So a worker whose rounds alternate
with the calls of a client commits once for each round, and not for each call as well.

A write that fails takes with it every change made since the last one that succeeded: the calls that wait get the error,
and the service forgets what it remembered and reads the file again. What was acknowledged before is in the file.

A commit goes into the file's journal; the tables get the changes of many commits at once (they are *folded*), which is
also when executions past their retention are swept out. Without a file nothing must survive, so nobody waits and there
is no journal: changes are folded in large portions. Before anything is read from the tables, all is folded.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from genflow.local.errors import FileGone, ServiceClosed, StoreError
from genflow.local.state.answers import Caller
from genflow.local.state.state import State
from genflow.local.state.transaction import Batch
from genflow.local.store import Store
from genflow.steady_time import monotonic

__all__ = ['FAILURES', 'Journal', 'Statistics']

LOG = logging.getLogger(__name__)

NEVER_WRITTEN = 1 << 62
"""The number of a batch that nobody writes: who waits for it waits to be the leader."""

FAILURES = 256
"""Ranges of batches that could not be written, kept for those who have not heard yet."""

LONGEST_WAIT = 0.002
"""The most seconds that a leader waits for others."""

CHUNK = 2_000
"""Events collected before they are folded."""

SWEEP_EVERY = 1_000
"""Milliseconds between two sweeps, so that executions that expire one by one do not cost a transaction each."""

LOOK_AGAIN = 60_000
"""Milliseconds after which the tables are asked again, where an execution ends that they did not have, or a sweep has
failed."""


@define
class Statistics:
    """What a service has done so far.

    Attributes:
        calls: Operations carried out.
        commits: Transactions written.
        open_executions: How many are open, by domain.
        task_lists: Domain, kind, name, waiting tasks, waiting polls, and the seconds that the oldest task has waited.
    """

    calls: int = 0
    commits: int = 0
    open_executions: Mapping[str, int] = field(factory=dict)
    task_lists: Sequence[tuple[str, str, str, int, int, float]] = ()


@define(eq=False)
class _ClosedBatch:
    """A batch that is being written.

    Attributes:
        number: Its number.
        columns: Its changes as texts; where it is folded, with those of the batches that only the journal has.
        answers: What other processes get.
        folds: Whether the changes go into the tables, and not into the journal.
        events: What is folded of them, each with its ref.
    """

    number: int
    columns: tuple[str | None, ...]
    answers: Sequence[tuple[Caller, str]]
    folds: bool
    events: Sequence[tuple[int, str]] = ()


class Journal:
    """The way of changes into the file.

    Args:
        lock: The service's lock, under which the state is changed.
        now: The service's time.
        recover: Called under the lock after a failed write; must read everything again.
    """

    def __init__(
        self,
        store: Store,
        state: State,
        lock: threading.RLock,
        now: Callable[[], int],
        recover: Callable[[], None],
    ) -> None:
        self._store = store
        self._state = state
        self._lock = lock
        self._now = now
        self._recover = recover
        self._mutex = threading.Lock()
        self._writing = False
        self._waiting: list[tuple[int, threading.Lock]] = []
        self._arrived = 0
        self._wanted = 0
        self._gathering: threading.Lock | None = None
        self._last_write = 0.0
        self._written = 0
        self._unfolded = Batch(0)
        self._failures: list[tuple[int, int, StoreError]] = []
        self._sweeping = threading.Lock()
        self._next_sweep = -math.inf
        self.folded = 0
        self.statistics = Statistics()

    def mark(self) -> int:
        """The batch that must be settled before what the state now shows may be told; under the service's lock."""
        batch = self._state.batch
        if self._store.in_memory:
            if len(batch.events) >= CHUNK:
                self._flush()
            return 0
        return batch.number - 1 if batch.empty else batch.number

    def settle(self, number: int) -> None:
        """Wait until the batch of that number is in the file; not to be called under the service's lock.

        Raises:
            StoreError: It could not be written.
        """
        if number > self._written:
            self._await_turn(number)
            if number > self._written:
                self._lead(fold=False)
        if self._failures:
            self._raise_failure(number)

    def settle_deferred(self, first: int, last: int) -> None:
        """As :meth:`settle`, for changes in any of those batches, some of which others may have tried to write.

        Raises:
            StoreError: One of them could not be written.
        """
        self.settle(last)
        if self._failures:
            self._raise_failure(last, first)

    @property
    def written(self) -> float:
        """The last batch that is in the file; where nothing must survive, every one counts as written."""
        return math.inf if self._store.in_memory else self._written

    @property
    def deferred(self) -> int:
        """The batch that has what was changed just now, 0 where nobody has to wait; under the service's lock."""
        number = self._state.batch.number
        return number if self.mark() == number else 0

    def fold(self) -> None:
        """Have the tables hold everything that was changed; not to be called under the service's lock.

        Raises:
            StoreError: They cannot.
        """
        with self._lock:
            number = self._state.batch.number
            if self._store.in_memory:
                self._flush(fold=True)
            elif self._state.batch.empty and self._unfolded.empty and not self._writing:
                return
        if not self._store.in_memory:
            self._await_turn(NEVER_WRITTEN)
            self._lead(fold=True)
        self._raise_failure(number)

    def alone(self, action: Callable[[], None]) -> None:
        """Do something to the whole file, under the service's lock and while nobody writes."""
        self._await_turn(NEVER_WRITTEN)
        try:
            with self._lock:
                action()
        finally:
            self._pass_on()

    def discard(self) -> None:
        """What was not folded is not wanted any more; called by :meth:`alone`."""
        self._unfolded = Batch(self._state.batch.number)

    def _await_turn(self, number: int) -> None:
        """Wait until the batch is written, or (where it is not, then) until this thread is the leader."""
        with self._mutex:
            if self._written >= number:
                return
            self._arrived += 1
            if self._gathering and self._arrived >= self._wanted:
                self._gathering.release()
                self._gathering = None
            if not self._writing:
                self._writing = True
                return
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append((number, gate))
        try:
            gate.acquire()
        except BaseException:
            self._withdraw(number, gate)
            raise

    def _withdraw(self, number: int, gate: threading.Lock) -> None:
        """An interrupted thread waits no more; if it has just been named leader, it does that first."""
        with self._mutex:
            if (number, gate) in self._waiting:
                self._waiting.remove((number, gate))
                return
        if number > self._written:
            self._lead(fold=False)

    def _gather(self) -> None:
        """Wait a moment for others to come; only the leader does."""
        with self._mutex:
            if self._arrived >= self._wanted:
                return
            gate = self._gathering = threading.Lock()
            gate.acquire()
        gate.acquire(timeout=min(self._last_write, LONGEST_WAIT))
        with self._mutex:
            self._gathering = None

    def _lead(self, *, fold: bool) -> None:
        """Write the open batch as its leader."""
        try:
            if self._arrived < self._wanted:
                self._gather()
            with self._mutex:
                sharing, self._arrived = self._arrived, 0
            began = monotonic()
            self._flush(fold=fold)
            self._last_write = monotonic() - began
            lately = sharing + self._arrived
            self._wanted = max(lately // 2, min(lately, 2))
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Let go whose batch is written, and name the next leader."""
        with self._mutex:
            if not self._waiting:
                self._writing = False
                return
            done = [gate for number, gate in self._waiting if number <= self._written]
            self._waiting = [waiting for waiting in self._waiting if waiting[0] > self._written]
            self._writing = bool(self._waiting)
            if self._waiting:
                done.append(self._waiting.pop(0)[1])
        for gate in done:
            gate.release()

    def _flush(self, *, fold: bool = False) -> None:
        """Write the open batch, and fold where it is asked for or there is much.

        Batches are written in order: whoever calls this is the leader, or (without a file) holds the service's lock.
        """
        closed = self._close_batch(fold=fold)
        if closed is None:
            return
        try:
            if closed.folds:
                self._store.fold(closed.columns, closed.answers, closed.events)
            else:
                self._store.append(closed.number, closed.columns, closed.answers)
        except StoreError as error:
            self._fail(closed.number, error)
            return
        self.statistics.commits += 1
        self._written = max(self._written, closed.number)
        if closed.folds:
            self.folded = closed.number
            self._sweep()

    def _close_batch(self, *, fold: bool) -> _ClosedBatch | None:
        """Close the open batch and begin the next; ``None`` where there is nothing to write.

        Args:
            fold: Have the tables get everything, even if there is room for more in the journal.
        """
        with self._lock:
            batch, unfolded = self._state.batch, self._unfolded
            fold = fold or len(unfolded.events) + len(batch.events) >= CHUNK
            if batch.empty and (unfolded.empty or not fold):
                return None
            self._state.batch = Batch(batch.number + 1)
            if not fold:
                columns = batch.columns(folding=False)
                unfolded.absorb(batch)
                return _ClosedBatch(batch.number, columns, batch.answers, folds=False)
            unfolded.absorb(batch)
            columns = unfolded.columns(folding=True)
            self._unfolded = Batch(batch.number)
            return _ClosedBatch(batch.number, columns, batch.answers, folds=True, events=unfolded.events)

    @property
    def sweep_is_due(self) -> bool:
        """Executions are past their retention, and none were looked for within the last second."""
        expiry = self._state.next_expiry
        return expiry is not None and expiry <= (now := self._now()) and self._next_sweep <= now

    def sweep(self, *, whole: bool = False) -> None:
        """Forget executions past their retention, where :attr:`sweep_is_due`; not under the service's lock.

        A failure is logged and does not fail the caller, whose own changes are in the file.

        Args:
            whole: Forget all of them. Else one portion: the next call forgets the next.
        """
        if not self.sweep_is_due:
            return
        try:
            self.fold()
        except StoreError as error:
            self._put_off_sweep(error)
        else:
            self._sweep(whole=whole)

    def _sweep(self, *, whole: bool = False) -> None:
        """Forget what is past its retention, a portion at a time; one thread does, while the others go on."""
        if not self.sweep_is_due or not self._sweeping.acquire(blocking=False):
            return
        try:
            is_more = self._sweep_chunk()
            while is_more and whole:
                is_more = self._sweep_chunk()
            if not is_more:
                self._next_sweep = self._now() + SWEEP_EVERY
        except StoreError as error:
            self._put_off_sweep(error)
        finally:
            self._sweeping.release()

    def _put_off_sweep(self, error: StoreError) -> None:
        """Sweep later, for it has failed."""
        if not isinstance(error, (FileGone, ServiceClosed)):  # else every call reports it
            LOG.warning('executions past their retention stay in the file for another minute: %s', error)
        with self._lock:
            now = self._now()
            self._state.expect_expiry(now)
            self._next_sweep = now + LOOK_AGAIN

    def _sweep_chunk(self) -> bool:
        """Forget a portion; whether there is more."""
        state = self._state
        with self._lock:
            now = self._now()
            if state.next_expiry is None or state.next_expiry > now:
                return False
            state.next_expiry = None
        following = self._store.sweep(now)
        with self._lock:
            state.expect_expiry(following)
            if not (state.batch.empty and self._unfolded.empty):
                state.expect_expiry(now + LOOK_AGAIN)  # the tables do not know yet when those end
            return self.sweep_is_due

    def _fail(self, number: int, error: StoreError) -> None:
        """Everything from that batch on is lost; go back to what the file has."""
        with self._lock:
            last, failures = self._state.batch.number, self._failures
            if failures and failures[-1][1] == number - 2:  # one range for a disk that stays full
                number, failures = failures[-1][0], failures[:-1]
            self._failures = [*failures, (number, last, error)][-FAILURES:]  # a new list: others read it without a lock
            self._unfolded = Batch(last)
            self._recover()
            self._written = last + 1  # nothing; those who come from now on have seen nothing of what is lost
            self._state.batch = Batch(last + 2)

    def is_lost(self, number: int) -> bool:
        """Whether the batch of that number could not be written."""
        return any(first <= number <= last for first, last, _ in self._failures)

    def _raise_failure(self, number: int, since: int = NEVER_WRITTEN) -> None:
        for first, last, error in self._failures:
            if first <= number and min(number, since) <= last:
                raise type(error)(str(error)) from error
