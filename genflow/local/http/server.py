"""The service over HTTP, for every AWS SDK: `genflow server`, and a server in a thread for tests.

Theory of operation. One thread runs an event loop that accepts connections, cuts bytes into requests, writes replies
(:mod:`~genflow.local.http.connection`, :mod:`~genflow.local.http.http11`) and carries out short calls, those that come
together with one commit; worker threads carry out the rest (:mod:`~genflow.local.http.dispatcher`). Nothing but the
standard library is needed. An ASGI application on uvicorn was measured first: even with httptools its share of
a call is more than twice as large, and it cannot say exactly when a client has left a poll.

The server listens on the loopback interface unless told otherwise. Given credentials, it answers requests only that are
signed with one of them; without, whoever reaches it may do everything (:mod:`~genflow.local.http.admission`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from types import TracebackType

from genflow import exposition
from genflow.local.clock import ManualClock
from genflow.local.engine.served import Service
from genflow.local.errors import ServiceError
from genflow.local.http.accepting import accept, most_connections
from genflow.local.http.admission import Admission, is_loopback
from genflow.local.http.aws_json import Reply, read_call, read_object, refusal, seconds_of
from genflow.local.http.connection import Connection
from genflow.local.http.credentials import Credentials
from genflow.local.http.dispatcher import Asked, Dispatcher, HeldBytes, Route, cancelled, end_connections
from genflow.local.http.http11 import Request
from genflow.local.http.metrics import Counting, ServerMetrics
from genflow.local.http.timeouts import Timeouts, watch
from genflow.local.requests import faults
from genflow.local.requests.validation import LATEST

__all__ = ['HttpServer', 'allow_descriptors', 'serve']

LOG = logging.getLogger(__name__)

WORKERS = 32
"""The most threads that carry out what takes longer than a commit."""

BACKLOG = 1024
"""Connections that wait to be accepted: a thousand pollers may come back at the same moment."""

LOOK_AGAIN = 1.0
"""Seconds after which the main thread looks for signals on systems where they do not wake it, such as Windows."""

HEALTH = Reply(200, b'genflow: Amazon SWF on this machine. POST AWS JSON 1.0 here.\n', 'text/plain; charset=utf-8')


class HttpServer:
    """An HTTP server for a :class:`~genflow.local.LocalSWF`, in a thread of its own.

    ::

        with LocalSWF() as service, HttpServer(service) as server:
            client = boto3.client('swf', endpoint_url=server.url)

    The socket is open as soon as the server is made, so the port is known and taken.

    Args:
        service: Answers; not closed with the server.
        host: The address to listen on.
        port: 0 takes a free one.
        test_control: Answer the requests with which a test empties the service and moves its clock.
        regions: Services for requests that are signed for these regions, instead of ``service``.
        credentials: Access keys and secrets; requests must be signed with one of them. None takes every request.
        timeouts: After which clients are cut off.
        max_connections: Open at a time, more wait; as many as the process has descriptors for unless given.
        metrics: Services by region whose numbers are served at ``/metrics``, with those of the requests.
        max_request_bytes: Of large requests of all connections at a time; one that goes beyond them is answered with
            503, and every AWS SDK sends it again.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(
        self,
        service: Service,
        host: str = '127.0.0.1',
        port: int = 0,
        *,
        test_control: bool = False,
        regions: Mapping[str, Service] | None = None,
        credentials: Credentials | None = None,
        timeouts: Timeouts | None = None,
        max_connections: int | None = None,
        metrics: Mapping[str, Counting] | None = None,
        max_request_bytes: int = HeldBytes().most,
    ) -> None:
        self._service = service
        self._metrics = None if metrics is None else ServerMetrics(metrics, lambda: self.connections)
        self._timeouts = timeouts or Timeouts()
        self._max_connections = max_connections
        self._held = HeldBytes(max_request_bytes)
        self._regions = dict(regions or {})
        self._routes: dict[tuple[str, str], Route] = {
            ('GET', '/'): answer_health,
            ('HEAD', '/'): answer_head,
            ('POST', '/'): partial(read_call, services=self._regions, default=service),
        }
        if self._metrics is not None:
            self._routes[('GET', '/metrics')] = self._answer_metrics
        if test_control:
            self._routes[('POST', '/_genflow/reset')] = self._reset
            self._routes[('POST', '/_genflow/clock')] = self._move_clock
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._socket.setblocking(False)
        self.host, self.port = self._socket.getsockname()[:2]
        self._admission = Admission(host, is_loopback(self.host), credentials)
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._stopped = threading.Event()
        self._wake: Callable[[], object] = lambda: None
        self._dispatcher: Dispatcher | None = None

    @property
    def url(self) -> str:
        """The URL of the server, for the ``endpoint_url`` of a client."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        return f'http://{host}:{self.port}'

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._dispatcher.connections) if self._dispatcher else 0

    def __enter__(self) -> HttpServer:  # noqa: PYI034 - Self is of Python 3.11
        self._thread = threading.Thread(target=self.run, name='genflow-local-http', daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def run(self) -> None:
        """Serve in this thread until :meth:`stop`."""
        try:
            asyncio.run(self._serve())
        finally:
            self._socket.close()
            self._ready.set()

    def stop(self) -> None:
        """Has :meth:`run` return soon. It may be called at any time, from any thread and from a signal handler.

        Requests that are being carried out are answered first; held polls are answered without a task.
        """
        self._stopped.set()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._wake()

    async def _serve(self) -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        self._wake = partial(loop.call_soon_threadsafe, stopping.set)
        with ThreadPoolExecutor(WORKERS, thread_name_prefix='genflow-local-http') as workers:
            most = self._max_connections or most_connections()
            self._dispatcher = dispatcher = Dispatcher(
                loop, self._route, workers, most, self._timeouts, self._metrics, self._held
            )
            accepting = loop.create_task(accept(self._socket, dispatcher, partial(Connection, dispatcher)))
            watching = loop.create_task(watch(dispatcher.connections, self._timeouts))
            self._ready.set()
            if not self._stopped.is_set():
                await stopping.wait()
            await cancelled(accepting)
            self._socket.close()
            await end_connections(dispatcher)
            await cancelled(watching)

    # Handlers of the paths.

    def _route(self, request: Request) -> Asked:
        """What a request asks for."""
        try:
            self._admission.check(request)
            handler = self._routes.get((request.method, request.path))
            return handler(request) if handler else self._refuse_path(request)
        except ServiceError as error:
            return refusal(error)

    def _refuse_path(self, request: Request) -> Reply:
        known = any(path == request.path for _, path in self._routes)
        problem = f'{request.method[:20]} is not for {request.path[:100]}' if known else f'No {request.path[:100]} here'
        error = refusal(faults.fault('UnknownOperationException', f'{problem}: SWF is called with POST /'))
        return Reply(405 if known else 404, error.body)

    def _answer_metrics(self, request: Request) -> Reply:
        """`GET /metrics`: for Prometheus."""
        metrics = self._metrics
        return Reply(200, b'' if metrics is None else metrics.text().encode(), exposition.CONTENT_TYPE)

    def _reset(self, request: Request) -> Reply:
        """`POST /_genflow/reset`: every service of this server is empty after it."""
        for service in (self._service, *self._regions.values()):
            service.reset()
        return Reply(200, b'{}')

    def _move_clock(self, request: Request) -> Reply:
        """`POST /_genflow/clock` with `{"advance": seconds}`: what became due has happened when it answers."""
        clock = self._service.clock
        if not isinstance(clock, ManualClock):
            raise faults.invalid('The clock of this service is the time of day, which cannot be advanced')
        seconds = seconds_of(read_object(request.body))
        if clock.milliseconds() / 1000 + seconds > LATEST:
            raise faults.invalid('The clock of this service cannot be moved beyond the year 9999')
        clock.advance(seconds)
        return Reply(200, json.dumps({'now': clock.milliseconds() / 1000}).encode())


def answer_health(request: Request) -> Reply:
    """Answers `GET /`, for health checks."""
    return HEALTH


def answer_head(request: Request) -> Reply:
    """Answers `HEAD /` as `GET`, without the body."""
    return Reply(200, b'', HEALTH.content_type)


def allow_descriptors() -> None:
    """Raises the soft limit of open files to the hard one: 1,000 polls may wait on one list, each on a connection."""
    try:
        import resource  # noqa: PLC0415 - where there is no such module there is no such limit

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (ImportError, OSError, ValueError) as error:
        LOG.info('The limit of open files stays as it is: %s', error)


def serve(
    service: Service,
    host: str = '127.0.0.1',
    port: int = 0,
    *,
    test_control: bool = False,
    regions: Mapping[str, Service] | None = None,
    credentials: Credentials | None = None,
    started: Callable[[str], None] | None = None,
    metrics: Mapping[str, Counting] | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, which the calling thread waits for; it must be the main one.

    The event loop has a thread of its own. In the main one, each call would be handed to another thread, where no
    signal handler interrupts it (:mod:`genflow.local.engine.call_thread`), and that takes longer than most calls.

    Either signal ends it in order: calls that are being carried out are answered, held polls come back empty.

    Args:
        service: Answers; not closed with the server.
        host: The address to listen on.
        port: 0 takes a free one.
        test_control: As of :class:`HttpServer`.
        regions: As of :class:`HttpServer`.
        credentials: As of :class:`HttpServer`.
        started: Called with the URL when clients can connect.
        metrics: As of :class:`HttpServer`.

    Raises:
        KeyboardInterrupt: It was Ctrl-C.
        OSError: The address cannot be listened on.
    """
    allow_descriptors()
    server = HttpServer(
        service,
        host,
        port,
        test_control=test_control,
        regions=regions,
        credentials=credentials,
        metrics=metrics,
    )
    received: list[int] = []

    def end(number: int, frame: object) -> None:
        received.append(number)
        server.stop()

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if started is not None:
            started(server.url)
        with ThreadPoolExecutor(1, thread_name_prefix='genflow-local-http-loop') as threads:
            serving = threads.submit(server.run)
            while not serving.done():
                wait([serving], LOOK_AGAIN)
        serving.result()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if signal.SIGINT in received:
        raise KeyboardInterrupt
