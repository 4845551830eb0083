"""What is answered to those who may not: only our own back ends can be told to deny something."""

from __future__ import annotations

import pytest

from .backends import BACKENDS
from .decisions import (
    Decision,
    cancel,
    cancel_activity,
    cancel_external,
    cancel_timer,
    complete,
    continue_as_new,
    fail,
    marker,
    schedule,
    signal_external,
    start_child,
    start_timer,
)
from .domain import DOMAIN

DENIED = [
    (schedule('a'), 'ScheduleActivityTaskFailed'),
    (cancel_activity('a'), 'RequestCancelActivityTaskFailed'),
    (complete(), 'CompleteWorkflowExecutionFailed'),
    (fail(), 'FailWorkflowExecutionFailed'),
    (cancel(), 'CancelWorkflowExecutionFailed'),
    (continue_as_new(), 'ContinueAsNewWorkflowExecutionFailed'),
    (marker(), 'RecordMarkerFailed'),
    (start_timer(), 'StartTimerFailed'),
    (cancel_timer(), 'CancelTimerFailed'),
    (signal_external('w'), 'SignalExternalWorkflowExecutionFailed'),
    (cancel_external('w'), 'RequestCancelExternalWorkflowExecutionFailed'),
    (start_child(), 'StartChildWorkflowExecutionFailed'),
]


@pytest.mark.parametrize(('sent', 'kind'), DENIED, ids=[kind for _, kind in DENIED])
def test_a_decision_that_is_not_permitted_fails(ours: str, sent: Decision, kind: str) -> None:
    with BACKENDS[ours](denied={sent['decisionType']}) as swf:
        run = swf.prepare().start()
        swf.decide(sent)
        swf.settle()
        failed = run.only(kind)
        assert (failed['cause'], failed['decisionTaskCompletedEventId']) == ('OPERATION_NOT_PERMITTED', 4)
        assert run.types()[-1] == 'DecisionTaskScheduled'
        assert run.info()['executionStatus'] == 'OPEN'


def test_an_operation_that_is_not_permitted(ours: str) -> None:
    with BACKENDS[ours](denied={'SignalWorkflowExecution'}) as swf:
        run = swf.prepare().start()
        with swf.refused('OperationNotPermittedFault'):
            swf.signal(run)
        assert run.types() == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']


def test_what_is_not_denied_is_permitted(ours: str) -> None:
    with BACKENDS[ours](denied={'SignalWorkflowExecution'}) as swf:
        swf.prepare()
        assert swf.client.describe_domain(name=DOMAIN)['domainInfo']['name'] == DOMAIN
