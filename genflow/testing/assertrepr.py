"""The differences between two tasks, one line for each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from genflow.core.tasks.task import Task

__all__ = ['differences']

NOTHING = object()


def differences(left: Task[Any], right: Task[Any]) -> list[str]:
    """Lists the parts in which two tasks differ."""
    if left.loop is not None and right.loop is not None:
        return [
            'Tasks of an execution equal only themselves; compare with a description, such as Order.charge.task(1).'
        ]
    if type(left) is not type(right):
        return [f'kind: {left.kind} != {right.kind}']
    return [f'{name}: {_shown(one)} != {_shown(other)}' for name, one, other in _parts(left, right) if one != other]


def _parts(left: Any, right: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each part of what both ask for, with its name."""
    if hasattr(left, 'proxy'):
        yield 'name', left.proxy.name, right.proxy.name
        yield 'version', left.proxy.version, right.proxy.version
        for place, (one, other) in enumerate(zip_longest(left.args, right.args, fillvalue=NOTHING), 1):
            yield f'argument {place}', one, other
        for name in {**left.kwargs, **right.kwargs}:
            yield f'argument {name!r}', left.kwargs.get(name, NOTHING), right.kwargs.get(name, NOTHING)
    else:
        for place, (one, other) in enumerate(zip_longest(left.asked(), right.asked(), fillvalue=NOTHING), 1):
            yield f'part {place}', one, other


def _shown(value: Any) -> str:
    return 'nothing' if value is NOTHING else repr(value)
