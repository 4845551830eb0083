"""The history that a repaired execution begins with: a copy up to the last trusted decision, and the events after it.

*Theory of operation.* A failure takes effect in the decision that saw it. Everything up to the decision before that one
is trusted and copied unchanged, so that replay finds the same decisions, times and markers. Calls of the copied part
that completed later keep their outcome. Calls that were open or failed get a time-out that does not count as a try, so
that the engine makes their next attempt. Calls that the workflow made after the trusted decision are forgotten. They
may have undone what is trusted, so a plan lists them, and the caller decides.

This module writes nothing: a plan is a list of events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from genflow.core.errors import GenflowError
from genflow.core.model.wire_names import PROCESS_DIED, REPAIR_TAG
from genflow.insight.operations import DecisionTask, Operation
from genflow.insight.view import CHANGES, ExecutionView, attributes_of
from genflow.swf.wire.events import attributes_member

__all__ = ['REPAIRABLE', 'Repair', 'RepairError', 'plan_repair']

REPAIRABLE = frozenset({'failed', 'timed out', 'terminated', 'canceled'})


class RepairError(GenflowError):
    """An execution cannot be repaired; the text says why, and what to do instead."""


@frozen
class Repair:
    """The beginning of the new run.

    Attributes:
        events: Its history, in SWF's shape; the last event schedules a decision task.
        trusted: The last event that is copied unchanged.
        kept: Operations that have completed and keep their outcome.
        anew: Operations that are scheduled again.
        forgotten: Operations that were scheduled after the trusted decision.
    """

    events: tuple[Mapping[str, Any], ...] = field(repr=False)
    trusted: int
    kept: tuple[Operation, ...]
    anew: tuple[Operation, ...]
    forgotten: tuple[Operation, ...]

    @property
    def is_linked(self) -> bool:
        """Whether a tag names the run that it continues; an execution with five tags has no room for it."""
        return any(tag.startswith(REPAIR_TAG) for tag in attributes_of(self.events[0]).get('tagList') or ())


def plan_repair(view: ExecutionView, now: datetime, before: int | None = None) -> Repair:
    """Plans the repair of a closed execution.

    Args:
        view: The execution.
        now: The time at which it continues.
        before: Trust only decisions that completed before this event. Default: those before the failure took
            effect.

    Raises:
        RepairError: The execution is open or has completed, no decision can be trusted, or it waits for something
            that only a decider can schedule again.
    """
    if view.status not in REPAIRABLE:
        way_out = ' `genflow why` shows what it waits for.' if view.status == 'open' else ''
        raise RepairError(
            f'{view.title} is {view.status}: only a failed, timed-out, terminated or canceled execution can be '
            f'repaired.{way_out}'
        )
    trusted = _trusted(view, before)
    if trusted is None:
        raise RepairError(f'no decision of {view.title} can be trusted: start it again with `genflow rerun`')
    last = _last_output(view, trusted)
    concerned = [one for one in view.operations if not one.is_of_engine]
    forgotten = tuple(one for one in concerned if one.id > last)
    begun = [one for one in view.operations if one.id <= last and not _ended_by(one, last)]
    anew = tuple(one for one in begun if one.kind == 'activity' and one.state != 'completed')
    _check(view, begun)
    events = [*_linked(view, last), *_going_on(view, last, anew, now)]
    kept = tuple(one for one in concerned if one.id <= last and one.kind != 'timer' and one.state == 'completed')
    return Repair(tuple(events), last, kept, anew, forgotten)


def _trusted(view: ExecutionView, before: int | None) -> DecisionTask | None:
    """The last decision that is trusted."""
    limit = before if before is not None else _took_effect(view)
    found = [task for task in view.decisions if task.state == 'completed' and task.ended_id < limit]
    return found[-1] if found else None


def _took_effect(view: ExecutionView) -> int:
    """The event that led to the close; past the end if no decision closed the execution.

    A decision that ran when it was recorded did not see it, and cannot be trusted: the copy would have it, too.
    """
    close = view.close
    done = any(task.state == 'completed' for task in view.decisions)
    if close is None or close.status in ('timed out', 'terminated') or not done:
        return view.last_event_id + 1
    return _cause(view)


def _cause(view: ExecutionView) -> int:
    """The event that led to the close: the failure that its reason repeats, or the request to cancel."""
    close = view.close
    if close is not None and close.status == 'canceled' and view.cancel_requested is not None:
        return view.cancel_requested.id
    reason = '' if close is None else close.reason or ''
    failed = [one for one in view.operations if one.has_failed and (one.last.failure.reason or one.name) in reason]
    if failed:
        return failed[0].last.ended_id
    return [task for task in view.decisions if task.state == 'completed'][-1].started_id - 1


def _last_output(view: ExecutionView, task: DecisionTask) -> int:
    """The last event that a decision recorded."""
    last = task.ended_id
    for event in view.events[task.ended_id :]:
        if attributes_of(event).get('decisionTaskCompletedEventId') != task.ended_id:
            break
        last = event['eventId']
    return last


def _ended_by(operation: Operation, last: int) -> bool:
    """Whether the last attempt that is copied had ended by an event."""
    attempts = [one for one in operation.attempts if one.scheduled_id <= last]
    return 0 < attempts[-1].ended_id <= last


def _check(view: ExecutionView, begun: list[Operation]) -> None:
    """Refuses what cannot be asked for anew by a time-out that counts as no try."""
    for operation in begun:
        if operation.kind in ('child', 'lambda') and operation.state != 'completed':
            what = f'{operation.label} ({operation.last.key}) is {operation.state}'
            raise RepairError(
                f'{what}: only its decision can ask for it again. Trust less: --from {operation.id}'
                + (f', or repair {operation.last.key} first' if operation.kind == 'child' else '')
            )


MAX_TAGS = 5
"""Tags of an execution (API reference of StartWorkflowExecution)."""


def _linked(view: ExecutionView, last: int) -> list[Mapping[str, Any]]:
    """The trusted events; the first one says by a tag which run they come from, where there is room for one."""
    tags = [_within(tag, last) for tag in view.tags]
    if view.run_id is not None and len(tags) < MAX_TAGS:
        tags.append(f'{REPAIR_TAG}{view.run_id}@{last}')
    first = view.events[0]
    attributes = dict(attributes_of(first)) | ({'tagList': tags} if tags else {})
    return [_event(1, first['eventTimestamp'], first['eventType'], **attributes), *view.events[1:last]]


def _within(tag: str, last: int) -> str:
    """A tag of an earlier repair speaks of no more events than are trusted now."""
    run, _, event_id = tag.rpartition('@')
    is_ours = tag.startswith(REPAIR_TAG) and event_id.isdecimal() and int(event_id) > last
    return f'{run}@{last}' if is_ours else tag


# the events after the trusted ones


def _going_on(
    view: ExecutionView, last: int, anew: tuple[Operation, ...], now: datetime
) -> Iterator[Mapping[str, Any]]:
    again = {one.id for operation in anew for one in _open_attempts(operation, last)}
    numbers: dict[int, int] = {}
    number = last
    for event in view.events[last:]:
        if _is_kept(view, event, last, again):
            number += 1
            numbers[event['eventId']] = number
            yield _renumbered(event, number, numbers)
    for operation in anew:
        for attempt in _open_attempts(operation, last):
            number += 1
            yield _event(
                number,
                now,
                'ActivityTaskTimedOut',
                scheduledEventId=attempt.id,
                startedEventId=0,
                timeoutType='START_TO_CLOSE',
                details=PROCESS_DIED,
            )
    started = view.started
    yield _event(
        number + 1,
        now,
        'DecisionTaskScheduled',
        taskList=started['taskList'],
        startToCloseTimeout=started.get('taskStartToCloseTimeout', 'NONE'),
    )


@frozen
class _Open:
    """An attempt that was open after the trusted decision."""

    id: int


def _open_attempts(operation: Operation, last: int) -> list[_Open]:
    return [
        _Open(one.scheduled_id)
        for one in operation.attempts
        if one.scheduled_id <= last and not 0 < one.ended_id <= last
    ]


def _is_kept(view: ExecutionView, event: Mapping[str, Any], last: int, again: set[int]) -> bool:
    """Whether an event after the trusted decision is input of the next one: an outcome that stands, or a signal."""
    if event['eventType'] == 'WorkflowExecutionSignaled':
        return True
    if event['eventType'] not in CHANGES or event['eventType'] == 'TimerCanceled':
        return False
    attributes = attributes_of(event)
    names = ('initiatedEventId', 'scheduledEventId', 'startedEventId')
    ref = next((attributes[name] for name in names if attributes.get(name)), 0)
    return 0 < ref <= last and ref not in again


def _renumbered(event: Mapping[str, Any], number: int, numbers: Mapping[int, int]) -> Mapping[str, Any]:
    attributes = dict(attributes_of(event))
    if attributes.get('startedEventId') in numbers:
        attributes['startedEventId'] = numbers[attributes['startedEventId']]
    return _event(number, event['eventTimestamp'], event['eventType'], **attributes)


def _event(number: int, when: Any, event_type: str, **attributes: Any) -> Mapping[str, Any]:
    member = attributes_member(event_type)
    return {'eventId': number, 'eventTimestamp': when, 'eventType': event_type, member: attributes}
