"""The metrics of a worker: their text, and the address that serves it."""

from __future__ import annotations

import json
import signal
import textwrap
import urllib.error
import urllib.request

import pytest

from genflow.local import LocalSWF
from genflow.steady_time import monotonic
from genflow.tools.run.metrics import read_metrics, serving_at_socket, serving_metrics
from tests.tools.processes import finish, start, start_flow, wait_for
from tests.tools.test_worker_command import FLOW

pytestmark = pytest.mark.thorough


def read(port, path='/metrics'):
    with urllib.request.urlopen(f'http://127.0.0.1:{port}{path}', timeout=30) as answer:
        return answer.headers['content-type'], answer.read().decode()


def samples(text):
    return dict(line.rsplit(' ', 1) for line in text.splitlines() if not line.startswith('#'))


def test_each_request_is_answered_with_what_is_now():
    numbers = iter((1, 2))
    with serving_metrics(0, lambda: f'n {next(numbers)}\n') as port:
        assert read(port) == ('text/plain; version=0.0.4; charset=utf-8', 'n 1\n')
        assert read(port)[1] == 'n 2\n'
        with pytest.raises(urllib.error.HTTPError, match='404'):
            read(port, '/')


def test_a_worker_serves_what_it_did(tmp_path):
    (tmp_path / 'flow.py').write_text(textwrap.dedent(FLOW), encoding='utf-8')
    with LocalSWF(tmp_path / 'x.db') as service:
        service.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    worker = ('worker', 'flow.py', '--domain', 'shop', '--task-list', 'steps', '--db', 'x.db')
    process = start(tmp_path, *worker, '--metrics', 0)
    line = wait_for(process.stderr, 'metrics are served at')
    port = int(line.rpartition(':')[2].partition('/')[0])
    assert samples(read(port)[1])['genflow_executions_held'] == '0'
    assert 'genflow_schedule_to_start_seconds' in read(port)[1]
    again = finish(start(tmp_path, *worker, '--metrics', port))
    assert (again.returncode, 'Give another port' in again.err) == (2, True)
    process.send_signal(signal.SIGTERM)
    assert finish(process).returncode == 0


def test_a_process_serves_at_a_socket_and_one_that_is_gone_says_nothing(tmp_path):
    path = tmp_path / '1.sock'
    assert read_metrics(path) is None
    with serving_at_socket(path, lambda: 'n 1\n'):
        assert read_metrics(path) == 'n 1\n'
        with serving_at_socket(path, lambda: 'n 2\n'):  # of the process that replaces one that was killed
            assert read_metrics(path) == 'n 2\n'
    assert read_metrics(path) is None


def test_worker_processes_have_one_address_for_all_of_them(tmp_path):
    (tmp_path / 'flow.py').write_text(textwrap.dedent(FLOW), encoding='utf-8')
    with LocalSWF(tmp_path / 'x.db') as service:
        service.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    worker = ('worker', 'flow.py', '--domain', 'shop', '--task-list', 'steps', '--db', 'x.db')
    process = start(tmp_path, *worker, '--metrics', 0, '--processes', 2)
    port = int(wait_for(process.stderr, 'metrics are served at').rpartition(':')[2].partition('/')[0])
    for _ in range(2):
        wait_for(process.stderr, 'working for domain shop')
    both = {'genflow_executions_held{process="1"}': '0', 'genflow_executions_held{process="2"}': '0'}
    until = monotonic() + 60
    while not both.items() <= samples(read(port)[1]).items():
        assert monotonic() < until
    text = read(port)[1]
    assert 'genflow_worker_process_up{process="2"} 1' in text
    assert text.count('# TYPE genflow_tasks_total counter') == 1
    process.send_signal(signal.SIGTERM)
    assert finish(process).returncode == 0


TRACED = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

exporter = ConsoleSpanExporter(out=open('spans', 'w'), formatter=lambda span: span.name + '\\n')
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
"""


def test_a_worker_appends_records_to_a_file_and_makes_spans(tmp_path):
    (tmp_path / 'flow.py').write_text(textwrap.dedent(FLOW) + TRACED, encoding='utf-8')
    with LocalSWF(tmp_path / 'x.db') as service:
        start_flow(service)
    worker = ('worker', 'flow.py', '--domain', 'shop', '--task-list', 'steps', '--db', 'x.db')
    refused = finish(start(tmp_path, *worker, '--records', 'nowhere/x.jsonl'))
    assert (refused.returncode, 'Give another file' in refused.err) == (2, True)
    done = finish(start(tmp_path, *worker, '--otel', '--records', 'x.jsonl', '--max-tasks', 3))
    assert done.returncode == 0, done.err
    [record] = map(json.loads, (tmp_path / 'x.jsonl').read_text(encoding='utf-8').splitlines())
    assert (record['workflow_id'], record['outcome']) == ('a', 'completed')
    spans = (tmp_path / 'spans').read_text(encoding='utf-8').split('\n')
    assert sorted(filter(None, spans)) == [
        'activity Step',
        'decide Flow',
        'decide Flow',
        'run Step',
        'workflow Flow',
    ]


def test_a_worker_without_opentelemetry_says_what_to_install(tmp_path):
    (tmp_path / 'flow.py').write_text('import sys\nsys.modules["opentelemetry"] = None\n' + textwrap.dedent(FLOW))
    worker = ('worker', 'flow.py', '--domain', 'shop', '--task-list', 'steps', '--db', 'x.db')
    refused = finish(start(tmp_path, *worker, '--otel'))
    assert (refused.returncode, "pip install 'genflow[otel]'" in refused.err) == (2, True)
