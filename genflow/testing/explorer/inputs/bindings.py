"""Names that code binds anew and that outlive an execution: globals, attributes of classes, variables of closures."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from attrs import frozen

__all__ = ['Binding', 'Unbound', 'bindings_of', 'codes_of', 'functions_of', 'stored_attributes']


class Unbound:
    """Stands for the value of a name that is not bound."""


@frozen(eq=False)
class Binding:
    """A name, and where it is bound.

    Attributes:
        owner: A module's globals, a class, or a cell of a closure.
        name: The name there.
    """

    owner: Any
    name: str

    def read(self) -> Any:
        """Its value; :class:`Unbound` where it has none."""
        if isinstance(self.owner, CellType):
            try:
                return self.owner.cell_contents
            except ValueError:
                return Unbound
        return (self.owner if isinstance(self.owner, dict) else vars(self.owner)).get(self.name, Unbound)

    def bind(self, value: Any) -> None:
        """Gives it a value, or none."""
        if value is self.read():
            return
        if isinstance(self.owner, CellType):
            if value is Unbound:
                del self.owner.cell_contents
            else:
                self.owner.cell_contents = value
        elif isinstance(self.owner, dict):
            self.owner.pop(self.name, None)
            if value is not Unbound:
                self.owner[self.name] = value
        elif value is Unbound:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, value)

    @property
    def place(self) -> tuple[int, str]:
        """What is the same for two bindings of one name."""
        return id(self.owner), self.name

    def __str__(self) -> str:
        return f'{self.owner.__name__}.{self.name}' if isinstance(self.owner, type) else self.name


def bindings_of(function: FunctionType) -> Iterator[Binding]:
    """What a function binds: globals, variables of the functions around it, attributes of classes of its module."""
    code, cells = function.__code__, function.__closure__ or ()
    for part in codes_of(code):
        for step in dis.get_instructions(part):
            if step.opname in ('STORE_GLOBAL', 'DELETE_GLOBAL'):
                yield Binding(function.__globals__, step.argval)
            elif step.opname in ('STORE_DEREF', 'DELETE_DEREF') and step.argval in code.co_freevars:
                yield Binding(cells[code.co_freevars.index(step.argval)], step.argval)
    stored = stored_attributes(code)
    for name in {name for part in codes_of(code) for name in part.co_names} if stored else ():
        value = function.__globals__.get(name)
        if isinstance(value, type) and value.__module__ == function.__module__:
            yield from (Binding(value, attribute) for attribute in sorted(stored & vars(value).keys()))


def stored_attributes(code: CodeType) -> set[str]:
    """The names of attributes that code binds, of whatever object."""
    return {
        step.argval
        for part in codes_of(code)
        for step in dis.get_instructions(part)
        if step.opname in ('STORE_ATTR', 'DELETE_ATTR')
    }


def codes_of(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions and generator expressions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_of(constant)


def functions_of(value: Any) -> list[FunctionType]:
    """The functions of a class member: of a method, a property, an update."""
    parts = (value, *(getattr(value, name, None) for name in ('__func__', '__wrapped__', 'function', 'fget')))
    return [part for part in parts if isinstance(part, FunctionType)]
