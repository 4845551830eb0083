"""The open items of an execution at SWF, and the actions of a schedule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from attrs import define, field, frozen

__all__ = ['DECIDE', 'Action', 'Ends', 'Item']


class Action(NamedTuple):
    """One choice of a schedule.

    Attributes:
        verb: What happens: ``decide``, ``end``, ``signal``, ``cancel``, ``evict``, ``lose`` or ``refuse``.
        when: ``''`` for by itself, ``before`` for before a decision that is due is made, ``during`` for while it is.
        outcome: Of an item.
        cost: Faults that it counts for.
        ref: The item, by the id of its event.
        name: The label of the item, or the name of the signal.
    """

    verb: str
    name: str = ''
    outcome: str = ''
    when: str = ''
    cost: int = 0
    ref: int = 0

    @property
    def label(self) -> str:
        """How a schedule names it, so that it can be found again after the code has changed elsewhere."""
        return ' '.join(word for word in (self.when, self.verb, self.name, self.outcome) if word)

    @property
    def is_last(self) -> bool:
        """Whether the decision that is due is made next, so that nothing else comes before it."""
        return self.verb in ('evict', 'refuse')

    def around(self, when: str) -> Action:
        """The same close to a decision, which counts as one more fault."""
        return Action(self.verb, self.name, self.outcome, when, self.cost + 1, self.ref)


DECIDE = Action('decide')


@frozen(eq=False)
class Ends:
    """The ways in which an item may end, as actions.

    Attributes:
        free: All of them, where something went wrong with its call already, so that more of that costs nothing.
        by_allowance: Those that a number of faults allows.
    """

    free: tuple[Action, ...]
    by_allowance: tuple[tuple[Action, ...], ...]

    @classmethod
    def of(cls, label: str, ref: int, choices: Sequence[tuple[str, int]]) -> Ends:
        """The actions of an item, from its outcomes and the faults that each counts for."""
        every = [Action('end', label, outcome, '', cost, ref) for outcome, cost in choices]
        dearest = max(cost for _, cost in choices)
        allowed = tuple(tuple(action for action in every if action.cost <= most) for most in range(dearest + 1))
        return cls(tuple(Action('end', label, outcome, '', 0, ref) for outcome, _ in choices), allowed)

    def within(self, allowance: int) -> tuple[Action, ...]:
        return self.by_allowance[min(allowance, len(self.by_allowance) - 1)]


@define(eq=False)
class Item:
    """Something that SWF has open.

    Attributes:
        kind: ``activity``, ``child``, ``lambda``, ``timer``, ``signal`` or ``cancel``.
        key: The id at SWF.
        attempt: Which attempt of which call it is: ``7.2``.
        name: Of the type, function or signal.
        version: Of the type.
        input: What it was called with.
        ref: The id of the event that opened it.
        label: The name and which one of that name it is: ``Charge#2``.
        call: The number of the call; its attempts share it.
        due: When a timer fires.
        limit: When a time-out ends it at the latest.
        target: Of a signal or cancel request: the execution that it goes to.
        started: Of a child: whether it was started.
        canceling: Whether it was asked to cancel.
        silent: Whether a stub leaves it unanswered.
        ends: How it may end, once that was asked for.
    """

    kind: str
    key: str
    attempt: str
    name: str
    version: str | None = None
    input: str | None = None
    ref: int = 0
    label: str = ''
    call: str = ''
    due: float = math.inf
    limit: float = math.inf
    target: str = ''
    started: bool = False
    canceling: bool = False
    silent: bool = False
    ends: Ends | None = field(default=None, init=False)

    @property
    def call_number(self) -> str:
        """The number of the call in its run."""
        return self.call.rpartition('/')[2]
