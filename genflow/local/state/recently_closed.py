"""The executions that closed last, whose histories are still at hand.

Who waits for a result asks for the last event as soon as the execution has closed, when the tables do not have it yet:
reading it there would mean writing everything into them first, for each result once. So the newest events of some
closed executions stay in memory for a while, as those of open ones do.
"""

from __future__ import annotations

from collections import OrderedDict

from attrs import define, field

from genflow.local.state.execution import Execution

__all__ = ['RecentlyClosed']

MOST = 1_000
"""Closed executions that are kept."""

CHARACTERS = 4_000_000
"""Characters of events that they may have together."""

Run = tuple[str, str, str]
"""Domain, workflow id and run id."""


@define(eq=False)
class RecentlyClosed:
    """Closed executions, the latest last."""

    _runs: OrderedDict[Run, tuple[Execution, int | None]] = field(factory=OrderedDict)
    _characters: int = 0

    def add(self, execution: Execution, expires: int | None) -> None:
        """An execution has closed; its retention ends at that moment."""
        self._runs[execution.domain, execution.workflow_id, execution.run_id] = execution, expires
        self._characters += execution.tail.characters
        while len(self._runs) > MOST or self._characters > CHARACTERS:
            _, (oldest, _) = self._runs.popitem(last=False)
            self._characters -= oldest.tail.characters

    def find(self, run: Run, now: int) -> Execution | None:
        """That run, if it closed lately and is still kept."""
        execution, expires = self._runs.get(run, (None, None))
        return None if expires is not None and expires <= now else execution

    def clear(self) -> None:
        """The file may say otherwise."""
        self._runs.clear()
        self._characters = 0
