"""Signals and cancel requests to others that the decider may not send: SWF records no Initiated event of them."""

from __future__ import annotations

import pytest

from tests.insight.breaking import Canceler, Environment, Sender


@pytest.mark.parametrize(
    ('cls', 'decision_type'),
    [(Sender, 'SignalExternalWorkflowExecution'), (Canceler, 'RequestCancelExternalWorkflowExecution')],
)
def test_a_message_that_is_not_permitted_fails_its_task_and_holds_nothing(cls, decision_type):
    env = Environment(denied=(decision_type,))
    env.begin(cls)
    env.decide()
    diagnosis = env.diagnosis()
    assert diagnosis.code.error is None
    assert diagnosis.code.awaited == ('approve',)  # the workflow caught SignalFailed and went on
    assert diagnosis.first_cause.code == 'not-permitted'
