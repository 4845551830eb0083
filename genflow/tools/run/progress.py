"""How far an execution is, told from its history: a fold over SWF's events, and nothing else.

`Progress.apply` takes one event after the other and keeps a row for each thing the execution waits for or waited for
(activities, children, timers, Lambda functions, messages to others). Each event that changes something gives a `Step`,
which a plain view prints as a line; a live view shows the rows.

Event types fall into four tables: those that open a row, those that change the row of an earlier event, those that
concern the execution as a whole, and those that tell a reader nothing. Together they are all 54 of SWF's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, define, field, frozen

from genflow.core.model.wire_names import BACKOFF_TIMER_PREFIX, RETRY_TIMER_SUFFIX, WAKE_TIMER_PREFIX

__all__ = ['CHANGES', 'CLOSES', 'NOTES', 'OPENS', 'REFUSED', 'SILENT', 'Progress', 'Row', 'Step', 'attributes_of']

Event = Mapping[str, Any]


@define
class Row:
    """One thing that the execution asked for.

    Attributes:
        kind: ``activity``, ``child``, ``timer``, ``lambda``, ``signal`` or ``cancel``.
        name: What it is: the name of a type, the signal, the seconds of a timer.
        id: SWF's id of it.
        state: In words: scheduled, started, completed, failed, timed out, canceled…
        note: Why it is in that state, where there is a why.
        is_open: Whether more is to come.
        went_wrong: Whether it failed, timed out or was refused.
        retried: Whether it went wrong, and another try was asked for.
        is_internal: Whether the engine asked for it, and not the workflow: its timers for pauses between tries.
    """

    kind: str
    name: str
    id: str
    state: str
    began: datetime
    ended: datetime | None = None
    note: str = ''
    is_open: bool = True
    went_wrong: bool = False
    retried: bool = False
    is_internal: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What rows are counted by."""
        return self.kind, self.name


@frozen
class Step:
    """What one event changed.

    Attributes:
        when: The event's time.
        text: One line about it.
        went_wrong: Whether a reader should look: something failed, timed out or was refused.
        short: The line for a reader who is told the rest elsewhere.
    """

    when: datetime
    text: str
    went_wrong: bool = False
    short: str = field(default=Factory(lambda self: self.text, takes_self=True))


def _type_name(member: str) -> Callable[[Mapping[str, Any]], str]:
    def name(attributes: Mapping[str, Any]) -> str:
        return f'{attributes[member]["name"]} {attributes[member]["version"]}'

    return name


# event type: (kind, name of it, member with the id, first state)
OPENS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str], str, str]] = {
    'ActivityTaskScheduled': ('activity', _type_name('activityType'), 'activityId', 'scheduled'),
    'StartChildWorkflowExecutionInitiated': ('child', _type_name('workflowType'), 'workflowId', 'asked for'),
    'TimerStarted': ('timer', lambda attributes: f'{attributes["startToFireTimeout"]} s', 'timerId', 'started'),
    'LambdaFunctionScheduled': ('lambda', lambda attributes: str(attributes['name']), 'id', 'scheduled'),
    'SignalExternalWorkflowExecutionInitiated': (
        'signal',
        lambda attributes: str(attributes['signalName']),
        'workflowId',
        'sent',
    ),
    'RequestCancelExternalWorkflowExecutionInitiated': ('cancel', lambda attributes: 'request', 'workflowId', 'sent'),
}

# event type: (member that names the event which opened the row, state, whether the row stays open, went wrong)
CHANGES: dict[str, tuple[str, str, bool, bool]] = {
    'ActivityTaskStarted': ('scheduledEventId', 'started', True, False),
    'ActivityTaskCompleted': ('scheduledEventId', 'completed', False, False),
    'ActivityTaskFailed': ('scheduledEventId', 'failed', False, True),
    'ActivityTaskTimedOut': ('scheduledEventId', 'timed out', False, True),
    'ActivityTaskCanceled': ('scheduledEventId', 'canceled', False, False),
    'ChildWorkflowExecutionStarted': ('initiatedEventId', 'started', True, False),
    'ChildWorkflowExecutionCompleted': ('initiatedEventId', 'completed', False, False),
    'ChildWorkflowExecutionFailed': ('initiatedEventId', 'failed', False, True),
    'ChildWorkflowExecutionTimedOut': ('initiatedEventId', 'timed out', False, True),
    'ChildWorkflowExecutionCanceled': ('initiatedEventId', 'canceled', False, False),
    'ChildWorkflowExecutionTerminated': ('initiatedEventId', 'terminated', False, True),
    'TimerFired': ('startedEventId', 'fired', False, False),
    'TimerCanceled': ('startedEventId', 'canceled', False, False),
    'LambdaFunctionStarted': ('scheduledEventId', 'started', True, False),
    'LambdaFunctionCompleted': ('scheduledEventId', 'completed', False, False),
    'LambdaFunctionFailed': ('scheduledEventId', 'failed', False, True),
    'LambdaFunctionTimedOut': ('scheduledEventId', 'timed out', False, True),
    'ExternalWorkflowExecutionSignaled': ('initiatedEventId', 'delivered', False, False),
    'ExternalWorkflowExecutionCancelRequested': ('initiatedEventId', 'delivered', False, False),
    'StartChildWorkflowExecutionFailed': ('initiatedEventId', 'refused', False, True),
    'SignalExternalWorkflowExecutionFailed': ('initiatedEventId', 'refused', False, True),
    'RequestCancelExternalWorkflowExecutionFailed': ('initiatedEventId', 'refused', False, True),
    'StartLambdaFunctionFailed': ('scheduledEventId', 'refused', False, True),
}

