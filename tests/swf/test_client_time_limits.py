"""The time-outs of a client's calls hold in an outage, and its end wakes whoever waits."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest
from botocore.exceptions import EndpointConnectionError

from genflow import Client, Workflow, workflow
from genflow.core import errors
from genflow.local import LocalSWF
from genflow.steady_time import monotonic

SOON = 12  # seconds on a busy machine; without a time-out an outage takes 18 s, and longer where nobody answers


@workflow(name='W', version=1, task_list='t')
class W(Workflow):
    def run(self):
        return 1


@pytest.fixture(params=['refuses', 'is silent'])
def address(request, monkeypatch):
    """Of a port where connections are refused, or where nobody answers."""
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'x')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'x')
    with closing(socket.socket()) as listener:
        listener.bind(('127.0.0.1', 0))
        if request.param == 'is silent':
            listener.listen()
        yield f'http://127.0.0.1:{listener.getsockname()[1]}'


@pytest.mark.thorough
@pytest.mark.parametrize('run_id', [None, 'r'])
def test_a_result_is_waited_for_no_longer_than_was_said(address, run_id):
    with Client('d', address) as client:
        begun = monotonic()
        with pytest.raises(TimeoutError, match='does not answer'):
            client.execution('w', run_id).result(timeout=1)
        assert 0.9 <= monotonic() - begun < SOON


CALLS = {
    'result': lambda execution: execution.result(timeout=0.5),
    'wait': lambda execution: execution.wait(timeout=0.5),
    'update': lambda execution: execution.update('u', timeout=0.5),
    'update again': lambda execution: execution.update('u', timeout=0.5, update_id='u'),
    'query': lambda execution: execution.query('q', wait=0.5),
    'context': lambda execution: execution.context(wait=0.5),
}


@pytest.mark.thorough
@pytest.mark.parametrize('run_id', [None, 'r'])
@pytest.mark.parametrize('call', CALLS)
def test_every_call_that_waits_gives_up_in_time(address, call, run_id):
    with Client('d', address) as client:
        begun = monotonic()
        with pytest.raises(TimeoutError, match='does not answer') as caught:
            CALLS[call](client.execution('w', run_id, workflow=W))
        assert monotonic() - begun < SOON
    assert caught.value.__cause__ is not None


@pytest.mark.thorough
def test_the_error_says_why(address):
    with Client('d', address) as client, pytest.raises(TimeoutError) as caught:
        client.execution('w', 'r').result(timeout=0.5)
    assert caught.value.__cause__ is not None


@pytest.mark.thorough
def test_a_signal_that_nobody_answers_may_have_arrived(address, monkeypatch):
    monkeypatch.setattr('genflow.swf.client.execution.RETRY_FOR', 0.5)
    with Client('d', address) as client:
        begun = monotonic()
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one depends on the outage
            client.execution('w', 'r').signal('s')
        assert monotonic() - begun < SOON
    silent = not isinstance(caught.value, errors.SignalFailed)
    assert silent == ('Could not connect' in str(caught.value))


def waiting(client, run_id=None):
    """A thread that waits for a result, and what becomes of it."""
    ended = []

    def wait():
        try:
            ended.append(client.execution('w', run_id).result(timeout=60))
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread, ended


@pytest.mark.thorough
def test_the_end_of_a_client_wakes_who_waits_in_an_outage(address):
    client = Client('d', address)
    thread, ended = waiting(client, 'r')
    client.close()
    thread.join(60)
    assert not thread.is_alive()
    assert 'client was closed' in str(ended[0])


@pytest.fixture
def swf():
    with LocalSWF() as swf:
        swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        swf.register_workflow_type(domain='d', name='W', version='1')
        swf.start_workflow_execution(
            domain='d', workflowId='w', workflowType={'name': 'W', 'version': '1'}, taskList={'name': 't'},
            childPolicy='TERMINATE', executionStartToCloseTimeout='1000', taskStartToCloseTimeout='100',
        )  # fmt: skip
        yield swf


def test_the_end_of_a_client_wakes_who_waits_for_an_open_execution(swf):
    client = Client('d', swf)
    thread, ended = waiting(client)
    client.close()
    thread.join(60)
    assert not thread.is_alive()
    assert isinstance(ended[0], RuntimeError)


def test_an_open_execution_is_a_time_out(swf):
    with Client('d', swf) as client, pytest.raises(TimeoutError, match='still open'):
        client.execution('w').result(timeout=0.1)


def test_a_service_on_this_machine_is_looked_at_often(swf):
    """For one that cannot tell when an execution closes."""
    with Client('d', swf) as client:
        assert max(client.pause(looks, None) for looks in range(1, 100)) <= 0.15


class Recovers:
    """A service that fails for a while before it answers."""

    def __init__(self, swf, failures):
        self._swf = swf
        self._failures = failures

    def __getattr__(self, name):
        return getattr(self._swf, name)

    def list_open_workflow_executions(self, **request):
        self._failures -= 1
        if self._failures >= 0:
            raise EndpointConnectionError(endpoint_url='http://swf')
        return self._swf.list_open_workflow_executions(**request)


@pytest.mark.thorough
@pytest.mark.parametrize('watch', ['query_watch', 'context_watch'])
def test_a_call_without_a_time_out_outlasts_an_outage(swf, watch):
    """Also as it is made on an event loop, with no seconds to wait."""
    client = Client('d', Recovers(swf, 4))
    execution = client.execution('w', workflow=W)
    if watch == 'query_watch':
        with pytest.raises(errors.NotDecidedYet):
            execution.query_watch('q').run()
    else:
        assert execution.context_watch().run() is None
