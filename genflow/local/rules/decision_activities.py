"""The decisions about activities: ScheduleActivityTask, RequestCancelActivityTask."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from attrs import Factory, frozen

from genflow.local.rules.activities import cancel_unstarted, note_activity
from genflow.local.rules.decision_context import DecisionContext
from genflow.local.state.domains import TypeRecord
from genflow.local.state.items import Activity, period

__all__ = ['request_cancel_activity_task', 'schedule_activity_task']

DEFAULTS = {
    'taskList': 'defaultTaskList',
    'scheduleToStartTimeout': 'defaultTaskScheduleToStartTimeout',
    'scheduleToCloseTimeout': 'defaultTaskScheduleToCloseTimeout',
    'startToCloseTimeout': 'defaultTaskStartToCloseTimeout',
    'heartbeatTimeout': 'defaultTaskHeartbeatTimeout',
    'taskPriority': 'defaultTaskPriority',
}
"""Decision member -> the type's default for it."""

TIMES = tuple(DEFAULTS)[1:]
"""All of these but the task list."""

MISSING = {
    'taskList': 'DEFAULT_TASK_LIST_UNDEFINED',
    'scheduleToStartTimeout': 'DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED',
    'scheduleToCloseTimeout': 'DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED',
    'startToCloseTimeout': 'DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'heartbeatTimeout': 'DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED',
}
"""Decision member -> the cause where neither gives it, in the order of the checks."""


def schedule_activity_task(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """Schedule an activity with the decision's values, else those of its type."""
    name, version = attributes['activityType']['name'], attributes['activityType']['version']
    record = context.domain.types['activity'].get((name, version))
    event: dict[str, Any] = {
        'activityType': {'name': name, 'version': version},
        'activityId': attributes['activityId'],
    }
    get = attributes.get
    terms = NO_TERMS if record is None else terms_of(record, get('taskList', {}).get('name'), *map(get, TIMES))
    cause = schedule_cause(context, event['activityId'], record, terms)
    if cause:
        context.fail('ScheduleActivityTaskFailed', cause, event)
        return
    event['taskList'] = {'name': terms.task['task_list']}
    event.update(terms.event)
    for member in ('input', 'control'):
        if member in attributes:
            event[member] = attributes[member]
    add_activity(context, context.record('ActivityTaskScheduled', event), event, terms)


@frozen
class Terms:
    """The settings of an activity task: the values of its decision, else those of its type.

    Attributes:
        event: The members of its event that say so, without the task list.
        task: Likewise of the open task.
        missing: The cause of a failure where neither has a value that is needed.
    """

    event: Mapping[str, str] = Factory(dict)
    task: Mapping[str, Any] = Factory(dict)
    missing: str | None = None


NO_TERMS = Terms()


@lru_cache(1_024)
def terms_of(record: TypeRecord, *values: str | None) -> Terms:
    """The terms of a type's tasks; the same for many.

    Args:
        record: The type.
        values: The decision's, in the order of :data:`DEFAULTS`.
    """
    defaults = zip(DEFAULTS.items(), values, strict=True)
    known = {member: value or record.default(name) for (member, name), value in defaults}
    missing = next((cause for member, cause in MISSING.items() if not known[member]), None)
    task = {
        'type_name': record.name,
        'type_version': record.version,
        'task_list': known.pop('taskList'),
        'priority': int(known['taskPriority'] or 0),
        'to_start': period(known['scheduleToStartTimeout']),
        'to_close': period(known['scheduleToCloseTimeout']),
        'run': period(known['startToCloseTimeout']),
        'beat': period(known['heartbeatTimeout']),
    }
    return Terms({member: value for member, value in known.items() if value}, task, missing)


def add_activity(context: DecisionContext, event_id: int, event: dict[str, Any], terms: Terms) -> None:
    """Put the scheduled task in its list."""
    execution, name = context.execution, event['activityId']
    activity = Activity(
        id=event_id, name=name, since=execution.last_time, input=event.get('input'), input_known=True, **terms.task
    )
    note_activity(execution)
    execution.activities[event_id] = activity
    execution.activity_ids[name] = event_id
    context.state.offer(execution, activity)


def schedule_cause(context: DecisionContext, name: str, record: TypeRecord | None, terms: Terms) -> str | None:
    """The cause with which SWF refuses to schedule the activity ``name``; ``None`` if it does not."""
    execution, state = context.execution, context.state
    cause = context.type_cause('ACTIVITY', record)
    if cause:
        return cause
    if name in execution.activity_ids:
        return 'ACTIVITY_ID_ALREADY_IN_USE'
    if terms.missing:
        return terms.missing
    if len(execution.activities) >= state.limits.open_activities:
        return 'OPEN_ACTIVITIES_LIMIT_EXCEEDED'
    is_allowed = not state.rates.any or state.rates.allow('ScheduleActivityTask', context.at)
    return None if is_allowed else 'ACTIVITY_CREATION_RATE_EXCEEDED'


def request_cancel_activity_task(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """Requests the cancellation of an activity; the service cancels one that no worker has started."""
    name = attributes['activityId']
    scheduled = context.execution.activity_ids.get(name)
    if scheduled is None:
        context.fail('RequestCancelActivityTaskFailed', 'ACTIVITY_ID_UNKNOWN', {'activityId': name})
        return
    activity = context.execution.activities[scheduled]
    activity.cancel_requested = context.record('ActivityTaskCancelRequested', {'activityId': name})
    note_activity(context.execution)
    context.state.touch(context.execution, activity)
    if not activity.started:
        context.state.agenda.append(partial(cancel_unstarted, execution=context.execution, scheduled=scheduled))
