"""Tasks nested in lists, tuples and dicts: finds them in arguments, and waits for them in returned values."""

from __future__ import annotations

from collections.abc import Iterable
from types import GeneratorType
from typing import Any

from genflow.core.payloads.nesting import check_nesting, contents
from genflow.core.protocols import Loop
from genflow.core.tasks.combinators import Gathered
from genflow.core.tasks.task import Task

__all__ = ['find_tasks', 'holds_task', 'resolved', 'returned_task']


def holds_task(value: Any) -> bool:
    """Whether a value is or contains (in lists, tuples and dicts) a task or a branch."""
    return any(isinstance(found, (Task, GeneratorType)) for found in contents((value,)))


def find_tasks(values: Iterable[Any]) -> list[Task[Any]]:
    """The tasks among some values in their order, nested in lists, tuples and dicts too.

    Raises:
        TypeError: A task is the key of a dict.
        ValueError: A value with tasks in it contains itself, or is nested too deeply to be written.
    """
    found: list[Task[Any]] = []
    for value in contents(values):
        if isinstance(value, Task):
            found.append(value)
        elif isinstance(value, dict):
            _check_keys(value)
    if found:
        check_nesting(values)
    return found


def _check_keys(value: dict[Any, Any]) -> None:
    for key in value:
        if isinstance(key, Task):
            raise key.misused('is the key of a dict', '{(yield task): x}')


def returned_task(loop: Loop, value: Any) -> Task[Any]:
    """The task of a value that contains tasks and branches beside plain values.

    Raises:
        ValueError: The value contains itself, or is nested too deeply to be written.
    """
    check_nesting((value,))
    value = _with_branches(loop, value)
    if isinstance(value, Task):
        return value
    return Gathered(loop, find_tasks((value,)), lambda _: resolved(value))


def _with_branches(loop: Loop, value: Any) -> Any:
    if isinstance(value, (Task, GeneratorType)):
        return loop.as_task(value)
    if isinstance(value, dict):
        return {key: _with_branches(loop, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_with_branches(loop, item) for item in value]
        return type(value)(*items) if hasattr(value, '_fields') else type(value)(items)
    return value


def resolved(value: Any) -> Any:
    """A value with its tasks replaced by their results."""
    if isinstance(value, Task):
        return value.outcome
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [resolved(item) for item in value]
        return type(value)(*items) if hasattr(value, '_fields') else tuple(items)
    if isinstance(value, list):
        return [resolved(item) for item in value]
    return value
