"""What holds of every execution, checked on one that was recorded.

The tables here are the test's own: how SWF shows each decision in a history, with the defaults of the types that
`scheduled_service` registers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import pytest
from attrs import evolve

from genflow.core.model import events
from genflow.core.model.decisions import CLOSES, Decisions
from genflow.core.model.wire_names import REFUSED_MARKER, REPLY_MARKER, UPDATE_SIGNAL
from genflow.core.payloads.envelopes import opened_input
from genflow.swf.wire.events import translate
from genflow.testing import replay
from genflow.testing.explorer.playing.service_model import DUE, OPEN_LIMITS, ServiceModel
from genflow.testing.histories.open_items import OpenItems

from .runs import Run, advanced, completes, first_chunk, wire
from .scheduled_service import ACTIVITY_DEFAULTS, WORKFLOW_DEFAULTS


def attributes(event: Mapping[str, Any]) -> dict[str, Any]:
    kind = event['eventType']
    return event[f'{kind[0].lower()}{kind[1:]}EventAttributes']


# whoever decides, and from whatever point, decides the same


def check_ways(run: Run) -> None:
    """Decides the recorded tasks anew: always from nothing, always kept, and kept or not by chance."""
    recorded = {asked.started_id: asked.said for asked in run.asked}
    assert dict(cold(run)) == recorded
    assert dict(evicted(run)) == recorded
    assert dict(sticky(run)) == {asked.started_id: asked.said for asked in run.asked if asked.arrived}


def cold(run: Run) -> Iterator[tuple[int, str]]:
    for asked in run.asked:
        execution = run.execution()
        yield asked.started_id, wire(advanced(execution, run.history[: asked.started_id]))
        execution.close()


def sticky(run: Run) -> Iterator[tuple[int, str]]:
    """One execution all along; the answers that never arrived were another worker's."""
    execution = run.execution()
    for asked in run.asked:
        if asked.arrived:
            new = run.history[max(execution.answered - 1, 0) : asked.started_id]
            decided = advanced(execution, new)
            yield asked.started_id, wire(decided)
            if completes(decided):
                execution.close()
                execution = run.execution()
    check_end(run, execution, run.history[execution.answered - 1 :] if execution.answered else run.history)


def evicted(run: Run) -> Iterator[tuple[int, str]]:
    chance = Random(run.chance)
    execution = run.execution()
    for asked in run.asked:
        new = run.history[max(execution.answered - 1, 0) : asked.started_id]
        decided = advanced(execution, new)
        yield asked.started_id, wire(decided)
        if not asked.arrived or completes(decided) or chance.random() < 0.5:
            execution.close()
            execution = run.execution()
    execution.close()


def check_end(run: Run, execution: Any, rest: Any) -> None:
    """With the rest of the history it is over; nothing is to be decided."""
    assert execution.advance(translate(rest)) is None
    assert execution.closed
    execution.close()


# each prefix gives what the rest of the history shows


def check_prefixes(run: Run) -> None:
    rooms = {asked.started_id: asked.room for asked in run.asked}
    for event in run.history:
        if event['eventType'] == 'DecisionTaskCompleted':
            said = attributes(event)
            execution = run.execution()
            decided = advanced(execution, run.history[: said['startedEventId']])
            execution.close()
            assert decided.context == said.get('executionContext')
            check_shown(first_chunk(decided, rooms[said['startedEventId']]), output(run.history, event['eventId']))


# the model of the service is that of the service


def check_model(run: Run) -> None:
    """The model on which the explorer and tests/core stand records what the service did of the same decisions."""
    rooms = {asked.started_id: asked.room for asked in run.asked}
    model, items = ServiceModel(), OpenItems()
    for event in translate(run.history):
        if model.events and event.id <= model.last_id:
            continue  # the output of a decision, which has been compared
        is_stale = model.is_due
        follow(model, event)
        if isinstance(event, events.DecisionCompleted):
            for recorded in run.history[len(items.view.events) : event.id]:
                items.apply(recorded)
            assert model.open.keys() == {item.id for item in items}
            execution = run.execution()
            decided = advanced(execution, run.history[: event.started_id])
            execution.close()
            recorded = translate(output(run.history, event.id))
            for decision, real in zip(sent(decided, rooms[event.started_id]), recorded, strict=True):
                check_recorded(model, decision, real, is_stale=is_stale)


