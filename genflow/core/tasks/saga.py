"""Sagas: steps that are undone when a later one fails.

::

    def run(self, order):
        self.saga = Saga()
        return (yield from self.saga.run(self.steps(order)))

    def steps(self, order):
        self.saga.add(self.release, order)
        yield self.reserve(order)
        self.saga.add(self.refund, order)
        return (yield self.charge(order))

A compensation is best added before its step: a step whose outcome nobody learned, because a cancellation or a
time-out came first, may have happened all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from types import FrameType, GeneratorType
from typing import Any, TypeVar

from genflow.core.errors import Canceled, CompensationFailed
from genflow.core.payloads.failures import described
from genflow.core.protocols import Loop, current_loop
from genflow.core.tasks.cancellation import Shield
from genflow.core.tasks.task import Task
from genflow.core.text import short

__all__ = ['Saga']

R = TypeVar('R')


class Saga:
    """The compensations of the steps so far."""

    def __init__(self) -> None:
        self._steps: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        loop = current_loop.get()
        if loop is not None:
            loop.saga_changed(self, 'begun')

    @property
    def remaining(self) -> int:
        """The number of compensations that have not begun."""
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
                f'saga.add() was given {short(function)}, which was called already or is not callable; write '
                '`saga.add(self.undo, x)` instead of `saga.add(self.undo(x))`'
            )
        step = (function, args, kwargs)
        self._steps.append(step)
        loop = current_loop.get()
        if loop is not None:
            loop.saga_changed(self, 'added', step)

    def run(self, steps: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        """Drives the steps, and undoes them if they fail or are cancelled: ``yield from saga.run(self.steps(order))``.

        The exception of the steps is raised again, even if compensations fail. Failed compensations become notes of
        that exception, and so appear in the details with which the execution closes.

        Args:
            steps: The generator of a generator function.

        Raises:
            TypeError: It is no generator.
        """
        if not isinstance(steps, GeneratorType):
            raise TypeError(f'saga.run() was given {short(steps)}; it takes a generator: `saga.run(self.steps(x))`')
        return _noted(self._run(steps), 'Saga.run', sys._getframe(1))

    def _run(self, steps: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        loop = current_loop.get()
        try:
            return (yield from steps)
        except BaseException as error:
            if isinstance(error, (GeneratorExit, *_passing(loop))):
                raise
            try:
                yield from self._compensated(loop, error)
            except CompensationFailed as failed:
                _add_notes(error, failed)
            raise

    def compensate(self) -> Generator[Any, Any, None]:
        """Undoes the steps, the last one first, each once; a cancellation waits until it is over.

        Drive it: ``yield from saga.compensate()``. A compensation that fails does not keep the others from running.

        Raises:
            CompensationFailed: Some failed; at the end. Its cause is the exception because of which they ran.
        """
        steps = self._compensated(current_loop.get(), sys.exc_info()[1])
        return _noted(steps, 'Saga.compensate', sys._getframe(1))

    def _compensated(self, loop: Loop | None, reason: BaseException | None) -> Generator[Any, Any, None]:
        branch, note = (None, _unnoted) if loop is None else (loop.current, loop.saga_changed)
        errors: list[BaseException] = []
        shield = Shield()
        if branch is not None:
            branch.enter(shield)
        try:
            while self._steps:
                function, args, kwargs = step = self._steps.pop()
                note(self, 'undoing', step)
                try:
                    made = function(*args, **kwargs)
                    if isinstance(made, (Task, GeneratorType)):
                        yield made
                except BaseException as error:
                    if isinstance(error, (GeneratorExit, *_passing(loop))):
                        raise
                    errors.append(error)  # reported together, once all have been tried
                    note(self, 'failed', error)
                note(self, 'undone', step)
        finally:
            if branch is not None:
                branch.leave(shield)
        if errors:
            raise CompensationFailed(errors, reason) from (reason or errors[0])


def _passing(loop: Loop | None) -> tuple[type[BaseException], ...]:
    """Exceptions that end the engine's work, and undo nothing."""
    return () if loop is None else loop.passing


def _unnoted(saga: Saga, change: str, step: Any = None) -> None:
    """Without an engine, nobody takes notes."""


def _noted(steps: Generator[Any, Any, R], name: str, frame: FrameType) -> Generator[Any, Any, R]:
    """A generator that is reported if nobody drives it."""
    loop = current_loop.get()
    if isinstance(steps, GeneratorType) and loop is not None and not loop.silent:
        steps.__qualname__ = name
        loop.unused.note_generator(steps, frame)
    return steps


def _add_notes(error: BaseException, failed: CompensationFailed) -> None:
    """Says at an exception which compensations failed."""
    texts = [f'A compensation failed: {described(other)}' for other in failed.errors]
    error.__notes__ = [*getattr(error, '__notes__', ()), *texts]  # type: ignore[attr-defined]
    if isinstance(error, Canceled):
        error.args = ('; '.join([*([error.details] if error.details else []), *texts]),)
