"""How long a client may take: to send a request, to stay away between two, to read a reply.

Theory of operation. A connection has one deadline, for what its client owes at the moment; while the server works, or
holds a poll, the client owes nothing. One task looks at all connections about once a second, which costs less than a
timer that is set and cancelled with every request.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable
from typing import Literal, Protocol

from attrs import astuple, define, frozen

__all__ = ['Deadline', 'Owed', 'Timed', 'Timeouts', 'watch']

LOOK = 1.0
"""The most seconds between two checks of all connections."""

Owed = Literal['request', 'idle', 'reply']


@frozen(kw_only=True)
class Timeouts:
    """Seconds after which a connection is closed.

    Attributes:
        request: For sending a whole request, from its first byte on.
        idle: Without a request, from the connection or the last reply on.
        reply: Without reading anything of a reply that is too large for the system's buffers.
    """

    request: float = 30.0
    idle: float = 75.0
    reply: float = 30.0


@define
class Deadline:
    """The moment at which one client must have sent its request, sent another one, or read on."""

    _timeouts: Timeouts
    _owed: Owed | None = None
    _at: float = math.inf
    _unsent: int = 0

    def expect(self, owed: Owed, now: float, unsent: int = 0) -> None:
        """Starts the time for what the client owes, unless it runs already; ``unsent`` is the bytes left of a reply."""
        if owed != self._owed:
            self._owed = owed
            self._unsent = unsent
            self._at = now + getattr(self._timeouts, owed)

    def lift(self) -> None:
        """Stops the time, because the server works for the client."""
        self._owed = None
        self._at = math.inf

    def is_over(self, now: float, unsent: int) -> bool:
        """Whether the time is over; it starts again if the client has read on, so that less is unsent."""
        if now < self._at:
            return False
        if self._owed == 'reply' and unsent < self._unsent:
            self._unsent = unsent
            self._at = now + self._timeouts.reply
            return False
        return True


class Timed(Protocol):
    def check_time(self, now: float) -> None:
        """Close the connection if its client's time is over."""


async def watch(connections: Iterable[Timed], timeouts: Timeouts) -> None:
    """Look at the connections again and again; to be cancelled."""
    pause = min(LOOK, min(astuple(timeouts)) / 4)
    while True:
        await asyncio.sleep(pause)
        now = time.monotonic()
        for connection in tuple(connections):
            connection.check_time(now)
