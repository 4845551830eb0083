"""Writes events by SWF's rules: which attributes an event needs, and when a decision task is scheduled.

Each step of a history has one writer. Its events belong to one transaction and have the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from genflow.swf.wire.events import attributes_member
from genflow.testing.histories.open_items import OpenItems, attributes_of

__all__ = ['Event', 'EventWriter']

Event = Mapping[str, Any]


class EventWriter:
    """Appends new events to a history.

    Attributes:
        now: The time of the new events.
        ledger: What is open after them.
        written: The new events.
    """

    def __init__(self, events: Sequence[Event], ledger: OpenItems, now: datetime) -> None:
        self.now = now
        self.ledger = ledger.copy()
        self.written: list[Event] = []
        self._length = len(events)
        self._first = events[0] if events else None

    @property
    def begun(self) -> Mapping[str, Any]:
        """The attributes of event 1."""
        return attributes_of(self._first if self._first is not None else self.written[0])

    def add(self, event_type: str, **attributes: Any) -> int:
        """Writes an event; attributes that are ``None`` are left out, as SWF does.

        Returns:
            Its id.
        """
        event_id = self._length + len(self.written) + 1
        event = {
            'eventTimestamp': self.now,
            'eventType': event_type,
            'eventId': event_id,
            attributes_member(event_type): {name: value for name, value in attributes.items() if value is not None},
        }
        self.written.append(event)
        self.ledger.apply(event)
        return event_id

    def wake(self) -> None:
        """Schedules a decision task, unless one is waiting already."""
        if self.ledger.waiting:
            return
        begun = self.begun
        self.add(
            'DecisionTaskScheduled',
            taskList=dict(begun['taskList']),
            taskPriority=begun.get('taskPriority'),
            startToCloseTimeout=begun.get('taskStartToCloseTimeout'),
            scheduleToStartTimeout='NONE',
        )
