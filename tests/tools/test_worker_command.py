"""``genflow worker`` as a process, on a file of the embedded service."""

from __future__ import annotations

import json
import os
import signal
import textwrap

import pytest

from genflow.insight import attributes_of
from genflow.local import LocalSWF
from genflow.tools.cli.executions.actions import run_of
from genflow.tools.cli.main import main
from tests.tools.processes import TIMEOUT, finish, start, start_flow, wait_for

FLOW = """
import os
from genflow import Activity, ActivityProxy, Workflow, activity, workflow

@activity(name='Step', version=1, task_list='steps')
class Step(Activity):
    def run(self, number):
        print('begun', flush=True)
        if os.path.exists('hang'):
            open('hang').close()
        return 2 * number

@workflow(name='Flow', version=1, task_list='steps')
class Flow(Workflow):
    step = ActivityProxy(name='Step', version=1)

    def run(self, number):
        return (yield self.step(number))
"""

AUDIT = """
from contextlib import contextmanager
from genflow import Middleware

class Audit(Middleware):
    def workflow_started(self, run):
        print('started', run.info.workflow_id, flush=True)

    @contextmanager
    def activity(self, attempt):
        yield
        print(attempt.name, attempt.outcome, flush=True)

several = [Audit, Audit()]
number = 5
"""

WORKER = ('worker', 'flow.py', '--domain', 'shop', '--task-list', 'steps', '--db', 'x.db')
TASKS = 3  # two decisions and an activity


@pytest.fixture
def folder(tmp_path):
    """A folder with a workflow, and a file with an execution of it that nobody has worked for."""
    (tmp_path / 'flow.py').write_text(textwrap.dedent(FLOW), encoding='utf-8')
    with LocalSWF(tmp_path / 'x.db') as service:
        start_flow(service)
    return tmp_path


def result(folder, capsys):
    code = main(['result', 'a', '--domain', 'shop', '--db', str(folder / 'x.db')])
    return code, capsys.readouterr().out


def events_of(folder, kind):
    """The attributes of the events of one type in the history of the execution."""
    with LocalSWF(folder / 'x.db') as service:
        run = run_of(service, 'shop', 'a', None)
        return [attributes_of(event) for event in run.since(0) if event['eventType'] == kind]


@pytest.mark.thorough
def test_a_worker_decides_and_performs_until_it_has_done_enough(folder, capsys):
    done = finish(start(folder, *WORKER, '--max-tasks', TASKS))
    assert done.returncode == 0, done.err
    assert 'working for domain shop, task list steps' in done.err
    assert result(folder, capsys) == (0, '8\n')


@pytest.mark.thorough
def test_a_worker_takes_several_lists_and_warns_of_one_that_no_type_uses(folder, capsys):
    done = finish(start(folder, *WORKER, '--task-list', 'stepz', '--max-tasks', TASKS))
    assert done.returncode == 0, done.err
    assert 'working for domain shop, task list steps, stepz' in done.err
    assert 'no loaded type uses the task list stepz; the loaded types use: steps' in done.err
    assert 'uses the task list steps;' not in done.err
    assert result(folder, capsys) == (0, '8\n')


@pytest.mark.thorough
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_what_runs_finish(folder, number):
    os.mkfifo(folder / 'hang')
    process = start(folder, *WORKER, '--no-sticky')
    wait_for(process.stdout, 'begun')
    process.send_signal(number)
    (folder / 'hang').open('w').close()  # comes back when somebody waits there, who goes on then
    done = finish(process)
    assert done.returncode == 0, done.err
    assert events_of(folder, 'ActivityTaskCompleted')[0]['result'] == '8'


@pytest.mark.thorough
def test_draining_ends_when_its_time_is_over(folder):
    os.mkfifo(folder / 'hang')
    process = start(folder, *WORKER, '--drain', 0)
    wait_for(process.stdout, 'begun')
    process.send_signal(signal.SIGTERM)
    done = finish(process)
    assert done.returncode == 0, done.err
    assert events_of(folder, 'ActivityTaskFailed')[0]['reason'] == 'genflow.WorkerStopped'


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('first', 'second'), [('SIGINT', 'SIGINT'), ('SIGTERM', 'SIGTERM'), ('SIGTERM', 'SIGINT'), ('SIGINT', 'SIGHUP')]
)
def test_a_second_signal_of_any_kind_stops_at_once(folder, first, second):
    os.mkfifo(folder / 'hang')
    process = start(folder, *WORKER, '--drain', 3600)
    wait_for(process.stdout, 'begun')
    process.send_signal(getattr(signal, first))
    wait_for(process.stderr, 'draining')
    process.send_signal(getattr(signal, second))
    assert finish(process).returncode == 130


@pytest.mark.thorough
def test_a_worker_whose_log_nobody_reads_any_more_drains(folder):
    os.mkfifo(folder / 'hang')
    process = start(folder, *WORKER, '--no-sticky')
    wait_for(process.stdout, 'begun')
    process.stdout.close()
    process.stderr.close()
    process.send_signal(signal.SIGTERM)
    (folder / 'hang').open('w').close()
    assert process.wait(TIMEOUT) == 0
    assert events_of(folder, 'ActivityTaskCompleted')[0]['result'] == '8'


