"""How long after a program sends a signal does the workflow have it: in process, and over the loopback interface.

The workflow waits for a signal, notes the time when it gets one, and waits for the next; the worker is in the process
of the embedded service, which keeps everything in a file (``FULL``) or in memory. Aims: 2 ms in process, 5 ms over the
loopback. Run ``python benchmarks/signal_latency.py [SIGNALS]``.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from genflow import Client, Signal, Workflow, workflow
from genflow.local import LocalSWF
from genflow.local.http.server import HttpServer
from genflow.swf.worker.worker import Worker

DOMAIN, LIST = 'latency', 'latency'
PATIENCE = 60


class Seen:
    """When the workflow had its last signal."""

    moment = 0.0
    ready = threading.Semaphore(0)


@workflow(name='Listens', version=1, task_list=LIST)
class Listens(Workflow):
    ping = Signal()

    def run(self, count: int) -> Any:
        for _ in range(count):
            yield self.ping.get()
            # genflow: ok G001, G013 the benchmark measures when code runs, and has one execution at a time
            Seen.moment = time.perf_counter()
            Seen.ready.release()


@contextmanager
def client_of(service: LocalSWF, *, over_http: bool) -> Iterator[Client]:
    if not over_http:
        yield Client(DOMAIN, service)
        return
    with HttpServer(service) as server, Client(DOMAIN, server.url) as client:
        yield client


def measured(path: str, count: int, *, over_http: bool) -> list[float]:
    """Milliseconds of each signal."""
    with LocalSWF(path) as service:
        service.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        with Worker(DOMAIN, LIST, service, registry=[Listens]), client_of(service, over_http=over_http) as client:
            execution = client.starter(Listens)(count)
            found = []
            for number in range(count):
                begun = time.perf_counter()
                execution.signal(Listens.ping, number)
                assert Seen.ready.acquire(timeout=PATIENCE)
                found.append((Seen.moment - begun) * 1e3)
            execution.result(timeout=PATIENCE)
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as folder:
        for number, (keeping, over_http) in enumerate([('memory', 0), ('memory', 1), ('FULL', 0), ('FULL', 1)]):
            path = ':memory:' if keeping == 'memory' else f'{folder}/{number}.db'
            found = sorted(measured(path, count, over_http=bool(over_http)))
            way = 'over the loopback' if over_http else 'in process'
            late = found[int(len(found) * 0.9)]
            print(f'{keeping:7} {way:18} {statistics.median(found):6.2f} ms, 90 % within {late:6.2f} ms')


if __name__ == '__main__':
    main()
