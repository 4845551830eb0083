"""Updates: methods that other programs call, and whose result is sent back.

This module has the decorators and the serialization of arguments and results. The engine drives updates
(``engine/updates.py``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from genflow.core.errors import DefinitionError
from genflow.core.payloads.hooks import Serialization, decode
from genflow.core.payloads.structuring import shape_of

__all__ = [
    'MARK',
    'UpdateMethod',
    'read_arguments',
    'read_result',
    'unknown_update',
    'update',
    'updates_of',
    'validator_of',
]

P = ParamSpec('P')
F = TypeVar('F', bound=Callable[..., Any])
R_co = TypeVar('R_co', covariant=True)

MARK = '__genflow_update__'
VALIDATOR = '__genflow_validator__'


class UpdateMethod(Protocol[P, R_co]):
    """What a checker sees of an update; at run time it is a function like any other."""

    if TYPE_CHECKING:

        def __call__(self, workflow: Any, /, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
        @overload
        def __get__(self, instance: None, owner: Any = None) -> UpdateMethod[P, R_co]: ...
        @overload
        def __get__(self, instance: object, owner: Any = None) -> Callable[P, R_co]: ...
        def __get__(self, instance: Any, owner: Any = None) -> Any: ...
        def validator(self, check: F, /) -> F:
            """Marks the method that accepts or refuses an update; it has the same parameters and only reads."""


def update(method: Callable[Concatenate[Any, P], R_co]) -> UpdateMethod[P, R_co]:
    """Marks a method as an update: programs call it with ``execution.update(Order.change, 'x')`` and get its result.

    The method is a generator, which is driven as a spawned branch, or an ordinary one. A method that is decorated with
    ``@change.validator`` may refuse an update by raising.

    Raises:
        DefinitionError: It is declared with ``async def``.
    """
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        raise DefinitionError(f'the update {method.__qualname__} is declared with `async def`; write `def` and `yield`')
    marked: Any = method
    setattr(marked, MARK, True)
    marked.validator = lambda check: _with_validator(marked, check)
    return cast('UpdateMethod[P, R_co]', marked)


def _with_validator(method: Any, check: F) -> F:
    if inspect.isgeneratorfunction(check) or inspect.iscoroutinefunction(check):
        raise DefinitionError(
            f'the validator {check.__qualname__} yields or is declared with `async def`; it reads the attributes of '
            'self, and raises or returns at once'
        )
    setattr(method, VALIDATOR, check.__name__)
    return check


@lru_cache(maxsize=4096)
def updates_of(cls: type) -> tuple[str, ...]:
    """The names of a class's updates."""
    return tuple(name for name in dir(cls) if getattr(getattr(cls, name, None), MARK, False))


def validator_of(cls: type, name: str) -> str | None:
    """The name of the method that checks an update, if there is one."""
    found: str | None = getattr(getattr(cls, name), VALIDATOR, None)
    return found


def unknown_update(cls: type, name: str) -> str:
    """The error text for an unknown update, with the updates that the class has."""
    known = updates_of(cls)
    close = get_close_matches(name, known, 1)
    hint = f'; did you mean {close[0]!r}?' if close else ''
    return f'{cls.__name__} has no update {name!r}; it has {", ".join(known) or "none"}{hint}'


def read_arguments(workflow: Serialization, name: str, text: str) -> tuple[Any, Mapping[str, Any]]:
    """The arguments of an update, as its hints want them.

    Raises:
        TypeError: They do not fit the signature.
        ValueError: The text cannot be read, or a value does not fit its hint.
    """
    hook = workflow._deserialize_arguments
    if getattr(hook, '__func__', None) is not Serialization._deserialize_arguments:
        return hook(text)
    args, kwargs = decode(text)
    cls: type = type(workflow)
    shape = shape_of(cls, name)
    return (args, kwargs) if shape is None else shape.arguments(args, kwargs)


def read_result(workflow: Serialization, name: str, text: str) -> Any:
    """The result of an update, as its hint wants it.

    Raises:
        ValueError: The text cannot be read, or does not fit the hint.
    """
    hook = workflow._deserialize_result
    if getattr(hook, '__func__', None) is not Serialization._deserialize_result:
        return hook(text)
    value = decode(text)
    cls: type = type(workflow)
    shape = shape_of(cls, name) if hasattr(cls, name) else None
    return value if shape is None else shape.returned(value)
