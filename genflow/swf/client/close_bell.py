"""A bell that rings when the run closes that somebody waits for.

Only an embedded service whose file this process has open can tell; with any other, the bell never rings. So those who
wait look again after their pauses in any case, and the bell only ends a pause early.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field

__all__ = ['CloseBell']


@define(eq=False)
class CloseBell:
    """Rings once for each run that is waited for.

    Attributes:
        swf: The client.
        domain: Of the runs.
        ring: Called from any thread; must neither block nor call the service.
    """

    swf: Any
    domain: str
    ring: Callable[[], None]
    _run: Mapping[str, str] | None = field(default=None, init=False)
    _leave: Callable[[], None] | None = field(default=None, init=False)

    def wait_for(self, run: Mapping[str, str] | None) -> None:
        """Rings from now on when that run closes: at once if it has closed by now, never for a run that it rang for.

        Args:
            run: Its ``workflowId`` and ``runId``; ``None`` for none.
        """
        if run is None or run == self._run:
            return
        self.leave()
        self._run = run
        on_close = getattr(self.swf, 'on_close', None)
        if on_close is not None:
            self._leave = on_close(self.domain, run['workflowId'], run['runId'], self.ring)

    def leave(self) -> None:
        """Rings no more; never blocks."""
        if self._leave is not None:
            self._leave()
            self._leave = None
