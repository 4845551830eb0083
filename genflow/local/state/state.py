"""What the service remembers: domains and types, the open executions, the task lists, the deadlines.

Theory of operation. The file is the truth of everything that is closed and the copy of everything that is open; the
state is where open things are changed. A rule changes objects of the state, and the state notes what changed in a
:class:`~genflow.local.state.transaction.Batch`. The batch is written as one transaction, so the file goes from one
consistent state to the next and never holds half a rule.

Open executions are brought in from the file when something asks for them, and put away again when there are many;
only their task list entries and deadlines are always here, so that opening a file with many executions is quick.

A *ref* names an item everywhere: the key of its execution and the event that opened it in one number.

Effects of a decision that reach outside of its execution (a child's start, a signal to another, the cancellation of a
task that nobody has started) are put on the ``agenda`` and happen after the rule that caused them, each on its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol

from attrs import define, field, frozen

from genflow.local.state.answers import Answers, Caller
from genflow.local.state.close_watchers import CloseWatchers
from genflow.local.state.deadlines import Deadlines
from genflow.local.state.domains import Domain
from genflow.local.state.execution import Execution
from genflow.local.state.items import Item, earliest
from genflow.local.state.known_types import KnownTypes, type_of
from genflow.local.state.limits import Limits
from genflow.local.state.recently_closed import RecentlyClosed
from genflow.local.state.task_lists import TaskQueue, Waiter
from genflow.local.state.token_buckets import Rates
from genflow.local.state.transaction import EVENT_BITS, Batch

__all__ = ['FunctionRun', 'State']

KEPT_EXECUTIONS = 20_000
"""Open executions kept in memory; the longest unused ones above this are put away."""

Effect = Callable[['State', int], None]


@frozen
class FunctionRun:
    """A Lambda function to be run once its start is in the file.

    Attributes:
        batch: The number of the batch that has the start.
        ref: Of the function's task.
        function: Its name.
        input: Its input's JSON.
    """

    batch: int
    ref: int
    function: str
    input: str


class Archive(Protocol):
    """Where the state finds what it does not hold."""

    def execution(self, key: int) -> Execution:
        """The open execution of that key, with everything open in it."""

    def event(self, key: int, event_id: int) -> str:
        """One event as JSON."""


@define(eq=False, kw_only=True)
class State:
    """The service's memory; to be touched only by who holds the service's lock.

    Attributes:
        arn_prefix: What comes before a domain's name in its ARN.
        denied: Operations and decision types that are refused as not permitted.
        functions: Lambda functions by name.
        executions: Open executions at hand, by key.
        open: (domain, workflow id) to the key of the open run.
        open_keys: The keys of all open executions.
        population: Domain to the number of its open executions.
        next_key: The key of the next execution.
        next_expiry: When the retention of a closed execution first ends.
        running: Lambda functions to be run.
        owners: Started tasks of the processes that share the file: ref to the name of the process.
        departed: Processes that have ended; none of them is handed a task any more.
        known_types: Which types each process can work on.
        answers: Of numbered calls.
        recently_closed: Executions that closed lately.
        decides_here: Decisions are made in this process, where events need not be read from their texts.
        close_watchers: Who waits for executions to close.
    """

    archive: Archive
    limits: Limits
    rates: Rates
    arn_prefix: str
    denied: Collection[str] = frozenset()
    functions: dict[str, Callable[..., object]] = field(factory=dict)
    domains: dict[str, Domain] = field(factory=dict)
    executions: dict[int, Execution] = field(factory=dict)
    open: dict[tuple[str, str], int] = field(factory=dict)
    open_keys: set[int] = field(factory=set)
    population: dict[str, int] = field(factory=dict)
    queues: dict[tuple[str, str, str], TaskQueue] = field(factory=dict)
    deadlines: Deadlines = field(factory=Deadlines)
    agenda: deque[Effect] = field(factory=deque)
    running: list[FunctionRun] = field(factory=list)
    batch: Batch = field(factory=lambda: Batch(1))
    next_key: int = 1
    next_expiry: int | None = None
    owners: dict[int, str] = field(factory=dict)
    departed: set[str] = field(factory=set)
    known_types: KnownTypes = field(factory=KnownTypes)
    answers: Answers = field(factory=Answers)
    recently_closed: RecentlyClosed = field(factory=RecentlyClosed)
    decides_here: bool = False
    close_watchers: CloseWatchers = field(factory=CloseWatchers)

    def execution(self, key: int) -> Execution:
        """The open execution of that key, from memory or from the file."""
        found = self.executions.get(key)
        if found is None:
            found = self.executions[key] = self.archive.execution(key)
        return found

    def find(self, key: int) -> Execution | None:
        """The execution of that key if it is open."""
        found = self.executions.get(key)
        if found is not None:
            return None if found.closed else found
        return self.execution(key) if key in self.open_keys else None

    def running_one(self, domain: str, workflow_id: str) -> Execution | None:
        """The open run of that workflow id."""
        key = self.open.get((domain, workflow_id))
        return None if key is None else self.execution(key)

    def enter(self, execution: Execution) -> None:
        """A new execution is open."""
        self.executions[execution.key] = execution
        self.mark_open(execution.key, execution.domain, execution.workflow_id)
        self.batch.start(execution)

    def mark_open(self, key: int, domain: str, workflow_id: str) -> None:
        """Know of an open execution without having it at hand."""
        self.open[domain, workflow_id] = key
        self.open_keys.add(key)
        self.population[domain] = self.population.get(domain, 0) + 1
        self.next_key = max(self.next_key, key + 1)

    def leave(self, execution: Execution) -> None:
        """An execution has closed: nothing of it is awaited any more."""
        for item in execution.items():
            self.drop(execution, item)
        execution.tail.let_go()
        self.executions.pop(execution.key, None)
        self.open_keys.discard(execution.key)
        if self.open.get((execution.domain, execution.workflow_id)) == execution.key:
            del self.open[execution.domain, execution.workflow_id]
        self.population[execution.domain] -= 1

    def queue(self, kind: str, domain: str, task_list: str) -> TaskQueue:
        """The task list of that name; ``kind`` is ``'activity'`` or ``'decision'``."""
        found = self.queues.get((kind, domain, task_list))
        if found is None:
            found = self.queues[kind, domain, task_list] = TaskQueue()
        return found

    def forget_idle_queues(self) -> None:
        """Let go of the task lists that hold nothing and that nobody polls: clients may use a new name each time."""
        for name in [name for name, queue in self.queues.items() if queue.idle]:
            del self.queues[name]

    def touch(self, execution: Execution, item: Item) -> int:
        """An item is new or has changed; its ref."""
        ref, batch = execution.key << EVENT_BITS | item.id, self.batch
        batch.touched[ref] = item
        execution.batch = batch.number
        self.deadlines.set(ref, item.deadline)
        return ref

    def offer(self, execution: Execution, item: Item) -> None:
        """A task has become pollable."""
        ref = self.touch(execution, item)
        place = item.waiting
        if place is not None:
            task_list, priority, since = place
            may = self._may_take(execution, item.id) if self.known_types.matter else None
            self.queue(item.kind, execution.domain, task_list).add(ref, priority, since, may)

    def _may_take(self, execution: Execution, item_id: int) -> Callable[[Waiter], bool]:
        """Which polls may get a task, where not all may."""
        kind = type_of(execution, item_id)
        return lambda waiter: self.known_types.may_take(waiter.process, kind)

    def drop(self, execution: Execution, item: Item) -> None:
        """An item has settled."""
        ref = execution.key << EVENT_BITS | item.id
        place = item.waiting
        if place is not None:
            self.queue(item.kind, execution.domain, place[0]).discard(ref)
        self.deadlines.drop(ref)
        if self.owners:
            self.owners.pop(ref, None)
        execution.batch = self.batch.number
        self.batch.drop(ref, item)

    def answer(self, caller: Caller, text: str) -> None:
        """Keep the answer to a numbered call, together with its changes."""
        self.answers.keep(caller, text)
        self.batch.answers.append((caller, text))

    def expect_expiry(self, moment: int | None) -> None:
        """The retention of an execution ends at that moment."""
        self.next_expiry = earliest(self.next_expiry, moment)

    def put_away(self, folded: int) -> None:
        """Let go of the executions that have been unused longest, where the tables have all of them.

        Args:
            folded: The number of the last batch that the tables have.
        """
        self.forget_idle_queues()
        surplus = len(self.executions) - KEPT_EXECUTIONS
        if surplus > 0:
            idle = [execution for execution in self.executions.values() if execution.batch <= folded]
            for execution in sorted(idle, key=lambda one: one.batch)[: surplus + KEPT_EXECUTIONS // 10]:
                del self.executions[execution.key]
