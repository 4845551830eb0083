"""Tasks: what a workflow yields, in the words of ``concurrent.futures.Future``.

A task is open until it has a value or an error, and then never changes. A branch that yields it, or a combinator that
holds it, *waits* on it. A task that settles is put into the queue of the loop, which notifies the waiters in the order
in which they came, so that a chain of tasks never recurses.

A task without a loop is a *description*: it has no number, never settles, and equals every task that asks for the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Generator, Iterable, Iterator
from opcode import opmap
from typing import Any, ClassVar, Generic, NoReturn, Protocol, TypeVar

from genflow.core.durations import Duration
from genflow.core.errors import Canceled, TaskCanceled, TaskFailed, TaskTimeout, YieldError
from genflow.core.protocols import Loop
from genflow.core.text import short

__all__ = ['ERROR', 'OPEN', 'VALUE', 'YIELD_FROM', 'Steps', 'Task', 'Waiter', 'notify_combinators']

T = TypeVar('T')
T_co = TypeVar('T_co', covariant=True)

Steps = Generator[Any, Any, T]
"""What a workflow's ``run`` returns where it yields: ``def run(self, order: dict) -> Steps[str]``."""

OPEN, VALUE, ERROR = 0, 1, 2

YIELD_FROM = opmap['GET_YIELD_FROM_ITER']


MANY_WAITERS = 64
"""From this number of waiters on, stale ones are removed whenever the number has doubled."""


class Waiter(Protocol):
    """Is notified when a task settles."""

    @property
    def is_stale(self) -> bool:
        """Whether a notification makes no difference any more."""

    def notify(self, task: Task[Any]) -> None: ...

    def is_waiting_for(self, task: Task[Any]) -> bool:
        """Whether somebody is waiting for ``task`` through this waiter right now."""


