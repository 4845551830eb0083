"""What a decider reads over HTTP, and how long a workflow takes there, with executions kept and without.

    python benchmarks/sticky_http.py [--steps 2000] [--long 3500] [--cold]

A server in a process of its own keeps a file with `synchronous=FULL`; the worker here talks to it with boto3. First a
workflow of ``--long`` sequential activities, with its execution kept, to see how many events the decisions past event
20,000 read; SWF sends 1,000 in a page. Then one of ``--steps`` activities, kept, and with ``--cold`` also one that is
read and replayed from its first event at each decision, which takes many minutes: the events read grow with the square
of the steps.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from http_service import client, ours

from genflow import Activity, Client, Steps, Workflow, activity, workflow
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.swf.worker.worker import Worker

DOMAIN, LIST = 'bench', 'list'
LATE = 20_000  # events


@activity(name='Step', version=1, task_list=LIST)
class Step(Activity):
    def run(self, number: int) -> int:
        return number


@workflow(name='Sequence', version=1, task_list=LIST, workflow_duration=86_400)
class Sequence(Workflow):
    step = Step.proxy()

    def run(self, count: int) -> Steps[int]:
        for number in range(count):
            yield from self.step(number)
        return count


def run(url: str, steps: int, *, sticky: bool) -> list[tuple[int, int]]:
    """Run one execution to its end; of each decision the length of the history and the events that its poll brought."""
    decisions: list[tuple[int, int]] = []

    def saw(task: DecisionTask | ActivityTask) -> None:
        if isinstance(task, DecisionTask):
            decisions.append((task.started_id, len(task.events)))

    cache = StickyCache() if sticky else StickyCache(max_executions=0)
    swf = client(url)
    begun = time.perf_counter()
    with Worker(DOMAIN, LIST, swf, activities=1, sticky=sticky, cache=cache, on_task=saw):
        assert Client(DOMAIN, swf).starter(Sequence)(steps).result() == steps
    took = time.perf_counter() - begun
    total = sum(events for _, events in decisions)
    kind = 'kept' if sticky else 'not kept'
    print(f'{steps:,} steps, {kind}: {took:,.1f} s, {total:,} events read by {len(decisions):,} decisions', flush=True)
    return decisions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--steps', type=int, default=2_000)
    parser.add_argument('--long', type=int, default=3_500)
    parser.add_argument('--cold', action='store_true', help='run the one that is not kept, too')
    options = parser.parse_args()
    with ours() as url:
        client(url).register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        late = [events for length, events in run(url, options.long, sticky=True) if length >= LATE]
        print(f'past event {LATE:,}: {max(late, default=0)} events at most in each of {len(late):,} decisions')
        run(url, options.steps, sticky=True)
        if options.cold:
            run(url, options.steps, sticky=False)


if __name__ == '__main__':
    main()
