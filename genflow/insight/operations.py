"""The operations of an execution and their attempts: the parts of an :class:`~genflow.insight.ExecutionView`.

An *operation* is one call: an activity, child, timer, Lambda function, signal or cancel request. Each time that the
workflow asks SWF for it is an *attempt*. genflow's deciders write the numbers of call and attempt into the id, so that
the attempts of a call are found. Of other deciders, each attempt counts as an operation.

These objects change while events are applied. Readers must not change them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field, frozen

from genflow.core.payloads.failures import RemoteFailure, decode_failure
from genflow.insight.times import seconds_of

__all__ = [
    'Attempt',
    'CancelRequest',
    'Close',
    'Deadline',
    'DecisionTask',
    'Limits',
    'Marker',
    'Operation',
    'Refusal',
    'SignalReceived',
]

PASSIVE = {state: f'was {state}' for state in ('canceled', 'terminated', 'refused')}
"""States that need the passive voice in a sentence."""

FAILED_STATES = frozenset({'failed', 'timed out', 'terminated', 'refused'})


@frozen
class Limits:
    """The time-outs of an attempt in seconds; ``None`` for no time-out."""

    schedule_to_start: int | None = None
    start_to_close: int | None = None
    schedule_to_close: int | None = None
    heartbeat: int | None = None


@frozen
class Deadline:
    """A moment at which SWF does something by itself.

    Attributes:
        at: When, in UTC.
        kind: ``schedule-to-start``, ``start-to-close``, ``schedule-to-close``, ``heartbeat`` (of an activity, child
            or Lambda function), ``fires`` (of a timer), ``attempt`` (the next one begins), ``decision`` or
            ``execution``.
        operation: The operation that it belongs to; ``None`` for the decision task and the execution.
        is_certain: Whether it strikes unless the operation ends first. False for heartbeats: each one moves the
            deadline, and histories do not record them.
    """

    at: datetime
    kind: str
    operation: Operation | None = None
    is_certain: bool = True


@define(eq=False)
class Attempt:
    """One attempt at an operation.

    Attributes:
        number: Counts from 1.
        key: SWF's id: the activity id, the child's workflow id, the timer id and so on.
        scheduled_id: The event that scheduled it.
        scheduled_at: The time of that event, in UTC.
        attributes: The attributes of that event, in SWF's form.
        decision_id: The ``DecisionTaskCompleted`` event of the decision that scheduled it.
        started_id: The event that started it; 0 before that.
        worker: The identity of the worker that took it.
        ended_id: The event that ended it; 0 before that.
        state: ``scheduled``, ``started``, ``completed``, ``failed``, ``timed out``, ``canceled``, ``terminated``,
            ``fired``, ``delivered`` or ``refused``.
        reason: The reason of a failure, the type of a time-out, or the cause of a refusal.
        details: The recorded details.
        result: The recorded result.
        cancel_id: The event that requested its cancellation; 0 if there is none.
        run_id: Of a child that has started.
    """

    number: int
    key: str
    scheduled_id: int
    scheduled_at: datetime
    attributes: Mapping[str, Any]
    decision_id: int = 0
    started_id: int = 0
    started_at: datetime | None = None
    worker: str | None = None
    ended_id: int = 0
    ended_at: datetime | None = None
    state: str = 'scheduled'
    reason: str | None = None
    details: str | None = None
    result: str | None = None
    cancel_id: int = 0
    cancel_at: datetime | None = None
    run_id: str | None = None

    @property
    def is_open(self) -> bool:
        return not self.ended_id

    @property
    def has_failed(self) -> bool:
        return self.state in FAILED_STATES

    @property
    def task_list(self) -> str | None:
        found: str | None = (self.attributes.get('taskList') or {}).get('name')
        return found

    @property
    def limits(self) -> Limits:
        get = self.attributes.get
        return Limits(
            seconds_of(get('scheduleToStartTimeout')),
            seconds_of(get('startToCloseTimeout') or get('executionStartToCloseTimeout')),
            seconds_of(get('scheduleToCloseTimeout')),
            seconds_of(get('heartbeatTimeout')),
        )

    @property
    def failure(self) -> RemoteFailure:
        """The recorded failure, with the remote traceback if genflow wrote one."""
        return decode_failure(self.reason, self.details)

    def waited(self, now: datetime) -> float:
        """Seconds from being scheduled until it was started (or ended, or ``now``)."""
        return ((self.started_at or self.ended_at or now) - self.scheduled_at).total_seconds()

    def ran(self, now: datetime) -> float:
        """Seconds from being started until it ended (or ``now``); 0 if it was never started."""
        return 0.0 if self.started_at is None else ((self.ended_at or now) - self.started_at).total_seconds()

    def failed_because(self) -> str:
        """Describes the failure on one line."""
        words = [PASSIVE.get(self.state, self.state), self.failure.reason or '']
        if self.state == 'timed out' and self.reason:
            words[1] = f'({self.reason.replace("_", "-").lower()})'
        return ' '.join(filter(None, words)) if self.state == 'timed out' else ': '.join(filter(None, words))


@define(eq=False)
class Operation:
    """One call of the workflow.

    Attributes:
        kind: ``activity``, ``child``, ``timer``, ``lambda``, ``signal`` or ``cancel``.
        name: The type's name, the function's, the signal's; of a timer its seconds.
        version: Of a type.
        number: The number of the call where a genflow decider made it.
        purpose: Of a timer: ``sleep`` (the workflow's own), ``retry`` (the wait before an attempt), ``wake`` or
            ``back-off`` (the engine's). Empty for everything else.
        attempts: Oldest first, at least one.
        pause: The timer that the next attempt waits for, while it runs.
    """

    kind: str
    name: str
    version: str | None
    number: int | None
    attempts: list[Attempt] = field(factory=list)
    purpose: str = ''
    pause: Operation | None = None

    @property
    def last(self) -> Attempt:
        """The latest attempt."""
        return self.attempts[-1]

    @property
    def id(self) -> int:
        """The event that first asked for it: the operation's identity within its history."""
        return self.attempts[0].scheduled_id

    @property
    def last_event_id(self) -> int:
        """The last event that changed it."""
        last = self.last
        return max(last.ended_id, last.started_id, last.scheduled_id, last.cancel_id)

    @property
    def state(self) -> str:
        """The state of the latest attempt, or ``retrying`` while the next one waits for its time."""
        return 'retrying' if self.pause is not None else self.last.state

    @property
    def is_open(self) -> bool:
        """Whether it has not ended: an attempt is open, or the next one waits for its time."""
        return self.pause is not None or self.last.is_open

    @property
    def has_failed(self) -> bool:
        return not self.is_open and self.last.has_failed

    @property
    def is_of_engine(self) -> bool:
        """Whether genflow's engine asked for it, and not the workflow's code."""
        return self.purpose in ('retry', 'wake', 'back-off')

    @property
    def label(self) -> str:
        """A short description: ``activity 3 Ship``, ``timer 5 (90 s)``."""
        number = '' if self.number is None else f' {self.number}'
        return f'{self.kind}{number} ({self.name})' if self.kind == 'timer' else f'{self.kind}{number} {self.name}'

    def deadlines(self) -> Iterator[Deadline]:
        """The deadlines of the operation, in no order."""
        if self.pause is not None:
            for deadline in self.pause.deadlines():
                yield Deadline(deadline.at, 'attempt', self)
        elif self.last.is_open:
            yield from _deadlines(self, self.last)


def _deadlines(operation: Operation, attempt: Attempt) -> Iterator[Deadline]:
    if operation.kind == 'timer':
        fires = attempt.scheduled_at + timedelta(seconds=int(attempt.attributes['startToFireTimeout']))
        yield Deadline(fires, 'fires', operation)
        return
    limits, started = attempt.limits, attempt.started_at
    if limits.schedule_to_close is not None:
        yield Deadline(
            attempt.scheduled_at + timedelta(seconds=limits.schedule_to_close), 'schedule-to-close', operation
        )
    if started is None:
        if limits.schedule_to_start is not None:
            until = attempt.scheduled_at + timedelta(seconds=limits.schedule_to_start)
            yield Deadline(until, 'schedule-to-start', operation)
        return
    if limits.start_to_close is not None:
        yield Deadline(started + timedelta(seconds=limits.start_to_close), 'start-to-close', operation)
    if limits.heartbeat is not None:
        yield Deadline(started + timedelta(seconds=limits.heartbeat), 'heartbeat', operation, is_certain=False)


@define(eq=False)
class DecisionTask:
    """One decision task.

    Attributes:
        limit: Seconds from being started; ``None`` for no limit.
        start_limit: Seconds that it waits on a sticky list before SWF puts it on the ordinary one; ``None`` elsewhere.
        state: ``scheduled``, ``started``, ``completed`` or ``timed out``.
        timeout_type: ``START_TO_CLOSE``, or ``SCHEDULE_TO_START`` of a sticky list.
    """

    scheduled_id: int
    scheduled_at: datetime
    task_list: str | None
    limit: int | None
    start_limit: int | None = None
    started_id: int = 0
    started_at: datetime | None = None
    worker: str | None = None
    ended_id: int = 0
    ended_at: datetime | None = None
    state: str = 'scheduled'
    timeout_type: str | None = None

    @property
    def is_open(self) -> bool:
        return not self.ended_id


@frozen
class SignalReceived:
    """A signal that came in; ``sender`` is the workflow id of the execution that sent it, if one did."""

    id: int
    at: datetime
    name: str
    input: str | None
    sender: str | None = None


@frozen
class CancelRequest:
    """Somebody asked to cancel the execution; ``cause`` is ``CHILD_POLICY_APPLIED`` or ``None``."""

    id: int
    at: datetime
    cause: str | None = None
    sender: str | None = None


@frozen
class Marker:
    """A recorded marker.

    Attributes:
        meaning: ``side effect``, ``patch``, ``random seed``, ``origin``, ``retry log``, ``backlog``, ``carry-over``,
            ``restart`` (the engine's), or ``marker`` for one that genflow did not write.
        value: What it says, where that is JSON; else the recorded text.
    """

    id: int
    at: datetime
    name: str
    meaning: str
    details: str | None

    @property
    def is_of_engine(self) -> bool:
        """Whether it concerns the engine alone."""
        return self.meaning not in ('marker', 'side effect', 'patch')


@frozen
class Refusal:
    """A decision that SWF refused.

    Attributes:
        event_type: Such as ``ScheduleActivityTaskFailed``.
        what: A description of the refused call: ``activity Ship v1``.
        cause: SWF's cause.
    """

    id: int
    at: datetime
    event_type: str
    what: str
    cause: str
    attributes: Mapping[str, Any]


@frozen
class Close:
    """How the execution ended.

    Attributes:
        status: ``completed``, ``failed``, ``canceled``, ``continued as new``, ``terminated`` or ``timed out``.
        reason: Of a failure or termination; the cause where SWF ended it.
        result: Of a completion.
        new_run_id: Of a restart.
    """

    id: int
    at: datetime
    status: str
    reason: str | None = None
    details: str | None = None
    result: str | None = None
    new_run_id: str | None = None
    cause: str | None = None
    child_policy: str | None = None

    @property
    def failure(self) -> RemoteFailure:
        return decode_failure(self.reason, self.details)