class Task(Generic[T_co]):
    """A result that is still to come.

    ``yield task`` waits for it in a workflow, ``yield from task`` does the same with its type. A task may be yielded
    many times, sit in any number of combinators, and be given as an argument to another proxy.
    """

    __slots__ = ('keeps_open', 'loop', 'number', 'outcome', 'retrieved', 'state', 'waiters')

    kind = 'task'
    pending_gets = 0
    """How many gets of signals are below it, which take something only while somebody waits for them."""
    is_branch = False
    is_call = False
    may_wait_for_branches = True
    """Whether a branch that waits for it may so wait for other branches."""
    is_ending = False
    """Whether it is being cancelled and has not settled, because a branch has not ended."""
    was_cancelled = False
    """Whether it is a branch that was cancelled."""
    has_branches = False
    """Whether it is a branch or has some below."""
    propagates = False
    """Whether its failures are those of other tasks, which are asked themselves whether somebody took them."""
    limited: ClassVar[Callable[..., Task[Any]]]
    """Makes the task of :meth:`timeout`; :mod:`genflow.core.calls.timer` sets it, for a timer is a call."""

    def __init__(self, loop: Loop | None) -> None:
        self.loop = loop
        self.number: int | None = None
        self.state = OPEN
        self.outcome: Any = None
        self.waiters: list[Waiter] | None = None
        self.retrieved = False
        self.keeps_open = False

    # public methods

    def done(self) -> bool:
        """Whether the task has a result or an error."""
        return self.state != OPEN

    def result(self) -> T_co:
        """The result.

        Raises:
            YieldError: The task is still open: yield it.
            TaskFailed: It failed (or what ``raises=`` brought back).
        """
        self.mark_retrieved()
        if self.state == VALUE:
            value: T_co = self.outcome
            return value
        if self.state == ERROR:
            raise BaseException.with_traceback(self.outcome, None)
        raise self._still_open('result')

    def exception(self) -> BaseException | None:
        """The error, or ``None`` where there is a result.

        Raises:
            YieldError: The task is still open: yield it.
        """
        self.mark_retrieved()
        if self.state == OPEN:
            raise self._still_open('exception')
        error: BaseException | None = self.outcome if self.state == ERROR else None
        return error

    def cancel(self, *, wait: bool = False) -> None:
        """Cancels the task: it settles with :class:`TaskCanceled`, and later outcomes are ignored.

        A call settles at once. A branch is told at its ``yield``, may clean up, and settles when it has ended; a
        combinator of branches when they have.

        Args:
            wait: Ask the activities and children below to stop, and leave them open until they have closed. They settle
                with what SWF then records: a cancellation, or a result that was quicker. They are not tried again.
        """
        if self.loop is not None:
            if self.loop.silent:
                self.loop.describes(f'cancel() of {self.label}')
                return
            self.loop.check_thread(f'cancel() of {self.label}')
        pending: list[Task[Any]] = [self]
        met: list[Task[Any]] = []
        cancelled: dict[int, bool] = {}  # a task that stands in several combinators is asked once
        while pending:
            task = pending.pop()
            if task.state != OPEN or task.loop is None:
                continue
            if id(task) not in cancelled:
                task.mark_retrieved()
                below = task.stop() if wait else None
                cancelled[id(task)] = below is None
                pending.extend(task.withdraw() if below is None else below)
            if cancelled[id(task)]:
                met.append(task)
        for task in reversed(met):
            task.end_canceled()

    def timeout(self, seconds: Duration, *, keep: bool = False) -> Task[T_co]:
        """A task with the same outcome, which raises :class:`TaskTimeout` after ``seconds``.

        The time covers retries and the waits between them.

        Args:
            seconds: A number or a ``timedelta``, rounded up to whole seconds.
            keep: Leave this task as it is when the time is up, instead of cancelling it.
        """
        if self.loop is not None and self.loop.silent:
            self.loop.describes(f'timeout() of {self.label}')
        return Task.limited(self, seconds, keep=keep)

    @property
    def options(self) -> Any:
        """The settings that the task was asked with; ``None`` where there are none."""
        return None

    # called by the engine

    def settle(self, state: int, outcome: Any) -> None:
        """Gives the task its outcome, once; the driver's loop tells the waiters."""
        if self.state != OPEN:
            return
        self.state = state
        self.outcome = outcome
        loop = self.loop
        if loop is None:
            return
        if self.keeps_open:
            self.keeps_open = False
            loop.open_blockers -= 1
        if self.waiters is not None:
            loop.queue.append(self)
        if state == ERROR and not self.retrieved and not self.propagates:
            loop.unretrieved.append(self)

    def mark_retrieved(self) -> None:
        """Marks a failure as observed, so that it no longer fails the workflow."""
        self.retrieved = True

    def wait(self, waiter: Waiter) -> None:
        """Adds a waiter to an open task, which marks a failure as retrieved."""
        self.mark_retrieved()
        self.watch(waiter)

    def watch(self, waiter: Waiter) -> None:
        """Adds a waiter without marking anything as retrieved; removes stale waiters from time to time."""
        waiters = self.waiters
        if waiters is None:
            self.waiters = [waiter]
            return
        waiters.append(waiter)
        count = len(waiters)
        if count >= MANY_WAITERS and count & (count - 1) == 0:
            self.waiters = [other for other in waiters if not other.is_stale]

    def await_by(self, waiter: Waiter) -> None:
        """Somebody begins to wait for an open task now, and takes what is there for it."""
        if self.pending_gets and self.loop is not None:
            self.loop.reveal_signals()
        self.wait(waiter)
        if self.pending_gets:
            self.request()

    def request(self) -> None:
        """Somebody begins to wait for this task now; those that take something only on demand do so."""

    def run_callbacks(self) -> None:
        """Notifies the waiters of a settled task."""
        waiters = self.waiters
        if waiters is not None:
            self.waiters = None
            for waiter in waiters:
                waiter.notify(self)

    def wanted(self, unwanted: Container[int] = ()) -> bool:
        """Whether somebody is waiting for this task right now, through combinators too.

        Args:
            unwanted: The ``id`` of each task of which it is known that nobody waits for it.
        """
        pending: list[Iterator[Task[Any]]] = [iter((self,))]
        while pending:
            task = next(pending[-1], None)
            if task is None:
                pending.pop()
                continue
            if id(task) in unwanted:
                continue
            for waiter in task.waiters or ():
                if isinstance(waiter, Task) and waiter.propagates:
                    pending.append(iter(waiter.outlets()))
                elif waiter.is_waiting_for(task):
                    return True
        return False

    @property
    def asker(self) -> Any:
        """The combinator to ask when somebody begins to wait for this task, if it has :attr:`pending_gets`."""
        return self

    def outlets(self) -> Iterable[Task[Any]]:
        """The open tasks through which a waiter is notified of this one's members."""
        return () if self.state != OPEN else (self,)

    def stop(self) -> Iterable[Task[Any]] | None:
        """Asks the work outside to stop, and stays open until it has; returns the tasks to stop next.

        ``None`` where nothing runs outside, so that it is cancelled instead.
        """
        return None

    def withdraw(self) -> Iterable[Task[Any]]:
        """Cancels its requests at SWF, as far as SWF can; returns the tasks to cancel next."""
        return ()

    def waited_for(self) -> Iterable[Task[Any]]:
        """The tasks that have to settle before this one can, those that a branch waits for left out."""
        return ()

    def end_canceled(self) -> None:
        """Settles a cancelled task, whose :meth:`withdraw` was called."""
        self.settle(ERROR, self.canceled_error())

    def failure_of(self, error: BaseException) -> BaseException:
        """The failure that an exception of the user's code is: who waits is not cancelled by somebody else's code."""
        return self.canceled_error() if isinstance(error, Canceled) else error

    def canceled_error(self) -> TaskFailed:
        return TaskCanceled('canceled by the workflow', task=self)

    @property
    def last_failure(self) -> BaseException | None:
        """The failure of the last attempt, of a task that is being tried again."""
        return None

    def timeout_error(self, seconds: int) -> TaskFailed:
        """What :meth:`timeout` raises for this kind of task."""
        return TaskTimeout(f'not settled within {seconds} s', task=self)

    @property
    def is_stale(self) -> bool:
        return False

    def is_waiting_for(self, task: Task[Any]) -> bool:
        """As a waiter: whether somebody waits for ``task`` through this one."""
        return self.state == OPEN

    # descriptions

    def asked(self) -> tuple[Any, ...]:
        """What the task asks for, as comparable values."""
        return (id(self),)

    @property
    def label(self) -> str:
        """Kind, type and number, for messages."""
        return self.kind if self.number is None else f'{self.kind} {self.number}'

    def _still_open(self, name: str) -> YieldError:
        return YieldError(f'{self!r} is not settled, so it has no {name}() yet; yield it first')

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Task):
            if self.loop is None:
                return NotImplemented
            raise self.misused(f'is compared with {short(other)}', '(yield task) == x')
        if self.loop is not None and other.loop is not None:
            return False
        return type(self) is type(other) and self.asked() == other.asked()

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise self.misused('has no truth value', 'if (yield task):')

    def __iter__(self) -> Generator[Task[T_co], Any, T_co]:
        if not _delegated(sys._getframe(1)):
            raise self.misused('cannot be iterated or unpacked', 'a, b = yield task')
        return self._delegate()

    def _delegate(self) -> Generator[Task[T_co], Any, T_co]:
        value: T_co = yield self
        return value

    def __str__(self) -> str:
        if self.loop is None:
            return repr(self)
        raise self.misused('is converted to text', "f'{(yield task)}'")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def misused(self, how: str, instead: str) -> TypeError:
        """The error where a task is used as if it were its own result."""
        return TypeError(f'{self!r} {how}: yield it first, as in `{instead}`')

    def __repr__(self) -> str:
        state = ('', ' done', ' failed')[self.state]
        return f'<{self.label}{state}>'


