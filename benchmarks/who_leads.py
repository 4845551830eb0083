"""Calls to a process that computes and leads its file, and to one that leads and does nothing: ``who_leads.py``.

The second is what a child process would bring that serves in the place of the leader: the process that computes then
follows like everybody else. Each row has the medians, over three rounds in alternation, of 40 calls of a follower and
of 40 calls of the process that computes; ``who_leads.py ROUNDS CALLS`` makes as many.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from genflow.local import LocalSWF

THREADS = (0, 1, 4)
DOMAIN = 'bench'
PART = '--part'
TYPE = {'name': 'Wait', 'version': '1'}


def prepare(swf: LocalSWF) -> None:
    """An open execution that takes signals."""
    swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
    swf.register_workflow_type(domain=DOMAIN, **TYPE)
    swf.start_workflow_execution(
        domain=DOMAIN,
        workflowId='w',
        workflowType=TYPE,
        taskList={'name': 'nobody'},
        executionStartToCloseTimeout='3600',
        taskStartToCloseTimeout='60',
        childPolicy='TERMINATE',
    )


def timed(call: Callable[[], object]) -> float:
    """Milliseconds of a call."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def reads(swf: LocalSWF) -> float:
    """Of a call that reads."""
    since = {'oldestDate': 0}
    return timed(lambda: swf.count_open_workflow_executions(domain=DOMAIN, startTimeFilter=since))


def writes(swf: LocalSWF) -> float:
    """Of a durable call."""
    return timed(lambda: swf.signal_workflow_execution(domain=DOMAIN, workflowId='w', signalName='s'))


def compute() -> None:
    while True:
        sum(range(1000))


def part(path: str, threads: int, calls: int) -> None:
    """A process that computes in so many threads, and measures its own calls when it is asked to."""
    with LocalSWF(path) as swf:
        if swf.is_leader:
            prepare(swf)
        for _ in range(threads):
            threading.Thread(target=compute, daemon=True).start()
        print('ready', flush=True)
        for _ in sys.stdin:
            print(median([writes(swf) for _ in range(calls)]), flush=True)


@contextmanager
def process(path: str, threads: int, calls: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, __file__, PART, path, str(threads), str(calls)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started


def measure(path: str, threads: int, calls: int) -> tuple[float, float, float]:
    """A follower's reads and durable calls, and the durable calls of the process that computes."""
    with process(path, threads, calls) as computing, LocalSWF(path) as swf:
        follower = median([reads(swf) for _ in range(calls)]), median([writes(swf) for _ in range(calls)])
        swf.close()
        own, _ = computing.communicate('\n')
        return *follower, float(own)


def main(rounds: int = 3, calls: int = 40) -> None:
    found: dict[tuple[int, str], list[tuple[float, float, float]]] = {}
    for _ in range(rounds):
        for threads in THREADS:
            with tempfile.TemporaryDirectory() as folder:
                found.setdefault((threads, 'it leads'), []).append(measure(str(Path(folder) / 'a'), threads, calls))
                with process(str(Path(folder) / 'b'), 0, calls):
                    measured = measure(str(Path(folder) / 'b'), threads, calls)
                found.setdefault((threads, 'an idle one leads'), []).append(measured)
    print('threads that compute | who leads | read | durable call | own durable call, ms')
    for (threads, who), rows in sorted(found.items()):
        print(f'{threads} | {who} | ' + ' | '.join(f'{median(column):.1f}' for column in zip(*rows, strict=True)))


if __name__ == '__main__':
    if sys.argv[1:2] == [PART]:
        part(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        main(*map(int, sys.argv[1:]))
