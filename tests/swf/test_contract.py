"""One suite for each kind of client that an application may bring: the same work, the same answers, the same errors."""

from __future__ import annotations

import sys
from contextlib import closing

import boto3
import botocore.session
import pytest

from genflow import Activity, ActivityFailed, ActivityProxy, Signal, Workflow, WorkflowProxy
from genflow.local import LocalSWF, SystemClock
from genflow.local.http.server import HttpServer
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.registration import register_domain
from genflow.swf.client.handles import Client
from genflow.swf.scanner import activity, workflow
from genflow.swf.tasks.poller import Poller
from genflow.swf.worker.worker import Worker
from tests.swf.work import attributes, registry_of

LONG = 90
KEYS = {'aws_access_key_id': 'key', 'aws_secret_access_key': 'secret', 'region_name': 'us-east-1'}


def in_process(service, url):
    return service


def address(service, url):
    return url


def boto3_client(service, url):
    return boto3.client('swf', endpoint_url=url, **KEYS)


def boto3_session(service, url):
    return boto3.session.Session(**KEYS)


def botocore_session(service, url):
    session = botocore.session.Session()
    session.set_credentials('key', 'secret')
    session.set_config_variable('region', 'us-east-1')
    return session


def nothing(service, url):
    return None


def boto2_layer1(service, url):
    boto_swf = pytest.importorskip('boto.swf.layer1', reason='boto 2 is not installed')
    regioninfo = pytest.importorskip('boto.regioninfo')

    class Layer1(boto_swf.Layer1):
        """Remembers its sockets, which boto 2 leaves to the garbage collector."""

        opened = []  # noqa: RUF012 - one test, one class

        def new_http_connection(self, *args):
            made = super().new_http_connection(*args)
            self.opened.append(made)
            return made

        def close(self):
            for each in self.opened:
                each.close()

    host, _, port = url.removeprefix('http://').partition(':')
    region = regioninfo.RegionInfo(name='us-east-1', endpoint=host)
    return Layer1('key', 'secret', is_secure=False, port=int(port), region=region)


KINDS = [in_process, address, nothing, boto3_client, boto3_session, botocore_session, boto2_layer1]


@pytest.fixture(scope='module')
def served():
    service = LocalSWF(clock=SystemClock(), synchronous='OFF', long_poll=0.2)
    with service, HttpServer(service) as server:
        yield service, server.url


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def layer1(request, served, monkeypatch):
    service, url = served
    monkeypatch.setenv('AWS_ENDPOINT_URL_SWF', url)
    monkeypatch.setenv('AWS_DEFAULT_REGION', 'us-east-1')
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'key')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'secret')
    service.reset()
    finders = list(sys.meta_path)  # boto 2's vendored six adds one that Python 3.10 warns of at each import
    made = request.param(service, url)
    with closing(connect(made)) as connection:
        register_domain(RetryingClient(connection), 'd')
    yield made
    sys.meta_path[:] = finders
    if request.param in (boto2_layer1, boto3_client):
        made.close()


@pytest.fixture
def connection(layer1):
    with closing(connect(layer1)) as made:
        yield made


@activity('Half', 1, 'tl')
class Half(Activity):
    def run(self, number):
        if number % 2:
            raise ValueError(f'{number} is odd')
        return number // 2


@workflow('Child', 1, 'tl')
class Child(Workflow):
    half = ActivityProxy('Half', 1)

    def run(self, number):
        return (yield self.half(number))


@workflow('Everything', 1, 'tl')
class Everything(Workflow):
    half = ActivityProxy('Half', 1)
    child = WorkflowProxy('Child', 1)
    go = Signal()

    def run(self, number):
        self.set_status('begun')
        yield self.sleep(0)
        halves = yield self.half(number), self.child(number + 2)
        try:
            yield self.half(1)
        except ActivityFailed as error:
            reason = error.reason
        return [halves, reason, (yield self.go.get())]


@pytest.mark.thorough
def test_all_that_a_workflow_does(layer1, connection):
    with Worker('d', 'tl', layer1, registry=registry_of(Half, Child, Everything), activities=2):
        execution = Client('d', connection).starter(Everything, tags=['gold'])(8)
        execution.signal(Everything.go, {'ü': 1})
        assert execution.result(LONG) == [[4, 5], 'ValueError: 1 is odd', {'ü': 1}]
    assert execution.status() == 'COMPLETED'
    assert execution.context() == 'begun'
    assert execution.history()[0]['eventTimestamp'].tzinfo is not None
    answers = attributes(execution, 'DecisionTaskCompleted')
    assert {said.get('taskListScheduleToStartTimeout') for said in answers} == {'5'}


@pytest.mark.thorough
def test_an_empty_poll(connection):
    poller = Poller(RetryingClient(connection), 'd', 'nobody')
    assert poller.activity_task() is None
    assert poller.decision_task() is None


@pytest.mark.thorough
def test_errors(connection):
    client = connection.client
    with pytest.raises(client.exceptions.UnknownResourceFault) as raised:
        client.count_pending_activity_tasks(domain='nowhere', taskList={'name': 'tl'})
    assert faults.code_of(raised.value) == 'UnknownResourceFault'
    assert not faults.is_transient(raised.value)


def test_a_read_time_out_is_an_empty_poll(served):
    """A client of the application's own whose time-out is shorter than the poll."""
    _, url = served
    config = botocore.config.Config(read_timeout=0.05, retries={'total_max_attempts': 1})
    with closing(boto3.client('swf', endpoint_url=url, config=config, **KEYS)) as client:
        register_domain(RetryingClient(connect(client)), 'd')
        poller = Poller(RetryingClient(connect(client)), 'd', 'nobody')
        assert poller.activity_task() is None
        assert poller.decision_task() is None
