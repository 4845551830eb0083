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
"""Seconds between two looks, at most."""

Owed = Literal['request', 'idle', 'reply']


@frozen(kw_only=True)
class Timeouts:
    """Seconds after which a connection is closed.

    Attributes:
        request: To send the whole of a request, from its first byte on.
        idle: Without a request, from the beginning or the last reply on.
        reply: To read on, while a reply is too large for the system's buffers.
    """

    request: float = 30.0
    idle: float = 75.0
    reply: float = 30.0


@define
class Deadline:
    """Until when one client must do what it owes."""

    _timeouts: Timeouts
    _owed: Owed | None = None
    _at: float = math.inf
    _unsent: int = 0

    def expect(self, owed: Owed, now: float, unsent: int = 0) -> None:
        """The client owes this; its time goes on where it did already."""
        if owed != self._owed:
            self._owed = owed
            self._unsent = unsent
            self._at = now + getattr(self._timeouts, owed)

    def lift(self) -> None:
        """The client owes nothing: the server works for it."""
        self._owed = None
        self._at = math.inf

    def is_over(self, now: float, unsent: int) -> bool:
        """The client's time is over; one that has read on meanwhile, so that less is unsent, gets it anew."""
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
