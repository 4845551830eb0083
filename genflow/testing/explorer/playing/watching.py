"""The execution of the engine that a simulation uses: it collects warnings, and notes about sagas."""

from __future__ import annotations

from types import FrameType
from typing import Any

from genflow.core.engine.execution import Execution
from genflow.core.tasks.saga import Saga
from genflow.testing.explorer.playing.undoing import SagaLog

__all__ = ['WORK', 'WatchedExecution']

WORK = frozenset({'activity', 'child', 'lambda'})
"""The kinds of calls that do work outside of the workflow."""

SLOTS = [name for cls in Execution.__mro__ for name in vars(cls).get('__slots__', ()) if name != '__weakref__']
"""Where an execution has what makes it up."""


class WatchedExecution(Execution):
    """An execution whose warnings are collected instead of logged, and of whose sagas notes are taken."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warnings: list[str] = []
        self.log = SagaLog()

    def schedule(self, call: Any, frame: FrameType) -> None:
        if call.kind in WORK and not self.silent:
            self.log.note_work(call.proxy.name, self.current)
        super().schedule(call, frame)

    def saga_changed(self, saga: Saga, change: str, step: Any = None) -> None:
        if not self.silent:
            self.log.note(saga, change, step, self.count, self.current)

    def report(self, message: str) -> None:
        self.warnings.append(message)

    def discard(self) -> None:
        """Closes it and releases all that it refers to.

        What makes up an execution refers to it, so that it would be freed by the garbage collector alone: for runs by
        the thousand, that takes a tenth of their time.
        """
        self.close()
        vars(self).clear()
        for name in SLOTS:
            if hasattr(self, name):
                delattr(self, name)
