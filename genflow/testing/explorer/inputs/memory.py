"""What the stubs of an exploration remember, so that each run begins with the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from types import FunctionType, MethodType
from typing import Any

from attrs import Factory, define, field

from genflow.testing.explorer.inputs.shared_state import SharedState
from genflow.testing.tester.stubs import Script

__all__ = ['Memory']

CONTAINERS = (list, dict, set)


@define(eq=False)
class Memory:
    """What the stubs remember: put back to its beginning before each run.

    These are the objects that bound methods belong to, scripts, and the lists, dicts and sets that functions reach
    through their closures or as globals of their own module.
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
                if not any(root is known for known in memory.roots):
                    memory.roots.append(root)
        memory._begin = memory.remembered()
        return memory

    def remembered(self) -> list[Any]:
        """A copy of everything."""
        return [copy.deepcopy(_content(root)) for root in self.roots]

    def restore(self, remembered: list[Any] | None = None) -> None:
        """Puts everything back as it was in the beginning, or when this copy was made."""
        self.shared.restore()
        for root, begin in zip(self.roots, self._begin if remembered is None else remembered, strict=True):
            put_back: Callable[[Any, Any], None] = _PUT_BACK.get(type(root), _put_back_object)
            put_back(root, copy.deepcopy(begin))


def _reached(stub: Any) -> list[Any]:
    if isinstance(stub, Script):
        return [stub, *(root for part in stub.stubs for root in _reached(part))]
    if isinstance(stub, MethodType):
        return [stub.__self__] if not isinstance(stub.__self__, type) else []
    if not isinstance(stub, FunctionType):
        return [stub] if callable(stub) and hasattr(stub, '__dict__') and not isinstance(stub, type) else []
    cells = [cell.cell_contents for cell in stub.__closure__ or ()]
    named = [stub.__globals__.get(name) for name in stub.__code__.co_names]
    inner = [root for value in cells if isinstance(value, (FunctionType, MethodType)) for root in _reached(value)]
    return [value for value in (*cells, *named) if _is_model(value)] + inner


def _is_model(value: Any) -> bool:
    """Whether a value is a container or an instance of a plain class of the user's."""
    if type(value) in CONTAINERS:
        return True
    return (
        type(value).__module__ != 'builtins'
        and not callable(value)
        and type(value).__dict__.get('__dict__') is not None
    )


def _content(root: Any) -> Any:
    return root if type(root) in CONTAINERS else vars(root)


def _put_back_list(root: list[Any], begin: list[Any]) -> None:
    root[:] = begin


def _put_back_mapping(root: Any, begin: Any) -> None:
    root.clear()
    root.update(begin)


def _put_back_object(root: Any, begin: dict[str, Any]) -> None:
    vars(root).clear()
    vars(root).update(begin)


_PUT_BACK: dict[type, Callable[[Any, Any], None]] = {
    list: _put_back_list,
    dict: _put_back_mapping,
    set: _put_back_mapping,
}
