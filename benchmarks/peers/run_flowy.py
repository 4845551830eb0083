"""flowy: its SWF workflow worker, from the poll of a decision task to the response, with a client that holds both.

With ``--restore-aliases`` the names that Python 3.10 took out of `collections` are put back first, without which
neither flowy nor the botocore that it pins can be imported there: so it can be timed on the Python of the others.
"""

from __future__ import annotations

import collections
import collections.abc
import sys
from collections.abc import Callable
from typing import Any

if '--restore-aliases' in sys.argv:
    for name in collections.abc.__all__:
        setattr(collections, name, getattr(collections.abc, name))

from flowy import SWFWorkflowConfig, SWFWorkflowWorker, wait
from flowy.swf.worker import poll_decision
from on_swf import events_of, prefix
from serving import serve


class Sequential:
    def __init__(self, step: Callable[[int], Any]) -> None:
        self.step = step

    def __call__(self, count: int) -> int:
        for number in range(1, count + 1):
            wait(self.step(number))
        return count


class Parallel(Sequential):
    def __call__(self, count: int) -> int:
        for result in [self.step(number) for number in range(1, count + 1)]:
            wait(result)
        return count


class Client:
    """A client with one decision task, and what it was answered with."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.task = {'taskToken': 'one', 'events': events}
        self.decisions: list[dict[str, Any]] = []

    def poll_for_decision_task(self, domain: str, task_list: str, **options: Any) -> dict[str, Any]:
        return self.task

    def respond_decision_task_completed(self, token: str, decisions: list[dict[str, Any]]) -> None:
        self.decisions = decisions


def worker_for(workflow: type) -> SWFWorkflowWorker:
    config = SWFWorkflowConfig(rate_limit=100000)  # no limit: it stands for how many may be open at a time
    config.conf_activity('step', name='Step', version=1)
    worker = SWFWorkflowWorker()
    worker.register(config, workflow, version=1, name='Steps')
    return worker


def identify(number: int) -> str:
    return f'step-{number - 1}-0'  # the dependency's name, the number of the call, the number of the attempt


class Flowy:
    def __init__(self) -> None:
        self.workers = {'sequential': worker_for(Sequential), 'parallel': worker_for(Parallel)}

    def replay(self, shape: str, count: int) -> tuple[int, Callable[[], Any]]:
        return self.deciding(self.workers[shape], events_of(shape, count, identify), 'CompleteWorkflowExecution')

    def decision(self, steps: int, number: int) -> tuple[int, Callable[[], Any]]:
        expected = 'ScheduleActivityTask' if number < steps else 'CompleteWorkflowExecution'
        return self.deciding(self.workers['sequential'], prefix(steps, number, identify), expected)

    def deciding(
        self, worker: SWFWorkflowWorker, events: list[dict[str, Any]], expected: str
    ) -> tuple[int, Callable[[], Any]]:
        client = Client(events)

        def action() -> Callable[[], None]:
            name, version, text, history, decision = poll_decision(client, 'domain', 'list', 'identity')
            worker(name, version, text, decision, history)
            return check

        def check() -> None:
            found = [decision['decisionType'] for decision in client.decisions]
            assert found == [expected], client.decisions

        return len(events), action


if __name__ == '__main__':
    serve(Flowy())
