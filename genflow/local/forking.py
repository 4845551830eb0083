"""A new run of an execution in a file that nobody has open: it begins with events that somebody else chose.

The open items of the new run are made from its events: the timers that have neither fired nor been canceled, and the
decision task with which the events end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from genflow.local.engine.archive import execution_columns
from genflow.local.errors import ForeignFile, StoreError
from genflow.local.json_text import encode
from genflow.local.rules.recording import attributes_member
from genflow.local.rules.starting import new_run_id
from genflow.local.state.items import MILLISECONDS, DecisionTask, Item, Progress, Timer, period
from genflow.local.store import Store

__all__ = ['fork']

Event = Mapping[str, Any]


def fork(path: str, domain: str, workflow_id: str, run_id: str, events: Sequence[Event], now: datetime) -> str:
    """Write a new run of a closed execution, and give its run id.

    Args:
        path: the file.
        domain: of the execution.
        workflow_id: of the execution, and of the new run.
        run_id: the closed run whose settings the new one has.
        events: the new run's history; the last event is a ``DecisionTaskScheduled``.
        now: when it begins; its whole time is before it.

    Raises:
        StoreError: the file does not exist or is in use, the run is not in it, or another run is open.
    """
    if not Path(path).exists():
        raise ForeignFile(f'{path} does not exist.')
    with closing(Store(path)) as store:
        store.replay()
        row = store.run(domain, workflow_id, run_id)
        if row is None:
            raise StoreError(f'{path} has no run {run_id} of {workflow_id!r} in the domain {domain!r}.')
        if any((domain, workflow_id) == found[1:] for found in store.open_executions()):
            raise StoreError(f'{path} has an open run of {workflow_id!r}: a workflow id has one open run at a time.')
        moment = round(now.timestamp() * MILLISECONDS)
        fresh = {
            **row,
            'key': store.last_key() + 1,
            'run_id': new_run_id(),
            'started': moment,
            'closed': None,
            'status': None,
            'expires': None,
            'cancel_requested': 0,
            'outcome': None,
            'tags': [encode(tag) for tag in _said(events[0]).get('tagList') or ()],
        }
        texts = [json.loads(json.dumps(event, default=datetime.timestamp)) for event in events]
        items = [[item.id, item.dump()] for item in _items(texts, row['about']['configuration'], moment)]
        store.fold(execution_columns({'execution': fresh, 'events': texts, 'items': items}))
        return str(fresh['run_id'])


def _items(events: Sequence[Event], configuration: Mapping[str, Any], now: int) -> list[Item]:
    """What is open after the events."""
    limit = period(configuration['executionStartToCloseTimeout']) or 0
    task_list = configuration['taskList']['name']
    last = events[-1]
    decision = DecisionTask(
        id=last['eventId'],
        task_list=task_list,
        priority=int(configuration.get('taskPriority') or 0),
        since=now,
        to_start=None,
        to_close=period(configuration['taskStartToCloseTimeout']),
        pollable=True,
        ready=now,
    )
    answered = [_said(one)['startedEventId'] for one in events if one['eventType'] == 'DecisionTaskCompleted']
    contexts = [_said(one).get('executionContext') for one in events if one['eventType'] == 'DecisionTaskCompleted']
    context = next((one for one in reversed(contexts) if one is not None), None)
    progress = Progress(
        due=now + limit,
        task_list=task_list,
        original_list=task_list,
        previous_started=answered[-1] if answered else 0,
        context=context,
    )
    return [progress, decision, *_timers(events)]


def _timers(events: Sequence[Event]) -> list[Item]:
    found: dict[int, Timer] = {}
    for event in events:
        said = _said(event)
        if event['eventType'] == 'TimerStarted':
            due = round((event['eventTimestamp'] + int(said['startToFireTimeout'])) * MILLISECONDS)
            found[event['eventId']] = Timer(id=event['eventId'], name=said['timerId'], due=due)
        elif event['eventType'] in ('TimerFired', 'TimerCanceled'):
            found.pop(said['startedEventId'], None)
    return list(found.values())


def _said(event: Event) -> Mapping[str, Any]:
    found: Mapping[str, Any] = event[attributes_member(event['eventType'])]
    return found
