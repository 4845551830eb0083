"""durabletask: its orchestration executor on the messages that its gRPC stream delivers.

Reading these messages from their bytes, at each decision all of them, is left out, and would come on top.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from durabletask import task
from durabletask.internal import helpers
from durabletask.serialization import JsonDataConverter
from durabletask.worker import _OrchestrationExecutor, _Registry
from serving import serve

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def step(context: task.ActivityContext, number: int) -> int:
    return number


def sequential(context: task.OrchestrationContext, count: int) -> Iterator[Any]:
    for number in range(1, count + 1):
        yield context.call_activity(step, input=number)
    return count


def parallel(context: task.OrchestrationContext, count: int) -> Iterator[Any]:
    yield task.when_all([context.call_activity(step, input=number) for number in range(1, count + 1)])
    return count


@functools.lru_cache(maxsize=4)
def turns(shape: str, count: int) -> list[tuple[list[Any], list[Any]]]:
    """The events of each decision: what is new to it, and then what it decided."""
    begin = [helpers.new_execution_started_event(shape, 'instance', str(count))]
    numbers = range(1, count + 1)
    every = [helpers.new_task_scheduled_event(number, 'step', str(number)) for number in numbers]
    results = [[helpers.new_task_completed_event(number, str(number))] for number in numbers]
    decided = [[event] for event in every] if shape == 'sequential' else [every]
    decided += [[]] * (count + 1 - len(decided))
    clock = (helpers.new_orchestrator_started_event(START + timedelta(seconds=second)) for second in range(count + 1))
    return [([now, *news], ours) for now, news, ours in zip(clock, [begin, *results], decided, strict=True)]


class Durabletask:
    def __init__(self) -> None:
        self.registry = _Registry()
        self.registry.add_orchestrator(sequential)
        self.registry.add_orchestrator(parallel)
        self.registry.add_activity(step)
        self.logger = logging.getLogger('durabletask')
        self.logger.setLevel(logging.ERROR)

    def replay(self, shape: str, count: int) -> tuple[int, Callable[[], Any]]:
        return self.deciding(shape, count, count, 'completeOrchestration')

    def decision(self, steps: int, number: int) -> tuple[int, Callable[[], Any]]:
        return self.deciding('sequential', steps, number, 'scheduleTask' if number < steps else 'completeOrchestration')

    def deciding(self, shape: str, count: int, number: int, expected: str) -> tuple[int, Callable[[], Any]]:
        every = turns(shape, count)
        past = [event for news, decided in every[:number] for event in (*news, *decided)]
        news, _ = every[number]
        found: list[Any] = []

        def action() -> Callable[[], None]:
            executor = _OrchestrationExecutor(self.registry, self.logger, JsonDataConverter())
            found.extend(executor.execute('instance', past, news).actions)
            return check

        def check() -> None:
            kinds = [action.WhichOneof('orchestratorActionType') for action in found]
            assert kinds == [expected], found

        return len(past) + len(news), action


if __name__ == '__main__':
    serve(Durabletask())
