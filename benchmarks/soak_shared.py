"""Kill whoever leads a file that four processes share, again and again, and hold the file to what it has promised.

    python benchmarks/soak_shared.py --kills 200

Four processes with the mixed load of ``soak.py`` work on one file. The parent kills the one that leads with SIGKILL, at
a random moment after each of the four has made some calls, measures how long it takes until another one leads, and
starts a new process. At the end the processes
finish what is open, and the parent checks what ``soak.py`` checks: nothing that was acknowledged is lost, nothing was
handed out twice, no signal and no result is there twice.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))

from soak import DOMAIN, OpenItems, check, history, listed, promise

from genflow.local import LocalSWF
from genflow.local.shared.notice import Notice, read_notice
from genflow.local.store.filelock import read_notice as read_lock_file

SOAK = Path(__file__).parent / 'soak.py'
PROCESSES = 4
CALLS = 5
"""That each process makes between two kills."""

TOO_LONG = 60


class Worker:
    """One process with the load, and a thread that notes what it reports."""

    def __init__(self, path: str, population: int, reports: Reports, *, finish: bool = False) -> None:
        command = [sys.executable, str(SOAK), '--child', path, '--open', str(population)]
        self.process = subprocess.Popen(
            [*command, *(['--finish'] if finish else [])], stdout=subprocess.PIPE, text=True
        )
        self._reports = reports
        self.calls = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            if line.endswith('\n'):
                self._reports.note(line)
                self.calls += 1

    def end(self) -> int:
        code = self.process.wait(TOO_LONG * 5)
        self._thread.join()
        return code


class Reports:
    """What all processes have reported."""

    def __init__(self) -> None:
        self.ledger = OpenItems()
        self.broken: list[BaseException] = []
        self._lock = threading.Lock()

    def note(self, line: str) -> None:
        with self._lock:
            try:
                self.ledger.note(line)
            except AssertionError as error:
                self.broken.append(error)


def leader(path: str) -> Notice | None:
    """Who leads, as the lock file says."""
    found = read_notice(read_lock_file(f'{path}-lock')[1])
    return found if found is not None and found.state == 'leading' else None


def await_leader(path: str, other_than: str) -> Notice:
    """Wait until somebody else leads."""
    ends = time.perf_counter() + TOO_LONG
    while True:
        found = leader(path)
        if found is not None and found.process != other_than:
            return found
        promise(time.perf_counter() < ends, f'nobody leads {TOO_LONG} s after the death of {other_than}')
        time.sleep(0.002)


def await_load(workers: list[Worker]) -> None:
    """Wait until all processes make calls: one that has just been started may take seconds until then."""
    before = [worker.calls for worker in workers]
    ends = time.perf_counter() + TOO_LONG
    while any(worker.calls - count < CALLS for worker, count in zip(workers, before, strict=True)):
        promise(time.perf_counter() < ends, f'a process makes no calls for {TOO_LONG} s')
        time.sleep(0.01)


def check_doubles(path: str) -> int:
    """See that nothing that is unique is there twice; how many executions there are."""
    with closing(LocalSWF(path, synchronous='NORMAL')) as swf:
        runs = listed(swf, 'list_closed_workflow_executions')
        for run in runs:
            events = history(swf, run)
            for event_type, member in (('WorkflowExecutionSignaled', 'input'), ('ActivityTaskCompleted', 'result')):
                name = f'{event_type[0].lower()}{event_type[1:]}EventAttributes'
                texts = [event[name].get(member) for event in events if event['eventType'] == event_type]
                twice = [text for text, number in collections.Counter(texts).items() if number > 1]
                promise(not twice, f'{event_type} {twice} of {run} is there twice')
        promise(not listed(swf, 'list_open_workflow_executions'), 'executions are open at the end')
        count = swf.count_closed_workflow_executions(
            domain=DOMAIN, startTimeFilter={'oldestDate': 0}, closeStatusFilter={'status': 'COMPLETED'}
        )['count']
        promise(count == len(runs), f'{count} of {len(runs)} executions completed')
        return count


def soak(path: str, kills: int, population: int, longest: float) -> dict[str, object]:
    reports = Reports()
    workers = [Worker(path, population, reports) for _ in range(PROCESSES)]
    taken: list[float] = []
    found = await_leader(path, '')
    for number in range(kills):
        await_load(workers)
        time.sleep(random.uniform(0, longest))
        found = await_leader(path, '')
        pid = int(found.process.partition('.')[0])
        (victim,) = (worker for worker in workers if worker.process.pid == pid)
        began = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        await_leader(path, found.process)
        taken.append(time.perf_counter() - began)
        promise(victim.end() == -signal.SIGKILL, 'the leader ended by itself')
        workers[workers.index(victim)] = Worker(path, population, reports)
        for worker in workers:
            promise(worker.process.poll() is None, f'a follower ended by itself: {worker.process.returncode}')
        promise(not reports.broken, str(reports.broken[:1]))
        if number % 25 == 24:  # noqa: PLR2004
            print(f'{number + 1} kills, {reports.ledger.calls} calls reported', flush=True)
    for worker in workers:
        worker.process.kill()
        worker.end()
    finishing = [Worker(path, population, reports, finish=True) for _ in range(PROCESSES)]
    promise([worker.end() for worker in finishing] == [0] * PROCESSES, 'a process did not finish')
    promise(not reports.broken, str(reports.broken[:1]))
    completed = check_doubles(path)
    check(path, reports.ledger, everything=True)
    return {
        'kills': kills,
        'calls reported': reports.ledger.calls,
        'completed': completed,
        'take-over, median': f'{statistics.median(taken):.3f} s',
        'worst': f'{max(taken):.3f} s',
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=200)
    parser.add_argument('--open', type=int, default=100, help='executions that are kept open')
    parser.add_argument('--longest', type=float, default=1.0, help='seconds of the longest lead under load')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        facts = soak(str(Path(folder) / 'soak.db'), options.kills, options.open, options.longest)
        facts['seconds'] = round(time.perf_counter() - began, 1)
        print(', '.join(f'{name}: {value}' for name, value in facts.items()))


if __name__ == '__main__':
    main()
