"""HTTP/1.1 against h11: whatever our reader accepts, h11 accepts, and reads the same request in the same bytes."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genflow.local.http.http11 import BadRequest, RequestReader

HEAD = b'POST /a?b=c HTTP/1.1\r\nHost: x\r\n'


def ours(data: bytes):
    """The first request in these bytes and how many bytes are left; None where there is none or it is refused."""
    reader = RequestReader()
    reader.feed(data)
    try:
        request = reader.next()
    except BadRequest:
        return None
    if request is None:
        return None
    target = f'{request.path}?{request.query}' if request.query else request.path
    return request.method, target, request.headers, request.body, reader.buffered


def theirs(data: bytes):
    """The same as h11 has it."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    events = []
    try:
        while not events or type(events[-1]) is not h11.EndOfMessage:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                return None
            events.append(event)
    except h11.RemoteProtocolError:
        return None
    request, *rest = events
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode(), raw_value.decode('latin-1')
        headers[name] = f'{headers[name]},{value}' if name in headers else value
    body = b''.join(bytes(event.data) for event in rest if type(event) is h11.Data)
    left = connection.trailing_data[0]
    return request.method.decode(), request.target.decode().removesuffix('?'), headers, body, len(left)


# h11 folds the case of an encoding's name; the messages here have it folded already.
GOOD = [
    HEAD + b'Content-Length: 2\r\n\r\n{}',
    HEAD + b'Content-Length: 0\r\nA: b\r\na: \t c d \t\r\n\r\n' + HEAD,
    HEAD + b'X: \x80\xff\r\n\r\n',
    HEAD + b'X:\r\n\r\n',
    b'GET / HTTP/1.0\r\n\r\n',
    HEAD + b'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0a;x=y\r\n0123456789\r\n0\r\nT: t\r\n\r\nleft',
]


@pytest.mark.parametrize('data', GOOD, ids=repr)
def test_both_read_the_same(data):
    assert ours(data) == theirs(data) is not None


@pytest.mark.parametrize(
    'data',
    [
        HEAD + b'X: a\rb\r\n\r\n',
        HEAD + b'X: a\x00b\r\n\r\n',
        HEAD + b'X: a\x0bb\r\n\r\n',
        HEAD + b'X\x00: a\r\n\r\n',
        b'GET /\r HTTP/1.1\r\nHost: x\r\n\r\n',
        b'GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n',
        b'GET / HTTP/1.1\r\n\r\n',
        b'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
        HEAD + b'Content-Length: 1\r\nContent-Length: 2\r\n\r\nab',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n5 \x00\r\nabcde\r\n0\r\n\r\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n 5\r\nabcde\r\n0\r\n\r\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n0\r\nT\x00: t\r\n\r\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n',
    ],
    ids=repr,
)
def test_both_refuse(data):
    assert (ours(data), theirs(data)) == (None, None)


@pytest.mark.parametrize(
    'data', [HEAD + b'X: a\nContent-Length: 2\r\n\r\n{}', HEAD.replace(b'\r\n', b'\n') + b'\n'], ids=repr
)
def test_a_bare_lf_ends_no_line(data):
    """h11 takes it for the end of a line, other servers do not; a request that can be read in two ways is refused."""
    assert theirs(data) is not None
    assert ours(data) is None


PIECES = [
    b'\r',
    b'\n',
    b'\r\n',
    b'\0',
    b' ',
    b'\t',
    b':',
    b';',
    b',',
    b'0',
    b'5',
    b'a',
    b'\x0b',
    b'\x1f',
    b'\x7f',
    b'\x85',
]
LINES = [
    b'Content-Length: 5\r\n',
    b'Transfer-Encoding: chunked\r\n',
    b'Host: y\r\n',
    b'A: b\r\n',
    b' c\r\n',
    b'5\r\n',
    b'\r\n',
]


@pytest.mark.thorough
@given(st.data())
def test_what_is_accepted_means_the_same_to_h11(data):
    message = data.draw(st.sampled_from(GOOD))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(message)))
        cut = data.draw(st.integers(0, 3))
        message = message[:at] + data.draw(st.sampled_from(PIECES + LINES)) + message[at + cut :]
    found = ours(message)
    while message[:2] == b'\r\n':  # a line too many after the body before it, which h11 does not forgive
        message = message[2:]
    assert found is None or found == theirs(message)
