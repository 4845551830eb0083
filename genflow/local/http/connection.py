"""One client's connection: reads its requests, has each carried out, writes the reply.

Theory of operation. The connection lives on the event loop's thread; what the service does, which waits for the disk,
is done by the dispatcher (:mod:`~genflow.local.http.dispatcher`). Requests of one connection are answered one after the
other, in order.

A long poll that finds nothing stands in the service's line (:mod:`~genflow.local.http.holding`). A client that
disconnects leaves the line before a task can be handed to it; only in the moment in which a task is being taken can it
still be lost, until its time-out.

All connections together hold a limited number of bytes of large requests: one that would go beyond it is refused, and
its client tries again.

A client that does not read its reply gets no other one before it has, so at most one reply is kept for it, and it is
cut off when it reads nothing for a while (:mod:`~genflow.local.http.timeouts`).
"""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import cast

from genflow.local.http.aws_json import Call, Reply, refusal
from genflow.local.http.dispatcher import Dispatcher, Outcome, Upgrade
from genflow.local.http.holding import Holding
from genflow.local.http.http11 import (
    CONTINUE,
    BadRequest,
    DiscardingReader,
    RequestReader,
    response,
    switching,
)
from genflow.local.http.timeouts import Deadline, Owed
from genflow.local.requests import faults

__all__ = ['Connection']

IDLE_TIMEOUT = 2.0
"""Seconds for which a client that was refused may go on sending."""

LARGE = 64 * 1024
"""Bytes of a request from which on they are counted, and that are read of the next one while one is carried out."""

SERVER_ID = b'x-amzn-RequestId: ' + str(uuid.uuid4())[:24].encode()
"""The header of a request's id, which is that of this process and its number, in the form of a UUID."""

REQUEST_NUMBERS = itertools.count(1)
BUSY = HTTPStatus.SERVICE_UNAVAILABLE
CODES: dict[int, str] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 'RequestEntityTooLargeException',
    BUSY: 'ServiceUnavailable',
}
"""Status of a request that is refused unread -> the code of its error."""


