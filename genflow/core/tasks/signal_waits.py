"""Hands signals to the gets below a combinator, in order, when the combinator is waited for.

*Theory of operation.* A get takes a value only while somebody waits for it. When a combinator is waited for, its gets
are gone through in the order of its members: as long as there is something unread each takes its own, and the others
line up in their mailboxes until something comes. Combinators above are notified of each value before the next one is
taken, so that what loses a race takes nothing.

Two ways lead into a mailbox's queue. In a small combinator each get lines up by itself, and keeps its place while the
combinators around it come and go: a loop that races one get again and again leaves one entry in the queue.
``as_completed`` is waited for once for each of its members. So in a large combinator neighbouring gets make a run
(:class:`GetRun`), in which those of one signal share a single place (:class:`GetGroup`), and asking a combinator again
costs a constant. A large combinator inside another one keeps its own place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from genflow.core.tasks.signals import Mailbox, Message, SignalGet
from genflow.core.tasks.task import OPEN, Task, notify_combinators

__all__ = ['GetPart', 'ask', 'parts_of']

FEW = 16
"""The most gets of a combinator that join the queues one by one."""


class Combinator(Protocol):
    """What a combinator with gets below it looks like from here."""

    state: int
    members: list[Task[Any]]
    pending_gets: int

    @property
    def parts(self) -> list[GetPart]: ...
    def outlets(self) -> Iterable[Task[Any]]: ...


class GetGroup:
    """The gets of one signal in a combinator, in order: one place in the mailbox's queue for all of them."""

    __slots__ = ('_combined', '_gets', '_mailbox', 'registered')

    def __init__(self, combined: Combinator, mailbox: Mailbox) -> None:
        self._combined = combined
        self._mailbox = mailbox
        self._gets: deque[tuple[int, SignalGet]] = deque()
        self.registered = False

    def add(self, place: int, get: SignalGet) -> None:
        self._gets.append((place, get))

    def place(self) -> int | None:
        """The place of the next get that may take something, among those of the combinator."""
        gets = self._gets
        while gets:
            place, get = gets[0]
            if get.state == OPEN:
                if get.wanted():
                    return place
                if not any(outlet.wanted() for outlet in self._combined.outlets()):
                    return None  # not waited for now, but perhaps later
            gets.popleft()  # a combinator between the two is over
        return None

    def ready(self) -> bool:
        """Whether there is something to take, and somebody to take it."""
        return bool(self._mailbox.items) and self.place() is not None

    def take(self) -> SignalGet:
        """The next get, which takes what is unread."""
        _, get = self._gets.popleft()
        get.take(self._mailbox.items[0])
        return get

    def line_up(self) -> None:
        if not self.registered and self._gets:
            self._mailbox.register(self)

    # in the mailbox's queue

    def is_wanted(self) -> bool:
        return self.place() is not None

    def offer(self, message: Message) -> bool:
        if not self.is_wanted():
            return False
        _, get = self._gets.popleft()
        get.take(message)
        return True

    @property
    def is_over(self) -> bool:
        return not self._gets or self.place() is None


class GetRun:
    """Neighbouring gets of a combinator, by signal."""

    __slots__ = ('_combined', '_groups')

    def __init__(self, combined: Combinator) -> None:
        self._combined = combined
        self._groups: dict[int, GetGroup] = {}

    def add(self, place: int, get: SignalGet) -> None:
        mailbox = get.mailbox
        if mailbox is not None:
            group = self._groups.get(id(mailbox))
            if group is None:
                group = self._groups[id(mailbox)] = GetGroup(self._combined, mailbox)
            group.add(place, get)

    def serve(self) -> None:
        """Takes what is unread, in order; then lines up for more."""
        while ready := [group for group in self._groups.values() if group.ready()]:
            notify_combinators(min(ready, key=GetGroup.place).take())  # type: ignore[arg-type]
        for group in self._groups.values():
            group.line_up()


GetPart = SignalGet | GetRun | Task[Any]
"""What a combinator goes through: single gets where they are few, runs of them, and tasks with gets below them."""


def parts_of(combined: Combinator) -> list[GetPart]:
    """The parts of a combinator, in the order of its members."""
    members = [member for member in combined.members if member.pending_gets]
    if combined.pending_gets <= FEW:
        return list(members)
    parts: list[GetPart] = []
    run: GetRun | None = None
    for place, task in enumerate(_flat(members)):
        if not isinstance(task, SignalGet) or task.match is not None:
            parts.append(task)
            run = None
            continue
        if run is None:
            run = GetRun(combined)
            parts.append(run)
        run.add(place, task)
    return parts


def _flat(members: Iterable[Task[Any]]) -> Iterator[Task[Any]]:
    """Gets, those of small combinators too, and large combinators, in order."""
    pending = list(members)[::-1]
    while pending:
        task = pending.pop()
        if isinstance(task, SignalGet) or task.pending_gets > FEW:
            yield task
        else:
            pending.extend(member for member in reversed(task.asker.members) if member.pending_gets)


def ask(root: Combinator) -> None:
    """Has the gets below a combinator take what is unread, in order, and the others wait for more."""
    under_way = [_asked(root)]
    asked: set[int] = set()
    while under_way and root.state == OPEN:
        below = next(under_way[-1], None)
        if below is None:
            under_way.pop()
        elif id(below) not in asked:  # combinators may share their members
            asked.add(id(below))
            under_way.append(_asked(below))


def _asked(combined: Combinator) -> Iterator[Combinator]:
    """Goes through the parts of a combinator; gives those that have parts of their own."""
    for part in combined.parts:
        if isinstance(part, GetRun):
            part.serve()
        elif isinstance(part, SignalGet):
            if part.mailbox is None or not part.mailbox.items:
                part.request()
            elif part.is_wanted():
                part.request()
                if part.state != OPEN:
                    notify_combinators(part)
        elif part.state == OPEN:
            yield part.asker
