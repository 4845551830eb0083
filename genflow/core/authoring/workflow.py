"""The class that workflow authors subclass.

``run`` is a generator (or a plain function) that gets everything impure from ``self``: activities and children through
proxies, time, randomness, signals. The values depend on the history alone.
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import datetime
from random import Random
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypeVar, cast, overload
from uuid import UUID

from genflow.core.authoring.bound_types import ChildTask, TypedBound
from genflow.core.authoring.checks import check_hook, check_not_async, check_run
from genflow.core.authoring.proxies import Bound, Proxy
from genflow.core.authoring.queries import MARK as QUERY_MARK
from genflow.core.authoring.typed_proxies import Runs, TypedProxy, workflow_proxy
from genflow.core.authoring.updates import MARK as UPDATE_MARK
from genflow.core.calls.external import CancelCall, SignalCall
from genflow.core.calls.timer import TimerCall, timer_seconds
from genflow.core.durations import Duration
from genflow.core.errors import DefinitionError, YieldError
from genflow.core.model.identifiers import checked_text
from genflow.core.model.info import Info
from genflow.core.model.options import RestartOptions, checked_names, overridden
from genflow.core.model.restart import Restart
from genflow.core.payloads.hooks import Serialization
from genflow.core.payloads.writing import INPUT_WAY_OUT, check_length, written_arguments
from genflow.core.tasks.branch import Branch
from genflow.core.tasks.cancellation import Shield
from genflow.core.tasks.future import Future
from genflow.core.tasks.loop import DescribingLoop, Loop
from genflow.core.tasks.map import Mapped
from genflow.core.tasks.signals import BoundSignal, Signal, declared_signals, read_json, reader_of, signal_name
from genflow.core.tasks.task import Task
from genflow.core.tasks.until import Until
from genflow.core.tasks.unused import watched
from genflow.core.text import short

if TYPE_CHECKING:
    from types import GeneratorType

    from typing_extensions import Self, Unpack

    from genflow.core.authoring.option_types import CallOptions, ChildProxyOptions, NextRunOptions

__all__ = ['External', 'Restarter', 'Workflow', 'bind', 'proxies_of']

P = ParamSpec('P')
R = TypeVar('R')
I = TypeVar('I')  # noqa: E741 - an item
T = TypeVar('T', bound=Task[Any])
V = TypeVar('V')


class Spawned(Task[Any]):
    """The description of a spawned branch."""

    __slots__ = ('daemon', 'generator')

    kind = 'spawn'

    def __init__(self, generator: GeneratorType[Any, Any, Any], *, daemon: bool) -> None:
        super().__init__(None)
        self.generator = generator
        self.daemon = daemon

    def asked(self) -> tuple[Any, ...]:
        return (self.generator, self.daemon)


class External:
    """Another execution: ``self.external('order-7')``."""

    __slots__ = ('_driver', 'run_id', 'workflow_id')

    def __init__(self, loop: Loop, workflow_id: str, run_id: str | None) -> None:
        self._driver = loop
        self.workflow_id = workflow_id
        self.run_id = run_id

    @overload
    def signal(self, signal: str, value: Any = None) -> Task[None]: ...
    @overload
    def signal(self, signal: Signal[V], value: V = ...) -> Task[None]: ...
    def signal(self, signal: Any, value: Any = None) -> Task[None]:
        """Sends a signal; the value travels as JSON. Settles when SWF has delivered it."""
        call = SignalCall(self._driver.owner, self.workflow_id, self.run_id, signal_name(signal), value)
        self._driver.schedule(call, sys._getframe(1))
        return call

    def cancel(self) -> Task[None]:
        """Requests the cancellation; settles when SWF has delivered the request."""
        call = CancelCall(self._driver.owner, self.workflow_id, self.run_id)
        self._driver.schedule(call, sys._getframe(1))
        return call


class Restarter(Generic[R]):
    """``self.restart``: call it and return what it gives."""

    __slots__ = ('_options', '_workflow')

    def __init__(self, workflow: Workflow, options: RestartOptions) -> None:
        self._workflow = workflow
        self._options = options

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        """Continues as a new run with these arguments: ``return self.restart(page + 1)``."""
        text = written_arguments('the restart', self._workflow._serialize_restart_arguments, args, kwargs)
        check_length(text, 'the input of the restart', INPUT_WAY_OUT)
        restart = Restart(args, kwargs, self._options, text)
        self._workflow.loop.restarts(restart)
        return cast('R', restart)

    def with_options(self, **options: Unpack[NextRunOptions]) -> Restarter[R]:
        """Overrides settings of the next run; the others are those of this run.

        Args:
            options: ``version``, ``task_list``, ``priority``, ``workflow_duration``, ``decision_duration``,
                ``child_policy``, ``tags``, ``lambda_role``.
        """
        return Restarter(self._workflow, overridden(self._options, options, strict=True))


if TYPE_CHECKING:

    class RestartProperty:
        """What a checker sees of ``self.restart``: it gives what ``run`` returns."""

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: Runs[..., Generator[Any, Any, R]], owner: type) -> Restarter[R]: ...
        @overload
        def __get__(self, instance: Runs[..., R], owner: type) -> Restarter[R]: ...
        def __get__(self, instance: Any, owner: type) -> Any: ...


class QuietLogger(logging.LoggerAdapter):  # type: ignore[type-arg]
    """A logger that is silent during replay."""

    def __init__(self, logger: logging.Logger, loop: Loop) -> None:
        super().__init__(logger, {})
        self._driver = loop

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's own name
        loop = self._driver
        quiet = loop.replaying or (loop.silent and not loop.in_side_effect)
        return not quiet and super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        info = self._driver.info
        extra = {'workflow_id': info.workflow_id, 'run_id': info.run_id, **(kwargs.get('extra') or {})}
        return msg, {**kwargs, 'extra': extra}


class Workflow(Serialization):
    """Subclass it, define ``run``, decorate it with ``genflow.workflow``."""

    _driver: Loop | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.hinted = cls
        check_not_async(cls)
        check_run(cls)
        check_hook(cls)
        for name, value in vars(cls).items():
            if name in _PUBLIC and (what := _asked_from_outside(value)) is not None:
                raise DefinitionError(
                    f'{cls.__qualname__}.{name} is {what}, but {name!r} is a member of every workflow; give it another '
                    'name'
                )

    def run(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f'{type(self).__name__} defines no run()')

    @overload
    @classmethod
    def proxy(
        cls: type[Runs[P, Generator[Any, Any, R]]], **options: Unpack[ChildProxyOptions]
    ) -> TypedProxy[P, ChildTask[R]]: ...
    @overload
    @classmethod
    def proxy(cls: type[Runs[P, R]], **options: Unpack[ChildProxyOptions]) -> TypedProxy[P, ChildTask[R]]: ...
    @classmethod
    def proxy(cls: Any, **options: Any) -> Any:
        """A proxy that starts this workflow as a child, typed by the signature of ``run``.

        Args:
            options: As for :class:`~genflow.WorkflowProxy`, without name and version.
        """
        return workflow_proxy(cls, **options)

    @property
    def loop(self) -> Any:
        """What drives this workflow: an execution of the engine, or one that only describes calls."""
        if self._driver is None:
            bind(self, DescribingLoop())
        return self._driver

    # waiting

    def sleep(self, seconds: Duration) -> Task[None]:
        """Returns a timer task. An open timer does not keep the execution open.

        Args:
            seconds: A number or a ``timedelta``, rounded up to whole seconds, at most a year.
        """
        loop = self.loop
        call = TimerCall(loop.owner, timer_seconds(seconds))
        loop.schedule(call, sys._getframe(1))
        if not loop.silent:
            loop.unused.note_task(call, sys._getframe(1))
        return call

    def sleep_until(self, time: datetime) -> Task[None]:
        """A timer that fires at a time, or at once where it has passed. It does not keep the execution open.

        Args:
            time: An aware time, at most a year from now.

        Raises:
            DefinitionError: The time has no time zone, or is more than a year away.
        """
        loop = self.loop
        call = TimerCall(loop.owner, timer_seconds(_seconds_until(time, loop.now())))
        loop.schedule(call, sys._getframe(1))
        if not loop.silent:
            loop.unused.note_task(call, sys._getframe(1))
        return call

    def until(self, predicate: Callable[[], Any]) -> Task[None]:
        """Waits until a predicate over the workflow's state is true: ``yield self.until(lambda: not self.pending)``.

        While a branch waits for it, the predicate is called whenever all branches are blocked after an event;
        predicates are called in the order in which their waits began. If one is true, its branch runs before the next
        predicate is called. An exception of the predicate becomes the failure of the task. It does not keep the
        execution open.

        Args:
            predicate: Must only read. It may read ``now()``, but the passing of time does not trigger it: use
                ``.timeout()`` for that.

        Raises:
            DefinitionError: The predicate is no function.
        """
        if not callable(predicate):
            raise DefinitionError(
                f'until() was given {short(predicate)}, which is not callable; it takes a function that is called '
                'after each event: `self.until(lambda: not self.pending)`'
            )
        loop, frame = self.loop, sys._getframe(1)
        if loop.owner is None:
            loop.describes('until()')
        else:
            loop.check_thread('until()')
        task = Until(loop.owner, predicate, (frame.f_code, frame.f_lasti))
        if not loop.silent:
            loop.unused.note_task(task, frame)
        return task

    def future(self) -> Future[Any]:
        """A task that the workflow's own code settles, with ``set_result`` or ``set_exception``.

        Annotate it for type checkers: ``done: Future[int] = self.future()``.
        """
        loop = self.loop
        if loop.owner is None:
            loop.describes('future()')
        else:
            loop.check_thread('future()')
        return Future(loop.owner)

    @overload
    def bind(self, proxy: TypedProxy[P, T]) -> TypedBound[P, T]: ...
    @overload
    def bind(self, proxy: Proxy) -> Bound: ...
    def bind(self, proxy: Any) -> Any:
        """Binds a proxy that is not an attribute of the class, such as one from a dict, so that it can be called.

        For example ``yield self.bind(STEPS[name])(item)``, or ``self.bind(ActivityProxy(name, version))(item)``.

        Raises:
            DefinitionError: It is no proxy.
        """
        if isinstance(proxy, Bound):
            return proxy
        if not isinstance(proxy, Proxy):
            raise DefinitionError(
                f'bind() was given {proxy!r}, a {type(proxy).__name__}; it takes a proxy: '
                'ActivityProxy(name, version), or Class.proxy() of a decorated class'
            )
        return proxy.bound(self.loop)

    @overload
    def spawn(self, branch: Generator[Any, Any, R], *, daemon: bool = False) -> Task[R]: ...
    @overload
    def spawn(self, branch: Task[R], *, daemon: bool = False) -> Task[R]: ...
    def spawn(self, branch: Any, *, daemon: bool = False) -> Task[Any]:
        """Starts a branch that runs beside this code, and gives the task of its result.

        The execution does not close before a spawned branch has ended. Cancelling a branch that waits for it does not
        cancel the spawned branch.

        Args:
            branch: What a generator function gives.
            daemon: Cancel the branch when ``run`` has returned, instead of waiting for it.
        """
        loop = self.loop
        if isinstance(branch, Task):
            return branch
        if not hasattr(branch, 'gi_frame'):
            raise YieldError(f'spawn() was given a {type(branch).__name__}: {branch!r}; it takes a generator')
        owner = loop.owner
        if owner is None:
            loop.describes('spawn()')
            return Spawned(branch, daemon=daemon)
        loop.check_thread('spawn()')
        task: Branch | None = owner.spawn(branch, daemon=daemon)
        if task is None:
            raise YieldError('spawn() was given a generator that has already finished')
        return task

    @overload
    def map(
        self,
        function: Callable[[I], Task[R] | Generator[Any, Any, R]],
        items: Iterable[I],
        *,
        limit: int | None = None,
        failures: Literal['raise', 'wait'] = 'raise',
    ) -> Task[list[R]]: ...
    @overload
    def map(
        self,
        function: Callable[[I], Task[R] | Generator[Any, Any, R]],
        items: Iterable[I],
        *,
        limit: int | None = None,
        failures: Literal['return'],
    ) -> Task[list[R | BaseException]]: ...
    @overload
    def map(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        limit: int | None = None,
        failures: Literal['raise', 'wait', 'return'] = 'raise',
    ) -> Task[list[Any]]: ...
    def map(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        limit: int | None = None,
        failures: Literal['raise', 'wait', 'return'] = 'raise',
    ) -> Task[list[Any]]:
        """Calls ``function(item)`` for each item, at most ``limit`` of them open at a time; the results in their order.

        Args:
            function: A proxy, or a generator function (each call is a branch).
            items: An iterator, such as a generator, is asked for the next item whenever a slot is free; anything else
            is
                read at once.
            limit: At least 1; ``None`` begins all at once.
            failures: With ``'raise'`` the first failure fails the map: it starts no more items, cancels its branches,
                and fails when they have ended. ``'wait'`` goes on with the others, and then fails with the failure of
                the first item that has one. ``'return'`` gives failures in the list as they are.
        """
        loop = self.loop
        if loop.owner is None:
            loop.describes('map()')
        else:
            loop.check_thread('map()')
        return Mapped(loop.owner, function, items, limit, failures)

    @overload
    def signal(self, name: str) -> BoundSignal[Any]: ...
    @overload
    def signal(self, name: str, type: type[V]) -> BoundSignal[V]: ...
    def signal(self, name: str, type: Any = None) -> BoundSignal[Any]:
        """A signal whose name is made at run time: ``self.signal(f'answer-{number}').get()``.

        Args:
            name: At most 256 characters.
            type: What its values are; of a signal that the class declares, that one's unless given.
        """
        name = signal_name(name)
        declared = declared_signals(self.__class__).get(name)
        if type is None and declared is not None:
            return declared.bound(self.loop)
        reads = read_json if type is None else reader_of(type, self.__class__, f'signal {name!r}')
        return BoundSignal(self.loop, self.loop.mailbox(name), name, reads)

    def external(self, workflow_id: str, run_id: str | None = None) -> External:
        """Another execution of the same domain.

        Raises:
            DefinitionError: No execution can have such an id.
        """
        checked_text(workflow_id, 'workflow_id')
        return External(self.loop, workflow_id, None if run_id is None else checked_text(run_id, 'run_id', 64))

    # values from the execution

    def now(self) -> datetime:
        """The time at which the current decision task was started; the same throughout a decision, in UTC."""
        time: datetime = self.loop.now()
        return time

    @property
    def info(self) -> Info:
        """The facts of the execution: ids, type, options, ``tags``, ``history_length``, origin.

        ``first_run_id`` is the first run of the chain of restarts, ``root`` has the ids of the top-most ancestor.
        """
        info: Info = self.loop.told_info
        return info

    @property
    def random(self) -> Random:
        """A stream of random numbers that is the same at every replay."""
        stream: Random = self.loop.random
        return stream

    def uuid4(self) -> UUID:
        """A random UUID that is the same at every replay."""
        value: UUID = self.loop.uuid4()
        return value

    def side_effect(self, function: Callable[[], Any], *, raises: tuple[type[Exception], ...] = ()) -> Any:
        """Calls ``function`` once in the life of the execution and records its value, as JSON, in a marker.

        The function must not use the workflow (calls, timers, signals, randomness, patches, another side effect):
        replay does not call it, so those calls would be missing.

        Args:
            function: An exception is recorded too, and raised from the record as a :class:`TaskFailed`.
            raises: The exception classes that are raised as such.

        Raises:
            DefinitionError: It does.
        """
        return self.loop.side_effect(function, raises)

    def patched(self, change: str) -> bool:
        """Whether to take the new path: true if this execution had not yet reached this point when the code changed."""
        answer: bool = self.loop.patched(change)
        return answer

    def deprecate_patch(self, change: str) -> None:
        """Replaces ``patched`` when the old path is removed, while histories still contain the marker.

        It records a marker of its own, so that code which still says ``patched`` takes the new path as well. Code
        without the call ignores that marker.
        """
        self.loop.deprecate_patch(change)

    def set_status(self, value: Any) -> None:
        """Shows a value, as JSON, as the execution's context (``latestExecutionContext``)."""
        self.loop.set_status(value)

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger that is silent while the history is replayed."""
        return QuietLogger(logging.getLogger(f'genflow.workflow.{type(self).__qualname__}'), self.loop)

    if TYPE_CHECKING:
        restart = RestartProperty()
    else:

        @property
        def restart(self) -> Restarter[Any]:
            """``return self.restart(*args)`` continues as a new run with an empty history."""
            return Restarter(self, RestartOptions())

    def restart_when_suggested(self) -> Any:
        """Define it to have long histories restarted: ``return self.restart(self.cursor)``, or ``None`` for "not now".

        Once ``info.restart_suggested`` is true, it is called at the end of each decision in which no call of an earlier
        decision is open (a wait for a signal does not count) and ``run`` is the only branch. If it returns a restart,
        the calls of this decision are not sent, and the execution continues as new, together with its unread signals.
        So everything that the next run needs must be on ``self`` by then. It is not called after a cancellation was
        requested, nor if this decision has read a signal whose value would be lost with the unsent calls.

        It is never called in a replay, so it must not change anything or make calls. If it raises or returns something
        else, the error is reported and the execution continues.
        """

    # context managers

    @contextmanager
    def options(self, **options: Unpack[CallOptions]) -> Iterator[None]:
        """Settings for every call made in the block, by this branch and those that it begins in it.

        Raises:
            DefinitionError: An option is unknown or wrong.
        """
        checked_names(options)
        branch = self._branch()
        before = branch.settings
        branch.settings = {**before, **options}
        try:
            yield
        finally:
            branch.settings = before

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Defers a cancellation until the first ``yield`` after the block.

        It also defers what cancels all branches (the cancellation of the execution, the end of ``run``) from the
        branches that are begun in the block, until the block is left. A cancellation of one such branch alone is not
        deferred.
        """
        branch = self._branch()
        shield = Shield()
        branch.enter(shield)
        try:
            yield
        finally:
            branch.leave(shield)

    def _branch(self) -> Branch:
        branch: Branch | None = self.loop.current
        return branch if branch is not None else Branch(self.loop, None, None)


