"""Rules about activities: not taken, lost, retried, without limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from genflow.insight.finding import Case, Evidence, Found, remedy
from genflow.insight.operations import Attempt, Limits, Operation
from genflow.insight.rules.decisions import polled, polled_lists, similar, taken_since, times
from genflow.insight.times import duration

__all__ = [
    'activity_in_line',
    'activity_list_misspelt',
    'activity_not_polled',
    'activity_type_missing',
    'cancel_unanswered',
    'endless_activity',
    'heartbeat_overdue',
    'heartbeats_lost',
    'retry_too_late',
    'retrying',
    'running_long',
    'worker_silent',
]

ACTIVITY_WAIT = 30
"""Seconds after which an activity task without a worker is a finding."""

SILENT = 300
"""Seconds after which a started activity without heartbeats is a finding."""

LATE = 0.5
"""The fraction of its time-out after which such an activity counts as lost with its worker."""


def activities(case: Case, state: str) -> Iterator[tuple[Operation, Attempt]]:
    """The activities in a state, in history order."""
    for operation in case.view.open_operations():
        if operation.kind == 'activity' and operation.state == state:
            yield operation, operation.last


def running(case: Case) -> Iterator[tuple[Operation, Attempt, datetime]]:
    """The activities that a worker has, and since when."""
    for operation, attempt in activities(case, 'started'):
        if attempt.started_at is not None:
            yield operation, attempt, attempt.started_at


def _shown(operation: Operation, attempt: Attempt) -> tuple[Evidence, ...]:
    found = [Evidence(f'{operation.label} was scheduled', attempt.scheduled_id, attempt.scheduled_at)]
    if attempt.started_at is not None:
        worker = f' by {attempt.worker}' if attempt.worker else ''
        found.append(Evidence(f'it was started{worker}', attempt.started_id, attempt.started_at))
    return tuple(found)


def _failures(operation: Operation) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(f'attempt {attempt.number} {attempt.failed_because()}', attempt.ended_id, attempt.ended_at)
        for attempt in operation.attempts
        if attempt.has_failed
    )


def _waiting(case: Case) -> Iterator[tuple[Operation, Attempt, str, float]]:
    """The activities that no worker has taken for a while, or whose last attempt no worker took."""
    for operation, attempt in activities(case, 'scheduled'):
        waited = case.since(attempt.scheduled_at)
        if waited >= ACTIVITY_WAIT or _was_untaken(operation):
            yield operation, attempt, attempt.task_list or '', waited


def _was_untaken(operation: Operation) -> bool:
    before = operation.attempts[-2:-1]
    return bool(before) and before[0].reason == 'SCHEDULE_TO_START'


def _ordinal(number: int) -> str:
    ending = {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') if number % 100 // 10 != 1 else 'th'
    return f'{number}{ending}'


def activity_list_misspelt(case: Case) -> Iterator[Found]:
    """An activity waits on a list while a list of nearly the same name is polled."""
    for operation, attempt, task_list, waited in _waiting(case):
        other = similar(task_list, polled_lists(case, 'activity'))
        if other is not None and not polled(case, 'activity', task_list):
            yield Found(
                f'{operation.label} has waited for {duration(waited)} on the activity task list {task_list!r}, '
                f'which no worker polls; workers poll {other!r}, which is nearly the same name.',
                remedy(
                    'Start a worker for this list; then correct the name in the decorator or the proxy:',
                    case.worker(task_list),
                ),
                _shown(operation, attempt),
            )


def activity_type_missing(case: Case) -> Iterator[Found]:
    """An activity waits, and its type is deprecated or gone, so that no worker may know it."""
    for operation, attempt, task_list, waited in _waiting(case):
        state = case.facts.types.get(('activity', operation.name, operation.version or ''))
        if state in ('MISSING', 'DEPRECATED'):
            yield Found(
                f'{operation.label} has waited for {duration(waited)}, and its type {operation.name} '
                f'{operation.version} is {"deprecated" if state == "DEPRECATED" else "not registered"}: workers that '
                'know it may be gone.',
                remedy(
                    'Run a worker whose code still has this type, until no execution needs it:',
                    case.worker(task_list),
                ),
                _shown(operation, attempt),
            )


def activity_not_polled(case: Case) -> Iterator[Found]:
    """No worker takes an activity task."""
    known = {evidence.event_id for found in activity_list_misspelt(case) for evidence in found.evidence}
    for operation, attempt, task_list, waited in _waiting(case):
        if attempt.scheduled_id in known or taken_since(case, 'activity', task_list, attempt.scheduled_at):
            continue
        pending = case.facts.pending.get(('activity', task_list))
        count = f' (waiting there: {pending})' if pending else ''
        untaken = [one for one in operation.attempts if one.reason == 'SCHEDULE_TO_START']
        before = f' for the {_ordinal(attempt.number)} time' if untaken else ''
        yield Found(
            f'{operation.label} has waited{before} for {duration(waited)}: no worker takes activity tasks from the '
            f'list {task_list!r}{count}.',
            remedy('Start a worker for it:', case.worker(task_list)),
            _shown(operation, attempt),
        )


def activity_in_line(case: Case) -> Iterator[Found]:
    """The workers take tasks of the list, but are busy."""
    for operation, attempt, task_list, waited in _waiting(case):
        if taken_since(case, 'activity', task_list, attempt.scheduled_at):
            pending = case.facts.pending.get(('activity', task_list), 1)
            yield Found(
                f'{operation.label} has waited in line for {duration(waited)} on {task_list!r} with {pending} tasks: '
                'the workers are busy.',
                remedy(
                    'Start more workers on this list, or give them more slots (`--activities`):', case.worker(task_list)
                ),
                _shown(operation, attempt),
            )
            return


def heartbeats_lost(case: Case) -> Iterator[Found]:
    """An activity is tried again because its worker stopped sending heartbeats."""
    for operation in case.view.open_operations():
        lost = [one for one in operation.attempts if one.state == 'timed out' and one.reason == 'HEARTBEAT']
        if operation.kind == 'activity' and lost:
            worker = f' ({lost[-1].worker})' if lost[-1].worker else ''
            yield Found(
                f'{operation.label} lost its heartbeat {times(len(lost))}{worker}: the worker was killed, or the '
                f'activity did not call heartbeat() for {duration(lost[-1].limits.heartbeat or 0)}; '
                f'{_now(case, operation)}.',
                'Check whether the worker was killed (for lack of memory, for example); otherwise call '
                '`self.heartbeat()` more often, or raise '
                '`heartbeat=`.',
                _failures(operation),
            )


def _now(case: Case, operation: Operation) -> str:
    """Describes the current state of an operation that was tried before."""
    if operation.pause is not None:
        fires = next(operation.pause.deadlines())
        return f'attempt {operation.last.number + 1} begins at {case.clock(fires.at)}'
    attempt = operation.last
    return f'attempt {attempt.number} is {attempt.state}'


def retry_too_late(case: Case) -> Iterator[Found]:
    """The execution times out before the next attempt begins."""
    deadline = case.view.deadline
    for operation in case.view.open_operations():
        if operation.pause is None or deadline is None:
            continue
        fires = next(operation.pause.deadlines()).at
        if fires >= deadline:
            yield Found(
                f'The execution times out at {case.clock(deadline)}, before {operation.label} is tried again at '
                f'{case.clock(fires)}.',
                'Give the workflow a longer `workflow_duration`, or its retries a shorter `max_interval`.',
                _failures(operation),
            )


def retrying(case: Case) -> Iterator[Found]:
    """An activity, child or Lambda function failed and is tried again."""
    for operation in case.view.open_operations():
        failed = [one for one in operation.attempts if one.has_failed]
        if failed and not any(one.reason == 'HEARTBEAT' for one in failed):
            last = failed[-1]
            yield Found(
                f'{operation.label} failed {times(len(failed))}, and {_now(case, operation)}; the last failure: '
                f'{last.failure.reason or last.state}.',
                'Fix the failure; the next attempt runs the new code as soon as the worker has it.',
                _failures(operation),
            )


def worker_silent(case: Case) -> Iterator[Found]:
    """An activity was started by a worker that has not been heard of since."""
    for operation, attempt, started in _silent(case):
        if case.since(started) < LATE * _longest(case, attempt):
            continue
        yield Found(
            f'{operation.label} was started {case.ago(started)} by {attempt.worker or "a worker"}, which has not been '
            f'heard of since; it sends no heartbeats, so its death would be noticed only {_end(case, attempt)}.',
            'Check whether that worker is running. Give the activity a heartbeat (`heartbeat=30`, and call '
            '`self.heartbeat()`).',
            _shown(operation, attempt),
        )


def running_long(case: Case) -> Iterator[Found]:
    """An activity runs for a while without heartbeats, as it may."""
    for operation, attempt, started in _silent(case):
        if case.since(started) < LATE * _longest(case, attempt):
            yield Found(
                f'{operation.label} has run for {duration(case.since(started))}, within its limits; it sends no '
                f'heartbeats, so the death of {attempt.worker or "its worker"} would be noticed only '
                f'{_end(case, attempt)}.',
                'Give the activity a heartbeat (`heartbeat=30`, and call `self.heartbeat()`).',
                _shown(operation, attempt),
            )


def _silent(case: Case) -> Iterator[tuple[Operation, Attempt, datetime]]:
    """Activities that send no heartbeats, of workers that took nothing else since."""
    for operation, attempt, started in running(case):
        limits = attempt.limits
        if limits == Limits() or limits.heartbeat is not None or attempt.cancel_id or case.since(started) < SILENT:
            continue
        if not _seen_since(case, attempt):
            yield operation, attempt, started


def _longest(case: Case, attempt: Attempt) -> float:
    """Seconds that an attempt may take."""
    return attempt.limits.start_to_close or attempt.limits.schedule_to_close or case.view.limit or 0


def _end(case: Case, attempt: Attempt) -> str:
    """The latest end of an attempt without heartbeats, in words."""
    limits, started = attempt.limits, attempt.started_at or attempt.scheduled_at
    if limits.start_to_close is not None:
        return f'at {case.clock(_after(started, limits.start_to_close))}, when its start-to-close time-out expires'
    if limits.schedule_to_close is not None:
        until = _after(attempt.scheduled_at, limits.schedule_to_close)
        return f'at {case.clock(until)}, when its schedule-to-close time-out expires'
    return 'when the execution times out'


def _after(when: datetime, seconds: int) -> datetime:
    return when + timedelta(seconds=seconds)


def _seen_since(case: Case, attempt: Attempt) -> bool:
    """Whether the worker of an attempt took another task after it."""
    return any(
        poller.identity == attempt.worker and attempt.started_at is not None and poller.at > attempt.started_at
        for pollers in case.facts.pollers.values()
        for poller in pollers
    )


def heartbeat_overdue(case: Case) -> Iterator[Found]:
    """The heartbeat time-out of an activity was due, and the history does not show it."""
    for operation, attempt, started in running(case):
        beat = attempt.limits.heartbeat
        if case.facts.live or beat is None or case.since(started) <= beat:
            continue
        yield Found(
            f'{operation.label} was started {case.ago(started)} by {attempt.worker or "a worker"}, and its heartbeat '
            f'of {duration(beat)} is overdue, unless it was sent: histories do not record heartbeats.',
            remedy(
                'Look at the log of that worker, or ask the service itself:',
                case.command('why', case.view.workflow_id or 'ID'),
            ),
            _shown(operation, attempt),
        )


def endless_activity(case: Case) -> Iterator[Found]:
    """An activity runs without any time-out: if its worker dies, nothing ends it."""
    for operation, attempt, started in running(case):
        limits = attempt.limits
        if limits.heartbeat is None and limits.start_to_close is None and limits.schedule_to_close is None:
            yield Found(
                f'{operation.label} runs since {case.clock(started)} without any time-out (all NONE): if its worker '
                'dies, the execution waits for ever.',
                remedy(
                    'Give the type or the proxy `start_to_close=` and `heartbeat=`. To free this execution:',
                    case.on_this('cancel'),
                ),
                _shown(operation, attempt),
            )


def cancel_unanswered(case: Case) -> Iterator[Found]:
    """An activity was asked to cancel and has not answered."""
    for operation, attempt in activities(case, 'started'):
        if attempt.cancel_at is not None:
            yield Found(
                f'{operation.label} was asked to cancel {case.ago(attempt.cancel_at)}, and '
                f'{attempt.worker or "its worker"} has not answered: an activity learns of it at its next heartbeat.',
                remedy(
                    'Call `self.heartbeat()` in the activity and stop when it says so. To end the execution without '
                    'waiting for it:',
                    case.on_this('terminate'),
                ),
                (
                    *_shown(operation, attempt),
                    Evidence('its cancellation was asked for', attempt.cancel_id, attempt.cancel_at),
                ),
            )
