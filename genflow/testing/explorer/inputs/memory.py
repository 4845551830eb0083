"""The state of stubs, which is reset before each run."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from enum import Enum
from functools import partial
from types import FunctionType, MemberDescriptorType, MethodType, SimpleNamespace
from typing import Any

from attrs import Factory, define, field

from genflow.testing.explorer.inputs.bindings import (
    Binding,
    Unbound,
    bindings_of,
    codes_of,
    functions_of,
    stored_attributes,
)
from genflow.testing.explorer.inputs.shared_state import CONTAINERS, MAX_SHARED, SharedState
from genflow.testing.tester.stubs import Script

__all__ = ['Memory', 'members_of']

WRAPPERS = (MethodType, partial)
"""Callables without a state of their own."""

ATOMS = frozenset({str, int, float, bool, bytes, type(None)})


@define(eq=False)
class Memory:
    """The state of stubs and models, which is reset before each run.

    These are scripts, the objects that bound methods belong to, and what functions reach through their closures or as
    globals of their own module: containers, objects of the user's classes, and the names that they bind, such as
    counters. What cannot be copied, such as a lock or a connection, is left as it is.
    """

    roots: list[Any] = Factory(list)
    shared: SharedState = Factory(SharedState)
    _begin: list[Any] = field(factory=list)

    @classmethod
    def of(cls, stubs: Iterable[Any], shared: SharedState) -> Memory:
        """The memory of these stubs and invariants, and what executions share."""
        found = {_key(root): root for stub in stubs for root in _reached(stub)}
        memory = cls(list(found.values()), shared)
        memory._begin = memory.remembered()
        return memory

    def remembered(self) -> list[Any]:
        """A copy of everything."""
        return self._copied([_content(root) for root in self.roots])

    def restore(self, remembered: list[Any] | None = None) -> None:
        """Puts everything back as it was in the beginning, or when this copy was made."""
        self.shared.restore()
        contents = self._copied(self._begin if remembered is None else remembered)
        for root, content in zip(self.roots, contents, strict=True):
            _put_back(root, content)

    def _copied(self, contents: list[Any]) -> list[Any]:
        """Copies of what the roots hold; where one holds another, its copy does so, too."""
        memo = {id(root): root for root in self.roots}
        return [_copied(root, content, memo) for root, content in zip(self.roots, contents, strict=True)]


# what there is


def _reached(stub: Any) -> Iterator[Any]:
    """Where a stub keeps its state, also through the functions and classes of its module that it names."""
    pending: list[Any] = [stub]
    called, seen = {id(stub)}, set[int]()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            yield from bindings_of(value)
        elif isinstance(value, type):
            yield from _attributes_bound(value)
        elif not isinstance(value, WRAPPERS) and (_is_model(value) or (id(value) in called and _is_stub(value))):
            yield value
        following = list(_next(value))
        if isinstance(value, (Script, *WRAPPERS)):
            called.update(map(id, following))
        pending += following


def _next(value: Any) -> Iterable[Any]:
    """What code or an object leads to."""
    if isinstance(value, Script):
        return value.stubs
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, FunctionType):
        return _named(value)
    if isinstance(value, type):
        return [*_functions(value), *_containers(value)]
    return [type(value)]


def _is_stub(value: Any) -> bool:
    """Whether a value that stands for an activity or the like has a state: a script, or an object that is called."""
    return isinstance(value, Script) or callable(value)


def _named(function: FunctionType) -> Iterator[Any]:
    """What the code of a function may reach by name: variables of the functions around, and globals of its module."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # it is not bound yet
            yield cell.cell_contents
    for name in dict.fromkeys(name for code in codes_of(function.__code__) for name in code.co_names):
        value = function.__globals__.get(name)
        is_code = isinstance(value, (FunctionType, type))
        if not is_code or getattr(value, '__module__', None) == function.__module__:
            yield value


