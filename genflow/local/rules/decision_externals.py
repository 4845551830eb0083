"""The decisions about other executions: signal one, or request its cancellation.

The response records the request (…Initiated). It is carried out after the response, on the run that is open then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from genflow.local.rules.closing import request_cancel
from genflow.local.rules.decision_context import DecisionContext
from genflow.local.rules.recording import given, record_and_decide
from genflow.local.state.execution import Execution
from genflow.local.state.state import State

__all__ = ['request_cancel_external', 'signal_external']

UNKNOWN = 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION'


def signal_external(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """SignalExternalWorkflowExecution."""
    asked = _asked(attributes, 'workflowId', 'runId', 'signalName', 'input', 'control')
    refused = partial(refuse_signal, cause='SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED')
    _initiate(context, 'SignalExternalWorkflowExecutionInitiated', asked, deliver_signal, refused)


def request_cancel_external(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """RequestCancelExternalWorkflowExecution."""
    asked = _asked(attributes, 'workflowId', 'runId', 'control')
    refused = partial(refuse_cancel, cause='REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED')
    _initiate(context, 'RequestCancelExternalWorkflowExecutionInitiated', asked, deliver_cancel, refused)


def _asked(attributes: dict[str, Any], *names: str) -> dict[str, Any]:
    """What is there of the attributes of a decision."""
    return given(**{name: attributes.get(name) for name in names})


def _initiate(
    context: DecisionContext,
    event_type: str,
    asked: dict[str, Any],
    deliver: Callable[..., None],
    refuse: Callable[..., None],
) -> None:
    """Record that something was asked for, and have it carried out after the decision.

    Args:
        context: The decision.
        event_type: Of the event that records it; without its ending it names the decision, and the rate.
        asked: Its attributes.
        deliver: Carries it out.
        refuse: Tells the sender that the rate is exceeded.
    """
    initiated = context.record(event_type, dict(asked))
    is_allowed = context.state.rates.allow(event_type.removesuffix('Initiated'), context.at)
    effect = deliver if is_allowed else refuse
    context.state.agenda.append(
        partial(effect, sender=context.execution, asked=asked, initiated=initiated, completed=context.completed)
    )


def target_of(state: State, domain: str, workflow_id: str, run_id: str | None) -> Execution | None:
    """The open run of a workflow id; ``None`` if there is none, or if ``run_id`` names another one."""
    found = state.running_one(domain, workflow_id)
    return None if found is None or (run_id and found.run_id != run_id) else found


def deliver_signal(
    state: State, at: int, *, sender: Execution, asked: dict[str, Any], initiated: int, completed: int
) -> None:
    """Records the signal in the target, and in the sender that it arrived."""
    target = target_of(state, sender.domain, asked['workflowId'], asked.get('runId'))
    if target is None:
        refuse_signal(state, at, sender=sender, asked=asked, initiated=initiated, completed=completed, cause=UNKNOWN)
        return
    attributes = given(
        signalName=asked['signalName'],
        input=asked.get('input'),
        externalWorkflowExecution=sender.reference,
        externalInitiatedEventId=initiated,
    )
    record_and_decide(state, target, at, 'WorkflowExecutionSignaled', attributes)
    tell_sender(state, at, sender, target, 'ExternalWorkflowExecutionSignaled', initiated)


def deliver_cancel(
    state: State, at: int, *, sender: Execution, asked: dict[str, Any], initiated: int, completed: int
) -> None:
    """Records the request for cancellation in the target, and in the sender that it arrived."""
    target = target_of(state, sender.domain, asked['workflowId'], asked.get('runId'))
    if target is None:
        refuse_cancel(state, at, sender=sender, asked=asked, initiated=initiated, completed=completed, cause=UNKNOWN)
        return
    attributes = {'externalWorkflowExecution': sender.reference, 'externalInitiatedEventId': initiated}
    request_cancel(state, target, at, attributes)
    tell_sender(state, at, sender, target, 'ExternalWorkflowExecutionCancelRequested', initiated)


def tell_sender(state: State, at: int, sender: Execution, target: Execution, event_type: str, initiated: int) -> None:
    """Records in the sender, if it is open, that its request arrived."""
    if not sender.closed:
        attributes = {'workflowExecution': target.reference, 'initiatedEventId': initiated}
        record_and_decide(state, sender, at, event_type, attributes)


def _refuse(
    state: State,
    at: int,
    *,
    event_type: str,
    sender: Execution,
    asked: dict[str, Any],
    initiated: int,
    completed: int,
    cause: str,
) -> None:
    """The sender, if it is still open, learns why it did not."""
    if not sender.closed:
        attributes = _asked(asked, 'workflowId', 'runId', 'control')
        attributes['cause'] = cause
        attributes['initiatedEventId'] = initiated
        attributes['decisionTaskCompletedEventId'] = completed
        record_and_decide(state, sender, at, event_type, attributes)


refuse_signal = partial(_refuse, event_type='SignalExternalWorkflowExecutionFailed')
refuse_cancel = partial(_refuse, event_type='RequestCancelExternalWorkflowExecutionFailed')
