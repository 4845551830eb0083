"""The service: one entry for every operation.

Theory of operation. A call is checked against the model, then carried out under one lock: what has become due comes
first, then the operation's own rule, then what follows from it elsewhere (the agenda), then what became due by it
(a timer of zero seconds). Then the lock is given up, and the call waits until the file has everything that its answer
tells: its own changes, and those of others that it may have seen. So whatever anybody has been told survives.

The rules are in :mod:`genflow.local.rules`, the operations in :mod:`genflow.local.operations`; here is only their
order.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import attrs

from genflow.local.clock import Clock, SteadyClock, steady, to_datetime
from genflow.local.engine import lambdas
from genflow.local.engine.call_thread import CallThread
from genflow.local.engine.forked_run import begin_forked_run
from genflow.local.engine.group_commit import Journal, Statistics
from genflow.local.engine.loading import StoredExecutions, load_state, readable, readable_items
from genflow.local.engine.long_polls import LongPolls
from genflow.local.errors import CorruptFile, LocalError, ServiceClosed, StoreError
from genflow.local.json_text import encode
from genflow.local.operations import executions, registry, tasks, visibility
from genflow.local.operations.answers import Answer, Reading
from genflow.local.operations.executions import stored_run
from genflow.local.operations.lookup import domain_of
from genflow.local.requests import faults
from genflow.local.requests.model import operations
from genflow.local.requests.validation import checked
from genflow.local.rules.closing import end_full_history
from genflow.local.rules.crash_recovery import dies, end
from genflow.local.rules.decision_lambdas import settle_lambda
from genflow.local.rules.ownership import release, take_over
from genflow.local.rules.recording import HistoryFull
from genflow.local.rules.timeouts import fire_timeout
from genflow.local.state.answers import ANYBODY, Caller
from genflow.local.state.deadlines import Deadlines
from genflow.local.state.execution import Execution
from genflow.local.state.known_types import TaskType, type_of
from genflow.local.state.limits import Limits
from genflow.local.state.state import State
from genflow.local.state.task_lists import TaskQueue, Waiter
from genflow.local.state.token_buckets import Rates
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK, Batch
from genflow.local.store import Store
from genflow.steady_time import monotonic

CALLS: dict[str, Callable[[State, dict[str, Any], int], Answer]] = {
    **registry.CALLS,
    **executions.CALLS,
    **tasks.CALLS,
    **visibility.CALLS,
}

LOG = logging.getLogger(__name__)

#: how often, in calls, memory is looked through for executions to put away.
PUT_AWAY_EVERY = 4_096


@attrs.frozen(kw_only=True)
class Options:
    """How a service is set up; see :class:`genflow.local.client.LocalSWF`.

    Attributes:
        notice: what other processes find in the lock file.
        is_alive: whether a process that has started tasks may still answer them.
        only_looks: leave everything in the file as it is: nothing becomes due, and nothing is forgotten.
        immutable: the file cannot be written, and nobody else writes it.
        shown: how errors call the file, where it is a copy of what the user means.
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
    is_alive: Callable[[str], bool] = attrs.field(default=lambda process: False)
    only_looks: bool = False
    immutable: bool = False
    shown: str | None = None


@attrs.frozen
class Wants:
    """Tasks that somebody would take from one list.

    Attributes:
        operation: PollForActivityTask or PollForDecisionTask.
        request: its members, right ones.
        more: whether to take another, after these; it must neither block nor call the service.
    """

    operation: str
    request: dict[str, Any]
    more: Callable[[Sequence[Any]], bool]


