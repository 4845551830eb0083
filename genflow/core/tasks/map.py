"""A few at a time: ``self.map(fn, items, limit=10)``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from genflow.core.errors import DefinitionError
from genflow.core.tasks.branch import Branch, as_task
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task

if TYPE_CHECKING:
    from genflow.core.tasks.loop import Loop

__all__ = ['Mapped']


class Mapped(Task[Any]):
    """Calls a function for each item, no more than ``limit`` at a time: ``self.map(fn, items, limit=10)``."""

    __slots__ = ('failed', 'function', 'items', 'limit', 'owner', 'results', 'running', 'total')

    kind = 'map'

    def __init__(self, loop: Loop | None, function: Callable[[Any], Any], items: Iterable[Any], limit: Any) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise DefinitionError(f'limit is {limit!r}; it is a whole number from 1')
        super().__init__(loop)
        self.function = function
        self.limit = limit
        self.items = deque(enumerate(items))
        self.total = len(self.items)
        self.results: list[Any] = [None] * self.total
        self.running: dict[int, int] = {}
        self.failed = False
        if loop is None:
            return
        self.owner = Branch(loop, None, loop.current)  # the options and shields of here, whenever an item begins
        self.keeps_open = True
        loop.open_blockers += 1
        self._fill()

    def notify(self, task: Task[Any]) -> None:
        place = self.running.pop(id(task))
        task.mark_retrieved()
        if self.state != OPEN:
            return
        if task.state == ERROR:
            self.items.clear()
            self.settle(ERROR, task.outcome)
            return
        self.results[place] = task.outcome
        self._fill()

    def withdraw(self) -> Iterable[Task[Any]]:
        self.items.clear()
        return ()

    def _fill(self) -> None:
        while self.items and len(self.running) < self.limit and self.state == OPEN:
            self._begin(*self.items.popleft())
        if not self.items and not self.running and self.state == OPEN:
            self.settle(VALUE, self.results)

    def _begin(self, place: int, item: Any) -> None:
        loop = self.loop
        if loop is None:
            return
        before, loop.current = loop.current, self.owner
        try:
            started = self.function(item)
            task = as_task(loop, started) if loop.holds_task(started) else None
        except Exception as error:  # noqa: BLE001 - what the user's function raises is the outcome
            self.items.clear()
            self.settle(ERROR, error)
            return
        finally:
            loop.current = before
        if task is None:
            self.results[place] = started
        elif task.state == OPEN:
            self.running[id(task)] = place
            task.await_by(self)
        else:
            self.running[id(task)] = place
            self.notify(task)

    def asked(self) -> tuple[Any, ...]:
        return (self.function, self.limit, tuple(self.items))
