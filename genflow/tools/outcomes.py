"""How an execution closed, and what that is in Python: a value, or an exception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from genflow.core.errors import ChildCanceled, ChildFailed, ChildTerminated, ChildTimedOut, TaskFailed
from genflow.core.failures import decode_failure
from genflow.core.registry import WorkflowSpec

__all__ = ['Outcome', 'failure_of', 'result_of']

# state: the exception that says so
ERRORS: dict[str, type[TaskFailed]] = {
    'failed': ChildFailed,
    'timed out': ChildTimedOut,
    'canceled': ChildCanceled,
    'terminated': ChildTerminated,
}


@frozen
class Outcome:
    """How an execution closed.

    Attributes:
        workflow_id: Its workflow id.
        run_id: The run that closed, the last one where the workflow restarted.
        state: ``completed``, ``failed``, ``timed out``, ``canceled`` or ``terminated``.
        close: The attributes of the closing event.
    """

    workflow_id: str
    run_id: str
    state: str
    close: Mapping[str, Any]

    @property
    def completed(self) -> bool:
        return self.state == 'completed'


def result_of(outcome: Outcome, spec: WorkflowSpec) -> Any:
    """The result of an execution, decoded as the workflow's own transport does.

    Raises:
        TaskFailed: It did not complete.
    """
    if not outcome.completed:
        raise failure_of(outcome)
    text = outcome.close.get('result')
    return None if text is None else spec.cls()._deserialize_result(text)


def failure_of(outcome: Outcome) -> TaskFailed:
    """The exception that says how an execution closed, with reason, details and the remote traceback."""
    told = decode_failure(outcome.close.get('reason') or outcome.close.get('timeoutType'), outcome.close.get('details'))
    reason = f'workflow {outcome.workflow_id} {outcome.state}'
    if told.reason:
        reason = f'{reason}: {told.reason.splitlines()[0]}'  # what follows is in the traceback
    error = ERRORS[outcome.state](reason, told.details, told.traceback)
    error.names = told.names
    return error
