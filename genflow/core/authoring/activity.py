"""The class that activity authors subclass.

An activity is ordinary code that runs once for each attempt, on a thread of a worker; nothing of it is replayed. The
worker makes an instance, gives it an :class:`ActivityContext` and calls ``run`` with the decoded arguments.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, MutableMapping
from contextvars import ContextVar, Token
from datetime import datetime
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from attrs import field, frozen

from genflow.core.authoring.checks import check_no_generator, check_run
from genflow.core.authoring.typed_proxies import Runs, TypedProxy, activity_proxy
from genflow.core.errors import StopActivity
from genflow.core.payloads.hooks import Serialization
from genflow.core.payloads.wire_text import sendable
from genflow.core.payloads.writing import INPUT_WAY_OUT, check_length
from genflow.core.tasks.task import Task
from genflow.core.text import short

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from genflow.core.authoring.option_types import ActivityProxyOptions

__all__ = [
    'MAX_HEARTBEAT',
    'Activity',
    'ActivityContext',
    'ActivityInfo',
    'current_activity',
    'heartbeat_text',
    'made_current',
]

MAX_HEARTBEAT = 2048
"""Characters of a heartbeat's details: SWF's ``LimitedData`` shape."""

P = ParamSpec('P')
R = TypeVar('R')


@frozen
class ActivityInfo:
    """The facts about the current activity task.

    Attributes:
        attempt: 1 for the first try, or ``None`` if another decider than genflow's scheduled the task.
        recall: Gives :attr:`last_heartbeat`.
        origin: Returns :attr:`first_run_id`. Default: the run itself.
        task_list: The list on which the task was found.
        own_list: The list of the worker's own, ``None`` where the worker has none (``Worker(..., own_list=True)``):
            what is called with it as its ``task_list`` runs in the same process.
        identity: The identity of the worker.
        read_deadline: Gives :attr:`deadline`.
    """

    activity_id: str
    name: str
    version: str
    workflow_id: str
    run_id: str
    attempt: int | None = None
    recall: Callable[[], str | None] = field(default=lambda: None, eq=False, repr=False)
    origin: Callable[[], str] | None = field(default=None, eq=False, repr=False)
    task_list: str | None = None
    own_list: str | None = None
    identity: str | None = None
    read_deadline: Callable[[], datetime | None] = field(default=lambda: None, eq=False, repr=False)

    @property
    def first_run_id(self) -> str:
        """The run in which the call was first made: an earlier one after ``genflow repair``.

        For attempts after the first, reading this property reads the history.
        """
        return self.run_id if self.origin is None else self.origin()

    @property
    def deadline(self) -> datetime | None:
        """When SWF times this attempt out, even if it sends heartbeats; ``None`` for never.

        Reading this property reads the history.
        """
        return self.read_deadline()

    @property
    def last_heartbeat(self) -> str | None:
        """The details of the previous attempt's last heartbeat, whether it timed out or failed.

        Reading this property reads the history.
        """
        return self.recall()


class ActivityContext(Protocol):
    """The connection of a running activity to its worker."""

    @property
    def info(self) -> ActivityInfo: ...

    @property
    def token(self) -> str: ...

    @property
    def details(self) -> str | None:
        """The details of the last heartbeat."""

    def heartbeat(self, details: str | None) -> bool:
        """Sends a heartbeat; false once the task is lost or was asked to cancel."""


def heartbeat_text(details: Any) -> str | None:
    """The details of a heartbeat, checked against SWF's limits.

    Raises:
        TypeError: They are no text.
        PayloadTooLarge: They have more than 2,048 characters.
    """
    if details is None:
        return None
    if not isinstance(details, str):
        raise TypeError(
            f'the details of a heartbeat are text, and {short(details)} is a {type(details).__name__}: give a str, '
            'such as json.dumps(…)'
        )
    return check_length(sendable(details), 'the text of a heartbeat', INPUT_WAY_OUT, limit=MAX_HEARTBEAT)


class Activity(Serialization):
    """Subclass it, define ``run``, decorate it with ``genflow.activity``."""

    _context: ActivityContext | None = None
    _stopping = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.hinted = cls
        check_run(cls)
        check_no_generator(cls)

    @overload
    @classmethod
    def proxy(
        cls: type[Runs[P, Coroutine[Any, Any, R]]], **options: Unpack[ActivityProxyOptions]
    ) -> TypedProxy[P, Task[R]]: ...
    @overload
    @classmethod
    def proxy(cls: type[Runs[P, R]], **options: Unpack[ActivityProxyOptions]) -> TypedProxy[P, Task[R]]: ...
    @classmethod
    def proxy(cls: Any, **options: Any) -> Any:
        """A proxy that calls this activity, typed by the signature of ``run``.

        Args:
            options: As for :class:`~genflow.ActivityProxy`, without name and version.
        """
        return activity_proxy(cls, **options)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f'{type(self).__name__} defines no run()')

    @property
    def token(self) -> str:
        """The task token, with which any program can answer the task (see ``async_scheduler``)."""
        return self._running().token

    @property
    def info(self) -> ActivityInfo:
        return self._running().info

    @property
    def idempotency_key(self) -> str:
        """A key that all attempts of one call share, and no other call has: run id and number of the call.

        A call that ``genflow repair`` schedules again keeps the key from the failed run.
        """
        info = self.info
        return f'{info.first_run_id}:{info.activity_id.partition(".")[0]}'

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose records have the ids: ``workflow_id``, ``run_id``, ``activity_id`` and ``attempt``."""
        return TaskLogger(self._context)

    def heartbeat(self, details: str | None = None, *, check: bool = False) -> bool:
        """Records a heartbeat, so that SWF knows that the activity is running.

        Args:
            details: Text of at most 2,048 characters. The next attempt reads it as ``info.last_heartbeat``.
            check: Raise at once instead of returning a false value first.

        Returns:
            Whether to continue. The first call after the task was lost or its cancellation was requested returns false.

        Raises:
            StopActivity: The task was lost or its cancellation was requested, and an earlier call has returned false
                (or ``check`` is true).
            TypeError: ``details`` is no text.
            PayloadTooLarge: ``details`` has more than 2,048 characters.
        """
        text = heartbeat_text(details)
        if self._context is None:
            return True
        alive = self._context.heartbeat(text)
        if not alive and (check or self._stopping):
            raise StopActivity('stopped at a heartbeat')
        self._stopping = not alive
        return alive

    def _running(self) -> ActivityContext:
        if self._context is None:
            raise RuntimeError(f'{type(self).__name__} is not run by a worker: it has no task')
        return self._context