def follow(model: ServiceModel, event: Any) -> None:
    """Something happens by itself, as the service has recorded it."""
    model.events.append(event)
    model.last_id = event.id
    if isinstance(event, events.DecisionStarted):
        model.is_due = False
    elif type(event) in DUE:
        model.is_due = True
    if isinstance(event, events.ChildStarted):
        model.open[event.ref].started = True
    elif hasattr(event, 'ref'):
        assert model.open.pop(event.ref)


def sent(decided: Decisions, room: int | None) -> tuple[Any, ...]:
    """The decisions of one response of so much room."""
    if room is None:
        count = len(first_chunk(decided, None))
        room = count if count == len(decided.all) else count - len(decided.later) - 1  # without the wake-up timer
    return decided.first_chunk(room)


OUTSIDE = {
    'ACTIVITY_CREATION_RATE_EXCEEDED',
    'ACTIVITY_TYPE_DEPRECATED',
    'ACTIVITY_TYPE_DOES_NOT_EXIST',
    'CHILD_CREATION_RATE_EXCEEDED',
    'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED',
    'LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION',
    'TIMER_CREATION_RATE_EXCEEDED',
    'WORKFLOW_ALREADY_RUNNING',
}
"""The causes of refusals that do not depend on the execution: rates, types, functions, other executions."""


def check_recorded(model: ServiceModel, decision: Any, real: Any, *, is_stale: bool) -> None:
    cause = 'UNHANDLED_DECISION' if is_stale and isinstance(decision, CLOSES) else None
    refused = getattr(real, 'cause', '')
    model.last_id = real.id - 1
    with pytest.MonkeyPatch.context() as patch:
        if refused.endswith('LIMIT_EXCEEDED'):  # which some of the services say early
            patch.setitem(OPEN_LIMITS, real.kind, sum(item.kind == real.kind for item in model.open.values()))
        model.record(decision, real.decision_id, refused if refused in OUTSIDE else cause)
    made = model.events[-1]
    if isinstance(made, events.Closed):
        made, real = evolve(made, run_id=None), evolve(real, run_id=None)
    assert made == real


def output(history: list[Any], completed_id: int) -> list[Any]:
    """What SWF recorded of a decision at once."""
    found = []
    for event in history[completed_id:]:
        if attributes(event).get('decisionTaskCompletedEventId') != completed_id or is_later(event):
            break
        found.append(event)
    return found


def is_later(event: Mapping[str, Any]) -> bool:
    """Whether SWF found out afterwards that what a decision initiated cannot be done."""
    return event['eventType'].endswith('Failed') and bool(attributes(event).get('initiatedEventId'))


def check_shown(decisions: list[Any], events: list[Any]) -> None:
    assert len(decisions) == len(events), (decisions, events)
    for decision, event in zip(decisions, events, strict=True):
        kind = decision['decisionType']
        said = decision[f'{kind[0].lower()}{kind[1:]}DecisionAttributes']
        shown = {name: value for name, value in attributes(event).items() if name != 'decisionTaskCompletedEventId'}
        recorded, by_swf, defaults = SHOWN[kind]
        if event['eventType'] == recorded:
            said = {**defaults, **{RENAMED.get(name, name): value for name, value in said.items()}}
        else:
            assert event['eventType'] == f'{kind}Failed'
            said = {name: said[name] for name in REPEATED.get(kind, ()) if name in said}
            by_swf = ('cause', 'initiatedEventId')
        assert said == {name: value for name, value in shown.items() if name not in by_swf}


RENAMED = {'workflowTypeVersion': 'workflowType'}

_CONTINUED = {**WORKFLOW_DEFAULTS, 'workflowType': {'name': 'Interpreter', 'version': '1'}}

