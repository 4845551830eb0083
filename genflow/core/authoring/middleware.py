"""Middleware: hooks that clients and workers call at five points, and once for each decision.

Workflow hooks are called in the live part of a decision only. A replay calls no hook, so middleware needs no special
code to be safe at replay.

=====================================  ==========================================================================
:meth:`Middleware.client_call`         around a call of a :class:`genflow.Client`: a start, a signal and so on
:meth:`Middleware.workflow_started`    once, when the first decision of a run has been accepted
:meth:`Middleware.scheduled`           before an activity, child, timer or restart is sent; may add headers
:meth:`Middleware.workflow_closed`     once, when the decision that closes a run has been accepted
:meth:`Middleware.activity`            around an attempt of an activity
:meth:`Middleware.decided`             when any decision has been accepted, for measurements
=====================================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, Literal, TypeVar

from attrs import define, field, frozen

from genflow.core.errors import DefinitionError
from genflow.core.model.info import Info

__all__ = [
    'ActivityAttempt',
    'ClientCall',
    'Decision',
    'Middleware',
    'Middlewares',
    'Scheduled',
    'WorkflowClose',
    'WorkflowRun',
    'around_activity',
    'around_call',
    'stack_of',
]

T = TypeVar('T')


@define(eq=False)
class ClientCall:
    """A call of a client.

    Attributes:
        operation: ``start``, ``signal``, ``update``, ``cancel`` or ``terminate``.
        domain: The SWF domain.
        workflow_id: Of the execution.
        run_id: Of the run; of a start it is there after the call, ``None`` where the caller named no run.
        name: Of the workflow type, the signal or the update.
        version: Of the workflow type.
        headers: Of a start: what the execution's middleware finds. Add to it before the call.
        read_history: Reads the events of the execution, as boto3 gives them, and sets ``run_id``.
    """

    operation: Literal['start', 'signal', 'update', 'cancel', 'terminate']
    domain: str
    workflow_id: str | None = None
    run_id: str | None = None
    name: str | None = None
    version: str | None = None
    headers: dict[str, str] = field(factory=dict)
    read_history: Callable[[], Sequence[Mapping[str, Any]]] = field(default=list, repr=False)


@frozen(eq=False)
class WorkflowRun:
    """A run on a worker.

    Attributes:
        info: Its ids, type, parent and so on.
        headers: The headers that came with its input.
        memory: Storage for middleware, for as long as the worker caches the execution; use your own object or class as
            the key.
    """

    info: Info
    headers: Mapping[str, str] = field(factory=dict)
    memory: dict[Any, Any] = field(factory=dict, repr=False)


@define(eq=False)
class Scheduled:
    """An operation that a decision is about to schedule.

    Attributes:
        run: The run that schedules it.
        decision_id: The event id of the decision's ``DecisionTaskStarted``.
        kind: ``activity``, ``child``, ``timer``, or ``restart`` for the next run of this execution.
        id: ``<number of the call>.<attempt>``; of a timer the number; of a restart empty.
        name: Of the type; empty for a timer.
        version: Of the type; ``None`` for a timer, and for a restart that keeps it.
        headers: Sent to the middleware of the receiving side; empty at first, for a restart those of the run. A timer
            has no receiving side.
    """

    run: WorkflowRun
    decision_id: int
    kind: Literal['activity', 'child', 'timer', 'restart']
    id: str
    name: str = ''
    version: str | None = None
    headers: dict[str, str] = field(factory=dict)

    @property
    def attempt(self) -> int:
        """1 for the first one."""
        return int(self.id.partition('.')[2] or 1)


@frozen(eq=False)
class WorkflowClose:
    """How a run closes.

    Attributes:
        run: The run.
        outcome: ``completed``, ``failed``, ``canceled`` or ``continued``, which is a restart.
        reason: Of a failure: the exception's class and text.
        decision: The decision that closed it.
        events: SWF's events after that decision's ``DecisionTaskStarted``; the last one is the close.
    """

    run: WorkflowRun
    outcome: Literal['completed', 'failed', 'canceled', 'continued']
    reason: str | None
    decision: Decision
    events: Sequence[Mapping[str, Any]] = field(default=(), repr=False)


@define(eq=False)
class Decision:
    """A decision that was made live, and whose answer SWF has accepted.

    Attributes:
        run: The run.
        started_id: The event id of its ``DecisionTaskStarted``.
        previous_id: That of the decision before; 0 for the first.
        events: SWF's events that the worker read for it, oldest first: all of the history, or those from
            ``previous_id`` on where the execution was still in the worker's memory.
        task_list: The list on which its task was found.
        worker: The worker's identity.
        replayed: How many events of earlier decisions were replayed for it; 0 where the execution was in memory.
        seconds: That computing it took, the replay included.
        cpu_seconds: Likewise, of the processor.
        began_at: When computing it began, by the worker's clock, in seconds since 1970.
        scheduled: What it schedules.
        close: How it closed the run, or ``None``; SWF refuses a close if new events have arrived meanwhile.
    """

    run: WorkflowRun
    started_id: int
    previous_id: int
    events: Sequence[Mapping[str, Any]] = field(repr=False)
    task_list: str = ''
    worker: str | None = None
    replayed: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    began_at: float = 0.0
    scheduled: Sequence[Scheduled] = ()
    close: WorkflowClose | None = field(default=None, repr=False)

    @property
    def new_events(self) -> Iterator[Mapping[str, Any]]:
        """The events that no earlier accepted decision has processed."""
        return (event for event in self.events if event['eventId'] > self.previous_id)


@define(eq=False)
class ActivityAttempt:
    """An attempt of an activity, on the worker that runs it.

    Attributes:
        domain: The SWF domain.
        activity_id: SWF's id of the attempt.
        number: Of the call in its workflow; ``None`` where something else than genflow scheduled it.
        attempt: 1 for the first one; ``None`` likewise.
        headers: What the workflow's middleware added.
        outcome: ``None`` while it runs; then ``completed``, ``failed``, ``canceled``, or ``suspended`` if another
            program answers by token.
        reason: Of a failure: the exception's class and text.
    """

    domain: str
    activity_id: str
    name: str
    version: str
    workflow_id: str
    run_id: str
    number: int | None = None
    attempt: int | None = None
    task_list: str | None = None
    worker: str | None = None
    headers: Mapping[str, str] = field(factory=dict)
    outcome: Literal['completed', 'failed', 'canceled', 'suspended'] | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        """``<number>.<attempt>``, as :attr:`Scheduled.id` has it; SWF's id where something else scheduled it."""
        return self.activity_id if self.number is None else f'{self.number}.{self.attempt}'


