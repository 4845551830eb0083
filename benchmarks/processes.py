"""One file and several processes: how much more gets done, and how long a call through the leader takes.

    python benchmarks/processes.py [--processes 1 2 4] [--rounds 3] [--scale 1]

The first table has activities a second, for activities that compute for 20 ms of CPU time and for ones that do nothing:
in one worker that has the file itself, in the processes of ``genflow worker --processes``, and in as many that go
through ``genflow server``. Each process runs one activity at a time. Sides are measured in alternation, on fresh files
and to the end of some executions that start together; medians count.

The second table has the time of one call of a process that goes through the leader: one that reads, and one that is
durable, beside what SQLite takes for a commit in the same folder: the lowest decile and the median. The leader is idle
at first, and then computes with 1 and 4 threads.

The third is how long after ``signal_workflow_execution`` in one process a workflow of another one goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from genflow.local import LocalSWF

ROOT = Path(__file__).parent.parent
DOMAIN = 'bench'
BATCH = 20
BATCHES = {'compute': 15, 'nothing': 50}
STARTUP = 120

CODE = """
from __future__ import annotations
import time
from genflow import Activity, ActivityProxy, Signal, Steps, Workflow, activity, workflow

@activity(name='Compute', version=1, task_list='work', start_to_close=600)
class Compute(Activity):
    def run(self) -> None:
        ends = time.thread_time() + 0.02
        while time.thread_time() < ends:
            pass

@activity(name='Nothing', version=1, task_list='work', start_to_close=600)
class Nothing(Activity):
    def run(self) -> None:
        pass

@workflow(name='Batch', version=1, task_list='work', workflow_duration=36000)
class Batch(Workflow):
    compute = ActivityProxy(name='Compute', version=1)
    nothing = ActivityProxy(name='Nothing', version=1)

    def run(self, name: str, count: int) -> Steps[None]:
        yield [getattr(self, name)() for _ in range(count)]

@workflow(name='Wait', version=1, task_list='work', workflow_duration=36000)
class Wait(Workflow):
    nothing = ActivityProxy(name='Nothing', version=1)
    go = Signal()

    def run(self) -> Steps[None]:
        while (yield self.go.get()):
            self.set_status('went on')
"""

LEADER = """
import sys, threading
from genflow.local import LocalSWF
busy = int(sys.argv[2])
def compute():
    while True:
        sum(range(1000))
