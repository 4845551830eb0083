"""For programs that start executions and talk to them: :class:`Client` and the handles that it gives.

Nothing here needs a worker to run. A query is answered by replaying the history in this process; waiting for a result
is looking at the last event of the history from time to time.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, overload
from uuid import uuid4

from genflow.core import errors
from genflow.core.authoring.checks import check_fit
from genflow.core.authoring.middleware import ClientCall, Middlewares, around_call, stack_of
from genflow.core.authoring.proxies import type_version
from genflow.core.authoring.typed_proxies import Runs
from genflow.core.authoring.updates import UpdateMethod
from genflow.core.authoring.workflow import Workflow
from genflow.core.durations import Duration, in_seconds
from genflow.core.engine.execution import Execution as Engine
from genflow.core.model.options import child_policy as checked_policy
from genflow.core.model.registry import WorkflowSpec, declared
from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.core.payloads.hooks import MAX_PAYLOAD, Serialization
from genflow.core.payloads.type_hints import report_once
from genflow.core.payloads.wire_text import shortened, units
from genflow.core.payloads.writing import written, written_arguments
from genflow.core.tasks.signals import Signal, nearest_signal, signal_name, signals_of
from genflow.swf.aws import faults
from genflow.swf.aws.client import Backoff, RetryingClient
from genflow.swf.aws.connections import Connection, connect
from genflow.swf.aws.pagination import pages
from genflow.swf.aws.registration import register
from genflow.swf.client.listing import STATUSES, ExecutionFilter
from genflow.swf.client.starter import RETRY_FOR, Starter
from genflow.swf.client.update_watch import Request, UpdateWatch
from genflow.swf.client.watches import ContextWatch, QueryWatch, ResultWatch, StatusWatch, shown_status
from genflow.swf.wire.events import decided, translate

if TYPE_CHECKING:
    from typing_extensions import TypeVar, Unpack

    from genflow.core.authoring.option_types import StartOptions

    R = TypeVar('R', default=Any)  # `Execution` without a parameter says nothing of the result
else:
    from typing import TypeVar

    R = TypeVar('R')

P = ParamSpec('P')
U = TypeVar('U')
V = TypeVar('V')

__all__ = ['Client', 'Execution', 'Start']

IfOpen = Literal['raise', 'join']

POLL_INTERVALS = Backoff(first=0.05, longest=5.0)
"""Pauses between two looks at whether an execution has closed, in seconds."""

NEAR_GLANCES = Backoff(first=0.02, longest=0.15)
"""The same where the service is on this machine, and a look costs next to nothing."""

NEAR = ('local:', 'http://127.0.0.1', 'http://localhost', 'http://[::1]')
"""How the addresses of services on this machine begin."""

MAX_TERMINATE_REASON = 256

ALREADY_STARTED = 'WorkflowExecutionAlreadyStartedFault'

JOIN_ATTEMPTS = 5
"""How often an execution that opens or closes meanwhile is looked for again."""


class Client:
    """One domain, for programs that start and follow executions.

    Args:
        domain: The SWF domain.
        layer1: What the application has for talking to SWF; see :mod:`genflow.swf.aws.connections`.
        config: A botocore ``Config`` for a client that is made here.
        service: Instead of ``layer1``.
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
        self.service = service if service is not None else self._own_service(connect(layer1, config=config))
        backend = self.service.connection.backend
        self._glances = NEAR_GLANCES if backend.startswith(NEAR) else POLL_INTERVALS

    def _own_service(self, connection: Connection) -> RetryingClient:
        """Calls that end when the client is closed; what is in this process always comes back by itself."""
        is_over = None if connection.backend.startswith('local:') else self._closed.is_set
        return RetryingClient(connection, pause=self._closed.wait, is_over=is_over)

    def close(self) -> None:
        """Wakes whoever waits for a result, and closes the sockets of a connection that was made here.

        ``with Client(...) as client:`` does so too.
        """
        self._closed.set()
        self.service.connection.close()

    def wait(self, looks: int, longest: float | None) -> None:
        """Waits before the next look at an execution.

        Args:
            looks: How often it was looked at in vain.
            longest: Seconds that are left, ``None`` for no limit.

        Raises:
            RuntimeError: The client was closed.
        """
        if self._closed.wait(self.pause(looks, longest)):
            raise RuntimeError('the client was closed during a wait for a result')

    def pause(self, looks: int, longest: float | None) -> float:
        """The seconds to wait before the next look; the arguments are those of :meth:`wait`."""
        seconds = self._glances.pause(looks, 0.5)
        return seconds if longest is None else max(0.0, min(seconds, longest))

    @property
    def is_near(self) -> bool:
        """Whether the service is on this machine, and a look costs next to nothing."""
        return self._glances is NEAR_GLANCES

    def refuse_when_closed(self, error: BaseException) -> None:
        """Raises what says that the client was closed, from the failure that this caused.

        Raises:
            RuntimeError: It was.
        """
        if self._closed.is_set():
            raise RuntimeError('the client was closed during a wait for a result') from error

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
        """What starts executions of a workflow when it is called with ``run``'s arguments.

        Args:
            workflow: A decorated class; where it stands for several types, the one decorated last. Or the name of a
                type whose class is elsewhere.
            version: Of the type, where ``workflow`` is a name.
            transport: An object with the serialization methods; the class's own unless given.
            if_open: What to do where an execution of that ``workflow_id`` is open: ``raise`` :class:`AlreadyStarted`,
                or ``join`` it and return its handle, whatever it was started with.
            **options: ``workflow_id``, ``tags``, and what :class:`~genflow.swf.client.starter.Starter` takes besides.

        Raises:
            DefinitionError: The class is not decorated, or an option is wrong. When it is called: the arguments do not
                fit ``run``.
            AlreadyStarted: When it is called, as ``if_open`` says.
        """
        if if_open not in ('raise', 'join'):
            raise errors.DefinitionError(f"if_open is {if_open!r}; it is 'raise' or 'join'")
        cls = None if isinstance(workflow, str) else workflow
        if cls is not None:
            spec = _spec(cls)
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
        """A handle of an execution.

        Args:
            workflow_id: Its id.
            run_id: Which run; the open one, or else the latest, unless given.
            workflow: Its class, for results that are no JSON and for queries.
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
        """The executions of the domain that pass every filter, page by page: the open ones first, the latest first.

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
            name, version = _spec(cls).name, _spec(cls).version
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

        A program that starts executions before any worker has run needs it; a type that is registered already is left
        as it is.

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
            check_fit(self._cls, args, kwargs)
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
        """Signals the open execution of the ``workflow_id``; where none is open, starts one and signals it.

        SWF has no single call for both: an execution that is started here may decide once before the signal comes.

        Args:
            signal: ``Order.approve``, or a name.
            value: Travels as JSON.
            *args: What ``run`` is called with where an execution is started.
            **kwargs: Likewise.

        Raises:
            DefinitionError: The starter has no ``workflow_id``, or the arguments do not fit ``run``.
            SignalFailed: Nobody knows whether the signal was delivered; it is not sent again.
            Exception: As for :meth:`Execution.signal`, and for starting.
        """
        named = Execution(self._client, self._workflow_id(), None, self._cls)
        if self._cls is not None:
            check_fit(self._cls, args, kwargs)
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
                if faults.code_of(error) != ALREADY_STARTED:  # somebody else was quicker: signal that one
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
        which = {'startTimeFilter': {'oldestDate': 0}, 'executionFilter': {'workflowId': self._workflow_id()}}
        answer = self._client.service.call(
            'list_open_workflow_executions', patience=RETRY_FOR, domain=self._client.domain, maximumPageSize=1, **which
        )
        for info in answer['executionInfos']:
            ids = info['execution']
            return Execution(self._client, ids['workflowId'], ids['runId'], self._cls)
        return None


