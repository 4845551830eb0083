"""``genflow run --processes``: one execution, several processes, and a supervisor that runs no user code."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter

import pytest

from genflow.local import LocalSWF
from tests.tools.processes import ends_with_its_children, finish, needs_pidfd, start, wait_for

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='processes are killed and stopped by signals')

CODE = """
from __future__ import annotations
import os, signal, sys
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

ALIVE = []  # files that are closed with the process

@activity(name='Hold', version=1, task_list='work', start_to_close=60)
class Hold(Activity):  # each of the two processes has FIFOs of its own
    def run(self) -> str:
        part = sys.argv[sys.argv.index('--part') + 1]
        ALIVE.append(open(f'{part}-pid', 'w'))
        print(os.getpid(), file=ALIVE[-1], flush=True)
        with open(part) as until_closed:
            return until_closed.read()

@workflow(name='Two', version=1, task_list='work')
class Two(Workflow):
    hold = ActivityProxy(name='Hold', version=1)
    go = Signal()

    def run(self) -> Steps[None]:
        yield [self.hold(), self.hold()]
        yield self.go.get()

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


def is_there(pid):
    """Whether there is a process of that id, which is also true of one whose exit code nobody has read."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


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
def test_the_first_signal_lets_an_activity_finish_after_the_process_that_shows_the_run(run, tmp_path):
    parts = ['shows', 'helps']
    for part in parts:
        os.mkfifo(tmp_path / part)
        os.mkfifo(tmp_path / f'{part}-pid')
    process = run('Two')
    pids = {part: (tmp_path / f'{part}-pid').open() for part in parts}
    held = {part: (tmp_path / part).open('w') for part in parts}
    process.send_signal(signal.SIGTERM)
    held['shows'].close()
    with pids['shows'], pids['helps']:
        shows = int(pids['shows'].read())  # the end of the file is that of the process
    while is_there(shows):
        os.sched_yield()  # until the supervisor has taken note
    held['helps'].close()
    process = finish(process)
    assert process.returncode == 130, process.err
    with LocalSWF(str(tmp_path / 'x.db')) as service:
        [info] = service.list_open_workflow_executions(domain='genflow', startTimeFilter={'oldestDate': 0})[
            'executionInfos'
        ]
        history = service.get_workflow_execution_history(domain='genflow', execution=info['execution'])
    counts = Counter(event['eventType'] for event in history['events'])
    assert (counts['ActivityTaskCompleted'], counts['ActivityTaskTimedOut']) == (2, 0)


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
