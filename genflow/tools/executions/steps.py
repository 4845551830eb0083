"""One line for each significant event, as plain views and ``genflow history`` print them.

The state comes from the model, `genflow.insight.ExecutionView`; this module describes its changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, define, field, frozen

from genflow.insight import ExecutionView, Operation, attributes_of
from genflow.insight.view import CHANGES, CLOSES, OPENS, REFUSALS

__all__ = ['NOTES', 'SILENT', 'ExecutionSteps', 'Step', 'named', 'state_of']

Event = Mapping[str, Any]

GOOD_CLOSES = frozenset({'completed', 'continued as new'})
FIRST_STATES = {'child': 'asked for', 'timer': 'started', 'signal': 'sent', 'cancel': 'sent'}
"""The state of what has been asked for, by kind; of other kinds it is ``scheduled``."""


@frozen
class Step:
    """A change that one event made.

    Attributes:
        when: The event's time.
        text: One line about it.
        went_wrong: Whether something failed, timed out or was refused.
        short: The line for a reader who sees the rest elsewhere.
    """

    when: datetime
    text: str
    went_wrong: bool = False
    short: str = field(default=Factory(lambda self: self.text, takes_self=True))


NOTES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    'WorkflowExecutionStarted': lambda attributes: (
        f'workflow {attributes["workflowType"]["name"]} {attributes["workflowType"]["version"]} started'
    ),
    'WorkflowExecutionSignaled': lambda attributes: f'signal {attributes["signalName"]} received',
    'WorkflowExecutionCancelRequested': lambda attributes: 'cancellation requested',
    'ActivityTaskCancelRequested': lambda attributes: f'activity [{attributes["activityId"]}] asked to cancel',
    'DecisionTaskTimedOut': lambda attributes: f'decision timed out ({attributes["timeoutType"]})',
}
"""Events that concern the execution as a whole, in words."""

SILENT = frozenset({'DecisionTaskScheduled', 'DecisionTaskStarted', 'DecisionTaskCompleted', 'MarkerRecorded'})
"""Events without a line: the effects of a decision show in the events that follow it."""


@define
class ExecutionSteps:
    """Describes the events of one execution while it applies them to the model.

    Attributes:
        view: The model.
    """

    view: ExecutionView = Factory(ExecutionView)

    def apply_all(self, events: Iterable[Event]) -> Iterator[Step]:
        """Applies events in order while the steps are consumed; skips those that were applied before."""
        for event in events:
            if event['eventId'] > self.view.last_event_id:
                step = self.apply(event)
                if step is not None:
                    yield step

    def apply(self, event: Event) -> Step | None:
        """Applies the next event; returns its step if it is significant."""
        view, event_type, attributes = self.view, event['eventType'], attributes_of(event)
        view.apply(event)
        when = view.updated_at or event['eventTimestamp']
        if event_type in CLOSES:
            return self._closed(when)
        if event_type in NOTES:
            return Step(when, NOTES[event_type](attributes))
        operation = self._operation(event, attributes)
        if operation is not None:
            return None if operation.is_of_engine else Step(when, _line(operation), operation.last.has_failed)
        if event_type in REFUSALS:
            what = view.refusals[-1].what
            return Step(when, f'{what} was refused: {attributes["cause"]}', went_wrong=True)
        return None

    def catch_up(self, events: Iterable[Event]) -> Step | None:
        """Applies the events of an earlier process, and summarizes them in one step."""
        last = None
        for last in self.apply_all(events):  # noqa: B007 - the last one is wanted
            pass
        if last is None or not self.view.is_open:
            return last
        done = sum(operation.state == 'completed' for operation in self.view.operations)
        still = len(self.view.open_operations())
        return Step(last.when, f'workflow continued: {done} completed before, {still} open')

    def _operation(self, event: Event, attributes: Mapping[str, Any]) -> Operation | None:
        """The operation that an event opened or changed."""
        if event['eventType'] in OPENS:
            return self.view.operation_at(event['eventId'])
        if event['eventType'] not in CHANGES:
            return None
        names = ('initiatedEventId', 'scheduledEventId', 'startedEventId')
        found = map(self.view.operation_at, (attributes[name] for name in names if attributes.get(name)))
        return next(filter(None, found), None)

    def _closed(self, when: datetime) -> Step:
        close = self.view.close
        status = self.view.status
        why = _first_line((close.reason or close.cause) if close is not None else None)
        text = f'workflow {status}: {why}' if why else f'workflow {status}'
        return Step(when, text, status not in GOOD_CLOSES, f'workflow {status}')


def named(operation: Operation) -> str:
    """What an operation is, with SWF's id of its latest attempt: ``activity Charge 2 [1.1]``."""
    version = f' {operation.version}' if operation.version else ''
    name = 'request' if operation.kind == 'cancel' else operation.name
    return f'{operation.kind} {name}{version} [{operation.last.key}]'


def state_of(operation: Operation) -> str:
    """The state of an operation, in the word for its kind."""
    return FIRST_STATES.get(operation.kind, operation.state) if operation.state == 'scheduled' else operation.state


def _line(operation: Operation) -> str:
    last = operation.last
    state = FIRST_STATES.get(operation.kind, last.state) if last.state == 'scheduled' else last.state
    why = _first_line(last.reason)
    return f'{named(operation)} {state}: {why}' if why else f'{named(operation)} {state}'


def _first_line(text: str | None) -> str:
    return text.splitlines()[0] if text else ''
