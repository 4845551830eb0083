"""Refuses tasks and branches in values that are serialized, because their results were meant."""

from __future__ import annotations

from types import GeneratorType
from typing import Any

__all__ = ['check_settled']


def check_settled(value: Any) -> None:
    """Refuses a value with a task or a branch in it, as an item or as the key of a dict.

    Raises:
        TypeError: It has one; the message says how to get the result.
    """
    pending = [value]
    seen: set[int] = set()
    while pending:
        found = pending.pop()
        if _is_task(found):
            raise found.misused('is written as if it were its result', '(yield task)')
        if isinstance(found, GeneratorType):
            raise TypeError(f'{found.__qualname__}() is a branch: yield it first, as in `(yield self.branch())`')
        if isinstance(found, (dict, list, tuple, set, frozenset)) and id(found) not in seen:
            seen.add(id(found))
            if isinstance(found, dict):
                for key in filter(_is_task, found):
                    raise key.misused('is the key of a dict', '{(yield task): x}')
                pending += [*found.keys(), *found.values()]
            else:
                pending += found


def _is_task(value: Any) -> bool:
    """Whether it is a task: this folder comes before theirs."""
    return hasattr(type(value), 'misused')
