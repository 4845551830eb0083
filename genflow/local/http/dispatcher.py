"""Carries requests out in turns on the loop's own thread, and has worker threads do what takes long.

Theory of operation. A call waits for the disk, and calls that come at the same time should wait for one commit
together. A thread for each of them would do, but handing a call over and taking the reply back are four switches
between threads, which cost more than the call itself. So a call has two steps: it is *begun*, which changes the
service's memory and waits for nothing, and *finished*, which waits until the file has the change. A turn begins
everything that has arrived, and finishes it then: the first to be finished writes the changes of all. What comes in the
meantime is the next turn's.

Workers get what takes longer than a commit: large requests, answers that are read from the file, calls that another
process carries out. After a turn that took long, because the disk is slow, they get everything for a while, and the
loop does nothing but its own work.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from attrs import define, field, frozen

from genflow.local.engine.served import Begun
from genflow.local.http.aws_json import Call, Reply, carried_out, failure
from genflow.local.http.holding import Held
from genflow.local.http.http11 import Request
from genflow.local.http.metrics import ServerMetrics
from genflow.local.http.timeouts import Timed, Timeouts
from genflow.steady_time import monotonic

__all__ = [
    'SMALL',
    'Asked',
    'Dispatcher',
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
"""Seconds after which a turn on the loop's thread has taken too long."""

PAUSE = 1.0
"""Seconds after such a turn until there is another one."""

ALONE = 8
"""After so many requests of one connection, between which no other has sent any, the next does not wait for others."""

TOGETHER = 64
"""Requests of one turn: more would let the first of them wait too long."""

SHUTDOWN_GRACE = 10.0
"""Seconds that calls are given to end when the server stops."""


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

P = TypeVar('P')


class Pending(NamedTuple):
    """A call that is carried out, but for what has to be waited for.

    Attributes:
        finish: Waits, and gives the outcome.
        is_long: It takes longer than a commit.
    """

    finish: Callable[[], Outcome]
    is_long: bool


@frozen
class _Attempt:
    """Another attempt at a poll."""

    held: Held
    is_last: bool


