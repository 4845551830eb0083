"""Schedules as text: ``gx1`` and the choices that were made, to be played again later and elsewhere.

A schedule names its choices instead of counting them, so that a change of the code elsewhere leaves most of it true:
a choice that is not to be had any more is left out, and where the text ends everything goes first in first out.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

__all__ = ['read_schedule', 'schedule_id']

PREFIX = 'gx1'


def schedule_id(labels: Sequence[str]) -> str:
    """The id of a schedule."""
    packed = zlib.compress('\n'.join(labels).encode(), 9)
    return PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip('=')


def read_schedule(text: str) -> list[str]:
    """The choices that an id stands for.

    Raises:
        ValueError: It is no schedule id.
    """
    if not text.startswith(PREFIX):
        raise ValueError(f'{text!r} is not a schedule id: it must begin with {PREFIX}')
    body = text[len(PREFIX) :]
    try:
        packed = base64.b64decode(body + '=' * (-len(body) % 4), altchars=b'-_', validate=True)
        return [label for label in zlib.decompress(packed).decode().split('\n') if label]
    except (ValueError, zlib.error) as error:
        raise ValueError(f'{text!r} is not a schedule id, or is cut off: {error}') from error
