"""Branches: the generators of an execution, each driven on its own.

``run`` is the first branch; every generator that is yielded, spawned or given to a combinator is another one. A branch
is stepped until it yields a task that is open, and goes on when that task tells it. Nothing here recurses: a branch
that is begun by another one starts from the driver's queue.

Closing is done by hand (:func:`close_generator`) on the decider's thread, from the innermost generator of a
``yield from`` chain outwards, because CPython's own ``close()`` gives up on an outer generator as soon as an inner one
yields in a ``finally``, and would leave the rest to the garbage collector.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FrameType, GeneratorType, MappingProxyType
from typing import TYPE_CHECKING, Any

from genflow.core.errors import Canceled, TaskCanceled, TaskFailed, WorkflowCanceled, YieldError
from genflow.core.locations import Location, suspended_at
from genflow.core.tasks.cancellation import Shield
from genflow.core.tasks.task import ERROR, OPEN, VALUE, YIELD_FROM, Task
from genflow.core.text import short

if TYPE_CHECKING:
    from genflow.core.tasks.cancellation import Doom
    from genflow.core.tasks.loop import Loop

__all__ = ['Branch', 'Root', 'as_task', 'begin_run', 'close_generator']

MAX_DRAINS = 1_000
"""How many ``yield``s in ``finally`` blocks are drained while one branch is closed before it is given up."""

NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


UNCLOSABLE = 'genflow_unclosable'
"""The attribute of ``sys`` that keeps the generators which ignore being closed.

