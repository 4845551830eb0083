"""``genflow run --processes``: one execution, several processes, and a supervisor that runs no user code."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

import pytest

from genflow.local import LocalSWF
from genflow.tools.cli.processes.supervisor import Program, Supervisor
from tests.tools.processes import ends_with_its_children, finish, needs_pidfd, start, wait_for

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='processes are killed and stopped by signals')

CODE = """
from __future__ import annotations
import os, signal
from genflow import Activity, ActivityProxy, Signal, Steps, Workflow, activity, workflow

@activity(name='Meet', version=1, task_list='work', start_to_close=60)
class Meet(Activity):  # opening a FIFO waits for whoever opens its other end
    def run(self, mode: str) -> int:
        with open('meeting', mode):
            return os.getpid()

@activity(name='Die', version=1, task_list='work', start_to_close=60)
class Die(Activity):
    def run(self) -> int:
        try:
            open('died', 'x').close()
        except FileExistsError:
            return os.getpid()
        os.kill(os.getpid(), signal.SIGKILL)

@activity(name='Break', version=1, task_list='work', start_to_close=60)
class Break(Activity):
    def run(self) -> str:
        if not os.path.exists('mended'):
            raise ValueError('broken')
        return 'whole'

@workflow(name='Both', version=1, task_list='work')
class Both(Workflow):
    meet = ActivityProxy(name='Meet', version=1)

    def run(self) -> Steps[list[int]]:
        return (yield [self.meet('r'), self.meet('w')])

@workflow(name='Dies', version=1, task_list='work')
class Dies(Workflow):
    die = ActivityProxy(name='Die', version=1, retry=0)

    def run(self) -> Steps[list[int]]:
        return (yield [self.die() for _ in range(4)])

@workflow(name='Fails', version=1, task_list='work')
class Fails(Workflow):
    fail = ActivityProxy(name='Break', version=1, retry=0)

    def run(self, word: str = '') -> Steps[str]:
        return (yield self.fail())

@workflow(name='One', version=1, task_list='work')
class One(Workflow):
    meet = ActivityProxy(name='Meet', version=1)
    go = Signal()

    def run(self) -> Steps[int]:
        found = yield self.meet('r')
        yield self.go.get()
        return found
"""

ENDS = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
open(sys.argv[1]).read()
"""

KEEPS_ON = """
import signal, sys
seen = open(sys.argv[2], 'a')
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: print(signal.Signals(number).name, file=seen, flush=True))
open(sys.argv[1]).read()
"""


@pytest.fixture
def run(tmp_path):
    """Starts ``genflow run --processes 2``; the processes end with the test."""
    (tmp_path / 'flows.py').write_text(CODE)
    os.mkfifo(tmp_path / 'meeting')
    processes = []

    def begin(name, *arguments, db='x.db'):
        kept = ['--db', db, '--id', 'a'] if db else []
        processes.append(start(tmp_path, 'run', '--processes', '2', *kept, f'flows.py:{name}', *arguments))
        return processes[-1]

    yield begin
    for process in processes:
        with process:
            process.kill()


@pytest.mark.thorough
def test_two_activities_run_in_two_processes(run):
    """Each process runs one activity at a time, and these two wait for each other."""
    process = finish(run('Both', db=None))
    assert process.returncode == 0, process.err
    pids = json.loads(process.out)
    assert len({*pids, process.pid, os.getpid()}) == 4
    assert process.err.count('workflow completed') == 1
    assert 'interrupted' not in process.err


@pytest.mark.thorough
def test_a_process_that_dies_is_started_again_and_the_result_is_printed(run):
    """Whichever of the two it is."""
    process = finish(run('Dies'))
    assert process.returncode == 0, process.err
    assert len(json.loads(process.out)) == 4
    assert ' was ended by SIGKILL' in process.err
    assert '; it will be restarted in 0.5 s' in process.err


