"""Runs a single activity in the test's own thread, and records its heartbeats."""

from __future__ import annotations

import inspect
from contextvars import copy_context
from typing import Any

from attrs import define, field

from genflow.core.authoring.activity import Activity, ActivityInfo, made_current
from genflow.core.authoring.function_activity import FunctionActivity
from genflow.core.errors import StopActivity, SuspendTask
from genflow.core.model.registry import declared
from genflow.swf.worker.event_loop import finished

__all__ = ['ActivityRun', 'run_activity']

TOKEN = 'test-token'  # noqa: S105 - a task token, which is no secret here


@define
class ActivityRun:
    """The result of one run of an activity.

    Attributes:
        result: The value that its workflow gets; ``None`` if it returned none.
        heartbeats: The details of each heartbeat.
        canceled: Whether it stopped because its cancellation was requested.
        details: The details of the cancellation.
        suspended: Whether it raised ``SuspendTask``, so that its task has to be answered by token.
    """

    result: Any = None
    heartbeats: list[str | None] = field(factory=list)
    canceled: bool = False
    details: str | None = None
    suspended: bool = False


@define
class Recorder:
    """Takes the place of the worker."""

    info: ActivityInfo
    run: ActivityRun
    cancel_after: int | None
    token: str = TOKEN

    @property
    def details(self) -> str | None:
        return self.run.heartbeats[-1] if self.run.heartbeats else None

    def heartbeat(self, details: str | None) -> bool:
        self.run.heartbeats.append(details)
        return self.cancel_after is None or len(self.run.heartbeats) <= self.cancel_after


def run_activity(
    activity: type[Activity] | Activity | FunctionActivity[Any, Any, Any],
    /,
    *args: Any,
    heartbeat_says_cancel_after: int | None = None,
    last_heartbeat: str | None = None,
    attempt: int = 1,
    workflow_id: str = 'workflow-1',
    run_id: str = 'run-1',
    **kwargs: Any,
) -> ActivityRun:
    """Runs an activity with no worker and no service.

    Arguments and result travel through the activity's serialization, as they do on the way from and to a workflow.

    Args:
        activity: The class, an instance (if the constructor takes arguments), or the function.
        *args: Arguments of its ``run``.
        heartbeat_says_cancel_after: The number of heartbeats after which each further one says that the cancellation
            was requested.
        last_heartbeat: The details of the last heartbeat of the previous attempt.
        attempt: The number of this attempt.
        workflow_id: Of the execution that the activity sees as its own.
        run_id: Likewise.
        **kwargs: Keyword arguments of its ``run``.

    Raises:
        Exception: The exception of the activity, with its own traceback.
    """
    __tracebackhide__ = True
    made = _made(activity)
    name, version = next(((spec.name, spec.version) for spec in declared(type(made))), (type(made).__name__, '1'))
    info = ActivityInfo(f'1.{attempt}', name, version, workflow_id, run_id, attempt, lambda: last_heartbeat)
    ran = ActivityRun()
    made._context = Recorder(info, ran, heartbeat_says_cancel_after)  # noqa: SLF001 - as a worker does
    found, named = made._deserialize_arguments(made._serialize_arguments(*args, **kwargs))
    try:
        result = copy_context().run(_performed, made, found, named)
        ran.result = made._deserialize_result(made._serialize_result(result))
    except StopActivity as stop:
        ran.canceled, ran.details = True, stop.details
    except SuspendTask:
        ran.suspended = True
    return ran


def _made(activity: type[Activity] | Activity | FunctionActivity[Any, Any, Any]) -> Activity:
    if isinstance(activity, Activity):
        return activity
    return activity.activity() if isinstance(activity, FunctionActivity) else activity()


def _performed(activity: Activity, args: Any, kwargs: Any) -> Any:
    __tracebackhide__ = True
    with made_current(activity):
        result = activity.run(*args, **kwargs)
        return finished(result) if inspect.iscoroutine(result) else result
