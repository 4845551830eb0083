"""Reads type hints, each by itself, so that one that cannot be read does not disable the others.

Hints may be text (``from __future__ import annotations``), contain text (``list['Tree']``), and name what is imported
for type checkers only.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import operator
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any

__all__ = ['Unreadable', 'Unwritable', 'filled', 'hints_of_fields', 'hints_of_function', 'report_once', 'resolved']

log = logging.getLogger('genflow')


class Unwritable(Exception):
    """A value is of a type that cannot be written as JSON; never seen outside."""


@functools.lru_cache(maxsize=1024)
def report_once(message: str) -> None:
    """Says what is wrong with a hint, once."""
    log.warning('%s', message)


class Unreadable:
    """Stands for a hint whose name does not exist at run time.

    Attributes:
        reason: Why it cannot be read.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason


def hints_of_function(function: Any, owner: type) -> dict[str, Any]:
    """The hints of a function's parameters and of its result, by name; ``return`` is the result's.

    Args:
        function: The function.
        owner: The class whose method it is; what stands in its body may be named, too.
    """
    names: dict[str, Any] = {}
    for cls in reversed(owner.__mro__):
        names.update(vars(cls))
    names.update(getattr(function, '__globals__', {}))
    names.update(_enclosed(function))
    return {name: resolved(hint, names) for name, hint in getattr(function, '__annotations__', {}).items()}


def _enclosed(function: Any) -> dict[str, Any]:
    """What a function takes from the functions around it, as far as it is there yet."""
    names = getattr(getattr(function, '__code__', None), 'co_freevars', ())
    found: dict[str, Any] = {}
    for name, cell in zip(names, getattr(function, '__closure__', None) or (), strict=False):
        with contextlib.suppress(ValueError):  # a cell is empty until its variable is set
            found[name] = cell.cell_contents
    return found


def hints_of_fields(cls: type) -> dict[str, Any]:
    """The hints of a class's fields, by name, those of its bases included."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        names = {**getattr(sys.modules.get(base.__module__), '__dict__', {}), **vars(base), base.__name__: base}
        for name, hint in inspect.get_annotations(base).items():
            found[name] = resolved(hint, names)
    return found


def resolved(hint: Any, names: Mapping[str, Any]) -> Any:
    """A hint with every text in it replaced by the type that it names; :class:`Unreadable` where that is impossible."""
    try:
        return _inside(
            typing.get_type_hints(types.SimpleNamespace(__annotations__={'it': hint}), dict(names))['it'], names
        )
    except Exception as error:  # noqa: BLE001 - evaluating a hint runs what the user wrote there
        return Unreadable(f'{type(error).__name__}: {error}')


def _inside(hint: Any, names: Mapping[str, Any]) -> Any:
    """A hint with the texts among its arguments resolved: Python before 3.11 leaves ``list['Tree']`` as it is."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is None or origin is typing.Literal or not args:
        return hint
    found = tuple(_argument(arg, names) for arg in args)
    if all(one is other for one, other in zip(found, args, strict=True)):
        return hint
    if origin is types.UnionType:
        return functools.reduce(operator.or_, found)
    if origin is typing.Union:
        return typing.Union[found]  # noqa: UP007 - made of what is known only now
    return origin[found]


def _argument(hint: Any, names: Mapping[str, Any]) -> Any:
    if not isinstance(hint, (str, typing.ForwardRef)):
        return _inside(hint, names)
    text = hint if isinstance(hint, str) else hint.__forward_arg__
    return _inside(typing.get_type_hints(types.SimpleNamespace(__annotations__={'it': text}), dict(names))['it'], names)


def filled(hint: Any, parameters: Mapping[Any, Any]) -> Any:
    """A hint with the type variables of a generic class replaced by what they stand for."""
    if isinstance(hint, typing.TypeVar):
        return parameters.get(hint, Any)
    uncounted = getattr(hint, '__parameters__', ())
    return hint[tuple(parameters.get(one, one) for one in uncounted)] if uncounted and parameters else hint
