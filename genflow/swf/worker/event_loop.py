"""The one event loop of a worker, on a thread of its own: where ``async def`` activities run.

asyncio, which brings ssl with it, takes some 20 ms to import: most runs have no coroutines and do without. A worker
that has an ``async def`` activity imports it when it is made (:func:`load`), and not on a thread while activities run:
a fork during an import leaves a child that waits for it for ever.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field

if TYPE_CHECKING:
    import asyncio

__all__ = ['EventLoop', 'finished', 'load', 'running_loop']

T = TypeVar('T')

Work = Callable[['asyncio.AbstractEventLoop'], Coroutine[Any, Any, None]]
"""Makes a coroutine for a loop."""

SHUTDOWN_GRACE = 0.5
"""Seconds for which closing the loop waits for cancelled coroutines."""


def load() -> None:
    """Imports what coroutines need."""
    import_module('asyncio')


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs on this thread, if one does."""
    if 'asyncio' not in sys.modules:
        return None
    import asyncio  # noqa: PLC0415 - see above

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


@define(eq=False)
class EventLoop:
    """Runs coroutines beside the threads of a worker, no more than ``limit`` of them at a time.

    Attributes:
        limit: The most coroutines at a time; with 0 there is no loop.
    """

    limit: int
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)
    _running: set[asyncio.Task[None]] = field(factory=set, init=False, repr=False)
    _count: int = field(default=0, init=False)
    _changed: threading.Condition = field(factory=threading.Condition, init=False, repr=False)

    def submit(self, work: Work, context: Context) -> None:
        """Begins a coroutine, which is given the loop, in a copy of a context."""
        with self._changed:
            self._count += 1
            loop = self._begun()
        loop.call_soon_threadsafe(self._begin, loop, work, context=context)

    def wait_for_place(self, is_over: Callable[[], bool], every: float) -> None:
        """Waits until another coroutine may begin.

        Args:
            is_over: Whether waiting has become pointless.
            every: Seconds between two calls of ``is_over``.
        """
        with self._changed:
            while 0 < self.limit <= self._count and not is_over():
                self._changed.wait(every)

    def _begun(self) -> asyncio.AbstractEventLoop:
        import asyncio  # noqa: PLC0415 - see above

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._run, args=(self._loop,), name='genflow-event-loop', daemon=True
            )
            self._thread.start()
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop's thread: when the loop is stopped, it cancels running coroutines, and waits a moment for them."""
        import asyncio  # noqa: PLC0415 - see above

        try:
            loop.run_forever()
            if self._running:
                for task in self._running:
                    task.cancel()
                loop.run_until_complete(asyncio.wait(set(self._running), timeout=SHUTDOWN_GRACE))
        finally:
            loop.close()

    def _begin(self, loop: asyncio.AbstractEventLoop, work: Work) -> None:
        task = loop.create_task(work(loop))
        self._running.add(task)  # the loop itself keeps weak references only
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the loop's thread; cancels running coroutines and waits for them for a limited time."""
        with self._changed:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(2 * SHUTDOWN_GRACE)


def finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, on an event loop of its own; also where this thread runs one already."""
    import asyncio  # noqa: PLC0415 - see above

    if running_loop() is None:
        return asyncio.run(work)
    found: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - the one who waits gets it
            failures.append(error)

    thread = threading.Thread(target=run, name='genflow-event-loop')
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return found[0]
