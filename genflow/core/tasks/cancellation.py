"""Cancellation of branches, from the inside to the outside.

*Theory of operation.* A branch that is cancelled passes through four states, which its :class:`CancelState` keeps:

* *requested*: while a shield defers the cancellation, or while the branch runs or a value is on its way to it, the
  branch goes on as before.
* *interrupted*: the branch stands at a ``yield`` whose task is open, and no longer waits for that task. The calls
  below the task that nobody else waits for are cancelled at once. The cancellation of the branches below that the
  branch owns is requested too, and the branch waits (:class:`WhenEnded`) until those have ended.
* *delivered*: the exception was thrown at the ``yield``. The branch may clean up, with calls and branches of its own.
  It is never cancelled again.
* *ended*: the task of the branch settles.

So a waiter gets its exception after everything that it waits for has ended. Branches that wait for each other in a
circle would wait for ever: once nothing else is to be delivered, :meth:`Cancellations.break_circles` delivers to the
youngest branch of each innermost circle.

A *targeted* cancellation is meant for one branch: ``cancel()``, a time-out, a lost race, a failed list. The shields
that the branch itself has entered defer it. Any other is meant for all branches: the execution is cancelled, or
``run`` has ended. The shields in which the branch was begun defer that one as well, until they are left. The clean-up
of a branch shields what it begins in the same way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from attrs import define, field

from genflow.core.errors import BranchCanceled, Canceled
from genflow.core.protocols import Loop
from genflow.core.tasks.circles import circles_of, innermost
from genflow.core.tasks.task import OPEN, Task, notify_combinators

__all__ = ['CancelState', 'Cancellable', 'Cancellations', 'Shield', 'WhenEnded', 'awaited_below']


class Shield:
    """A ``with self.shield():`` block, or the clean-up of a branch.

    Attributes:
        deferred: Branches whose cancellation it defers, though they have not entered it themselves.
    """

    __slots__ = ('deferred', 'open')

    def __init__(self) -> None:
        self.open = True
        self.deferred: list[Cancellable] = []

    def leave(self) -> None:
        """Leaves the block, and continues the cancellations that it deferred."""
        self.open = False
        deferred, self.deferred = self.deferred, []
        for branch in deferred:
            if branch.loop is not None and not branch.loop.silent:
                branch.loop.cancellations.interrupt([branch])


class CancelState:
    """The cancellation of one branch.

    Attributes:
        error: The exception to throw.
        targeted: Whether it is for this branch, and not for all of them.
        ending: The wait for the branches below; ``None`` until the branch is interrupted.
        delivered: Whether the exception was thrown.
    """

    __slots__ = ('delivered', 'ending', 'error', 'targeted')

    def __init__(self, error: Canceled, *, targeted: bool) -> None:
        self.error = error
        self.targeted = targeted
        self.ending: WhenEnded | None = None
        self.delivered = False

    @property
    def requested(self) -> bool:
        """Whether the branch has not been interrupted yet."""
        return self.ending is None

    @property
    def takes_effect(self) -> bool:
        """Whether the branch ends as cancelled, whatever it returns: not if shields deferred it to the end."""
        return self.targeted or self.ending is not None

    @property
    def is_waiting(self) -> bool:
        """Whether the branch was interrupted and the exception is still to be thrown."""
        return self.ending is not None and not self.delivered


class WhenEnded:
    """Calls a function once those among some tasks that are being cancelled have ended."""

    __slots__ = ('_left', '_open', '_then')

    is_stale = False

    def __init__(self, tasks: Iterable[Task[Any]], then: Callable[[], None]) -> None:
        self._left = list(tasks)[::-1]
        self._open: list[Task[Any]] = []
        self._then = then

    def check(self) -> None:
        """Calls the function if nothing is left to wait for."""
        blocker = self._next()
        if blocker is None:
            self._then()
        else:
            blocker.watch(self)

    def notify(self, task: Task[Any]) -> None:
        self.check()

    def is_waiting_for(self, task: Task[Any]) -> bool:
        return False

    def blockers(self) -> list[Task[Any]]:
        """The tasks that it waits for."""
        return [task for task in (*self._left, *self._open) if task.is_ending]

    def _next(self) -> Task[Any] | None:
        left = self._left
        while left:
            task = left[-1]
            if task.is_ending:
                return task
            left.pop()
            if task.state == OPEN:
                self._open.append(task)  # it may be cancelled yet
        return next((task for task in self._open if task.is_ending), None)


class Cancellable(Task[Any]):
    """A task whose code gets its cancellation at a ``yield``: a branch, or a map.

    Attributes:
        shields: The ``with self.shield()`` blocks that it has entered.
        outer_shields: The shields in which it was begun.
        spawned: Whether it was given to ``spawn()``, so that it does not belong to its waiters.
        cancel_state: Its cancellation, if it is cancelled.
    """

    __slots__ = ('cancel_state', 'outer_shields', 'shields', 'spawned')

    is_branch = True
    has_branches = True
    is_called = False
    """Whether a call made it, so that it is cancelled where calls are."""

    def __init__(self, loop: Loop | None, outer_shields: tuple[Shield, ...]) -> None:
        super().__init__(loop)
        self.shields: tuple[Shield, ...] = ()
        self.outer_shields = outer_shields
        self.spawned = False
        self.cancel_state: CancelState | None = None

    def enter(self, shield: Shield) -> None:
        self.shields = (*self.shields, shield)

    def leave(self, shield: Shield) -> None:
        self.shields = tuple(other for other in self.shields if other is not shield)
        shield.leave()

    def shields_of_new(self) -> tuple[Shield, ...]:
        """The shields of what it begins."""
        if not self.shields and not self.outer_shields:
            return ()
        return tuple(shield for shield in (*self.outer_shields, *self.shields) if shield.open)

    @property
    def is_owned(self) -> bool:
        """Whether it belongs to its waiters, and is cancelled when there are none any more."""
        return not self.spawned

    @property
    def is_ending(self) -> bool:  # type: ignore[override]
        return self.cancel_state is not None and self.state == OPEN

    @property
    def was_cancelled(self) -> bool:  # type: ignore[override]
        return self.cancel_state is not None and self.cancel_state.takes_effect

    def waits_for(self) -> Iterable[Task[Any]]:
        """The tasks for which it waits now."""
        raise NotImplementedError

    def is_suspended(self) -> bool:
        """Whether it stands at an open task, or has not been begun."""
        raise NotImplementedError

    def stop_waiting(self) -> Iterable[Task[Any]]:
        """Stops waiting; returns the task for which it waited."""
        raise NotImplementedError

    def deliver_cancel(self, error: BaseException) -> None:
        """Throws the exception of its cancellation at the place where the code waits."""
        raise NotImplementedError

    def withdraw(self) -> Iterable[Task[Any]]:
        return ()

    def end_canceled(self) -> None:
        if self.loop is not None:
            self.loop.cancellations.cancel([self], targeted=True)

    def settle(self, state: int, outcome: Any) -> None:
        super().settle(state, outcome)
        loop = self.loop
        if loop is not None:
            loop.live.pop(self, None)
        for shield in self.shields:
            self.leave(shield)
        if self.cancel_state is not None and loop is not None:
            loop.cancellations.ended()


class Delivery:
    """A place in the queue: throws the exception when its turn comes."""

    __slots__ = ('branch',)

    def __init__(self, branch: Cancellable) -> None:
        self.branch = branch

    def run_callbacks(self) -> None:
        branch, cancel_state = self.branch, self.branch.cancel_state
        if branch.state == OPEN and cancel_state is not None and not cancel_state.delivered:
            cancel_state.delivered = True
            branch.deliver_cancel(cancel_state.error)


@define(eq=False)
class Cancellations:
    """Cancels the branches of one execution.

    Attributes:
        may_be_circular: Branches may wait for each other in a circle.
    """

    _loop: Loop = field(repr=False)
    _circles: bool = field(default=False, init=False)
    may_be_circular: bool = field(default=False, init=False)

    def cancel(
        self, branches: Iterable[Cancellable], error: type[Canceled] = BranchCanceled, *, targeted: bool
    ) -> None:
        """Cancels branches; one that is cancelled already is not cancelled again."""
        self.interrupt([branch for branch in branches if _request(branch, error, targeted=targeted)])

    def interrupts(self, branch: Cancellable) -> bool:
        """Whether a requested cancellation interrupts a branch that comes to an open task."""
        cancel_state = branch.cancel_state
        if cancel_state is None:
            return False
        if cancel_state.requested:
            self.interrupt([branch])
        if cancel_state.is_waiting:
            return True
        if any(task.may_wait_for_branches for task in branch.waits_for()):
            self._suspect()
        return False

    def interrupt(self, branches: Iterable[Cancellable]) -> None:
        """Stops cancelled branches from waiting, unless something defers that."""
        interrupted: list[WhenEnded] = []
        pending = deque(branches)
        while pending:
            branch = pending.popleft()
            if branch.cancel_state is not None and self._is_open_to(branch):
                below = self._cancel_below(branch.stop_waiting(), pending, calls=True)
                ending = WhenEnded(below, partial(self._loop.queue.append, Delivery(branch)))
                branch.cancel_state.ending = ending
                interrupted.append(ending)
        for ending in interrupted:
            ending.check()
            self._suspect()

    def cancel_unwanted(self, tasks: Iterable[Task[Any]], *, calls: bool = False) -> list[Cancellable]:
        """Cancels below some tasks what nobody waits for any more.

        Args:
            tasks: What was waited for.
            calls: Cancel calls and maps too, and not only the branches that were handed over.

        Returns:
            The open branches below.
        """
        pending: deque[Cancellable] = deque()
        below = self._cancel_below(tasks, pending, calls=calls)
        self.interrupt(pending)
        return below

    @staticmethod
    def _cancel_below(tasks: Iterable[Task[Any]], requested: deque[Cancellable], *, calls: bool) -> list[Cancellable]:
        """Cancels calls and requests the cancellation of branches; gives all branches below."""
        branches: list[Cancellable] = []
        unwanted: set[int] = set()
        for task in list(awaited_below(tasks, with_branches=not calls)):
            if isinstance(task, Cancellable):
                branches.append(task)
            if task.wanted(unwanted):
                continue
            unwanted.add(id(task))
            if not isinstance(task, Cancellable):
                if calls and task.is_call:
                    task.cancel()
            elif task.is_owned and (calls or not task.is_called) and _request(task, BranchCanceled, targeted=True):
                requested.append(task)
        return branches

    def _is_open_to(self, branch: Cancellable) -> bool:
        """Whether its cancellation interrupts a branch now."""
        cancel_state = branch.cancel_state
        if cancel_state is None or not cancel_state.requested or branch.state != OPEN or branch.shields:
            return False
        if not cancel_state.targeted:
            for shield in branch.outer_shields:
                if shield.open:
                    shield.deferred.append(branch)
                    return False
        if self._loop.queue:
            _notify_of_settled(branch.waits_for())
        return branch.is_suspended()

    def ended(self) -> None:
        """A cancelled branch has ended: a circle that waited for it is an innermost one now."""
        if self._circles:
            self._suspect()

    def _suspect(self) -> None:
        self.may_be_circular = self._loop.restless = True

    def break_circles(self) -> None:
        """Delivers to the youngest of each innermost circle of branches that wait for each other."""
        self.may_be_circular = False
        ages: dict[Cancellable, int] = {branch: age for age, branch in enumerate(self._loop.live)}
        graph: dict[Cancellable, list[Cancellable]] = {}
        pending = list(filter(_is_waiting, ages))
        while pending:
            branch = pending.pop()
            if branch not in graph:
                graph[branch] = _branches_waited_for(branch)
                pending += graph[branch]
        circles = circles_of(graph)
        self._circles = bool(circles)
        for circle in innermost(circles, graph):
            youngest = max(filter(_is_waiting, circle), key=ages.__getitem__, default=None)
            if youngest is not None:
                self._loop.queue.append(Delivery(youngest))


def _request(branch: Cancellable, error: type[Canceled], *, targeted: bool) -> bool:
    """Requests the cancellation of a branch; whether that changes anything."""
    cancel_state = branch.cancel_state
    if branch.state != OPEN:
        return False
    if cancel_state is None:
        branch.cancel_state = CancelState(error(), targeted=targeted)
        return True
    if not cancel_state.requested or cancel_state.targeted or not targeted:
        return False
    cancel_state.targeted = True
    return True


def _is_waiting(branch: Cancellable) -> bool:
    return branch.cancel_state is not None and branch.cancel_state.is_waiting


def _branches_waited_for(branch: Cancellable) -> list[Cancellable]:
    cancel_state = branch.cancel_state
    if cancel_state is not None and cancel_state.ending is not None and cancel_state.is_waiting:
        tasks: Iterable[Task[Any]] = cancel_state.ending.blockers()
    else:
        tasks = awaited_below(branch.waits_for())
    return [task for task in tasks if isinstance(task, Cancellable)]


def awaited_below(tasks: Iterable[Task[Any]], *, with_branches: bool = False) -> Iterator[Task[Any]]:
    """The open tasks that a waiter waits for: these and, through combinators and arguments, those that they wait for.

    What another branch waits for is not among them.

    Args:
        tasks: What is waited for.
        with_branches: Leave out what has no branches below.
    """
    pending = [task for task in tasks if task.state == OPEN and (task.has_branches or not with_branches)][::-1]
    seen = {id(task) for task in pending}
    while pending:
        task = pending.pop()
        yield task
        for other in reversed(list(task.waited_for())):
            if other.state == OPEN and (other.has_branches or not with_branches) and id(other) not in seen:
                seen.add(id(other))
                pending.append(other)


def _notify_of_settled(tasks: Iterable[Task[Any]]) -> None:
    """Notifies combinators below of members that have settled just now, so that no value is lost on its way."""
    for task in list(awaited_below(tasks)):
        for member in list(task.waited_for()):
            if member.state != OPEN and member.waiters:
                notify_combinators(member)
