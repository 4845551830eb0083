"""Back-pressure: what SWF refused for a rate or a quota is sent again after a timer of the engine.

One timer per execution, whatever was refused: 1 s, doubling to 60 s while refusals go on. Nothing is sent again in
the decision that its own refusal caused, since that would only be refused again.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from genflow.core.calls.call import Call
from genflow.core.engine.outbox import EngineTimer
from genflow.core.engine.state import State
from genflow.core.model import events
from genflow.core.model.refusals import NOT_PERMITTED, is_backpressure, refused_engine
from genflow.core.model.wire_names import BACKOFF_TIMER_PREFIX

__all__ = ['Backoff', 'BackoffTimer']

MAX_WAIT = 60


class BackoffTimer(EngineTimer):
    """An entry of the outbox, and afterwards what its timer refers to."""

    __slots__ = ('_backoff',)

    def __init__(self, backoff: Backoff, name: str, seconds: int) -> None:
        super().__init__(name, seconds)
        self._backoff = backoff

    def recorded(self, event: Any) -> None:
        if isinstance(event, events.TimerStarted):
            self._backoff.state.refs[event.id] = self

    def apply(self, event: Any) -> None:
        self._backoff.state.refs.pop(event.ref, None)
        self._backoff.over()

    def withdraw(self) -> None:
        super().withdraw()
        self._backoff.open = False


@define(eq=False)
class Backoff:
    """The back-off of one execution.

    Attributes:
        open: Its timer is asked for or running.
        level: How often it has doubled.
    """

    state: State
    open: bool = field(default=False, init=False)
    level: int = field(default=0, init=False)
    _count: int = field(default=0, init=False)

    def begin_decision(self, found: list[Any]) -> None:
        """A decision that hears of no back-pressure ends the doubling."""
        if not self.open and not any(is_backpressure(getattr(event, 'cause', None) or '') for event in found):
            self.level = 0

    def throttle(self, call: Call) -> None:
        """Keeps a refused call for later."""
        self.state.outbox.throttle(call)
        self.start()

    def start(self) -> None:
        """Asks for the timer, unless there is one."""
        if self.open:
            return
        self.open = True
        self._count += 1
        seconds = min(MAX_WAIT, 2**self.level)
        self.level += 1
        self.state.outbox.add(BackoffTimer(self, f'{BACKOFF_TIMER_PREFIX}{self._count}', seconds))

    def refused(self, event: Any) -> None:
        """SWF refused the timer itself: it is asked for again, there being nothing else to wait by."""
        if event.cause == NOT_PERMITTED:
            raise refused_engine(event)
        self.open = False
        self.start()

    def over(self) -> None:
        self.open = False
        self.state.outbox.unthrottle()
        self.state.close_waits = False
