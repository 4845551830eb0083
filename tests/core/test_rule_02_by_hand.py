"""Rule 2: unbound, a call describes; anyone can drive a generator by hand."""

from __future__ import annotations

from datetime import datetime, timezone
from random import Random
from uuid import UUID

import pytest

from genflow import ActivityProxy, LambdaProxy, Signal, TaskFailed, Workflow, WorkflowProxy, all_of, any_of

from .story import Story


class Order(Workflow):
    charge = ActivityProxy('Charge', '1', heartbeat=10)
    again = ActivityProxy('Charge', '2')
    ship = WorkflowProxy('Ship', '1')
    scale = LambdaProxy('scale')
    approve = Signal()

    def run(self, order):
        receipt = yield self.charge(order).timeout(120)
        try:
            parcel = yield self.ship(receipt)
        except TaskFailed:
            return 'lost'
        return [receipt, parcel]


def test_a_generator_is_driven_with_next_and_send():
    w = Order()
    run = w.run(1)
    assert next(run) == w.charge(1).timeout(120)
    assert run.send('ok') == w.ship('ok')
    with pytest.raises(StopIteration) as stop:
        run.send('parcel')
    assert stop.value.value == ['ok', 'parcel']


def test_a_failure_is_thrown():
    w = Order()
    run = w.run(1)
    next(run)
    run.send('ok')
    with pytest.raises(StopIteration) as stop:
        run.throw(TaskFailed('broken'))
    assert stop.value.value == 'lost'


def test_the_class_describes_too():
    assert Order.charge.task(1) == Order().charge(1)


def test_a_description_has_no_number():
    assert Order().charge(1).number is None
    assert Order().sleep(3).number is None


@pytest.mark.parametrize(
    'make',
    [
        lambda w: w.charge(1, key=[2]),
        lambda w: w.ship(1),
        lambda w: w.scale({'a': 1}),
        lambda w: w.sleep(5),
        lambda w: w.approve.get(),
        lambda w: w.approve.get(raw=True),
        lambda w: w.external('x').signal('s', 1),
        lambda w: w.external('x', 'r').cancel(),
        lambda w: w.charge(1).timeout(5),
        lambda w: w.charge(1).timeout(5, keep=True),
        lambda w: w.map(w.charge, [1, 2], limit=2),
        lambda w: all_of(w.charge(1), w.sleep(2)),
        lambda w: any_of(w.charge(1), w.sleep(2)),
        lambda w: w.ship(1).signal('s', 2),
    ],
)
def test_descriptions_that_ask_the_same_are_equal(make):
    w = Order()
    assert make(w) == make(w)
    assert make(w) == make(Order())


def test_descriptions_that_ask_something_else_are_not_equal():
    w = Order()
    different = [
        w.charge(1),
        w.charge(2),
        w.charge(x=1),
        w.again(1),
        w.ship(1),
        w.scale(1),
        w.sleep(1),
        w.sleep(2),
        w.approve.get(),
        w.charge(1).timeout(1),
        w.charge(1).timeout(2),
        w.charge(1).timeout(2, keep=True),
        w.external('a').signal('s'),
        w.external('b').signal('s'),
        w.external('a').signal('t'),
        w.external('a').cancel(),
        all_of(w.charge(1)),
        any_of(w.charge(1)),
        all_of(w.charge(1), failures='wait'),
    ]
    for place, one in enumerate(different):
        for other in different[place + 1 :]:
            assert one != other


def test_arguments_compare_as_python_values():
    w = Order()
    assert w.charge((1, 2)) != w.charge([1, 2])
    assert w.charge({'a': 1.0}) == w.charge({'a': 1})


def test_options_do_not_take_part_but_can_be_read():
    w = Order()
    assert w.charge(1) == w.charge.with_options(task_list='gpu')(1)
    assert w.charge.with_options(task_list='gpu')(1).options.task_list == 'gpu'
    assert w.charge(1).options.heartbeat == 10


def test_a_hash_is_that_of_the_object():
    w = Order()
    one, other = w.charge(1), w.charge(1)
    assert len({one, other, one}) == 2
    assert hash(one) == object.__hash__(one)
    assert hash(other) == object.__hash__(other)


def test_tasks_of_an_execution_equal_only_themselves_and_descriptions_of_them():
    def run(self):
        one, other = self.echo(1), self.echo(1)
        yield [one, other]
        return [one == one, one == other, one == type(self)().echo(1), one == type(self).echo.task(2)]  # noqa: PLR0124

    story = Story(run)
    story.decide()
    story.completed(1)
    story.completed(2)
    assert story.decide() == ['complete [true,false,true,false]']


def test_a_list_of_tasks_compares_as_a_list():
    class Both(Order):
        def run(self):
            yield [self.charge(1), {'key': self.charge(2)}]

    w = Both()
    assert next(w.run()) == [w.charge(1), {'key': w.charge(2)}]


def test_time_and_chance_stand_still():
    w = Order()
    assert w.now() == datetime(2000, 1, 1, tzinfo=timezone.utc)
    assert w.random.random() == Random(0).random()
    assert w.uuid4() == UUID(int=Random(0).getrandbits(128), version=4)
    assert w.uuid4() != w.uuid4()


def test_patches_are_new_and_side_effects_happen():
    w = Order()
    assert w.patched('x') is True
    assert w.side_effect(lambda: 5) == 5


def test_options_blocks_reach_descriptions():
    w = Order()
    with w.options(task_list='gpu'):
        assert w.charge(1).options.task_list == 'gpu'
    assert w.charge(1).options.task_list is None


def test_a_description_yielded_in_an_execution_is_a_yield_error():
    def run(self):
        yield type(self)().echo(1)

    (line,) = Story(run).decide()
    assert line.startswith('fail YieldError')
    assert 'description' in line


def test_a_description_has_no_result():
    task = Order().charge(1)
    assert task.done() is False
    with pytest.raises(TypeError, match='not settled'):
        task.result()


def test_two_undriven_workflows_do_not_share_chance():
    assert Order().uuid4() == Order().uuid4()


def test_signals_are_empty_by_hand():
    w = Order()
    assert len(w.approve) == 0
    assert w.approve.drain() == []


def test_branches_and_spawn_by_hand():
    class Branching(Order):
        def run(self):
            yield self.spawn(self.branch())

        def branch(self):
            yield self.charge(1)

    w = Branching()
    task = next(w.run())
    assert task.kind == 'spawn'
    assert next(task.generator) == w.charge(1)
