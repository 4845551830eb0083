"""Writing the history: events get the next id and a moment that never lies before the one of their predecessor."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final

from genflow.local.json_text import encode, quoted
from genflow.local.requests.timestamps import moment
from genflow.local.state.execution import LONGEST_OBJECT, Execution
from genflow.local.state.items import DecisionTask, period
from genflow.local.state.state import State
from genflow.local.state.transaction import EVENT_BITS

__all__ = [
    'HistoryFull',
    'attributes_member',
    'given',
    'need_decision',
    'record',
    'record_and_decide',
    'started_attributes',
]

LAST_WORDS: Final = frozenset({'WorkflowExecutionTerminated'})
"""Events that may be appended to a full history."""

OWN: Final = frozenset(
    {
        'ActivityTaskCompleted',
        'ActivityTaskScheduled',
        'ActivityTaskStarted',
        'DecisionTaskCompleted',
        'DecisionTaskScheduled',
        'DecisionTaskStarted',
        'TimerFired',
        'TimerStarted',
    }
)
"""Frequent events whose attributes share nothing with a request or with a registered type: they can be given away."""


class HistoryFull(Exception):
    """The history has no room for the next event; the execution must be terminated."""

    def __init__(self, execution: Execution) -> None:
        super().__init__(f'the history of {execution.workflow_id!r} is full')
        self.execution = execution


@cache
def attributes_member(event_type: str) -> str:
    """``'TimerFired'`` -> ``'timerFiredEventAttributes'``."""
    return f'{event_type[0].lower()}{event_type[1:]}EventAttributes'


@lru_cache(256)
def seconds_text(time: int) -> str:
    """Milliseconds as the number of seconds that an event has; many have that of the one before."""
    return str(time / 1000)


def given(**members: Any) -> dict[str, Any]:
    """The keyword arguments that are not ``None``, as a dict."""
    return {name: value for name, value in members.items() if value is not None}


def record(state: State, execution: Execution, at: int, event_type: str, attributes: dict[str, Any]) -> int:
    """Appends an event and returns its id.

    Raises:
        HistoryFull: The history has reached its limit.
    """
    if execution.last_event >= state.limits.history_events and event_type not in LAST_WORDS:
        raise HistoryFull(execution)
    event_id = execution.last_event = execution.last_event + 1
    at = execution.last_time = max(execution.last_time, at)
    member, rest = attributes_member(event_type), (TEXTS.get(event_type) or encode)(attributes)
    text = f'{{"eventTimestamp":{seconds_text(at)},"eventType":"{event_type}","eventId":{event_id},"{member}":{rest}}}'
    event = None
    if execution.tail.keeps and event_type in OWN and len(text) <= LONGEST_OBJECT:
        event = {'eventTimestamp': moment(at / 1000), 'eventType': event_type, 'eventId': event_id, member: attributes}
    execution.tail.append(text, event)
    batch = state.batch
    execution.batch = batch.number
    batch.events.append((execution.key << EVENT_BITS | event_id, text))
    return event_id


def _started_text(attributes: dict[str, Any]) -> str:
    """Of a task that was taken; see :func:`started_attributes`."""
    identity, scheduled = attributes.get('identity'), attributes['scheduledEventId']
    known = '' if identity is None else f'"identity":{quoted(identity)},'
    return f'{{{known}"scheduledEventId":{scheduled}}}'


def _completed_text(attributes: dict[str, Any]) -> str:
    """Of an activity that ended well."""
    result, scheduled, started = attributes.get('result'), attributes['scheduledEventId'], attributes['startedEventId']
    known = '' if result is None else f'"result":{quoted(result)},'
    return f'{{{known}"scheduledEventId":{scheduled},"startedEventId":{started}}}'


def _activity_scheduled_text(attributes: dict[str, Any]) -> str:
    """Of an activity task; see :mod:`genflow.local.rules.decision_activities`."""
    kind, task_list, get = attributes['activityType'], attributes['taskList'], attributes.get
    priority, text, control = get('taskPriority'), get('input'), get('control')
    known = '' if priority is None else f'"taskPriority":{quoted(priority)},'
    if text is not None:
        known += f'"input":{quoted(text)},'
    if control is not None:
        known += f'"control":{quoted(control)},'
    return (
        f'{{"activityType":{{"name":{quoted(kind["name"])},"version":{quoted(kind["version"])}}},'
        f'"activityId":{quoted(attributes["activityId"])},"taskList":{{"name":{quoted(task_list["name"])}}},'
        f'"scheduleToStartTimeout":{quoted(attributes["scheduleToStartTimeout"])},'
        f'"scheduleToCloseTimeout":{quoted(attributes["scheduleToCloseTimeout"])},'
        f'"startToCloseTimeout":{quoted(attributes["startToCloseTimeout"])},'
        f'"heartbeatTimeout":{quoted(attributes["heartbeatTimeout"])},{known}'
        f'"decisionTaskCompletedEventId":{attributes["decisionTaskCompletedEventId"]}}}'
    )


def _decision_scheduled_text(attributes: dict[str, Any]) -> str:
    """Of a decision task; see :func:`schedule_decision`."""
    priority, waits = attributes.get('taskPriority'), attributes['scheduleToStartTimeout']
    known = '' if priority is None else f'"taskPriority":{quoted(priority)},'
    return (
        f'{{"taskList":{{"name":{quoted(attributes["taskList"]["name"])}}},{known}'
        f'"startToCloseTimeout":{quoted(attributes["startToCloseTimeout"])},"scheduleToStartTimeout":{quoted(waits)}}}'
    )


def _decision_completed_text(attributes: dict[str, Any]) -> str:
    """Of a decision task that was answered; mostly without anything to remember."""
    if len(attributes) > NUMBERS:
        return encode(attributes)
    return f'{{"scheduledEventId":{attributes["scheduledEventId"]},"startedEventId":{attributes["startedEventId"]}}}'


NUMBERS = 2
"""Attributes of every DecisionTaskCompleted."""

TEXTS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    'ActivityTaskCompleted': _completed_text,
    'ActivityTaskScheduled': _activity_scheduled_text,
    'ActivityTaskStarted': _started_text,
    'DecisionTaskCompleted': _decision_completed_text,
    'DecisionTaskScheduled': _decision_scheduled_text,
    'DecisionTaskStarted': _started_text,
}
"""Frequent events whose attributes are always the same few: how these are written, in a third of the encoder's time."""


