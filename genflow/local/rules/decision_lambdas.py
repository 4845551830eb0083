"""The decision ScheduleLambdaFunction, and the life of a Lambda function: a Python callable that the service runs."""

from __future__ import annotations

from functools import partial
from typing import Any

from genflow.local.batch import EVENT_BITS
from genflow.local.rules.execution import Execution
from genflow.local.rules.recording import given, record, record_and_decide
from genflow.local.rules.state import LambdaFunction, period
from genflow.local.rules.turn import Turn
from genflow.local.world import World

LONGEST_SECONDS = '900'
NO_ROLE = 'No IAM role is attached to the current workflow execution.'


def schedule_lambda(turn: Turn, attributes: dict[str, Any]) -> None:
    """Schedule a function; it starts after this response."""
    known = {'id': attributes['id'], 'name': attributes['name']}
    cause = schedule_cause(turn, attributes['id'])
    if cause:
        turn.fail('ScheduleLambdaFunctionFailed', cause, known)
        return
    timeout = attributes.get('startToCloseTimeout') or LONGEST_SECONDS
    event_id = turn.record(
        'LambdaFunctionScheduled',
        given(
            **known,
            control=attributes.get('control'),
            input=attributes.get('input'),
            startToCloseTimeout=timeout,
        ),
    )
    task = LambdaFunction(id=event_id, name=attributes['id'], function=attributes['name'], run=period(timeout) or 0)
    turn.execution.lambdas[event_id] = task
    turn.world.touch(turn.execution, task)
    turn.world.agenda.append(
        partial(start_lambda, execution=turn.execution, scheduled=event_id, input=attributes.get('input') or '{}')
    )


def schedule_cause(turn: Turn, name: str) -> str | None:
    """Why the function cannot be scheduled."""
    world, execution = turn.world, turn.execution
    if not world.functions:
        return 'LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION'
    if any(task.name == name for task in execution.lambdas.values()):
        return 'ID_ALREADY_IN_USE'
    if len(execution.lambdas) >= world.limits.open_lambdas:
        return 'OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED'
    return None if world.rates.allow('ScheduleLambdaFunction', turn.at) else 'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED'


def start_lambda(world: World, at: int, *, execution: Execution, scheduled: int, input: str) -> None:
    """Begin the run, for which the execution must have a role."""
    task = None if execution.closed else execution.lambdas.get(scheduled)
    if task is None:
        return
    if execution.lambda_role is None:
        del execution.lambdas[scheduled]
        world.drop(execution, task)
        attributes = {'scheduledEventId': scheduled, 'cause': 'ASSUME_ROLE_FAILED', 'message': NO_ROLE}
        record_and_decide(world, execution, at, 'StartLambdaFunctionFailed', attributes)
        return
    task.started = record(world, execution, at, 'LambdaFunctionStarted', {'scheduledEventId': scheduled})
    task.started_at = execution.last_time
    world.touch(execution, task)
    world.running.append((execution.key << EVENT_BITS | scheduled, task.function, input))


def settle_lambda(
    world: World, execution: Execution, task: LambdaFunction, at: int, event_type: str, outcome: dict[str, Any]
) -> None:
    """Record how the function ended."""
    del execution.lambdas[task.id]
    world.drop(execution, task)
    attributes = {**outcome, 'scheduledEventId': task.id, 'startedEventId': task.started}
    record_and_decide(world, execution, at, event_type, attributes)
