"""Values that a typed signal or update may bring, by its type hint: few, an ordinary one first, then its neighbours."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from inspect import signature
from itertools import islice
from types import NoneType, UnionType
from typing import Any
from uuid import UUID

import attrs

from genflow.core.payloads.hooks import encode
from genflow.core.payloads.type_hints import hints_of_fields, hints_of_function
from genflow.core.tasks.signals import Misfit, Signal

__all__ = ['argument_samples', 'signal_samples']

MAX_SAMPLES = 6
MAX_DEPTH = 4

ATOMS: Mapping[Any, tuple[Any, ...]] = {
    bool: (True, False),
    int: (1, 0),
    float: (1.5, 0.0),
    str: ('a', ''),
    NoneType: (None,),
    Any: (None,),
    object: (None,),
    datetime: ('2000-01-01T00:00:00+00:00',),
    date: ('2000-01-01',),
    time: ('00:00:00',),
    timedelta: (60, '60'),
    Decimal: ('1', '0'),
    UUID: ('00000000-0000-0000-0000-000000000000',),
    list: ([None], []),
    dict: ({},),
}
"""As JSON holds them."""


def signal_samples(signal: Signal[Any]) -> list[str]:
    """The inputs that a signal may have by its hint, the ordinary one first; ``null`` where none is known."""
    reads = signal.reader()
    found = []
    for text in map(encode, _samples(signal.value_type, 0)):
        try:
            reads(text)
        except Misfit:
            continue
        found.append(text)
    return found[:MAX_SAMPLES] or ['null']


def argument_samples(cls: type, method: str) -> dict[str, Any] | None:
    """A value for each required parameter of a method, by its hints; ``None`` where one of them is not known."""
    function = getattr(cls, method)
    hints = hints_of_function(function, cls)
    found = {}
    for name, parameter in list(signature(function).parameters.items())[1:]:
        if parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            values = list(islice(_samples(hints.get(name, parameter.empty), 0), 1))
            if not values or parameter.kind is parameter.POSITIONAL_ONLY:
                return None
            found[name] = values[0]
    return found


def _samples(hint: Any, depth: int) -> Iterator[Any]:
    if depth > MAX_DEPTH:
        return
    atoms = ATOMS.get(hint) if typing.get_origin(hint) is None and _is_hashable(hint) else None
    if atoms is not None:
        yield from atoms
    elif isinstance(hint, type) and issubclass(hint, Enum):
        yield from (member.value for member in hint)
    elif isinstance(hint, type) and typing.get_origin(hint) is None:
        yield from _of_class(hint, depth)
    else:
        make = _BY_ORIGIN.get(typing.get_origin(hint))
        if make is not None:
            yield from make(typing.get_args(hint), depth + 1)


def _is_hashable(hint: Any) -> bool:
    return getattr(type(hint), '__hash__', None) is not None


def _of_class(cls: type, depth: int) -> Iterator[Any]:
    """Objects with the first value of each field, and then with one field at a time changed."""
    names = _fields_of(cls)
    if names is None:
        return
    hints = hints_of_fields(cls)
    values = {name: list(islice(_samples(hints.get(name, Any), depth + 1), MAX_SAMPLES)) for name in names}
    if not all(values.values()):
        return
    usual = {name: found[0] for name, found in values.items()}
    as_made = tuple if issubclass(cls, tuple) else dict
    for changed in (usual, *({**usual, name: value} for name, found in values.items() for value in found[1:])):
        yield list(changed.values()) if as_made is tuple else changed


def _fields_of(cls: type) -> list[str] | None:
    """The names of what a class is made of; ``None`` where it does not tell."""
    if dataclasses.is_dataclass(cls):
        return [field.name for field in dataclasses.fields(cls) if field.init]
    if attrs.has(cls):
        return [field.alias or field.name for field in attrs.fields(cls) if field.init]
    if typing.is_typeddict(cls):
        return list(cls.__annotations__)
    return list(getattr(cls, '_fields', ())) or None


def _of_literal(args: Any, depth: int) -> Iterator[Any]:
    yield from (value.value if isinstance(value, Enum) else value for value in args)


def _of_union(args: Any, depth: int) -> Iterator[Any]:
    """One of each alternative, then the others."""
    each = [list(islice(_samples(arg, depth), MAX_SAMPLES)) for arg in args]
    yield from (values[0] for values in each if values)
    yield from (value for values in each for value in values[1:])


def _of_items(args: Any, depth: int) -> Iterator[Any]:
    """Lists of one, none and two."""
    values = list(islice(_samples(args[0] if args else Any, depth), 2))
    yield from ([values[:1], []] if values else [[]])
    if len(values) > 1:
        yield values


def _of_tuple(args: Any, depth: int) -> Iterator[Any]:
    if len(args) == 2 and args[1] is Ellipsis:  # noqa: PLR2004 - tuple[int, ...]
        yield from _of_items(args, depth)
        return
    each = [list(islice(_samples(arg, depth), MAX_SAMPLES)) for arg in args]
    if all(each):
        usual = [values[0] for values in each]
        yield usual
        yield from (
            [*usual[:place], value, *usual[place + 1 :]] for place, values in enumerate(each) for value in values[1:]
        )


def _of_mapping(args: Any, depth: int) -> Iterator[Any]:
    keys = [key for key in islice(_samples(args[0], depth), 1) if isinstance(key, str)] if args else []
    yield from ({key: value} for key in keys for value in islice(_samples(args[1], depth), 2))
    yield {}


def _of_annotated(args: Any, depth: int) -> Iterator[Any]:
    yield from _samples(args[0], depth)


_BY_ORIGIN: dict[Any, Callable[[Any, int], Iterator[Any]]] = {
    typing.Literal: _of_literal,
    typing.Union: _of_union,
    UnionType: _of_union,
    typing.Annotated: _of_annotated,
    list: _of_items,
    set: _of_items,
    frozenset: _of_items,
    AbstractSet: _of_items,
    Sequence: _of_items,
    Iterable: _of_items,
    tuple: _of_tuple,
    dict: _of_mapping,
    Mapping: _of_mapping,
}
