"""What is open in a history: the items that later events may refer to, and the state of the decision task.

It is read from the model of an execution (:mod:`genflow.insight`). The model needs SWF's event dicts only, so that a
test can continue a history from a file as it continues its own.

*Theory of operation.* A model changes with each event, but a history is a value. Therefore a history and those that
were made from it share one model, and each knows its own number of events. The newest history advances the model. If
an older one needs its state afterwards, it builds a model of its own events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from attrs import frozen

from genflow.core.errors import GenflowError
from genflow.insight import Attempt, ExecutionView, Operation, attributes_of
from genflow.insight.view import OPENS
from genflow.swf.wire.events import attributes_member

__all__ = ['OPENS', 'ImpossibleStory', 'Item', 'OpenItems', 'attributes_of', 'first_items', 'opened_by']

Event = Mapping[str, Any]

UNDATED = datetime(2000, 1, 1, tzinfo=timezone.utc)


class ImpossibleStory(GenflowError, ValueError):
    """SWF could not have recorded this history; the text says why."""


@frozen
class Item:
    """Something that a decision opened and that SWF has not closed.

    Attributes:
        kind: ``activity``, ``child``, ``timer``, ``lambda``, ``signal`` or ``cancel request``.
        id: The event that opened it; 0 where it is still a decision.
        key: The activity id, workflow id, timer id or Lambda id; of a signal or cancel request its control.
        name: Of the type, function or signal; ``None`` for timers and cancel requests.
        version: Of the type.
        attributes: The attributes of the event that opened it.
        started_id: The event that started it, 0 before that.
        cancel_id: The event that asked for its cancellation, 0 if there is none.
        run_id: Of a child that has started.
    """

    kind: str
    id: int
    key: str
    name: str | None
    version: str | None
    attributes: Mapping[str, Any]
    started_id: int = 0
    cancel_id: int = 0
    run_id: str = ''

    def __str__(self) -> str:
        words = [self.kind, f'{self.key!r}', *(word for word in (self.name, self.version) if word)]
        if self.attributes.get('input') is not None:
            words.append(self.attributes['input'])
        return ' '.join(words)


KINDS = {'cancel': 'cancel request'}
"""The kinds that have another name in the model."""

NAMELESS = frozenset({'timer', 'cancel'})
"""The kinds of operations whose name in the model is only for people."""

BY_CONTROL = frozenset({'signal', 'cancel'})


def _item(operation: Operation, attempt: Attempt) -> Item:
    kind = operation.kind
    return Item(
        KINDS.get(kind, kind),
        attempt.scheduled_id,
        str(attempt.attributes.get('control')) if kind in BY_CONTROL else attempt.key,
        None if kind in NAMELESS else operation.name,
        operation.version,
        attempt.attributes,
        attempt.started_id,
        attempt.cancel_id,
        attempt.run_id or '',
    )


def opened_by(event_type: str, attributes: Mapping[str, Any]) -> Item:
    """The item that a decision opens whose event has these attributes."""
    event = {
        'eventId': 0,
        'eventType': event_type,
        'eventTimestamp': UNDATED,
        attributes_member(event_type): attributes,
    }
    (operation,) = ExecutionView().apply_all([event]).operations
    return _item(operation, operation.last)


def first_items(view: ExecutionView) -> Iterator[Item]:
    """The calls of an execution, oldest first: the first attempt of each, without timers."""
    return (_item(one, one.attempts[0]) for one in view.operations if one.kind != 'timer')


class OpenItems:
    """The open items of one history, and its decision task."""

    def __init__(self) -> None:
        self._model = ExecutionView()
        self._length = 0

    def copy(self) -> OpenItems:
        """The same items, for a history that goes on from here."""
        other = OpenItems()
        other._model, other._length = self.view, self._length
        return other

    def apply(self, event: Event) -> None:
        """One more event was recorded."""
        self.view.apply(event)
        self._length += 1

    @property
    def view(self) -> ExecutionView:
        """The model of these events, and of no later ones."""
        model = self._model
        if len(model.events) != self._length:  # a history that was made of this one took it along
            model = self._model = ExecutionView().apply_all(model.events[: self._length])
        return model

    def __iter__(self) -> Iterator[Item]:
        """The open items, oldest first."""
        found = [(one, one.last) for one in self.view.open_operations() if one.last.is_open]
        found.sort(key=lambda pair: pair[1].scheduled_id)
        return (_item(*pair) for pair in found)

    def opened_at(self, event_id: int) -> Item:
        """The item that an event opened.

        Raises:
            KeyError: The event opened none.
        """
        found = self.view.attempt_of(event_id)
        if found is None:
            raise KeyError(event_id)
        return _item(*found)

    def keyed(self, kind: str, key: str) -> Item | None:
        """The open item of a kind that SWF knows by ``key``: an activity, timer, child or Lambda function."""
        for one in self.view.open_operations():
            if one.kind == kind and one.last.is_open and one.last.key == key:
                return _item(one, one.last)
        return None

    @property
    def waiting(self) -> int:
        """The id of the DecisionTaskScheduled that nobody has taken, or 0."""
        recent = self.view.decisions[-2:]
        return next((task.scheduled_id for task in recent if task.state == 'scheduled'), 0)

    @property
    def started(self) -> tuple[int, int] | None:
        """The ids of the DecisionTaskScheduled and the DecisionTaskStarted that are being decided."""
        recent = self.view.decisions[-2:]
        return next(((task.scheduled_id, task.started_id) for task in recent if task.state == 'started'), None)

    @property
    def closed(self) -> Event | None:
        """The event that closed the execution."""
        view = self.view
        return None if view.close is None else view.events[view.close.id - 1]
