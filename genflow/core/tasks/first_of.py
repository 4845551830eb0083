"""A race whose members have names: ``name, value = yield first_of(paid=…, late=…)``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar, overload

from genflow.core.errors import DefinitionError
from genflow.core.protocols import Loop
from genflow.core.tasks.combinators import Combined, Waitable, joined
from genflow.core.tasks.task import VALUE, Task

__all__ = ['first_of']

T = TypeVar('T')


class NamedRace(Combined):
    """Settles with the name and the result of the first member that settles, and cancels the others.

    Attributes:
        names: The names of the members, in order.
        keep: The names of those that are not cancelled.
    """

    __slots__ = ('keep', 'names')

    kind = 'first_of'

    def __init__(
        self, loop: Loop | None, names: tuple[str, ...], members: list[Task[Any]], keep: frozenset[str]
    ) -> None:
        super().__init__(loop, members)
        self.names = names
        self.keep = keep
        self.attach()

    def notify(self, task: Task[Any]) -> None:
        if self.decided:
            return
        named = list(zip(self.names, self.members, strict=True))
        name = next(name for name, member in named if member is task)
        kept = {id(member) for name, member in named if name in self.keep}
        losers = [member for member in self.members if member is not task and id(member) not in kept]
        self.settle(task.state, (name, task.outcome) if task.state == VALUE else task.outcome)
        self.drop(losers, cancel=True)

    def asked(self) -> tuple[Any, ...]:
        return (self.names, self.keep, *super().asked())


@overload
def first_of(*, keep: Collection[str] = (), **tasks: Waitable[T]) -> Task[tuple[str, T]]: ...
@overload
def first_of(*, keep: Collection[str] = (), **tasks: Any) -> Task[tuple[str, Any]]: ...
def first_of(*, keep: Collection[str] = (), **tasks: Any) -> Task[tuple[str, Any]]:
    """Waits for the first of several tasks with names, cancels the others, and gives its name and its result.

    For example ``name, value = yield first_of(verdict=self.verdict.get(), over=self.sleep(3600))``. If the first one to
    settle has failed, its failure is raised.

    Args:
        keep: The names of those that are not cancelled when they lose.
        tasks: Tasks or branches by name, or lists, tuples and dicts of them.

    Raises:
        ValueError: There are none.
        DefinitionError: ``keep`` has a name that no task has.
    """
    kept = frozenset((keep,) if isinstance(keep, str) else keep)
    unknown = sorted(kept - set(tasks))
    if unknown:
        raise DefinitionError(f'keep names {", ".join(unknown)}; the tasks are {", ".join(tasks) or "none"}')
    if not tasks:
        raise ValueError('first_of() of nothing would never settle; give it at least one task by name')
    loop, members = joined((list(tasks.values()),))
    return NamedRace(loop, tuple(tasks), members, kept)
