"""Signals that come in: ordered queues, filled from the first event on.

A ``get()`` takes a value only while somebody waits for it, so one that lost a race, timed out or was cancelled takes
nothing. Inputs stay text until they are read, and travel as text to the next run where a workflow restarts.

*Theory of operation.* All signals of a decision's input are announced before its first event is applied. From then on
code that looks sees them, although their own events come later: what the history recorded before a decision began is
visible to that decision. There is one exception. While a ``get()`` waits for a signal, the announced ones stay hidden
until their own events are applied, so that the waiting ``get()`` takes the next one at its place in the order of
events and nobody takes it first. As soon as nobody waits any more, the hidden ones are revealed to whoever looks next.
"""

from __future__ import annotations

import sys
from collections import deque
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol

from genflow.core.errors import SignalFailed
from genflow.core.payloads.hooks import decode, excerpt
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task
from genflow.core.tasks.unused import UsageTracked

if TYPE_CHECKING:
    from genflow.core.model.events import Signaled
    from genflow.core.tasks.loop import Loop

__all__ = ['BoundSignal', 'Mailbox', 'Signal', 'SignalGet', 'nearest_signal', 'signal_name', 'signals_of']


MAX_NAME = 256


class Taker(Protocol):
    """What lines up for the next signal.

    Attributes:
        registered: Whether it stands in the queue.
    """

    registered: bool

    def is_wanted(self) -> bool:
        """Whether somebody waits for it right now."""

    def offer(self) -> bool:
        """Takes what came, if somebody waits for it; gives whether it keeps its place in the queue."""


class Mailbox:
    """The unread inputs of one signal, and who waits for one.

    Attributes:
        items: The inputs that can be taken now.
        queue: Gets, and groups of them that share a place, in the order in which they lined up.
        read: How many inputs have been taken.
    """

    __slots__ = ('_announced', '_prune_at', 'items', 'queue', 'read')

    def __init__(self) -> None:
        self.items: deque[str | None] = deque()
        self._announced: deque[Signaled] = deque()
        self.queue: deque[Taker] = deque()
        self.read = 0
        self._prune_at = 64

    def push(self, input: str | None) -> None:
        """A signal came: the first get that somebody waits for takes it."""
        self.items.append(input)
        queue = self.queue
        while self.items and queue:
            if not queue[0].offer():
                queue.popleft().registered = False

    def announce(self, event: Signaled) -> None:
        """A signal of the decision that begins: it can be taken from now on, unless a get waits for the next one."""
        self._announced.append(event)

    def arrive(self, event: Signaled) -> None:
        """The event of an announced signal is applied: one that is still hidden comes now."""
        if self._announced and self._announced[0] is event:
            self._announced.popleft()
            self.push(event.input)

    def reveal(self) -> None:
        """Makes the announced signals available, unless somebody waits for the next one."""
        if self._announced and not self.is_awaited():
            self.items.extend([event.input for event in self._announced])
            self._announced.clear()

    def is_awaited(self) -> bool:
        """Whether somebody waits for the next signal."""
        return any(taker.is_wanted() for taker in self.queue)

    def copy(self) -> Mailbox:
        """A mailbox with the same unread inputs, for whoever may look and take nothing."""
        other = Mailbox()
        other.items.extend(self.items)
        return other

    def register(self, taker: Taker) -> None:
        """Puts a taker at the end of the queue."""
        if len(self.queue) >= self._prune_at:  # lost races leave gets behind
            kept = deque(other for other in self.queue if other.is_wanted())
            for other in self.queue:
                other.registered = False
            for other in kept:
                other.registered = True
            self.queue = kept
            self._prune_at = max(64, 2 * len(kept))
        taker.registered = True
        self.queue.append(taker)


