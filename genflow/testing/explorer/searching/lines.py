"""Which steps from line to line of the user's code a run has made, for a search that looks for code not yet reached.

Python 3.12 and later tell of lines by ``sys.monitoring``, and stop doing so for the code of libraries. Before that,
``sys.settrace`` is used, but never taken away from a debugger or a measurement of coverage that has it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from genflow.testing.explorer.places import LIBRARIES

__all__ = ['LineArcs']

EACH = 5
"""Which runs are watched by ``sys.settrace``: each fifth."""

TOOL = 4
"""An id of ``sys.monitoring`` that debuggers, coverage and profilers do not use."""


class LineArcs:
    """Collects the steps from one line to the next, by code object.

    Attributes:
        seen: Each step as the code, the line before (0 at its beginning) and the line.
    """

    def __init__(self) -> None:
        self.seen: set[Any] = set()
        self._runs = 0
        self._at: dict[CodeType, int] = {}
        self._users: dict[CodeType, bool] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Collects what one run does in the block, where nobody else watches."""
        self._at.clear()
        if sys.version_info >= (3, 12):
            with self._monitoring():
                yield
        elif sys.gettrace() is not None or self._is_skipped():
            yield
        else:
            sys.settrace(self._called)
            try:
                yield
            finally:
                sys.settrace(None)

    def _is_skipped(self) -> bool:
        """Whether a run is not watched, since ``sys.settrace`` makes it several times slower."""
        self._runs += 1
        return self._runs % EACH != 1

    def is_users(self, code: CodeType) -> bool:
        """Whether code is the user's and no library's."""
        known = self._users.get(code)
        if known is None:
            known = self._users[code] = not code.co_filename.startswith(LIBRARIES)
        return known

    def line(self, code: CodeType, number: int) -> None:
        """The next line of some code is about to run."""
        self.seen.add((code, self._at.get(code, 0), number))
        self._at[code] = number

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._traced if self.is_users(frame.f_code) else None

    def _traced(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == 'line':
            self.line(frame.f_code, frame.f_lineno)
        return self._traced

    @contextmanager
    def _monitoring(self) -> Iterator[None]:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        if monitoring.get_tool(TOOL) is not None:
            yield
            return

        def line(code: CodeType, number: int) -> Any:
            if not self.is_users(code):
                return monitoring.DISABLE
            self.line(code, number)
            return None

        monitoring.use_tool_id(TOOL, 'genflow explore')
        monitoring.register_callback(TOOL, monitoring.events.LINE, line)
        monitoring.set_events(TOOL, monitoring.events.LINE)
        try:
            yield
        finally:
            monitoring.set_events(TOOL, monitoring.events.NO_EVENTS)
            monitoring.register_callback(TOOL, monitoring.events.LINE, None)
            monitoring.free_tool_id(TOOL)
