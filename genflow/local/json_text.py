"""JSON without spaces, as events and answers are kept and sent.

The encoder is made once: ``json`` makes one at each call, which is half of what an event costs. Nothing that is written
here contains itself, so nobody looks for that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_encoder = json.JSONEncoder(separators=(',', ':'), check_circular=False)
_make_encoder = getattr(json.encoder, 'c_make_encoder', None)  # what json uses itself, where it is compiled


def _made_once() -> Callable[[Any], str]:
    if _make_encoder is None:
        return _encoder.encode
    pieces = _make_encoder(
        None, _encoder.default, json.encoder.encode_basestring_ascii, None, ':', ',', False, False, True
    )
    return lambda value: ''.join(pieces(value, 0))


#: the JSON of a value: text, a number, or lists and dicts of such.
encode = _made_once()