class SignalGet(UsageTracked):
    """The next value of a signal."""

    __slots__ = ('mailbox', 'name', 'raw', 'registered', 'used')

    kind = 'signal'
    pending_gets = 1

    def __init__(self, loop: Loop | None, mailbox: Mailbox | None, name: str, *, raw: bool) -> None:
        super().__init__(loop)
        self.mailbox = mailbox
        self.name = name
        self.raw = raw
        self.registered = False
        self.used = False

    def mark_used(self) -> None:
        self.used = True

    def request(self) -> None:
        if self.state != OPEN or self.mailbox is None:
            return
        if self.mailbox.items:
            self.take()
        elif not self.registered:
            self.mailbox.register(self)

    def is_wanted(self) -> bool:
        return self.state == OPEN and self.wanted()

    def offer(self) -> bool:
        if self.is_wanted():
            self.take()
        return False

    def take(self) -> None:
        """Takes the first unread input."""
        if self.mailbox is None:
            return
        text = self.mailbox.items.popleft()
        self.mailbox.read += 1
        if self.raw:
            self.settle(VALUE, text)
            return
        try:
            value = None if text is None or text == '' else decode(text)
        except ValueError as error:
            reason = f'the input of signal {self.name!r} is no JSON: {excerpt(text or "")}; read it with get(raw=True)'
            self.settle(ERROR, SignalFailed(reason, str(error), task=self))
        else:
            self.settle(VALUE, value)

    def asked(self) -> tuple[Any, ...]:
        return (self.name, self.raw)

    @property
    def label(self) -> str:
        return f'signal {self.name!r}'


class BoundSignal:
    """A signal as a workflow sees it: ``self.approve``."""

    __slots__ = ('_driver', '_mailbox', 'name')

    def __init__(self, loop: Loop, mailbox: Mailbox | None, name: str) -> None:
        self._driver = loop
        self._mailbox = mailbox
        self.name = name

    def get(self, *, raw: bool = False) -> Task[Any]:
        """The next value, in order of arrival.

        Args:
            raw: Give the text of the input instead of the value that its JSON says.
        """
        if self._driver.in_side_effect:
            self._driver.describes(f'signal {self.name!r}')
        get = SignalGet(self._driver.owner, self._mailbox, self.name, raw=raw)
        if not self._driver.silent:
            self._driver.unused.note_task(get, sys._getframe(1))
        return get

    def drain(self, *, raw: bool = False) -> list[Any]:
        """Everything that is unread now, in order; may be called without ``yield``.

        Raises:
            SignalFailed: An input is no JSON; those before it are taken.
        """
        values: list[Any] = []
        mailbox = self._mailbox
        if self._driver.in_side_effect:
            self._driver.describes(f'signal {self.name!r}')
        if mailbox is not None:
            mailbox.reveal()
        if mailbox is not None and self._driver.silent:
            mailbox = mailbox.copy()  # a query looks, and code that only runs because it is closed reads nothing
        while mailbox is not None and mailbox.items:
            get = SignalGet(None, mailbox, self.name, raw=raw)
            get.take()
            if get.state == ERROR:
                raise get.outcome
            values.append(get.outcome)
        return values

    def __repr__(self) -> str:
        return f'<signal {self.name!r}>'

    def __len__(self) -> int:
        if self._mailbox is None:
            return 0
        self._mailbox.reveal()
        return len(self._mailbox.items)

    def __bool__(self) -> bool:
        return len(self) > 0


class Signal:
    """A signal that a workflow takes: ``approve = Signal()``; named after its attribute unless told otherwise."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name or ''
        self.attribute = ''

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        if not self.name:
            self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.bound(instance.loop)

    def bound(self, loop: Loop) -> BoundSignal:
        return BoundSignal(loop, loop.mailbox(self.name), self.name)

    def __repr__(self) -> str:
        return f'Signal({self.name!r})'


def signals_of(cls: type) -> tuple[str, ...]:
    """The names of the signals that a workflow class declares."""
    found = (getattr(cls, name, None) for name in dir(cls))
    return tuple(dict.fromkeys(signal.name for signal in found if isinstance(signal, Signal)))


def nearest_signal(cls: type, name: str) -> str:
    """What a class declares instead of a signal, for a message."""
    known = signals_of(cls)
    close = get_close_matches(name, known, 1)
    hint = f'; did you mean {close[0]!r}?' if close else ''
    return f'it has {", ".join(known) or "none"}{hint}'


def signal_name(signal: Any) -> str:
    """The name of a signal given as a ``Signal``, a bound one, or text."""
    name = signal if isinstance(signal, str) else getattr(signal, 'name', None)
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise TypeError(f'{signal!r} is no signal; give Order.approve or a name of at most 256 characters')
    return name
