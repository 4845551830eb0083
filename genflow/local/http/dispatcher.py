"""Dispatches requests to worker threads, or carries them out on the loop's own thread if that is quicker.

Theory of operation. A call waits for the disk, and calls that come at the same time should wait for one commit
together. So they go to worker threads, many at a time. But a request that comes alone gains nothing by that: handing it
over and taking the reply back are four switches between threads, which cost more than the call itself. The desk waits
until everything that has arrived is read; if that is one call, and no worker is busy, it is carried out at once.
Whatever comes in the meantime is found together afterwards, goes to the workers, and shares a commit. So a client alone
has the shortest way, and many clients share. After a call that took long, because the disk is slow, the loop does
nothing but its own work for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol, cast

from attrs import define, field, frozen

from genflow.local.engine.served import Poll
from genflow.local.http.aws_json import Call, Reply, carried_out, guarded
from genflow.local.http.http11 import Request
from genflow.local.http.metrics import ServerMetrics
from genflow.local.http.timeouts import Timed, Timeouts

__all__ = [
    'SMALL',
    'Asked',
    'Dispatcher',
    'Held',
    'HeldBytes',
    'Outcome',
    'Route',
    'Upgrade',
    'cancelled',
    'end_connections',
]

SMALL = 16 * 1024
"""Bytes of the largest request that the loop's thread carries out."""

LONG = 0.05
"""Seconds after which a call on the loop's thread has taken too long, and for how long there is none after it."""

PAUSE = 1.0

SHUTDOWN_GRACE = 10.0
"""Seconds that calls are given to end when the server stops."""


@frozen
class Held:
    """A poll that stands in line, and what rings when it should look again."""

    call: Call
    poll: Poll
    rung: asyncio.Event

    @property
    def operation(self) -> str:
        return self.call.operation

    def is_of(self, leaving: Call) -> bool:
        """Whether it was sent by the one who leaves: to the same list, with the same identity."""
        same = ('domain', 'taskList', 'identity')
        return (
            self.call.service is leaving.service
            and self.operation == leaving.operation
            and all(self.call.members.get(name) == leaving.members.get(name) for name in same)
        )


@frozen
class Upgrade:
    """The connection speaks something else from now on.

    Attributes:
        protocol: Its name in the headers.
        make: Makes what the connection's transport belongs to then.
    """

    protocol: str
    make: Callable[[], asyncio.Protocol]


Outcome = Reply | Held | Upgrade
Asked = Call | Reply | Upgrade
Route = Callable[[Request], Asked]
"""What a request leads to: a call, or what needs none."""

Finish = Callable[[Outcome], None]


class OpenConnection(Timed, Protocol):
    """A connection as those see it who look after all of them."""

    def take_back(self, leaving: Call) -> None:
        """Answer the polls of somebody who leaves with nothing."""

    def end(self) -> None:
        """Answer what is being done, and take no more."""

    def abort(self) -> None:
        """Close it at once, whatever is being done."""


@define(eq=False)
class HeldBytes:
    """How many bytes of large requests all connections hold, from their arrival to their replies.

    A connection holds at most a request and what is read ahead, but there may be thousands of them.

    Attributes:
        most: May be held; a large request that goes beyond them is refused.
        total: Are held.
    """

    most: int = 256 * 1024 * 1024
    total: int = 0

    def change(self, difference: int) -> bool:
        """Count bytes that have come or gone; whether there is room."""
        self.total += difference
        return difference <= 0 or self.total <= self.most


