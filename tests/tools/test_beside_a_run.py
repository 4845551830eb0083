"""Commands that work beside ``genflow run``, which has the file."""

from __future__ import annotations

import json
import os

import pytest

from genflow.local import LocalSWF
from tests.tools.processes import finish, start, wait_for

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='files are shared through sockets')

CODE = """
from __future__ import annotations
from genflow import Canceled, Signal, Steps, Workflow, query, workflow

@workflow(name='Wait', version=1, task_list='waits')
class Wait(Workflow):
    go = Signal()

    @query
    def state(self) -> str:
        return 'waits'

    def run(self) -> Steps[int]:
        try:
            return (yield self.go.get())
        except Canceled:
            self.set_status('gave up')
            raise
"""


@pytest.fixture
def beside(tmp_path):
    """Starts runs, and other commands beside them, on one file."""
    (tmp_path / 'waits.py').write_text(CODE)
    runs = []

    def command(*arguments):
        done = finish(start(tmp_path, *arguments, '--db', 'x.db'))
        assert done.returncode == 0, done.err
        return done

    def run(workflow_id):
        runs.append(start(tmp_path, 'run', '-q', '--db', 'x.db', '--id', workflow_id, 'waits.py'))
        wait_for(runs[-1].stderr, f'genflow signal {workflow_id} go --db x.db')
        return runs[-1]

    yield run, command
    for process in runs:
        with process:
            process.kill()


@pytest.mark.thorough
def test_a_run_is_asked_copied_and_ended_from_another_terminal(beside, tmp_path):
    run, command = beside
    first = run('a')
    assert command('count').out == '1\n'
    assert command('query', 'a', 'state', 'waits.py').out == '"waits"\n'
    finish(start(tmp_path, 'db', 'backup', 'x.db', 'copy.db'))
    finish(start(tmp_path, 'db', 'export', 'x.db', '-o', 'x.json'))
    with LocalSWF(tmp_path / 'copy.db', mode='r') as copy:
        found = copy.count_open_workflow_executions(domain='genflow', startTimeFilter={'oldestDate': 0})
    assert found['count'] == 1
    assert '"Wait"' in (tmp_path / 'x.json').read_text()
    command('cancel', 'a')
    first = finish(first)
    assert first.returncode == 3
    assert 'cancel' in first.err
    second = run('b')
    command('terminate', 'b')
    assert finish(second).returncode == 3


@pytest.mark.thorough
def test_a_run_of_the_same_id_joins_and_prints_the_same_result(beside):
    run, command = beside
    processes = [run('a') for _ in range(2)]
    command('signal', 'a', 'go', '7')
    done = [finish(process) for process in processes]
    assert [(one.returncode, json.loads(one.out)) for one in done] == [(0, 7)] * 2
    assert command('result', 'a').out == '7\n'
