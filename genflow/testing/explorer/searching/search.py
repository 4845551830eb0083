"""The search: all orders if they fit, those with few deviations from first in first out first.

*Theory of operation.* A search keeps the choices that are still to be tried, those with the fewest deviations from the
first choice first, and goes on from each. A state that was seen is not gone into again, and a step is not played of
which it is known where it leads, since what it can see is as it was where it was played. Where no fault is left and the
branches of a list share nothing, one order of their steps is played, and a second one that shows it. The graph of
states still tells how many orders lead through it. Where the states do not fit into the budget, everything with few
deviations has been tried by then, and the rest is left to :mod:`~genflow.testing.explorer.searching.chance`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import define, field

from genflow.testing.explorer.equivalence.independence import Parts, Together, members_of, parts_of, played_together
from genflow.testing.explorer.equivalence.known_steps import MASK, KnownSteps, Way
from genflow.testing.explorer.equivalence.merging import alike
from genflow.testing.explorer.equivalence.states import fingerprint
from genflow.testing.explorer.inputs.memory import Memory
from genflow.testing.explorer.inputs.setup import Setup
from genflow.testing.explorer.playing.checkpoints import Checkpoint
from genflow.testing.explorer.playing.items import DECIDE, Action
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.explorer.searching.budget import Budget

__all__ = ['Search']

Judge = Callable[[Simulation], bool]
"""Gets each run that ended, and returns whether the search continues."""


@define(eq=False)
class State:
    """A state that was seen.

    Attributes:
        is_due: Whether a decision is due.
        orders: How many orders of steps stand for one another until the next state.
        after: The states that its choices lead to, by their labels.
        parts: What the members of a list reach alone, if no decision is due.
        digest: Of what has happened.
        begin: The latest state on the way to it in which no decision was due: itself, if none is.
        way: The choices from there.
    """

    is_due: bool = False
    orders: int = 1
    after: dict[str, State] = field(factory=dict)
    parts: Parts | None = None
    digest: int = 0
    begin: State | None = None
    way: Way = ()

    def step(self, action: Action) -> Way:
        """The choices since the beginning of a step, with one of its own as the last."""
        names = {} if self.begin is None or self.begin.parts is None else self.begin.parts.names
        member, place = names.get(action.ref, (None, 0))
        if action is DECIDE:
            return self.way
        return (*self.way, (member, action.label if member is None else f'{action.when} {place} {action.outcome}'))


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
    _states: dict[Any, State] = field(factory=dict)
    _by_parts: dict[Any, State] = field(factory=dict)
    _steps: KnownSteps = field(factory=KnownSteps)
    _tries: Counter[Any] = field(factory=Counter)
    _beginning: State = field(factory=State)
    _end: State = field(factory=State)
    _waiting: list[tuple[int, int, Callable[[], Simulation], State, Action | Together | None]] = field(factory=list)
    _count: int = 0
    _deviations: int = 0

    def run(self, budget: Budget, judge: Judge) -> bool:
        """Tries orders until the budget is used up or the judge has enough; whether it may go on.

        Where the budget is a share, it goes on beyond it while what waits fits into the rest of the whole.
        """
        self._push(0, self._begin, self._beginning, None)
        while self._waiting:
            if not budget.is_left and not budget.may_exceed(len(self._waiting)):
                return True
            self.depth, _, begin, state, chosen = heapq.heappop(self._waiting)
            self._deviations = self.depth
            budget.spend()
            run = begin()
            goes_on = True
            try:
                if isinstance(chosen, Together):
                    self._prove(run, state, chosen)
                elif self._play(run, state, chosen):
                    goes_on = judge(run)
            finally:
                run.close()
            if not goes_on:
                return False
        self.complete = True
        return True

    def _begin(self) -> Simulation:
        self.memory.restore()
        return Simulation(self.setup)

    def _push(
        self, deviations: int, begin: Callable[[], Simulation], state: State, chosen: Action | Together | None
    ) -> None:
        """Keeps a choice for later: of those with as many deviations, the latest is tried first."""
        self._count -= 1
        heapq.heappush(self._waiting, (deviations, self._count, begin, state, chosen))

    # one run

    def _play(self, run: Simulation, state: State, chosen: Action | None) -> bool:
        """Goes on after a choice that a state offers; whether the run came to its end from there."""
        forced: list[Action] = []
        is_fresh = True
        while actions := run.actions(self.allowance - run.spent):
            is_choice = len(actions) > 1
            if is_choice or (is_fresh and actions[0] is not DECIDE):
                known = self._enter(run, state, chosen, forced)
                if known is None:
                    return False
                state, is_fresh, chosen = known, is_choice, actions[0]
                forced.clear()
            if is_choice:
                goes_on, chosen = self._go_on(run, state, actions)
                if not goes_on:
                    return False
            else:
                forced.append(actions[0])
                run.take(actions[0])
        state.after[_label(chosen)] = self._end
        self.played += 1
        return True

    def _go_on(self, run: Simulation, state: State, actions: Sequence[Action]) -> tuple[bool, Action | None]:
        """Goes on from a state with several choices; whether the run does, and with which choice, if it made one."""
        if self.allowance == run.spent:
            same = alike(run, actions)
            if same is not None:
                self._pass(run, same[0])
                state.orders, state.begin = same[1], None
                return True, None
            if state.parts is not None and self._is_promising(run, actions, state.parts):
                return self._play_together(run, state, state.parts, actions), None
        chosen = self._choose(run, state, actions)
        return chosen is not None, chosen

    def _pass(self, run: Simulation, steps: int) -> None:
        """Makes so many steps of which each order is the same."""
        while steps:
            action = run.actions(0)[0]
            steps -= action is not DECIDE
            run.take(action)

    def _enter(self, run: Simulation, before: State, chosen: Action | None, forced: Sequence[Action]) -> State | None:
        """The state to which a choice has led, after steps that were forced; ``None`` if it was seen already."""
        rest = self.allowance - run.spent
        key = (fingerprint(run, self.memory.roots), rest, run.moved_by_cancel)
        known = self._states.get(key)
        state = before.after[_label(chosen)] = State(run.is_due, digest=run.digest) if known is None else known
        self._states[key] = state
        parts = None if run.is_due else parts_of(run, self.memory.roots)
        begin = before.begin
        decisions = len(forced) + (chosen is DECIDE)
        if begin is not None and chosen is not None and all(step is DECIDE for step in forced):
            way = before.step(chosen)
            if parts is not None and begin.parts is not None:
                self._steps.learn(way, begin.parts, parts, run.digest - begin.digest, decisions)
            if known is None and run.is_due and not decisions:
                state.begin, state.way = begin, way
        if known is not None:
            return None
        if not run.is_due:
            state.begin, state.parts = state, parts
            if parts is not None:
                self._by_parts[parts.shared, parts.members, run.digest & MASK, rest] = state
        return state

    def _choose(self, run: Simulation, state: State, actions: Sequence[Action]) -> Action | None:
        """Makes the first choice of which it is not known where it leads, and keeps the others for later."""
        unknown = [action for action in actions if not self._is_known(run, state, action)]
        if not unknown:
            return None
        if len(unknown) > 1:
            self._keep(Checkpoint(run, self.memory), unknown[1:], state, actions[0])
        self._deviations += unknown[0] is not actions[0]
        run.take(unknown[0])
        return unknown[0]

    def _keep(self, here: Checkpoint, choices: Sequence[Action], state: State, first: Action) -> None:
        for action in reversed(choices):
            self._push(self._deviations + (action is not first), partial(here.resumed, action), state, action)

    def _is_known(self, run: Simulation, state: State, action: Action) -> bool:
        """Whether it is known where a choice leads, since the step that it ends was played elsewhere."""
        begin = state.begin
        rest = self.allowance - run.spent - action.cost
        if begin is None or begin.parts is None or (rest > 0 and action is not DECIDE and not action.is_last):
            return False  # where a fault is left, more can come before the decision is made
        made = self._steps.after(state.step(action), begin.parts, may_go_on=rest > 0)
        if made is None:
            return False
        parts, digest = made[0], (begin.digest + made[1]) & MASK
        after = self._by_parts.get((parts.shared, parts.members, digest, rest))
        if after is None and not rest:
            after = self._at_rest_of_list(parts, digest)
        if after is None:
            return False
        state.after[action.label] = after
        return True

    # lists of which all orders are the same

    def _at_rest_of_list(self, parts: Parts, digest: int) -> State | None:
        """A state with these parts, though nobody was there, if it is known what comes at the end of its list."""
        rest = self._steps.rest_of_list(parts, digest)
        known = None if rest is None else self._by_parts.get(rest.last)
        return None if rest is None or known is None else State(orders=rest.orders, after=known.after)

    def _is_promising(self, run: Simulation, actions: Sequence[Action], parts: Parts) -> bool:
        """Whether members of a list may be apart that starts at this place of the code."""
        return self._tries[_standing(run)] < MAX_TRIES and members_of(run, actions, parts) is not None

    def _play_together(self, run: Simulation, state: State, parts: Parts, actions: Sequence[Action]) -> bool:
        """Plays a list to its end; whether the run goes on from there."""
        known = self._at_rest_of_list(parts, state.digest & MASK)
        if known is not None:
            state.orders, state.after, state.begin = known.orders, known.after, None
            return False
        position, here = _standing(run), Checkpoint(run, self.memory)
        together = played_together(run, self.memory.roots, parts)
        if together is None:
            self._tries[position] += 1
            self._keep(here, actions, state, actions[0])
            return False
        self._tries[position] -= 1
        self._steps.learn_list(together)
        state.begin = None
        if not self._passes(state, parts):
            self._push(self._deviations, here.again, state, together)
        return True

    def _passes(self, state: State, parts: Parts) -> bool:
        """Notes for a state of which it is known that all orders are the same, how many there are."""
        rest = self._steps.rest_of_list(parts, state.digest & MASK)
        if rest is None:
            return False
        state.orders = rest.orders
        self._by_parts[rest.last] = state
        return True

    def _prove(self, run: Simulation, state: State, together: Together) -> None:
        """Plays a list in another order; where that does not come to the same, all of its orders are tried."""
        parts = state.parts
        if parts is None or self._passes(state, parts):
            return
        position, here, actions = _standing(run), Checkpoint(run, self.memory), run.actions(0)
        again = played_together(run, self.memory.roots, parts, together.last)
        if again is not None and again.reached == together.reached:
            self._steps.learn_list(again)
            if self._passes(state, parts):
                return
        self._tries[position] += 2  # of which one was taken for a success
        state.begin = state
        state.after = {}
        self._keep(here, actions, state, actions[0])

    # counting

    def orders(self) -> int:
        """The number of orders for which the visited states stand."""
        counts = {id(self._end): 1}
        pending = [self._beginning]
        while pending:
            state = pending[-1]
            after = list(state.after.values())
            missing = [other for other in after if id(other) not in counts]
            if missing:
                pending.extend(missing)
            else:
                counts[id(pending.pop())] = state.orders * (sum(counts[id(other)] for other in after) or 1)
        return counts[id(self._beginning)]


def _label(action: Action | None) -> str:
    return '' if action is None else action.label


def _standing(run: Simulation) -> Any:
    """The place in the code at which ``run`` stands."""
    generator = None if run.live.root is None else run.live.root.generator
    return None if generator is None else (generator.gi_code, generator.gi_frame and generator.gi_frame.f_lasti)


MAX_TRIES = 3
"""How often a list is played whose members turn out not to be apart, beyond those of which they are."""
