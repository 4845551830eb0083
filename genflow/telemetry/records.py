"""One wide record for each execution that closes: ids, times, outcome and effort, on one line of JSON.

The worker whose decision closed the run writes it, once; of a run that a :class:`genflow.Client` terminates, that
client. A run that times out, or whose parent's child policy terminates it, is closed by SWF, and leaves none.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from typing import Any

from attrs import define

from genflow.core.authoring.middleware import ClientCall, Decision, Middleware, WorkflowClose
from genflow.insight.operations import Attempt, Operation
from genflow.insight.view import ExecutionView
from genflow.telemetry.views import closed_view, view_of

__all__ = ['Records', 'record_of']

log = logging.getLogger('genflow.records')


MAX_RUNS = 100_000
"""Open runs whose effort is remembered; beyond that, the effort of the least recently used runs is forgotten."""


@define
class _Effort:
    """The cost of the decisions of a run on one worker."""

    decisions: int = 0
    replays: int = 0
    replayed_events: int = 0
    cpu_seconds: float = 0.0


class Records(Middleware):
    """Writes a record of each execution that closes.

    Args:
        file: A file to which lines are appended, one write for each, so that several processes may share it; the logger
            ``genflow.records`` unless given, at the level ``INFO``.
    """

    def __init__(self, file: str | os.PathLike[str] | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._efforts: OrderedDict[str, _Effort] = OrderedDict()
        if file is not None:
            self._append('')  # a file that cannot be written is an error now, not when something closes

    def decided(self, decision: Decision) -> None:
        view_of(decision)
        effort = self._effort_of(decision.run.info.run_id)
        effort.decisions += 1
        effort.cpu_seconds += decision.cpu_seconds
        if decision.replayed:
            effort.replays += 1
            effort.replayed_events += decision.replayed

    def _effort_of(self, run_id: str) -> _Effort:
        with self._lock:
            found = self._efforts.setdefault(run_id, _Effort())
            self._efforts.move_to_end(run_id)
            if len(self._efforts) > MAX_RUNS:
                self._efforts.popitem(last=False)
            return found

    def workflow_closed(self, close: WorkflowClose) -> None:
        record = record_of(closed_view(close), domain=close.run.info.domain, by=close.decision.worker)
        effort = self._effort_of(close.run.info.run_id)
        with self._lock:
            self._efforts.pop(close.run.info.run_id, None)
        record['here'] = {
            'decisions': effort.decisions,
            'replays': effort.replays,
            'replayed_events': effort.replayed_events,
            'decision_cpu_seconds': round(effort.cpu_seconds, 6),
        }
        self._write(record)

    def client_call(self, call: ClientCall) -> AbstractContextManager[Any]:
        return self._terminating(call)

    @contextmanager
    def _terminating(self, call: ClientCall) -> Iterator[None]:
        yield
        if call.operation == 'terminate':
            try:
                events = call.read_history()
                view = ExecutionView(call.workflow_id, call.run_id).apply_all(events)
                self._write(record_of(view, domain=call.domain, by='client'))
            except Exception:
                logging.getLogger('genflow.client').exception('the record of %s could not be written', call.workflow_id)

    def _write(self, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False)
        if self._file is None:
            log.info('%s', line)
        else:
            self._append(f'{line}\n')

    def _append(self, text: str) -> None:
        data = text.encode('utf-8', 'backslashreplace')
        with self._lock:
            file = os.open(os.fspath(self._file or ''), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(file, data)
            finally:
                os.close(file)


def record_of(view: ExecutionView, *, domain: str | None, by: str | None) -> dict[str, Any]:
    """The record of a closed run, from its history alone. It quotes no payload.

    Args:
        view: The run.
        domain: Its domain.
        by: Who closed it.
    """
    close, now = view.close, view.updated_at or datetime.now(timezone.utc)
    operations = view.visible_operations()
    attempts = [attempt for operation in operations for attempt in operation.attempts]
    queued = [attempt for attempt in attempts if attempt.started_at is not None]
    slowest = max(operations, key=lambda one: _seconds(one, now), default=None)
    failed = min((one for one in attempts if one.has_failed), key=lambda one: one.ended_id, default=None)
    return {
        'record': 1,
        'domain': domain,
        'workflow': view.name,
        'version': view.version,
        'workflow_id': view.workflow_id,
        'run_id': view.run_id,
        'parent': None if view.parent is None else view.parent[0],
        'continued_from': view.continued_from,
        'tags': list(view.tags),
        'task_list': view.task_list,
        'outcome': view.status,
        'reason': _class_of(None if close is None else close.reason),
        'closed_by': by,
        'started_at': _iso(view.started_at),
        'closed_at': _iso(None if close is None else close.at),
        'seconds': round(view.age(now), 3),
        'events': view.last_event_id,
        'payload_characters': sum(map(_payload, view.events)),
        'largest_payload': view.largest[0],
        'decisions': len(view.decisions),
        'decision_wait_seconds': round(
            sum((task.started_at - task.scheduled_at).total_seconds() for task in view.decisions if task.started_at), 3
        ),
        'operations': _counted(operations),
        'attempts': len(attempts),
        'retries': len(attempts) - len(operations),
        'queue_seconds': round(sum(attempt.waited(now) for attempt in queued), 3),
        'longest_queue_seconds': round(max((attempt.waited(now) for attempt in queued), default=0.0), 3),
        'run_seconds': round(sum(attempt.ran(now) for attempt in queued), 3),
        'slowest': None if slowest is None else {'operation': slowest.label, 'seconds': _seconds(slowest, now)},
        'first_failure': None if failed is None else _failure(view, failed),
        'signals': len(view.signals),
    }


def _seconds(operation: Operation, now: datetime) -> float:
    first, last = operation.attempts[0], operation.last
    return round(((last.ended_at or now) - first.scheduled_at).total_seconds(), 3)


def _failure(view: ExecutionView, attempt: Attempt) -> dict[str, Any]:
    operation = view.operation_at(attempt.scheduled_id)
    return {
        'operation': None if operation is None else operation.label,
        'attempt': attempt.number,
        'state': attempt.state,
        'reason': _class_of(attempt.reason),
        'event': attempt.ended_id,
    }


def _counted(operations: list[Operation]) -> dict[str, int]:
    found: dict[str, int] = {}
    for operation in operations:
        found[operation.kind] = found.get(operation.kind, 0) + 1
    return found


def _class_of(reason: str | None) -> str | None:
    """The exception's class: the rest of a reason may quote a payload."""
    return None if reason is None else reason.partition(':')[0][:100]


PAYLOADS = frozenset({'input', 'result', 'details', 'control', 'reason'})


def _payload(event: Mapping[str, Any]) -> int:
    return sum(
        len(text)
        for attributes in event.values()
        if isinstance(attributes, Mapping)
        for name, text in attributes.items()
        if name in PAYLOADS and isinstance(text, str)
    )


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()
