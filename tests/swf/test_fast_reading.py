"""Histories read off the wire: what botocore's parser gives, and what it raises, on every shape and every oddity."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timezone

import boto3
import orjson
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from genflow.local import LocalSWF
from genflow.local.http.server import HttpServer
from genflow.swf import fast
from genflow.swf.aws import fast_reading
from genflow.swf.aws.connections import connect

SESSION = boto3.session.Session('key', 'secret', region_name='us-east-1')
CONFIG = Config(retries={'total_max_attempts': 1})
CALLS = {
    'PollForDecisionTask': lambda client: client.poll_for_decision_task(domain='d', taskList={'name': 'l'}),
    'GetWorkflowExecutionHistory': lambda client: client.get_workflow_execution_history(
        domain='d', execution={'workflowId': 'w', 'runId': 'r'}
    ),
}


class Body:
    """What urllib3 gives botocore to read a response from."""

    def __init__(self, data):
        self.data = data

    def stream(self):
        yield self.data


def canned():
    """A client without a network, and a list: its first item is (status, body) of every answer."""
    client, answers = SESSION.client('swf', config=CONFIG), []

    def answer(request, **_):
        status, body = answers[0]
        return AWSResponse(request.url, status, {'x-amzn-RequestId': 'id', 'Date': 'today'}, Body(body))

    client.meta.events.register('before-send.swf', answer)
    return client, answers


PLAIN, FAST = canned(), canned()
fast(FAST[0])


@pytest.fixture(params=[json.loads, orjson.loads], ids=['json', 'orjson'], autouse=True, scope='module')
def _decoder(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_reading, 'DECODE', request.param)
        yield


def outcome(side, operation, status, body):
    """What the client gives or raises."""
    client, answers = side
    answers[:] = [(status, body)]
    try:
        return CALLS[operation](client)
    except Exception as error:
        return type(error).__name__, str(error), getattr(error, 'response', None)


def agree(operation, body, status=200):
    expected = outcome(PLAIN, operation, status, body)
    assert outcome(FAST, operation, status, body) == expected
    return expected


def sample(shape):
    """A value with every member of the shape."""
    if shape.type_name == 'structure':
        return {name: sample(member) for name, member in shape.members.items()}
    if shape.type_name == 'list':
        return [sample(shape.member)] * 2
    return {'string': 'a "quoted": null', 'integer': 7, 'long': 7, 'boolean': True, 'timestamp': 1.497371587073e9}[
        shape.type_name
    ]


@pytest.mark.parametrize('operation', CALLS)
def test_every_member_of_the_model(operation):
    body = json.dumps(sample(PLAIN[0].meta.service_model.operation_model(operation).output_shape)).encode()
    found = agree(operation, body)
    assert len(found['events'][0]) == len(PLAIN[0].meta.service_model.shape_for('HistoryEvent').members)


BODIES = [
    b'',
    b'{}',
    b'[]',
    b'null',
    b'7',
    b'{',
    b'\xff',
    b'{"events": null}',
    b'{"events": {}}',
    b'{"events": []}',
    b'{"events": [], "nextPageToken": null}',
    b'{"events": [], "nextPageToken": "t", "unknown": [1]}',
    b'{"events": [], "ResponseMetadata": {"HTTPStatusCode": 7}}',
    b'{"events": [{"eventTimestamp": 1}]}',
    b'{"events": [{"eventTimestamp": 1, "eventType": null}]}',
    b'{"events": [{"eventTimestamp": "2020-01-01T00:00:00Z"}]}',
    b'{"events": [{"eventTimestamp": "1.5"}]}',
    b'{"events": [{"eventTimestamp": 1e300}]}',
    b'{"events": [{"eventTimestamp": null}]}',
    b'{"events": [{"eventId": 1}]}',
    b'{"events": [{"eventTimestamp": 1}, null]}',
    b'{"events": [7]}',
    b'{"startedEventId": 0, "previousStartedEventId": 0}',
    b'{"__type": "com.amazonaws.swf.base.model#UnknownResourceFault", "message": "Unknown domain: d"}',
]


@pytest.mark.parametrize('operation', CALLS)
@pytest.mark.parametrize('body', BODIES, ids=repr)
def test_whatever_comes(operation, body):
    for status in (200, 201, 204, 400, 403, 500, 503):
        agree(operation, body, status)


TEXTS = st.text() | st.sampled_from(['":null', '\\', '\\":null', 'a": null', '"null"', 'null'])


@given(TEXTS, TEXTS, st.floats(0, 4e9) | st.integers(0, 4_000_000_000))
def test_any_text_and_any_moment(name, text, moment):
    event = {'eventTimestamp': moment, 'eventType': name, 'markerRecordedEventAttributes': {'details': text}}
    agree('GetWorkflowExecutionHistory', json.dumps({'events': [event]}).encode())
    agree('GetWorkflowExecutionHistory', json.dumps({'events': [event]}, ensure_ascii=False).encode('utf-8', 'replace'))


def test_moments_are_in_utc():
    body = b'{"events": [{"eventTimestamp": 1.5}]}'
    (event,) = outcome(FAST, 'GetWorkflowExecutionHistory', 200, body)['events']
    assert event['eventTimestamp'] == datetime(1970, 1, 1, 0, 0, 1, 500_000, timezone.utc)
    assert event['eventTimestamp'].tzinfo is timezone.utc


def test_what_other_hooks_add_stays():
    client, answers = canned()
    client.meta.events.register(
        'before-parse.swf', lambda customized_response_dict, **_: customized_response_dict.update(nextPageToken='mine')
    )
    fast(client)
    answers[:] = [(200, b'{"events": [], "nextPageToken": "theirs"}')]
    assert CALLS['GetWorkflowExecutionHistory'](client)['nextPageToken'] == 'mine'


@pytest.fixture
def server():
    with LocalSWF() as service, HttpServer(service) as server:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        service.register_workflow_type(domain='d', name='w', version='1')
        yield server


def first_moment(client):
    settings = {'taskList': {'name': 'l'}, 'executionStartToCloseTimeout': '9', 'taskStartToCloseTimeout': '9'}
    kind = {'name': 'w', 'version': '1'}
    run = client.start_workflow_execution(
        domain='d', workflowId='x', workflowType=kind, childPolicy='ABANDON', **settings
    )['runId']
    history = client.get_workflow_execution_history(domain='d', execution={'workflowId': 'x', 'runId': run})
    return history['events'][0]['eventTimestamp']


def test_a_client_that_genflow_makes_reads_so(server):
    connection = connect(server.url)
    try:
        assert first_moment(connection.client).tzinfo is timezone.utc
    finally:
        connection.close()


def test_a_client_that_an_application_brings_is_left_as_it_is(server):
    with contextlib.closing(SESSION.client('swf', endpoint_url=server.url, config=CONFIG)) as client:
        assert first_moment(connect(client).client).tzinfo is not timezone.utc
