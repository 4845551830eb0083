"""Sends a request and reads its answer over one of urllib3's connections, past ``http.client``.

Theory of operation. To send a page's request and to read its answer costs a few system calls; ``http.client`` and
urllib3 add ten times as much, for headers, redirects, retries and streams that a page never needs, and they send
headers and body in two packets. So requests are made and answers read here, on connections that urllib3 makes, keeps
and finds to be closed: they have the settings of the session, among them its certificates and time-outs.

What is read is the plainest form of an answer: HTTP/1.1, a status of 200 or more, and a ``Content-Length``. Anything
else is refused, and the connection closed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field

__all__ = ['HttpExchange', 'UnusualAnswer']

PORTION = 1 << 16
"""Bytes that are read at first."""

LONGEST_HEAD = 1 << 16
"""Bytes in which the head of an answer must end."""

LONGEST_BODY = 1 << 30
"""The most bytes of an answer's body."""

HEAD_END = b'\r\n\r\n'
STATUS_LINE = re.compile(rb'HTTP/1\.1 ([2-5]\d\d)( |$)')
LENGTH = re.compile(rb'\d{1,10}')
HEADER = re.compile(rb'[!-9;-~]+:[^\r\n]*')

BODILESS = frozenset({b'204', b'304'})
"""The statuses whose answers have no body, whatever their length is."""

DEFAULT_PORTS = {'http': 80, 'https': 443}


class UnusualAnswer(Exception):
    """An answer that is not in the plainest form."""


@define(eq=False)
class HttpExchange:
    """Sends requests to one address.

    Attributes:
        url: The address.
        pool: urllib3's connections to it.
        read_timeout: Seconds that may pass without a byte of an answer.
    """

    url: str
    pool: Any
    read_timeout: float
    _first_lines: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        parts = urlsplit(self.url)
        host, port = parts.hostname or '', parts.port
        host = f'[{host}]' if ':' in host else host
        host = host if port in {None, DEFAULT_PORTS.get(parts.scheme)} else f'{host}:{port}'
        path = f'{parts.path or "/"}{"?" * bool(parts.query)}{parts.query}'
        self._first_lines = f'POST {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n'

    def post(self, headers: Iterable[tuple[str, str]], body: bytes, sent: Callable[[], None]) -> tuple[int, bytes]:
        """Sends a request; returns the status and the body of its answer.

        Args:
            headers: Those of the request beside ``Host``, ``Accept-Encoding`` and ``Content-Length``.
            body: That of the request.
            sent: Called once the request has been sent.

        Raises:
            UnusualAnswer: The answer is not in the plainest form.
            OSError: The connection failed, or a time-out passed.
            ValueError: A header or the address has a line break.
        """
        request = self._request(headers, body)
        connection: Any = self.pool._get_conn()  # noqa: SLF001 - urllib3 gives connections only with a request of its own
        is_reusable = False
        try:
            sock = connection.sock
            if sock is None:
                connection.connect()
                sock = connection.sock
                sock.settimeout(self.read_timeout)
            sock.sendall(request)
            sent()
            status, answer, is_reusable = _answer(sock)
        finally:
            if not is_reusable:
                connection.close()
            self.pool._put_conn(connection)  # noqa: SLF001 - as above
        return status, answer

    def _request(self, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
        lines = [f'{name}: {value}' for name, value in headers]
        for line in lines:
            if '\n' in line or '\r' in line:
                raise ValueError('a header of the request has a line break')
        head = '\r\n'.join([*lines, f'Content-Length: {len(body)}'])
        return f'{self._first_lines}{head}\r\n\r\n'.encode('latin-1') + body


def _answer(sock: Any) -> tuple[int, bytes, bool]:
    """The status and the body of an answer, and whether the connection can be used again."""
    received = _some(sock, PORTION)
    while (end := received.find(HEAD_END)) < 0:
        if len(received) > LONGEST_HEAD:
            raise UnusualAnswer('its head does not end')
        received += _some(sock, PORTION)
    status, length, is_reusable = _head(received[:end])
    body = received[end + len(HEAD_END) :]
    if len(body) < length:
        body = _whole(sock, body, length)
    if len(body) > length:
        raise UnusualAnswer('it is longer than its Content-Length')
    return status, body, is_reusable


def _whole(sock: Any, begun: bytes, length: int) -> bytes:
    """A body of which the first bytes have been read."""
    body = bytearray(length)
    body[: len(begun)] = begun
    place, view = len(begun), memoryview(body)
    while place < length:
        read = sock.recv_into(view[place:])
        if not read:
            raise UnusualAnswer('it ends early')
        place += read
    return bytes(body)


def _some(sock: Any, most: int) -> bytes:
    found: bytes = sock.recv(most)
    if not found:
        raise UnusualAnswer('it ends early')
    return found


def _head(head: bytes) -> tuple[int, int, bool]:
    """Status, length of the body, and whether the connection can be used again."""
    first, *lines = head.split(b'\r\n')
    status = STATUS_LINE.match(first)
    if status is None or status[1] in BODILESS:
        raise UnusualAnswer('its first line is not that of an answer in HTTP/1.1 with a body')
    lengths, is_reusable = [], True
    for line in lines:
        if not HEADER.fullmatch(line):  # others may read it as the end of a line, or as part of the line before
            raise UnusualAnswer('one of its lines is no header')
        name, _, value = line.partition(b':')
        name = name.lower()
        if name == b'content-length':
            lengths.append(value.strip())
        elif name == b'connection':
            is_reusable = is_reusable and value.strip().lower() == b'keep-alive'
        elif name == b'transfer-encoding':
            raise UnusualAnswer('its length is not that of its Content-Length')
    if len(lengths) != 1 or not LENGTH.fullmatch(lengths[0]) or int(lengths[0]) > LONGEST_BODY:
        raise UnusualAnswer('it has no Content-Length, or several, or a huge one')
    return int(status[1]), int(lengths[0]), is_reusable
