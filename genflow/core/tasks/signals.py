"""Signals that come in: ordered queues, filled from the first event on.

A ``get()`` takes a value only while somebody waits for it, so one that lost a race, timed out or was cancelled takes
nothing. Inputs stay text until they are read, and travel as text to the next run where a workflow restarts.

*Theory of operation.* All signals of a decision's input are announced before its first event is applied. From then on
code that looks sees them, although their own events come later: what the history recorded before a decision began is
visible to that decision. There is one exception. While a ``get()`` waits for a signal, the announced ones stay hidden
until their own events are applied, so that the waiting ``get()`` takes the next one at its place in the order of
events and nobody takes it first. As soon as nobody waits any more, the hidden ones are revealed to whoever looks next.

A ``get(match=…)`` looks through the unread ones when it begins to wait, and then lines up. A signal that comes is
offered to those in line, one after the other, until one takes it.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, get_args, overload

from genflow.core.errors import DefinitionError, SignalFailed
from genflow.core.model.events import Signaled
from genflow.core.model.identifiers import checked_text
from genflow.core.payloads.hooks import decode, excerpt
from genflow.core.payloads.structuring import structuring
from genflow.core.payloads.type_hints import resolved
from genflow.core.protocols import Loop
from genflow.core.tasks.task import ERROR, OPEN, VALUE, Task
from genflow.core.tasks.unused import UsageTracked
from genflow.core.text import Location, place

__all__ = [
    'BoundSignal',
    'Mailbox',
    'Message',
    'Misfit',
    'Read',
    'Signal',
    'SignalGet',
    'declared_signals',
    'nearest_signal',
    'read_json',
    'reader_of',
    'signal_name',
    'signals_of',
]

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar('T', default=Any)
else:
    from typing import TypeVar

    T = TypeVar('T')

__all__ = [
    'BoundSignal',
    'Mailbox',
    'Signal',
    'SignalGet',
    'declared_signals',
    'nearest_signal',
    'signal_name',
    'signals_of',
]

OnInvalid = Literal['raise', 'log']


MAX_NAME = 256


Read = Callable[['str | None'], Any]
"""Makes the value of an input.

Raises:
    Misfit: It cannot be read.
