"""How SWF records what a decision says, and what it refuses: a table by decision type.

Beside it, what a test wants to know of an answer: its decisions in words, one line each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genflow.core.model import decisions, events
from genflow.core.model.decisions import CLOSES, Decisions

if TYPE_CHECKING:
    from .story import Story


def check_batch(batch: Sequence[Any]) -> None:
    """What SWF refuses whole."""
    closes = [decision for decision in batch if isinstance(decision, CLOSES)]
    assert len(closes) <= 1
    if closes:
        assert batch[-1] is closes[0], 'Close must be last decision in list'
        beside = [d for d in batch if isinstance(d, (decisions.ScheduleActivity, decisions.StartTimer))]
        assert not beside, f'Specified decision is incompatible with close decision: {beside}'


def key_of(decision: Any) -> str | None:
    for name in ('activity_id', 'timer_id', 'lambda_id', 'workflow_id', 'name'):
        value = getattr(decision, name, None)
        if value is not None:
            return value
    return None


def _activity(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    key = decision.activity_id
    if story.taken('activity', key):
        cause = 'ACTIVITY_ID_ALREADY_IN_USE'
    if story.full('activity'):
        cause = 'OPEN_ACTIVITIES_LIMIT_EXCEEDED'
    if cause is not None:
        story.refused('activity', key, decision_id, cause)
        return
    mark = key.partition(';')[0]
    story.once(mark)
    members = {name: getattr(decision, name) for name in ('activity_id', 'name', 'version', 'input')}
    story.opened('activity', key, story.add(events.ActivityScheduled, decision_id=decision_id, **members), mark)


def _child(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    if story.full('child'):
        cause = 'OPEN_CHILDREN_LIMIT_EXCEEDED'
    if cause is not None:
        story.refused('child', decision.workflow_id, decision_id, cause, decision.control)
        return
    story.once(decision.control)
    members = {name: getattr(decision, name) for name in ('workflow_id', 'name', 'version', 'input', 'control')}
    event = story.add(events.ChildInitiated, decision_id=decision_id, **members)
    story.opened('child', decision.workflow_id, event, decision.control)


def _timer(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    key = decision.timer_id
    if story.taken('timer', key):
        cause = 'TIMER_ID_ALREADY_IN_USE'
    if story.full('timer'):
        cause = 'OPEN_TIMERS_LIMIT_EXCEEDED'
    if cause is not None:
        story.refused('timer', key, decision_id, cause)
        return
    members = {name: getattr(decision, name) for name in ('timer_id', 'seconds', 'control')}
    story.opened('timer', key, story.add(events.TimerStarted, decision_id=decision_id, **members), key)


def _lambda(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    key = decision.lambda_id
    if cause is not None:
        story.refused('lambda', key, decision_id, cause)
        return
    story.once(key)
    members = {name: getattr(decision, name) for name in ('lambda_id', 'name', 'input')}
    story.opened('lambda', key, story.add(events.LambdaScheduled, decision_id=decision_id, **members), key)


def _signal(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    members = {name: getattr(decision, name) for name in ('workflow_id', 'signal', 'run_id', 'input', 'control')}
    event = story.add(events.SignalInitiated, decision_id=decision_id, **members)
    story.opened('signal', decision.control, event, decision.control)


def _cancel_external(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    members = {name: getattr(decision, name) for name in ('workflow_id', 'run_id', 'control')}
    event = story.add(events.CancelInitiated, decision_id=decision_id, **members)
    story.opened('cancel', f'cancel {decision.workflow_id}', event, f'cancel {decision.workflow_id}')


def _cancel_activity(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    if not story.taken('activity', decision.activity_id):
        cause = 'ACTIVITY_ID_UNKNOWN'
    if cause is not None:
        story.refused('cancel activity', decision.activity_id, decision_id, cause)
    else:
        story.add(events.ActivityCancelRequested, decision_id=decision_id, activity_id=decision.activity_id)


def _cancel_timer(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    key = decision.timer_id
    if not story.taken('timer', key):
        cause = 'TIMER_ID_UNKNOWN'
    if cause is not None:
        story.refused('cancel timer', key, decision_id, cause)
        return
    del story.open[story.find(key).ref]
    story.add(events.TimerCanceled, decision_id=decision_id, timer_id=key)


def _marker(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    if cause is not None:
        story.refused('marker', decision.name, decision_id, cause)
    else:
        story.add(events.MarkerRecorded, decision_id=decision_id, name=decision.name, details=decision.details)


HOW = {
    decisions.CompleteWorkflow: 'completed',
    decisions.FailWorkflow: 'failed',
    decisions.CancelWorkflow: 'canceled',
    decisions.ContinueAsNew: 'continued',
}


def _close(story: Story, decision: Any, decision_id: int, cause: str | None) -> None:
    how = HOW[type(decision)]
    if cause is not None:
        story.add(events.CloseRefused, decision_id=decision_id, how=how, cause=cause)
        return
    story.closed = story.add(
        events.Closed,
        decision_id=decision_id,
        how=how,
        result=decision.input if how == 'continued' else getattr(decision, 'result', None),
        reason=getattr(decision, 'reason', None),
        details=getattr(decision, 'details', None),
    )


RECORD: dict[type, Callable[[Story, Any, int, str | None], None]] = {
    decisions.ScheduleActivity: _activity,
    decisions.RequestCancelActivity: _cancel_activity,
    decisions.StartTimer: _timer,
    decisions.CancelTimer: _cancel_timer,
    decisions.StartChild: _child,
    decisions.RequestCancelExternal: _cancel_external,
    decisions.SignalExternal: _signal,
    decisions.ScheduleLambda: _lambda,
    decisions.RecordMarker: _marker,
    decisions.CompleteWorkflow: _close,
    decisions.FailWorkflow: _close,
    decisions.CancelWorkflow: _close,
    decisions.ContinueAsNew: _close,
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
    }
)
"""The events with which SWF schedules a decision task."""


# what a decision says, on one line

_SAY: dict[type, Callable[[Any], str]] = {
    decisions.ScheduleActivity: lambda d: f'activity {d.activity_id} {d.name} {d.input}',
    decisions.RequestCancelActivity: lambda d: f'cancel activity {d.activity_id}',
    decisions.StartTimer: lambda d: f'timer {d.timer_id} {d.seconds}s',
    decisions.CancelTimer: lambda d: f'cancel timer {d.timer_id}',
    decisions.StartChild: lambda d: f'child {d.control} {d.name} {d.input}',
    decisions.RequestCancelExternal: lambda d: f'cancel execution {d.workflow_id}',
    decisions.SignalExternal: lambda d: f'signal {d.workflow_id} {d.signal} {d.input}',
    decisions.ScheduleLambda: lambda d: f'lambda {d.lambda_id} {d.name} {d.input}',
    decisions.RecordMarker: lambda d: f'marker {d.name} {d.details}',
    decisions.CompleteWorkflow: lambda d: f'complete {d.result}',
    decisions.FailWorkflow: lambda d: f'fail {(d.reason or "").partition(chr(10))[0]}',
    decisions.CancelWorkflow: lambda d: 'canceled',
    decisions.ContinueAsNew: lambda d: f'continue {d.input}',
}


def said(answer: Decisions) -> list[str]:
    return [_SAY[type(decision)](decision) for decision in answer.all]