def _refused(how: str, instead: str) -> Callable[..., NoReturn]:
    def refuse(self: Task[Any], *_: Any) -> NoReturn:
        raise self.misused(how, instead)

    return refuse


_ARITHMETIC = ('add', 'sub', 'mul', 'truediv', 'floordiv', 'mod', 'pow', 'and', 'or', 'xor')
_USED_AS_ITS_RESULT = {
    ('is compared', '(yield task) < x'): ('lt', 'le', 'gt', 'ge'),
    ('is used in arithmetic', '(yield task) + x'): ('neg', 'abs', *_ARITHMETIC, *(f'r{name}' for name in _ARITHMETIC)),
    ('is converted to a number', 'int((yield task))'): ('int', 'float', 'index'),
    ('is indexed', '(yield task)[key]'): ('getitem',),
    ('is searched with `in`', 'x in (yield task)'): ('contains', 'len'),
}
"""What is done with a task in place of its result, what is meant, and the methods that Python calls for it."""

for _words, _names in _USED_AS_ITS_RESULT.items():
    for _name in _names:
        setattr(Task, f'__{_name}__', _refused(*_words))  # not in the class: type checkers would believe that they work


def notify_combinators(task: Task[Any]) -> None:
    """Notifies the combinators above a task that has just settled, and no branch: nothing of the user's runs here."""
    pending = [task]
    while pending:
        settled = pending.pop()
        waiters = settled.waiters or []
        above: list[Any] = [waiter for waiter in waiters if isinstance(waiter, Task) and waiter.propagates]
        if above:
            settled.waiters = [waiter for waiter in waiters if not (isinstance(waiter, Task) and waiter.propagates)]
        for combined in above:
            combined.notify(settled)
            pending.extend(outcome for outcome in combined.outcomes() if outcome.state != OPEN)


def _delegated(frame: Any) -> bool:
    """Whether the instruction that the frame executes is a ``yield from``.

    Nothing else tells ``x = yield from task`` from ``a, b = task`` before the second value is asked for, and by then
    the first name is bound to the task. Off CPython every iteration passes.
    """
    if sys.implementation.name != 'cpython':
        return True
    code, last = frame.f_code.co_code, frame.f_lasti
    return bool(last >= 0 and code[last] == YIELD_FROM)
