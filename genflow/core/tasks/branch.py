"""Branches: the generators of an execution, each driven on its own.

``run`` is the first branch; every generator that is yielded, spawned or given to a combinator is another one. A branch
runs until it yields a task that is open, and continues when that task notifies it. Nothing here recurses: a branch that
another one begins starts from the loop's queue. A yielded value is a task, or is turned into one (:func:`as_task`); for
a mistake, the branch gets a task that has failed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, FrameType, GeneratorType, MappingProxyType
from typing import Any

from genflow.core.errors import Canceled, TaskCanceled, TaskFailed, WorkflowCanceled, YieldError
from genflow.core.protocols import Loop
from genflow.core.tasks.cancellation import Cancellable, Shield
from genflow.core.tasks.combinators import gather
from genflow.core.tasks.generators import close_generator
from genflow.core.tasks.nested import holds_task, returned_task
from genflow.core.tasks.signals import BoundSignal
from genflow.core.tasks.task import ERROR, OPEN, VALUE, YIELD_FROM, Task
from genflow.core.text import Location, short, suspended_at, without_first_frame

__all__ = ['Branch', 'Root', 'as_task', 'begin_run']

NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


class Branch(Cancellable):
    """A generator and the task of its result.

    Attributes:
        awaiting: The open task for which the generator waits, or ``None``.
        settings: The options of the ``with self.options(...)`` blocks that it is in.
        delegates: Whether its own code has a ``yield from``.
        daemon: Whether it is cancelled when ``run`` ends, instead of waited for.
    """

    __slots__ = ('awaiting', 'daemon', 'delegates', 'generator', 'settings', 'thrown')

    kind = 'branch'

    def __init__(
        self, loop: Loop | None, generator: GeneratorType[Any, Any, Any] | None, parent: Branch | None
    ) -> None:
        # Every slot of the base classes is set here: two calls of __init__ are a quarter of what a branch costs.
        self.loop = loop
        self.number = self.outcome = self.waiters = self.cancel_state = None
        self.state = OPEN
        self.retrieved = self.keeps_open = self.spawned = False
        self.shields = ()
        self.outer_shields = () if parent is None else parent.shields_of_new()
        self.generator = generator
        self.awaiting: Task[Any] | None = None
        self.settings: Mapping[str, Any] = NO_SETTINGS if parent is None else parent.settings
        self.delegates = False
        self.daemon = False
        self.thrown: BaseException | None = None

    def start(self) -> None:
        """Runs the generator until it waits for an open task or has ended."""
        if self.cancel_state is None or self.cancel_state.requested:  # interrupted before, it never runs
            self.delegates = self.generator is not None and _has_yield_from(self.generator.gi_code)
            self._step(None)

    def notify(self, task: Task[Any]) -> None:
        if task is self.awaiting:
            self.awaiting = None
            self._step(task)

    def is_waiting_for(self, task: Task[Any]) -> bool:
        return task is self.awaiting

    def close(self) -> None:
        """Closes the generator; code that runs meanwhile decides nothing."""
        generator, self.generator = self.generator, None
        self.awaiting = None
        loop = self.loop
        if generator is None or loop is None:
            return
        loop.branches.pop(generator, None)
        with loop.silence():
            if not close_generator(generator, loop.passing):
                loop.report(f'a generator ignores being closed, at {suspended_at(generator)}')

    # cancellation

    def waits_for(self) -> Iterable[Task[Any]]:
        return () if self.awaiting is None else (self.awaiting,)

    def is_suspended(self) -> bool:
        if self.awaiting is not None:
            return self.awaiting.state == OPEN
        return self.generator is not None and inspect.getgeneratorstate(self.generator) == inspect.GEN_CREATED

    def stop_waiting(self) -> Iterable[Task[Any]]:
        at, self.awaiting = self.waits_for(), None
        return at

    def deliver_cancel(self, error: BaseException) -> None:
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

    # running

    def _step(self, ready: Task[Any] | None) -> None:  # noqa: C901, PLR0912 - the hot loop, kept in one piece
        """Runs the generator until it waits for an open task or has ended.

        Args:
            ready: The settled task whose outcome it gets; ``None`` where it begins, or gets its cancellation.
        """
        generator, loop = self.generator, self.loop
        if generator is None or loop is None:
            return
        before, loop.current = loop.current, self
        try:
            while True:
                if self.thrown is not None:
                    thrown, self.thrown = self.thrown, None
                    yielded = generator.throw(thrown)
                elif ready is None:
                    yielded = generator.send(None)
                elif ready.state == VALUE:
                    yielded = generator.send(ready.outcome)
                else:
                    yielded = generator.throw(_fresh(ready.outcome))
                if (
                    isinstance(yielded, Task)  # the fast path
                    and yielded.loop is loop
                    and not self.delegates
                    and not loop.restarting
                ):
                    ready = yielded
                else:
                    ready = self._yielded(generator, loop, yielded)
                if ready.state == OPEN:
                    self.awaiting = ready
                    if self.cancel_state is None and not ready.pending_gets:
                        ready.wait(self)
                    else:
                        self._await(loop, ready)
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
            loop.current, loop.has_run = before, True

    def _yielded(self, generator: GeneratorType[Any, Any, Any], loop: Loop, value: Any) -> Task[Any]:
        """The task that a yielded value means; where the yield is a mistake, one that has failed."""
        task: Task[Any] = value if isinstance(value, Task) and value.loop is loop else as_task(loop, value)
        if self.delegates and (iterator := _plain_iterator(generator)) is not None:
            task = _iterator_instead(loop, iterator)
        return _after_restart(loop) if loop.restarting else task

    def _await(self, loop: Loop, task: Task[Any]) -> None:
        """Waits for an open task, unless the cancellation of the branch interrupts it there."""
        if self.cancel_state is not None and loop.cancellations.interrupts(self):
            return
        if task.pending_gets:
            task.await_by(self)
        else:
            task.wait(self)

    def _ended(self) -> None:
        if self.generator is not None and self.loop is not None:
            self.loop.branches.pop(self.generator, None)
            self.generator = None

    def returned(self, value: Any) -> None:
        """The generator returned: tasks in what it returned are resolved first, unless it was cancelled."""
        if self.cancel_state is not None and self.was_cancelled:
            self.raised(self.cancel_state.error)
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
        elif self.cancel_state is None or self.loop is None or not self.loop.cancellations.interrupts(self):
            task.await_by(Result(self))

    def _task_of(self, value: Any) -> Task[Any] | None:
        """The task of a returned value that holds tasks.

        Raises:
            ValueError: It holds tasks, and contains itself or is nested too deeply to be written.
        """
        loop = self.loop
        return None if loop is None or not holds_task(value) else returned_task(loop, value)

    def resolved(self, task: Task[Any]) -> None:
        """Settles the branch: the tasks in its returned value have settled."""
        self.awaiting = None
        task.mark_retrieved()
        self.settle(task.state, task.outcome)

    def raised(self, error: BaseException) -> None:
        """The generator raised."""
        error = without_first_frame(error)
        if isinstance(error, Canceled):
            self.retrieved = True
            self.settle(ERROR, self.canceled_error())
        else:
            if self.was_cancelled:  # waiters get the cancellation instead of this error
                self.retrieved = self.wanted()
            self.settle(ERROR, error)

    def canceled_error(self) -> TaskFailed:
        with_workflow = self.cancel_state is not None and isinstance(self.cancel_state.error, WorkflowCanceled)
        return TaskCanceled(f'canceled {"with" if with_workflow else "by"} the workflow', task=self)


class Root(Branch):
    """The branch of ``run``: its return or its exception ends the execution.

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
        self._frame = generator.gi_frame  # it outlives the generator, so the line of the return is stored
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
        self.retrieved = True
        self.settle(ERROR, without_first_frame(error))


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
        found = run(*args, **kwargs)
    except loop.passing:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever user code raises is the outcome of its run
        root.raised(error)
        return
    finally:
        loop.current, loop.has_run = None, True
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


