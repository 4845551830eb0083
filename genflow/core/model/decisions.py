"""What the engine decides: one class for each of SWF's thirteen decision types.

Durations are whole seconds; ``math.inf`` is SWF's ``NONE`` and ``None`` leaves the member out, so that the type's
default holds. Payloads are text already. ``genflow.swf.wire.decisions`` turns these values into SWF's dicts. They are
plain slotted classes for the same reason as the events: treat them as values all the same.
"""

from __future__ import annotations

from attrs import define

__all__ = [
    'CLOSES',
    'CancelTimer',
    'CancelWorkflow',
    'CompleteWorkflow',
    'ContinueAsNew',
    'Decision',
    'Decisions',
    'FailWorkflow',
    'RecordMarker',
    'RequestCancelActivity',
    'RequestCancelExternal',
    'ScheduleActivity',
    'ScheduleLambda',
    'SignalExternal',
    'StartChild',
    'StartTimer',
]

Seconds = int | float


@define(unsafe_hash=True)
class ScheduleActivity:
    activity_id: str
    name: str
    version: str
    input: str | None = None
    control: str | None = None
    task_list: str | None = None
    priority: int | None = None
    heartbeat: Seconds | None = None
    schedule_to_close: Seconds | None = None
    schedule_to_start: Seconds | None = None
    start_to_close: Seconds | None = None


@define(unsafe_hash=True)
class RequestCancelActivity:
    activity_id: str


@define(unsafe_hash=True)
class StartTimer:
    timer_id: str
    seconds: int
    control: str | None = None


@define(unsafe_hash=True)
class CancelTimer:
    timer_id: str


@define(unsafe_hash=True)
class StartChild:
    workflow_id: str
    name: str
    version: str
    input: str | None = None
    control: str | None = None
    task_list: str | None = None
    priority: int | None = None
    workflow_duration: Seconds | None = None
    decision_duration: Seconds | None = None
    child_policy: str | None = None
    tags: tuple[str, ...] = ()
    lambda_role: str | None = None


@define(unsafe_hash=True)
class RequestCancelExternal:
    workflow_id: str
    run_id: str | None = None
    control: str | None = None


@define(unsafe_hash=True)
class SignalExternal:
    workflow_id: str
    signal: str
    run_id: str | None = None
    input: str | None = None
    control: str | None = None


@define(unsafe_hash=True)
class ScheduleLambda:
    lambda_id: str
    name: str
    input: str | None = None
    control: str | None = None
    start_to_close: int | None = None


@define(unsafe_hash=True)
class RecordMarker:
    name: str
    details: str | None = None


@define(unsafe_hash=True)
class CompleteWorkflow:
    result: str | None = None


@define(unsafe_hash=True)
class FailWorkflow:
    reason: str | None = None
    details: str | None = None


@define(unsafe_hash=True)
class CancelWorkflow:
    details: str | None = None


@define(unsafe_hash=True)
class ContinueAsNew:
    input: str | None = None
    version: str | None = None
    task_list: str | None = None
    priority: int | None = None
    workflow_duration: Seconds | None = None
    decision_duration: Seconds | None = None
    child_policy: str | None = None
    tags: tuple[str, ...] = ()
    lambda_role: str | None = None


Decision = (
    ScheduleActivity
    | RequestCancelActivity
    | StartTimer
    | CancelTimer
    | StartChild
    | RequestCancelExternal
    | SignalExternal
    | ScheduleLambda
    | RecordMarker
    | CompleteWorkflow
    | FailWorkflow
    | CancelWorkflow
    | ContinueAsNew
)

CLOSES = (CompleteWorkflow, FailWorkflow, CancelWorkflow, ContinueAsNew)


@define(unsafe_hash=True)
class Decisions:
    """The answer to one decision task.

    Attributes:
        all: Every decision, in order: markers first, a close last.
        context: The execution context to set (``set_status``), or ``None`` to leave it as it is.
        markers: How many of ``all`` are markers. They stand at the front and must go with this response, since what
            they record has already been used by the code.
        wake: The zero-second timer that causes the next decision task if ``all`` does not fit into one response.
        later: Markers for the response that is only a chunk: they name further attempts that may be left over.
    """

    all: tuple[Decision, ...] = ()
    context: str | None = None
    markers: int = 0
    wake: StartTimer | None = None
    later: tuple[RecordMarker, ...] = ()

    def first_chunk(self, count: int) -> tuple[Decision, ...]:
        """The first ``count`` decisions; if more are left, with the markers and the timer that bring the next task.

        The rest stays with the engine, which reads from the next history how far this response went.
        """
        if count >= len(self.all):
            return self.all
        if self.wake is None:
            raise ValueError('these decisions cannot be sent in chunks')
        markers = self.markers
        return (*self.all[:markers], *self.later, *self.all[markers : max(count, markers)], self.wake)
