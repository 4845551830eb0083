"""Values that a typed signal or update may bring, by its type hint: few, an ordinary one first, then its neighbours."""

from __future__ import annotations

import dataclasses
import typing
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from inspect import signature
from itertools import chain, islice
from pathlib import Path
from types import NoneType, UnionType
from typing import Any
from uuid import UUID

import attrs

from genflow.core.payloads.hooks import decode, encode
from genflow.core.payloads.structuring import structuring
from genflow.core.payloads.type_hints import Unreadable, filled, hints_of_fields, hints_of_function
from genflow.core.tasks.signals import Misfit, Signal

__all__ = ['argument_samples', 'signal_samples']

MAX_SAMPLES = 8
MAX_TRIED = 60
MAX_DEPTH = 4

QUALIFIERS = frozenset({'Required', 'NotRequired', 'ReadOnly'})
"""What a field of a TypedDict may be marked with. Python 3.10 has them from ``typing_extensions`` only."""

ATOMS: Mapping[Any, tuple[Any, ...]] = {
    bool: (True, False),
    int: (1, 0),
    float: (1.5, 0.0),
    str: ('a', '', 'ä'),
    NoneType: (None,),
    Any: (None,),
    object: (None,),
    datetime: ('2000-01-01T00:00:00+00:00',),
    date: ('2000-01-01',),
    time: ('00:00:00',),
    timedelta: (60, '60'),
    Decimal: ('1', '0'),
    UUID: ('00000000-0000-0000-0000-000000000000',),
    bytes: ('VPaz', ''),
    Path: ('a',),
    list: ([None], []),
    tuple: ([None], []),
    set: ([None], []),
    frozenset: ([None], []),
    dict: ({},),
}
"""As JSON holds them."""


def signal_samples(signal: Signal[Any]) -> list[str]:
    """The inputs that a signal may have by its hint, the ordinary one first; ``null`` where none is known."""
    reads = signal.reader()
    found = []
    for value in islice(_samples(signal.value_type, 0), MAX_TRIED):
        try:
            text = encode(value)
            reads(text)
        except (Misfit, TypeError, ValueError):  # such as an enumeration of values that JSON does not have
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
            values = _readable(hints.get(name, parameter.empty), f'{name} of {method}')
            if not values or parameter.kind is parameter.POSITIONAL_ONLY:
                return None
            found[name] = values[0]
    return found


def _readable(hint: Any, what: str) -> list[Any]:
    """The first value that the hint itself can read, in a list; nothing where there is none."""
    if isinstance(hint, Unreadable):
        return []
    reads = structuring(hint, what)
    for value in islice(_samples(hint, 0), MAX_TRIED):
        try:
            read = decode(encode(value))
            if reads is not None:
                reads(read)
        except Exception:  # noqa: BLE001, S112 - a class may refuse a value in a way of its own
            continue
        return [value]
    return []


def _samples(hint: Any, depth: int) -> Iterator[Any]:
    """Values as JSON holds them; nothing where the hint does not tell, or asks for itself again and again."""
    if depth > MAX_DEPTH:
        return
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is None and _is_hashable(hint) and hint in ATOMS:
        yield from ATOMS[hint]
    elif origin in _BY_ORIGIN:
        yield from _BY_ORIGIN[origin](args, depth + 1)
    elif isinstance(hint, type) and issubclass(hint, Enum):
        yield from (member.value for member in hint)
    elif isinstance(origin or hint, type):
        yield from _of_class(origin or hint, dict(zip(_variables(origin), args, strict=False)), depth)
    else:
        yield from (value for meant in _meant_by(hint) for value in _samples(meant, depth))


def _meant_by(hint: Any) -> Sequence[Any]:
    """The hints that a type variable, a ``NewType``, a ``type`` statement or a qualifier stands for."""
    if isinstance(hint, typing.TypeVar):
        return hint.__constraints__ or (hint.__bound__ or Any,)
    if getattr(typing.get_origin(hint), '_name', None) in QUALIFIERS:
        return typing.get_args(hint)
    meant = getattr(hint, '__supertype__', None) or getattr(hint, '__value__', None)
    return () if meant is None else (meant,)


