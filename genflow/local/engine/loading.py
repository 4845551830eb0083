"""Loads data from the file: the state of a service when it starts, and an open execution when it is needed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from genflow.local.errors import CorruptFile, DamagedRow
from genflow.local.state.domains import Domain, TypeRecord
from genflow.local.state.execution import Execution, Parent, Tail
from genflow.local.state.items import Item, Progress, load_item
from genflow.local.state.state import State
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK
from genflow.local.store import Store
from genflow.local.store.store import LARGEST_KEY

__all__ = ['StoredExecutions', 'described', 'load_state', 'read_item', 'readable', 'readable_items']

LOG = logging.getLogger(__name__)


@contextmanager
def readable(path: str, what: Callable[[], str]) -> Iterator[None]:
    """See that rows say what they must.

    Args:
        path: How the user calls the file.
        what: Says what is read.

    Raises:
        CorruptFile: They do not; names what is damaged, and the file.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration, RecursionError, OverflowError) as error:
        raise DamagedRow(
            f'{path}: {what()} is damaged ({type(error).__name__}: {error}). Everything else can be used, and saved '
            'with `genflow db export`.'
        ) from error


def opened_by(store: Store, ref: int) -> str:
    """An event and what it opened, in words; 0 is the number of what an execution keeps of its own progress."""
    if not ref & EVENT_MASK:
        return f'the progress of {store.name_of(ref >> EVENT_BITS)}'
    return f'event {ref & EVENT_MASK} of {store.name_of(ref >> EVENT_BITS)}, or what it opened,'


def readable_items(store: Store) -> Iterator[tuple[int, dict[str, Any], Item]]:
    """Every open item: ref, row and object. Those that are damaged are logged and left out."""
    for ref, text in store.item_texts():
        try:
            with readable(store.path, partial(opened_by, store, ref)):
                data, item = read_item(text)
            yield ref, data, item
        except CorruptFile as error:
            LOG.warning('%s', error)


def read_item(text: str) -> tuple[dict[str, Any], Item]:
    """The row of an item and the object; what the service relies on is checked."""
    data = json.loads(text)
    item = load_item(data)
    if not isinstance(item.deadline, (int, type(None))):
        raise TypeError(f'{item.deadline!r} found, a moment expected')
    if item.waiting:
        task_list, priority, since = item.waiting
        places: tuple[object, ...] = (task_list, priority, since)
        if [type(place) for place in places] != [str, int, int]:
            raise TypeError(f'{item.waiting!r} found, a place in a task list expected')
    return data, item


class StoredExecutions:
    """The state's way to what it has put away, which it does only with what the file has whole."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def execution(self, key: int) -> Execution:
        """The open execution of that key.

        Raises:
            CorruptFile: It is damaged.
        """
        with readable(self._store.path, partial(self._store.name_of, key)):
            return self._execution(key)

    def _execution(self, key: int) -> Execution:
        row = self._store.execution(key)
        if row is None:
            raise LookupError(f'no row {key}')
        last, text = self._store.last_event(key)
        items = [read_item(text)[1] for _, text in self._store.item_texts(key)]
        progress = next(item for item in items if isinstance(item, Progress))
        latest = self._store.last_activity(key)
        progress.latest_activity = event_moment(latest) if latest else None
        decision = self._store.last_decision(key)
        if decision:
            progress.previous_started = json.loads(decision)['decisionTaskCompletedEventAttributes']['startedEventId']
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
        with readable(self._store.path, partial(opened_by, self._store, key << EVENT_BITS | event_id)):
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
    with readable(store.path, lambda: 'a domain'):
        domains = {row['name']: Domain(**row) for row in store.domains()}
    for domain, kind, name, version, data in store.types():
        with readable(
            store.path, partial('{} type {!r}, version {!r}, of domain {!r}'.format, kind, name, version, domain)
        ):
            domains[domain].types[kind][name, version] = TypeRecord(kind=kind, name=name, version=version, **data)
    return domains


def load_state(state: State, store: Store) -> None:
    """Fill an empty state: the registry, who is open, what waits in which list, what is due when.

    Waiting tasks are put in their lists in the order in which they were scheduled.
    """
    store.replay()
    state.domains = load_registry(store)
    state.answers.load(store.answers())
    state.next_expiry = store.next_expiry()
    state.next_key = store.last_key() + 1
    domain_of = {}
    for key, domain_name, workflow_id in store.open_executions():
        if domain_name not in state.domains or not 0 < key <= LARGEST_KEY:
            where = f'row {key} of the domain {domain_name!r}'
            LOG.warning(
                '%s: %s is damaged and left out: its key and domain are wrong (%s)',
                store.path,
                store.name_of(key),
                where,
            )
            continue
        state.mark_open(key, domain_name, workflow_id)
        domain_of[key] = domain_name
    for ref, data, item in readable_items(store):
        key = ref >> EVENT_BITS
        if key not in domain_of:
            LOG.warning('%s: an item of %s, which is not open, is left out', store.path, store.name_of(key))
            continue
        state.deadlines.set(ref, item.deadline)
        owner = data.get('owner')
        if owner:
            state.owners[ref] = owner
        if item.waiting:
            task_list, priority, since = item.waiting
            state.queue(item.kind, domain_of[key], task_list).add(ref, priority, since)
