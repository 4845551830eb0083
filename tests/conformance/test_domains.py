"""Domains: registering, describing, listing, deprecating, tagging."""

from __future__ import annotations

import pytest

from .decisions import ACTIVITY, WORKFLOW
from .domain import DOMAIN, Domain

ARN = f'arn:aws:swf:us-east-1:123456789012:/domain/{DOMAIN}'


def names(answer: dict) -> list[str]:
    return [info['name'] for info in answer['domainInfos']]


def register(swf: Domain, *domains: str) -> None:
    for name in domains:
        swf.client.register_domain(name=name, workflowExecutionRetentionPeriodInDays='7')


def test_register_domain_answers_nothing(empty: Domain) -> None:
    assert empty.client.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1') == {}


def test_describe_domain_shows_what_was_registered(empty: Domain) -> None:
    empty.client.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='60', description='why')
    assert empty.client.describe_domain(name=DOMAIN) == {
        'domainInfo': {'name': DOMAIN, 'status': 'REGISTERED', 'description': 'why', 'arn': ARN},
        'configuration': {'workflowExecutionRetentionPeriodInDays': '60'},
    }


def test_describe_domain_without_a_description_has_no_such_member(swf: Domain) -> None:
    assert 'description' not in swf.client.describe_domain(name=DOMAIN)['domainInfo']


def test_describe_domain_unknown(empty: Domain) -> None:
    with empty.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        empty.client.describe_domain(name='nowhere')


def test_register_domain_twice(swf: Domain) -> None:
    with swf.refused('DomainAlreadyExistsFault', DOMAIN):
        register(swf, DOMAIN)


def test_register_domain_that_is_deprecated(swf: Domain) -> None:
    swf.client.deprecate_domain(name=DOMAIN)
    with swf.refused('DomainAlreadyExistsFault', DOMAIN):
        register(swf, DOMAIN)


@pytest.mark.parametrize('days', ['0', '90', 'NONE'])
def test_register_domain_accepts_retention(empty: Domain, days: str) -> None:
    empty.client.register_domain(name='d', workflowExecutionRetentionPeriodInDays=days)
    configuration = empty.client.describe_domain(name='d')['configuration']
    assert configuration == {'workflowExecutionRetentionPeriodInDays': days}


@pytest.mark.parametrize('days', ['91', '-1', 'none', '1.5', 'week', '123456789'])
def test_register_domain_refuses_retention(empty: Domain, days: str) -> None:
    with empty.refused('ValidationException'):
        empty.client.register_domain(name='d', workflowExecutionRetentionPeriodInDays=days)


@pytest.mark.parametrize(
    'name', ['a:b', 'a/b', 'a|b', 'arn', 'a\x00b', 'a\x1fb', 'a\x7fb', 'a\x9fb', ' a', 'a ', 'x' * 257]
)
def test_register_domain_refuses_name(empty: Domain, name: str) -> None:
    with empty.refused('ValidationException'):
        register(empty, name)


@pytest.mark.parametrize('name', ['arn2', 'a b', 'x' * 256, 'ñandú', '日本', 'a.b-c_d+e=f@g'])
def test_register_domain_accepts_name(empty: Domain, name: str) -> None:
    register(empty, name)
    assert empty.client.describe_domain(name=name)['domainInfo']['name'] == name


def test_list_domains_ascends_by_name(empty: Domain) -> None:
    register(empty, 'b', 'c', 'a')
    assert names(empty.client.list_domains(registrationStatus='REGISTERED')) == ['a', 'b', 'c']


def test_list_domains_in_reverse_descends(empty: Domain) -> None:
    register(empty, 'b', 'c', 'a')
    assert names(empty.client.list_domains(registrationStatus='REGISTERED', reverseOrder=True)) == ['c', 'b', 'a']


def test_list_domains_by_status(empty: Domain) -> None:
    register(empty, 'a', 'b')
    empty.client.deprecate_domain(name='a')
    assert names(empty.client.list_domains(registrationStatus='REGISTERED')) == ['b']
    assert names(empty.client.list_domains(registrationStatus='DEPRECATED')) == ['a']


def test_list_domains_shows_an_info_of_each(swf: Domain) -> None:
    (info,) = swf.client.list_domains(registrationStatus='REGISTERED')['domainInfos']
    assert info == {'name': DOMAIN, 'status': 'REGISTERED', 'arn': ARN}


def test_list_domains_pages(empty: Domain) -> None:
    register(empty, 'a', 'b', 'c')
    first = empty.client.list_domains(registrationStatus='REGISTERED', maximumPageSize=2)
    second = empty.client.list_domains(
        registrationStatus='REGISTERED', maximumPageSize=2, nextPageToken=first['nextPageToken']
    )
    assert (names(first), names(second)) == (['a', 'b'], ['c'])
    assert 'nextPageToken' not in second


def test_list_domains_refuses_a_status_outside_the_enum(empty: Domain) -> None:
    with empty.refused('ValidationException'):
        empty.client.list_domains(registrationStatus='GONE')


def test_deprecate_domain_shows_in_describe(swf: Domain) -> None:
    assert swf.client.deprecate_domain(name=DOMAIN) == {}
    assert swf.client.describe_domain(name=DOMAIN)['domainInfo']['status'] == 'DEPRECATED'


def test_deprecate_domain_twice(swf: Domain) -> None:
    swf.client.deprecate_domain(name=DOMAIN)
    with swf.refused('DomainDeprecatedFault', DOMAIN):
        swf.client.deprecate_domain(name=DOMAIN)


def test_deprecate_domain_unknown(empty: Domain) -> None:
    with empty.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        empty.client.deprecate_domain(name='nowhere')


