"""The search strategy: all orders if they fit, else few deviations from first in first out, then random orders.

*Theory of operation.* A search keeps the choices that are still to be tried, those with the fewest deviations from the
first choice first, and plays each from the beginning. A state that was seen is not gone into again; the graph of
states still tells how many orders lead through it. Where the states do not fit into the budget, everything with few
deviations has been tried by then, and the rest goes to random priorities (PCT: a bug of depth *d* is found with at
least 1/(n*k^(d-1)) in each run of *n* tasks and *k* steps) and to random walks that begin where new code was reached.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

from attrs import Factory, define, field

from genflow.testing.explorer.checkpoints import Checkpoint
from genflow.testing.explorer.items import DECIDE, Action
from genflow.testing.explorer.lines import LineArcs
from genflow.testing.explorer.merging import alike
from genflow.testing.explorer.setup import Memory, Setup
from genflow.testing.explorer.simulation import Simulation
from genflow.testing.explorer.states import fingerprint

__all__ = ['Budget', 'Search', 'play_labels', 'play_random', 'play_with_priorities', 'runs_by_chance']

Judge = Callable[[Simulation], bool]
"""Is told of each run that ended; whether the search goes on."""


@define
class Budget:
    """The limits of a search.

    Attributes:
        runs: Executions.
        until: A time of ``time.monotonic()``; ``None`` for no limit.
        used: Executions so far.
    """

    runs: int
    until: float | None = None
    used: int = 0

    @property
    def is_left(self) -> bool:
        return self.used < self.runs and (self.until is None or time.monotonic() < self.until)


@define(eq=False)
class Search:
    """All orders within a number of faults.

    Attributes:
        allowance: The most faults in one run.
        depth: All orders with so many deviations have been tried.
        complete: Whether everything has been tried.
        played: How many runs came to an end; the other orders lead to states that were known.
    """

    setup: Setup
    memory: Memory
    allowance: int
    depth: int = 0
    complete: bool = False
    played: int = 0
    _after: dict[Any, list[Any]] = field(factory=dict)
    _alike: dict[Any, int] = field(factory=dict)
    _waiting: list[tuple[int, int, Callable[[], Simulation], Any]] = field(factory=list)
    _count: int = 0

    def run(self, budget: Budget, judge: Judge) -> bool:
        """Tries orders until the budget is used up or the judge has enough; whether it may go on."""
        self._push(0, self._begin, None)
        while self._waiting:
            if not budget.is_left:
                return True
            self.depth, _, begin, parent = heapq.heappop(self._waiting)
            budget.used += 1
            run = begin()
            try:
                goes_on = judge(run) if self._play(run, parent) else True
            finally:
                run.close()
            if not goes_on:
                return False
        self.complete = True
        return True

    def _push(self, deviations: int, begin: Callable[[], Simulation], parent: Any) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (deviations, self._count, begin, parent))

    def _begin(self) -> Simulation:
        self.memory.restore()
        return Simulation(self.setup)

    def _play(self, run: Simulation, parent: Any) -> bool:
        """Whether the run came to its end; otherwise it came to a state that is known."""
        free = 0
        deviations = self.depth
        while actions := run.actions(self.allowance - run.spent):
            if len(actions) == 1 or free:
                free -= free > 0 and actions[0] is not DECIDE
                run.take(actions[0])
            elif not self.allowance and (same := alike(run, actions)) is not None:
                free = same[0]
                parent = self._enter(run, parent, same[1])
                if parent is None:
                    return False
            else:
                parent = self._enter(run, parent)
                if parent is None:
                    return False
                here = Checkpoint(run, self.memory)
                for action in actions[1:]:
                    self._push(deviations + 1, partial(here.resumed, action), parent)
                run.take(actions[0])
        self._link(parent, None)
        self.played += 1
        return True

    def _enter(self, run: Simulation, parent: Any, alike: int = 1) -> Any:
        """The state at which a run stands, linked to the one before it; ``None`` where it was seen already."""
        state = (fingerprint(run, self.memory.roots), self.allowance - run.spent)
        self._link(parent, state)
        if state in self._after:
            return None
        self._after[state], self._alike[state] = [], alike
        return state

    def _link(self, parent: Any, state: Any) -> None:
        if parent is not None:
            self._after[parent].append(state)
        elif state is not None:
            self._after[_BEGINNING] = [state]

    def orders(self) -> int:
        """How many orders the states that were seen stand for."""
        if _BEGINNING not in self._after:
            return 1
        counts: dict[Any, int] = {None: 1}
        pending = [_BEGINNING]
        while pending:
            state = pending[-1]
            missing = [other for other in self._after[state] if other not in counts]
            if missing:
                pending.extend(missing)
            else:
                orders = sum(counts[other] for other in self._after[state])
                counts[pending.pop()] = orders * self._alike.get(state, 1)
        return counts[_BEGINNING]


_BEGINNING = 'the beginning'


# single runs


def play_labels(setup: Setup, memory: Memory, labels: Sequence[str], allowance: int = 99) -> Simulation:
    """Plays a schedule by the names of its choices; what is not to be had is left out."""
    memory.restore()
    run = Simulation(setup)
    left = list(labels)[::-1]
    while actions := run.actions(allowance - run.spent):
        choice = _named(actions, left)
        if choice.cost and not left and choice is actions[0]:
            break  # nothing is left that happens by itself
        run.take(choice)
    return run


def _named(actions: Sequence[Action], left: list[str]) -> Action:
    """The first choice that a schedule names and that is to be had; before it, what the schedule does not name at all.

    A choice of another time, such as one around a decision that is not made now, waits.
    """
    if left and actions[0] is DECIDE:
        found = next((action for action in actions if action.label == left[-1]), DECIDE)
    else:
        found = actions[0]
        if found.cost or found.label in left:
            known = {action.label: action for action in actions}
            found = next((known[label] for label in reversed(left) if label in known), found)
        elif left:
            found = next((action for action in actions if action.label == left[-1]), found)
    if found.label in left:
        left.reverse()
        left.remove(found.label)
        left.reverse()
    return found


def play_with_priorities(setup: Setup, memory: Memory, allowance: int, random: Random, depth: int) -> Simulation:
    """Plays with random priorities, of which a few change on the way (PCT)."""
    memory.restore()
    run = Simulation(setup)
    priorities: dict[str, float] = {}
    changes = {random.randrange(1, 60) for _ in range(depth - 1)}
    step = 0
    while actions := run.actions(allowance - run.spent):
        step += 1
        best = max(actions, key=lambda action: priorities.setdefault(action.label, _priority(action, random)))
        if step in changes:
            priorities[best.label] = -step
            best = max(actions, key=lambda action: priorities[action.label])
        run.take(best)
    return run


def _priority(action: Action, random: Random) -> float:
    return random.random() * 0.5**action.cost


@define
class Corpus:
    """Schedules that stepped from line to line of the user's code as no other had.

    Attributes:
        lines: What all of them have reached.
        schedules: The schedules.
    """

    lines: LineArcs = Factory(LineArcs)
    schedules: list[list[str]] = Factory(list)

    @contextmanager
    def judging(self) -> Iterator[list[Action]]:
        """Takes the steps of a run, which the block puts into the list, if it reaches anything new."""
        steps: list[Action] = []
        known = len(self.lines.seen)
        with self.lines.watching():
            yield steps
        if len(self.lines.seen) > known:
            self.schedules.append([step.label for step in steps if step is not DECIDE])


def play_random(setup: Setup, memory: Memory, allowance: int, random: Random, corpus: Corpus) -> Simulation:
    """Plays a random walk that begins within a schedule that reached new code."""
    memory.restore()
    begin = random.choice(corpus.schedules) if corpus.schedules and random.random() < 0.5 else []  # noqa: PLR2004
    left = begin[: random.randrange(len(begin) + 1)][::-1]
    with corpus.judging() as steps:
        run = Simulation(setup)
        while actions := run.actions(allowance - run.spent):
            run.take(_named(actions, left) if left else _any(actions, random))
        steps.extend(run.steps)
    return run


def _any(actions: Sequence[Action], random: Random) -> Action:
    return random.choices(actions, [0.25**action.cost for action in actions])[0]


def runs_by_chance(
    setup: Setup, memory: Memory, allowance: int, budget: Budget, random: Random
) -> Iterator[Simulation]:
    """Runs with random priorities and random walks in turn, as long as the budget lasts."""
    corpus = Corpus()
    while budget.is_left:
        budget.used += 1
        if budget.used % 2:
            yield play_with_priorities(setup, memory, allowance, random, 3)
        else:
            yield play_random(setup, memory, allowance, random, corpus)