SHOWN: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    'ScheduleActivityTask': ('ActivityTaskScheduled', (), ACTIVITY_DEFAULTS),
    'RequestCancelActivityTask': ('ActivityTaskCancelRequested', (), {}),
    'StartTimer': ('TimerStarted', (), {}),
    'CancelTimer': ('TimerCanceled', ('startedEventId',), {}),
    'StartChildWorkflowExecution': ('StartChildWorkflowExecutionInitiated', (), WORKFLOW_DEFAULTS),
    'SignalExternalWorkflowExecution': ('SignalExternalWorkflowExecutionInitiated', (), {}),
    'RequestCancelExternalWorkflowExecution': ('RequestCancelExternalWorkflowExecutionInitiated', (), {}),
    'ScheduleLambdaFunction': ('LambdaFunctionScheduled', (), {'startToCloseTimeout': '900'}),
    'RecordMarker': ('MarkerRecorded', (), {}),
    'CompleteWorkflowExecution': ('WorkflowExecutionCompleted', (), {}),
    'FailWorkflowExecution': ('WorkflowExecutionFailed', (), {}),
    'CancelWorkflowExecution': ('WorkflowExecutionCanceled', (), {}),
    'ContinueAsNewWorkflowExecution': ('WorkflowExecutionContinuedAsNew', ('newExecutionRunId',), _CONTINUED),
}
"""By decision type: the event that shows it, what SWF adds to it, and what it fills in."""

REPEATED = {
    'ScheduleActivityTask': ('activityType', 'activityId'),
    'RequestCancelActivityTask': ('activityId',),
    'StartTimer': ('timerId',),
    'CancelTimer': ('timerId',),
    'StartChildWorkflowExecution': ('workflowType', 'workflowId', 'control'),
    'ScheduleLambdaFunction': ('id', 'name'),
}
"""What the event of a decision that failed at once repeats of it."""


# nothing is scheduled twice, or asked to stop twice


IDS = {
    'ActivityTaskScheduled': 'activityId',
    'TimerStarted': 'timerId',
    'StartChildWorkflowExecutionInitiated': 'workflowId',
    'LambdaFunctionScheduled': 'id',
    'ActivityTaskCancelRequested': 'activityId',
    'RequestCancelExternalWorkflowExecutionInitiated': 'control',
}


def check_ids(run: Run) -> None:
    """An id stands for one attempt of one call; that is scheduled once, and asked to stop once."""
    ids = Counter(
        (event['eventType'], attributes(event)[IDS[event['eventType']]])
        for event in run.history
        if event['eventType'] in IDS
    )
    assert not [known for known, count in ids.items() if count > 1]


# no false alarm


def check_replay(run: Run) -> None:
    """What replays a history for users finds nothing to say about it, with another worker's seed and names."""
    named = {'events': run.history, 'workflowExecution': {'workflowId': run.workflow_id, 'runId': run.run_id}}
    replayed = replay(named, run.spec, input_mismatch='error')
    assert replayed.events == len(run.history)
    assert not replayed.warnings
    assert not replayed.pending
    replay(run.history, run.spec)


# whoever asks is answered


def check_updates(run: Run) -> None:
    """An update is answered once, or carried into the next run; only a close may come before its answer."""
    asked = {json.loads(text)['id'] for text in _asked(run)}
    shown = [attributes(event) for event in run.history if event['eventType'] == 'MarkerRecorded']
    markers = [(marker['markerName'], json.loads(marker['details'])) for marker in shown if 'details' in marker]
    answered = [details['id'] for name, details in markers if name == REPLY_MARKER]
    answered += [key for name, details in markers if name == REFUSED_MARKER for key in details['updates']]
    assert len(answered) == len(set(answered))
    assert set(answered) <= asked
    if run.history[-1]['eventType'] == 'WorkflowExecutionContinuedAsNew':
        _, unread = opened_input(attributes(run.history[-1])['input'])
        carried = {json.loads(text)['id'] for name, text in unread if name == UPDATE_SIGNAL}
        assert set(answered) | carried == asked


def _asked(run: Run) -> Iterator[str]:
    _, carried = opened_input(attributes(run.history[0])['input'])
    yield from (text for name, text in carried if name == UPDATE_SIGNAL)
    for event in run.history:
        if event['eventType'] == 'WorkflowExecutionSignaled' and attributes(event)['signalName'] == UPDATE_SIGNAL:
            yield attributes(event)['input']


LAWS = (check_ways, check_prefixes, check_model, check_ids, check_replay, check_updates)
