"""A place in line at the leader, in which a thread of this process waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from genflow.local.engine.rounds import Rounds
from genflow.local.errors import ServiceError, StoreError
from genflow.local.shared.link import Abandoning, ConnectionLost
from genflow.local.shared.round_calls import HeldWait, wanted
from genflow.local.state.answers import Caller

__all__ = ['WaitForTasks']


class WaitForTasks:
    """Has somebody rung when there may be a task in one of several lists, or another leader to ask.

    Args:
        wait: Waits, until it is abandoned at the latest.
        wants: The lists, as JSON has them.
        ring: Called once, from any thread, unless the place was left before.
    """

    def __init__(self, wait: Callable[[WaitForTasks], None], wants: Sequence[Any], ring: Callable[[], None]) -> None:
        self.abandoning = Abandoning()
        self.wants = wants
        self._wait = wait
        self._ring = ring
        self._news = threading.Event()
        self._refusal: ServiceError | None = None
        threading.Thread(target=self._run, name='genflow-local-wait', daemon=True).start()

    def leave(self) -> None:
        """Wait no longer.

        Raises:
            ServiceError: Nobody may wait there.
        """
        self.abandoning.abandon()
        self._news.set()
        if self._refusal is not None:
            raise self._refusal

    def _run(self) -> None:
        try:
            self._wait(self)
        except ServiceError as error:
            self._refusal = error
        except (ConnectionLost, StoreError):
            pass  # the next round gets it
        finally:
            if not self.abandoning.is_over:
                self._ring()

    def wait_here(self, rounds: Rounds, wants: Sequence[Any], process: str, hold: float) -> None:
        """Wait in the line of a service of this process."""
        held = HeldWait(rounds, wanted(wants), Caller(process), self._news.set, hold)
        if held.attempt() is None:
            woken = self._news.wait(hold)
            held.attempt(last=not woken or self.abandoning.is_over)
