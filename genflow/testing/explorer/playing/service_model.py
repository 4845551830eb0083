"""What SWF records of one execution: a history in the engine's own events, and what is open in it.

The model has no requests, texts or locks, and nothing happens in it by itself: whoever uses it says which decisions
arrive, and what becomes of the open items. The explorer's simulation stands on it, and so do genflow's own tests of the
engine. One of their laws says that it records what the embedded service records for the same decisions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from attrs import evolve, frozen

from genflow.core.engine.pending_close import HOW
from genflow.core.model import decisions, events
from genflow.core.model.decisions import CLOSES
from genflow.core.model.refusals import UNHANDLED
from genflow.testing.explorer.playing.items import Item

__all__ = ['DUE', 'OPEN_LIMITS', 'ServiceModel']

OPEN_LIMITS = {'activity': 1000, 'child': 1000, 'timer': 1000, 'lambda': 1000}
"""Open work of each kind in one execution (SWF's quotas)."""


class ServiceModel:
    """One run of an execution as SWF sees it.

    Attributes:
        events: Its history.
        open: What SWF has open, oldest first, by the id of the event that opened it.
        is_due: Whether SWF has a decision task to give.
        last_id: The id of the latest event.
        closed: How it closed, once it did.
    """

    has_gaps: ClassVar[bool] = False
    """Whether ids grow as SWF's do, with a gap where its history has an event that means nothing to the engine."""

    def __init__(self) -> None:
        self.closed: events.Closed | None = None
        self.begin()

    def begin(self) -> None:
        """Begins a new history."""
        self.events: list[Any] = []
        self.open: dict[int, Item] = {}
        self.is_due = False
        self.last_id = 0

    def add(self, cls: type, **members: Any) -> Any:
        """Records an event, and schedules a decision task where SWF does."""
        self.last_id += 1
        event = cls(id=self.last_id, **members)
        self.events.append(event)
        if cls in DUE:
            self.due()
        return event

    def due(self) -> None:
        """Schedules a decision task, unless one waits."""
        if not self.is_due:
            self.is_due = True
            self.last_id += self.has_gaps  # DecisionTaskScheduled

    # what happens to open items

    def start_child(self, item: Item, run_id: str) -> None:
        """A child that was initiated begins."""
        self.open[item.ref] = evolve(item, started=True)
        self.add(events.ChildStarted, ref=item.ref, workflow_id=item.key, run_id=run_id)

    def settle(self, item: Item, cls: type, **members: Any) -> None:
        """An open item ends with an event."""
        del self.open[item.ref]
        if item.kind in ('activity', 'lambda'):
            self.last_id += self.has_gaps  # ActivityTaskStarted, LambdaFunctionStarted
        self.add(cls, ref=item.ref, **members)

    def open_item(self, kind: str, key: str) -> Item | None:
        """The open item of a kind that has an id."""
        return next((item for item in self.open.values() if item.kind == kind and item.key == key), None)

    # decisions

    def record_response(
        self, answer: Iterable[Any], started: events.DecisionStarted, refusal: Callable[[Any], str | None]
    ) -> None:
        """Records a response.

        Args:
            answer: Its decisions.
            started: The event with which the decision task began.
            refusal: With which cause SWF refuses a decision, if it does not refuse it by itself.
        """
        is_stale = self.is_due
        completed = self.add(events.DecisionCompleted, started_id=started.id)
        for decision in answer:
            unhandled = UNHANDLED if is_stale and isinstance(decision, CLOSES) else None
            self.record(decision, completed.id, refusal(decision) or unhandled)

    def record(self, decision: Any, decision_id: int, cause: str | None = None) -> None:
        """Records a decision, or that SWF refuses it."""
        if isinstance(decision, CLOSES):
            self.conclude(decision, decision_id, cause)
        else:
            _RECORD[type(decision)](self, decision, decision_id, cause)

    def refused(self, kind: str, key: str, decision_id: int, cause: str, control: str | None = None) -> None:
        """Records that SWF refuses a decision."""
        self.add(events.Refused, decision_id=decision_id, kind=kind, key=key, cause=cause, control=control)

    def conclude(self, decision: Any, decision_id: int, cause: str | None) -> None:
        """Closes the execution, or records that SWF refuses that."""
        how = HOW[type(decision)]
        if cause is not None:
            self.add(events.CloseRefused, decision_id=decision_id, how=how, cause=cause)
            return
        is_continued = how == 'continued'
        self.closed = self.add(
            events.Closed,
            decision_id=decision_id,
            how=how,
            result=decision.input if is_continued else getattr(decision, 'result', None),
            reason=getattr(decision, 'reason', None),
            details=getattr(decision, 'details', None),
            run_id='next' if is_continued else None,
        )

    def create(self, decision: Any, decision_id: int, cause: str | None) -> None:
        """Opens an item, unless SWF refuses it."""
        created = _CREATED[type(decision)]
        item = created.item(decision)
        cause = self._refusal(created, item) or cause
        if cause is not None:
            self.refused(created.kind, item.key, decision_id, cause, decision.control if created.repeats else None)
            return
        members = {name: getattr(decision, name) for name in created.members}
        item.ref = self.add(created.event, decision_id=decision_id, **members).id
        self.open[item.ref] = item
        self.opened(item, decision)

    def _refusal(self, created: Created, item: Item) -> str | None:
        """The cause with which SWF refuses by itself to open an item."""
        limit = OPEN_LIMITS.get(item.kind, math.inf)
        if len(self.open) >= limit and sum(other.kind == item.kind for other in self.open.values()) >= limit:
            return created.full
        return created.in_use if created.in_use and self.open_item(item.kind, item.key) is not None else None

    def opened(self, item: Item, decision: Any) -> None:
        """Is called after an item was opened; there to be overridden."""

    def marked(self, decision: decisions.RecordMarker) -> None:
        """Is called after a marker was recorded; there to be overridden."""


def _request_cancel(
    model: ServiceModel, decision: decisions.RequestCancelExternal, decision_id: int, cause: str | None
) -> None:
    child = model.open_item('child', decision.workflow_id)
    if child is not None:
        model.open[child.ref] = evolve(child, canceling=True)
    model.create(decision, decision_id, cause)


def _cancel_activity(
    model: ServiceModel, decision: decisions.RequestCancelActivity, decision_id: int, cause: str | None
) -> None:
    key = decision.activity_id
    item = model.open_item('activity', key)
    if item is None or cause is not None:
        model.refused('cancel activity', key, decision_id, 'ACTIVITY_ID_UNKNOWN' if item is None else str(cause))
        return
    model.open[item.ref] = evolve(item, canceling=True)
    model.add(events.ActivityCancelRequested, decision_id=decision_id, activity_id=key)


def _cancel_timer(model: ServiceModel, decision: decisions.CancelTimer, decision_id: int, cause: str | None) -> None:
    key = decision.timer_id
    item = model.open_item('timer', key)
    if item is None or cause is not None:
        model.refused('cancel timer', key, decision_id, 'TIMER_ID_UNKNOWN' if item is None else str(cause))
        return
    del model.open[item.ref]
    model.add(events.TimerCanceled, decision_id=decision_id, timer_id=key)


def _mark(model: ServiceModel, decision: decisions.RecordMarker, decision_id: int, cause: str | None) -> None:
    if cause is not None:
        model.refused('marker', decision.name, decision_id, cause)
        return
    model.add(events.MarkerRecorded, decision_id=decision_id, name=decision.name, details=decision.details)
    model.marked(decision)


@frozen
class Created:
    """How SWF records that a decision opens something.

    Attributes:
        kind: Of the item.
        event: The event that opens it.
        members: What the event repeats of the decision.
        item: The item, which has no event yet.
        full: The cause where as many of its kind are open as may be.
        in_use: The cause where one of its kind and id is open.
        repeats: Whether a refusal repeats the decision's control.
    """

    kind: str
    event: type
    members: tuple[str, ...]
    item: Callable[[Any], Item]
    full: str | None = None
    in_use: str | None = None
    repeats: bool = False


_CREATED: dict[type, Created] = {
    decisions.ScheduleActivity: Created(
        'activity',
        events.ActivityScheduled,
        ('activity_id', 'name', 'version', 'input'),
        lambda d: Item('activity', d.activity_id, d.activity_id.partition(';')[0], d.name, d.version, d.input),
        'OPEN_ACTIVITIES_LIMIT_EXCEEDED',
        'ACTIVITY_ID_ALREADY_IN_USE',
    ),
    decisions.StartTimer: Created(
        'timer',
        events.TimerStarted,
        ('timer_id', 'seconds', 'control'),
        lambda d: Item('timer', d.timer_id, d.timer_id, 'timer'),
        'OPEN_TIMERS_LIMIT_EXCEEDED',
        'TIMER_ID_ALREADY_IN_USE',
    ),
    decisions.StartChild: Created(
        'child',
        events.ChildInitiated,
        ('workflow_id', 'name', 'version', 'input', 'control'),
        lambda d: Item('child', d.workflow_id, d.control or d.workflow_id, d.name, d.version, d.input),
        'OPEN_CHILDREN_LIMIT_EXCEEDED',
        repeats=True,
    ),
    decisions.ScheduleLambda: Created(
        'lambda',
        events.LambdaScheduled,
        ('lambda_id', 'name', 'input'),
        lambda d: Item('lambda', d.lambda_id, d.lambda_id, d.name, input=d.input),
        'OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED',
        'ID_ALREADY_IN_USE',
    ),
    decisions.SignalExternal: Created(
        'signal',
        events.SignalInitiated,
        ('workflow_id', 'signal', 'run_id', 'input', 'control'),
        lambda d: Item(
            'signal', d.control or d.signal, d.control or d.signal, d.signal, input=d.input, target=d.workflow_id
        ),
        repeats=True,
    ),
    decisions.RequestCancelExternal: Created(
        'cancel',
        events.CancelInitiated,
        ('workflow_id', 'run_id', 'control'),
        lambda d: Item(
            'cancel',
            f'cancel {d.workflow_id}',
            f'cancel {d.workflow_id}',
            f'cancel of {d.workflow_id}',
            target=d.workflow_id,
        ),
        repeats=True,
    ),
}

_RECORD: dict[type, Callable[[ServiceModel, Any, int, str | None], None]] = {
    **dict.fromkeys(_CREATED, ServiceModel.create),
    decisions.RequestCancelActivity: _cancel_activity,
    decisions.CancelTimer: _cancel_timer,
    decisions.RequestCancelExternal: _request_cancel,
    decisions.RecordMarker: _mark,
}

DUE = frozenset(
    {
        events.WorkflowStarted,
        events.Signaled,
        events.CancelRequested,
        events.Completed,
        events.Failed,
        events.TimedOut,
        events.Canceled,
        events.Terminated,
        events.TimerFired,
        events.ChildStarted,
        events.Delivered,
        events.Undelivered,
        events.Refused,
        events.DecisionTimedOut,
        events.CloseRefused,
    }
)
"""The events with which SWF schedules a decision task."""
