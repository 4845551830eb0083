"""``genflow ui`` and ``genflow server --ui`` as processes: their addresses, what they refuse, what a repair does."""

from __future__ import annotations

import contextlib
import json
import signal
import urllib.parse
import urllib.request

import boto3
import pytest

from genflow.local import LocalSWF
from genflow.testing import History
from tests.testing.orders import Order
from tests.tools.processes import finish, start


@pytest.fixture
def begin(tmp_path):
    """Starts a command, and gives the process with the first line of its output as ``url``; ends it after the test."""
    processes = []

    def started(*arguments):
        process = start(tmp_path, *arguments)
        processes.append(process)
        process.url = process.stdout.readline().strip()
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def read(url, **form):
    data = urllib.parse.urlencode(form, doseq=True).encode() if form else None
    with urllib.request.urlopen(url, data, timeout=30) as answer:  # noqa: S310
        return answer.read().decode()


def failed_execution(path):
    """A file with an execution that terminated after its first decision; gives its run id."""
    with LocalSWF(path) as swf:
        swf.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
        swf.register_workflow_type(domain='shop', name='Order', version='1')
        settings = {'executionStartToCloseTimeout': '999', 'taskStartToCloseTimeout': '9', 'childPolicy': 'TERMINATE'}
        run_id = swf.start_workflow_execution(
            domain='shop', workflowId='order-5', workflowType={'name': 'Order', 'version': '1'},
            taskList={'name': 'x'}, **settings,
        )['runId']  # fmt: skip
        task = swf.poll_for_decision_task(domain='shop', taskList={'name': 'x'})
        swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[])
        swf.terminate_workflow_execution(domain='shop', workflowId='order-5')
        return run_id


@pytest.mark.thorough
@pytest.mark.parametrize('ending', [signal.SIGINT, signal.SIGTERM])
def test_the_address_is_the_only_output_and_shows_the_file(begin, tmp_path, ending):
    failed_execution(tmp_path / 'shop.db')
    process = begin('ui', '--db', 'shop.db', '--port', 0)
    assert process.url.startswith('http://127.0.0.1:')
    page = read(process.url)
    assert 'id=order-5' in page
    assert 'read-only' in page
    assert 'It was terminated' in read(f'{process.url}/execution?id=order-5')
    with urllib.request.urlopen(f'{process.url}/live/executions', timeout=30) as stream:  # noqa: S310
        assert stream.readline().startswith(b'retry')
        process.send_signal(ending)
        done = finish(process)
    assert (done.returncode, done.out, done.err) == (0, '', '')


@pytest.mark.thorough
@pytest.mark.parametrize('command', ['ui', 'server'])
@pytest.mark.parametrize('beside', [False, True])
def test_a_repair_continues_in_the_file_that_is_shown(begin, tmp_path, command, beside):
    """Also where another process leads the file, and though the process that made it is killed."""
    run_id = failed_execution(tmp_path / 'shop.db')
    leader = LocalSWF(tmp_path / 'shop.db') if beside else contextlib.nullcontext()
    with leader:
        options = () if command == 'ui' else ('--ui', '--ui-port', 0)
        process = begin(command, '--db', 'shop.db', '--port', 0, '--write', *options)
        page = process.stdout.readline().strip() if command == 'server' else process.url
        read(f'{page}/act', action='repair', on=f'order-5:{run_id}')
        (line,) = read(f'{page}/executions.txt?status=open').splitlines()
        process.kill()
        process.wait()
    workflow_id, new_run_id = line.split('\t')
    assert workflow_id == 'order-5'
    assert new_run_id != run_id
    with LocalSWF(tmp_path / 'shop.db') as swf:
        task = swf.poll_for_decision_task(domain='shop', taskList={'name': 'x'})
        assert task['workflowExecution'] == {'workflowId': workflow_id, 'runId': new_run_id}


@pytest.mark.thorough
def test_a_folder_is_shown(begin, tmp_path):
    (tmp_path / 'saved').mkdir()
    text = History(Order, 1).decide().to_json()
    for name in ('one', 'two'):
        (tmp_path / 'saved' / f'{name}.json').write_text(text)
    (tmp_path / 'saved' / 'bare.json').write_text(json.dumps(json.loads(text)['events']))
    process = begin('ui', 'saved', '--port', 0)
    lines = read(f'{process.url}/executions.txt').splitlines()
    assert sorted(lines) == ['bare\tbare', 'workflow-1\trun-1', 'workflow-1\ttwo']


@pytest.mark.thorough
def test_a_server_serves_its_dashboard_beside(begin):
    process = begin('server', '--port', 0, '--ui', '--ui-port', 0, '--write')
    page = process.stdout.readline().strip()
    keys = {'aws_access_key_id': 'a', 'aws_secret_access_key': 'b', 'region_name': 'us-east-1'}
    boto3.client('swf', endpoint_url=process.url, **keys).register_domain(
        name='shop', workflowExecutionRetentionPeriodInDays='7'
    )
    assert 'The domain shop has no executions yet' in read(f'{page}/?domain=shop')
    process.send_signal(signal.SIGTERM)
    assert finish(process).returncode == 0


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (('--host', '0.0.0.0'), 'Give --token TEXT'),  # noqa: S104
        (('--db', 'nothing.db'), 'there is no such file'),
        (('.', '--endpoint', 'http://x'), 'give one of them'),
        (('--db', 'shop.db', '--target', 'nothing.py'), 'there is no file'),
        (('--db', 'shop.db', '--host', 'not-a-host', '--token', 'x'), 'Give another port'),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(tmp_path, arguments, text):
    failed_execution(tmp_path / 'shop.db')
    done = finish(start(tmp_path, 'ui', '--port', 0, *arguments))
    assert (done.returncode, done.out) == (2, '')
    assert text in done.err
