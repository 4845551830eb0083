"""Stopping a worker by the signals that ask a process to end.

Theory of operation. A handler runs on the main thread, between any two instructions of it. So it tells the worker to
drain first, which takes no lock that another thread can hold for long, and touches nothing that may block: whoever
wants to show something does that in ``on_signal``, which is called afterwards and may fail. A signal that comes while
the handler of another runs waits until that one is done: in the middle of it a lock may be held, which this thread
would wait for in vain.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from typing import Any

from attrs import define, field

__all__ = ['SIGNALS', 'SignalStop']

SIGNALS = ('SIGTERM', 'SIGINT', 'SIGHUP')
"""The signals that stop a worker, those of them that the platform has."""


@define(eq=False)
class SignalStop:
    """The handlers of one worker, from `install` to `remove`.

    Attributes:
        drain: Called at the first signal.
        stop: Called at each one after it, whichever it is.
        on_signal: Called after either, with the signal's number and whether it was the first.
        received: The signals so far, by number.
    """

    drain: Callable[[], None]
    stop: Callable[[], None]
    on_signal: Callable[[int, bool], None] | None = None
    received: list[int] = field(factory=list, init=False)
    _handled: int = field(default=0, init=False)
    _is_handling: bool = field(default=False, init=False)
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

    def remove(self) -> None:
        """Give signals back the handlers that they had."""
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _handle(self, number: int, frame: object) -> None:
        self.received.append(number)
        while self._handled < len(self.received) and not self._is_handling:
            self._is_handling = True
            try:
                while self._handled < len(self.received):
                    self._handle_next()
            finally:
                self._is_handling = False

    def _handle_next(self) -> None:
        is_first = self._handled == 0
        number = self.received[self._handled]
        self._handled += 1
        (self.drain if is_first else self.stop)()
        if self.on_signal is not None:
            with contextlib.suppress(Exception):  # what cannot be shown must not keep the worker from stopping
                self.on_signal(number, is_first)
