"""Slower answers for histories that fill up.

SWF ends an execution at 25,000 events. Each decision costs three of them, so a thousand activities that end one by one
cost twice the events of a thousand that are decided on together. What happens while a decision is being made becomes
input of the next; so where several tasks are open, and the history has grown long, the answer is held back for as long
as it takes a few more of them to end. How many is a matter of how long the history is; how long that takes is measured
on the execution itself, so that fast ones are held back for milliseconds, and none for more than a second. Where
nothing more ended in that time, waiting is no use for a while.
"""

from __future__ import annotations

from attrs import evolve, frozen

__all__ = ['LONG_HISTORY', 'STEP', 'ResponseDelay']

LONG_HISTORY = 10_000
"""Events from which SWF's guide asks an execution to end, and its worker warns."""

STEP = 5_000
"""Events after which the number of tasks to wait for doubles; below that, none is waited for."""

LONGEST = 1.0
"""Seconds that an answer is held back at most."""

REST = 20
"""Decisions for which nothing is held back after waiting was no use."""


@frozen
class ResponseDelay:
    """How fast the tasks of an execution end. Times are seconds of one clock.

    Attributes:
        decided_at: When it was decided last; 0 before the first time.
        interval: From the end of one task to the next, lately; 0 where that is unknown.
        held: For how long the last answer was held back.
        resting: Decisions for which none is to be held back.
    """

    decided_at: float = 0.0
    interval: float = 0.0
    held: float = 0.0
    resting: int = 0

    def decided(self, now: float, ended: int) -> ResponseDelay:
        """The pace after another decision, before which so many tasks had ended."""
        if not self.decided_at:
            return ResponseDelay(now)
        elapsed = now - self.decided_at
        if self.held and ended <= 1:
            return ResponseDelay(now, elapsed - self.held, resting=REST)
        return ResponseDelay(now, elapsed / max(1, ended), resting=max(0, self.resting - 1))

    def holding(self, events: int, open_tasks: int) -> ResponseDelay:
        """The pace with :attr:`held` set to how long the answer is to be held back.

        Args:
            events: The length of the history.
            open_tasks: What may end meanwhile; waiting for the only one is no use.
        """
        further = min(1 << events // STEP, open_tasks) - 1
        if self.resting or further <= 0:
            return self
        return evolve(self, held=min(further * self.interval, LONGEST))
