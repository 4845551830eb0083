"""The explorer: how many schedules it plays in a second, and how long 5,000 take.

Run ``python benchmarks/exploration.py [SCHEDULES [JOBS]]``. Targets: 2,000 schedules a second of a workflow of ten
events, and 5,000 in 3 s. One workflow has histories of ten events, the other one has ten events to be told of, and so
histories of 44. With jobs, ``genflow explore`` plays the schedules in one process and in so many.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from genflow import ActivityProxy, TaskFailed, Workflow, workflow
from genflow.testing import explore


class Pair(Workflow):
    """Two activities side by side: ten events, without those that mean nothing to a workflow."""

    left = ActivityProxy('PairLeft', '1', retry=0)
    right = ActivityProxy('PairRight', '1', retry=0)

    def run(self) -> Any:
        found = []
        for call in [self.left(), self.right()]:
            try:
                found.append((yield call))
            except TaskFailed as error:
                found.append(error.reason)
        return found


@workflow(name='Ten', version='1', task_list='exploration')
class Ten(Workflow):
    """Ten activities, one after the other."""

    step = ActivityProxy('TenStep', '1', retry=0)

    def run(self) -> Any:
        found = []
        for number in range(10):
            try:
                found.append((yield self.step(number)))
            except TaskFailed as error:
                found.append(error.reason)
        return len(found)


def played(what: type[Workflow], count: int, faults: int) -> tuple[int, float, float]:
    """Schedules that were played, and their seconds on the wall and of the processor."""
    begun = time.perf_counter(), time.process_time()
    runs = 0
    while runs < count:
        report = explore(what, budget=count - runs, faults=faults)
        runs += report.runs
    return runs, time.perf_counter() - begun[0], time.process_time() - begun[1]


def main() -> None:
    count, jobs = (*map(int, sys.argv[1:]), *(5_000, 1)[len(sys.argv) - 1 :])
    for kind, faults, what in ((Pair, 9, 'a history of ten events'), (Ten, 3, 'ten events to be told of')):
        played(kind, 20, faults)  # imports
        runs, wall, cpu = played(kind, count, faults)
        print(f'{what}: {runs / cpu:,.0f} schedules a second of CPU; {runs:,} in {wall:.2f} s')
    if jobs > 1:
        command = [sys.executable, '-m', 'genflow', 'explore', f'{__file__}:Ten', '--budget', str(count), '--jobs']
        for number in (1, jobs):
            begun = time.perf_counter()
            subprocess.run([*command, str(number)], check=True, capture_output=True)
            wall = time.perf_counter() - begun
            print(f'with --jobs {number}: {count:,} schedules in {wall:.2f} s, with their start')


if __name__ == '__main__':
    main()
