"""Walks through the user's lists, tuples and dicts, which may be shared, deeply nested, or contain themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from genflow.core.payloads.hooks import MAX_DEPTH

__all__ = ['check_nesting', 'contents']

_PLAIN = frozenset({str, int, float, bool, type(None), bytes})


def contents(values: Iterable[Any]) -> Iterator[Any]:
    """Some values and everything nested in them, in order; a container that stands in several places comes once."""
    pending = _open(values)
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        yield value
        if isinstance(value, (list, tuple, dict)) and id(value) not in seen:
            seen.add(id(value))
            pending += _open(_inside(value))


def check_nesting(values: Iterable[Any]) -> None:
    """Refuses values that contain themselves or are nested too deeply, before anything else walks through them.

    Raises:
        ValueError: One contains itself, or is nested more than :data:`MAX_DEPTH` levels deep.
    """
    around: list[int] = []
    pending: list[Any] = _open(values)
    while pending:
        value = pending.pop()
        if value is _END:
            around.pop()
        elif isinstance(value, (list, tuple, dict)):
            if id(value) in around:
                raise ValueError(f'a {type(value).__name__} contains itself, so it cannot be serialized')
            if len(around) >= MAX_DEPTH:
                raise ValueError(f'a value is nested more than {MAX_DEPTH} levels deep')
            around.append(id(value))
            pending += [_END, *_open(_inside(value))]


_END = object()
"""Stands where a container that is being walked through ends."""


def _inside(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> Collection[Any]:
    return value.values() if isinstance(value, dict) else value


def _open(values: Iterable[Any]) -> list[Any]:
    """Those of the values that may be worth a look, the first one last."""
    return [value for value in values if type(value) not in _PLAIN][::-1]
