"""A boto 2 ``Layer1`` looks like a boto3 client: requests, answers, times and errors."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from genflow.swf.aws import faults
from genflow.swf.aws.connections import connect


class SWFResponseError(Exception):
    """As boto 2 raises it."""

    def __init__(self, status, body):
        super().__init__(status, body)
        self.status = status
        self.body = body


class Layer1:
    """boto 2's interface: operations by name, JSON in and out, seconds for times."""

    class region:  # noqa: N801 - boto 2's attribute
        name = 'us-east-1'
        endpoint = 'swf.us-east-1.amazonaws.com'

    def __init__(self, answer):
        self.answer = answer
        self.calls = []

    def poll_for_decision_task(self, domain, task_list, identity=None):
        """Has the name of boto3's method, and takes something else."""

    def respond_decision_task_completed(self, task_token, decisions=None):
        """Likewise."""

    def json_request(self, action, data, object_hook=None):
        self.calls.append((action, data))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return None if self.answer is None else hooked(self.answer, object_hook)


def hooked(value, hook):
    """What ``json.loads`` with an ``object_hook`` gives."""
    if isinstance(value, dict):
        return hook({name: hooked(member, hook) for name, member in value.items()})
    return [hooked(member, hook) for member in value] if isinstance(value, list) else value


def client(answer):
    return connect(Layer1(answer)).client


def test_it_tells_where_it_goes():
    connection = connect(Layer1(None))
    assert connection.backend == 'boto 2, swf.us-east-1.amazonaws.com'
    assert connection.region == 'us-east-1'


def test_requests_carry_boto3s_members():
    layer1 = Layer1(None)
    when = datetime(1970, 1, 1, 1, tzinfo=timezone.utc)
    filters = {'startTimeFilter': {'oldestDate': when}, 'tagFilter': {'tag': 'a'}}
    assert connect(layer1).client.count_open_workflow_executions(domain='d', **filters) == {}
    assert layer1.calls == [
        (
            'CountOpenWorkflowExecutions',
            {'domain': 'd', 'startTimeFilter': {'oldestDate': 3600.0}, 'tagFilter': {'tag': 'a'}},
        )
    ]


def test_times_are_aware():
    answer = {'events': [{'eventId': 1, 'eventTimestamp': 3600.5}], 'startedEventId': 0}
    found = client(answer).poll_for_decision_task(domain='d', taskList={'name': 'tl'})
    assert found['events'][0]['eventTimestamp'] == datetime(1970, 1, 1, 1, 0, 0, 500_000, tzinfo=timezone.utc)


def test_faults_are_boto3s():
    body = {'__type': 'com.amazonaws.swf.base.model#UnknownResourceFault', 'message': 'Unknown domain: d'}
    found = client(SWFResponseError(400, body))
    with pytest.raises(ClientError, match='Unknown domain: d') as raised:
        found.poll_for_activity_task(domain='d', taskList={'name': 'tl'})
    assert isinstance(raised.value, found.exceptions.UnknownResourceFault)
    assert faults.code_of(raised.value) == 'UnknownResourceFault'
    assert faults.is_late(raised.value)


@pytest.mark.parametrize(
    ('error', 'kind', 'transient'),
    [
        (TimeoutError('timed out'), ReadTimeoutError, True),
        (ConnectionResetError('reset'), EndpointConnectionError, True),
        (SWFResponseError(503, 'no JSON'), ClientError, True),
        (SWFResponseError(400, {'__type': 'x#ThrottlingException', 'message': 'Rate exceeded'}), ClientError, True),
        (SWFResponseError(400, {'__type': 'x#ValidationException', 'Message': 'no'}), ClientError, False),
        (KeyError('a mistake'), KeyError, False),
    ],
)
def test_errors_are_botocores(error, kind, transient):
    with pytest.raises(kind) as raised:
        client(error).poll_for_activity_task(domain='d', taskList={'name': 'tl'})
    assert faults.is_transient(raised.value) is transient


def test_an_operation_that_swf_does_not_have():
    with pytest.raises(AttributeError, match="no operation 'make_coffee'"):
        client(None).make_coffee()
