"""The decisions that close an execution; refused while something is recorded that the decider has not seen."""

from __future__ import annotations

from functools import partial
from typing import Any

from genflow.local.registry import TypeRecord
from genflow.local.rules.closing import close
from genflow.local.rules.execution import Execution
from genflow.local.rules.recording import given
from genflow.local.rules.starting import DEFAULTS, Settings, missing_default, new_run_id, resolve, start_execution
from genflow.local.rules.turn import Turn

UNHANDLED = 'UNHANDLED_DECISION'


def end(turn: Turn, attributes: dict[str, Any], *, event_type: str, failed: str, members: tuple[str, ...]) -> None:
    """Close with the given members of the decision; a queued decision task forbids it and will serve as the next."""
    if turn.unhandled:
        turn.record(failed, {'cause': UNHANDLED})
        return
    outcome = given(**{member: attributes.get(member) for member in members})
    outcome['decisionTaskCompletedEventId'] = turn.completed
    close(turn.world, turn.execution, turn.at, event_type, outcome)


complete_workflow_execution = partial(
    end, event_type='WorkflowExecutionCompleted', failed='CompleteWorkflowExecutionFailed', members=('result',)
)
fail_workflow_execution = partial(
    end, event_type='WorkflowExecutionFailed', failed='FailWorkflowExecutionFailed', members=('reason', 'details')
)
cancel_workflow_execution = partial(
    end, event_type='WorkflowExecutionCanceled', failed='CancelWorkflowExecutionFailed', members=('details',)
)


def continue_as_new(turn: Turn, attributes: dict[str, Any]) -> None:
    """Close, and open the next run of the same workflow id, whose values come from the decision or the type only."""
    if turn.unhandled:
        turn.record('ContinueAsNewWorkflowExecutionFailed', {'cause': UNHANDLED})
        return
    execution = turn.execution
    version = attributes.get('workflowTypeVersion') or execution.type_version
    record = turn.domain.types['workflow'].get((execution.type_name, version))
    cause = continue_cause(turn, attributes, record)
    if cause or record is None:
        turn.fail('ContinueAsNewWorkflowExecutionFailed', cause or 'WORKFLOW_TYPE_DOES_NOT_EXIST', {})
        return
    hand_over(turn, resolve(attributes, record), (execution.type_name, version))


def continue_cause(turn: Turn, attributes: dict[str, Any], record: TypeRecord | None) -> str | None:
    """Why the next run cannot be started."""
    cause = turn.type_cause('WORKFLOW', record)
    if cause or record is None:
        return cause
    missing = missing_default(attributes, record)
    if missing:
        return DEFAULTS[missing][1]
    allowed = turn.world.rates.allow('ContinueAsNewWorkflowExecution', turn.at)
    return None if allowed else 'CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED'


def hand_over(turn: Turn, settings: Settings, workflow_type: tuple[str, str]) -> None:
    """Close this run and start its successor, which keeps the parent."""
    execution, run_id = turn.execution, new_run_id()
    name, version = workflow_type
    attributes = {
        **settings.event(),
        'newExecutionRunId': run_id,
        'workflowType': {'name': name, 'version': version},
        'decisionTaskCompletedEventId': turn.completed,
    }
    close(turn.world, execution, turn.at, 'WorkflowExecutionContinuedAsNew', attributes)
    successor = start_execution(
        turn.world,
        turn.at,
        domain=execution.domain,
        workflow_id=execution.workflow_id,
        workflow_type=workflow_type,
        settings=settings,
        parent=execution.parent,
        continued=execution.run_id,
        run_id=run_id,
    )
    follow(turn, execution, successor)


def follow(turn: Turn, execution: Execution, successor: Execution) -> None:
    """The parent's child is the successor from now on; its history shows nothing of it."""
    parent = turn.world.find(execution.parent.key) if execution.parent else None
    child = parent and execution.parent and parent.children.get(execution.parent.initiated)
    if parent and child:
        child.key, child.run_id = successor.key, successor.run_id
        turn.world.touch(parent, child)
