"""The places where a worker calls its middleware.

The engine has no middleware. :meth:`Execution.advance` returns a live decision; this module passes it to the middleware
before it is sent, so that headers can be added, and again when SWF has accepted it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import define, evolve

from genflow.core.authoring.middleware import (
    ActivityAttempt,
    Decision,
    Middleware,
    Scheduled,
    WorkflowClose,
    WorkflowRun,
    around_activity,
)
from genflow.core.model.decisions import (
    CLOSES,
    ContinueAsNew,
    Decisions,
    FailWorkflow,
    ScheduleActivity,
    StartChild,
    StartTimer,
)
from genflow.core.model.decisions import Decision as EngineDecision
from genflow.core.payloads.envelopes import opened, wrapped
from genflow.steady_time import monotonic
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask
from genflow.swf.tasks.respond import Canceled, Completed, Failed, Outcome, Suspended
from genflow.swf.wire.activity_ids import read_activity_id
from genflow.swf.worker.sticky_cache import CachedExecution

__all__ = ['DecisionPoints', 'Stopwatch', 'attempt_of', 'passed_on', 'perform_around', 'perform_around_async']

log = logging.getLogger('genflow.worker')

OUTCOMES: dict[str, Any] = {
    'CompleteWorkflow': 'completed',
    'FailWorkflow': 'failed',
    'CancelWorkflow': 'canceled',
    'ContinueAsNew': 'continued',
}
"""For each close, its ``outcome`` in :class:`WorkflowClose`."""

CLOSING_EVENTS = frozenset(f'WorkflowExecution{how}' for how in ('Completed', 'Failed', 'Canceled', 'ContinuedAsNew'))
"""The events of the closes that deciders decide."""

ACTIVITY_OUTCOMES: dict[type, Any] = {
    Completed: 'completed',
    Failed: 'failed',
    Canceled: 'canceled',
    Suspended: 'suspended',
}
"""For each outcome class, its ``outcome`` in :class:`ActivityAttempt`."""


class Stopwatch:
    """Measures a decision, from the creation of this object, without the time in which it is stopped."""

    __slots__ = ('_began', '_cpu', 'began_at')

    def __init__(self) -> None:
        self.began_at = time.time()
        self._began = monotonic()
        self._cpu = time.thread_time()

    def read(self) -> tuple[float, float]:
        """The seconds since then, and those of this thread on the processor."""
        return monotonic() - self._began, time.thread_time() - self._cpu

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The time in the block does not count: as if the decision had begun so much later."""
        seconds, cpu_seconds = self.read()
        try:
            yield
        finally:
            now, cpu = self.read()
            self.began_at += now - seconds
            self._began += now - seconds
            self._cpu += cpu - cpu_seconds


@define(eq=False)
class DecisionPoints:
    """The calls of a decider to its middleware.

    Attributes:
        stack: The middleware, outermost first.
        worker: The worker's identity.
    """

    stack: tuple[Middleware, ...] = ()
    worker: str | None = None

    def before(
        self,
        task: DecisionTask,
        kept: CachedExecution,
        events: Sequence[Mapping[str, Any]],
        decisions: Decisions,
        watch: Stopwatch,
        *,
        is_replay: bool,
    ) -> tuple[Decisions, Decision]:
        """Passes a decision to the middleware before it is sent; returns the decisions to send and those to report."""
        seconds, cpu_seconds = watch.read()
        memory = {} if kept.memory is None else kept.memory
        made = Decision(
            WorkflowRun(kept.execution.info, kept.execution.headers, memory),
            task.started_id,
            task.previous_id,
            events,
            task.task_list,
            self.worker,
            task.previous_id if is_replay else 0,
            seconds,
            cpu_seconds,
            watch.began_at,
        )
        sent: list[EngineDecision] = []
        scheduled = []
        for decision in decisions.all:
            operation = _operation(made.run, task.started_id, decision)
            if operation is not None:
                scheduled.append(operation)
                for one in self.stack:
                    one.scheduled(operation)
                decision = _with_headers(decision, operation.headers)  # noqa: PLW2901 - the same with its headers
            sent.append(decision)
        made.scheduled = scheduled
        made.close = _close(made, decisions)
        return evolve(decisions, all=tuple(sent)), made

    def accepted(
        self, decision: Decision, sent: Sequence[Mapping[str, Any]], later: Callable[[], Sequence[Mapping[str, Any]]]
    ) -> None:
        """Passes a decision that SWF has accepted to the middleware.

        Args:
            decision: What :meth:`before` gave.
            sent: The decisions that were sent: a response that is too large is sent in chunks, the close last.
            later: Reads the events after its ``DecisionTaskStarted``. Called if it closes the run, because SWF accepts
                the answer but refuses the close if new events have arrived meanwhile.
        """
        ids = set(_sent_ids(sent))
        decision.scheduled = [one for one in decision.scheduled if one.kind == 'restart' or one.id in ids]
        decision.close = None if decision.close is None else _confirmed(decision.close, later)
        for one in self.stack:
            if not decision.previous_id:
                self._tell(one.workflow_started, decision.run)
            self._tell(one.decided, decision)
            if decision.close is not None:
                self._tell(one.workflow_closed, decision.close)

    def _tell(self, method: Callable[[Any], None], what: Any) -> None:
        try:
            method(what)
        except Exception:
            log.exception('the middleware method %s failed; the execution goes on', method.__qualname__)


