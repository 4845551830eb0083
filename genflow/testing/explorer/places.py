"""Places in the user's code, as texts show them."""

from __future__ import annotations

import os

__all__ = ['shown_place']


def shown_place(place: str) -> str:
    """The place with its file as seen from the current folder, unless that was deleted."""
    try:
        return place.removeprefix(f'{os.getcwd()}{os.sep}')  # noqa: PTH109 - compared as text
    except OSError:
        return place
