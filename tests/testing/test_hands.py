"""Driving by hand: nothing bound, nothing mocked; time, chance and patches as a test sets them."""

from __future__ import annotations

from datetime import datetime, timezone
from random import Random

import pytest

from genflow import ActivityFailed, ActivityProxy, Workflow
from genflow.core.model.info import Info
from genflow.testing import by_hand
from tests.testing.orders import Declined, Order


class Chancy(Workflow):
    charge = ActivityProxy(name='Charge', version='v1')

    def run(self):
        yield self.charge(self.now().isoformat(), self.patched('new'), self.patched('other'))
        return self.random.random(), self.uuid4(), self.info.workflow_id


def test_a_workflow_is_driven_with_next_and_send():
    run = Order().run(1)
    assert next(run) == Order.charge.task(1)
    assert run.send('ok') == Order().approve.get()
    assert run.send(True) == Order.ship.task('ok')
    with pytest.raises(StopIteration) as stop:
        run.send('gone')
    assert stop.value.value == 'gone'


def test_a_failure_is_thrown():
    run = Declined().run(1)
    next(run)
    with pytest.raises(StopIteration) as stop:
        run.throw(ActivityFailed('no funds'))
    assert stop.value.value == 'declined: no funds'


def test_time_chance_and_patches_are_set():
    now = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
    run = by_hand(Chancy, now=now, seed=7, patched={'new'}, info=Info(workflow_id='order-7')).run()
    assert next(run) == Chancy.charge.task('2024-02-29T12:00:00+00:00', True, False)
    with pytest.raises(StopIteration) as stop:
        run.send(None)
    number, uuid, workflow_id = stop.value.value
    assert number == Random(7).random()
    assert uuid.version == 4
    assert workflow_id == 'order-7'


@pytest.mark.parametrize(
    ('patched', 'answers'),
    [
        (True, [True, True]),
        (False, [False, False]),
        (['other'], [False, True]),
        (lambda change: change == 'new', [True, False]),
    ],
)
def test_patches_are_all_none_some_or_requested(patched, answers):
    assert next(by_hand(Chancy, patched=patched).run()).args[1:] == tuple(answers)


def test_two_workflows_do_not_share_their_settings():
    one, other = by_hand(Chancy, patched=False), by_hand(Chancy)
    assert (one.patched('new'), other.patched('new')) == (False, True)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match='no time zone'):
        by_hand(Order, now=datetime(2024, 1, 1))  # noqa: DTZ001 - the mistake
    with pytest.raises(TypeError, match=r"as a set: \{'new'\}"):
        by_hand(Order, patched='new')
