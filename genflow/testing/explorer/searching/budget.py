"""The budget of a search: runs and time."""

from __future__ import annotations

import math
import time

from attrs import define, field

__all__ = ['Budget']


@define
class Budget:
    """The limits of a search.

    Attributes:
        runs: The most executions.
        until: A time of ``time.monotonic()``; ``None`` for no limit.
        used: The executions so far.
        whole: The budget of which this is a share.
        begun: When it was made, by the same clock.
    """

    runs: int
    until: float | None = None
    used: int = 0
    whole: Budget | None = None
    begun: float = field(factory=time.monotonic)

    @property
    def is_left(self) -> bool:
        return self.used < self.runs and (self.until is None or time.monotonic() < self.until)

    def share(self, part: float) -> Budget:
        """A part, from 0 to 1, of the runs and the time that are left."""
        now = time.monotonic()
        until = None if self.until is None else now + max(0.0, self.until - now) * part
        return Budget(math.ceil((self.runs - self.used) * part), until, whole=self)

    def may_exceed(self, runs: int) -> bool:
        """Whether so many more executions fit into what is left of the whole, if they take as long as those before."""
        whole, now = self.whole, time.monotonic()
        if whole is None or runs > whole.runs - whole.used:
            return False
        return whole.until is None or now + runs * (now - self.begun) / max(self.used, 1) <= whole.until

    def spend(self) -> None:
        """Counts one execution."""
        self.used += 1
        if self.whole is not None:
            self.whole.spend()
