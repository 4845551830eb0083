"""Short measurements of one genflow, as JSON: microseconds of CPU for one of a kind. `compare.py` runs this for two.

Arguments: the folder that genflow has to come from, and the share of all numbers.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cold_replay import Parallel, Sequential, replay
from histories import parallel, sequential
from http_service import KEY, SECRET, TYPE, client, drive, plain_request, prepare, signed_request
from local_genflow import timed
from sticky import life

import genflow
from genflow.local import LocalSWF
from genflow.swf.aws.fast_reading import read_page
from genflow.testing import Tester

SERVER = """
import sys, time
from genflow.local import LocalSWF
from genflow.local.http.credentials import Secret
from genflow.local.http.server import HttpServer
credentials = {sys.argv[3]: Secret(sys.argv[4])} if sys.argv[3:] else None
with LocalSWF(sys.argv[1], synchronous=sys.argv[2]) as service, HttpServer(service, credentials=credentials) as server:
    print(server.url, flush=True)
    for line in sys.stdin:
        print(time.process_time(), flush=True)
"""
"""Answers each line with the CPU time that it has taken."""


class Hello(genflow.Workflow):
    def run(self) -> Any:
        return 'hello'
        yield


def cpu(action: Callable[[], Any], number: int) -> float:
    """Microseconds of this process's CPU for one of so many that the action does."""
    gc.collect()
    begun = time.process_time()
    action()
    return (time.process_time() - begun) / number * 1e6


def reading(scale: float) -> float:
    history = sequential(round(4000 * scale))
    events = [{**event, 'eventTimestamp': event['eventTimestamp'].timestamp()} for event in history]
    body = json.dumps({'events': events}).encode()
    return cpu(lambda: read_page(body, {'events'}), len(events))


def replaying(cls: Any, events: Any) -> float:
    return cpu(lambda: replay(cls, events), len(events))


def steps(path: str, workflows: int, count: int) -> float:
    options: dict[str, Any] = {} if path == ':memory:' else {'synchronous': 'OFF'}
    with LocalSWF(path, **options) as service:
        return cpu(lambda: timed(service, workflows, count), workflows * count)


def over_http(folder: str, connections: int, count: int, *, signed: bool = False) -> float:
    """Of the server, for a signal; many connections share commits, so these have all that a commit costs."""
    file = f'{folder}/{connections}{signed}.db'
    synchronous = 'OFF' if connections == 1 else 'FULL'
    command = [sys.executable, '-c', SERVER, file, synchronous, *([KEY, SECRET] if signed else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def taken() -> float:
            print(file=process.stdin, flush=True)
            return float(process.stdout.readline())  # type: ignore[union-attr]

        url = process.stdout.readline().strip()
        swf = client(url)
        prepare(swf)
        for number in range(connections):
            swf.start_workflow_execution(domain='bench', workflowId=f'load{number}', workflowType=TYPE)
        request = signed_request if signed else plain_request
        drive(url, connections, count // 10 + 1, request)
        begun = taken()
        drive(url, connections, count, request)
        seconds = taken() - begun
        process.stdin.close()
    return seconds / count * 1e6


def hello() -> None:
    Tester(Hello).run()


def measured(scale: float) -> dict[str, float]:
    """All of them, by what one of the kind is."""
    count, many = round(2000 * scale), max(1, round(100 * scale))
    hello()
    with tempfile.TemporaryDirectory() as folder:
        return {
            'an event read from a page': reading(scale),
            'an event of a sequential replay': replaying(Sequential, sequential(count)),
            'an event of a parallel replay': replaying(Parallel, parallel(count)),
            'a decision of a kept execution': cpu(lambda: life(count), count),
            'a step of many workflows, memory': steps(':memory:', many, 10),
            'a step of many workflows, file': steps(f'{folder}/many.db', many, 10),
            'a step of one workflow, file': steps(f'{folder}/one.db', 1, round(800 * scale)),
            'a call over HTTP, 1 connection': over_http(folder, 1, count),
            'a call over HTTP, 16 connections': over_http(folder, 16, count),
            'a signed call, 16 connections': over_http(folder, 16, count, signed=True),
            'a test that says hello': cpu(lambda: [hello() for _ in range(many)], many),
        }


if __name__ == '__main__':
    assert Path(genflow.__file__).is_relative_to(Path(sys.argv[1]).resolve()), genflow.__file__
    measured(0.01)
    print(json.dumps(measured(float(sys.argv[2]))))
