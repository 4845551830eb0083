"""The model of one execution, read from its events; the dashboard and the commands that show executions use it.

*Theory of operation.* :meth:`ExecutionView.apply` takes one event after the other, in the shape of boto3, of the AWS
command line's JSON or of the embedded service. Three tables say what an event does: it opens an operation
(:data:`OPENS`), it changes the attempt that an earlier event opened (:data:`CHANGES`), or it concerns the execution as
a whole (:data:`OTHERS`). Together they cover all of SWF's 54 event types. An operation is found by the id of the
event that opened an attempt, as SWF's events refer to it.

Nothing here reads a clock: methods that depend on the current time take ``now``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from genflow.core.errors import HistoryError
from genflow.insight.names import MARKERS, attempt_of, timer_of
from genflow.insight.operations import (
    Attempt,
    CancelRequest,
    Close,
    Deadline,
    DecisionTask,
    Marker,
    Operation,
    Refusal,
    SignalReceived,
)
from genflow.insight.times import duration, seconds_of, utc
from genflow.swf.wire.events import attributes_member

__all__ = ['CHANGES', 'CLOSES', 'EVENT_TYPES', 'OPENS', 'OTHERS', 'REFUSALS', 'ExecutionView', 'attributes_of']

Event = Mapping[str, Any]

NOTHING: Mapping[str, Any] = {}


class ExecutionView:
    """The state of one run after the events applied so far.

    Args:
        workflow_id: Of the execution, if known; events do not contain it.
        run_id: Likewise.

    Attributes:
        events: The applied events.
        name: Of the workflow type.
        version: Of the workflow type.
        started: The attributes of ``WorkflowExecutionStarted``.
        started_at: When event 1 was recorded, in UTC.
        updated_at: When the last event was recorded.
        last_event_id: The last event's id; the next event to ask for is the one after it.
        operations: Everything the execution asked for, in history order.
        decisions: Every decision task, in history order.
        signals: The signals that came in.
        cancel_requests: The requests to cancel the execution.
        markers: The markers that decisions recorded.
        refusals: The decisions that SWF refused, at once or later.
        status_text: The execution context, which ``set_status`` sets.
        close: How it ended; ``None`` while it is open.
        largest: Characters of the largest payload, and the event that has it.
        unknown: Event types that this release does not know.
    """

    def __init__(self, workflow_id: str | None = None, run_id: str | None = None) -> None:
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.events: list[Event] = []
        self.name = self.version = ''
        self.started: Mapping[str, Any] = NOTHING
        self.started_at: datetime | None = None
        self.updated_at: datetime | None = None
        self.last_event_id = 0
        self.operations: list[Operation] = []
        self.decisions: list[DecisionTask] = []
        self._tasks: dict[int, DecisionTask] = {}
        self.signals: list[SignalReceived] = []
        self.cancel_requests: list[CancelRequest] = []
        self.markers: list[Marker] = []
        self.refusals: list[Refusal] = []
        self.status_text: str | None = None
        self.close: Close | None = None
        self.largest: tuple[int, int] = (0, 0)
        self.unknown: Counter[str] = Counter()
        self._by_event: dict[int, tuple[Operation, Attempt]] = {}
        self._calls: dict[tuple[str, int], Operation] = {}
        self._numbered: dict[int, Operation] = {}
        self._open: dict[int, Operation] = {}

    # reading events

    def apply(self, event: Event) -> None:
        """Reads one more event.

        Raises:
            HistoryError: It lacks a member that SWF always gives, or has one that cannot be read.
        """
        try:
            self._apply(event)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise _unreadable(event, error) from error

    def _apply(self, event: Event) -> None:
        event_type = event['eventType']
        when = event['eventTimestamp']
        if type(when) is not datetime or when.tzinfo is not timezone.utc:
            when = utc(when)
        self.updated_at = when
        event_id = self.last_event_id = event['eventId']
        self.events.append(event)
        handle = _HANDLERS.get(event_type)
        if handle is None:
            self.unknown[event_type] += 1
        else:
            member, function = handle
            function(self, event_id, when, event.get(member, NOTHING), event_type)

    def apply_all(self, events: Iterable[Event]) -> ExecutionView:
        """Reads events, oldest first; gives the view itself."""
        for event in events:
            self.apply(event)
        return self

    # questions about the execution

    @property
    def status(self) -> str:
        """``open``, or how it closed."""
        return 'open' if self.close is None else self.close.status

    @property
    def is_open(self) -> bool:
        return self.close is None

    @property
    def title(self) -> str:
        """A name for people: the workflow id, or the type if the id is not known."""
        return self.workflow_id or f'{self.name} {self.version}'

    @property
    def task_list(self) -> str | None:
        found: str | None = (self.started.get('taskList') or NOTHING).get('name')
        return found

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.started.get('tagList') or ())

    @property
    def parent(self) -> tuple[str, str] | None:
        """Workflow id and run id of the parent."""
        parent = self.started.get('parentWorkflowExecution')
        return None if not parent else (parent['workflowId'], parent['runId'])

    @property
    def continued_from(self) -> str | None:
        """The run that this one continues."""
        found: str | None = self.started.get('continuedExecutionRunId')
        return found

    @property
    def limit(self) -> int | None:
        """Seconds that the execution may take; ``None`` for no limit."""
        return seconds_of(self.started.get('executionStartToCloseTimeout'))

    @property
    def deadline(self) -> datetime | None:
        """When SWF times the execution out."""
        if self.started_at is None or self.limit is None:
            return None
        return self.started_at + timedelta(seconds=self.limit)

    def age(self, now: datetime) -> float:
        """Seconds from its start until it closed (or ``now``)."""
        if self.started_at is None:
            return 0.0
        return ((self.close.at if self.close else now) - self.started_at).total_seconds()

    def open_operations(self) -> list[Operation]:
        """The operations that have not ended, in history order."""
        return list(self._open.values())

    def open_count(self, kind: str) -> int:
        """How many operations of a kind count against SWF's limit on open work."""
        return sum(1 for operation in self._open.values() if operation.kind == kind)

    def operation_at(self, event_id: int) -> Operation | None:
        """The operation that an event scheduled."""
        found = self._by_event.get(event_id)
        return None if found is None else found[0]

    def numbered(self, number: int) -> Operation | None:
        """The operation with the number of a call, if a genflow decider made it."""
        return self._numbered.get(number)

    def named(self, text: str) -> list[Operation]:
        """The operations that match a number, an id or a name, latest first."""
        if text.isdecimal() and int(text) in self._numbered:
            return [self._numbered[int(text)]]
        found = [one for one in self.operations if text in (one.name, one.last.key, one.last.key.partition(';')[0])]
        folded = text.casefold()
        return (found or [one for one in self.operations if one.name.casefold() == folded])[::-1]

    def visible_operations(self) -> list[Operation]:
        """The operations without the engine's own timers, in history order."""
        return [operation for operation in self.operations if not operation.is_of_engine]

    @property
    def pending_decision(self) -> DecisionTask | None:
        """The decision task that is scheduled or started and not answered."""
        recent = self.decisions[:-3:-1] if self.is_open else ()  # the next is scheduled while one is started
        return next((task for task in recent if task.is_open), None)

    @property
    def is_passive(self) -> bool:
        """Whether nothing happens in it by itself: it waits for children, or for signals from outside."""
        if not self.is_open or self.pending_decision is not None or not self.decisions:
            return False
        return all(one.kind == 'child' and one.pause is None for one in self.open_operations())

    @property
    def cancel_requested(self) -> CancelRequest | None:
        """The first request to cancel the execution."""
        return self.cancel_requests[0] if self.cancel_requests else None

    def deadlines(self) -> list[Deadline]:
        """The deadlines of everything that is open, the earliest first."""
        if not self.is_open:
            return []
        found = [
            deadline
            for operation in self._open.values()
            if not self._is_pause(operation)
            for deadline in operation.deadlines()
        ]
        task = self.pending_decision
        if task is not None:
            since, limit = (task.scheduled_at, task.start_limit) if task.started_at is None else (
                task.started_at, task.limit)  # fmt: skip
            if limit is not None:
                found.append(Deadline(since + timedelta(seconds=limit), 'decision'))
        if self.deadline is not None:
            found.append(Deadline(self.deadline, 'execution'))
        return sorted(found, key=lambda deadline: deadline.at)

    def _is_pause(self, timer: Operation) -> bool:
        """Whether a timer is the wait before an attempt of an operation that is known."""
        known = None if timer.purpose != 'retry' or timer.number is None else self._numbered.get(timer.number)
        return known is not None and known.pause is timer

    def counts(self) -> Counter[str]:
        """How many operations there are in each state."""
        return Counter(operation.state for operation in self.visible_operations())

    def changed_since(self, event_id: int) -> Iterator[Operation]:
        """The operations that events after ``event_id`` changed, in history order."""
        return (operation for operation in self.operations if operation.last_event_id > event_id)

    # functions for the tables

    def opened(self, operation: Operation, attempt: Attempt) -> None:
        """An attempt begins."""
        if not operation.attempts:
            self.operations.append(operation)
        operation.attempts.append(attempt)
        operation.pause = None
        self._by_event[attempt.scheduled_id] = (operation, attempt)
        self._open[operation.id] = operation

    def call(self, kind: str, number: int | None, name: str, version: str | None) -> Operation:
        """The operation of a call: the known one for a further attempt."""
        if number is not None:
            known = self._calls.get((kind, number))
            if known is not None and known.name == name and not known.last.is_open:
                return known
        operation = Operation(kind, name, version, number)
        if number is not None:
            self._calls[kind, number] = operation
            self._numbered[number] = operation
        return operation

    def task_scheduled(self, task: DecisionTask) -> None:
        self.decisions.append(task)
        self._tasks[task.scheduled_id] = task

    def task_of(self, attributes: Mapping[str, Any]) -> DecisionTask | None:
        """The decision task that the attributes of an event are about; the latest where they do not say."""
        latest = self.decisions[-1] if self.decisions else None
        return self._tasks.get(attributes.get('scheduledEventId') or 0, latest)

    def attempt_of(self, ref: int) -> tuple[Operation, Attempt] | None:
        return self._by_event.get(ref)

    def ended(self, operation: Operation) -> None:
        if operation.pause is None:
            self._open.pop(operation.id, None)

    def paused(self, timer: Operation) -> None:
        """A timer was started that the next attempt of its operation waits for."""
        operation = None if timer.number is None else self._numbered.get(timer.number)
        if operation is not None and operation is not timer and not operation.last.is_open:
            operation.pause = timer
            self._open[operation.id] = operation

    def unpaused(self, timer: Operation, *, over: bool) -> None:
        """That timer fired, and the attempt is about to follow; or it was canceled, and none will."""
        operation = None if timer.number is None else self._numbered.get(timer.number)
        if operation is not None and operation.pause is timer:
            operation.pause = None
            if over:
                self._open.pop(operation.id, None)

    def open_activity(self, activity_id: str) -> Attempt | None:
        for operation in self._open.values():
            if operation.kind == 'activity' and operation.last.key == activity_id:
                return operation.last
        return None

    def measure(self, event_id: int, *payloads: str | None) -> None:
        for text in payloads:
            if text is not None and len(text) > self.largest[0]:
                self.largest = (len(text), event_id)


