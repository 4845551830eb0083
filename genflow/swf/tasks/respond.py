"""Answers tasks. An answer is accepted, comes too late, or is refused; none of these raises.

An answer is repeated until the service responds, since SWF takes each task's answer once: to a second one it responds
that the task is gone. It does so too if the first one was recorded and only the acknowledgement was lost. So an answer
that counts as late may have been recorded.
"""

from __future__ import annotations

import logging
from typing import Any, Literal

from attrs import frozen

from genflow.core.model.wire_names import ANSWER_REFUSED
from genflow.core.payloads.failures import MAX_REASON
from genflow.core.payloads.wire_text import plain
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask

__all__ = [
    'Canceled',
    'Completed',
    'Failed',
    'Outcome',
    'Suspended',
    'Verdict',
    'in_plain_words',
    'plain_close',
    'respond_activity',
    'respond_decision',
]

log = logging.getLogger('genflow.worker')

Verdict = Literal['accepted', 'late', 'refused']


@frozen
class Completed:
    """The activity gave a result, serialized."""

    result: str | None = None


@frozen
class Failed:
    """The activity failed; both texts are within SWF's limits."""

    reason: str
    details: str | None = None


@frozen
class Canceled:
    """The activity stopped because it was asked to."""

    details: str | None = None


@frozen
class Suspended:
    """The activity left the worker; another program answers with the task's token."""


Outcome = Completed | Failed | Canceled | Suspended

_ANSWERS: dict[type, tuple[str, tuple[str, ...]]] = {
    Completed: ('respond_activity_task_completed', ('result',)),
    Failed: ('respond_activity_task_failed', ('reason', 'details')),
    Canceled: ('respond_activity_task_canceled', ('details',)),
}


def in_plain_words(outcome: Outcome) -> Outcome:
    """The answer to send after SWF refused an outcome: without details, and with the reason in plain ASCII."""
    if isinstance(outcome, Failed):
        return Failed(plain(outcome.reason, MAX_REASON))
    if isinstance(outcome, Canceled):
        return Canceled()
    return Failed(ANSWER_REFUSED, 'SWF refused the response')


def plain_close(decisions: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Refused decisions whose close has no details and a plain ASCII reason; ``None`` if it has no free text."""
    kind = decisions[-1]['decisionType'] if decisions else None
    if kind == 'FailWorkflowExecution':
        reason = plain(decisions[-1]['failWorkflowExecutionDecisionAttributes'].get('reason', ''), MAX_REASON)
        close = {'decisionType': kind, 'failWorkflowExecutionDecisionAttributes': {'reason': reason}}
    elif kind == 'CancelWorkflowExecution':
        close = {'decisionType': kind, 'cancelWorkflowExecutionDecisionAttributes': {}}
    else:
        return None
    return [*decisions[:-1], close]


def respond_activity(service: RetryingClient, task: ActivityTask, outcome: Outcome) -> Verdict:
    """Answers an activity task; :class:`Suspended` needs no answer.

    Raises:
        Exception: The client's error, if the service could not be reached in time.
    """
    if isinstance(outcome, Suspended):
        return 'accepted'
    operation, names = _ANSWERS[type(outcome)]
    attributes = {name: getattr(outcome, name) for name in names if getattr(outcome, name) is not None}
    return _answer(service, task, operation, {'taskToken': task.token, **attributes})


def respond_decision(
    service: RetryingClient,
    task: DecisionTask,
    decisions: list[dict[str, Any]],
    *,
    context: str | None = None,
    task_list: str | None = None,
    wait: int | None = None,
) -> Verdict:
    """Answers a decision task.

    Args:
        service: Where to.
        task: What is answered.
        decisions: In SWF's form.
        context: The execution context to set.
        task_list: The list for the execution's next decision tasks.
        wait: Seconds after which a task that nobody took from ``task_list`` goes back to the original list.

    Raises:
        Exception: As for :func:`respond_activity`.
    """
    request: dict[str, Any] = {'taskToken': task.token, 'decisions': decisions}
    if context is not None:
        request['executionContext'] = context
    if task_list is not None:
        request['taskList'] = {'name': task_list}
    if wait is not None:
        request['taskListScheduleToStartTimeout'] = str(wait)
    return _answer(service, task, 'respond_decision_task_completed', request)


def _answer(
    service: RetryingClient, task: ActivityTask | DecisionTask, operation: str, request: dict[str, Any]
) -> Verdict:
    try:
        service.call(operation, **request)
    except Exception as error:
        if faults.is_late(error):
            log.warning('the answer for %s came too late, its task is gone: %s', task, faults.shown(error))
            return 'late'
        if faults.is_unsupported(error):
            log.error('the answer for %s was refused: %s', task, faults.shown(error))  # noqa: TRY400 - no traceback of ours helps
            return 'refused'
        raise
    return 'accepted'
