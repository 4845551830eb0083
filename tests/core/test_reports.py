"""What a report on a mismatch says: texts are quoted once."""

from __future__ import annotations

import pytest

from genflow import ActivityProxy, NondeterminismError, Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.testing import History, replay


class Order(Workflow):
    charge = ActivityProxy(name='Charge', version='v1')

    def run(self):
        yield self.charge(1)


class Changed(Workflow):
    charge = ActivityProxy(name='Ship', version='v1')
    run = Order.run


def test_texts_in_a_report_are_quoted_once():
    with pytest.raises(NondeterminismError) as raised:
        replay(History(Order).decide(), WorkflowSpec(Changed, 'Order', '1'))
    assert "- recorded: event 5 ActivityScheduled activity_id='1.1', name='Charge', version='v1'" in str(raised.value)
    assert "+ asked:    activity number=1, name='Ship', version='v1', input='[[1],{}]'" in str(raised.value)
