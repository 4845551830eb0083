"""Calls that last longer than the execution itself: said at the call, for SWF says nothing of it.

An execution ends by its own time-out, an hour unless its type says otherwise. A timer that would fire later never does,
and a time limit that is longer limits nothing.
"""

from __future__ import annotations

import math

from genflow.core.calls.call import Call
from genflow.core.model.info import Info
from genflow.core.protocols import Engine
from genflow.core.text import Location, place

__all__ = ['Outlasting']


class Outlasting:
    """Looks at the calls of one execution and says once for each line what outlasts it."""

    def __init__(self, execution: Engine) -> None:
        self._execution = execution
        self._reported: set[Location | None] = set()

    def check(self, call: Call) -> None:
        """Looks at a call that was made just now."""
        lasts = call.lasts
        if lasts is None or lasts == math.inf or call.where in self._reported:
            return
        left = self._left()
        if lasts >= left:
            self._reported.add(call.where)
            info = self._execution.info
            self._execution.report(
                f'{info}: {call.label}, called at {place(call.where)}, lasts {lasts:,.0f} s, but the execution itself '
                f'times out in {left:,.0f} s: its workflow_duration is {info.workflow_duration:,.0f} s. Give the '
                'workflow a longer one, as in @workflow(..., workflow_duration=31 * 86400)'
            )

    def _left(self) -> float:
        """The seconds until the execution times out."""
        info: Info = self._execution.info
        if info.workflow_duration is None or info.started_at is None:
            return math.inf
        return info.workflow_duration - (self._execution.time - info.started_at).total_seconds()
