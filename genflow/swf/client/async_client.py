"""The client for programs on asyncio: the calls of :class:`genflow.Client`, awaited.

Each call runs on a thread of a small pool, and waiting is done by the event loop between two looks, so that a thousand
awaited results need no more threads than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, overload

from genflow.core.authoring.middleware import Middlewares
from genflow.core.authoring.typed_proxies import Runs
from genflow.core.durations import Duration
from genflow.swf.aws.client import RetryingClient
from genflow.swf.client.handles import Client, Execution, IfOpen, Start
from genflow.swf.client.watches import Watch

if TYPE_CHECKING:
    from typing_extensions import TypeVar, Unpack

    from genflow.core.authoring.option_types import StartOptions

    R = TypeVar('R', default=Any)
else:
    from typing import TypeVar

    R = TypeVar('R')

P = ParamSpec('P')
T = TypeVar('T')

__all__ = ['AsyncClient', 'AsyncExecution', 'AsyncStart']

THREADS = 8
"""Calls to SWF at a time."""

_END = object()


class _Threads:
    """Runs blocking calls of one client beside an event loop."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix='genflow-client')

    async def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        # In the caller's context, as middleware has to find, for one, which span is current.
        call = partial(copy_context().run, partial(function, *args, **kwargs))
        try:
            called = asyncio.get_running_loop().run_in_executor(self.pool, call)
        except RuntimeError as error:  # the pool is shut down
            self.client.refuse_when_closed(error)
            raise
        try:
            return await called
        except asyncio.CancelledError as error:
            is_cancelled = getattr(asyncio.current_task(), 'cancelling', int)  # since Python 3.11
            if not is_cancelled():  # the pool was shut down before the call began
                self.client.refuse_when_closed(error)
            raise

    async def watch(self, watch: Watch[T]) -> T:
        """Waits with a watch on the event loop."""
        while not await self.call(watch.look):  # noqa: ASYNC110 - what is looked at is a service
            await asyncio.sleep(self.client.pause(watch.looks, watch.left()))
        return watch.answer


