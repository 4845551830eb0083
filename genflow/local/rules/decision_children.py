"""The decision StartChildWorkflowExecution."""

from __future__ import annotations

from functools import partial
from typing import Any

from genflow.local.rules.decision_context import DecisionContext
from genflow.local.rules.recording import given, record_and_decide
from genflow.local.rules.starting import DEFAULTS, Settings, missing_default, new_run_id, resolve, start_execution
from genflow.local.state.domains import TypeRecord
from genflow.local.state.execution import Execution, Parent
from genflow.local.state.items import Child
from genflow.local.state.state import State

__all__ = ['start_child']

FAILED = 'StartChildWorkflowExecutionFailed'


def start_child(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """Initiates a child, which starts after this response, unless an open execution has its workflow id then."""
    workflow_type = {name: attributes['workflowType'][name] for name in ('name', 'version')}
    record = context.domain.types['workflow'].get((workflow_type['name'], workflow_type['version']))
    known = given(workflowType=workflow_type, workflowId=attributes['workflowId'], control=attributes.get('control'))
    cause = start_cause(context, attributes, record)
    if cause or record is None:
        context.fail(FAILED, cause or 'WORKFLOW_TYPE_DOES_NOT_EXIST', {**known, 'initiatedEventId': 0})
        return
    settings = resolve(attributes, record)
    initiated = context.record('StartChildWorkflowExecutionInitiated', {**known, **settings.event()})
    child = context.execution.children[initiated] = Child(id=initiated, workflow_id=attributes['workflowId'])
    context.state.touch(context.execution, child)
    context.state.agenda.append(
        partial(
            begin_child,
            parent=context.execution,
            child=child,
            known=known,
            settings=settings,
            completed=context.completed,
        )
    )


def start_cause(context: DecisionContext, attributes: dict[str, Any], record: TypeRecord | None) -> str | None:
    """The cause with which SWF refuses to initiate a child; ``None`` if it does not."""
    state, execution = context.state, context.execution
    cause = context.type_cause('WORKFLOW', record)
    if cause or record is None:
        return cause
    missing = missing_default(attributes, record)
    if missing:
        return DEFAULTS[missing][1]
    if len(execution.children) >= state.limits.open_children:
        return 'OPEN_CHILDREN_LIMIT_EXCEEDED'
    if state.population[execution.domain] >= state.limits.open_executions:
        return 'OPEN_WORKFLOWS_LIMIT_EXCEEDED'
    return None if state.rates.allow('StartChildWorkflowExecution', context.at) else 'CHILD_CREATION_RATE_EXCEEDED'


def begin_child(
    state: State,
    at: int,
    *,
    parent: Execution,
    child: Child,
    known: dict[str, Any],
    settings: Settings,
    completed: int,
) -> None:
    """Starts an initiated child, and records that in the parent.

    If the parent has closed meanwhile, the child starts only if the parent's policy is ABANDON.
    """
    if parent.closed and parent.child_policy != 'ABANDON':
        return
    if (parent.domain, child.workflow_id) in state.open:
        refuse_child(state, at, parent, child, known, completed)
        return
    run_id = new_run_id()
    if not parent.closed:
        attributes = {
            'workflowExecution': {'workflowId': child.workflow_id, 'runId': run_id},
            'workflowType': dict(known['workflowType']),
            'initiatedEventId': child.id,
        }
        child.key, child.run_id = state.next_key, run_id
        child.started = record_and_decide(state, parent, at, 'ChildWorkflowExecutionStarted', attributes)
        state.touch(parent, child)
    start_execution(
        state,
        at,
        domain=parent.domain,
        workflow_id=child.workflow_id,
        workflow_type=(known['workflowType']['name'], known['workflowType']['version']),
        settings=settings,
        parent=Parent(parent.key, parent.workflow_id, parent.run_id, child.id),
        run_id=run_id,
    )


def refuse_child(state: State, at: int, parent: Execution, child: Child, known: dict[str, Any], completed: int) -> None:
    """Records that the child did not start, because an open execution has its workflow id."""
    if not parent.closed:
        del parent.children[child.id]
        state.drop(parent, child)
        attributes = {
            **known,
            'cause': 'WORKFLOW_ALREADY_RUNNING',
            'initiatedEventId': child.id,
            'decisionTaskCompletedEventId': completed,
        }
        record_and_decide(state, parent, at, FAILED, attributes)
