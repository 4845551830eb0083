"""Commits what a worker deferred, and answers lost tasks again.

A commit that fails loses everything that was deferred since the last one. A task whose start was already in the file
still waits for its answer, so the answers are sent again. Answers of tasks whose start was lost come too late, and
these tasks are handed out again. A cached execution whose decision was lost no longer matches its history, and is
removed from the cache.

If another process has the file, throttling shows only at this point. The client keeps throttled answers, so the commit
is tried again until everything is accepted or the program stops.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

from attrs import Factory, define

from genflow.swf.aws import faults
from genflow.swf.aws.client import Backoff
from genflow.swf.worker.failure_log import FailureLog
from genflow.swf.worker.sticky_cache import StickyCache

__all__ = ['Settling']

THROTTLED = Backoff(longest=1.0)
"""Pauses of throttled threads, jittered so that they do not all retry at the same moment."""

TRIES = 6
"""How often answers that could not be written are sent again, with growing pauses."""


@define(eq=False)
class Settling:
    """Commits for all threads of a worker, each for what it has deferred itself.

    Attributes:
        client: Defers answers.
        cache: Keeps executions between their decisions.
        pause: Waits so many seconds; true when waiting is pointless because the program is about to stop.
        chance: Returns a number between 0 and 1, for the jitter of pauses.
        failures: Logs commits that fail.
    """

    client: Any
    cache: StickyCache
    pause: Callable[[float], bool]
    chance: Callable[[], float] = random.SystemRandom().random  # the global stream is the program's
    failures: FailureLog = Factory(FailureLog)

    def settle(self, decided: Sequence[str] = ()) -> bool:
        """Commits what this thread deferred, or answers lost tasks again; returns whether nothing was lost.

        Args:
            decided: The runs whose executions this thread put into the cache since it last settled.

        Raises:
            Exception: The client's error, if the file cannot be written any more.
        """
        try:
            self._settle_patiently()
        except Exception as error:
            if not self.client.is_passing(error):
                raise
            self.failures.write(error, 'responses could not be written; they are sent again')
            self._forget(decided)
            self._answer_again()
            return False
        return True

    def _settle_patiently(self) -> None:
        """Settles, and repeats it while it is throttled."""
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
                self.failures.write(error, 'responses could not be sent again, in %d of %d tries', failures, TRIES)
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
