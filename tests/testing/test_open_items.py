"""What is open in a history that tests make, also after others were made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from genflow.testing import History
from genflow.testing.histories.exports import load
from genflow.testing.histories.open_items import OpenItems

from .orders import Order

RECORDED = sorted((Path(__file__).parents[1] / 'recorded').rglob('*.json'))


def shown(history):
    return [(item.kind, item.id, item.started_id) for item in history.open_tasks], history.ledger.waiting


def test_a_history_stays_as_it_is_whatever_is_made_of_it():
    first = History(Order, 1).decide()
    before = shown(first)
    one = first.completed('charge', 'ok').decide()
    other = first.after(seconds=5).signaled('approve', True)
    assert shown(first) == before
    assert shown(one) != before
    assert [event['eventType'] for event in other.events][-2:] == ['WorkflowExecutionSignaled', 'DecisionTaskScheduled']
    again = first.completed('charge', 'ok').decide()
    assert shown(again) == shown(one)


def test_a_step_that_is_refused_changes_nothing():
    history = History(Order, 1).decide()
    before = shown(history)
    with pytest.raises(ValueError, match='cannot be'):
        history.completed('nothing', 'ok')
    with pytest.raises(ValueError, match='not among the decisions'):
        history.completed('charge', 'ok').decide(refuse={Order.charge.task(99): 'ACTIVITY_TYPE_DOES_NOT_EXIST'})
    assert shown(history) == before


@pytest.mark.parametrize('path', RECORDED, ids=lambda path: path.stem)
def test_a_model_that_others_took_along_is_made_anew(path):
    events = load(path).events
    whole, steps = OpenItems(), [OpenItems()]
    for event in events:
        whole.apply(event)
        steps.append(steps[-1].copy())
        steps[-1].apply(event)
    assert list(steps[-1]) == list(whole)
    middle = steps[len(events) // 2]
    fresh = OpenItems()
    for event in events[: len(events) // 2]:
        fresh.apply(event)
    assert list(middle) == list(fresh)
    assert (middle.waiting, middle.started, middle.closed) == (fresh.waiting, fresh.started, fresh.closed)
