"""A kept execution: what one more decision costs, what a whole life costs, and what it holds in memory.

Run ``python benchmarks/sticky.py [STEPS]``. Times are CPU seconds of this process; ratios are of medians in one run.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
import tracemalloc
from typing import Any

from cold_replay import Parallel, Sequential
from histories import Recorder, sequential

from genflow.core.engine.execution import Execution
from genflow.swf.wire.events import translate


def pages(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """What each decision task of a history brings to a worker that kept the execution."""
    found: list[list[dict[str, Any]]] = []
    begin = 0
    for place, event in enumerate(events):
        if event['eventType'] == 'DecisionTaskStarted':
            found.append(events[begin : place + 1])
            begin = place
    return found


def life(steps: int) -> tuple[float, list[float]]:
    """The CPU time of all decisions, and of each."""
    execution = Execution(Sequential)
    each = []
    for page in pages(sequential(steps)):
        begun = time.perf_counter()
        execution.advance(translate(page))
        each.append(time.perf_counter() - begun)
    execution.close()
    return sum(each), each


def cold(steps: int) -> float:
    events = sequential(steps)
    begun = time.perf_counter()
    Execution(Sequential).advance(translate(events))
    return time.perf_counter() - begun


def held(count: int, *, settled: bool) -> float:
    """Bytes that a kept execution holds for each task."""
    recorder = Recorder()
    recorder.begin(count)
    decision = recorder.decide()
    scheduled = [(number, recorder.schedule(number, decision)) for number in range(1, count + 1)]
    if settled:
        for number, event in scheduled[:-1]:
            recorder.perform(number, event)
    recorder.start(recorder.ask())
    events = recorder.events
    translate(events)
    gc.collect()
    tracemalloc.start()
    execution = Execution(Parallel)
    execution.advance(translate(events))
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    execution.close()
    return size / count


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    gc.collect()
    gc.freeze()
    runs = [life(steps) for _ in range(5)]
    early = statistics.median(cost for _, each in runs for cost in each[20:60])
    late = statistics.median(cost for _, each in runs for cost in each[-41:-1])
    print(f'a decision at event 240: {early * 1e6:.1f} us')
    print(f'a decision at event {steps * 6:,}: {late * 1e6:.1f} us ({late / early:.2f} times)')
    total = statistics.median(total for total, _ in runs)
    replay = statistics.median(cold(steps) for _ in range(5))
    print(f'{steps:,} steps: {total * 1e3:.0f} ms in all, {total / replay:.1f} times one cold replay of the end')
    print(f'1,000 steps: {statistics.median(life(1000)[0] for _ in range(5)) * 1e3:.1f} ms in all')
    for word, settled in (('open', False), ('settled', True)):
        print(f'held for each {word} task: {held(1000, settled=settled):,.0f} bytes')


if __name__ == '__main__':
    main()
