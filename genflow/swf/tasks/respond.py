"""Answering tasks. An answer is accepted, comes too late, or is refused; none of the three is a crash.

Answers are repeated until the service has said something, since SWF takes each task's answer once: a second one is
told that the task is gone. That is also what a repeated answer hears whose first sending got through although its
acknowledgement was lost, so a late answer may have been recorded all the same.
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
    """The activity left the worker; somebody else answers with the task's token."""


Outcome = Completed | Failed | Canceled | Suspended

_ANSWERS: dict[type, tuple[str, tuple[str, ...]]] = {
    Completed: ('respond_activity_task_completed', ('result',)),
    Failed: ('respond_activity_task_failed', ('reason', 'details')),
    Canceled: ('respond_activity_task_canceled', ('details',)),
}


def in_plain_words(outcome: Outcome) -> Outcome:
    """What to answer where SWF refused an outcome: the same without what may have displeased it."""
    if isinstance(outcome, Failed):
        return Failed(plain(outcome.reason, MAX_REASON))
    if isinstance(outcome, Canceled):
        return Canceled()
    return Failed(ANSWER_REFUSED, 'SWF refused the response')


def plain_close(decisions: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Decisions that SWF refused with their close in plain words; ``None`` where no free text closes them."""
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
        Exception: The client's error where the service could not be reached in all the time that was given to it.
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
        task_list: The list on which the execution's next decision tasks are to appear.
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
            log.warning('the answer for %s came too late, its task is gone: %s', task, faults.told(error))
            return 'late'
        if faults.is_unsupported(error):
            log.error('the answer for %s was refused: %s', task, faults.told(error))  # noqa: TRY400 - no traceback of ours helps
            return 'refused'
        raise
    return 'accepted'
