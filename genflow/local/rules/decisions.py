"""The thirteen decisions, by type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genflow.local.requests.validation import decision_member
from genflow.local.rules.decision_activities import request_cancel_activity_task, schedule_activity_task
from genflow.local.rules.decision_children import start_child
from genflow.local.rules.decision_closes import (
    cancel_workflow_execution,
    complete_workflow_execution,
    continue_as_new,
    fail_workflow_execution,
)
from genflow.local.rules.decision_context import DecisionContext
from genflow.local.rules.decision_externals import request_cancel_external, signal_external
from genflow.local.rules.decision_lambdas import schedule_lambda
from genflow.local.rules.decision_timers import cancel_timer, record_marker, start_timer

__all__ = ['DECISIONS', 'DENIALS', 'decide']

DECISIONS: dict[str, Callable[[DecisionContext, dict[str, Any]], None]] = {
    'ScheduleActivityTask': schedule_activity_task,
    'RequestCancelActivityTask': request_cancel_activity_task,
    'CompleteWorkflowExecution': complete_workflow_execution,
    'FailWorkflowExecution': fail_workflow_execution,
    'CancelWorkflowExecution': cancel_workflow_execution,
    'ContinueAsNewWorkflowExecution': continue_as_new,
    'RecordMarker': record_marker,
    'StartTimer': start_timer,
    'CancelTimer': cancel_timer,
    'SignalExternalWorkflowExecution': signal_external,
    'RequestCancelExternalWorkflowExecution': request_cancel_external,
    'StartChildWorkflowExecution': start_child,
    'ScheduleLambdaFunction': schedule_lambda,
}

DENIALS: dict[str, tuple[str, tuple[str, ...]]] = {
    'ScheduleActivityTask': ('ScheduleActivityTaskFailed', ('activityType', 'activityId')),
    'RequestCancelActivityTask': ('RequestCancelActivityTaskFailed', ('activityId',)),
    'CompleteWorkflowExecution': ('CompleteWorkflowExecutionFailed', ()),
    'FailWorkflowExecution': ('FailWorkflowExecutionFailed', ()),
    'CancelWorkflowExecution': ('CancelWorkflowExecutionFailed', ()),
    'ContinueAsNewWorkflowExecution': ('ContinueAsNewWorkflowExecutionFailed', ()),
    'RecordMarker': ('RecordMarkerFailed', ('markerName',)),
    'StartTimer': ('StartTimerFailed', ('timerId',)),
    'CancelTimer': ('CancelTimerFailed', ('timerId',)),
    'SignalExternalWorkflowExecution': (
        'SignalExternalWorkflowExecutionFailed',
        ('workflowId', 'runId', 'control'),
    ),
    'RequestCancelExternalWorkflowExecution': (
        'RequestCancelExternalWorkflowExecutionFailed',
        ('workflowId', 'runId', 'control'),
    ),
    'StartChildWorkflowExecution': ('StartChildWorkflowExecutionFailed', ('workflowType', 'workflowId', 'control')),
}
"""Decision type -> (its failed event, the members that name what it was about); a Lambda function cannot be denied."""

_INITIATED = frozenset(
    {
        'SignalExternalWorkflowExecutionFailed',
        'RequestCancelExternalWorkflowExecutionFailed',
        'StartChildWorkflowExecutionFailed',
    }
)
"""Failed events whose ``initiatedEventId`` is required, and 0 where nothing was initiated."""


def decide(context: DecisionContext, decision: dict[str, Any]) -> None:
    """Applies one decision: records its event, or the event with the cause of its failure."""
    decision_type = decision['decisionType']
    attributes = decision[decision_member(decision_type)]
    if decision_type in context.state.denied and decision_type in DENIALS:
        deny(context, decision_type, attributes)
    else:
        DECISIONS[decision_type](context, attributes)


def deny(context: DecisionContext, decision_type: str, attributes: dict[str, Any]) -> None:
    """Records that the caller is not permitted to make a decision (``OPERATION_NOT_PERMITTED``)."""
    failed, members = DENIALS[decision_type]
    known = {name: attributes[name] for name in members if name in attributes}
    if failed in _INITIATED:
        known['initiatedEventId'] = 0
    context.fail(failed, 'OPERATION_NOT_PERMITTED', known)
