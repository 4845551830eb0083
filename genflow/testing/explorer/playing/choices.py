"""The choices of a schedule besides ends of items: cancellation, eviction, a lost decision, refusals by SWF."""

from __future__ import annotations

from typing import NamedTuple

from genflow.core.model import decisions
from genflow.testing.explorer.playing.items import Action

__all__ = ['ALLOW_ALL', 'ALREADY_RUNNING', 'CANCEL', 'EVICT', 'LOSE', 'REFUSABLE', 'REFUSALS', 'Refusal']

ALREADY_RUNNING = 'WORKFLOW_ALREADY_RUNNING'
"""The cause with which SWF refuses to start a child of whose id an execution is open."""

ALLOW_ALL = 99
"""An allowance of more faults than any run has."""


class Refusal(NamedTuple):
    """A refusal by SWF: it hits the first decision of this type in the next response."""

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