class Execution(Generic[R]):
    """A handle of one execution.

    Without a run id it means the open run, or else the latest.

    Attributes:
        workflow_id: Its workflow id.
        run_id: Its run id, ``None`` where none was given.
    """

    def __init__(
        self, client: Client, workflow_id: str, run_id: str | None = None, workflow: type[Workflow] | None = None
    ) -> None:
        self.workflow_id = workflow_id
        self.run_id = run_id
        self._client = client
        self._workflow = workflow

    def __repr__(self) -> str:
        return f'Execution({self.workflow_id!r}, {self.run_id!r})'

    def result(self, timeout: Duration | None = None) -> R:
        """Waits for the execution to close, through all its restarts; its result.

        Args:
            timeout: Seconds or a ``timedelta`` to wait, ``None`` for ever.

        Raises:
            TimeoutError: It is still open, or the service does not answer.
            RuntimeError: The client was closed meanwhile.
            ChildFailed: It failed; with reason, details and traceback. ``ChildTimedOut``, ``ChildCanceled`` and
                ``ChildTerminated`` likewise.
        """
        return self.result_watch(timeout).run()

    def result_watch(self, timeout: Duration | None = None) -> ResultWatch[R]:
        """What :meth:`result` waits with, for whoever waits in another way."""
        hooks = self._workflow() if self._workflow is not None else Serialization()
        return ResultWatch(self._client, repr(self), in_seconds(timeout), self._ids, self._page, hooks)

    def wait(self, *states: str, timeout: Duration | None = None) -> str:
        """Waits until the execution is in one of some states, or has closed in whichever way; its state.

        Args:
            *states: In the words of :meth:`status`; without any the execution has to close.
            timeout: Seconds or a ``timedelta`` to wait, ``None`` for ever.

        Raises:
            TimeoutError: It is still open, or the service does not answer.
            DefinitionError: There is no such state.
        """
        return self.status_watch(*states, timeout=timeout).run()

    def status_watch(self, *states: str, timeout: Duration | None = None) -> StatusWatch:
        """What :meth:`wait` waits with."""
        for state in states:
            if state not in STATUSES:
                raise errors.DefinitionError(f'{state!r} is not a state; states are {", ".join(STATUSES)}')
        return StatusWatch(self._client, repr(self), in_seconds(timeout), self._status, states)

    @overload
    def signal(self, signal: str, value: Any = None) -> None: ...
    @overload
    def signal(self, signal: Signal[V], value: V = ...) -> None: ...
    def signal(self, signal: Any, value: Any = None) -> None:
        """Sends a signal.

        Where the workflow's class is known and declares no signal of that name, the log says so once: an execution
        may still read it with ``self.signal(name)``.

        Args:
            signal: ``Order.approve``, or a name.
            value: Travels as JSON.

        Raises:
            TypeError: JSON cannot hold the value, or there is no such signal.
            PayloadTooLarge: The value has more than 32,768 characters as JSON.
            SignalFailed: Nobody knows whether it was delivered; it is not sent again.
            Exception: The client's error; ``UnknownResourceFault`` where the execution is closed.
        """
        name = signal_name(signal)
        text = _signal_input(name, value)
        cls = self._workflow
        if cls is not None and name not in signals_of(cls):
            report_once(f'{cls.__qualname__} declares no signal {name!r}; {nearest_signal(cls, name)}')
        try:
            with self._surrounded('signal', name):
                self._call('signal_workflow_execution', signalName=name, input=text)
        except Exception as error:
            if faults.is_doubtful(error) or isinstance(error, TimeoutError):
                raise errors.SignalFailed(
                    'the connection broke: the signal may have been delivered or not', str(error)
                ) from error
            raise

    def cancel(self) -> None:
        """Requests the cancellation: ``WorkflowCanceled`` is thrown into the workflow."""
        with self._surrounded('cancel'):
            self._call('request_cancel_workflow_execution')

    def terminate(
        self, reason: str | None = None, *, details: str | None = None, child_policy: str | None = None
    ) -> None:
        """Closes the execution at once; no code of the workflow runs.

        Args:
            reason: Cut to the 256 characters that SWF takes.
            details: Cut to the 32,768 characters that SWF takes.
            child_policy: What becomes of its open children, instead of what the execution was started with:
                ``TERMINATE``, ``REQUEST_CANCEL`` or ``ABANDON``.

        Raises:
            DefinitionError: There is no such policy.
        """
        request = {
            'reason': None if reason is None else shortened(reason, MAX_TERMINATE_REASON),
            'details': None if details is None else shortened(details, MAX_PAYLOAD),
            'childPolicy': checked_policy(child_policy),
        }
        with self._surrounded('terminate'):
            self._call('terminate_workflow_execution', **{name: value for name, value in request.items() if value})

    def query(self, name: Any, *args: Any, wait: Duration = 0, **kwargs: Any) -> Any:
        """Asks a ``@query`` method, answered from the history up to the last completed decision, in this process.

        Args:
            name: The method (``Order.where``), or its name.
            args: What the method is called with.
            wait: Seconds or a ``timedelta`` to wait for the first decision of the run, where it has made none yet.
            kwargs: As ``args``.

        Raises:
            DefinitionError: The workflow's class is unknown.
            AttributeError: It has no such query.
            NotDecidedYet: The run has not made its first decision yet; ask again later, or ``wait``.
            NondeterminismError: This process has other code than the worker that decided.
        """
        return self.query_watch(name, *args, wait=wait, **kwargs).run()

    def query_watch(self, name: Any, *args: Any, wait: Duration = 0, **kwargs: Any) -> QueryWatch:
        """What :meth:`query` waits with."""
        asked = partial(self._query, getattr(name, '__name__', name), *args, **kwargs)
        return QueryWatch(self._client, repr(self), in_seconds(wait), asked)

    def _query(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        if self._workflow is None:
            raise errors.DefinitionError(f'give the workflow class of {self!r}: client.execution(..., workflow=Order)')
        execution = self._ids()
        engine = Engine(
            _spec(self._workflow),
            workflow_id=self.workflow_id,
            run_id=execution['runId'],
            domain=self._client.domain,
            seed=execution['runId'],
        )
        try:
            engine.advance(decided(translate(self._events(execution))))
            return engine.query(name, *args, **kwargs)
        finally:
            engine.close()

    @overload
    def update(
        self,
        update: UpdateMethod[..., Generator[Any, Any, U]],
        *args: Any,
        timeout: Duration | None = None,
        update_id: str | None = None,
        **kwargs: Any,
    ) -> U: ...
    @overload
    def update(
        self,
        update: UpdateMethod[..., U],
        *args: Any,
        timeout: Duration | None = None,
        update_id: str | None = None,
        **kwargs: Any,
    ) -> U: ...
    @overload
    def update(
        self, update: str, *args: Any, timeout: Duration | None = None, update_id: str | None = None, **kwargs: Any
    ) -> Any: ...
    def update(
        self,
        update: Any,
        *args: Any,
        timeout: Duration | None = None,
        update_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Calls an ``@update`` method of the workflow and waits for its result; a worker has to run.

        Args:
            update: The method (``Cluster.assign``), or its name.
            *args: What the method is called with.
            timeout: Seconds or a ``timedelta`` to wait, ``None`` for ever. The update goes on all the same.
            update_id: Names the update, so that one that was sent before is not sent again; a new name unless given.
            **kwargs: As ``args``.

        Raises:
            TypeError: The arguments do not fit the method, or cannot be written.
            UpdateRefused: Its validator refused it.
            UpdateFailed: The method failed; or the execution closed without a reply.
            TimeoutError: There is no reply yet, or the service does not answer.
            Exception: The client's error; ``UnknownResourceFault`` where the execution is closed.
        """
        return self.update_watch(update, *args, timeout=timeout, update_id=update_id, **kwargs).run()

    def update_watch(
        self,
        update: Any,
        *args: Any,
        timeout: Duration | None = None,
        update_id: str | None = None,
        **kwargs: Any,
    ) -> UpdateWatch:
        """What :meth:`update` waits with."""
        hooks = self._workflow() if self._workflow is not None else Serialization()
        name = getattr(update, '__name__', update)
        if callable(update):
            inspect.signature(update).bind(None, *args, **kwargs)
        request = {
            'id': update_id or str(uuid4()),
            'name': name,
            'input': written_arguments(f'the update {name!r}', hooks._serialize_arguments, args, kwargs),
        }
        text = _signal_input(UPDATE_SIGNAL, request)
        return UpdateWatch(
            self._client,
            repr(self),
            in_seconds(timeout),
            request=Request(request['id'], name, text, is_new=update_id is None),
            ids=self._ids,
            latest=self._latest,
            names_run=self.run_id is not None,
            page=self._page,
            send=partial(self._send_update, str(name)),
            hooks=hooks,
            near=self._client.is_near,
        )

    def _send_update(self, update: str, run: dict[str, str], name: str, text: str) -> None:
        with self._surrounded('update', update):
            self._client.service.call(
                'signal_workflow_execution',
                patience=RETRY_FOR,
                domain=self._client.domain,
                signalName=name,
                input=text,
                **run,
            )

    def _surrounded(
        self, operation: Literal['signal', 'update', 'cancel', 'terminate'], name: str | None = None
    ) -> AbstractContextManager[Any]:
        """The middleware around a call."""
        if not self._client.middleware:
            return nullcontext()

        def read_history() -> list[Mapping[str, Any]]:
            ids = self._ids()
            call.run_id = ids['runId']
            return self._events(ids)

        call = ClientCall(operation, self._client.domain, self.workflow_id, self.run_id, name)
        call.read_history = read_history
        return around_call(self._client.middleware, call)

    def status(self) -> str:
        """Whether it is ``OPEN``, or how it closed, in SWF's words: ``COMPLETED``, ``FAILED`` and so on."""
        return self._status()

    def _status(self, patience: float = RETRY_FOR) -> str:
        info = self._described(patience)['executionInfo']
        status: str = info.get('closeStatus') or info['executionStatus']
        return status

    def context(self, wait: Duration = 0) -> Any:
        """The latest status of the workflow, which it sets with ``set_status``; ``None`` if there is none.

        So a workflow can publish a value, such as a payment id, that the program which started it waits for.

        Args:
            wait: Seconds or a ``timedelta`` to wait for a status, while the execution is open and has none yet.
        """
        return self.context_watch(wait).run() if wait else shown_status(self._described())

    def context_watch(self, wait: Duration = 0) -> ContextWatch:
        """What :meth:`context` waits with."""
        return ContextWatch(self._client, repr(self), in_seconds(wait), self._described)

    def history(self) -> list[Mapping[str, Any]]:
        """Every event, oldest first, as boto3 gives them."""
        return self._events(self._ids())

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        run = {} if self.run_id is None else {'runId': self.run_id}
        domain = self._client.domain
        return self._client.service.call(
            operation, patience=RETRY_FOR, domain=domain, workflowId=self.workflow_id, **run, **request
        )

    def _read(self, operation: str, *, patience: float = RETRY_FOR, **request: Any) -> dict[str, Any]:
        return self._client.service.call(operation, patience=patience, domain=self._client.domain, **request)

    def _ids(self, patience: float = RETRY_FOR) -> dict[str, str]:
        """Workflow id and run id; the open run, or else the latest, where none was named."""
        if self.run_id is not None:
            return {'workflowId': self.workflow_id, 'runId': self.run_id}
        return self._latest(patience)

    def _latest(self, patience: float = RETRY_FOR) -> dict[str, str]:
        """Workflow id and run id of the open run, or else the latest."""
        which = {'startTimeFilter': {'oldestDate': 0}, 'executionFilter': {'workflowId': self.workflow_id}}
        for kind in ('open', 'closed'):
            found = self._read(f'list_{kind}_workflow_executions', patience=patience, maximumPageSize=1, **which)
            for info in found['executionInfos']:
                ids: dict[str, str] = info['execution']
                return ids
        raise LookupError(f'there is no execution {self.workflow_id!r} in domain {self._client.domain!r}')

    def _described(self, patience: float = RETRY_FOR) -> dict[str, Any]:
        return self._read('describe_workflow_execution', patience=patience, execution=self._ids(patience))

    def _page(self, execution: dict[str, str], **request: Any) -> dict[str, Any]:
        return self._read('get_workflow_execution_history', execution=execution, **request)

    def _events(self, execution: dict[str, str]) -> list[Mapping[str, Any]]:
        return [event for page in pages(self._page, execution=execution) for event in page['events']]


def _signal_input(name: str, value: Any) -> str:
    text = written(value, f'the value of signal {name!r}')
    if units(text) > MAX_PAYLOAD:
        raise errors.PayloadTooLarge(
            f'the value of signal {name!r} has {units(text):,} characters; SWF takes {MAX_PAYLOAD:,}'
        )
    return text


class _Hooks:
    """A workflow's own serialization as the transport of its starter."""

    def __init__(self, workflow: Workflow) -> None:
        self.serialize_arguments = workflow._serialize_arguments


def _spec(workflow: type[Workflow]) -> WorkflowSpec:
    specs = [spec for spec in declared(workflow) if isinstance(spec, WorkflowSpec)]
    if not specs:
        raise errors.DefinitionError(f'{workflow!r} is not decorated with genflow.workflow')
    return specs[-1]
