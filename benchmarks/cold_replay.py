"""Cold replay against a bare loop: how much the engine adds to what any replay has to do.

The bare loop looks at the type of each of the same boto3-shaped dicts, decodes each result with the standard library
and sends it into a plain generator. Run ``python benchmarks/cold_replay.py [ACTIVITIES]``; medians of paired runs.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from histories import parallel, sequential

from genflow import ActivityProxy, Workflow
from genflow.core.engine.execution import Execution
from genflow.swf.wire.events import translate


class Sequential(Workflow):
    step = ActivityProxy(name='Step', version='1')

    def run(self, count: int) -> Any:
        for number in range(1, count + 1):
            yield self.step(number)
        return count


class Parallel(Workflow):
    step = ActivityProxy(name='Step', version='1')

    def run(self, count: int) -> Any:
        yield [self.step(number) for number in range(1, count + 1)]
        return count


def bare_steps(count: int) -> Iterator[int]:
    for number in range(1, count + 1):  # noqa: UP028 - a range takes no send()
        yield number


def bare(events: list[dict[str, Any]], count: int) -> None:
    generator: Any = bare_steps(count)
    next(generator)
    for event in events:
        if event['eventType'] == 'ActivityTaskCompleted':
            value = json.loads(event['activityTaskCompletedEventAttributes']['result'])
            try:
                generator.send(value)
            except StopIteration:
                return


def replay(workflow: type[Workflow], events: list[dict[str, Any]]) -> None:
    execution = Execution(workflow)
    execution.advance(translate(events))
    assert execution.closed
    execution.close()


def timed(action: Callable[[], None]) -> float:
    gc.collect()
    begun = time.process_time()
    action()
    return time.process_time() - begun


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    for name, workflow, events in (
        ('sequential', Sequential, sequential(count)),
        ('parallel', Parallel, parallel(count)),
    ):
        pairs = [
            (timed(lambda: bare(events, count)), timed(lambda: replay(workflow, events)))  # noqa: B023 - called at once
            for _ in range(15)
        ]
        ratio = statistics.median(ours / base for base, ours in pairs)
        ours = statistics.median(ours for _, ours in pairs)
        print(
            f'{name}: {len(events):,} events, cold replay {ours * 1e3:.1f} ms ({ours / len(events) * 1e6:.2f} us an '
            f'event), {ratio:.1f} times the bare loop'
        )


if __name__ == '__main__':
    main()
