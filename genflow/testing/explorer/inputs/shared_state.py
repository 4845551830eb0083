"""What all executions of a workflow share in one process, which no history records."""

from __future__ import annotations

from collections import deque
from types import FunctionType
from typing import Any

from attrs import Factory, define, field

from genflow.testing.explorer.inputs.bindings import Binding, bindings_of, codes_of, functions_of, stored_attributes

__all__ = ['CONTAINERS', 'MAX_SHARED', 'SharedState']

CONTAINERS = (list, dict, set, deque)
"""What is put back item by item."""

LIBRARIES = ('builtins', 'typing', 'genflow')
"""The packages whose classes are no code of the user's."""

MAX_SHARED = 1_000
"""Items of a container that executions share; a larger one is taken for a table that nothing changes."""


@define(eq=False)
class SharedState:
    """The lists, dicts and sets that all executions of a workflow share in one process, and the names that it binds.

    They are attributes of its class, globals that its methods reach, and defaults of their parameters. Each run finds
    them as the first one did; so a run that changes them does not agree with its own replay, whenever it is tried.

    Attributes:
        owners: What each of the containers is, with its name for a report.
        bindings: The names, such as those of counters.
        asks_length: Whether the code names ``history_length``, which grows with all that happens.
    """

    owners: list[tuple[str, Any]] = Factory(list)
    bindings: list[Binding] = Factory(list)
    asks_length: bool = False
    _begin: list[Any] = field(factory=list)
    _bound: list[Any] = field(factory=list)

    @classmethod
    def of(cls, workflow: type) -> SharedState:
        """What the executions of a workflow class share."""
        found: dict[int, tuple[str, Any]] = {}
        reached: dict[int, FunctionType] = {}
        bases = [base for base in workflow.__mro__ if base.__module__.partition('.')[0] not in LIBRARIES]
        for base in bases:
            for name, value in list(vars(base).items()):
                if not name.startswith('__'):
                    _note_shared(f'{base.__name__}.{name}', value, found)
                for function in functions_of(value):
                    _note_reached(function, found, reached)
        codes = [function.__code__ for function in reached.values()]
        names = {name for code in codes for part in codes_of(code) for name in part.co_names}
        stored = sorted(set().union(*map(stored_attributes, codes)))
        bound = [binding for function in reached.values() for binding in bindings_of(function)]
        bound += [Binding(base, name) for base in bases for name in stored if base is workflow or name in vars(base)]
        bindings = list({binding.place: binding for binding in bound}.values())
        owners = list(found.values())
        begin = [_copied(value) for _, value in owners]
        return cls(owners, bindings, 'history_length' in names, begin, [binding.read() for binding in bindings])

    def changed(self) -> list[str]:
        """The names of those that are not as they were before the first run."""
        pairs = zip(self.owners, self._begin, strict=True)
        names = [name for (name, value), begin in pairs if not _is_same(value, begin)]
        return [
            *names,
            *(str(self.bindings[place]) for place, _ in self._rebound() if str(self.bindings[place]) not in names),
        ]

    def differing(self) -> list[tuple[int, Any]]:
        """Those that are not as they were, each with its place."""
        pairs = enumerate(zip(self.owners, self._begin, strict=True))
        found = [(place, value) for place, ((_, value), begin) in pairs if not _is_same(value, begin)]
        return found + [(-1 - place, value) for place, value in self._rebound()]

    def _rebound(self) -> list[tuple[int, Any]]:
        """The names that are bound to another value, by their places."""
        pairs = enumerate(zip(self.bindings, self._bound, strict=True))
        return [(place, value) for place, (binding, begin) in pairs if not _is_same(value := binding.read(), begin)]

    def restore(self) -> None:
        """Puts everything back."""
        for place, _ in self._rebound():
            self.bindings[place].bind(self._bound[place])
        for (_, value), begin in zip(self.owners, self._begin, strict=True):
            if not _is_same(value, begin):
                value.clear()
                (value.extend if isinstance(value, (list, deque)) else value.update)(_copied(begin))


def _note_shared(name: str, value: Any, found: dict[int, tuple[str, Any]]) -> None:
    is_container = isinstance(value, CONTAINERS) and type(value).__module__ in ('builtins', 'collections')
    if is_container and id(value) not in found and len(value) <= MAX_SHARED:
        found[id(value)] = (name, value)


def _note_reached(function: FunctionType, found: dict[int, tuple[str, Any]], reached: dict[int, FunctionType]) -> None:
    """Takes a note of what a function reaches, also through other functions of its module."""
    if id(function) in reached:
        return
    reached[id(function)] = function
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        _note_shared(f'a default of {function.__qualname__}', default, found)
    for code in codes_of(function.__code__):
        for name in code.co_names:
            value = function.__globals__.get(name)
            _note_shared(name, value, found)
            if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
                _note_reached(value, found, reached)


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
    is_value = type(value) is type(begin) and type(value) in (set, int, float, str, bytes)
    return value is begin or (is_value and bool(value == begin))
