"""Serving a dashboard: in this thread until it is interrupted, or in a thread beside something else."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

import uvicorn

from genflow.tools.dashboard.app import application
from genflow.tools.dashboard.site import Site, Streams

__all__ = ['DashboardServer']

BACKLOG = 128

SHUTDOWN_GRACE = 5
"""Seconds that pages in the making are given; streams of events end at once."""


class _Server(uvicorn.Server):
    """A server that ends its streams of events when it stops: browsers keep them open for ever."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.end()
        await super().shutdown(sockets)


class DashboardServer:
    """A dashboard that is served over HTTP.

    The socket is open as soon as the server is made, so that its address is known and taken.

    Args:
        site: What is served.
        host: The address to listen on.
        port: 0 takes a free one.

    Raises:
        OSError: The address cannot be listened on.
    """

    def __init__(self, site: Site, host: str = '127.0.0.1', port: int = 0) -> None:
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self.host, self.port = self._socket.getsockname()[:2]
        config = uvicorn.Config(
            application(site),
            log_level='warning',
            access_log=False,
            server_header=False,
            lifespan='off',
            timeout_graceful_shutdown=SHUTDOWN_GRACE,
        )
        self._server = _Server(config, site.streams)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Its address, for a browser."""
        host = f'[{self.host}]' if ':' in self.host else self.host
        return f'http://{host}:{self.port}'

    def run(self) -> None:
        """Serves until the process is interrupted or :meth:`stop` is called."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Has :meth:`run` return, soon."""
        self._server.should_exit = True

    def __enter__(self) -> DashboardServer:  # noqa: PYI034 - Self is of Python 3.11
        self._thread = threading.Thread(target=self.run, name='genflow-dashboard', daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()