Whatever frees such a generator tries to close it once more, and prints that it will not. The interpreter frees the
members of modules when it ends, and those of ``sys`` last, when there is nowhere left to print to.
"""


class Branch(Task[Any]):
    """A generator and the task of its result.

    Attributes:
        awaiting: The open task that the generator stands at, or ``None``.
        settings: The options of the ``with self.options(...)`` blocks that it is in.
        delegates: Whether a ``yield from`` stands in its own code.
        shields: The ``with self.shield()`` blocks that it has entered.
        sheltered: The shields in which it was begun.
        spawned: It was given to ``spawn()``, so that it belongs to nobody who waits for it.
        daemon: It is cancelled when ``run`` ends, instead of waited for.
        doom: Its cancellation, if it is cancelled.
    """

    __slots__ = (
        'awaiting',
        'daemon',
        'delegates',
        'doom',
        'generator',
        'settings',
        'sheltered',
        'shields',
        'spawned',
        'thrown',
    )

    kind = 'branch'
    is_branch = True
    handed = True
    is_called = False
    """Whether a call made it, so that it is cancelled where calls are."""

    def __init__(
        self, loop: Loop | None, generator: GeneratorType[Any, Any, Any] | None, parent: Branch | None
    ) -> None:
        super().__init__(loop)
        self.generator = generator
        self.awaiting: Task[Any] | None = None
        self.settings: Mapping[str, Any] = NO_SETTINGS if parent is None else parent.settings
        self.delegates = False
        self.shields: tuple[Shield, ...] = ()
        self.sheltered: tuple[Shield, ...] = () if parent is None else parent.shelters()
        self.spawned = self.daemon = False
        self.doom: Doom | None = None
        self.thrown: BaseException | None = None

    def start(self) -> None:
        """Runs the generator until it stands at an open task."""
        if self.doom is None or self.doom.pending:  # struck before it was begun, it never runs
            self.delegates = self.generator is not None and _delegates(self.generator.gi_code)
            self._step(None)

    def notify(self, task: Task[Any]) -> None:
        if task is self.awaiting:
            self.awaiting = None
            self._step(task)

    def is_waiting_for(self, task: Task[Any]) -> bool:
        return task is self.awaiting

    def close(self) -> None:
        """Closes the generator; what runs then decides nothing."""
        generator, self.generator = self.generator, None
        self.awaiting = None
        loop = self.loop
        if generator is None or loop is None:
            return
        loop.branches.pop(generator, None)
        with loop.silence():
            if not close_generator(generator, loop.passing):
                loop.report(f'a generator ignores being closed, at {suspended_at(generator)}')

    # shields

    def enter(self, shield: Shield) -> None:
        self.shields = (*self.shields, shield)

    def leave(self, shield: Shield) -> None:
        self.shields = tuple(other for other in self.shields if other is not shield)
        shield.leave()

    def shelters(self) -> tuple[Shield, ...]:
        """The shields of what it begins."""
        if not self.shields and not self.sheltered:
            return ()
        return tuple(shield for shield in (*self.sheltered, *self.shields) if shield.open)

    # cancellation

    @property
    def belongs(self) -> bool:
        """Whether it belongs to those who wait for it, and is cancelled when nobody does any more."""
        return not self.spawned

    @property
    def closing(self) -> bool:  # type: ignore[override]
        return self.doom is not None and self.state == OPEN

    @property
    def was_cancelled(self) -> bool:  # type: ignore[override]
        return self.doom is not None and self.doom.counts

    def waits_for(self) -> Iterable[Task[Any]]:
        """What it waits for right now."""
        return () if self.awaiting is None else (self.awaiting,)

    def stands(self) -> bool:
        """Whether it stands at an open task, or has not been begun."""
        if self.awaiting is not None:
            return self.awaiting.state == OPEN
        return self.generator is not None and inspect.getgeneratorstate(self.generator) == inspect.GEN_CREATED

    def let_go(self) -> Iterable[Task[Any]]:
        """Hears nothing more of what it waits for; gives that."""
        at, self.awaiting = self.waits_for(), None
        return at

    def hear(self, error: BaseException) -> None:
        """Is told of its cancellation, where it stands."""
        generator = self.generator
        if generator is None:  # a task that was returned is waited for as if it had been yielded
            self.raised(error)
        elif inspect.getgeneratorstate(generator) == inspect.GEN_CREATED:
            self.close()
            self.raised(error)
        else:
            self.enter(Shield())
            self.thrown = error
            self._step(None)

    def withdraw(self) -> Iterable[Task[Any]]:
        return ()

    def end_canceled(self) -> None:
        if self.loop is not None:
            self.loop.cancellations.condemn([self], aimed=True)

    # running

    def _step(self, ready: Task[Any] | None) -> None:  # noqa: C901, PLR0912 - the hot loop, kept in one piece
        generator, loop = self.generator, self.loop
        if generator is None or loop is None:
            return
        before, loop.current = loop.current, self
        try:
            while True:
                if ready is None and self.thrown is None:
                    yielded = generator.send(None)
                elif self.thrown is not None:
                    thrown, self.thrown = self.thrown, None
                    yielded = generator.throw(thrown)
                elif ready.state == VALUE:  # type: ignore[union-attr]
                    yielded = generator.send(ready.outcome)  # type: ignore[union-attr]
                else:
                    yielded = generator.throw(_fresh(ready.outcome))  # type: ignore[union-attr]
                ready = yielded if isinstance(yielded, Task) else as_task(loop, yielded)
                if self.delegates and (iterator := _plain_iterator(generator)) is not None:
                    ready = _iterated(loop, iterator)
                if ready.loop is not loop:
                    ready = _foreign(loop, ready)
                if loop.restarting:
                    ready = _restarted(loop)
                if ready.state == OPEN:
                    self.awaiting = ready
                    if self.doom is not None and loop.cancellations.strikes(self):
                        return
                    if ready.pending_gets:
                        ready.await_by(self)
                    else:
                        ready.wait(self)
                    return
                ready.mark_retrieved()
        except StopIteration as stop:
            self._ended()
            self.returned(stop.value)
        except loop.passing:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever user code raises is the outcome of its branch
            self._ended()
            self.raised(error)
        finally:
            loop.current = before

    def _ended(self) -> None:
        if self.generator is not None and self.loop is not None:
            self.loop.branches.pop(self.generator, None)
            self.generator = None

    def settle(self, state: int, outcome: Any) -> None:
        super().settle(state, outcome)
        if self.loop is not None:
            self.loop.live.pop(self, None)
        for shield in self.shields:
            self.leave(shield)
        if self.doom is not None and self.loop is not None:
            self.loop.cancellations.ended()

    def returned(self, value: Any) -> None:
        """The generator returned: tasks in what it returned are resolved first, unless it was cancelled."""
        if self.doom is not None and self.was_cancelled:
            self.raised(self.doom.error)
        else:
            self.resolve(value)

    def resolve(self, value: Any) -> None:
        """Settles with a value once the tasks in it are there."""
        try:
            task = self.awaiting = self._task_of(value)
        except ValueError as error:  # it contains itself, or is nested too deeply
            self.raised(error)
            return
        if task is None:
            self.settle(VALUE, value)
        elif task.state != OPEN:
            self.resolved(task)
        elif self.doom is None or self.loop is None or not self.loop.cancellations.strikes(self):
            task.await_by(Result(self))

    def _task_of(self, value: Any) -> Task[Any] | None:
        """The task of a returned value that holds tasks.

        Raises:
            ValueError: It holds tasks, and contains itself or is nested too deeply to be written.
        """
        loop = self.loop
        if loop is None or not loop.holds_task(value):
            return None
        from genflow.core.calls.arguments import returned_task  # noqa: PLC0415 - arguments may be branches

        return returned_task(loop, value)

    def resolved(self, task: Task[Any]) -> None:
        """The tasks in what was returned have settled."""
        self.awaiting = None
        task.mark_retrieved()
        self.settle(task.state, task.outcome)

    def raised(self, error: BaseException) -> None:
        """The generator raised."""
        trace = error.__traceback__
        if trace is not None:
            error = error.with_traceback(trace.tb_next)
        if isinstance(error, Canceled):
            self.retrieved = True
            self.settle(ERROR, self.canceled_error())
        else:
            if self.was_cancelled:  # who hears of the cancellation does not hear of this
                self.retrieved = self.wanted()
            self.settle(ERROR, error)

    def canceled_error(self) -> TaskFailed:
        with_workflow = self.doom is not None and isinstance(self.doom.error, WorkflowCanceled)
        return TaskCanceled(f'canceled {"with" if with_workflow else "by"} the workflow', task=self)


class Root(Branch):
    """The branch of ``run``: what leaves it ends the execution.

    Attributes:
        returned_at: Where ``run`` returned.
    """

    __slots__ = ('_frame', 'returned_at')

    kind = 'run'

    def __init__(self, loop: Loop) -> None:
        super().__init__(loop, None, None)
        self._frame: FrameType | None = None
        self.returned_at: Location | None = None

    def drive(self, generator: GeneratorType[Any, Any, Any]) -> None:
        """Begins the generator of ``run``."""
        self.generator = generator
        self._frame = generator.gi_frame  # it outlives the generator, and then says at which line that returned
        self.start()

    def close(self) -> None:
        self._frame = None
        super().close()

    def _ended(self) -> None:
        if self._frame is not None:
            self.returned_at = (self._frame.f_code, self._frame.f_lasti)
            self._frame = None
        super()._ended()

    def returned(self, value: Any) -> None:
        if self.loop is not None:
            self.loop.restarting = False
        self.resolve(value)

    def raised(self, error: BaseException) -> None:
        trace = error.__traceback__
        self.retrieved = True
        self.settle(ERROR, error if trace is None else error.with_traceback(trace.tb_next))


class Result:
    """Waits for the tasks in what a branch returned."""

    __slots__ = ('branch',)

    is_stale = False

    def __init__(self, branch: Branch) -> None:
        self.branch = branch

    def notify(self, task: Task[Any]) -> None:
        if self.is_waiting_for(task):
            self.branch.resolved(task)

    def is_waiting_for(self, task: Task[Any]) -> bool:
        return self.branch.awaiting is task


def begin_run(root: Root, run: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Calls ``run``: a generator is driven, anything else is the result."""
    loop = root.loop
    if loop is None:
        return
    loop.current = root
    loop.live[root] = None
    try:
        _check_fit(run, args, kwargs)
        found = run(*args, **kwargs)
    except loop.passing:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever user code raises is the outcome of its run
        root.raised(error)
        return
    finally:
        loop.current = None
    if isinstance(found, GeneratorType):
        loop.branches[found] = root
        root.drive(found)
    else:
        code = getattr(run, '__code__', None)
        root.returned_at = None if code is None else (code, -1)  # at its `def`
        root.returned(found)


