"""Long polls that wait for a task without a thread, and the attempts to answer them.

Theory of operation. A poll that finds no task waits in the queue of its task list, and a timer waits for the end of its
time. When the service calls back, another attempt is made, as for a request that has just arrived. The last attempt,
made when the time is over or the client has disconnected, answers the poll in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from genflow.local.engine.served import Poll
from genflow.local.http.aws_json import Call, Reply

__all__ = ['Attempts', 'Held', 'Holding']


class Notification:
    """Keeps a notification that another attempt at a poll may succeed, and passes it to a callback.

    It is an object of its own, so that the service's poll holds no reference to the :class:`Held` that holds it.
    """

    def __init__(self) -> None:
        self._is_notified = False
        self._listener: Callable[[], None] | None = None

    def notify(self) -> None:
        """Notes that another attempt may succeed, and calls the callback, if there is one."""
        self._is_notified = True
        if self._listener is not None:
            self._listener()

    def on_notify(self, listener: Callable[[], None]) -> None:
        """Calls ``listener`` at each notification; at once if there has been one."""
        self._listener = listener
        if self._is_notified:
            listener()

    def leave(self) -> None:
        """Removes the callback."""
        self._listener = None


class Held:
    """A poll that waits.

    Attributes:
        call: The call that polls.
        poll: The service's part of it.
        notification: Says when another attempt may succeed.
    """

    poll: Poll

    def __init__(self, call: Call) -> None:
        self.call = call
        self.notification = Notification()

    def stand(self, later: Callable[[Callable[[], None]], None]) -> Poll:
        """Has the service hold the poll.

        Args:
            later: Makes a call on the event loop's thread, from any thread.

        Raises:
            ServiceError: The service refuses, as it refuses a poll that does not wait.
        """
        call, notify = self.call, self.notification.notify
        self.poll = call.service.hold(call.operation, call.members, lambda: later(notify))
        return self.poll

    def is_of(self, leaving: Call) -> bool:
        """Whether the sender of a poll that leaves sent this one too: same list, same identity."""
        same = ('domain', 'taskList', 'identity')
        return (
            self.call.service is leaving.service
            and self.call.operation == leaving.operation
            and all(self.call.members.get(name) == leaving.members.get(name) for name in same)
        )


class Attempts(Protocol):
    """What makes the attempts: the dispatcher."""

    loop: asyncio.AbstractEventLoop

    def attempt(self, held: Held, finish: Callable[[Reply | Held], None], *, last: bool) -> None:
        """Makes an attempt; ``finish`` gets the reply, or the poll itself if it waits again."""


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
        self._is_notified = False
        self._is_last = False
        self._is_busy = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Starts the time of the poll, and waits for the service to call back."""
        self._timer = self._attempts.loop.call_later(max(0.0, self.held.poll.hold), self._expire)
        self.held.notification.on_notify(self._notify)

    def abandon(self) -> None:
        """Ends the poll, because nobody waits for its answer any more."""
        self.held.poll.abandon()
        self._notify()

    def _notify(self) -> None:
        self._is_notified = True
        self._attempt()

    def _expire(self) -> None:
        self._is_last = True
        self._attempt()

    def _attempt(self) -> None:
        if not self._is_busy:
            self._is_busy, self._is_notified = True, False
            self._attempts.attempt(self.held, self._attempted, last=self._is_last)

    def _attempted(self, outcome: Reply | Held) -> None:
        if isinstance(outcome, Reply):  # busy for ever: what rings from now on is too late
            if self._timer is not None:
                self._timer.cancel()
            self.held.notification.leave()
            self._finish(outcome)
            return
        self._is_busy = False
        if self._is_notified or self._is_last:
            self._attempt()