with LocalSWF(sys.argv[1]) as swf:
    assert swf.is_leader
    for _ in range(busy):
        threading.Thread(target=compute, daemon=True).start()
    print('ready', flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def genflow(folder: str, *arguments: object, ready: str) -> Iterator[str]:
    """A process of genflow, once it has shown a line with ``ready``; that line."""
    environment = {**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{folder}'}
    environment |= {'AWS_ACCESS_KEY_ID': 'any', 'AWS_SECRET_ACCESS_KEY': 'any', 'AWS_DEFAULT_REGION': 'us-east-1'}
    command = [sys.executable, '-m', 'genflow', *map(str, arguments)]
    log = Path(folder) / f'{arguments[0]}.log'
    with (
        log.open('w') as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out) as process,
    ):
        try:
            ends = time.perf_counter() + STARTUP
            while ready not in (text := log.read_text()):
                if process.poll() is not None or time.perf_counter() > ends:
                    raise SystemExit(f'{command} did not begin: {text}')
                time.sleep(0.05)
            yield next(line for line in text.splitlines() if ready in line)
        finally:
            process.terminate()
            process.wait(STARTUP)


@contextlib.contextmanager
def side(folder: str, name: str, processes: int) -> Iterator[LocalSWF]:
    """Workers of one kind on a fresh file, and that file."""
    path = str(Path(folder) / f'{name}-{processes}-{time.monotonic_ns()}.db')
    with contextlib.ExitStack() as stack:
        work = ['worker', 'load.py', '--domain', DOMAIN, '--task-list', 'work', '--drain', '5']
        if name == 'server':
            url = stack.enter_context(genflow(folder, 'server', '--db', path, '--port', '0', ready='http://'))
            register(path)
            where: list[object] = ['--endpoint', url.strip()]
        else:
            where = ['--db', path]
        many: list[object] = ['--activities', 1] if name == 'one process' else ['--processes', processes]
        stack.enter_context(genflow(folder, *work, *where, *many, ready='working for domain'))
        swf = stack.enter_context(closing(LocalSWF(path)))
        while not swf.list_workflow_types(domain=DOMAIN, registrationStatus='REGISTERED')['typeInfos'][1:]:
            time.sleep(0.02)
        yield swf


def register(path: str) -> None:
    with closing(LocalSWF(path)) as swf:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')


def throughput(swf: LocalSWF, kind: str, batches: int) -> float:
    """Activities a second, from the first start to the last close."""
    began = time.perf_counter()
    for number in range(batches):
        start(swf, 'Batch', f'{kind}-{number}', f'[["{kind}", {BATCH}], {{}}]')
    closed = partial(swf.count_closed_workflow_executions, domain=DOMAIN, startTimeFilter={'oldestDate': 0})
    while closed()['count'] < batches:
        time.sleep(0.02)
    return batches * BATCH / (time.perf_counter() - began)


def start(swf: LocalSWF, kind: str, workflow_id: str, text: str) -> dict[str, Any]:
    answer: dict[str, Any] = swf.start_workflow_execution(
        domain=DOMAIN, workflowId=workflow_id, workflowType={'name': kind, 'version': '1'}, input=text
    )
    return answer


def show_throughput(folder: str, processes: list[int], rounds: int, scale: float) -> None:
    sides = [('one process', 1), *(('file', number) for number in processes), *(('server', n) for n in processes)]
    found: dict[tuple[str, int, str], list[float]] = {}
    for _ in range(rounds):
        for name, number in sides:
            for kind, batches in BATCHES.items():
                with side(folder, name, number) as swf:
                    rate = throughput(swf, kind, max(1, round(batches * scale)))
                found.setdefault((name, number, kind), []).append(rate)
                print(f'{name}, {number} processes, {kind}: {rate:.1f}/s', file=sys.stderr, flush=True)
    print('| side | processes | compute 20 ms, 1/s | nothing, 1/s |')
    print('|---|---|---|---|')
    for name, number in sides:
        compute, nothing = (statistics.median(found[name, number, kind]) for kind in ('compute', 'nothing'))
        print(f'| {name} | {number} | {compute:.1f} | {nothing:.0f} |')


@contextlib.contextmanager
def leader(path: str, busy: int) -> Iterator[None]:
    command = [sys.executable, '-c', LEADER, path, str(busy)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.terminate()


def timed(call: Callable[[], object]) -> float:
    """Milliseconds of a call."""
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def shown(took: list[float]) -> str:
    """The lowest decile, which other programs of the machine disturb least, and the median."""
    return f'{statistics.quantiles(took, n=10)[0]:.2f}, {statistics.median(took):.2f}'


def commit(path: str) -> Callable[[], object]:
    """A commit of SQLite as bare as it gets, durable."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute('PRAGMA journal_mode = WAL')
    connection.execute('PRAGMA synchronous = FULL')
    connection.execute('CREATE TABLE rows (text)')
    return lambda: connection.execute('INSERT INTO rows VALUES (?)', ('x' * 500,))


def show_latency(folder: str, times: int) -> None:
    print('| leader | read, ms | durable call, ms | bare commit, ms |')
    print('|---|---|---|---|')
    bare = commit(str(Path(folder) / 'bare.db'))
    for busy in (0, 1, 4):
        path = str(Path(folder) / f'latency-{busy}.db')
        prepare(path)
        reads, writes, commits = [], [], []
        with leader(path, busy), closing(LocalSWF(path)) as swf:
            assert not swf.is_leader
            execution = {'workflowId': 'w', **start(swf, 'Wait', 'w', '[[], {}]')}
            del execution['ResponseMetadata']
            read = partial(swf.describe_workflow_execution, domain=DOMAIN, execution=execution)
            write = partial(swf.signal_workflow_execution, domain=DOMAIN, workflowId='w', signalName='s')
            for _ in range(times):
                reads.append(timed(read))
                writes.append(timed(write))
                commits.append(timed(bare))
        name = 'idle' if not busy else f'{busy} busy thread{"s" if busy > 1 else ""}'
        print(f'| {name} | {shown(reads)} | {shown(writes)} | {shown(commits)} |', flush=True)


def prepare(path: str) -> None:
    with closing(LocalSWF(path)) as swf:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        swf.register_workflow_type(
            domain=DOMAIN,
            name='Wait',
            version='1',
            defaultTaskList={'name': 'work'},
            defaultExecutionStartToCloseTimeout='86400',
            defaultTaskStartToCloseTimeout='60',
            defaultChildPolicy='TERMINATE',
        )


def show_signals(folder: str, times: int) -> None:
    """From the call of a signal to the status that the workflow sets when it has got it."""
    took = []
    with side(folder, 'one process', 1) as swf:
        execution = {'workflowId': 'waits', **start(swf, 'Wait', 'waits', '[[], {}]')}
        del execution['ResponseMetadata']
        for number in range(times):
            began = time.perf_counter()
            swf.signal_workflow_execution(domain=DOMAIN, workflowId='waits', signalName='go', input='true')
            while decisions(swf, execution) < number + 2:
                pass
            took.append(time.perf_counter() - began)
    print(f'a signal is decided about after {1000 * statistics.median(took):.1f} ms, at most {1000 * max(took):.1f} ms')


def decisions(swf: LocalSWF, execution: dict[str, Any]) -> int:
    page = swf.get_workflow_execution_history(domain=DOMAIN, execution=execution, reverseOrder=True, maximumPageSize=1)
    last = page['events'][0]
    return last['eventId'] // 4 if last['eventType'] == 'DecisionTaskCompleted' else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--processes', type=int, nargs='*', default=[1, 2, 4])
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--scale', type=float, default=1.0, help='the share of all numbers of calls')
    parser.add_argument('--only', choices=['throughput', 'latency', 'signals'])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / 'load.py').write_text(textwrap.dedent(CODE))
        if options.only in (None, 'latency'):
            show_latency(folder, max(2, round(100 * options.rounds * options.scale)))
        if options.only in (None, 'signals'):
            show_signals(folder, max(1, round(50 * options.scale)))
        if options.only in (None, 'throughput'):
            show_throughput(folder, options.processes, options.rounds, options.scale)


if __name__ == '__main__':
    main()
