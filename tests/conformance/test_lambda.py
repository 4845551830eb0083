"""Lambda tasks, which a registered Python callable performs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from .backends import BACKENDS
from .decisions import complete, schedule_lambda
from .domain import ROLE, Domain, Run

HOLD = 20.0  # real seconds, far more than any function takes


@pytest.fixture
def swf(ours: str) -> Iterator[Domain]:
    """A service that holds polls: functions run in threads, and a poll ends when one of them does."""
    with BACKENDS[ours](long_poll=HOLD) as domain:
        yield domain.prepare()


def finished(swf: Domain, run: Run, kind: str) -> dict[str, Any]:
    """The attributes of the event with which the function ended, once its decision task has come."""
    assert 'taskToken' in swf.poll_decision()
    return run.only(kind)


def start(swf: Domain, *functions: Any, **attributes: Any) -> Run:
    for function in functions:
        swf.register_lambda('double', function)
    run = swf.start(lambdaRole=ROLE)
    swf.decide(schedule_lambda('l', 'double', **attributes))
    return run


def test_scheduled_is_recorded(swf: Domain) -> None:
    run = start(swf, lambda event: None, input='4', control='mine', startToCloseTimeout='30')
    assert run.only('LambdaFunctionScheduled') == {
        'id': 'l',
        'name': 'double',
        'input': '4',
        'control': 'mine',
        'startToCloseTimeout': '30',
        'decisionTaskCompletedEventId': 4,
    }


def test_result_is_json_of_what_the_function_returns(swf: Domain) -> None:
    run = start(swf, lambda event: event * 2, input='4')
    assert finished(swf, run, 'LambdaFunctionCompleted') == {
        'scheduledEventId': 5,
        'startedEventId': 6,
        'result': '8',
    }
    assert run.types()[5:8] == ['LambdaFunctionStarted', 'LambdaFunctionCompleted', 'DecisionTaskScheduled']


def test_started_names_the_schedule(swf: Domain) -> None:
    run = start(swf, lambda event: event, input='4')
    finished(swf, run, 'LambdaFunctionCompleted')
    assert run.only('LambdaFunctionStarted') == {'scheduledEventId': 5}


def test_no_input_reaches_the_function_as_an_empty_object(swf: Domain) -> None:
    run = start(swf, lambda event: {'got': event})
    assert json.loads(finished(swf, run, 'LambdaFunctionCompleted')['result']) == {'got': {}}


def test_a_function_that_raises(swf: Domain) -> None:
    def divide(event: Any) -> Any:
        raise ZeroDivisionError('by zero')

    failed = finished(swf, run := start(swf, divide, input='1'), 'LambdaFunctionFailed')
    assert (failed['reason'], failed['scheduledEventId'], failed['startedEventId']) == ('UnhandledError', 5, 6)
    details = json.loads(failed['details'])
    assert (details['errorMessage'], details['errorType']) == ('by zero', 'ZeroDivisionError')
    assert run.types()[7] == 'DecisionTaskScheduled'


def test_a_function_that_is_not_registered(swf: Domain) -> None:
    swf.register_lambda('other', lambda event: None)
    run = start(swf)
    assert finished(swf, run, 'LambdaFunctionFailed')['reason'] == 'ResourceNotFoundException'


@pytest.mark.parametrize('registered', [True, False])
def test_an_execution_without_a_role(swf: Domain, registered: bool) -> None:
    if registered:
        swf.register_lambda('double', lambda event: None)
    run = swf.start()
    swf.decide(schedule_lambda('l', 'double'))
    swf.settle()
    assert run.only('StartLambdaFunctionFailed') == {
        'scheduledEventId': 5,
        'cause': 'ASSUME_ROLE_FAILED',
        'message': 'No IAM role is attached to the current workflow execution.',
    }
    assert run.types()[-2:] == ['StartLambdaFunctionFailed', 'DecisionTaskScheduled']


def test_a_function_that_takes_too_long(swf: Domain) -> None:
    entered, release = threading.Event(), threading.Event()

    def wait(event: Any) -> None:
        entered.set()
        release.wait(30)

    run = start(swf, wait, input='1', startToCloseTimeout='10')
    swf.settle()
    assert entered.wait(60)
    swf.advance(11)
    release.set()
    assert run.only('LambdaFunctionTimedOut') == {
        'scheduledEventId': 5,
        'startedEventId': 6,
        'timeoutType': 'START_TO_CLOSE',
    }
    assert run.types()[-1] == 'DecisionTaskScheduled'


def test_an_open_id(swf: Domain) -> None:
    release = threading.Event()
    swf.register_lambda('double', lambda event: release.wait(30))
    run = swf.start(lambdaRole=ROLE)
    swf.decide(schedule_lambda('l'), schedule_lambda('l'))
    release.set()
    assert run.only('ScheduleLambdaFunctionFailed') == {
        'id': 'l',
        'name': 'double',
        'cause': 'ID_ALREADY_IN_USE',
        'decisionTaskCompletedEventId': 4,
    }


def test_a_closed_execution_forgets_its_functions(swf: Domain) -> None:
    entered, release = threading.Event(), threading.Event()

    def wait(event: Any) -> None:
        entered.set()
        release.wait(30)

    run = start(swf, wait, input='1')
    swf.settle()
    assert entered.wait(60)
    swf.signal(run, input='i')
    swf.decide(complete())
    release.set()
    swf.settle()
    assert run.types()[-1] == 'WorkflowExecutionCompleted'


@pytest.mark.parametrize('seconds', ['0', '901', 'NONE', '-1'])
def test_schedule_refuses_durations(swf: Domain, seconds: str) -> None:
    swf.start(lambdaRole=ROLE)
    with swf.refused('ValidationException'):
        swf.decide(schedule_lambda(startToCloseTimeout=seconds))


@pytest.mark.parametrize('name', ['', 'x' * 65])
def test_schedule_refuses_names(swf: Domain, name: str) -> None:
    swf.start(lambdaRole=ROLE)
    with swf.refused('ValidationException'):
        swf.decide(schedule_lambda('l', name))
