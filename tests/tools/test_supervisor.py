"""``genflow worker --processes``: workers under a supervisor."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from genflow import Client
from genflow.local import LocalSWF
from genflow.tools.cli.exits import Exit
from genflow.tools.cli.processes import supervisor as supervisors
from tests.tools.processes import TIMEOUT, children, ends_with_its_children, needs_pidfd, start, wait_for

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='processes are killed and stopped by signals')

CODE = """
from __future__ import annotations
import os, signal
from genflow import Activity, ActivityProxy, Steps, Workflow, activity, workflow

@activity(name='Who', version=1, task_list='work', start_to_close=60)
class Who(Activity):
    def run(self, dies: bool) -> int:
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

@workflow(name='Ask', version=1, task_list='work')
class Ask(Workflow):
    who = ActivityProxy(name='Who', version=1)

    def run(self, dies: bool) -> Steps[int]:
        return (yield self.who(dies))
"""


@pytest.fixture
def supervisor(tmp_path):
    (tmp_path / 'ask.py').write_text(CODE)
    process = start(
        tmp_path, 'worker', 'ask.py', '--domain', 'shop', '--task-list', 'work', '--db', 'x.db', '--processes', '2'
    )
    for _ in range(2):
        wait_for(process.stderr, 'working for domain shop')
    yield process
    if process.poll() is None:
        process.terminate()
    process.communicate(timeout=TIMEOUT)


@pytest.mark.thorough
def test_workers_share_the_file_that_the_supervisor_leads(supervisor, tmp_path):
    """Neither the supervisor nor who asks runs the activity."""
    with LocalSWF(tmp_path / 'x.db') as swf:
        assert not swf.is_leader
        answer = ask(swf, tmp_path, dies=False)
    assert answer not in (supervisor.pid, os.getpid())
    supervisor.terminate()
    assert supervisor.wait(TIMEOUT) == 0


def ask(swf, tmp_path, *, dies):
    sys.path.insert(0, str(tmp_path))
    try:
        from ask import Ask
    finally:
        sys.path.remove(str(tmp_path))
    with Client('shop', swf) as client:
        return client.starter(Ask)(dies).result(TIMEOUT)


@pytest.mark.thorough
def test_a_process_that_dies_is_started_again_and_named(supervisor):
    (worker, _) = children(supervisor.pid)
    os.kill(worker, signal.SIGKILL)
    line = wait_for(supervisor.stderr, 'was ended by SIGKILL')
    assert line.startswith('genflow: worker process ')
    assert line.endswith('; it will be restarted in 0.5 s\n')
    wait_for(supervisor.stderr, 'working for domain shop')
    assert len(children(supervisor.pid)) == 2
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(TIMEOUT) == 0


@pytest.mark.thorough
@needs_pidfd
def test_no_orphan_is_left_by_a_supervisor_that_is_killed(supervisor):
    with ends_with_its_children(supervisor, 2):
        supervisor.kill()


@pytest.mark.thorough
def test_a_command_that_is_wrong_is_not_started_again(tmp_path):
    process = start(
        tmp_path, 'worker', 'nowhere.py', '--domain', 'd', '--task-list', 't', '--db', 'x.db', '--processes', '2'
    )
    _, error = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 2
    assert 'nowhere.py' in error
    assert 'started again' not in error


def test_a_run_that_is_stopped_while_its_process_is_down_was_interrupted(monkeypatch):
    monkeypatch.setattr(supervisors, 'say', lambda text: os.kill(os.getpid(), signal.SIGTERM))  # between two starts
    dies = supervisors.Program([sys.executable, '-c', 'import os; os.kill(os.getpid(), 9)'], decides=True)
    assert supervisors.Supervisor([dies], drain=0).run() == Exit.INTERRUPTED
