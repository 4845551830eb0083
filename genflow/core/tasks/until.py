"""Waiting for a state: ``self.until(lambda: not self.pending)``.

*Theory of operation.* Conditions are evaluated when all branches are blocked: after each event that ran code of the
workflow or is a signal, in the order in which the branches began to wait. The first one that is true settles. Then the
branches run until they are blocked again, before the next one is evaluated. So a condition is true at the moment at
which its waiter is resumed. This repeats until none is true in a whole round. Any other event changes only the time,
which wakes no condition.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import GeneratorType
from typing import Any

from attrs import define, field

from genflow.core.errors import YieldError
from genflow.core.protocols import Loop
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task, Waiter
from genflow.core.tasks.unused import UsageTracked
from genflow.core.text import Location, place

__all__ = ['Conditions', 'Until']


class Until(UsageTracked):
    """Settles when a predicate is true, once somebody waits for it.

    Attributes:
        where: Where it was made.
    """

    __slots__ = ('_predicate', '_registered', 'used', 'where')

    kind = 'until'

    def __init__(self, loop: Loop | None, predicate: Callable[[], Any], where: Location) -> None:
        super().__init__(loop)
        self._predicate = predicate
        self._registered = False
        self.used = False
        self.where = where

    def mark_used(self) -> None:
        self.used = True

    def watch(self, waiter: Waiter) -> None:
        super().watch(waiter)
        if not self._registered and self.loop is not None:
            self._registered = self.loop.restless = True
            self.loop.conditions.add(self)

    def look(self) -> bool:
        """Settles if the predicate is true; whether it has settled. An exception of the predicate is its failure."""
        loop = self.loop
        if loop is None or not self.wanted():
            return False
        try:
            holds = loop.read_only(self._describe_predicate, self._holds)
        except loop.passing:
            raise
        except BaseException as error:  # noqa: BLE001 - what the user's predicate raises is the outcome
            self.settle(ERROR, self.failure_of(error))
            return True
        if holds:
            self.settle(VALUE, None)
        return holds

    def _describe_predicate(self) -> str:
        return f'the predicate of until() at {place(self.where)}'

    def _holds(self) -> bool:
        found = self._predicate()
        if isinstance(found, GeneratorType):
            found.close()
            raise YieldError(
                f'{self._describe_predicate()} is a generator function, so it would always be true; '
                'wait for a branch with `yield self.branch()`, and let a predicate return a value'
            )
        return bool(found)

    @property
    def is_forgotten(self) -> bool:
        """Whether no waiter is left."""
        return all(_is_over(waiter) for waiter in self.waiters or ())

    def forget(self) -> None:
        """Stops evaluating it, unless it is waited for again."""
        self._registered = False

    def asked(self) -> tuple[Any, ...]:
        return (self._predicate,)

    @property
    def label(self) -> str:
        return f'until() at {place(self.where)}'


def _is_over(waiter: Waiter) -> bool:
    return waiter.is_stale or (isinstance(waiter, Task) and waiter.state != OPEN)


@define(eq=False)
class Conditions:
    """The conditions of one execution that are waited for."""

    _open: list[Until] = field(factory=list, init=False)
    _round: deque[Until] = field(factory=deque, init=False)
    _is_due: bool = field(default=False, init=False)

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, condition: Until) -> None:
        self._open.append(condition)
        self._is_due = True

    def begin_anew(self) -> None:
        """Has each of them evaluated again after the current round."""
        self._is_due = True

    def look(self) -> bool:
        """Settles the next condition that is true; whether there was one.

        Call it again when all branches are blocked, until there is none.
        """
        while self._round or self._is_due:
            if not self._round:
                self._begin_round()
            elif (condition := self._round.popleft()).state == OPEN and condition.look():
                self._is_due = True
                return True
        return False

    def _begin_round(self) -> None:
        self._is_due = False
        conditions, self._open = self._open, []
        for condition in conditions:
            if condition.state == OPEN and not condition.is_forgotten:
                self._open.append(condition)
            else:
                condition.forget()
        self._round.extend(self._open)

    def is_awaited(self) -> bool:
        """Whether a condition is waited for."""
        return any(condition.state == OPEN and condition.wanted() for condition in self._open)
