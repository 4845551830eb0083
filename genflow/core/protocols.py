"""What the folders below ask of those above them: the loop that drives tasks, the engine, and what a call is for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from datetime import datetime
from random import Random
from types import FrameType, GeneratorType
from typing import Any, Protocol, TypeVar

__all__ = ['Callee', 'Engine', 'Loop', 'current_loop']

T = TypeVar('T')


class Loop(Protocol):
    """What tasks and branches ask of the loop that drives them; :class:`genflow.core.tasks.loop.Loop` documents it."""

    queue: deque[Any]
    open_blockers: int
    unretrieved: list[Any]
    branches: dict[GeneratorType[Any, Any, Any], Any]
    live: dict[Any, None]
    cancellations: Any
    conditions: Any
    restless: bool
    has_run: bool
    current: Any
    silent: bool
    in_side_effect: bool
    reads: Callable[[], str] | None
    restarting: bool
    owner: Any
    passing: tuple[type[BaseException], ...]
    unused: Any
    replaying: bool

    @property
    def info(self) -> Any: ...
    def branch(self, generator: GeneratorType[Any, Any, Any]) -> Any: ...
    def as_task(self, value: Any) -> Any: ...
    def silence(self) -> AbstractContextManager[None]: ...
    def read_only(self, what: Callable[[], str], function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T: ...
    def report(self, message: str) -> None: ...
    def saga_changed(self, saga: Any, change: str, step: Any = None) -> None: ...
    def schedule(self, call: Any, frame: FrameType) -> None: ...
    def mailbox(self, name: str) -> Any: ...
    def reveal_signals(self) -> None: ...
    def describes(self, what: str) -> None: ...
    def check_thread(self, what: str) -> None: ...


class Engine(Loop, Protocol):
    """What calls ask of the execution that they belong to; :class:`genflow.core.engine.execution.Execution`."""

    outbox: Any
    refs: dict[int, Any]
    ignored: Any
    deferred: dict[int, Any]
    stopping: set[Any]
    time: datetime

    def refuse(self, call: Any, event: Any) -> None: ...
    def tries_again(self, call: Any, error: BaseException, *, uncounted: bool) -> bool: ...
    def jitter(self, call: Any) -> Random: ...
    def open_arguments(self, call: Any) -> list[Any]: ...


class Callee(Protocol):
    """What a call asks of the proxy that it was made by."""

    name: str
    version: Any

    def _serialize_arguments(self, *args: Any, **kwargs: Any) -> str: ...
    def _deserialize_result(self, text: str) -> Any: ...


current_loop: ContextVar[Loop | None] = ContextVar('genflow.driving', default=None)
"""The loop that runs in this context; combinators of nothing but generators ask for it."""