def _unreadable(event: Event, error: Exception) -> HistoryError:
    what = f'lacks the member {error}' if isinstance(error, KeyError) else f'cannot be read: {error}'
    return HistoryError(f'event {event.get("eventId", "without id")}, {event.get("eventType", "of no type")}, {what}')


def attributes_of(event: Event) -> Mapping[str, Any]:
    """The attributes of an event dict."""
    found: Mapping[str, Any] = event.get(attributes_member(event['eventType']), NOTHING)
    return found


# What events do. Each function takes the view, the event's id, its time, its attributes and its type.


def _activity(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    key, kind = attributes['activityId'], attributes['activityType']
    number, attempt = attempt_of(key)
    _open(view, 'activity', number, kind['name'], kind['version'], attempt, key, event_id, when, attributes)


def _child(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    kind = attributes['workflowType']
    number, attempt = attempt_of(attributes.get('control'))
    _open(
        view,
        'child',
        number,
        kind['name'],
        kind['version'],
        attempt,
        attributes['workflowId'],
        event_id,
        when,
        attributes,
    )


def _lambda(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    number, attempt = attempt_of(attributes['id'])
    _open(view, 'lambda', number, attributes['name'], None, attempt, attributes['id'], event_id, when, attributes)


def _signal_out(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    number = attempt_of(attributes.get('control'))[0]
    _open(
        view, 'signal', number, attributes['signalName'], None, 1, attributes['workflowId'], event_id, when, attributes
    )


def _cancel_out(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    number = attempt_of(attributes.get('control'))[0]
    _open(
        view, 'cancel', number, attributes['workflowId'], None, 1, attributes['workflowId'], event_id, when, attributes
    )


def _open(
    view: ExecutionView,
    kind: str,
    number: int | None,
    name: str,
    version: str | None,
    attempt: int,
    key: str,
    event_id: int,
    when: datetime,
    attributes: Mapping[str, Any],
) -> None:
    operation = view.call(kind, number, name, version)
    if number is None:
        attempt = len(operation.attempts) + 1
    decision_id = attributes.get('decisionTaskCompletedEventId', 0)
    view.opened(operation, Attempt(attempt, key, event_id, when, attributes, decision_id))
    view.measure(event_id, attributes.get('input'), attributes.get('control'))


def _timer(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    key = attributes['timerId']
    number, purpose = timer_of(key)
    name = duration(int(attributes['startToFireTimeout']))
    own = purpose == 'sleep'
    operation = view.call('timer', number, name, None) if own else Operation('timer', name, None, number)
    operation.purpose = purpose
    view.opened(
        operation, Attempt(1, key, event_id, when, attributes, attributes.get('decisionTaskCompletedEventId', 0))
    )
    if purpose == 'retry':
        view.paused(operation)


OPENS: dict[str, Callable[..., None]] = {
    'ActivityTaskScheduled': _activity,
    'StartChildWorkflowExecutionInitiated': _child,
    'TimerStarted': _timer,
    'LambdaFunctionScheduled': _lambda,
    'SignalExternalWorkflowExecutionInitiated': _signal_out,
    'RequestCancelExternalWorkflowExecutionInitiated': _cancel_out,
}
"""What opens an operation, or an attempt of one."""


def _change(ref: str, state: str, *, ends: bool = True) -> Callable[..., None]:
    """A function that changes the attempt which the attribute ``ref`` names."""

    def change(
        view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], event_type: str
    ) -> None:
        found = view.attempt_of(attributes.get(ref) or 0)
        if found is None:
            if 'cause' in attributes:
                _refused(view, event_id, when, attributes, event_type)
            return
        operation, attempt = found
        attempt.state = state
        if ends:
            _end(view, operation, attempt, event_id, when, attributes)
            if state == 'refused':
                _refused(view, event_id, when, attributes, event_type)
        else:
            attempt.started_id, attempt.started_at = event_id, when
            attempt.worker = attributes.get('identity')
            if 'workflowExecution' in attributes:
                attempt.run_id = attributes['workflowExecution'].get('runId')

    return change


def _end(
    view: ExecutionView,
    operation: Operation,
    attempt: Attempt,
    event_id: int,
    when: datetime,
    attributes: Mapping[str, Any],
) -> None:
    get = attributes.get
    attempt.ended_id, attempt.ended_at = event_id, when
    attempt.reason = get('reason') or get('timeoutType') or get('cause')
    attempt.details, attempt.result = get('details') or get('message'), get('result')
    view.measure(event_id, attempt.details, attempt.result)
    view.ended(operation)
    if operation.purpose == 'retry':
        view.unpaused(operation, over=attempt.state == 'canceled')


CHANGES: dict[str, Callable[..., None]] = {
    'ActivityTaskStarted': _change('scheduledEventId', 'started', ends=False),
    'ActivityTaskCompleted': _change('scheduledEventId', 'completed'),
    'ActivityTaskFailed': _change('scheduledEventId', 'failed'),
    'ActivityTaskTimedOut': _change('scheduledEventId', 'timed out'),
    'ActivityTaskCanceled': _change('scheduledEventId', 'canceled'),
    'ChildWorkflowExecutionStarted': _change('initiatedEventId', 'started', ends=False),
    'ChildWorkflowExecutionCompleted': _change('initiatedEventId', 'completed'),
    'ChildWorkflowExecutionFailed': _change('initiatedEventId', 'failed'),
    'ChildWorkflowExecutionTimedOut': _change('initiatedEventId', 'timed out'),
    'ChildWorkflowExecutionCanceled': _change('initiatedEventId', 'canceled'),
    'ChildWorkflowExecutionTerminated': _change('initiatedEventId', 'terminated'),
    'StartChildWorkflowExecutionFailed': _change('initiatedEventId', 'refused'),
    'TimerFired': _change('startedEventId', 'fired'),
    'TimerCanceled': _change('startedEventId', 'canceled'),
    'LambdaFunctionStarted': _change('scheduledEventId', 'started', ends=False),
    'LambdaFunctionCompleted': _change('scheduledEventId', 'completed'),
    'LambdaFunctionFailed': _change('scheduledEventId', 'failed'),
    'LambdaFunctionTimedOut': _change('scheduledEventId', 'timed out'),
    'StartLambdaFunctionFailed': _change('scheduledEventId', 'refused'),
    'ExternalWorkflowExecutionSignaled': _change('initiatedEventId', 'delivered'),
    'SignalExternalWorkflowExecutionFailed': _change('initiatedEventId', 'refused'),
    'ExternalWorkflowExecutionCancelRequested': _change('initiatedEventId', 'delivered'),
    'RequestCancelExternalWorkflowExecutionFailed': _change('initiatedEventId', 'refused'),
}
"""What changes an attempt that an earlier event opened."""


def _started(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    view.started, view.started_at = attributes, when
    view.name, view.version = attributes['workflowType']['name'], attributes['workflowType']['version']
    view.measure(event_id, attributes.get('input'))


def _decision_scheduled(
    view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str
) -> None:
    task_list = (attributes.get('taskList') or NOTHING).get('name')
    limits = seconds_of(attributes.get('startToCloseTimeout')), seconds_of(attributes.get('scheduleToStartTimeout'))
    view.task_scheduled(DecisionTask(event_id, when, task_list, *limits))


def _decision_started(
    view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str
) -> None:
    task = view.task_of(attributes)
    if task is not None:
        task.started_id, task.started_at, task.worker, task.state = (
            event_id,
            when,
            attributes.get('identity'),
            'started',
        )


def _decision_completed(
    view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str
) -> None:
    task = view.task_of(attributes)
    if task is not None:
        task.ended_id, task.ended_at, task.state = event_id, when, 'completed'
    if attributes.get('executionContext') is not None:
        view.status_text = attributes['executionContext']


def _decision_timed_out(
    view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str
) -> None:
    task = view.task_of(attributes)
    if task is not None:
        task.ended_id, task.ended_at, task.state = event_id, when, 'timed out'
        task.timeout_type = attributes.get('timeoutType')


def _signaled(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    sender = (attributes.get('externalWorkflowExecution') or NOTHING).get('workflowId')
    view.signals.append(SignalReceived(event_id, when, attributes['signalName'], attributes.get('input'), sender))
    view.measure(event_id, attributes.get('input'))


def _cancel_requested(
    view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str
) -> None:
    sender = (attributes.get('externalWorkflowExecution') or NOTHING).get('workflowId')
    view.cancel_requests.append(CancelRequest(event_id, when, attributes.get('cause'), sender))


def _activity_cancel(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    attempt = view.open_activity(attributes['activityId'])
    if attempt is not None:
        attempt.cancel_id, attempt.cancel_at = event_id, when


def _marker(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], _: str) -> None:
    name, details = attributes['markerName'], attributes.get('details')
    view.markers.append(Marker(event_id, when, name, MARKERS.get(name, 'marker'), details))
    view.measure(event_id, details)


_KEYS = ('activityId', 'workflowId', 'timerId', 'id', 'markerName')


def _refused(
    view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], event_type: str
) -> None:
    what, member = REFUSALS[event_type]
    kind = attributes.get(member) if member else None
    name = f'{kind["name"]} {kind["version"]}' if isinstance(kind, Mapping) else kind
    key = name or next((attributes[key] for key in _KEYS if attributes.get(key)), '')
    view.refusals.append(
        Refusal(event_id, when, event_type, f'{what} {key}'.strip(), attributes.get('cause', ''), attributes)
    )


REFUSALS: dict[str, tuple[str, str | None]] = {
    'ScheduleActivityTaskFailed': ('activity', 'activityType'),
    'RequestCancelActivityTaskFailed': ('the cancellation of activity', None),
    'StartTimerFailed': ('timer', None),
    'CancelTimerFailed': ('the cancellation of timer', None),
    'ScheduleLambdaFunctionFailed': ('Lambda function', 'name'),
    'StartLambdaFunctionFailed': ('Lambda function', None),
    'RecordMarkerFailed': ('marker', None),
    'StartChildWorkflowExecutionFailed': ('child', 'workflowType'),
    'SignalExternalWorkflowExecutionFailed': ('a signal to', None),
    'RequestCancelExternalWorkflowExecutionFailed': ('a cancel request to', None),
    'CompleteWorkflowExecutionFailed': ('the completion', None),
    'FailWorkflowExecutionFailed': ('the failure', None),
    'CancelWorkflowExecutionFailed': ('the cancellation', None),
    'ContinueAsNewWorkflowExecutionFailed': ('the restart', None),
}
"""What SWF refuses: in words, and the attribute that names it where no id does."""

CLOSES = {
    'WorkflowExecutionCompleted': 'completed',
    'WorkflowExecutionFailed': 'failed',
    'WorkflowExecutionCanceled': 'canceled',
    'WorkflowExecutionContinuedAsNew': 'continued as new',
    'WorkflowExecutionTerminated': 'terminated',
    'WorkflowExecutionTimedOut': 'timed out',
}
"""What ends an execution."""


def _closed(view: ExecutionView, event_id: int, when: datetime, attributes: Mapping[str, Any], event_type: str) -> None:
    get = attributes.get
    view.close = Close(
        event_id,
        when,
        CLOSES[event_type],
        get('reason') or get('timeoutType'),
        get('details'),
        get('result'),
        get('newExecutionRunId'),
        get('cause'),
        get('childPolicy'),
    )
    view.measure(event_id, get('result'), get('details'), get('input'))


OTHERS: dict[str, Callable[..., None]] = {
    'WorkflowExecutionStarted': _started,
    'DecisionTaskScheduled': _decision_scheduled,
    'DecisionTaskStarted': _decision_started,
    'DecisionTaskCompleted': _decision_completed,
    'DecisionTaskTimedOut': _decision_timed_out,
    'WorkflowExecutionSignaled': _signaled,
    'WorkflowExecutionCancelRequested': _cancel_requested,
    'ActivityTaskCancelRequested': _activity_cancel,
    'MarkerRecorded': _marker,
    **dict.fromkeys(CLOSES, _closed),
    **{event_type: _refused for event_type in REFUSALS if event_type not in CHANGES},
}
"""What concerns the execution as a whole."""

EVENT_TYPES = {**OPENS, **CHANGES, **OTHERS}

_HANDLERS: dict[str, tuple[str, Callable[..., None]]] = {
    event_type: (attributes_member(event_type), function) for event_type, function in EVENT_TYPES.items()
}
