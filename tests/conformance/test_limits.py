"""Quotas: lowered, so that a test can reach them.  Only our own back ends have numbers to lower."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from genflow.local.state.limits import Limits

from .backends import BACKENDS
from .decisions import marker, schedule, schedule_lambda, start_child, start_timer
from .domain import DOMAIN, ROLE, Domain


@contextlib.contextmanager
def limited(backend: str, **limits: Any) -> Iterator[Domain]:
    with BACKENDS[backend](limits=Limits(**limits)) as domain:
        yield domain.prepare()


def test_domains(ours: str) -> None:
    with limited(ours, domains=2) as swf:
        swf.client.register_domain(name='second', workflowExecutionRetentionPeriodInDays='1')
        swf.client.deprecate_domain(name='second')
        with swf.refused('LimitExceededFault'):
            swf.client.register_domain(name='third', workflowExecutionRetentionPeriodInDays='1')


@pytest.mark.parametrize('kind', ['workflow', 'activity'])
def test_types_of_a_domain(ours: str, kind: str) -> None:
    with limited(ours, types=2) as swf:
        register = getattr(swf.client, f'register_{kind}_type')
        register(domain=DOMAIN, name='second', version='1')
        with swf.refused('LimitExceededFault'):
            register(domain=DOMAIN, name='third', version='1')


def test_open_executions_of_a_domain(ours: str) -> None:
    with limited(ours, open_executions=2) as swf:
        first = swf.start('1')
        swf.start('2')
        with swf.refused('LimitExceededFault'):
            swf.start('3')
        swf.terminate(first)
        swf.start('3')


def test_open_executions_count_children(ours: str) -> None:
    with limited(ours, open_executions=1) as swf:
        run = swf.start()
        swf.decide(start_child())
        swf.settle()
        failed = run.only('StartChildWorkflowExecutionFailed')
        assert failed['cause'] == 'OPEN_WORKFLOWS_LIMIT_EXCEEDED'


OPEN_WORK = {
    'open_activities': (schedule, 'ScheduleActivityTaskFailed', 'OPEN_ACTIVITIES_LIMIT_EXCEEDED'),
    'open_timers': (start_timer, 'StartTimerFailed', 'OPEN_TIMERS_LIMIT_EXCEEDED'),
    'open_children': (start_child, 'StartChildWorkflowExecutionFailed', 'OPEN_CHILDREN_LIMIT_EXCEEDED'),
    'open_lambdas': (schedule_lambda, 'ScheduleLambdaFunctionFailed', 'OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED'),
}


@pytest.mark.parametrize('limit', OPEN_WORK)
def test_open_work_of_an_execution(ours: str, limit: str) -> None:
    asked, kind, cause = OPEN_WORK[limit]
    with limited(ours, **{limit: 2}) as swf:
        swf.register_lambda('double', lambda event: event)
        run = swf.start(lambdaRole=ROLE)
        swf.decide(asked('1'), asked('2'), asked('3'))
        assert run.only(kind)['cause'] == cause


@pytest.mark.parametrize('limit', OPEN_WORK)
def test_the_real_number_is_1000(limit: str) -> None:
    asked, kind, _ = OPEN_WORK[limit]
    with limited('in_process') as swf:
        swf.register_lambda('double', lambda event: event)
        run = swf.start(lambdaRole=ROLE)
        swf.decide(*(asked(str(n)) for n in range(1001)))
        (failed,) = [event for event in run.history() if event['eventType'] == kind]
        assert failed['eventId'] == 4 + 1001


def test_a_history_that_is_too_long_is_terminated(ours: str) -> None:
    with limited(ours, history_events=20) as swf:
        run = swf.start(childPolicy='TERMINATE')
        swf.decide(*(marker() for _ in range(14)))
        assert run.info()['executionStatus'] == 'OPEN'
        swf.signal(run)
        swf.signal(run)
        swf.settle()
        assert run.only('WorkflowExecutionTerminated') == {'cause': 'EVENT_LIMIT_EXCEEDED', 'childPolicy': 'TERMINATE'}
        assert 20 <= len(run.types()) <= 21


def test_events_of_a_page(ours: str) -> None:
    with limited(ours, history_page_size=1_000) as swf:
        run = swf.start()
        swf.decide(*(marker() for _ in range(200)))
        assert len(run.page()['events']) == 204


def test_tags_of_a_domain(ours: str) -> None:
    with limited(ours, resource_tags=1) as swf:
        arn = swf.client.describe_domain(name=DOMAIN)['domainInfo']['arn']
        swf.client.tag_resource(resourceArn=arn, tags=[{'key': 'a', 'value': ''}])
        with swf.refused('TooManyTagsFault'):
            swf.client.tag_resource(resourceArn=arn, tags=[{'key': 'b', 'value': ''}])


def test_calls_are_throttled_where_rates_are_set(ours: str) -> None:
    with limited(ours, rates={'DescribeDomain': (2, 1)}) as swf:
        swf.client.describe_domain(name=DOMAIN)
        swf.client.describe_domain(name=DOMAIN)
        with swf.refused('ThrottlingException'):
            swf.client.describe_domain(name=DOMAIN)
        swf.advance(1)
        swf.client.describe_domain(name=DOMAIN)


RATES = {
    'ScheduleActivityTask': (schedule, 'ScheduleActivityTaskFailed', 'ACTIVITY_CREATION_RATE_EXCEEDED'),
    'StartTimer': (start_timer, 'StartTimerFailed', 'TIMER_CREATION_RATE_EXCEEDED'),
    'StartChildWorkflowExecution': (
        start_child,
        'StartChildWorkflowExecutionFailed',
        'CHILD_CREATION_RATE_EXCEEDED',
    ),
}


@pytest.mark.parametrize('kind', RATES)
def test_decisions_fail_where_rates_are_set(ours: str, kind: str) -> None:
    asked, event, cause = RATES[kind]
    with limited(ours, rates={kind: (1, 1)}) as swf:
        run = swf.start()
        swf.decide(asked('1'), asked('2'))
        assert run.only(event)['cause'] == cause
