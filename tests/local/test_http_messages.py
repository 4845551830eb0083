"""HTTP/1.1 without a network: bytes in, requests out."""

from __future__ import annotations

import pytest

from genflow.local.http.http11 import LARGEST, BadRequest, DiscardingReader, Request, RequestReader, response

POST = b'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SimpleWorkflowService.ListDomains\r\n'
PLAIN = POST + b'Content-Length: 2\r\n\r\n{}'
CHUNKED = POST + b'Transfer-Encoding: chunked\r\n\r\n'


def read(data: bytes) -> list[Request]:
    """Every request in these bytes."""
    reader = RequestReader()
    reader.feed(data)
    found = []
    while (request := reader.next()) is not None:
        found.append(request)
    return found


def refused(data: bytes) -> int:
    with pytest.raises(BadRequest) as caught:
        read(data)
    return caught.value.status


def test_a_request_is_read_whole():
    (request,) = read(PLAIN)
    assert request == Request(
        'POST',
        '/',
        {'host': 'x', 'x-amz-target': 'SimpleWorkflowService.ListDomains', 'content-length': '2'},
        b'{}',
        keep_alive=True,
    )


def test_a_request_may_come_byte_by_byte():
    reader, found = RequestReader(), []
    for index in range(len(PLAIN)):
        assert not found
        reader.feed(PLAIN[index : index + 1])
        request = reader.next()
        if request is not None:
            found.append(request)
    assert [request.body for request in found] == [b'{}']


def test_requests_may_follow_each_other_at_once():
    assert [request.body for request in read(PLAIN + PLAIN + PLAIN)] == [b'{}'] * 3


def test_empty_lines_between_requests_are_skipped():
    assert len(read(PLAIN + b'\r\n\r\n' + PLAIN)) == 2


def test_a_request_without_a_body():
    (request,) = read(b'GET /?x=1 HTTP/1.1\r\nHost: x\r\n\r\n')
    assert (request.method, request.path, request.query, request.body) == ('GET', '/', 'x=1', b'')


def test_header_names_have_no_case_and_values_no_margins():
    (request,) = read(b'GET / HTTP/1.1\r\nHost: x\r\nX-AMZ-Target: \t a b \t\r\n\r\n')
    assert request.headers == {'host': 'x', 'x-amz-target': 'a b'}


def test_headers_that_come_twice_are_joined():
    (request,) = read(b'GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\nAccept: b\r\n\r\n')
    assert request.headers == {'host': 'x', 'accept': 'a,b'}


@pytest.mark.parametrize(
    ('version', 'connection', 'expected'),
    [
        (b'1.1', b'', True),
        (b'1.1', b'Connection: close\r\n', False),
        (b'1.1', b'Connection: Keep-Alive, Close\r\n', False),
        (b'1.0', b'', False),
        (b'1.0', b'Connection: keep-alive\r\n', True),
    ],
)
def test_whether_the_connection_is_used_again(version, connection, expected):
    (request,) = read(b'GET / HTTP/' + version + b'\r\nHost: x\r\n' + connection + b'\r\n')
    assert request.keep_alive is expected


@pytest.mark.parametrize(
    'body',
    [
        b'2\r\n{}\r\n0\r\n\r\n',
        b'1\r\n{\r\n1\r\n}\r\n0\r\n\r\n',
        b'2;name=value\r\n{}\r\n0\r\n\r\n',
        b'002\r\n{}\r\n000\r\n\r\n',
        b'2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n',
    ],
)
def test_a_chunked_body(body):
    assert [request.body for request in read(CHUNKED + body + PLAIN)] == [b'{}', b'{}']


def test_a_chunked_body_may_come_byte_by_byte():
    reader, found = RequestReader(), []
    for byte in CHUNKED + b'a\r\n0123456789\r\n2\r\nab\r\n0\r\n\r\n':
        reader.feed(bytes([byte]))
        request = reader.next()
        if request is not None:
            found.append(request.body)
    assert found == [b'0123456789ab']


def test_continue_is_wanted_once_and_only_for_a_body_that_is_held_back():
    reader = RequestReader()
    reader.feed(POST + b'Content-Length: 2\r\nExpect: 100-Continue\r\n\r\n')
    assert reader.next() is None
    assert [reader.wants_continue(), reader.wants_continue()] == [True, False]
    reader.feed(b'{}')
    assert reader.next().body == b'{}'


