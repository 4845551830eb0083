"""The events of a history as HTML: a line each, which links to the page with its attributes open.

A history of 25,000 events is one page. So a line is one element, whose columns are set apart by tabs, its HTML is made
once, and the lines stand in groups that a browser lays out only when they come into view (``content-visibility`` in the
style sheet). Payloads are only ever text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timezone, tzinfo
from functools import cache
from html import escape
from typing import Any

from genflow.insight import ExecutionView, Operation, attributes_of, utc
from genflow.tools.pictures.svg import tone_of
from genflow.tools.pictures.terminal import MARKS
from genflow.tools.text.printable import printable

__all__ = [
    'GROUP',
    'KINDS',
    'event_line',
    'grouped',
    'has_failed',
    'kind_of',
    'mark_of',
    'operation_of',
    'pretty',
    'searchable',
]

Event = Mapping[str, Any]

GROUP = 100
"""Events in one group."""

KINDS = {
    'activity': ('Activity',),
    'child': ('ChildWorkflow', 'StartChildWorkflow'),
    'decision': ('DecisionTask',),
    'execution': ('WorkflowExecutionStarted', 'WorkflowExecutionC', 'WorkflowExecutionF', 'WorkflowExecutionT'),
    'external': ('ExternalWorkflow', 'SignalExternal', 'RequestCancelExternal'),
    'lambda': ('Lambda', 'ScheduleLambda', 'StartLambda'),
    'marker': ('Marker', 'RecordMarker'),
    'signal': ('WorkflowExecutionSignaled',),
    'timer': ('Timer', 'StartTimer', 'CancelTimer'),
}
"""Kinds of events, by how the names of their types begin."""

_STATES = (
    ('TimedOut', 'timed out'),
    ('Failed', 'failed'),
    ('Terminated', 'terminated'),
    ('CancelRequested', 'canceled'),
    ('Canceled', 'canceled'),
    ('Completed', 'completed'),
    ('Fired', 'fired'),
    ('Signaled', 'delivered'),
    ('ContinuedAsNew', 'continued as new'),
    ('Started', 'started'),
    ('Scheduled', 'scheduled'),
    ('Initiated', 'scheduled'),
)
"""What an event says of the state of what it is about, by the end of its type's name."""

_MARKS = {'timed out': '◔'}
_FAILED = frozenset({'failed', 'timed out', 'terminated'})
_REFERENCES = ('scheduledEventId', 'initiatedEventId', 'startedEventId')
_NAMES = ('signalName', 'markerName', 'timerId', 'activityId', 'workflowId', 'name', 'id')


def mark_of(state: str) -> str:
    """The shape that stands for a state; every system's fonts have it."""
    return _MARKS.get(state) or MARKS.get(state, ('·', ''))[0]


@cache
def kind_of(event_type: str) -> str:
    """The kind of an event, by its type."""
    starts = ((kind, start) for kind, names in KINDS.items() for start in names)
    return next((kind for kind, start in starts if event_type.startswith(start)), 'activity')


@cache
def state_of(event_type: str) -> str:
    """The state that an event brings."""
    return next((state for end, state in _STATES if event_type.endswith(end)), '')


def has_failed(event: Event) -> bool:
    """Whether an event says that something failed, timed out, was terminated or refused."""
    return state_of(event['eventType']) in _FAILED


def operation_of(view: ExecutionView, event: Event) -> Operation | None:
    """The operation that an event belongs to."""
    found = view.operation_at(event['eventId'])
    if found is not None:
        return found
    attributes = attributes_of(event)
    for name in _REFERENCES:
        reference = attributes.get(name)
        found = view.operation_at(reference) if reference else None
        if found is not None:
            return found
    return None


def about(view: ExecutionView, event: Event) -> str:
    """What an event is about, in a few words."""
    operation = operation_of(view, event)
    if operation is not None:
        return operation.label
    attributes = attributes_of(event)
    if event['eventType'].startswith('DecisionTask'):
        return str(attributes.get('identity') or (attributes.get('taskList') or {}).get('name') or '')
    return next((str(attributes[name]) for name in _NAMES if attributes.get(name)), str(attributes.get('reason') or ''))


def pretty(value: Any) -> str:
    """Attributes, or a payload, with line breaks; JSON within text is shown as JSON."""
    if isinstance(value, str):
        value = _decoded(value)
        if isinstance(value, str):
            return value
    elif isinstance(value, Mapping):
        value = {name: _decoded(part) if isinstance(part, str) else part for name, part in value.items()}
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return str(value)


def _decoded(text: str) -> Any:
    """The value of a text that is a JSON object or list; else the text."""
    if text[:1] not in ('{', '['):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def searchable(view: ExecutionView, event: Event) -> str:
    """The text in which a filter looks: number, type, what it is about, attributes."""
    attributes = json.dumps(dict(attributes_of(event)), ensure_ascii=False, default=str)
    return f'{event["eventId"]} {event["eventType"]} {about(view, event)} {attributes}'


def event_line(view: ExecutionView, event: Event, zone: tzinfo, address: str) -> str:
    """One event as a link.

    Args:
        view: The execution.
        event: The event.
        zone: The time zone in which to show its time.
        address: The query of the page that shows the event, up to and with ``event=``, as an attribute holds it.
    """
    number = event['eventId']
    bad, what = _beginning(event['eventType'])
    when = utc(event['eventTimestamp'])
    if zone is not timezone.utc:
        when = when.astimezone(zone)
    return (
        f'<a id="e{number}"{bad} href="{address}{number}#e{number}">{number}\t{when.isoformat(" ", "seconds")[:19]}\t'
        f'{what} {_text(about(view, event))}</a>'
    )


@cache
def _beginning(event_type: str) -> tuple[str, str]:
    """The attribute that colours the lines of events that say that something failed, and what lines begin with."""
    state = state_of(event_type)
    bad = ' class="bad"' if tone_of(state) == 'bad' else ''
    return bad, f'{mark_of(state)}\u00a0{_text(event_type)}'


def _text(value: str) -> str:
    return escape(value if value.isascii() and value.isprintable() else printable(value))


def grouped(rows: Iterable[str]) -> Iterator[str]:
    """Rows in groups that are laid out when they come into view."""
    group: list[str] = []
    for row in rows:
        group.append(row)
        if len(group) == GROUP:
            yield f'<div class="group">{"".join(group)}</div>'
            group = []
    if group:
        yield f'<div class="group">{"".join(group)}</div>'
