"""What code written for boto3's client relies on besides the operations: the same in process and over HTTP."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from typing import Any

import attrs
import boto3
import pytest
from botocore.exceptions import ClientError, OperationNotPageableError, ParamValidationError

from genflow.local import LocalSWF, ManualClock
from genflow.local.http.server import HttpServer

from .clients import CheckedClient
from .decisions import marker
from .domain import DOMAIN, Domain


@attrs.frozen
class Place:
    """A client as users get it, with boto3's own validation, and the same wrapped for the checks of the suite."""

    client: Any
    swf: Domain


@pytest.fixture(scope='module')
def service() -> Iterator[LocalSWF]:
    with LocalSWF(clock=ManualClock()) as service:
        yield service


@pytest.fixture(scope='module')
def remote(service: LocalSWF) -> Iterator[Any]:
    with HttpServer(service) as server:
        session = boto3.session.Session(
            aws_access_key_id='key',
            aws_secret_access_key='secret',
            region_name='us-east-1',
        )
        client = session.client('swf', endpoint_url=server.url)
        yield client
        client.close()


@pytest.fixture(params=['in_process', 'http'])
def place(request: pytest.FixtureRequest, service: LocalSWF) -> Place:
    service.reset()
    client = service if request.param == 'in_process' else request.getfixturevalue('remote')
    domain = Domain(CheckedClient(client), advance=service.clock.advance, register_lambda=service.register_lambda)
    return Place(client, domain.prepare())


def test_region(place: Place) -> None:
    assert place.client.meta.region_name == 'us-east-1'


def test_service_model(place: Place) -> None:
    assert place.client.meta.service_model.service_name == 'swf'


def test_exceptions_are_classes_to_catch(place: Place) -> None:
    with pytest.raises(place.client.exceptions.UnknownResourceFault):
        place.client.describe_domain(name='nowhere')
    assert issubclass(place.client.exceptions.UnknownResourceFault, place.client.exceptions.ClientError)
    assert place.client.exceptions.ClientError is ClientError


def test_an_error_shows_its_response(place: Place) -> None:
    with pytest.raises(ClientError) as caught:
        place.client.describe_domain(name='nowhere')
    response = caught.value.response
    assert response['Error'] == {'Code': 'UnknownResourceFault', 'Message': 'Unknown domain: nowhere'}
    assert response['message'] == 'Unknown domain: nowhere'
    assert response['ResponseMetadata']['HTTPStatusCode'] == 400
    assert caught.value.operation_name == 'DescribeDomain'
    assert str(caught.value) == (
        'An error occurred (UnknownResourceFault) when calling the DescribeDomain operation: Unknown domain: nowhere'
    )


def test_an_error_that_is_not_modelled_is_a_client_error(place: Place) -> None:
    with pytest.raises(ClientError) as caught:
        place.client.describe_domain(name='x' * 257)
    assert caught.value.response['Error']['Code'] == 'ValidationException'


def test_every_response_has_its_metadata(place: Place) -> None:
    metadata = place.client.describe_domain(name=DOMAIN)['ResponseMetadata']
    assert metadata['HTTPStatusCode'] == 200
    assert len(metadata['RequestId']) == 36
    assert metadata['HTTPHeaders']['x-amzn-requestid'] == metadata['RequestId']
    assert metadata['RetryAttempts'] == 0


def test_nothing_is_answered_as_metadata_alone(place: Place) -> None:
    assert set(place.client.deprecate_domain(name=DOMAIN)) == {'ResponseMetadata'}


@pytest.mark.parametrize(
    'call',
    [
        lambda client: client.describe_domain(),
        lambda client: client.describe_domain(name=5),
        lambda client: client.describe_domain(name=''),
        lambda client: client.describe_domain(name=DOMAIN, colour='red'),
        lambda client: client.list_domains(registrationStatus='REGISTERED', maximumPageSize=-1),
        lambda client: client.respond_decision_task_completed(taskToken='x', decisions=[{}]),
    ],
    ids=['missing', 'type', 'short', 'unknown', 'range', 'inside'],
)
def test_what_boto3_refuses_before_it_sends(place: Place, call: Any) -> None:
    with pytest.raises(ParamValidationError):
        call(place.client)