# What SWF did not do although a decision asked for it; `cause` says why.
REFUSED: dict[str, str] = {
    'ScheduleActivityTaskFailed': 'an activity was not scheduled',
    'RequestCancelActivityTaskFailed': 'an activity was not asked to cancel',
    'StartTimerFailed': 'a timer was not started',
    'CancelTimerFailed': 'a timer was not canceled',
    'ScheduleLambdaFunctionFailed': 'a Lambda function was not scheduled',
    'RecordMarkerFailed': 'a marker was not recorded',
    'CompleteWorkflowExecutionFailed': 'the workflow was not completed yet',
    'FailWorkflowExecutionFailed': 'the workflow was not failed yet',
    'CancelWorkflowExecutionFailed': 'the workflow was not canceled yet',
    'ContinueAsNewWorkflowExecutionFailed': 'the workflow was not continued as new yet',
}

NOTES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    'WorkflowExecutionStarted': lambda attributes: f'workflow {_type_name("workflowType")(attributes)} started',
    'WorkflowExecutionSignaled': lambda attributes: f'signal {attributes["signalName"]} received',
    'WorkflowExecutionCancelRequested': lambda attributes: 'cancellation requested',
    'ActivityTaskCancelRequested': lambda attributes: f'activity [{attributes["activityId"]}] asked to cancel',
    'DecisionTaskTimedOut': lambda attributes: f'decision timed out ({attributes["timeoutType"]})',
}

CLOSES: dict[str, str] = {
    'WorkflowExecutionCompleted': 'completed',
    'WorkflowExecutionFailed': 'failed',
    'WorkflowExecutionTimedOut': 'timed out',
    'WorkflowExecutionCanceled': 'canceled',
    'WorkflowExecutionTerminated': 'terminated',
    'WorkflowExecutionContinuedAsNew': 'continued as new',
}

# The engine's own pulse: what a decision did is told by the events that follow it.
SILENT = frozenset({'DecisionTaskScheduled', 'DecisionTaskStarted', 'DecisionTaskCompleted', 'MarkerRecorded'})

# event type: by how many the decisions that are due or being made change; the next may be due while one is being made
PULSE = {'DecisionTaskScheduled': 1, 'DecisionTaskCompleted': -1, 'DecisionTaskTimedOut': -1}

FIRST_DECISION = 2  # the id of the event that says that the first decision is due

RETRIED = frozenset({'activity', 'child', 'lambda'})
"""Kinds of rows that are tried again; their ids end in the number of the attempt, as in ``7.2``."""

GOOD_CLOSES = frozenset({'completed', 'continued as new'})


def attributes_of(event: Event) -> Mapping[str, Any]:
    """The block of attributes that SWF keeps under a name made of the event's type."""
    kind = str(event['eventType'])
    found: Mapping[str, Any] = event.get(f'{kind[0].lower()}{kind[1:]}EventAttributes', {})
    return found


