"""What the explorer does where not all orders fit: few deviations first, then random priorities, then random walks."""

from __future__ import annotations

import math
import operator
import time
from collections import Counter
from fractions import Fraction
from itertools import groupby, permutations, product
from random import Random

import pytest
from attrs import evolve

from genflow import ActivityProxy, Workflow
from genflow.testing import explore
from genflow.testing.explorer.exploration import Exploration
from genflow.testing.explorer.searching.budget import Budget
from genflow.testing.explorer.searching.chance import Chance, Size, play_with_priorities
from genflow.testing.explorer.searching.search import Search


class LinesOfSteps(Workflow):
    """Lines of activities, each after the one before; the code sees the order of all of them."""

    a, b, c = (ActivityProxy(name=name, version='v1') for name in 'ABC')

    def run(self, lines, steps):
        self.order = []
        yield [self.line(name, steps) for name in 'abc'[:lines]]
        return ''.join(self.order)

    def line(self, name, steps):
        for _ in range(steps):
            yield getattr(self, name)()
            self.order.append(name)


def exploration_of(lines, steps, **setup):
    exploration = Exploration.of(LinesOfSteps, (lines, steps), {}, {})
    return evolve(exploration.setup, extra={}, **setup), exploration.memory


class Draws:
    """A source of chance that gives what it was made with: priorities, and the steps at which they change."""

    def __init__(self, priorities, places):
        self.random = iter([0, *priorities]).__next__  # the first is that of decisions
        self.sample = lambda steps, count: places
        self.choice = operator.itemgetter(0)


def orders(lines, steps, depth):
    """The order of events for each draw, all of which are as likely as one another, and the size of the runs."""
    setup, memory = exploration_of(lines, steps, faults=False)
    found, size, length = [], Size(), lines * steps
    for priorities, places in product(permutations(range(lines)), permutations(range(length), depth - 1)):
        run, now = play_with_priorities(setup, memory, 0, Draws(priorities, places), steps=length, depth=depth)
        found.append([step.name for step in run.steps if step.verb == 'end'])
        size = size.union(now)
        run.close()
    return found, size


def probability(found, *events):
    """With which probability events come in this order."""
    return Fraction(sum(sorted(events, key=order.index) == list(events) for order in found), len(found))


def test_runs_have_the_lines_and_the_steps_of_the_program():
    found, size = orders(3, 4, 1)
    assert size == Size(lines=3, steps=12, choices=1)
    assert size.odds(3) == 3 * 12**2
    assert all(len(order) == 12 for order in found)


def test_an_event_that_two_lines_wait_for_goes_on_with_one_of_them():
    class Join(LinesOfSteps):
        def run(self):
            yield [self.a(), self.b()]
            yield [self.a(), self.b(), self.c()]

    exploration = Exploration.of(Join, (), {}, {})
    setup = evolve(exploration.setup, extra={}, faults=False)
    _, size = play_with_priorities(setup, exploration.memory, 0, Random(0), steps=5)
    assert size == Size(lines=4, steps=5, choices=1)


@pytest.mark.parametrize(('lines', 'steps'), [(2, 3), (3, 2), (3, 3)])
def test_bugs_of_depth_two_are_found_with_the_probability_of_the_bound(lines, steps):
    """Any event of another line comes between any two neighbours of a line."""
    found, size = orders(lines, steps, 2)
    for one, other in permutations('ABC'[:lines], 2):
        for place, event in product(range(1, steps), range(1, steps + 1)):
            between = f'{one}#{place}', f'{other}#{event}', f'{one}#{place + 1}'
            assert probability(found, *between) >= Fraction(1, size.odds(2)), between


@pytest.mark.parametrize(('lines', 'steps'), [(2, 3), (3, 2)])
def test_bugs_of_depth_three_are_found_with_the_probability_of_the_bound(lines, steps):
    """Two neighbours of a line and two of another one come by turns."""
    found, size = orders(lines, steps, 3)
    for one, other in permutations('ABC'[:lines], 2):
        for place, event in product(range(1, steps), range(1, steps)):
            turns = f'{one}#{place}', f'{other}#{event}', f'{one}#{place + 1}', f'{other}#{event + 1}'
            assert probability(found, *turns) >= Fraction(1, size.odds(3)), turns


def test_a_line_that_yields_later_may_go_on_earlier():
    found, _ = orders(3, 2, 3)
    for one, other, third in permutations('ABC'):
        nested = f'{one}#1', f'{other}#1', f'{third}#1', f'{other}#2', f'{one}#2'
        assert probability(found, *nested) == Fraction(1, math.factorial(3) * 6 * 5), nested


