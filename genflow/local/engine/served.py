"""The interface of a service that the fronts use: a service of this process, or one behind another front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from genflow.local.clock import Clock

__all__ = ['Begun', 'Poll', 'Served', 'Service']


class Begun(NamedTuple):
    """A call that is carried out in memory, and may not be in the file yet.

    Many calls can be begun one after the other; the first that is finished writes the changes of all of them.

    Attributes:
        finish: Waits until the file has everything that the answer shows, and gives the answer as JSON.
        is_long: Finishing takes more than a commit: it reads from the file, or asks another process.
    """

    finish: Callable[[], str]
    is_long: bool = False


class Poll(Protocol):
    """A long poll that waits without a thread; see :class:`~genflow.local.engine.held_poll.HeldPoll`."""

    @property
    def hold(self) -> float:
        """Seconds for which it is held."""

    def attempt(self, *, last: bool = False) -> str | None:
        """Take a task, or stand in line for one."""

    def abandon(self) -> None:
        """Nobody waits for the answer any more."""


class Served(Protocol):
    """Carries out calls whose answers are JSON."""

    @property
    def answers_here(self) -> bool:
        """Calls are carried out in this process; another one, which may be suspended, need not be waited for."""

    @property
    def long_poll(self) -> float:
        """Seconds for which an empty poll is held."""

    def call_json(self, operation: str, request: dict[str, Any]) -> str:
        """Carry out an operation."""

    def hold(self, operation: str, request: dict[str, Any], wake: Callable[[], None]) -> Poll:
        """Begin a long poll."""


class Service(Served, Protocol):
    """What :class:`~genflow.local.http.server.HttpServer` serves."""

    clock: Clock

    def reset(self) -> None:
        """Forget everything."""
