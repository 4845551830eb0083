"""duroxide: its runtime in this process, on a SQLite file with settings of its own.

Arguments: folder, how many workflows, how many steps.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from duroxide import Client, Runtime, SqliteProvider

MILLISECONDS = 600_000


def step(context: Any, number: int) -> int:
    return number


def sequence(context: Any, count: int) -> Iterator[Any]:
    for number in range(count):
        yield context.schedule_activity('step', number)
    return count


def main(folder: str, workflows: int, count: int) -> None:
    path = Path(folder, 'duroxide.db')
    path.touch()
    provider = SqliteProvider.open(f'sqlite:{path}')
    runtime = Runtime(provider)
    runtime.register_activity('step', step)
    runtime.register_orchestration('sequence', sequence)
    runtime.start()
    client = Client(provider)
    client.start_orchestration('first', 'sequence', 1)
    client.wait_for_orchestration('first', MILLISECONDS)
    begun = time.perf_counter()
    for number in range(workflows):
        client.start_orchestration(f'w{number}', 'sequence', count)
    found = [client.wait_for_orchestration(f'w{number}', MILLISECONDS) for number in range(workflows)]
    seconds = time.perf_counter() - begun
    assert [status.output for status in found] == [count] * workflows, found[0]
    print(json.dumps({'seconds': seconds}), flush=True)
    runtime.shutdown(1000)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
