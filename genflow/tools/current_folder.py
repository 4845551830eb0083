"""The folder that a command was started in, which may have been deleted meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ['current_folder', 'shown_place']

DELETED = Path('a folder that was deleted')
"""The text for it in messages, which contains no path."""


def current_folder() -> Path:
    """The current folder, for messages and for showing shorter paths."""
    try:
        return Path.cwd()
    except OSError:
        return DELETED


def shown_place(place: Any) -> str:
    """A place in the code (``genflow.insight.code.Place``), with the file as seen from here where that is shorter."""
    if place is None:
        return 'at an unknown place'
    path, here = Path(place.file), current_folder()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f'{shown}:{place.line} in {place.function}'
