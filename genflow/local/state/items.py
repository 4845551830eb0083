"""What the service remembers of an open execution.

The history says everything, but answering from it would mean reading it: so the open tasks, timers and children are
kept as objects, each of which is also one row of the file (``dump``, ``load``), and disappears when it settles. Moments
and periods are milliseconds; a period of None is SWF's ``NONE``.

Every item is named by the id of the event that opened it; 0 names what belongs to the execution as a whole.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar

from attrs import define, field, fields

from genflow.local.json_text import encode

__all__ = [
    'ITEM_KINDS',
    'MILLISECONDS',
    'Activity',
    'Child',
    'DecisionTask',
    'Item',
    'LambdaFunction',
    'Progress',
    'Timer',
    'earliest',
    'load_item',
    'period',
]

MILLISECONDS = 1000

PASSING = {'passing': True}
"""Marks a field that is not in the item's row."""


@lru_cache
def period(duration: str | None) -> int | None:
    """SWF's duration, seconds as digits or ``NONE``, in milliseconds."""
    return None if duration is None or duration in {'', 'NONE'} else int(duration) * MILLISECONDS


def earliest(*moments: int | None) -> int | None:
    """The first of the moments that are."""
    known = [moment for moment in moments if moment is not None]
    return min(known) if known else None


def after(start: int, length: int | None) -> int | None:
    """The moment ``length`` after ``start``; never where there is no length."""
    return None if length is None else start + length


@define(eq=False, kw_only=True)
class Item:
    """Something open in an execution, and one row of the file.

    Attributes:
        id: The event that opened it.
        saved: The journal or the table of items has a row of it.
        folded: The table of items has a row of it.
    """

    kind: ClassVar[str]
    stored: ClassVar[tuple[str, ...]]
    values: ClassVar[Any]  # an attrgetter of the stored fields

    id: int
    saved: bool = field(default=False, metadata=PASSING)
    folded: bool = field(default=False, metadata=PASSING)

    @property
    def deadline(self) -> int | None:
        """When the service must do something about it."""
        return None

    @property
    def waiting(self) -> tuple[str, int, int] | None:
        """(task list, priority, moment) while it waits there for a poller."""
        return None

    def dump(self) -> dict[str, Any]:
        """The kind and all fields that are kept."""
        return dict(zip(self.stored, self.values(self), strict=True))

    def row(self) -> str:
        """Its row: what :meth:`dump` gives, as JSON."""
        return encode(self.dump())


@define(eq=False, kw_only=True)
class DecisionTask(Item):
    """A decision task: waiting in a list, started, or queued behind a started one.

    Attributes:
        task_list: The list it was scheduled on.
        since: When it was scheduled.
        to_start, to_close: schedule-to-start (of a task list override) and start-to-close.
        pollable: It is in the list; False while queued.
        ready: When it became pollable, which starts the schedule-to-start clock.
        started: Its DecisionTaskStarted, 0 before.
        owner: The process that has it, where it is one of those that share the file.
    """

    kind: ClassVar[str] = 'decision'

    task_list: str
    priority: int
    since: int
    to_start: int | None
    to_close: int | None
    pollable: bool
    ready: int
    started: int = 0
    started_at: int = 0
    owner: str = ''

    @property
    def deadline(self) -> int | None:
        if self.started:
            return after(self.started_at, self.to_close)
        return after(self.ready, self.to_start) if self.pollable else None

    @property
    def waiting(self) -> tuple[str, int, int] | None:
        return (self.task_list, self.priority, self.since) if self.pollable and not self.started else None