def _is_hashable(hint: Any) -> bool:
    return getattr(type(hint), '__hash__', None) is not None


def _variables(cls: Any) -> tuple[Any, ...]:
    return getattr(cls, '__parameters__', ())


def _of_class(cls: type, parameters: Mapping[Any, Any], depth: int) -> Iterator[Any]:
    """Objects with the first value of each field, and then with one field at a time changed.

    Args:
        cls: The class.
        parameters: What the type variables of a generic class stand for.
        depth: How many classes are around it.
    """
    names = _fields_of(cls)
    if names is None:
        yield from _of_derived(cls)
        return
    optional = names.keys() - {name for name, is_required in names.items() if is_required}
    hints = {name: filled(hint, parameters) for name, hint in hints_of_fields(cls).items()}
    values = {name: list(islice(_samples(hints.get(name, Any), depth + 1), MAX_SAMPLES)) for name in names}
    usual = {name: found[0] for name, found in values.items() if found}
    if not usual.keys() >= names.keys() - optional:
        return
    short = {name: value for name, value in usual.items() if name not in optional}
    shorter = [{**short, name: found[1]} for name, found in values.items() if name in short and len(found) > 1]
    fewer = [short, *shorter] if optional else []
    first, *others = (
        [{**usual, name: found[place]} for name, found in values.items() if place < len(found)]
        for place in range(1, MAX_SAMPLES)
    )
    for members in (usual, *first, *fewer, *chain.from_iterable(others)):
        yield list(members.values()) if issubclass(cls, tuple) else members


def _of_derived(cls: type) -> Iterator[Any]:
    """Of a class made from a type of JSON: what that type has."""
    base = next((base for base in cls.__mro__[1:] if base in ATOMS and base is not object), None)
    yield from () if base is None else ATOMS[base]


def _fields_of(cls: Any) -> dict[str, bool] | None:
    """The names of what a class is made of, as JSON has them, with whether each is required; ``None`` for others."""
    if attrs.has(cls):
        return {field.name: field.default is attrs.NOTHING for field in attrs.fields(cls) if field.init}
    if dataclasses.is_dataclass(cls):
        missing = dataclasses.MISSING
        return {
            field.name: field.default is missing and field.default_factory is missing
            for field in dataclasses.fields(cls)
            if field.init
        }
    if typing.is_typeddict(cls):
        hints: dict[str, Any] = cls.__annotations__
        return {name: _is_required(hint, name in cls.__required_keys__) for name, hint in hints.items()}
    return dict.fromkeys(getattr(cls, '_fields', ()), True) or None


def _is_required(hint: Any, usual: bool) -> bool:
    """Whether a TypedDict needs a key: where hints are text, the class itself does not know how they are marked."""
    text = getattr(hint, '__forward_arg__', '')
    return usual if 'Required[' not in text else 'NotRequired[' not in text


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
    keys = [key for key in islice(_samples(args[0], depth), 1) if not isinstance(key, (list, dict))] if args else []
    names = [key if isinstance(key, str) else encode(key) for key in keys]
    yield from ({name: value} for name in names for value in islice(_samples(args[1], depth), 2))
    yield {}


def _of_counter(args: Any, depth: int) -> Iterator[Any]:
    yield from _of_mapping((*args, int), depth)


def _of_annotated(args: Any, depth: int) -> Iterator[Any]:
    yield from _samples(args[0], depth)


_BY_ORIGIN: dict[Any, Callable[[Any, int], Iterator[Any]]] = {
    typing.Literal: _of_literal,
    typing.Union: _of_union,
    UnionType: _of_union,
    typing.Annotated: _of_annotated,
    typing.Final: _of_annotated,
    list: _of_items,
    deque: _of_items,
    set: _of_items,
    frozenset: _of_items,
    AbstractSet: _of_items,
    Sequence: _of_items,
    MutableSequence: _of_items,
    Collection: _of_items,
    Iterable: _of_items,
    tuple: _of_tuple,
    dict: _of_mapping,
    OrderedDict: _of_mapping,
    defaultdict: _of_mapping,
    Mapping: _of_mapping,
    MutableMapping: _of_mapping,
    Counter: _of_counter,
}