@define
class Progress:
    """The state of one execution as far as its events were applied.

    Attributes:
        rows: What the execution asked for, by the id of the event that says so.
        state: ``open``, or in words how it closed.
        close: The closing event, ``None`` while it is open.
        last_event_id: The event that was applied last, 0 before the first.
        began: The time of the first event.
        deciding: How many decisions are due or being made.
        status: What the workflow said last with ``set_status``, as JSON; empty if nothing.
        now: The time of the last event.
    """

    rows: dict[int, Row] = Factory(dict)
    state: str = 'open'
    close: Event | None = None
    last_event_id: int = 0
    began: datetime | None = None
    deciding: int = 0
    status: str = ''
    now: datetime | None = None
    _open: dict[int, Row] = field(factory=dict, init=False)
    _tries: dict[tuple[str, str], Row] = field(factory=dict, init=False)

    @property
    def is_open(self) -> bool:
        return self.state == 'open'

    @property
    def is_passive(self) -> bool:
        """Whether nothing happens in it by itself: it waits for children, or for what somebody outside sends."""
        if not self.is_open or self.deciding or self.last_event_id < FIRST_DECISION:
            return False
        return all(row.kind == 'child' for row in self._open.values())

    @property
    def waits_for(self) -> Row | None:
        """What it has waited for longest, without the engine's own timers."""
        return next((row for row in self._open.values() if not row.is_internal), None)

    @property
    def next_run_id(self) -> str | None:
        """The run that an execution was continued as, ``None`` if it was not."""
        if self.close is None or self.state != 'continued as new':
            return None
        return str(attributes_of(self.close)['newExecutionRunId'])

    @property
    def open_rows(self) -> list[Row]:
        """What the execution waits for, oldest first."""
        return list(self._open.values())

    def catch_up(self, events: Iterable[Event]) -> Step | None:
        """Apply what happened in an earlier process, and sum it up in one step."""
        last = None
        for step in self.apply_all(events):
            last = step
        if last is None or not self.is_open:
            return last
        done = sum(row.state == 'completed' for row in self.rows.values())
        return Step(last.when, f'workflow continued: {done} completed before, {len(self._open)} open')

    def apply_all(self, events: Iterable[Event]) -> Iterator[Step]:
        """Apply events in order; those that were applied before are left out."""
        for event in events:
            if event['eventId'] > self.last_event_id:
                step = self.apply(event)
                if step is not None:
                    yield step

    def apply(self, event: Event) -> Step | None:
        """Apply the next event, and say what it changed, if a reader would care."""
        self.last_event_id = event['eventId']
        self.began = self.began or event['eventTimestamp']
        self.now = event['eventTimestamp']
        kind, attributes = event['eventType'], attributes_of(event)
        self.status = str(attributes.get('executionContext') or self.status)
        self.deciding += PULSE.get(kind, 0)
        if kind in OPENS:
            return self._opened(event, attributes)
        if kind in CHANGES:
            return self._changed(event, attributes)
        if kind in REFUSED:
            return Step(event['eventTimestamp'], f'{REFUSED[kind]}: {attributes["cause"]}', went_wrong=True)
        if kind in CLOSES:
            return self._closed(event, attributes)
        return Step(event['eventTimestamp'], NOTES[kind](attributes)) if kind in NOTES else None

    def _opened(self, event: Event, attributes: Mapping[str, Any]) -> Step | None:
        kind, name, id_member, state = OPENS[event['eventType']]
        row = Row(kind, name(attributes), str(attributes[id_member]), state, event['eventTimestamp'])
        row.is_internal = kind == 'timer' and _is_engines(row.id)
        self.rows[event['eventId']] = self._open[event['eventId']] = row
        self._note_try(row)
        return None if row.is_internal else Step(row.began, _line(row))

    def _note_try(self, row: Row) -> None:
        """Mark the try before this one as retried; the pause before the next try says so already."""
        number, _, _ = row.id.removesuffix(RETRY_TIMER_SUFFIX).rpartition('.')
        for kind in RETRIED if row.is_internal else RETRIED & {row.kind}:
            before = self._tries.get((kind, number))
            if before is not None and before.went_wrong:
                before.retried = True
        if number and row.kind in RETRIED:
            self._tries[row.kind, number] = row

    def _changed(self, event: Event, attributes: Mapping[str, Any]) -> Step | None:
        member, state, stays_open, went_wrong = CHANGES[event['eventType']]
        row = self.rows.get(attributes.get(member, 0))
        if row is None:
            return None
        row.state, row.is_open, row.note, row.went_wrong = state, stays_open, _why(attributes), went_wrong
        if not stays_open:
            row.ended = event['eventTimestamp']
            self._open.pop(attributes[member], None)
        return None if row.is_internal else Step(event['eventTimestamp'], _line(row), went_wrong)

    def _closed(self, event: Event, attributes: Mapping[str, Any]) -> Step:
        self.state, self.close = CLOSES[event['eventType']], event
        why = _why(attributes)
        text = f'workflow {self.state}: {why}' if why else f'workflow {self.state}'
        return Step(event['eventTimestamp'], text, self.state not in GOOD_CLOSES, f'workflow {self.state}')


def _is_engines(timer_id: str) -> bool:
    return timer_id.startswith((WAKE_TIMER_PREFIX, BACKOFF_TIMER_PREFIX)) or timer_id.endswith(RETRY_TIMER_SUFFIX)


def _line(row: Row) -> str:
    text = f'{row.kind} {row.name} [{row.id}] {row.state}'
    return f'{text}: {row.note}' if row.note else text


def _why(attributes: Mapping[str, Any]) -> str:
    """The first line of a reason, the type of a time-out, or the cause of a refusal."""
    why = attributes.get('reason') or attributes.get('timeoutType') or attributes.get('cause') or ''
    return str(why).splitlines()[0] if why else ''
