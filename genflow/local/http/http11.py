"""HTTP/1.1 as a server reads and writes it: bytes in, requests out, and back.

Theory of operation. A :class:`RequestReader` belongs to one connection. It is fed what the socket gives, in whatever
pieces, and hands out whole requests. It does no I/O and knows nothing of SWF, so that everything can be tested with
byte strings. What it cannot read is a :class:`BadRequest`, after which the connection must be closed: where the next
request would begin is unknown.

Read are bodies with a Content-Length and chunked ones. A request that has both, two lengths, a folded header or a
space before a colon is refused, for two servers in a row could read such a request differently. So is one with a bare
CR or LF, a NUL or another control character in its head or its trailers, and one of HTTP/1.1 that does not name exactly
one host. Every request that is accepted here is accepted by h11, and means the same there; the tests hold that.
``Expect: 100-continue`` is told to the connection as soon as the headers are there. A request, headers included, may
have :data:`LARGEST` bytes, which is Amazon SWF's own limit.
"""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

__all__ = ['CONTINUE', 'LARGEST', 'BadRequest', 'DiscardingReader', 'Request', 'RequestReader', 'response', 'switching']

LARGEST = 1024 * 1024
"""Bytes of a request, headers included: the limit of Amazon SWF."""

LARGEST_HEAD = 64 * 1024
"""Bytes of a request line and its headers."""

END = b'\r\n\r\n'
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.([01])\Z")
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(?::[0-9]*)?\Z")
DIGITS = re.compile(r'[0-9]{1,18}\Z')
CONTROL = re.compile(r'[\x00-\x08\x0a-\x1f\x7f]')
CHUNK_SIZE = re.compile(rb'([0-9A-Fa-f]{1,8})(?:;[\t\x20-\x7e\x80-\xff]*)?[ \t]*\Z')
REASONS = {status.value: status.phrase for status in HTTPStatus}

CONTINUE = b'HTTP/1.1 100 Continue\r\n\r\n'


class BadRequest(Exception):
    """The bytes are no request that this server reads. Answer with ``status``, and close the connection."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Request(NamedTuple):
    """One whole request.

    Attributes:
        path: The path without its query.
        headers: The values by name in lower case. If a name came twice, its values are joined with a comma and no
            space, which is how a signature covers them.
        keep_alive: Whether the connection may be used again.
        query: The text behind the question mark.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool
    query: str = ''


class Head(NamedTuple):
    """A request whose body is still to come.

    Attributes:
        length: The length of the body in bytes; ``None`` for a chunked one.
        problem: Why the request will be refused when it is whole. A client that still sends would not read the answer.
    """

    method: str
    path: str
    headers: dict[str, str]
    length: int | None
    keep_alive: bool
    query: str = ''
    problem: str | None = None

    def with_body(self, body: bytes) -> Request:
        if self.problem is not None:
            raise BadRequest(400, self.problem)
        return Request(self.method, self.path, self.headers, body, self.keep_alive, self.query)


