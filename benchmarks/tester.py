"""The tester: milliseconds for one small test from nothing to its result.

Run ``python benchmarks/tester.py [TESTS]``. Target: 1,000 hello-world tests within 1.5 s of processor time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from genflow import ActivityProxy, Workflow
from genflow.testing import Tester


class Hello(Workflow):
    greet = ActivityProxy(name='Greet', version='1')

    def run(self, name: str) -> Any:
        return (yield self.greet(name))


class Timer(Workflow):
    def run(self) -> Any:
        yield self.sleep(30 * 24 * 60 * 60)
        return 'over'


def hello() -> None:
    assert Tester(Hello, greet=lambda name: f'hello {name}').run('world') == 'hello world'


def timer() -> None:
    assert Tester(Timer).run() == 'over'


def seconds(action: Callable[[], None], times: int) -> tuple[float, float]:
    """Of the clock on the wall and of the processor; the second counts where the machine is busy."""
    action()  # the first one imports
    begun = time.perf_counter(), time.process_time()
    for _ in range(times):
        action()
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    for name, action in (('hello world', hello), ('a timer of 30 days', timer)):
        wall, cpu = seconds(action, times)
        print(f'{name}: {wall / times * 1000:.2f} ms each ({cpu / times * 1000:.2f} ms CPU), {times:,} in {wall:.1f} s')


if __name__ == '__main__':
    main()
