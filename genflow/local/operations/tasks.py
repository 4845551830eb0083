"""What workers do: take tasks and answer them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from genflow.local.operations.answers import Answer
from genflow.local.operations.histories import with_events
from genflow.local.operations.lookup import domain_of
from genflow.local.operations.paging import history_page_size, page_start, span
from genflow.local.requests import faults
from genflow.local.requests.decision_lists import check_batch
from genflow.local.requests.tokens import TaskToken, page_token, read_task_token
from genflow.local.rules.activities import beat, canceled_outcome, settle_activity, start_activity
from genflow.local.rules.decision_tasks import complete_decision, start_decision
from genflow.local.state.execution import Execution
from genflow.local.state.items import Activity, DecisionTask
from genflow.local.state.state import State
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK
from genflow.local.store import Store

__all__ = ['CALLS', 'CONTINUE', 'POLLS', 'ExecutionClosed', 'refuse_closed', 'taken_before']

EMPTY_ACTIVITY = {'startedEventId': 0}
"""What a poll answers when nothing came: no ``taskToken`` at all, which every SDK understands."""

EMPTY_DECISION = {'startedEventId': 0, 'previousStartedEventId': 0}


# Taking tasks. Each of these takes the next task if there is one; waiting is the service's business.


def take_activity(
    state: State, request: dict[str, Any], now: int, execution: Execution, task_id: int
) -> dict[str, Any]:
    """Hand out an activity task."""
    activity = execution.activities[task_id]
    start_activity(state, execution, activity, now, request.get('identity'))
    return activity_answer(state, execution, activity)


def activity_answer(state: State, execution: Execution, activity: Activity) -> dict[str, Any]:
    """What the poller of a started task is answered."""
    answer = {
        'taskToken': TaskToken('activity', execution.key, execution.run_id, activity.id, activity.started).text(),
        'activityId': activity.name,
        'startedEventId': activity.started,
        'workflowExecution': execution.reference,
        'activityType': {'name': activity.type_name, 'version': activity.type_version},
    }
    text = activity_input(state, execution, activity)
    if text is not None:
        answer['input'] = text
    return answer


def activity_input(state: State, execution: Execution, activity: Activity) -> str | None:
    """The input as it was scheduled; after a restart only the event has it."""
    if activity.input_known:
        return activity.input
    event = json.loads(state.archive.event(execution.key, activity.id))
    found: str | None = event['activityTaskScheduledEventAttributes'].get('input')
    return found


def take_decision(state: State, request: dict[str, Any], now: int, execution: Execution, task_id: int) -> Answer:
    """Hand out a decision task, with the first page of its history."""
    task = execution.decision
    if task is None:
        raise LookupError(f'decision task {task_id} of {execution.workflow_id!r} was offered and is not there')
    start_decision(state, execution, task, now, request.get('identity'))
    return decision_answer(state, request, now, execution, task)


def decision_answer(
    state: State, request: dict[str, Any], now: int, execution: Execution, task: DecisionTask
) -> Answer:
    """What the poller of a started task is answered."""
    first = 1
    if request.get('startAtPreviousStartedEvent'):
        first = max(1, execution.progress.previous_started)
    return decision_page(state, request, now, execution, task, first, None)


def taken_before(state: State, request: dict[str, Any], now: int, ref: int) -> Answer:
    """The answer that a poll got before and asks for again; None where the task is not open any more."""
    execution = state.find(ref >> EVENT_BITS)
    if execution is None:
        return None
    activity = execution.activities.get(ref & EVENT_MASK)
    if activity is not None:
        return activity_answer(state, execution, activity) if activity.started else None
    task = execution.decision
    if task is None or task.id != ref & EVENT_MASK or not task.started:
        return None
    return decision_answer(state, request, now, execution, task)


def decision_page(
    state: State,
    request: dict[str, Any],
    now: int,
    execution: Execution,
    task: DecisionTask,
    first: int,
    start: int | None,
) -> Answer:
    """A page of the history that belongs to a started task; everything but the events is the same on each page."""
    reverse = bool(request.get('reverseOrder'))
    page = span(first, task.started, history_page_size(state, request), start, reverse=reverse)
    token = TaskToken('decision', execution.key, execution.run_id, task.id, task.started)
    answer: dict[str, Any] = {
        'taskToken': token.text(),
        'startedEventId': task.started,
        'previousStartedEventId': execution.progress.previous_started,
        'workflowExecution': execution.reference,
        'workflowType': execution.type,
    }
    if page.next:
        position = [token.key, token.run_id, token.scheduled, token.started, first, page.next]
        answer['nextPageToken'] = page_token(now, page_query(request), position)
    found = with_events(execution, page, answer, reverse=reverse)
    if state.decides_here and not reverse and page.last == execution.last_event:
        objects = execution.tail.give(page.last + 1 - page.first)
        if isinstance(found, dict):
            found['events'].objects = objects
    return found


def page_query(request: dict[str, Any]) -> str:
    """What must stay the same from page to page."""
    return f'Decision {request["domain"]} {request["taskList"]["name"]} {bool(request.get("reverseOrder"))}'


def continue_decision(state: State, request: dict[str, Any], now: int) -> Answer:
    """The next page of a task that was handed out before; never a new task."""
    domain_of(state, request)
    key, run_id, scheduled, started, first, start = page_start(state, request, now, page_query(request))
    execution, task = open_decision(state, TaskToken('decision', key, run_id, scheduled, started))
    return decision_page(state, request, now, execution, task, first, start)


# Answering tasks.


class ExecutionClosed(Exception):
    """The token is of an execution that is not open; the file knows more about it."""

    def __init__(self, token: TaskToken) -> None:
        super().__init__(f'the execution of task {token.scheduled} is closed')
        self.token = token


def open_execution_of(state: State, token: TaskToken) -> Execution:
    """The execution that the token's task belongs to.

    Raises:
        ExecutionClosed: It is not open.
    """
    execution = state.find(token.key)
    if execution is None or execution.run_id != token.run_id:
        raise ExecutionClosed(token)
    return execution


def open_activity(state: State, token: TaskToken) -> tuple[Execution, Activity]:
    """The activity task that the token stands for.

    Raises:
        ExecutionClosed: Its execution is not open.
        ServiceError: UnknownResourceFault: the execution is open, the task is not.
    """
    execution = open_execution_of(state, token)
    activity = execution.activities.get(token.scheduled)
    if activity is None or activity.started != token.started:
        raise faults.unknown_task('activity', token.scheduled)
    return execution, activity


def open_decision(state: State, token: TaskToken) -> tuple[Execution, DecisionTask]:
    """The decision task that the token stands for; raises as :func:`open_activity` does."""
    execution = open_execution_of(state, token)
    task = execution.decision
    if task is None or (task.id, task.started) != (token.scheduled, token.started):
        raise faults.unknown_task('decision task', token.scheduled)
    return execution, task


def refuse_closed(store: Store, token: TaskToken) -> dict[str, Any]:
    """Say which execution has closed; its workflow id stands in the file only.

    Raises:
        ServiceError: UnknownResourceFault, always.
    """
    row = store.execution(token.key)
    known = row['workflow_id'] if row and row['run_id'] == token.run_id else 'unknown'
    raise faults.unknown_execution(known, token.run_id)


Call = Callable[[State, dict[str, Any], int], Answer]


def respond_activity(
    state: State, request: dict[str, Any], now: int, *, event_type: str, members: tuple[str, ...]
) -> None:
    """The worker's answer."""
    execution, activity = open_activity(state, read_task_token(request['taskToken'], 'activity'))
    outcome = {member: request[member] for member in members if request.get(member) is not None}
    if event_type == 'ActivityTaskCanceled':
        outcome = canceled_outcome(activity, request.get('details'))
    settle_activity(state, execution, activity, now, event_type, outcome)


