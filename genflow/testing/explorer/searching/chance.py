"""Orders by chance, for what is too large for a search: random priorities first, then random walks.

*Theory of operation.* Random priorities follow PCT (Burckhardt et al., "A randomized scheduler with probabilistic
guarantees of finding bugs", ASPLOS 2010), with lines of events in place of threads. The events of a line come one after
another in every order: an event that ends a call, and then the one that ends the first call that the code makes because
of it. Of the lines whose next event may come, the one with the highest priority goes on. At *d-1* steps, chosen at
random, something changes: the line that is about to go on gets a priority below all others, or something else happens
instead, such as a fault.

A bug of depth *d* is one that needs *d-1* such changes at the right steps, and one line before or after all others. In
a run of *n* lines and *k* steps with *c* choices for a change, it is found with a probability of at least
1/(n*(k*c)^(d-1)). Without faults *c* is 1 as a rule, which is the bound of the paper.

Random walks take any choice, and begin within orders that reached new code.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

from attrs import Factory, define, frozen

from genflow.testing.explorer.inputs.memory import Memory
from genflow.testing.explorer.inputs.setup import Setup
from genflow.testing.explorer.playing.items import DECIDE, Action
from genflow.testing.explorer.playing.schedules import named_choice
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.explorer.searching.budget import Budget
from genflow.testing.explorer.searching.lines import LineArcs

__all__ = ['Chance', 'Size', 'play_with_priorities']

DEPTH = 3
"""The depth of the bugs for which random priorities have a bound: those that need two changes."""

OF_CORPUS = 0.5
"""The share of the random walks that begin within an order that reached new code."""


@frozen
class Size:
    """The size of runs: what the probability of finding a bug depends on.

    Attributes:
        lines: Of events.
        steps: At which something may change.
        choices: For a change, the most at one step: a lower priority, or something else that happens.
    """

    lines: int = 1
    steps: int = 1
    choices: int = 1

    def union(self, other: Size) -> Size:
        """A size that holds for the runs of both."""
        return Size(max(self.lines, other.lines), max(self.steps, other.steps), max(self.choices, other.choices))

    def odds(self, depth: int) -> int:
        """A bug of this depth is found with at least one divided by this."""
        return self.lines * int((self.steps * self.choices) ** (depth - 1))


@define
class Lines:
    """The lines of events of one run.

    Attributes:
        count: How many there are.
    """

    count: int = 0
    _of_item: dict[tuple[int, int], int] = Factory(dict)
    _of_signal: dict[str, int] = Factory(dict)
    _ended: int | None = None

    def usual(self, run: Simulation, actions: Sequence[Action]) -> dict[Hashable, Action]:
        """The next event of each line that has one: its first choice, if that is no fault."""
        found: dict[Hashable, Action] = {}
        for action in actions:
            if not action.cost:
                found.setdefault(self._line(run, action), action)
        return found

    def take(self, run: Simulation, action: Action) -> None:
        """Lets an action happen; a call that a decision makes goes on with the line of the event that led to it."""
        if action is not DECIDE:
            line = self._line(run, action) if action.verb == 'end' else None
            run.take(action)
            self._ended = None if action.ref in run.open else line
            return
        ended = self._ended if len(run.unseen()) == 1 else None
        runs = len(run.past)
        run.take(action)
        made = next((ref for ref in run.open if (runs, ref) not in self._of_item), None)
        if ended is not None and made is not None and len(run.past) == runs:
            self._of_item[runs, made] = ended
        for ref in run.open:
            if (len(run.past), ref) not in self._of_item:
                self._of_item[len(run.past), ref] = self._new()

    def _line(self, run: Simulation, action: Action) -> int:
        """The number of the line that an action belongs to; 0 for decisions, beside which nothing goes on by itself."""
        if action is DECIDE:
            return 0
        if action.verb == 'signal':
            if action.name not in self._of_signal:
                self._of_signal[action.name] = self._new()
            return self._of_signal[action.name]
        return self._of_item[len(run.past), action.ref]

    def _new(self) -> int:
        self.count += 1
        return self.count


def play_with_priorities(
    setup: Setup, memory: Memory, allowance: int, random: Random, *, steps: int, depth: int = DEPTH
) -> tuple[Simulation, Size]:
    """Plays with random priorities, of which a few change on the way; the run, and its size.

    Args:
        setup: What all runs share.
        memory: The state of models.
        allowance: The most faults.
        random: The source of chance.
        steps: Among how many steps the changes are chosen: as many as the longest run has.
        depth: Of the bugs that are looked for; there is one change less.
    """
    memory.restore()
    run, lines, size = Simulation(setup), Lines(), Size(steps=0)
    priorities: dict[Hashable, float] = {}
    places = random.sample(range(steps), min(steps, depth - 1))
    changes = {step: -number for number, step in enumerate(places, 1)}
    while actions := run.actions(allowance - run.spent):
        usual = lines.usual(run, actions)
        others = [action for action in actions if action not in usual.values()]
        priorities |= {line: random.random() for line in usual if line not in priorities}
        line = max(usual, key=priorities.__getitem__, default=None)
        chosen = random.choice(others) if line is None else usual[line]
        if line is not None and (others or chosen is not DECIDE):
            if size.steps in changes:
                chosen = random.choice([chosen, *others])
                if chosen is usual[line]:
                    priorities[line] = changes[size.steps]
                    chosen = usual[max(usual, key=priorities.__getitem__)]
            size = size.union(Size(1, size.steps + 1, 1 + len(others)))
        lines.take(run, chosen)
    return run, size.union(Size(lines.count))


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
    """Plays a random walk, of which some begin within a schedule that reached new code."""
    memory.restore()
    begin = random.choice(corpus.schedules) if corpus.schedules and random.random() < OF_CORPUS else []
    left = begin[: random.randrange(len(begin) + 1)][::-1]
    with corpus.judging() as steps:
        run = Simulation(setup)
        while actions := run.actions(allowance - run.spent):
            run.take(named_choice(actions, left) if left else _any(actions, random))
        steps.extend(run.steps)
    return run


def _any(actions: Sequence[Action], random: Random) -> Action:
    return random.choices(actions, [0.25**action.cost for action in actions])[0]


@define
class Chance:
    """Runs by chance.

    Attributes:
        setup: What all runs share.
        memory: The state of models.
        allowance: The most faults in one run.
        random: The source of chance.
        size: What holds for all runs with random priorities.
        bounded: How many of them had their changes among as many steps as the longest, so that the bound holds for
            each of them.
    """

    setup: Setup
    memory: Memory
    allowance: int
    random: Random
    size: Size = Size()
    bounded: int = 0

    def with_priorities(self, budget: Budget) -> Iterator[Simulation]:
        """Runs with random priorities as long as the budget lasts."""
        while budget.is_left:
            budget.spend()
            steps = self.size.steps
            run, size = play_with_priorities(self.setup, self.memory, self.allowance, self.random, steps=steps)
            self.size = self.size.union(size)
            self.bounded = self.bounded + 1 if self.size.steps == steps else 0
            yield run

    def walks(self, budget: Budget) -> Iterator[Simulation]:
        """Random walks as long as the budget lasts."""
        corpus = Corpus()
        while budget.is_left:
            budget.spend()
            yield play_random(self.setup, self.memory, self.allowance, self.random, corpus)

    def bound(self) -> str:
        """The probability with which the runs with random priorities find a bug; empty if it holds for none of them."""
        size = self.size
        if not self.bounded:
            return ''
        return (
            f'runs with random priorities: {self.bounded:,}; each finds a bug of depth {DEPTH} with a probability of '
            f'at least 1/{size.odds(DEPTH):,} (lines of events: {size.lines}, steps: {size.steps}, choices at a step: '
            f'{size.choices})'
        )
