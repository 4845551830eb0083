"""Laws of the search: whatever it spares, it finds what all orders show, and counts all of them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from genflow import ActivityProxy, Retry, Signal, TaskFailed, WorkflowProxy, any_of
from genflow.testing.explorer.exploration import Exploration
from genflow.testing.explorer.judging.judges import judged
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.explorer.searching.budget import Budget
from genflow.testing.explorer.searching.search import Search
from tests.profile import examples
from tests.testing.planted import Desk

MOST = 150
"""The orders of a program that a law plays one by one."""


@frozen
class Tried:
    """What the orders of a program show.

    Attributes:
        orders: How many there are.
        shown: For each end: how the execution closed, its result, what the judges say, and what happened.
    """

    orders: int
    shown: frozenset[Any]


def what_it_shows(exploration, run):
    verdict = judged(run, exploration.first, exploration.without, exploration.check)
    closed = run.closed
    happened = Counter(
        (step.verb, re.sub(r'#\d+', '', step.name), step.outcome.partition(',')[0])  # only the code tells kinds apart
        for step in run.steps
        if step.verb in ('end', 'signal', 'cancel')
    )
    ended = ('open', None, None) if closed is None else (closed.how, closed.result, closed.reason)
    return *ended, None if verdict is None else verdict.judge, frozenset(happened.items())


def one_by_one(exploration, setup, faults):
    """Plays each order from the beginning; ``None`` if there are too many."""
    shown = set()
    choices: list[int] = []
    for orders in range(1, MOST + 1):
        exploration.memory.restore()
        run = Simulation(setup)
        made = []
        while actions := run.actions(faults - run.spent):
            place = choices[len(made)] if len(actions) > 1 and len(made) < len(choices) else 0
            if len(actions) > 1:
                made.append((place, len(actions)))
            run.take(actions[place])
        shown.add(what_it_shows(exploration, run))
        run.close()
        while made and made[-1][0] + 1 == made[-1][1]:
            made.pop()
        if not made:
            return Tried(orders, frozenset(shown))
        choices = [place for place, _ in made]
        choices[-1] += 1
    return None


def searched(exploration, setup, faults):
    """What the search makes of it."""
    shown = set()

    def judge(run):
        shown.add(what_it_shows(exploration, run))
        return True

    search = Search(setup, exploration.memory, faults)
    search.run(Budget(10 * MOST), judge)
    assert search.complete
    return Tried(search.orders(), frozenset(shown))


def both(workflow, *args, faults=0, **options):
    """The orders of a program one by one, and as the search tries them."""
    named = {name: options.pop(name) for name in ('check', 'always', 'signals') if name in options}
    exploration = Exploration.of(workflow, args, {}, options, **named)
    setup = exploration.setup if faults else evolve(exploration.setup, faults=False, extra={}, variants={})
    plain = one_by_one(exploration, setup, faults)
    return plain, None if plain is None else searched(exploration, setup, faults)


class Program(Desk):
    """What a program says: branches, each a list of steps, on state that some of them share."""

    child = WorkflowProxy('Child', '1', retry=0)
    again = ActivityProxy('Again', '1', retry=1)
    short = ActivityProxy('Short', '1', retry=0, start_to_close=5)
    go = Signal()

    def run(self, programs, ending):
        self.log, self.total, self.box, self.ready = [], 0, {}, 0
        shared = []
        found = yield [self.branch(name, program, shared) for name, program in enumerate(programs)]
        if ending == 'reads':
            yield self.read(9)
        elif ending == 'drains':
            found.append(self.go.drain())
        elif ending == 'lists':
            yield [self.read(8), self.own(7)]
        return [found, self.total, self.log, shared]

    def branch(self, name, program, shared):
        own = []
        for step in program:
            try:
                own.append((yield from getattr(self, step)(name, shared)))
            except TaskFailed as error:
                own.append(type(error).__name__)
        return own

    def same(self, name, shared):
        yield self.read(0)

    def named(self, name, shared):
        return (yield self.read(name))

    def own(self, name, shared=None):
        """Has a local that only it sees."""
        before = yield self.read(name)
        after = yield self.read(name + 10)
        return [before, after]

    def tried(self, name, shared):
        return (yield self.again(0))

    def in_time(self, name, shared):
        return (yield self.short(name))

    def starts(self, name, shared):
        return (yield self.child())

    def waits(self, name, shared):
        yield self.sleep(5)

    def waits_longer(self, name, shared):
        yield self.sleep(5 + name)

    def adds(self, name, shared):
        seen = self.total
        yield self.write(0)
        self.total = seen + 1

    def notes(self, name, shared):
        yield self.write(name)
        self.log.append(name)

    def shares(self, name, shared):
        yield self.write(name)
        shared.append(name)

    def puts(self, name, shared):
        yield self.write(name)
        self.box[name] = 1

    def looks(self, name, shared):
        yield self.read(name)
        return [self.total, len(self.log), len(shared)]

    def hears(self, name, shared):
        return (yield self.go.get().timeout(9))

    def peeks(self, name, shared):
        yield self.read(name)
        return len(self.go)

    def throws_away(self, name, shared):
        yield self.read(name)
        self.go.drain()

    def races(self, name, shared):
        work = self.read(name)
        winner = yield any_of(work, self.read(name + 1))
        return winner is work

    def draws(self, name, shared):
        yield self.read(0)
        return self.random.random() < 0.5

    def gives_up(self, name, shared):
        work = self.read(name)
        yield self.write(name)
        work.cancel()

    def forgets(self, name, shared):
        self.spawn(self.notes(name, shared))
        yield self.read(name)

    def nested(self, name, shared):
        return (yield [self.read(name), self.read(name + 1)])

    def until_both(self, name, shared):
        self.ready += 1
        yield self.until(lambda: self.ready > 1 or self.log).timeout(9)

    def fails(self, name, shared):
        yield self.read(name)
        raise ValueError(name)


STEPS = st.sampled_from(
    [
        name
        for name, value in vars(Program).items()
        if callable(value) and not name.startswith('_') and name not in ('run', 'branch', 'child', 'again', 'short')
    ]
)
PROGRAMS = st.one_of(
    st.lists(st.lists(STEPS, min_size=1, max_size=2), min_size=2, max_size=2),
    st.lists(st.lists(STEPS, min_size=1, max_size=1), min_size=2, max_size=3),
)


def counted():
    """A stub that remembers."""
    seen = []

    def read(number):
        seen.append(number)
        return len(seen)

    return read


@pytest.mark.parametrize(
    ('programs', 'ending', 'faults'),
    [
        ([['throws_away'], ['same']], 'drains', 0),
        ([['same'], ['throws_away']], 'drains', 0),
        ([['throws_away'], ['throws_away']], 'drains', 0),
        ([['hears'], ['named']], 'drains', 0),
        ([['peeks'], ['throws_away']], 'reads', 0),
        ([['waits_longer'], ['adds']], 'reads', 0),
        ([['waits', 'named'], ['waits_longer']], 'reads', 0),
        ([['waits'], ['same', 'waits_longer']], 'ends', 0),
        ([['same', 'waits'], ['same', 'waits_longer']], 'ends', 0),
        ([['shares'], ['shares']], 'reads', 0),
        ([['looks'], ['shares'], ['same']], 'ends', 0),
        ([['adds'], ['adds']], 'lists', 0),
        ([['own'], ['own']], 'lists', 0),
        ([['nested'], ['own']], 'ends', 0),
        ([['starts'], ['own']], 'reads', 0),
        ([['until_both'], ['until_both']], 'ends', 0),
        ([['forgets'], ['notes']], 'reads', 0),
        ([['forgets'], ['forgets']], 'ends', 0),
        ([['gives_up'], ['same']], 'ends', 0),
        ([['fails'], ['named']], 'ends', 0),
        ([['draws'], ['draws']], 'reads', 0),
        ([['tried'], ['same']], 'ends', 1),
        ([['in_time'], ['in_time']], 'ends', 1),
    ],
    ids=str,
)
@pytest.mark.parametrize('options', [{}, {'read': counted()}], ids=['plain', 'model'])
def test_the_search_shows_what_all_orders_of_these_programs_show(programs, ending, faults, options, monkeypatch):
    """Each has states that differ in one thing alone."""
    monkeypatch.setattr(f'{__name__}.MOST', 700)
    plain, spared = both(Program, programs, ending, faults=faults, signals={'go': ['x']}, **options)
    assert plain is not None
    assert spared.orders == plain.orders
    assert spared.shown == plain.shown


class AlmostAlike(Program):
    """Comes by several ways to states that differ in one thing alone, from which there are not as many orders."""

    thrice = ActivityProxy('Thrice', '1', retry=Retry(3, initial_interval=0, jitter=0))

    def run(self, programs, ending):
        found = yield from super().run(programs, ending)
        if ending == 'asks':
            found.append((yield self.charge(0)))
        elif ending == 'hears':
            found.append(self.signal('other').drain())
        if found[-1] in (0, ['x']):
            yield [self.write(1), self.write(2)]
        return found

    def is_first(self, name, shared):
        """The first branch goes on if it comes here before the other one."""
        if not self.total and not name:
            yield [self.same(name, shared), self.same(name, shared)]
        self.total = 1

    def drains_other(self, name, shared):
        yield self.read(name)
        self.signal('other').drain()

    def sleeps_twice(self, name, shared):
        yield self.sleep(5)
        yield self.sleep(5)
        yield from self.is_first(name, shared)

    def sleeps_after(self, name, shared):
        yield self.read(name)
        yield self.sleep(7)
        yield from self.is_first(name, shared)

    def tries(self, name, shared):
        return (yield self.thrice(0))

    def tries_first(self, name, shared):
        try:
            yield self.thrice(0)
        finally:
            yield from self.is_first(name, shared)

    def writes_first(self, name, shared):
        yield self.write(name)
        yield from self.is_first(name, shared)


def failing(_):
    raise ValueError('no')


def latest():
    """Stubs, one of which remembers what the other was asked for last."""
    last = [None]

    def read(number):
        last[0] = number

    return {'read': read, 'charge': lambda _: last[0]}


LEFT_OUT = {
    'the mailbox': ([['drains_other'], ['same']], 'hears', 0, {'signals': {'other': ['x']}}),
    'the mailbox of parts': (
        [['drains_other'], ['named', 'named'], ['notes']],
        'hears',
        0,
        {'signals': {'other': ['x']}},
    ),
    'the dues': ([['sleeps_twice'], ['sleeps_after']], 'ends', 0, {'signals': {'go': ['x']}}),
    'the attempts': ([['tries_first'], ['tries_first']], 'ends', 0, {'thrice': failing}),
    'the memory of stubs': ([['named'], ['named'], ['adds']], 'asks', 0, {**latest(), 'signals': {'go': ['x']}}),
    'the unseen events': ([['writes_first'], ['writes_first']], 'ends', 2, {'write': 1, 'read': 1}),
}


@pytest.mark.thorough
def test_states_that_differ_in_which_call_is_faulty_are_not_taken_for_one(monkeypatch):
    """Likewise; there are many orders."""
    monkeypatch.setattr(f'{__name__}.MOST', 1_500)
    plain, spared = both(AlmostAlike, [['tries'], ['tries']], 'ends', faults=1, signals={}, thrice=failing)
    assert plain is not None
    assert spared == plain


@pytest.mark.parametrize(('programs', 'ending', 'faults', 'options'), LEFT_OUT.values(), ids=LEFT_OUT)
def test_states_that_differ_in_one_thing_are_not_taken_for_one(programs, ending, faults, options, monkeypatch):
    """Each is red if this thing is left out of the hash of a state."""
    monkeypatch.setattr(f'{__name__}.MOST', 1_500)
    plain, spared = both(AlmostAlike, programs, ending, faults=faults, **{'signals': {}, **options})
    assert plain is not None
    assert spared == plain


BOARD: list[int] = []


class Beside(Program):
    """Its branches see one another by what none of their objects holds."""

    named_child = WorkflowProxy('Child', '1', retry=0, workflow_id='same')
    board: list[int] = []  # noqa: RUF012 - shared by intention

    def run(self, programs, ending):
        self.answer = int
        found = yield from super().run(programs, ending)
        return [*found, self.answer()]

    def starts_same(self, name, shared):
        yield self.read(name)
        return (yield self.named_child())

    def cancels_same(self, name, shared):
        yield self.read(name)
        yield self.external('same').cancel()

    def keeps_default(self, name, shared):
        yield self.read(name)
        self.answer = lambda value=self.total: value

    def drops(self, name, shared):
        yield self.read(name)
        if self.total:
            self.notes(name, shared)

    def pins(self, name, shared):
        yield self.read(name)
        self.board.append(name)
        yield self.read(name)
        self.board.clear()

    def reads_board(self, name, shared):
        yield self.write(name)
        seen = len(self.board)
        yield self.write(name)
        return seen

    def pins_globally(self, name, shared):
        yield self.read(name)
        BOARD.append(name)
        yield self.read(name)
        BOARD.clear()

    def reads_globally(self, name, shared):
        yield self.write(name)
        seen = len(BOARD)
        yield self.write(name)
        return seen

    def raises(self, name, shared):
        yield self.read(name)
        self.total = 1
        yield self.read(name)

    def lowers(self, name, shared):
        yield self.write(name)
        self.total = 0
        yield self.write(name)


class Handed(Program):
    """Branches that know one another, though the code that waits for them does not."""

    def run(self, programs, ending):
        self.total = 0
        found = yield self.pair()
        yield [self.read(8), self.own(7)]
        return found

    def pair(self):
        first = self.spawn(self.own(1))
        return [first, self.looks_at(first)]

    def looks_at(self, task):
        yield self.read(2)
        seen = task.done()
        yield self.write(2)
        return seen


class Counting(Program):
    """Sees how much has happened in other branches."""

    def asks(self, name, shared):
        yield self.read(name)
        length = self.info.history_length
        yield self.write(name)
        return length


@pytest.mark.parametrize(
    ('workflow', 'programs', 'ending'),
    [
        (Beside, [['starts_same'], ['starts_same'], ['own']], 'ends'),
        (Beside, [['cancels_same'], ['starts_same'], ['named']], 'reads'),
        (Beside, [['keeps_default'], ['adds']], 'lists'),
        (Beside, [['drops'], ['adds']], 'lists'),
        (Beside, [['pins'], ['reads_board']], 'ends'),
        (Beside, [['pins_globally'], ['reads_globally']], 'ends'),
        (Beside, [['raises'], ['lowers', 'adds']], 'ends'),
        (Handed, [], 'lists'),
        (Counting, [['asks'], ['own']], 'ends'),
    ],
    ids=lambda value: getattr(value, '__name__', str(value)),
)
def test_the_search_shows_what_all_orders_show_of_branches_that_meet_outside_of_their_objects(
    workflow, programs, ending, monkeypatch
):
    monkeypatch.setattr(f'{__name__}.MOST', 700)
    plain, spared = both(workflow, programs, ending)
    assert plain is not None
    assert len(plain.shown) > 1
    assert spared.orders == plain.orders
    assert spared.shown == plain.shown


@seed(18)
@settings(
    max_examples=examples(30, 200, 10),
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    PROGRAMS,
    st.sampled_from(['ends', 'reads', 'drains', 'lists']),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([{}, {}, {'read': 'x'}, {'read': counted()}, {'check': lambda calls: len(calls) % 2}]),
)
def test_the_search_shows_what_all_orders_show(programs, ending, faults, options):
    plain, spared = both(Program, programs, ending, faults=faults, signals={'go': ['x']}, **options)
    assume(plain is not None)
    assert spared.orders == plain.orders
    assert spared.shown == plain.shown