def test_continue_is_not_wanted_when_the_body_has_begun():
    reader = RequestReader()
    reader.feed(POST + b'Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{')
    assert reader.next() is None
    assert not reader.wants_continue()


@pytest.mark.parametrize(
    ('data', 'status'),
    [
        (b'nonsense\r\n\r\n', 400),
        (b'GET / HTTP/2.0\r\n\r\n', 400),
        (b'GET  / HTTP/1.1\r\n\r\n', 400),
        (b'GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n', 400),
        (b'GET / HTTP/1.1\r\nHost: x\r\nName : x\r\n\r\n', 400),
        (b'GET / HTTP/1.1\r\nHost: x\r\nA: x\r\n folded\r\n\r\n', 400),
        (b'GET / HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n', 400),
        (POST + b'Content-Length: x\r\n\r\n', 400),
        (POST + b'Content-Length: -1\r\n\r\n', 400),
        (POST + b'Content-Length: +1\r\n\r\n', 400),
        (POST + b'Content-Length: 1\r\nContent-Length: 2\r\n\r\n', 400),
        (POST + b'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n', 400),
        (POST + b'Transfer-Encoding: gzip, chunked\r\n\r\n', 501),
        (CHUNKED + b'x\r\n', 400),
        (CHUNKED + b'-1\r\n', 400),
        (CHUNKED + b'1\r\nab\r\n', 400),
        (CHUNKED + b'1' * 70_000, 400),
        (b'GET / HTTP/1.1\r\nHost: x\r\nA: ' + b'x' * 70_000, 431),
        (POST + b'Content-Length: %d\r\n\r\n' % LARGEST, 413),
        (CHUNKED + b'%x\r\n' % LARGEST, 413),
    ],
)
def test_what_cannot_be_read_is_refused(data, status):
    assert refused(data) == status


def test_the_largest_request_has_a_mebibyte_with_its_headers():
    def request_of(size: int) -> bytes:
        head = POST + b'Content-Length: %07d\r\n\r\n'
        body = b' ' * (size - len(head % 0))
        return head % len(body) + body

    assert len(request_of(LARGEST)) == LARGEST
    assert len(read(request_of(LARGEST))) == 1
    assert refused(request_of(LARGEST + 1)) == 413


def test_many_small_chunks_cannot_exceed_the_limit():
    chunk = b'ffff\r\n' + b'x' * 0xFFFF + b'\r\n'
    assert refused(CHUNKED + chunk * 17) == 413


UPGRADES = {
    'h2c': b'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    'websocket': b'Connection: Upgrade\r\nUpgrade: websocket\r\n',
    'TLS': b'Connection: upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n',
    'unknown': b'Upgrade: something-else\r\n',
}


@pytest.mark.parametrize('method', [b'POST', b'GET', b'OPTIONS', b'PRI'])
@pytest.mark.parametrize('upgrade', UPGRADES.values(), ids=UPGRADES)
def test_a_request_that_asks_for_another_protocol_has_the_bounds_of_all(upgrade, method):
    """The upgrade is not taken, so what follows is the body of a request like any other."""
    head = method + b' / HTTP/1.1\r\nHost: x\r\n' + upgrade
    (request,) = read(head + b'Content-Length: 2\r\n\r\nab')
    assert request.body == b'ab'
    room = LARGEST - len(head + b'Content-Length: 1000000\r\n\r\n')
    assert len(read(head + b'Content-Length: %d\r\n\r\n' % room + b' ' * room)) == 1
    assert refused(head + b'Content-Length: %d\r\n\r\n' % (room + 1)) == 413
    chunk = b'ffff\r\n' + b'x' * 0xFFFF + b'\r\n'
    chunked = head + b'Transfer-Encoding: chunked\r\n\r\n'
    assert refused(chunked + chunk * 17) == 413
    assert refused(chunked + b'%x\r\n' % LARGEST) == 413
    assert refused(head + b'A: ' + b'x' * 70_000) == 431


def test_a_deaf_reader_reads_nothing():
    reader = DiscardingReader()
    reader.feed(PLAIN)
    assert (reader.next(), reader.buffered) == (None, 0)


def test_a_response_is_whole():
    assert response(200, (('A', 'b'),), b'xy', keep_alive=True) == (
        b'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nxy'
    )


def test_a_response_tells_that_the_connection_ends():
    assert b'\r\nConnection: close\r\n' in response(404, (), b'', keep_alive=False)
