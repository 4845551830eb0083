"""genflow on its embedded service: workflows of sequential trivial activities, deciders and activities in one process.

Arguments: folder, how many workflows, how many steps, ``memory`` or SQLite's setting ``FULL`` or ``NORMAL`` of a file
in the folder, and how many threads decide and how many perform.

Timed until the last close that the service recorded: a client asks for a result at growing intervals, and would find
it later than it was there.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timezone
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


def last_close(service: LocalSWF, begun: float) -> float:
    """When the last execution was closed, in seconds since 1970."""
    since = {'oldestDate': datetime.fromtimestamp(begun - 1, timezone.utc)}
    pages = service.get_paginator('list_closed_workflow_executions').paginate(domain=DOMAIN, closeTimeFilter=since)
    return max(info['closeTimestamp'] for page in pages for info in page['executionInfos']).timestamp()


def main(folder: str, workflows: int, count: int, keeping: str, *, deciders: int, activities: int) -> None:
    kept = {} if keeping == 'memory' else {'path': Path(folder) / 'genflow.db', 'synchronous': keeping}
    service = LocalSWF(**kept)
    service.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
    with Worker(DOMAIN, LIST, service, deciders=deciders, activities=activities):
        start = Client(DOMAIN, service).starter(Sequence)
        begun = time.time()
        executions = [start(count) for _ in range(workflows)]
        assert [execution.result(timeout=300) for execution in executions] == [count] * workflows
        found = time.time() - begun
        seconds = last_close(service, begun) - begun
        print(json.dumps({'seconds': seconds, 'until found': found}), flush=True)
    service.close()


if __name__ == '__main__':
    place, number, length, setting, deciding, performing = sys.argv[1:]
    main(place, int(number), int(length), setting, deciders=int(deciding), activities=int(performing))
