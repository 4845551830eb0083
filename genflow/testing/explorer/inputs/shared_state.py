"""What all executions of a workflow share in one process, which no history records."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from attrs import Factory, define, field

__all__ = ['SharedState']

SHARED = (list, dict, set, deque)

MAX_SHARED = 1_000
"""Items of a container that executions share; a larger one is taken for a table that nothing changes."""


@define(eq=False)
class SharedState:
    """The lists, dicts and sets that all executions of a workflow share in one process.

    They are attributes of its class, globals that its methods reach, and defaults of their parameters. Each run finds
    them as the first one did; so a run that changes them does not agree with its own replay, whenever it is tried.

    Attributes:
        owners: What each of them is, with its name for a report.
        asks_length: Whether the code names ``history_length``, which grows with all that happens.
    """

    owners: list[tuple[str, Any]] = Factory(list)
    asks_length: bool = False
    _begin: list[Any] = field(factory=list)

    @classmethod
    def of(cls, workflow: type) -> SharedState:
        """What the executions of a workflow class share."""
        found: dict[int, tuple[str, Any]] = {}
        known: set[int] = set()
        names: set[str] = set()
        for base in workflow.__mro__:
            if base.__module__.partition('.')[0] not in ('builtins', 'typing', 'genflow'):
                for name, value in list(vars(base).items()):
                    if not name.startswith('__'):
                        _note_shared(f'{base.__name__}.{name}', value, found, known)
                    for function in _functions(value):
                        _note_reached(function, found, known, names)
        owners = list(found.values())
        return cls(owners, 'history_length' in names, [_copied(value) for _, value in owners])

    def changed(self) -> list[str]:
        """The names of those that are not as they were before the first run."""
        pairs = zip(self.owners, self._begin, strict=True)
        return [name for (name, value), begin in pairs if not _is_same(value, begin)]

    def differing(self) -> list[tuple[int, Any]]:
        """Those that are not as they were, each with its place."""
        pairs = enumerate(zip(self.owners, self._begin, strict=True))
        return [(place, value) for place, ((_, value), begin) in pairs if not _is_same(value, begin)]

    def restore(self) -> None:
        """Puts everything back."""
        for (_, value), begin in zip(self.owners, self._begin, strict=True):
            if not _is_same(value, begin):
                value.clear()
                (value.extend if isinstance(value, (list, deque)) else value.update)(_copied(begin))


def _note_shared(name: str, value: Any, found: dict[int, tuple[str, Any]], known: set[int]) -> None:
    is_container = isinstance(value, SHARED) and type(value).__module__ in ('builtins', 'collections')
    if is_container and id(value) not in known and len(value) <= MAX_SHARED:
        known.add(id(value))
        found[id(value)] = (name, value)


def _note_reached(function: FunctionType, found: dict[int, tuple[str, Any]], known: set[int], names: set[str]) -> None:
    """Takes a note of what a function reaches, also through other functions of its module."""
    if id(function) in known:
        return
    known.add(id(function))
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        _note_shared(f'a default of {function.__qualname__}', default, found, known)
    for code in _codes(function.__code__):
        names.update(code.co_names)
        for name in code.co_names:
            value = function.__globals__.get(name)
            _note_shared(name, value, found, known)
            if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
                _note_reached(value, found, known, names)


def _codes(code: Any) -> Iterator[Any]:
    """A code object and those of the functions and generator expressions in it."""
    yield code
    for constant in code.co_consts:
        if hasattr(constant, 'co_names'):
            yield from _codes(constant)


def _functions(value: Any) -> list[FunctionType]:
    """The functions of a class member: of a method, a property, an update."""
    parts = (value, *(getattr(value, name, None) for name in ('__func__', '__wrapped__', 'function', 'fget')))
    return [part for part in parts if isinstance(part, FunctionType)]


def _copied(value: Any) -> Any:
    """A copy of a container and of those in it; what they hold otherwise stays the same object."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if type(value) in (list, deque):
        return type(value)(_copied(item) for item in value)
    return set(value) if type(value) is set else value


def _is_same(value: Any, begin: Any) -> bool:
    if isinstance(value, dict) and isinstance(begin, dict):
        return value.keys() == begin.keys() and all(_is_same(value[key], item) for key, item in begin.items())
    if type(value) in (list, deque) and type(begin) is type(value):
        return len(value) == len(begin) and all(map(_is_same, value, begin))
    return value == begin if type(value) is set and type(begin) is set else value is begin
