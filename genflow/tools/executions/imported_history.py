"""A closed execution of another service as text that the embedded service imports, so that it can be repaired here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from genflow.core.errors import HistoryError
from genflow.insight import ExecutionView, utc
from genflow.local.engine.archive import HEADING
from genflow.testing.histories.exports import Loaded

__all__ = ['export_lines']

RETENTION_DAYS = 30

CONFIGURATION = (
    'taskStartToCloseTimeout',
    'executionStartToCloseTimeout',
    'taskList',
    'childPolicy',
    'taskPriority',
    'lambdaRole',
)
"""The attributes of event 1 that are settings of the execution."""

OPEN_COUNTS = (
    'openActivityTasks',
    'openDecisionTasks',
    'openTimers',
    'openChildWorkflowExecutions',
    'openLambdaFunctions',
)


def export_lines(loaded: Loaded, domain: str, workflow_id: str, run_id: str, now: datetime) -> Iterator[str]:
    """The lines of an export that holds one execution, as ``genflow db import`` reads them.

    The domain is registered in it; types are not: a worker registers those of its code.

    Args:
        loaded: Its history.
        domain: The domain to put it into.
        workflow_id: Of the execution.
        run_id: Of its run.
        now: The present, from which its retention counts.

    Raises:
        HistoryError: The execution is open; two services would make its decisions.
    """
    events = [{**event, 'eventTimestamp': utc(event['eventTimestamp']).timestamp()} for event in loaded.events]
    view = ExecutionView(workflow_id, run_id).apply_all(events)
    close = view.close
    if close is None:
        raise HistoryError(
            f'{loaded.name} is the history of an open execution, and two services would then make its decisions. '
            'Terminate the '
            'execution where it is, save its history again, and import that.'
        )
    yield _line(HEADING)
    kept: dict[str, Any] = {
        'name': domain,
        'status': 'REGISTERED',
        'description': None,
        'retention': str(RETENTION_DAYS),
        'tags': {},
    }
    yield _line({'domain': kept})
    row = {
        'key': 1,
        'domain': domain,
        'workflow_id': workflow_id,
        'run_id': run_id,
        'type_name': view.name,
        'type_version': view.version,
        'started': _milliseconds(utc(events[0]['eventTimestamp'])),
        'closed': _milliseconds(close.at),
        'status': close.status.upper().replace(' ', '_'),
        'expires': _milliseconds(now + timedelta(days=RETENTION_DAYS)),
        'cancel_requested': int(view.cancel_requested is not None),
        'tags': [json.dumps(tag) for tag in view.tags],
        'about': {
            'configuration': {name: view.started[name] for name in CONFIGURATION if view.started.get(name)},
            'parent': None,  # it is not in this file
        },
        'outcome': {'openCounts': dict.fromkeys(OPEN_COUNTS, 0)},
    }
    yield _line({'execution': row, 'events': events, 'items': []})


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _milliseconds(when: datetime) -> int:
    return round(when.timestamp() * 1000)
