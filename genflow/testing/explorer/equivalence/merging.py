"""Orders that are the same to a workflow, so that one of them stands for all: what a list of calls is waited for by.

*Theory of operation.* While ``run`` waits for all of a list (``yield [self.read(1), self.read(2)]``), has no other
branch and no signal, timer or condition to hear of, the code does not run before the last of the calls has succeeded,
and gets the results in the order of the list. So the order in which they come shows nowhere, and one stands for all.
What a model answers may depend on the order of its calls, a failure is heard of at once, and a task that the workflow
object refers to may be looked at; such cases are not merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import factorial, prod
from typing import Any

from genflow.core.tasks.combinators import Gathered
from genflow.core.tasks.nested import holds_task
from genflow.testing.explorer.playing.ends import GOES_WELL
from genflow.testing.explorer.playing.items import Action
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['alike']

PLAIN = (str, int, float, bool, type(None), list, dict, tuple)
"""The stubs that answer the same whenever they are asked."""


def alike(run: Simulation, actions: Sequence[Action]) -> tuple[int, int] | None:
    """How many steps there are until the code goes on, and in how many orders, where these are all the same to it."""
    if len(actions) < 2 or len(actions) != len(run.open):  # noqa: PLR2004 - an order needs two
        return None
    live = run.live
    root = live.root
    gathered = None if root is None else root.awaiting
    if not isinstance(gathered, Gathered) or len(live.branches) != 1 or live.conditions:
        return None
    awaited = set(_calls_of(gathered))
    for action in actions:
        if action.verb != 'end' or not _is_calm(run, action):
            return None
        if run.open[action.ref].call_number not in awaited:
            return None
    if any(holds_task(value) for value in vars(live.workflow).values() if not _is_bound(value)):
        return None
    steps = [2 if action.outcome == 'started' else 1 for action in actions]
    return sum(steps), factorial(sum(steps)) // prod(map(factorial, steps))


def _calls_of(gathered: Gathered) -> Iterator[str]:
    """The numbers of the calls that nobody else waits for, in lists of lists too."""
    for member in gathered.members:
        if member.waiters == [gathered]:
            if isinstance(member, Gathered):
                yield from _calls_of(member)
            else:
                yield str(member.number)


def _is_calm(run: Simulation, action: Action) -> bool:
    """Whether a call succeeds, whatever came before."""
    item = run.open[action.ref]
    stub = run.stub_of(item)
    if action.outcome not in GOES_WELL:
        return False
    return not stub or isinstance(stub[0], PLAIN)


def _is_bound(value: Any) -> bool:
    """Whether it is one of the engine's own members of a workflow object."""
    return type(value).__module__.startswith('genflow.core.')
