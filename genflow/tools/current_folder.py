"""The folder that a command was started in, which may have been deleted meanwhile."""

from __future__ import annotations

from pathlib import Path

__all__ = ['current_folder']

DELETED = Path('a folder that was deleted')
"""Stands for it in messages; no path is in it."""


def current_folder() -> Path:
    """The current folder, for messages and for showing shorter paths."""
    try:
        return Path.cwd()
    except OSError:
        return DELETED
