"""The loop of a workflow: the base of the engine's execution, and the loop without an engine.

A workflow object has one loop. :class:`Loop` holds what tasks and branches share: the queue of callbacks, the branch
that runs now, and the counts on which a close depends. :class:`DescribingLoop` is the loop of a workflow without an
engine: calls give descriptions, and time and chance are fixed, so that a generator can be driven by hand.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from random import Random
from types import FrameType, GeneratorType
from typing import Any, Protocol, TypeVar
from uuid import UUID

from attrs import Factory, define, field

from genflow.core.model.info import UNKNOWN, Info
from genflow.core.model.restart import Restart
from genflow.core.tasks.branch import Branch, as_task
from genflow.core.tasks.cancellation import Cancellations
from genflow.core.tasks.signals import Mailbox
from genflow.core.tasks.task import Task
from genflow.core.tasks.until import Conditions
from genflow.core.tasks.unused import Unused
from genflow.core.text import suspended_at

__all__ = ['DescribingLoop', 'Loop']

log = logging.getLogger('genflow')

T = TypeVar('T')

MAX_BRANCHES = 5


class Callback(Protocol):
    """A place in the queue."""

    def run_callbacks(self) -> None: ...


@define(eq=False, repr=False)
class Loop:
    """What tasks, branches and proxies share.

    Attributes:
        queue: The callbacks to run next, in order.
        open_blockers: The open tasks that keep the execution open.
        unretrieved: The failures that were not retrieved when they came.
        branches: The branches whose generators have begun and not ended.
        live: The branches that have not settled, maps among them, in the order in which they were made.
        cancellations: The cancellations of branches.
        conditions: The conditions for which branches wait.
        restless: Whether circles or conditions must be checked once all branches are blocked.
        has_run: Whether code has run, or a signal has come, since the conditions were evaluated.
        current: The branch that runs now.
        silent: Whether code runs that must decide nothing.
        in_side_effect: Whether that code is the function of a side effect.
        reads: Names the code that may only look, where it runs just now.
        restarting: Whether ``restart`` was called and not returned yet.
        passing: The exceptions that leave the engine instead of being the outcome of the branch that raises them.
        unused: The generators and tasks that the code has made and not used yet.
        owner: The loop of tasks that are made now; ``None`` makes descriptions.
    """

    queue: deque[Callback] = field(factory=deque, init=False)
    open_blockers: int = field(default=0, init=False)
    unretrieved: list[Task[Any]] = field(factory=list, init=False)
    branches: dict[GeneratorType[Any, Any, Any], Branch] = field(factory=dict, init=False)
    live: dict[Branch, None] = field(factory=dict, init=False)
    cancellations: Cancellations = field(default=Factory(Cancellations, takes_self=True), init=False)
    conditions: Conditions = field(factory=Conditions, init=False)
    restless: bool = field(default=False, init=False)
    has_run: bool = field(default=False, init=False)
    current: Branch | None = field(default=None, init=False)
    silent: bool = field(default=False, init=False)
    in_side_effect: bool = field(default=False, init=False)
    reads: Callable[[], str] | None = field(default=None, init=False)
    restarting: bool = field(default=False, init=False)
    owner: Loop | None = field(default=None, init=False)
    replaying: bool = field(default=False, init=False)
    passing: tuple[type[BaseException], ...] = field(default=(KeyboardInterrupt,), init=False)
    unused: Unused = field(factory=Unused, init=False)
    base: Info = field(default=UNKNOWN, init=False)

    @property
    def info(self) -> Info:
        """The facts about the execution."""
        return self.base

    @property
    def told_info(self) -> Info:
        """The same, as the workflow's own code gets it."""
        return self.info

    # tasks and branches

    def branch(self, generator: GeneratorType[Any, Any, Any]) -> Branch | None:
        """The branch of a generator, begun now if it is new; ``None`` where the generator has already ended."""
        known = self.branches.get(generator)
        if known is not None:
            return known
        if generator.gi_frame is None:
            return None
        branch = self.branches[generator] = Branch(self, generator, self.current)
        self.live[branch] = None
        self.queue.append(Start(branch))
        return branch

    def spawn(self, generator: GeneratorType[Any, Any, Any], *, daemon: bool = False) -> Branch | None:
        """The branch of a generator that belongs to nobody; ``None`` where the generator has already ended."""
        branch = self.branch(generator)
        if branch is not None and not branch.spawned:
            branch.spawned, branch.daemon, branch.keeps_open = True, daemon, not daemon
            self.open_blockers += branch.keeps_open
        return branch

    def goes_on(self) -> bool:
        """Whether a branch continues though all are blocked, because a circle is broken or a condition became true."""
        self.restless = bool(self.conditions)
        if self.cancellations.may_be_circular:
            self.cancellations.break_circles()
        if self.has_run:
            self.has_run = False
            self.conditions.begin_anew()
        return bool(self.queue) or self.conditions.look()

    def as_task(self, value: Any) -> Task[Any]:
        """The task that a yielded value means; where it means none, one that failed."""
        return as_task(self, value)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """In the block, calls decide nothing and log nothing."""
        before = self.silent, self.current, self.owner
        self.silent, self.current, self.owner = True, None, None
        try:
            yield
        finally:
            self.silent, self.current, self.owner = before

    @contextmanager
    def in_function_of_side_effect(self) -> Iterator[None]:
        """Marks the block as the function of a side effect, which may log, and must not call the workflow."""
        with self.silence():
            self.in_side_effect = True
            try:
                yield
            finally:
                self.in_side_effect = False

    def read_only(self, what: Callable[[], str], function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Calls code that may only read the workflow; its calls are refused.

        Args:
            what: Names the code in an error.
            function: The code.
            args: What it is called with.
            kwargs: Likewise.
        """
        before = self.silent, self.current, self.owner, self.reads
        self.silent, self.current, self.owner, self.reads = True, None, None, what
        try:
            return function(*args, **kwargs)
        finally:
            self.silent, self.current, self.owner, self.reads = before

    def report(self, message: str) -> None:
        log.warning('%s', message)

    def saga_changed(self, saga: Any, change: str, step: Any = None) -> None:
        """A :class:`~genflow.Saga` is ``begun``, or a step of it ``added``, ``undoing`` or ``undone``.

        An engine that watches the code takes notes. A step is its function, arguments and keyword arguments.
        """

    @property
    def settings(self) -> Any:
        """The options of the blocks that the running branch is in."""
        return {} if self.current is None else self.current.settings

    def describe_blocked(self) -> str:
        """Where each branch waits, and which signals are unread, for a report."""
        branches = list(self.branches.items())[:MAX_BRANCHES]
        places = [suspended_at(generator) + _awaited(branch) for generator, branch in branches]
        where = 'it stands at ' + '; '.join(places) if places else 'run has ended'
        unread = ', '.join(f'{name!r} ({count})' for name, count in self.unread())
        return f'{where}; unread signals: {unread}' if unread else where

    # calls of a workflow

    def schedule(self, call: Any, frame: FrameType) -> None:
        raise TypeError(f'{type(self).__name__} schedules nothing')

    def mailbox(self, name: str) -> Mailbox | None:
        """The unread inputs of a signal."""
        return None

    def reveal_signals(self) -> None:
        """Makes the signals of the current decision available that nobody waits for."""

    def unread(self) -> list[tuple[str, int]]:
        """The number of unread signals, by name."""
        return []

    def describes(self, what: str) -> None:
        """Is called when the code makes a description in place of a call."""

    def check_thread(self, what: str) -> None:
        """Refuses a call from a thread that does not run the workflow."""

    def restarts(self, restart: Restart) -> None:
        """Notes that the workflow called ``restart``, whose value it has to return."""


def _awaited(branch: Branch) -> str:
    if branch.awaiting is not None:
        return f', waiting for {branch.awaiting.label}'
    return '' if branch.cancel_state is None else ', to be cancelled when what it waits for has ended'


class Start:
    """A place in the queue: begins a branch when its turn comes."""

    __slots__ = ('branch',)

    def __init__(self, branch: Branch) -> None:
        self.branch = branch

    def run_callbacks(self) -> None:
        self.branch.start()


class DescribingLoop(Loop):
    """The loop without an engine: calls describe, time is fixed, the seed is 0, and ``patched`` is true."""

    def __init__(
        self,
        now: datetime = datetime(2000, 1, 1, tzinfo=timezone.utc),
        seed: Any = 0,
        patched: Callable[[str], bool] | bool = True,
        info: Info | None = None,
    ) -> None:
        super().__init__()
        self.time = now
        self.random = Random(seed)
        self._uuids = Random(seed)
        self._patched = patched
        self.base = info or UNKNOWN
        self.current = Branch(self, None, None)

    def schedule(self, call: Any, frame: FrameType) -> None:
        """A description has no number and is sent nowhere."""

    def now(self) -> datetime:
        return self.time

    def uuid4(self) -> UUID:
        return UUID(int=self._uuids.getrandbits(128), version=4)

    def side_effect(self, function: Callable[[], Any], raises: tuple[type[Exception], ...] = ()) -> Any:
        return function()

    def patched(self, change: str) -> bool:
        return self._patched(change) if callable(self._patched) else self._patched

    def deprecate_patch(self, change: str) -> None:
        pass

    def set_status(self, value: Any) -> None:
        pass
