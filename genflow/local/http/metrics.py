"""The server's numbers for Prometheus, at ``GET /metrics``.

What requests took is measured as they come; what the service holds is asked when somebody reads the metrics. Task lists
that a worker has for itself (``orders.<32 hexadecimal digits>``) are counted together, or each worker's restart would
leave a time series behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import define, field

from genflow.exposition import SECONDS, Instrument, Measurements
from genflow.local.engine.group_commit import Statistics
from genflow.local.http.aws_json import Reply
from genflow.steady_time import monotonic

__all__ = ['INSTRUMENTS', 'Counting', 'ServerMetrics']

REQUESTS = Instrument(
    'genflow_server_requests_total',
    'counter',
    'Requests by operation and HTTP status; a held poll counts as "held".',
    ('operation', 'status'),
)
REQUEST_SECONDS = Instrument(
    'genflow_server_request_seconds',
    'histogram',
    'Time to handle a request; of a poll, without the time for which it is held.',
    ('operation',),
    SECONDS,
)
CONNECTIONS = Instrument('genflow_server_connections', 'gauge', 'Open client connections.')
OPEN_EXECUTIONS = Instrument(
    'genflow_server_open_executions', 'gauge', 'Open executions, by region and domain.', ('region', 'domain')
)
WAITING_TASKS = Instrument(
    'genflow_server_waiting_tasks',
    'gauge',
    'Tasks waiting for a worker.',
    ('region', 'domain', 'kind', 'task_list'),
)
OLDEST_TASK = Instrument(
    'genflow_server_oldest_task_seconds',
    'gauge',
    'Age of the oldest waiting task.',
    ('region', 'domain', 'kind', 'task_list'),
)
POLLERS = Instrument(
    'genflow_server_pollers',
    'gauge',
    'Polls waiting for a task.',
    ('region', 'domain', 'kind', 'task_list'),
)
COMMITS = Instrument('genflow_server_commits_total', 'counter', 'Transactions committed.', ('region',))

INSTRUMENTS = (
    REQUESTS, REQUEST_SECONDS, CONNECTIONS, OPEN_EXECUTIONS, WAITING_TASKS, OLDEST_TASK, POLLERS, COMMITS
)  # fmt: skip

OWN_LIST = re.compile(r'\.[0-9a-f]{32}\Z')


class Counting(Protocol):
    """A service with statistics."""

    @property
    def statistics(self) -> Statistics:
        """What it has done, and what is in it."""


@define(eq=False)
class ServerMetrics:
    """Counts a server's requests, and asks its services what they hold.

    Attributes:
        services: By region.
        connections: How many clients are connected.
    """

    services: Mapping[str, Counting]
    connections: Callable[[], int]
    _numbers: Measurements = field(factory=lambda: Measurements(INSTRUMENTS), init=False)

    def count(self, operation: str, began: float, outcome: object) -> None:
        """Counts a request that has been carried out; a poll that is held as ``held``.

        Args:
            operation: The operation's name.
            began: By :func:`~genflow.steady_time.monotonic`.
            outcome: A reply, or a poll that is held.
        """
        self._numbers.observe(REQUEST_SECONDS, monotonic() - began, operation)
        status = str(outcome.status) if isinstance(outcome, Reply) else 'held'
        self._numbers.add(REQUESTS, 1, operation, status)

    def text(self) -> str:
        """All numbers in Prometheus' text format."""
        for instrument in (OPEN_EXECUTIONS, WAITING_TASKS, OLDEST_TASK, POLLERS):
            self._numbers.clear(instrument)
        self._numbers.set(CONNECTIONS, self.connections())
        for region, service in self.services.items():
            statistics = service.statistics
            self._numbers.set(COMMITS, statistics.commits, region)
            for domain, number in statistics.open_executions.items():
                self._numbers.set(OPEN_EXECUTIONS, number, region, domain)
            for labels, (tasks, pollers, oldest) in _by_list(statistics).items():
                self._numbers.set(WAITING_TASKS, tasks, region, *labels)
                self._numbers.set(POLLERS, pollers, region, *labels)
                self._numbers.set(OLDEST_TASK, oldest, region, *labels)
        return self._numbers.text()


def _by_list(statistics: Statistics) -> dict[tuple[str, str, str], tuple[int, int, float]]:
    """Tasks, pollers and the longest wait, by domain, kind and task list."""
    found: dict[tuple[str, str, str], tuple[int, int, float]] = {}
    for domain, kind, name, tasks, pollers, oldest in statistics.task_lists:
        key = (domain, kind, OWN_LIST.sub('.*', name))
        before = found.get(key, (0, 0, 0.0))
        found[key] = (before[0] + tasks, before[1] + pollers, max(before[2], oldest))
    return found
