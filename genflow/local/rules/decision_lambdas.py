"""The decision ScheduleLambdaFunction, and the life of a Lambda function: a Python callable that the service runs."""

from __future__ import annotations

from functools import partial
from typing import Any

from genflow.local.rules.decision_context import DecisionContext
from genflow.local.rules.recording import given, record, record_and_decide
from genflow.local.state.execution import Execution
from genflow.local.state.items import LambdaFunction, period
from genflow.local.state.state import FunctionRun, State
from genflow.local.state.transaction import EVENT_BITS

__all__ = ['schedule_lambda', 'settle_lambda']

LONGEST_SECONDS = '900'
NO_ROLE = 'No IAM role is attached to the current workflow execution.'


def schedule_lambda(context: DecisionContext, attributes: dict[str, Any]) -> None:
    """Schedules a function, which starts after this response."""
    known = {'id': attributes['id'], 'name': attributes['name']}
    cause = schedule_cause(context, attributes['id'])
    if cause:
        context.fail('ScheduleLambdaFunctionFailed', cause, known)
        return
    timeout = attributes.get('startToCloseTimeout') or LONGEST_SECONDS
    event_id = context.record(
        'LambdaFunctionScheduled',
        given(
            **known,
            control=attributes.get('control'),
            input=attributes.get('input'),
            startToCloseTimeout=timeout,
        ),
    )
    task = LambdaFunction(id=event_id, name=attributes['id'], function=attributes['name'], run=period(timeout) or 0)
    context.execution.lambdas[event_id] = task
    context.state.touch(context.execution, task)
    context.state.agenda.append(
        partial(start_lambda, execution=context.execution, scheduled=event_id, input=attributes.get('input') or '{}')
    )


def schedule_cause(context: DecisionContext, name: str) -> str | None:
    """The cause with which SWF refuses to schedule the function, or ``None``; a missing role fails its start."""
    state, execution = context.state, context.execution
    if execution.lambda_role is not None and not state.functions:
        return 'LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION'
    if any(task.name == name for task in execution.lambdas.values()):
        return 'ID_ALREADY_IN_USE'
    if len(execution.lambdas) >= state.limits.open_lambdas:
        return 'OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED'
    return None if state.rates.allow('ScheduleLambdaFunction', context.at) else 'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED'


def start_lambda(state: State, at: int, *, execution: Execution, scheduled: int, input: str) -> None:
    """Starts the function, if the execution has a role, and else records why it does not start."""
    task = None if execution.closed else execution.lambdas.get(scheduled)
    if task is None:
        return
    if execution.lambda_role is None:
        del execution.lambdas[scheduled]
        state.drop(execution, task)
        attributes = {'scheduledEventId': scheduled, 'cause': 'ASSUME_ROLE_FAILED', 'message': NO_ROLE}
        record_and_decide(state, execution, at, 'StartLambdaFunctionFailed', attributes)
        return
    task.started = record(state, execution, at, 'LambdaFunctionStarted', {'scheduledEventId': scheduled})
    task.started_at = execution.last_time
    state.touch(execution, task)
    ref = execution.key << EVENT_BITS | scheduled
    state.running.append(FunctionRun(state.batch.number, ref, task.function, input))


def settle_lambda(
    state: State, execution: Execution, task: LambdaFunction, at: int, event_type: str, outcome: dict[str, Any]
) -> None:
    """Record how the function ended."""
    del execution.lambdas[task.id]
    state.drop(execution, task)
    attributes = {**outcome, 'scheduledEventId': task.id, 'startedEventId': task.started}
    record_and_decide(state, execution, at, event_type, attributes)
