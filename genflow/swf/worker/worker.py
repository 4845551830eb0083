"""A worker: threads that poll, decide and run activities until they are stopped.

Each thread polls by itself. A list begins with one thread; more start while tasks wait, and end when they are idle. A
worker with sticky executions polls two lists for decisions, the one that it was given and one of its own, with threads
for each, so that neither waits for the other; no more than ``deciders`` of them compute at a time. With the embedded
service a worker takes its tasks in rounds instead: see :mod:`genflow.swf.worker.rounds`.

Stopping has two stages. *Draining*: no new polls; running tasks may finish, and tasks from polls in flight are handled.
*Stopped*, when everything has finished or the time for draining is over: activities that still run are failed with the
reason ``genflow.WorkerStopped``, and nobody waits any longer for threads that hang in a poll or ignore being stopped
(they are daemons, and end with the process).
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import os
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Literal, TypeVar

from attrs import define, evolve, field

from genflow.core.authoring.class_choice import registry_of, types_of
from genflow.core.authoring.middleware import Middleware, Middlewares, stack_of
from genflow.core.model.registry import Registry, declared
from genflow.steady_time import monotonic
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import Connection, connect
from genflow.swf.aws.registration import declare_types, register
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask
from genflow.swf.tasks.poller import MAX_IDENTITY, Poller
from genflow.swf.tasks.poller_crew import PollerCrew
from genflow.swf.tasks.released_polls import OpenPolls
from genflow.swf.worker.activity_runner import ActivityRunner, WorkerPlace
from genflow.swf.worker.decider import Decider, Mismatch
from genflow.swf.worker.event_loop import EventLoop
from genflow.swf.worker.failure_log import FailureLog
from genflow.swf.worker.heartbeats import Heartbeats
from genflow.swf.worker.log_context import about
from genflow.swf.worker.performing import Create, is_ctrl_c
from genflow.swf.worker.points import DecisionPoints
from genflow.swf.worker.rounds import Rounds
from genflow.swf.worker.settling import Settling
from genflow.swf.worker.slow_decisions import SlowDecisionWatchdog
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.swf.worker.stop_signals import SignalStop

__all__ = ['Worker', 'default_identity', 'handle_safely', 'log', 'log_startup']

log = logging.getLogger('genflow.worker')

T = TypeVar('T')

DECIDERS = 4
"""Default for the most decisions at a time."""

ACTIVITIES = 16
"""Default for the most activities of a list at a time."""

SHUTDOWN_GRACE = 0.7
"""Seconds for failing the activities that still run after the time for draining."""

POLL_INTERVAL = 0.1
"""Seconds between two checks whether the time for draining was shortened."""

LOOK_FOR_SIGNALS = 0.5
"""Seconds after which a waiting main thread runs the handlers of signals that did not wake it."""


def default_identity() -> str:
    """Host and process id, which SWF's console shows as the identity of a worker."""
    return f'{socket.gethostname()}:{os.getpid()}'


def _registry(given: Registry | Iterable[type] | None) -> Registry:
    if given is None:
        return registry_of(declared())
    return given if isinstance(given, Registry) else types_of(given)


