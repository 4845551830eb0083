"""What the code of a workflow makes and never uses: found out when ``run`` has ended, and said with file and line.

A generator that is made and dropped runs nothing, and a timer or a ``get()`` that nobody waits for makes nobody wait;
none of them is an error to Python. So each of them is remembered until it is used. Generators are seen where a method
of the workflow makes them; :mod:`genflow.core.tasks.dropped` looks for what other functions make.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType, GeneratorType
from typing import Any

from genflow.core.protocols import Loop
from genflow.core.tasks.task import Task, Waiter
from genflow.core.text import Location, place

__all__ = ['Unused', 'UsageTracked', 'makes_branch', 'members_of', 'watched']

FIRST_PRUNING = 64


class UsageTracked(Task[Any]):
    """A task that never keeps an execution open, so that nobody may notice that it was not waited for.

    Attributes:
        used: Somebody waited for it, combined it, or asked whether it is done.
    """

    __slots__ = ()

    used: bool

    def mark_used(self) -> None:
        """Sets :attr:`used`."""

    def watch(self, waiter: Waiter) -> None:
        self.mark_used()
        super().watch(waiter)

    def mark_retrieved(self) -> None:
        self.mark_used()
        super().mark_retrieved()

    def done(self) -> bool:
        self.mark_used()
        return super().done()


class Unused:
    """What one execution has made and not used yet."""

    def __init__(self) -> None:
        self._generators: list[tuple[GeneratorType[Any, Any, Any], Location]] = []
        self._tasks: list[tuple[UsageTracked, Location]] = []
        self._prune_at = FIRST_PRUNING

    def note_generator(self, generator: GeneratorType[Any, Any, Any], frame: FrameType) -> None:
        """A generator was made at the frame's line."""
        self._generators.append((generator, (frame.f_code, frame.f_lasti)))
        self._prune()

    def note_task(self, task: UsageTracked, frame: FrameType) -> None:
        """A timer or a get was made at the frame's line."""
        self._tasks.append((task, (frame.f_code, frame.f_lasti)))
        self._prune()

    @property
    def count(self) -> int:
        """How much is remembered."""
        return len(self._generators) + len(self._tasks)

    def _prune(self) -> None:
        """Lets go of what has been used, whenever the number of what is kept has doubled."""
        if self.count >= self._prune_at:
            self._generators = [(generator, where) for generator, where in self._generators if _is_new(generator)]
            self._tasks = [(task, where) for task, where in self._tasks if not task.used]
            self._prune_at = max(FIRST_PRUNING, 2 * self.count)

    def found(self, loop: Loop, *, tasks: bool) -> Iterator[str]:
        """Says what is unused, one line for each place; then forgets it.

        Args:
            loop: Knows the generators that are about to begin.
            tasks: Whether timers and gets count: where ``run`` raised, their turn may not have come.
        """
        generators, self._generators = self._generators, []
        tasks_made, self._tasks = self._tasks, []
        unused = [
            f'the generator {generator.__qualname__}() was created at {place(where)} but never run: yield it, use '
            '`yield from`, or give it to spawn()'
            for generator, where in generators
            if _is_new(generator) and generator not in loop.branches
        ]
        if tasks:
            unused += [
                f'nothing waited for the {task.label} created at {place(where)}: yield it, or cancel() it'
                for task, where in tasks_made
                if not task.used
            ]
        yield from dict.fromkeys(unused)


def _is_new(generator: GeneratorType[Any, Any, Any]) -> bool:
    return inspect.getgeneratorstate(generator) == inspect.GEN_CREATED


def members_of(cls: type, above: type) -> dict[str, Any]:
    """What a class and its bases define, without ``above`` and ``object``, which have nothing of the user's."""
    bases = [base for base in reversed(cls.__mro__) if base is not above and base is not object]
    return {name: value for base in bases for name, value in vars(base).items()}


def makes_branch(name: str, value: Any) -> bool:
    """Whether a member of a workflow class is a generator function that makes branches; ``run`` does not."""
    return isinstance(value, FunctionType) and name != 'run' and bool(value.__code__.co_flags & inspect.CO_GENERATOR)


def watched(method: Callable[..., Any], loop: Loop) -> Callable[..., Any]:
    """A generator method whose generators its driver remembers."""

    @functools.wraps(method)
    def make(*args: Any, **kwargs: Any) -> Any:
        generator = method(*args, **kwargs)
        if not loop.silent:
            loop.unused.note_generator(generator, sys._getframe(1))
        return generator

    return make
