"""Restate: a server of one node, and a handler of Python's SDK with one ``ctx.run`` for each step.

Arguments: folder, how many workflows, how many steps, and the server's program. The server keeps its log in the folder,
with its own settings: RocksDB, whose log is written to the disk before an entry is acknowledged
(``rocksdb-disable-wal-fsync = false``). The handler runs in this process, served by Hypercorn as the SDK's
documentation has it, and the server reaches it over the loopback. Timed from the first request to the last response.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import restate

PATIENCE = 60
service = restate.Service('steps')


def step(number: int) -> int:
    return number


@service.handler('run')
async def run(context: restate.Context, count: int) -> int:
    for number in range(count):
        await context.run_typed('step', step, number=number)
    return count


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(('127.0.0.1', 0))
        return int(found.getsockname()[1])


def post(port: int, path: str, value: Any) -> Any:
    with closing(http.client.HTTPConnection('127.0.0.1', port, timeout=600)) as connection:
        connection.request('POST', path, json.dumps(value), {'content-type': 'application/json'})
        answer = connection.getresponse()
        text = answer.read()
    assert answer.status < 300, text  # noqa: PLR2004
    return json.loads(text) if text else None


def serve(port: int) -> None:
    """The handler, on a thread of its own."""
    config = hypercorn.config.Config()
    config.bind = [f'127.0.0.1:{port}']
    config.loglevel = 'ERROR'
    forever = asyncio.Event()
    asyncio.run(hypercorn.asyncio.serve(restate.app([service]), config, shutdown_trigger=forever.wait))


def server(program: str, folder: str, admin: int, ingress: int) -> subprocess.Popen[bytes]:
    places = {
        'RESTATE_ADMIN__BIND_ADDRESS': f'127.0.0.1:{admin}',
        'RESTATE_INGRESS__BIND_ADDRESS': f'127.0.0.1:{ingress}',
        'RESTATE_BIND_ADDRESS': f'127.0.0.1:{free_port()}',
        'RESTATE_LISTEN_MODE': 'tcp',
        'RESTATE_LOG_FILTER': 'error',
        'DO_NOT_TRACK': '1',
    }
    command = [program, '--no-logo', '--base-dir', str(Path(folder, 'restate')), '--node-name', 'one']
    with Path(folder, 'restate.log').open('wb') as log:
        return subprocess.Popen(
            command, env={**os.environ, **places}, stdout=log, stderr=log, cwd=folder, start_new_session=True
        )


def patiently(call: Any) -> None:
    """Until the server is there."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            call()
        except (OSError, AssertionError, http.client.HTTPException):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def main(folder: str, workflows: int, count: int, program: str) -> None:
    handler, admin, ingress = free_port(), free_port(), free_port()
    threading.Thread(target=serve, args=(handler,), daemon=True).start()
    with ExitStack() as stack:
        process = server(program, folder, admin, ingress)
        stack.callback(process.wait)
        stack.callback(os.killpg, process.pid, signal.SIGKILL)  # the program is a script that starts the server
        patiently(lambda: post(admin, '/deployments', {'uri': f'http://127.0.0.1:{handler}'}))
        patiently(lambda: post(ingress, '/steps/run', 1))
        with ThreadPoolExecutor(workflows) as clients:
            begun = time.perf_counter()
            found = list(clients.map(lambda _: post(ingress, '/steps/run', count), range(workflows)))
            seconds = time.perf_counter() - begun
        assert found == [count] * workflows
        print(json.dumps({'seconds': seconds}), flush=True)


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
