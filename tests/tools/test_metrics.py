"""The metrics of a worker: their text, and the address that serves it."""

from __future__ import annotations

import re
import signal
import textwrap
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from genflow.local import LocalSWF
from genflow.tools.run.metrics import METRICS, exposed, serving_metrics
from tests.tools.processes import finish, start, wait_for
from tests.tools.test_worker_command import FLOW

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'command-line.md'


def read(port, path='/metrics'):
    with urllib.request.urlopen(f'http://127.0.0.1:{port}{path}', timeout=30) as answer:
        return answer.headers['content-type'], answer.read().decode()


def samples(text):
    return dict(line.rsplit(' ', 1) for line in text.splitlines() if not line.startswith('#'))


def test_counts_become_samples_with_labels():
    counts = {'decision decided': 2, 'activity failed': 1, 'decision events': 30, 'decision continued': 1}
    assert samples(exposed(counts, 4)) == {
        'genflow_tasks_total{kind="decision",result="decided"}': '2',
        'genflow_tasks_total{kind="activity",result="failed"}': '1',
        'genflow_events_read_total': '30',
        'genflow_decisions_continued_total': '1',
        'genflow_executions_held': '4',
    }


def test_every_metric_has_its_help_and_type_before_anything_was_done():
    lines = exposed({}, 0).splitlines()
    for metric in METRICS:
        assert f'# HELP {metric.name} {metric.help}' in lines
        assert f'# TYPE {metric.name} {metric.type}' in lines


def test_the_page_of_the_command_line_has_every_metric():
    text = PAGE.read_text(encoding='utf-8')
    rows = re.findall(r'^\| `(genflow_\w+)` \| (counter|gauge) \| (.+) \|$', text, re.MULTILINE)
    assert rows == [(metric.name, metric.type, metric.help) for metric in METRICS]


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
    again = finish(start(tmp_path, *worker, '--metrics', port))
    assert (again.returncode, 'Give another port' in again.err) == (2, True)
    process.send_signal(signal.SIGTERM)
    assert finish(process).returncode == 0
