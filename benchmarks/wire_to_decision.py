"""A cold decision from the wire to its answer: CPU an event, page sizes of 1,000 and of 100.

A process of its own answers polls with the pages of one long history, as SWF would. What is timed is everything that
this process does: asking, reading, translating, replaying and answering. Each round measures botocore's own parser and
every JSON library that is there (the standard one, orjson), so that they are compared in the same minutes.

Then the server takes its time for each page, as a network does, and what is timed is how long a decision takes, beside
the same requests and answers over a bare connection: the sum of the round trips. Run ``python
benchmarks/wire_to_decision.py [ACTIVITIES [ROUNDS]]``.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection as Pipe
from typing import Any

import boto3
from botocore.config import Config
from cold_replay import Sequential
from histories import sequential

from genflow.core.model.registry import Registry, WorkflowSpec
from genflow.swf.aws import fast_reading
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import Connection, connect
from genflow.swf.tasks.poller import Poller
from genflow.swf.tasks.poller_crew import PollerCrew
from genflow.swf.worker.decider import Decider
from genflow.swf.worker.sticky_cache import StickyCache

PAGE_SIZES = (1000, 100)
ROUNDS = 7

ROUND_TRIP = 0.01
"""Seconds that the slow server takes for each page."""

KEYS = {'aws_access_key_id': 'key', 'aws_secret_access_key': 'secret', 'region_name': 'us-east-1'}

Decode = Callable[[bytes], Any]


def pages_of(events: list[dict[str, Any]], size: int) -> list[bytes]:
    """The bodies of the answers to a poll, the token of each page naming the next."""
    wired = [{**event, 'eventTimestamp': event['eventTimestamp'].timestamp()} for event in events]
    starts = range(0, len(wired), size)
    head = {
        'taskToken': 'token',
        'workflowExecution': {'workflowId': 'w', 'runId': 'r'},
        'workflowType': {'name': 'Steps', 'version': '1'},
        'startedEventId': len(wired),
        'previousStartedEventId': 0,
    }
    tokens = [{'nextPageToken': f'{size}-{number + 1}'} for number in range(len(starts) - 1)] + [{}]
    bodies = (
        {**head, **token, 'events': wired[start : start + size]} for start, token in zip(starts, tokens, strict=True)
    )
    return [json.dumps(body, separators=(',', ':')).encode() for body in bodies]


def serve(pipe: Pipe, bodies: dict[str, bytes], seconds: float) -> None:
    """Answers for ever, each page after so many seconds; the task list names the page size of a first page."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
            if 'decisions' in request:
                body = b'{}'
            else:
                body = bodies[request.get('nextPageToken') or f'{request["taskList"]["name"]}-0']
                time.sleep(seconds)
            self.send_response(200)
            self.send_header('Content-Type', 'application/x-amz-json-1.0')
            self.send_header('x-amzn-RequestId', 'id')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    pipe.send(server.server_port)
    server.serve_forever()


def decide(layer1: Connection, size: int) -> None:
    """One whole decision, as a worker's thread makes it."""
    service, registry = RetryingClient(layer1), Registry()
    registry.add(WorkflowSpec(Sequential, 'Steps', '1'))
    decider = Decider(service, 'domain', registry, StickyCache(max_executions=0))
    poller = Poller(service, 'domain', str(size))
    PollerCrew(1, lambda: None).work(poller.decision_task, decider.handle, lambda: decider.counts['decided'] > 0)
    assert decider.counts['decided'] == 1


def timed(action: Callable[[], None], clock: Callable[[], float] = time.process_time) -> float:
    gc.collect()
    begun = clock()
    action()
    return clock() - begun


def decoders() -> dict[str, Decode]:
    """The JSON libraries that are there, by name."""
    found: dict[str, Decode] = {'json': json.loads}
    if importlib.util.find_spec('orjson') is not None:
        found['orjson'] = importlib.import_module('orjson').loads
    return found


def decide_with(decode: Decode, layer1: Connection, size: int) -> None:
    """One whole decision, read with a certain JSON library."""
    before, fast_reading.DECODE = fast_reading.DECODE, decode
    try:
        decide(layer1, size)
    finally:
        fast_reading.DECODE = before


@contextmanager
def serving(bodies: dict[str, bytes], seconds: float) -> Iterator[int]:
    """The port of a server in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context('spawn')
    process = context.Process(target=serve, args=(theirs, bodies, seconds), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()


def round_trips(port: int, size: int, number: int) -> None:
    """Asks for every page over a bare connection, and does nothing with the answers."""
    with closing(HTTPConnection('127.0.0.1', port)) as connection:
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for page in range(number):
            request = {'taskList': {'name': str(size)}, 'nextPageToken': f'{size}-{page}'}
            connection.request('POST', '/', json.dumps(request))
            connection.getresponse().read()


def shown(values: list[float]) -> str:
    return f'{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})'


def compare_parsers(port: int, count: int, rounds: int) -> None:
    """CPU an event of whole decisions."""
    address = f'http://127.0.0.1:{port}'
    config = Config(retries={'total_max_attempts': 1})
    fast = connect(address)
    plain = connect(boto3.session.Session().client('swf', endpoint_url=address, config=config, **KEYS))
    libraries = decoders()
    for size in PAGE_SIZES:
        decide(fast, size)
        columns: dict[str, list[float]] = {}
        for _ in range(rounds):
            columns.setdefault('botocore', []).append(timed(lambda: decide(plain, size)))  # noqa: B023 - called at once
            for name, decode in libraries.items():
                seconds = timed(lambda: decide_with(decode, fast, size))  # noqa: B023 - called at once
                columns.setdefault(f'genflow with {name}', []).append(seconds)
        found = (f'{name} {shown([s / count * 1e6 for s in column])}' for name, column in columns.items())
        print(f'{count:,} events, pages of {size:,}, us an event: {", ".join(found)}')


def compare_with_round_trips(port: int, bodies: dict[str, bytes], count: int, rounds: int) -> None:
    """How long whole decisions take, beside the sum of their round trips."""
    fast = connect(f'http://127.0.0.1:{port}')
    for size in PAGE_SIZES:
        number = sum(name.startswith(f'{size}-') for name in bodies)
        decide(fast, size)
        pairs = [
            (
                timed(lambda: round_trips(port, size, number), time.perf_counter),  # noqa: B023 - called at once
                timed(lambda: decide(fast, size), time.perf_counter),  # noqa: B023 - called at once
            )
            for _ in range(rounds)
        ]
        trips, decisions = ([seconds * 1e3 for seconds in column] for column in zip(*pairs, strict=True))
        more = [(decision / trip - 1) * 100 for trip, decision in zip(trips, decisions, strict=True)]
        print(
            f'{count:,} events, pages of {size:,}, {number} round trips of {ROUND_TRIP * 1e3:g} ms: '
            f'{shown(trips)} ms, decision {shown(decisions)} ms, {shown(more)} % more'
        )


def main() -> None:
    count, rounds = (*map(int, sys.argv[1:]), *(4000, ROUNDS)[len(sys.argv) - 1 :])
    events = sequential(count)[:-2]  # up to the start of the last decision
    bodies = {f'{size}-{number}': body for size in PAGE_SIZES for number, body in enumerate(pages_of(events, size))}
    with serving(bodies, 0) as port:
        compare_parsers(port, len(events), rounds)
    with serving(bodies, ROUND_TRIP) as port:
        compare_with_round_trips(port, bodies, len(events), rounds)


if __name__ == '__main__':
    main()
