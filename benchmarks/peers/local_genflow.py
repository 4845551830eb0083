"""genflow on its embedded service: workflows of sequential trivial activities, the worker in the same process.

Arguments: folder, how many workflows, how many steps, ``memory`` or SQLite's setting ``FULL`` or ``NORMAL`` of a file
in the folder. The worker has its default settings. A first workflow of one step registers the types and warms up, as
on the other sides; then it is timed until a client in the same process has all results.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from genflow import Activity, Client, Steps, Workflow, activity, workflow
from genflow.local import LocalSWF
from genflow.swf.worker.worker import Worker

DOMAIN, LIST = 'steps', 'steps'


@activity(name='Step', version=1, task_list=LIST)
class Step(Activity):
    def run(self, number: int) -> int:
        return number


@workflow(name='Sequence', version=1, task_list=LIST)
class Sequence(Workflow):
    step = Step.proxy()

    def run(self, count: int) -> Steps[int]:
        for number in range(count):
            yield from self.step(number)
        return count


def timed(service: LocalSWF, workflows: int, count: int) -> float:
    """Seconds until a client has all results."""
    service.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
    with Worker(DOMAIN, LIST, service):
        start = Client(DOMAIN, service).starter(Sequence)
        assert start(1).result(timeout=300) == 1
        begun = time.perf_counter()
        executions = [start(count) for _ in range(workflows)]
        assert [execution.result(timeout=300) for execution in executions] == [count] * workflows
        return time.perf_counter() - begun


def main(folder: str, workflows: int, count: int, keeping: str) -> None:
    kept = {} if keeping == 'memory' else {'path': Path(folder) / 'genflow.db', 'synchronous': keeping}
    with LocalSWF(**kept) as service:
        print(json.dumps({'seconds': timed(service, workflows, count)}), flush=True)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