class Service:
    """All of SWF, on one file."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._clock = steady(options.clock)
        self._lock = threading.RLock()
        self._calls = CallThread()
        self._runs: dict[str, lambdas.Run] = {}
        self._now = 0
        self._broken = False
        try:
            self._calls.call(self._begin_service)
        except BaseException:  # of the file, or of a signal handler
            self._calls.call(self._abandon)
            self._calls.stop()
            raise

    def _begin_service(self) -> None:
        options = self._options
        self._store = Store(
            options.path, options.synchronous, notice=options.notice, immutable=options.immutable, shown=options.shown
        )
        self._world = self._new_world()
        self._journal = Journal(self._store, self._world, self._lock, lambda: self._now, self._recover)
        self._polls = LongPolls(self._world, self._clock, self._lock, self._tick)
        self._open()
        self._unsubscribe = self._clock.subscribe(self._clock_moved)

    def _abandon(self) -> None:
        """Nobody will have this service: give the file back."""
        store = getattr(self, '_store', None)
        if store is not None:
            store.close()

    def _new_world(self) -> State:
        options = self._options
        return State(
            archive=StoredExecutions(self._store),
            limits=options.limits,
            rates=Rates(options.limits.rates),
            arn_prefix=f'arn:aws:swf:{options.region}:{options.account_id}:/domain/',
            denied=frozenset(options.denied),
        )

    def _open(self) -> None:
        """Read what the file has, do what became due meanwhile, and end what died with the last process."""
        with self._lock:
            load_state(self._world, self._store)
            if isinstance(self._clock, SteadyClock):
                self._clock.start_at(self._store.newest_moment())
            now = self._tick()
            if self._options.only_looks:
                self._world.next_expiry = None
            else:
                self._restart(now)
            mark = self._journal.mark()
        self._journal.settle(mark)
        self._journal.sweep()

    def _restart(self, now: int) -> None:
        """End what died with the last process, and with others that are no more."""
        for ref, data, _ in readable_items(self._store):
            owner = data.get('owner')
            abandoned = not self._options.is_alive(owner) if owner else self._options.abandon_started
            if dies(data, abandoned=abandoned):
                execution = self._find(ref)
                if execution is not None:
                    self._apply(partial(end, self._world, execution, ref & EVENT_MASK, now))
                    self._follow_up(now)

    def _recover(self) -> None:
        """After a failed write: forget everything and read what the file has."""
        state = self._world
        for table in (state.domains, state.executions, state.open, state.open_keys, state.population):
            table.clear()
        for queue in state.queues.values():
            queue.clear()
        state.agenda.clear()
        state.owners.clear()
        state.running = [run for run in state.running if run.batch <= self._journal.written]
        state.deadlines = Deadlines()
        state.batch = Batch(state.batch.number)
        state.next_expiry = None
        self._broken = True
        with contextlib.suppress(StoreError):  # then the next call will try again, and say what is wrong
            load_state(state, self._store)
            self._broken = False

    # Time.

    def _tick(self) -> int:
        """Do what has become due, and say what time it is; under the lock."""
        self._now = now = max(self._now, self._clock.milliseconds())
        self._strike_until(now)
        return now

    def _strike_until(self, now: int) -> None:
        if self._options.only_looks:
            return
        state = self._world
        moment = state.deadlines.first()
        while moment is not None and moment <= now:
            at, ref = state.deadlines.pop()
            execution = self._find(ref)
            if execution is not None:
                self._apply(partial(fire_timeout, state, execution, ref & EVENT_MASK, at))
                self._follow_up(at)
            moment = state.deadlines.first()

    def _find(self, ref: int) -> Execution | None:
        """The open execution of an item; a damaged one is logged and left alone, so that all others go on."""
        try:
            return self._world.find(ref >> EVENT_BITS)
        except CorruptFile as error:
            LOG.warning('%s', error)
            return None

    def _follow_up(self, at: int) -> None:
        """What the last rule left to be done elsewhere."""
        agenda = self._world.agenda
        while agenda:
            try:
                self._apply(partial(agenda.popleft(), self._world, at))
            except CorruptFile as error:
                LOG.warning('%s', error)

    def _apply(self, rule: Callable[[], Answer]) -> Answer:
        """Carry a rule out; where a history has no room for it, its execution ends instead."""
        try:
            return rule()
        except HistoryFull as full:
            end_full_history(self._world, self._now, full)
            return None

    def _clock_moved(self) -> None:
        if not self._store.forked:
            self._calls.call(self._catch_up)

    def _catch_up(self) -> None:
        """Do what became due by the clock's jump."""
        with self._lock:
            self._tick()
            mark = self._journal.mark()
            self._polls.deadlines_changed()
        self._journal.settle(mark)
        self._journal.sweep()
        self._run_functions()

    # Calls.

    def perform(
        self, operation: str, request: Any, *, right: bool = False, caller: Caller = ANYBODY
    ) -> dict[str, Any] | None:
        """Carry out one operation; events of the answer are texts.

        Args:
            operation: its name on the wire.
            request: its members in wire form.
            right: the request has been found to be right.
            caller: who asks for it; a numbered call that was carried out before gets its answer again.

        Raises:
            ServiceError: the service refuses.
            StoreError: the file cannot keep it.
        """
        self._store.check()
        if operation not in OPERATIONS:
            raise faults.fault('UnknownOperationException', f'SWF has no operation {operation!r}')
        if not right:
            request = checked(operation, request)
        if operation in tasks.POLLS and not request.get('nextPageToken'):
            return self._poll(operation, request, caller)
        return self._calls.call(partial(self._carry_out, operation, request, caller))

    def _carry_out(self, operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any] | None:
        """One operation that waits for nothing but the file."""
        with self._lock:
            now = self._begin(operation)
            known = self._world.answers.find(caller)
            answer = self._answer(operation, request, now, caller) if known is None else json.loads(known)
            mark = self._finish(now, answer)
        return self._deliver(answer, mark)

    def _answer(self, operation: str, request: dict[str, Any], now: int, caller: Caller) -> Answer:
        """Carry out a call, and keep the answer to a numbered one."""
        call = CALLS.get(operation, tasks.CONTINUE)
        answer = self._apply(partial(call, self._world, request, now))
        if caller.number and not isinstance(answer, Reading):
            self._world.answer(caller, encode(answer))
        return answer

    def _begin(self, operation: str) -> int:
        """Before a rule: what is due, and whether the caller may."""
        if self._polls.closed:
            raise ServiceClosed(f'{self._options.path}: the service is closed')
        if self._broken:
            load_state(self._world, self._store)
            self._broken = False
        now = self._tick()
        state = self._world
        if operation in state.denied:
            raise faults.fault('OperationNotPermittedFault', f'{operation} is not permitted')
        if not state.rates.allow(operation, now):
            raise faults.fault('ThrottlingException', 'Rate exceeded')
        statistics = self._journal.statistics
        statistics.calls += 1
        if statistics.calls % PUT_AWAY_EVERY == 0:
            state.put_away(self._journal.folded)
        return now

    def _finish(self, now: int, answer: Answer) -> int:
        """After a rule: what follows from it. The batch that the caller must wait for."""
        self._follow_up(now)
        self._strike_until(now)
        self._polls.deadlines_changed()
        return self._journal.mark()

    def _deliver(self, answer: Answer, mark: int) -> dict[str, Any] | None:
        """Once everything is durable: the answer, read from the file where need be."""
        self._journal.settle(mark)
        if isinstance(answer, Reading):
            self._journal.fold()
        if self._world.running:
            self._run_functions()
        if self._journal.sweep_is_due:
            self._journal.sweep()
        return self._read(answer) if isinstance(answer, Reading) else answer

    def _read(self, answer: Reading) -> dict[str, Any]:
        with readable(self._options.path, lambda: 'a row of the answer'):
            return answer.read(self._store)

    def _poll(self, operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Take a task, or wait for one as long as polls are held."""
        ends = monotonic() + self._options.long_poll
        poller = threading.current_thread()
        poll = _Poll()
        try:
            self._calls.call(partial(self._begin_poll, operation, poller))
            while True:
                left = ends - monotonic()
                stand = partial(Waiter, poller) if left > 0 else None
                answer = self._calls.call(partial(self._attempt_for, poll, operation, request, stand, caller))
                if not isinstance(answer, Waiter):
                    return answer
                answer.wait(left)
        except LocalError:
            raise
        except BaseException:  # of a signal handler
            poll.is_over = True
            self._calls.post(partial(self._withdraw, poll))
            raise

    def _begin_poll(self, operation: str, poller: threading.Thread) -> None:
        with self._lock:
            self._begin(operation)
            self._polls.saw(poller)

    def _attempt_for(
        self, poll: _Poll, operation: str, request: dict[str, Any], stand: Callable[[], Waiter] | None, caller: Caller
    ) -> dict[str, Any] | Waiter:
        answer = self._attempt(operation, request, lambda: poll.is_over, poll.place, stand, caller)
        poll.place = answer if isinstance(answer, Waiter) else None
        return answer

    def _withdraw(self, poll: _Poll) -> None:
        """Take a poll that was interrupted out of its line, and wake the next for what it may have been woken for."""
        with self._lock:
            if poll.place is not None and self._polls.stands(poll.place):
                queue = self._polls.leave(poll.place)
                if queue:
                    self._wake_one(queue)

    def hold(self, operation: str, request: Any) -> dict[str, Any]:
        """Before the first :meth:`attempt` at a poll: whether it is right and permitted. The request, checked."""
        self._store.check()
        right: dict[str, Any] = checked(operation, request)
        self._calls.call(partial(self._permit, operation))
        return right

    def _permit(self, operation: str) -> None:
        with self._lock:
            self._begin(operation)

    def attempt(
        self,
        operation: str,
        request: dict[str, Any],
        gone: Callable[[], bool],
        before: Waiter | None,
        stand: Callable[[], Waiter] | None,
        caller: Caller = ANYBODY,
    ) -> dict[str, Any] | Waiter:
        """Take a task, or stand in line for one.

        Args:
            operation: PollForActivityTask or PollForDecisionTask.
            request: checked by :meth:`hold` or :meth:`perform`.
            gone: says that nobody waits for the answer any more.
            before: where the poll stood in line until now.
            stand: makes the place where it stands from now on; None where it will not wait any longer.
            caller: whose poll it is; one that took a task before gets it again.

        Returns:
            The answer, or the place in line where the poll stands.
        """
        return self._calls.call(partial(self._attempt, operation, request, gone, before, stand, caller))

    def _attempt(
        self,
        operation: str,
        request: dict[str, Any],
        gone: Callable[[], bool],
        before: Waiter | None,
        stand: Callable[[], Waiter] | None,
        caller: Caller,
    ) -> dict[str, Any] | Waiter:
        if self._store.forked or not self._polls.closed:
            self._store.check()
        kind, take, empty = tasks.POLLS[operation]
        polls = self._polls
        with self._lock:
            if before is not None:
                polls.leave(before)
            if polls.closed or (before is not None and request['domain'] not in self._world.domains):
                return dict(empty)  # the service was closed or emptied meanwhile
            now = self._tick()
            domain = domain_of(self._world, request).name
            queue = self._world.queue(kind, domain, request['taskList']['name'])
            given_up = gone() or caller.process in self._world.departed
            answer = self._taken_before(request, now, caller)
            if answer is None and not given_up:
                answer = self._take(take, request, now, queue, caller)
            if answer is None and stand is not None and not given_up:
                place = stand()
                place.process = caller.process
                polls.enter(queue, place)
                polls.deadlines_changed()
                polls.skip()
                return place
            mark = self._finish(now, answer)
            if answer is None and queue:
                self._wake_one(queue)
        return self._deliver(answer, mark) or dict(empty)

    def _taken_before(self, request: dict[str, Any], now: int, caller: Caller) -> Answer:
        """What the same poll was answered before."""
        known = self._world.answers.find(caller)
        return None if known is None else tasks.taken_before(self._world, request, now, json.loads(known))

    def _take(
        self, take: Callable[..., Answer], request: dict[str, Any], now: int, queue: Any, caller: Caller
    ) -> Answer:
        """The next task of the list that can be started."""
        may = self._may_take(caller.process)
        ref = queue.take(may)
        while ref is not None:
            answer = None
            if self._find(ref) is not None:
                answer = self._apply(partial(take, self._world, request, now, ref))
                self._follow_up(now)
            if answer is not None:
                take_over(self._world, ref, caller)
                return answer
            ref = queue.take(may)
        return None

    # Tasks go to processes that know their types: see :mod:`genflow.local.state.known_types`.

    def _may_take(self, process: str) -> Callable[[int], bool] | None:
        """Which tasks a process may have; ``None`` for all."""
        return partial(self._is_for, process) if self._world.known_types.matter else None

    def _is_for(self, process: str, ref: int) -> bool:
        execution = self._find(ref)
        kind = None if execution is None else type_of(execution, ref & EVENT_MASK)
        return kind is None or self._world.known_types.may_take(process, kind)

    def _wake_one(self, queue: TaskQueue) -> None:
        """Wake the poll that has waited longest, of those that may have a task of the list."""
        if not self._world.known_types.matter:
            queue.wake_one()
            return
        refs = queue.refs
        queue.wake_one(lambda waiter: any(self._is_for(waiter.process, ref) for ref in refs))

    def declare_types(self, process: str, types: Iterable[TaskType]) -> None:
        """A process can work on these types; what another one has that cannot is taken from it, and is no try."""
        known = self._world.known_types
        wanted = frozenset(types)
        with self._lock:
            known.declare(process, wanted)
            misplaced: dict[str, set[int]] = {}
            for ref, owner in self._world.owners.items():
                execution = self._find(ref)
                kind = None if execution is None else type_of(execution, ref & EVENT_MASK)
                if kind in wanted and not known.knows(owner, kind):
                    misplaced.setdefault(owner, set()).add(ref)
        for owner, refs in misplaced.items():
            self.end_tasks_of(owner, kept=self._world.owners.keys() - refs)

    # Calls that share a commit: see :mod:`genflow.local.deferring`.

    def defer(self, operation: str, request: Any, *, right: bool, start: int) -> tuple[dict[str, Any] | None, int]:
        """Carry out one answer to a task, and do not wait for the file.

        Args:
            operation: its name on the wire.
            request: its members in wire form.
            right: the request has been found to be right.
            start: the batch that has the task's start. Where that got lost, the task may have been started anew by now,
                with the same events and so the same token, and has to be answered anew.

        Returns:
            The answer, and the batch to :meth:`settle` before anybody may be told.

        Raises:
            ServiceError: the service refuses.
            StoreError: the file cannot be read.
        """
        self._store.check()
        if not right:
            request = checked(operation, request)
        with self._lock:
            now = self._begin(operation)
            if self._journal.is_lost(start):
                raise faults.fault('UnknownResourceFault', 'Unknown task: its start could not be written')
            answer = self._apply(partial(CALLS[operation], self._world, request, now))
            self._finish(now, answer)
            mark = self._journal.deferred
        return (self._deliver(answer, mark) if isinstance(answer, Reading) else answer), mark

    def settle(self, first: int, last: int) -> None:
        """Wait until the file has what was deferred to those batches, and begin what had to wait for that.

        Raises:
            StoreError: some of it could not be written; nothing of that has happened.
        """
        self._journal.settle_deferred(first, last)
        self._deliver(None, last)

    def is_lost(self, batch: int) -> bool:
        """Whether a batch that was to be settled could not be written."""
        return self._journal.is_lost(batch)

    def read_taken(self, answer: Reading, mark: int) -> dict[str, Any]:
        """An answer of :meth:`take_tasks` that must be read from the file, which has the batch then.

        Raises:
            StoreError: the file cannot be written or read.
        """
        return self._deliver(answer, mark) or {}

    def take_tasks(
        self, wants: Sequence[Wants], places: Sequence[Waiter], caller: Caller = ANYBODY
    ) -> tuple[list[list[Answer]], int]:
        """Take what is ready in several lists, and do not wait for the file.

        Args:
            wants: what to take, in this order.
            places: where the caller stood in line until now.
            caller: whose tasks they are then.

        Returns:
            What came of each list, and the batch to :meth:`settle`; what must be read from the file is for
            :meth:`read_taken`.

        Raises:
            ServiceError: the service refuses, and nothing was taken.
            StoreError: the file cannot be read, and nothing was taken.
        """
        self._store.check()
        with self._lock:
            lines = [self._polls.leave(place) for place in places]
            found: list[list[Answer]] = [[] for _ in wants]
            try:
                for wanted, answers in zip(wants, found, strict=True):
                    self._take_wanted(wanted, caller, answers)
            except LocalError:
                if not any(found):  # what was taken is not to be lost for the sake of what was not
                    raise
            mark = self._journal.deferred
            for queue in lines:
                if queue:
                    self._wake_one(queue)  # the caller may have been woken for a task that it does not want any more
        return found, mark

    def _take_wanted(self, wanted: Wants, caller: Caller, answers: list[Answer]) -> None:
        """Takes as many tasks as are wanted, and adds them to the answers."""
        kind, take, _ = tasks.POLLS[wanted.operation]
        queue = self._queue_of(kind, wanted.request)
        while queue and wanted.more(answers):
            now = self._begin(wanted.operation)
            answer = self._take(take, wanted.request, now, queue, caller)
            self._finish(now, answer)
            if answer is None:
                break
            answers.append(answer)

    def _queue_of(self, kind: str, request: dict[str, Any]) -> TaskQueue:
        return self._world.queue(kind, domain_of(self._world, request).name, request['taskList']['name'])

    def stand_in_lines(
        self, wants: Sequence[Wants], stand: Callable[[], Waiter], caller: Caller = ANYBODY
    ) -> list[Waiter] | None:
        """Wait for tasks in several lists at once.

        Args:
            wants: what to wait for.
            stand: makes a place in a line.
            caller: whose tasks they are to be.

        Returns:
            The places, one for each list; ``None`` where one of them has a task already.
        """
        self._store.check()
        places: list[Waiter] = []
        with self._lock:
            for wanted in wants:
                self._begin(wanted.operation)
            queues = [self._queue_of(tasks.POLLS[wanted.operation][0], wanted.request) for wanted in wants]
            may = self._may_take(caller.process)
            if any(queue and (may is None or any(map(may, queue.refs))) for queue in queues):
                return None
            try:
                for queue in queues:
                    place = stand()
                    place.process = caller.process
                    self._polls.enter(queue, place)
                    places.append(place)
            except BaseException:
                for place in places:
                    self._polls.leave(place)
                raise
            self._polls.deadlines_changed()
            self._polls.skip()
        return places

    def count_busy(self, change: int) -> None:
        """So many threads more or less work on tasks that others took for them: time that skips waits for them."""
        with self._lock:
            self._polls.busy += change
            if change < 0 and not self._polls.closed:
                self._polls.skip()

    # Lambda functions.

    def register_lambda(self, name: str, function: Callable[..., Any], run: lambdas.Run) -> None:
        """Have ScheduleLambdaFunction decisions of that name call ``function`` with their input's JSON value."""
        self._store.check()
        self._calls.call(partial(self._add_lambda, name, function, run))

    def _add_lambda(self, name: str, function: Callable[..., Any], run: lambdas.Run) -> None:
        with self._lock:
            self._world.functions[name] = function
            self._runs[name] = run

    def _run_functions(self) -> None:
        """Begin what was started; to be called after its start is durable."""
        with self._lock:
            written = self._journal.written
            due = [run for run in self._world.running if run.batch <= written]
            self._world.running = [run for run in self._world.running if run.batch > written]
            self._polls.busy += len(due)
        for run in due:
            begin = lambdas.find(self._runs, run.function) or lambdas.in_background
            begin(partial(self._run_function, run.ref, run.function, run.input))

    def _run_function(self, ref: int, name: str, text: str) -> None:
        outcome = lambdas.perform(self._world.functions, name, text)
        with self._lock:
            self._polls.busy -= 1
            if self._polls.closed:
                return
            now = self._tick()
            execution = self._world.find(ref >> EVENT_BITS)
            task = execution and execution.lambdas.get(ref & EVENT_MASK)
            if execution and task:
                settle = partial(settle_lambda, self._world, execution, task, now)
                self._apply(partial(settle, outcome.event_type, outcome.attributes))
            mark = self._finish(now, None)
            self._polls.skip()
        with contextlib.suppress(StoreError):  # nobody waits for this answer; the function runs into its time-out
            self._journal.settle(mark)

    # Runs that begin with a given history.

    def fork(
        self, domain: str, workflow_id: str, run_id: str, new_run_id: str, events: Sequence[Mapping[str, Any]]
    ) -> None:
        """Open a new run of a closed execution; see :meth:`genflow.local.client.LocalSWF.fork_run`.

        Args:
            domain: of the execution.
            workflow_id: of the execution, and of the new run.
            run_id: the closed run whose settings the new one has.
            new_run_id: of the new run; a call with the id of the open run is repeated, and changes nothing.
            events: the new run's history in wire form.

        Raises:
            ServiceError: the run is not kept, another one is open, or the domain takes no new one.
            StoreError: the file cannot keep it.
        """
        self._store.check()
        named = {'domain': domain, 'execution': {'workflowId': workflow_id, 'runId': run_id}}
        self._calls.call(partial(self._fork, named, new_run_id, events))

    def _fork(self, named: dict[str, Any], new_run_id: str, events: Sequence[Mapping[str, Any]]) -> None:
        with self._lock:
            now = self._begin('DescribeWorkflowExecution')
            domain_of(self._world, named)
            mark = self._finish(now, None)
        self._deliver(None, mark)
        self._journal.fold()
        row = self._read(Reading(partial(stored_run, request=named, now=now)))
        with self._lock:
            now = self._begin('StartWorkflowExecution')
            begin_forked_run(self._world, row, events, new_run_id, now)
            mark = self._finish(now, None)
        self._deliver(None, mark)

    # Processes that share the file.

    def end_tasks_of(self, process: str, *, kept: Collection[int] = ()) -> None:
        """End the tasks that a process had started, because it can answer them no more; no try is counted.

        Args:
            process: its name.
            kept: refs of tasks that it has after all.
        """
        self._calls.call(partial(self._alter, partial(self._end_tasks_of, process, kept)))

    def _end_tasks_of(self, process: str, kept: Collection[int], now: int) -> None:
        for ref in [ref for ref, owner in self._world.owners.items() if owner == process and ref not in kept]:
            execution = self._find(ref)
            if execution is not None:
                self._apply(partial(end, self._world, execution, ref & EVENT_MASK, now))
                self._follow_up(now)

    def end_undelivered(self, process: str, numbers: Collection[int]) -> None:
        """End the tasks that these polls of a process had taken, because it has given the polls up."""
        callers = [Caller(process, number) for number in numbers]
        with self._lock:
            known = [self._world.answers.find(caller) for caller in callers]
            refs = {ref for ref in map(json.loads, filter(None, known)) if isinstance(ref, int)}
            kept = [ref for ref, owner in self._world.owners.items() if owner == process and ref not in refs]
        if refs:
            self.end_tasks_of(process, kept=kept)

    def release_tasks_of(self, process: str) -> None:
        """A process leaves in order: its activities may be answered by others who have their tokens.

        Nobody else can answer its decision tasks, so these end.
        """
        self._calls.call(partial(self._alter, lambda now: release(self._world, process)))
        self.end_tasks_of(process)

    def admit(self, process: str) -> None:
        """A process is there, and may take tasks."""
        with self._lock:
            self._world.departed.discard(process)

    def dismiss(self, process: str) -> None:
        """A process is gone: it takes no tasks and repeats no calls any more."""
        with self._lock:
            self._world.departed.add(process)
            self._world.answers.forget(process)
            self._world.known_types.forget(process)
            for queue in self._world.queues.values():  # what only that process has known may now be anybody's
                for _ in range(min(len(queue), queue.polls)):
                    self._wake_one(queue)
        self._calls.call(partial(self._journal.alone, partial(self._store.forget_answers, process)))

    def owners(self) -> set[str]:
        """The processes that have started tasks, or whose calls may be repeated."""
        with self._lock:
            return {*self._world.owners.values(), *self._world.answers.processes()}

    def announce(self, notice: str) -> None:
        """Have other processes find this in the lock file."""
        self._store.announce(notice)

    @property
    def previous_notice(self) -> str:
        """What the lock file said about the owner before this one."""
        return self._store.previous_notice

    def check(self) -> None:
        """See that calls can be made at all.

        Raises:
            ServiceClosed: they cannot: the service was closed, or belongs to the parent of this process.
        """
        self._store.check()

    def _alter(self, change: Callable[[int], None]) -> None:
        """Change something that nobody has called for, and have it durable."""
        with self._lock:
            if self._polls.closed:
                return
            now = self._tick()
            change(now)
            mark = self._finish(now, None)
        self._journal.settle(mark)

    # The whole.

    @property
    def long_poll(self) -> float:
        """Seconds for which an empty poll is held."""
        return self._options.long_poll

    @property
    def statistics(self) -> Statistics:
        """How many calls and commits there were, and what is open now."""
        with self._lock:
            world, now = self._world, self._clock.milliseconds()
            return attrs.evolve(
                self._journal.statistics,
                open_executions={domain: number for domain, number in world.population.items() if number},
                task_lists=[
                    (domain, kind, name, len(queue), queue.polls, max(0, now - (queue.oldest or now)) / 1000)
                    for (kind, domain, name), queue in world.queues.items()
                    if not queue.idle
                ],
            )

    def next_deadline(self) -> datetime | None:
        """When the service will next do something by itself."""
        self._store.check()
        return self._calls.call(self._next_deadline)

    def _next_deadline(self) -> datetime | None:
        with self._lock:
            first = self._world.deadlines.first()
            return None if first is None else to_datetime(first)

    def reset(self) -> None:
        """Forget everything: domains, types, executions. Waiting polls come back empty."""
        self._store.check()
        self._calls.call(partial(self._journal.alone, self._forget))

    def _forget(self) -> None:
        self._store.reset()
        self._journal.discard()
        self._world.running.clear()
        self._recover()
        self._polls.wake_all()

    def close(self) -> None:
        """Write what is left and close the file; waiting polls come back empty. Nothing happens the second time.

        In a forked child nothing happens at all: the service is the parent's.
        """
        if self._store.forked:
            return
        try:
            self._calls.call(self._close)
        finally:
            self._calls.stop()

    def _close(self) -> None:
        with self._lock:
            if self._polls.closed:
                return
            self._polls.closed = True
            self._polls.wake_all()
            self._unsubscribe()
        try:
            self._journal.fold()
        finally:
            self._journal.alone(self._store.close)


class _Poll:
    """A poll of a thread.

    Attributes:
        place: Where it stands in line.
        is_over: Nobody waits for its answer any more.
    """

    def __init__(self) -> None:
        self.place: Waiter | None = None
        self.is_over = False


OPERATIONS = frozenset(operations().values())