@pytest.mark.thorough
def test_a_worker_whose_output_is_full_drains(folder):
    os.mkfifo(folder / 'hang')
    text = FLOW.replace("print('begun', flush=True)", "print('x' * 1_000_000, flush=True)")
    (folder / 'flow.py').write_text(text, encoding='utf-8')
    process = start(folder, *WORKER, '--no-sticky')
    (folder / 'hang').open('w').close()  # the activity has printed more than the pipe holds, and goes on
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIMEOUT) == 0
    assert events_of(folder, 'ActivityTaskCompleted')[0]['result'] == '8'
    process.communicate()


@pytest.mark.thorough
def test_logging_that_the_target_sets_up_does_not_silence_the_worker(folder):
    silencing = """
import logging.config
logging.config.dictConfig({
    'version': 1,
    'handlers': {'err': {'class': 'logging.StreamHandler'}},
    'root': {'level': 'INFO', 'handlers': ['err']},
})
"""
    (folder / 'flow.py').write_text(silencing + FLOW, encoding='utf-8')
    done = finish(start(folder, *WORKER, '--max-tasks', TASKS))
    assert done.returncode == 0, done.err
    assert 'working for domain shop, task list steps' in done.err


@pytest.mark.thorough
def test_the_log_as_json_says_which_task_each_record_is_about(folder):
    logging = "import logging; logging.getLogger('shop').warning('packing\\x1b')"
    text = FLOW.replace("print('begun', flush=True)", logging)
    (folder / 'flow.py').write_text(text, encoding='utf-8')
    done = finish(start(folder, *WORKER, '--max-tasks', TASKS, '--log-format', 'json', '--log-tasks'))
    assert done.returncode == 0, done.err
    records = [json.loads(line) for line in done.err.splitlines()]
    (packing,) = [record for record in records if record['logger'] == 'shop']
    assert (packing['message'], packing['level']) == ('packing\x1b', 'warning')
    assert (packing['workflow_id'], packing['activity_id'], packing['attempt']) == ('a', '1.1', 1)
    tasks = [record['message'] for record in records if 'task: ' in record['message']]
    assert [text.partition(':')[0] for text in tasks] == ['decision task', 'activity task', 'decision task']
    assert 'workflow_id' not in records[0]  # where the worker works is about no task


@pytest.mark.thorough
def test_the_log_as_text_escapes_control_characters_and_keeps_to_its_level(folder):
    logging = "import logging; logging.getLogger('shop').warning('packing\\x1b')"
    text = FLOW.replace("print('begun', flush=True)", logging)
    (folder / 'flow.py').write_text(text, encoding='utf-8')
    done = finish(start(folder, *WORKER, '--max-tasks', TASKS, '--log-level', 'warning'))
    assert ' INFO ' not in done.err
    (line,) = [line for line in done.err.splitlines() if ' shop: ' in line]
    assert 'WARNING shop: packing\\u001b [workflow_id=a run_id=' in line
    assert line.endswith('activity_id=1.1 attempt=1]')


@pytest.mark.thorough
def test_sigusr1_prints_what_became_of_the_tasks(folder):
    os.mkfifo(folder / 'hang')
    process = start(folder, *WORKER, '--log-level', 'error', '--drain', 0)
    wait_for(process.stdout, 'begun')
    process.send_signal(signal.SIGUSR1)
    assert process.stderr.readline() == 'decision decided: 1\n'
    process.send_signal(signal.SIGTERM)
    finish(process)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('worker', 'nothing.py', '--domain', 'shop', '--task-list', 'steps'), "there is no file 'nothing.py'"),
        (('worker', 'flow.py', '--task-list', 'steps'), 'Missing option'),
        ((*WORKER, '--endpoint', 'http://127.0.0.1:1'), 'two different services'),
    ],
)
def test_wrong_usage_exits_with_2(folder, arguments, message):
    done = finish(start(folder, *arguments))
    assert done.returncode == 2
    assert message in done.err


@pytest.fixture
def audited(folder):
    (folder / 'audit.py').write_text(AUDIT, encoding='utf-8')
    return folder


@pytest.mark.thorough
@pytest.mark.parametrize('count', [(1, 'audit:Audit'), (2, 'audit.py:several')], ids=['class', 'list'])
def test_a_worker_calls_the_middleware_that_it_is_given(audited, count):
    times, middleware = count
    done = finish(start(audited, *WORKER, '--max-tasks', TASKS, '--middleware', middleware))
    assert done.returncode == 0, done.err
    assert (done.out + done.err).count('started a\n') == times
    assert (done.out + done.err).count('Step completed\n') == times


@pytest.mark.thorough
def test_the_middleware_of_the_project_stands_in_its_pyproject(audited):
    (audited / 'pyproject.toml').write_text('[tool.genflow]\nmiddleware = "audit.py:Audit"\n', encoding='utf-8')
    (audited / 'below').mkdir()
    done = finish(start(audited / 'below', 'run', '../flow.py', '4'))
    assert (done.returncode, done.out) == (0, '8\n')
    assert 'Step completed\n' in done.err


@pytest.mark.parametrize(
    ('middleware', 'expected'),
    [
        ('audit', "'audit' names no middleware. Write MODULE:NAME"),
        ('audit:Adit', "audit has no 'Adit'"),
        ('audit:number', 'middleware=5 is not a genflow.Middleware'),
        ('nowhere:Audit', "there is no module 'nowhere'"),
    ],
)
def test_what_is_no_middleware_is_refused(audited, middleware, expected):
    done = finish(start(audited, *WORKER, '--middleware', middleware))
    assert done.returncode == 2
    assert expected in done.err
