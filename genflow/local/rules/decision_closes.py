"""The decisions that close an execution; SWF refuses them if the history has events that the decider has not seen."""

from __future__ import annotations

from functools import partial
from typing import Any

from genflow.local.rules.closing import close
from genflow.local.rules.decision_context import DecisionContext
from genflow.local.rules.recording import given
from genflow.local.rules.starting import DEFAULTS, Settings, missing_default, new_run_id, resolve, start_execution
from genflow.local.state.domains import TypeRecord
from genflow.local.state.execution import Execution

__all__ = ['cancel_workflow_execution', 'complete_workflow_execution', 'continue_as_new', 'fail_workflow_execution']

UNHANDLED = 'UNHANDLED_DECISION'


def end(
    context: DecisionContext, attributes: dict[str, Any], *, event_type: str, failed: str, members: tuple[str, ...]
) -> None:
    """Closes an execution with these members of the decision; refused if another decision task is queued."""
    if context.unhandled:
        context.record(failed, {'cause': UNHANDLED})
        return
    outcome = given(**{member: attributes.get(member) for member in members})
    outcome['decisionTaskCompletedEventId'] = context.completed
    close(context.state, context.execution, context.at, event_type, outcome)


complete_workflow_execution = partial(
    end, event_type='WorkflowExecutionCompleted', failed='CompleteWorkflowExecutionFailed', members=('result',)
)
fail_workflow_execution = partial(
    end, event_type='WorkflowExecutionFailed', failed='FailWorkflowExecutionFailed', members=('reason', 'details')
)
cancel_workflow_execution = partial(
    end, event_type='WorkflowExecutionCanceled', failed='CancelWorkflowExecutionFailed', members=('details',)
)


def continue_as_new(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """Closes the run and opens the next one of its workflow id, with settings of the decision or the type alone."""
    if context.unhandled:
        context.record('ContinueAsNewWorkflowExecutionFailed', {'cause': UNHANDLED})
        return
    execution = context.execution
    version = attributes.get('workflowTypeVersion') or execution.type_version
    record = context.domain.types['workflow'].get((execution.type_name, version))
    cause = continue_cause(context, attributes, record)
    if cause or record is None:
        context.fail('ContinueAsNewWorkflowExecutionFailed', cause or 'WORKFLOW_TYPE_DOES_NOT_EXIST', {})
        return
    hand_over(context, resolve(attributes, record), (execution.type_name, version))


def continue_cause(context: DecisionContext, attributes: dict[str, Any], record: TypeRecord | None) -> str | None:
    """The cause with which SWF refuses to start the next run; ``None`` if it does not."""
    cause = context.type_cause('WORKFLOW', record)
    if cause or record is None:
        return cause
    missing = missing_default(attributes, record)
    if missing:
        return DEFAULTS[missing][1]
    allowed = context.state.rates.allow('ContinueAsNewWorkflowExecution', context.at)
    return None if allowed else 'CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED'


def hand_over(context: DecisionContext, settings: Settings, workflow_type: tuple[str, str]) -> None:
    """Close this run and start its successor, which keeps the parent."""
    execution, run_id = context.execution, new_run_id()
    name, version = workflow_type
    attributes = {
        **settings.event(),
        'newExecutionRunId': run_id,
        'workflowType': {'name': name, 'version': version},
        'decisionTaskCompletedEventId': context.completed,
    }
    close(context.state, execution, context.at, 'WorkflowExecutionContinuedAsNew', attributes)
    successor = start_execution(
        context.state,
        context.at,
        domain=execution.domain,
        workflow_id=execution.workflow_id,
        workflow_type=workflow_type,
        settings=settings,
        parent=execution.parent,
        continued=execution.run_id,
        run_id=run_id,
    )
    follow(context, execution, successor)


def follow(context: DecisionContext, execution: Execution, successor: Execution) -> None:
    """Makes the successor the parent's child; the parent's history does not show it."""
    parent = context.state.find(execution.parent.key) if execution.parent else None
    child = parent and execution.parent and parent.children.get(execution.parent.initiated)
    if parent and child:
        child.key, child.run_id = successor.key, successor.run_id
        context.state.touch(parent, child)