class RequestReader:
    """The requests of one connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Head | None = None
        self._chunks: ChunkedBody | None = None
        self._expects = False

    @property
    def buffered(self) -> int:
        """The number of bytes that have arrived and are not part of a request that :meth:`next` has returned."""
        return len(self._buffer)

    @property
    def held(self) -> int:
        """As :attr:`buffered`, with the bytes of a chunked body that were taken off the buffer."""
        return len(self._buffer) + (self._chunks.held if self._chunks is not None else 0)

    @property
    def is_between_requests(self) -> bool:
        """Whether no byte of a next request has arrived."""
        return self._head is None and not self._buffer

    def feed(self, data: bytes) -> None:
        """Takes bytes from the socket."""
        self._buffer += data

    def next(self) -> Request | None:
        """The next whole request; ``None`` until all of it has arrived.

        Raises:
            BadRequest: The bytes are no request, or a larger one than :data:`LARGEST`.
        """
        head = self._head or self._begin()
        body = None if head is None else self._body(head)
        if head is None or body is None:
            return None
        self._head = self._chunks = None
        return head.with_body(body)

    def wants_continue(self) -> bool:
        """Whether the client waits for ``100 Continue`` before it sends the body; true once for each request."""
        wants = self._expects and not self._buffer
        self._expects = False
        return wants

    def _begin(self) -> Head | None:
        """Read a head, if there is a whole one."""
        buffer = self._buffer
        while buffer.startswith(b'\r\n'):  # some clients send one line too many after a body
            del buffer[:2]
        end = buffer.find(END)
        if end < 0:
            if len(buffer) > LARGEST_HEAD:
                raise BadRequest(431, f'The headers have more than {LARGEST_HEAD} bytes')
            return None
        self._head = head = read_head(buffer[:end].decode('latin-1'))
        del buffer[: end + len(END)]
        room = LARGEST - end - len(END)
        if head.length is None:
            self._chunks = ChunkedBody(room)
        elif head.length > room:
            raise too_large()
        self._expects = 'expect' in head.headers and head.headers['expect'].lower() == '100-continue'
        return head

    def _body(self, head: Head) -> bytes | None:
        length = head.length
        if length is None:
            return self._chunks.read(self._buffer) if self._chunks is not None else None
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body


class DiscardingReader(RequestReader):
    """The reader of a connection on which no more requests are read."""

    def feed(self, data: bytes) -> None:
        """Drops the bytes."""


class ChunkedBody:
    """A body that comes in chunks, each with its size before it."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._body = bytearray()
        self._trailers: list[str] | None = None

    @property
    def held(self) -> int:
        """The number of bytes of the body that were taken off the buffer."""
        return len(self._body)

    def read(self, buffer: bytearray) -> bytes | None:
        """Takes the chunks that have arrived off the buffer; returns the body after the last one, else ``None``."""
        while (end := buffer.find(b'\r\n')) >= 0:
            if self._trailers is not None:
                if end == 0:
                    del buffer[:2]
                    read_headers(self._trailers)
                    return bytes(self._body)
                self._trailer(buffer, end, self._trailers)
            elif not self._chunk(buffer, end):
                return None
        if len(buffer) > LARGEST_HEAD:
            raise BadRequest(400, 'A line of a chunked body is too long')
        return None

    def _trailer(self, buffer: bytearray, end: int, trailers: list[str]) -> None:
        """Take one of the headers after the body; they must be right, and mean nothing here."""
        self._room -= end
        if self._room < len(self._body):
            raise too_large()
        trailers.append(buffer[:end].decode('latin-1'))
        del buffer[: end + 2]

    def _chunk(self, buffer: bytearray, end: int) -> bool:
        """Take one chunk, if there is a whole one."""
        found = CHUNK_SIZE.match(bytes(buffer[:end]))
        if not found:
            raise BadRequest(400, 'A chunk begins without its size')
        size = int(found[1], 16)
        if len(self._body) + size > self._room:
            raise too_large()
        if size == 0:
            self._trailers = []
            del buffer[: end + 2]
            return True
        if len(buffer) < end + size + 4:
            return False
        if buffer[end + 2 + size : end + size + 4] != b'\r\n':
            raise BadRequest(400, 'A chunk is longer than its size')
        self._body += buffer[end + 2 : end + 2 + size]
        del buffer[: end + size + 4]
        return True


def too_large() -> BadRequest:
    return BadRequest(413, f'A request can have {LARGEST} bytes, headers included')


def read_head(text: str) -> Head:
    """Reads the request line and the headers.

    Raises:
        BadRequest: They are malformed, or two servers could read them differently.
    """
    first, *lines = text.split('\r\n')
    method, path, query, minor = read_request_line(first)
    headers = read_headers(lines)
    keep_alive = minor == '1'
    if 'connection' in headers:
        connection = headers['connection'].lower()
        keep_alive = 'close' not in connection and (keep_alive or 'keep-alive' in connection)
    return Head(method, path, headers, body_length(headers), keep_alive, query, host_problem(headers, minor))


