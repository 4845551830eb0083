"""One activity task from poll to answer: find the class, send heartbeats, run it, answer.

The context that an activity gets is made here. A task of a type that this worker does not know is failed at once, with
a reason that retries treat as a time-out: another worker may know it.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext, suppress
from contextvars import Context, copy_context
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, field, frozen

from genflow.core.authoring.activity import ActivityInfo
from genflow.core.authoring.function_activity import is_async
from genflow.core.authoring.middleware import Middleware
from genflow.core.calls.activity import heartbeat_details
from genflow.core.model.registry import ActivitySpec, Registry
from genflow.core.model.wire_names import HEARTBEAT_PART, REPAIR_TAG, UNKNOWN_ACTIVITY_TYPE, WORKER_STOPPED
from genflow.core.payloads.failures import MAX_REASON, decode_failure, encode_details
from genflow.core.payloads.hooks import MAX_PAYLOAD
from genflow.core.payloads.wire_text import shortened
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.pagination import pages
from genflow.swf.tasks.polled_tasks import ActivityTask
from genflow.swf.tasks.respond import Failed, Outcome, in_plain_words, respond_activity
from genflow.swf.wire.activity_ids import ActivityId, read_activity_id
from genflow.swf.worker.event_loop import EventLoop, load, running_loop
from genflow.swf.worker.failure_log import FailureLog
from genflow.swf.worker.heartbeats import Heartbeats, TaskHeartbeat
from genflow.swf.worker.log_context import begin_task
from genflow.swf.worker.performing import Create, is_ctrl_c, outcome_of, run_activity, run_async_activity
from genflow.swf.worker.points import attempt_of, perform_around, perform_around_async

if TYPE_CHECKING:
    import asyncio

__all__ = ['ActivityRunner', 'RunningActivity', 'WorkerPlace', 'previous_details']

log = logging.getLogger('genflow.worker')

_NOTHING = nullcontext()


def previous_details(service: RetryingClient, domain: str, task: ActivityTask, known: ActivityId) -> str | None:
    """The details of the last heartbeat of the previous try, as its time-out or failure recorded them.

    Reads the history backwards, and no further than where that try was scheduled.

    Raises:
        Exception: The client's error.
    """
    execution = {'workflowId': task.workflow_id, 'runId': task.run_id}
    read = partial(service.call, 'get_workflow_execution_history')
    details: dict[int, str | None] = {}
    for page in pages(read, domain=domain, execution=execution, reverseOrder=True):
        for event in page['events']:
            if event['eventType'] == 'ActivityTaskTimedOut':
                attributes = event['activityTaskTimedOutEventAttributes']
                details[attributes['scheduledEventId']] = heartbeat_details(attributes.get('details'))
            elif event['eventType'] == 'ActivityTaskFailed':
                attributes = event['activityTaskFailedEventAttributes']
                details[attributes['scheduledEventId']] = decode_failure(None, attributes.get('details')).heartbeat
            elif event['eventType'] == 'ActivityTaskScheduled':
                other = read_activity_id(event['activityTaskScheduledEventAttributes']['activityId'])
                if other and (other.number, other.attempt) == (known.number, known.attempt - 1):
                    return details.get(event['eventId'])
    return None


def first_run_of(service: RetryingClient, domain: str, task: ActivityTask, known: ActivityId) -> str:
    """The run in which a call was first made: an earlier one if ``genflow repair`` continued it in this run.

    Raises:
        Exception: The client's error.
    """
    execution = {'workflowId': task.workflow_id, 'runId': task.run_id}
    read = partial(service.call, 'get_workflow_execution_history')
    taken_up: list[tuple[int, str]] = []
    for page in pages(read, domain=domain, execution=execution):
        for event in page['events']:
            if event['eventType'] == 'WorkflowExecutionStarted':
                taken_up = repaired_runs(event['workflowExecutionStartedEventAttributes'].get('tagList') or ())
                if not taken_up:
                    return task.run_id
            elif event['eventType'] == 'ActivityTaskScheduled':
                other = read_activity_id(event['activityTaskScheduledEventAttributes']['activityId'])
                if other and (other.number, other.attempt) == (known.number, 1):
                    return next((run for last, run in taken_up if event['eventId'] <= last), task.run_id)
    return task.run_id


def repaired_runs(tags: Iterable[str]) -> list[tuple[int, str]]:
    """The runs that a repaired run continues, each with the last event that is copied from it; the oldest run first."""
    found = (tag.removeprefix(REPAIR_TAG).rpartition('@') for tag in tags if tag.startswith(REPAIR_TAG))
    return [(int(last), run) for run, _, last in found if last.isdecimal()]


def attempt_deadline(service: RetryingClient, domain: str, task: ActivityTask) -> datetime | None:
    """When SWF times an attempt out, computed from the recorded time-outs; ``None`` for never.

    Reads the history backwards, and no further than where the attempt was scheduled.

    Raises:
        Exception: The client's error.
    """
    execution = {'workflowId': task.workflow_id, 'runId': task.run_id}
    read = partial(service.call, 'get_workflow_execution_history')
    started: datetime | None = None
    for page in pages(read, domain=domain, execution=execution, reverseOrder=True):
        for event in page['events']:
            if event['eventId'] == task.started_id:
                started = event['eventTimestamp']
            elif event['eventType'] == 'ActivityTaskScheduled' and started is not None:
                attributes = event['activityTaskScheduledEventAttributes']
                if attributes['activityId'] == task.activity_id:
                    times = ((started, 'startToCloseTimeout'), (event['eventTimestamp'], 'scheduleToCloseTimeout'))
                    limits = [(time, attributes.get(name, 'NONE')) for time, name in times]
                    ends = [time + timedelta(seconds=int(limit)) for time, limit in limits if limit != 'NONE']
                    return min(ends, default=None)
    return None


def _cancel(loop: asyncio.AbstractEventLoop, work: asyncio.Task[Any]) -> None:
    """Cancels from any thread; does nothing if the loop is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work.cancel)


