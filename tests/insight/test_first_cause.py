"""Executions with more than one cause, or with a cause somewhere else: the first finding names what matters."""

from __future__ import annotations

import pytest

from genflow.core.payloads.failures import encode_failure
from tests.insight import breaking
from tests.insight.breaking import DOMAIN, Environment

CASES = {}


def case(code, *texts):
    """Registers what breaks an execution, with the first finding and what its text and commands contain."""

    def add(function):
        CASES[function.__name__] = (function, code, texts)
        return function

    return add


@case('failed-by-activity', 'activity 1 Work failed: A: first')
def of_two_failures_the_one_that_the_code_raised(env):
    env.begin(breaking.Both)
    one, other = env.take(), env.take()
    env.fail(one, 'A: first')
    env.fail(other, 'B: second')
    env.decide()


@case('failed-by-code', 'its code raised ValueError: its own')
def a_failure_that_the_code_swallowed_is_no_cause(env):
    env.begin(breaking.Swallows)
    env.fail(env.take())
    env.decide()


@case(
    'failed-by-code', 'its code raised RuntimeError: wrapped', 'after activity 1 Work failed: ConnectionError: refused'
)
def the_innermost_of_a_chain(env):
    env.begin(breaking.Wraps)
    env.fail(env.take())
    env.decide()


@case('failed-by-activity', 'activity 1 Work failed: Declined: the card')
def an_exception_that_raises_brought_back(env):
    env.begin(breaking.Rebuilds)
    reason, details = encode_failure(breaking.Declined('the card'))
    env.swf.respond_activity_task_failed(taskToken=env.take(), reason=reason, details=details)
    env.decide()


@case('failed-by-timeout', 'activity 1 Work 1 did not settle within 50 s', '`.timeout()`')
def a_limit_of_the_code(env):
    env.begin(breaking.Limited)
    env.take()
    env.wait(51)
    env.decide()


@case('failed-by-timeout', "no worker took it from the list 'work'", 'genflow worker TARGET --task-list work')
def an_activity_that_nobody_took(env):
    env.begin(breaking.Impatient)
    env.wait(61)
    env.decide()


@case('failed-by-child', 'child 1 Plain was canceled')
def a_child_that_was_canceled(env):
    env.begin(breaking.Parent)
    env.decide()
    env.decide()
    env.swf.request_cancel_workflow_execution(domain=DOMAIN, workflowId='child')
    env.decide()
    env.decide()


@case('failed-by-child', 'child 1 Plain was terminated. child: It was terminated just now: no more')
def a_child_that_was_terminated(env):
    env.begin(breaking.Parent)
    env.decide()
    env.decide()
    env.swf.terminate_workflow_execution(domain=DOMAIN, workflowId='child', reason='no more')
    env.decide()


@case('activity-not-polled', 'activity 1 Work has waited for 2 min', 'genflow worker TARGET --task-list work')
def a_retry_that_nobody_takes(env):
    env.begin(breaking.Retrying)
    env.fail(env.take())
    env.decide()
    env.wait(601)
    env.decide()
    env.wait(120)


@case('activity-not-polled', 'has waited for the 3rd time for 10 s')
def retries_that_nobody_takes(env):
    env.begin(breaking.Stubborn)
    for _ in range(2):
        env.wait(61)
        env.decide()
    env.wait(10)


@case('child-stuck', 'child 1 Parent (middle) is stuck: child 1 Plain (child) is stuck: activity 1 Work has waited')
def a_grandchild_whose_activity_nobody_takes(env):
    env.begin(breaking.Grandparent)
    for _ in range(4):
        env.decide()
    env.wait(60)


@case('history-mismatch', 'The code does not match the history', 'genflow debug w TARGET --db x.db')
def a_mismatch_while_no_decider_is_there(env):
    env.begin(breaking.Plain)
    env.complete(env.take())
    env.wait(100)


@case('decision-not-polled', 'No worker has taken the decision task')
def a_cancellation_that_no_decider_hears(env):
    env.begin(breaking.Plain)
    env.take()
    env.swf.request_cancel_workflow_execution(domain=DOMAIN, workflowId='w')
    env.wait(100)


@case('activity-not-polled', 'activity 1 Work has waited for 40 s')
def an_activity_whose_workers_all_died(env):
    env.begin(breaking.AtOnce)
    for worker in ('worker-1', 'worker-2'):
        env.take(identity=worker)
        env.wait(31)
        env.decide()
    env.wait(40)


def _failed_by_another_decider(env, **attributes):
    env.begin(breaking.Plain)
    env.complete(env.take())
    decision = {'decisionType': 'FailWorkflowExecution', 'failWorkflowExecutionDecisionAttributes': attributes}
    env.swf.respond_decision_task_completed(taskToken=env.poll()['taskToken'], decisions=[decision])


@case('failed-by-code', "It failed just now with the reason 'out of stock'.")
def a_failure_of_another_decider(env):
    _failed_by_another_decider(env, reason='out of stock')


@case('failed-by-code', 'It failed just now without a reason.')
def a_failure_that_says_nothing(env):
    _failed_by_another_decider(env)


@pytest.mark.parametrize('name', CASES)
def test_the_first_finding_names_what_matters(name):
    breaks, code, texts = CASES[name]
    env = Environment()
    breaks(env)
    first = env.diagnosis(cls=breaking.Changed if 'mismatch' in name else None).findings[0]
    assert first.code == code
    for text in texts:
        assert text in f'{first.text}\n{first.remedy}'
