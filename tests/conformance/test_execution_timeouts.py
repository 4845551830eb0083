"""The execution's own time-out."""

from __future__ import annotations

import pytest

from .decisions import (
    start_timer,
)
from .domain import Domain


def test_execution_times_out(swf: Domain) -> None:
    run = swf.start(executionStartToCloseTimeout='10')
    swf.advance(11)
    assert run.types()[-1] == 'WorkflowExecutionTimedOut'
    assert run.only('WorkflowExecutionTimedOut') == {'timeoutType': 'START_TO_CLOSE', 'childPolicy': 'ABANDON'}
    assert run.info()['closeStatus'] == 'TIMED_OUT'


def test_execution_does_not_time_out_early(swf: Domain) -> None:
    run = swf.start(executionStartToCloseTimeout='10')
    swf.advance(9)
    assert run.info()['executionStatus'] == 'OPEN'


def test_execution_times_out_at_its_deadline(swf: Domain) -> None:
    run = swf.start(executionStartToCloseTimeout='10')
    swf.advance(1000)
    assert run.at('WorkflowExecutionTimedOut') - run.at('WorkflowExecutionStarted') == pytest.approx(10, abs=0.2)


def test_execution_times_out_while_a_decision_is_being_made(swf: Domain) -> None:
    run = swf.start(executionStartToCloseTimeout='10')
    swf.poll_decision()
    swf.advance(11)
    assert run.types()[-2:] == ['DecisionTaskStarted', 'WorkflowExecutionTimedOut']


def test_what_was_due_before_the_execution_timed_out_is_recorded_first(swf: Domain) -> None:
    run = swf.start(executionStartToCloseTimeout='10')
    swf.decide(start_timer('early', '5'), start_timer('late', '15'))
    swf.advance(60)
    assert run.types()[-3:] == ['TimerFired', 'DecisionTaskScheduled', 'WorkflowExecutionTimedOut']
