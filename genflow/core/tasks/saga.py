"""Sagas: steps that are undone when a later one fails.

::

    saga = Saga()
    try:
        saga.add(self.release, order)
        yield self.reserve(order)
        saga.add(self.refund, order)
        yield self.charge(order)
    except BaseException:
        yield from saga.compensate()
        raise

A compensation is best added before its step: a step whose outcome nobody learned, because a cancellation or a
time-out came first, may have happened all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any

from genflow.core.errors import CompensationFailed
from genflow.core.tasks.cancellation import Shield
from genflow.core.tasks.loop import Loop, current_loop
from genflow.core.tasks.task import Task
from genflow.core.text import short

__all__ = ['Saga']


class Saga:
    """What has to be done to undo the steps so far."""

    def __init__(self) -> None:
        self._steps: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        loop = current_loop.get()
        if loop is not None:
            loop.saga_begun(self)

    @property
    def remaining(self) -> int:
        """How many compensations have neither run nor begun."""
        return len(self._steps)

    def add(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Remembers a compensation.

        Args:
            function: A proxy, a generator function, or a plain function.
            args: What it is called with.
            kwargs: Likewise.

        Raises:
            TypeError: It was called already, or cannot be called.
        """
        if not callable(function):
            raise TypeError(
                f'saga.add() was given {short(function)}, which is called already or cannot be called; write '
                '`saga.add(self.undo, x)` instead of `saga.add(self.undo(x))`'
            )
        self._steps.append((function, args, kwargs))

    def compensate(self) -> Generator[Any, Any, None]:
        """Undoes the steps, the last one first, each once; a cancellation waits until it is over.

        Drive it: ``yield from saga.compensate()``. A compensation that fails does not keep the others from running.

        Raises:
            CompensationFailed: Some failed; at the end. Its cause is the exception because of which they ran.
        """
        loop = current_loop.get()
        steps = self._compensated(loop, sys.exc_info()[1])
        if isinstance(steps, GeneratorType) and loop is not None and not loop.silent:
            steps.__qualname__ = 'Saga.compensate'
            loop.unused.note_generator(steps, sys._getframe(1))
        return steps

    def _compensated(self, loop: Loop | None, reason: BaseException | None) -> Generator[Any, Any, None]:
        branch = None if loop is None else loop.current
        errors: list[BaseException] = []
        shield = Shield()
        if branch is not None:
            branch.enter(shield)
        try:
            while self._steps:
                function, args, kwargs = self._steps.pop()
                try:
                    made = function(*args, **kwargs)
                    if isinstance(made, (Task, GeneratorType)):
                        yield made
                except Exception as error:  # noqa: BLE001 - reported together, once all have been tried
                    errors.append(error)
        finally:
            if branch is not None:
                branch.leave(shield)
        if errors:
            raise CompensationFailed(errors, reason) from (reason or errors[0])
