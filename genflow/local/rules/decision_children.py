"""The decision StartChildWorkflowExecution."""

from __future__ import annotations

from functools import partial
from typing import Any

from genflow.local.registry import TypeRecord
from genflow.local.rules.execution import Execution, Parent
from genflow.local.rules.recording import given, record_and_decide
from genflow.local.rules.starting import DEFAULTS, Settings, missing_default, new_run_id, resolve, start_execution
from genflow.local.rules.state import Child
from genflow.local.rules.turn import Turn
from genflow.local.world import World

FAILED = 'StartChildWorkflowExecutionFailed'


def start_child(turn: Turn, attributes: dict[str, Any]) -> None:
    """Initiate a child; it starts after this response, unless its workflow id is taken then."""
    workflow_type = {name: attributes['workflowType'][name] for name in ('name', 'version')}
    record = turn.domain.types['workflow'].get((workflow_type['name'], workflow_type['version']))
    known = given(workflowType=workflow_type, workflowId=attributes['workflowId'], control=attributes.get('control'))
    cause = start_cause(turn, attributes, record)
    if cause or record is None:
        turn.fail(FAILED, cause or 'WORKFLOW_TYPE_DOES_NOT_EXIST', {**known, 'initiatedEventId': 0})
        return
    settings = resolve(attributes, record)
    initiated = turn.record('StartChildWorkflowExecutionInitiated', {**known, **settings.event()})
    child = turn.execution.children[initiated] = Child(id=initiated, workflow_id=attributes['workflowId'])
    turn.world.touch(turn.execution, child)
    turn.world.agenda.append(
        partial(
            begin_child, parent=turn.execution, child=child, known=known, settings=settings, completed=turn.completed
        )
    )


def start_cause(turn: Turn, attributes: dict[str, Any], record: TypeRecord | None) -> str | None:
    """Why no child can be initiated: its type, its defaults, the limits."""
    world, execution = turn.world, turn.execution
    cause = turn.type_cause('WORKFLOW', record)
    if cause or record is None:
        return cause
    missing = missing_default(attributes, record)
    if missing:
        return DEFAULTS[missing][1]
    if len(execution.children) >= world.limits.open_children:
        return 'OPEN_CHILDREN_LIMIT_EXCEEDED'
    if world.population[execution.domain] >= world.limits.open_executions:
        return 'OPEN_WORKFLOWS_LIMIT_EXCEEDED'
    return None if world.rates.allow('StartChildWorkflowExecution', turn.at) else 'CHILD_CREATION_RATE_EXCEEDED'


def begin_child(
    world: World,
    at: int,
    *,
    parent: Execution,
    child: Child,
    known: dict[str, Any],
    settings: Settings,
    completed: int,
) -> None:
    """Start what was initiated, and tell the parent.

    A parent that has closed meanwhile gets its child only if it would have abandoned it.
    """
    if parent.closed and parent.child_policy != 'ABANDON':
        return
    if (parent.domain, child.workflow_id) in world.open:
        refuse_child(world, at, parent, child, known, completed)
        return
    run_id = new_run_id()
    if not parent.closed:
        attributes = {
            'workflowExecution': {'workflowId': child.workflow_id, 'runId': run_id},
            'workflowType': dict(known['workflowType']),
            'initiatedEventId': child.id,
        }
        child.key, child.run_id = world.next_key, run_id
        child.started = record_and_decide(world, parent, at, 'ChildWorkflowExecutionStarted', attributes)
        world.touch(parent, child)
    start_execution(
        world,
        at,
        domain=parent.domain,
        workflow_id=child.workflow_id,
        workflow_type=(known['workflowType']['name'], known['workflowType']['version']),
        settings=settings,
        parent=Parent(parent.key, parent.workflow_id, parent.run_id, child.id),
        run_id=run_id,
    )


def refuse_child(world: World, at: int, parent: Execution, child: Child, known: dict[str, Any], completed: int) -> None:
    """An open execution has the workflow id."""
    if not parent.closed:
        del parent.children[child.id]
        world.drop(parent, child)
        attributes = {
            **known,
            'cause': 'WORKFLOW_ALREADY_RUNNING',
            'initiatedEventId': child.id,
            'decisionTaskCompletedEventId': completed,
        }
        record_and_decide(world, parent, at, FAILED, attributes)
