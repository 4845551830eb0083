"""The thirteen decisions as a decider writes them, with the members that a test does not care about filled in."""

from __future__ import annotations

from typing import Any

Decision = dict[str, Any]

ACTIVITY = {'name': 'act', 'version': '1'}
WORKFLOW = {'name': 'wf', 'version': '1'}


def decision(kind: str, **attributes: Any) -> Decision:
    """A decision of `kind` with the attributes that are not None."""
    given = {name: value for name, value in attributes.items() if value is not None}
    return {'decisionType': kind, f'{kind[0].lower()}{kind[1:]}DecisionAttributes': given}


def complete(result: str | None = None) -> Decision:
    return decision('CompleteWorkflowExecution', result=result)


def fail(reason: str | None = None, details: str | None = None) -> Decision:
    return decision('FailWorkflowExecution', reason=reason, details=details)


def cancel(details: str | None = None) -> Decision:
    return decision('CancelWorkflowExecution', details=details)


def continue_as_new(**attributes: Any) -> Decision:
    return decision('ContinueAsNewWorkflowExecution', **attributes)


def schedule(activity_id: str = 'a', **attributes: Any) -> Decision:
    return decision('ScheduleActivityTask', activityId=activity_id, **{'activityType': ACTIVITY, **attributes})


def cancel_activity(activity_id: str = 'a') -> Decision:
    return decision('RequestCancelActivityTask', activityId=activity_id)


def marker(name: str = 'm', details: str | None = None) -> Decision:
    return decision('RecordMarker', markerName=name, details=details)


def start_timer(timer_id: str = 't', seconds: str = '10', **attributes: Any) -> Decision:
    return decision('StartTimer', timerId=timer_id, startToFireTimeout=seconds, **attributes)


def cancel_timer(timer_id: str = 't') -> Decision:
    return decision('CancelTimer', timerId=timer_id)


def signal_external(workflow_id: str, signal: str = 's', **attributes: Any) -> Decision:
    return decision('SignalExternalWorkflowExecution', workflowId=workflow_id, signalName=signal, **attributes)


def cancel_external(workflow_id: str, **attributes: Any) -> Decision:
    return decision('RequestCancelExternalWorkflowExecution', workflowId=workflow_id, **attributes)


def start_child(workflow_id: str = 'child', **attributes: Any) -> Decision:
    return decision('StartChildWorkflowExecution', workflowId=workflow_id, **{'workflowType': WORKFLOW, **attributes})


def schedule_lambda(function_id: str = 'l', name: str = 'double', **attributes: Any) -> Decision:
    return decision('ScheduleLambdaFunction', id=function_id, name=name, **attributes)
