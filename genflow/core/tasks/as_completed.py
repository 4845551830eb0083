"""Tasks in the order in which they settle: ``for slot in as_completed(tasks): value = yield slot``.

The slots are filled in that order, regardless of who waits for them. Each has the outcome of its task, and marks it as
retrieved when it is retrieved itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from genflow.core.protocols import Loop
from genflow.core.tasks.combinators import Combined, joined
from genflow.core.tasks.task import OPEN, Task, Waiter

__all__ = ['Slot', 'as_completed']


class Slot(Task[Any]):
    """A place in the order in which tasks settle; made by :func:`as_completed`.

    Attributes:
        task: The task that settled at this place in the order; ``None`` until one has.
    """

    __slots__ = ('completion', 'place', 'task')

    kind = 'slot'
    propagates = True

    def __init__(self, loop: Loop | None, completion: CompletionQueue, place: int) -> None:
        super().__init__(loop)
        self.completion = completion
        self.place = place
        self.task: Task[Any] | None = None

    def mark_retrieved(self) -> None:
        self.retrieved = True
        if self.task is not None:
            self.task.mark_retrieved()

    def watch(self, waiter: Waiter) -> None:
        super().watch(waiter)
        awaited = self.completion.awaited
        if not awaited or awaited[-1] is not self:
            awaited.append(self)

    @property
    def pending_gets(self) -> int:  # type: ignore[override]
        return self.completion.pending_gets

    @property
    def has_branches(self) -> bool:  # type: ignore[override]
        return self.completion.has_branches

    @property
    def asker(self) -> Combined:
        return self.completion

    def request(self) -> None:
        self.completion.request()

    def waited_for(self) -> Iterable[Task[Any]]:
        return self.completion.members

    def asked(self) -> tuple[Any, ...]:
        return (self.place, *self.completion.asked())


class CompletionQueue(Combined):
    """Fills slots in the order in which the members settle."""

    __slots__ = ('awaited', 'slots', 'taken_slots')

    def __init__(self, loop: Loop | None, members: list[Task[Any]]) -> None:
        super().__init__(loop, members)
        self.slots = [Slot(loop, self, place) for place in range(len(members))]
        self.taken_slots = 0
        self.awaited: deque[Slot] = deque()
        self.attach()

    def outlets(self) -> Iterable[Task[Any]]:
        awaited = self.awaited
        while awaited and awaited[0].state != OPEN:
            awaited.popleft()
        return (slot for slot in awaited if slot.state == OPEN)

    def outcomes(self) -> Iterable[Task[Any]]:
        return (self.slots[self.taken_slots - 1],)

    def notify(self, task: Task[Any]) -> None:
        slot = self.slots[self.taken_slots]
        self.taken_slots += 1
        slot.task = task
        if slot.retrieved:
            task.mark_retrieved()
        slot.settle(task.state, task.outcome)


def as_completed(tasks: Any) -> Iterator[Slot]:
    """One slot for each task, in the order in which they settle: ``value = yield slot``; ``slot.task`` says which."""
    loop, members = joined((tasks,))
    return iter(CompletionQueue(loop, members).slots)