class Middleware:
    """The base class of middleware; each method does nothing, and a subclass defines those that it needs.

    One object may serve a client and any number of workers, from many threads at a time. The first middleware of a
    list is the outermost.
    """

    def client_call(self, call: ClientCall) -> AbstractContextManager[Any]:
        """Gives a context manager that surrounds a call of a client; the client's error is raised in it."""
        return nullcontext()

    def workflow_started(self, run: WorkflowRun) -> None:
        """A run has made its first decision."""

    def scheduled(self, operation: Scheduled) -> None:
        """Something is about to be scheduled; may add to its headers.

        An exception leaves the decision unanswered, like an exception of the engine. The method is called again for the
        same operation if the decision was lost, or if it is sent in chunks; so count in :meth:`decided` instead.
        """

    def workflow_closed(self, close: WorkflowClose) -> None:
        """A decision has closed a run. It is not called for a run that times out or is terminated."""

    def activity(self, attempt: ActivityAttempt) -> AbstractContextManager[Any]:
        """Gives a context manager that surrounds an attempt of an activity, on its thread or in its asyncio task.

        If entering it raises, the attempt fails with that exception. An exception of the activity is not raised in it;
        on exit, ``attempt.outcome`` and ``attempt.reason`` describe it.
        """
        return nullcontext()

    def decided(self, decision: Decision) -> None:
        """SWF has accepted a decision.

        Like in :meth:`workflow_started` and :meth:`workflow_closed`, an exception is logged and has no other effect.
        """


Middlewares = Middleware | Iterable[Middleware]
"""The type of ``middleware=``: one object, or several, the outermost first."""


def stack_of(given: Middlewares) -> tuple[Middleware, ...]:
    """The middleware of a client or worker, outermost first.

    Raises:
        DefinitionError: Something in it is no :class:`Middleware`.
    """
    if isinstance(given, Middleware):
        return (given,)
    found: tuple[Any, ...] = tuple(given)
    for one in found:
        if not isinstance(one, Middleware):
            hint = '; make an instance of it' if isinstance(one, type) and issubclass(one, Middleware) else ''
            raise DefinitionError(f'middleware={one!r} is not a genflow.Middleware{hint}')
    return found


def around_call(stack: Sequence[Middleware], call: ClientCall) -> AbstractContextManager[ClientCall]:
    """Surrounds a client's call."""
    return _around(call, [one.client_call for one in stack])


def around_activity(stack: Sequence[Middleware], attempt: ActivityAttempt) -> AbstractContextManager[ActivityAttempt]:
    """Surrounds an attempt of an activity."""
    return _around(attempt, [one.activity for one in stack])


@contextmanager
def _around(subject: T, methods: Iterable[Callable[[T], AbstractContextManager[Any]]]) -> Iterator[T]:
    """Enters what the methods give, the outermost first."""
    with ExitStack() as entered:
        for method in methods:
            entered.enter_context(method(subject))
        yield subject