class AsyncClient:
    """One domain, for programs on asyncio; the arguments and calls are those of :class:`~genflow.Client`.

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
        self._client = Client(domain, layer1, config=config, service=service, middleware=middleware)
        self._threads = _Threads(self._client)

    async def close(self) -> None:
        """Closes the sockets of a connection that was made here; ``async with AsyncClient(...)`` does so too."""
        self._client.close()
        self._threads.pool.shutdown(wait=False, cancel_futures=True)

    async def __aenter__(self) -> AsyncClient:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @overload
    def starter(
        self,
        workflow: type[Runs[P, Generator[Any, Any, R]]],
        *,
        if_open: IfOpen = 'raise',
        **options: Unpack[StartOptions],
    ) -> AsyncStart[P, R]: ...
    @overload
    def starter(
        self, workflow: type[Runs[P, R]], *, if_open: IfOpen = 'raise', **options: Unpack[StartOptions]
    ) -> AsyncStart[P, R]: ...
    @overload
    def starter(
        self, workflow: str, *, version: Any = None, if_open: IfOpen = 'raise', **options: Unpack[StartOptions]
    ) -> AsyncStart[..., Any]: ...
    def starter(self, workflow: Any, **options: Any) -> AsyncStart[..., Any]:
        """What starts executions when it is called and awaited; see :meth:`genflow.Client.starter`."""
        return AsyncStart(self._threads, self._client.starter(workflow, **options))

    @overload
    def execution(self, workflow_id: str, run_id: str | None = None) -> AsyncExecution[Any]: ...
    @overload
    def execution(
        self, workflow_id: str, run_id: str | None = None, *, workflow: type[Runs[..., Generator[Any, Any, R]]]
    ) -> AsyncExecution[R]: ...
    @overload
    def execution(
        self, workflow_id: str, run_id: str | None = None, *, workflow: type[Runs[..., R]]
    ) -> AsyncExecution[R]: ...
    def execution(self, workflow_id: str, run_id: str | None = None, *, workflow: Any = None) -> AsyncExecution[Any]:
        """A handle of an execution; see :meth:`genflow.Client.execution`."""
        return AsyncExecution(self._threads, Execution(self._client, workflow_id, run_id, workflow))

    async def executions(
        self,
        *,
        workflow: type[Any] | str | None = None,
        version: Any = None,
        open: bool | None = None,
        tag: str | None = None,
        since: datetime | timedelta | None = None,
        status: str | None = None,
    ) -> AsyncIterator[AsyncExecution[Any]]:
        """Executions of the domain; see :meth:`genflow.Client.executions`."""
        found = self._client.executions(
            workflow=workflow, version=version, open=open, tag=tag, since=since, status=status
        )
        while (execution := await self._threads.call(next, found, _END)) is not _END:
            yield AsyncExecution(self._threads, execution)

    async def register(self, *classes: type) -> None:
        """Registers the types of decorated classes; see :meth:`genflow.Client.register`."""
        await self._threads.call(self._client.register, *classes)


class AsyncStart(Generic[P, R]):
    """Starts executions of one workflow type: what :meth:`AsyncClient.starter` gives."""

    def __init__(self, threads: _Threads, start: Start[P, R]) -> None:
        self._threads = threads
        self._start = start

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> AsyncExecution[R]:
        """Starts an execution; see :class:`genflow.swf.client.handles.Start`."""
        return AsyncExecution(self._threads, await self._threads.call(self._start, *args, **kwargs))

    async def signal_with_start(
        self, signal: Any, value: Any = None, /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncExecution[R]:
        """Signals the open execution, or starts one; see :class:`genflow.swf.client.handles.Start`."""
        found = await self._threads.call(self._start.signal_with_start, signal, value, *args, **kwargs)
        return AsyncExecution(self._threads, found)


class AsyncExecution(Generic[R]):
    """A handle of one execution, whose calls are those of :class:`~genflow.Execution`, awaited.

    Attributes:
        workflow_id: Its workflow id.
        run_id: Its run id, ``None`` where none was given.
    """

    def __init__(self, threads: _Threads, execution: Execution[R]) -> None:
        self.workflow_id = execution.workflow_id
        self.run_id = execution.run_id
        self._threads = threads
        self._execution = execution

    def __repr__(self) -> str:
        return f'AsyncExecution({self.workflow_id!r}, {self.run_id!r})'

    async def result(self, timeout: Duration | None = None) -> R:
        """Waits for the execution to close, through all its restarts; its result."""
        return await self._threads.watch(self._execution.result_watch(timeout))

    async def wait(self, *states: str, timeout: Duration | None = None) -> str:
        """Waits until it is in one of some states, or has closed; its state."""
        return await self._threads.watch(self._execution.status_watch(*states, timeout=timeout))

    async def query(self, name: Any, *args: Any, wait: Duration = 0, **kwargs: Any) -> Any:
        """Asks a ``@query`` method. Replaying the history takes a thread, not the event loop."""
        return await self._threads.watch(self._execution.query_watch(name, *args, wait=wait, **kwargs))

    async def update(
        self,
        update: Any,
        *args: Any,
        timeout: Duration | None = None,
        update_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Calls an ``@update`` method of the workflow and waits for its result."""
        watch = self._execution.update_watch(update, *args, timeout=timeout, update_id=update_id, **kwargs)
        return await self._threads.watch(watch)

    async def signal(self, signal: Any, value: Any = None) -> None:
        """Sends a signal."""
        await self._threads.call(self._execution.signal, signal, value)

    async def cancel(self) -> None:
        """Requests the cancellation."""
        await self._threads.call(self._execution.cancel)

    async def terminate(
        self, reason: str | None = None, *, details: str | None = None, child_policy: str | None = None
    ) -> None:
        """Closes the execution at once."""
        await self._threads.call(self._execution.terminate, reason, details=details, child_policy=child_policy)

    async def status(self) -> str:
        """Whether it is ``OPEN``, or how it closed."""
        return await self._threads.call(self._execution.status)

    async def context(self, wait: Duration = 0) -> Any:
        """The latest status of the workflow; see :meth:`genflow.Execution.context`."""
        if not wait:
            return await self._threads.call(self._execution.context)
        return await self._threads.watch(self._execution.context_watch(wait))

    async def history(self) -> list[Mapping[str, Any]]:
        """Every event, oldest first."""
        return await self._threads.call(self._execution.history)
