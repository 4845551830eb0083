"""The address at which Prometheus reads metrics: ``/metrics`` on the loopback interface.

Several worker processes under one supervisor have one address, which is the supervisor's. Each process serves its own
metrics at a socket in a directory that only this user can enter; the supervisor reads them all when it is asked.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from genflow.exposition import CONTENT_TYPE

__all__ = ['read_metrics', 'serving_at_socket', 'serving_metrics']

TIMEOUT = 5.0
"""Seconds within which one process must give its metrics; Prometheus waits for ten."""


def _handler(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition('?')[0] == '/metrics'
            body = (text() if found else 'The metrics are at /metrics.\n').encode()
            self.send_response(200 if found else 404)
            self.send_header('Content-Type', CONTENT_TYPE if found else 'text/plain; charset=utf-8')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return 'localhost'

        def log_message(self, format: str, *args: object) -> None:
            """Scrapes are not logged."""

    return Handler


@contextlib.contextmanager
def serving_metrics(port: int, text: Callable[[], str]) -> Iterator[int]:
    """Serves the text that a function gives at ``/metrics``, on the loopback interface; returns the port.

    Args:
        port: 0 takes a free one.
        text: Is called for each request, on a thread of its own.

    Raises:
        OSError: The port cannot be listened on.
    """
    with ThreadingHTTPServer(('127.0.0.1', port), _handler(text)) as server, _running(server):
        yield int(server.server_address[1])


@contextlib.contextmanager
def serving_at_socket(path: Path, text: Callable[[], str]) -> Iterator[None]:
    """The same at a Unix socket.

    Raises:
        OSError: The socket cannot be made.
    """
    path.unlink(missing_ok=True)  # of a process before this one
    with _SocketServer(str(path), _handler(text)) as server, _running(server):
        yield


class _SocketServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, name='genflow-metrics', daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__('localhost', timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock: Any = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


def read_metrics(path: Path) -> str | None:
    """The metrics of the process behind a socket; ``None`` if there is none, or if it does not answer."""
    connection = _SocketConnection(path)
    try:
        connection.request('GET', '/metrics')
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
