"""One decision task from poll to answer: find the workflow, advance its execution, answer within SWF's limits.

An execution that cannot be decided (its code and its history disagree, it waits for nothing, a payload cannot be read,
its code goes on for longer than a decision may take, SWF refuses the answer) is *held*: the task is left unanswered, so
that nothing is lost and a corrected worker can continue. SWF hands the task out again after each time-out; the hold is
logged once.

A *sticky* worker has a task list of its own, to which further decision tasks of an execution are sent, because the
worker has the live generator. Each answer names the list again, with a time-out after which a task goes back to the
original list, so no execution waits for a worker that is gone.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from itertools import chain, islice, tee
from operator import itemgetter
from typing import Any, Literal

from attrs import Factory, define, evolve, field

from genflow.core.authoring.middleware import Decision
from genflow.core.engine.execution import Execution
from genflow.core.engine.workflow_values import LookUpFailed
from genflow.core.errors import GenflowError
from genflow.core.model.decisions import CLOSES, Decisions, FailWorkflow
from genflow.core.model.registry import Registry, WorkflowSpec
from genflow.core.payloads.failures import encode_failure
from genflow.core.payloads.structuring import shape_of
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.pagination import pages
from genflow.swf.tasks.collection import COLLECTION, LONG
from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.tasks.poller import whole_history
from genflow.swf.tasks.respond import Verdict, plain_close, respond_decision
from genflow.swf.tasks.task_events import Event, TaskEvents
from genflow.swf.wire.decisions import encode, plan
from genflow.swf.wire.events import translate
from genflow.swf.worker.origins import OriginFinder
from genflow.swf.worker.performing import is_ctrl_c
from genflow.swf.worker.points import DecisionPoints, Stopwatch, passed_on
from genflow.swf.worker.response_delay import LONG_HISTORY, STEP
from genflow.swf.worker.slow_decisions import DecisionInterrupted, SlowDecisionWatchdog
from genflow.swf.worker.sticky_cache import CachedExecution, ClosingExecution, StickyCache, continuation

__all__ = ['STICKY_SECONDS', 'Decider', 'Mismatch']

log = logging.getLogger('genflow.worker')

Mismatch = Literal['hold', 'fail']

STICKY_SECONDS = 5
"""How long a decision task may wait on a worker's own list before it goes back to the original one."""


ENDS = frozenset(
    {
        'ActivityTaskCompleted',
        'ActivityTaskFailed',
        'ActivityTaskTimedOut',
        'ActivityTaskCanceled',
        'ChildWorkflowExecutionCompleted',
        'ChildWorkflowExecutionFailed',
        'LambdaFunctionCompleted',
        'LambdaFunctionFailed',
    }
)
"""The events that end most open tasks, from which the rate of endings is measured."""

QUOTAS = ('activity', 'child', 'lambda')
"""The kinds of open work that end soon; timers are not among them, since one may run for a year."""


@define(eq=False)
class _Ready:
    """An execution that is about to be advanced.

    Attributes:
        kept: The execution.
        events: Its history, or the end of it.
        before: The earlier events, as the execution reads them.
        is_continued: Whether no history is read for it; then ``events`` begin with the last event that it knows.
        counted: How many of the events have been looked through for endings.
        ended: How many of these end an open task.
    """

    kept: CachedExecution
    events: TaskEvents
    before: Sequence[Any] = ()
    is_continued: bool = True
    counted: int = 0
    ended: int = 0

    def count(self, page: Sequence[Event]) -> None:
        """Looks for endings in the events that follow."""
        self.counted += len(page)
        self.ended += sum(map(ENDS.__contains__, map(itemgetter('eventType'), page)))


@define(eq=False)
class _Plan:
    """The answer, and the execution to cache and the decision to report if it is accepted."""

    decisions: list[dict[str, Any]]
    context: str | None = None
    kept: CachedExecution | None = None
    closes: bool = False
    made: Decision | None = None


def _closes(decisions: Decisions) -> bool:
    return bool(decisions.all) and isinstance(decisions.all[-1], CLOSES)


def _is_same(one: BaseException | None, other: BaseException) -> bool:
    """Whether an execution is held for the same reason; the line at which a loop was interrupted does not count."""
    return type(one) is type(other) and (isinstance(other, DecisionInterrupted) or str(one) == str(other))


