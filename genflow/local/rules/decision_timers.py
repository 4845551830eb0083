"""The decisions about timers and markers: StartTimer, CancelTimer, RecordMarker."""

from __future__ import annotations

from typing import Any

from genflow.local.rules.decision_context import DecisionContext
from genflow.local.rules.recording import given
from genflow.local.state.items import MILLISECONDS, Timer

__all__ = ['cancel_timer', 'record_marker', 'start_timer']


def start_timer(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """Starts a timer; one of zero seconds fires right after this response."""
    name = attributes['timerId']
    cause = start_timer_cause(context, name)
    if cause:
        context.fail('StartTimerFailed', cause, {'timerId': name})
        return
    event_id = context.record(
        'TimerStarted',
        given(timerId=name, startToFireTimeout=attributes['startToFireTimeout'], control=attributes.get('control')),
    )
    due = context.execution.last_time + int(attributes['startToFireTimeout']) * MILLISECONDS
    timer = context.execution.timers[name] = Timer(id=event_id, name=name, due=due)
    context.state.touch(context.execution, timer)


def start_timer_cause(context: DecisionContext, name: str) -> str | None:
    """The cause with which SWF refuses to start the timer; ``None`` if it does not."""
    if name in context.execution.timers:
        return 'TIMER_ID_ALREADY_IN_USE'
    if len(context.execution.timers) >= context.state.limits.open_timers:
        return 'OPEN_TIMERS_LIMIT_EXCEEDED'
    return None if context.state.rates.allow('StartTimer', context.at) else 'TIMER_CREATION_RATE_EXCEEDED'


def cancel_timer(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """Cancels an open timer; the next decision of the same response may use its id again."""
    name = attributes['timerId']
    timer = context.execution.timers.pop(name, None)
    if timer is None:
        context.fail('CancelTimerFailed', 'TIMER_ID_UNKNOWN', {'timerId': name})
        return
    context.state.drop(context.execution, timer)
    context.record('TimerCanceled', {'timerId': name, 'startedEventId': timer.id})


def record_marker(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """Records a marker of the decider."""
    context.record('MarkerRecorded', given(markerName=attributes['markerName'], details=attributes.get('details')))
