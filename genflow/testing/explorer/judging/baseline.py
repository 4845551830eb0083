"""The facts of the first run of an exploration, with which judges compare the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import Factory, frozen

from genflow.core.errors import HistoryError
from genflow.core.text import counted
from genflow.testing.explorer.judging.asked import what_is_asked
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.explorer.playing.undoing import SagaLog

__all__ = ['NEVER_RUN', 'Baseline']

NEVER_RUN = 'but never run: '
"""A part of the engine's warning about a generator that the code made and dropped."""


@frozen
class Baseline:
    """The facts of the first run: first in, first out, without faults.

    Attributes:
        completes: Whether it completed.
        result: The text of its result; ``None`` if it has none.
        asked: How often it made each call, by :func:`what_is_asked`.
        unread: By name, the number of unread signals when it closed.
        undos: The compensations of its sagas.
        is_unreadable: Whether a result cannot be read, such as the ``None`` of an activity that returns a list.
        is_invariant: Whether the user's check is to hold however an execution ends.
        signal_places: Where its branches waited when signals came.
        drops: Whether it made a generator that never ran.
        fired: How many timers fired.
    """

    completes: bool = False
    result: str | None = None
    asked: Counter[tuple[str, str]] = Factory(Counter)
    unread: Mapping[str, int] = Factory(dict)
    undos: SagaLog = Factory(SagaLog)
    is_unreadable: bool = False
    is_invariant: bool = False
    signal_places: frozenset[str] = frozenset()
    drops: bool = False
    fired: int = 0

    @classmethod
    def of(cls, run: Simulation, *, is_invariant: bool) -> Baseline:
        """The baseline of a first run; `is_invariant` is the attribute of that name."""
        closed = run.closed
        return cls(
            closed is not None and closed.how == 'completed',
            None if closed is None else closed.result,
            asked=Counter(what_is_asked(run, call) for call in run.calls),
            unread=dict(run.unread),
            undos=run.live.log,
            is_unreadable=type(run.error) is HistoryError,
            is_invariant=is_invariant,
            signal_places=frozenset(run.signal_places),
            fired=run.fired,
            drops=any(NEVER_RUN in text for text in (*run.warnings, *run.live.warnings)),
        )

    def failure(self, run: Simulation) -> str:
        """Why the first run failed, or does not come to an end; empty if it completed or cannot be decided."""
        if run.failure is not None and not self.completes:
            return f'{type(run.failure).__name__}: {run.failure}'
        if self.is_unreadable:
            return str(run.error)
        if run.cut:
            return (
                f'nothing: it was cut off after {counted(run.total, "event")} and {counted(len(run.past), "restart")}, '
                'as too long to be explored; give it smaller arguments'
            )
        is_waiting = run.closed is None and run.error is None
        return 'nothing: it waits, for more signals than it was sent' if is_waiting else ''
