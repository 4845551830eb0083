"""How open items may end: the outcomes of each kind, their cost in faults, and what each is in the history."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from genflow.core.model import decisions, events
from genflow.core.payloads.hooks import encode
from genflow.swf.tasks.respond import Canceled, Completed
from genflow.testing.explorer.inputs.setup import Called, Setup
from genflow.testing.explorer.playing.items import Ends, Item
from genflow.testing.tester.doubles import Double

__all__ = [
    'CALM',
    'ENDS',
    'GOES_WELL',
    'WORDS',
    'WORKFLOW_ID',
    'answer_event',
    'called_by',
    'ends_of',
    'latest_end',
]

WORKFLOW_ID = 'workflow-1'
"""The id of the one execution that a simulation has."""

DELIVERED = ('delivered', 0)
STARTED = (('started', 0),)
FIRED = (('fired', 0),)
CANCELED = ('canceled', 0)

CALM = frozenset({'', 'started', 'completed', 'answered', 'fired', 'delivered', 'canceled'})
"""The outcomes with which nothing went wrong."""

GOES_WELL = frozenset({'completed', 'answered', 'started'})
"""The outcomes with which a call succeeds or a child begins, and no time passes."""

ENDS: dict[str, tuple[type, dict[str, Any]]] = {
    'completed': (events.Completed, {}),
    'failed': (events.Failed, {'reason': 'explored', 'details': None}),
    'timed out': (events.TimedOut, {'timeout_type': 'START_TO_CLOSE'}),
    'timed out, not started': (events.TimedOut, {'timeout_type': 'SCHEDULE_TO_START'}),
    'timed out, no heartbeat': (events.TimedOut, {'timeout_type': 'HEARTBEAT'}),
    'timed out, in all': (events.TimedOut, {'timeout_type': 'SCHEDULE_TO_CLOSE'}),
    'canceled': (events.Canceled, {}),
    'terminated': (events.Terminated, {}),
    'fired': (events.TimerFired, {}),
    'delivered': (events.Delivered, {}),
    'undelivered': (events.Undelivered, {'cause': 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION'}),
}
"""What an outcome is in the history."""

WORDS: dict[type, str] = {events.Completed: 'completed', events.Canceled: 'canceled', events.Failed: 'failed'}


def ends_of(setup: Setup, item: Item) -> Ends:
    """The ways in which an item may end, found out when that is asked for the first time."""
    if item.ends is None:
        choices = FIRED if item.kind == 'timer' else _choices(setup, item)
        item.ends = Ends.of(item.label, item.ref, choices)
    return item.ends


def _choices(setup: Setup, item: Item) -> Sequence[tuple[str, int]]:
    if item.kind in ('signal', 'cancel'):
        fails = setup.faults and item.target != WORKFLOW_ID
        return (DELIVERED, ('undelivered', 2)) if fails else (DELIVERED,)
    if item.kind == 'child' and not item.started:
        return STARTED
    answers = called_by(setup, item).answers
    return (CANCELED, *answers) if item.canceling else answers


def called_by(setup: Setup, item: Item) -> Called:
    """What is the same for all calls of a type, found out at its first one."""
    key = (item.kind, item.name, item.version)
    known = setup.called.get(key)
    if known is None:
        double = setup.doubles.parts.get(key)
        known = setup.called[key] = Called(
            double,
            None if double is None else double.spec,
            '' if double is None else _attribute(setup.spec.cls, double),
            tuple(_answers_of(item.kind, double, faults=setup.faults)),
            encode(None) if double is None else double.proxy._serialize_result(None),
        )
    return known


def _answers_of(kind: str, double: Double | None, *, faults: bool) -> Iterator[tuple[str, int]]:
    """How calls of a type may end, each with the faults that it counts for."""
    if double is not None and double.is_stubbed:
        yield ('answered', 0)
        if faults and callable(double.stub) and not isinstance(double.stub, type) and kind == 'activity':
            yield ('timed out, performed', 1)
            yield ('timed out', 2)
        return
    yield ('completed', 0)
    if not faults:
        return
    yield ('failed', 1)
    for cls in getattr(double.proxy.options, 'raises', ()) if double is not None else ():
        yield (f'failed:{cls.__name__}', 1)
    yield ('timed out', 1)
    if kind == 'activity':
        yield ('timed out, not started', 2)
        yield from ((outcome, 2) for outcome in _other_time_outs(double))
    if kind == 'child':
        yield ('terminated', 2)


def _other_time_outs(double: Double | None) -> Iterator[str]:
    """The time-outs that an activity has only where its proxy or its type says so."""
    settings = [double.proxy.options, double.spec] if double is not None else []
    for name, outcome in (('heartbeat', 'timed out, no heartbeat'), ('schedule_to_close', 'timed out, in all')):
        if any(getattr(options, name, None) not in (None, math.inf) for options in settings):
            yield outcome


def _attribute(cls: type, double: Double) -> str:
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if value is double.proxy:
                return name
    return ''


def answer_event(outcome: Any) -> tuple[type, dict[str, Any]]:
    """The event that the answer of a stub is, and its members."""
    if isinstance(outcome, Completed):
        return events.Completed, {'result': outcome.result}
    if isinstance(outcome, Canceled):
        return events.Canceled, {'details': outcome.details}
    return events.Failed, {'reason': outcome.reason, 'details': outcome.details}


def latest_end(decision: decisions.ScheduleActivity, spec: Any) -> float:
    """The seconds after which one of its time-outs ends an activity; what it leaves out is its type's."""
    whole, waiting, running = decision.schedule_to_close, decision.schedule_to_start, decision.start_to_close
    if spec is not None:
        whole = spec.schedule_to_close if whole is None else whole
        waiting = spec.schedule_to_start if waiting is None else waiting
        running = spec.start_to_close if running is None else running
    limit = math.inf if waiting is None or running is None else waiting + running
    return limit if whole is None else min(whole, limit)
