"""Finds which time-out of an activity strikes first, so that a test that asks for another one fails with a clear error.

The service itself applies time-outs. A stub that is to time out only has to leave the activity unanswered. For
``SCHEDULE_TO_START`` the activity stays unstarted, on a task list that is not polled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from genflow.testing.tester.stubs import TesterError, TimeOut

__all__ = ['NOBODYS_LIST', 'Waiting', 'check_strikes']

NOBODYS_LIST = 'polled-by-nobody'


@frozen
class Waiting:
    """An activity that nobody answers.

    Attributes:
        label: For people.
        attributes: The attributes of its ``ActivityTaskScheduled``.
        scheduled_at: When it was scheduled.
        started_at: When it was started, ``None`` where it was not.
    """

    label: str
    attributes: Mapping[str, Any]
    scheduled_at: datetime
    started_at: datetime | None = None

    def deadlines(self) -> dict[str, datetime | None]:
        """When each time-out that can still fire does; of equal ones SWF reports the first."""
        if self.started_at is None:
            return {
                'SCHEDULE_TO_START': self._after(self.scheduled_at, 'scheduleToStartTimeout'),
                'SCHEDULE_TO_CLOSE': self._after(self.scheduled_at, 'scheduleToCloseTimeout'),
            }
        return {
            'START_TO_CLOSE': self._after(self.started_at, 'startToCloseTimeout'),
            'SCHEDULE_TO_CLOSE': self._after(self.scheduled_at, 'scheduleToCloseTimeout'),
            'HEARTBEAT': self._after(self.started_at, 'heartbeatTimeout'),
        }

    def _after(self, moment: datetime, limit: str) -> datetime | None:
        text = self.attributes.get(limit, 'NONE')
        return None if text == 'NONE' else moment + timedelta(seconds=int(text))


def check_strikes(waiting: Waiting, stub: TimeOut) -> None:
    """Holds what a stub asks for against what will happen.

    Raises:
        TesterError: Nothing will fire, or another time-out than the one that the stub names.
    """
    due = {kind: moment for kind, moment in waiting.deadlines().items() if moment is not None}
    if not due:
        raise TesterError(f'{waiting.label} should time out, but all of its limits are NONE')
    wanted = stub.type
    first = min(due, key=due.__getitem__)
    if wanted is None or wanted == first:
        return
    if wanted not in due:
        raise TesterError(f'{waiting.label} should time out by {wanted}, but has no such limit; it has {first}')
    raise TesterError(
        f'{waiting.label} should time out by {wanted}, but {first} expires first; make the {first} limit longer, or '
        f'the {wanted} limit shorter'
    )
