"""The life of a decision task: started, completed with decisions, or timed out."""

from __future__ import annotations

from typing import Any

from genflow.local.rules.decision_context import DecisionContext
from genflow.local.rules.decisions import decide
from genflow.local.rules.recording import need_decision, record, started_attributes
from genflow.local.state.execution import Execution
from genflow.local.state.items import DecisionTask
from genflow.local.state.state import State

__all__ = ['complete_decision', 'drop_override', 'start_decision', 'time_out_decision']


def start_decision(state: State, execution: Execution, task: DecisionTask, at: int, identity: str | None) -> None:
    """Hand the task to a poller."""
    task.started = record(state, execution, at, 'DecisionTaskStarted', started_attributes(task.id, identity))
    task.started_at = execution.last_time
    state.touch(execution, task)


def complete_decision(
    state: State, execution: Execution, task: DecisionTask, at: int, response: dict[str, Any]
) -> None:
    """Records the completion, applies the decisions in order, and schedules the next task if one is needed."""
    completed = record(state, execution, at, 'DecisionTaskCompleted', completed_attributes(task, response))
    state.drop(execution, task)
    execution.decision = None
    note_progress(state, execution, task, response)
    context = DecisionContext(
        state=state, execution=execution, at=at, completed=completed, unhandled=execution.queued is not None
    )
    for decision in response.get('decisions', ()):
        decide(context, decision)
    if not execution.closed:
        next_task(state, execution, at, needed=context.failed)


def completed_attributes(task: DecisionTask, response: dict[str, Any]) -> dict[str, Any]:
    """Attributes of DecisionTaskCompleted, with the task list override as it was given."""
    attributes: dict[str, Any] = {'scheduledEventId': task.id, 'startedEventId': task.started}
    if response.get('executionContext') is not None:
        attributes['executionContext'] = response['executionContext']
    if response.get('taskList'):
        attributes['taskList'] = {'name': response['taskList']['name']}
        if response.get('taskListScheduleToStartTimeout'):
            attributes['taskListScheduleToStartTimeout'] = response['taskListScheduleToStartTimeout']
    return attributes


def note_progress(state: State, execution: Execution, task: DecisionTask, response: dict[str, Any]) -> None:
    """Stores the execution context and the task list that a response sets.

    A task list with a schedule-to-start time-out holds until it is replaced or fails (the *sticky list* of a decider
    that keeps the execution in memory); one without replaces the list for good.
    """
    progress = execution.progress
    progress.previous_started = task.started
    before = progress.context, progress.task_list, progress.task_list_to_start, progress.original_list
    progress.context = response.get('executionContext', progress.context)
    if response.get('taskList'):
        progress.task_list = response['taskList']['name']
        progress.task_list_to_start = response.get('taskListScheduleToStartTimeout') or None
        if progress.task_list_to_start is None:
            progress.original_list = progress.task_list
    if before != (progress.context, progress.task_list, progress.task_list_to_start, progress.original_list):
        state.touch(execution, progress)


def next_task(state: State, execution: Execution, at: int, *, needed: bool) -> None:
    """The queued task becomes pollable; without one, a new task is scheduled if one is ``needed``."""
    queued = execution.queued
    if queued is not None:
        execution.decision, execution.queued = queued, None
        queued.pollable, queued.ready = True, max(at, execution.last_time)
        state.offer(execution, queued)
    elif needed:
        need_decision(state, execution, at)


def time_out_decision(state: State, execution: Execution, task: DecisionTask, at: int) -> None:
    """Record the time-out; the service schedules the next attempt itself, on the original list."""
    attributes = {
        'timeoutType': 'START_TO_CLOSE' if task.started else 'SCHEDULE_TO_START',
        'scheduledEventId': task.id,
        'startedEventId': task.started,
    }
    record(state, execution, at, 'DecisionTaskTimedOut', attributes)
    state.drop(execution, task)
    execution.decision = None
    drop_override(state, execution)
    next_task(state, execution, at, needed=True)


def drop_override(state: State, execution: Execution) -> None:
    """Ends the use of a temporary task list; the next tasks go to the original one."""
    progress = execution.progress
    if progress.task_list_to_start is not None:
        progress.task_list, progress.task_list_to_start = progress.original_list, None
        state.touch(execution, progress)
