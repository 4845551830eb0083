"""A few at a time: ``self.map(fn, items, limit=10)``.

An item is taken when a place is free, so that a generator makes each one at its turn. A list or another collection is
copied first, because the code may change it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import GeneratorType
from typing import Any, Literal

from genflow.core.errors import DefinitionError
from genflow.core.protocols import Loop
from genflow.core.tasks.branch import Branch, as_task
from genflow.core.tasks.cancellation import WhenEnded
from genflow.core.tasks.generators import close_generator
from genflow.core.tasks.nested import holds_task
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task

__all__ = ['Mapped']

Failures = Literal['raise', 'wait', 'return']


class Failed:
    """The place of an item that failed, until the others have settled."""

    __slots__ = ('error',)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Mapped(Branch):
    """Calls a function for each item, no more than ``limit`` at a time: ``self.map(fn, items, limit=10)``.

    It is a branch without a generator: the items have the options and shields of the line that made it, and it is
    cancelled as a branch is, with the calls and branches of its items.
    """

    __slots__ = ('error', 'failures', 'filling', 'function', 'items', 'limit', 'open', 'results', 'running')

    kind = 'map'
    is_called = True

    def __init__(
        self,
        loop: Loop | None,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        limit: int | None = None,
        failures: Failures = 'raise',
    ) -> None:
        if limit is not None and (type(limit) is not int or limit < 1):
            raise DefinitionError(f'limit is {limit!r}; it must be a whole number of at least 1, or None for no limit')
        if failures not in ('raise', 'wait', 'return'):
            raise DefinitionError(f"failures is {failures!r}; it must be 'raise', 'wait' or 'return'")
        super().__init__(loop, None, None if loop is None else loop.current)
        self.function = function
        self.limit = limit
        self.failures = failures
        self.items: Iterator[Any] | tuple[Any, ...] | None
        self.items = items if isinstance(items, Iterator) and loop is not None else tuple(items)
        self.results: list[Any] = []
        self.running: dict[int, tuple[Task[Any], list[int]]] = {}
        self.open = 0
        self.error: BaseException | None = None
        self.filling = False
        if loop is None:
            return
        self.keeps_open = True
        loop.open_blockers += 1
        loop.live[self] = None
        self.items = iter(self.items)
        self._fill()

    def notify(self, task: Task[Any]) -> None:
        if id(task) in self.running:
            _, places = self.running.pop(id(task))
            self.open -= len(places)
            self._take(places, task)
            self._fill()

    def is_waiting_for(self, task: Task[Any]) -> bool:
        return self.state == OPEN and self.error is None and id(task) in self.running

    # cancellation

    def waits_for(self) -> Iterable[Task[Any]]:
        return [task for task, _ in self.running.values()]

    def is_suspended(self) -> bool:
        return not self.filling

    def stop_waiting(self) -> Iterable[Task[Any]]:
        at = self.waits_for()
        self._end_items()
        self.running, self.open = {}, 0
        return at

    def close(self) -> None:
        self._end_items()

    def _end_items(self) -> None:
        """Takes no more items; closes the generator that makes them."""
        items, self.items = self.items, None
        if isinstance(items, GeneratorType) and self.loop is not None:
            with self.loop.silence():
                close_generator(items, self.loop.passing)

    # running

    def _fail(self, error: BaseException) -> None:
        """The failure of the map: its branches end before it settles."""
        self.error = error
        self._end_items()
        if self.loop is not None:
            WhenEnded(self.loop.cancellations.cancel_unwanted(self.waits_for()), self._fails).check()

    def _fails(self) -> None:
        self.settle(ERROR, self.error)

    def _fill(self) -> None:
        self.filling = True
        while self.items is not None and (self.limit is None or self.open < self.limit):
            self._begin_next()
        self.filling = False
        if self.error is not None or self.loop is None:
            return
        if self.items is None and not self.running:
            self._finish()
        elif self.cancel_state is not None:
            self.loop.cancellations.interrupts(self)

    def _finish(self) -> None:
        failed = (result for result in self.results if isinstance(result, Failed))
        if self.cancel_state is not None and self.cancel_state.takes_effect:
            self.raised(self.cancel_state.error)
        elif self.failures == 'wait' and (first := next(failed, None)) is not None:
            self.settle(ERROR, first.error)
        else:
            self.settle(VALUE, [result.error if isinstance(result, Failed) else result for result in self.results])

    def _take(self, places: Iterable[int], task: Task[Any]) -> None:
        """The outcome of one item, or of several for which the function gave the same task."""
        task.mark_retrieved()
        if task.state == VALUE:
            for place in places:
                self.results[place] = task.outcome
        else:
            self._failed(places, task.outcome)

    def _failed(self, places: Iterable[int], error: BaseException) -> None:
        if self.failures != 'raise':
            for place in places:
                self.results[place] = Failed(error)
        elif self.error is None:
            self._fail(error)

    def _begin_next(self) -> None:
        """Takes the next item, if there is one, and begins it."""
        loop, items = self.loop, self.items
        if loop is None or not isinstance(items, Iterator):
            return
        before, loop.current = loop.current, self
        try:
            item = next(items)
        except StopIteration:
            self.items = None
        except loop.passing:
            raise
        except BaseException as error:  # noqa: BLE001 - what the user's iterator raises is the outcome
            self._fail(self.failure_of(error))
        else:
            self.results.append(None)
            self._begin(len(self.results) - 1, item)
        finally:
            loop.current, loop.has_run = before, True

    def _begin(self, place: int, item: Any) -> None:
        loop = self.loop
        if loop is None:
            return
        try:
            started = self.function(item)
            task = as_task(loop, started) if holds_task(started) else None
        except loop.passing:
            raise
        except BaseException as error:  # noqa: BLE001 - what the user's function raises is the outcome
            self._failed((place,), self.failure_of(error))
            return
        if task is None:
            self.results[place] = started
            return
        if task.state != OPEN:
            self._take((place,), task)
            return
        self.open += 1
        if id(task) in self.running:
            self.running[id(task)][1].append(place)
        else:
            self.running[id(task)] = (task, [place])
            task.await_by(self)

    def asked(self) -> tuple[Any, ...]:
        return (self.function, self.limit, self.failures, self.items)
