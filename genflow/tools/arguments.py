"""Arguments of workflows as people type them: JSON where it is JSON, else the text itself."""

from __future__ import annotations

import json
from typing import Any

__all__ = ['value_of']


def value_of(text: str) -> Any:
    """``5`` is a number, ``[1]`` a list, ``"5"`` and ``five`` are text; so are NaN and Infinity, which are not JSON."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def _refuse(name: str) -> Any:
    raise ValueError(f'{name} is not JSON')
