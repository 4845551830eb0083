"""A handle of one execution: its result, signals, updates, queries, state and history.

A query is answered by replaying the history in this process. To wait for a result, the handle polls the last event of
the history.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, overload
from uuid import uuid4

from genflow.core import errors
from genflow.core.authoring.middleware import ClientCall, Middleware, around_call
from genflow.core.authoring.updates import UpdateMethod
from genflow.core.authoring.workflow import Workflow
from genflow.core.durations import Duration, in_seconds
from genflow.core.engine.execution import Execution as Engine
from genflow.core.model.options import child_policy as checked_policy
from genflow.core.model.registry import WorkflowSpec, declared
from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.core.payloads.hooks import MAX_PAYLOAD, Serialization
from genflow.core.payloads.type_hints import report_once
from genflow.core.payloads.wire_text import shortened
from genflow.core.payloads.writing import INPUT_WAY_OUT, check_length, written, written_arguments
from genflow.core.tasks.signals import Signal, nearest_signal, signal_name, signals_of
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.pagination import pages
from genflow.swf.client.listing import STATUSES, newest_run
from genflow.swf.client.starter import RETRY_FOR
from genflow.swf.client.update_watch import Request, UpdateWatch
from genflow.swf.client.watches import ContextWatch, QueryWatch, ResultWatch, StatusWatch, Waiter, status_of
from genflow.swf.wire.events import dated, decided, translate

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    R = TypeVar('R', default=Any)  # `Execution` without a parameter says nothing of the result
else:
    from typing import TypeVar

    R = TypeVar('R')

U = TypeVar('U')
V = TypeVar('V')

__all__ = ['Execution', 'Owner', 'spec_of']

MAX_TERMINATE_REASON = 256

RunHistory = tuple[dict[str, str], list[Mapping[str, Any]]]
"""The workflow id and run id, and the events."""


class Owner(Waiter, Protocol):
    """The part of a client that a handle uses."""

    domain: str
    service: RetryingClient
    middleware: tuple[Middleware, ...]

    @property
    def is_near(self) -> bool:
        """Whether the service runs on this machine, so that polling it is cheap."""


class Execution(Generic[R]):
    """A handle of one execution.

    Without a run id it means the open run, or else the latest.

    Attributes:
        workflow_id: Its workflow id.
        run_id: Its run id, ``None`` where none was given.
    """

    def __init__(
        self, client: Owner, workflow_id: str, run_id: str | None = None, workflow: type[Workflow] | None = None
    ) -> None:
        self.workflow_id = workflow_id
        self.run_id = run_id
        self._client = client
        self._workflow = workflow

    def __repr__(self) -> str:
        return f'Execution({self.workflow_id!r}, {self.run_id!r})'

    def result(self, timeout: Duration | None = None) -> R:
        """Waits for the execution to close, through all its restarts, and returns its result.

        Args:
            timeout: Seconds or a ``timedelta`` to wait; ``None`` waits without a limit.

        Raises:
            TimeoutError: The execution is still open, or the service does not answer.
            RuntimeError: The client was closed while this call waited.
            ChildFailed: The execution failed; has reason, details and traceback. ``ChildTimedOut``, ``ChildCanceled``
                and ``ChildTerminated`` likewise.
        """
        return self.result_watch(timeout).run()

    def result_watch(self, timeout: Duration | None = None) -> ResultWatch[R]:
        """The watch behind :meth:`result`, for callers that wait in another way, such as an event loop."""
        hooks = self._workflow() if self._workflow is not None else Serialization()
        return ResultWatch(self._client, repr(self), in_seconds(timeout), self._ids, self._page, hooks)

    def wait(self, *states: str, timeout: Duration | None = None) -> str:
        """Waits until the execution is in one of the given states or has closed, and returns its state.

        Args:
            *states: As :meth:`status` spells them. Without any, the execution has to close.
            timeout: Seconds or a ``timedelta`` to wait, ``None`` for ever.

        Raises:
            TimeoutError: It is still open, or the service does not answer.
            DefinitionError: There is no such state.
        """
        return self.status_watch(*states, timeout=timeout).run()

    def status_watch(self, *states: str, timeout: Duration | None = None) -> StatusWatch:
        """The watch behind :meth:`wait`."""
        for state in states:
            if state not in STATUSES:
                raise errors.DefinitionError(f'{state!r} is not a state; states are {", ".join(STATUSES)}')
        return StatusWatch(self._client, repr(self), in_seconds(timeout), self._described, states)

    @overload
    def signal(self, signal: str, value: Any = None) -> None: ...
    @overload
    def signal(self, signal: Signal[V], value: V = ...) -> None: ...
    def signal(self, signal: Any, value: Any = None) -> None:
        """Sends a signal.

        If the workflow's class is known and declares no signal of that name, a warning is logged once. It is sent
        all the same, since the workflow may read it with ``self.signal(name)``.

        Args:
            signal: ``Order.approve``, or a name.
            value: Is sent as JSON.

        Raises:
            TypeError: JSON cannot represent the value, or ``signal`` is not a signal.
            PayloadTooLarge: The value has more than 32,768 characters as JSON.
            SignalFailed: It is unknown whether the signal was delivered. It is not sent again.
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
        """Requests the cancellation, which raises ``WorkflowCanceled`` in the workflow."""
        with self._surrounded('cancel'):
            self._call('request_cancel_workflow_execution')

    def terminate(
        self, reason: str | None = None, *, details: str | None = None, child_policy: str | None = None
    ) -> None:
        """Closes the execution at once; no code of the workflow runs.

        Args:
            reason: Cut to the 256 characters that SWF takes.
            details: Cut to the 32,768 characters that SWF takes.
            child_policy: What happens to its open children. Overrides the policy that the execution was started with:
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
        """Calls a ``@query`` method in this process, on the state after the last completed decision.

        Args:
            name: The method (``Order.where``), or its name.
            args: The positional arguments of the method.
            wait: Seconds or a ``timedelta`` to wait for the first decision of the run, if it has made none yet.
            kwargs: The keyword arguments of the method.

        Raises:
            TimeoutError: The service has not answered within ``wait``.
            DefinitionError: The workflow's class is unknown.
            AttributeError: It has no such query.
            NotDecidedYet: The run has not made its first decision yet; ask again later, or ``wait``.
            NondeterminismError: The code in this process differs from the code of the worker that made the decisions.
        """
        return self.query_watch(name, *args, wait=wait, **kwargs).run()

    def query_watch(self, name: Any, *args: Any, wait: Duration = 0, **kwargs: Any) -> QueryWatch:
        """The watch behind :meth:`query`."""
        workflow = self._workflow
        if workflow is None:
            raise errors.DefinitionError(f'give the workflow class of {self!r}: client.execution(..., workflow=Order)')
        ask = partial(self._query, spec_of(workflow), getattr(name, '__name__', name), args, kwargs)
        return QueryWatch(self._client, repr(self), in_seconds(wait), self._run_history, ask)

    def _run_history(self, patience: float = RETRY_FOR) -> RunHistory:
        ids = self._ids(patience)
        return ids, self._events(ids, patience)

    def _query(
        self, spec: WorkflowSpec, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], history: RunHistory
    ) -> Any:
        execution, events = history
        engine = Engine(
            spec,
            workflow_id=self.workflow_id,
            run_id=execution['runId'],
            domain=self._client.domain,
            seed=execution['runId'],
        )
        try:
            engine.advance(decided(translate(events)))
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
            *args: The positional arguments of the method.
            timeout: Seconds or a ``timedelta`` to wait; ``None`` waits without a limit. A time-out does not stop the
                update.
            update_id: Identifies the update: an update with an id that was used before is not sent again. Default:
                a new id.
            **kwargs: The keyword arguments of the method.

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
        """The watch behind :meth:`update`."""
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

    def _send_update(
        self, update: str, run: dict[str, str], name: str, text: str, *, patience: float = RETRY_FOR
    ) -> None:
        with self._surrounded('update', update):
            self._client.service.call(
                'signal_workflow_execution',
                patience=patience,
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
        """The state of the execution: ``OPEN``, or SWF's close status, such as ``COMPLETED`` or ``FAILED``."""
        return status_of(self._described()['executionInfo'])

    def context(self, wait: Duration = 0) -> Any:
        """The latest status of the workflow, which it sets with ``set_status``; ``None`` if there is none.

        So a workflow can publish a value, such as a payment id, that the program which started it waits for.

        Args:
            wait: Seconds or a ``timedelta`` to wait for a status, while the execution is open and has none yet.

        Raises:
            TimeoutError: The service has not answered within ``wait``.
        """
        return self.context_watch(wait).run()

    def context_watch(self, wait: Duration = 0) -> ContextWatch:
        """The watch behind :meth:`context`."""
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
        read = partial(self._read, patience=patience)
        ids = newest_run(read, 'open', self.workflow_id) or newest_run(read, 'closed', self.workflow_id)
        if ids is not None:
            return ids
        raise LookupError(f'there is no execution {self.workflow_id!r} in domain {self._client.domain!r}')

    def _described(self, patience: float = RETRY_FOR) -> dict[str, Any]:
        return self._read('describe_workflow_execution', patience=patience, execution=self._ids(patience))

    def _page(self, execution: dict[str, str], **request: Any) -> dict[str, Any]:
        return self._read('get_workflow_execution_history', execution=execution, **request)

    def _events(self, execution: dict[str, str], patience: float = RETRY_FOR) -> list[Mapping[str, Any]]:
        operation = 'get_workflow_execution_history'
        with self._client.service.reading_ahead(operation) as service:
            read = partial(service.call, operation, patience=patience, domain=self._client.domain, execution=execution)
            return [event for page in pages(read) for event in dated(page['events'])]


def _signal_input(name: str, value: Any) -> str:
    what = f'the value of signal {name!r}'
    return check_length(written(value, what), what, INPUT_WAY_OUT)


def spec_of(workflow: type[Workflow]) -> WorkflowSpec:
    """The workflow type of a decorated class; of several, the one that was decorated last.

    Raises:
        DefinitionError: The class is not decorated.
    """
    specs = [spec for spec in declared(workflow) if isinstance(spec, WorkflowSpec)]
    if not specs:
        raise errors.DefinitionError(f'{workflow!r} is not decorated with genflow.workflow')
    return specs[-1]