def _fresh(error: BaseException) -> BaseException:
    """The error of a task without the traceback of an earlier throw; an error of the user's own keeps its frames."""
    return error.with_traceback(None) if isinstance(error, TaskFailed) else error


def _check_fit(run: Callable[..., Any], args: Any, kwargs: Any) -> None:
    signature = inspect.signature(run)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f'the arguments do not fit {run.__qualname__}{signature}: {error}') from None


def as_task(loop: Loop, value: Any) -> Task[Any]:
    """The task that a yielded value means; where it means none, one that failed with a :class:`YieldError`."""
    from genflow.core.tasks.combinators import gather  # noqa: PLC0415 - a combinator drives branches itself

    if isinstance(value, Task):
        return value
    if isinstance(value, (list, tuple, dict)):
        try:
            return gather(loop, value)
        except RecursionError:
            return _failed(loop, f'a {type(value).__name__} was yielded that contains itself, or is nested too deeply')
    if isinstance(value, GeneratorType) and value.gi_code.co_name != '<genexpr>':
        branch = loop.branch(value)
        if branch is not None:
            return branch
    return _failed(loop, _mistake(value))


@functools.lru_cache(maxsize=1024)
def _delegates(code: CodeType) -> bool:
    return YIELD_FROM in code.co_code[::2]


