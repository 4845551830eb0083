"""A new run of a closed execution that begins with events that somebody else chose.

The open items of the new run are made from its events: the timers that have neither fired nor been canceled, and the
decision task with which the events end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from genflow.local.engine.loading import described
from genflow.local.json_text import encode
from genflow.local.operations.lookup import live_domain
from genflow.local.requests import faults
from genflow.local.rules.recording import attributes_member
from genflow.local.state.execution import Execution
from genflow.local.state.items import MILLISECONDS, DecisionTask, Item, Progress, Timer, period
from genflow.local.state.state import State
from genflow.local.state.transaction import EVENT_BITS

__all__ = ['begin_forked_run', 'fresh_row', 'open_items', 'wire_events']

Event = Mapping[str, Any]


def wire_events(events: Sequence[Event]) -> list[dict[str, Any]]:
    """The events as JSON has them: moments are numbers of seconds."""
    found: list[dict[str, Any]] = json.loads(json.dumps(list(events), default=datetime.timestamp))
    return found


def fresh_row(row: Mapping[str, Any], events: Sequence[Event], *, key: int, run_id: str, now: int) -> dict[str, Any]:
    """The row of the new run.

    Args:
        row: Of the closed run, whose settings the new one has.
        events: The new run's history.
        key: Of the new run.
        run_id: Of the new run.
        now: When it begins; its whole time is before it.
    """
    return {
        **row,
        'key': key,
        'run_id': run_id,
        'started': now,
        'closed': None,
        'status': None,
        'expires': None,
        'cancel_requested': 0,
        'outcome': None,
        'tags': [encode(tag) for tag in _attributes(events[0]).get('tagList') or ()],
    }


def open_items(events: Sequence[Event], configuration: Mapping[str, Any], now: int) -> tuple[Progress, list[Item]]:
    """What is open after the events: the progress of the whole, and the items."""
    limit = period(configuration['executionStartToCloseTimeout']) or 0
    task_list = configuration['taskList']['name']
    decision = DecisionTask(
        id=events[-1]['eventId'],
        task_list=task_list,
        priority=int(configuration.get('taskPriority') or 0),
        since=now,
        to_start=None,
        to_close=period(configuration['taskStartToCloseTimeout']),
        pollable=True,
        ready=now,
    )
    completed = [_attributes(one) for one in events if one['eventType'] == 'DecisionTaskCompleted']
    contexts = [
        attributes['executionContext'] for attributes in completed if attributes.get('executionContext') is not None
    ]
    progress = Progress(
        due=now + limit,
        task_list=task_list,
        original_list=task_list,
        previous_started=completed[-1]['startedEventId'] if completed else 0,
        context=contexts[-1] if contexts else None,
        latest_activity=next(
            (_moment(one) for one in reversed(events) if one['eventType'].startswith('ActivityTask')), None
        ),
    )
    return progress, [decision, *_timers(events)]


def _timers(events: Sequence[Event]) -> list[Item]:
    found: dict[int, Timer] = {}
    for event in events:
        attributes = _attributes(event)
        if event['eventType'] == 'TimerStarted':
            due = round((event['eventTimestamp'] + int(attributes['startToFireTimeout'])) * MILLISECONDS)
            found[event['eventId']] = Timer(id=event['eventId'], name=attributes['timerId'], due=due)
        elif event['eventType'] in ('TimerFired', 'TimerCanceled'):
            found.pop(attributes['startedEventId'], None)
    return list(found.values())


def _moment(event: Event) -> int:
    seconds: float = event['eventTimestamp']
    return round(seconds * MILLISECONDS)


def _attributes(event: Event) -> Mapping[str, Any]:
    found: Mapping[str, Any] = event[attributes_member(event['eventType'])]
    return found


def begin_forked_run(state: State, row: Mapping[str, Any], events: Sequence[Event], run_id: str, now: int) -> Execution:
    """Open the new run in a service that runs; where it is open already, the call is repeated and changes nothing.

    Args:
        state: The service's memory.
        row: Of the closed run, whose settings the new one has.
        events: The new run's history as :func:`wire_events` gives it; it ends with a ``DecisionTaskScheduled``.
        run_id: Of the new run.
        now: When it begins.

    Raises:
        ServiceError: Another run is open, the domain is deprecated, or it has as many open executions as it can have.
    """
    live_domain(state, {'domain': row['domain']})
    current = state.running_one(row['domain'], row['workflow_id'])
    if current is not None and current.run_id == run_id:
        return current
    if current is not None:
        raise faults.fault('WorkflowExecutionAlreadyStartedFault', 'Already Started')
    if state.population.get(row['domain'], 0) >= state.limits.open_executions:
        raise faults.limit_exceeded(f'A domain can have {state.limits.open_executions} open executions')
    fresh = fresh_row(row, events, key=state.next_key, run_id=run_id, now=now)
    progress, items = open_items(events, row['about']['configuration'], now)
    execution = Execution(**described(fresh), progress=progress)
    state.enter(execution)
    for event in events:
        text = encode(event)
        execution.tail.append(text)
        execution.last_event = event['eventId']
        execution.last_time = max(execution.last_time, _moment(event))
        state.batch.events.append((execution.key << EVENT_BITS | event['eventId'], text))
    state.touch(execution, progress)
    for item in items:
        execution.adopt(item)
        state.offer(execution, item)
    return execution