@frozen
class WorkerPlace:
    """The identity and the own list of a worker, for the activities that it runs.

    Attributes:
        identity: The worker's identity.
        own_list: A task list that no other worker polls, ``None`` where it has none.
    """

    identity: str | None = None
    own_list: str | None = None


_MAKING_PULSE = threading.Lock()


@define(eq=False)
class RunningActivity:
    """The context of one activity: the worker's side of :class:`genflow.Activity`.

    Most activities are over before anybody asks for what is in it, so it is made then.

    Attributes:
        runner: Runs it.
        spec: Of its type.
        began: When it began, by the clock of the heartbeats.
    """

    runner: ActivityRunner
    spec: ActivitySpec
    task: ActivityTask
    began: float
    _pulse: TaskHeartbeat | None = field(default=None, init=False)

    @property
    def known(self) -> ActivityId | None:
        """What its id says; ``None`` if another kind of decider made it."""
        return read_activity_id(self.task.activity_id)

    @property
    def heartbeat_timeout(self) -> float:
        """Seconds; ``math.inf`` for none."""
        known = self.known if HEARTBEAT_PART in self.task.activity_id else None
        seconds = self.spec.heartbeat if known is None or known.heartbeat is None else known.heartbeat or math.inf
        return math.inf if seconds is None else seconds

    @property
    def pulse(self) -> TaskHeartbeat:
        """Its heartbeats."""
        with _MAKING_PULSE:
            if self._pulse is None:
                runner, timeout = self.runner, self.heartbeat_timeout
                self._pulse = TaskHeartbeat(
                    runner.service, self.task.token, timeout, runner.heartbeats.clock, last=self.began
                )
            return self._pulse

    @property
    def info(self) -> ActivityInfo:
        runner, task, known = self.runner, self.task, self.known
        return ActivityInfo(
            task.activity_id,
            task.name,
            task.version,
            task.workflow_id,
            task.run_id,
            known.attempt if known else None,
            self._last_heartbeat,
            self._first_run,
            task.task_list,
            runner.place.own_list,
            runner.place.identity,
            partial(attempt_deadline, runner.service, runner.domain, task),
        )

    @property
    def token(self) -> str:
        return str(self.task.token)  # a service in this process gives more than a text

    @property
    def details(self) -> str | None:
        return None if self._pulse is None else self._pulse.details

    def heartbeat(self, details: str | None) -> bool:
        loop = running_loop()
        if loop is None:
            return self.pulse.beat(details)
        loop.run_in_executor(None, self.pulse.beat, details)  # an event loop does not wait for the service
        return self.pulse.alive

    def _first_run(self) -> str:
        known = self.known
        if known is None or known.attempt == 1:
            return self.task.run_id
        return first_run_of(self.runner.service, self.runner.domain, self.task, known)

    def _last_heartbeat(self) -> str | None:
        known = self.known
        if known is None or known.attempt == 1:
            return None
        return previous_details(self.runner.service, self.runner.domain, self.task, known)


