"""One run: an execution, the workers that decide and perform it, and the thread that waits for its end.

One process has a worker for each task list, and the service, unless another process leads the file already. The main
thread starts or continues the execution, follows its history and shows it; the workers' threads decide and run
activities. A decision may name a new task list at any time, so the worker for a list starts when a decision first names
it.

A run may have several processes (*shared*), under a supervisor that leads the file. One of them does all this, and may
be started again after it has died; the others only work.

A run never holds an execution. A worker would wait until better code is deployed; a run ends with the report instead.
An execution in a file stays open, and continues when the code is mended.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from attrs import define, evolve, field, frozen

from genflow.core.authoring.middleware import Middleware
from genflow.core.errors import GenflowError, RegistrationError
from genflow.core.model.registry import Registry, Spec, WorkflowSpec
from genflow.insight import ExecutionView
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.registration import declare_types, register, register_domain
from genflow.swf.client.close_bell import CloseBell
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.swf.worker.stop_signals import SignalStop
from genflow.swf.worker.worker import Worker
from genflow.tools.executions.follow import HistoryTail, open_runs
from genflow.tools.executions.outcome import Outcome
from genflow.tools.executions.start import TASK_LIST, Request, begin
from genflow.tools.executions.steps import ExecutionSteps
from genflow.tools.run.blocked import stranded, waiting, way_out
from genflow.tools.run.defaults import DOMAIN
from genflow.tools.run.instrumented_client import InstrumentedClient, task_lists_of
from genflow.tools.run.views import View

__all__ = ['CannotGoOn', 'Interrupted', 'Run', 'Shared']

log = logging.getLogger('genflow.run')

POLL_INTERVALS = 0.25
"""Seconds after which the history is looked at although no task was answered, since timers fire by themselves."""

MIDDLEWARE_GRACE = 5.0
"""Seconds for the middleware of the last decision, which is called after the close is recorded."""

SETTLE_INTERVAL = 0.02
"""Seconds between two looks at the history, so that showing does not take the time of what is shown."""

PASSING = frozenset({'DecisionTaskScheduled', 'DecisionTaskStarted', 'DecisionTaskCompleted', 'DecisionTaskTimedOut'})
"""Events of decision tasks: the task list that they name is the execution's own, or that of one worker."""


class CannotGoOn(Exception):
    """An execution cannot continue with the imported code.

    Attributes:
        error: The error of the engine.
    """

    def __init__(self, task: DecisionTask | ActivityTask, error: GenflowError) -> None:
        super().__init__(f'{task} cannot go on: {type(error).__name__}: {error.report}')
        self.error = error


class Interrupted(Exception):
    """A signal ended this process; its activities may have finished their work."""


@frozen
class Shared:
    """The settings of a process that runs one execution together with others, under a supervisor.

    Attributes:
        since: Start time of the supervisor, in seconds since the epoch.
        drain: Seconds in which running activities may finish when a signal tells the process to end.
    """

    since: datetime
    drain: float