def passed_on(decisions: Decisions, headers: Mapping[str, str]) -> Decisions:
    """Decisions of a worker without middleware: a restart keeps the headers of its run."""
    return evolve(
        decisions,
        all=tuple(_with_headers(one, headers) if isinstance(one, ContinueAsNew) else one for one in decisions.all),
    )


def _operation(run: WorkflowRun, decision_id: int, decision: EngineDecision) -> Scheduled | None:
    """The operation that a decision schedules; ``None`` for the engine's own timers."""
    if isinstance(decision, ScheduleActivity):
        return Scheduled(
            run, decision_id, 'activity', decision.activity_id.partition(';')[0], decision.name, decision.version
        )
    if isinstance(decision, StartChild):
        return Scheduled(run, decision_id, 'child', decision.control or '', decision.name, decision.version)
    if isinstance(decision, StartTimer) and decision.timer_id.isdecimal():
        return Scheduled(run, decision_id, 'timer', decision.timer_id)
    if isinstance(decision, ContinueAsNew):
        return Scheduled(
            run, decision_id, 'restart', '', run.info.name or '', decision.version, headers=dict(run.headers)
        )
    return None


def _with_headers(decision: EngineDecision, headers: Mapping[str, str]) -> EngineDecision:
    if headers and isinstance(decision, (ScheduleActivity, StartChild, ContinueAsNew)):
        return evolve(decision, input=wrapped(decision.input, headers))
    return decision


def _close(made: Decision, decisions: Decisions) -> WorkflowClose | None:
    last = decisions.all[-1] if decisions.all else None
    if not isinstance(last, CLOSES):
        return None
    reason = last.reason if isinstance(last, FailWorkflow) else None
    return WorkflowClose(made.run, OUTCOMES[type(last).__name__], reason, made)


def _confirmed(close: WorkflowClose, later: Callable[[], Sequence[Mapping[str, Any]]]) -> WorkflowClose | None:
    """A close with the events that show it; ``None`` where the run goes on."""
    try:
        events = later()
    except Exception:
        log.exception(
            'it is not known whether %s was closed; workflow_closed of its middleware is not called', close.run.info
        )
        return None
    return evolve(close, events=events) if events and events[-1]['eventType'] in CLOSING_EVENTS else None


def _sent_ids(sent: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The ids, as :class:`Scheduled` has them, of what decisions in SWF's form schedule."""
    for decision in sent:
        kind = decision['decisionType']
        if kind == 'ScheduleActivityTask':
            yield decision['scheduleActivityTaskDecisionAttributes']['activityId'].partition(';')[0]
        elif kind == 'StartChildWorkflowExecution':
            yield decision['startChildWorkflowExecutionDecisionAttributes'].get('control', '')
        elif kind == 'StartTimer':
            yield decision['startTimerDecisionAttributes']['timerId']


# activities


def attempt_of(domain: str, task: ActivityTask, worker: str | None) -> ActivityAttempt:
    """The :class:`ActivityAttempt` of an activity task."""
    known = read_activity_id(task.activity_id)
    return ActivityAttempt(
        domain,
        task.activity_id,
        task.name,
        task.version,
        task.workflow_id,
        task.run_id,
        None if known is None else known.number,
        None if known is None else known.attempt,
        task.task_list,
        worker,
        opened(task.input)[0],
    )


@define(eq=False)
class _Surrounded:
    """An attempt of an activity while its middleware surrounds it.

    Attributes:
        failed: Makes the outcome for an exception of the middleware.
        passing: Whether an exception is passed on.
        outcome: The outcome of the attempt; ``None`` while it runs.
    """

    attempt: ActivityAttempt
    failed: Callable[[BaseException], Outcome]
    passing: Callable[[BaseException], bool]
    outcome: Outcome | None = None

    def ended(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.attempt.outcome = ACTIVITY_OUTCOMES[type(outcome)]
        self.attempt.reason = outcome.reason if isinstance(outcome, Failed) else None

    def __enter__(self) -> _Surrounded:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if error is None or self.passing(error):
            return False
        if self.outcome is None:
            self.outcome = self.failed(error)
        else:
            log.error('middleware failed after %s %s', self.attempt.name, self.attempt.id, exc_info=error)
        return True

    def result(self) -> Outcome:
        if self.outcome is None:
            raise AssertionError('an attempt ends with an outcome')
        return self.outcome


def perform_around(
    stack: Sequence[Middleware],
    attempt: ActivityAttempt,
    perform: Callable[[], Outcome],
    failed: Callable[[BaseException], Outcome],
    passing: Callable[[BaseException], bool],
) -> Outcome:
    """Performs an activity with its middleware around it.

    Args:
        stack: The middleware.
        attempt: The attempt.
        perform: Performs the activity; raises nothing but what ``passing`` knows.
        failed: Makes the outcome for an exception of the middleware.
        passing: Whether an exception is raised instead.
    """
    with _Surrounded(attempt, failed, passing) as surrounded, around_activity(stack, attempt):
        surrounded.ended(perform())
    return surrounded.result()


async def perform_around_async(
    stack: Sequence[Middleware],
    attempt: ActivityAttempt,
    perform: Callable[[], Awaitable[Outcome]],
    failed: Callable[[BaseException], Outcome],
) -> Outcome:
    """The same on an event loop."""
    with _Surrounded(attempt, failed, lambda error: False) as surrounded, around_activity(stack, attempt):
        surrounded.ended(await perform())
    return surrounded.result()
