"""The steps that are known: what each has made of the parts of a state, so that it need not be played elsewhere.

A step begins and ends where no decision is due: an event, what else comes before the decision, and the decision. If it
changes nothing but the parts of the members whose events it consists of, it makes the same of them wherever they, and
what is shared, are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import factorial, prod

from attrs import define, evolve, field, frozen

from genflow.testing.explorer.equivalence.independence import Move, Parts, Together

__all__ = ['MASK', 'KnownSteps', 'RestOfList', 'Way']

Way = tuple[tuple[int | None, str], ...]
"""The choices of a step, decisions left out: each with the member whose event it is, and its name."""

MASK = 0xFFFFFFFFFFFFFFFF
"""What sums of digests are cut to."""


@frozen
class Effect:
    """What a step makes of the parts of its members.

    Attributes:
        parts: These parts afterwards.
        digest: By how much the digest of what has happened grows.
        decisions: How many decisions are made.
    """

    parts: Mapping[int, int]
    digest: int
    decisions: int


@frozen
class RestOfList:
    """The steps until all members of a list have ended, where nothing may go wrong: all orders of them are the same.

    Attributes:
        orders: How many orders there are.
        last: What identifies the state in which all have ended.
    """

    orders: int
    last: tuple[int, tuple[int, ...], int]


@define(eq=False)
class KnownSteps:
    """The steps that were played, as far as they change the parts of their members alone."""

    _effects: dict[tuple[int, Way, tuple[int, ...]], Effect] = field(factory=dict)
    _moves: dict[tuple[int, int, int], Move | None] = field(factory=dict)

    def learn(self, way: Way, before: Parts, after: Parts, digest: int, decisions: int) -> None:
        """Takes a step that was played, by the parts of the states before and after it."""
        members = _members(way)
        changed = before.changed(after)
        if changed is not None and changed <= set(members):
            parts = {member: after.members[member] for member in members}
            self._effects[_key(way, before, members)] = Effect(parts, digest & MASK, decisions)

    def after(self, way: Way, before: Parts, *, may_go_on: bool) -> tuple[Parts, int] | None:
        """The parts after a step and the growth of the digest; ``None`` if it is not known.

        Args:
            way: Its choices.
            before: The parts before it.
            may_go_on: Whether there is a choice after its first decision, so that it must not have another one.
        """
        effect = self._effects.get(_key(way, before, _members(way)))
        if effect is None or (may_go_on and effect.decisions > 1):
            return None
        members = tuple(effect.parts.get(member, part) for member, part in enumerate(before.members))
        return evolve(before, members=members), effect.digest

    def learn_list(self, together: Together) -> None:
        """Takes the steps of a list that was played to its end; those who have ended when the last one does so, too."""
        shared = together.before.shared
        for move in together.moves:
            self._moves[shared, move.member, move.before] = move
        for member, part in enumerate(together.before.members):
            if member != together.last:
                self._moves[shared, member, part] = None

    def rest_of_list(self, parts: Parts, digest: int) -> RestOfList | None:
        """What follows until all members of a list have ended; ``None`` if some of it is not known."""
        counts: Counter[int] = Counter()
        members = list(parts.members)
        for member, part in enumerate(parts.members):
            while True:
                move = self._moves.get((parts.shared, member, part), UNKNOWN)
                if move is UNKNOWN:
                    return None
                if move is None:
                    break
                part = members[member] = move.after  # noqa: PLW2901 - follows the moves of the member
                counts[member] += 1
                digest += move.digest
        orders = factorial(counts.total()) // prod(map(factorial, counts.values()))
        return RestOfList(orders, (parts.shared, tuple(members), digest & MASK))


UNKNOWN = Move(-1, 0, 0, 0)


def _members(way: Way) -> Sequence[int]:
    return sorted({member for member, _ in way if member is not None})


def _key(way: Way, before: Parts, members: Sequence[int]) -> tuple[int, Way, tuple[int, ...]]:
    return before.shared, way, tuple(before.members[member] for member in members)
