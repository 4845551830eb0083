"""Holds what a decision recorded against what the code asks for.

Both are sequences in the same order: the history's output events and the outbox. Each event takes the entry at the
head of the outbox; where they do not agree, or one side has more, the code is not the one that made this history.
Markers are compared as a sequence of their own, since they go ahead of everything else. Engine timers are recognised
by their ids and compared with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genflow.core.calls.activity import ActivityCall
from genflow.core.engine.mismatch import mismatch
from genflow.core.engine.pending_close import HOW
from genflow.core.engine.retries import attempt_ids_of
from genflow.core.engine.state import OWN_CLOSE, SUGGESTED_RESTART, State
from genflow.core.model import decisions, events
from genflow.core.model.refusals import NOT_PERMITTED, refused_engine
from genflow.core.model.wire_names import (
    BACKLOG_MARKER,
    CARRYOVER_MARKER,
    PATCH_MARKER,
    REPLY_MARKER,
    WAKE_TIMER_PREFIX,
)
from genflow.core.payloads.envelopes import input_of
from genflow.core.payloads.hooks import same_payload

__all__ = ['match']


def match(state: State, output: Sequence[Any]) -> None:
    """Takes what the history shows as sent out of the outbox.

    Raises:
        NondeterminismError: History and code do not agree.
        HistoryError: SWF refused what the engine itself needs.
    """
    entries, recent = state.outbox.entries, state.recent
    comparison: Comparison | None = None
    for event in output:
        kind = type(event)
        if (
            kind is events.ActivityScheduled  # the fast path for the most frequent events
            and entries
            and type(first := entries[0]) is ActivityCall
            and first.takes(event)
        ):
            recent.append((event, entries.popleft()))
        else:
            comparison = comparison or Comparison(state)
            _COMPARE.get(kind, Comparison.with_entry)(comparison, event)
    if comparison is not None:
        comparison.finish()
    elif entries or state.markers.made or state.close_decision:
        Comparison(state).finish()


class Comparison:
    """What one decision recorded, held against what the code asks for.

    Attributes:
        cut: The response was too large, so that the code may ask for more than the history shows.
        closed: The decision asked for a close.
        markers: What it recorded for the code.
    """

    __slots__ = ('closed', 'cut', 'markers', 'state')

    def __init__(self, state: State) -> None:
        self.state = state
        self.cut = self.closed = False
        self.markers: list[events.MarkerRecorded] = []

    def with_entry(self, event: Any) -> None:
        """Compares with the entry at the head of the outbox."""
        state, outbox = self.state, self.state.outbox
        entry = outbox.head()
        if entry is None or not entry.matches(event):
            raise mismatch(state, event, entry)
        outbox.entries.popleft()
        recorded = entry.recorded_input(event)
        if recorded != entry.input and not same_payload(input_of(recorded), entry.input):
            _differs(state, event, f'the input of {entry.label}', entry)
        entry.recorded(event)
        state.recent.append((event, entry))
        if type(event) is events.Refused:
            state.refusals.append((entry, event))

    def timer(self, event: events.TimerStarted) -> None:
        if event.timer_id.startswith(WAKE_TIMER_PREFIX):
            self.state.refs[event.id] = self.state.ignored
            self.cut = True
        else:
            self.with_entry(event)

    def refusal(self, event: events.Refused) -> None:
        if event.kind != 'marker' and not event.key.startswith(WAKE_TIMER_PREFIX):
            self.with_entry(event)
        elif event.cause == NOT_PERMITTED:
            raise refused_engine(event)
        else:
            self.cut = True

    def marker(self, event: events.MarkerRecorded) -> None:
        """Keeps what is the code's; what is the engine's names attempts that were not sent."""
        if event.name == BACKLOG_MARKER:
            if not self.state.outbox.hold(attempt_ids_of(event)):
                raise mismatch(self.state, event, self.state.outbox.head())
        elif event.name == REPLY_MARKER:
            self.with_entry(event)
        elif event.name != CARRYOVER_MARKER:
            self.markers.append(event)

    def close(self, event: events.Closed) -> None:
        asked = self._asked_close(event)
        self.state.closed = True
        result = getattr(asked, 'result', None)
        if event.how == 'completed' and not same_payload(result, event.result):
            _differs(self.state, event, 'the result of run', asked)

    def refused_close(self, event: events.CloseRefused) -> None:
        self._asked_close(event)
        what = SUGGESTED_RESTART if self.state.restart_proposed else OWN_CLOSE
        self.state.refusals.append((what, event))

    def _asked_close(self, event: Any) -> decisions.Decision:
        state, asked = self.state, self.state.close_decision
        if asked is None or HOW[type(asked)] != event.how:
            raise mismatch(state, event, state.outbox.head() if asked is None else asked)
        self.closed = True
        return asked

    def finish(self) -> None:
        """What the code asks for and the history does not show may only be what did not fit into the response."""
        state = self.state
        if self.markers or state.markers.made:
            self._compare_markers()
        if not self.cut:
            if state.outbox.entries and (rest := state.outbox.head()) is not None:
                raise mismatch(state, None, rest)
            if state.close_decision is not None and not self.closed:
                raise mismatch(state, None, state.close_decision)
        if not self.closed:
            state.close_decision = None
        if state.restart_proposed and not state.closed:
            state.outbox.unstash()

    def _compare_markers(self) -> None:
        state, made = self.state, self.state.markers.made
        shown = [
            event
            for event in self.markers
            if not _is_deprecation(event) or any(_same_marker(marker, event) for marker in made)
        ]
        for place_, event in enumerate(shown):
            if place_ >= len(made) or not _same_marker(made[place_], event):
                raise mismatch(state, event, made[place_] if place_ < len(made) else None)
        if len(made) > len(shown):
            raise mismatch(state, None, made[len(shown)])


_COMPARE: dict[type, Callable[[Comparison, Any], None]] = {
    events.TimerStarted: Comparison.timer,
    events.MarkerRecorded: Comparison.marker,
    events.Refused: Comparison.refusal,
    events.Closed: Comparison.close,
    events.CloseRefused: Comparison.refused_close,
}
"""Events that are compared with something else than the entry at the head of the outbox, or only sometimes with it."""


def _same_marker(made: decisions.RecordMarker, event: events.MarkerRecorded) -> bool:
    return made.name == event.name and same_payload(made.details, event.details)


def _is_deprecation(event: events.MarkerRecorded) -> bool:
    """Whether a marker was recorded by ``deprecate_patch``: code without that call ignores it."""
    return event.name == PATCH_MARKER and '"deprecated":true' in (event.details or '')


def _differs(state: State, event: Any, what: str, asked: Any) -> None:
    error = mismatch(state, event, asked, f'{what} is not what event {event.id} recorded')
    if state.input_mismatch == 'error':
        raise error
    state.report(str(error))
