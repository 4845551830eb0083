"""Signals that come in: ordered queues, filled from the first event on.

A ``get()`` takes a value only while somebody waits for it, so one that lost a race, timed out or was cancelled takes
nothing. Inputs stay text until they are read, and travel as text to the next run where a workflow restarts.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from .errors import SignalFailed
from .serialization import decode, excerpt
from .tasks import ERROR, OPEN, VALUE, Task

if TYPE_CHECKING:
    from .drivers import Driver

__all__ = ['BoundSignal', 'Mailbox', 'Signal', 'SignalGet']


MAX_NAME = 256


class Mailbox:
    """The unread inputs of one signal, and the gets that wait for one.

    Attributes:
        read: How many inputs have been taken.
    """

    __slots__ = ('_prune_at', 'gets', 'items', 'read')

    def __init__(self) -> None:
        self.items: deque[str | None] = deque()
        self.gets: deque[SignalGet] = deque()
        self.read = 0
        self._prune_at = 64

    def push(self, input: str | None) -> None:
        """A signal came: the first get that somebody waits for takes it."""
        self.items.append(input)
        while self.items and self.gets:
            get = self.gets.popleft()
            get.registered = False
            if get.state == OPEN and get.wanted():
                get.take()

    def copy(self) -> Mailbox:
        """A mailbox with the same unread inputs, for whoever may look and take nothing."""
        other = Mailbox()
        other.items.extend(self.items)
        return other

    def register(self, get: SignalGet) -> None:
        if len(self.gets) >= self._prune_at:  # lost races leave gets behind
            kept = deque(other for other in self.gets if other.state == OPEN and other.wanted())
            for other in self.gets:
                other.registered = False
            for other in kept:
                other.registered = True
            self.gets = kept
            self._prune_at = max(64, 2 * len(kept))
        get.registered = True
        self.gets.append(get)


class SignalGet(Task[Any]):
    """The next value of a signal."""

    __slots__ = ('mailbox', 'name', 'raw', 'registered')

    kind = 'signal'
    on_demand = True

    def __init__(self, driver: Driver | None, mailbox: Mailbox | None, name: str, *, raw: bool) -> None:
        super().__init__(driver)
        self.mailbox = mailbox
        self.name = name
        self.raw = raw
        self.registered = False

    def demand(self) -> None:
        if self.state != OPEN or self.mailbox is None:
            return
        if self.mailbox.items:
            self.take()
        elif not self.registered:
            self.mailbox.register(self)

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

    def __init__(self, driver: Driver, mailbox: Mailbox | None, name: str) -> None:
        self._driver = driver
        self._mailbox = mailbox
        self.name = name

    def get(self, *, raw: bool = False) -> Task[Any]:
        """The next value, in order of arrival.

        Args:
            raw: Give the text of the input instead of the value that its JSON says.
        """
        return SignalGet(self._driver.owner, self._mailbox, self.name, raw=raw)

    def drain(self, *, raw: bool = False) -> list[Any]:
        """Everything that is unread now, in order; may be called without ``yield``.

        Raises:
            SignalFailed: An input is no JSON; those before it are taken.
        """
        values: list[Any] = []
        mailbox = self._mailbox
        if mailbox is not None and self._driver.silent:
            mailbox = mailbox.copy()  # a query looks, and code that only runs because it is closed reads nothing
        while mailbox is not None and mailbox.items:
            get = SignalGet(None, mailbox, self.name, raw=raw)
            get.take()
            if get.state == ERROR:
                raise get.outcome
            values.append(get.outcome)
        return values

    def __len__(self) -> int:
        return 0 if self._mailbox is None else len(self._mailbox.items)

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
        return self if instance is None else self.bound(instance.driver)

    def bound(self, driver: Driver) -> BoundSignal:
        return BoundSignal(driver, driver.mailbox(self.name), self.name)

    def __repr__(self) -> str:
        return f'Signal({self.name!r})'


def signal_name(signal: Any) -> str:
    """The name of a signal given as a ``Signal``, a bound one, or text."""
    name = signal if isinstance(signal, str) else getattr(signal, 'name', None)
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise TypeError(f'{signal!r} is no signal; give Order.approve or a name of at most 256 characters')
    return name
