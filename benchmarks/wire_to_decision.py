"""A cold decision from the wire to its answer: CPU an event, page sizes of 1,000 and of 100.

A process of its own answers polls with the pages of one long history, as SWF would. What is timed is everything that
this process does: asking, reading, translating and replaying. Each round measures botocore's own parser too, on every
page, so that the two are compared in the same minutes. Run ``python benchmarks/wire_to_decision.py [ACTIVITIES
[ROUNDS]]``.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection as Pipe
from typing import Any

import boto3
from botocore.config import Config
from cold_replay import Sequential
from histories import sequential

from genflow.core.engine.execution import Execution
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import Connection, connect
from genflow.swf.tasks.collection import COLLECTION
from genflow.swf.tasks.poller import Poller
from genflow.swf.wire.events import translate

PAGE_SIZES = (1000, 100)
ROUNDS = 7


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


def serve(pipe: Pipe, bodies: dict[str, bytes]) -> None:
    """Answers for ever; the task list names the page size of a first page."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
            body = bodies[request.get('nextPageToken') or f'{request["taskList"]["name"]}-0']
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
    """One whole decision."""
    task = Poller(RetryingClient(layer1), 'domain', str(size)).decision_task()
    assert task is not None
    execution = Execution(Sequential)
    with COLLECTION.held():
        execution.advance(translate(task.events))
    assert execution.closed
    execution.close()


def timed(action: Callable[[], None]) -> float:
    gc.collect()
    begun = time.process_time()
    action()
    return time.process_time() - begun


def main() -> None:
    count, rounds = (*map(int, sys.argv[1:]), *(4000, ROUNDS)[len(sys.argv) - 1 :])
    events = sequential(count)
    bodies = {f'{size}-{number}': body for size in PAGE_SIZES for number, body in enumerate(pages_of(events, size))}
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context('spawn').Process(target=serve, args=(theirs, bodies), daemon=True)
    process.start()
    address = f'http://127.0.0.1:{ours.recv()}'
    config = Config(retries={'total_max_attempts': 1})
    keys = {'aws_access_key_id': 'key', 'aws_secret_access_key': 'secret', 'region_name': 'us-east-1'}
    fast = connect(address)
    plain = connect(boto3.session.Session().client('swf', endpoint_url=address, config=config, **keys))
    for size in PAGE_SIZES:
        decide(fast, size)
        found = [
            (timed(lambda: decide(plain, size)), timed(lambda: decide(fast, size)))  # noqa: B023 - called at once
            for _ in range(rounds)
        ]
        columns = [[seconds / len(events) * 1e6 for seconds in column] for column in zip(*found, strict=True)]
        said = (f'{statistics.median(column):.1f} ({min(column):.1f} to {max(column):.1f})' for column in columns)
        print('{:,} events, pages of {:,}: botocore {} us an event, genflow {}'.format(len(events), size, *said))
    process.terminate()


if __name__ == '__main__':
    main()
