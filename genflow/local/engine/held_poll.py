"""A long poll without a thread, for a server that holds a thousand of them.

Theory of operation. Whoever serves the poll makes an *attempt*: it gives the answer, or leaves the poll standing in
the list's line. Then ``wake`` is called when a task may be there, and the server attempts again; somebody else may have
been quicker, so that can happen many times. The last attempt, when the poll has been held for as long as polls are,
answers in any case. Attempts write to the file, so whoever makes one waits for the disk; one who makes several begins
all of them first. Between attempts the poll costs no thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from genflow.local.engine.served import Begun
from genflow.local.engine.service import Service
from genflow.local.state.answers import ANYBODY, Caller
from genflow.local.state.task_lists import CallbackWaiter, Waiter

__all__ = ['HeldPoll']


class HeldPoll:
    """One long poll; made by :meth:`genflow.local.LocalSWF.hold`. Attempts are made by one thread at a time."""

    def __init__(
        self,
        service: Service,
        operation: str,
        request: Any,
        wake: Callable[[], None],
        *,
        caller: Caller = ANYBODY,
        hold: float | None = None,
    ) -> None:
        self._service = service
        self._operation = operation
        self._request = service.hold(operation, request)
        self._wake = wake
        self._caller = caller
        self._hold = service.long_poll if hold is None else hold
        self._place: Waiter | None = None
        self._abandoned = False

    @property
    def hold(self) -> float:
        """Seconds for which the poll is held."""
        return self._hold

    def attempt(self, *, last: bool = False) -> str | None:
        """Take a task, or stand in line for one.

        Args:
            last: The poll will not wait any longer.

        Returns:
            The answer as JSON; None when the poll stands in line.

        Raises:
            ServiceError: The service refuses; the poll is over.
            StoreError: The file cannot keep it; the poll is over.
        """
        begun = self.begin(last=last)
        return None if begun is None else begun.finish()

    def begin(self, *, last: bool = False) -> Begun | None:
        """As :meth:`attempt`, up to the moment in which the file is waited for."""
        stand = None if last else partial(CallbackWaiter, self._wake)
        found = self._service.attempt(
            self._operation, self._request, self._is_abandoned, self._place, stand, self._caller
        )
        if isinstance(found, Waiter):
            self._place = found
            return None
        self._place = None
        return found

    def abandon(self) -> None:
        """Nobody waits for the answer any more; may be called from any thread, and never blocks.

        It takes a last attempt to leave the line: that takes no task, and wakes the next poll for one that was meant
        for this. An attempt under way in another thread may learn of it too late, and then has taken its task.
        """
        self._abandoned = True

    def _is_abandoned(self) -> bool:
        return self._abandoned
