"""The decisions about timers and markers: StartTimer, CancelTimer, RecordMarker."""

from __future__ import annotations

from typing import Any

from genflow.local.rules.recording import given
from genflow.local.rules.state import MILLISECONDS, Timer
from genflow.local.rules.turn import Turn


def start_timer(turn: Turn, attributes: dict[str, Any]) -> None:
    """Start a timer; one of zero seconds fires on its own, right after this response."""
    name = attributes['timerId']
    cause = start_timer_cause(turn, name)
    if cause:
        turn.fail('StartTimerFailed', cause, {'timerId': name})
        return
    event_id = turn.record(
        'TimerStarted',
        given(timerId=name, startToFireTimeout=attributes['startToFireTimeout'], control=attributes.get('control')),
    )
    due = turn.execution.last_time + int(attributes['startToFireTimeout']) * MILLISECONDS
    timer = turn.execution.timers[name] = Timer(id=event_id, name=name, due=due)
    turn.world.touch(turn.execution, timer)


def start_timer_cause(turn: Turn, name: str) -> str | None:
    """Why the timer cannot be started."""
    if name in turn.execution.timers:
        return 'TIMER_ID_ALREADY_IN_USE'
    if len(turn.execution.timers) >= turn.world.limits.open_timers:
        return 'OPEN_TIMERS_LIMIT_EXCEEDED'
    return None if turn.world.rates.allow('StartTimer', turn.at) else 'TIMER_CREATION_RATE_EXCEEDED'


def cancel_timer(turn: Turn, attributes: dict[str, Any]) -> None:
    """Cancel an open timer; its id is free for the next decision already."""
    name = attributes['timerId']
    timer = turn.execution.timers.pop(name, None)
    if timer is None:
        turn.fail('CancelTimerFailed', 'TIMER_ID_UNKNOWN', {'timerId': name})
        return
    turn.world.drop(turn.execution, timer)
    turn.record('TimerCanceled', {'timerId': name, 'startedEventId': timer.id})


def record_marker(turn: Turn, attributes: dict[str, Any]) -> None:
    """Write down whatever the decider wants to remember."""
    turn.record('MarkerRecorded', given(markerName=attributes['markerName'], details=attributes.get('details')))
