"""What a worker did, as Prometheus reads it: ``/metrics`` on the loopback interface."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attrs import frozen

__all__ = ['METRICS', 'Metric', 'exposed', 'serving_metrics']

CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'


@frozen
class Metric:
    """One metric.

    Attributes:
        name: As Prometheus has it.
        type: ``counter`` or ``gauge``.
        help: What it counts.
    """

    name: str
    type: str
    help: str


TASKS = Metric('genflow_tasks_total', 'counter', 'Tasks by kind and by what became of them.')
EVENTS = Metric('genflow_events_read_total', 'counter', 'Events of histories that decision tasks brought.')
CONTINUED = Metric('genflow_decisions_continued_total', 'counter', 'Decisions of executions that were still in memory.')
HELD = Metric('genflow_executions_held', 'gauge', 'Executions whose decisions are left unanswered.')

METRICS = (TASKS, EVENTS, CONTINUED, HELD)
"""All metrics of a worker."""

APART = {'decision events': EVENTS, 'decision continued': CONTINUED}
"""Counts of a worker that are metrics of their own."""


def exposed(counts: Mapping[str, int], held: int) -> str:
    """The metrics of a worker in Prometheus' text format.

    Args:
        counts: What became of the tasks, as `Worker.counts` has it.
        held: How many executions are held.
    """
    lines: dict[Metric, list[str]] = {metric: [] for metric in METRICS}
    for what, number in sorted(counts.items()):
        metric = APART.get(what, TASKS)
        kind, _, result = what.partition(' ')
        labels = f'{{kind="{kind}",result="{result}"}}' if metric is TASKS else ''
        lines[metric].append(f'{metric.name}{labels} {number}')
    for metric in APART.values():
        lines[metric] = lines[metric] or [f'{metric.name} 0']
    lines[HELD].append(f'{HELD.name} {held}')
    return ''.join(f'{line}\n' for metric in METRICS for line in (*_head(metric), *lines[metric]))


def _head(metric: Metric) -> tuple[str, str]:
    return f'# HELP {metric.name} {metric.help}', f'# TYPE {metric.name} {metric.type}'


@contextlib.contextmanager
def serving_metrics(port: int, text: Callable[[], str]) -> Iterator[int]:
    """Serves what a function gives at ``/metrics``, on the loopback interface; gives the port.

    Args:
        port: 0 takes a free one.
        text: Is called for each request, on a thread of its own.

    Raises:
        OSError: The port cannot be listened on.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition('?')[0] == '/metrics'
            body = (text() if found else 'The metrics are at /metrics.\n').encode()
            self.send_response(200 if found else 404)
            self.send_header('Content-Type', CONTENT_TYPE if found else 'text/plain; charset=utf-8')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Scrapes are not logged."""

    with ThreadingHTTPServer(('127.0.0.1', port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name='genflow-metrics', daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
