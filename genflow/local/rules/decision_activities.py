"""The decisions about activities: ScheduleActivityTask, RequestCancelActivityTask."""

from __future__ import annotations

from functools import partial
from typing import Any

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
    values = {} if record is None else resolved(attributes, record)
    cause = schedule_cause(context, event['activityId'], record, values)
    if cause:
        context.fail('ScheduleActivityTaskFailed', cause, event)
        return
    event.update(values)
    for member in ('input', 'control'):
        if attributes.get(member) is not None:
            event[member] = attributes[member]
    add_activity(context, context.record('ActivityTaskScheduled', event), event)


def resolved(attributes: dict[str, Any], record: TypeRecord) -> dict[str, Any]:
    """The settings of the task: the decision's values, else the type's defaults; without those that neither has."""
    get, default_of = attributes.get, record.defaults.get
    values = {member: value for member, name in DEFAULTS.items() if (value := get(member) or default_of(name))}
    if 'taskList' in values:
        values['taskList'] = {'name': values['taskList']['name']}
    return values


def add_activity(context: DecisionContext, event_id: int, event: dict[str, Any]) -> None:
    """Put the scheduled task in its list."""
    activity = Activity(
        id=event_id,
        name=event['activityId'],
        type_name=event['activityType']['name'],
        type_version=event['activityType']['version'],
        task_list=event['taskList']['name'],
        priority=int(event.get('taskPriority', 0)),
        since=context.execution.last_time,
        to_start=period(event['scheduleToStartTimeout']),
        to_close=period(event['scheduleToCloseTimeout']),
        run=period(event['startToCloseTimeout']),
        beat=period(event['heartbeatTimeout']),
        input=event.get('input'),
        input_known=True,
    )
    note_activity(context.execution)
    context.execution.activities[event_id] = activity
    context.execution.activity_ids[activity.name] = event_id
    context.state.offer(context.execution, activity)


def schedule_cause(
    context: DecisionContext, name: str, record: TypeRecord | None, values: dict[str, Any]
) -> str | None:
    """The cause with which SWF refuses to schedule the activity ``name``; ``None`` if it does not."""
    execution, state = context.execution, context.state
    cause = context.type_cause('ACTIVITY', record)
    if cause:
        return cause
    if name in execution.activity_ids:
        return 'ACTIVITY_ID_ALREADY_IN_USE'
    if not MISSING.keys() <= values.keys():
        return next(cause for member, cause in MISSING.items() if member not in values)
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
