"""SWF's event dicts, as boto3 gives them, turned into the engine's events: a table from event type to reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from genflow.core.errors import HistoryError
from genflow.core.model.events import DecisionCompleted, DecisionStarted, DecisionTimedOut, Event
from genflow.swf.wire import readers
from genflow.swf.wire.readers import Reader

__all__ = ['IGNORED', 'READERS', 'decided', 'translate']


def translate(events: Iterable[Mapping[str, Any]]) -> list[Event]:
    """Reads SWF's events, oldest first; those that mean nothing to a workflow are left out.

    Raises:
        HistoryError: An event is of a type that SWF did not have when this was written, or lacks a member.
    """
    readers_by_type = READERS
    values: list[Event] = []
    append = values.append
    event: Mapping[str, Any] = {}
    try:
        for event in events:
            read = readers_by_type[event['eventType']]
            if read is not None:
                value = read(event)
                if value is not None:
                    append(value)
    except KeyError as error:
        raise _unreadable(event, error) from error
    return values


def decided(events: list[Event]) -> list[Event]:
    """The events without the start of a decision that is being made just now, which is nobody's to repeat."""
    for place in range(len(events) - 1, -1, -1):
        if isinstance(events[place], DecisionStarted):
            return events[:place] + events[place + 1 :]
        if isinstance(events[place], (DecisionCompleted, DecisionTimedOut)):
            break
    return events


def _unreadable(event: Mapping[str, Any], error: KeyError) -> HistoryError:
    kind = event.get('eventType')
    what = 'lacks the member' if kind in READERS else 'is not known to this release of genflow:'
    return HistoryError(f'event {event.get("eventId")}, {kind}, {what} {error}')


IGNORED = {
    'DecisionTaskScheduled': 'a decision is known by its DecisionTaskStarted',
    'ActivityTaskStarted': 'which worker took an activity, and when, decides nothing',
    'LambdaFunctionStarted': 'likewise for a Lambda function',
}
"""The event types that mean nothing to a workflow, and why."""

_TABLE: dict[str, tuple[Any, ...]] = {
    'WorkflowExecutionStarted': (readers.workflow_started,),
    'WorkflowExecutionSignaled': (readers.signaled,),
    'WorkflowExecutionCancelRequested': (readers.cancel_requested,),
    'WorkflowExecutionCompleted': (readers.closed, 'completed'),
    'WorkflowExecutionFailed': (readers.closed, 'failed'),
    'WorkflowExecutionCanceled': (readers.closed, 'canceled'),
    'WorkflowExecutionContinuedAsNew': (readers.closed, 'continued', 'input'),
    'WorkflowExecutionTerminated': (readers.closed, 'terminated'),
    'WorkflowExecutionTimedOut': (readers.closed, 'timed out'),
    'CompleteWorkflowExecutionFailed': (readers.close_refused, 'completed'),
    'FailWorkflowExecutionFailed': (readers.close_refused, 'failed'),
    'CancelWorkflowExecutionFailed': (readers.close_refused, 'canceled'),
    'ContinueAsNewWorkflowExecutionFailed': (readers.close_refused, 'continued'),
    'DecisionTaskStarted': (readers.decision_started,),
    'DecisionTaskCompleted': (readers.decision_completed,),
    'DecisionTaskTimedOut': (readers.decision_timed_out,),
    'ActivityTaskScheduled': (readers.activity_scheduled,),
    'ScheduleActivityTaskFailed': (readers.refused, 'activity', 'activityId'),
    'ActivityTaskCompleted': (readers.completed, 'scheduledEventId'),
    'ActivityTaskFailed': (readers.failed, 'scheduledEventId'),
    'ActivityTaskTimedOut': (readers.timed_out, 'scheduledEventId'),
    'ActivityTaskCanceled': (readers.canceled, 'scheduledEventId'),
    'ActivityTaskCancelRequested': (readers.activity_cancel_requested,),
    'RequestCancelActivityTaskFailed': (readers.refused, 'cancel activity', 'activityId'),
    'TimerStarted': (readers.timer_started,),
    'StartTimerFailed': (readers.refused, 'timer', 'timerId'),
    'TimerFired': (readers.timer_fired,),
    'TimerCanceled': (readers.timer_canceled,),
    'CancelTimerFailed': (readers.refused, 'cancel timer', 'timerId'),
    'MarkerRecorded': (readers.marker_recorded,),
    'RecordMarkerFailed': (readers.refused, 'marker', 'markerName'),
    'StartChildWorkflowExecutionInitiated': (readers.child_initiated,),
    'StartChildWorkflowExecutionFailed': (readers.child_failed_to_start,),
    'ChildWorkflowExecutionStarted': (readers.child_started,),
    'ChildWorkflowExecutionCompleted': (readers.completed, 'initiatedEventId'),
    'ChildWorkflowExecutionFailed': (readers.failed, 'initiatedEventId'),
    'ChildWorkflowExecutionTimedOut': (readers.timed_out, 'initiatedEventId'),
    'ChildWorkflowExecutionCanceled': (readers.canceled, 'initiatedEventId'),
    'ChildWorkflowExecutionTerminated': (readers.terminated, 'initiatedEventId'),
    'SignalExternalWorkflowExecutionInitiated': (readers.signal_initiated,),
    'SignalExternalWorkflowExecutionFailed': (readers.undelivered_or_refused, 'signal'),
    'ExternalWorkflowExecutionSignaled': (readers.delivered,),
    'RequestCancelExternalWorkflowExecutionInitiated': (readers.cancel_initiated,),
    'RequestCancelExternalWorkflowExecutionFailed': (readers.undelivered_or_refused, 'cancel request'),
    'ExternalWorkflowExecutionCancelRequested': (readers.delivered,),
    'LambdaFunctionScheduled': (readers.lambda_scheduled,),
    'ScheduleLambdaFunctionFailed': (readers.refused, 'lambda', 'id'),
    'StartLambdaFunctionFailed': (readers.undelivered, 'scheduledEventId'),
    'LambdaFunctionCompleted': (readers.completed, 'scheduledEventId'),
    'LambdaFunctionFailed': (readers.failed, 'scheduledEventId'),
    'LambdaFunctionTimedOut': (readers.timed_out, 'scheduledEventId'),
}

READERS: dict[str, Reader | None] = dict.fromkeys(IGNORED)
"""From each of SWF's 54 event types to its reader, ``None`` for the ignored ones."""
READERS.update(
    (kind, make(f'{kind[0].lower()}{kind[1:]}EventAttributes', *rest)) for kind, (make, *rest) in _TABLE.items()
)
