"""The choices of a schedule: how open items may end, what SWF may refuse, and what may happen to a decision."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from genflow.core.model import decisions, events
from genflow.swf.tasks.respond import Canceled, Completed
from genflow.testing.explorer.playing.items import Action
from genflow.testing.tester.doubles import Double

__all__ = [
    'ALLOW_ALL',
    'ALREADY_RUNNING',
    'CALM',
    'CANCEL',
    'CANCELED',
    'DELIVERED',
    'ENDS',
    'EVICT',
    'FIRED',
    'GOES_WELL',
    'LOSE',
    'REFUSABLE',
    'REFUSALS',
    'STARTED',
    'WORDS',
    'Refusal',
    'answer_event',
    'answers_of',
]


ALREADY_RUNNING = 'WORKFLOW_ALREADY_RUNNING'
"""The cause with which SWF refuses to start a child of whose id an execution is open."""


def answers_of(kind: str, part: Double | None, *, faults: bool) -> Iterator[tuple[str, int]]:
    """How calls of a type may end, each with the faults that it counts for."""
    if part is not None and part.is_stubbed:
        yield ('answered', 0)
        if faults and callable(part.stub) and not isinstance(part.stub, type) and kind == 'activity':
            yield ('timed out, performed', 1)
            yield ('timed out', 2)
        return
    yield ('completed', 0)
    if not faults:
        return
    yield ('failed', 1)
    for cls in getattr(part.proxy.options, 'raises', ()) if part is not None else ():
        yield (f'failed:{cls.__name__}', 1)
    yield ('timed out', 1)
    if kind == 'activity':
        yield ('timed out, not started', 2)
        yield from ((outcome, 2) for outcome in _other_time_outs(part))
    if kind == 'child':
        yield ('terminated', 2)


def _other_time_outs(part: Double | None) -> Iterator[str]:
    """The time-outs that an activity has only where its proxy or its type says so."""
    settings = [part.proxy.options, part.spec] if part is not None else []
    for name, outcome in (('heartbeat', 'timed out, no heartbeat'), ('schedule_to_close', 'timed out, in all')):
        if any(getattr(options, name, None) not in (None, math.inf) for options in settings):
            yield outcome


def answer_event(outcome: Any) -> tuple[type, dict[str, Any]]:
    """The event that the answer of a stub is, and its members."""
    if isinstance(outcome, Completed):
        return events.Completed, {'result': outcome.result}
    if isinstance(outcome, Canceled):
        return events.Canceled, {'details': outcome.details}
    return events.Failed, {'reason': outcome.reason, 'details': outcome.details}


WORDS: dict[type, str] = {events.Completed: 'completed', events.Canceled: 'canceled', events.Failed: 'failed'}

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

DELIVERED = ('delivered', 0)
STARTED = (('started', 0),)
FIRED = (('fired', 0),)
CANCELED = ('canceled', 0)

CALM = frozenset({'', 'started', 'completed', 'answered', 'fired', 'delivered', 'canceled'})
"""The outcomes with which nothing went wrong."""

GOES_WELL = frozenset({'completed', 'answered', 'started'})
"""The outcomes with which a call succeeds or a child begins, and no time passes."""

ALLOW_ALL = 99
"""An allowance of more faults than any run has."""


class Refusal(NamedTuple):
    """What SWF may refuse of the next decision: the first of its kind."""

    decision: type
    kind: str
    cause: str


REFUSABLE: dict[str, Refusal] = {
    'activity': Refusal(decisions.ScheduleActivity, 'activity', 'ACTIVITY_CREATION_RATE_EXCEEDED'),
    'timer': Refusal(decisions.StartTimer, 'timer', 'TIMER_CREATION_RATE_EXCEEDED'),
    'child': Refusal(decisions.StartChild, 'child', 'CHILD_CREATION_RATE_EXCEEDED'),
    'lambda': Refusal(decisions.ScheduleLambda, 'lambda', 'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED'),
    'activity, of a type that SWF does not know,': Refusal(
        decisions.ScheduleActivity, 'activity', 'ACTIVITY_TYPE_DOES_NOT_EXIST'
    ),
    'child, since one of its id is open,': Refusal(decisions.StartChild, 'child', ALREADY_RUNNING),
}
"""By how a story names it. A rate makes the engine try again, the other causes fail the call."""

CANCEL = Action('cancel', cost=1)
EVICT = Action('evict', cost=1)
LOSE = Action('lose', cost=2)
REFUSALS = [Action('refuse', kind, cost=2) for kind in REFUSABLE]
