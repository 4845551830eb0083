"""The engine's decisions turned into SWF's dicts: a table from decision class to encoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from genflow.core.model import decisions as core

__all__ = ['ENCODERS', 'encode', 'seconds_text']

Attributes = dict[str, Any]


def encode(decision: core.Decision) -> dict[str, Any]:
    """One decision as ``RespondDecisionTaskCompleted`` takes it; members that are ``None`` are left out."""
    kind, attributes_of = ENCODERS[type(decision)]
    attributes = {name: value for name, value in attributes_of(decision).items() if value is not None}
    return {'decisionType': kind, f'{kind[0].lower()}{kind[1:]}DecisionAttributes': attributes}


def seconds_text(seconds: float | None) -> str | None:
    """A duration as SWF writes it: whole seconds rounded up, ``NONE`` for infinity, ``None`` stays."""
    return None if seconds is None else 'NONE' if seconds == math.inf else str(math.ceil(seconds))


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _list(name: str | None) -> dict[str, str] | None:
    return None if name is None else {'name': name}


def _type(decision: core.ScheduleActivity | core.StartChild) -> dict[str, str]:
    return {'name': decision.name, 'version': decision.version}


def _schedule_activity(decision: core.ScheduleActivity) -> Attributes:
    return {
        'activityType': _type(decision),
        'activityId': decision.activity_id,
        'control': decision.control,
        'input': decision.input,
        'taskList': _list(decision.task_list),
        'taskPriority': _text(decision.priority),
        'heartbeatTimeout': seconds_text(decision.heartbeat),
        'scheduleToCloseTimeout': seconds_text(decision.schedule_to_close),
        'scheduleToStartTimeout': seconds_text(decision.schedule_to_start),
        'startToCloseTimeout': seconds_text(decision.start_to_close),
    }


def _request_cancel_activity(decision: core.RequestCancelActivity) -> Attributes:
    return {'activityId': decision.activity_id}


def _start_timer(decision: core.StartTimer) -> Attributes:
    return {
        'timerId': decision.timer_id,
        'startToFireTimeout': seconds_text(decision.seconds),
        'control': decision.control,
    }


def _cancel_timer(decision: core.CancelTimer) -> Attributes:
    return {'timerId': decision.timer_id}


def _execution_options(decision: core.StartChild | core.ContinueAsNew) -> Attributes:
    """What a child and a continued run may both be given."""
    return {
        'input': decision.input,
        'taskList': _list(decision.task_list),
        'taskPriority': _text(decision.priority),
        'executionStartToCloseTimeout': seconds_text(decision.workflow_duration),
        'taskStartToCloseTimeout': seconds_text(decision.decision_duration),
        'childPolicy': decision.child_policy,
        'tagList': list(decision.tags) or None,
        'lambdaRole': decision.lambda_role,
    }


def _start_child(decision: core.StartChild) -> Attributes:
    return {
        'workflowType': _type(decision),
        'workflowId': decision.workflow_id,
        'control': decision.control,
        **_execution_options(decision),
    }


def _continue_as_new(decision: core.ContinueAsNew) -> Attributes:
    return {'workflowTypeVersion': decision.version, **_execution_options(decision)}


def _signal_external(decision: core.SignalExternal) -> Attributes:
    return {
        'workflowId': decision.workflow_id,
        'runId': decision.run_id,
        'signalName': decision.signal,
        'input': decision.input,
        'control': decision.control,
    }


def _request_cancel_external(decision: core.RequestCancelExternal) -> Attributes:
    return {'workflowId': decision.workflow_id, 'runId': decision.run_id, 'control': decision.control}


def _schedule_lambda(decision: core.ScheduleLambda) -> Attributes:
    return {
        'id': decision.lambda_id,
        'name': decision.name,
        'input': decision.input,
        'control': decision.control,
        'startToCloseTimeout': seconds_text(decision.start_to_close),
    }


def _record_marker(decision: core.RecordMarker) -> Attributes:
    return {'markerName': decision.name, 'details': decision.details}


def _complete(decision: core.CompleteWorkflow) -> Attributes:
    return {'result': decision.result}


def _fail(decision: core.FailWorkflow) -> Attributes:
    return {'reason': decision.reason, 'details': decision.details}


def _cancel(decision: core.CancelWorkflow) -> Attributes:
    return {'details': decision.details}


ENCODERS: dict[type, tuple[str, Callable[[Any], Attributes]]] = {
    core.ScheduleActivity: ('ScheduleActivityTask', _schedule_activity),
    core.RequestCancelActivity: ('RequestCancelActivityTask', _request_cancel_activity),
    core.StartTimer: ('StartTimer', _start_timer),
    core.CancelTimer: ('CancelTimer', _cancel_timer),
    core.StartChild: ('StartChildWorkflowExecution', _start_child),
    core.RequestCancelExternal: ('RequestCancelExternalWorkflowExecution', _request_cancel_external),
    core.SignalExternal: ('SignalExternalWorkflowExecution', _signal_external),
    core.ScheduleLambda: ('ScheduleLambdaFunction', _schedule_lambda),
    core.RecordMarker: ('RecordMarker', _record_marker),
    core.CompleteWorkflow: ('CompleteWorkflowExecution', _complete),
    core.FailWorkflow: ('FailWorkflowExecution', _fail),
    core.CancelWorkflow: ('CancelWorkflowExecution', _cancel),
    core.ContinueAsNew: ('ContinueAsNewWorkflowExecution', _continue_as_new),
}
"""From each decision class to SWF's decision type and the function that fills its attributes."""
