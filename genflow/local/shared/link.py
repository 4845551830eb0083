"""A follower's way to the leader: HTTP over connections that are kept, one for each call in flight.

A call that finds the leader gone raises :class:`ConnectionLost`, whatever had happened to it; whoever numbers its calls
can repeat it. There are no time-outs: while the leader is stopped (``SIGSTOP``, a debugger) its followers wait.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from genflow.local import errors
from genflow.local.errors import ServiceError, StoreError
from genflow.local.json_text import encode
from genflow.local.shared.notice import Notice
from genflow.local.shared.sockets import connect

__all__ = [
    'HOLD',
    'NUMBER',
    'OWNS',
    'PROCESS',
    'SECRET',
    'STORE',
    'WAITS_FROM',
    'Abandoning',
    'ConnectionLost',
    'Link',
    'Stream',
]

RECEIVED = 65_536
END = b'\r\n\r\n'
OK = 200

STORE = 'genflow.local'
"""The namespace of errors of the file, as the leader tells them; their names are those of the classes."""

PROCESS, NUMBER, WAITS_FROM, HOLD, OWNS, SECRET = (
    'x-genflow-process',
    'x-genflow-number',
    'x-genflow-waits-from',
    'x-genflow-hold',
    'x-genflow-owns',
    'x-genflow-secret',
)
"""Headers beyond those that every client of SWF sends."""


class ConnectionLost(Exception):
    """The leader is gone, or was when the answer should have come."""


@frozen
class Response:
    """What came back.

    Attributes:
        is_last: The leader closes the connection after it.
    """

    status: int
    body: bytes
    is_last: bool


class Stream:
    """One connection.

    Raises:
        ConnectionLost: Nobody is there.
        PermissionError: It is another user who is there.
    """

    def __init__(self, address: str) -> None:
        self._received = b''
        try:
            self._socket = connect(address)
        except PermissionError:
            raise
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def send(self, data: bytes) -> None:
        """Send everything."""
        with lost_connections():
            self._socket.sendall(data)

    def response(self) -> Response:
        """Read a whole response."""
        head = self._until(END)
        lines = head.split(b'\r\n')
        headers = dict(line.lower().split(b': ', 1) for line in lines[1:])
        length = int(headers.get(b'content-length', b'0'))
        while len(self._received) < length:
            self._receive()
        body, self._received = self._received[:length], self._received[length:]
        return Response(int(lines[0].split()[1]), body, headers.get(b'connection') == b'close')

    def line(self) -> bytes:
        """Read a line, without its end."""
        return self._until(b'\n')

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._receive()
        found, _, self._received = self._received.partition(end)
        return found

    def _receive(self) -> None:
        with lost_connections():
            data = self._socket.recv(RECEIVED)
        if not data:
            raise ConnectionLost('the leader has closed the connection')
        self._received += data

    def set_timeout(self, seconds: float | None) -> None:
        """Have reading raise TimeoutError after so many seconds."""
        self._socket.settimeout(seconds)

    def shut(self) -> None:
        """End it for whoever reads it in another thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the socket; the other end sees it only if no other process has it."""
        self._socket.close()


@contextmanager
def lost_connections() -> Iterator[None]:
    """Tell the end of a connection from a time-out."""
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        raise ConnectionLost(str(error)) from error


class Abandoning:
    """How a call in flight is ended from another thread: the leader sees its connection end, and takes no task for it.

    A connection whose call is over belongs to the next call, and is left alone. There is no lock: :meth:`abandon` notes
    that it is over before it looks for a connection, and :meth:`end` lets go of the connection before whoever calls it
    looks whether it is over. So a connection that may still be shut is never used again.

    Attributes:
        is_over: Nobody waits for the answer any more.
    """

    def __init__(self) -> None:
        self.is_over = False
        self._stream: Stream | None = None

    def begin(self, stream: Stream) -> None:
        """The call goes over this connection.

        Raises:
            ConnectionLost: Nobody waits for the answer any more.
        """
        self._stream = stream
        if self.is_over:
            raise ConnectionLost('the call was abandoned')

    def end(self) -> None:
        """The answer is there; where :attr:`is_over` is set now, the connection may be shut at any moment."""
        self._stream = None

    def abandon(self) -> None:
        """Nobody waits for the answer any more."""
        self.is_over = True
        stream = self._stream
        if stream is not None:
            stream.shut()


class Link:
    """The connections of one follower to one leader.

    Args:
        notice: Of the leader.
        process: The follower's name.
    """

    def __init__(self, notice: Notice, process: str) -> None:
        self.notice = notice
        self._headers = f'Host: localhost\r\n{SECRET}: {notice.secret}\r\n{PROCESS}: {process}\r\n'
        self._idle: list[Stream] = []
        self._busy: set[Stream] = set()
        self._closed = False

    def request(self, path: str, headers: Mapping[str, object], body: str) -> bytes:
        """The bytes of a request."""
        data = body.encode()
        lines = ''.join(f'{name}: {value}\r\n' for name, value in headers.items())
        return f'POST {path} HTTP/1.1\r\n{self._headers}{lines}Content-Length: {len(data)}\r\n\r\n'.encode() + data

    def stream(self) -> Stream:
        """A connection that nobody uses."""
        return Stream(self.notice.address)

    def call(
        self, path: str, headers: Mapping[str, object], body: str, abandoning: Abandoning | None = None
    ) -> Response:
        """Have the leader carry something out.

        Args:
            path: Of the request.
            headers: Beyond those of every request.
            body: Of the request.
            abandoning: How somebody else may end the call.

        Raises:
            ConnectionLost: It is gone; perhaps it has, perhaps it has not.
            ServiceError, StoreError: it refuses.
        """
        try:
            stream = self._idle.pop()
        except IndexError:
            stream = self.stream()
        self._busy.add(stream)
        try:
            if abandoning is not None:
                abandoning.begin(stream)
            stream.send(self.request(path, headers, body))
            response = stream.response()
        except BaseException:  # of a signal handler, too: the rest of the answer is nobody's
            stream.close()
            raise
        finally:
            self._busy.discard(stream)
        if abandoning is not None:
            abandoning.end()
        if response.is_last or self._closed or (abandoning is not None and abandoning.is_over):
            stream.close()
        else:
            self._idle.append(stream)
        if response.status != OK:
            refuse(response)
        return response

    def perform(
        self,
        operation: str,
        request: Mapping[str, Any],
        headers: Mapping[str, object],
        abandoning: Abandoning | None = None,
    ) -> Response:
        """Have the leader carry out an operation of SWF; see :meth:`call`."""
        target = {'X-Amz-Target': f'SimpleWorkflowService.{operation}'}
        return self.call('/', {**target, **headers}, encode(request), abandoning)

    def close(self) -> None:
        """Close the connections that nobody uses, and end the calls in flight, such as polls."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        for stream in list(self._busy):
            stream.shut()

    def abandon(self) -> None:
        """In a forked child: close the sockets, and leave the connections to the parent."""
        for stream in [*self._idle, *self._busy]:
            stream.close()


def refuse(response: Response) -> None:
    """Raise what the leader says instead of an answer."""
    document = json.loads(response.body)
    namespace, _, code = document['__type'].rpartition('#')
    message = document.get('message', '')
    if namespace != STORE:
        raise ServiceError(code, message, response.status, namespace)
    if code == errors.ServiceClosed.__name__:
        raise ConnectionLost(message)
    kind = getattr(errors, code, StoreError)
    raise kind(message)
