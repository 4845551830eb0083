"""simpleflow: its decider's history and its SWF executor's replay, as its poller calls them.

Its decider starts a process for each decision task; that is left out, and would come on top.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from on_swf import events_of, prefix
from serving import serve
from simpleflow import Workflow, activity, futures, logger
from simpleflow.swf.executor import Executor
from simpleflow.swf.mapper.models.history import History
from simpleflow.swf.mapper.responses import Response

logger.setLevel('ERROR')


@activity.with_attributes(name='Step', version='1', task_list='list')
def step(number: int) -> int:
    return number


class Sequential(Workflow):
    name = 'Steps'
    version = '1'
    task_list = 'list'

    def run(self, count: int) -> int:
        for number in range(1, count + 1):
            futures.wait(self.submit(step, number))
        return count


class Parallel(Sequential):
    def run(self, count: int) -> int:
        futures.wait(*[self.submit(step, number) for number in range(1, count + 1)])
        return count


def identify(number: int) -> str:
    return f'activity-Step-{number}'  # the task's name, and the number of its call


def encode(arguments: list[Any]) -> str:
    return json.dumps({'args': arguments, 'kwargs': {}})


WORKFLOWS = {'sequential': Sequential, 'parallel': Parallel}


class Simpleflow:
    def replay(self, shape: str, count: int) -> tuple[int, Callable[[], Any]]:
        return self.deciding(WORKFLOWS[shape], events_of(shape, count, identify, encode), 'CompleteWorkflowExecution')

    def decision(self, steps: int, number: int) -> tuple[int, Callable[[], Any]]:
        expected = 'ScheduleActivityTask' if number < steps else 'CompleteWorkflowExecution'
        return self.deciding(Sequential, prefix(steps, number, identify, encode), expected)

    def deciding(
        self, workflow: type[Workflow], events: list[dict[str, Any]], expected: str
    ) -> tuple[int, Callable[[], Any]]:
        executor = Executor(SimpleNamespace(name='domain'), workflow)
        found: list[dict[str, Any]] = []

        def action() -> Callable[[], None]:
            history = History.from_event_list(events)
            execution = SimpleNamespace(
                workflow_type=SimpleNamespace(name='Steps', version='1'), workflow_id='id', run_id='run'
            )
            found.extend(executor.replay(Response(history=history, execution=execution)).decisions)
            return check

        def check() -> None:
            types = [decision['decisionType'] for decision in found]
            assert types == [expected], found

        return len(events), action


if __name__ == '__main__':
    serve(Simpleflow())
