"""A SWF client with retries: every call of the worker side goes through :class:`RetryingClient`.

A call that fails for a transient reason is repeated with growing, jittered pauses, so that many workers do not retry at
the same moment. :mod:`genflow.swf.aws.rate_limits` keeps to SWF's rates. An outage is logged when it begins and when it
ends, not at each call. A call that may have had its effect is repeated only if a second effect is harmless: SWF refuses
a second response to a task, and a task that a lost poll took times out, but a signal would arrive twice.
"""

from __future__ import annotations

import logging
import math
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, evolve, field, frozen

from genflow.steady_time import monotonic
from genflow.swf.aws import error_hints, faults
from genflow.swf.aws.answers import checked
from genflow.swf.aws.connections import Connection
from genflow.swf.aws.fast_clients import PAGED, page_requests_of
from genflow.swf.aws.rate_limits import Bucket, buckets
from genflow.swf.aws.time_limits import within

if TYPE_CHECKING:
    from genflow.swf.aws.page_requests import PageRequests, PagesAhead

__all__ = ['Backoff', 'Outage', 'RetryingClient']

log = logging.getLogger('genflow.worker')

UNREPEATABLE = frozenset({'start_workflow_execution', 'signal_workflow_execution'})
"""Operations that are not repeated if they may have had their effect."""

RETRY_FOR = 300.0
"""Default number of seconds for which a call is repeated."""


@frozen
class Backoff:
    """Pauses between tries, in seconds: doubling from ``first`` to ``longest``, each drawn between half and whole."""

    first: float = 0.1
    longest: float = 30.0

    def pause(self, failures: int, chance: float) -> float:
        """The pause after so many failures in a row, where ``chance`` lies between 0 and 1."""
        whole = min(self.longest, self.first * 2.0 ** min(failures - 1, 60))
        return whole * (0.5 + chance / 2)


@define(eq=False)
class Outage:
    """Logs that a service stopped answering, once, and that it answers again, once. Shared by all threads."""

    backend: str
    clock: Callable[[], float] = monotonic
    _since: float | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def failed(self, operation: str, error: BaseException) -> None:
        with self._lock:
            self._failures += 1
            if self._since is None:
                self._since = self.clock()
                log.warning('%s failed at %s, trying again: %s', operation, self.backend, error)

    def ended(self) -> None:
        if self._since is None:
            return
        with self._lock:
            if self._since is not None:
                seconds = self.clock() - self._since
                log.warning('%s answers again after %.1f s and %d failed calls', self.backend, seconds, self._failures)
                self._since, self._failures = None, 0


