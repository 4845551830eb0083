"""Ends the tasks that died with a process, when the next process opens the file.

A Lambda function that was running always died: such functions run in the process of the service. Where the workers did
too (``abandon_started``), nobody can answer the tasks that they had started, and nobody polls the task lists that the
deciders had made for themselves: the tasks time out at once, and executions go back to their original lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genflow.local.rules.activities import time_out_activity
from genflow.local.rules.decision_lambdas import settle_lambda
from genflow.local.rules.decision_tasks import drop_override, time_out_decision
from genflow.local.rules.timeouts import find_item
from genflow.local.state.execution import Execution
from genflow.local.state.items import Activity, DecisionTask, LambdaFunction, Progress
from genflow.local.state.state import State

__all__ = ['PROCESS_DIED', 'dies', 'end']

PROCESS_DIED = 'genflow.ProcessDied'
"""Begins the ``details`` of the time-out of an activity whose worker died with the service's process: no fault of the
activity. The details of its last heartbeat follow after a space, cut where SWF's limit leaves no room for the end."""

MAX_DETAILS = 2_048


def dies(data: dict[str, Any], *, abandoned: bool) -> bool:
    """Whether the row of an item belongs to a task that died with the last process."""
    if data['kind'] == LambdaFunction.kind:
        return bool(data['started'])
    return abandoned and bool(data.get('started') or data.get('to_start') or data.get('task_list_to_start'))


def end(state: State, execution: Execution, item_id: int, at: int) -> None:
    """Ends such an item, if it is still open."""
    item = find_item(execution, item_id)
    if item is not None and item.kind in ENDS:
        ENDS[item.kind](state, execution, item, at)


def _lambda(state: State, execution: Execution, task: LambdaFunction, at: int) -> None:
    settle_lambda(state, execution, task, at, 'LambdaFunctionTimedOut', {'timeoutType': 'START_TO_CLOSE'})


def _activity(state: State, execution: Execution, activity: Activity, at: int) -> None:
    if activity.started:
        details = PROCESS_DIED if activity.details is None else f'{PROCESS_DIED} {activity.details}'[:MAX_DETAILS]
        time_out_activity(state, execution, activity, at, 'START_TO_CLOSE', details)


def _decision(state: State, execution: Execution, task: DecisionTask, at: int) -> None:
    """A started task, or one that waits in a list of the dead process."""
    if task.started or task.to_start is not None:
        time_out_decision(state, execution, task, at)


def _progress(state: State, execution: Execution, progress: Progress, at: int) -> None:
    drop_override(state, execution)


ENDS: dict[str, Callable[[State, Execution, Any, int], None]] = {
    'lambda': _lambda,
    'activity': _activity,
    'decision': _decision,
    'progress': _progress,
}