@pytest.mark.thorough
def test_the_first_signal_lets_activities_finish_and_the_same_command_continues(run, tmp_path):
    process = run('One')
    wait_for(process.stderr, '[1.1] started')
    process.send_signal(signal.SIGTERM)
    with (tmp_path / 'meeting').open('w'):
        pass
    process = finish(process)
    assert (process.returncode, process.out) == (130, '')
    assert 'the execution a is kept in x.db; the same command continues it.' in process.err
    again = run('One')
    wait_for(again.stderr, '1 completed before')
    assert finish(start(tmp_path, 'signal', 'a', 'go', '--db', 'x.db')).returncode == 0
    assert int(finish(again).out) > 0


@pytest.mark.thorough
@pytest.mark.parametrize('first', [[], [signal.SIGTERM]], ids=['by-itself', 'after-a-signal'])
def test_other_processes_drain_after_a_signal_and_stop_at_once_after_a_run(tmp_path, first):
    """The process that decides ends at once; the other one keeps on until its FIFO is closed."""
    for name in ('decides', 'helps'):
        os.mkfifo(tmp_path / name)
    programs = [
        Program([sys.executable, '-c', ENDS, tmp_path / 'decides'], frozenset({0}), decides=True),
        Program([sys.executable, '-c', KEEPS_ON, tmp_path / 'helps', tmp_path / 'seen']),
    ]

    def play():
        with (tmp_path / 'helps').open('w'):
            with (tmp_path / 'decides').open('w'):  # both run now, and their handlers are set
                [slot] = [thread for thread in threading.enumerate() if thread.name == 'genflow-process-1']
                for number in first:
                    os.kill(os.getpid(), number)
                    slot.join()
            slot.join()  # the supervisor has done what it does when that process has ended

    player = threading.Thread(target=play)
    player.start()
    Supervisor(programs, drain=60).run()
    player.join()
    seen = (tmp_path / 'seen').read_text().split()
    assert sorted(seen) == (['SIGTERM'] if first else ['SIGINT', 'SIGTERM'])


@pytest.mark.thorough
@needs_pidfd
def test_a_supervisor_that_is_killed_leaves_no_orphan(run, tmp_path):
    process = run('One')
    wait_for(process.stderr, '[1.1] started')
    with ends_with_its_children(process, 2):
        process.kill()
        with (tmp_path / 'meeting').open('w'):  # for which the activity has waited
            pass


@pytest.mark.thorough
def test_a_failure_is_shown_once_and_the_same_command_takes_it_up(run, tmp_path):
    failed = finish(run('Fails'))
    assert (failed.returncode, failed.out) == (3, '')
    assert failed.err.count('genflow: ') == 1, failed.err
    (tmp_path / 'mended').touch()
    done = finish(run('Fails'))
    assert (done.returncode, done.out) == (0, '"whole"\n'), done.err
    assert 'genflow: a closed before (failed), and continues; --anew begins it again' in done.err
    assert 'are trusted' in done.err
    with LocalSWF(tmp_path / 'x.db', mode='r') as swf:
        runs = swf.count_closed_workflow_executions(domain='genflow', startTimeFilter={'oldestDate': 0})
    assert runs['count'] == 2


@pytest.mark.thorough
def test_a_command_that_is_wrong_is_reported_once(run):
    process = finish(run('Nobody'))
    assert process.returncode == 2
    assert process.err.count('Error: ') == 1
    assert 'Nobody' in process.err


@pytest.mark.thorough
def test_arguments_and_settings_reach_the_processes(run, tmp_path):
    (tmp_path / 'mended').touch()
    command = ['--db', 'y.db', '--quiet', 'run', '--processes', '2', '--id', 'b', 'flows.py:Fails', '--', '-7']
    process = finish(start(tmp_path, *command))
    assert (process.returncode, process.out, process.err) == (0, '"whole"\n', '')
    with LocalSWF(tmp_path / 'y.db', mode='r') as swf:
        (found,) = swf.list_closed_workflow_executions(domain='genflow', startTimeFilter={'oldestDate': 0})[
            'executionInfos'
        ]
        events = swf.get_workflow_execution_history(domain='genflow', execution=found['execution'])['events']
    assert json.loads(events[0]['workflowExecutionStartedEventAttributes']['input'])[0] == [-7]