# What a yielded value means.


def as_task(loop: Loop, value: Any) -> Task[Any]:
    """The task that a yielded value means; where it means none, one that failed with a :class:`YieldError`."""
    if isinstance(value, Task):
        return value if value.loop is loop else _foreign_task(loop, value)
    if isinstance(value, (list, tuple, dict)):
        try:
            return gather(loop, value)
        except RecursionError:
            return _failed(loop, f'a {type(value).__name__} was yielded that contains itself or is nested too deeply')
    if isinstance(value, GeneratorType) and value.gi_code.co_name != '<genexpr>':
        branch: Task[Any] | None = loop.branch(value)
        if branch is not None:
            return branch
    return _failed(loop, _mistake(value))


def _iterator_instead(loop: Loop, iterator: Any) -> Task[Any]:
    """The task of a ``yield from`` that was given an iterator, which cannot be sent results."""
    is_expression = isinstance(iterator, GeneratorType)
    kind = 'generator expression' if is_expression else type(iterator).__name__.replace('_iterator', '')
    return _failed(
        loop, f'`yield from` was given a {kind} and would lose the results; yield the list: `a, b = yield [a, b]`'
    )


def _after_restart(loop: Loop) -> Task[Any]:
    """The task of a yield after ``restart()``."""
    return _failed(loop, 'something was yielded after restart(); write `return self.restart(...)`')


def _foreign_task(loop: Loop, task: Task[Any]) -> Task[Any]:
    """The task of a task that another execution made, or none, and that is yielded, combined, passed on or returned."""
    origin = 'a description that no execution made' if task.loop is None else 'a task of another execution'
    return _failed(loop, f'{task!r} is waited for, which is {origin}; call the proxy on self')


def _failed(loop: Loop, message: str) -> Task[Any]:
    """The task of a yield that waits for nothing."""
    failed: Task[Any] = Task(loop)
    failed.state, failed.outcome = ERROR, YieldError(message)
    return failed


def _mistake(value: Any) -> str:
    """What was yielded, and what was probably meant."""
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


@functools.lru_cache(maxsize=1024)
def _has_yield_from(code: CodeType) -> bool:
    """Whether a ``yield from`` stands in the code itself."""
    return YIELD_FROM in code.co_code[::2]


def _plain_iterator(generator: GeneratorType[Any, Any, Any]) -> Any:
    """What the innermost ``yield from`` iterates over, if nothing comes of what is sent to it."""
    inner: Any = generator.gi_yieldfrom
    while isinstance(inner, GeneratorType):
        if inner.gi_code.co_name == '<genexpr>':
            return inner
        inner = inner.gi_yieldfrom
    return None if inner is None or hasattr(inner, 'send') else inner
