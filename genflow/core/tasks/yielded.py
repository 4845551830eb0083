"""What a yielded value means: the task that the branch waits for, or the mistake that it shows."""

from __future__ import annotations

from types import GeneratorType
from typing import Any

from genflow.core.errors import YieldError
from genflow.core.protocols import Loop
from genflow.core.tasks.combinators import gather
from genflow.core.tasks.signals import BoundSignal
from genflow.core.tasks.task import ERROR, Task
from genflow.core.text import short

__all__ = ['after_restart', 'as_task', 'foreign_task', 'iterator_instead']


def as_task(loop: Loop, value: Any) -> Task[Any]:
    """The task that a yielded value means; where it means none, one that failed with a :class:`YieldError`."""
    if isinstance(value, Task):
        return value
    if isinstance(value, (list, tuple, dict)):
        try:
            return gather(loop, value)
        except RecursionError:
            return _failed(loop, f'a {type(value).__name__} was yielded that contains itself or is nested too deeply')
    if isinstance(value, GeneratorType) and value.gi_code.co_name != '<genexpr>':
        branch: Task[Any] | None = loop.branch(value)
        if branch is not None:
            return branch
    return _failed(loop, _mistake(value))


def iterator_instead(loop: Loop, iterator: Any) -> Task[Any]:
    """The task of a ``yield from`` that was given an iterator, which cannot be sent results."""
    is_expression = isinstance(iterator, GeneratorType)
    kind = 'generator expression' if is_expression else type(iterator).__name__.replace('_iterator', '')
    return _failed(
        loop, f'`yield from` was given a {kind} and would lose the results; yield the list: `a, b = yield [a, b]`'
    )


def after_restart(loop: Loop) -> Task[Any]:
    """The task of a yield after ``restart()``."""
    return _failed(loop, 'something was yielded after restart(); write `return self.restart(...)`')


def foreign_task(loop: Loop, task: Task[Any]) -> Task[Any]:
    """The task of a yielded task that another execution made, or none."""
    origin = 'a description that no execution made' if task.loop is None else 'a task of another execution'
    return _failed(loop, f'{task!r} was yielded, which is {origin}; call the proxy on self')


def _failed(loop: Loop, message: str) -> Task[Any]:
    """The task of a yield that waits for nothing."""
    failed: Task[Any] = Task(loop)
    failed.state, failed.outcome = ERROR, YieldError(message)
    return failed


def _mistake(value: Any) -> str:
    """What was yielded, and what was probably meant."""
    if value is None or isinstance(value, bool):
        hint = 'write `(yield task) == x` with parentheses where the result is compared, and no bare `yield`'
    elif isinstance(value, GeneratorType) and value.gi_frame is None:
        hint = 'this generator has already finished; call the function again for another branch'
    elif isinstance(value, GeneratorType):
        hint = 'yield a list of tasks instead of a generator expression'
    elif isinstance(value, (set, frozenset)):
        hint = 'a set has no order: yield a list'
    elif isinstance(value, BoundSignal):
        hint = f'call get(): `yield self.{value.name}.get()` waits for the next one'
    elif callable(value):
        hint = 'call it, and yield the task that the call gives'
    else:
        hint = 'yield tasks, or a list, tuple or dict of them; a plain value needs no yield'
    return f'a {type(value).__name__} was yielded: {short(value)}; {hint}'
