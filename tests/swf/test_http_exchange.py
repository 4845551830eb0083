"""One request and its answer over a socket: the plainest form of an answer is read, and any other is refused."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading

import pytest
from attrs import define, field
from urllib3 import HTTPConnectionPool

from genflow.swf.aws import http_exchange
from genflow.swf.aws.http_exchange import HttpExchange, UnusualAnswer

PATIENCE = 60
CLOSED = {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}
"""What a server meets when it sends to, or shuts down, a connection that the client has closed already."""

HEADERS = [('X-Amz-Target', 'SimpleWorkflowService.PollForDecisionTask'), ('User-Agent', 'Boto3')]


@define(eq=False, slots=False)
class Server:
    """Answers the requests of one connection after the other.

    Attributes:
        scripts: For each connection, its answers, each in the pieces in which it is sent; and whether the server ends
            the connection after them. In any case it then waits for the client to close it.
        sends: Called before each answer.
    """

    scripts: list
    sends: object = bool
    requests: list = field(factory=list)
    reused: int = 0
    listening: socket.socket = field(factory=lambda: socket.create_server(('127.0.0.1', 0)))

    def __attrs_post_init__(self):
        self.host = '{}:{}'.format(*self.listening.getsockname())

    def serve(self):
        for answers, ends in self.scripts:
            with self.listening.accept()[0] as connection:
                connection.settimeout(PATIENCE)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    self.play(connection, answers, ends)
                except OSError as error:
                    if error.errno not in CLOSED:
                        raise

    def play(self, connection, answers, ends):
        """One script; who has refused an answer closes the connection before all of it is sent."""
        for answer in answers:
            self.requests.append(read(connection))
            self.sends()
            for piece in answer:
                connection.sendall(piece)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        self.reused += len(connection.recv(1))


def read(connection):
    """A request: its first line, its headers, its body."""
    found = b''
    while b'\r\n\r\n' not in found:
        found += connection.recv(1000)
    head, _, body = found.partition(b'\r\n\r\n')
    first, *lines = head.decode('latin-1').split('\r\n')
    headers = dict(line.split(': ', 1) for line in lines)
    while len(body) < int(headers['Content-Length']):
        body += connection.recv(1000)
    return first, headers, body


@contextlib.contextmanager
def exchange(*scripts, timeout=PATIENCE, sends=bool):
    """What sends to a server, which plays all scripts."""
    server = Server(list(scripts), sends)
    pool = HTTPConnectionPool(*server.listening.getsockname(), timeout=PATIENCE)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield HttpExchange(f'http://{server.host}/', pool, timeout), server
    finally:
        pool.close()
        thread.join(PATIENCE)
        server.listening.close()
    assert not thread.is_alive()
    assert not server.reused, 'a connection was used after its last answer'


def plain(body, status=b'200 OK', head=b''):
    return b'HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n' % (status, head, len(body)) + body


def post(sender, body=b'{}', sent=lambda: None):
    return sender.post(HEADERS, body, sent)


def test_a_request_has_its_headers_and_its_body():
    with exchange(([[plain(b'{"events": []}')]], False)) as (sender, server):
        assert post(sender, b'{"domain": "d"}') == (200, b'{"events": []}')
    ((first, headers, body),) = server.requests
    assert (first, body) == ('POST / HTTP/1.1', b'{"domain": "d"}')
    assert headers == {'Host': server.host, 'Accept-Encoding': 'identity', 'Content-Length': '15', **dict(HEADERS)}


@pytest.mark.parametrize(
    ('url', 'first'),
    [
        ('https://swf.eu-west-1.amazonaws.com/', 'POST / HTTP/1.1\r\nHost: swf.eu-west-1.amazonaws.com\r\n'),
        ('https://Swf.example:443', 'POST / HTTP/1.1\r\nHost: swf.example\r\n'),
        ('http://swf.example:443/a/b?c=d', 'POST /a/b?c=d HTTP/1.1\r\nHost: swf.example:443\r\n'),
        ('http://[::1]:8080/', 'POST / HTTP/1.1\r\nHost: [::1]:8080\r\n'),
    ],
)
def test_the_host_is_the_one_that_is_signed(url, first):
    assert HttpExchange(url, None, 1)._request([], b'').decode().startswith(first)  # noqa: SLF001


def test_an_answer_may_come_in_any_pieces():
    body = bytes(range(256)) * 2_000
    whole = plain(body)
    pieces = [whole[:1], whole[1:30], whole[30:60], whole[60:100_000], whole[100_000:]]
    with exchange(([pieces, [whole]], False)) as (sender, _):
        assert [post(sender), post(sender)] == [(200, body)] * 2


def test_a_connection_is_kept_after_an_error():
    answers = [[plain(b'{"__type": "x"}', b'400 Bad Request')], [plain(b'')]]
    with exchange((answers, False)) as (sender, _):
        assert [post(sender), post(sender)] == [(400, b'{"__type": "x"}'), (200, b'')]


@pytest.mark.parametrize(
    'head',
    [
        b'Connection: close\r\n',
        b'connection: Close, x\r\n',
        b'Connection: close\r\nConnection: keep-alive\r\n',
        b'Connection: keep-alive\r\nConnection: close\r\n',
    ],
)
def test_a_connection_that_the_server_will_close_is_not_used_again(head):
    with exchange(([[plain(b'1', head=head)]], False), ([[plain(b'2')]], False)) as (sender, _):
        assert [post(sender), post(sender)] == [(200, b'1'), (200, b'2')]


def test_an_idle_connection_that_was_closed_is_not_used_again():
    with exchange(([[plain(b'1')]], True), ([[plain(b'2')]], False)) as (sender, _):
        assert post(sender) == (200, b'1')
        (kept,) = filter(None, sender.pool.pool.queue)
        assert not kept.sock.recv(1, socket.MSG_PEEK)
        assert post(sender) == (200, b'2')


@pytest.mark.parametrize(
    'answer',
    [
        [],
        [b'HTTP/1.1 200 OK\r\nContent-Le'],
        [b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nX: y\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nX: y\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nX y\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\n: y\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\r\nX\0: y\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'],
        [b'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n12345'],
        [b'\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 200 OK\nContent-Length: 5\n\n12345'],
        [b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n'],
        [b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\n\r\n12345'],
        [b'HTTP/1.1 100 Continue\r\n\r\n', plain(b'12345')],
        [b'HTTP/1.1 101 Switching Protocols\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n12345'],
        [b'HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n12345'],
        [b'<html>\r\n\r\n'],
    ],
    ids=repr,
)
def test_an_answer_in_another_form_is_refused_and_its_connection_closed(answer):
    with exchange(([answer], True), ([[plain(b'2')]], False)) as (sender, _):
        with pytest.raises(UnusualAnswer):
            post(sender)
        assert post(sender) == (200, b'2')


def test_a_head_without_an_end_is_refused(monkeypatch):
    monkeypatch.setattr(http_exchange, 'LONGEST_HEAD', 100)
    with (
        exchange(([[b'HTTP/1.1 200 OK\r\nX: ' + b'x' * 1_000]], False)) as (sender, _),
        pytest.raises(UnusualAnswer, match='does not end'),
    ):
        post(sender)


def test_a_server_that_falls_silent_is_not_waited_for():
    silent = [[b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123']]
    with exchange((silent, False), timeout=0.01) as (sender, _), pytest.raises(TimeoutError):
        post(sender)


@pytest.mark.parametrize('value', ['a\r\nX: y', 'a\ny', 'a\ry'])
def test_a_header_with_a_line_break_is_refused(value):
    with pytest.raises(ValueError, match='line break'):
        HttpExchange('http://h', None, 1).post([('User-Agent', value)], b'', lambda: None)


def test_who_waits_is_notified_before_the_answer():
    notified = threading.Event()

    def wait():
        assert notified.wait(PATIENCE)

    with exchange(([[plain(b'')]], False), sends=wait) as (sender, _):
        assert post(sender, sent=notified.set) == (200, b'')
