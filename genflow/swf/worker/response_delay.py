"""Delays answers of executions with long histories, to save events.

SWF ends an execution at 25,000 events. Each decision costs three of them, so a thousand activities that end one by one
cost twice the events of a thousand that are decided on together. Events that arrive while a decision is being made are
input of the next one. So if several tasks are open and the history is long, the answer is delayed until a few more of
them have ended. Their number depends on the length of the history. The delay is computed from the rate at which tasks
of this execution end: milliseconds for fast ones, at most a second. If no task ended during a delay, the next answers
are not delayed.
"""

from __future__ import annotations

from attrs import evolve, frozen

__all__ = ['LONG_HISTORY', 'STEP', 'UNDELAYED', 'ResponseDelay']

LONG_HISTORY = 10_000
"""Events from which SWF's guide asks an execution to end, and its worker warns."""

STEP = 5_000
"""Events after which the number of tasks to wait for doubles; below that, none is waited for."""

LONGEST = 1.0
"""The longest delay of an answer in seconds."""

REST = 20
"""Number of answers without a delay after a delay in which no task ended."""


@frozen
class ResponseDelay:
    """How fast the tasks of an execution end. Times are seconds of one clock.

    Attributes:
        decided_at: When it was decided last; 0 before the first time.
        interval: From the end of one task to the next, lately; 0 where that is unknown.
        held: The delay of the last answer.
        resting: Number of next answers without a delay.
    """

    decided_at: float = 0.0
    interval: float = 0.0
    held: float = 0.0
    resting: int = 0

    def decided(self, now: float, ended: int) -> ResponseDelay:
        """The updated value after another decision, before which so many tasks had ended."""
        if not self.decided_at:
            return ResponseDelay(now)
        elapsed = now - self.decided_at
        if self.held and ended <= 1:
            return ResponseDelay(now, elapsed - self.held, resting=REST)
        return ResponseDelay(now, elapsed / max(1, ended), resting=max(0, self.resting - 1))

    def holding(self, events: int, open_tasks: int) -> ResponseDelay:
        """The updated value with :attr:`held` set to the delay of the next answer.

        Args:
            events: The length of the history.
            open_tasks: Number of open tasks; a single one is not waited for.
        """
        further = min(1 << events // STEP, open_tasks) - 1
        if self.resting or further <= 0:
            return self
        return evolve(self, held=min(further * self.interval, LONGEST))


UNDELAYED = ResponseDelay()
"""Of an execution of which nothing is known yet."""
