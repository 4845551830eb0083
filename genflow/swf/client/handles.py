"""The client for programs that start executions and communicate with them. It needs no running worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, overload

from genflow.core import errors
from genflow.core.authoring.checks import check_arguments
from genflow.core.authoring.middleware import Middlewares, stack_of
from genflow.core.authoring.proxies import type_version
from genflow.core.authoring.typed_proxies import Runs
from genflow.core.authoring.workflow import Workflow
from genflow.core.model.registry import declared
from genflow.core.tasks.signals import Signal
from genflow.swf.aws import faults
from genflow.swf.aws.client import Backoff, RetryingClient
from genflow.swf.aws.connections import Connection, connect
from genflow.swf.aws.pagination import pages
from genflow.swf.aws.registration import register
from genflow.swf.client.close_bell import CloseBell
from genflow.swf.client.execution import Execution, spec_of
from genflow.swf.client.listing import ExecutionFilter, newest_run
from genflow.swf.client.starter import RETRY_FOR, Starter

if TYPE_CHECKING:
    from typing_extensions import TypeVar, Unpack

    from genflow.core.authoring.option_types import StartOptions

    R = TypeVar('R', default=Any)  # `Execution` without a parameter says nothing of the result
else:
    from typing import TypeVar

    R = TypeVar('R')

P = ParamSpec('P')
V = TypeVar('V')

__all__ = ['Client', 'IfOpen', 'Start']

IfOpen = Literal['raise', 'join']

POLL_INTERVALS = Backoff(first=0.05, longest=5.0)
"""Seconds between two polls of an execution: the first and the longest pause."""

NEAR_INTERVALS = Backoff(first=0.02, longest=0.15)
"""The same for a service on this machine, where a poll is cheap."""

NEAR = ('local:', 'http://127.0.0.1', 'http://localhost', 'http://[::1]')
"""How the addresses of services on this machine begin."""

ALREADY_STARTED = 'WorkflowExecutionAlreadyStartedFault'

JOIN_ATTEMPTS = 5
"""How often a look-up is repeated if the execution opens or closes meanwhile."""


class Client:
    """One domain, for programs that start and follow executions.

    Args:
        domain: The SWF domain.
        layer1: The application's SWF client, session, URL or service; see :mod:`genflow.swf.aws.connections`.
        config: A botocore ``Config``, if genflow creates the client.
        service: A client with retries, instead of ``layer1``.
        middleware: A :class:`genflow.Middleware`, or several, the outermost first.
    """

    def __init__(
        self,
        domain: str,
        layer1: Any = None,
        *,
        config: Any = None,
        service: RetryingClient | None = None,
        middleware: Middlewares = (),
    ) -> None:
        self.domain = domain
        self.middleware = stack_of(middleware)
        self._closed = threading.Event()
        self._rung: set[threading.Event] = set()
        self.service = service if service is not None else self._own_service(connect(layer1, config=config))
        backend = self.service.connection.backend
        self._intervals = NEAR_INTERVALS if backend.startswith(NEAR) else POLL_INTERVALS

    def _own_service(self, connection: Connection) -> RetryingClient:
        """A client whose calls end when this client is closed; calls of an in-process service return by themselves."""
        is_over = None if connection.backend.startswith('local:') else self._closed.is_set
        return RetryingClient(connection, pause=self._closed.wait, is_over=is_over)

    def close(self) -> None:
        """Ends the calls that wait for a result, and closes the connections that this client has opened.

        ``with Client(...) as client:`` does so too.
        """
        self._closed.set()
        for rung in list(self._rung):
            rung.set()
        self.service.connection.close()

    def wait(self, looks: int, longest: float | None, rung: threading.Event | None = None) -> None:
        """Waits until it is time to poll an execution again.

        Args:
            looks: How often it was polled without success.
            longest: Seconds that are left; ``None`` for no limit.
            rung: Once this is set, it is time.

        Raises:
            RuntimeError: The client was closed.
        """
        seconds = self.pause(looks, longest)
        if rung is None:
            self._closed.wait(seconds)
        else:
            self._rung.add(rung)
            try:
                if not self._closed.is_set():
                    rung.wait(seconds)
            finally:
                self._rung.discard(rung)
        if self._closed.is_set():
            raise RuntimeError('the client was closed during this call')

    def pause(self, looks: int, longest: float | None) -> float:
        """The seconds to wait before the next look; the arguments are those of :meth:`wait`."""
        seconds = self._intervals.pause(looks, 0.5)
        return seconds if longest is None else max(0.0, min(seconds, longest))

    def bell(self, ring: Callable[[], None]) -> CloseBell:
        """Makes a bell that rings when a run closes, where the service can tell.

        Args:
            ring: Called from any thread; must neither block nor call the service.
        """
        return CloseBell(self.service.connection.client, self.domain, ring)

    @property
    def is_near(self) -> bool:
        """Whether the service runs on this machine, so that polling it is cheap."""
        return self._intervals is NEAR_INTERVALS

    def refuse_when_closed(self, error: BaseException) -> None:
        """Raises an error that says that the client was closed, with the failure that this caused as its cause.

        Raises:
            RuntimeError: It was.
        """
        if self._closed.is_set():
            raise RuntimeError('the client was closed during this call') from error

    def __enter__(self) -> Client:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @overload
    def starter(
        self,
        workflow: type[Runs[P, Generator[Any, Any, R]]],
        *,
        if_open: IfOpen = 'raise',
        **options: Unpack[StartOptions],
    ) -> Start[P, R]: ...
    @overload
    def starter(
        self, workflow: type[Runs[P, R]], *, if_open: IfOpen = 'raise', **options: Unpack[StartOptions]
    ) -> Start[P, R]: ...
    @overload
    def starter(
        self, workflow: str, *, version: Any = None, if_open: IfOpen = 'raise', **options: Unpack[StartOptions]
    ) -> Start[..., Any]: ...
    def starter(
        self,
        workflow: Any,
        *,
        version: Any = None,
        transport: Any = None,
        if_open: IfOpen = 'raise',
        **options: Any,
    ) -> Start[..., Any]:
        """Returns a callable that starts executions of a workflow; call it with the arguments of ``run``.

        Args:
            workflow: A decorated class (of several types, the one decorated last), or the name of a type whose class is
                not available here.
            version: Of the type, where ``workflow`` is a name.
            transport: An object with the serialization methods; the class's own unless given.
            if_open: What to do if an execution with that ``workflow_id`` is open: ``raise`` :class:`AlreadyStarted`, or
                ``join`` it, which returns its handle whatever its arguments are.
            **options: ``workflow_id``, ``tags``, and what :class:`~genflow.swf.client.starter.Starter` takes besides.

        Raises:
            DefinitionError: The class is not decorated, or an option is wrong. When it is called: the arguments do not
                fit ``run``.
            AlreadyStarted: When it is called, as ``if_open`` says.
        """
        if if_open not in ('raise', 'join'):
            raise errors.DefinitionError(f"if_open is {if_open!r}; it must be 'raise' or 'join'")
        cls = None if isinstance(workflow, str) else workflow
        if cls is not None:
            spec = spec_of(cls)
            workflow, version, transport = spec.name, spec.version, transport or _Hooks(cls())
        options['middleware'] = self.middleware
        starter = Starter(self.service, self.domain, str(workflow), version, transport=transport, **options)
        return Start(self, starter, cls, if_open)

    @overload
    def execution(self, workflow_id: str, run_id: str | None = None) -> Execution[Any]: ...
    @overload
    def execution(
        self, workflow_id: str, run_id: str | None = None, *, workflow: type[Runs[..., Generator[Any, Any, R]]]
    ) -> Execution[R]: ...
    @overload
    def execution(
        self, workflow_id: str, run_id: str | None = None, *, workflow: type[Runs[..., R]]
    ) -> Execution[R]: ...
    @overload
    def execution(self, workflow_id: str, run_id: str | None = None, *, workflow: None) -> Execution[Any]: ...
    def execution(self, workflow_id: str, run_id: str | None = None, *, workflow: Any = None) -> Execution[Any]:
        """Returns a handle of an execution.

        Args:
            workflow_id: Its id.
            run_id: The run. Default: the open run, or else the latest.
            workflow: Its class, which queries need, and results that are not JSON.
        """
        return Execution(self, workflow_id, run_id, workflow)

    def executions(
        self,
        *,
        workflow: type[Any] | str | None = None,
        version: Any = None,
        open: bool | None = None,
        tag: str | None = None,
        since: datetime | timedelta | None = None,
        status: str | None = None,
    ) -> Iterator[Execution[Any]]:
        """Iterates over the executions that pass every filter: open ones first, and then the latest first.

        Args:
            workflow: A decorated class, or the name of a type.
            version: Of the type, where ``workflow`` is a name; every version unless given.
            open: Only those that are open, or with ``False`` only those that are closed.
            tag: One of their tags.
            since: Started at this time or later; a ``timedelta`` counts back from now.
            status: ``OPEN``, or how they closed, in the words of :meth:`Execution.status`.

        Raises:
            DefinitionError: A filter is wrong.
        """
        cls = None if workflow is None or isinstance(workflow, str) else workflow
        name = workflow if isinstance(workflow, str) else None
        if cls is not None:
            name, version = spec_of(cls).name, spec_of(cls).version
        begun = datetime.now(timezone.utc) - since if isinstance(since, timedelta) else since
        text = None if version is None else type_version(version)
        filters = ExecutionFilter(name=name, version=text, open=open, tag=tag, since=begun, status=status)
        return self._listed(filters, cls)

    def _listed(self, filters: ExecutionFilter, cls: Any) -> Iterator[Execution[Any]]:
        seen: set[str] = set()  # an execution that closes between the two lists is in both
        for operation, request in filters.requests():
            read = partial(self.service.call, operation, patience=RETRY_FOR)
            for page in pages(read, domain=self.domain, **request):
                for info in page['executionInfos']:
                    ids = info['execution']
                    if filters.takes(info) and ids['runId'] not in seen:
                        seen.add(ids['runId'])
                        yield Execution(self, ids['workflowId'], ids['runId'], cls)

    def register(self, *classes: type) -> None:
        """Registers the types of decorated classes with SWF, as a worker does when it starts.

        Call it in a program that starts executions before any worker has run. A type that is already registered is
        not changed.

        Raises:
            DefinitionError: A class is not decorated.
            RegistrationError: A type cannot be registered, or the domain does not exist.
        """
        specs = [spec for cls in classes for spec in declared(cls)]
        for cls in classes:
            if not any(declared(cls)):
                raise errors.DefinitionError(
                    f'{cls!r} is decorated neither with genflow.workflow nor with genflow.activity'
                )
        register(self.service, self.domain, specs)


def _already_started(workflow_id: str, refusal: Exception) -> errors.AlreadyStarted:
    """Genflow's error for a refused start, which is also the client's own, class name and ``response`` included.

    An application that catches ``client.exceptions.WorkflowExecutionAlreadyStartedFault`` catches this one, too.
    """
    kind = type(refusal)
    members = {'__module__': kind.__module__, '__str__': Exception.__str__}
    both: type[errors.AlreadyStarted] = type(kind.__name__, (errors.AlreadyStarted, kind), members)
    error = both.__new__(both, *errors.AlreadyStarted(workflow_id).args)  # the client's __init__ wants a response
    vars(error).update({name: value for name, value in vars(refusal).items() if name != '__notes__'})
    error.workflow_id = workflow_id
    return error


class Start(Generic[P, R]):
    """Starts executions of one workflow type: what :meth:`Client.starter` gives.

    Args:
        client: Where to.
        starter: Makes the request.
        cls: The workflow's class, ``None`` where it is elsewhere.
        if_open: ``raise`` or ``join``.
    """

    def __init__(self, client: Client, starter: Starter, cls: Any, if_open: IfOpen) -> None:
        self._client = client
        self._starter = starter
        self._cls = cls
        self._if_open = if_open

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Execution[R]:
        """Starts an execution with these arguments.

        Raises:
            AlreadyStarted: An execution of that workflow id is open, and ``if_open`` is ``raise``.
            DefinitionError: The arguments do not fit ``run``.
            Exception: As for :class:`~genflow.swf.client.starter.Starter`.
        """
        if self._cls is not None:
            check_arguments(self._cls, args, kwargs)
        for _ in range(JOIN_ATTEMPTS):
            try:
                started = self._starter(*args, **kwargs)
                return Execution(self._client, started.workflow_id, started.run_id, self._cls)
            except Exception as error:
                if faults.code_of(error) != ALREADY_STARTED:
                    raise
                joined = self._open_one() if self._if_open == 'join' else None
                if joined is not None:
                    return joined
                refusal = error
                if self._if_open != 'join':
                    break
        raise _already_started(self._workflow_id(), refusal) from refusal

    @overload
    def signal_with_start(self, signal: str, value: Any, /, *args: P.args, **kwargs: P.kwargs) -> Execution[R]: ...
    @overload
    def signal_with_start(self, signal: Signal[V], value: V, /, *args: P.args, **kwargs: P.kwargs) -> Execution[R]: ...
    @overload
    def signal_with_start(self, signal: str | Signal[Any], /) -> Execution[R]: ...
    def signal_with_start(self, signal: Any, value: Any = None, /, *args: Any, **kwargs: Any) -> Execution[R]:
        """Signals the open execution of the ``workflow_id``. If none is open, starts one and signals it.

        SWF has no single call for both, so an execution that this call starts may make a decision before the signal
        arrives.

        Args:
            signal: ``Order.approve``, or a name.
            value: Travels as JSON.
            *args: The arguments of ``run``, if an execution is started.
            **kwargs: Likewise.

        Raises:
            DefinitionError: The starter has no ``workflow_id``, or the arguments do not fit ``run``.
            SignalFailed: It is unknown whether the signal was delivered. It is not sent again.
            Exception: As for :meth:`Execution.signal`, and for starting.
        """
        named = Execution(self._client, self._workflow_id(), None, self._cls)
        if self._cls is not None:
            check_arguments(self._cls, args, kwargs)
        for _ in range(JOIN_ATTEMPTS):
            try:
                named.signal(signal, value)
            except Exception as error:
                if faults.code_of(error) != 'UnknownResourceFault':
                    raise
                refusal = error
            else:
                return self._open_one() or named
            try:
                self._starter(*args, **kwargs)
            except Exception as error:
                if faults.code_of(error) != ALREADY_STARTED:  # another start was quicker: signal that execution
                    raise
        raise refusal

    def _workflow_id(self) -> str:
        workflow_id = self._starter.workflow_id
        if workflow_id is None:
            raise errors.DefinitionError(
                'signal_with_start() needs a workflow id: client.starter(..., workflow_id=...)'
            )
        return workflow_id

    def _open_one(self) -> Execution[R] | None:
        """The open execution of the workflow id; ``None`` where it has closed meanwhile."""
        read = partial(self._client.service.call, patience=RETRY_FOR, domain=self._client.domain)
        ids = newest_run(read, 'open', self._workflow_id())
        return None if ids is None else Execution(self._client, ids['workflowId'], ids['runId'], self._cls)


class _Hooks:
    """A workflow's own serialization as the transport of its starter."""

    def __init__(self, workflow: Workflow) -> None:
        self.serialize_arguments = workflow._serialize_arguments