@define(eq=False)
class Run:
    """One run: the workers, and their reports to the thread that waits."""

    service: Any
    registry: Registry
    activities: int
    db: str | os.PathLike[str] | None = None
    shared: Shared | None = None
    _is_ending: bool = field(default=False, init=False)
    _grace: float = field(default=0.0, init=False)
    middleware: tuple[Middleware, ...] = ()
    _workers: dict[str, Worker] = field(factory=dict, init=False)
    _news: threading.Event = field(factory=threading.Event, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _stuck: list[tuple[str, str, CannotGoOn]] = field(factory=list, init=False)
    _cache: StickyCache = field(factory=StickyCache, init=False)
    _looked: bool = field(default=False, init=False)
    _reported_text: str = field(default='', init=False)
    _tap: InstrumentedClient = field(init=False)
    _closed: threading.Event = field(factory=threading.Event, init=False)
    _bell: CloseBell = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tap = InstrumentedClient(self.service, self._news.set, self._work_for)
        self._bell = CloseBell(self.service, DOMAIN, self._run_closed)

    def execute(self, request: Request, view: View) -> Outcome:
        patient = RetryingClient(connect(self.service))
        register_domain(patient, DOMAIN)
        register(patient, DOMAIN, (*self.registry.workflows, *self.registry.activities))
        since = self.shared.since if self.shared else None
        declare_types(self.service, self.registry)  # before a process that knows others can get the first task
        begun = begin(self.service, DOMAIN, request, since, middleware=self.middleware)
        steps = ExecutionSteps(begun.run.view())
        earlier = [] if begun.is_new else begun.run.since(0)
        view.start()
        try:
            view.show(filter(None, [steps.catch_up(earlier)]), steps.view)
            if steps.view.is_open:
                self._start_workers(request.spec, is_new=begun.is_new)
            outcome = self._follow(begun.run, steps, view)
            if self.middleware:
                self._grace = max(self._grace, MIDDLEWARE_GRACE)
            return outcome
        finally:
            self._bell.leave()
            self._stop_workers()
            view.stop()

    def help(self, spec: WorkflowSpec, run: HistoryTail) -> None:
        """Works for a run that another process shows, until a signal ends this process."""
        try:
            self._start_workers(spec, is_new=False)
            while True:
                self._check(run)
                self._news.wait(POLL_INTERVALS)
                self._news.clear()
        finally:
            self._stop_workers()

    # stopping

    @contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """In a shared run, the first signal lets activities finish, and the second does not wait for them."""
        if self.shared is None:
            yield
            return
        signals = SignalStop(partial(self._leave, self.shared.drain), partial(self._leave, 0.0))
        signals.install()
        try:
            yield
        finally:
            signals.remove()

    def _leave(self, seconds: float) -> None:
        """Have the workers drain, and the thread that waits for news stop waiting."""
        self._grace = seconds
        self._is_ending = True
        for worker in list(self._workers.values()):
            worker.drain(seconds)
        self._news.set()

    # the workers

    def _start_workers(self, spec: WorkflowSpec, *, is_new: bool) -> None:
        self._work_for(spec.task_list or TASK_LIST)
        specs: tuple[Spec, ...] = (*self.registry.workflows, *self.registry.activities)
        for known in specs:
            if known.task_list is not None:
                self._work_for(known.task_list)
        if not is_new:
            for task_list in self._lists_in_use():
                self._work_for(task_list)

    def _lists_in_use(self) -> set[str]:
        """The task lists that open executions have named: what waits there was scheduled by an earlier process."""
        found: set[str] = set()
        for run in open_runs(self.service, DOMAIN):
            found |= set(task_lists_of(event for event in run.since(0) if event['eventType'] not in PASSING))
        return found

    def _work_for(self, task_list: str) -> None:
        """Have a worker for a task list, from now on."""
        with self._lock:
            if task_list in self._workers:
                return
            self._workers[task_list] = worker = Worker(
                DOMAIN,
                task_list,
                self._tap,
                registry=self.registry,
                activities=self.activities,
                sticky=False,  # a list of a process that died would keep its decision task for some seconds
                register=False,
                shows_payloads=True,  # shown only to the user who runs it
                fails_running=False,  # in a file they go on when it is opened again, and count as no try
                on_hold=self._held,
                on_task=self._noticed,
                cache=self._cache,
                middleware=self.middleware,
            )
        worker.start()

    def _stop_workers(self) -> None:
        for worker in self._workers.values():
            worker.drain(self._grace)
        for worker in self._workers.values():
            worker.wait()

    # reports of the workers

    def _held(self, task: DecisionTask, error: BaseException) -> None:
        self._report(task, error if isinstance(error, GenflowError) else GenflowError(str(error)))

    def _noticed(self, task: DecisionTask | ActivityTask) -> None:
        """Whoever runs alone has nobody to leave a task of an unknown type to."""
        kind = 'workflow' if isinstance(task, DecisionTask) else 'activity'
        known = getattr(self.registry, kind)(task.name, task.version)
        if known is None:
            text = (
                f'the {kind} type {task.name} {task.version}, which the execution {task.workflow_id} needs, is not '
                'in the imported modules. Import the module that defines it where the workflow is defined.'
            )
            self._report(task, RegistrationError(text))

    def _report(self, task: DecisionTask | ActivityTask, error: GenflowError) -> None:
        self._stuck.append((task.workflow_id, task.run_id, CannotGoOn(task, error)))
        self._news.set()

    # the waiting thread

    def _follow(self, run: HistoryTail, steps: ExecutionSteps, view: View) -> Outcome:
        while True:
            events = run.since(steps.view.last_event_id)
            if events:  # perhaps of another process, which this one hears nothing else of
                self._looked = False
            view.show(steps.apply_all(events), steps.view)
            close = steps.view.close
            if close is not None and close.new_run_id is not None:
                run = evolve(run, run_id=close.new_run_id)
                self._closed.clear()
                steps = ExecutionSteps(run.view())
            elif close is not None:
                return Outcome(run.workflow_id, run.run_id, steps.view.events[-1])
            else:
                self._check(run)
                self._wait(run, steps.view, view)

    def _check(self, run: HistoryTail) -> None:
        """Raise what keeps the run, or an execution that it waits for, from going on."""
        if self._is_ending:
            raise Interrupted
        for workflow_id, run_id, error in self._stuck:
            if self._concerns(run, workflow_id, run_id):
                raise error
        for worker in list(self._workers.values()):
            if worker.error is not None:
                raise worker.error

    def _concerns(self, run: HistoryTail, workflow_id: str, run_id: str) -> bool:
        """Whether an execution is the one that is run, or was started by it."""
        parent: Mapping[str, str] | None = {'workflowId': workflow_id, 'runId': run_id}
        while parent is not None and parent['workflowId'] != run.workflow_id:
            described = self.service.describe_workflow_execution(domain=DOMAIN, execution=parent)
            parent = described['executionInfo'].get('parent')
        return parent is not None

    def _run_closed(self) -> None:
        self._closed.set()
        self._news.set()

    def _wait(self, run: HistoryTail, execution: ExecutionView, view: View) -> None:
        self._bell.wait_for(run.execution)
        if self._news.wait(POLL_INTERVALS):
            self._looked = False
        elif not self._looked and execution.is_passive:
            self._looked = True
            self._say_what_is_missing(run, view)
        self._news.clear()
        self._closed.wait(SETTLE_INTERVAL)

    def _say_what_is_missing(self, run: HistoryTail, view: View) -> None:
        """Tell which signal nobody sends, if it is one that this run waits for."""
        for other in stranded(self.service, DOMAIN):
            if self._concerns(run, other.workflow_id, other.run_id):
                found = waiting(other, self.registry, self._cache)
                if found is not None:
                    view.wait_for(f'signal {found.signals[0]}')
                    self._say_once(way_out(found, self.db))
                    return

    def _say_once(self, text: str) -> None:
        """Another run on the same file, which this one works for too, is no reason to say it again."""
        if text != self._reported_text:
            self._reported_text = text
            log.warning('%s', text)
