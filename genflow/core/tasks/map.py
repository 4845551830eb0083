"""A few at a time: ``self.map(fn, items, limit=10)``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from genflow.core.errors import DefinitionError
from genflow.core.tasks.branch import Branch, as_task
from genflow.core.tasks.cancellation import Vigil
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task

if TYPE_CHECKING:
    from genflow.core.tasks.loop import Loop

__all__ = ['Mapped']


class Mapped(Branch):
    """Calls a function for each item, no more than ``limit`` at a time: ``self.map(fn, items, limit=10)``.

    It is a branch without a generator: the items have the options and shields of the line that made it, and it is
    cancelled as a branch is, with the calls and branches of its items.
    """

    __slots__ = ('error', 'filling', 'function', 'items', 'limit', 'open', 'results', 'running', 'total')

    kind = 'map'
    is_called = True

    def __init__(self, loop: Loop | None, function: Callable[[Any], Any], items: Iterable[Any], limit: Any) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise DefinitionError(f'limit is {limit!r}; it is a whole number from 1')
        super().__init__(loop, None, None if loop is None else loop.current)
        self.function = function
        self.limit = limit
        self.items = deque(enumerate(items))
        self.total = len(self.items)
        self.results: list[Any] = [None] * self.total
        self.running: dict[int, tuple[Task[Any], list[int]]] = {}
        self.open = 0
        self.error: BaseException | None = None
        self.filling = False
        if loop is None:
            return
        self.keeps_open = True
        loop.open_blockers += 1
        loop.live[self] = None
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

    def stands(self) -> bool:
        return not self.filling

    def let_go(self) -> Iterable[Task[Any]]:
        at = self.waits_for()
        self.items.clear()
        self.running, self.open = {}, 0
        return at

    def close(self) -> None:
        """Nothing of the user's is to be closed."""

    # running

    def _fail(self, error: BaseException) -> None:
        """The first failure: its branches end before it settles."""
        self.error = error
        self.items.clear()
        if self.loop is not None:
            Vigil(self.loop.cancellations.give_up(self.waits_for()), self._fails).look()

    def _fails(self) -> None:
        self.settle(ERROR, self.error)

    def _fill(self) -> None:
        self.filling = True
        while self.items and self.open < self.limit and self.error is None:
            self._begin(*self.items.popleft())
        self.filling = False
        if self.error is not None or self.loop is None:
            return
        if not self.items and not self.running:
            self._finish()
        elif self.doom is not None:
            self.loop.cancellations.strikes(self)

    def _finish(self) -> None:
        if self.doom is None or not self.doom.counts:
            self.settle(VALUE, self.results)
        else:
            self.raised(self.doom.error)

    def _take(self, places: Iterable[int], task: Task[Any]) -> None:
        """The outcome of one item, or of several for which the function gave the same task."""
        task.mark_retrieved()
        if task.state == VALUE:
            for place in places:
                self.results[place] = task.outcome
        elif self.error is None:
            self._fail(task.outcome)

    def _begin(self, place: int, item: Any) -> None:
        loop = self.loop
        if loop is None:
            return
        before, loop.current = loop.current, self
        try:
            started = self.function(item)
            task = as_task(loop, started) if loop.holds_task(started) else None
        except Exception as error:  # noqa: BLE001 - what the user's function raises is the outcome
            self._fail(error)
            return
        finally:
            loop.current = before
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
        return (self.function, self.limit, tuple(self.items))
