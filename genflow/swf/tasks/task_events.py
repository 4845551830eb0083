"""The events of a decision task: the page that came with the poll, and those that follow.

Theory of operation. SWF gives a history in pages, and the code of a workflow can be replayed with the first of them
while the others are on their way. So the events are a sequence that requests a page when somebody comes to its end.
There is one such sequence for each task, also where all events came with the poll. Its owner is the decider that
handles the task: it reads the events on one thread, and closes them when the task is answered or given up. What is
closed before its end has no end, so whoever reads further gets an error, never a history that is too short: the
client's, if a page could not be read. An application that is given a task may read its events on another thread, which
takes nothing from the decider.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, overload

from attrs import define, field

from genflow.core.errors import HistoryError
from genflow.swf.wire.events import dated

__all__ = ['Event', 'Later', 'TaskEvents', 'task_events']

Event = Mapping[str, Any]
Later = Generator[Sequence[Event], None, None]


@define(eq=False)
class _Arrival:
    """The events that have arrived, for all sequences of one task.

    Attributes:
        events: In order.
        later: Gives the pages that follow; ``None`` once all have arrived.
        is_cut_off: Whether the pages that follow will never arrive.
        failure: What kept the next page from arriving.
    """

    events: list[Event]
    later: Later | None
    is_cut_off: bool = False
    failure: BaseException | None = None
    _lock: threading.RLock = field(factory=threading.RLock, init=False)

    def has(self, place: int) -> bool:
        """Whether there is an event at this place; waits for as many pages as it takes."""
        while place >= len(self.events):
            if self.later is None:
                return place < len(self.events)  # another thread may have read the last page meanwhile
            self._read_until(place)
        return True

    def read_all(self) -> None:
        """Waits for all pages."""
        while self.later is not None:
            self._read_until(sys.maxsize)

    def close(self) -> None:
        """Gives up the pages that have not arrived; the one that another thread waits for is its last."""
        if self.later is None or self.is_cut_off:
            return
        self.is_cut_off = True
        if self._lock.acquire(blocking=False):
            try:
                self.later.close()
            finally:
                self._lock.release()

    def _read_until(self, place: int) -> None:
        """Waits for the next page, which may be empty, unless there is an event at this place by now."""
        with self._lock:
            if self.later is None or place < len(self.events):
                return
            if self.is_cut_off:
                raise self.failure or HistoryError(
                    f'the history was read up to its {len(self.events)}. event and then given up; read it while its '
                    'decision task is handled'
                )
            try:
                page = next(self.later, None)
            except BaseException as error:
                self.is_cut_off, self.failure = True, error
                raise
            if page is None:
                self.later = None
            else:
                self.events.extend(page)


@define(eq=False, init=False)
class TaskEvents(Sequence[Event]):
    """SWF's event dicts, oldest first. Reading beyond the events that have arrived waits for the next page.

    Its length, its last event, a slice, a copy and a comparison wait for all pages; the first event, an iteration and
    :meth:`since` for no more than they give. It equals a list of the same events. An event that is given to other code
    than genflow's has a datetime as its timestamp.

    Args:
        arrived: The events of the first page.
        later: Gives the events of each page that follows; closed when no more are read.
    """

    _arrival: _Arrival = field(repr=False)
    _first: int

    def __init__(self, arrived: Iterable[Event] = (), later: Later | None = None) -> None:
        self._arrival = _Arrival(list(arrived), later)
        self._first = 0

    @property
    def arrived(self) -> int:
        """How many have arrived."""
        return max(0, len(self._arrival.events) - self._first)

    @property
    def first_id(self) -> int:
        """The id of the first event, 0 if there is none."""
        found: int = self._arrival.events[self._first]['eventId'] if self._arrival.has(self._first) else 0
        return found

    @property
    def is_complete(self) -> bool:
        """Whether all have arrived, as far as is known."""
        return self._arrival.later is None

    @property
    def failure(self) -> BaseException | None:
        """The client's error because of which they cannot be read to the end."""
        return self._arrival.failure

    def since(self, place: int) -> TaskEvents:
        """The events from this place on; the pages that follow are the same."""
        if not place:
            return self
        rest = TaskEvents()
        rest._arrival, rest._first = self._arrival, self._first + place
        return rest

    @property
    def here(self) -> list[Event]:
        """The events that have arrived, their timestamps as they are."""
        return self._arrival.events[self._first :]

    def pages(self) -> Iterator[list[Event]]:
        """The events in the portions in which they arrive, their timestamps as they are; first those that are there."""
        return iter((self.here,)) if self._arrival.later is None else self._later_pages()

    def _later_pages(self) -> Iterator[list[Event]]:
        arrival, place = self._arrival, self._first
        while True:
            page = arrival.events[place:]
            if page:
                yield page
                place += len(page)
            elif not arrival.has(place):
                return

    def whole(self) -> list[Event]:
        """All of them, once all have arrived."""
        self._arrival.read_all()
        return dated(self._arrival.events[self._first :])

    def close(self) -> None:
        """Gives up the pages that have not arrived."""
        self._arrival.close()

    def __iter__(self) -> Iterator[Event]:
        return chain.from_iterable(map(dated, self.pages()))

    def __bool__(self) -> bool:
        return self._arrival.has(self._first)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TaskEvents):
            return self.whole() == other.whole()
        return self.whole() == other if isinstance(other, list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as that of a list

    def __reduce__(self) -> tuple[type[TaskEvents], tuple[list[Event]]]:
        return TaskEvents, (self.whole(),)

    def __repr__(self) -> str:
        return f'<{self.arrived} events{"" if self.is_complete else ", more to come"}>'

    def __len__(self) -> int:
        return len(self.whole())

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice) or index < 0:
            return self.whole()[index]
        if not self._arrival.has(self._first + index):
            raise IndexError(f'there is no event at place {index}')
        event = self._arrival.events[self._first + index]
        dated([event])
        return event


def task_events(events: Iterable[Event]) -> TaskEvents:
    """A task's events as they are; others as those of a history that has arrived."""
    return events if isinstance(events, TaskEvents) else TaskEvents(events)
