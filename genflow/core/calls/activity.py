"""Calls of activities: the decisions and events of an attempt, and its id.

The id of an attempt is ``<number>.<attempt>``, and ``<number>.<attempt>;h=<seconds>`` where the call overrides the
heartbeat: a poll tells the worker neither, so both travel in the id.
"""

from __future__ import annotations

import math
from typing import Any

from genflow.core.calls.call import Cancellation, RetryableCall, refused_key
from genflow.core.calls.phases import QUEUED, SENT
from genflow.core.errors import ActivityCanceled, ActivityFailed, ActivityTimedOut, TaskFailed
from genflow.core.model import decisions, events
from genflow.core.model.options import ActivityOptions
from genflow.core.model.wire_names import HEARTBEAT_PART, PROCESS_DIED

__all__ = ['ActivityCall', 'heartbeat_details']


def heartbeat_details(details: str | None) -> str | None:
    """The details of the last heartbeat, from the details of a time-out."""
    if details is None or not details.startswith(PROCESS_DIED):
        return details
    return details[len(PROCESS_DIED) + 1 :] or None


class ActivityCall(RetryableCall):
    """``self.echo(x)`` where ``echo`` is an ``ActivityProxy``."""

    __slots__ = ()

    kind = 'activity'
    quota = 'activity'
    is_stoppable = True

    def activity_id(self) -> str:
        heartbeat = self.settings.heartbeat
        if heartbeat is None:
            return f'{self.number}.{self.attempt}'
        return f'{self.number}.{self.attempt}{HEARTBEAT_PART}{0 if heartbeat == math.inf else int(heartbeat)}'

    def start_decision(self) -> decisions.Decision:
        options: ActivityOptions = self.settings
        proxy = self.proxy
        return decisions.ScheduleActivity(
            self.activity_id(),
            proxy.name,
            proxy.version,
            self.input,
            None,
            options.task_list,
            options.priority,
            options.heartbeat,
            options.sent_schedule_to_close,
            options.schedule_to_start,
            options.start_to_close,
        )

    def matches_start(self, event: Any) -> bool:
        if isinstance(event, events.Refused):
            return event.kind == 'activity' and event.key.partition(';')[0] == self.attempt_id
        return (
            isinstance(event, events.ActivityScheduled)
            and event.activity_id.partition(';')[0] == self.attempt_id
            and event.name == self.proxy.name
            and event.version == self.proxy.version
        )

    def takes(self, event: events.ActivityScheduled) -> bool:
        """The common case of a match in one step: scheduled as asked for, input and all."""
        proxy = self.proxy
        if (
            event.input != self.input
            or event.name != proxy.name
            or event.version != proxy.version
            or event.activity_id != self.activity_id()
            or self.phase is not QUEUED
        ):
            return False
        self.phase = SENT  # as Outbox.change does, without a call: it keeps its slot
        self.ref = event.id
        self.key = event.activity_id
        self.loop.refs[event.id] = self
        return True

    def recorded(self, event: Any) -> None:
        super().recorded(event)
        if type(event) is events.ActivityScheduled:
            self.key = event.activity_id

    def apply(self, event: Any) -> None:
        del self.loop.refs[event.ref]
        _ACTIVITY[type(event)](self, event)

    def failed(self, event: events.Failed) -> None:
        self.attempt_failed(ActivityFailed(event.reason, event.details, task=self))

    def timed_out(self, event: events.TimedOut) -> None:
        died = event.details is not None and event.details.startswith(PROCESS_DIED)
        error = ActivityTimedOut(
            f'timed out: {event.timeout_type}', event.details, task=self, timeout_type=event.timeout_type
        )
        self.attempt_failed(error, uncounted=died)

    def was_canceled(self, event: events.Canceled) -> None:
        self.attempt_failed(ActivityCanceled('canceled', event.details, task=self))

    def ask_to_cancel(self) -> None:
        self.loop.outbox.add(Cancellation(self))

    def cancel_decision(self) -> decisions.Decision:
        return decisions.RequestCancelActivity(str(self.key))

    def matches_cancel(self, event: Any) -> bool:
        if isinstance(event, events.ActivityCancelRequested):
            return event.activity_id == self.key
        return refused_key(event, 'cancel activity') == self.key

    def canceled_error(self) -> TaskFailed:
        return ActivityCanceled('canceled by the workflow', task=self)

    def timeout_error(self, seconds: int) -> TaskFailed:
        return ActivityTimedOut(f'not settled within {seconds} s', task=self)


_ACTIVITY: dict[type, Any] = {
    events.Completed: ActivityCall.succeeded,
    events.Failed: ActivityCall.failed,
    events.TimedOut: ActivityCall.timed_out,
    events.Canceled: ActivityCall.was_canceled,
}
