"""A task that the workflow's own code settles: ``self.future()``."""

from __future__ import annotations

from typing import TypeVar

from genflow.core.errors import YieldError
from genflow.core.protocols import Loop
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task
from genflow.core.text import short

__all__ = ['Future']

T = TypeVar('T')


class Future(Task[T]):
    """A result that one branch sets and others wait for."""

    __slots__ = ('_canceled',)

    kind = 'future'

    def __init__(self, loop: Loop | None) -> None:
        super().__init__(loop)
        self._canceled = False

    def set_result(self, value: T) -> None:
        """Settles it with a value; does nothing if it is cancelled.

        Raises:
            YieldError: It is settled already, or another thread asks.
        """
        self._set(VALUE, value)

    def set_exception(self, error: BaseException) -> None:
        """Settles it with an exception; does nothing if it is cancelled.

        An exception that nobody retrieves is no failure of the workflow.

        Raises:
            TypeError: ``error`` is no exception.
            YieldError: As for :meth:`set_result`.
        """
        if not isinstance(error, BaseException):
            raise TypeError(f'set_exception() was given {short(error)}; it takes an exception, not its class')
        self._set(ERROR, error)

    def _set(self, state: int, outcome: object) -> None:
        loop = self.loop
        if loop is not None:
            if loop.silent:
                loop.describes(f'a result of {self.label}')
                return
            loop.check_thread(f'a result of {self.label}')
        if self.state == OPEN:
            if state == ERROR:
                self.retrieved = True
            self.settle(state, outcome)
        elif not self._canceled:
            raise YieldError(f'{self.label} is already settled; check done() first if several branches may settle it')

    def end_canceled(self) -> None:
        self._canceled = self.state == OPEN
        super().end_canceled()
