"""``genflow server`` as a process, used through boto3 as any program would."""

from __future__ import annotations

import json
import signal
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError

from genflow.local import LocalSWF, ManualClock
from tests.tools.processes import finish, start

pytestmark = pytest.mark.thorough

FLOW = """
from genflow import Activity, Workflow, activity, workflow

@activity(name='Step', version=1, task_list='steps')
class Step(Activity):
    def run(self, number):
        return 2 * number

@workflow(name='Flow', version=1, task_list='steps')
class Flow(Workflow):
    step = Step.proxy()

    def run(self, number):
        return (yield self.step(number))
"""


@pytest.fixture
def server(tmp_path):
    """Starts a server on a free port, and gives the process with its ``url``; ends it after the test."""
    processes = []

    def begin(*arguments):
        process = start(tmp_path, 'server', '--port', 0, '--long-poll', 0.5, *arguments)
        processes.append(process)
        process.url = process.stdout.readline().strip()
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def client_of(process, key='any', secret='any'):  # noqa: S107 - made up
    keys = {'aws_access_key_id': key, 'aws_secret_access_key': secret, 'region_name': 'us-east-1'}
    return boto3.client('swf', endpoint_url=process.url, **keys)


def names(client):
    return [info['name'] for info in client.list_domains(registrationStatus='REGISTERED')['domainInfos']]


def post(process, path, **data):
    request = urllib.request.Request(process.url + path, json.dumps(data).encode(), method='POST')  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def test_a_server_prints_its_address_and_keeps_its_data(server, tmp_path):
    process = server('--db', 'x.db')
    assert process.url.startswith('http://127.0.0.1:')
    client_of(process).register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    process.send_signal(signal.SIGTERM)
    assert finish(process).returncode == 0
    assert names(client_of(server('--db', 'x.db'))) == ['shop']


def test_ctrl_c_ends_it_with_130(server):
    process = server()
    process.send_signal(signal.SIGINT)
    assert finish(process).returncode == 130


def test_account_and_region_appear_in_arns(server):
    client = client_of(server('--account-id', '210987654321', '--region', 'eu-central-1'))
    client.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    (info,) = client.list_domains(registrationStatus='REGISTERED')['domainInfos']
    assert info['arn'] == 'arn:aws:swf:eu-central-1:210987654321:/domain/shop'


def test_test_control_empties_the_service_and_moves_its_clock(server):
    process = server('--test-control')
    client = client_of(process)
    client.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    before = post(process, '/_genflow/clock', advance=0)['now']
    assert post(process, '/_genflow/clock', advance=3600)['now'] == before + 3600
    post(process, '/_genflow/reset')
    assert names(client) == []


def test_without_test_control_there_is_none(server):
    with pytest.raises(urllib.error.HTTPError, match='404'):
        post(server(), '/_genflow/reset')


def test_a_port_that_is_taken_is_refused(server, tmp_path):
    port = server().url.rpartition(':')[2]
    done = finish(start(tmp_path, 'server', '--port', port))
    assert done.returncode == 2
    assert f'port {port}' in done.err


def test_a_file_that_somebody_does_not_share_is_refused(tmp_path):
    with LocalSWF(tmp_path / 'x.db', ManualClock()):
        done = finish(start(tmp_path, 'server', '--port', 0, '--db', 'x.db'))
    assert done.returncode == 5
    assert 'x.db is in use by process' in done.err


def test_a_server_shares_its_file(server, tmp_path):
    server('--db', 'x.db')
    with LocalSWF(tmp_path / 'x.db') as swf:
        assert not swf.is_leader
        swf.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    done = finish(start(tmp_path, 'domain', 'list', '--db', 'x.db'))
    assert 'shop' in done.out


KEYS = '[team]\naws_access_key_id = AKID\naws_secret_access_key = secret\n'


def test_beyond_loopback_it_demands_credentials(tmp_path):
    done = finish(start(tmp_path, 'server', '--port', 0, '--host', '0.0.0.0', '--db', 'x.db'))  # noqa: S104 - refused
    assert (done.returncode, done.out) == (2, '')
    assert '--credentials FILE' in done.err
    assert not (tmp_path / 'x.db').exists()


def test_beyond_loopback_it_may_be_told_to_insist(server):
    process = server('--host', '0.0.0.0', '--insecure')  # noqa: S104 - for a moment
    assert process.url.startswith('http://0.0.0.0:')
    process.kill()
    assert 'requests are not authenticated' in finish(process).err


def test_with_credentials_requests_must_be_signed(server, tmp_path):
    (tmp_path / 'keys').write_text(KEYS, encoding='utf-8')
    process = server('--host', '0.0.0.0', '--credentials', 'keys')  # noqa: S104 - for a moment
    process.url = process.url.replace('0.0.0.0', '127.0.0.1')  # noqa: S104
    with pytest.raises(ClientError, match='UnrecognizedClientException'):
        names(client_of(process))
    with pytest.raises(urllib.error.HTTPError, match='403'):
        post(process, '/')
    assert names(client_of(process, 'AKID', 'secret')) == []


def test_a_file_of_credentials_that_cannot_be_used(tmp_path):
    done = finish(start(tmp_path, 'server', '--port', 0, '--credentials', 'none'))
    assert done.returncode == 2
    assert 'none: No such file' in done.err


def test_commands_and_workers_use_the_server(server, tmp_path):
    (tmp_path / 'flow.py').write_text(FLOW, encoding='utf-8')
    process = server()
    client = client_of(process)
    client.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
    client.register_workflow_type(domain='genflow', name='Flow', version='1', defaultTaskList={'name': 'steps'})
    timeouts = {'executionStartToCloseTimeout': '3600', 'taskStartToCloseTimeout': '60', 'childPolicy': 'TERMINATE'}
    kind = {'name': 'Flow', 'version': '1'}
    client.start_workflow_execution(domain='genflow', workflowId='a', workflowType=kind, input='[[4],{}]', **timeouts)
    endpoint = ('--endpoint', process.url)
    arguments = ('worker', 'flow.py', '--domain', 'genflow', '--task-list', 'steps', '--max-tasks', 3, '--drain', 5)
    worker = finish(start(tmp_path, *arguments, *endpoint))
    assert worker.returncode == 0, worker.err
    done = finish(start(tmp_path, 'result', 'a', *endpoint))
    assert (done.returncode, done.out) == (0, '8\n'), done.err
