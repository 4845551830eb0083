"""Tasks made of tasks: all of them, the first of them, some of them.

A combinator waits on its members from the moment it is made, counts what has settled, and settles itself once. It
costs a constant for each member and never calls into a member's own waiters, so that neither a wide nor a deep tree
costs more than its size. "First" always means first in the order of the history's events.

A branch that is handed over as a generator belongs to its combinator, and is cancelled when it loses, when another
member fails under ``failures='raise'``, or when nobody waits for the combinator any more. A combinator that fails, is
cancelled or runs out of time knows its outcome then (:attr:`Combined.pending_error`), and settles when the branches
below that this cancels have ended.

Members may be tasks, branches (which are begun), or lists, tuples and dicts of them. Outside of an execution, given
nothing but descriptions, a combinator is a description too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from types import GeneratorType
from typing import Any, Literal, TypeVar, overload

from genflow.core.errors import DefinitionError
from genflow.core.protocols import Loop, current_loop
from genflow.core.tasks.cancellation import WhenEnded
from genflow.core.tasks.signal_waits import GetPart, ask, parts_of
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task

__all__ = [
    'Combined',
    'Gathered',
    'Race',
    'Waitable',
    'all_of',
    'any_of',
    'first_of',
    'first_success',
    'gather',
    'joined',
]

A = TypeVar('A')
B = TypeVar('B')
C = TypeVar('C')
D = TypeVar('D')
E = TypeVar('E')
T = TypeVar('T')

Waitable = Task[T] | Generator[Any, Any, T]
"""A member, for type checkers: a task or a branch."""

Failures = Literal['raise', 'wait', 'return']


class Combined(Task[Any]):
    """The part that all combinators share.

    Being a member does not mark a failure as retrieved; retrieving the combinator does so for its members.

    Attributes:
        members: The tasks of which it is made; released when it has settled and was retrieved.
        pending_error: The error that it settles with as soon as branches below have ended.
    """

    __slots__ = ('_parts', 'described', 'has_branches', 'members', 'pending_error', 'pending_gets')

    propagates = True

    def __init__(self, loop: Loop | None, members: list[Task[Any]]) -> None:
        super().__init__(loop)
        self.members = members
        self.described: tuple[Any, ...] = () if loop is not None else tuple(members)
        self.pending_gets = sum([member.pending_gets for member in members])
        self.has_branches = any(member.has_branches for member in members)
        self._parts: list[GetPart] | None = None
        self.pending_error: BaseException | None = None

    @property
    def decided(self) -> bool:
        """Whether its outcome is known, so that its members cannot change it."""
        return self.state != OPEN or self.pending_error is not None

    def attach(self) -> None:
        """Waits on the open members, and handles those that have settled."""
        for member in self.members:
            if member.state == OPEN:
                member.watch(self)
            else:
                self.notify(member)
                if self.decided:
                    return

    def mark_retrieved(self) -> None:
        pending: list[Task[Any]] = [self]
        while pending:
            task = pending.pop()
            if not isinstance(task, Combined):
                task.mark_retrieved()
            elif not task.retrieved:
                task.retrieved = True
                pending.extend(task.covered())
                if task.state != OPEN:
                    task.release()

    def covered(self) -> Iterable[Task[Any]]:
        """The members whose failures are retrieved with this task."""
        return self.members

    def release(self) -> None:
        self.members = []
        self._parts = None

    def stop(self) -> Iterable[Task[Any]] | None:
        return self.members[::-1]

    def withdraw(self) -> Iterable[Task[Any]]:
        return self.members[::-1]

    def end_canceled(self) -> None:
        self.fail(self.canceled_error(), self.waited_for())

    def fail(self, error: BaseException, tasks: Iterable[Task[Any]]) -> None:
        """Settles with an error once those among some tasks that are being cancelled have ended."""
        if self.pending_error is None:
            self.pending_error = error
            WhenEnded(tasks, self._fails).check()

    @property
    def is_ending(self) -> bool:  # type: ignore[override]
        return self.pending_error is not None and self.state == OPEN

    def _fails(self) -> None:
        self.settle(ERROR, self.pending_error)

    def waited_for(self) -> Iterable[Task[Any]]:
        return self.members

    def outlets(self) -> Iterable[Task[Any]]:
        return () if self.decided else (self,)

    @property
    def is_stale(self) -> bool:
        return self.decided

    def request(self) -> None:
        if self.pending_gets:
            ask(self)

    @property
    def parts(self) -> list[GetPart]:
        """What is gone through when somebody begins to wait for it."""
        if self._parts is None:
            self._parts = parts_of(self)
        return self._parts

    def outcomes(self) -> Iterable[Task[Any]]:
        """The tasks that the last notice may have settled."""
        return (self,)

    def settle(self, state: int, outcome: Any) -> None:
        super().settle(state, outcome)
        if self.retrieved:
            self.release()

    def notify(self, task: Task[Any]) -> None:
        raise TypeError('each combinator defines what a settled member does')

    def drop(self, losers: Iterable[Task[Any]], cancel: bool) -> None:
        """Cancels the losers where asked, else the branches among them that nobody else waits for."""
        losers = list(losers)
        for loser in losers:
            if self.retrieved:
                loser.mark_retrieved()
            if cancel:
                loser.cancel()
        if not cancel and self.loop is not None:
            self.loop.cancellations.cancel_unwanted(losers)

    def asked(self) -> tuple[Any, ...]:
        return self.described if self.loop is None else tuple(self.members)


class Gathered(Combined):
    """Waits for all members and gives their values in the shape that was asked for."""

    __slots__ = ('failures', 'missing', 'shape')

    kind = 'all_of'

    def __init__(
        self,
        loop: Loop | None,
        members: list[Task[Any]],
        shape: Callable[[list[Any]], Any] = list,
        failures: Failures = 'raise',
    ) -> None:
        super().__init__(loop, members)
        self.shape = shape
        self.failures = failures
        self.missing = len(members)
        self.attach()
        if not members and loop is not None:
            self.settle(VALUE, shape([]))

    def notify(self, task: Task[Any]) -> None:
        self.missing -= 1
        fails = task.state == ERROR and self.failures == 'raise'
        if (fails or self.missing == 0) and not self.decided:
            if fails:
                self._fail_first(task.outcome)
            else:
                self._finish()

    def _fail_first(self, error: BaseException) -> None:
        """The first failure: the branches that belong to it end first."""
        self.pending_error = error  # from now on it has no waiters
        loop = self.loop
        branches = () if loop is None else loop.cancellations.cancel_unwanted(self.members)
        self.pending_error = None
        self.fail(error, branches)

    def _finish(self) -> None:
        failed = [member for member in self.members if member.state == ERROR]
        if failed and self.failures == 'wait':
            self.settle(ERROR, failed[0].outcome)
        else:
            self.settle(VALUE, self.shape([member.outcome for member in self.members]))

    def asked(self) -> tuple[Any, ...]:
        return (self.failures, *super().asked())


class Race(Combined):
    """Settles with the first member that settles: the value is that very task."""

    __slots__ = ('cancel_rest',)

    kind = 'any_of'

    def __init__(self, loop: Loop | None, members: list[Task[Any]], *, cancel_rest: bool) -> None:
        super().__init__(loop, members)
        self.cancel_rest = cancel_rest
        self.attach()

    def notify(self, task: Task[Any]) -> None:
        if not self.decided:
            losers = self.members = [member for member in self.members if member is not task]
            self.settle(VALUE, task)
            self.drop(losers, self.cancel_rest)

    def covered(self) -> Iterable[Task[Any]]:
        """The losers; the winner is the value, and its failure is retrieved from itself."""
        return () if self.state == OPEN else self.members

    def asked(self) -> tuple[Any, ...]:
        return (self.cancel_rest, *super().asked())


class Successes(Combined):
    """Settles with the values of the first ``n`` members that succeed."""

    __slots__ = ('cancel_rest', 'n', 'open', 'values')

    kind = 'first_success'

    def __init__(self, loop: Loop | None, members: list[Task[Any]], *, n: int, cancel_rest: bool) -> None:
        super().__init__(loop, members)
        self.n = n
        self.cancel_rest = cancel_rest
        self.values: list[Any] = []
        self.open = len(members)
        self.attach()

    def notify(self, task: Task[Any]) -> None:
        self.open -= 1
        if self.decided:
            return
        members = self.members
        if task.state == VALUE:
            self.values.append(task.outcome)
            if len(self.values) == self.n:
                self.settle(VALUE, self.values[0] if self.n == 1 else self.values)
                self.drop(members, self.cancel_rest)
        elif len(self.values) + self.open < self.n:
            self.settle(ERROR, task.outcome)
            self.drop(members, self.cancel_rest)

    def asked(self) -> tuple[Any, ...]:
        return (self.n, self.cancel_rest, *super().asked())


def gather(loop: Loop | None, value: Any, failures: Failures = 'raise') -> Gathered:
    """The task that waits for every member of a list, tuple or dict and gives the same shape."""
    if isinstance(value, dict):
        keys = list(value)
        return Gathered(
            loop, _members(loop, value.values()), lambda found: dict(zip(keys, found, strict=True)), failures
        )
    shape: Callable[[list[Any]], Any] = list
    if isinstance(value, tuple):
        cls = type(value)
        shape = (lambda found: cls(*found)) if hasattr(cls, '_fields') else tuple
    return Gathered(loop, _members(loop, value), shape, failures)


def _members(loop: Loop | None, values: Iterable[Any]) -> list[Task[Any]]:
    if loop is None:
        return [value if isinstance(value, Task) else gather(None, value) for value in values]
    return [value if isinstance(value, Task) and value.loop is loop else loop.as_task(value) for value in values]


def _given(tasks: tuple[Any, ...]) -> list[Any]:
    """Several members, or the one container that was given instead of them."""
    if len(tasks) != 1:
        return list(tasks)
    (only,) = tasks
    if isinstance(only, dict):
        return list(only.values())
    if isinstance(only, (list, tuple)):
        return list(only)
    if isinstance(only, GeneratorType) and only.gi_code.co_name == '<genexpr>':
        return list(only)
    if isinstance(only, Iterator) and not isinstance(only, GeneratorType):
        return list(only)
    return [only]


def joined(tasks: tuple[Any, ...]) -> tuple[Loop | None, list[Task[Any]]]:
    """The driver that a combinator belongs to, and its members as tasks."""
    values = _given(tasks)
    running = current_loop.get()
    loop = running.owner if running is not None else None
    if loop is None and any(isinstance(value, GeneratorType) for value in values):
        raise DefinitionError('branches can be combined in a workflow that an engine drives, and not by hand')
    return loop, _members(loop, values)


@overload
def all_of(tasks: Iterable[Waitable[T]], /, *, failures: Literal['raise', 'wait'] = 'raise') -> Task[list[T]]: ...
@overload
def all_of(tasks: Iterable[Waitable[T]], /, *, failures: Literal['return']) -> Task[list[T | BaseException]]: ...
@overload
def all_of(a: Waitable[A], b: Waitable[B], /, *, failures: Literal['raise', 'wait'] = 'raise') -> Task[tuple[A, B]]: ...
@overload
def all_of(
    a: Waitable[A], b: Waitable[B], c: Waitable[C], /, *, failures: Literal['raise', 'wait'] = 'raise'
) -> Task[tuple[A, B, C]]: ...
@overload
def all_of(
    a: Waitable[A], b: Waitable[B], c: Waitable[C], d: Waitable[D], /, *, failures: Literal['raise', 'wait'] = 'raise'
) -> Task[tuple[A, B, C, D]]: ...
@overload
def all_of(
    a: Waitable[A],
    b: Waitable[B],
    c: Waitable[C],
    d: Waitable[D],
    e: Waitable[E],
    /,
    *,
    failures: Literal['raise', 'wait'] = 'raise',
) -> Task[tuple[A, B, C, D, E]]: ...
@overload
def all_of(*tasks: Waitable[T], failures: Literal['raise', 'wait'] = 'raise') -> Task[list[T]]: ...
@overload
def all_of(*tasks: Waitable[T], failures: Literal['return']) -> Task[list[T | BaseException]]: ...
@overload
def all_of(*tasks: Any, failures: Failures = 'raise') -> Task[list[Any]]: ...
def all_of(*tasks: Any, failures: Failures = 'raise') -> Any:
    """Waits for all and gives the list of their results; of nothing, ``[]``.

    Type checkers see a tuple where two to five are given one by one, so that each result has its own type.

    Args:
        tasks: Several tasks or branches, or one list, tuple, dict (its values) or generator expression of them.
        failures: ``'raise'`` fails with the first failure at once, ``'wait'`` fails with the first in the order given
            after all have settled, ``'return'`` puts the exceptions into the list.
    """
    if failures not in ('raise', 'wait', 'return'):
        raise DefinitionError(f"failures is {failures!r}; it must be 'raise', 'wait' or 'return'")
    loop, members = joined(tasks)
    return Gathered(loop, members, list, failures)


@overload
def any_of(tasks: Iterable[Waitable[T]], /, *, cancel_rest: bool = False) -> Task[Task[T]]: ...
@overload
def any_of(tasks: Mapping[Any, Waitable[T]], /, *, cancel_rest: bool = False) -> Task[Task[T]]: ...
@overload
def any_of(
    first: Waitable[A],
    second: Waitable[B] = ...,
    third: Waitable[C] = ...,
    fourth: Waitable[D] = ...,
    /,
    *others: Waitable[E],
    cancel_rest: bool = False,
) -> Task[Task[A | B | C | D | E]]: ...
def any_of(*tasks: Any, cancel_rest: bool = False) -> Any:
    """Waits for the first and gives that very task, failed or not; ask it for its ``result()``.

    Args:
        tasks: As for :func:`all_of`.
        cancel_rest: Cancel the others. Branches that are handed over as generators are cancelled in any case when
            they lose.

    Raises:
        ValueError: There are none.
    """
    loop, members = joined(tasks)
    if not members:
        raise ValueError('any_of() of nothing would never settle; give it at least one task')
    return Race(loop, members, cancel_rest=cancel_rest)


@overload
def first_success(tasks: Iterable[Waitable[T]], /, *, cancel_rest: bool = False) -> Task[T]: ...
@overload
def first_success(tasks: Mapping[Any, Waitable[T]], /, *, cancel_rest: bool = False) -> Task[T]: ...
@overload
def first_success(
    first: Waitable[A],
    second: Waitable[B] = ...,
    third: Waitable[C] = ...,
    fourth: Waitable[D] = ...,
    /,
    *others: Waitable[E],
    cancel_rest: bool = False,
) -> Task[A | B | C | D | E]: ...
@overload
def first_success(*tasks: Any, n: int, cancel_rest: bool = False) -> Task[Any]: ...
def first_success(*tasks: Any, n: int = 1, cancel_rest: bool = False) -> Task[Any]:
    """Waits for the first ``n`` that succeed; gives the value, or the list of ``n`` values where ``n`` is more than 1.

    Fails with the last failure as soon as fewer than ``n`` can still succeed.

    Raises:
        ValueError: There are fewer than ``n`` tasks, or ``n`` is less than 1.
    """
    loop, members = joined(tasks)
    if not 1 <= n <= len(members):
        raise ValueError(f'first_success(n={n}) needs at least {max(n, 1)} tasks and has {len(members)}')
    return Successes(loop, members, n=n, cancel_rest=cancel_rest)


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
