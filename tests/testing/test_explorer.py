"""Explorations: planted bugs are found and made small, code without bugs passes, and schedules play again."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import json
import logging
import math
import random
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar

import attrs
import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from genflow import (
    ActivityProxy,
    Canceled,
    LambdaProxy,
    Saga,
    Signal,
    TaskFailed,
    TaskTimeout,
    Workflow,
    WorkflowCanceled,
    WorkflowProxy,
    activity,
    all_of,
    any_of,
    query,
    update,
)
from genflow.core.model import registry
from genflow.testing import ExplorationFailed, History, Script, TimeOut, explore
from genflow.testing.explorer.inputs.samples import argument_samples, signal_samples
from genflow.testing.explorer.playing.schedules import read_schedule, schedule_id
from genflow.testing.explorer.searching import search
from genflow.testing.replayer import replay
from genflow.tools.targets.target import load
from tests.core.programs import PROGRAMS, Interpreter
from tests.profile import examples
from tests.testing.planted import PLANTED, Bank, Desk, LostAtRestart, LostUpdate, NobodyTakes, OrderDependentMerge
from tests.testing.planted_races import (
    KNOWN,
    RACES,
    AllUndosFirst,
    CachedInTheModule,
    ChangedWhileIterated,
    CopiedAndIterated,
)


@pytest.mark.parametrize('planted', [*PLANTED, *RACES], ids=lambda planted: planted.workflow.__name__)
def test_a_planted_bug_is_found_and_made_small(planted):
    random.seed(0)  # one of the planted bugs tosses a coin, and how small it gets depends on the tosses
    with pytest.raises(ExplorationFailed) as caught:
        explore(planted.workflow, *planted.args, **planted.options)
    finding = caught.value.finding
    assert finding.verdict.judge == planted.judge
    assert finding.events <= planted.events + 1
    assert finding.found_after <= 300


@pytest.mark.parametrize('race', RACES, ids=lambda race: race.twin.__name__)
def test_the_twin_of_a_race_that_does_it_right_raises_no_alarm(race):
    assert explore(race.twin, *race.args, budget=200, **race.options).ok


@pytest.mark.thorough
@pytest.mark.parametrize('planted', PLANTED, ids=lambda planted: planted.workflow.__name__)
def test_its_schedule_plays_it_again(planted):
    with pytest.raises(ExplorationFailed) as caught:
        explore(planted.workflow, *planted.args, **planted.options)
    with pytest.raises(ExplorationFailed) as again:
        explore(planted.workflow, *planted.args, schedule=caught.value.schedule, **planted.options)
    if planted.judge == 'replay':  # code that is not deterministic need not do the same again
        assert again.value.finding.verdict.judge == 'replay'
    else:
        assert again.value.story == caught.value.story


@pytest.mark.parametrize(
    'planted',
    [one for one in [*PLANTED, *RACES] if one.judge != 'replay'],
    ids=lambda planted: planted.workflow.__name__,
)
def test_its_history_is_what_its_code_makes(planted):
    """Pasted into a test, the code makes the history, with the workflow's own decisions."""
    with pytest.raises(ExplorationFailed) as caught:
        explore(planted.workflow, *planted.args, **planted.options)
    if planted.judge in ('stall', 'always'):  # its last decision cannot be made
        return
    names = {'History': History, planted.workflow.__name__: planted.workflow}
    made = eval(caught.value.finding.code, names)  # noqa: S307 - made by this test
    assert shown(made) == shown(caught.value.history)


def shown(history):
    return [event['eventType'] for event in history.events]


class Refused(Desk):
    child = WorkflowProxy('Child', '1', retry=0)
    f = LambdaProxy('f', retry=0)

    def run(self):
        try:
            yield [self.read(1), self.sleep(5), self.child.with_options(workflow_id='kid')(), self.f()]
        except TaskFailed as error:
            self.reason = error.reason
        return 'done'


@pytest.mark.parametrize(
    ('choice', 'event'),
    [
        ('refuse activity', 'ScheduleActivityTaskFailed'),
        ('refuse timer', 'StartTimerFailed'),
        ('refuse child', 'StartChildWorkflowExecutionFailed'),
        ('refuse lambda', 'ScheduleLambdaFunctionFailed'),
        ('refuse activity, of a type that SWF does not know,', 'ScheduleActivityTaskFailed'),
        ('refuse child, since one of its id is open,', 'StartChildWorkflowExecutionFailed'),
    ],
)
def test_a_refusal_stands_in_the_history_of_a_story(choice, event):
    with pytest.raises(ExplorationFailed) as caught:
        explore(Refused, check=lambda: False, schedule=schedule_id([choice]))
    assert 'SWF refuses the next' in caught.value.story
    history = caught.value.history
    assert event in [one['eventType'] for one in history.events]
    assert replay(history, Refused).events == len(history.events)


def test_a_refused_close_stands_in_the_history_of_a_story():
    class Closing(Desk):
        go = Signal()

        def run(self):
            yield self.read(1)

    schedule = schedule_id(['end Read#1 completed', 'during signal go'])
    with pytest.raises(ExplorationFailed) as caught:
        explore(Closing, go=[1], check=lambda: False, schedule=schedule)
    assert 'CompleteWorkflowExecutionFailed' in [one['eventType'] for one in caught.value.history.events]


class Chains(Workflow):
    """Two chains of activities side by side."""

    left = ActivityProxy('Left', '1', retry=0)
    right = ActivityProxy('Right', '1', retry=0)

    def run(self, count):
        yield [self.chain(self.left, count), self.chain(self.right, count)]
        return 'done'

    def chain(self, call, count):
        for _ in [None] * count:
            yield call()


@pytest.mark.parametrize('count', [1, 2, 5])
def test_all_orders_of_two_chains_are_counted(count):
    report = explore(Chains, count, faults=0)
    assert report.complete == {0: math.comb(2 * count, count)}  # ways to merge two sequences
    assert f'all {math.comb(2 * count, count):,} orders without faults hold' in str(report)


def test_equal_states_are_visited_once():
    report = explore(Chains, 5, faults=0)
    assert report.complete == {0: 252}
    assert report.runs <= 252 / 4


class Wide(Desk):
    """What a program says: stages, each a list of calls that are waited for in one of several ways."""

    child = WorkflowProxy('Child', '1', retry=0)
    go = Signal()

    def run(self, stages):
        self.seen = []
        for how, numbers in stages:
            self.seen.append((yield getattr(self, how)(numbers)))
        return self.seen

    def listed(self, numbers):
        return all_of(*[self.read(number) for number in numbers])

    def pairs(self, numbers):
        return {str(number): (self.child(number), self.read(number)) for number in numbers}

    def branches(self, numbers):
        return [self.branch(number) for number in numbers]

    def branch(self, number):
        before = len(self.seen)
        found = yield self.read(number)
        self.seen.append(number)
        return [before, found]

    def raced(self, numbers):
        return any_of(*[self.read(number) for number in numbers])

    def kept(self, numbers):
        self.tasks = [self.read(number) for number in numbers]
        return all_of(*self.tasks)

    def watched(self, numbers):
        tasks = [self.read(number) for number in numbers]
        self.spawn(self.watch(tasks))
        return all_of(*tasks)

    def watch(self, tasks):
        yield self.until(lambda: any(task.done() for task in tasks))
        self.seen.append([task.done() for task in tasks])

    def timed(self, numbers):
        return all_of(*[self.read(number) for number in numbers]).timeout(5)

    def signaled(self, numbers):
        return [self.go.get(), *[self.read(number) for number in numbers]]


