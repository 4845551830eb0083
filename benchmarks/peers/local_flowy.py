"""flowy's LocalWorkflow in threads, which keeps nothing: one workflow of sequential trivial steps after another.

Arguments: a folder (not used), how many workflows, how many steps.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flowy import LocalWorkflow, wait


def step(number: int) -> int:
    return number


class Steps:
    def __init__(self, step: Callable[[int], Any]) -> None:
        self.step = step

    def __call__(self, count: int) -> int:
        for number in range(count):
            wait(self.step(number))
        return count


def main(workflows: int, count: int) -> None:
    workflow = LocalWorkflow(Steps, executor=ThreadPoolExecutor)
    workflow.conf_activity('step', step)
    begun = time.perf_counter()
    assert [workflow.run(count) for _ in range(workflows)] == [count] * workflows
    print(json.dumps({'seconds': time.perf_counter() - begun}), flush=True)


if __name__ == '__main__':
    main(int(sys.argv[2]), int(sys.argv[3]))
