"""The model of a run that several middleware share, updated with the events of each decision.

A worker reads only the new events of an execution in its cache, but the operation that such an event ends may have been
scheduled long before. The view is made from the events of the first decision that a worker makes of a run, which are
all of them, and lives as long as the worker keeps the execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genflow.core.authoring.middleware import Decision, WorkflowClose, WorkflowRun
from genflow.core.errors import HistoryError
from genflow.insight.operations import Attempt, Operation
from genflow.insight.view import ExecutionView, attributes_of

__all__ = ['closed_view', 'deciding_event', 'ended_attempts', 'view_of']


REFERENCES = ('scheduledEventId', 'initiatedEventId', 'startedEventId')
"""By event type, the attribute with the id of the event that opened the operation; a timer is opened by its start."""


def view_of(decision: Decision) -> ExecutionView:
    """The model of a run up to the decision's ``DecisionTaskStarted``.

    Call it at each decision: from a cached execution a worker reads only the new events.

    Raises:
        HistoryError: It was not called at the previous decision.
    """
    return _kept_up(decision.run, decision.events)


def closed_view(close: WorkflowClose) -> ExecutionView:
    """The model of a run that has closed, the close included."""
    view_of(close.decision)
    return _kept_up(close.run, close.events)


def _kept_up(run: WorkflowRun, events: Sequence[Mapping[str, Any]]) -> ExecutionView:
    view = run.memory.get(ExecutionView)
    if view is None:
        view = run.memory[ExecutionView] = ExecutionView(run.info.workflow_id, run.info.run_id)
    if events and events[0]['eventId'] > view.last_event_id + 1:
        raise HistoryError(
            f'the model of {run.info} ends with event {view.last_event_id}, but the new events begin with event '
            f'{events[0]["eventId"]}'
        )
    return view.apply_all(event for event in events if event['eventId'] > view.last_event_id)


def ended_attempts(view: ExecutionView, after: int) -> Iterator[tuple[Operation, Attempt]]:
    """The attempts that ended after an event, with the operations they belong to."""
    for event in view.events[after:]:
        attributes = attributes_of(event)
        for ref in REFERENCES:
            found = view.attempt_of(attributes[ref]) if ref in attributes else None
            if found is not None and found[1].ended_id == event['eventId']:
                yield found


def deciding_event(view: ExecutionView, attempt: Attempt) -> int:
    """The ``DecisionTaskStarted`` event of the decision that asked for an attempt; 0 where none did."""
    if not attempt.decision_id:
        return 0
    started: int = attributes_of(view.events[attempt.decision_id - 1])['startedEventId']
    return started
