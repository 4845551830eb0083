"""Queries: methods that read the state of a workflow from outside and change nothing.

The caller's process answers a query by replaying the history up to the last completed decision; it needs no running
worker. Calls that the method makes of the workflow's proxies are discarded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from genflow.core.errors import DefinitionError

__all__ = ['MARK', 'answer', 'queries', 'query']

F = TypeVar('F', bound=Callable[..., Any])

MARK = '__genflow_query__'


def query(method: F) -> F:
    """Marks a method as a query.

    The method is an ordinary one and reads the attributes that ``run`` sets on ``self``; it must not yield or change
    anything.

    Raises:
        DefinitionError: It yields, or is declared with ``async def``.
    """
    if inspect.isgeneratorfunction(method) or inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        raise DefinitionError(
            f'the query {method.__qualname__} yields or is declared with `async def`; a query reads the attributes '
            'of self and returns at once: write `def` and `return`'
        )
    setattr(method, MARK, True)
    return method


def queries(cls: type) -> tuple[str, ...]:
    """The names of a class's queries."""
    return tuple(name for name in dir(cls) if getattr(getattr(cls, name, None), MARK, False))


def answer(workflow: object, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Calls a query.

    Raises:
        AttributeError: The workflow has no query of this name.
    """
    known = queries(type(workflow))
    if name not in known:
        raise AttributeError(f'{type(workflow).__name__} has no query {name!r}; it has {", ".join(known) or "none"}')
    return getattr(workflow, name)(*args, **kwargs)
