"""Rules about SWF's limits, and about settings that hide trouble."""

from __future__ import annotations

import math
from collections.abc import Iterator

from genflow.core.model.retry import Retry
from genflow.insight.finding import Case, Evidence, Found
from genflow.insight.operations import Operation
from genflow.insight.times import DAY, duration

__all__ = [
    'endless_decisions',
    'expires_soon',
    'heartbeat_too_long',
    'large_payload',
    'many_events',
    'many_open',
    'no_start_to_close',
    'old',
    'outlives_execution',
    'retry_outlives_execution',
]

MAX_EVENTS = 25_000
"""SWF ends an execution at so many events."""

MANY_EVENTS = 20_000
MAX_OPEN = 1_000
"""Open activities, timers, children that one execution may have."""

MANY_OPEN = 900
MAX_PAYLOAD = 32_768
LARGE_PAYLOAD = 30_000
MAX_AGE = 365 * DAY
OLD = 335 * DAY
SOON = 0.1
"""The last part of an execution's time in which its time-out is a finding."""


def many_events(case: Case) -> Iterator[Found]:
    """The history is close to SWF's limit of 25,000 events."""
    count = case.view.last_event_id
    if case.view.is_open and count >= MANY_EVENTS:
        yield Found(
            f'It has {count:,} events; SWF terminates it at {MAX_EVENTS:,}.',
            'Restart it before that: `return self.restart(...)`, or `restart_when_suggested`.',
            (Evidence('the last event', count, case.view.updated_at),),
        )


def many_open(case: Case) -> Iterator[Found]:
    """The execution is close to SWF's limit on open work."""
    for kind, plural in (('activity', 'activities'), ('timer', 'timers'), ('child', 'children')):
        count = case.view.open_count(kind)
        if count >= MANY_OPEN and case.view.is_open:
            yield Found(
                f'It has {count:,} open {plural}; SWF allows {MAX_OPEN:,} at a time.',
                'The engine holds back what goes beyond. Call fewer at a time: `self.map(fn, items, limit=100)`.',
            )


def large_payload(case: Case) -> Iterator[Found]:
    """A payload is close to SWF's limit of 32,768 characters."""
    size, event_id = case.view.largest
    if size >= LARGE_PAYLOAD and case.view.is_open:
        yield Found(
            f'The payload of event {event_id} has {size:,} characters; SWF takes {MAX_PAYLOAD:,}.',
            'Pass a reference to the data (a key of S3 or of a database) instead of the data.',
            (Evidence('the largest payload', event_id),),
        )


def old(case: Case) -> Iterator[Found]:
    """The execution is close to SWF's limit of a year."""
    if case.view.is_open and case.view.age(case.now) >= OLD:
        yield Found(
            f'It runs for {duration(case.view.age(case.now))}; SWF ends an execution after a year.',
            'Restart it before that: `return self.restart(...)`.',
            (Evidence('it was started', 1, case.view.started_at),),
        )


def expires_soon(case: Case) -> Iterator[Found]:
    """The time of the execution is nearly over."""
    view = case.view
    if not view.is_open or view.deadline is None or view.limit is None:
        return
    rest = (view.deadline - case.now).total_seconds()
    if rest < view.limit * SOON:
        yield Found(
            f'SWF times it out at {case.clock(view.deadline)}, in {duration(max(0.0, rest))}: its '
            f'{duration(view.limit)} are nearly over.',
            'The time of a running execution cannot be changed. Start the next one with a longer `workflow_duration`.',
            (Evidence('it was started', 1, view.started_at),),
        )


# settings


def heartbeat_too_long(case: Case) -> Iterator[Found]:
    """A heartbeat time-out is at least as long as start-to-close, so it never expires."""
    for operation in _calls(case):
        limits = operation.last.limits
        if limits.heartbeat and limits.start_to_close and limits.heartbeat >= limits.start_to_close:
            yield Found(
                f'{operation.label}: the heartbeat time-out ({duration(limits.heartbeat)}) is not shorter than '
                f'start-to-close ({duration(limits.start_to_close)}), so it never expires.',
                'Make `heartbeat=` a fraction of `start_to_close=`.',
                (Evidence(operation.label, operation.last.scheduled_id),),
            )


def no_start_to_close(case: Case) -> Iterator[Found]:
    """An activity has no start-to-close time-out and no heartbeat."""
    for operation in _calls(case):
        limits = operation.last.limits
        if limits.heartbeat is None and limits.start_to_close is None:
            yield Found(
                f'{operation.label} has neither a start-to-close time-out nor a heartbeat: a worker that dies is '
                'noticed late or never.',
                'Give the type or the proxy `start_to_close=` and `heartbeat=`.',
                (Evidence(operation.label, operation.last.scheduled_id),),
            )


def outlives_execution(case: Case) -> Iterator[Found]:
    """An activity may take longer than the execution may live."""
    limit = case.view.limit
    for operation in _calls(case):
        own = operation.last.limits.schedule_to_close or operation.last.limits.start_to_close
        if limit is not None and own is not None and own > limit:
            yield Found(
                f'{operation.label} may take {duration(own)}, longer than the whole execution ({duration(limit)}).',
                'Give the workflow a longer `workflow_duration`, or the activity less time.',
                (Evidence(operation.label, operation.last.scheduled_id),),
            )


def retry_outlives_execution(case: Case) -> Iterator[Found]:
    """The waits between the attempts of a call add up to more than the execution may live."""
    limit = case.view.limit
    for number, retry in ({} if case.code is None or limit is None else case.code.retries).items():
        operation = case.view.numbered(number)
        if operation is None or not operation.is_open or limit is None:
            continue
        waits = _waits(retry, limit)
        if waits > limit:
            yield Found(
                f'{operation.label} may be tried {_attempts(retry)}, and the waits between add up to more than the '
                f'whole execution ({duration(limit)}): it times out before its retries are used up.',
                'Give the retries a lower `max_attempts` or `max_interval`, or the workflow a longer '
                '`workflow_duration`.',
                (Evidence(operation.label, operation.last.scheduled_id),),
            )


def _attempts(retry: Retry) -> str:
    return 'without end' if retry.max_attempts == math.inf else f'{retry.max_attempts} times'


def _waits(retry: Retry, limit: int) -> float:
    """Seconds of the waits between all attempts, without jitter; counted no further than past a limit."""
    total, wait, attempt = 0.0, retry.initial_interval, 1
    while attempt < retry.max_attempts and total <= limit and wait > 0:
        total += min(wait, retry.max_interval)
        wait = min(wait * retry.backoff, retry.max_interval)
        attempt += 1
    return total


def endless_decisions(case: Case) -> Iterator[Found]:
    """Decisions have no time-out: a decider that dies stops the execution for ever."""
    if case.view.is_open and case.view.started.get('taskStartToCloseTimeout') == 'NONE':
        yield Found(
            'Its decisions have no time-out (NONE): if a decider dies while deciding, the execution waits for ever.',
            'Give the workflow type a `decision_duration`.',
            (Evidence('it was started', 1, case.view.started_at),),
        )


def _calls(case: Case) -> Iterator[Operation]:
    """The open activities, the latest of each name."""
    if not case.view.is_open:
        return
    seen: set[str] = set()
    for operation in case.view.open_operations():
        if operation.kind == 'activity' and operation.name not in seen:
            seen.add(operation.name)
            yield operation
