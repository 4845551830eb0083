"""``os.fork`` beside threads: SQLite is at rest when it happens, and the child inherits neither a right nor a lock.

Theory of operation. SQLite must not be carried across a fork: a child that used or closed its parent's connections
would damage the file, and a lock inside SQLite that another thread holds at that moment stays locked in the child for
ever. So whoever has something of this kind is registered here. Before the fork each is *paused*: it waits until none of
its calls is inside SQLite. Afterwards each is *resumed* in the parent and *orphaned* in the child, where it closes its
descriptors, leaves everything else alone and refuses every call from then on.

Modules that lock something at a fork too are imported here first. Python calls who was registered last first, so
their locks are taken once everything here rests: a thread that is waited for may log something.
"""

from __future__ import annotations

import codecs
import concurrent.futures.thread  # noqa: F401 - locks at a fork; see above
import contextlib
import logging  # noqa: F401 - as above
import os
import sys
import threading
import weakref
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ['acquire_all', 'immortalize', 'importing', 'opening', 'register']

LOCK_TIMEOUT = 10.0
"""Seconds for which a fork waits for calls that are under way; then it happens all the same."""


for _encoding in ('ascii', 'latin-1'):
    codecs.lookup(_encoding)  # imports a module the first time; see `importing`


class Forkable(Protocol):
    """Something that a fork concerns."""

    def pause(self) -> None:
        """Before the fork: wait until nothing is under way, and let nothing begin."""

    def resume(self) -> None:
        """In the parent, after the fork: go on."""

    def orphan(self) -> None:
        """In the child: give up what belongs to the parent."""


class _Process:
    """What this process has open."""

    def __init__(self) -> None:
        self.paused: list[Forkable] = []
        self.holds_opening = False
        self.begin()

    def begin(self) -> None:
        """Nothing is open; what a parent has is not this process's."""
        self.opening = threading.RLock()
        self.known: weakref.WeakSet[Any] = weakref.WeakSet()


_PROCESS = _Process()
_IMMORTAL: list[object] = []


def opening() -> AbstractContextManager[Any]:
    """While something is opened: no fork happens.

    It is the lock itself: no exception of a signal handler comes in between, as it could in a generator.
    """
    return _PROCESS.opening


def importing(module: str) -> AbstractContextManager[None]:
    """While a module may be imported for the first time: no fork happens, for the child would wait for it for ever.

    Nothing is locked once it is there, nor in the main thread, where an exception of a signal handler could come in
    between and leave the lock taken.
    """
    is_safe = module in sys.modules or threading.current_thread() is threading.main_thread()
    return contextlib.nullcontext() if is_safe else opening()


def register(thing: Forkable) -> None:
    """From now on ``thing`` is paused before a fork, as long as it exists."""
    with opening():
        _PROCESS.known.add(thing)


def immortalize(things: Iterable[object]) -> None:
    """Keep objects from ever being finalized, even at the end of the process: to close them is the parent's right."""
    things = list(things)
    _IMMORTAL.extend(things)
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: PLC0415 - only a forked child needs it

        for thing in things:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def acquire_all(locks: Iterable[threading.Lock]) -> list[threading.Lock]:
    """Take the locks in order; those that were taken, where one is not given up for :data:`LOCK_TIMEOUT` seconds."""
    taken = []
    for lock in locks:
        if not lock.acquire(timeout=LOCK_TIMEOUT):
            break
        taken.append(lock)
    return taken


def _before() -> None:
    _PROCESS.holds_opening = _PROCESS.opening.acquire(timeout=LOCK_TIMEOUT)
    _PROCESS.paused = list(_PROCESS.known)
    for thing in _PROCESS.paused:
        thing.pause()


def _in_parent() -> None:
    for thing in _PROCESS.paused:
        thing.resume()
    _PROCESS.paused = []
    if _PROCESS.holds_opening:
        _PROCESS.opening.release()


def _in_child() -> None:
    paused, _PROCESS.paused = _PROCESS.paused, []
    _PROCESS.begin()
    for thing in paused:
        thing.orphan()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