@define(eq=False, kw_only=True)
class Activity(Item):
    """An open activity task.

    Attributes:
        input: What the worker gets, where ``input_known``; the item's row has neither, for the event has it.
        since: When it was scheduled.
        to_start, to_close, run, beat: the periods of schedule-to-start, schedule-to-close, start-to-close, heartbeat.
        started: Its ActivityTaskStarted, 0 before.
        beaten: The last sign of life: the start or a heartbeat.
        details: Of the last heartbeat.
        cancel_requested: The last ActivityTaskCancelRequested, 0 before.
        owner: The process that has it, where it is one of those that share the file.
    """

    kind: ClassVar[str] = 'activity'

    name: str
    type_name: str
    type_version: str
    task_list: str
    priority: int
    since: int
    to_start: int | None
    to_close: int | None
    run: int | None
    beat: int | None
    started: int = 0
    started_at: int = 0
    beaten: int = 0
    details: str | None = None
    cancel_requested: int = 0
    owner: str = ''
    input: str | None = field(default=None, metadata=PASSING)
    input_known: bool = field(default=False, metadata=PASSING)

    @property
    def timeout_type(self) -> str:
        """The time-out that fires at the deadline; of equal ones the first is reported."""
        if self.started:
            moments = {
                'START_TO_CLOSE': after(self.started_at, self.run),
                'SCHEDULE_TO_CLOSE': after(self.since, self.to_close),
                'HEARTBEAT': after(self.beaten, self.beat),
            }
        else:
            moments = {
                'SCHEDULE_TO_START': after(self.since, self.to_start),
                'SCHEDULE_TO_CLOSE': after(self.since, self.to_close),
            }
        return next(name for name, moment in moments.items() if moment == self.deadline)

    @property
    def deadline(self) -> int | None:
        found = None if self.to_close is None else self.since + self.to_close
        if self.started:
            if self.run is not None and (found is None or self.started_at + self.run < found):
                found = self.started_at + self.run
            if self.beat is not None and (found is None or self.beaten + self.beat < found):
                found = self.beaten + self.beat
        elif self.to_start is not None and (found is None or self.since + self.to_start < found):
            found = self.since + self.to_start
        return found

    @property
    def waiting(self) -> tuple[str, int, int] | None:
        return None if self.started else (self.task_list, self.priority, self.since)

    def row(self) -> str:
        """As of every item. Most rows are an activity's, and most of one is what others of its type have, too."""
        return (
            f'{{"id":{self.id},"name":{encode(self.name)},"since":{self.since},"started":{self.started},'
            f'"started_at":{self.started_at},"beaten":{self.beaten},{_alike(ALIKE_VALUES(self))}}}'
        )


ALIKE = (
    'kind', 'type_name', 'type_version', 'task_list', 'priority', 'to_start', 'to_close', 'run', 'beat', 'details',
    'cancel_requested', 'owner',
)  # fmt: skip
"""What the rows of many activities have in common."""

ALIKE_VALUES = attrgetter(*ALIKE)


@lru_cache
def _alike(values: tuple[Any, ...]) -> str:
    """The members of a row that others have, too, as JSON."""
    return encode(dict(zip(ALIKE, values, strict=True)))[1:-1]


@define(eq=False, kw_only=True)
class Timer(Item):
    """An open timer."""

    kind: ClassVar[str] = 'timer'

    name: str
    due: int

    @property
    def deadline(self) -> int | None:
        return self.due


@define(eq=False, kw_only=True)
class Child(Item):
    """A child that was initiated and has not closed; ``key`` and ``run_id`` follow it when it continues as new."""

    kind: ClassVar[str] = 'child'

    workflow_id: str
    key: int = 0
    run_id: str = ''
    started: int = 0


@define(eq=False, kw_only=True)
class LambdaFunction(Item):
    """A Lambda function that was scheduled and has not ended."""

    kind: ClassVar[str] = 'lambda'

    name: str
    function: str
    run: int
    started: int = 0
    started_at: int = 0

    @property
    def deadline(self) -> int | None:
        return self.started_at + self.run if self.started else None


@define(eq=False, kw_only=True)
class Progress(Item):
    """What changes about an execution as a whole.

    Attributes:
        due: When the execution times out.
        previous_started: The DecisionTaskStarted of the last decision task that was completed, 0 before. Not in the
            row, which would have to be written with each decision; the history says it.
        task_list: Where decision tasks go.
        task_list_to_start: The schedule-to-start time-out, in SWF's words, of a temporary list.
        original_list: Where they go again when the temporary list fails.
        context: The last execution context that was given.
        latest_activity: When the last event of an activity was recorded; not in the row, the history says it.
    """

    kind: ClassVar[str] = 'progress'

    id: int = 0
    due: int
    task_list: str
    original_list: str
    task_list_to_start: str | None = None
    previous_started: int = field(default=0, metadata=PASSING)
    context: str | None = None
    latest_activity: int | None = field(default=None, metadata=PASSING)
    cancel_requested: bool = False

    @property
    def deadline(self) -> int | None:
        return self.due


ITEM_KINDS: dict[str, type[Item]] = {
    item.kind: item for item in (DecisionTask, Activity, Timer, Child, LambdaFunction, Progress)
}

for _item in ITEM_KINDS.values():
    _item.stored = ('kind', *(each.name for each in fields(_item) if not each.metadata.get('passing')))
    _item.values = attrgetter(*_item.stored)


def load_item(data: dict[str, Any]) -> Item:
    """The item that :meth:`Item.dump` described."""
    values = dict(data)
    return ITEM_KINDS[values.pop('kind')](**values, saved=True, folded=True)