def test_deprecate_domain_deprecates_its_types(swf: Domain) -> None:
    swf.client.deprecate_domain(name=DOMAIN)
    workflow_type = swf.client.describe_workflow_type(domain=DOMAIN, workflowType=WORKFLOW)
    activity_type = swf.client.describe_activity_type(domain=DOMAIN, activityType=ACTIVITY)
    assert (workflow_type['typeInfo']['status'], activity_type['typeInfo']['status']) == ('DEPRECATED', 'DEPRECATED')


def test_deprecated_domain_starts_no_execution(swf: Domain) -> None:
    swf.client.deprecate_domain(name=DOMAIN)
    with swf.refused('DomainDeprecatedFault'):
        swf.start()


def test_deprecated_domain_registers_no_workflow_type(swf: Domain) -> None:
    swf.client.deprecate_domain(name=DOMAIN)
    with swf.refused('DomainDeprecatedFault'):
        swf.client.register_workflow_type(domain=DOMAIN, name='other', version='1')


def test_deprecated_domain_registers_no_activity_type(swf: Domain) -> None:
    swf.client.deprecate_domain(name=DOMAIN)
    with swf.refused('DomainDeprecatedFault'):
        swf.client.register_activity_type(domain=DOMAIN, name='other', version='1')


def test_deprecated_domain_keeps_running_what_is_open(swf: Domain) -> None:
    run = swf.start()
    swf.client.deprecate_domain(name=DOMAIN)
    swf.decide({'decisionType': 'CompleteWorkflowExecution', 'completeWorkflowExecutionDecisionAttributes': {}})
    assert run.info()['closeStatus'] == 'COMPLETED'


def test_deprecated_domain_can_be_searched(swf: Domain) -> None:
    swf.start()
    swf.client.deprecate_domain(name=DOMAIN)
    found = swf.client.list_open_workflow_executions(domain=DOMAIN, startTimeFilter={'oldestDate': 0})
    assert len(found['executionInfos']) == 1


def test_undeprecate_domain(swf: Domain) -> None:
    swf.client.deprecate_domain(name=DOMAIN)
    assert swf.client.undeprecate_domain(name=DOMAIN) == {}
    assert swf.client.describe_domain(name=DOMAIN)['domainInfo']['status'] == 'REGISTERED'


def test_undeprecate_domain_that_is_registered(swf: Domain) -> None:
    with swf.refused('DomainAlreadyExistsFault', DOMAIN):
        swf.client.undeprecate_domain(name=DOMAIN)


def test_undeprecate_domain_unknown(empty: Domain) -> None:
    with empty.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        empty.client.undeprecate_domain(name='nowhere')


def test_undeprecate_domain_leaves_its_types_deprecated(swf: Domain) -> None:
    swf.client.deprecate_domain(name=DOMAIN)
    swf.client.undeprecate_domain(name=DOMAIN)
    found = swf.client.describe_workflow_type(domain=DOMAIN, workflowType=WORKFLOW)
    assert found['typeInfo']['status'] == 'DEPRECATED'


def tags(swf: Domain) -> dict[str, str]:
    return {tag['key']: tag['value'] for tag in swf.client.list_tags_for_resource(resourceArn=ARN)['tags']}


def test_register_domain_with_tags(empty: Domain) -> None:
    empty.client.register_domain(
        name=DOMAIN, workflowExecutionRetentionPeriodInDays='1', tags=[{'key': 'team', 'value': 'red'}]
    )
    assert tags(empty) == {'team': 'red'}


def test_a_domain_without_tags_lists_none(swf: Domain) -> None:
    assert swf.client.list_tags_for_resource(resourceArn=ARN) == {'tags': []}


def test_tag_resource_adds_and_overwrites(swf: Domain) -> None:
    swf.client.tag_resource(resourceArn=ARN, tags=[{'key': 'a', 'value': '1'}, {'key': 'b', 'value': '2'}])
    assert swf.client.tag_resource(resourceArn=ARN, tags=[{'key': 'b', 'value': '3'}]) == {}
    assert tags(swf) == {'a': '1', 'b': '3'}


def test_tag_resource_with_fifty_tags(swf: Domain) -> None:
    swf.client.tag_resource(resourceArn=ARN, tags=[{'key': str(n), 'value': ''} for n in range(50)])
    assert len(tags(swf)) == 50


def test_tag_resource_with_more_than_fifty_tags(swf: Domain) -> None:
    swf.client.tag_resource(resourceArn=ARN, tags=[{'key': str(n), 'value': ''} for n in range(50)])
    with swf.refused('TooManyTagsFault'):
        swf.client.tag_resource(resourceArn=ARN, tags=[{'key': 'one more', 'value': ''}])


@pytest.mark.parametrize('key', ['a*b', '', 'x' * 129])
def test_tag_resource_refuses_key(swf: Domain, key: str) -> None:
    with swf.refused('ValidationException'):
        swf.client.tag_resource(resourceArn=ARN, tags=[{'key': key, 'value': ''}])


def test_untag_resource_removes_keys_and_ignores_unknown_ones(swf: Domain) -> None:
    swf.client.tag_resource(resourceArn=ARN, tags=[{'key': 'a', 'value': '1'}, {'key': 'b', 'value': '2'}])
    assert swf.client.untag_resource(resourceArn=ARN, tagKeys=['a', 'never']) == {}
    assert tags(swf) == {'b': '2'}


@pytest.mark.parametrize(
    ('method', 'request_members'),
    [('tag_resource', {'tags': []}), ('untag_resource', {'tagKeys': []}), ('list_tags_for_resource', {})],
)
def test_tags_of_an_unknown_resource(swf: Domain, method: str, request_members: dict) -> None:
    with swf.refused('UnknownResourceFault'):
        getattr(swf.client, method)(resourceArn=ARN + 'x', **request_members)
