"""The parts of a state that cannot see each other: what each member of a list reaches alone, and what all may reach.

*Theory of operation.* While ``run`` waits for all of a list (``yield [self.pack(1), self.pack(2)]``), each member of
the list is a process of its own. Its part is what can be reached from it and from nowhere else; everything else is
shared. A part is known by a hash, as a state is. A step whose hashes before and after differ in the parts of some
members, and not in what is shared, has written to these parts alone, and it cannot have read the parts of others, since
its code does not reach them. So it makes the same of these parts wherever they and what is shared are the same, and two
steps on different parts are independent: both orders lead to one state (Godefroid, *Partial-Order Methods*, 1996).

What cannot be told apart in this way has no parts, and all orders of it are tried: members that reach a common object
or each other, conditions (which are asked after each step), sagas (whose judge looks at orders), and checks that see
the order of calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from attrs import frozen

from genflow.core.tasks.combinators import Gathered
from genflow.testing.explorer.equivalence.states import Walk, fingerprint, item_state
from genflow.testing.explorer.playing.ends import GOES_WELL
from genflow.testing.explorer.playing.items import DECIDE, Action, Item
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['Move', 'Parts', 'Together', 'members_of', 'parts_of', 'played_together']

UNCHANGING = (tuple, frozenset, FunctionType, MethodType, BuiltinFunctionType)
"""Objects that two members may both reach: what they hold is looked at by itself."""

LIST = -1
"""The place of the list that is waited for; its members are at the places below."""


@frozen
class Parts:
    """A state, taken apart.

    Attributes:
        shared: What more than one member may reach, as a hash.
        members: What each member reaches alone, as hashes.
        names: By the ids of their events, the member that has something open, and the place of that in its part, which
            stays the same while the part does.
    """

    shared: int
    members: tuple[int, ...]
    names: Mapping[int, tuple[int, int]]

    def changed(self, after: Parts) -> frozenset[int] | None:
        """The members whose parts alone differ afterwards; ``None`` if more than that differs."""
        if self.shared != after.shared or len(self.members) != len(after.members):
            return None
        pairs = zip(self.members, after.members, strict=True)
        return frozenset(place for place, (one, other) in enumerate(pairs) if one != other)


def parts_of(run: Simulation, memory: Iterable[Any]) -> Parts | None:
    """The parts of the state at which a run stands; ``None`` if it has no members that are known to be apart."""
    live = run.live
    gathered = None if live.root is None else live.root.awaiting
    if not isinstance(gathered, Gathered) or gathered.decided or len(gathered.members) < 2:  # noqa: PLR2004 - to be apart
        return None
    if live.conditions or live.log.sagas or run.setup.minds_calls or not run.all_sent:
        return None
    places = {id(member): LIST - place for place, member in enumerate(gathered.members, 1)}
    if len(places) != len(gathered.members):
        return None
    whole = _shared(run, memory, {id(gathered): LIST, **places})
    if whole is None:
        return None
    walks = [_own(member, whole) for member in gathered.members]
    if not _are_apart(walks, whole) or not _all_branches_met(run, walks, whole):
        return None
    items: list[list[Any]] = [[] for _ in walks]
    loose = []
    names = {}
    for item in run.open.values():
        number = item.call_number
        place = next((place for place, walk in enumerate(walks) if number in walk.calls), None)
        if place is None:
            loose.append(item_state(run, item, whole.calls))
        else:
            items[place].append(item_state(run, item, walks[place].calls))
            names[item.ref] = (place, walks[place].calls[number])
    ids = sorted(item.key for item in run.open.values() if item.kind == 'child' and not _is_own_id(item))
    shared = hash((*whole.out, *sorted(loose), *ids))
    members = tuple(hash((*walk.out, *sorted(own))) for walk, own in zip(walks, items, strict=True))
    return Parts(shared, members, names)


def _is_own_id(child: Item) -> bool:
    """Whether a child has an id that nobody else can give: the code gave none."""
    return child.key.endswith(f'-{child.attempt}')


def _shared(run: Simulation, memory: Iterable[Any], places: dict[int, int]) -> Walk | None:
    """What all members may reach; ``None`` where a member is in it, so that others may look at how far it is."""
    live = run.live
    walk = Walk(everything_is_sent=True)
    walk.seen.update(places)
    for value in (live, live.workflow, live.markers.streams_begun, *memory):
        walk.visit(value)
    walk.visit_surroundings(run)
    if any(('seen', place) in walk.out for place in places.values()):
        return None
    walk.visit(live.root)
    walk.out += [len(run.past), run.cancel_at is not None, run.moved_by_cancel, run.time, *sorted(run.timed_out)]
    walk.out += [(name, tuple(box.texts)) for name, box in sorted(live.mailboxes.items())]
    walk.out += [(name, len(texts)) for name, texts in run.signals.items()]
    walk.out += run.extra
    return walk


def _own(member: Any, whole: Walk) -> Walk:
    """What a member reaches beyond what is shared."""
    walk = Walk(everything_is_sent=True)
    walk.seen.update(whole.seen)
    del walk.seen[id(member)]
    walk.visit(member)
    return walk


def _are_apart(walks: Iterable[Walk], whole: Walk) -> bool:
    """Whether no member reaches another one, or an object that another one reaches."""
    met: set[int] = set()
    for walk in walks:
        own = {id(value) for value in walk.alive if not isinstance(value, UNCHANGING)}
        if met & own or any(part[0] == 'seen' and part[1] < LIST for part in _pairs(walk.out)):
            return False
        met |= own
    return True


def _pairs(out: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    return (part for part in out if type(part) is tuple and len(part) == 2)  # noqa: PLR2004 - a pair


def _all_branches_met(run: Simulation, walks: Iterable[Walk], whole: Walk) -> bool:
    """Whether each branch belongs to a member or is shared; one that was spawned and forgotten is not."""
    return all(
        id(branch) in whole.seen or any(id(branch) in walk.seen for walk in walks)
        for branch in run.live.branches.values()
    )


# all steps of a list


@frozen
class Move:
    """A step of one member of a list, where nothing may go wrong: what becomes of its part.

    Attributes:
        member: Which one.
        before: Its part.
        after: Its part afterwards.
        digest: By how much the digest of what has happened grows.
    """

    member: int
    before: int
    after: int
    digest: int


@frozen
class Together:
    """All steps until each member of a list has ended, in one order.

    Attributes:
        moves: The steps, without the last one, with which ``run`` goes on in the same decision.
        last: The member that makes the last one.
        before: The parts before that.
        reached: What it leads to.
    """

    moves: list[Move]
    last: int
    before: Parts
    reached: tuple[Any, ...]


def played_together(run: Simulation, memory: Iterable[Any], parts: Parts, later: int | None = None) -> Together | None:
    """Plays a list to its end where nothing may go wrong any more; ``None`` if a step changes more than its own part.

    If no step does, it makes the same of its part in any order of the steps, so that one order stands for all. The
    last step does not show what it changes; that needs another order.

    Args:
        run: It waits for the list.
        memory: What the stubs remember.
        parts: The parts of its state.
        later: The member that must not be the last one: its steps are made first.
    """
    root = run.live.root
    awaited = None if root is None else root.awaiting
    moves: list[Move] = []
    places = members_of(run, run.actions(0), parts)
    while places:
        chosen = places.index(later) if later in places else 0
        place, digest = places[chosen], run.digest
        run.take(run.actions(0)[chosen])
        run.take(DECIDE)
        if isinstance(awaited, Gathered) and awaited.decided:
            break
        after = None if run.ended else parts_of(run, memory)
        if after is None or parts.changed(after) != frozenset({place}):
            return None
        moves.append(Move(place, parts.members[place], after.members[place], run.digest - digest))
        parts = after
        places = members_of(run, run.actions(0), parts)
    if places is None or len(places) != 1 or places == [later] or run.error or run.violation or run.broken_update:
        return None
    reached = run.closed.how if run.closed is not None else fingerprint(run, memory)
    return Together(moves, places[0], parts, (run.digest, reached))


def members_of(run: Simulation, actions: Sequence[Action], parts: Parts) -> list[int] | None:
    """The members whose step each action is; ``None`` if not each open member has one step that goes well."""
    if run.is_due or len(actions) != len(run.open):
        return None
    places = []
    for action in actions:
        if action.verb != 'end' or action.outcome not in GOES_WELL or action.ref not in parts.names:
            return None
        places.append(parts.names[action.ref][0])
    return places if len(set(places)) == len(places) else None
