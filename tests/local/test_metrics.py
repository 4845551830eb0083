"""What a server tells Prometheus: requests as they came, and what its service holds."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config

from genflow.local import LocalSWF, ManualClock
from genflow.local.http.server import HttpServer

CONFIG = Config(retries={'max_attempts': 0}, read_timeout=60)


def client_of(server):
    return boto3.client(
        'swf',
        endpoint_url=server.url,
        region_name='us-east-1',
        aws_access_key_id='x',
        aws_secret_access_key='x',
        config=CONFIG,
    )


def read(server):
    """The samples at /metrics, by name with labels."""
    with urllib.request.urlopen(f'{server.url}/metrics', timeout=30) as answer:  # noqa: S310 - our own server
        assert answer.headers['content-type'] == 'text/plain; version=0.0.4; charset=utf-8'
        lines = answer.read().decode().splitlines()
    return {name: float(number) for name, number in (line.rsplit(' ', 1) for line in lines if line[0] != '#')}


@pytest.fixture
def served():
    with (
        LocalSWF(clock=ManualClock(), long_poll=0) as service,
        HttpServer(service, metrics={'here': service}) as server,
    ):
        client = client_of(server)
        client.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='1')
        client.register_workflow_type(domain='shop', name='W', version='1')
        yield service, server, client


def start(client, workflow_id, task_list):
    client.start_workflow_execution(
        domain='shop',
        workflowId=workflow_id,
        workflowType={'name': 'W', 'version': '1'},
        taskList={'name': task_list},
        taskStartToCloseTimeout='60',
        executionStartToCloseTimeout='600',
        childPolicy='TERMINATE',
    )


@pytest.mark.thorough
def test_requests_are_counted_by_operation_and_status(served):
    _, server, client = served
    start(client, 'a', 'orders')
    with pytest.raises(client.exceptions.WorkflowExecutionAlreadyStartedFault):
        start(client, 'a', 'orders')
    found = read(server)
    assert found['genflow_server_requests_total{operation="StartWorkflowExecution",status="200"}'] == 1
    assert found['genflow_server_requests_total{operation="StartWorkflowExecution",status="400"}'] == 1
    assert found['genflow_server_request_seconds_count{operation="StartWorkflowExecution"}'] == 2
    assert found['genflow_server_connections'] >= 1


def test_tasks_that_wait_are_there_with_the_longest_wait_until_they_are_taken(served):
    service, server, client = served
    for number in range(2):
        start(client, f'w{number}', 'orders')
        service.clock.advance(10)
    labels = '{region="here",domain="shop",kind="decision",task_list="orders"}'
    found = read(server)
    assert found['genflow_server_open_executions{region="here",domain="shop"}'] == 2
    assert found[f'genflow_server_waiting_tasks{labels}'] == 2
    assert found[f'genflow_server_oldest_task_seconds{labels}'] == 20
    assert found[f'genflow_server_pollers{labels}'] == 0
    for _ in range(2):
        client.poll_for_decision_task(domain='shop', taskList={'name': 'orders'})
    assert f'genflow_server_waiting_tasks{labels}' not in read(server)


def test_lists_that_workers_have_for_themselves_are_one_series(served):
    _, server, client = served
    for number in range(3):
        start(client, f'w{number}', f'orders.{number:032x}')
    found = read(server)
    assert found['genflow_server_waiting_tasks{region="here",domain="shop",kind="decision",task_list="orders.*"}'] == 3


def test_a_poll_that_is_held_is_counted_as_held_and_shown_while_it_waits():
    with LocalSWF(long_poll=60) as service, HttpServer(service, metrics={'here': service}) as server:
        client = client_of(server)
        client.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='1')
        client.register_workflow_type(domain='shop', name='W', version='1')
        poll = threading.Thread(
            target=client_of(server).poll_for_decision_task,
            kwargs={'domain': 'shop', 'taskList': {'name': 'orders'}},
        )
        poll.start()
        labels = '{region="here",domain="shop",kind="decision",task_list="orders"}'
        while read(server).get(f'genflow_server_pollers{labels}') != 1:
            pass
        assert read(server)['genflow_server_requests_total{operation="PollForDecisionTask",status="held"}'] == 1
        start(client, 'a', 'orders')
        poll.join(60)
        assert f'genflow_server_pollers{labels}' not in read(server)


def test_a_server_without_metrics_has_no_such_page():
    with LocalSWF() as service, HttpServer(service) as server, pytest.raises(urllib.error.HTTPError, match='404'):
        read(server)


def test_metrics_of_a_server_with_credentials_have_to_be_signed():
    keys = {'AK': 'secret'}
    with (
        LocalSWF() as service,
        HttpServer(service, credentials=keys, metrics={'here': service}) as server,
        pytest.raises(urllib.error.HTTPError, match='40'),
    ):
        read(server)


@pytest.mark.thorough
def test_a_file_that_another_process_leads_has_the_same_numbers(tmp_path):
    with LocalSWF(tmp_path / 'x.db') as leading, LocalSWF(tmp_path / 'x.db') as member:
        leading.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='1')
        leading.register_workflow_type(domain='shop', name='W', version='1')
        start(leading, 'a', 'orders')
        with HttpServer(member, metrics={'here': member}) as server:
            found = read(server)
    assert found['genflow_server_commits_total{region="here"}'] > 0
    assert found['genflow_server_open_executions{region="here",domain="shop"}'] == 1
    assert found['genflow_server_waiting_tasks{region="here",domain="shop",kind="decision",task_list="orders"}'] == 1
