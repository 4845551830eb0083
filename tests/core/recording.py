"""What a test wants to know of a response: whether SWF would take it, and its decisions in words, one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genflow.core.model import decisions
from genflow.core.model.decisions import CLOSES, Decisions


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
