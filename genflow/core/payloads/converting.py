"""Converts values that JSON does not have: how each type is written, and how a type hint reads it back.

Writing (:func:`plainer`) goes by a value's own type. Reading (:func:`converter`) goes by hints; it is cattrs with rules
for what JSON makes ambiguous. A union takes its first member that would have been written as what was read. A key,
which JSON has as text, is read as text and as the JSON that the text says; the reading counts that is written alike.
"""

from __future__ import annotations

import base64
import collections.abc
import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

import attrs
import cattrs.preconf.json

from genflow.core.payloads.type_hints import Unreadable, Unwritable, filled, hints_of_fields, report_once

__all__ = ['converter', 'plainer']


# writing


def plainer(value: Any) -> Any:
    """A value in JSON's own types.

    Raises:
        Unwritable: It contains a value of a type for which there is no rule.
        ValueError: Two keys of a dict are written alike.
    """
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    if not isinstance(value, type) and (attrs.has(type(value)) or dataclasses.is_dataclass(value)):
        return {name: plainer(getattr(value, name)) for name in _fields(type(value))}
    found = converter().unstructure(value)  # cattrs knows a few more types, such as paths
    if found is value:
        raise Unwritable
    return found


def _items(value: Iterable[Any]) -> list[Any]:
    return [plainer(item) for item in value]


def _members(value: Iterable[Any]) -> list[Any]:
    """A set as a list that is the same in every process: Python orders sets by hashes, which differ."""
    return sorted(_items(value), key=json.dumps)


def _object(value: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.items():
        text = key_text(key)
        if text in found:
            raise ValueError(f'its key {key!r} is written as {text!r}, like another one')
        found[text] = plainer(item)
    return found


_WRITERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: plainer(value.value)),
    ((str, int, float, bool, type(None)), lambda value: value),
    ((datetime, date, time), lambda value: value.isoformat()),
    ((Decimal, UUID), str),
    (timedelta, timedelta.total_seconds),
    ((bytes, bytearray), lambda value: base64.b85encode(bytes(value)).decode('ascii')),
    (collections.abc.Mapping, _object),
    ((set, frozenset), _members),
    (collections.abc.Sequence, _items),
)
"""What is written as what; the first line counts that a value is an instance of."""


def key_text(key: Any) -> str:
    """The key of a dict as text.

    Raises:
        Unwritable: It is written as a list or an object.
    """
    plain = plainer(key)
    if isinstance(plain, (list, dict)):
        raise Unwritable
    return str(plain) if isinstance(plain, str) else json.dumps(plain)


def _fields(cls: type) -> list[str]:
    """The names of the fields that a class is made of."""
    if attrs.has(cls):
        return [field.name for field in attrs.fields(cls) if field.init]
    return [field.name for field in dataclasses.fields(cls) if field.init]


# reading


@lru_cache(maxsize=1)
def converter() -> Any:
    """What structures decoded JSON by hints."""
    made: Any = cattrs.preconf.json.make_converter(structure_fallback_factory=_as_it_is)
    made.register_structure_hook(type(None), _none)
    made.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    made.register_structure_hook(UUID, lambda value, _: UUID(value))
    made.register_structure_hook(time, lambda value, _: time.fromisoformat(value))
    made.register_structure_hook(timedelta, lambda value, _: timedelta(seconds=value))
    for applies, make in _RULES:
        made.register_structure_hook_factory(applies, lambda hint, make=make: make(made, hint))
    return made


def _is_class_of_fields(hint: Any) -> bool:
    cls = typing.get_origin(hint) or hint
    return isinstance(cls, type) and (attrs.has(cls) or dataclasses.is_dataclass(cls))


def _is_named_tuple(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, '_fields')


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _has_keys(hint: Any) -> bool:
    args = typing.get_args(hint)
    return typing.get_origin(hint) in _MAPPINGS and args[0] not in (str, Any)


def _is_list(hint: Any) -> bool:
    return typing.get_origin(hint) in _LISTS


_MAPPINGS = (dict, collections.OrderedDict, collections.abc.Mapping, collections.abc.MutableMapping)
_LISTS = (
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Collection,
    collections.abc.Iterable,
)


