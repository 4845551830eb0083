"""What the leader of a file does for its followers: the HTTP front, on a socket that only this user can reach.

Theory of operation. The socket listens from the moment in which the file is open, so nobody who has read the lock file
finds it closed. Until somebody connects, one thread sleeps on it, and nothing else is there: neither an event loop nor
workers. With the first connection that thread becomes the server's.

Beside the calls of SWF a follower has one connection that says that it is there. On it the leader sends an empty line a
second, and a line of JSON for each Lambda function that the follower is to run. When it ends, the follower has ended,
and loses its tasks at once; one that leaves in order says so first.

After a fork the child closes what it has inherited, and does nothing else with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import os
import secrets
import selectors
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from attrs import asdict, frozen

from genflow.local import forks
from genflow.local.engine.held_poll import HeldPoll
from genflow.local.engine.served import Begun
from genflow.local.engine.service import Service
from genflow.local.errors import ServiceError, StoreError
from genflow.local.http.accepting import accept, most_connections
from genflow.local.http.aws_json import Call, Reply, read_members, read_target, refusal
from genflow.local.http.connection import Connection
from genflow.local.http.dispatcher import Asked, Dispatcher, Upgrade, cancelled, end_connections
from genflow.local.http.http11 import LARGEST, Request
from genflow.local.http.timeouts import Timeouts, watch
from genflow.local.json_text import encode
from genflow.local.requests import faults
from genflow.local.shared.link import HOLD, NUMBER, OWNS, PROCESS, SECRET, STORE, WAITS_FROM
from genflow.local.shared.numbers import POLLS
from genflow.local.shared.round_calls import WaitingService, carry_out
from genflow.local.shared.sockets import discard, is_same_user, listen
from genflow.local.state.answers import Caller

__all__ = ['SWITCH_INTERVAL', 'Front']

LOG = logging.getLogger(__name__)

PULSE = 1.0
"""Seconds between two signs of life."""

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that computes gives the interpreter up, while there are followers."""

IDLE_SWEEP = 60.0
"""Seconds after which a service does what has become due although nobody calls, such as to forget old executions."""

WORKERS = 32
FAILED = 500


@contextlib.contextmanager
def errors_for_followers() -> Iterator[None]:
    """Errors of the file, so that the follower can raise the same."""
    try:
        yield
    except StoreError as error:
        raise ServiceError(type(error).__name__, str(error), FAILED, STORE) from error


def finish_for_follower(begun: Begun) -> str:
    """The answer of a call that was begun."""
    with errors_for_followers():
        return begun.finish()


class FollowerPoll(HeldPoll):
    """A long poll of a follower."""

    def begin(self, *, last: bool = False) -> Begun | None:
        with errors_for_followers():
            begun = super().begin(last=last)
        return None if begun is None else Begun(partial(finish_for_follower, begun), begun.is_long)


@frozen
class CallerService:
    """The service, as one call of a follower sees it.

    Attributes:
        long_poll: Seconds for which its poll is held.
        answers_here: Who leads does.
    """

    service: Service
    caller: Caller
    long_poll: float
    answers_here: bool = True

    def call_json(self, operation: str, request: dict[str, Any]) -> str:
        """Carry out an operation; a poll takes what is there."""
        return self.begin(operation, request).finish()

    def begin(self, operation: str, request: dict[str, Any]) -> Begun:
        """As :meth:`call_json`, up to the moment in which the file is waited for."""
        if operation in POLLS and not request.get('nextPageToken'):
            poll = self.hold(operation, request, int)
            return poll.begin(last=True) or Begun(lambda: '{}')
        with errors_for_followers():
            begun = self.service.begin(operation, request, caller=self.caller)
        return Begun(partial(finish_for_follower, begun), begun.is_long)

    def hold(self, operation: str, request: dict[str, Any], wake: Callable[[], object]) -> FollowerPoll:
        """Begin a long poll."""
        with errors_for_followers():
            return FollowerPoll(
                self.service, operation, request, lambda: cast('None', wake()), caller=self.caller, hold=self.long_poll
            )