def _seconds_until(time: Any, now: datetime) -> float:
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise DefinitionError(
            f'sleep_until() was given {time!r}; it takes a datetime with a time zone, such as '
            'self.now() + timedelta(hours=1)'
        )
    return max(0.0, (time - now).total_seconds())


def _asked_from_outside(value: Any) -> str | None:
    """What a member of a class is that may not have the name of a workflow's own; ``None`` for anything else."""
    if isinstance(value, (Proxy, Signal)):
        kind = type(value).__name__
        return f'an {kind}' if kind[0] in 'AEIOU' else f'a {kind}'
    marks = {QUERY_MARK: 'a query', UPDATE_MARK: 'an update'}
    return next((what for mark, what in marks.items() if getattr(value, mark, False)), None)


_PUBLIC = frozenset(name for name in dir(Workflow) if not name.startswith('_'))

_OWN_CLASSES = frozenset(Workflow.__mro__)


def bind(workflow: Workflow, loop: Loop) -> list[str]:
    """Gives a workflow its driver, and each proxy, signal and method that makes branches its place on the object.

    What stands on the object is found before the descriptor on the class, so a call costs one look-up.

    Returns:
        The names of those methods: what stands there refers to the object again.
    """
    own = vars(workflow)
    making_branches: list[str] = []
    own['_driver'] = loop
    is_driven = loop.owner is not None
    for name, value in _members(type(workflow)).items():
        if isinstance(value, (Proxy, Signal)):
            own[name] = value.bound(loop)
        elif (
            is_driven
            and isinstance(value, FunctionType)
            and name != 'run'
            and value.__code__.co_flags & inspect.CO_GENERATOR
        ):
            own[name] = watched(value.__get__(workflow), loop)
            making_branches.append(name)
    return making_branches


def proxies_of(cls: type) -> dict[str, Proxy]:
    """The proxies of a workflow class, those of its bases too, by the names of their attributes."""
    return {name: value for name, value in _members(cls).items() if isinstance(value, Proxy)}


def _members(cls: type) -> Mapping[str, Any]:
    """What a workflow class and its bases define, without ``Workflow``'s own, which have nothing of the user's."""
    bases = [base for base in reversed(cls.__mro__) if base not in _OWN_CLASSES]
    if len(bases) == 1:
        return vars(cls)
    return {name: value for base in bases for name, value in vars(base).items()}