def _class_of_fields(made: Any, hint: Any) -> Any:
    """Structures an attrs or dataclass of an object; members that it has no field for are left out."""
    cls = typing.get_origin(hint) or hint
    resolved = hints_of_fields(cls)
    parameters = dict(zip(getattr(cls, '__parameters__', ()), typing.get_args(hint), strict=False))
    hooks = {}
    for field in attrs.fields(cls) if attrs.has(cls) else dataclasses.fields(cls):
        if field.init:
            found = filled(resolved.get(field.name, field.type), parameters)
            hooks[field.name] = getattr(field, 'alias', field.name), _lazily(made, found, cls, field.name)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f'an object is expected, not {value!r}')
        given = {hooks[name][0]: hooks[name][1](item, None) for name, item in value.items() if name in hooks}
        return cls(**given)

    return structure


def _lazily(made: Any, hint: Any, cls: type, name: str) -> Callable[[Any, Any], Any]:
    """A hook that looks up its rule when it is called: types may be recursive."""
    if isinstance(hint, Unreadable):
        report_once(f'the hint of {cls.__qualname__}.{name} cannot be resolved, and is ignored ({hint.reason})')
        return lambda value, _: value
    return lambda value, _: made.structure(value, hint)


def _named_tuple(made: Any, hint: Any) -> Any:
    resolved = hints_of_fields(hint)
    hooks = [_lazily(made, resolved.get(name, Any), hint, name) for name in vars(hint)['_fields']]

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError(f'a list is expected, not {value!r}')
        return hint(*(hook(item, None) for hook, item in zip(hooks, value, strict=True)))

    return structure


def _union(made: Any, hint: Any) -> Any:
    members = typing.get_args(hint)

    def structure(value: Any, _: Any) -> Any:
        found = []
        for member in members:
            try:
                one = None if member is type(None) and value is None else made.structure(value, member)
            except Exception:  # noqa: BLE001, S112 - it is none of this member's values
                continue
            if member is not type(None) or value is None:
                found.append(one)
        if not found:
            raise ValueError(f'it is not one of {hint}')
        return next((one for one in found if _is_written_as(one, value)), found[0])

    return structure


def _is_written_as(value: Any, written: Any) -> bool:
    try:
        return json.dumps(plainer(value), sort_keys=True) == json.dumps(written, sort_keys=True)
    except (Unwritable, ValueError, TypeError):
        return False


def _keyed(made: Any, hint: Any) -> Any:
    key_hint, item_hint = typing.get_args(hint)
    origin = typing.get_origin(hint)
    make: Any = origin if isinstance(origin, type) and issubclass(origin, dict) else dict

    def structure(value: Any, _: Any) -> Any:
        return make((_key(made, key, key_hint), made.structure(item, item_hint)) for key, item in value.items())

    return structure


def _key(made: Any, text: str, hint: Any) -> Any:
    found = []
    for reading in _readings(text):
        try:
            found.append(made.structure(reading, hint))
        except Exception:  # noqa: BLE001, S112 - it is none of the hint's values
            continue
    if not found:
        raise ValueError(f'the key {text!r} is not one of {hint}')
    return next((key for key in found if key_text(key) == text), found[0])


def _readings(text: str) -> Iterable[Any]:
    """A key as text, and as what the text says."""
    yield text
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        return


def _list(made: Any, hint: Any) -> Any:
    as_list: Any = list
    whole = as_list[typing.get_args(hint)]
    return lambda value, _: made.structure(value, whole)


def _as_it_is(hint: Any) -> Callable[[Any, Any], Any]:
    """What is done about a hint for which there is no rule."""
    report_once(f'the hint {getattr(hint, "__qualname__", hint)} cannot be applied to JSON, and is ignored')
    return lambda value, _: value


def _none(value: Any, _: Any) -> None:
    if value is not None:
        raise ValueError(f'null is expected, not {value!r}')


_RULES: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any], Any]], ...] = (
    (_is_class_of_fields, _class_of_fields),
    (_is_named_tuple, _named_tuple),
    (_is_union, _union),
    (_has_keys, _keyed),
    (_is_list, _list),
)
"""What a hint has to be for a rule to apply, and what makes the hook that structures it."""
