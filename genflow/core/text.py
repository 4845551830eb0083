"""How a value looks in a message: short, and the same in every process.

A message may end up in what a workflow answers, which a replay elsewhere has to give again to the letter.
"""

from __future__ import annotations

import re
from types import GeneratorType
from typing import Any

__all__ = ['short']

ADDRESS = re.compile(r' at 0x[0-9a-fA-F]+')


def short(value: Any, length: int = 80) -> str:
    """The beginning of a value's ``repr``, without addresses in memory or the order of hashes; never raises."""
    if isinstance(value, GeneratorType):
        text = f'{value.__name__}()'
    elif isinstance(value, (set, frozenset)):
        text = '{' + ', '.join(sorted(map(_repr, value))) + '}'
    else:
        text = ADDRESS.sub('', _repr(value))
    return text if len(text) <= length else f'{text[:length]}…'


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - too deep, or a broken __repr__ of the user's: the message goes out all the same
        return f'<a {type(value).__name__} whose repr raised {type(error).__name__}>'
