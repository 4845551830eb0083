"""Long polls that stand in line, and the attempts at them.

Theory of operation. A poll that finds nothing costs no thread: it stands in the service's line, and one timer waits for
the end of its time. When it is rung for, another attempt is made, like a request that has just arrived; the last one,
when its time is over or its client is gone, ends it in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from genflow.local.engine.served import Poll
from genflow.local.http.aws_json import Call, Reply

__all__ = ['Attempts', 'Held', 'Holding']


class Bell:
    """Rings when another attempt at a poll may succeed; for itself, so that the poll holds nothing that holds it."""

    def __init__(self) -> None:
        self._is_rung = False
        self._listener: Callable[[], None] | None = None

    def ring(self) -> None:
        self._is_rung = True
        if self._listener is not None:
            self._listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have this called whenever it rings; at once if it has already."""
        self._listener = listener
        if self._is_rung:
            listener()

    def leave(self) -> None:
        """Nobody listens any more."""
        self._listener = None


class Held:
    """A poll that stands in line.

    Attributes:
        call: Asked for it.
        poll: Of the service.
        bell: Rings for it.
    """

    poll: Poll

    def __init__(self, call: Call) -> None:
        self.call = call
        self.bell = Bell()

    def stand(self, later: Callable[[Callable[[], None]], None]) -> Poll:
        """Have the service hold it.

        Args:
            later: Makes a call on the loop's thread.

        Raises:
            ServiceError: The service refuses.
        """
        call, ring = self.call, self.bell.ring
        self.poll = call.service.hold(call.operation, call.members, lambda: later(ring))
        return self.poll

    def is_of(self, leaving: Call) -> bool:
        """Whether it was sent by the one who leaves: to the same list, with the same identity."""
        same = ('domain', 'taskList', 'identity')
        return (
            self.call.service is leaving.service
            and self.call.operation == leaving.operation
            and all(self.call.members.get(name) == leaving.members.get(name) for name in same)
        )


class Attempts(Protocol):
    """Who makes attempts."""

    loop: asyncio.AbstractEventLoop

    def attempt(self, held: Held, finish: Callable[[Reply | Held], None], *, last: bool) -> None:
        """Make one; ``finish`` gets the reply, or the poll itself where it stands in line again."""


class Holding:
    """Makes attempts at a poll until one is answered; on the loop's thread.

    Args:
        held: The poll.
        attempts: Makes them.
        finish: Gets the reply.
    """

    def __init__(self, held: Held, attempts: Attempts, finish: Callable[[Reply], None]) -> None:
        self.held = held
        self._attempts = attempts
        self._finish = finish
        self._is_rung = False
        self._is_last = False
        self._is_busy = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Hold it from now on."""
        self._timer = self._attempts.loop.call_later(max(0.0, self.held.poll.hold), self._expire)
        self.held.bell.listen(self._ring)

    def abandon(self) -> None:
        """Nobody waits for the answer any more."""
        self.held.poll.abandon()
        self._ring()

    def _ring(self) -> None:
        self._is_rung = True
        self._attempt()

    def _expire(self) -> None:
        self._is_last = True
        self._attempt()

    def _attempt(self) -> None:
        if not self._is_busy:
            self._is_busy, self._is_rung = True, False
            self._attempts.attempt(self.held, self._attempted, last=self._is_last)

    def _attempted(self, outcome: Reply | Held) -> None:
        if isinstance(outcome, Reply):  # busy for ever: what rings from now on is too late
            if self._timer is not None:
                self._timer.cancel()
            self.held.bell.leave()
            self._finish(outcome)
            return
        self._is_busy = False
        if self._is_rung or self._is_last:
            self._attempt()