def record_heartbeat(state: State, request: dict[str, Any], now: int) -> dict[str, Any]:
    execution, activity = open_activity(state, read_task_token(request['taskToken'], 'activity'))
    return {'cancelRequested': beat(state, execution, activity, now, request.get('details'))}


def respond_decision(state: State, request: dict[str, Any], now: int) -> None:
    token = read_task_token(request['taskToken'], 'decision')
    check_batch(request.get('decisions', []))
    execution, task = open_decision(state, token)
    complete_decision(state, execution, task, now, request)


CALLS: dict[str, Call] = {
    'RecordActivityTaskHeartbeat': record_heartbeat,
    'RespondActivityTaskCompleted': partial(respond_activity, event_type='ActivityTaskCompleted', members=('result',)),
    'RespondActivityTaskFailed': partial(
        respond_activity, event_type='ActivityTaskFailed', members=('reason', 'details')
    ),
    'RespondActivityTaskCanceled': partial(respond_activity, event_type='ActivityTaskCanceled', members=('details',)),
    'RespondDecisionTaskCompleted': respond_decision,
}
"""Operation -> what carries it out; it may raise :class:`ExecutionClosed`."""

CONTINUE = continue_decision
"""A poll with a page token."""

POLLS = {
    'PollForActivityTask': ('activity', take_activity, EMPTY_ACTIVITY),
    'PollForDecisionTask': ('decision', take_decision, EMPTY_DECISION),
}
"""Polls: operation -> (kind of task, how one is handed out, the answer when none came)."""
