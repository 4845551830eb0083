"""The life of an activity task after it was scheduled: started, heartbeats, ended."""

from __future__ import annotations

from typing import Any

from genflow.local.rules.recording import given, record, record_and_decide, started_attributes
from genflow.local.state.execution import Execution
from genflow.local.state.items import Activity
from genflow.local.state.state import State

__all__ = [
    'beat',
    'cancel_unstarted',
    'canceled_outcome',
    'note_activity',
    'settle_activity',
    'start_activity',
    'time_out_activity',
]


def start_activity(state: State, execution: Execution, activity: Activity, at: int, identity: str | None) -> None:
    """Hand the task to a poller."""
    activity.started = record(state, execution, at, 'ActivityTaskStarted', started_attributes(activity.id, identity))
    activity.started_at = activity.beaten = execution.last_time
    note_activity(execution)
    state.touch(execution, activity)


def beat(state: State, execution: Execution, activity: Activity, at: int, details: str | None) -> bool:
    """Records a heartbeat: its time-out starts again, and its details are kept; whether cancellation was requested."""
    activity.beaten = max(at, activity.beaten)
    activity.details = details
    state.touch(execution, activity)
    return bool(activity.cancel_requested)


def settle_activity(
    state: State, execution: Execution, activity: Activity, at: int, event_type: str, outcome: dict[str, Any]
) -> None:
    """Record how the task ended; its id is free again."""
    del execution.activities[activity.id]
    del execution.activity_ids[activity.name]
    state.drop(execution, activity)
    attributes = {**outcome, 'scheduledEventId': activity.id, 'startedEventId': activity.started}
    record_and_decide(state, execution, at, event_type, attributes)
    note_activity(execution)


def note_activity(execution: Execution) -> None:
    """Remember when the last event of an activity was recorded."""
    execution.progress.latest_activity = execution.last_time


def canceled_outcome(activity: Activity, details: str | None) -> dict[str, Any]:
    """The attributes of ActivityTaskCanceled; they name the request for cancellation, if there was one."""
    return given(details=details, latestCancelRequestedEventId=activity.cancel_requested or None)


def cancel_unstarted(state: State, at: int, *, execution: Execution, scheduled: int) -> None:
    """Cancels a task whose cancellation was requested before a worker started it, as SWF does."""
    activity = None if execution.closed else execution.activities.get(scheduled)
    if activity is not None and not activity.started:
        settle_activity(state, execution, activity, at, 'ActivityTaskCanceled', canceled_outcome(activity, None))


def time_out_activity(
    state: State, execution: Execution, activity: Activity, at: int, timeout_type: str, details: str | None
) -> None:
    """Record a time-out; the service never retries an activity."""
    outcome = given(timeoutType=timeout_type, details=details)
    settle_activity(state, execution, activity, at, 'ActivityTaskTimedOut', outcome)
