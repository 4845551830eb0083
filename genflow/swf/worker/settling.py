"""Waiting until the file has what a worker deferred, and answering again what got lost.

A commit that fails takes all with it that was deferred since the last one. A task whose start was in the file before
is still there and waits for its answer, so the answers are given again; those of tasks whose start got lost come too
late, and these tasks are handed out anew. An execution that was decided on and kept is not what its history says any
more, and leaves the cache.

Behind a leader, throttling is known only now. The client keeps what was throttled, so settling is tried again until
everything is through or the program stops.
"""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field

from genflow.swf.aws import faults
from genflow.swf.aws.client import Backoff
from genflow.swf.worker.sticky_cache import StickyCache

__all__ = ['Settling']

log = logging.getLogger('genflow.worker')

THROTTLED = Backoff(longest=1.0)
"""Pauses of threads that are throttled, which do not all come back at the same moment."""

TRIES = 6
"""How often answers that could not be written are given again, with growing pauses."""


@define(eq=False)
class Settling:
    """What all threads of a worker settle through, each for what it has deferred itself.

    Attributes:
        client: Defers answers.
        cache: Keeps executions between their decisions.
        pause: Waits so many seconds; true when waiting is pointless because the program is about to stop.
        chance: A number between 0 and 1, by which pauses differ.
    """

    client: Any
    cache: StickyCache
    pause: Callable[[float], bool]
    chance: Callable[[], float] = field(factory=lambda: random.Random().random)  # the global stream is the program's

    def settle(self, decided: Sequence[str] = ()) -> bool:
        """Has everything written that this thread deferred, or answers again what got lost; whether it went well.

        Args:
            decided: The runs whose executions this thread put into the cache since it last settled.

        Raises:
            Exception: The client's error, where the file will never be written any more.
        """
        try:
            self._settle_patiently()
        except Exception as error:
            if not self.client.is_passing(error):
                raise
            log.exception('responses could not be written; they are sent again')
            self._forget(decided)
            self._answer_again()
            return False
        return True

    def _settle_patiently(self) -> None:
        """Settles, as often as it is throttled."""
        for failures in itertools.count(1):
            try:
                self.client.settle()
            except Exception as error:
                if not faults.is_throttled(error) or self.pause(THROTTLED.pause(failures, self.chance())):
                    raise
            else:
                return

    def _forget(self, decided: Sequence[str]) -> None:
        for run_id in decided:
            kept = self.cache.take(run_id)
            if kept is not None:
                kept.execution.close()

    def _answer_again(self) -> None:
        calls = self.client.lost()
        for failures in range(1, TRIES + 1):
            try:
                for method, request in calls:
                    self._answer(method, request)
                self.client.settle()
            except Exception as error:
                if not (self.client.is_passing(error) or faults.is_transient(error)):
                    raise
                log.exception('responses could not be sent again, in %d of %d tries', failures, TRIES)
                self.client.lost()
                if self.pause(Backoff().pause(failures, 1.0)):
                    return
            else:
                return

    def _answer(self, method: str, request: dict[str, Any]) -> None:
        try:
            getattr(self.client, method)(**request)
        except Exception as error:
            if not faults.is_late(error):  # as it is where the task's start got lost too
                raise
