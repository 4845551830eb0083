"""What may happen to an open item: the events that tell of it, what they refer to, and when they may come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from genflow.testing.histories.open_items import ImpossibleStory, Item
from genflow.testing.histories.writer import EventWriter

__all__ = ['CAUSES', 'deadline', 'event_for', 'references', 'start']

ENDINGS: dict[str, dict[str, str]] = {
    'activity': {
        'completed': 'ActivityTaskCompleted',
        'failed': 'ActivityTaskFailed',
        'timed out': 'ActivityTaskTimedOut',
        'canceled': 'ActivityTaskCanceled',
    },
    'child': {
        'completed': 'ChildWorkflowExecutionCompleted',
        'failed': 'ChildWorkflowExecutionFailed',
        'timed out': 'ChildWorkflowExecutionTimedOut',
        'canceled': 'ChildWorkflowExecutionCanceled',
        'terminated': 'ChildWorkflowExecutionTerminated',
        'refused': 'StartChildWorkflowExecutionFailed',
    },
    'lambda': {
        'completed': 'LambdaFunctionCompleted',
        'failed': 'LambdaFunctionFailed',
        'timed out': 'LambdaFunctionTimedOut',
        'refused': 'StartLambdaFunctionFailed',
    },
    'timer': {'fired': 'TimerFired'},
    'signal': {
        'delivered': 'ExternalWorkflowExecutionSignaled',
        'refused': 'SignalExternalWorkflowExecutionFailed',
    },
    'cancel request': {
        'delivered': 'ExternalWorkflowExecutionCancelRequested',
        'refused': 'RequestCancelExternalWorkflowExecutionFailed',
    },
}
"""By kind of item and what happens to it: the event."""

CAUSES = {
    'child': 'WORKFLOW_ALREADY_RUNNING',
    'lambda': 'ASSUME_ROLE_FAILED',
    'signal': 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION',
    'cancel request': 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION',
}
"""Why SWF does not do later what it accepted, unless a test says otherwise."""


_ARTICLES = {'activity': 'an'}


def event_for(item: Item, verb: str) -> str:
    """The event that tells of it.

    Raises:
        ImpossibleStory: That does not happen to items of this kind.
    """
    found = ENDINGS[item.kind].get(verb)
    if found is None:
        can = ' or '.join(ENDINGS[item.kind])
        raise ImpossibleStory(f'{item} cannot be {verb}: {_ARTICLES.get(item.kind, "a")} {item.kind} can be {can}')
    if verb == 'refused' and item.started_id:
        raise ImpossibleStory(f'{item} cannot be refused: it was started in event {item.started_id}')
    return found


# references between events


def references(item: Item, event_type: str) -> dict[str, Any]:
    """The attributes with which an event names the item."""
    if event_type in _SPECIAL:
        return _SPECIAL[event_type](item)
    return _REFERENCES[item.kind](item)


def _task(item: Item) -> dict[str, Any]:
    return {'scheduledEventId': item.id, 'startedEventId': item.started_id}


def _child(item: Item) -> dict[str, Any]:
    return {
        'workflowExecution': {'workflowId': item.key, 'runId': item.run_id},
        'workflowType': dict(item.attributes['workflowType']),
        'initiatedEventId': item.id,
        'startedEventId': item.started_id,
    }


def _timer(item: Item) -> dict[str, Any]:
    return {'timerId': item.key, 'startedEventId': item.id}


def _external(item: Item) -> dict[str, Any]:
    run_id = item.attributes.get('runId') or f'run-{item.id}'
    return {
        'workflowExecution': {'workflowId': item.attributes['workflowId'], 'runId': run_id},
        'initiatedEventId': item.id,
    }


def _initiated(*names: str) -> Callable[[Item], dict[str, Any]]:
    """What a failed event repeats of the one that initiated it."""

    def read(item: Item) -> dict[str, Any]:
        kept = {
            name: item.attributes[name] for name in (*names, 'decisionTaskCompletedEventId') if name in item.attributes
        }
        return {**kept, 'initiatedEventId': item.id}

    return read


_REFERENCES: dict[str, Callable[[Item], dict[str, Any]]] = {
    'activity': _task,
    'child': _child,
    'lambda': _task,
    'timer': _timer,
    'signal': _external,
    'cancel request': _external,
}

_SPECIAL: dict[str, Callable[[Item], dict[str, Any]]] = {
    'StartChildWorkflowExecutionFailed': _initiated('workflowType', 'workflowId', 'control'),
    'SignalExternalWorkflowExecutionFailed': _initiated('workflowId', 'runId', 'control'),
    'RequestCancelExternalWorkflowExecutionFailed': _initiated('workflowId', 'runId', 'control'),
    'StartLambdaFunctionFailed': lambda item: {'scheduledEventId': item.id},
}


# starting


def start(draft: EventWriter, item: Item) -> Item:
    """Starts an item that is not started.

    Raises:
        ImpossibleStory: It is started, or of a kind that is never started.
    """
    if item.kind not in _STARTS:
        raise ImpossibleStory(f'{item} cannot be started: only activities, children and Lambda functions can')
    if item.started_id:
        raise ImpossibleStory(f'{item} was started in event {item.started_id} already')
    _STARTS[item.kind](draft, item)
    return draft.ledger.opened_at(item.id)


def _start_activity(draft: EventWriter, item: Item) -> None:
    draft.add('ActivityTaskStarted', scheduledEventId=item.id)


def _start_lambda(draft: EventWriter, item: Item) -> None:
    draft.add('LambdaFunctionStarted', scheduledEventId=item.id)


def _start_child(draft: EventWriter, item: Item) -> None:
    draft.add(
        'ChildWorkflowExecutionStarted',
        workflowExecution={'workflowId': item.key, 'runId': f'run-{item.id}'},
        workflowType=dict(item.attributes['workflowType']),
        initiatedEventId=item.id,
    )
    draft.wake()


_STARTS: dict[str, Callable[[EventWriter, Item], None]] = {
    'activity': _start_activity,
    'child': _start_child,
    'lambda': _start_lambda,
}


# time

_LIMITS = {
    ('activity', 'SCHEDULE_TO_START'): ('scheduleToStartTimeout', False),
    ('activity', 'SCHEDULE_TO_CLOSE'): ('scheduleToCloseTimeout', False),
    ('activity', 'START_TO_CLOSE'): ('startToCloseTimeout', True),
    ('activity', 'HEARTBEAT'): ('heartbeatTimeout', True),
    ('child', 'START_TO_CLOSE'): ('executionStartToCloseTimeout', True),
    ('lambda', 'START_TO_CLOSE'): ('startToCloseTimeout', True),
    ('timer', ''): ('startToFireTimeout', False),
}
"""By kind and time-out type: the attribute with the limit, and whether the item has to be started for it."""


def deadline(item: Item, timeout_type: str) -> tuple[timedelta, bool]:
    """How long an item may take, and whether that counts from its start.

    Raises:
        ImpossibleStory: An item of this kind has no such time-out, or the limit is ``NONE``.
    """
    found = _LIMITS.get((item.kind, timeout_type))
    if found is None:
        known = ', '.join(name for kind, name in _LIMITS if kind == item.kind and name)
        raise ImpossibleStory(f'{item} has no time-out {timeout_type!r}; it has {known or "none"}')
    limit, from_start = found
    text = item.attributes[limit]
    if text == 'NONE':
        raise ImpossibleStory(f'{item} cannot be timed out by {timeout_type}: its {limit} is NONE')
    return timedelta(seconds=int(text)), from_start
