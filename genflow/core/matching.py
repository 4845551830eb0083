"""Holds what a decision recorded against what the code asks for.

Both are sequences in the same order: the history's output events and the outbox. Each event takes the entry at the
head of the outbox; where they do not agree, or one side has more, the code is not the one that made this history.
Markers are compared as a sequence of their own, since they go ahead of everything else. Engine timers are recognised
by their ids and compared with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from . import events
from .activity_calls import ActivityCall
from .calls import Call
from .closing import HOW, Fail
from .errors import HistoryError, NondeterminismError
from .locations import place, raised_at
from .outbox import Entry
from .serialization import decode, excerpt
from .showing import short
from .stalling import standing
from .tries import PLACELESS, WAKE, marks_of

if TYPE_CHECKING:
    from .execution import Execution

__all__ = [
    'BACKOFF',
    'NOT_PERMITTED',
    'match',
    'mismatch',
    'refused_engine',
    'same_payload',
]

NOT_PERMITTED = 'OPERATION_NOT_PERMITTED'

BACKOFF = 'backoff-'

PAYLOADS = frozenset({'input', 'result', 'details', 'reason', 'control'})

PATCH_HINT = (
    'If the code was changed while this execution ran, guard the change with `if self.patched("change-id"):` and keep '
    'the old path for executions that are already under way, or give the workflow another version.'
)


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
            if event.name != PLACELESS:
                markers.append(event)
            elif not outbox.hold(marks_of(event)):
                raise mismatch(execution, event, outbox.head())
        elif kind is events.Closed or kind is events.CloseRefused:
            _match_close(execution, event)
            closed = True
        elif kind is events.TimerStarted and event.timer_id.startswith(WAKE):
            execution.refs[event.id] = execution.ignored
            cut = True
        elif kind is events.Refused and (event.kind == 'marker' or event.key.startswith(WAKE)):
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
    if not cut:
        if entries and (rest := outbox.head()) is not None:
            raise mismatch(execution, None, rest)
        if execution.closing is not None and not closed:
            raise mismatch_close(execution, None)
    if not closed:
        execution.closing = None
    if execution.renewal.proposed and not execution.closed:
        outbox.bring_back()


def _match_markers(execution: Execution, shown: Sequence[events.MarkerRecorded]) -> None:
    made = execution.markers.made
    for place_, event in enumerate(shown):
        if place_ >= len(made) or (made[place_].name, made[place_].details) != (event.name, event.details):
            raise mismatch(execution, event, made[place_] if place_ < len(made) else None)
    if len(made) > len(shown):
        raise mismatch(execution, None, made[len(shown)])


def _match_close(execution: Execution, event: Any) -> None:
    asked = execution.closing
    if asked is None or HOW[type(asked)] != event.how:
        raise mismatch_close(execution, event)
    if isinstance(event, events.Closed):
        execution.closed = True
        result = getattr(asked, 'result', None)
        if event.how == 'completed' and result != event.result and not same_payload(result, event.result):
            _differs(execution, event, 'the result of run', event.result, result)
        return
    execution.refusals.append((execution.renewal if execution.renewal.proposed else execution.ending, event))


def _compare_input(execution: Execution, event: Any, entry: Entry, recorded: str | None) -> None:
    if not same_payload(recorded, entry.input):
        _differs(execution, event, f'the input of {entry.label}', recorded, entry.input, entry)


def same_payload(one: str | None, other: str | None) -> bool:
    """Whether two payloads say the same JSON."""
    if one is None or other is None:
        return one == other
    try:
        return bool(decode(one) == decode(other))
    except ValueError:
        return False


def _differs(
    execution: Execution, event: Any, what: str, recorded: str | None, asked: str | None, entry: Any = None
) -> None:
    text = (
        f'{what} is not what event {event.id} recorded\n'
        f'- recorded: {_payload(execution, recorded)}\n+ asked:    {_payload(execution, asked)}\n'
        f'at {place(getattr(entry, "where", None))}'
    )
    if execution.input_mismatch == 'error':
        raise NondeterminismError(f'{execution.info}: {text}\n{PATCH_HINT}', event_id=event.id)
    execution.report(f'{execution.info}: {text}')


def _payload(execution: Execution, text: str | None) -> str:
    """A payload as a report may show it: its length where the report goes into a log."""
    if text is None:
        return 'nothing'
    return excerpt(text, 200) if execution.shows_payloads else f'{len(text):,} characters, not shown in a log'


def mismatch(execution: Execution, event: Any, asked: Any) -> NondeterminismError:
    """The report on one disagreement.

    Args:
        execution: The execution.
        event: What the history shows, or ``None`` where it shows nothing more.
        asked: The entry, marker or close that the code asks for, or ``None`` where it asks nothing more.
    """
    lines = [f'{execution.info}: the code does not follow the history']
    if event is None:
        lines.append(f'- recorded: nothing more in the decision of event {execution.started_id}')
    else:
        lines.append(f'- recorded: event {event.id} {_said(execution, event)}')
    lines.append('+ asked:    nothing more' if asked is None else f'+ asked:    {_said(execution, asked)}')
    lines.append(f'called at {place(asked.where)}' if isinstance(asked, Call) else _stands(execution))
    lines += [f'  agreed: event {agreed.id} {entry.label}' for agreed, entry in execution.recent]
    if isinstance(event, events.MarkerRecorded) and event.name == 'genflow.patch':
        lines.append('A patch that is gone from the code needs `self.deprecate_patch("change-id")` in its place.')
    lines.append(PATCH_HINT)
    return NondeterminismError('\n'.join(lines), event_id=None if event is None else event.id)


def _stands(execution: Execution) -> str:
    """Where the code stands, or how it ended: an end that the history does not know is often a mistake in new code."""
    wish = execution.ending.wish
    if isinstance(wish, Fail):
        return f'run raised {short(wish.error, 200)} at {raised_at(wish.error)}'
    if wish is not None:
        return f'run has ended: {type(wish).__name__}'
    return standing(execution)


def mismatch_close(execution: Execution, event: Any) -> NondeterminismError:
    """The report on an end that only one side shows."""
    return mismatch(execution, event, execution.closing)


def _said(execution: Execution, value: Any) -> str:
    """Type and members of an event or of what is asked for, on one line."""
    if hasattr(value, 'description'):
        members = value.description()
        kind = members.pop('kind')
    else:
        kind = type(value).__name__
        members = {
            name: found
            for name, found in attrs.asdict(value, recurse=False).items()
            if name not in ('id', 'decision_id')
        }
    words = [
        f'{name}={_payload(execution, found) if name in PAYLOADS and isinstance(found, str) else repr(found)}'
        for name, found in members.items()
    ]
    return f'{kind} ' + ', '.join(word for word in words if not word.endswith('=None'))


def refused_engine(event: Any) -> HistoryError:
    """SWF refused what the engine itself needs."""
    return HistoryError(
        f'event {event.id}: SWF refused {getattr(event, "how", None) or event.key!r} with {event.cause}; the worker '
        'that answers this execution needs the permission for it'
    )
