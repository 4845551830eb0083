"""The client for programs on asyncio: the calls of :class:`genflow.Client`, awaited.

Each call runs on a thread of a small pool, and waiting is done by the event loop between two looks, so that a thousand
awaited results need no more threads than one.

What the calls take, give and mean is said once, in :mod:`genflow.swf.client.handles` and
:mod:`genflow.swf.client.execution`: docstrings come from there, and type checkers see ``async_client.pyi``, which
``.ci/async_stub.py`` writes from them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial, wraps
from typing import Any, Generic, ParamSpec, TypeVar

from genflow.swf.client.execution import Execution
from genflow.swf.client.handles import Client, Start
from genflow.swf.client.watches import Watch

P = ParamSpec('P')
R = TypeVar('R')
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
        rung = asyncio.Event()
        bell = self.client.bell(partial(_call_soon, asyncio.get_running_loop(), rung.set))
        try:
            while not await self.call(watch.look):
                await self.call(bell.wait_for, watch.execution)
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(rung.wait(), self.client.pause(watch.looks, watch.left()))
                rung.clear()
        finally:
            bell.leave()
        return watch.answer


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    """Calls from any thread; does nothing if the loop is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function)


def _called(method: Callable[..., Any], made: Callable[..., Any] | None = None) -> Any:
    """A method that is called on a thread.

    Args:
        method: Of the handle that is awaited here.
        made: Makes the result of the threads and of what the method gives.
    """

    @wraps(method)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = await self._threads.call(method, self._handle, *args, **kwargs)
        return found if made is None else made(self._threads, found)

    return call


def _watched(method: Callable[..., Any], watch: Callable[..., Watch[Any]]) -> Any:
    """A method that waits: with its watch, on the event loop."""

    @wraps(method)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._threads.watch(watch(self._handle, *args, **kwargs))

    return call


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
        self._handle = execution

    def __repr__(self) -> str:
        return f'AsyncExecution({self.workflow_id!r}, {self.run_id!r})'

    result = _watched(Execution.result, Execution.result_watch)
    wait = _watched(Execution.wait, Execution.status_watch)
    query = _watched(Execution.query, Execution.query_watch)
    update = _watched(Execution.update, Execution.update_watch)
    context = _watched(Execution.context, Execution.context_watch)
    signal = _called(Execution.signal)
    cancel = _called(Execution.cancel)
    terminate = _called(Execution.terminate)
    status = _called(Execution.status)
    history = _called(Execution.history)


class AsyncStart(Generic[P, R]):
    """Starts executions of one workflow type: what :meth:`AsyncClient.starter` gives."""

    def __init__(self, threads: _Threads, start: Start[P, R]) -> None:
        self._threads = threads
        self._handle = start

    __call__ = _called(Start.__call__, AsyncExecution)
    signal_with_start = _called(Start.signal_with_start, AsyncExecution)


class AsyncClient:
    """One domain, for programs on asyncio; the arguments and calls are those of :class:`~genflow.Client`."""

    @wraps(Client.__init__)
    def __init__(self, domain: str, *args: Any, **kwargs: Any) -> None:
        self.domain = domain
        self._handle = Client(domain, *args, **kwargs)
        self._threads = _Threads(self._handle)

    async def close(self) -> None:
        """Closes the sockets of a connection that was made here; ``async with AsyncClient(...)`` does so too."""
        self._handle.close()
        self._threads.pool.shutdown(wait=False, cancel_futures=True)

    async def __aenter__(self) -> AsyncClient:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @wraps(Client.starter)
    def starter(self, *args: Any, **kwargs: Any) -> Any:
        return AsyncStart(self._threads, self._handle.starter(*args, **kwargs))

    @wraps(Client.execution)
    def execution(self, *args: Any, **kwargs: Any) -> Any:
        return AsyncExecution(self._threads, self._handle.execution(*args, **kwargs))

    @wraps(Client.executions)
    async def executions(self, **filters: Any) -> AsyncIterator[Any]:
        found = self._handle.executions(**filters)
        while (execution := await self._threads.call(next, found, _END)) is not _END:
            yield AsyncExecution(self._threads, execution)

    register = _called(Client.register)
