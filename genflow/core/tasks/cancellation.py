"""Cancellation, from the inside to the outside.

*Theory of operation.* A branch that is cancelled passes through four states, which its :class:`Doom` keeps:

* *condemned*: it will be cancelled. While a shield holds the cancellation off, or while the branch runs or a value is
  on its way to it, it goes on as ever.
* *struck*: it stands at a ``yield`` whose task is open. It hears nothing of that task any more. The calls below that
  task which nobody else waits for are cancelled at once, the branches below that belong to it are condemned too, and
  it waits (:class:`Vigil`) until all the condemned branches below have ended.
* *told*: the exception was thrown at its ``yield``. It may clean up, with calls and branches of its own, and is never
  cancelled again.
* *ended*: its task settles.

So whoever waits hears after whatever it waits for. Branches that wait for each other in a circle would hear never;
once everything else is told, :meth:`Cancellations.break_circles` tells the youngest of each inmost circle.

What is aimed at one branch (``cancel()``, a time-out, a lost race, a failed list) is held off by the shields that the
branch itself has entered. What is aimed at all branches (the cancellation of the execution, the end of ``run``) is
also held off by the shields in which the branch was begun, until those are left. The clean-up of a branch that was
told shields what it begins in the same way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from genflow.core.calls.call import NEW, Call
from genflow.core.errors import BranchCanceled, Canceled
from genflow.core.tasks.signal_waits import tell_combinators
from genflow.core.tasks.task import OPEN, Task

if TYPE_CHECKING:
    from genflow.core.tasks.branch import Branch
    from genflow.core.tasks.loop import Loop

__all__ = ['Cancellations', 'Doom', 'Shield', 'Vigil', 'below', 'circles_of', 'inmost', 'strongly_connected']


class Shield:
    """A ``with self.shield():`` block, or the clean-up of a branch.

    Attributes:
        open_blockers: Branches whose cancellation it holds off, though they have not entered it themselves.
    """

    __slots__ = ('open', 'open_blockers')

    def __init__(self) -> None:
        self.open = True
        self.open_blockers: list[Branch] = []

    def leave(self) -> None:
        """Lets go of what it held off."""
        self.open = False
        open_blockers, self.open_blockers = self.open_blockers, []
        for branch in open_blockers:
            if branch.loop is not None and not branch.loop.silent:
                branch.loop.cancellations.strike([branch])


class Doom:
    """The cancellation of one branch.

    Attributes:
        error: What is thrown.
        aimed: It is aimed at this branch, not at all of them.
        vigil: What it waits for before it hears; ``None`` until it is struck.
        told: The exception was thrown.
    """

    __slots__ = ('aimed', 'error', 'told', 'vigil')

    def __init__(self, error: Canceled, *, aimed: bool) -> None:
        self.error = error
        self.aimed = aimed
        self.vigil: Vigil | None = None
        self.told = False

    @property
    def pending(self) -> bool:
        """Whether it has not struck yet."""
        return self.vigil is None

    @property
    def counts(self) -> bool:
        """Whether the branch ends as cancelled, whatever it returns: not where what is aimed at all was held off."""
        return self.aimed or self.vigil is not None

    @property
    def waits(self) -> bool:
        """Whether it has struck and the branch has not been told."""
        return self.vigil is not None and not self.told


class Vigil:
    """Waits until those among some tasks that are being cancelled have ended."""

    __slots__ = ('_left', '_spared', '_then')

    is_stale = False

    def __init__(self, tasks: Iterable[Task[Any]], then: Callable[[], None]) -> None:
        self._left = list(tasks)[::-1]
        self._spared: list[Task[Any]] = []
        self._then = then

    def look(self) -> None:
        """Goes on if nothing is left to wait for."""
        found = self._next()
        if found is None:
            self._then()
        else:
            found.watch(self)

    def notify(self, task: Task[Any]) -> None:
        self.look()

    def is_waiting_for(self, task: Task[Any]) -> bool:
        return False

    def blockers(self) -> list[Task[Any]]:
        """The tasks that it waits for."""
        return [task for task in (*self._left, *self._spared) if task.closing]

    def _next(self) -> Task[Any] | None:
        left = self._left
        while left:
            task = left[-1]
            if task.closing:
                return task
            left.pop()
            if task.state == OPEN:
                self._spared.append(task)  # it may be cancelled yet
        return next((task for task in self._spared if task.closing), None)


def _waits(branch: Branch) -> bool:
    """Whether a branch waits to be told."""
    return branch.doom is not None and branch.doom.waits


class Hear:
    """A place in the queue: throws the exception when its turn comes."""

    __slots__ = ('branch',)

    def __init__(self, branch: Branch) -> None:
        self.branch = branch

    def run_callbacks(self) -> None:
        branch, doom = self.branch, self.branch.doom
        if branch.state == OPEN and doom is not None and not doom.told:
            doom.told = True
            branch.hear(doom.error)


class Cancellations:
    """Cancels the branches of one execution.

    Attributes:
        suspect: Branches may wait for each other in a circle.
    """

    __slots__ = ('_circles', '_driver', 'suspect')

    def __init__(self, loop: Loop) -> None:
        self._driver = loop
        self._circles = False
        self.suspect = False

    def condemn(self, branches: Iterable[Branch], error: type[Canceled] = BranchCanceled, *, aimed: bool) -> None:
        """Cancels branches; what is condemned already stays so."""
        self.strike([branch for branch in branches if self._mark(branch, error, aimed=aimed)])

    def strikes(self, branch: Branch) -> bool:
        """A condemned branch comes to an open task: whether its cancellation strikes there."""
        doom = branch.doom
        if doom is None:
            return False
        if doom.pending:
            self.strike([branch])
        if doom.waits:
            return True
        if not all(isinstance(task, Call) and task.phase != NEW for task in branch.waits_for()):
            self._suspect()  # it may wait for a branch
        return False

    def strike(self, branches: Iterable[Branch]) -> None:
        """Cuts condemned branches off from what they wait for, unless something holds that off."""
        struck: list[Branch] = []
        pending = deque(branches)
        while pending:
            branch = pending.popleft()
            if self._is_open_to(branch):
                at = branch.let_go()
                found = self._give_up(at, pending, calls=True)
                if branch.doom is not None:
                    branch.doom.vigil = Vigil(found, partial(self._driver.queue.append, Hear(branch)))
                    struck.append(branch)
        for branch in struck:
            if branch.doom is not None and branch.doom.vigil is not None:
                branch.doom.vigil.look()
                self._suspect()

    def give_up(self, tasks: Iterable[Task[Any]], *, calls: bool = False) -> list[Branch]:
        """Cancels below some tasks what nobody waits for any more.

        Args:
            tasks: What was waited for.
            calls: Cancel calls and maps too, and not only the branches that were handed over.

        Returns:
            The open branches below.
        """
        pending: deque[Branch] = deque()
        found = self._give_up(tasks, pending, calls=calls)
        self.strike(pending)
        return found

    def _give_up(self, tasks: Iterable[Task[Any]], doomed: deque[Branch], *, calls: bool) -> list[Branch]:
        found: list[Branch] = []
        unwanted: set[int] = set()
        for task in list(below(tasks, handed=not calls)):
            branch: Any = task if task.is_branch else None
            if branch is not None:
                found.append(branch)
            if task.wanted(unwanted):
                continue
            unwanted.add(id(task))
            if branch is None:
                if calls and isinstance(task, Call):
                    task.cancel()
            elif branch.belongs and (calls or not branch.is_called) and self._mark(branch, BranchCanceled, aimed=True):
                doomed.append(branch)
        return found

    @staticmethod
    def _mark(branch: Branch, error: type[Canceled], *, aimed: bool) -> bool:
        """Condemns a branch; whether that changes anything."""
        doom = branch.doom
        if branch.state != OPEN:
            return False
        if doom is None:
            branch.doom = Doom(error(), aimed=aimed)
            return True
        if not doom.pending or doom.aimed or not aimed:
            return False
        doom.aimed = True
        return True

    def _is_open_to(self, branch: Branch) -> bool:
        """Whether the cancellation strikes now."""
        doom = branch.doom
        if doom is None or not doom.pending or branch.state != OPEN or branch.shields:
            return False
        if not doom.aimed:
            for shield in branch.sheltered:
                if shield.open:
                    shield.open_blockers.append(branch)
                    return False
        at = branch.waits_for()
        if self._driver.queue:
            catch_up(at)
        return branch.stands()

    def ended(self) -> None:
        """A cancelled branch has ended: a circle that waited for it is the inmost one now."""
        if self._circles:
            self._suspect()

    def _suspect(self) -> None:
        self.suspect = self._driver.restless = True

    def break_circles(self) -> None:
        """Tells the youngest of each inmost circle of branches that wait for each other."""
        self.suspect = False
        ages = {branch: age for age, branch in enumerate(self._driver.live)}
        graph: dict[Branch, list[Branch]] = {}
        pending = list(filter(_waits, ages))
        while pending:
            branch = pending.pop()
            if branch not in graph:
                graph[branch] = self._waits_for(branch)
                pending += graph[branch]
        circles = circles_of(graph)
        self._circles = bool(circles)
        for circle in inmost(circles, graph):
            youngest = max(filter(_waits, circle), key=ages.__getitem__, default=None)
            if youngest is not None:
                self._driver.queue.append(Hear(youngest))

    @staticmethod
    def _waits_for(branch: Branch) -> list[Branch]:
        doom = branch.doom
        if doom is not None and doom.vigil is not None and doom.waits:
            return doom.vigil.blockers()  # type: ignore[return-value]
        return [task for task in below(branch.waits_for()) if task.is_branch]  # type: ignore[misc]


def below(tasks: Iterable[Task[Any]], *, handed: bool = False) -> Iterator[Task[Any]]:
    """The open tasks that a waiter waits for: these and, through combinators and arguments, those that they wait for.

    What another branch waits for is that branch's affair.

    Args:
        tasks: What is waited for.
        handed: Leave out what has no branches below.
    """
    pending = [task for task in tasks if task.state == OPEN and (task.handed or not handed)][::-1]
    met = {id(task) for task in pending}
    while pending:
        task = pending.pop()
        yield task
        for other in reversed(list(task.waited_for())):
            if other.state == OPEN and (other.handed or not handed) and id(other) not in met:
                met.add(id(other))
                pending.append(other)


def catch_up(tasks: Iterable[Task[Any]]) -> None:
    """Tells combinators below of their members that have settled just now, so that a value is not lost on its way."""
    for task in list(below(tasks)):
        for member in list(task.waited_for()):
            if member.state != OPEN and member.waiters:
                tell_combinators(member)


def circles_of(graph: Mapping[Branch, list[Branch]]) -> list[list[Branch]]:
    """The nodes that can be reached from each other, where there are several or one reaches itself."""
    return [part for part in strongly_connected(graph) if len(part) > 1 or part[0] in graph[part[0]]]


def inmost(circles: list[list[Branch]], graph: Mapping[Branch, list[Branch]]) -> list[list[Branch]]:
    """The circles that no edge leaves."""
    return [circle for circle in circles if {other for node in circle for other in graph[node]} <= set(circle)]


def strongly_connected(graph: Mapping[Branch, list[Branch]]) -> list[list[Branch]]:
    """The strongly connected parts of a graph (Kosaraju's algorithm, without recursion)."""
    back: dict[Branch, list[Branch]] = {node: [] for node in graph}
    for node, edges in graph.items():
        for other in edges:
            back[other].append(node)
    seen: set[Branch] = set()
    return [part for node in reversed(in_postorder(graph, graph, set())) if (part := in_postorder(back, [node], seen))]


def in_postorder(graph: Mapping[Branch, list[Branch]], starts: Iterable[Branch], seen: set[Branch]) -> list[Branch]:
    """What is reached from some nodes and was not seen, each after all that is first reached from it."""
    found: list[Branch] = []
    for start in starts:
        way = [] if start in seen else [(start, iter(graph[start]))]
        seen.add(start)
        while way:
            node, edges = way[-1]
            new = next((other for other in edges if other not in seen), None)
            if new is None:
                found.append(node)
                way.pop()
            else:
                seen.add(new)
                way.append((new, iter(graph[new])))
    return found