def test_a_planted_bug_of_depth_two_is_found_as_often_as_the_bound_has_it():
    setup, memory = exploration_of(3, 3, faults=False)
    chance, found, runs = Chance(setup, memory, 0, Random(5)), 0, 500
    for run in chance.with_priorities(Budget(runs)):
        names = [step.name for step in run.steps if step.verb == 'end']
        found += names.index('B#2') < names.index('C#3') < names.index('B#3')
        run.close()
    assert found >= runs / chance.size.odds(2)


def test_faults_are_found_as_often_as_the_bound_has_it():
    """A fault is one of the changes, so that a bug which needs one in a single order is of depth two."""
    setup, memory = exploration_of(2, 2)
    random, found, size = Random(3), Counter(), Size()
    runs = 1_500
    for _ in range(runs):
        run, now = play_with_priorities(setup, memory, 1, random, steps=max(8, size.steps), depth=2)
        size = size.union(now)
        found.update(step.label for step in run.steps if step.cost)
        run.close()
    needed = [f'end {name}#{number} {how}' for name in 'AB' for number in (1, 2) for how in ('failed', 'timed out')]
    for label in (*needed, 'cancel', 'evict'):
        assert found[label] >= runs / size.odds(2), label


def test_the_printed_bound_is_that_of_the_runs_whose_changes_may_be_at_any_step():
    setup, memory = exploration_of(3, 3, faults=False)
    chance = Chance(setup, memory, 0, Random(1))
    for run in chance.with_priorities(Budget(50)):
        run.close()
    assert chance.bounded == 49  # of the first one, the length was not known
    assert chance.bound() == (
        'runs with random priorities: 49; each finds a bug of depth 3 with a probability of at least 1/243 '
        '(lines of events: 3, steps: 9, choices at a step: 1)'
    )


def test_orders_with_few_deviations_come_first():
    setup, memory = exploration_of(2, 4, faults=False)
    depths = []
    search = Search(setup, memory, 0)
    assert search.run(Budget(500), lambda run: depths.append(search.depth) or True)
    assert depths == sorted(depths)
    assert [depth for depth, _ in groupby(depths)][:4] == [0, 1, 2, 3]


def test_each_stage_has_its_share_of_the_budget():
    report = explore(LinesOfSteps, 3, 4, budget=500)
    assert report.partial is not None
    rest = report.runs - sum(report.stages.values())  # of the levels that were complete
    assert report.runs == 500
    assert list(report.stages) == ['search', 'priorities', 'walks']
    left = (500 - rest) * 0.4
    assert abs(report.stages['priorities'] - left / 2) <= 1
    assert abs(report.stages['walks'] - left / 2) <= 1
    assert f'; random walks: {report.stages["walks"]}\n' in str(report)
    assert report.to_json()['stages'] == report.stages
    assert 'fewer than 1 deviation from first in first out were\n' in str(evolve(report, depth=1))


def test_the_other_jobs_try_random_orders_alone():
    exploration = Exploration.of(LinesOfSteps, (3, 4), {}, {})
    report = exploration.run(Budget(40), 1, 0, part='chance')
    assert (report.runs, report.stages) == (40, {'priorities': 20, 'walks': 20})


def test_the_first_of_several_jobs_tries_what_one_alone_would_try_in_turn():
    one, first = (Exploration.of(LinesOfSteps, (3, 4), {}, {}) for _ in range(2))
    whole, search = one.run(Budget(500), 1, 0), first.run(Budget(500), 1, 0, part='search')
    assert search.stages == {'search': whole.stages['search']}
    assert search.runs == whole.runs - whole.stages['priorities'] - whole.stages['walks']
    assert (search.complete, search.partial, search.depth) == (whole.complete, whole.partial, whole.depth)


def test_a_search_that_is_near_its_end_goes_on_beyond_its_share():
    setup, memory = exploration_of(2, 2)
    whole = Search(setup, memory, 1)
    everything = Budget(5_000)
    assert whole.run(everything, lambda run: True)
    assert whole.complete
    needed = everything.used
    budget = Budget(needed + 1)
    share = budget.share(0.6)
    search = Search(setup, memory, 1)
    assert search.run(share, lambda run: True)
    assert search.complete
    assert share.runs < needed == share.used == budget.used


@pytest.mark.parametrize('limits', [{'runs': 100}, {'runs': 1_000_000, 'until': 0.0}])
def test_a_search_that_does_not_fit_leaves_the_rest_to_chance(limits):
    setup, memory = exploration_of(3, 3)
    budget = Budget(**limits)
    share = budget.share(0.6)
    search = Search(setup, memory, 2)
    assert search.run(share, lambda run: True)
    assert not search.complete
    assert share.used == (0 if budget.until is not None else 60)


def test_a_share_is_exceeded_as_far_as_the_time_allows():
    now = time.monotonic()
    budget = Budget(100, now + 1_000)
    share = evolve(budget.share(0.5), begun=now - 1_000, used=10)  # 100 seconds for each
    assert share.may_exceed(9)
    assert not share.may_exceed(11)
    assert not share.may_exceed(101)
