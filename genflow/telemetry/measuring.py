"""The middleware behind every kind of metrics: it measures, and a subclass stores the numbers.

Nothing is counted twice at a replay: what a workflow does is counted when SWF has accepted the decision that does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from genflow.core.authoring.middleware import (
    ActivityAttempt,
    ClientCall,
    Decision,
    Middleware,
    WorkflowClose,
    WorkflowRun,
)
from genflow.exposition import Instrument
from genflow.insight.view import ExecutionView, attributes_of
from genflow.steady_time import monotonic
from genflow.telemetry import instruments
from genflow.telemetry.views import closed_view, view_of

__all__ = ['Measured', 'Measuring', 'worker_numbers']


class Measured(Protocol):
    """The part of a :class:`genflow.swf.worker.worker.Worker` that metrics read."""

    @property
    def counts(self) -> Mapping[str, int]: ...

    @property
    def held(self) -> Mapping[str, BaseException]: ...

    @property
    def in_memory(self) -> int: ...


def worker_numbers(worker: Measured) -> Iterator[tuple[Instrument, int, tuple[str, ...]]]:
    """The counts of a worker, as instruments with numbers and labels."""
    for what, number in sorted(dict(worker.counts).items()):
        instrument = instruments.APART.get(what)
        kind, _, result = what.partition(' ')
        if instrument is not None:
            yield instrument, number, ()
        elif kind == 'poll':
            polled, _, found = result.partition(' ')
            yield instruments.POLLS, number, (polled, found)
        elif kind in CALLS:
            yield CALLS[kind], number, (result,)
        else:
            yield instruments.TASKS, number, (kind, result)
    yield instruments.HELD, len(worker.held), ()
    yield instruments.IN_MEMORY, worker.in_memory, ()


CALLS = {'throttled': instruments.THROTTLED, 'repeated': instruments.REPEATED}
"""Counts of a worker by the operation that was called."""


class Measuring(Middleware):
    """Measures decisions, activities and client calls; a subclass stores the numbers."""

    def add(self, instrument: Instrument, /, *labels: str) -> None:
        """Adds 1 to a counter."""
        raise NotImplementedError

    def observe(self, instrument: Instrument, value: float, /, *labels: str) -> None:
        """Adds a value to a histogram."""
        raise NotImplementedError

    def client_call(self, call: ClientCall) -> AbstractContextManager[Any]:
        return self._counted(call)

    @contextmanager
    def _counted(self, call: ClientCall) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.add(instruments.CLIENT_CALLS, call.operation, 'failed')
            raise
        self.add(instruments.CLIENT_CALLS, call.operation, 'made')

    def workflow_started(self, run: WorkflowRun) -> None:
        self.add(instruments.STARTED, run.info.name or '')

    def workflow_closed(self, close: WorkflowClose) -> None:
        name = close.run.info.name or ''
        view = closed_view(close)
        self.add(instruments.CLOSED, name, close.outcome)
        if view.started_at is not None and view.updated_at is not None:
            seconds = (view.updated_at - view.started_at).total_seconds()
            self.observe(instruments.EXECUTION, seconds, name, close.outcome)

    def decided(self, decision: Decision) -> None:
        name = decision.run.info.name or ''
        self.observe(instruments.DECISION, decision.seconds, name)
        if decision.replayed:
            self.observe(instruments.REPLAYED, decision.replayed, name)
        for operation in decision.scheduled:
            self.add(instruments.SCHEDULED, operation.kind, operation.name)
            if operation.attempt > 1:
                self.add(instruments.RETRIES, operation.kind, operation.name)
        view = view_of(decision)
        for event in view.events[decision.previous_id :]:
            waited = WAITS.get(event['eventType'])
            if waited is not None:
                waited(self, view, event)

    def activity(self, attempt: ActivityAttempt) -> AbstractContextManager[Any]:
        return self._timed(attempt)

    @contextmanager
    def _timed(self, attempt: ActivityAttempt) -> Iterator[None]:
        began = monotonic()
        try:
            yield
        finally:
            self.observe(instruments.ACTIVITY, monotonic() - began, attempt.name, attempt.outcome or 'not begun')


def _decision_waited(measuring: Measuring, view: ExecutionView, event: Mapping[str, Any]) -> None:
    task = view.task_of(attributes_of(event))
    if task is not None:
        seconds = (event['eventTimestamp'] - task.scheduled_at).total_seconds()
        measuring.observe(instruments.SCHEDULE_TO_START, seconds, 'decision', view.name)


def _activity_waited(measuring: Measuring, view: ExecutionView, event: Mapping[str, Any]) -> None:
    found = view.attempt_of(attributes_of(event)['scheduledEventId'])
    if found is not None:
        operation, attempt = found
        seconds = (event['eventTimestamp'] - attempt.scheduled_at).total_seconds()
        measuring.observe(instruments.SCHEDULE_TO_START, seconds, 'activity', operation.name)


WAITS = {'DecisionTaskStarted': _decision_waited, 'ActivityTaskStarted': _activity_waited}
"""The events that end a wait for a worker."""