_Job = Request | _Attempt


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
        workers: Carry out what takes long.
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
    _arrived: list[tuple[_Job, Finish]] = field(factory=list)
    _here_from: float = 0.0
    _thread: int = field(factory=threading.get_ident)
    _last: Finish | None = None
    _alone: int = 0

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
        self._last = None  # which keeps a connection
        self._count()

    def _count(self) -> None:
        if not self.connections:
            self.emptied.set()
        if len(self.connections) < self.most:
            self.room.set()
        else:
            self.room.clear()

    def take(self, request: Request, finish: Finish) -> None:
        """Have the request carried out; ``finish`` is called on the loop. To be called there, too.

        While one and the same connection sends again and again, no other waits to share its commit: the request is
        carried out at once, which saves a round of the event loop.
        """
        if finish != self._last or self._arrived:
            self._last, self._alone = finish, 0
        elif self._alone >= ALONE:
            self._hand_out([(request, finish)])
            return
        else:
            self._alone += 1
        self._arrive(request, finish)

    def attempt(self, held: Held, finish: Callable[[Reply | Held], None], *, last: bool) -> None:
        """Make another attempt at a poll; as :meth:`take`."""
        self._arrive(_Attempt(held, last), cast('Finish', finish))  # no attempt upgrades a connection

    def later(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call back on the loop, from any thread; when the loop has ended there is nobody to be told."""
        call = self.loop.call_soon if threading.get_ident() == self._thread else self.loop.call_soon_threadsafe
        with contextlib.suppress(RuntimeError):
            call(callback, *arguments)

    def _arrive(self, job: _Job, finish: Finish) -> None:
        if not self._arrived:
            self.loop.call_soon(self._hand_out_all)
        self._arrived.append((job, finish))

    def _hand_out_all(self) -> None:
        """Everything that has arrived, to whoever carries it out."""
        arrived, self._arrived = self._arrived[:TOGETHER], self._arrived[TOGETHER:]
        if self._arrived:
            self.loop.call_soon(self._hand_out_all)
        self._hand_out(arrived)

    def _hand_out(self, arrived: list[tuple[_Job, Finish]]) -> None:
        began = monotonic()
        if began < self._here_from:
            for job, finish in arrived:
                self._send(partial(self._carry_out, job), finish)
            return
        begun = [(self._begin_here(job, finish), finish) for job, finish in arrived]
        for outcome, finish in begun:
            if outcome is not None:
                finish(outcome.finish() if isinstance(outcome, Pending) else outcome)
        ended = monotonic()
        if ended - began > LONG:
            self._here_from = ended + PAUSE

    def _begin_here(self, job: _Job, finish: Finish) -> Outcome | Pending | None:
        """What a job leads to, as far as that comes without waiting; None where a worker does the rest."""
        if not is_small(job):
            self._send(partial(self._carry_out, job), finish)
            return None
        outcome = self._begin(job)
        if isinstance(outcome, Pending) and outcome.is_long:
            self._send(outcome.finish, finish)
            return None
        return outcome

    def _send(self, carry_out: Callable[[], Outcome], finish: Finish) -> None:
        """To a worker; where the system has no room for another thread, it is done here."""
        untaken = threading.Lock()
        try:
            self.workers.submit(self._work, untaken, carry_out, finish)
        except RuntimeError:  # a worker may come upon it all the same, later
            self._work(untaken, carry_out, finish)

    def _work(self, untaken: threading.Lock, carry_out: Callable[[], Outcome], finish: Finish) -> None:
        """In a worker; only the first who takes it does it."""
        if untaken.acquire(blocking=False):
            self.later(finish, carry_out())

    # What requests and attempts lead to.

    def _carry_out(self, job: _Job) -> Outcome:
        """The reply, or a poll that stands in line; whatever fails is answered, too."""
        if isinstance(job, _Attempt):
            return attempted(job.held, last=job.is_last)
        return self._outcome(job, self._asked)

    def _begin(self, job: _Job) -> Outcome | Pending:
        """As :meth:`_carry_out`, as far as it comes without waiting."""
        if isinstance(job, _Attempt):
            return attempt_begun(job.held, partial(cast('Any', job.held.poll).begin, last=job.is_last))
        return self._outcome(job, self._begun)

    def _outcome(self, request: Request, carry_out: Callable[[Call], P]) -> Reply | Upgrade | P:
        try:
            asked = self.route(request)
            if isinstance(asked, (Reply, Upgrade)):
                return asked
            if asked.leaves:
                self.later(self._take_back, asked)
                return Reply(200, b'{}')
            if self.metrics is None:
                return carry_out(asked)
            began = monotonic()
            outcome = cast('Outcome | Pending', carry_out(asked))
            return cast('P', self._counted(self.metrics, asked.operation, began, outcome))
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            return failure(f'{request.method} {request.path[:100]}', error)

    def _counted(self, metrics: ServerMetrics, operation: str, began: float, outcome: Outcome | Pending) -> object:
        """Count what is over; what is pending is counted when it is."""
        if not isinstance(outcome, Pending):
            metrics.count(operation, began, outcome)
            return outcome
        finish = outcome.finish

        def counted() -> Outcome:
            return cast('Outcome', self._counted(metrics, operation, began, finish()))

        return Pending(counted, outcome.is_long)

    def _asked(self, call: Call) -> Reply | Held:
        if is_held(call):
            held = Held(call)
            return carried_out(call.operation, lambda: held.stand(self.later).attempt()) or held
        try:
            return Reply(200, call.service.call_json(call.operation, call.members).encode())
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            return failure(call.operation, error)

    def _begun(self, call: Call) -> Outcome | Pending:
        begin, operation = getattr(call.service, 'begin', None), call.operation
        is_poll = is_held(call)
        if begin is None or (is_poll and not call.service.answers_here):
            return Pending(partial(self._asked, call), is_long=True)
        if is_poll:
            return self._poll_begun(Held(call))
        return cast('Outcome | Pending', pending(operation, begin, operation, call.members))

    def _poll_begun(self, held: Held) -> Outcome | Pending:
        try:
            begin = getattr(held.stand(self.later), 'begin', None)
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            return failure(held.call.operation, error)
        if begin is None:  # another process is asked
            return Pending(partial(attempted, held, last=False), is_long=True)
        return attempt_begun(held, begin)

    def _take_back(self, leaving: Call) -> None:
        """Answer the polls of somebody who leaves with nothing; on the loop, where no task can come in between."""
        for connection in self.connections:
            connection.take_back(leaving)


def is_small(job: _Job) -> bool:
    """It may be carried out on the loop's thread."""
    if isinstance(job, _Attempt):
        return hasattr(job.held.poll, 'begin')
    return job.path == '/' and len(job.body) <= SMALL


def is_held(call: Call) -> bool:
    """It is a poll that waits."""
    return call.is_poll and call.service.long_poll > 0


def attempted(held: Held, *, last: bool) -> Reply | Held:
    """The reply to the poll, or the poll where it stands in line."""
    return carried_out(held.call.operation, lambda: held.poll.attempt(last=last)) or held


def attempt_begun(held: Held, begin: Callable[[], Begun | None]) -> Outcome | Pending:
    """As :func:`attempted`, as far as it comes without waiting."""
    return pending(held.call.operation, begin) or held


def pending(operation: str, begin: Callable[..., Begun | None], *arguments: object) -> Reply | Pending | None:
    """What is left of a call that was begun, or the reply where it was refused; None where there is no answer yet."""
    try:
        begun = begin(*arguments)
    except Exception as error:  # noqa: BLE001 - whoever asked gets it
        return failure(operation, error)
    if begun is None:
        return None
    return Pending(partial(cast('Callable[..., Reply]', carried_out), operation, begun.finish), begun.is_long)


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
