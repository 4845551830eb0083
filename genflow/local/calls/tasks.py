"""What workers do: take tasks and answer them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from genflow.local import faults
from genflow.local.batch import EVENT_BITS, EVENT_MASK
from genflow.local.calls.answers import Answer, Reading
from genflow.local.calls.histories import with_events
from genflow.local.calls.lookup import domain_of
from genflow.local.calls.paging import page_size, page_start, span
from genflow.local.rules.activities import beat, canceled_outcome, settle_activity, start_activity
from genflow.local.rules.batches import check_batch
from genflow.local.rules.decision_tasks import complete_decision, start_decision
from genflow.local.rules.execution import Execution
from genflow.local.rules.recording import given
from genflow.local.rules.state import Activity, DecisionTask
from genflow.local.store import Store
from genflow.local.tokens import TaskToken, page_token, read_task_token
from genflow.local.world import World

#: what a poll answers when nothing came: no ``taskToken`` at all, which every SDK understands.
EMPTY_ACTIVITY = {'startedEventId': 0}
EMPTY_DECISION = {'startedEventId': 0, 'previousStartedEventId': 0}


# Taking tasks. Each of these takes the next task if there is one; waiting is the service's business.


def take_activity(world: World, request: dict[str, Any], now: int, ref: int) -> dict[str, Any]:
    """Hand out the activity task ``ref``."""
    execution = world.execution(ref >> EVENT_BITS)
    activity = execution.activities[ref & EVENT_MASK]
    start_activity(world, execution, activity, now, request.get('identity'))
    return given(
        taskToken=TaskToken('activity', execution.key, execution.run_id, activity.id, activity.started).text(),
        activityId=activity.name,
        startedEventId=activity.started,
        workflowExecution=execution.reference,
        activityType={'name': activity.type_name, 'version': activity.type_version},
        input=activity_input(world, execution, activity),
    )


def activity_input(world: World, execution: Execution, activity: Activity) -> str | None:
    """The input as it was scheduled; after a restart only the event has it."""
    if activity.input_known:
        return activity.input
    event = json.loads(world.archive.event(execution.key, activity.id))
    found: str | None = event['activityTaskScheduledEventAttributes'].get('input')
    return found


def take_decision(world: World, request: dict[str, Any], now: int, ref: int) -> Answer:
    """Hand out the decision task ``ref``, with the first page of its history."""
    execution = world.execution(ref >> EVENT_BITS)
    task = execution.decision
    if task is None:
        raise LookupError(f'task {ref} was offered without a decision task')
    start_decision(world, execution, task, now, request.get('identity'))
    first = 1
    if request.get('startAtPreviousStartedEvent'):
        first = max(1, execution.progress.previous_started)
    return decision_page(world, request, now, execution, task, first, None)


def decision_page(
    world: World,
    request: dict[str, Any],
    now: int,
    execution: Execution,
    task: DecisionTask,
    first: int,
    start: int | None,
) -> Answer:
    """A page of the history that belongs to a started task; everything but the events is the same on each page."""
    reverse = bool(request.get('reverseOrder'))
    page = span(first, task.started, page_size(world, request), start, reverse=reverse)
    token = TaskToken('decision', execution.key, execution.run_id, task.id, task.started)
    answer = given(
        taskToken=token.text(),
        startedEventId=task.started,
        previousStartedEventId=execution.progress.previous_started,
        workflowExecution=execution.reference,
        workflowType=execution.type,
    )
    if page.next:
        position = [token.key, token.run_id, token.scheduled, token.started, first, page.next]
        answer['nextPageToken'] = page_token(now, page_query(request), position)
    return with_events(execution, page, answer, reverse=reverse)


def page_query(request: dict[str, Any]) -> str:
    """What must stay the same from page to page."""
    return f'Decision {request["domain"]} {request["taskList"]["name"]} {bool(request.get("reverseOrder"))}'


def continue_decision(world: World, request: dict[str, Any], now: int) -> Answer:
    """The next page of a task that was handed out before; never a new task."""
    domain_of(world, request)
    key, run_id, scheduled, started, first, start = page_start(world, request, now, page_query(request))
    token = TaskToken('decision', key, run_id, scheduled, started)
    found = open_task(world, token)
    if isinstance(found, Reading):
        return found
    execution, task = found
    assert isinstance(task, DecisionTask)
    return decision_page(world, request, now, execution, task, first, start)


# Answering tasks.


def open_task(world: World, token: TaskToken) -> tuple[Execution, Activity | DecisionTask] | Reading:
    """The task that the token stands for; if its execution has closed, a reading that says so.

    Raises:
        ServiceError: UnknownResourceFault: the execution is open, the task is not.
    """
    execution = world.find(token.key)
    if execution is None or execution.run_id != token.run_id:
        return Reading(lambda store: refuse_closed(store, token))
    noun, task = (
        ('activity', execution.activities.get(token.scheduled))
        if token.kind == 'activity'
        else ('decision task', execution.decision)
    )
    if task is None or (task.id, task.started) != (token.scheduled, token.started):
        raise faults.unknown_task(noun, token.scheduled)
    return execution, task


def refuse_closed(store: Store, token: TaskToken) -> dict[str, Any]:
    """Say which execution has closed; its workflow id stands in the file only."""
    row = store.execution(token.key)
    known = row['workflow_id'] if row and row['run_id'] == token.run_id else 'unknown'
    raise faults.unknown_execution(known, token.run_id)


def respond_activity(
    world: World, request: dict[str, Any], now: int, *, event_type: str, members: tuple[str, ...]
) -> Answer:
    """The worker's answer."""
    found = open_task(world, read_task_token(request['taskToken'], 'activity'))
    if isinstance(found, Reading):
        return found
    execution, activity = found
    assert isinstance(activity, Activity)
    outcome = given(**{member: request.get(member) for member in members})
    if event_type == 'ActivityTaskCanceled':
        outcome = canceled_outcome(activity, request.get('details'))
    settle_activity(world, execution, activity, now, event_type, outcome)
    return None


def record_heartbeat(world: World, request: dict[str, Any], now: int) -> Answer:
    found = open_task(world, read_task_token(request['taskToken'], 'activity'))
    if isinstance(found, Reading):
        return found
    execution, activity = found
    assert isinstance(activity, Activity)
    return {'cancelRequested': beat(world, execution, activity, now, request.get('details'))}


def respond_decision(world: World, request: dict[str, Any], now: int) -> Answer:
    token = read_task_token(request['taskToken'], 'decision')
    check_batch(request.get('decisions', []))
    found = open_task(world, token)
    if isinstance(found, Reading):
        return found
    execution, task = found
    assert isinstance(task, DecisionTask)
    complete_decision(world, execution, task, now, request)
    return None


CALLS = {
    'RecordActivityTaskHeartbeat': record_heartbeat,
    'RespondActivityTaskCompleted': partial(respond_activity, event_type='ActivityTaskCompleted', members=('result',)),
    'RespondActivityTaskFailed': partial(
        respond_activity, event_type='ActivityTaskFailed', members=('reason', 'details')
    ),
    'RespondActivityTaskCanceled': partial(respond_activity, event_type='ActivityTaskCanceled', members=('details',)),
    'RespondDecisionTaskCompleted': respond_decision,
}

#: polls: operation -> (kind of task, how one is handed out, the answer when none came).
POLLS = {
    'PollForActivityTask': ('activity', take_activity, EMPTY_ACTIVITY),
    'PollForDecisionTask': ('decision', take_decision, EMPTY_DECISION),
}