def _plain_iterator(generator: GeneratorType[Any, Any, Any]) -> Any:
    """What the innermost ``yield from`` iterates over, if nothing can be sent to it."""
    inner: Any = generator
    while isinstance(inner, GeneratorType):
        inner = inner.gi_yieldfrom
    return None if inner is None or hasattr(inner, 'send') else inner


def _iterated(loop: Loop, iterator: Any) -> Task[Any]:
    kind = type(iterator).__name__.replace('_iterator', '')
    return _failed(
        loop, f'`yield from` was given a {kind} and would lose the results; yield the list: `a, b = yield [a, b]`'
    )


def _failed(loop: Loop, message: str) -> Task[Any]:
    """The task of a yield that waits for nothing."""
    failed: Task[Any] = Task(loop)
    failed.state, failed.outcome = ERROR, YieldError(message)
    return failed


def _restarted(loop: Loop) -> Task[Any]:
    return _failed(loop, 'something was yielded after restart(); write `return self.restart(...)`')


def _foreign(loop: Loop, task: Task[Any]) -> Task[Any]:
    origin = 'a description that no execution made' if task.loop is None else 'a task of another execution'
    return _failed(loop, f'{task!r} was yielded, which is {origin}; call the proxy on self')


def _mistake(value: Any) -> str:
    """What was yielded, and what was probably meant."""
    from genflow.core.tasks.signals import BoundSignal  # noqa: PLC0415 - a signal's get is a task itself

    if value is None or isinstance(value, bool):
        hint = 'write `(yield task) == x` with parentheses where the result is compared, and no bare `yield`'
    elif isinstance(value, GeneratorType) and value.gi_frame is None:
        hint = 'this generator has already finished; call the function again for another branch'
    elif isinstance(value, GeneratorType):
        hint = 'yield a list of tasks instead of a generator expression'
    elif isinstance(value, (set, frozenset)):
        hint = 'a set has no order: yield a list'
    elif isinstance(value, BoundSignal):
        hint = f'call get(): `yield self.{value.name}.get()` waits for the next one'
    elif callable(value):
        hint = 'call it, and yield the task that the call gives'
    else:
        hint = 'yield tasks, or a list, tuple or dict of them; a plain value needs no yield'
    return f'a {type(value).__name__} was yielded: {short(value)}; {hint}'


def close_generator(generator: GeneratorType[Any, Any, Any], passing: tuple[type[BaseException], ...]) -> bool:
    """Closes a suspended generator and those that it delegates to, innermost first; what they raise is dropped.

    A ``finally`` that delegates to a new generator leaves that one to be closed before it is gone on with.

    Args:
        generator: What to close.
        passing: The exceptions that are not dropped.

    Returns:
        Whether it closed. One that goes on yielding is kept for ever instead (:data:`UNCLOSABLE`).
    """
    open_ones = _delegating(generator)
    drained = 0
    while open_ones and drained < MAX_DRAINS:
        if _ends(open_ones[-1], passing):
            open_ones.pop()
        else:
            drained += 1
            open_ones += _delegating(open_ones[-1])[1:]
    if open_ones:
        vars(sys).setdefault(UNCLOSABLE, []).append(generator)
    return not open_ones


def _delegating(generator: GeneratorType[Any, Any, Any]) -> list[GeneratorType[Any, Any, Any]]:
    """The generator and those that it delegates to, the innermost last."""
    chain = [generator]
    while isinstance(chain[-1].gi_yieldfrom, GeneratorType):
        chain.append(chain[-1].gi_yieldfrom)
    return chain


def _ends(generator: GeneratorType[Any, Any, Any], passing: tuple[type[BaseException], ...]) -> bool:
    """Whether a generator that delegates to none comes to its end by being closed; otherwise it has yielded."""
    try:
        generator.throw(GeneratorExit())
    except passing:
        raise
    except BaseException:  # noqa: BLE001 - the rules drop whatever code raises that runs only because a generator is closed
        return True
    return False