class TaskLogger(logging.LoggerAdapter):  # type: ignore[type-arg]
    """Adds the ids of an activity task to log records."""

    def __init__(self, context: ActivityContext | None) -> None:
        info = None if context is None else context.info
        super().__init__(logging.getLogger('genflow.activity' if info is None else f'genflow.activity.{info.name}'), {})
        names = ('workflow_id', 'run_id', 'activity_id', 'attempt')
        self._ids = {name: getattr(info, name, None) for name in names}

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, {**kwargs, 'extra': {**self._ids, **(kwargs.get('extra') or {})}}


_current: ContextVar[Activity | None] = ContextVar('activity', default=None)


def current_activity() -> Activity:
    """The activity that runs in this context: gives a function ``heartbeat()``, ``info`` and ``idempotency_key``.

    If the function is called directly, as in a test, there is no task: heartbeats do nothing, and ``info``, ``token``
    and ``idempotency_key`` raise ``RuntimeError``.
    """
    return _current.get() or Activity()


class made_current:  # noqa: N801 - used like a function, as contextlib's are
    """A context manager in which :func:`current_activity` returns an activity."""

    __slots__ = ('_activity', '_before')

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def __enter__(self) -> None:
        self._before: Token[Activity | None] = _current.set(self._activity)

    def __exit__(self, *exception: object) -> None:
        _current.reset(self._before)
