"""Finds the signals that a workflow needs, if the test does not give them.

The first order is played, and when nothing is left but time or signals, the signal that is waited for is sent. Two
things show that the signals themselves are in the way: a workflow that sends itself what it waits for, and branches of
which each waits for a signal that another one has taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import Factory, define

from genflow.core.tasks.signals import SignalGet
from genflow.testing.explorer.inputs.memory import Memory
from genflow.testing.explorer.inputs.setup import Setup
from genflow.testing.explorer.playing.items import Action
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['Needed']

MAX_SUPPLY = 3
"""Signals of one name that are sent to a workflow that waits for more of them."""


@define(eq=False)
class Needed:
    """What has to arrive.

    Attributes:
        inputs: The input of each signal that the workflow declares, by name.
        supply: By name, the inputs that are sent.
        is_deadlocked: Whether more of them would only hide that the workflow waits for itself.
    """

    inputs: Mapping[str, str]
    supply: dict[str, list[str]] = Factory(dict)
    is_deadlocked: bool = False
    _read: dict[Any, str] = Factory(dict)

    def find(self, setup: Setup, memory: Memory) -> None:
        """Plays the first order, with the signals that it turns out to need."""
        own = self._play(setup, memory, frozenset())
        if own & set(self.supply):
            self.supply.clear()
            self._play(setup, memory, own)
            self.is_deadlocked = True

    def _play(self, setup: Setup, memory: Memory, left_out: frozenset[str]) -> frozenset[str]:
        """Plays the first order; the names of the signals that the workflow sends itself."""
        memory.restore()
        run = Simulation(setup)
        self._read.clear()
        while not run.ended:
            waiting = _waiting(run)
            choice = self._next(run, waiting, left_out)
            if choice is None:
                break
            run.take(choice)
            after = _waiting(run)
            self._read.update({branch: name for branch, name in waiting.items() if after.get(branch) != name})
        run.close()
        return frozenset(run.sent_to_itself)

    def _next(self, run: Simulation, waiting: dict[Any, str], left_out: frozenset[str]) -> Action | None:
        actions = run.actions(0)
        if any(action.outcome != 'fired' for action in actions):
            return actions[0]
        wanted = self._wanted(run, left_out)
        if wanted is None or (not actions and self._is_circle(waiting)):
            self.is_deadlocked = self.is_deadlocked or wanted is not None
            return actions[0] if actions else None
        self.supply.setdefault(wanted, []).append(self.inputs[wanted])
        run.signals[wanted] = (*run.signals.get(wanted, ()), self.inputs[wanted])
        return next(action for action in run.actions(0) if action.verb == 'signal')

    def _wanted(self, run: Simulation, left_out: frozenset[str]) -> str | None:
        """The next signal that is waited for and may be sent."""
        boxes = run.live.mailboxes
        awaited = [name for name in self.inputs if name in boxes and boxes[name].is_awaited()]
        few = [name for name in awaited if len(self.supply.get(name, ())) < MAX_SUPPLY]
        return next((name for name in few if name not in left_out), None)

    def _is_circle(self, waiting: dict[Any, str]) -> bool:
        """Whether each branch waits for a signal that another waiting one took, and took another itself."""
        names = Counter(waiting.values())
        taken = {self._read.get(branch) for branch in waiting}
        others = all(self._read.get(branch, name) != name for branch, name in waiting.items())
        return len(waiting) > 1 and others and taken == set(names)


def _waiting(run: Simulation) -> dict[Any, str]:
    """The branches that wait for a signal alone, each with its name."""
    branches = list(run.live.branches.values())
    return {branch: branch.awaiting.name for branch in branches if isinstance(branch.awaiting, SignalGet)}
