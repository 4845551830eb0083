"""The events of a history as the engine reads them: one small class for each kind.

``genflow.swf.wire.events`` makes these from SWF's 54 event types; those that mean nothing to a workflow (an activity
was started, a decision task was scheduled) have no class here. Three groups:

* *frame*: ``DecisionStarted``, ``DecisionCompleted``, ``DecisionTimedOut`` cut the history into decisions;
* *input*: what happened to the execution and its tasks. ``ref`` is the id of the event that scheduled the task;
* *output*: what a decision recorded. ``decision_id`` is the id of its ``DecisionTaskCompleted``.

A cold replay makes one of these for each of thousands of events, so they are plain slotted classes: attrs' frozen
classes take nearly three times as long to make. Treat them as values all the same.
"""

from __future__ import annotations

from datetime import datetime

from attrs import define

__all__ = [
    'ActivityCancelRequested',
    'ActivityScheduled',
    'CancelInitiated',
    'CancelRequested',
    'Canceled',
    'ChildInitiated',
    'ChildStarted',
    'CloseRefused',
    'Closed',
    'Completed',
    'DecisionCompleted',
    'DecisionStarted',
    'DecisionTimedOut',
    'Delivered',
    'Event',
    'Failed',
    'LambdaScheduled',
    'MarkerRecorded',
    'Refused',
    'SignalInitiated',
    'Signaled',
    'Terminated',
    'TimedOut',
    'TimerCanceled',
    'TimerFired',
    'TimerStarted',
    'Undelivered',
    'WorkflowStarted',
]


@define
class WorkflowStarted:
    """``WorkflowExecutionStarted``: always event 1. Durations in seconds, ``math.inf`` for ``NONE``."""

    id: int
    time: datetime
    name: str
    version: str
    input: str | None = None
    task_list: str | None = None
    child_policy: str | None = None
    workflow_duration: float | None = None
    decision_duration: float | None = None
    priority: int | None = None
    tags: tuple[str, ...] = ()
    lambda_role: str | None = None
    parent_workflow_id: str | None = None
    parent_run_id: str | None = None
    continued_run_id: str | None = None


@define
class DecisionStarted:
    id: int
    time: datetime


@define
class DecisionCompleted:
    id: int
    started_id: int


@define
class DecisionTimedOut:
    """A decision task that was started and timed out; its input joins the next one."""

    id: int


@define
class Signaled:
    id: int
    name: str
    input: str | None = None


@define
class CancelRequested:
    id: int
    cause: str | None = None


@define
class Completed:
    """An activity, child or Lambda function completed; ``result`` is the text of its result."""

    id: int
    ref: int
    result: str | None = None


@define
class Failed:
    id: int
    ref: int
    reason: str | None = None
    details: str | None = None


@define
class TimedOut:
    id: int
    ref: int
    timeout_type: str
    details: str | None = None


@define
class Canceled:
    id: int
    ref: int
    details: str | None = None


@define
class Terminated:
    """A child was terminated."""

    id: int
    ref: int


@define
class TimerFired:
    id: int
    ref: int


@define
class ChildStarted:
    id: int
    ref: int
    workflow_id: str
    run_id: str


@define
class Delivered:
    """A signal or cancel request reached the other execution."""

    id: int
    ref: int


@define
class Undelivered:
    """SWF could not do what a decision initiated, and found that out after the decision.

    Examples: the workflow id of a child is in use, an external execution does not exist, a Lambda function may not run.
    """

    id: int
    ref: int
    cause: str
    message: str | None = None


@define
class ActivityScheduled:
    id: int
    decision_id: int
    activity_id: str
    name: str
    version: str
    input: str | None = None


@define
class ChildInitiated:
    id: int
    decision_id: int
    workflow_id: str
    name: str
    version: str
    input: str | None = None
    control: str | None = None


@define
class TimerStarted:
    id: int
    decision_id: int
    timer_id: str
    seconds: int
    control: str | None = None


@define
class LambdaScheduled:
    id: int
    decision_id: int
    lambda_id: str
    name: str
    input: str | None = None


@define
class SignalInitiated:
    id: int
    decision_id: int
    workflow_id: str
    signal: str
    run_id: str | None = None
    input: str | None = None
    control: str | None = None


@define
class CancelInitiated:
    id: int
    decision_id: int
    workflow_id: str
    run_id: str | None = None
    control: str | None = None


@define
class ActivityCancelRequested:
    id: int
    decision_id: int
    activity_id: str


@define
class TimerCanceled:
    id: int
    decision_id: int
    timer_id: str


@define
class MarkerRecorded:
    id: int
    decision_id: int
    name: str
    details: str | None = None


@define
class Refused:
    """SWF recorded a decision as failed at once.

    Attributes:
        kind: What was asked for: ``activity``, ``child``, ``timer``, ``lambda``, ``signal``, ``cancel request``,
            ``cancel activity``, ``cancel timer`` or ``marker``.
        key: The activity id, workflow id, timer id, Lambda id or marker name.
        control: The control of the decision, if the event repeats it (children, signals, cancel requests).
    """

    id: int
    decision_id: int
    kind: str
    key: str
    cause: str
    control: str | None = None


@define
class CloseRefused:
    """A close that SWF did not accept, mostly ``UNHANDLED_DECISION``.

    Attributes:
        how: The close that was tried: ``completed``, ``failed``, ``canceled`` or ``continued``.
    """

    id: int
    decision_id: int
    how: str
    cause: str


@define
class Closed:
    """The last event of a closed execution.

    Attributes:
        how: ``completed``, ``failed``, ``canceled``, ``continued``, ``terminated`` or ``timed out``.
        decision_id: ``None`` where no decision closed it.
        result: Of ``completed`` the result, of ``continued`` the new input.
    """

    id: int
    decision_id: int | None
    how: str
    result: str | None = None
    reason: str | None = None
    details: str | None = None
    run_id: str | None = None


Event = (
    WorkflowStarted
    | DecisionStarted
    | DecisionCompleted
    | DecisionTimedOut
    | Signaled
    | CancelRequested
    | Completed
    | Failed
    | TimedOut
    | Canceled
    | Terminated
    | TimerFired
    | ChildStarted
    | Delivered
    | Undelivered
    | ActivityScheduled
    | ChildInitiated
    | TimerStarted
    | LambdaScheduled
    | SignalInitiated
    | CancelInitiated
    | ActivityCancelRequested
    | TimerCanceled
    | MarkerRecorded
    | Refused
    | CloseRefused
    | Closed
)
