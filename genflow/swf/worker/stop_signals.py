"""Stops a worker at signals such as SIGTERM and SIGINT.

Theory of operation. A signal handler runs on the main thread, between any two instructions, so a lock that this thread
holds at that moment would deadlock the handler. So the handler only puts the signal into a reentrant queue. A thread
that `install` starts reads the queue and stops the worker; it may take locks and write messages like any thread.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from attrs import define, field

__all__ = ['SIGNALS', 'SignalStop']

log = logging.getLogger('genflow.worker')

SIGNALS = ('SIGTERM', 'SIGINT', 'SIGHUP')
"""The signals that stop a worker, those of them that the platform has."""

LAST_CALLBACK = 2.0
"""Seconds that `remove` waits until the last signal has been handled, with its message."""


@define(eq=False)
class SignalStop:
    """The handlers of one worker, from `install` to `remove`.

    A forked child inherits the handlers but not the worker: in it, a signal has the effect that it had before
    `install`.

    Attributes:
        drain: Called at the first signal.
        stop: Called at each later signal.
        on_signal: Called after either, with the signal's number and whether it was the first.
        received: The signals so far, by number.
    """

    drain: Callable[[], None]
    stop: Callable[[], None]
    on_signal: Callable[[int, bool], None] | None = None
    received: list[int] = field(factory=list, init=False)
    _noted: SimpleQueue[int | None] = field(factory=SimpleQueue, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)
    _process: int = field(factory=os.getpid, init=False)
    _before: dict[int, Any] = field(factory=dict, init=False)

    def install(self) -> None:
        """Have signals stop the worker.

        Raises:
            ValueError: This is not the main thread, the only one that may set handlers.
        """
        for name in SIGNALS:
            number = getattr(signal, name, None)
            # `nohup` has a process ignore SIGHUP, and means it.
            if number is not None and not (name == 'SIGHUP' and signal.getsignal(number) is signal.SIG_IGN):
                self._before[number] = signal.signal(number, self._handle)
        self._thread = threading.Thread(target=self._obey, name='genflow-signals', daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Give signals back the handlers that they had."""
        self._give_back()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._noted.put(None)
            thread.join(LAST_CALLBACK)

    def _give_back(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _handle(self, number: int, frame: object) -> None:
        if os.getpid() != self._process:
            self._give_back()
            signal.raise_signal(number)
            return
        self.received.append(number)
        self._noted.put(number)

    def _obey(self) -> None:
        """Handles the signals one after the other, on a thread of its own."""
        is_first = True
        while (number := self._noted.get()) is not None:
            self._safely(self.drain if is_first else self.stop)
            if self.on_signal is not None:
                self._safely(self.on_signal, number, is_first)
            is_first = False

    @staticmethod
    def _safely(action: Callable[..., None], *arguments: object) -> None:
        try:
            action(*arguments)
        except Exception:  # the next signal must still be handled
            log.exception('the handling of a stop signal failed')
