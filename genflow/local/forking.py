"""A new run of an execution in a file that nobody has open: it begins with events that somebody else chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from genflow.local.engine.archive import execution_columns
from genflow.local.engine.forked_run import fresh_row, open_items, wire_events
from genflow.local.errors import ForeignFile, StoreError
from genflow.local.rules.starting import new_run_id
from genflow.local.state.items import MILLISECONDS
from genflow.local.store import Store

__all__ = ['fork']


def fork(
    path: str, domain: str, workflow_id: str, run_id: str, events: Sequence[Mapping[str, Any]], now: datetime
) -> str:
    """Write a new run of a closed execution, and give its run id.

    A service that runs does the same by :meth:`genflow.local.LocalSWF.fork_run`.

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
        texts = wire_events(events)
        fresh = fresh_row(row, texts, key=store.last_key() + 1, run_id=new_run_id(), now=moment)
        progress, items = open_items(texts, row['about']['configuration'], moment)
        dumped = [[item.id, item.dump()] for item in (progress, *items)]
        store.fold(execution_columns({'execution': fresh, 'events': texts, 'items': dumped}))
        return str(fresh['run_id'])
