"""The events that SWF records for the decisions of a response: the event of each decision, or that of its refusal.

Decisions come as SWF's dicts, as a worker would send them. SWF's events contain resolved values, so options that a
decision leaves to the defaults of its type are filled in from the decorated class, if there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genflow.core.model.registry import ActivitySpec, WorkflowSpec, declared
from genflow.swf.wire.decisions import seconds_text
from genflow.testing.histories.open_items import OPENS, Item, opened_by
from genflow.testing.histories.writer import EventWriter

__all__ = ['Refusals', 'record']

Attributes = Mapping[str, Any]
Refusals = Callable[[str, Item | None], str | None]
"""The cause with which a test has a decision refused, from its type and the item that it would open."""

UNHANDLED = 'UNHANDLED_DECISION'


def record(draft: EventWriter, decisions: Sequence[Mapping[str, Any]], completed_id: int, refusals: Refusals) -> None:
    """Writes the events of a response, and schedules a decision task where one of them says that SWF refused."""
    unhandled = bool(draft.ledger.waiting)
    refused = False
    for decision in decisions:
        kind = decision['decisionType']
        attributes = decision[f'{kind[0].lower()}{kind[1:]}DecisionAttributes']
        event_type, resolve = _RECORDED[kind]
        shown = resolve(draft, attributes)
        item = opened_by(event_type, shown) if event_type in OPENS else None
        cause = refusals(kind, item) or _cause(draft, kind, attributes, unhandled=unhandled)
        if cause is None:
            draft.add(event_type, **shown, decisionTaskCompletedEventId=completed_id)
        else:
            kept = {name: attributes[name] for name in _REPEATED.get(kind, ()) if name in attributes}
            if kind == 'StartChildWorkflowExecution':
                kept['initiatedEventId'] = 0  # it stands there although nothing was initiated
            draft.add(f'{kind}Failed', **kept, cause=cause, decisionTaskCompletedEventId=completed_id)
            refused = True
    if refused:
        draft.wake()


# refusals of SWF itself


def _cause(draft: EventWriter, kind: str, attributes: Attributes, *, unhandled: bool) -> str | None:
    if kind in CLOSES:
        return UNHANDLED if unhandled else None
    rule = _RULES.get(kind)
    if rule is None:
        return None
    item_kind, key, open_is_wrong, cause = rule
    is_open = draft.ledger.keyed(item_kind, attributes[key]) is not None
    return cause if is_open == open_is_wrong else None


CLOSES = frozenset(f'{how}WorkflowExecution' for how in ('Complete', 'Fail', 'Cancel', 'ContinueAsNew'))

_RULES = {
    'ScheduleActivityTask': ('activity', 'activityId', True, 'ACTIVITY_ID_ALREADY_IN_USE'),
    'RequestCancelActivityTask': ('activity', 'activityId', False, 'ACTIVITY_ID_UNKNOWN'),
    'StartTimer': ('timer', 'timerId', True, 'TIMER_ID_ALREADY_IN_USE'),
    'CancelTimer': ('timer', 'timerId', False, 'TIMER_ID_UNKNOWN'),
    'ScheduleLambdaFunction': ('lambda', 'id', True, 'ID_ALREADY_IN_USE'),
}
"""By decision type: the kind of item and the attribute with its id, whether an open one is wrong, and the cause."""

_REPEATED = {
    'ScheduleActivityTask': ('activityType', 'activityId'),
    'RequestCancelActivityTask': ('activityId',),
    'StartTimer': ('timerId',),
    'CancelTimer': ('timerId',),
    'StartChildWorkflowExecution': ('workflowType', 'workflowId', 'control'),
    'ScheduleLambdaFunction': ('id', 'name'),
    'RecordMarker': ('markerName',),
}
"""What the event of a refused decision repeats of it."""


# additions of SWF to a decision


def _unchanged(draft: EventWriter, attributes: Attributes) -> Attributes:
    return attributes


def _activity(draft: EventWriter, attributes: Attributes) -> Attributes:
    kind = attributes['activityType']
    spec = _declared(ActivitySpec, kind['name'], kind['version'])
    return _resolved(
        attributes,
        taskList=_task_list(spec),
        taskPriority=None if spec is None or spec.priority is None else str(spec.priority),
        scheduleToStartTimeout=_text(spec and spec.schedule_to_start, '120'),
        scheduleToCloseTimeout=_text(spec and spec.schedule_to_close, '420'),
        startToCloseTimeout=_text(spec and spec.start_to_close, '300'),
        heartbeatTimeout=_text(spec and spec.heartbeat, 'NONE'),
    )


def _child(draft: EventWriter, attributes: Attributes) -> Attributes:
    return _execution(attributes, attributes['workflowType'])


def _function(draft: EventWriter, attributes: Attributes) -> Attributes:
    return _resolved(attributes, startToCloseTimeout='900')  # SWF's own limit


def _continued(draft: EventWriter, attributes: Attributes) -> Attributes:
    now = draft.begun['workflowType']
    kind = {'name': now['name'], 'version': attributes.get('workflowTypeVersion', now['version'])}
    shown = {name: value for name, value in attributes.items() if name != 'workflowTypeVersion'}
    return _execution(
        {'newExecutionRunId': f'run-after-{draft.now:%Y%m%dT%H%M%S}', **shown, 'workflowType': kind}, kind
    )


def _execution(attributes: Attributes, kind: Mapping[str, str]) -> Attributes:
    spec = _declared(WorkflowSpec, kind['name'], kind['version'])
    return _resolved(
        attributes,
        taskList=_task_list(spec),
        childPolicy=(spec and spec.child_policy) or 'TERMINATE',
        executionStartToCloseTimeout=_text(spec and spec.workflow_duration, '3600'),
        taskStartToCloseTimeout=_text(spec and spec.decision_duration, '60'),
    )


def _resolved(attributes: Attributes, **defaults: Any) -> Attributes:
    return {**{name: value for name, value in defaults.items() if value is not None}, **attributes}


def _declared(kind: type, name: str, version: str) -> Any:
    """The decorated class of a type, if there is just one or they agree."""
    found = [spec for spec in declared() if isinstance(spec, kind) and (spec.name, spec.version) == (name, version)]
    return found[0] if found else None


def _task_list(spec: Any) -> dict[str, str]:
    return {'name': spec.task_list if spec is not None and spec.task_list else 'default'}


def _text(seconds: float | None, default: str) -> str | None:
    """A limit of a type; a type that no class is known of has the limits that the decorator gives."""
    return default if seconds is None else seconds_text(seconds)


def _timer_canceled(draft: EventWriter, attributes: Attributes) -> Attributes:
    timer = draft.ledger.keyed('timer', attributes['timerId'])
    return {**attributes, 'startedEventId': timer.id if timer is not None else 0}


_RECORDED: dict[str, tuple[str, Callable[[EventWriter, Attributes], Attributes]]] = {
    'ScheduleActivityTask': ('ActivityTaskScheduled', _activity),
    'RequestCancelActivityTask': ('ActivityTaskCancelRequested', _unchanged),
    'StartTimer': ('TimerStarted', _unchanged),
    'CancelTimer': ('TimerCanceled', _timer_canceled),
    'StartChildWorkflowExecution': ('StartChildWorkflowExecutionInitiated', _child),
    'SignalExternalWorkflowExecution': ('SignalExternalWorkflowExecutionInitiated', _unchanged),
    'RequestCancelExternalWorkflowExecution': ('RequestCancelExternalWorkflowExecutionInitiated', _unchanged),
    'ScheduleLambdaFunction': ('LambdaFunctionScheduled', _function),
    'RecordMarker': ('MarkerRecorded', _unchanged),
    'CompleteWorkflowExecution': ('WorkflowExecutionCompleted', _unchanged),
    'FailWorkflowExecution': ('WorkflowExecutionFailed', _unchanged),
    'CancelWorkflowExecution': ('WorkflowExecutionCanceled', _unchanged),
    'ContinueAsNewWorkflowExecution': ('WorkflowExecutionContinuedAsNew', _continued),
}
"""By decision type: the event that shows it, and what fills in its attributes."""
