"""For programs that start executions and talk to them: :class:`Client` and the handles that it gives.

Nothing here needs a worker to run. A query is answered by replaying the history in this process; waiting for a result
is looking at the last event of the history from time to time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from genflow.core import errors
from genflow.core.authoring.checks import check_fit
from genflow.core.authoring.workflow import Workflow
from genflow.core.engine.execution import Execution as Engine
from genflow.core.model.registry import WorkflowSpec, declared
from genflow.core.payloads.hooks import MAX_PAYLOAD, Serialization, decode
from genflow.core.payloads.wire_text import shortened, units
from genflow.core.payloads.writing import written
from genflow.core.tasks.signals import signal_name
from genflow.steady_time import monotonic
from genflow.swf.aws import faults
from genflow.swf.aws.client import Backoff, RetryingClient
from genflow.swf.aws.connections import Connection, connect
from genflow.swf.aws.pagination import pages
from genflow.swf.client.starter import RETRY_FOR, Starter
from genflow.swf.wire.close_events import ENDINGS, result_of
from genflow.swf.wire.events import decided, translate

__all__ = ['Client', 'Execution']

POLL_INTERVALS = Backoff(first=0.05, longest=5.0)
"""Pauses between two looks at whether an execution has closed, in seconds."""

NEAR_GLANCES = Backoff(first=0.02, longest=0.15)
"""The same where the service is on this machine, and a look costs next to nothing."""

NEAR = ('local:', 'http://127.0.0.1', 'http://localhost', 'http://[::1]')
"""How the addresses of services on this machine begin."""

FIRST_LOOK = 0.5
"""Seconds that the first look is given in any case, so that ``result(0)`` can find what is there."""

CLOSE_TO_THE_END = 0.02
"""Seconds before the end of a time-out at which another try is not worth while."""

MAX_TERMINATE_REASON = 256


class Client:
    """One domain, for programs that start and follow executions.

    Args:
        domain: The SWF domain.
        layer1: What the application has for talking to SWF; see :mod:`genflow.swf.aws.connections`.
        config: A botocore ``Config`` for a client that is made here.
        service: Instead of ``layer1``.
    """

    def __init__(
        self, domain: str, layer1: Any = None, *, config: Any = None, service: RetryingClient | None = None
    ) -> None:
        self.domain = domain
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
        seconds = self._glances.pause(looks, 0.5)
        if self._closed.wait(seconds if longest is None else max(0.0, min(seconds, longest))):
            raise RuntimeError('the client was closed while somebody waited for a result')

    def refuse_when_closed(self, error: BaseException) -> None:
        """Raises what says that the client was closed, from the failure that this caused.

        Raises:
            RuntimeError: It was.
        """
        if self._closed.is_set():
            raise RuntimeError('the client was closed while somebody waited for a result') from error

    def __enter__(self) -> Client:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def starter(
        self, workflow: type[Workflow] | str, *, version: Any = None, transport: Any = None, **options: Any
    ) -> Callable[..., Execution]:
        """What starts executions of a workflow when it is called with ``run``'s arguments.

        Args:
            workflow: A decorated class; where it stands for several types, the one decorated last. Or the name of a
                type whose class is elsewhere.
            version: Of the type, where ``workflow`` is a name.
            transport: An object with the serialization methods; the class's own unless given.
            **options: ``workflow_id``, ``tags``, and what :class:`~genflow.swf.client.starter.Starter` takes besides.

        Raises:
            DefinitionError: The class is not decorated, or an option is wrong. When it is called: the arguments do not
                fit ``run``.
        """
        cls = None if isinstance(workflow, str) else workflow
        if cls is not None:
            spec = _spec(cls)
            workflow, version, transport = spec.name, spec.version, transport or _Hooks(cls())
        starter = Starter(self.service, self.domain, str(workflow), version, transport=transport, **options)

        def start(*args: Any, **kwargs: Any) -> Execution:
            if cls is not None:
                check_fit(cls, args, kwargs)
            started = starter(*args, **kwargs)
            return Execution(self, started.workflow_id, started.run_id, cls)

        return start

    def execution(
        self, workflow_id: str, run_id: str | None = None, *, workflow: type[Workflow] | None = None
    ) -> Execution:
        """A handle of an execution.

        Args:
            workflow_id: Its id.
            run_id: Which run; the open one, or else the latest, unless given.
            workflow: Its class, for results that are no JSON and for queries.
        """
        return Execution(self, workflow_id, run_id, workflow)


class Execution:
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

    def result(self, timeout: float | None = None) -> Any:
        """Waits for the execution to close, through all its restarts; its result.

        Args:
            timeout: Seconds to wait, ``None`` for ever.

        Raises:
            TimeoutError: It is still open, or the service does not answer.
            RuntimeError: The client was closed meanwhile.
            ChildFailed: It failed; with reason, details and traceback. ``ChildTimedOut``, ``ChildCanceled`` and
                ``ChildTerminated`` likewise.
        """
        give_up = None if timeout is None else monotonic() + timeout
        execution, looks = self._in_time(give_up, self._ids), 0
        while True:
            glance = partial(self._page, execution, reverseOrder=True, maximumPageSize=1)
            last = self._in_time(give_up, glance)['events'][0]
            if last['eventType'] == 'WorkflowExecutionContinuedAsNew':
                said = last['workflowExecutionContinuedAsNewEventAttributes']
                execution, looks = {**execution, 'runId': said['newExecutionRunId']}, 0
            elif last['eventType'] in ENDINGS:
                return result_of(last, self._workflow() if self._workflow is not None else Serialization())
            else:
                looks += 1
                if give_up is not None and monotonic() >= give_up:
                    raise TimeoutError(f'{self!r} is still open')
                self._client.wait(looks, None if give_up is None else give_up - monotonic())

    def _in_time(self, give_up: float | None, read: Callable[..., Any]) -> Any:
        """What ``read`` finds, tried through an outage until time is up.

        Raises:
            TimeoutError: Time is up and the service does not answer; from the last failure.
        """
        if give_up is None:
            return read()
        failures = 0
        while True:
            try:
                return read(patience=max(0.0 if failures else FIRST_LOOK, give_up - monotonic()))
            except Exception as error:
                self._client.refuse_when_closed(error)
                if not (isinstance(error, TimeoutError) or faults.is_transient(error)):
                    raise
                if monotonic() >= give_up - CLOSE_TO_THE_END:
                    cause = error.__cause__ if isinstance(error, TimeoutError) else error
                    raise TimeoutError(f'{self!r}: the service does not answer: {error}') from cause or error
                failures += 1
                self._client.wait(failures, give_up - monotonic())

    def signal(self, signal: Any, value: Any = None) -> None:
        """Sends a signal.

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
        try:
            self._call('signal_workflow_execution', signalName=name, input=text)
        except Exception as error:
            if faults.is_doubtful(error) or isinstance(error, TimeoutError):
                raise errors.SignalFailed(
                    'the connection broke: the signal may have been delivered or not', str(error)
                ) from error
            raise

    def cancel(self) -> None:
        """Requests the cancellation: ``WorkflowCanceled`` is thrown into the workflow."""
        self._call('request_cancel_workflow_execution')

    def terminate(self, reason: str | None = None) -> None:
        """Closes the execution at once; no code of the workflow runs.

        Args:
            reason: Cut to the 256 characters that SWF takes.
        """
        said = {} if reason is None else {'reason': shortened(reason, MAX_TERMINATE_REASON)}
        self._call('terminate_workflow_execution', **said)

    def query(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        """Asks a ``@query`` method, answered from the history up to the last completed decision, in this process.

        Args:
            name: The method (``Order.where``), or its name.
            args: What the method is called with.
            kwargs: Likewise.

        Raises:
            DefinitionError: The workflow's class is unknown.
            AttributeError: It has no such query.
            NotDecidedYet: The run has not made its first decision yet; ask again later.
            NondeterminismError: This process has other code than the worker that decided.
        """
        if self._workflow is None:
            raise errors.DefinitionError(f'say which class {self!r} is of: client.execution(..., workflow=Order)')
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
            return engine.query(getattr(name, '__name__', name), *args, **kwargs)
        finally:
            engine.close()

    def status(self) -> str:
        """Whether it is ``OPEN``, or how it closed, in SWF's words: ``COMPLETED``, ``FAILED`` and so on."""
        info = self._described()['executionInfo']
        status: str = info.get('closeStatus') or info['executionStatus']
        return status

    def context(self) -> Any:
        """What the workflow said last with ``set_status``; ``None`` if nothing."""
        text = self._described().get('latestExecutionContext')
        return None if not text else decode(text)

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
        which = {'startTimeFilter': {'oldestDate': 0}, 'executionFilter': {'workflowId': self.workflow_id}}
        for kind in ('open', 'closed'):
            found = self._read(f'list_{kind}_workflow_executions', patience=patience, maximumPageSize=1, **which)
            for info in found['executionInfos']:
                ids: dict[str, str] = info['execution']
                return ids
        raise LookupError(f'there is no execution {self.workflow_id!r} in domain {self._client.domain!r}')

    def _described(self) -> dict[str, Any]:
        return self._read('describe_workflow_execution', execution=self._ids())

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
