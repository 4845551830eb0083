"""The face of boto3's client: what a program that was written for boto3 notices, which should be nothing."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from botocore.exceptions import ClientError, OperationNotPageableError, ParamValidationError
from botocore.serialize import JSONSerializer

from genflow.local import LocalSWF
from genflow.local.requests.timestamps import seconds
from tests.local.domain import COMPLETE, WORKFLOW, decision


@pytest.fixture
def boto():
    session = boto3.session.Session(
        aws_access_key_id='key',
        aws_secret_access_key='secret',
        region_name='us-east-1',
    )
    client = session.client('swf', endpoint_url='http://127.0.0.1:1')
    yield client
    client.close()


def public_methods(client):
    return {name for name in client.meta.method_to_api_mapping if callable(getattr(client, name))}


def test_every_method_of_boto3_is_there(domain, boto):
    assert public_methods(domain.swf) == public_methods(boto)
    assert domain.swf.meta.method_to_api_mapping == boto.meta.method_to_api_mapping


def test_the_same_methods_have_pages(domain, boto):
    names = public_methods(boto)
    assert {name for name in names if domain.swf.can_paginate(name)} == {
        name for name in names if boto.can_paginate(name)
    }


def test_a_method_without_pages(domain):
    with pytest.raises(OperationNotPageableError):
        domain.swf.get_paginator('register_domain')


def test_the_same_exceptions(domain, boto):
    names = {shape.name for shape in boto.meta.service_model.error_shapes}
    for name in names:
        assert issubclass(getattr(domain.swf.exceptions, name), ClientError)
    assert domain.swf.exceptions.ClientError is ClientError


def test_a_fault_is_raised_as_its_class_with_boto3_s_response(domain):
    with pytest.raises(domain.swf.exceptions.UnknownResourceFault) as caught:
        domain.swf.describe_domain(name='nowhere')
    response = caught.value.response
    assert response['Error'] == {'Code': 'UnknownResourceFault', 'Message': 'Unknown domain: nowhere'}
    assert response['ResponseMetadata']['HTTPStatusCode'] == 400
    assert caught.value.operation_name == 'DescribeDomain'


def test_an_error_outside_of_the_model_is_a_client_error(domain):
    with pytest.raises(ClientError) as caught:
        domain.swf.respond_activity_task_completed(taskToken='x')
    assert type(caught.value) is ClientError
    assert caught.value.response['Error']['Code'] == 'ValidationException'


@pytest.mark.thorough
@pytest.mark.parametrize(
    'request_',
    [
        {},
        {'name': 'd'},
        {'name': 'd', 'workflowExecutionRetentionPeriodInDays': 7},
        {'name': 'd', 'workflowExecutionRetentionPeriodInDays': '7', 'colour': 'red'},
        {'name': '', 'workflowExecutionRetentionPeriodInDays': '7'},
        {'name': None, 'workflowExecutionRetentionPeriodInDays': '7'},
        {'name': 'd', 'workflowExecutionRetentionPeriodInDays': '7', 'tags': [{'kay': 'x'}]},
    ],
)
def test_what_boto3_refuses_is_refused_in_its_words(domain, boto, request_):
    with pytest.raises(ParamValidationError) as ours:
        domain.swf.register_domain(**request_)
    with pytest.raises(ParamValidationError) as theirs:
        boto.register_domain(**request_)
    assert str(ours.value) == str(theirs.value)


def test_methods_take_keyword_arguments_only(domain):
    with pytest.raises(TypeError, match=r'describe_domain\(\) only accepts keyword arguments'):
        domain.swf.describe_domain('dom')


def test_answers_have_boto3_s_metadata(domain):
    first, second = (domain.swf.describe_domain(name='dom')['ResponseMetadata'] for _ in range(2))
    assert set(first) == {'RequestId', 'HTTPStatusCode', 'HTTPHeaders', 'RetryAttempts'}
    assert first['RequestId'] != second['RequestId']
    assert domain.swf.undeprecate_domain is not None
    assert set(domain.swf.register_domain(name='e', workflowExecutionRetentionPeriodInDays='1')) == {'ResponseMetadata'}


def test_moments_are_aware(domain, clock):
    execution = domain.start()
    described = domain.describe(execution)['executionInfo']
    assert described['startTimestamp'] == clock.now()
    assert described['startTimestamp'].utcoffset() == timedelta(0)
    assert domain.history(execution)[0]['eventTimestamp'] == clock.now()


@pytest.mark.parametrize(
    'moment',
    [
        datetime(1999, 12, 31, tzinfo=timezone.utc),
        datetime(2000, 1, 1, 5, tzinfo=timezone(timedelta(hours=6))),
        946_000_000,
        0,
    ],
)
def test_filters_take_moments_of_any_kind(domain, moment):
    domain.start()
    found = domain.swf.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': moment})
    assert found['count'] == 1


@pytest.mark.parametrize('zone', ['UTC', 'Asia/Tokyo', 'America/Los_Angeles'])
def test_a_moment_without_a_time_zone_is_utc_as_it_is_to_boto3(zone, monkeypatch):
    monkeypatch.setenv('TZ', zone)
    time.tzset()
    try:
        naive = datetime(2020, 1, 1)  # noqa: DTZ001 - the point
        assert seconds(naive) == 1_577_836_800
        assert JSONSerializer()._timestamp_unixtimestamp(naive) == 1_577_836_800  # noqa: SLF001 - what boto3 sends
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_filter_is_not_changed(domain):
    filter_ = {'oldestDate': datetime(1999, 1, 1, tzinfo=timezone.utc)}
    domain.swf.count_open_workflow_executions(domain='dom', startTimeFilter=filter_)
    assert filter_ == {'oldestDate': datetime(1999, 1, 1, tzinfo=timezone.utc)}


def test_answers_are_the_caller_s_own(domain):
    """What a caller does to an answer changes nothing in the service."""
    execution = domain.start()
    before = domain.history(execution)
    spoilt = domain.history(execution)
    spoilt[0]['workflowExecutionStartedEventAttributes']['taskList']['name'] = 'spoilt'
    spoilt.clear()
    domain.describe(execution)['executionConfiguration']['taskList']['name'] = 'spoilt'
    domain.swf.describe_workflow_type(domain='dom', workflowType=WORKFLOW)['configuration'].clear()
    empty = domain.poll_activity()
    empty['startedEventId'] = 7
    assert domain.history(execution) == before
    assert domain.describe(execution)['executionConfiguration']['taskList'] == {'name': 'deciders'}
    assert domain.swf.describe_workflow_type(domain='dom', workflowType=WORKFLOW)['configuration']
    assert domain.poll_activity()['startedEventId'] == 0


def test_requests_are_not_kept(domain):
    """What a caller does to a request afterwards changes nothing in the service."""
    marker = decision('RecordMarker', markerName='m', details='before')
    execution = domain.start(tagList=(tags := ['a']))
    tags.append('b')
    domain.decide(marker)
    marker['recordMarkerDecisionAttributes']['details'] = 'after'
    assert domain.history(execution)[4]['markerRecordedEventAttributes']['details'] == 'before'
    assert domain.describe(execution)['executionInfo']['tagList'] == ['a']


def test_pages_through_botocore_s_paginator(domain):
    domain.start()
    domain.decide(*(decision('RecordMarker', markerName=str(number)) for number in range(25)))
    domain.signal()
    pages = domain.swf.get_paginator('poll_for_decision_task').paginate(
        domain='dom', taskList={'name': 'deciders'}, PaginationConfig={'PageSize': 10}
    )
    events = [event for page in pages for event in page['events']]
    assert [event['eventId'] for event in events] == list(range(1, 33))


def test_subclasses_of_str_are_strings(domain):
    class Name(str):
        __slots__ = ()

    assert domain.swf.describe_domain(name=Name('dom'))['domainInfo']['name'] == 'dom'


def test_region_and_account_are_in_arns():
    with LocalSWF(region='eu-west-1', account_id='210987654321') as swf:
        swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        arn = swf.describe_domain(name='d')['domainInfo']['arn']
        assert arn == 'arn:aws:swf:eu-west-1:210987654321:/domain/d'
        assert swf.meta.region_name == 'eu-west-1'


def test_denied_operations_and_decisions():
    from tests.local.domain import Domain

    with LocalSWF(denied=['CountOpenWorkflowExecutions', 'RecordMarker'], long_poll=0) as swf:
        domain = Domain(swf).prepare()
        with pytest.raises(swf.exceptions.OperationNotPermittedFault):
            swf.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})
        execution = domain.start()
        domain.decide(decision('RecordMarker', markerName='m'))
        failed = domain.history(execution)[4]['recordMarkerFailedEventAttributes']
    assert failed == {'markerName': 'm', 'cause': 'OPERATION_NOT_PERMITTED', 'decisionTaskCompletedEventId': 4}


def test_reset_forgets_everything(domain):
    execution = domain.start()
    token = domain.poll_decision()['taskToken']
    domain.swf.reset()
    assert domain.swf.list_domains(registrationStatus='REGISTERED')['domainInfos'] == []
    domain.prepare()
    domain.start()
    with pytest.raises(ClientError, match='Unknown execution'):
        domain.swf.respond_decision_task_completed(taskToken=token)
    with pytest.raises(ClientError, match='Unknown execution'):
        domain.describe(execution)
    domain.decide(COMPLETE)


def test_wire_form(domain, clock):
    domain.start(input='x')
    answer = domain.swf.call('PollForDecisionTask', {'domain': 'dom', 'taskList': {'name': 'deciders'}})
    assert answer['events'][0]['eventTimestamp'] == clock.now().timestamp()
    assert 'ResponseMetadata' not in answer
    assert domain.swf.call('RespondDecisionTaskCompleted', {'taskToken': answer['taskToken']}) == {}


def test_wire_form_ignores_nulls_and_unknown_members(domain):
    request = {'domain': 'dom', 'taskList': {'name': 'deciders', 'colour': 'red'}, 'identity': None, 'shape': 'round'}
    assert domain.swf.call('PollForDecisionTask', request) == {'startedEventId': 0, 'previousStartedEventId': 0}


def test_threads_start_every_execution_once(domain):
    """Many threads want the same workflow id; one gets it."""
    outcomes = []
    together = threading.Barrier(8)

    def start():
        together.wait(60)
        try:
            outcomes.append(domain.start('same')['runId'])
        except domain.swf.exceptions.WorkflowExecutionAlreadyStartedFault:
            outcomes.append(None)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome is not None for outcome in outcomes) == 1
