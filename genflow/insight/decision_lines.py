"""The decisions of a response in words, one line for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from genflow.core.model import decisions as asks
from genflow.core.model.decisions import Decisions
from genflow.insight.times import duration
from genflow.insight.view import ExecutionView

__all__ = ['decision_lines']


def decision_lines(answer: Decisions, view: ExecutionView) -> Iterable[str]:
    """Describes a response: one line for each decision, without the engine's markers."""
    lines = [_IN_WORDS[type(one)](one, view) for one in answer.all]
    return [line for line in lines if line] or ['decides nothing and keeps waiting']


def _of(view: ExecutionView, key: str) -> str:
    """The attempt that an id names."""
    mark = key.partition(';')[0]
    return f' (attempt {mark.partition(".")[2]})' if '.' in mark and not mark.endswith('.1') else ''


def _timer_line(one: Any, view: ExecutionView) -> str:
    number = one.timer_id.partition('.')[0]
    known = view.numbered(int(number)) if number.isdecimal() else None
    if one.timer_id.endswith(';w'):
        what = known.label if known is not None else f'call {number}'
        return f'waits {duration(one.seconds)}, then tries {what} again{_of(view, one.timer_id)}'
    return f'starts a timer of {duration(one.seconds)}'


def _failure_line(one: Any, view: ExecutionView) -> str:
    return f'fails the workflow: {one.reason}' if one.reason else 'fails the workflow'


def _result_line(one: Any, view: ExecutionView) -> str:
    return f'completes the workflow with {one.result}' if one.result not in (None, 'null') else 'completes the workflow'


def _marker_line(one: Any, view: ExecutionView) -> str:
    return '' if one.name.startswith('genflow.') else f'records the marker {one.name}'


def _limit_text(seconds: Any) -> str:
    return '' if seconds is None or seconds == math.inf else f', at most {duration(float(seconds))}'


_IN_WORDS: dict[type, Callable[[Any, ExecutionView], str]] = {
    asks.ScheduleActivity: lambda one, view: (
        f'schedules activity {one.name}{_of(view, one.activity_id)}{_limit_text(one.start_to_close)}'
    ),
    asks.RequestCancelActivity: lambda one, view: f'asks activity {one.activity_id} to cancel',
    asks.StartTimer: _timer_line,
    asks.CancelTimer: lambda one, view: f'cancels timer {one.timer_id}',
    asks.StartChild: lambda one, view: f'starts child {one.name} with the workflow id {one.workflow_id}',
    asks.RequestCancelExternal: lambda one, view: f'asks {one.workflow_id} to cancel',
    asks.SignalExternal: lambda one, view: f'sends the signal {one.signal} to {one.workflow_id}',
    asks.ScheduleLambda: lambda one, view: f'calls the Lambda function {one.name}',
    asks.RecordMarker: _marker_line,
    asks.CompleteWorkflow: _result_line,
    asks.FailWorkflow: _failure_line,
    asks.CancelWorkflow: lambda one, view: 'closes the workflow as canceled',
    asks.ContinueAsNew: lambda one, view: 'restarts the workflow',
}
"""Each decision in words."""
