"""Requests that break the model: how they are refused, and in which words."""

from __future__ import annotations

import pytest

from .decisions import WORKFLOW
from .domain import DOMAIN, Domain

FAILED = 'failed to satisfy constraint: Member must'
EXECUTION = {'workflowId': 'w', 'runId': 'r'}


def one(problem: str) -> str:
    return f'1 validation error detected: {problem}'


def test_a_missing_member(swf: Domain) -> None:
    with swf.refused('ValidationException', one(f"Value null at 'name' {FAILED} not be null")):
        swf.client.describe_domain()


def test_two_missing_members_in_the_order_of_the_model(swf: Domain) -> None:
    expected = f"Value null at 'domain' {FAILED} not be null; Value null at 'registrationStatus' {FAILED} not be null"
    with swf.refused('ValidationException', f'2 validation errors detected: {expected}'):
        swf.client.list_workflow_types()


def test_a_missing_member_inside(swf: Domain) -> None:
    with swf.refused('ValidationException', one(f"Value null at 'workflowType.version' {FAILED} not be null")):
        swf.client.describe_workflow_type(domain=DOMAIN, workflowType={'name': 'wf'})


def test_a_value_outside_an_enum(swf: Domain) -> None:
    expected = f"Value 'GONE' at 'registrationStatus' {FAILED} satisfy enum value set: [REGISTERED, DEPRECATED]"
    with swf.refused('ValidationException', one(expected)):
        swf.client.list_domains(registrationStatus='GONE')


def test_a_string_that_is_too_long(swf: Domain) -> None:
    expected = f"Value '{'x' * 257}' at 'name' {FAILED} have length less than or equal to 256"
    with swf.refused('ValidationException', one(expected)):
        swf.client.describe_domain(name='x' * 257)


def test_a_string_that_is_too_short(swf: Domain) -> None:
    with swf.refused('ValidationException', one(f"Value '' at 'name' {FAILED} have length greater than or equal to 1")):
        swf.client.describe_domain(name='')


@pytest.mark.parametrize('method', ['describe_workflow_execution', 'get_workflow_execution_history'])
def test_execution_is_checked_before_domain(swf: Domain, method: str) -> None:
    problems = '; '.join(
        f"Value null at '{path}' {FAILED} not be null" for path in ('execution.runId', 'execution.workflowId', 'domain')
    )
    with swf.refused('ValidationException', f'3 validation errors detected: {problems}'):
        getattr(swf.client, method)(execution={})


@pytest.mark.parametrize('method', ['describe_workflow_execution', 'get_workflow_execution_history'])
def test_a_missing_execution_is_reported_before_the_domain(swf: Domain, method: str) -> None:
    problems = '; '.join(f"Value null at '{path}' {FAILED} not be null" for path in ('execution', 'domain'))
    with swf.refused('ValidationException', f'2 validation errors detected: {problems}'):
        getattr(swf.client, method)()


def test_the_request_is_checked_before_the_domain_exists(swf: Domain) -> None:
    with swf.refused('ValidationException'):
        swf.client.start_workflow_execution(domain='nowhere', workflowId='w')


def test_the_domain_is_checked_before_the_type(swf: Domain) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        swf.start(domain='nowhere', workflowType={'name': 'never', 'version': '1'})


def test_the_type_is_checked_before_the_defaults(swf: Domain) -> None:
    swf.client.register_workflow_type(domain=DOMAIN, name='bare', version='1')
    swf.client.deprecate_workflow_type(domain=DOMAIN, workflowType={'name': 'bare', 'version': '1'})
    with swf.refused('TypeDeprecatedFault'):
        swf.start(workflowType={'name': 'bare', 'version': '1'})


def test_the_defaults_are_checked_before_what_is_running(swf: Domain) -> None:
    swf.client.register_workflow_type(domain=DOMAIN, name='bare', version='1')
    swf.start()
    with swf.refused('DefaultUndefinedFault'):
        swf.start(workflowType={'name': 'bare', 'version': '1'})


@pytest.mark.parametrize('method', ['describe_workflow_execution', 'get_workflow_execution_history'])
@pytest.mark.parametrize('run_id', ['', 'x' * 65])
def test_a_run_id_has_1_to_64_characters(swf: Domain, method: str, run_id: str) -> None:
    with swf.refused('ValidationException'):
        getattr(swf.client, method)(domain=DOMAIN, execution={'workflowId': 'w', 'runId': run_id})