@define(eq=False)
class Dispatcher:
    """What the connections of one server share.

    Attributes:
        route: What a request leads to.
        workers: Where the service is called.
        most: Connections that may be open at a time.
        timeouts: How long a client may take.
        metrics: Counts requests.
        held: Bytes of large requests.
        connections: Those that are open.
        emptied: Set whenever the last connection is gone.
        room: Set as long as there may be one more.
    """

    loop: asyncio.AbstractEventLoop
    route: Route
    workers: Executor
    most: int = 10_000
    timeouts: Timeouts = field(factory=Timeouts)
    metrics: ServerMetrics | None = None
    held: HeldBytes = field(factory=HeldBytes)
    connections: set[OpenConnection] = field(factory=set)
    emptied: asyncio.Event = field(factory=asyncio.Event)
    room: asyncio.Event = field(factory=asyncio.Event)
    _arrived: list[tuple[Request, Finish]] = field(factory=list)
    _busy: int = 0
    _alone_from: float = 0.0

    def __attrs_post_init__(self) -> None:
        self._count()

    def enter(self, connection: OpenConnection) -> None:
        """A client has connected."""
        self.connections.add(connection)
        self.emptied.clear()
        self._count()

    def leave(self, connection: OpenConnection) -> None:
        """A client is gone."""
        self.connections.discard(connection)
        self._count()

    def _count(self) -> None:
        if not self.connections:
            self.emptied.set()
        if len(self.connections) < self.most:
            self.room.set()
        else:
            self.room.clear()

    def take(self, request: Request, finish: Finish) -> None:
        """Have the request carried out; ``finish`` is called on the loop. To be called there, too."""
        if not self._arrived:
            self.loop.call_soon(self._hand_out)
        self._arrived.append((request, finish))

    def later(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call back on the loop, from any thread; when the loop has ended there is nobody to be told."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(callback, *arguments)

    def _hand_out(self) -> None:
        """Everything that has arrived, to whoever carries it out."""
        arrived, self._arrived = self._arrived, []
        if len(arrived) == 1 and self._alone(arrived[0][0]):
            self._carry_out_here(*arrived[0])
            return
        for request, finish in arrived:
            self._busy += 1
            self.workers.submit(self._work, request, finish)

    def _alone(self, request: Request) -> bool:
        """The request has come alone, and is none that could take long."""
        small = request.path == '/' and len(request.body) <= SMALL
        return small and not self._busy and self.loop.time() >= self._alone_from

    def _carry_out_here(self, request: Request, finish: Finish) -> None:
        began = self.loop.time()
        outcome = self._carry_out(request)
        ended = self.loop.time()
        if ended - began > LONG:
            self._alone_from = ended + PAUSE
        finish(outcome)

    def _work(self, request: Request, finish: Finish) -> None:
        """In a worker."""
        self.later(self._end_work, self._carry_out(request), finish)

    def _end_work(self, outcome: Outcome, finish: Finish) -> None:
        self._busy -= 1
        finish(outcome)

    def _carry_out(self, request: Request) -> Outcome:
        """The reply, or a poll that stands in line; whatever fails is answered, too."""
        return guarded(f'{request.method} {request.path[:100]}', lambda: self._outcome(request))

    def _outcome(self, request: Request) -> Outcome:
        asked = self.route(request)
        if isinstance(asked, (Reply, Upgrade)):
            return asked
        if asked.leaves:
            self.later(self._take_back, asked)
            return Reply(200, b'{}')
        if self.metrics is None:
            return self._asked(asked)
        return self.metrics.timed(asked.operation, lambda: self._asked(asked))

    def _asked(self, call: Call) -> Reply | Held:
        if call.is_poll and call.service.long_poll > 0:
            return self._begin_poll(call)
        service, operation = call.service, call.operation
        reply = carried_out(operation, lambda: service.call_json(operation, call.members))
        return cast('Reply', reply)  # a call always answers

    def _take_back(self, leaving: Call) -> None:
        """Answer the polls of somebody who leaves with nothing; on the loop, where no task can come in between."""
        for connection in self.connections:
            connection.take_back(leaving)

    def _begin_poll(self, call: Call) -> Reply | Held:
        """The first attempt."""
        held: list[Held] = []

        def attempt() -> str | None:
            rung = asyncio.Event()
            poll = call.service.hold(call.operation, call.members, lambda: self.later(rung.set))
            held.append(Held(call, poll, rung))
            return poll.attempt()

        return carried_out(call.operation, attempt) or held[0]


async def cancelled(task: asyncio.Task[None]) -> None:
    """Cancel the task, and wait until it has ended."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def end_connections(dispatcher: Dispatcher) -> None:
    """Let every connection finish what it does, for :data:`SHUTDOWN_GRACE` seconds at most."""
    for connection in tuple(dispatcher.connections):
        connection.end()
    if dispatcher.connections:
        try:
            await asyncio.wait_for(dispatcher.emptied.wait(), SHUTDOWN_GRACE)
        except asyncio.TimeoutError:
            for connection in tuple(dispatcher.connections):
                connection.abort()