"""


class Misfit(ValueError):
    """An input is no JSON, or not of the type that is asked for.

    Attributes:
        kind: What is wrong, without the input.
    """

    def __init__(self, kind: str, text: str | None) -> None:
        super().__init__(f'{kind}: {excerpt(text or "")}')
        self.kind = kind


class Message:
    """An unread signal.

    Attributes:
        text: The text of its input; ``None`` for none.
    """

    __slots__ = ('_error', '_reads', '_value', 'text')

    def __init__(self, text: str | None) -> None:
        self.text = text
        self._reads: Read | None = None
        self._value: Any = None
        self._error: Misfit | None = None

    def value(self, reads: Read) -> Any:
        """The value, made at the first call.

        Raises:
            Misfit: The text cannot be read.
        """
        if self._reads is not reads:
            self._reads, self._error = reads, None
            try:
                self._value = reads(self.text)
            except Misfit as error:
                self._error = error
        if self._error is not None:
            raise self._error.with_traceback(None)
        return self._value


def read_json(text: str | None) -> Any:
    """The value of a JSON text; of none, ``None``.

    Raises:
        Misfit: The text is no JSON.
    """
    try:
        return None if text is None or text == '' else decode(text)
    except ValueError as error:
        raise Misfit('is not JSON', text) from error


def type_in(hint: Any, owner: type | None) -> Any:
    """The type that a hint names; a name in quotes is looked up where the class stands."""
    return resolved(hint, {} if owner is None else {**vars(sys.modules.get(owner.__module__, sys)), **vars(owner)})


def reader_of(hint: Any, owner: type | None, what: str) -> Read:
    """What reads values of a type.

    Args:
        hint: The type; a name in quotes is looked up where the class stands.
        owner: The class.
        what: Whose type it is, for messages.

    Raises:
        DefinitionError: The type names something that is not there, or asks for more than JSON holds and cattrs is not
            installed.
    """
    hint = type_in(hint, owner)
    structure = structuring(hint, what)
    if structure is None:
        return read_json

    def read(text: str | None) -> Any:
        value = read_json(text)
        try:
            return structure(value)
        except Exception as error:
            raise Misfit(f'is no {getattr(hint, "__name__", hint)}', text) from error

    return read


class Taker(Protocol):
    """An entry in the queue for the next signal: a get, or a group of them.

    Attributes:
        registered: Whether it is in the queue.
    """

    registered: bool

    def is_wanted(self) -> bool:
        """Whether it is waited for now."""

    def offer(self, message: Message) -> bool:
        """Takes the signal that came last, if it is waited for and matches; whether it did."""

    @property
    def is_over(self) -> bool:
        """Whether it gives up its place in the queue once something was offered to it."""


class Mailbox:
    """The unread inputs of one signal, and who waits for one.

    Attributes:
        items: The signals that can be taken now.
        queue: Gets, and groups of them that share a place, in the order in which they joined.
        read: The number of signals that were taken.
        drops: Decides whether a signal that comes is dropped; ``None`` keeps all.
        is_contended: Whether two branches have waited for the next signal at once.
    """

    __slots__ = ('_announced', '_prune_at', 'drops', 'is_contended', 'items', 'queue', 'read')

    def __init__(self) -> None:
        self.items: deque[Message] = deque()
        self._announced: deque[Signaled] = deque()
        self.queue: deque[Taker] = deque()
        self.read = 0
        self.drops: Callable[[Message], bool] | None = None
        self.is_contended = False
        self._prune_at = 64

    @property
    def texts(self) -> list[str | None]:
        """The unread inputs."""
        return [message.text for message in self.items]

    def push(self, input: str | None) -> None:
        """Adds a signal: the first get that is waited for and that it matches takes it."""
        message = Message(input)
        if self.drops is not None and self.drops(message):
            return
        self.items.append(message)
        if self.queue:
            self._offer(message)

    def _offer(self, message: Message) -> None:
        passed: list[Taker] = []
        queue, taken = self.queue, False
        while queue and not taken:
            taker = queue.popleft()
            taken = taker.offer(message)
            if taker.is_over:
                taker.registered = False
            else:
                passed.append(taker)
        queue.extendleft(reversed(passed))

    def announce(self, event: Signaled) -> None:
        """Adds a signal of the decision that begins; it can be taken at once, unless a get waits for the next one."""
        self._announced.append(event)

    def arrive(self, event: Signaled) -> None:
        """The event of an announced signal is applied: one that is still hidden comes now."""
        if self._announced and self._announced[0] is event:
            self._announced.popleft()
            self.push(event.input)

    def reveal(self) -> None:
        """Makes the announced signals available, unless a get waits for the next one."""
        if self._announced and not self.is_awaited():
            messages = [Message(event.input) for event in self._announced]
            self.items.extend(message for message in messages if self.drops is None or not self.drops(message))
            self._announced.clear()

    def is_awaited(self) -> bool:
        """Whether a get waits for the next signal."""
        return any(taker.is_wanted() for taker in self.queue)

    def take(self, message: Message) -> None:
        """Removes an unread signal, which was taken."""
        if self.items[0] is message:
            self.items.popleft()
        else:
            self.items.remove(message)
        self.read += 1

    def copy(self) -> Mailbox:
        """A mailbox with the same unread inputs, for code that may read and take nothing."""
        other = Mailbox()
        other.items.extend(map(Message, self.texts))
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
    """The next value of a signal, or the next one that matches.

    Attributes:
        reads: Turns inputs into values.
        match: The predicate of the value; ``None`` takes any.
        where: The line that made it, if it is known.
        branch: The branch that began to wait for it.
    """

    __slots__ = ('branch', 'mailbox', 'match', 'name', 'raw', 'reads', 'registered', 'used', 'where')

    kind = 'signal'
    pending_gets = 1

    def __init__(
        self,
        loop: Loop | None,
        mailbox: Mailbox | None,
        name: str,
        *,
        raw: bool,
        reads: Read = read_json,
        match: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(loop)
        self.mailbox = mailbox
        self.name = name
        self.raw = raw
        self.reads = reads
        self.match = match
        self.where: Location | None = None
        self.branch: Any = None
        self.registered = False
        self.used = False

    def mark_used(self) -> None:
        self.used = True

    def request(self) -> None:
        if self.state != OPEN or self.mailbox is None:
            return
        message = self._first_match()
        if message is not None:
            self.take(message)
        elif self.state == OPEN and not self.registered:
            self._line_up(self.mailbox)

    def _line_up(self, mailbox: Mailbox) -> None:
        loop = self.loop
        if loop is not None:
            self.branch = loop.current
            if not mailbox.is_contended and self.match is None:
                last = next(filter(_takes_any, reversed(mailbox.queue)), None)
                if isinstance(last, SignalGet) and last.branch is not self.branch:
                    mailbox.is_contended = True
                    self._report_rival(loop, last)
        mailbox.register(self)

    def _report_rival(self, loop: Loop, rival: SignalGet) -> None:
        if not loop.replaying:
            loop.report(
                f'{loop.info}: two branches wait for {self.label} at the same time, with get() at '
                f'{place(rival.where)} and at {place(self.where)}; each signal goes only to the one that has waited '
                'longest. Let one branch read the signal, or give each get a match='
            )

    def is_wanted(self) -> bool:
        return self.state == OPEN and self.wanted()

    def offer(self, message: Message) -> bool:
        if not self.is_wanted() or not self._matches(message):
            return False
        self.take(message)
        return True

    @property
    def is_over(self) -> bool:
        return self.match is None or not self.is_wanted()

    def _first_match(self) -> Message | None:
        """The first unread signal that it may take; a predicate that raises is the failure of the get."""
        items = () if self.mailbox is None else self.mailbox.items
        if self.match is None:
            return items[0] if items else None
        return next(filter(self._matches, list(items)), None)

    def _matches(self, message: Message) -> bool:
        """Whether the signal is one that it waits for; one that cannot be read is not."""
        if self.match is None or self.state != OPEN:
            return self.state == OPEN
        try:
            value = message.text if self.raw else message.value(self.reads)
        except Misfit:
            return False
        loop = self.loop
        if loop is None:
            return bool(self.match(value))
        try:
            return bool(loop.read_only(self._describe_match, self.match, value))
        except loop.passing:
            raise
        except BaseException as error:  # noqa: BLE001 - what the user's predicate raises is the failure of its get
            self.settle(ERROR, self.failure_of(error))
            return False

    def _describe_match(self) -> str:
        return f'match= of {self.label}'

    def take(self, message: Message) -> None:
        """Takes an unread signal."""
        if self.mailbox is None:
            return
        self.mailbox.take(message)
        if self.raw:
            self.settle(VALUE, message.text)
            return
        try:
            value = message.value(self.reads)
        except Misfit as error:
            reason = f'the input of signal {self.name!r} {error}; read it with get(raw=True)'
            self.settle(ERROR, SignalFailed(reason, str(error.__cause__), task=self))
        else:
            self.settle(VALUE, value)

    def asked(self) -> tuple[Any, ...]:
        return (self.name, self.raw, self.match)

    @property
    def label(self) -> str:
        return f'signal {self.name!r}'


def _takes_any(taker: Taker) -> bool:
    """Whether it waits for the next signal, whatever its value is."""
    return isinstance(taker, SignalGet) and taker.match is None and taker.is_wanted()


class BoundSignal(Generic[T]):
    """A signal as a workflow sees it: ``self.approve``."""

    __slots__ = ('__orig_class__', '_driver', '_mailbox', '_reads', 'name')

    def __init__(self, loop: Loop, mailbox: Mailbox | None, name: str, reads: Read = read_json) -> None:
        self._driver = loop
        self._mailbox = mailbox
        self._reads = reads
        self.name = name

    @overload
    def get(self, *, raw: Literal[True], match: Callable[[str], Any] | None = None) -> Task[str]: ...
    @overload
    def get(self, *, raw: Literal[False] = False, match: Callable[[T], Any] | None = None) -> Task[T]: ...
    def get(self, *, raw: bool = False, match: Callable[[Any], Any] | None = None) -> Task[Any]:
        """The next value, in order of arrival.

        Args:
            raw: Give the text of the input instead of its value.
            match: Take the next value for which this is true, and leave the others. A value that cannot be read is
                left too. The predicate may only read; what it raises is the failure of the get.
        """
        driver = self._driver
        self._check_use()
        get = SignalGet(driver.owner, self._mailbox, self.name, raw=raw, reads=self._reads, match=match)
        if not driver.silent:
            frame = sys._getframe(1)
            get.where = (frame.f_code, frame.f_lasti)
            driver.unused.note_task(get, frame)
        return get

    @overload
    def drain(self, *, raw: Literal[True]) -> list[str]: ...
    @overload
    def drain(self, *, raw: Literal[False] = False) -> list[T]: ...
    def drain(self, *, raw: bool = False) -> list[Any]:
        """Everything that is unread now, in order; may be called without ``yield``.

        Raises:
            SignalFailed: An input cannot be read; those before it are taken.
        """
        values: list[Any] = []
        mailbox = self._mailbox
        self._check_use()
        if mailbox is not None:
            mailbox.reveal()
        if mailbox is not None and self._driver.silent:
            mailbox = mailbox.copy()  # a query looks, and code that only runs because it is closed reads nothing
        while mailbox is not None and mailbox.items:
            get = SignalGet(None, mailbox, self.name, raw=raw, reads=self._reads)
            get.take(mailbox.items[0])
            if get.state == ERROR:
                raise get.outcome
            values.append(get.outcome)
        return values

    def _check_use(self) -> None:
        """Refuses what takes signals where none may be taken."""
        driver = self._driver
        if driver.in_side_effect or driver.reads is not None:
            driver.describes(f'signal {self.name!r}')
        if not driver.silent:
            driver.check_thread(f'signal {self.name!r}')

    def __repr__(self) -> str:
        return f'<signal {self.name!r}>'

    def __len__(self) -> int:
        if self._mailbox is None:
            return 0
        self._mailbox.reveal()
        return len(self._mailbox.items)

    def __bool__(self) -> bool:
        return len(self) > 0


class Signal(Generic[T]):
    """A signal that a workflow takes: ``approve = Signal()``; named after its attribute unless told otherwise.

    ``verdict = Signal[Verdict]()`` gives values of that type, made as arguments of ``run`` are by their hints.

    Args:
        name: Instead of the attribute's.
        on_invalid: What happens to an input that is no JSON or does not fit the type: ``'raise'`` fails the ``get()``
            that takes it; ``'log'`` drops it when it comes, and reports that.

    Raises:
        DefinitionError: ``on_invalid`` is something else.
    """

    def __init__(self, name: str | None = None, *, on_invalid: OnInvalid = 'raise') -> None:
        if on_invalid not in ('raise', 'log'):
            raise DefinitionError(f"on_invalid is {on_invalid!r}; it must be 'raise' or 'log'")
        self.name = name or ''
        self.attribute = ''
        self.on_invalid = on_invalid
        self._owner: type | None = None
        self._reads: Read | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        self._owner = owner
        if not self.name:
            self.name = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Signal[T]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> BoundSignal[T]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.bound(instance.loop)

    @property
    def hint(self) -> Any:
        """The type of its values; ``Any`` where none is given."""
        return (*get_args(getattr(self, '__orig_class__', None)), Any)[0]

    @property
    def value_type(self) -> Any:
        """The hint, with the types that names in quotes stand for."""
        return type_in(self.hint, self._owner)

    def reader(self) -> Read:
        """What makes values of inputs."""
        if self._reads is None:
            self._reads = reader_of(self.hint, self._owner, f'signal {self.name!r}')
        return self._reads

    def bound(self, loop: Loop) -> BoundSignal[T]:
        mailbox, reads = loop.mailbox(self.name), self.reader()
        if mailbox is not None and self.on_invalid == 'log':
            mailbox.drops = partial(self._drops, loop, reads)
        return BoundSignal(loop, mailbox, self.name, reads)

    def _drops(self, loop: Loop, reads: Read, message: Message) -> bool:
        """Whether a signal cannot be read; it is reported when it comes first."""
        try:
            message.value(reads)
        except Misfit as error:
            if not loop.replaying:
                loop.report(f'{loop.info}: the input of signal {self.name!r} {error.kind}, and is dropped')
            return True
        return False

    def __repr__(self) -> str:
        return f'Signal({self.name!r})'


def signals_of(cls: type) -> tuple[str, ...]:
    """The names of the signals that a workflow class declares."""
    return tuple(declared_signals(cls))


def declared_signals(cls: type) -> dict[str, Signal[Any]]:
    """The signals that a class declares, by name; of several with one name the first."""
    found: dict[str, Signal[Any]] = {}
    for name in dir(cls):
        member = getattr(cls, name, None)
        if isinstance(member, Signal):
            found.setdefault(member.name, member)
    return found


def nearest_signal(cls: type, name: str) -> str:
    """A hint at signals that the class declares, for a message about one that it does not."""
    known = signals_of(cls)
    close = get_close_matches(name, known, 1)
    hint = f'; did you mean {close[0]!r}?' if close else ''
    return f'it has {", ".join(known) or "none"}{hint}'


def signal_name(signal: Any) -> str:
    """The name of a signal given as a ``Signal``, a bound one, or text."""
    name = signal if isinstance(signal, str) else getattr(signal, 'name', None)
    try:
        return checked_text(name, 'the name of a signal', MAX_NAME)
    except DefinitionError:
        raise TypeError(
            f'{signal!r} is not a signal; give Order.approve or a name of at most 256 characters, without lone '
            'surrogates'
        ) from None
