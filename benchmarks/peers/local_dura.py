"""dura: tasks whose steps are checkpoints, run by its worker pool on a SQLite file (WAL, SQLite's default FULL).

Arguments: folder, how many workflows, how many steps. A checkpoint remembers the result of a step where the code
stands; there is no history, no replay and no task that another process could take: the cheapest way to be durable.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from dura import DurableEngine
from dura.workers import run_worker

WORKERS = 2


def step(number: int) -> int:
    return number


def main(folder: str, workflows: int, count: int) -> None:
    engine = DurableEngine(str(Path(folder, 'dura.db')))
    done = threading.Semaphore(0)

    def sequence(engine: Any, task: Any) -> int:
        for number in range(task.params['count']):
            engine.checkpoint(task_id=task.task_id, step_name=f'step {number}', fn=partial(step, number))
        done.release()
        return count

    stop = threading.Event()
    for number in range(WORKERS):
        options = {'handlers': {'sequence': sequence}, 'worker_id': f'worker {number}', 'stop_event': stop}
        threading.Thread(target=run_worker, args=(engine,), kwargs=options, daemon=True).start()
    begun = time.perf_counter()
    tasks = [engine.spawn_task(name='sequence', params={'count': count}) for _ in range(workflows)]
    for _ in tasks:
        done.acquire()
    seconds = time.perf_counter() - begun
    print(json.dumps({'seconds': seconds}), flush=True)
    stop.set()


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
