"""SWF's event dicts, as boto3 gives them, turned into the engine's events.

A table leads from each event type to its reader. There is one maker of readers for each shape of event: it is given the
name of the member that holds the event's attributes, and what differs between the types that share its shape. The
reader it makes runs once for each event of a cold replay: members are looked up directly (``.get`` only where SWF may
leave one out), values are built by position, and the makers of the most frequent readers look their class up once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, TypeVar

from genflow.core.errors import HistoryError
from genflow.core.model import events as core

__all__ = ['IGNORED', 'READERS', 'attributes_member', 'dated', 'decided', 'translate', 'utc']

Events = TypeVar('Events', bound=Sequence[Mapping[str, Any]])
Reader = Callable[[Mapping[str, Any]], 'core.Event | None']


@lru_cache(256)
def attributes_member(event_type: str) -> str:
    """The member of an event that holds its attributes: ``'TimerFired'`` gives ``'timerFiredEventAttributes'``."""
    return f'{event_type[0].lower()}{event_type[1:]}EventAttributes'


def translate(events: Iterable[Mapping[str, Any]]) -> list[core.Event]:
    """Reads SWF's events, oldest first; those that mean nothing to a workflow are left out.

    Raises:
        HistoryError: An event is of a type that SWF did not have when this was written, or lacks a member.
    """
    found = events if isinstance(events, list) else list(events)
    readers = READERS
    try:
        values = [read(event) for event in found if (read := readers[event['eventType']]) is not None]
    except KeyError:
        for event in found:
            _read_alone(event)
        raise
    return values if all(values) else [value for value in values if value is not None]  # type: ignore[return-value]


def decided(events: list[core.Event]) -> list[core.Event]:
    """The events without the start of the decision that is being made now, which no replay repeats."""
    for place in range(len(events) - 1, -1, -1):
        if isinstance(events[place], core.DecisionStarted):
            return events[:place] + events[place + 1 :]
        if isinstance(events[place], (core.DecisionCompleted, core.DecisionTimedOut)):
            break
    return events


def _read_alone(event: Mapping[str, Any]) -> None:
    """Says which event it is that cannot be read."""
    kind = event.get('eventType')
    try:
        read = READERS[event['eventType']]
        if read is not None:
            read(event)
    except KeyError as error:
        what = 'lacks the member' if kind in READERS else 'is not known to this release of genflow:'
        raise HistoryError(f'event {event.get("eventId")}, {kind}, {what} {error}') from error


def workflow_started(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.WorkflowStarted:
        attributes = event[member]
        parent = attributes.get('parentWorkflowExecution') or {}
        return core.WorkflowStarted(
            event['eventId'],
            utc(event['eventTimestamp']),
            attributes['workflowType']['name'],
            attributes['workflowType']['version'],
            attributes.get('input'),
            attributes['taskList']['name'],
            attributes.get('childPolicy'),
            _seconds(attributes.get('executionStartToCloseTimeout')),
            _seconds(attributes.get('taskStartToCloseTimeout')),
            _priority(attributes.get('taskPriority')),
            tuple(tag for tag in attributes.get('tagList') or () if tag is not None),  # SWF keeps nulls that were sent
            attributes.get('lambdaRole'),
            parent.get('workflowId'),
            parent.get('runId'),
            attributes.get('continuedExecutionRunId'),
        )

    return read


def dated(events: Events) -> Events:
    """The same events, whose timestamps are aware datetimes from now on; inside of genflow they may be numbers."""
    for event in events:
        seconds = event.get('eventTimestamp')
        if type(seconds) is float or type(seconds) is int:
            event['eventTimestamp'] = datetime.fromtimestamp(seconds, timezone.utc)  # type: ignore[index]
    return events


def utc(when: Any) -> datetime:
    """A timestamp of an event in UTC.

    Raises:
        HistoryError: It is neither a datetime, nor seconds since 1970, nor ISO 8601.
    """
    try:
        if isinstance(when, datetime):  # boto3 gives the zone of the machine
            return when if when.tzinfo is timezone.utc else when.astimezone(timezone.utc)
        if isinstance(when, str):
            return datetime.fromisoformat(when.replace('Z', '+00:00')).astimezone(timezone.utc)
        return datetime.fromtimestamp(when, timezone.utc)
    except (TypeError, ValueError, OverflowError) as error:
        raise HistoryError(f'{when!r} is not a timestamp: expected epoch seconds or ISO 8601') from error


def _seconds(text: str | None) -> float | None:
    return text if text is None else math.inf if text == 'NONE' else int(text)


def _priority(text: str | None) -> int | None:
    return int(text) if text else None


def decision_started(member: str) -> Reader:
    make, zone = core.DecisionStarted, timezone.utc

    def read(event: Mapping[str, Any]) -> core.DecisionStarted:
        when = event['eventTimestamp']
        return make(event['eventId'], when if type(when) is datetime and when.tzinfo is zone else utc(when))

    return read


def decision_completed(member: str) -> Reader:
    make = core.DecisionCompleted
    return lambda event: make(event['eventId'], event[member]['startedEventId'])


def decision_timed_out(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.DecisionTimedOut | None:
        # A task that waited too long on a sticky list (SCHEDULE_TO_START) was never started: nobody saw any input.
        return core.DecisionTimedOut(event['eventId']) if event[member].get('startedEventId') else None

    return read


def signaled(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Signaled:
        attributes = event[member]
        return core.Signaled(event['eventId'], attributes['signalName'], attributes.get('input'))

    return read


def cancel_requested(member: str) -> Reader:
    return lambda event: core.CancelRequested(event['eventId'], event[member].get('cause'))


def completed(member: str, ref: str) -> Reader:
    make = core.Completed

    def read(event: Mapping[str, Any]) -> core.Completed:
        attributes = event[member]
        return make(event['eventId'], attributes[ref], attributes.get('result'))

    return read


def failed(member: str, ref: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Failed:
        attributes = event[member]
        return core.Failed(event['eventId'], attributes[ref], attributes.get('reason'), attributes.get('details'))

    return read


def timed_out(member: str, ref: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.TimedOut:
        attributes = event[member]
        return core.TimedOut(
            event['eventId'],
            attributes[ref],
            attributes.get('timeoutType', 'START_TO_CLOSE'),
            attributes.get('details'),
        )

    return read


def canceled(member: str, ref: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Canceled:
        attributes = event[member]
        return core.Canceled(event['eventId'], attributes[ref], attributes.get('details'))

    return read


def terminated(member: str, ref: str) -> Reader:
    return lambda event: core.Terminated(event['eventId'], event[member][ref])


def timer_fired(member: str) -> Reader:
    return lambda event: core.TimerFired(event['eventId'], event[member]['startedEventId'])


def delivered(member: str) -> Reader:
    return lambda event: core.Delivered(event['eventId'], event[member]['initiatedEventId'])


def child_started(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.ChildStarted:
        attributes = event[member]
        execution = attributes['workflowExecution']
        return core.ChildStarted(
            event['eventId'], attributes['initiatedEventId'], execution['workflowId'], execution['runId']
        )

    return read


def undelivered(member: str, ref: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Undelivered:
        attributes = event[member]
        return core.Undelivered(event['eventId'], attributes[ref], attributes['cause'], attributes.get('message'))

    return read


def undelivered_or_refused(member: str, kind: str) -> Reader:
    """An immediate refusal refers to no Initiated event, except for a child whose workflow id is taken."""
    refused_later = undelivered(member, 'initiatedEventId')

    def read(event: Mapping[str, Any]) -> core.Refused | core.Undelivered:
        attributes = event[member]
        if attributes.get('initiatedEventId'):
            return refused_later(event)  # type: ignore[return-value]  # the reader above makes nothing else
        return core.Refused(
            event['eventId'],
            attributes['decisionTaskCompletedEventId'],
            kind,
            attributes['workflowId'],
            attributes['cause'],
            attributes.get('control'),
        )

    return read


def activity_scheduled(member: str) -> Reader:
    make = core.ActivityScheduled

    def read(event: Mapping[str, Any]) -> core.ActivityScheduled:
        attributes = event[member]
        kind = attributes['activityType']
        return make(
            event['eventId'],
            attributes['decisionTaskCompletedEventId'],
            attributes['activityId'],
            kind['name'],
            kind['version'],
            attributes.get('input'),
        )

    return read


def child_initiated(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.ChildInitiated:
        attributes = event[member]
        kind = attributes['workflowType']
        return core.ChildInitiated(
            event['eventId'],
            attributes['decisionTaskCompletedEventId'],
            attributes['workflowId'],
            kind['name'],
            kind['version'],
            attributes.get('input'),
            attributes.get('control'),
        )

    return read


def timer_started(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.TimerStarted:
        attributes = event[member]
        return core.TimerStarted(
            event['eventId'],
            attributes['decisionTaskCompletedEventId'],
            attributes['timerId'],
            int(attributes['startToFireTimeout']),
            attributes.get('control'),
        )

    return read


def lambda_scheduled(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.LambdaScheduled:
        attributes = event[member]
        return core.LambdaScheduled(
            event['eventId'],
            attributes['decisionTaskCompletedEventId'],
            attributes['id'],
            attributes['name'],
            attributes.get('input'),
        )

    return read


def signal_initiated(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.SignalInitiated:
        attributes = event[member]
        return core.SignalInitiated(
            event['eventId'],
            attributes['decisionTaskCompletedEventId'],
            attributes['workflowId'],
            attributes['signalName'],
            attributes.get('runId'),
            attributes.get('input'),
            attributes.get('control'),
        )

    return read


def cancel_initiated(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.CancelInitiated:
        attributes = event[member]
        return core.CancelInitiated(
            event['eventId'],
            attributes['decisionTaskCompletedEventId'],
            attributes['workflowId'],
            attributes.get('runId'),
            attributes.get('control'),
        )

    return read


def activity_cancel_requested(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.ActivityCancelRequested:
        attributes = event[member]
        return core.ActivityCancelRequested(
            event['eventId'], attributes['decisionTaskCompletedEventId'], attributes['activityId']
        )

    return read


def timer_canceled(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.TimerCanceled:
        attributes = event[member]
        return core.TimerCanceled(event['eventId'], attributes['decisionTaskCompletedEventId'], attributes['timerId'])

    return read


def marker_recorded(member: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.MarkerRecorded:
        attributes = event[member]
        return core.MarkerRecorded(
            event['eventId'],
            attributes['decisionTaskCompletedEventId'],
            attributes['markerName'],
            attributes.get('details'),
        )

    return read


def refused(member: str, kind: str, key: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.Refused:
        attributes = event[member]
        return core.Refused(
            event['eventId'], attributes['decisionTaskCompletedEventId'], kind, attributes[key], attributes['cause']
        )

    return read


def close_refused(member: str, how: str) -> Reader:
    def read(event: Mapping[str, Any]) -> core.CloseRefused:
        attributes = event[member]
        return core.CloseRefused(event['eventId'], attributes['decisionTaskCompletedEventId'], how, attributes['cause'])

    return read


def closed(member: str, how: str, result: str = 'result') -> Reader:
    def read(event: Mapping[str, Any]) -> core.Closed:
        attributes = event[member]
        return core.Closed(
            event['eventId'],
            attributes.get('decisionTaskCompletedEventId'),
            how,
            attributes.get(result),
            attributes.get(
                'reason', attributes.get('cause')
            ),  # a child policy or the event limit terminates without a reason
            attributes.get('details'),
            attributes.get('newExecutionRunId'),
        )

    return read


IGNORED = {
    'DecisionTaskScheduled': 'a decision is known by its DecisionTaskStarted',
    'ActivityTaskStarted': 'which worker took an activity, and when, decides nothing',
    'LambdaFunctionStarted': 'likewise for a Lambda function',
}
"""The event types that mean nothing to a workflow, and why."""

_TABLE: dict[str, tuple[Any, ...]] = {
    'WorkflowExecutionStarted': (workflow_started,),
    'WorkflowExecutionSignaled': (signaled,),
    'WorkflowExecutionCancelRequested': (cancel_requested,),
    'WorkflowExecutionCompleted': (closed, 'completed'),
    'WorkflowExecutionFailed': (closed, 'failed'),
    'WorkflowExecutionCanceled': (closed, 'canceled'),
    'WorkflowExecutionContinuedAsNew': (closed, 'continued', 'input'),
    'WorkflowExecutionTerminated': (closed, 'terminated'),
    'WorkflowExecutionTimedOut': (closed, 'timed out'),
    'CompleteWorkflowExecutionFailed': (close_refused, 'completed'),
    'FailWorkflowExecutionFailed': (close_refused, 'failed'),
    'CancelWorkflowExecutionFailed': (close_refused, 'canceled'),
    'ContinueAsNewWorkflowExecutionFailed': (close_refused, 'continued'),
    'DecisionTaskStarted': (decision_started,),
    'DecisionTaskCompleted': (decision_completed,),
    'DecisionTaskTimedOut': (decision_timed_out,),
    'ActivityTaskScheduled': (activity_scheduled,),
    'ScheduleActivityTaskFailed': (refused, 'activity', 'activityId'),
    'ActivityTaskCompleted': (completed, 'scheduledEventId'),
    'ActivityTaskFailed': (failed, 'scheduledEventId'),
    'ActivityTaskTimedOut': (timed_out, 'scheduledEventId'),
    'ActivityTaskCanceled': (canceled, 'scheduledEventId'),
    'ActivityTaskCancelRequested': (activity_cancel_requested,),
    'RequestCancelActivityTaskFailed': (refused, 'cancel activity', 'activityId'),
    'TimerStarted': (timer_started,),
    'StartTimerFailed': (refused, 'timer', 'timerId'),
    'TimerFired': (timer_fired,),
    'TimerCanceled': (timer_canceled,),
    'CancelTimerFailed': (refused, 'cancel timer', 'timerId'),
    'MarkerRecorded': (marker_recorded,),
    'RecordMarkerFailed': (refused, 'marker', 'markerName'),
    'StartChildWorkflowExecutionInitiated': (child_initiated,),
    'StartChildWorkflowExecutionFailed': (undelivered_or_refused, 'child'),
    'ChildWorkflowExecutionStarted': (child_started,),
    'ChildWorkflowExecutionCompleted': (completed, 'initiatedEventId'),
    'ChildWorkflowExecutionFailed': (failed, 'initiatedEventId'),
    'ChildWorkflowExecutionTimedOut': (timed_out, 'initiatedEventId'),
    'ChildWorkflowExecutionCanceled': (canceled, 'initiatedEventId'),
    'ChildWorkflowExecutionTerminated': (terminated, 'initiatedEventId'),
    'SignalExternalWorkflowExecutionInitiated': (signal_initiated,),
    'SignalExternalWorkflowExecutionFailed': (undelivered_or_refused, 'signal'),
    'ExternalWorkflowExecutionSignaled': (delivered,),
    'RequestCancelExternalWorkflowExecutionInitiated': (cancel_initiated,),
    'RequestCancelExternalWorkflowExecutionFailed': (undelivered_or_refused, 'cancel request'),
    'ExternalWorkflowExecutionCancelRequested': (delivered,),
    'LambdaFunctionScheduled': (lambda_scheduled,),
    'ScheduleLambdaFunctionFailed': (refused, 'lambda', 'id'),
    'StartLambdaFunctionFailed': (undelivered, 'scheduledEventId'),
    'LambdaFunctionCompleted': (completed, 'scheduledEventId'),
    'LambdaFunctionFailed': (failed, 'scheduledEventId'),
    'LambdaFunctionTimedOut': (timed_out, 'scheduledEventId'),
}

READERS: dict[str, Reader | None] = dict.fromkeys(IGNORED)
"""From each of SWF's 54 event types to its reader, ``None`` for the ignored ones."""
READERS.update((kind, make(attributes_member(kind), *rest)) for kind, (make, *rest) in _TABLE.items())