def test_only_keywords_are_taken(place: Place) -> None:
    with pytest.raises(TypeError, match='only accepts keyword arguments'):
        place.client.describe_domain(DOMAIN)


def test_there_are_no_other_methods(place: Place) -> None:
    with pytest.raises(AttributeError):
        _ = place.client.rest_a_while


def test_moments_are_aware(place: Place) -> None:
    event = place.swf.start().history()[0]
    assert event['eventTimestamp'].utcoffset() is not None


def test_moments_are_taken_in_every_form_of_boto3(place: Place) -> None:
    run = place.swf.start()
    moment = run.history()[0]['eventTimestamp']
    forms = [moment, moment.timestamp(), moment.astimezone(dt.timezone.utc), moment.isoformat()]
    for form in forms:
        found = place.client.list_open_workflow_executions(
            domain=DOMAIN, startTimeFilter={'oldestDate': form, 'latestDate': form}
        )
        assert len(found['executionInfos']) == 1, form


PAGINATED = {
    'get_workflow_execution_history': 'events',
    'list_activity_types': 'typeInfos',
    'list_workflow_types': 'typeInfos',
    'list_open_workflow_executions': 'executionInfos',
    'list_closed_workflow_executions': 'executionInfos',
    'list_domains': 'domainInfos',
    'poll_for_decision_task': 'events',
}


@pytest.mark.parametrize('method', PAGINATED)
def test_what_can_be_paginated(place: Place, method: str) -> None:
    assert place.client.can_paginate(method)
    assert place.client.get_paginator(method) is not None


def test_what_cannot_be_paginated(place: Place) -> None:
    assert not place.client.can_paginate('describe_domain')
    with pytest.raises(OperationNotPageableError):
        place.client.get_paginator('describe_domain')


def pages(place: Place, method: str, size: int, **request: Any) -> list[int]:
    """How many items each page has."""
    paginate = functools.partial(place.client.get_paginator(method).paginate, PaginationConfig={'PageSize': size})
    return [len(page[PAGINATED[method]]) for page in paginate(**request)]


def test_paginating_a_history(place: Place) -> None:
    run = place.swf.start()
    place.swf.decide(*(marker() for _ in range(7)))
    assert pages(place, 'get_workflow_execution_history', 4, domain=DOMAIN, execution=run.execution) == [4, 4, 3]


def test_paginating_a_decision_task(place: Place) -> None:
    run = place.swf.start()
    for _ in range(5):
        place.swf.signal(run)
    assert pages(place, 'poll_for_decision_task', 3, domain=DOMAIN, taskList={'name': 'deciders'}) == [3, 3, 2]


def test_paginating_executions(place: Place) -> None:
    for n in range(5):
        place.swf.start(str(n))
    request = {'domain': DOMAIN, 'startTimeFilter': {'oldestDate': 0}}
    assert pages(place, 'list_open_workflow_executions', 2, **request) == [2, 2, 1]
    paginator = place.client.get_paginator('list_open_workflow_executions')
    result = paginator.paginate(**request, PaginationConfig={'PageSize': 2, 'MaxItems': 3}).build_full_result()
    assert len(result['executionInfos']) == 3


def test_paginating_what_is_empty(place: Place) -> None:
    assert pages(place, 'list_domains', 10, registrationStatus='DEPRECATED') == [0]


def test_answers_are_the_callers_own(place: Place) -> None:
    """What somebody does to an answer is not seen by the next who asks."""
    run = place.swf.start(tagList=['t'])
    run.info()['tagList'].append('mine')
    run.history()[0]['workflowExecutionStartedEventAttributes'].clear()
    assert run.info()['tagList'] == ['t']
    assert run.only('WorkflowExecutionStarted')['tagList'] == ['t']


def test_requests_stay_the_callers_own(place: Place) -> None:
    request = {
        'domain': DOMAIN,
        'startTimeFilter': {'oldestDate': dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc)},
        'typeFilter': {'name': 'wf'},
    }
    before = {name: dict(value) if isinstance(value, dict) else value for name, value in request.items()}
    place.client.list_open_workflow_executions(**request)
    assert request == before
