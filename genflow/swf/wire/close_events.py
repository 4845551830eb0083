"""The result of a closed execution, from its last event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from genflow.core import errors
from genflow.core.payloads.failures import decode_failure
from genflow.core.payloads.hooks import Serialization

__all__ = ['ENDINGS', 'result_of']

Event = Mapping[str, Any]


def result_of(event: Event, hooks: Serialization) -> Any:
    """The result of an execution whose history ends with ``event``, one of :data:`ENDINGS`.

    Raises:
        ChildFailed: It failed; ``ChildTimedOut``, ``ChildCanceled`` and ``ChildTerminated`` likewise.
    """
    return ENDINGS[event['eventType']](event, hooks)


def _completed(event: Event, hooks: Serialization) -> Any:
    text = event['workflowExecutionCompletedEventAttributes'].get('result')
    return None if text is None else hooks._deserialize_result(text)


def _failed(event: Event, hooks: Serialization) -> Any:
    attributes = event['workflowExecutionFailedEventAttributes']
    failure = decode_failure(attributes.get('reason'), attributes.get('details'))
    raise errors.ChildFailed(failure.reason, failure.details, failure.traceback)


def _timed_out(event: Event, hooks: Serialization) -> Any:
    kind = event['workflowExecutionTimedOutEventAttributes']['timeoutType']
    raise errors.ChildTimedOut('the execution timed out', timeout_type=kind)


def _canceled(event: Event, hooks: Serialization) -> Any:
    details = event['workflowExecutionCanceledEventAttributes'].get('details')
    raise errors.ChildCanceled('the execution was canceled', details)


def _terminated(event: Event, hooks: Serialization) -> Any:
    attributes = event['workflowExecutionTerminatedEventAttributes']
    reason = attributes.get('reason') or attributes.get('cause') or 'the execution was terminated'
    raise errors.ChildTerminated(reason, attributes.get('details'))


ENDINGS: dict[str, Callable[[Event, Serialization], Any]] = {
    'WorkflowExecutionCompleted': _completed,
    'WorkflowExecutionFailed': _failed,
    'WorkflowExecutionTimedOut': _timed_out,
    'WorkflowExecutionCanceled': _canceled,
    'WorkflowExecutionTerminated': _terminated,
}
"""For each event type that ends an execution, apart from a restart, the function that returns or raises its result."""
