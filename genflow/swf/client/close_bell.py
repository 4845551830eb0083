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
    _is_over: bool = field(default=False, init=False)

    def wait_for(self, run: Mapping[str, str] | None) -> None:
        """Rings from now on when that run closes: at once if it has closed by now, never for a run that it rang for.

        Args:
            run: Its ``workflowId`` and ``runId``; ``None`` for none.
        """
        if run is None or run == self._run:
            return
        self._forget()
        self._run = run
        on_close = getattr(type(self.swf), 'on_close', None)  # a wrapper forwards methods that it may not know
        if on_close is not None:
            self._leave = on_close(self.swf, self.domain, run['workflowId'], run['runId'], self.ring)
        if self._is_over:
            self._forget()

    def leave(self) -> None:
        """Rings no more, for no run; never blocks. Another thread may still be in :meth:`wait_for`."""
        self._is_over = True
        self._forget()

    def _forget(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
