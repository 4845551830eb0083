"""Applies a time-out that is due, by the kind of its item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genflow.local.rules.activities import time_out_activity
from genflow.local.rules.closing import close
from genflow.local.rules.decision_lambdas import settle_lambda
from genflow.local.rules.decision_tasks import time_out_decision
from genflow.local.rules.recording import record_and_decide
from genflow.local.state.execution import Execution
from genflow.local.state.items import Activity, DecisionTask, Item, LambdaFunction, Timer
from genflow.local.state.state import State

__all__ = ['TIMEOUTS', 'find_item', 'fire_timeout']


def fire_timeout(state: State, execution: Execution, item_id: int, at: int) -> None:
    """Applies the time-out of an item; ``at`` is its deadline in milliseconds since 1970, which dates the event."""
    item = find_item(execution, item_id)
    if item is not None:
        TIMEOUTS[item.kind](state, execution, item, at)


def find_item(execution: Execution, item_id: int) -> Item | None:
    """The open item that was opened by an event; id 0 is the execution itself."""
    for task in (execution.progress, execution.decision):
        if task is not None and task.id == item_id:
            return task
    item: Item | None = execution.activities.get(item_id) or execution.lambdas.get(item_id)
    return item or next((timer for timer in execution.timers.values() if timer.id == item_id), None)


def _execution(state: State, execution: Execution, item: Item, at: int) -> None:
    attributes = {'timeoutType': 'START_TO_CLOSE', 'childPolicy': execution.child_policy}
    close(state, execution, at, 'WorkflowExecutionTimedOut', attributes)


def _decision(state: State, execution: Execution, task: DecisionTask, at: int) -> None:
    time_out_decision(state, execution, task, at)


def _activity(state: State, execution: Execution, activity: Activity, at: int) -> None:
    time_out_activity(state, execution, activity, at, activity.timeout_type, activity.details)


def _timer(state: State, execution: Execution, timer: Timer, at: int) -> None:
    del execution.timers[timer.name]
    state.drop(execution, timer)
    record_and_decide(state, execution, at, 'TimerFired', {'timerId': timer.name, 'startedEventId': timer.id})


def _lambda(state: State, execution: Execution, task: LambdaFunction, at: int) -> None:
    settle_lambda(state, execution, task, at, 'LambdaFunctionTimedOut', {'timeoutType': 'START_TO_CLOSE'})


TIMEOUTS: dict[str, Callable[[State, Execution, Any, int], None]] = {
    'progress': _execution,
    'decision': _decision,
    'activity': _activity,
    'timer': _timer,
    'lambda': _lambda,
}
