"""Running an activity: an activity task in, an outcome out.

Every exception of the activity becomes an outcome. An error before it begins (an input that cannot be read, arguments
that do not fit ``run``) fails the task with a reason that names the error.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

from genflow.core.authoring.activity import Activity, ActivityContext, made_current
from genflow.core.errors import GenflowError, StopActivity, SuspendTask
from genflow.core.model.registry import ActivitySpec
from genflow.core.payloads.envelopes import input_of
from genflow.core.payloads.failures import encode_failure
from genflow.core.payloads.fitting import check_fit
from genflow.core.payloads.hooks import MAX_PAYLOAD, excerpt
from genflow.core.payloads.wire_text import is_sendable, shortened
from genflow.core.payloads.writing import RESULT_WAY_OUT, check_length
from genflow.core.text import BROKEN
from genflow.swf.tasks.respond import Canceled, Completed, Failed, Outcome, Suspended
from genflow.swf.worker.event_loop import finished

__all__ = ['Create', 'is_ctrl_c', 'outcome_of', 'run_activity', 'run_async_activity']

Create = Callable[[type], Any]
"""Makes an instance of an activity class. Default: ``lambda cls: cls()``."""


class BadInput(GenflowError):
    """The input of a task is not what the activity expects."""


def run_activity(spec: ActivitySpec, input: str | None, context: ActivityContext, create: Create) -> Outcome:
    """Runs an activity to its end; raises nothing but a Ctrl-C on the main thread."""
    try:
        activity, args, kwargs = _prepared(spec, input, context, create)
        with made_current(activity):
            result = activity.run(*args, **kwargs)
            if inspect.iscoroutine(result):
                result = finished(result)
        return Completed(_written(spec, activity, result))
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        return outcome_of(error, context)


async def run_async_activity(
    spec: ActivitySpec, input: str | None, context: ActivityContext, create: Create, is_stopped: Callable[[], bool]
) -> Outcome:
    """Runs an ``async def`` activity to its end on the event loop; raises nothing.

    Args:
        spec: Of its type.
        input: Of its task.
        context: What it is given.
        create: Makes it.
        is_stopped: Whether it was asked to stop, so that an ``asyncio.CancelledError`` is the effect of that.
    """
    import asyncio  # noqa: PLC0415 - loaded, for a loop of asyncio runs this

    try:
        activity, args, kwargs = _prepared(spec, input, context, create)
        with made_current(activity):
            result = await activity.run(*args, **kwargs)
        return Completed(_written(spec, activity, result))
    except asyncio.CancelledError as error:
        return Canceled() if is_stopped() else outcome_of(error, context)
    except BaseException as error:  # noqa: BLE001 - whatever the activity raises becomes an outcome
        return outcome_of(error, context)


def _prepared(
    spec: ActivitySpec, input: str | None, context: ActivityContext, create: Create
) -> tuple[Any, list[Any], dict[str, Any]]:
    activity = create(spec.cls)
    activity._context = context  # noqa: SLF001 - what the engine's Activity is given by the worker that runs it
    return activity, *_arguments(activity, input_of(input))


def outcome_of(error: BaseException, context: ActivityContext) -> Outcome:
    """The outcome for an exception of an activity."""
    if isinstance(error, SuspendTask):
        return Suspended()
    if isinstance(error, StopActivity):
        return Canceled(None if error.details is None else shortened(_text(error.details), MAX_PAYLOAD))
    return Failed(*encode_failure(error, heartbeat=getattr(context, 'details', None)))


def _text(value: Any) -> str:
    try:
        return str(value)
    except BROKEN:  # the activity stopped, whatever its details are
        return f'<{type(value).__name__} without readable text>'


def is_ctrl_c(error: BaseException) -> bool:
    """Whether an exception is the interrupt of a program that runs users' code on its main thread, such as a test.

    A worker runs it on other threads, where Python raises no interrupt: there it is the code's own.
    """
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def _arguments(activity: Activity, input: str | None) -> tuple[list[Any], dict[str, Any]]:
    try:
        args, kwargs = ([], {}) if input is None else activity._deserialize_arguments(input)
    except Exception as error:
        what = 'nothing' if input is None else excerpt(input)
        raise BadInput(f'the input of {type(activity).__qualname__} cannot be read: {what}: {error}') from error
    try:
        check_fit(activity.run, args, kwargs, f'{type(activity).__qualname__}.run')
    except TypeError as error:
        raise BadInput(str(error)) from None
    return list(args), dict(kwargs)


def _written(spec: ActivitySpec, activity: Activity, result: Any) -> str:
    who = f'the activity {spec.name} {spec.version}'
    try:
        text: Any = activity._serialize_result(result)
    except GenflowError:
        raise
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f'the result of {who}, a {type(result).__qualname__}, cannot be serialized: {error}') from error
    if type(text) is str and text.isascii() and len(text) <= MAX_PAYLOAD:
        return text  # as nearly all are
    if not isinstance(text, str):
        raise TypeError(f'_serialize_result() of {who} gave {type(text).__name__}, expected str')
    if not is_sendable(text):
        raise ValueError(f'_serialize_result() of {who} returned text with a lone surrogate, which cannot be sent')
    return check_length(text, f'the result of {who}', f'{RESULT_WAY_OUT}, or give the class a transport that does')