class SwitchInterval:
    """How long threads of this process compute at a time: shorter while any front has followers, for their answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fronts: set[object] = set()
        self._before = self._lowered = 0.0

    def lower(self, front: object) -> None:
        """A front has followers from now on."""
        with self._lock:
            if not self._fronts:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(SWITCH_INTERVAL, self._before))
                self._lowered = sys.getswitchinterval()
            self._fronts.add(front)

    def restore(self, front: object) -> None:
        """A front has none any more; what the program has set meanwhile stays."""
        with self._lock:
            if front in self._fronts:
                self._fronts.remove(front)
                self._as_before()

    def begin_anew(self) -> None:
        """In a forked child, where no front serves."""
        self._lock = threading.Lock()
        if self._fronts:
            self._fronts.clear()
            self._as_before()

    def _as_before(self) -> None:
        if not self._fronts and sys.getswitchinterval() == self._lowered:
            sys.setswitchinterval(self._before)


INTERVAL = SwitchInterval()
"""That of this process."""


class Presence(asyncio.Protocol):
    """The connection that says that a follower is there."""

    def __init__(self, front: Front, process: str) -> None:
        self._front = front
        self._process = process
        self._last_words = b''
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast('asyncio.Transport', transport)
        self._front.connected(self._process, self)
        self._beat()

    def _beat(self) -> None:
        if self._transport is not None:
            self._transport.write(b'\n')
            asyncio.get_running_loop().call_later(PULSE, self._beat)

    def write(self, line: str) -> None:
        """Send the follower a line."""
        if self._transport is not None:
            self._transport.write(f'{line}\n'.encode())

    def data_received(self, data: bytes) -> None:
        """The follower leaves in order, and says which of its polls it has given up."""
        self._last_words += data
        if len(self._last_words) > LARGEST and self._transport is not None:
            LOG.warning('A process that follows sent more than %d bytes as its last words, and is cut off.', LARGEST)
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._front.disconnected(self._process, self, polls_given_up(self._last_words))

    def close(self) -> None:
        """Because the leader leaves."""
        if self._transport is not None:
            self._transport.close()


def polls_given_up(last_words: bytes) -> list[int] | None:
    """The polls that a follower has given up; ``None`` where it has not left in order, so that its tasks end."""
    if not last_words.endswith(b'\n'):
        return None
    try:
        numbers = json.loads(last_words)
    except (ValueError, RecursionError):
        numbers = None
    if isinstance(numbers, list) and all(type(number) is int for number in numbers):
        return numbers
    LOG.warning('The last words of a process that follows cannot be read: its tasks end, as if it had died.')
    return None


class _Sleeping:
    """What the thread of a front holds on to while nobody is connected: the sockets, and not the service."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.waker, self.woken = socket.socketpair()

    def await_client(self) -> bool | None:
        """Sleep until somebody connects (true), or the front is closed (false); ``None`` after a while."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            selector.register(self.woken, selectors.EVENT_READ)
            ready = selector.select(IDLE_SWEEP)
            return all(key.fileobj is not self.woken for key, _ in ready) if ready else None

    def close(self) -> None:
        for one in (self.listener, self.waker, self.woken):
            one.close()


def _keep_open(sleeping: _Sleeping, front: weakref.ref[Front]) -> None:
    """The thread of a front."""
    try:
        while (somebody := sleeping.await_client()) is None:
            found = front()
            if found is not None:
                found.sweep()
            del found
        found = front() if somebody else None
        if found is not None:
            found.serve()
    finally:
        sleeping.close()


class Front:
    """Serves the followers of a file.

    Args:
        service: Answers them.
        path: The file, without symbolic links.

    Attributes:
        address: Where followers connect.
        secret: What they must say.

    Raises:
        OSError: There is no way in which processes could meet.
    """

    def __init__(self, service: Service, path: str) -> None:
        self.service = service
        self.secret = secrets.token_hex(16)
        listener, self.address = listen(path)
        listener.setblocking(False)
        self._sleeping = _Sleeping(listener)
        self._followers: dict[str, Presence] = {}
        self._histories: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._stopped = False
        self._accepted: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()
        self._pid = os.getpid()
        self._jobs = ThreadPoolExecutor(1, thread_name_prefix='genflow-local-followers')
        self.function_ended: Callable[[str, dict[str, Any]], None] = lambda process, outcome: None
        self.functions_offered: Callable[[str, list[str]], None] = lambda process, names: None
        self._thread = threading.Thread(
            target=_keep_open, args=(self._sleeping, weakref.ref(self)), name='genflow-local-front', daemon=True
        )
        forks.register(self)
        self._thread.start()

    def __del__(self) -> None:
        if hasattr(self, '_thread') and os.getpid() == self._pid:
            self._wake()
            discard(self.address)

    def stop(self) -> None:
        """Accept nobody any more, answer what is being carried out, and let go of everybody."""
        self._stopped = True
        self._wake()
        self._thread.join()
        self._jobs.shutdown()
        discard(self.address)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._sleeping.waker.send(b'.')
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)

    @property
    def followers(self) -> list[str]:
        """The names of the processes that follow."""
        return list(self._followers)

    # On the event loop's thread.

    def serve(self) -> None:
        """Serve until :meth:`stop`."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        timeouts = Timeouts()
        with ThreadPoolExecutor(WORKERS, thread_name_prefix='genflow-local-front') as workers:
            dispatcher = Dispatcher(self._loop, self._route, workers, most_connections(), timeouts)
            make = partial(self._connection, partial(Connection, dispatcher))
            accepting = self._loop.create_task(accept(self._sleeping.listener, dispatcher, make))
            watching = self._loop.create_task(watch(dispatcher.connections, timeouts))
            sweeping = self._loop.create_task(self._keep_sweeping())
            if not self._stopped:
                await self._stopping.wait()
            await cancelled(accepting)
            await end_connections(dispatcher)
            await cancelled(watching)
            await cancelled(sweeping)
            for presence in list(self._followers.values()):
                presence.close()
            await asyncio.sleep(0)
            INTERVAL.restore(self)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(IDLE_SWEEP)
            await asyncio.get_running_loop().run_in_executor(self._jobs, self.sweep)

    def sweep(self) -> None:
        """Forget what is past its retention, although nobody calls."""
        with contextlib.suppress(StoreError):  # the next call reports the problem of the file
            self.service.catch_up()

    def _connection(self, make: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        return Guarded(make(), self._accepted)

    def _route(self, request: Request) -> Asked:
        """What a follower asks for."""
        if not hmac.compare_digest(request.headers.get(SECRET, '').encode(), self.secret.encode()):
            return refusal(faults.fault('AccessDeniedException', 'the secret is not that of the lock file'))
        process = request.headers.get(PROCESS, '')
        try:
            if request.path == '/_genflow/presence':
                return Upgrade('genflow-presence', partial(Presence, self, process))
            if request.path == '/':
                return self._call(request, process)
            if request.path == '/_genflow/wait':
                return self._wait(request, process)
            return Reply(200, encode(self._control(request, process)).encode())
        except ServiceError as error:
            return refusal(error)

    def _call(self, request: Request, process: str) -> Asked:
        headers = request.headers
        caller = Caller(
            process, int(headers.get(NUMBER, 0)), int(headers.get(WAITS_FROM, 0)), headers.get(OWNS, '1') == '1'
        )
        hold = float(headers.get(HOLD, self.service.long_poll))
        operation = read_target(headers.get('x-amz-target', ''))
        return Call(CallerService(self.service, caller, hold), operation, read_members(request))

    def _wait(self, request: Request, process: str) -> Call:
        hold = float(request.headers.get(HOLD, self.service.long_poll))
        waiting = WaitingService(self.service.rounds, process, hold)
        return Call(waiting, 'PollForDecisionTask', {'wants': json.loads(request.body)})

    def _control(self, request: Request, process: str) -> Any:
        """What clients of our own can ask for besides."""
        work = CONTROLS.get(request.path)
        if work is None:
            raise faults.fault('UnknownOperationException', f'no {request.path[:100]} here')
        with errors_for_followers():
            return work(self, process, json.loads(request.body))

    def next_deadline(self) -> float | None:
        """When the service will next do something by itself, as a number."""
        found = self.service.next_deadline()
        return None if found is None else found.timestamp()

    def keep_events(self, process: str, run_id: str, first: int, events: list[dict[str, Any]]) -> None:
        """A part of the history that a run is to begin with.

        Args:
            process: The follower that will ask for the run.
            run_id: Of the run.
            first: How many events come before these.
            events: These.
        """
        self._histories.setdefault((process, run_id), [])[first:] = events

    def fork(self, process: str, named: dict[str, Any]) -> None:
        """Open the run whose history has come in parts."""
        self.service.fork(**named, events=self._histories.pop((process, named['new_run_id'])))

    # Presence of followers.

    def connected(self, process: str, presence: Presence) -> None:
        """A follower is there; on the loop."""
        if not self._followers:
            INTERVAL.lower(self)
        self._followers[process] = presence
        self.service.processes.admit(process)

    def disconnected(self, process: str, presence: Presence, given_up: list[int] | None) -> None:
        """A follower is gone; on the loop.

        Args:
            process: Its name.
            presence: Its connection.
            given_up: Its polls that were under way; None where it has not left in order.
        """
        if self._followers.get(process) is not presence:
            return
        del self._followers[process]
        for unasked in [key for key in list(self._histories) if key[0] == process]:
            self._histories.pop(unasked, None)
        if not self._followers:
            INTERVAL.restore(self)
        if not self._stopped:
            self._jobs.submit(self._release, process, given_up)

    def _release(self, process: str, given_up: list[int] | None) -> None:
        """Let go of what a process had; in a thread, for it waits for the file."""
        with contextlib.suppress(StoreError):  # the next call reports the problem of the file
            self.functions_offered(process, [])
            if given_up is not None:
                self.service.processes.end_undelivered(process, given_up)
            self.service.processes.dismiss(process)
            if given_up is not None:
                self.service.processes.release_tasks_of(process)
            else:
                self.service.processes.end_tasks_of(process)

    def send(self, process: str, message: dict[str, Any]) -> None:
        """Send a follower a line; from any thread."""
        presence = self._followers.get(process)
        if presence is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(presence.write, encode(message))

    # Across a fork.

    def pause(self) -> None:
        """Nothing needs to be at rest."""

    def resume(self) -> None:
        """It goes on."""

    def orphan(self) -> None:
        """In the child: close what would keep followers waiting for an answer that never comes."""
        self._pid = -1
        INTERVAL.begin_anew()
        sleeping = self._sleeping
        forks.immortalize([self, sleeping, *self._accepted])
        for one in (sleeping.listener, sleeping.waker, sleeping.woken):
            one.close()
        for transport in self._accepted:
            with contextlib.suppress(OSError):
                os.close(transport.get_extra_info('socket').fileno())


CONTROLS: dict[str, Callable[[Front, str, Any], Any]] = {
    '/_genflow/reset': lambda front, process, body: front.service.reset(),
    '/_genflow/deadline': lambda front, process, body: front.next_deadline(),
    '/_genflow/statistics': lambda front, process, body: asdict(front.service.statistics),
    '/_genflow/give-up': lambda front, process, numbers: front.service.processes.end_undelivered(process, numbers),
    '/_genflow/functions': lambda front, process, names: front.functions_offered(process, names),
    '/_genflow/types': lambda front, process, types: front.service.processes.declare_types(process, map(tuple, types)),
    '/_genflow/fork-events': lambda front, process, part: front.keep_events(process, *part),
    '/_genflow/fork': lambda front, process, named: front.fork(process, named),
    '/_genflow/round': lambda front, process, body: carry_out(front.service.rounds, process, body),
    '/_genflow/ran': lambda front, process, outcome: front.function_ended(process, outcome),
}
"""What followers ask for beside the operations of SWF: path to what is done with process and body."""


class Guarded(asyncio.Protocol):
    """A connection of a process of this user; others are cut off."""

    def __init__(self, inner: asyncio.Protocol, accepted: weakref.WeakSet[asyncio.BaseTransport]) -> None:
        self._inner = inner
        self._accepted = accepted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._accepted.add(transport)
        if not is_same_user(transport.get_extra_info('socket')):
            cast('asyncio.Transport', transport).abort()
            return
        cast('asyncio.Transport', transport).set_protocol(self._inner)
        self._inner.connection_made(transport)