def started_attributes(scheduled: int, identity: str | None) -> dict[str, Any]:
    """The attributes of an event for a started task."""
    if identity is None:
        return {'scheduledEventId': scheduled}
    return {'identity': identity, 'scheduledEventId': scheduled}


def need_decision(state: State, execution: Execution, at: int) -> None:
    """Makes sure that a decider gets the event that was just recorded.

    A task that is not started yet includes it. Behind a started task, the next one is scheduled at once, and can be
    polled when that one ends.
    """
    if execution.decision is None:
        execution.decision = schedule_decision(state, execution, at, pollable=True)
    elif execution.decision.started and execution.queued is None:
        execution.queued = schedule_decision(state, execution, at, pollable=False)


def schedule_decision(state: State, execution: Execution, at: int, *, pollable: bool) -> DecisionTask:
    """Record DecisionTaskScheduled on the list that is now in force."""
    progress = execution.progress
    waits = progress.task_list_to_start
    attributes: dict[str, Any] = {'taskList': {'name': progress.task_list}}
    if execution.priority is not None:
        attributes['taskPriority'] = execution.priority
    attributes['startToCloseTimeout'] = execution.task_timeout
    attributes['scheduleToStartTimeout'] = waits or 'NONE'
    event_id = record(state, execution, at, 'DecisionTaskScheduled', attributes)
    task = DecisionTask(
        id=event_id,
        task_list=progress.task_list,
        priority=int(execution.priority or 0),
        since=execution.last_time,
        to_start=period(waits),
        to_close=period(execution.task_timeout),
        pollable=pollable,
        ready=execution.last_time,
    )
    state.offer(execution, task)
    return task


def record_and_decide(state: State, execution: Execution, at: int, event_type: str, attributes: dict[str, Any]) -> int:
    """Appends an event for which a decision task is needed."""
    event_id = record(state, execution, at, event_type, attributes)
    need_decision(state, execution, at)
    return event_id