@define(eq=False)
class Decider:
    """Answers decision tasks. One for all decider threads of a worker.

    Attributes:
        own_list: The worker's own task list, ``None`` to leave executions on the list that they came from.
        mismatch: ``hold``, or ``fail`` to fail executions that cannot be decided.
        input_mismatch: ``warn`` logs a changed input; ``error`` raises.
        shows_payloads: Whether reports quote inputs and results.
        on_hold: Called with each hold, once for each run.
        later: Schedules a delayed answer, given the seconds and a function; ``None`` sleeps instead.
        points: Calls middleware.
        held: The held executions, by run id.
        counts: ``decided``, ``continued`` (of these, from the cache), ``held``, ``unknown``, ``late``, ``refused``,
            ``events`` (read by polls).
    """

    service: RetryingClient
    domain: str
    registry: Registry
    cache: StickyCache = Factory(StickyCache)
    own_list: str | None = None
    mismatch: Mismatch = 'hold'
    input_mismatch: Literal['warn', 'error'] = 'warn'
    shows_payloads: bool = False
    watch: SlowDecisionWatchdog = Factory(SlowDecisionWatchdog)
    on_hold: Callable[[DecisionTask, BaseException], None] | None = None
    later: Callable[[float, DecisionTask, Callable[[], None]], None] | None = None
    points: DecisionPoints = Factory(DecisionPoints)
    held: dict[str, BaseException] = field(factory=dict, init=False)
    counts: Counter[str] = field(factory=Counter, init=False)
    _unknown: set[tuple[str, str]] = field(factory=set, init=False)
    _moves: bool = field(default=False, init=False)
    _echoes: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._moves = self.own_list is not None
        for spec in self.registry.workflows:  # reads the hints of each `run` once, and not in a first decision
            with suppress(Exception):  # it is raised at the first use
                shape_of(spec.cls)

    def handle(self, task: DecisionTask) -> bool:
        """Decides one task and answers it.

        Returns:
            Whether the task continued an execution from the cache, so that polls should ask for trimmed histories.

        Raises:
            Exception: The client's error, if the service could not be reached. What was decided up to then is dropped.
        """
        try:
            spec = self.registry.workflow(task.name, task.version)
            if spec is None:
                self._leave(task)
                return False
            return self._decide(task, spec)
        finally:
            self.counts['events'] += task.events.arrived
            task.events.close()

    def leave_own_list(self) -> None:
        """From now on, answers send executions back to their original lists."""
        self.own_list = None

    def _decide(self, task: DecisionTask, spec: WorkflowSpec) -> bool:
        ready = None
        try:
            ready = self._cached(task) or self._closing(task, spec) or self._fresh(task, spec)
            if ready.is_continued:
                self.counts['continued'] += 1
            if task.started_id >= LONG and task.started_id - ready.events.first_id >= LONG:
                with COLLECTION.held():
                    self._plan_and_answer(task, ready)
            else:
                self._plan_and_answer(task, ready)
        except BaseException:  # Ctrl-C may come anywhere
            if ready is not None:
                self.cache.take(task.run_id)
                ready.kept.execution.close()
            raise
        return ready.is_continued

    def _cached(self, task: DecisionTask) -> _Ready | None:
        """The execution from the cache, if the task continues from its last decision."""
        kept = None
        try:
            kept = self.cache.take(task.run_id)
            events = None if kept is None else continuation(task, kept.execution.answered)
            if kept is not None and events is not None:
                return _Ready(kept, events)
        except BaseException:
            if kept is not None:
                kept.execution.close()
            raise
        if kept is not None:
            kept.execution.close()
        return None

    def _closing(self, task: DecisionTask, spec: WorkflowSpec) -> _Ready | None:
        """A new execution with the cached events of a closed one whose close SWF refused."""
        closing = self.cache.take_closing(task.run_id)
        events = None if closing is None else continuation(task, closing.answered)
        if closing is None or events is None:
            return None
        execution = self._execution(task, spec)
        kept = CachedExecution(execution, closing.task_list, task.started_id, record=[], memory=closing.memory)
        return _Ready(kept, events, closing.record)

    def _fresh(self, task: DecisionTask, spec: WorkflowSpec) -> _Ready:
        """A new execution, for the whole history."""
        events = whole_history(self.service, self.domain, task).events
        started = events[0]['workflowExecutionStartedEventAttributes']
        execution = self._execution(task, spec)
        memory: dict[Any, Any] | None = {} if self.points.stack else None
        kept = CachedExecution(execution, started['taskList']['name'], task.started_id, record=[], memory=memory)
        return _Ready(kept, events, is_continued=False)

    def _execution(self, task: DecisionTask, spec: WorkflowSpec) -> Execution:
        """A new execution without any events."""
        return Execution(
            spec,
            workflow_id=task.workflow_id,
            run_id=task.run_id,
            domain=self.domain,
            seed=task.run_id,
            input_mismatch=self.input_mismatch,
            shows_payloads=self.shows_payloads,
            origins=OriginFinder(self.service, self.domain),
            passing=(KeyboardInterrupt,) if threading.current_thread() is threading.main_thread() else (),
        )

    def _plan_and_answer(self, task: DecisionTask, ready: _Ready) -> None:
        planned = self._planned(task, ready)
        if planned is not None:
            self._answer_in_time(task, planned)

    def _planned(self, task: DecisionTask, ready: _Ready) -> _Plan | None:
        """The answer to send; ``None`` if the execution is held."""
        kept, events = ready.kept, ready.events
        try:
            made = None
            stopwatch = Stopwatch() if self.points.stack else None
            decided = self._decided(task, ready, stopwatch)
            if self.own_list is not None and not self._echoes:
                self._check_echo(events)
            if stopwatch is not None:
                is_replay = bool(ready.before) or events.first_id == 1
                decided, made = self.points.before(task, kept, events.whole(), decided, stopwatch, is_replay=is_replay)
            elif kept.execution.headers:
                decided = passed_on(decided, kept.execution.headers)
            if task.started_id >= STEP:
                self._pace(task, ready)
            return _Plan(plan(decided), decided.context, kept, _closes(decided), made)
        except BaseException as error:
            kept.execution.close()
            if is_ctrl_c(error) or isinstance(error, LookUpFailed) or error is events.failure:
                raise
            return self._hold(task, error)
        finally:
            events.close()

    def _decided(self, task: DecisionTask, ready: _Ready, stopwatch: Stopwatch | None) -> Decisions:
        """What the execution decides; the events that it has read are kept with it."""
        kept = ready.kept
        found = self._translated(task, ready, stopwatch)
        again: Iterable[Any] | None = None
        if kept.records(task.started_id):
            found, again = (found, found) if isinstance(found, list) else tee(found)
        decided = self.watch.over(task, kept.execution, partial(kept.execution.advance, found))
        kept.advanced(task.started_id, None if again is None else list(again))
        return decided or Decisions()

    def _translated(self, task: DecisionTask, ready: _Ready, stopwatch: Stopwatch | None) -> Iterable[Any]:
        """The engine's events that are new to it; those of pages to come are read when the execution wants them."""
        known = 1 if ready.is_continued else 0
        if ready.events.is_complete:
            there = translate(ready.events.here[known:])
            return [*ready.before, *there] if ready.before else there
        found = chain.from_iterable(map(translate, self._pages(task, ready, stopwatch)))
        return chain(ready.before, islice(found, known, None))

    def _pages(self, task: DecisionTask, ready: _Ready, stopwatch: Stopwatch | None) -> Iterator[list[Event]]:
        """Those of a history; the time in which one is awaited is no time of the decision."""
        events = ready.events
        pages = events.pages()
        while True:
            with nullcontext() if events.is_complete else self._waiting(stopwatch):
                page = next(pages, None)
            if page is None:
                return
            if task.started_id >= STEP:  # while others arrive, and not at the end
                ready.count(page)
            yield page

    @contextmanager
    def _waiting(self, stopwatch: Stopwatch | None) -> Iterator[None]:
        with self.watch.waiting(), nullcontext() if stopwatch is None else stopwatch.stopped():
            yield

    def _pace(self, task: DecisionTask, ready: _Ready) -> None:
        """Sets the delay of the answer, for a history that has grown long."""
        for page in ready.events.since(ready.counted).pages():
            ready.count(page)
        kept = ready.kept
        open_counts = kept.execution.outbox.open
        pace = kept.pace.decided(self.service.clock(), ready.ended)
        kept.pace = pace.holding(task.started_id, sum(open_counts[quota] for quota in QUOTAS))

    def _answer_in_time(self, task: DecisionTask, planned: _Plan) -> None:
        """Answers, with a delay if the history is long; logs once that it has grown long."""
        if task.previous_id < LONG_HISTORY <= task.started_id:
            log.warning('%s has %d events; SWF terminates it at 25,000: restart it before that', task, task.started_id)
        seconds = 0.0 if planned.kept is None or planned.closes else planned.kept.pace.held
        if seconds and self.later is not None:
            self.later(seconds, task, partial(self._answer, task, planned))
            return
        if seconds:
            self.service.pause(seconds)
        self._answer(task, planned)

    def _answer(self, task: DecisionTask, planned: _Plan) -> None:
        try:
            verdict = self._responded(task, planned)
            plainer = plain_close(planned.decisions) if verdict == 'refused' else None
            if plainer is not None:
                verdict = self._responded(task, evolve(planned, decisions=plainer))
        except BaseException:
            if planned.kept is not None:
                planned.kept.execution.close()
            raise
        self.counts['decided' if verdict == 'accepted' else verdict] += 1
        if planned.kept is not None:
            self._keep(task, planned.kept, is_accepted=verdict == 'accepted', closes=planned.closes)
        if verdict == 'accepted':
            self.held.pop(task.run_id, None)
            if planned.made is not None:
                self.points.accepted(planned.made, planned.decisions, partial(self._events_since, task))
        elif verdict == 'refused':
            self._hold(task, GenflowError('SWF refused the response'))

    def _events_since(self, task: DecisionTask) -> list[Mapping[str, Any]]:
        """The events after the ``DecisionTaskStarted`` of a task that was answered."""
        execution = {'workflowId': task.workflow_id, 'runId': task.run_id}
        read = partial(self.service.call, 'get_workflow_execution_history')
        found: list[Mapping[str, Any]] = []
        for page in pages(read, domain=self.domain, execution=execution, reverseOrder=True):
            found += (event for event in page['events'] if event['eventId'] > task.started_id)
            if not page['events'] or page['events'][-1]['eventId'] <= task.started_id:
                break
        return found[::-1]

    def _responded(self, task: DecisionTask, planned: _Plan) -> Verdict:
        own, decisions, context = self.own_list, planned.decisions, planned.context
        back = planned.kept.task_list if planned.kept is not None and self._moves else None
        if own is None:
            return respond_decision(self.service, task, decisions, context=context, task_list=back)
        verdict = respond_decision(self.service, task, decisions, context=context, task_list=own, wait=STICKY_SECONDS)
        if verdict == 'refused':
            # Perhaps the client or the service does not know the parameters that a list of one worker needs.
            verdict = respond_decision(self.service, task, decisions, context=context, task_list=back)
            if verdict == 'accepted':
                log.warning(
                    '%s does not support a task list for one worker: sticky decisions are off',
                    self.service.connection.backend,
                )
                self.leave_own_list()
        return verdict

    def _keep(self, task: DecisionTask, kept: CachedExecution, *, is_accepted: bool, closes: bool) -> None:
        if is_accepted and not closes:
            self.cache.put(task.run_id, kept)
            return
        kept.execution.discard()
        if is_accepted and kept.record is not None:
            closing = ClosingExecution(task.started_id, kept.task_list, kept.record, kept.memory)
            self.cache.remember(task.run_id, closing)

    def _check_echo(self, events: TaskEvents) -> None:
        """Stops using the own list if the service ignores the time-out that is sent with it."""
        for event in chain.from_iterable(events.pages()):
            if event['eventType'] == 'DecisionTaskCompleted':
                attributes: Mapping[str, Any] = event['decisionTaskCompletedEventAttributes']
                if attributes.get('taskList', {}).get('name') != self.own_list:
                    continue
                self._echoes = bool(attributes.get('taskListScheduleToStartTimeout'))
                if not self._echoes:
                    log.warning(
                        '%s ignores the time-out of a task list for one worker: sticky decisions are off',
                        self.service.connection.backend,
                    )
                    self.leave_own_list()
                return

    def _hold(self, task: DecisionTask, error: BaseException) -> _Plan | None:
        """Leaves a task unanswered, or fails its execution if ``mismatch`` is ``fail``."""
        known = isinstance(error, GenflowError)
        report = error.report if isinstance(error, GenflowError) else f'{type(error).__name__}: {error}'
        if self.mismatch == 'fail':
            reason, details = encode_failure(error)
            log.error('%s is failed: %s', task, report)
            return _Plan([encode(FailWorkflow(reason, details))])
        self.counts['held'] += 1
        if not _is_same(self.held.get(task.run_id), error):
            message = '%s is held, its decision task left unanswered: %s'
            log.error(message, task, report, extra={'error': error}, exc_info=None if known else error)
            if self.on_hold is not None:
                self.on_hold(task, error)
        self.held[task.run_id] = error
        return None

    def _leave(self, task: DecisionTask) -> None:
        self.counts['unknown'] += 1
        kind = (task.name, task.version)
        if kind not in self._unknown:
            self._unknown.add(kind)
            log.warning('workflow type %s %s is unknown to this worker; its tasks are left to other workers', *kind)
