"""Warnings of workers and workflows, shown to the user of a command."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from genflow.core.errors import GenflowError
from genflow.tools.text.terminal_text import escape_controls

__all__ = ['warnings_on_stderr']


class _Shown(logging.Handler):
    """Writes to the current stderr: a live table replaces it, and prints such lines above itself.

    A line that was written past the table would be wiped away when that is drawn the next time.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(escape_controls(self.format(record)), file=sys.stderr, flush=True)
        except Exception:  # noqa: BLE001 (as every handler: what cannot be shown must not end what is told of)
            self.handleError(record)


@contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Shows log records of level WARNING and above, except those that the command reports itself."""
    handler = _Shown()
    handler.setFormatter(logging.Formatter('%(name)s: %(message)s'))
    handler.addFilter(_is_news)
    logger = logging.getLogger('genflow')
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether the command does not report it itself: it ends with, and prints, an error that holds an execution."""
    return not isinstance(getattr(record, 'error', None), GenflowError)
