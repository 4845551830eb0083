"""The state of the service under one lock: time, rules and commits.

Theory of operation. A call is carried out under the lock: what has become due comes first (:meth:`LockedState.begin`),
then the operation's own rule (:meth:`LockedState.apply`), then what follows from it elsewhere, the agenda, and what
became due by it, such as a timer of zero seconds (:meth:`LockedState.finish`). Then the lock is given up, and the call
waits until the file has everything that its answer depends on: its own changes, and those of others that it may have
seen (:meth:`LockedState.deliver`). So everything that a caller has seen survives.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from attrs import field, frozen

from genflow.local.clock import FIRST_MOMENT, Clock, SteadyClock, steady
from genflow.local.engine.call_thread import CallsHere, CallThread
from genflow.local.engine.group_commit import Journal
from genflow.local.engine.loading import StoredExecutions, load_state, readable, readable_items
from genflow.local.engine.long_polls import LongPolls
from genflow.local.errors import CorruptFile, FileGone, ServiceClosed, StoreError
from genflow.local.operations.answers import Answer, Reading
from genflow.local.operations.tasks import ExecutionClosed, refuse_closed
from genflow.local.requests import faults
from genflow.local.rules.closing import end_full_history
from genflow.local.rules.crash_recovery import dies, end
from genflow.local.rules.recording import HistoryFull
from genflow.local.rules.timeouts import fire_timeout
from genflow.local.state.close_watchers import Wake
from genflow.local.state.deadlines import Deadlines
from genflow.local.state.execution import Execution
from genflow.local.state.known_types import TaskType, type_of
from genflow.local.state.limits import Limits
from genflow.local.state.state import State
from genflow.local.state.token_buckets import Rates
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK, Batch
from genflow.local.store import MemoryStore, Store
from genflow.local.store.file import MEMORY

__all__ = ['LockedState', 'Options']

LOG = logging.getLogger(__name__)

PUT_AWAY_EVERY = 4_096
"""How often, in calls, memory is looked through for executions to put away."""


@frozen(kw_only=True)
class Options:
    """How a service is set up; see :class:`genflow.local.client.LocalSWF`.

    Attributes:
        notice: What other processes find in the lock file.
        is_alive: Whether a process that has started tasks may still answer them.
        only_looks: Leave everything in the file as it is: nothing becomes due, and nothing is forgotten.
        immutable: The file cannot be written, and nobody else writes it.
        shown: How errors call the file, where it is a copy of what the user means.
        interruptible: Calls of the main thread are carried out there, where signal handlers interrupt them.
    """

    path: str
    clock: Clock
    region: str
    account_id: str
    long_poll: float
    limits: Limits
    synchronous: str
    denied: Collection[str]
    abandon_started: bool
    notice: str = ''
    is_alive: Callable[[str], bool] = field(default=lambda process: False)
    only_looks: bool = False
    immutable: bool = False
    shown: str | None = None
    interruptible: bool = False


class LockedState:
    """The state of one file, and what every call does before and after its rule.

    Attributes:
        options: How the service is set up.
        lock: Held while the state is read or changed.
        calls: Where calls are carried out.
        state: Domains, types, executions, task lists and time-outs; read and changed under the lock.
        store: The file.
        journal: What is to be written to the file.
        polls: The polls that wait.
    """

    def __init__(self, options: Options, when_durable: Callable[[], None]) -> None:
        """Opens the file.

        Args:
            options: How the service is set up.
            when_durable: Begins what had to wait until the file has it.
        """
        self.options = options
        self.clock = steady(options.clock)
        self.lock = threading.RLock()
        self.calls: CallThread | CallsHere = CallsHere() if options.interruptible else CallThread()
        self._when_durable = when_durable
        self._now = FIRST_MOMENT
        self._broken = False
        try:
            self.calls.call(self._begin_service)
        except BaseException:  # of the file, or of a signal handler
            self.calls.end(self._abandon)
            self.calls.stop()
            raise

    def _begin_service(self) -> None:
        self.store = self._new_store()
        self.state = self._new_state()
        self.journal = Journal(self.store, self.state, self.lock, lambda: self._now, self._recover)
        self.polls = LongPolls(self.state, self.clock, self.lock, self.tick, self._tell_closes)
        self._open()
        self._unsubscribe = self.clock.subscribe(self._clock_moved)

    def _new_store(self) -> Store:
        options = self.options
        if options.path == MEMORY:
            return MemoryStore(options.synchronous)
        return Store(
            options.path, options.synchronous, notice=options.notice, immutable=options.immutable, shown=options.shown
        )

    def _abandon(self) -> None:
        """Nobody will have this service: give the file back."""
        store = getattr(self, 'store', None)
        if store is not None:
            store.close()

    def _new_state(self) -> State:
        options = self.options
        return State(
            archive=StoredExecutions(self.store),
            limits=options.limits,
            rates=Rates(options.limits.rates),
            arn_prefix=f'arn:aws:swf:{options.region}:{options.account_id}:/domain/',
            denied=frozenset(options.denied),
        )

    def _open(self) -> None:
        """Read what the file has, do what became due meanwhile, and end what died with the last process."""
        if self.store.in_memory:
            return  # a new file
        with self.lock:
            load_state(self.state, self.store)
            newest = self.store.newest_moment()
            if newest and isinstance(self.clock, SteadyClock):
                self.clock.start_at(newest)
            now = self.tick()
            if self.options.only_looks:
                self.state.next_expiry = None
            else:
                self._restart(now)
            mark = self.finish(now)
        self.journal.settle(mark)
        self.journal.sweep(whole=True)

    def _restart(self, now: int) -> None:
        """End what died with the last process, and with others that are no more."""
        for ref, data, _ in readable_items(self.store):
            owner = data.get('owner')
            abandoned = not self.options.is_alive(owner) if owner else self.options.abandon_started
            if dies(data, abandoned=abandoned):
                self.apply_to(ref, end, now)

    def _recover(self) -> None:
        """After a failed write: forget everything and read what the file has."""
        state = self.state
        for table in (state.domains, state.executions, state.open, state.open_keys, state.population):
            table.clear()
        for queue in state.queues.values():
            queue.clear()
        state.agenda.clear()
        state.recently_closed.clear()
        state.owners.clear()
        self._wake(state.close_watchers.take_all())
        state.running = [run for run in state.running if run.batch <= self.journal.written]
        state.deadlines = Deadlines()
        state.batch = Batch(state.batch.number)
        state.next_expiry = None
        self._broken = True
        with contextlib.suppress(StoreError):  # the next call will try again, and report the error
            load_state(state, self.store)
            self._broken = False

    # Time.

    def tick(self) -> int:
        """Do what has become due, and say what time it is; under the lock."""
        self._now = now = max(self._now, self.clock.milliseconds())
        if self.state.deadlines.soonest <= now:
            self._fire_until(now)
        return now

    def _fire_until(self, now: int) -> None:
        if self.options.only_looks:
            return
        state = self.state
        while state.deadlines.soonest <= now:
            moment = state.deadlines.first()
            if moment is None or moment > now:
                return
            at, ref = state.deadlines.pop()
            self.apply_to(ref, fire_timeout, at)

    def find(self, ref: int) -> Execution | None:
        """The open execution of an item; a damaged one is logged and left alone, so that all others go on."""
        try:
            return self.state.find(ref >> EVENT_BITS)
        except CorruptFile as error:
            LOG.warning('%s', error)
            return None

    def apply_to(self, ref: int, rule: Callable[[State, Execution, int, int], Answer], at: int) -> None:
        """Carry a rule out on an item, where its execution is open, and what follows from that."""
        execution = self.find(ref)
        if execution is not None:
            self.apply(rule, self.state, execution, ref & EVENT_MASK, at)
            self.follow_up(at)

    def type_of(self, ref: int) -> TaskType | None:
        """The type of which a task is; ``None`` where it is gone."""
        execution = self.find(ref)
        return None if execution is None else type_of(execution, ref & EVENT_MASK)

    def follow_up(self, at: int) -> None:
        """What the last rule left to be done elsewhere."""
        agenda = self.state.agenda
        while agenda:
            try:
                self.apply(agenda.popleft(), self.state, at)
            except CorruptFile as error:
                LOG.warning('%s', error)

    def apply(self, rule: Callable[..., Answer], *arguments: Any) -> Answer:
        """Carry a rule out.

        Where a history has no room for it, its execution ends instead; of a closed one only the file knows the answer.
        """
        try:
            return rule(*arguments)
        except HistoryFull as full:
            end_full_history(self.state, self._now, full)
            return None
        except ExecutionClosed as closed:
            return Reading(partial(refuse_closed, token=closed.token))

    def _clock_moved(self) -> None:
        if not self.store.forked:
            self.catch_up()

    def catch_up(self) -> None:
        """Do what has become due, although nobody calls."""
        self.calls.call(self._catch_up)

    def _catch_up(self) -> None:
        self.alter(lambda now: None)
        if not self.polls.closed:
            self.journal.sweep(whole=True)

    # Around the rule of a call.

    def begin(self, operation: str) -> int:
        """Before a rule: what is due, and whether the caller may."""
        now = self.ready()
        self.permit(operation, now)
        return now

    def ready(self) -> int:
        """Before anything is called: whether there is a service, and what is due."""
        if self.polls.closed:
            raise ServiceClosed(f'{self.options.path}: the service is closed')
        if self._broken:
            load_state(self.state, self.store)
            self._broken = False
        return self.tick()

    def permit(self, operation: str, now: int) -> None:
        """Count a call, if the caller may make it.

        Raises:
            ServiceError: It is not permitted, or comes too soon.
        """
        state = self.state
        if state.denied or state.rates.any:
            self._refuse(operation, now)
        statistics = self.journal.statistics
        statistics.calls += 1
        if statistics.calls % PUT_AWAY_EVERY == 0:
            state.put_away(self.journal.folded)

    def _refuse(self, operation: str, now: int) -> None:
        """Raise what is wrong with a call that is not permitted, or comes too soon."""
        if operation in self.state.denied:
            raise faults.fault('OperationNotPermittedFault', f'{operation} is not permitted')
        if not self.state.rates.allow(operation, now):
            raise faults.fault('ThrottlingException', 'Rate exceeded')

    def finish(self, now: int) -> int:
        """After a rule: what follows from it. The batch that the caller must wait for."""
        self.conclude(now)
        return self.journal.mark()

    def conclude(self, now: int) -> None:
        """After a rule whose caller does not wait: what follows from it."""
        state = self.state
        if state.agenda:
            self.follow_up(now)
        if state.deadlines.soonest <= now:
            self._fire_until(now)
        self.polls.deadlines_changed()

    def deliver(self, answer: Answer, mark: int) -> dict[str, Any] | None:
        """Once everything is durable: the answer, read from the file where need be."""
        self.journal.settle(mark)
        if isinstance(answer, Reading):
            self.journal.fold()
        if self.state.running:
            self._when_durable()
        if self.state.close_watchers.due:
            with self.lock:
                closed = self.state.close_watchers.take_written(self.journal.written)
            self._wake(closed)
        if self.journal.sweep_is_due:
            self.journal.sweep()
        return self.read(answer) if isinstance(answer, Reading) else answer

    def _tell_closes(self) -> None:
        """Wake those who wait for executions that have ended by the time; not under the lock."""
        with self.lock:
            if self.polls.closed or not self.state.close_watchers.due:
                return
            mark = self.journal.mark()
        with contextlib.suppress(StoreError):  # then all of them were woken
            self.deliver(None, mark)

    def _wake(self, wakes: Iterable[Wake]) -> None:
        """Wake all of them, although one may fail."""
        for wake in wakes:
            try:
                wake()
            except Exception:
                LOG.exception('the function %r failed, which was to be called when an execution has closed', wake)

    def read(self, answer: Reading) -> dict[str, Any]:
        with readable(self.options.path, lambda: 'a row of the answer'):
            return answer.read(self.store)

    def alter(self, change: Callable[[int], None]) -> None:
        """Change something that nobody has called for, and have it durable."""
        with self.lock:
            if self.polls.closed:
                return
            now = self.tick()
            change(now)
            mark = self.finish(now)
        self.deliver(None, mark)

    # The whole service.

    def reset(self) -> None:
        """Forget everything: domains, types, executions. Waiting polls come back empty."""
        self.store.check()
        self.calls.call(partial(self.journal.alone, self._forget))

    def _forget(self) -> None:
        self.store.reset()
        self.journal.discard()
        self.state.running.clear()
        self._recover()
        self.polls.wake_all()

    def close(self) -> None:
        """Write what is left and close the file; waiting polls come back empty. Nothing happens the second time.

        In a forked child nothing happens at all: the service is the parent's.
        """
        if self.store.forked:
            return
        try:
            self.calls.end(self._close)
        finally:
            self.calls.stop()

    def _close(self) -> None:
        with self.lock:
            if self.polls.closed and not self.calls.is_interruptible:
                return
            self.polls.closed = True
            self.polls.wake_all()
            self._wake(self.state.close_watchers.take_all())
            self._unsubscribe()
        try:
            if not self.store.in_memory:  # which is not read any more
                self.journal.fold()
                with contextlib.suppress(FileGone):  # then every call has said so, and nobody looks there
                    self.store.replay()  # leaves no rows behind that somebody who only looks would have to clear away
        finally:
            if self.calls.is_interruptible:
                self.store.close()  # somebody who was interrupted may never end to write
            else:
                self.journal.alone(self.store.close)
