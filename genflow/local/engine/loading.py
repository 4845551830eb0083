"""From the file into memory: what a service knows when it starts, and an open execution when it is asked for."""

from __future__ import annotations

import json
from typing import Any

from genflow.local.state.domains import Domain, TypeRecord
from genflow.local.state.execution import Execution, Parent, Tail
from genflow.local.state.items import Progress, load_item
from genflow.local.state.state import State
from genflow.local.state.transaction import EVENT_BITS
from genflow.local.store import Store


class StoredExecutions:
    """The world's way to what it has put away, which it does only with what the file has whole."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def execution(self, key: int) -> Execution:
        """The open execution of that key."""
        row = self._store.execution(key)
        if row is None:
            raise LookupError(f'execution {key} is not in {self._store.path}')
        last, text = self._store.last_event(key)
        items = [load_item(data) for _, data in self._store.items(key)]
        progress = next(item for item in items if isinstance(item, Progress))
        latest = self._store.last_activity(key)
        progress.latest_activity = event_moment(latest) if latest else None
        execution = Execution(
            **described(row),
            progress=progress,
            last_event=last,
            last_time=event_moment(text),
            tail=Tail(last + 1),
        )
        for item in items:
            execution.adopt(item)
        return execution

    def event(self, key: int, event_id: int) -> str:
        """One event as JSON."""
        return self._store.events(key, event_id, event_id)[0]


def event_moment(text: str) -> int:
    """The milliseconds of an event."""
    seconds: float = json.loads(text)['eventTimestamp']
    return round(seconds * 1000)


def described(row: dict[str, Any]) -> dict[str, Any]:
    """What an execution's row says, as arguments of :class:`Execution`."""
    configuration = row['about']['configuration']
    parent = row['about']['parent']
    return {
        'key': row['key'],
        'domain': row['domain'],
        'workflow_id': row['workflow_id'],
        'run_id': row['run_id'],
        'type_name': row['type_name'],
        'type_version': row['type_version'],
        'task_list': configuration['taskList']['name'],
        'child_policy': configuration['childPolicy'],
        'execution_timeout': configuration['executionStartToCloseTimeout'],
        'task_timeout': configuration['taskStartToCloseTimeout'],
        'priority': configuration.get('taskPriority'),
        'lambda_role': configuration.get('lambdaRole'),
        'tags': tuple(json.loads(tag) for tag in row['tags']),
        'parent': Parent(*parent) if parent else None,
        'started_at': row['started'],
    }


def load_registry(store: Store) -> dict[str, Domain]:
    """All domains with their types."""
    domains = {row['name']: Domain(**row) for row in store.domains()}
    for domain, kind, name, version, data in store.types():
        domains[domain].types[kind][name, version] = TypeRecord(kind=kind, name=name, version=version, **data)
    return domains


def load_state(state: State, store: Store) -> None:
    """Fill an empty world: the registry, who is open, what waits in which list, what is due when.

    Waiting tasks are put in their lists in the order in which they were scheduled.
    """
    store.replay()
    state.domains = load_registry(store)
    state.next_expiry = store.next_expiry()
    state.next_key = store.last_key() + 1
    domain_of = {}
    for key, domain, workflow_id in store.open_executions():
        state.mark_open(key, domain, workflow_id)
        domain_of[key] = domain
    for ref, data in store.items():
        item = load_item(data)
        state.deadlines.set(ref, item.deadline)
        if item.waiting:
            task_list, priority, since = item.waiting
            state.queue(item.kind, domain_of[ref >> EVENT_BITS], task_list).add(ref, priority, since)