@define(eq=False)
class ActivityRunner:
    """Runs activity tasks and answers them. One for all activity threads of a worker.

    Attributes:
        limits: How many activities of a type, by its name, may run at a time.
        context: The context variables for activities; each runs in a copy.
        place: The worker's identity and own list.
        loop: The event loop for ``async def`` activities; if its limit is 0, each runs to its end on a thread.
        settle: Called after answers that are sent from the event loop, not from a thread of the worker.
        middleware: Surrounds each attempt.
        failures: Logs answers that cannot be sent from the event loop.
        counts: Tasks by outcome: ``completed``, ``failed``, ``canceled``, ``suspended``, ``unknown``
            (failed for their type), ``late``, ``refused``, ``stopped``.
    """

    service: RetryingClient
    domain: str
    registry: Registry
    create: Create = field(default=lambda cls: cls())
    limits: Mapping[str, int] = Factory(dict)
    heartbeats: Heartbeats = Factory(Heartbeats)
    context: Context = Factory(copy_context)
    place: WorkerPlace = WorkerPlace()
    loop: EventLoop = Factory(lambda: EventLoop(0))
    settle: Callable[[], None] = field(default=lambda: None)
    middleware: Sequence[Middleware] = ()
    failures: FailureLog = Factory(FailureLog)
    counts: Counter[str] = Factory(Counter)
    _places: dict[str, threading.Semaphore] = field(init=False)
    _async_places: dict[str, asyncio.Semaphore] = field(factory=dict, init=False)
    _running: dict[RunningActivity, None] = field(factory=dict, init=False)
    _unknown: set[tuple[str, str]] = field(factory=set, init=False)
    _known_async: dict[type, bool] = field(factory=dict, init=False)
    _known_waits: dict[tuple[str, str], bool] = field(factory=dict, init=False)
    _free: threading.Condition = field(factory=threading.Condition, init=False, repr=False)
    _is_awaited: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._places = {name: threading.Semaphore(limit) for name, limit in self.limits.items()}
        if any(map(self._is_async, self.registry.activities)):
            load()

    def handle(self, task: ActivityTask) -> None:
        """Runs one task and answers it.

        Raises:
            Exception: The client's error, if the answer could not be delivered.
        """
        spec = self.registry.activity(task.name, task.version)
        if spec is None:
            self._fail_unknown(task)
            return
        running = RunningActivity(self, spec, task, self.heartbeats.clock())
        self._running[running] = None
        if self.loop.limit and self._is_async(spec):
            self.loop.submit(partial(self._perform_async, spec, running), copy_context())
            return
        try:
            with self._kept_up(running):
                outcome = self._performed(spec, running)
        except BaseException:
            self._taken(running)
            raise
        # Whoever takes a task out of this dict answers it: the activity that ends, or a worker that stops.
        if self._taken(running):
            self._answer(task, outcome)

    def may_wait(self, name: str, version: str) -> bool:
        """Whether an activity of the type may have to wait before it begins, or runs on the event loop."""
        waits = self._known_waits.get((name, version))
        if waits is None:
            spec = self.registry.activity(name, version)
            if spec is None:
                return name in self.limits
            waits = self._known_waits[name, version] = name in self.limits or self._is_async(spec)
        return waits

    def _is_async(self, spec: ActivitySpec) -> bool:
        found = self._known_async.get(spec.cls)
        if found is None:
            found = self._known_async[spec.cls] = is_async(spec.cls)
        return found

    def wait(self, seconds: float) -> bool:
        """Waits until no activity runs; false if one still does after so many seconds."""
        with self._free:
            self._is_awaited = True
            return self._free.wait_for(lambda: not self._running, seconds)

    def abandon(self) -> None:
        """Fails everything that still runs with :data:`WORKER_STOPPED`; does not wait for its threads."""
        for running in list(self._running):
            if self._taken(running):
                running.pulse.lose()
                log.warning('%s is still running; it is failed so that another worker can retry it', running.task)
                self.counts['stopped'] += 1
                details = encode_details('the worker stopped while the activity was running', running.details)
                self._respond(running.task, Failed(WORKER_STOPPED, details))

    def give_up(self, task: ActivityTask) -> None:
        """Fails a task that was polled but has not begun, so that another worker retries it."""
        log.warning('%s was not begun; it is failed, to be tried again elsewhere', task)
        self.counts['stopped'] += 1
        details = encode_details('the worker stopped before the activity began', None)
        self._respond(task, Failed(WORKER_STOPPED, details))

    async def _perform_async(
        self, spec: ActivitySpec, running: RunningActivity, loop: asyncio.AbstractEventLoop
    ) -> None:
        """The part of :meth:`handle` for an ``async def`` activity, on the event loop.

        A cancellation, or the loss of the task, cancels the activity's asyncio task.
        """

        async def perform() -> Outcome:
            begin_task(running.task)
            run = partial(
                run_async_activity,
                spec,
                running.task.input,
                running,
                self.create,
                lambda: not running.pulse.alive,
            )
            if not self.middleware:
                return await run()
            attempt = attempt_of(self.domain, running.task, self.place.identity)
            return await perform_around_async(self.middleware, attempt, run, partial(outcome_of, context=running))

        limit = self._async_place(spec.name)
        async with limit:
            work = self.context.copy().run(lambda: loop.create_task(perform()))
            running.pulse.on_lost = lambda: _cancel(loop, work)
            if not running.pulse.alive:  # lost while it waited for its place
                work.cancel()
            with self._kept_up(running):
                outcome = await work
        if self._taken(running):
            answer = partial(copy_context().run, self._answer_safely, running.task, outcome)
            await loop.run_in_executor(None, answer)

    def _async_place(self, name: str) -> AbstractAsyncContextManager[Any]:
        limit = self.limits.get(name)
        if limit is None:
            return nullcontext()
        import asyncio  # noqa: PLC0415 - loaded, for a loop of asyncio runs this

        return self._async_places.setdefault(name, asyncio.Semaphore(limit))

    def _performed(self, spec: ActivitySpec, running: RunningActivity) -> Outcome:
        run = self.context.copy().run
        place = self._places.get(spec.name)
        if place is None:
            return run(self._perform, spec, running)
        with place:
            return run(self._perform, spec, running)

    def _perform(self, spec: ActivitySpec, running: RunningActivity) -> Outcome:
        """Performs an activity, in a copy of the application's context, which knows no task."""
        begin_task(running.task)
        if not self.middleware:
            return run_activity(spec, running.task.input, running, self.create)
        run = partial(run_activity, spec, running.task.input, running, self.create)
        attempt = attempt_of(self.domain, running.task, self.place.identity)
        failed = partial(outcome_of, context=running)
        return perform_around(self.middleware, attempt, run, failed, is_ctrl_c)

    def _kept_up(self, running: RunningActivity) -> AbstractContextManager[None]:
        """In the block, heartbeats are sent for a task; without a time-out, only those of the activity itself."""
        return _NOTHING if running.heartbeat_timeout == math.inf else self.heartbeats.kept_up(running.pulse)

    def _taken(self, running: RunningActivity) -> bool:
        mine = self._running.pop(running, running) is None  # in one step, of which threads see all or nothing
        if self._is_awaited and not self._running:
            with self._free:
                self._free.notify_all()
        return mine

    def _answer_safely(self, task: ActivityTask, outcome: Outcome) -> None:
        """Answers, and logs an exception, for threads whose exceptions no caller sees."""
        try:
            self._answer(task, outcome)
            self.settle()
        except Exception as error:  # noqa: BLE001 - nobody else sees it; it is logged
            self.failures.write(error, 'the response for %s could not be sent', task)

    def _answer(self, task: ActivityTask, outcome: Outcome) -> None:
        self.counts[type(outcome).__name__.lower()] += 1
        if isinstance(outcome, Failed):
            log.info('%s failed: %s', task, outcome.reason.partition(':')[0])  # the rest may quote a payload
        self._respond(task, outcome)

    def _respond(self, task: ActivityTask, outcome: Outcome) -> None:
        verdict = respond_activity(self.service, task, outcome)
        if verdict != 'accepted':
            self.counts[verdict] += 1
        if verdict == 'refused':
            respond_activity(self.service, task, in_plain_words(outcome))

    def _fail_unknown(self, task: ActivityTask) -> None:
        self.counts['unknown'] += 1
        kind = (task.name, task.version)
        known = ', '.join(f'{spec.name} {spec.version}' for spec in self.registry.activities) or 'none'
        if kind not in self._unknown:
            self._unknown.add(kind)
            log.warning(
                'activity type %s %s is unknown to this worker, which fails its tasks. It has: %s', *kind, known
            )
        reason = (
            f'{UNKNOWN_ACTIVITY_TYPE}: this worker does not have the type {task.name} {task.version}; it has {known}'
        )
        advice = (
            f'The worker that took this task has these activity types: {known}. Import or scan the module that defines '
            f'{task.name} {task.version}, or give the activity a task list of its own.'
        )
        self._respond(task, Failed(shortened(reason, MAX_REASON), shortened(advice, MAX_PAYLOAD)))