STAGES = st.lists(
    st.tuples(
        st.sampled_from(('listed', 'pairs', 'branches', 'raced', 'kept', 'watched', 'timed', 'signaled')),
        st.lists(st.integers(0, 2), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=2,
)


@seed(18)
@settings(
    max_examples=examples(40, 200, 10),
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(STAGES, st.sampled_from((None, 'plain', 'counted')))
def test_merged_orders_have_the_outcomes_of_all(stages, kind):
    """The search finds the same results, counts the same orders, and objects to the same with and without merging."""
    count = itertools.count()
    stubs = {'plain': {'read': [7], 'child': 'x'}, 'counted': {'read': lambda number: next(count) * 0 + number}}

    def outcome():
        options = {'faults': 0, 'budget': 500, **stubs.get(kind, {})}
        try:
            report = explore(Wide, [list(stage) for stage in stages], **options)
        except ExplorationFailed as failed:
            return failed.finding.verdict.judge
        assume(report.complete)  # else not all orders were tried
        return report.complete, set(report.results), set(report.endings), set(report.warnings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, 'alike', lambda run, actions: None)
        whole = outcome()
    assert outcome() == whole


class Branching(Desk):
    """Branches that share nothing, of steps that may go wrong."""

    charge = ActivityProxy('ChargeOfBranch', '1', retry=0)  # a type that no test registers

    def run(self, count, steps):
        return (yield [self.branch(name, steps) for name in range(count)])

    def branch(self, name, steps):
        own = []
        for step in range(steps):
            try:
                own.append((yield self.charge([name, step])))
            except TaskFailed as error:
                own.append(type(error).__name__)
        return own


@pytest.mark.parametrize('count', [2, 4, 10])
def test_branches_that_share_nothing_are_played_in_two_orders(count):
    """The second one shows that the step that was the last in the first one changes nothing that others see."""
    report = explore(Branching, count, 2, faults=0)
    orders = math.factorial(2 * count) // 2**count
    assert report.complete == {0: orders}
    assert report.runs == 2
    assert f'all {orders:,} orders without faults hold' in str(report)


@pytest.mark.parametrize(('steps', 'faults', 'orders', 'runs'), [(1, 1, 94, 62), (2, 1, 2_611, 221), (1, 2, 752, 521)])
def test_orders_with_faults_are_counted_without_playing_all_of_them(steps, faults, orders, runs):
    """The numbers of orders were counted by playing each of them."""
    report = explore(Branching, 3, steps, faults=faults)
    assert report.complete[faults] == orders
    assert report.runs <= runs


class Text(str):  # noqa: SLOT000 - it is here for its members
    """Has members, unlike a Word."""


class Items(list):
    """A list with a member."""


class OddError(Exception):
    """An error with a member."""

    def __init__(self, name):
        super().__init__()
        self.name = name


def items(name):
    made = Items()
    made.name = name
    return made


def held_by(value):
    return value.args[0] if isinstance(value, partial) else getattr(value, 'name', value)


@pytest.mark.parametrize(
    'values',
    [
        ('partial', lambda name: partial(int, name)),
        ('word', Text),
        ('list', items),
        ('error', OddError),
    ],
    ids=lambda values: values[0],
)
def test_states_differ_by_what_derived_objects_hold(values):
    """Objects of classes that are derived from C's types: their value counts as much as their members."""

    class Keeping(Desk):
        def keep(self, name):
            yield self.read(0)
            self.last = values[1](str(name))

        def run(self):
            yield [self.keep(0), self.keep(1)]
            yield any_of(self.read(2), self.write(3))  # a choice, at which the orders before it meet
            return str(held_by(self.last))

    assert set(explore(Keeping, faults=0).results) == {'"0"', '"1"'}


@pytest.mark.parametrize('keep', [int, float, lambda value: [value], lambda value: {value}, lambda value: (value,)])
def test_states_differ_by_numbers_whose_hashes_are_the_same(keep):
    """Python has one hash for -1 and -2."""

    class Keeping(Desk):
        def keep(self, value):
            yield self.read(0)
            self.last = keep(value)

        def run(self):
            yield [self.keep(-1), self.keep(-2)]
            yield any_of(self.read(2), self.write(3))  # a choice, at which the orders before it meet
            return str(self.last)

    assert set(explore(Keeping, faults=0).results) == {f'"{keep(-1)}"', f'"{keep(-2)}"'}


def test_calls_of_a_list_are_played_in_one_order_and_counted_in_all():
    report = explore(Wide, [['listed', list(range(10))], ['pairs', [1, 2]]], faults=0)
    orders = math.factorial(10) * math.factorial(6) // 4  # a child begins before it ends
    assert (report.runs, report.complete) == (1, {0: orders})
    assert f'all {orders:,} orders without faults hold, {orders - 1:,} of them equal to others' in str(report)


def test_calls_of_a_model_are_played_in_all_orders():
    bank = Bank()
    report = explore(Wide, [['listed', [1, 2, 3]]], read=bank.charge, faults=0, check=lambda: bank.charged)
    assert report.runs > 1


def test_states_differ_by_what_an_unfinished_expression_holds():
    class Mixed(Desk):
        def run(self):
            self.total = 0
            yield [self.slow(), self.quick()]
            return self.total

        def slow(self):
            yield self.read(1)
            self.total += yield self.read(2)

        def quick(self):
            yield self.read(3)
            self.total += 10

    report = explore(Mixed, read=lambda number: number, faults=0)
    assert set(report.results) == {'2', '12'}


@pytest.mark.parametrize('attribute', ['number', 'key', 'loop'])
def test_states_differ_by_attributes_named_like_members_of_the_engine(attribute):
    class Last:
        pass

    class Noting(Desk):
        def run(self, name):
            self.last = Last()
            yield [self.note(name, number) for number in range(5)]
            return (yield self.read(getattr(self.last, name)))

        def note(self, name, number):
            yield self.read(number)
            setattr(self.last, name, number)

    report, plain = (explore(Noting, name, read=str, faults=0) for name in (attribute, 'plain'))
    assert (report.runs, report.results) == (plain.runs, plain.results)


def test_a_result_that_depends_on_the_order_is_reported_and_no_failure():
    report = explore(OrderDependentMerge, read=str, faults=0)
    assert report.ok
    assert report.results == {'"12"': 1, '"21"': 1}
    assert 'the result depends on the order' in str(report)


def test_the_history_of_a_finding_follows_the_code():
    with pytest.raises(ExplorationFailed) as caught:
        explore(NobodyTakes)
    history = caught.value.history
    assert isinstance(history, History)
    assert history.closed == 'WorkflowExecutionFailed'
    assert replay(history, NobodyTakes).events == len(history.events)
    assert caught.value.finding.code.startswith('(\n    History(NobodyTakes)\n    .decision_started()')


def test_a_story_names_the_lines_at_which_branches_stand():
    with pytest.raises(ExplorationFailed) as caught:
        explore(LostUpdate, read=lambda number: number, check=lambda result: result == 3)
    line = LostUpdate.add.__code__.co_firstlineno + 1
    assert f'planted.py:{line} in add waits for activity 1 Read 1' in caught.value.story
    assert 'Read#1: answered' in caught.value.story


def test_models_are_put_back_before_each_run_and_at_the_end():
    bank = Bank()

    class Paid(Desk):
        def run(self, order):
            return (yield self.charge(order))

    explore(Paid, 7, charge=bank.charge, check=lambda result: bank.charged == [7], faults=1)
    assert bank.charged == []
    with pytest.raises(ExplorationFailed):
        explore(Paid, 7, charge=bank.charge, check=lambda: not bank.charged)
    assert bank.charged == []


def test_counters_of_stubs_are_put_back_before_each_run_and_at_the_end():
    charged = 0

    class Paid(Desk):
        def run(self, order):
            return (yield self.charge(order))

    def charge(order):
        global ASKED  # noqa: PLW0603 - what the test is about
        nonlocal charged
        charged += 1
        ASKED += 1
        return charged, ASKED

    assert explore(Paid, 7, charge=charge, check=lambda result: result == [1, 1], faults=1).ok
    assert (charged, ASKED) == (0, 0)


ASKED = 0


class Register:
    """Counts at the object, at the class, and in what belongs to the class."""

    counted, seen = 0, []

    def __init__(self):
        self.lock, self.number = threading.Lock(), 0

    def own(self, _):
        with self.lock:
            self.number += 1
        return self.number

    def of_class(self, _):
        type(self).counted += 1
        return self.counted

    def listed(self, _):
        self.seen.append(1)
        return len(self.seen)

    @classmethod
    def of_itself(cls, _):
        cls.new = getattr(cls, 'new', 0) + 1
        return cls.new

    def __call__(self, _):
        return self.of_class(_)


@attrs.define
class Slotted:
    number: int = 0

    def own(self, _):
        self.number += 1
        return self.number


@attrs.define(eq=False)
class Shop:
    register: Register = attrs.field(factory=Register)

    def ship(self, _):
        return self.register.number


def asked_by_another():
    global ASKED  # noqa: PLW0603 - as above
    ASKED += 1
    return ASKED


def around():
    numbers = Counter()

    def one(n):
        numbers['all'] += 1
        return numbers['all'] if n else one(n)

    return one


def not_yet_bound():
    numbers = deque()

    def one(_):
        numbers.append(1)
        return len(numbers) if numbers else later

    if not_yet_bound is None:
        later = 5
    return one


def of_default(numbers, _):
    numbers['all'] += 1
    return numbers['all']


REMEMBERING = {
    'an object with a lock': lambda: Register().own,
    'a class': lambda: Register().of_class,
    'a list of a class': lambda: Register().listed,
    'a classmethod': lambda: Register.of_itself,
    'a callable': Register,
    'slots': lambda: Slotted().own,
    'another function': lambda: lambda _: asked_by_another(),
    'a Counter, and a function that calls itself': around,
    'a deque, and a name that is not bound': not_yet_bound,
    'a partial': lambda: partial(of_default, defaultdict(int)),
}


@pytest.mark.parametrize('made', REMEMBERING.values(), ids=REMEMBERING)
def test_what_a_stub_remembers_is_put_back_wherever_it_is(made):
    class Charges(Desk):
        def run(self, order):
            return (yield self.charge(order))

    stub = made()
    for _ in range(2):
        assert explore(Charges, 7, charge=stub, faults=1).results == {'1': 2}


def test_objects_of_stubs_that_know_each_other_still_do_after_they_are_put_back():
    class Ships(Desk):
        def run(self, order):
            yield self.charge(order)
            return (yield self.ship(order))

    shop = Shop()
    register = shop.register
    report = explore(Ships, 7, charge=register.own, ship=shop.ship, check=lambda result: result == register.number)
    assert report.ok
    assert set(report.results) == {'1'}
    assert shop.register is register


def test_a_script_of_methods_still_has_their_objects():
    class Charges(Desk):
        def run(self, order):
            return (yield self.charge(order))

    register = Register()
    charge = Script(register.own)
    assert explore(Charges, 7, charge=charge, check=lambda result: result == register.number, faults=0).ok
    assert charge.stubs[0].__self__ is register


def test_loggers_that_stubs_use_stay_what_they_are():
    logger = logging.getLogger('genflow_tests.of_a_stub')
    belongs_to = logger.manager

    class Charges(Desk):
        def run(self, order):
            return (yield self.charge(order))

    def charge(_):
        logger.debug('charged')

    assert explore(Charges, 7, charge=charge, faults=1).ok
    assert logger.manager is belongs_to


def test_orders_that_leave_other_counters_behind_are_not_taken_for_one():
    last = 0

    class Asks(Desk):
        def run(self):
            yield [self.read(1), self.read(2)]
            return (yield self.write(0))

    def read(number):
        nonlocal last
        last = number

    assert set(explore(Asks, read=read, write=lambda _: last, faults=0).results) == {'1', '2'}


class Tally:
    total = 0


COUNTED = 0


class CountsGlobally(Desk):
    def count(self):
        global COUNTED  # noqa: PLW0603 - as above
        COUNTED += 1
        return COUNTED


class CountsInItsClass(Desk):
    counted = 0

    def count(self):
        type(self).counted += 1
        return self.counted


class CountsInItsClassAnew(Desk):
    def count(self):
        type(self).seen = getattr(self, 'seen', 0) + 1
        return self.seen


class CountsElsewhere(Desk):
    def count(self):
        Tally.total += 1
        return Tally.total


def counts_around():
    counted = 0

    class CountsAround(Desk):
        def count(self):
            nonlocal counted
            counted += 1
            return counted

        def begun(self):
            return counted

    return CountsAround


COUNTING = {
    'global COUNTED': (CountsGlobally, 'COUNTED', lambda _: COUNTED == 0),
    'own class': (CountsInItsClass, 'CountsInItsClass.counted', lambda cls: cls.counted == 0),
    'new attribute': (CountsInItsClassAnew, 'CountsInItsClassAnew.seen', lambda cls: not hasattr(cls, 'seen')),
    'another class': (CountsElsewhere, 'Tally.total', lambda _: Tally.total == 0),
    'closure': (counts_around(), 'counted', lambda cls: cls().begun() == 0),
}


@pytest.mark.parametrize(('counting', 'name', 'is_as_before'), COUNTING.values(), ids=COUNTING)
def test_a_counter_that_executions_share_is_put_back(counting, name, is_as_before):
    class Metered(counting):
        def run(self):
            self.count()
            yield self.read(1)

    class Numbered(counting):
        def run(self):
            number = self.count()
            yield self.read(number)

    assert explore(Metered, faults=1).ok
    assert is_as_before(counting)
    assert not vars(Metered).keys() & {'counted', 'seen'}
    with pytest.raises(ExplorationFailed, match='the run changed what all executions of a process share: ') as caught:
        explore(Numbered, faults=1)
    assert caught.value.finding.verdict.judge == 'replay'
    assert name.replace(counting.__name__, 'Numbered') in str(caught.value)
    assert is_as_before(counting)


def test_a_cancellation_that_comes_too_late_may_be_answered_with_a_result():
    """What was committed stays committed: this code could not say anything else."""

    class Committed(Desk):
        def run(self):
            with self.shield():
                yield self.charge(1)
            try:
                yield self.sleep(1)
            except WorkflowCanceled:
                yield self.ship(1)
            return 'charged'

    assert explore(Committed, faults=1).ok


@pytest.mark.parametrize(('steps', 'holds'), [(2, True), pytest.param(100, False, marks=pytest.mark.thorough)])
def test_a_branch_may_go_on_after_a_cancellation_for_some_steps(steps, holds):
    class Beats(Desk):
        def run(self):
            self.spawn(self.beat())
            return (yield self.charge(1))

        def beat(self):
            for _ in range(steps):
                try:
                    yield self.write(1)
                except Canceled:
                    continue

    if holds:
        assert explore(Beats, faults=1, charge=None, write=None).ok
    else:
        with pytest.raises(ExplorationFailed, match='cancel: the execution was canceled and goes on'):
            explore(Beats, faults=1, charge=None, write=None)


def test_a_timer_never_fires_before_work_that_must_have_ended():
    class Patient(Workflow):
        work = ActivityProxy('Work', '1', schedule_to_close=60, retry=0)

        def run(self):
            work = self.work()
            winner = yield any_of(work, self.sleep(3600))
            return 'work' if winner is work else 'sleep'

    assert set(explore(Patient, faults=0).results) == {'"work"'}


def test_timers_fire_in_the_order_of_their_deadlines():
    class Clocks(Workflow):
        def run(self):
            long, short = self.sleep(20), self.sleep(10)
            winner = yield any_of(long, short)
            return 'short' if winner is short else 'long'

    report = explore(Clocks)
    assert set(report.results) == {'"short"'}


def test_stubs_say_how_a_call_ends():
    class Paid(Desk):
        def run(self, order):
            try:
                yield self.charge(order)
            except TaskFailed as error:
                return type(error).__name__

    assert set(explore(Paid, 7, charge=TimeOut(), faults=0).results) == {'"ActivityTimedOut"'}


def test_a_class_that_a_proxy_raises_is_a_choice():
    class Declined(Exception):
        pass

    class Paid(Workflow):
        charge = ActivityProxy('Charge', '1', raises=(Declined,), retry=0)

        def run(self):
            try:
                yield self.charge()
            except Declined:
                self.missing()

    with pytest.raises(ExplorationFailed, match="no attribute 'missing'"):
        explore(Paid)


def test_signals_arrive_at_any_time_and_in_any_order():
    class Meeting(Workflow):
        left = Signal()
        right = Signal()

        def run(self):
            first = yield any_of(self.left.get(), self.right.get())
            return first.name

    report = explore(Meeting, signals={'left': [None], 'right': [None]}, faults=0)
    assert set(report.results) == {'"left"', '"right"'}


class Color(Enum):
    RED = 'red'
    BLUE = 'blue'


@attrs.frozen
class Paint:
    color: Color
    litres: int | None = None


@dataclass
class Verdict:
    who: str
    approved: bool


@attrs.define
class Secret:
    _key: int
    ready: bool = attrs.field(alias='is_ready', default=False)
    made: int = attrs.field(init=False, default=0)


@dataclass
class Counted:
    size: int
    seen: int = dataclasses.field(init=False, default=0)


Item = TypeVar('Item')
Small = TypeVar('Small', int, str)
Number = NewType('Number', int)


@attrs.frozen
class Box(Generic[Item]):
    item: Item


class Place(NamedTuple):
    row: int
    name: str = 'x'


class Patch(TypedDict, total=False):
    size: int


class Tree(TypedDict):
    name: str
    kids: list[Tree]


class Odd(Enum):
    PAIR = (1, 2)
    WORD = 'word'


class Word(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ('hint', 'texts'),
    [
        (Any, ['null']),
        (bool, ['true', 'false']),
        (int, ['1', '0']),
        (Color, ['"red"', '"blue"']),
        (Literal['x', 3], ['"x"', '3']),
        (int | None, ['1', 'null', '0']),
        (list[bool], ['[true]', '[]', '[true,false]']),
        (tuple[int, bool], ['[1,true]', '[0,true]', '[1,false]']),
        (dict[str, bool], ['{"a":true}', '{"a":false}', '{}']),
        (Verdict, [f'{{"who":"{who}","approved":{ok}}}' for who, ok in (('a', 'true'), ('', 'true'), ('a', 'false'))]),
        (
            Paint,
            [
                '{"color":"red","litres":1}',
                '{"color":"blue","litres":1}',
                '{"color":"red","litres":null}',
                '{"color":"red"}',
                '{"color":"blue"}',
                '{"color":"red","litres":0}',
            ],
        ),
        (Secret, ['{"_key":1,"ready":true}', '{"_key":0,"ready":true}', '{"_key":1,"ready":false}', '{"_key":1}']),
        (Counted, ['{"size":1}', '{"size":0}']),
        (Box[Secret], ['{"item":{"_key":1,"ready":true}}', '{"item":{"_key":0,"ready":true}}']),
        (Box[bool] | None, ['{"item":true}', 'null', '{"item":false}']),
        (Place, ['[1,"a"]', '[0,"a"]', '[1,""]']),
        (Patch, ['{"size":1}', '{"size":0}', '{}']),
        (Tree, ['{"name":"a","kids":[{"name":"a","kids":[]}]}']),
        (Odd, ['"word"']),
        (Word, ['"a"', '""']),
        (Number, ['1', '0']),
        (Small, ['1', '0', '"a"', '""']),
        (dict[Number, Place], ['{"1":[1,"a"]}', '{"1":[0,"a"]}', '{}']),
        (Annotated[deque[bool], 'votes'], ['[true]', '[]', '[true,false]']),
        (bytes, ['"VPaz"', '""']),
        ('Verdict | None', ['{"who":"a","approved":true}', 'null', '{"who":"","approved":true}']),
        (Callable, ['null']),
    ],
    ids=str,
)
def test_a_typed_signal_has_values_of_its_type(hint, texts):
    class Typed(Workflow):
        verdict = Signal[hint]()

    assert signal_samples(Typed.verdict)[: len(texts)] == texts


@pytest.mark.parametrize(
    'hint', [Secret, Counted, Box[Secret], Place, Patch, Tree, Odd, Word, Number, bytes, dict[int, Place]]
)
def test_every_value_of_a_type_can_be_read_by_its_hint(hint):
    class Typed(Workflow):
        verdict = Signal[hint]()

        def put(self, verdict):
            return verdict

        put.__annotations__['verdict'] = hint

    assert all(Typed.verdict.reader()(text) is not None for text in signal_samples(Typed.verdict))
    given = argument_samples(Typed, 'put')
    assert Typed.verdict.reader()(json.dumps(given['verdict'])) is not None


def test_a_value_of_a_typed_signal_is_a_choice_and_as_small_as_can_be():
    class Decided(Desk):
        verdict = Signal[Verdict]()

        def run(self):
            self.seen = yield self.verdict.get()
            if not self.seen.approved:
                self.missing()

    with pytest.raises(ExplorationFailed) as caught:
        explore(Decided)
    assert 'signal verdict arrives with {"who":"a","approved":false}' in caught.value.story
    assert read_schedule(caught.value.schedule) == ['before signal verdict with {"who":"a","approved":false}']
    with pytest.raises(ExplorationFailed) as again:
        explore(Decided, schedule=caught.value.schedule)
    assert again.value.story == caught.value.story


def test_values_that_the_test_names_are_the_only_ones():
    class Decided(Desk):
        verdict = Signal[bool]()

        def run(self):
            return [(yield self.verdict.get()), (yield self.verdict.get())]

    report = explore(Decided, verdict=[True, False], faults=2)
    assert set(report.results) == {'[true,false]'}


def test_an_update_with_typed_arguments_arrives_by_itself():
    class Painted(Desk):
        painted = ()

        def run(self):
            yield self.read(1)
            if self.painted:
                self.missing()

        @update
        def paint(self, paint: Paint, times: int):
            self.painted = [paint.color.name] * times

    with pytest.raises(ExplorationFailed, match='update paint arrives'):
        explore(Painted)


def test_keywords_are_stubs_signals_and_arguments_by_their_names():
    class Sold(Desk):
        approve = Signal()

        def run(self, order, price):
            word = yield self.approve.get()
            return [word, order, price, (yield self.charge(order))]

    report = explore(Sold, 1, price=5, approve=['fine'], charge='paid', faults=0)
    assert set(report.results) == {'["fine",1,5,"paid"]'}


def test_a_workflow_that_signals_itself_hears_it():
    class Echo(Workflow):
        note = Signal()

        def run(self):
            yield self.external(self.info.workflow_id).signal(self.note, 5)
            return (yield self.note.get())

    assert set(explore(Echo, signals={}, faults=0).results) == {'5'}


def test_children_are_canceled_when_they_are_asked_to():
    class Parent(Workflow):
        child = WorkflowProxy('Child', '1', retry=0, error_handling=True)

        def run(self):
            child = self.child()
            yield self.sleep(1)
            child.cancel()
            return 'gone'

    assert explore(Parent, faults=2).ok


def test_a_saga_that_is_undone_passes():
    class Careful(Desk):
        def run(self, order):
            saga = Saga()
            try:
                saga.add(self.refund, order)
                yield self.charge(order)
                yield self.ship(order)
            except BaseException:
                yield from saga.compensate()
                raise
            return 'shipped'

    assert explore(Careful, 1, budget=300).ok


def test_a_saga_is_left_alone_once_its_code_has_returned():
    class Booked(Desk):
        def run(self, order):
            yield from self.book(order)
            yield self.notify(order)

        def book(self, order):
            saga = Saga()
            try:
                saga.add(self.refund, order)
                yield self.charge(order)
            except BaseException:
                yield from saga.compensate()
                raise

    assert explore(Booked, 1, budget=200).ok


def test_the_same_compensation_for_the_same_step_several_times_is_no_double_one():
    class Seats(Desk):
        def run(self, count):
            saga = Saga()
            try:
                for _ in range(count):
                    saga.add(self.refund, 'a seat')
                    yield self.charge('a seat')
                yield self.ship(count)
            except BaseException:
                yield from saga.compensate()
                raise

    assert explore(Seats, 3, budget=400, without=['idempotency']).ok


def test_a_compensation_that_is_the_call_of_its_step_is_no_second_try():
    class Toggled(Desk):
        def run(self):
            saga = Saga()
            try:
                saga.add(self.notify, 'toggle')
                yield self.notify('toggle')
            except BaseException:
                yield from saga.compensate()
                raise

    assert explore(Toggled, faults=1).ok


class ChargesTwice(Workflow):
    """Charges once more after a failure, with a key that the arguments name."""

    charge = ActivityProxy('Charge', '1', retry=0)

    def run(self, keys, orders=(1, 1)):
        for key, order in zip(keys, orders, strict=True):
            try:
                yield self.charge(order, idempotency_key=key)
            except TaskFailed:
                continue
            return 'charged'
        return 'given up'


def test_a_second_try_with_the_same_key_is_what_keys_are_for():
    assert set(explore(ChargesTwice, ['a', 'a']).results) == {'"charged"'}


def test_a_second_try_with_the_same_key_for_something_else_is_a_finding():
    with pytest.raises(
        ExplorationFailed, match=r"charge\(2, .* is a second call with the idempotency key 'a'; .* failed"
    ):
        explore(ChargesTwice, ['a', 'a'], [1, 2])


def test_a_second_call_with_the_key_of_one_that_is_open_is_a_finding():
    class AtOnce(ChargesTwice):
        def run(self):
            yield [self.charge(1, idempotency_key='a'), self.charge(1, idempotency_key='a')]

    with pytest.raises(ExplorationFailed, match='is a second call with the idempotency key'):
        explore(AtOnce)


def test_the_result_of_a_child_that_the_code_canceled_is_a_finding():
    class Asks(Workflow):
        child = WorkflowProxy('Child', '1', retry=0)
        read = ActivityProxy('Read', '1', retry=0)

        def run(self):
            child = self.child()
            yield self.read()
            child.cancel()  # which may be too late, or not
            return child.result()

    with pytest.raises(
        ExplorationFailed, match='the code cancels a task, and fails since it asks for its result'
    ) as caught:
        explore(Asks)
    assert caught.value.finding.events <= 13


def test_orders_that_wait_for_a_signal_that_was_thrown_away_are_noted():
    class Drains(Desk):
        approve = Signal()

        def run(self):
            yield self.read(1)
            self.approve.drain()
            yield self.approve.get()

    report = explore(Drains, faults=0)
    assert report.waiting == {'approve': 1}
    assert "1 order without faults waits for ever for one more signal 'approve' than the first" in str(report)


def test_a_call_that_was_tried_again_is_no_reason_to_object_to_a_later_one():
    class Moved(Desk):
        work = ActivityProxy('Work', '1', retry=1)

        def run(self):
            yield self.work()
            try:
                yield self.charge(1)
            except TaskFailed:
                yield self.work()

    assert explore(Moved, faults=2).ok


def test_a_workflow_that_serves_signals_without_an_end_is_not_stuck():
    class Serving(Desk):
        question = Signal()

        def run(self):
            while True:
                question = yield self.question.get()
                yield self.read(question)

    report = explore(Serving, question=[1, 2], faults=1)
    assert 'the first order already fails with nothing: it waits' in str(report)


def test_what_an_invariant_or_a_check_raises_is_a_finding():
    class Counting(Desk):
        def run(self):
            yield self.read(1)
            self.count = 1

        @query
        def counted(self):
            return self.count

    with pytest.raises(ExplorationFailed, match="has no attribute 'count'") as caught:
        explore(Counting, always=lambda workflow: workflow.counted() > 0)
    assert caught.value.finding.events == 4  # it ends with the decision after which the invariant fails
    with pytest.raises(ExplorationFailed, match='the check fails: KeyError'):
        explore(Counting, check=lambda arrived: {}['go'])


def test_a_check_knows_which_signals_came():
    class Draining(Desk):
        go = Signal()

        def run(self):
            yield self.read(1)
            return len(self.go.drain())

    explore(
        Draining,
        go=[1, 2],
        faults=1,
        check=lambda result, arrived, unread: result + sum(unread.values()) == arrived['go'],
    )


def test_updates_arrive_in_any_order():
    class Kept(Desk):
        def run(self):
            self.seen = []
            yield self.read(1)
            yield self.read(2)
            return self.seen

        @update
        def put(self, value, twice=False):
            self.seen += [value, value] if twice else [value]

        @update
        def drop(self, value):
            self.seen = [known for known in self.seen if known != value]

    report = explore(Kept, put=[1, (2, True)], drop=1, faults=0)
    assert set(report.results) == {'[]', '[1]', '[2,2]', '[1,2,2]'}


def test_an_update_without_arguments_arrives_by_itself():
    class Stopped(Desk):
        stopped = False

        def run(self):
            yield self.read(1)
            if self.stopped:
                self.missing()

        @update
        def stop(self):
            self.stopped = True

    with pytest.raises(ExplorationFailed, match='update stop arrives'):
        explore(Stopped)


def test_code_that_is_not_deterministic_is_reported():
    class Chance(Desk):
        def run(self):
            yield self.read(1)
            if next(flips):
                yield self.write(1)

    flips = itertools.cycle([True, False, False])
    with pytest.raises(ExplorationFailed) as caught:
        explore(Chance)
    assert caught.value.finding.verdict.judge == 'replay'


def test_signals_of_its_own_making_that_are_not_read_are_not_taken_for_a_deadlock():
    class Picky(Desk):
        go = Signal()
        number = Signal[int](on_invalid='log')

        def run(self):
            wanted = self.spawn(self.pick())
            yield self.go.get()
            self.go.drain()
            yield wanted
            yield self.go.get()

        def pick(self):
            try:
                yield self.number.get(match=lambda value: value > 1).timeout(5)
            except TaskFailed:
                return

    assert explore(Picky, faults=1).ok


def test_restarts_are_followed():
    class Counting(Workflow):
        def run(self, count):
            yield self.sleep(1)
            return self.restart(count + 1) if count < 2 else count

    report = explore(Counting, 0, faults=0, check=lambda runs: runs == 3)
    assert set(report.results) == {'2'}


def test_a_run_knows_the_first_one_of_its_chain():
    class Counting(Workflow):
        def run(self, count=0):
            return self.restart(count + 1) if count < 3 else [self.info.first_run_id, *self.info.root]

    assert set(explore(Counting).results) == {'["run-1","workflow-1","run-4"]'}


def test_what_fails_in_the_first_order_already_is_a_note():
    class Needy(Desk):
        def run(self):
            return (yield self.read(1))['price']

    report = explore(Needy)
    assert report.ok
    assert "the first order already fails with TypeError: 'NoneType' object is not subscriptable" in str(report)


@activity(name='Sizes', version=1, task_list='sizes')
def sizes(path: str) -> tuple[str, int]:
    return path, len(path)


def test_a_result_of_nothing_that_does_not_fit_its_hint_is_a_note():
    class Typed(Workflow):
        sizes = sizes.proxy(retry=0)

        def run(self):
            return (yield self.sizes('a'))

    report = explore(Typed)
    assert report.ok
    assert 'the first order already fails with' in str(report)
    assert 'does not fit its hint' in str(report)
    assert not explore(Typed, sizes=['a', 1]).first_failure


def test_a_signal_that_is_not_read_is_a_note():
    class One(Desk):
        go = Signal()

        def run(self):
            yield self.go.get()
            yield self.read(1)

    report = explore(One, faults=1)
    assert report.ok
    assert report.unread['go'] > 0
    assert "closed with a signal 'go' that nobody had read" in str(report)


def test_a_completion_that_a_signal_overtakes_is_made_again_from_the_first_event():
    class Draining(Desk):
        go = Signal()

        def run(self):
            yield self.read(1)
            return len(self.go.drain())

    report = explore(Draining, read=str, signals={'go': ['a', 'b']}, faults=2)
    assert report.ok
    assert set(report.results) == {'0', '1', '2'}


def test_two_branches_that_read_signals_of_their_own_are_no_deadlock():
    class Pair(Desk):
        left = Signal()
        right = Signal()

        def run(self):
            yield [self.twice(self.left), self.twice(self.right)]

        def twice(self, signal):
            yield signal.get()
            yield signal.get()

    assert explore(Pair, faults=0).complete == {0: 6}  # ways to merge two signals of each


def test_a_judge_can_be_left_out():
    assert explore(NobodyTakes, without=['untaken'], budget=200).ok


def test_an_unknown_judge_is_refused():
    with pytest.raises(ValueError, match="no judge 'luck'; there are always"):
        explore(NobodyTakes, without=['luck'])


def test_a_budget_of_runs_is_kept():
    report = explore(Chains, 8, budget=40)
    assert report.runs == 40
    assert report.partial is not None


@pytest.mark.thorough
def test_the_same_seed_tries_the_same():
    first, second = (explore(Chains, 3, budget=150, seed=4) for _ in range(2))
    assert (first.endings, first.results, first.complete) == (second.endings, second.results, second.complete)


def test_a_schedule_is_its_labels():
    labels = ['end A#1 failed', 'before signal go', 'cancel']
    text = schedule_id(labels)
    assert text.startswith('gx1')
    assert read_schedule(text) == labels


@pytest.mark.parametrize('text', ['', 'gx2abc', 'gx1!!', 'gx1eNp'])
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ValueError, match='schedule'):
        read_schedule(text)


def test_a_schedule_survives_a_change_elsewhere():
    with pytest.raises(ExplorationFailed) as caught:
        explore(NobodyTakes)

    class Changed(Desk):
        def run(self):
            yield self.write('first')
            self.notify('begun')
            yield self.read(1)
            return 'done'

    with pytest.raises(ExplorationFailed, match='nobody waited for it'):
        explore(Changed, schedule=caught.value.schedule)


@pytest.mark.slow
@seed(20)
@settings(
    max_examples=examples(200, 200),
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(PROGRAMS)
def test_random_programs_raise_no_alarm(program):
    """They drop tasks, so one of the judges is not asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, 'decorated', [])  # other tests of this process have decorated classes as the same types
        explore(Interpreter, program, budget=30, without=['untaken'])


# what a check without parameters is


class Notebook:
    """A model: what was written, and what was erased."""

    def __init__(self):
        self.lines = []

    def write(self, line):
        self.lines.append(line)

    def erase(self):
        self.lines.clear()


class TwoLines(Desk):
    def run(self):
        yield self.write(1)
        yield self.write(2)


def test_a_check_of_a_model_that_is_not_true_at_first_is_one_of_completed_executions():
    book = Notebook()
    assert explore(TwoLines, write=book.write, check=lambda: {1, 2} <= set(book.lines), budget=300).ok


def test_a_check_of_a_model_that_is_true_at_first_is_an_invariant_of_all_ends():
    book = Notebook()
    with pytest.raises(ExplorationFailed, match='check') as caught:
        explore(TwoLines, write=book.write, check=lambda: len(book.lines) != 1)
    assert 'the execution fails' in caught.value.story or 'is canceled' in caught.value.story


# what is no double call


class AskedByHand(Desk):
    poll = ActivityProxy('PollJob', '1', retry=0)

    def run(self, job):
        for _ in range(3):
            try:
                return (yield self.poll(job))
            except TaskFailed:
                yield self.sleep(10)
        return 'unknown'


def test_a_call_whose_name_says_that_it_only_reads_may_be_made_anew():
    assert explore(AskedByHand, 'job', budget=300).ok


class Spawning(Desk):
    def run(self):
        self.spawn(self.one())
        yield self.sleep(1)

    def one(self):
        yield self.write(1)


def test_a_refusal_by_swf_of_a_call_that_never_fails_is_no_failure_that_nobody_took():
    assert explore(Spawning, write='done').ok


class Server(Desk):
    ask = Signal()
    put = Signal()

    def run(self):
        while True:
            first = yield any_of(self.ask.get(), self.put.get())
            yield self.write(first.result())


def test_a_server_of_several_signals_is_not_stuck():
    assert explore(Server, ask=[1, 2], put=[3], faults=1, budget=300).ok


# reports


def test_a_mistake_is_reported_with_its_line():
    class Late(Desk):
        def run(self):
            try:
                yield self.charge(1)
            except TaskFailed:
                yield self.sleep(-1)

    with pytest.raises(ExplorationFailed, match=r'test_explorer.py:\d+ in run, with DefinitionError'):
        explore(Late)


def test_a_story_names_the_users_line_that_compensates():
    with pytest.raises(ExplorationFailed) as caught:
        explore(AllUndosFirst)
    assert 'saga.py' not in caught.value.story
    assert 'in run waits for activity 2 CancelHotel' in caught.value.story


def test_a_story_says_what_was_called_and_answered():
    with pytest.raises(ExplorationFailed) as caught:
        explore(OrderDependentMerge, read=str, check=lambda result: result == '12')
    assert 'Read#2: answered (read(2) = "2")' in caught.value.story


def test_the_workflows_own_logger_is_silent(caplog):
    class Talking(Desk):
        def run(self):
            self.logger.warning('hello')
            yield self.read(1)

    with caplog.at_level('INFO'):
        assert explore(Talking, budget=20).ok
    assert 'hello' not in caplog.text


def test_what_executions_share_is_as_before_after_an_exploration():
    with pytest.raises(ExplorationFailed, match='the run changed what all executions of a process share: KNOWN'):
        explore(CachedInTheModule, 'key')
    assert KNOWN == {}


def test_a_state_with_an_iterator_that_is_broken_is_known_again():
    assert explore(CopiedAndIterated, budget=100).ok
    with pytest.raises(ExplorationFailed, match='dictionary changed size during iteration'):
        explore(ChangedWhileIterated)


class Dropping(Desk):
    def run(self):
        try:
            yield self.charge(1)
        except TaskFailed:
            self.tidy()  # nothing runs it
        return 'done'

    def tidy(self):
        yield self.write('tidy')


def test_a_generator_that_is_dropped_in_some_order_is_a_mistake():
    with pytest.raises(
        ExplorationFailed, match=r'mistake: the generator Dropping.tidy\(\) was created at .* never run'
    ):
        explore(Dropping)


class YieldsANumber(Desk):
    def run(self):
        yield 5


def test_what_may_not_be_yielded_is_a_mistake_in_the_first_order_too():
    with pytest.raises(ExplorationFailed, match='a int was yielded: 5'):
        explore(YieldsANumber)


class Exits(Desk):
    def run(self):
        try:
            yield self.charge(1)
        except TaskFailed:
            raise SystemExit(3) from None


def test_an_exit_of_the_process_is_a_mistake():
    with pytest.raises(ExplorationFailed, match='SystemExit'):
        explore(Exits)


class NoJSON(Desk):
    def run(self):
        try:
            yield self.charge(1)
        except TaskFailed:
            yield self.write(object())


def test_the_line_of_a_mistake_is_the_users():
    with pytest.raises(ExplorationFailed, match=r'fails at tests/testing/test_explorer.py:\d+ in run, with TypeError'):
        explore(NoJSON)


class NeverEnds(Desk):
    def run(self):
        while True:
            yield self.sleep(60)


def test_a_workflow_that_is_too_long_is_reported_as_cut_off():
    assert 'it was cut off after' in str(explore(NeverEnds, budget=5))


def test_arguments_that_do_not_fit_are_refused_with_the_signature():
    with pytest.raises(TypeError, match=r'do not fit LostAtRestart.run\(seen: .*\) -> .*: got an unexpected keyword'):
        explore(LostAtRestart, kwargs={'nobody': 1})


class WithRemark(Desk):
    verdict = Signal['Remarked']()

    def run(self):
        verdict = yield self.verdict.get()
        return 'yes' if verdict.approved else 'no: ' + verdict.remark


@dataclass
class Remarked:
    approved: bool
    remark: str | None = None


def test_a_signal_is_tried_without_its_optional_fields_in_each_variant():
    with pytest.raises(ExplorationFailed, match='mistake') as caught:
        explore(WithRemark)
    assert 'signal verdict arrives with {"approved":false}' in caught.value.story


class NamedBySignal(Desk):
    stop = Signal[str]()

    def run(self):
        try:
            yield self.external((yield self.stop.get())).cancel()
        except TaskFailed:
            return 'gone'
        return 'asked'


def test_a_made_up_value_that_is_no_id_is_no_mistake():
    assert explore(NamedBySignal).ok


class UndoesTheUnknown(Desk):
    def run(self):
        self.places = {}
        saga = Saga()
        return (yield from saga.run(self.steps(saga)))

    def steps(self, saga):
        saga.add(self.give_back, 'a')
        self.places['a'] = yield self.charge('a')
        yield self.ship()

    def give_back(self, item):
        yield self.refund(self.places[item])


def test_a_compensation_that_cannot_run_is_found_where_saga_run_drives_it():
    with pytest.raises(
        ExplorationFailed, match=r"a compensation cannot run: KeyError\('a'\) at .*test_explorer.py:\d+"
    ):
        explore(UndoesTheUnknown)


class SettledTwice(Desk):
    def run(self):
        self.answer = self.future()
        self.spawn(self.one(1))
        self.spawn(self.one(2))
        return (yield self.answer)

    def one(self, number):
        yield self.read(number)
        self.answer.set_result(number)


def test_the_failure_of_a_branch_is_reported_with_its_line():
    with pytest.raises(ExplorationFailed, match=r'future is already settled.* at .*test_explorer.py:\d+ in one'):
        explore(SettledTwice, read='done')


class AsksAgain(Desk):
    go = Signal()
    details = Signal()

    def run(self):
        yield self.go.get()
        try:
            yield self.details.get().timeout(60)
        except TaskTimeout:
            yield self.go.get()
        return 'done'


def test_a_signal_that_comes_after_its_time_out_does_not_make_another_wait_wrong():
    assert explore(AsksAgain).ok


class GivesUp(Desk):
    def run(self):
        try:
            return (yield self.charge(1))
        except TaskFailed:
            raise LookupError('nobody can be charged') from None


class Asserts(Desk):
    def run(self):
        try:
            return (yield self.charge(1))
        except TaskFailed as error:
            assert not error  # noqa: PT017 - the workflow's own


def test_an_exception_that_the_code_raises_itself_is_no_mistake():
    assert explore(GivesUp).ok


def test_an_assertion_that_fails_is_one():
    with pytest.raises(ExplorationFailed, match='mistake'):
        explore(Asserts)


# what explore is given


class Asking(Desk):
    go = Signal[int]()

    def run(self, number: int = 1):
        yield self.read(number)
        return (yield self.go.get())

    @update
    def put(self, item: int) -> int:
        return item


async def answers_later(result):
    return False


class AnswersLater:
    def __call__(self, result):
        yield False


@pytest.mark.parametrize(
    ('given', 'error', 'text'),
    [
        ({'check': 5}, TypeError, 'check= takes a function, and was given 5'),
        (
            {'check': lambda a, b, c, d: True},
            TypeError,
            "parameter 'd', for which there is no value; there are status,",
        ),
        ({'check': lambda *, other: True}, TypeError, "parameter 'other', for which there is no value"),
        ({'always': 5}, TypeError, 'always= takes a function, and was given 5'),
        ({'check': answers_later}, TypeError, 'check= takes .* true or false, and was given an async function: <'),
        ({'check': partial(answers_later)}, TypeError, 'given an async function: functools.partial'),
        ({'always': AnswersLater()}, TypeError, 'always= takes .*, and was given a generator function: <'),
        ({'always': AnswersLater}, TypeError, 'and was given a class: <'),
        ({'budget': 0}, ValueError, 'budget= is 0; it must be 1 or more'),
        ({'faults': -1}, ValueError, 'faults= is -1; it must be 0 or more'),
        ({'seconds': -1}, ValueError, 'seconds= is -1; it must be 0 or more'),
        ({'put': [(1, 2)]}, TypeError, r'\(1, 2\) does not fit the update Asking.put\(self, item: '),
    ],
    ids=[
        'check',
        'parameters',
        'by name',
        'always',
        'async',
        'partial',
        'generator',
        'class',
        'budget',
        'faults',
        'seconds',
        'update',
    ],
)
def test_what_makes_no_sense_is_refused(given, error, text):
    with pytest.raises(error, match=text):
        explore(Asking, **given)


@pytest.mark.parametrize('what', [5, 'Asking', print], ids=['number', 'text', 'function'])
def test_what_is_no_workflow_is_refused(what):
    with pytest.raises(TypeError, match='is not a workflow; give a subclass of'):
        explore(what)


@pytest.mark.parametrize(
    'check',
    [
        lambda *, result, **others: result in (0, 1) and not others,
        lambda result, most=1: result <= most == 1,
        lambda *values: not values,
        lambda status, *, run: run.status == status,
        type,
    ],
    ids=['by name', 'with a default', 'all', 'both', 'builtin'],
)
def test_a_check_gets_what_its_parameters_are_named_after(check):
    assert explore(Asking, check=check, budget=100, without='idempotency').ok


EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'


def model(messages):
    """What the agent's model answers: a call of each tool, then an answer."""
    tools = [message for message in messages if message['role'] == 'tool']
    calls = [{'id': '0', 'tool': 'multiply', 'with': [2, 3]}, {'id': '1', 'tool': 'delete', 'with': ['a']}]
    return {'role': 'model', 'answer': 'done'} if tools else {'role': 'model', 'calls': calls}


class Hosts:
    """Each download is on another host."""

    def __init__(self):
        self.used = 0

    def download(self, name):
        self.used += 1
        return [f'host-{self.used}', f'/{self.used}/{name}']


SETTINGS = {
    'agent.py:Agent': (('hi',), {'think': model}),
    'approval.py:Manager': (('purchase-1', 80), {}),
    'approval.py:Purchase': (('chair', 80), {}),
    'escalation.py:ApprovePurchase': (({'item': 'chair', 'price': 80}, ['ann', 'bob']), {}),
    'files.py:ConvertFile': (('report',), {'download': Hosts().download}),
    'hello.py:Hello': (('World',), {}),
    'order.py:Order': ((42, 'book'), {}),
    'paging.py:CopyAll': ((3,), {}),
    'permits.py:Gate': ((1, 2, 5), {'request': [{'key': 'k', 'workflow': 'w'}]}),
    'permits.py:Caller': ((1,), {}),
    'permits.py:Crowd': ((2, 1, 2, 5), {}),
    'pipeline.py:Pipeline': (({'sum': ['one', 'two'], 'one': [], 'two': []},), {}),
    'reminders.py:Reminders': (('water the plants', 1, 3), {}),
    'schedule.py:Job': (('2026-01-01',), {}),
    'schedule.py:Schedule': (('*/5 * * * *', 'skip', 2), {}),
    'seats.py:Booking': ((2, ['small', 'large']), {}),
    'seats.py:Evening': ((2,), {}),
    'seats.py:Hall': ((3,), {'question': [{'key': 'k', 'asked_by': 'w', 'seats': 2}]}),
    'signup.py:Signup': (('ada@example.org',), {}),
    'subscription.py:Subscription': (('Ada', 'basic', 10, 2), {}),
    'wordcount.py:WordCount': (('docs',), {'find_pieces': [['a.md', 0], ['b.md', 0]], 'count_words': {'a': 1}}),
}
"""By workflow, the arguments and stubs with which its first order gets to an end."""

ENDLESS = {
    'permits.py:Gate': 'it serves requests until it is canceled',
    'permits.py:Caller': 'the key of the permit that it waits for is made by chance, so no permit of the test fits',
    'seats.py:Hall': 'it serves questions until it is canceled',
}
"""Why the first order of a workflow does not complete."""


def workflows_of_the_examples():
    for path in EXAMPLES.glob('*.py'):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any('workflow(' in ast.unparse(one) for one in node.decorator_list):
                yield f'{path.name}:{node.name}'


def test_each_workflow_of_the_examples_is_explored():
    assert set(SETTINGS) == set(workflows_of_the_examples())


@pytest.mark.thorough
@pytest.mark.parametrize('target', sorted(SETTINGS))
def test_the_examples_raise_no_alarm(target):
    args, stubs = SETTINGS[target]
    report = explore(load(f'{EXAMPLES}/{target}'), *args, budget=150, **stubs)
    assert bool(report.first_failure) == (target in ENDLESS), report