@pytest.mark.parametrize('kind', ['activity', 'decision'])
@pytest.mark.parametrize('name', ['', 'x' * 257, 'a:b', 'a/b', 'a|b', 'arn', 'a\x01'])
def test_poll_refuses_task_lists(swf: Domain, kind: str, name: str) -> None:
    with swf.refused('ValidationException'):
        getattr(swf.client, f'poll_for_{kind}_task')(domain=DOMAIN, taskList={'name': name})


def test_lengths_are_counted_in_characters(swf: Domain) -> None:
    name = '😀' * 256
    swf.client.register_domain(name=name, workflowExecutionRetentionPeriodInDays='1')
    with swf.refused('ValidationException'):
        swf.client.register_domain(name=name + '😀', workflowExecutionRetentionPeriodInDays='1')


@pytest.mark.parametrize('size', [0, 1, 1000])
def test_page_sizes_in_range(swf: Domain, size: int) -> None:
    assert len(swf.client.list_domains(registrationStatus='REGISTERED', maximumPageSize=size)['domainInfos']) == 1


@pytest.mark.parametrize('size', [-1, 1001])
@pytest.mark.parametrize('method', ['list_workflow_types', 'list_activity_types'])
def test_page_sizes_out_of_range(swf: Domain, method: str, size: int) -> None:
    with swf.refused('ValidationException'):
        getattr(swf.client, method)(domain=DOMAIN, registrationStatus='REGISTERED', maximumPageSize=size)


@pytest.mark.parametrize('method', ['list_workflow_types', 'list_activity_types'])
def test_corrupt_page_tokens(swf: Domain, method: str) -> None:
    with swf.refused('ValidationException', 'Invalid token'):
        getattr(swf.client, method)(domain=DOMAIN, registrationStatus='REGISTERED', nextPageToken='nonsense')


def test_a_name_may_come_from_any_script(swf: Domain) -> None:
    run = swf.start('заказ 注文 🛒', input='\u2028 "quoted" \\ \t')
    assert run.only('WorkflowExecutionStarted')['input'] == '\u2028 "quoted" \\ \t'
    assert swf.poll_decision()['workflowExecution']['workflowId'] == 'заказ 注文 🛒'


def test_an_optional_role_and_tags_are_absent_unless_given(swf: Domain) -> None:
    started = swf.start(workflowType=WORKFLOW).only('WorkflowExecutionStarted')
    assert {'lambdaRole', 'tagList', 'input', 'taskPriority'}.isdisjoint(started)


@pytest.mark.parametrize('kind', ['activity', 'workflow'])
def test_a_version_has_1_to_64_characters(swf: Domain, kind: str) -> None:
    register = getattr(swf.client, f'register_{kind}_type')
    register(domain=DOMAIN, name='thing', version='x' * 64)
    with swf.refused('ValidationException'):
        register(domain=DOMAIN, name='thing', version='x' * 65)


@pytest.mark.parametrize('domain', ['a:b', 'arn', 'x' * 257, ''])
def test_start_refuses_domains(swf: Domain, domain: str) -> None:
    with swf.refused('ValidationException'):
        swf.start(domain=domain)


def test_five_tags_of_256_characters(swf: Domain) -> None:
    tags = [str(n) * 256 for n in range(5)]
    assert swf.start(tagList=tags).only('WorkflowExecutionStarted')['tagList'] == tags


def test_a_null_tag_stays(swf: Domain) -> None:
    run = swf.start(tagList=[None])
    assert run.only('WorkflowExecutionStarted')['tagList'] == [None]
    assert run.info()['tagList'] == [None]


@pytest.mark.parametrize('seconds', ['0', '00060', '31536000', 'NONE'])
def test_durations_in_range(swf: Domain, seconds: str) -> None:
    started = swf.start(taskStartToCloseTimeout=seconds).only('WorkflowExecutionStarted')
    assert started['taskStartToCloseTimeout'] == seconds


@pytest.mark.parametrize('priority', ['-2147483648', '0', '2147483647'])
def test_priorities_in_range(swf: Domain, priority: str) -> None:
    assert swf.start(taskPriority=priority).only('WorkflowExecutionStarted')['taskPriority'] == priority
