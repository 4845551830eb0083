"""Whether a failed attempt is followed by another: asked of the policy live, read from the history at replay.

A changed policy therefore breaks no running execution. What a decision shows of an attempt is that it was scheduled,
that a timer before it was started, or that it was refused. Where none of these is there, a marker names it: because it
did not fit into the response, was decided on and dropped in one decision, or its wait found no place among the open
timers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import define, field

from genflow.core.calls.call import RetryableCall
from genflow.core.calls.phases import QUEUED
from genflow.core.engine.state import State
from genflow.core.errors import HistoryError
from genflow.core.model import decisions, events
from genflow.core.model.wire_names import ATTEMPTS_MARKER, BACKLOG_MARKER, CARRYOVER_MARKER
from genflow.core.payloads.hooks import decode, encode

__all__ = [
    'RetryLog',
    'attempt_ids_of',
    'markers_of',
]

MAX_ATTEMPT_IDS = 1_000
"""Ids in one marker, which is then well below the 32,768 characters that SWF takes."""


@define(eq=False)
class RetryLog:
    """The further attempts that decisions decide on.

    Attributes:
        decided: Those of the current decision, with the ids of the attempts.
    """

    _state: State
    decided: list[tuple[RetryableCall, str]] = field(factory=list, init=False)
    _output: Sequence[Any] = field(default=(), init=False)
    _shown: frozenset[str] = field(default=frozenset(), init=False)

    def again(self, call: RetryableCall, error: BaseException, *, uncounted: bool) -> bool:
        """Whether a failed attempt is followed by another one."""
        if self._state.abandons:
            return False
        attempt_id = f'{call.number}.{call.attempt + 1}'
        if self._state.replaying:
            again = attempt_id in self._shown_in(self._state.output)
        else:
            again = uncounted or bool(call.settings.retry.again(error, call.attempt - call.uncounted))
        if again:
            self.decided.append((call, attempt_id))
        return again

    def _shown_in(self, output: Sequence[Any]) -> frozenset[str]:
        """The attempts that the decision being replayed shows; the same for all that it decides on."""
        if output is not self._output:
            self._output = output
            self._shown = frozenset(attempt_id for event in output for attempt_id in _ids_in(event))
        return self._shown

    def note_dropped(self) -> None:
        """Puts on record the attempts that were decided on and dropped in one decision: nothing else shows them."""
        dropped = [attempt_id for call, attempt_id in self.decided if call.phase is not QUEUED]
        if dropped:
            self._state.markers.made.append(decisions.RecordMarker(ATTEMPTS_MARKER, encode({'marks': dropped})))
        self.decided = []


def _ids_in(event: Any) -> Iterable[str]:
    """The ids of the attempts of which an event shows that they were decided on."""
    reader = _READERS.get(type(event))
    return () if reader is None else reader(event)


def _ids_in_marker(event: events.MarkerRecorded) -> list[str]:
    return attempt_ids_of(event) if event.name in (ATTEMPTS_MARKER, BACKLOG_MARKER, CARRYOVER_MARKER) else []


def attempt_ids_of(event: events.MarkerRecorded) -> list[str]:
    """The ids of the attempts that a marker of the engine names.

    Raises:
        HistoryError: Its details cannot be read.
    """
    try:
        found: list[str] = decode(event.details or '{}').get('marks', [])
    except (ValueError, AttributeError) as error:
        raise HistoryError(f'the marker {event.name} in event {event.id} cannot be read: {error}') from error
    return found


def markers_of(name: str, attempt_ids: Sequence[str]) -> list[decisions.RecordMarker]:
    """Markers of that name for the attempts: :data:`BACKLOG_MARKER` or :data:`CARRYOVER_MARKER`."""
    return [
        decisions.RecordMarker(name, encode({'marks': attempt_ids[start : start + MAX_ATTEMPT_IDS]}))
        for start in range(0, len(attempt_ids), MAX_ATTEMPT_IDS)
    ]


_READERS: dict[type, Callable[[Any], Iterable[str]]] = {
    events.MarkerRecorded: _ids_in_marker,
    events.ActivityScheduled: lambda event: [event.activity_id.partition(';')[0]],
    events.ChildInitiated: lambda event: [event.control or ''],
    events.LambdaScheduled: lambda event: [event.lambda_id],
    events.TimerStarted: lambda event: [event.timer_id.partition(';')[0]],
    events.Refused: lambda event: [event.key.partition(';')[0], event.control or ''],
}
