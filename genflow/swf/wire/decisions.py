"""The engine's decisions turned into SWF's dicts, and how many of them fit into one response.

A table leads from each class of decisions to its encoder. A response holds at most 100 decisions and 1 MB, measured as
botocore writes it. The engine hands over everything that it decided and the zero-second timer that brings the next
decision task; what is sent is the longest beginning that fits, with that timer behind it and the markers that name what
is left over. A close comes last, so it leaves with the last chunk only. The engine is not told about the rest: it reads
from the next history how far the response went.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import Any

from genflow.core.errors import GenflowError
from genflow.core.model import decisions as core

__all__ = ['ENCODERS', 'MAX_BYTES', 'MAX_DECISIONS', 'DecisionsTooLarge', 'encode', 'plan', 'seconds_text']

MAX_DECISIONS = 100
"""Decisions in one response. SWF documents only the size of the request; its early clients send at most 100."""

MAX_BYTES = 1_000_000 - 16_000
"""Bytes that the decisions and the execution context may take: SWF refuses requests over 1 MB, headers included. The
rest is reserved for the headers, with a session token, and for the task token."""


FEW = 20
"""For at most this many decisions, an upper bound is computed first, which may make measuring unnecessary."""

ESCAPED = 12
"""Bytes of a character of the body at most: two escaped surrogates."""

STRUCTURE = 32_000
"""More bytes than a decision has besides its texts: names of members, and type, task list and five tags of up to 256
characters."""

Attributes = dict[str, Any]


class DecisionsTooLarge(GenflowError):
    """Decisions that must be sent together do not fit into one response."""


def plan(decisions: core.Decisions) -> list[dict[str, Any]]:
    """The decisions to send now, as SWF's dicts.

    Raises:
        DecisionsTooLarge: Even the smallest chunk is more than SWF takes.
    """
    written = [encode(decision) for decision in decisions.all]
    if len(written) == 1 and decisions.context is None:  # two payloads at the most, which always fit
        return written
    if len(written) <= FEW and _at_most(written, decisions.context) <= MAX_BYTES:
        return written
    room = MAX_BYTES - len(json.dumps(decisions.context))
    if len(written) <= MAX_DECISIONS and _size(written) <= room:
        return written
    if decisions.wake is None:
        raise DecisionsTooLarge(f'{len(written)} decisions of {_size(written):,} bytes cannot be sent in chunks')
    added = [*map(encode, decisions.later), encode(decisions.wake)]
    count = _count(written, MAX_DECISIONS - len(added), room - _size(added))
    if count < max(decisions.markers, 1):
        raise DecisionsTooLarge(
            f'{decisions.markers} markers take {_size(written[: decisions.markers]):,} bytes and must be recorded '
            f'in one response, which holds {MAX_DECISIONS} decisions and {room:,} bytes'
        )
    return [encode(decision) for decision in decisions.first_chunk(count)]


def _at_most(written: list[dict[str, Any]], context: str | None) -> int:
    """An upper bound of the size in bytes, without encoding anything."""
    characters = len(context or '')
    for decision in written:
        for member in decision.values():
            if isinstance(member, dict):
                characters += sum(len(text) for text in member.values() if isinstance(text, str))
    return characters * ESCAPED + len(written) * STRUCTURE


def _count(written: list[dict[str, Any]], most: int, room: int) -> int:
    """How many of the decisions, ``most`` at most, fit into so many bytes."""
    ends = list(accumulate(_size([decision]) for decision in written))
    return min(most, bisect_right(ends, room))


def _size(written: list[dict[str, Any]]) -> int:
    """Bytes of a list of decisions in the body; botocore writes it with ``json.dumps``, which escapes to ASCII."""
    return len(json.dumps(written))


def encode(decision: core.Decision) -> dict[str, Any]:
    """One decision as ``RespondDecisionTaskCompleted`` takes it; members that are ``None`` are left out."""
    kind, attributes_of = ENCODERS[type(decision)]
    attributes = {name: value for name, value in attributes_of(decision).items() if value is not None}
    return {'decisionType': kind, _attributes_member(kind): attributes}


@lru_cache(64)
def _attributes_member(kind: str) -> str:
    return f'{kind[0].lower()}{kind[1:]}DecisionAttributes'


def seconds_text(seconds: float | None) -> str | None:
    """A duration as SWF writes it: whole seconds rounded up, ``NONE`` for infinity, ``None`` stays."""
    return None if seconds is None else 'NONE' if seconds == math.inf else str(math.ceil(seconds))


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _list(name: str | None) -> dict[str, str] | None:
    return None if name is None else {'name': name}


def _type(decision: core.ScheduleActivity | core.StartChild) -> dict[str, str]:
    return {'name': decision.name, 'version': decision.version}


def _schedule_activity(decision: core.ScheduleActivity) -> Attributes:
    return {
        'activityType': _type(decision),
        'activityId': decision.activity_id,
        'control': decision.control,
        'input': decision.input,
        'taskList': _list(decision.task_list),
        'taskPriority': _text(decision.priority),
        **_activity_timeouts(
            decision.heartbeat, decision.schedule_to_close, decision.schedule_to_start, decision.start_to_close
        ),
    }


@lru_cache(1_024)
def _activity_timeouts(
    heartbeat: float | None, to_close: float | None, to_start: float | None, start_to_close: float | None
) -> dict[str, str]:
    """The time-outs of an activity: the same for most calls of a proxy."""
    given = {
        'heartbeatTimeout': seconds_text(heartbeat),
        'scheduleToCloseTimeout': seconds_text(to_close),
        'scheduleToStartTimeout': seconds_text(to_start),
        'startToCloseTimeout': seconds_text(start_to_close),
    }
    return {name: text for name, text in given.items() if text is not None}


def _request_cancel_activity(decision: core.RequestCancelActivity) -> Attributes:
    return {'activityId': decision.activity_id}


def _start_timer(decision: core.StartTimer) -> Attributes:
    return {
        'timerId': decision.timer_id,
        'startToFireTimeout': seconds_text(decision.seconds),
        'control': decision.control,
    }


def _cancel_timer(decision: core.CancelTimer) -> Attributes:
    return {'timerId': decision.timer_id}


def _execution_options(decision: core.StartChild | core.ContinueAsNew) -> Attributes:
    """The attributes that a child and a continued run share."""
    return {
        'input': decision.input,
        'taskList': _list(decision.task_list),
        'taskPriority': _text(decision.priority),
        'executionStartToCloseTimeout': seconds_text(decision.workflow_duration),
        'taskStartToCloseTimeout': seconds_text(decision.decision_duration),
        'childPolicy': decision.child_policy,
        'tagList': list(decision.tags) or None,
        'lambdaRole': decision.lambda_role,
    }


def _start_child(decision: core.StartChild) -> Attributes:
    return {
        'workflowType': _type(decision),
        'workflowId': decision.workflow_id,
        'control': decision.control,
        **_execution_options(decision),
    }


def _continue_as_new(decision: core.ContinueAsNew) -> Attributes:
    return {'workflowTypeVersion': decision.version, **_execution_options(decision)}


def _signal_external(decision: core.SignalExternal) -> Attributes:
    return {
        'workflowId': decision.workflow_id,
        'runId': decision.run_id,
        'signalName': decision.signal,
        'input': decision.input,
        'control': decision.control,
    }


def _request_cancel_external(decision: core.RequestCancelExternal) -> Attributes:
    return {'workflowId': decision.workflow_id, 'runId': decision.run_id, 'control': decision.control}


def _schedule_lambda(decision: core.ScheduleLambda) -> Attributes:
    return {
        'id': decision.lambda_id,
        'name': decision.name,
        'input': decision.input,
        'control': decision.control,
        'startToCloseTimeout': seconds_text(decision.start_to_close),
    }


def _record_marker(decision: core.RecordMarker) -> Attributes:
    return {'markerName': decision.name, 'details': decision.details}


def _complete(decision: core.CompleteWorkflow) -> Attributes:
    return {'result': decision.result}


def _fail(decision: core.FailWorkflow) -> Attributes:
    return {'reason': decision.reason, 'details': decision.details}


def _cancel(decision: core.CancelWorkflow) -> Attributes:
    return {'details': decision.details}


ENCODERS: dict[type, tuple[str, Callable[[Any], Attributes]]] = {
    core.ScheduleActivity: ('ScheduleActivityTask', _schedule_activity),
    core.RequestCancelActivity: ('RequestCancelActivityTask', _request_cancel_activity),
    core.StartTimer: ('StartTimer', _start_timer),
    core.CancelTimer: ('CancelTimer', _cancel_timer),
    core.StartChild: ('StartChildWorkflowExecution', _start_child),
    core.RequestCancelExternal: ('RequestCancelExternalWorkflowExecution', _request_cancel_external),
    core.SignalExternal: ('SignalExternalWorkflowExecution', _signal_external),
    core.ScheduleLambda: ('ScheduleLambdaFunction', _schedule_lambda),
    core.RecordMarker: ('RecordMarker', _record_marker),
    core.CompleteWorkflow: ('CompleteWorkflowExecution', _complete),
    core.FailWorkflow: ('FailWorkflowExecution', _fail),
    core.CancelWorkflow: ('CancelWorkflowExecution', _cancel),
    core.ContinueAsNew: ('ContinueAsNewWorkflowExecution', _continue_as_new),
}
"""From each decision class to SWF's decision type and the function that fills its attributes."""
