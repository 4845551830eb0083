"""JSON without spaces, as events and answers are kept and sent.

The encoder is made once: ``json`` makes one at each call, which is half of what an event costs. Nothing that is written
here contains itself, so nobody looks for that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

__all__ = ['encode', 'portions', 'quoted']

T = TypeVar('T')

quoted: Callable[[str], str] = json.encoder.encode_basestring_ascii
"""The JSON of a text."""

_encoder = json.JSONEncoder(separators=(',', ':'), check_circular=False)
_make_encoder = getattr(json.encoder, 'c_make_encoder', None)  # what json uses itself, where it is compiled


def _made_once() -> Callable[[Any], str]:
    if _make_encoder is None:
        return _encoder.encode
    pieces = _make_encoder(None, _encoder.default, quoted, None, ':', ',', False, False, True)
    return lambda value: ''.join(pieces(value, 0))


encode = _made_once()
"""The JSON of a value: text, a number, or lists and dicts of such."""


def portions(items: Sequence[T], most: int) -> Iterator[list[T]]:
    """Items in portions of so many bytes as JSON at most.

    An item that takes more is a portion of its own. Where there are no items, there is one portion, which is empty.
    """
    if not items[1:2]:
        yield list(items)
        return
    first, size = 0, 0
    for number, item in enumerate(items):
        added = len(encode(item))  # ASCII alone
        if size + added > most and number > first:
            yield list(items[first:number])
            first, size = number, 0
        size += added
    yield list(items[first:])