@define(eq=False)
class RetryingClient:
    """Calls a SWF client, and repeats calls that fail for a transient reason.

    Attributes:
        connection: The client and its description.
        pause: Waits so many seconds; true when waiting is pointless because the program is about to stop.
        clock: Seconds, monotonic.
        chance: A number between 0 and 1, for the jitter.
        buckets: The rates to keep to, by operation.
        is_over: Returns true if no caller waits any more. If it is given, a call that does not return in time is
            abandoned, and a ``TimeoutError`` raised.
        counts: Calls by ``throttled`` and ``repeated`` with the operation, and polls by ``poll`` with their result.
        outage: Whether the service answers at the moment.
    """

    connection: Connection
    pause: Callable[[float], bool] = field(default=threading.Event().wait)
    clock: Callable[[], float] = monotonic
    chance: Callable[[], float] = random.SystemRandom().random  # the global stream is the program's
    backoff: Backoff = Backoff()
    buckets: dict[str, Bucket] = field(factory=buckets, repr=False)
    is_over: Callable[[], bool] | None = None
    counts: Counter[str] = field(factory=Counter, repr=False)
    outage: Outage = field(
        default=Factory(lambda self: Outage(self.connection.backend, self.clock), takes_self=True), repr=False
    )
    _ahead: PagesAhead | None = field(default=None, repr=False)

    def pausing(self, pause: Callable[[float], bool]) -> RetryingClient:
        """A client of the same service with shared rates and outages, whose pauses end at another event."""
        return evolve(self, pause=pause)

    @contextmanager
    def reading_ahead(self, operation: str) -> Iterator[RetryingClient]:
        """A client of the same service that fetches the pages of a history before they are called for.

        Only a botocore client with fast reading does so; an in-process service has no round trip to save.

        Args:
            operation: The one operation that is called throughout the block.
        """
        requests = self._page_requests(operation)
        if requests is None:
            yield self
            return
        with requests.ahead(operation) as ahead:
            yield evolve(self, ahead=ahead)

    def reading_on(self, other: RetryingClient) -> RetryingClient:
        """A client like this one, which has the pages that another one fetches, with the same connection."""
        return evolve(self, ahead=other._ahead)

    def call(self, operation: str, *, patience: float = RETRY_FOR, **request: Any) -> dict[str, Any]:
        """Makes a call, and repeats it after transient failures.

        Args:
            operation: The name of the client's method.
            patience: Seconds after which a failure is raised instead of repeated; ``math.inf`` for never.
            **request: The method's arguments.

        Raises:
            Exception: The client's error, if repeating is pointless or unsafe, or ``patience`` has run out.
        """
        method = self._paged(operation) if operation in PAGED else getattr(self._client(operation), operation)
        bucket = self.buckets[operation]
        give_up = self.clock() + patience
        failures, last = 0, None
        while True:
            if bucket.is_engaged:
                self._keep_to(bucket)
            try:
                answer = method(**request) if self.is_over is None else self._in_time(method, request, give_up)
                answer = checked(operation, answer)
            except Exception as error:
                if isinstance(error, TimeoutError) and last is not None:
                    raise error from last
                if not self._may_repeat(operation, error):
                    error_hints.noted(error, request)
                    raise
                failures, last = failures + 1, error
                self._count(operation, bucket, error)
                seconds = self.backoff.pause(failures, self.chance())
                if self.clock() + seconds > give_up or self.pause(seconds):
                    raise
            else:
                self.outage.ended()
                return answer

    def _paged(self, operation: str) -> Callable[..., Any]:
        """The method that makes a call for a page; for pages after the first, a faster one if there is one."""
        ask: Callable[..., Any] = getattr(self._client(operation), operation)
        if self._ahead is not None:
            return partial(self._ahead.page, ask)
        requests = self._page_requests(operation)
        if requests is None:
            return ask
        page = requests.page
        return lambda **request: ('nextPageToken' in request and page(operation, request)) or ask(**request)

    def _client(self, operation: str) -> Any:
        return self.connection.polling if operation.startswith('poll_') else self.connection.client

    def _page_requests(self, operation: str) -> PageRequests | None:
        return page_requests_of(self._client(operation)) if operation in PAGED else None

    def _in_time(
        self, method: Callable[..., dict[str, Any]], request: dict[str, Any], give_up: float
    ) -> dict[str, Any]:
        """Makes a call, and abandons it when the caller's time is up."""
        if self.is_over is None or give_up == math.inf:
            return method(**request)
        answer: dict[str, Any] = within(give_up - self.clock(), partial(method, **request), self.is_over)
        return answer

    def _keep_to(self, bucket: Bucket) -> None:
        seconds = bucket.take(self.clock())
        if seconds > 0:
            self.pause(seconds)

    def _may_repeat(self, operation: str, error: Exception) -> bool:
        if operation.startswith('poll_'):
            # A poll that timed out is an empty one, and other pollers of a crowded task list will leave.
            return not faults.is_timeout(error) and (faults.is_transient(error) or faults.is_crowded(error))
        return faults.is_transient(error) and not (operation in UNREPEATABLE and faults.is_doubtful(error))

    def _count(self, operation: str, bucket: Bucket, error: Exception) -> None:
        self.counts[f'repeated {operation}'] += 1
        if faults.is_throttled(error):
            self.counts[f'throttled {operation}'] += 1
            bucket.throttled(self.clock())
        self.outage.failed(operation, error)
