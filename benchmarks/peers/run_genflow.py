"""genflow: its engine on boto3's events, from nothing, and kept from decision to decision as its workers keep it.

With ``--nothing-kept`` each decision of a life is made from the whole history, as the others make theirs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from cold_replay import Parallel, Sequential
from on_swf import events_of, prefix
from serving import serve
from sticky import pages

from genflow import Workflow
from genflow.core.engine.execution import Execution
from genflow.swf.wire.events import translate

WORKFLOWS = {'sequential': Sequential, 'parallel': Parallel}


def identify(number: int) -> str:
    return f'{number}.1'


class Genflow:
    def replay(self, shape: str, count: int) -> tuple[int, Callable[[], Any]]:
        return self.deciding(WORKFLOWS[shape], events_of(shape, count, identify), 'CompleteWorkflow')

    def decision(self, steps: int, number: int) -> tuple[int, Callable[[], Any]]:
        expected = 'ScheduleActivity' if number < steps else 'CompleteWorkflow'
        return self.deciding(Sequential, prefix(steps, number, identify), expected)

    def deciding(
        self, workflow: type[Workflow], events: list[dict[str, Any]], expected: str
    ) -> tuple[int, Callable[[], Any]]:
        execution = Execution(workflow)
        found: list[Any] = []

        def action() -> Callable[[], None]:
            found.extend(execution.advance(translate(events)).all)
            return check

        def check() -> None:
            execution.close()
            types = [type(decision).__name__ for decision in found]
            assert types == [expected], found

        return len(events), action


class CachedExecution(Genflow):
    def life(self, steps: int) -> float:
        brought = pages(events_of('sequential', steps, identify))
        execution = Execution(Sequential)
        begun = time.process_time()
        for events in brought:
            decisions = execution.advance(translate(events))
        seconds = time.process_time() - begun
        execution.close()
        assert [type(decision).__name__ for decision in decisions.all] == ['CompleteWorkflow'], decisions
        return seconds


if __name__ == '__main__':
    serve(Genflow() if '--nothing-kept' in sys.argv else CachedExecution())
