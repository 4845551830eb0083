"""An exception of a signal handler, at any line of the embedded service."""

from __future__ import annotations

import sys
from pathlib import Path

import genflow.local

OURS = str(Path(genflow.local.__file__).parent)


class Interrupted(BaseException):
    """What the signal handler raises."""


class Lines:
    """Raises :class:`Interrupted` when the calling thread comes to its ``number``th line of the service."""

    def __init__(self, number):
        self.left = number

    def __enter__(self):
        sys.settrace(self._enter)
        return self

    def __exit__(self, *exception):
        sys.settrace(None)

    def _enter(self, frame, event, arg):
        code = frame.f_code
        # The interpreter swallows exceptions in finalizers.
        finalizes = '__del__' in (code.co_name, frame.f_back.f_code.co_name)
        return self._line if code.co_filename.startswith(OURS) and not finalizes else None

    def _line(self, frame, event, arg):
        if event == 'line':
            self.left -= 1
            if self.left == 0:
                raise Interrupted
        return self._line
