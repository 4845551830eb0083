"""The state of stubs, which is reset before each run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from types import FunctionType, MethodType
from typing import Any

from attrs import Factory, define, field

from genflow.testing.explorer.inputs.bindings import Binding, bindings_of
from genflow.testing.explorer.inputs.shared_state import SharedState
from genflow.testing.tester.stubs import Script

__all__ = ['Memory']

CONTAINERS = (list, dict, set)


@define(eq=False)
class Memory:
    """The state of stubs and models, which is reset before each run.

    These are the objects that bound methods belong to, scripts, the lists, dicts and sets that functions reach
    through their closures or as globals of their own module, and the names there that they bind, such as counters.
    """

    roots: list[Any] = Factory(list)
    shared: SharedState = Factory(SharedState)
    _begin: list[Any] = field(factory=list)

    @classmethod
    def of(cls, stubs: Iterable[Any], shared: SharedState) -> Memory:
        """The memory of these stubs and invariants, and what executions share."""
        memory = cls(shared=shared)
        for stub in stubs:
            for root in _reached(stub):
                if not any(_is_one(root, known) for known in memory.roots):
                    memory.roots.append(root)
        memory._begin = memory.remembered()
        return memory

    def remembered(self) -> list[Any]:
        """A copy of everything."""
        return [_copied(root, _content(root)) for root in self.roots]

    def restore(self, remembered: list[Any] | None = None) -> None:
        """Puts everything back as it was in the beginning, or when this copy was made."""
        self.shared.restore()
        for root, begin in zip(self.roots, self._begin if remembered is None else remembered, strict=True):
            put_back: Callable[[Any, Any], None] = _PUT_BACK.get(type(root), _put_back_object)
            put_back(root, _copied(root, begin))


def _reached(stub: Any) -> list[Any]:
    if isinstance(stub, Script):
        return [stub, *(root for part in stub.stubs for root in _reached(part))]
    if isinstance(stub, MethodType):
        bound = bindings_of(stub.__func__) if isinstance(stub.__func__, FunctionType) else ()
        return [*bound, stub.__self__] if not isinstance(stub.__self__, type) else [*bound]
    if not isinstance(stub, FunctionType):
        return [stub] if callable(stub) and hasattr(stub, '__dict__') and not isinstance(stub, type) else []
    cells = [cell.cell_contents for cell in stub.__closure__ or ()]
    named = [stub.__globals__.get(name) for name in stub.__code__.co_names]
    inner = [root for value in cells if isinstance(value, (FunctionType, MethodType)) for root in _reached(value)]
    return [*bindings_of(stub), *(value for value in (*cells, *named) if _is_model(value)), *inner]


def _is_one(root: Any, known: Any) -> bool:
    return root is known or (type(root) is type(known) is Binding and root.place == known.place)


def _is_model(value: Any) -> bool:
    """Whether a value is a container or an instance of a plain class of the user's."""
    if type(value) in CONTAINERS:
        return True
    return (
        type(value).__module__ != 'builtins'
        and not callable(value)
        and type(value).__dict__.get('__dict__') is not None
    )


def _copied(root: Any, content: Any) -> Any:
    """A copy of what a root holds; what a name is bound to may be anything, and is copied if it is a container."""
    return copy.deepcopy(content) if type(root) is not Binding or type(content) in CONTAINERS else content


def _content(root: Any) -> Any:
    if type(root) is Binding:
        return root.read()
    return root if type(root) in CONTAINERS else vars(root)


def _put_back_list(root: list[Any], begin: list[Any]) -> None:
    root[:] = begin


def _put_back_mapping(root: Any, begin: Any) -> None:
    root.clear()
    root.update(begin)


def _put_back_object(root: Any, begin: dict[str, Any]) -> None:
    vars(root).clear()
    vars(root).update(begin)


def _put_back_binding(root: Binding, begin: Any) -> None:
    root.bind(begin)


_PUT_BACK: dict[type, Callable[[Any, Any], None]] = {
    Binding: _put_back_binding,
    list: _put_back_list,
    dict: _put_back_mapping,
    set: _put_back_mapping,
}
