"""Places in the user's code, as texts show them."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

__all__ = ['LIBRARIES', 'shown_place']

HERE = str(Path(__file__).resolve().parents[2])
LIBRARIES = (HERE, '<', *(sysconfig.get_path(name) for name in ('stdlib', 'platstdlib', 'purelib', 'platlib')))
"""What the names of files begin with that are not the user's."""


def shown_place(place: str) -> str:
    """The place with its file as seen from the current folder, unless that was deleted."""
    try:
        return place.removeprefix(f'{os.getcwd()}{os.sep}')  # noqa: PTH109 - compared as text
    except OSError:
        return place
