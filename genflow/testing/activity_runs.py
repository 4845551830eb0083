"""An activity alone: run in the test's own thread, with its heartbeats recorded."""

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
    """What an activity did.

    Attributes:
        result: What its workflow gets; ``None`` where it gave none.
        heartbeats: The details of each heartbeat.
        canceled: It stopped because it was asked to.
        details: Of the cancellation.
        suspended: It left its worker; somebody else is to answer with the token.
    """

    result: Any = None
    heartbeats: list[str | None] = field(factory=list)
    canceled: bool = False
    details: str | None = None
    suspended: bool = False


@define
class Recorder:
    """Stands in for the worker."""

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
        activity: The class, an instance where it needs something to be made with, or the function.
        *args: Arguments of its ``run``.
        heartbeat_says_cancel_after: So many heartbeats say that all is well, those after them that the activity is
            to stop.
        last_heartbeat: The details that the try before this one left.
        attempt: Which try this is.
        workflow_id: Of the execution that is said to have asked for it.
        run_id: Likewise.
        **kwargs: Keyword arguments of its ``run``.

    Raises:
        Exception: What the activity raised, with its own traceback.
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
