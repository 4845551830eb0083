"""Holds what a decision recorded against what the code asks for.

Both are sequences in the same order: the history's output events and the outbox. Each event takes the entry at the
head of the outbox; where they do not agree, or one side has more, the code is not the one that made this history.
Markers are compared as a sequence of their own, since they go ahead of everything else. Engine timers are recognised
by their ids and compared with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genflow.core.calls.activity import ActivityCall
from genflow.core.engine.closing import HOW
from genflow.core.engine.mismatch import mismatch
from genflow.core.engine.outbox import Entry
from genflow.core.engine.retries import attempt_ids_of
from genflow.core.engine.updates import Reply
from genflow.core.errors import HistoryError
from genflow.core.model import decisions, events
from genflow.core.model.wire_names import (
    BACKLOG_MARKER,
    CARRYOVER_MARKER,
    PATCH_MARKER,
    REPLY_MARKER,
    WAKE_TIMER_PREFIX,
)
from genflow.core.payloads.hooks import decode

if TYPE_CHECKING:
    from genflow.core.engine.execution import Execution

__all__ = [
    'NOT_PERMITTED',
    'match',
    'refused_engine',
    'same_payload',
]

NOT_PERMITTED = 'OPERATION_NOT_PERMITTED'


def match(execution: Execution, output: Sequence[Any]) -> None:  # noqa: C901, PLR0912 - the hot loop
    """Takes what the history shows as sent out of the outbox.

    Raises:
        NondeterminismError: History and code do not agree.
        HistoryError: SWF refused what the engine itself needs.
    """
    outbox = execution.outbox
    entries = outbox.entries
    cut = closed = False
    markers: list[events.MarkerRecorded] = []
    for event in output:
        kind = type(event)
        if (
            kind is events.ActivityScheduled
            and entries
            and type(first := entries[0]) is ActivityCall
            and first.takes(event)
        ):
            execution.recent.append((event, entries.popleft()))
            continue
        if kind is events.MarkerRecorded:
            if not _says_what_waits(execution, event):
                markers.append(event)
        elif kind is events.Closed or kind is events.CloseRefused:
            _match_close(execution, event)
            closed = True
        elif kind is events.TimerStarted and event.timer_id.startswith(WAKE_TIMER_PREFIX):
            execution.refs[event.id] = execution.ignored
            cut = True
        elif kind is events.Refused and (event.kind == 'marker' or event.key.startswith(WAKE_TIMER_PREFIX)):
            if event.cause == NOT_PERMITTED:
                raise refused_engine(event)
            cut = True
        else:
            entry = outbox.head()
            if entry is None or not entry.matches(event):
                raise mismatch(execution, event, entry)
            entries.popleft()
            recorded = entry.recorded_input(event)
            if recorded != entry.input:
                _compare_input(execution, event, entry, recorded)
            entry.recorded(event)
            execution.recent.append((event, entry))
            if kind is events.Refused:
                execution.refusals.append((entry, event))
    if markers or execution.markers.made:
        _match_markers(execution, markers)
    _match_rest(execution, cut=cut, closed=closed)


def _says_what_waits(execution: Execution, event: events.MarkerRecorded) -> bool:
    """Takes a marker of the engine about attempts that were not sent, or a reply; whether it is one."""
    if event.name == REPLY_MARKER:
        _match_reply(execution, event)
        return True
    if event.name == BACKLOG_MARKER and not execution.outbox.hold(attempt_ids_of(event)):
        raise mismatch(execution, event, execution.outbox.head())
    return event.name in (BACKLOG_MARKER, CARRYOVER_MARKER)


def _match_reply(execution: Execution, event: events.MarkerRecorded) -> None:
    """Takes the reply to an update out of the outbox."""
    entry = execution.outbox.head()
    if not isinstance(entry, Reply) or not entry.matches(event):
        raise mismatch(execution, event, entry)
    execution.outbox.entries.popleft()
    _compare_input(execution, event, entry, entry.recorded_input(event))
    execution.recent.append((event, entry))


def _match_rest(execution: Execution, *, cut: bool, closed: bool) -> None:
    """What the code asks for and the history does not show may only be what did not fit into the response."""
    outbox = execution.outbox
    if not cut:
        if outbox.entries and (rest := outbox.head()) is not None:
            raise mismatch(execution, None, rest)
        if execution.close_decision is not None and not closed:
            raise mismatch(execution, None, execution.close_decision)
    if not closed:
        execution.close_decision = None
    if execution.suggested_restart.proposed and not execution.closed:
        outbox.unstash()


def _match_markers(execution: Execution, shown: Sequence[events.MarkerRecorded]) -> None:
    made = execution.markers.made
    shown = [
        event for event in shown if not _is_deprecation(event) or any(_same_marker(marker, event) for marker in made)
    ]
    for place_, event in enumerate(shown):
        if place_ >= len(made) or not _same_marker(made[place_], event):
            raise mismatch(execution, event, made[place_] if place_ < len(made) else None)
    if len(made) > len(shown):
        raise mismatch(execution, None, made[len(shown)])


def _same_marker(made: decisions.RecordMarker, event: events.MarkerRecorded) -> bool:
    return made.name == event.name and same_payload(made.details, event.details)


def _is_deprecation(event: events.MarkerRecorded) -> bool:
    """Whether a marker was recorded by ``deprecate_patch``: code without that call ignores it."""
    return event.name == PATCH_MARKER and '"deprecated":true' in (event.details or '')


def _match_close(execution: Execution, event: Any) -> None:
    asked = execution.close_decision
    if asked is None or HOW[type(asked)] != event.how:
        raise mismatch(execution, event, execution.outbox.head() if asked is None else asked)
    if isinstance(event, events.Closed):
        execution.closed = True
        result = getattr(asked, 'result', None)
        if event.how == 'completed' and result != event.result and not same_payload(result, event.result):
            _differs(execution, event, 'the result of run', asked)
        return
    execution.refusals.append(
        (execution.suggested_restart if execution.suggested_restart.proposed else execution.closing, event)
    )


def _compare_input(execution: Execution, event: Any, entry: Entry, recorded: str | None) -> None:
    if not same_payload(recorded, entry.input):
        _differs(execution, event, f'the input of {entry.label}', entry)


def same_payload(one: str | None, other: str | None) -> bool:
    """Whether two payloads say the same JSON, however it is written."""
    if one == other:
        return True
    if one is None or other is None:
        return False
    try:
        return bool(decode(one) == decode(other))
    except ValueError:
        return False


def _differs(execution: Execution, event: Any, what: str, asked: Any) -> None:
    error = mismatch(execution, event, asked, f'{what} is not what event {event.id} recorded')
    if execution.input_mismatch == 'error':
        raise error
    execution.report(str(error))


def refused_engine(event: Any) -> HistoryError:
    """SWF refused what the engine itself needs."""
    return HistoryError(
        f'event {event.id}: SWF refused {getattr(event, "how", None) or event.key!r} with {event.cause}; the worker '
        'that answers this execution needs the permission for it'
    )
