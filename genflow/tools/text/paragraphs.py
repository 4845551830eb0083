"""Paragraphs for the terminal: as wide as people read well, and never wider than the terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap

__all__ = ['terminal_width', 'wrapped']

READABLE = 100
"""Columns of a paragraph that people read well."""

NARROWEST = 30


def terminal_width() -> int | None:
    """The columns of the terminal that stdout is; ``None`` where it is a pipe or a file."""
    return shutil.get_terminal_size((READABLE, 0)).columns if sys.stdout.isatty() else None


def wrapped(text: str, indent: str = '', hanging: str = '  ', width: int | None = None) -> list[str]:
    """The lines of a paragraph; words, and so ids and paths, are never broken.

    Args:
        text: The paragraph.
        indent: Before its first line.
        hanging: Before each further line, beside the indent.
        width: Its columns; the narrower of the terminal and what is readable unless given.
    """
    columns = width or min(READABLE, max(NARROWEST, terminal_width() or READABLE))
    return textwrap.wrap(
        text,
        columns,
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