def _task_lists(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(dict.fromkeys(given))


def _identity(given: str | None) -> str:
    return given or default_identity()


@define(eq=False, repr=False, kw_only=True)
class WorkerOptions:
    """The keyword arguments of a worker; :class:`Worker` documents each."""

    registry: Registry = field(default=None, converter=_registry)
    identity: str = field(default=None, converter=_identity)
    _deciders: int = DECIDERS
    _activities: int = ACTIVITIES
    _sticky: bool = True
    _mismatch: Mismatch = 'hold'
    _input_mismatch: Literal['warn', 'error'] = 'warn'
    _register: bool = True
    _tasks_left: int | None = field(default=None, alias='max_tasks')
    _activity_limits: Mapping[str, int] | None = None
    _create: Create = field(default=lambda cls: cls())
    _slow_decision: float = 2.0
    _config: Any = None
    _cache: StickyCache | None = None
    _on_hold: Callable[[DecisionTask, BaseException], None] | None = None
    _on_task: Callable[[DecisionTask | ActivityTask], None] | None = None
    _heartbeats: Heartbeats | None = None
    _fails_running: bool = True
    _shows_payloads: bool = False
    _polls_own_list: bool = field(default=False, alias='own_list')
    _async_activities: int = 100
    _middleware: Middlewares = ()


@define(eq=False, repr=False)
class Worker(WorkerOptions):
    """Deciders and activities for one task list of a domain.

    Args:
        domain: The SWF domain; it has to exist.
        task_list: The task list for decisions and activities alike; or several, each with threads of its own.
        layer1: The application's SWF client, session, URL or service; see :mod:`genflow.swf.aws.connections`.
        registry: The types of this worker: decorated classes, as in ``[Order, Charge]``, or a ``Registry`` of them.
            Default: every decorated class that has been imported.
        deciders: The most decisions at a time; 0 for a worker of activities only. A list begins with one thread; more
            start while tasks wait for one, such as when histories are slow to read.
        activities: The most activities of each list at a time, a thread for each; 0 for a worker of
            decisions only. Threads start while tasks wait for one, and end when they are idle.
        sticky: Whether this worker caches executions between decisions, and has their decision tasks sent to a list of
            its own.
        identity: The identity that SWF records for this poller. Default: host and process.
        mismatch: ``hold`` executions that cannot be decided, or ``fail`` them.
        input_mismatch: ``warn`` logs an input that differs from the recorded one; ``error`` raises.
        register: Whether to register the types before polling.
        max_tasks: Stop after so many tasks; ``None`` for never.
        activity_limits: How many activities of a type, by its name, may run at a time.
        create: Makes an instance of an activity class.
        slow_decision: Seconds of computing after which a decision is reported; ``math.inf`` for never.
        config: A botocore ``Config`` for a client that is made here.
        cache: Caches live executions. Default: a cache of its own.
        on_hold: Called once for each execution that is held.
        on_task: Called with each task before it is handled.
        heartbeats: Sends heartbeats in the background.
        fails_running: Whether activities that still run when the worker stops are failed, so that another worker
            retries them; set it to false if there is no other worker.
        shows_payloads: Whether reports on code that does not follow its history quote inputs and results; they go into
            the log.
        own_list: Whether the worker also polls a task list for activities that no other worker polls. Its name is
            :attr:`own_list`, and ``self.info.own_list`` in its activities: an activity that a workflow calls with it as
            ``task_list`` runs in the same process.
        async_activities: How many ``async def`` activities run at a time, all on one event loop; 0 has each occupy a
            thread of the ``activities``.
        middleware: A :class:`genflow.Middleware`, or several, the outermost first.

    Attributes:
        own_list: The task list of its own, or ``None``.
        error: What made the worker stop by itself, or ``None``.
    """

    domain: str
    task_lists: tuple[str, ...] = field(alias='task_list', converter=_task_lists)
    _layer1: Any = None
    own_list: str | None = field(init=False)
    error: BaseException | None = field(default=None, init=False)
    _draining: threading.Event = field(factory=threading.Event, init=False)
    _stopped: threading.Event = field(factory=threading.Event, init=False)
    _deadline: float = field(factory=monotonic, init=False)
    # An application's own signal handlers may drain a worker, in the middle of the wait for that: a queue can be put
    # to at any moment, an Event that the same thread waits for cannot be set.
    _lock: threading.RLock = field(factory=threading.RLock, init=False)
    _drain_requested: SimpleQueue[None] = field(factory=SimpleQueue, init=False)
    _signals: SignalStop | None = field(default=None, init=False)
    _threads: list[threading.Thread] = field(factory=list, init=False)
    _rounds: list[Rounds] = field(factory=list, init=False)
    _failures: FailureLog = field(factory=FailureLog, init=False)
    _computing: threading.Semaphore = field(init=False)
    _deferring: Any = field(init=False)
    _settling: Settling | None = field(default=None, init=False)
    _service: RetryingClient = field(init=False)
    _polls: RetryingClient = field(init=False)
    _open_polls: OpenPolls = field(init=False)
    _decider: Decider = field(init=False)
    _runner: ActivityRunner = field(init=False)

    def __attrs_post_init__(self) -> None:
        stack = stack_of(self._middleware)
        cache = StickyCache() if self._cache is None else self._cache
        self.own_list = _list_of_its_own(self.task_lists[0]) if self._polls_own_list else None
        self._computing = threading.Semaphore(max(1, self._deciders))
        self._connect(connect(self._layer1, config=self._config), cache)
        self._decider = self._new_decider(cache, stack)
        self._runner = self._new_runner(stack)

    def _connect(self, connection: Connection, cache: StickyCache) -> None:
        """Prepares the clients: polls end when draining begins, answers only when it is over."""
        self._deferring = _deferring(connection.client)
        if self._deferring is not None:
            connection = evolve(connection, client=self._deferring, polling=self._deferring)
            self._settling = Settling(self._deferring, cache, self._stopped.wait)
        self._service = RetryingClient(connection, pause=self._stopped.wait)
        self._polls = self._service.pausing(self._draining.wait)
        self._open_polls = OpenPolls(connection, self.domain, self.identity[:MAX_IDENTITY])

    def _new_decider(self, cache: StickyCache, stack: tuple[Middleware, ...]) -> Decider:
        return Decider(
            self._service,
            self.domain,
            self.registry,
            cache,
            _list_of_its_own(self.task_lists[0]) if self._sticky and self._deciders else None,
            self._mismatch,
            self._input_mismatch,
            self._shows_payloads,
            SlowDecisionWatchdog(self._slow_decision),
            self._on_hold,
            points=DecisionPoints(stack, self.identity),
        )

    def _new_runner(self, stack: tuple[Middleware, ...]) -> ActivityRunner:
        return ActivityRunner(
            self._service,
            self.domain,
            self.registry,
            self._create,
            self._activity_limits or {},
            Heartbeats() if self._heartbeats is None else self._heartbeats,
            place=WorkerPlace(self.identity, self.own_list),
            loop=EventLoop(self._async_activities),
            settle=self._settle,
            middleware=stack,
        )

    @property
    def held(self) -> Mapping[str, BaseException]:
        """The executions that are held, by run id, with the error."""
        return self._decider.held

    @property
    def counts(self) -> Counter[str]:
        """Numbers of tasks by outcome, as ``decision …`` and ``activity …``.

        Also of calls: ``poll decision empty``, ``throttled …`` and ``repeated …`` with the operation.
        """
        found: Counter[str] = Counter()
        for kind, counts in (('decision', self._decider.counts), ('activity', self._runner.counts)):
            found.update({f'{kind} {what}': number for what, number in dict(counts).items()})
        found.update(dict(self._service.counts))
        return found

    @property
    def in_memory(self) -> int:
        """The number of executions in the cache."""
        return len(self._decider.cache)

    def run(self) -> None:
        """Works until it is stopped.

        Raises:
            RegistrationError: A type cannot be registered, or the domain does not exist.
            Exception: What made the worker stop by itself, such as a domain that was deleted.
        """
        try:
            self.start()
            self.wait()
        finally:
            if self._signals is not None:
                self._signals.remove()
        if self.error is not None:
            raise self.error

    def start(self) -> None:
        """Starts to work, on threads of its own.

        Raises:
            RegistrationError: As for :meth:`run`.
        """
        log_startup(self._service.connection, self.domain, ', '.join(self.task_lists), self.identity)
        self._runner.context = copy_context()
        declare_types(self._service.connection.client, self.registry)
        if self._register:
            register(self._service, self.domain, (*self.registry.workflows, *self.registry.activities))
        if self._settling is not None:
            self._rounds = list(self._all_rounds(self._settling))
            self._decider.later = self._rounds[0].later
            for rounds in self._rounds:
                rounds.start()
        else:
            for crew in self._crews():
                crew.start()
        if self._deciders:
            watch = partial(self._decider.watch.watch, self._stopped.wait)
            threading.Thread(target=watch, name='genflow-watch', daemon=True).start()

    def drain(self, seconds: float = 0.0) -> None:
        """Begins to stop: no new polls, and ``seconds`` for what is running. Returns at once, from any thread.

        A later call can only shorten the time.
        """
        with self._lock:
            deadline = monotonic() + seconds
            self._deadline = min(self._deadline, deadline) if self._draining.is_set() else deadline
        self._decider.leave_own_list()
        self._draining.set()
        self._drain_requested.put(None)
        for rounds in self._rounds:
            rounds.drain()

    def stop_on_signals(
        self, drain: float = 30.0, *, on_signal: Callable[[int, bool], None] | None = None
    ) -> SignalStop:
        """Has SIGTERM, SIGINT (Ctrl-C) and SIGHUP drain this worker, and a second signal, whichever, stop it at once.

        To be called on the main thread before :meth:`run`, or before :meth:`wait`, which gives the signals back the
        handlers that they had::

            worker = Worker('shop', 'orders')
            worker.stop_on_signals(drain=30)
            worker.run()

        A SIGHUP that the process ignores, as under ``nohup``, stays ignored.

        Args:
            drain: Seconds for what is running when the first signal comes.
            on_signal: Called after each signal has had its effect, with its number and whether it was the first, on a
                thread of its own. What it raises is logged.

        Returns:
            The handlers; its ``received`` lists the signals that came.

        Raises:
            ValueError: This is not the main thread.
        """
        self._signals = SignalStop(lambda: self.drain(drain), self.stop, on_signal)
        self._signals.install()
        return self._signals

    def stop(self) -> None:
        """Stops now; activities that run are failed, to be tried again elsewhere."""
        self.drain(0)

    def wait(self) -> None:
        """Waits until the worker was stopped and has ended. Call it once, from one thread."""
        try:
            self._wait()
        finally:
            if self._signals is not None:
                self._signals.remove()

    def _wait(self) -> None:
        self._wait_for_drain()
        if self._deadline > monotonic():
            taking_back = partial(self._open_polls.take_back, self._stopped)
            threading.Thread(target=taking_back, name='genflow-leaving', daemon=True).start()
        for thread in self._threads:
            while thread.is_alive() and (left := self._deadline - monotonic()) > 0:
                thread.join(min(left, POLL_INTERVAL))  # a second Ctrl-C may shorten the time
        while not self._runner.wait(0) and (left := self._deadline - monotonic()) > 0:
            self._runner.wait(min(left, POLL_INTERVAL))  # activities on the event loop
        if self._fails_running:
            abandoning = threading.Thread(target=self._abandon, name='genflow-abandon', daemon=True)
            abandoning.start()
            abandoning.join(SHUTDOWN_GRACE)  # no longer, if the service hangs: the time-outs have the same effect
        self._stopped.set()
        self._decider.cache.close_all()
        self._runner.loop.close()
        self._service.connection.close()

    def _wait_for_drain(self) -> None:
        """Waits until :meth:`drain` is called.

        If a signal causes that call, its handler must run first, on the main thread, which may be this one. The signal
        wakes it only if the system delivers it here, and while it already waits: the handler of one that comes a moment
        before, or to another thread, runs when this thread next runs Python code.
        """
        while True:
            with contextlib.suppress(Empty):
                return self._drain_requested.get(timeout=LOOK_FOR_SIGNALS)

    def _abandon(self) -> None:
        self._runner.abandon()
        for rounds in self._rounds:
            rounds.abandon(SHUTDOWN_GRACE)
        self._settle()

    def _settle(self) -> None:
        if self._settling is not None:
            self._settling.settle()

    def _spawn(self, name: str, target: Callable[[], None]) -> None:
        """Starts a thread of this worker."""
        thread = threading.Thread(target=self._guarded, args=(target,), name=f'genflow-{name}', daemon=True)
        with self._lock:
            if not self._draining.is_set():
                self._threads[:] = [other for other in self._threads if other.is_alive()]
            thread.start()
            self._threads.append(thread)

    def _all_rounds(self, settling: Settling) -> Iterator[Rounds]:
        """The rounds of each task list; decision tasks also arrive on this worker's own list."""
        for task_list in self.task_lists:
            main = self._poller(task_list)
            own = self._decider.own_list if task_list == self.task_lists[0] else None
            yield self._rounds_of(settling, main, [main] if own is None else [main, self._poller(own)])
        if self.own_list is not None:
            yield self._rounds_of(settling, self._poller(self.own_list), [])

    def _rounds_of(self, settling: Settling, performing: Poller, deciding: Sequence[Poller]) -> Rounds:
        return Rounds(
            self._deferring,
            settling,
            self._decider,
            self._runner,
            deciding if self._deciders else (),
            [performing] if self._activities else (),
            self._activities,
            self._handled,
            self._finished,
            self._tasks_to_take,
            self._draining.wait,
            self._spawn,
        )

    def _tasks_to_take(self) -> float:
        if self._draining.is_set():
            return 0
        left = self._tasks_left
        return math.inf if left is None else left

    def __enter__(self) -> Worker:  # noqa: PYI034 - typing.Self came with Python 3.11
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        self.wait()

    def _poller(self, task_list: str) -> Poller:
        return Poller(self._polls, self.domain, task_list, self.identity, reading=self._service)

    def _crews(self) -> Iterator[PollerCrew]:
        """The threads of each list that is polled, for decisions and for activities."""
        for task_list in self.task_lists:
            named = '' if task_list == self.task_lists[0] else f'{task_list}-'
            if self._deciders:
                yield self._decider_crew(f'{named}decider', self._poller(task_list))
            if self._activities:
                yield self._activity_crew(f'{named}activity', self._poller(task_list))
        if self._decider.own_list is not None:
            yield self._decider_crew('sticky-decider', self._poller(self._decider.own_list))
        if self.own_list is not None and self._activities:
            yield self._activity_crew('own-activity', self._poller(self.own_list))

    def _decider_crew(self, name: str, poller: Poller) -> PollerCrew:
        trimmed = True

        def poll() -> DecisionTask | None:
            with self._open_polls.polling('decision', poller.task_list):
                return poller.decision_task(trimmed=trimmed)

        def decide(task: DecisionTask) -> None:
            nonlocal trimmed
            with self._computing:
                # On a list that others poll too, an execution that was not here costs a second read of its history.
                trimmed = self._handled(self._decider.handle, task) or not task.previous_id

        return self._crew(name, self._deciders, poll, decide)

    def _activity_crew(self, name: str, poller: Poller) -> PollerCrew:
        def poll() -> ActivityTask | None:
            with self._open_polls.polling('activity', poller.task_list):
                return poller.activity_task()

        return self._crew(name, self._activities, poll, self._perform)

    def _crew(self, name: str, limit: int, poll: Callable[[], T | None], perform: Callable[[T], None]) -> PollerCrew:
        numbers = itertools.count()

        def spawn() -> None:
            self._spawn(f'{name}-{next(numbers)}', work)

        crew = PollerCrew(limit, spawn)
        work = partial(crew.work, poll, perform, self._draining.is_set)
        return crew

    def _perform(self, task: ActivityTask) -> None:
        self._handled(self._runner.handle, task)
        self._runner.loop.wait_for_place(self._draining.is_set, POLL_INTERVAL)

    def _handled(self, handle: Callable[[Any], T], task: DecisionTask | ActivityTask) -> T | None:
        with about(task):
            if self._on_task is not None:
                self._on_task(task)
            if self._tasks_left is not None:
                self._count_down()
            return self._safely(handle, task)

    def _finished(self, handle: Callable[[Any], T], task: DecisionTask | ActivityTask) -> T | None:
        """Handles the rest of a task that was handled before."""
        with about(task):
            return self._safely(handle, task)

    def _safely(self, handle: Callable[[Any], T], task: DecisionTask | ActivityTask) -> T | None:
        return handle_safely(handle, task, self._failures, quiet=self._stopped.is_set)

    def _count_down(self) -> None:
        """Counts a task of the most that are handled; after the last one the worker drains."""
        with self._lock:
            left = self._tasks_left = (self._tasks_left or 0) - 1
        if left <= 0:
            self.drain(math.inf)

    def _guarded(self, job: Callable[[], None]) -> None:
        """Runs a thread's job; an error that polling again would not fix stops the worker."""
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - run() raises it; nobody else sees what ends a thread
            if self._draining.is_set():
                return
            log.error('the worker stops: %s', error)  # noqa: TRY400 - run() shows where it comes from
            self.error = error
            self.stop()


def handle_safely(
    handle: Callable[[Any], T],
    task: DecisionTask | ActivityTask,
    failures: FailureLog,
    quiet: Callable[[], bool] = lambda: False,
) -> T | None:
    """Returns what ``handle`` returns for a task; an exception is logged, and does not end the worker.

    Args:
        handle: Handles the task.
        task: The task.
        failures: Logs what is raised.
        quiet: Whether the worker has stopped, so that an answer that cannot be sent is not logged as an error.
    """
    try:
        return handle(task)
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        if quiet():
            log.debug('%s got no response, because the worker has stopped: %s', task, error)
        elif faults.is_late(error):
            log.warning('%s is gone: %s', task, error)
        else:
            failures.write(error, '%s could not be handled', task)
    return None


def log_startup(connection: Connection, domain: str, task_list: str, identity: str | None) -> None:
    """Logs once the domain, task list and service of a worker."""
    log.info(
        'working for domain %s, task list %s, at %s, region %s, as %s',
        domain,
        task_list,
        connection.backend,
        connection.region or '-',
        identity,
    )


def _deferring(client: Any) -> Any:
    """A client of the same service that defers answers; ``None`` where that is not in this process.

    The class is checked, not the object, because a wrapper of the embedded service must see every call.
    """
    deferring = getattr(type(client), 'deferring', None)
    return None if deferring is None else deferring(client)


def _list_of_its_own(task_list: str) -> str:
    return f'{task_list[:200]}.{uuid.uuid4().hex}'