@lru_cache(256)
def read_request_line(line: str) -> tuple[str, str, str, str]:
    """The method, path, query and minor version; cached, because clients send the same few lines.

    Raises:
        BadRequest: The line is none of HTTP/1.0 or HTTP/1.1.
    """
    found = REQUEST_LINE.match(clean(line))
    if not found:
        raise BadRequest(400, 'The first line is not an HTTP/1.1 request')
    path, _, query = found[2].partition('?')
    return found[1], path, query, found[3]


def clean(line: str) -> str:
    """The line without change, if it has no control character but tabs.

    Raises:
        BadRequest: It has one.
    """
    if not line.isprintable() and CONTROL.search(line):  # the first is quicker, and false for all that matters
        raise BadRequest(400, 'A line of the headers has a bare CR or LF, a NUL or another control character in it')
    return line


def host_problem(headers: dict[str, str], minor: str) -> str | None:
    """What is wrong with the Host header, or ``None``; only a request of HTTP/1.0 may have no such header."""
    host = headers.get('host')
    if host is None:
        return 'A request of HTTP/1.1 has a Host header' if minor == '1' else None
    return None if is_host(host) else 'The Host header does not name one host'


@lru_cache(256)
def is_host(value: str) -> bool:
    """Whether the value of a Host header is one host, with or without a port."""
    return bool(HOST.match(value))


def read_headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    if not ''.join(lines).isprintable():  # nearly all are
        for line in lines:
            clean(line)
    for line in lines:
        raw, colon, rest = line.partition(':')
        name, value = header_name(raw if colon else ''), rest.strip(' \t')
        headers[name] = f'{headers[name]},{value}' if name in headers else value
    return headers


@lru_cache(256)
def header_name(raw: str) -> str:
    """The name of a header in lower case; cached, because clients use the same few names.

    Raises:
        BadRequest: HTTP allows no such name.
    """
    if not TOKEN.match(raw):
        raise BadRequest(400, 'A header has no name that HTTP allows')
    return raw.lower()


def body_length(headers: dict[str, str]) -> int | None:
    """The length of the body in bytes; ``None`` if it is chunked.

    Raises:
        BadRequest: The headers give no length that can be read, or two.
    """
    length, encoding = headers.get('content-length'), headers.get('transfer-encoding')
    if encoding is None:
        if length is None:
            return 0
        if not DIGITS.match(length):
            raise BadRequest(400, 'Content-Length is not a number')
        return int(length)
    if length is not None:
        raise BadRequest(400, 'A request has Content-Length or Transfer-Encoding, not both')
    if encoding.lower() != 'chunked':
        raise BadRequest(501, 'The only transfer encoding that is read is chunked')
    return None


def response(
    status: int, headers: tuple[tuple[str, str], ...], body: bytes, *, keep_alive: bool, last: bytes = b''
) -> bytes:
    """A whole response, its Content-Length included.

    Args:
        status: The status code.
        headers: The headers that many responses share.
        body: The body; it may be empty.
        keep_alive: Whether the connection may be used again.
        last: A header that only this response has, as bytes of the wire.
    """
    begins = beginning(status, headers, keep_alive=keep_alive)
    return b'%b%b%bContent-Length: %d\r\n\r\n%b' % (begins, last, b'\r\n' if last else b'', len(body), body)


@lru_cache(16)
def beginning(status: int, headers: tuple[tuple[str, str], ...], *, keep_alive: bool) -> bytes:
    """The status line and headers that many responses share; cached."""
    lines = [f'HTTP/1.1 {status} {REASONS.get(status, "Unknown")}', *(f'{name}: {value}' for name, value in headers)]
    if not keep_alive:
        lines.append('Connection: close')
    return '\r\n'.join([*lines, '']).encode('latin-1')


def switching(protocol: str) -> bytes:
    """The response after which the connection speaks another protocol."""
    return f'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n'.encode('latin-1')
