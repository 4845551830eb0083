"""Temporal: its development server, and a worker of Python's SDK in this process.

Arguments: folder, how many workflows, how many steps, and ``memory`` or ``file``. The server is the one that
``temporal server start-dev`` starts, which its documentation recommends for a laptop; with a file it keeps everything
in SQLite, with settings of its own. Activities are ordinary functions on a pool of threads.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

PATIENCE = 60
QUEUE = 'steps'


@activity.defn
def step(number: int) -> int:
    return number


@workflow.defn
class Sequence:
    @workflow.run
    async def run(self, count: int) -> int:
        for number in range(count):
            await workflow.execute_activity(step, number, start_to_close_timeout=timedelta(minutes=5))
        return count


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(('127.0.0.1', 0))
        return int(found.getsockname()[1])


async def connect(port: int) -> Client:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return await Client.connect(f'127.0.0.1:{port}')
        except RuntimeError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)


async def timed(port: int, workflows: int, count: int) -> float:
    client = await connect(port)
    with ThreadPoolExecutor(100) as threads:
        async with Worker(client, task_queue=QUEUE, workflows=[Sequence], activities=[step], activity_executor=threads):
            await client.execute_workflow(Sequence.run, 1, id='first', task_queue=QUEUE)
            begun = time.perf_counter()
            handles = [
                await client.start_workflow(Sequence.run, count, id=f'w{number}', task_queue=QUEUE)
                for number in range(workflows)
            ]
            found = await asyncio.gather(*(handle.result() for handle in handles))
            seconds = time.perf_counter() - begun
    assert found == [count] * workflows
    return seconds


def main(folder: str, workflows: int, count: int, keeping: str) -> None:
    program, port = Path(sys.executable).with_name('temporal'), free_port()
    command = [program, 'server', 'start-dev', '--headless', '--port', str(port), '--log-level', 'error']
    if keeping == 'file':
        command += ['--db-filename', str(Path(folder, 'temporal.db'))]
    with Path(folder, 'temporal.log').open('wb') as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            print(json.dumps({'seconds': asyncio.run(timed(port, workflows, count))}), flush=True)
        finally:
            server.kill()
            server.wait()


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
