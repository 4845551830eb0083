"""The beginning of an execution: resolved values, its first two events."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from genflow.local.rules.recording import given, need_decision, record
from genflow.local.state.domains import TypeRecord
from genflow.local.state.execution import Execution, Parent
from genflow.local.state.items import MILLISECONDS, Progress
from genflow.local.state.state import State

__all__ = ['DEFAULTS', 'Settings', 'missing_default', 'new_run_id', 'resolve', 'start_execution']

DEFAULTS: dict[str, tuple[str, str]] = {
    'executionStartToCloseTimeout': (
        'defaultExecutionStartToCloseTimeout',
        'DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    ),
    'taskList': ('defaultTaskList', 'DEFAULT_TASK_LIST_UNDEFINED'),
    'taskStartToCloseTimeout': ('defaultTaskStartToCloseTimeout', 'DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED'),
    'childPolicy': ('defaultChildPolicy', 'DEFAULT_CHILD_POLICY_UNDEFINED'),
}
"""Request member -> (the type's default for it, the cause where neither gives it), in the order of the checks."""


@frozen(kw_only=True)
class Settings:
    """The settings of a start: the caller's values, else the type's defaults. Time-outs are text, in seconds."""

    task_list: str
    child_policy: str
    execution_timeout: str
    task_timeout: str
    priority: str | None
    lambda_role: str | None
    tags: tuple[str | None, ...]
    input: str | None

    def event(self) -> dict[str, Any]:
        """The attributes that Started, Initiated and ContinuedAsNew events share."""
        return given(
            input=self.input,
            executionStartToCloseTimeout=self.execution_timeout,
            taskStartToCloseTimeout=self.task_timeout,
            childPolicy=self.child_policy,
            taskList={'name': self.task_list},
            taskPriority=self.priority,
            tagList=list(self.tags) or None,
            lambdaRole=self.lambda_role,
        )


def missing_default(request: Mapping[str, Any], record: TypeRecord) -> str | None:
    """The first required member that neither the request nor the type gives; ``None`` if there is none."""
    for member, (default, _) in DEFAULTS.items():
        if not request.get(member) and not record.default(default):
            return member
    return None


def resolve(request: Mapping[str, Any], record: TypeRecord) -> Settings:
    """The settings of a start for which :func:`missing_default` found nothing missing."""
    task_list = request.get('taskList')
    return Settings(
        task_list=task_list['name'] if task_list else str(record.default('defaultTaskList')),
        child_policy=request.get('childPolicy') or str(record.default('defaultChildPolicy')),
        execution_timeout=request.get('executionStartToCloseTimeout')
        or str(record.default('defaultExecutionStartToCloseTimeout')),
        task_timeout=request.get('taskStartToCloseTimeout') or str(record.default('defaultTaskStartToCloseTimeout')),
        priority=request.get('taskPriority') or record.default('defaultTaskPriority'),
        lambda_role=request.get('lambdaRole') or record.default('defaultLambdaRole'),
        tags=tuple(request.get('tagList') or ()),
        input=request.get('input'),
    )


def new_run_id() -> str:
    """A new run id, in the form of SWF's."""
    return '22' + base64.urlsafe_b64encode(os.urandom(32)).decode()


def start_execution(
    state: State,
    at: int,
    *,
    domain: str,
    workflow_id: str,
    workflow_type: tuple[str, str],
    settings: Settings,
    parent: Parent | None = None,
    continued: str | None = None,
    run_id: str | None = None,
) -> Execution:
    """Open an execution: WorkflowExecutionStarted, DecisionTaskScheduled.

    ``continued`` is the run that this one continues. ``run_id`` is its id, if the caller has chosen one.
    """
    limit = int(settings.execution_timeout) * MILLISECONDS
    execution = Execution(
        key=state.next_key,
        domain=domain,
        workflow_id=workflow_id,
        run_id=run_id or new_run_id(),
        type_name=workflow_type[0],
        type_version=workflow_type[1],
        task_list=settings.task_list,
        child_policy=settings.child_policy,
        execution_timeout=settings.execution_timeout,
        task_timeout=settings.task_timeout,
        priority=settings.priority,
        lambda_role=settings.lambda_role,
        tags=settings.tags,
        parent=parent,
        started_at=at,
        progress=Progress(due=at + limit, task_list=settings.task_list, original_list=settings.task_list),
    )
    state.enter(execution)
    record(state, execution, at, 'WorkflowExecutionStarted', started_attributes(execution, settings, continued))
    state.touch(execution, execution.progress)
    need_decision(state, execution, at)
    return execution


def started_attributes(execution: Execution, settings: Settings, continued: str | None) -> dict[str, Any]:
    """The attributes of event 1; as at SWF, ``parentInitiatedEventId`` is 0 if there is no parent."""
    parent = execution.parent
    return given(
        **settings.event(),
        workflowType=execution.type,
        continuedExecutionRunId=continued,
        parentWorkflowExecution=parent and {'workflowId': parent.workflow_id, 'runId': parent.run_id},
        parentInitiatedEventId=parent.initiated if parent else 0,
    )