def _is_foreign(cls: type) -> bool:
    """Whether a class is of Python or genflow: its objects are no models of the user's."""
    package = cls.__module__.partition('.')[0]
    return package == 'genflow' or package in sys.stdlib_module_names


def _bases(cls: type) -> list[type]:
    return [base for base in cls.__mro__ if not _is_foreign(base)]


def _functions(cls: type) -> list[FunctionType]:
    return [function for base in _bases(cls) for member in vars(base).values() for function in functions_of(member)]


def _containers(cls: type) -> list[Any]:
    members = [pair for base in _bases(cls) for pair in vars(base).items()]
    return [value for name, value in members if isinstance(value, CONTAINERS) and not name.startswith('__')]


def _attributes_bound(cls: type) -> Iterator[Binding]:
    """The attributes of a class that its methods may bind, on their objects or on the class."""
    stored = {name for function in _functions(cls) for name in stored_attributes(function.__code__)}
    for base in _bases(cls):
        yield from (Binding(base, name) for name in sorted(stored) if base is cls or name in vars(base))


def _is_model(value: Any) -> bool:
    """Whether a value is a container, unless it is a large table, or an object of a class of the user's."""
    if isinstance(value, CONTAINERS):
        return len(value) <= MAX_SHARED
    if isinstance(value, SimpleNamespace):
        return True
    is_foreign = _is_foreign(type(value)) or isinstance(value, Enum) or callable(value)
    return not is_foreign and (hasattr(value, '__dict__') or any(_slots(type(value))))


def _slots(cls: type) -> Iterator[str]:
    for members in (vars(base) for base in cls.__mro__ if '__slots__' in vars(base)):
        yield from (name for name, member in members.items() if isinstance(member, MemberDescriptorType))


def _key(root: Any) -> Any:
    return root.place if type(root) is Binding else id(root)


# what it holds


def members_of(root: Any) -> dict[str, Any]:
    """The attributes of an object, those of slots, too."""
    members = dict(getattr(root, '__dict__', {}))
    members.update((name, getattr(root, name)) for name in _slots(type(root)) if hasattr(root, name))
    return members


def _content(root: Any) -> Any:
    """What a root holds: the value of a name; else the items of a container and the members of an object."""
    if type(root) is Binding:
        return root.read()
    items = (dict(root) if isinstance(root, dict) else list(root)) if isinstance(root, CONTAINERS) else None
    return items, members_of(root)


def _copied(root: Any, content: Any, memo: dict[int, Any]) -> Any:
    """A copy of what a root holds; ``memo`` has what is copied by then."""
    if type(root) is Binding:  # a name may be bound to anything
        return _copy(content, memo) if isinstance(content, CONTAINERS) else content
    if isinstance(root, Script):
        return None, dict(content[1])
    items, members = content
    if isinstance(items, dict):
        items = {key: _copy(value, memo) for key, value in items.items()}
    elif items is not None:
        items = [_copy(value, memo) for value in items]
    return items, {name: _copy(value, memo) for name, value in members.items()}


def _copy(value: Any, memo: dict[int, Any]) -> Any:
    """A copy of a value; the value itself if it, or anything in it, cannot be copied."""
    if type(value) in ATOMS:
        return value
    known = len(memo)
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # noqa: BLE001 - any class may forbid to copy its objects, each in its way
        for half in list(memo)[known:]:
            del memo[half]
        return value


def _put_back(root: Any, content: Any) -> None:
    if type(root) is Binding:
        root.bind(content)
        return
    items, members = content
    if items is not None:
        root.clear()
        (root.update if isinstance(root, (dict, set)) else root.extend)(items)
    for name in _slots(type(root)):
        value = members.pop(name, Unbound)
        if value is not Unbound:
            object.__setattr__(root, name, value)
        elif hasattr(root, name):
            object.__delattr__(root, name)
    if hasattr(root, '__dict__'):
        vars(root).clear()
        vars(root).update(members)
