"""Runs that have a beginning in common: it is played once, and each of them goes on from a checkpoint.

A generator cannot be copied, so a checkpoint has none: what SWF has recorded is replayed to a new execution at once,
which takes a small part of the time in which it was played, decision by decision. What stubs remember is put back.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from genflow.testing.explorer.inputs.memory import Memory
from genflow.testing.explorer.playing.choices import ALLOW_ALL
from genflow.testing.explorer.playing.items import Action
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['Checkpoint']

CONTAINERS = frozenset({list, dict, set, Counter})
"""What grows in a run; what is in it is replaced, and never changed."""


class Checkpoint:
    """A run at one of its choices."""

    __slots__ = ('_members', '_memory', '_remembered')

    def __init__(self, run: Simulation, memory: Memory) -> None:
        self._members = _copied(vars(run))
        self._members['warnings'] += self._members.pop('live').warnings
        self._memory = memory
        self._remembered = memory.remembered()

    def resumed(self, action: Action) -> Simulation:
        """A run that goes on from here with one of the actions that are possible."""
        run = self.again()
        if action in run.actions(ALLOW_ALL):
            run.take(action)
        return run

    def again(self) -> Simulation:
        """A run that stands here."""
        self._memory.restore(self._remembered)
        run = object.__new__(Simulation)
        vars(run).update(_copied(self._members))
        if run.catch_up():
            return run
        run.close()
        return self._played()

    def _played(self) -> Simulation:
        """The same steps from the beginning, as far as code that does not follow its own history makes them again."""
        self._memory.restore()
        run = Simulation(self._members['setup'])
        for step in self._members['steps']:
            if step in run.actions(ALLOW_ALL):
                run.take(step)
        return run


def _copied(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value.copy() if type(value) in CONTAINERS else value for name, value in members.items()}