class Connection(asyncio.Protocol):
    """A client's connection."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._reader = RequestReader()
        self._transport: asyncio.Transport | None = None
        self._busy = False
        self._counted = 0
        self._is_unread = False
        self._is_paused = False
        self._deadline = Deadline(dispatcher.timeouts)
        self._keeps_alive = True
        self._held: Holding | None = None

    # Callbacks of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast('asyncio.Transport', transport)
        self._dispatcher.enter(self)
        self._deadline.expect('idle', time.monotonic())

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        if self._busy or self._is_unread:
            if self._reader.buffered > LARGE and self._transport:
                self._is_paused = True
                self._transport.pause_reading()
        elif self._count(self._reader.held):
            self._read_on()
        else:
            self._refuse(BadRequest(BUSY, 'The server holds too many large requests at the moment; try again'))

    def eof_received(self) -> bool:
        """The client sends no more: it may still want the answer to a call, but a poll is not worth a task."""
        self._keeps_alive = False
        self._abandon()
        return self._busy

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._dispatcher.leave(self)
        self._abandon()
        if not self._busy:
            self._count(0)

    def pause_writing(self) -> None:
        """The client has not read what it was sent; it gets nothing more before it has."""
        self._is_unread = True

    def resume_writing(self) -> None:
        self._is_unread = False
        if not self._busy and self._keeps_alive:
            self._go_on()

    def check_time(self, now: float) -> None:
        """Close the connection if its client has had its time."""
        if self._transport is not None and self._deadline.is_over(now, self._transport.get_write_buffer_size()):
            self._transport.abort()

    # Requests.

    def _count(self, held: int) -> bool:
        """Count the bytes that this connection holds, if they are many; whether there is room for them."""
        if held <= LARGE and not self._counted:
            return True
        counted = held if held > LARGE else 0
        difference, self._counted = counted - self._counted, counted
        return not difference or self._dispatcher.held.change(difference)

    def _read_on(self) -> None:
        """Take up the next request, if it is there."""
        if self._transport is None or self._busy or self._is_unread:
            return
        try:
            request = self._reader.next()
        except BadRequest as bad:
            self._refuse(bad)
            return
        if request is not None:
            self._busy = True
            self._deadline.lift()
            self._keeps_alive = self._keeps_alive and request.keep_alive
            self._dispatcher.take(request, self._finish)
        else:
            owed: Owed = 'idle' if self._reader.is_between_requests else 'request'
            self._deadline.expect(owed, time.monotonic())
            if self._reader.wants_continue():
                self._transport.write(CONTINUE)

    def _refuse(self, bad: BadRequest) -> None:
        """Answer what cannot be read, and let go of the connection.

        What the client still sends is taken and dropped for a moment: closing at once would reset the connection, and
        the client might never see why.
        """
        body = refusal(faults.fault(CODES.get(bad.status, 'SerializationException'), bad.message)).body
        self._keeps_alive = False
        self._reader = DiscardingReader()
        self._reply(Reply(bad.status, body), lingers=True)

    def _finish(self, outcome: Outcome) -> None:
        if isinstance(outcome, Reply):
            self._reply(outcome)
            return
        if isinstance(outcome, Upgrade):
            self._give_away(outcome)
            return
        self._held = Holding(outcome, self._dispatcher, self._answer_poll)
        self._held.begin()
        if self._transport is None or not self._keeps_alive:
            self._abandon()

    def _give_away(self, upgrade: Upgrade) -> None:
        """Leave the transport to whoever speaks the other protocol."""
        transport, self._transport, self._busy = self._transport, None, False
        self._deadline.lift()
        self._dispatcher.leave(self)
        self._count(0)
        if transport is not None:
            transport.write(switching(upgrade.protocol))
            protocol = upgrade.make()
            transport.set_protocol(protocol)
            protocol.connection_made(transport)

    def _reply(self, reply: Reply, *, lingers: bool = False) -> None:
        self._busy = False
        self._count(self._reader.held if self._transport is not None else 0)
        if self._transport is None:
            return
        headers = headers_of(reply.content_type, int(time.time()))
        last = b'%b%012x' % (SERVER_ID, next(REQUEST_NUMBERS))
        self._transport.write(response(reply.status, headers, reply.body, keep_alive=self._keeps_alive, last=last))
        if lingers:
            self._dispatcher.loop.call_later(IDLE_TIMEOUT, self.abort)
        elif not self._keeps_alive:
            self._expect_reading(self._transport)
            self._transport.close()
        else:
            self._go_on()

    def _go_on(self) -> None:
        """To the next request, once the client has read the reply."""
        if self._transport is None:
            return
        if self._is_unread:
            self._expect_reading(self._transport)
            return
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        if self._reader.is_between_requests:
            self._deadline.expect('idle', time.monotonic())
        else:
            self._dispatcher.loop.call_soon(self._read_on)

    def _expect_reading(self, transport: asyncio.Transport) -> None:
        self._deadline.expect('reply', time.monotonic(), transport.get_write_buffer_size())

    # Long polls.

    def _answer_poll(self, reply: Reply) -> None:
        self._held = None
        self._reply(reply)

    def _abandon(self) -> None:
        """Nobody waits for the poll that is held, if one is."""
        if self._held is not None:
            self._held.abandon()

    def take_back(self, leaving: Call) -> None:
        """Answer the poll that is held with nothing, if the one who leaves has sent it."""
        if self._held is not None and self._held.held.is_of(leaving):
            self._abandon()

    def end(self) -> None:
        """Because the server stops: answer what is being done, a held poll with nothing, and take no more."""
        self._keeps_alive = False
        self._abandon()
        if not self._busy and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """At once, whatever is being done."""
        if self._transport is not None:
            self._transport.abort()


@lru_cache(8)
def headers_of(content_type: str, second: int) -> tuple[tuple[str, str], ...]:
    """The headers of everything of that type that is answered in this second."""
    return ('Content-Type', content_type), ('Server', 'genflow'), ('Date', formatdate(second, usegmt=True))
