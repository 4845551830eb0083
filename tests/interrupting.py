"""An exception of a signal handler, at any line of the embedded service or of another part."""

from __future__ import annotations

import sys
from pathlib import Path

import genflow.local

OURS = str(Path(genflow.local.__file__).parent)


class Interrupted(BaseException):
    """What the signal handler raises."""


class Lines:
    """Raises :class:`Interrupted` when the calling thread comes to its ``number``th line of the service.

    Attributes:
        left: The lines until then; below 1 once it is raised.
    """

    def __init__(self, number, path=OURS, error=Interrupted):
        self.left = number
        self.path = path
        self.error = error

    def __enter__(self):
        sys.settrace(self._enter)
        return self

    def __exit__(self, *exception):
        sys.settrace(None)

    def _enter(self, frame, event, arg):
        code = frame.f_code
        # The interpreter swallows exceptions in finalizers.
        finalizes = '__del__' in (code.co_name, frame.f_back.f_code.co_name)
        return self._line if code.co_filename.startswith(self.path) and not finalizes else None

    def _line(self, frame, event, arg):
        if event == 'line':
            self.left -= 1
            if self.left == 0:
                raise self.error
        return self._line
