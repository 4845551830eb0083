"""What the code asked for and the history has not recorded yet, in the order in which it was asked.

SWF allows an execution a thousand open activities, timers, children and Lambda functions each. A call beyond that
waits in the backlog of its quota until the history closes one, so the limit is back-pressure and no error. A retry
keeps the place of the attempt that failed. A wait before an attempt is a timer: where none may be opened, its call
waits in the timers' backlog. Whether there is a wait is only known when the decision is sent. So deferred attempts are
recorded in a marker, and replay follows it.

An entry leaves when the history shows it. What did not fit into a response therefore stays by itself, and a live
continuation and a replay agree on it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from attrs import define, field

from genflow.core.calls.call import Call, Cancellation, RetryableCall
from genflow.core.calls.phases import (
    AGAIN,
    BACKLOGGED,
    NO_SLOT,
    QUEUED,
    SENT,
    SLOT,
    SLOT_RESERVED,
    TIMER_SLOT,
    TRANSITIONS,
    WITH_OWN_SLOT,
    WITH_TIMER_SLOT,
)
from genflow.core.model.decisions import CancelTimer, Decision, StartTimer
from genflow.core.model.events import TimerStarted
from genflow.core.model.wire_names import RETRY_TIMER_SUFFIX

__all__ = ['QUOTAS', 'Batch', 'EngineEntry', 'EngineTimer', 'Entry', 'Outbox']


class EngineEntry:
    """What the engine itself has to send: a timer, or the reply to an update."""

    __slots__ = ('dropped',)

    quota = None
    input: str | None = None
    incompatible = True
    where = None

    def __init__(self) -> None:
        self.dropped = False

    def decision(self) -> Decision:
        """What to send now."""
        raise NotImplementedError

    def matches(self, event: Any) -> bool:
        """Whether a recorded output event is this entry's."""
        raise NotImplementedError

    def recorded(self, event: Any) -> None:
        """The history shows it."""

    def recorded_input(self, event: Any) -> str | None:
        """What the history recorded, where that is to be compared with :attr:`input`."""
        return None

    def withdraw(self) -> None:
        """It is not sent."""
        self.dropped = True

    def description(self) -> dict[str, Any]:
        """What it asks for, for a report."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        raise NotImplementedError


class EngineTimer(EngineEntry):
    """A timer that the engine itself asks for."""

    __slots__ = ('name', 'seconds')

    def __init__(self, name: str, seconds: int) -> None:
        super().__init__()
        self.name = name
        self.seconds = seconds

    def decision(self) -> Decision:
        return StartTimer(self.name, self.seconds)

    def matches(self, event: Any) -> bool:
        shown = event.timer_id if isinstance(event, TimerStarted) else getattr(event, 'key', None)
        return shown == self.name

    def description(self) -> dict[str, Any]:
        return {'kind': 'back-off timer', 'id': self.name}

    @property
    def label(self) -> str:
        return f'timer {self.name}'


Entry = Call | Cancellation | EngineEntry

QUOTAS = {'activity': 1000, 'child': 1000, 'lambda': 1000, 'timer': 990}
"""Open work that one execution may have (SWF's quotas); ten timers are kept for the engine. Part of what shapes a
response, hence a constant."""


OWN = ''
"""Stands for the quota of the call itself."""

_SLOTS: dict[str, str] = {**dict.fromkeys(WITH_OWN_SLOT, OWN), **dict.fromkeys(WITH_TIMER_SLOT, 'timer')}
_STEPS = {
    before: {event: (after, _SLOTS.get(before), _SLOTS.get(after)) for event, after in steps.items()}
    for before, steps in TRANSITIONS.items()
}
"""The transitions, each with the quota of which a slot becomes free and that of which one is taken."""


@define
class Batch:
    """What the outbox sends with one answer.

    Attributes:
        decisions: The decisions, in order.
        without_slot: The ids of the attempts whose waits find no place among the open timers.
        further_attempts: The ids of the further attempts that were decided on and are not recorded.
        has_work: Whether the history will speak of something in it: it holds more than cancellations.
        frees_slots: Whether it makes room for the backlog when it is recorded, without bringing a decision task.
    """

    decisions: list[Decision]
    without_slot: list[str]
    further_attempts: list[str]
    has_work: bool
    frees_slots: bool


@define(eq=False)
class Outbox:
    """The entries that are to be sent, and how much of each kind is open.

    Attributes:
        entries: What is sent next, in order; entries that were dropped meanwhile are passed over.
        open: How many slots of each quota are taken, by the calls in the phases that have one.
        backlog: The calls that wait for a slot, by quota; those in the timers' backlog wait for one for their wait.
        throttled: The calls that SWF refused for its rate, until the back-off is over.
    """

    entries: deque[Entry] = field(factory=deque, init=False)
    open: dict[str, int] = field(factory=partial(dict.fromkeys, QUOTAS, 0), init=False)
    backlog: dict[str, deque[Call]] = field(factory=partial(defaultdict, deque), init=False)
    throttled: list[Call] = field(factory=list, init=False)
    _stashed: list[Entry] = field(factory=list, init=False)
    _stashed_backlog: dict[str, deque[Call]] = field(factory=dict, init=False)

    def add(self, entry: Entry) -> None:
        """Puts an entry at the end, or into the backlog where its quota is used up."""
        if isinstance(entry, Call):
            quota = entry.quota
            entry.phase = QUEUED  # as change() does, without a call more
            if quota is not None:
                count = self.open[quota]
                if count >= QUOTAS[quota]:
                    entry.phase = BACKLOGGED
                    self.backlog[quota].append(entry)
                    return
                self.open[quota] = count + 1
        self.entries.append(entry)

    def again(self, call: Call) -> None:
        """Puts a call at the end of which another attempt is sent; it keeps its slot."""
        self.change(call, AGAIN)
        self.entries.append(call)

    def change(self, call: Call, event: str) -> None:
        """Takes a call to the phase that follows, and its slot along.

        A slot that becomes free goes to the next call of the backlog. That of a wait that was not needed, or that SWF
        refused, goes to it when the next decision begins: what follows from a record adds nothing to that record.
        """
        call.phase, freed, taken = _STEPS[call.phase][event]
        if freed is taken or call.quota is None:
            return
        if taken is not None:
            self.open[taken or call.quota] += 1  # whatever the limit, where SWF has it already
        if freed is not None:
            quota = freed or call.quota
            self.open[quota] -= 1
            if self.backlog[quota] and call.phase is not SENT:
                self.fill(quota)

    def hold(self, attempt_ids: Iterable[str]) -> bool:
        """Moves calls into the timers' backlog.

        Args:
            attempt_ids: Of attempts that have to be preceded by a wait.

        Returns:
            Whether all of them were there.
        """
        wanted = set(attempt_ids)
        found: list[RetryableCall] = []
        kept: list[Entry] = []
        for entry in self.unsent():
            if isinstance(entry, RetryableCall) and entry.phase is QUEUED and entry.attempt_id in wanted:
                found.append(entry)
            else:
                kept.append(entry)
        self.entries.clear()
        self.entries.extend(kept)
        for call in found:
            self.backlog['timer'].append(call)
            self.change(call, NO_SLOT)
        return len(found) == len(wanted)

    def fill(self, quota: str) -> None:
        """Lets the backlog of a quota take the slots that are free."""
        backlog = self.backlog[quota]
        while backlog and self.open[quota] < QUOTAS[quota]:
            call = backlog.popleft()
            if not call.dropped:
                self.change(call, SLOT if call.quota == quota else TIMER_SLOT)
                self.entries.append(call)

    def throttle(self, call: Call) -> None:
        """Keeps a call that SWF refused for its rate or quota until the back-off is over."""
        self.change(call, AGAIN)
        self.throttled.append(call)

    def unthrottle(self) -> None:
        throttled, self.throttled = self.throttled, []
        for call in throttled:
            if not call.dropped:
                self.entries.append(call)

    def stash(self) -> None:
        """Takes away everything but cancellations, for a restart that may yet be refused."""
        self._stashed = [entry for entry in self.unsent() if not isinstance(entry, Cancellation)]
        kept = [entry for entry in self.unsent() if isinstance(entry, Cancellation)]
        self.entries.clear()
        self.entries.extend(kept)
        self._stashed_backlog, self.backlog = self.backlog, defaultdict(deque)

    def unstash(self) -> None:
        """The restart was refused: what was stashed is to be sent after all."""
        self.entries.extendleft(reversed(self._stashed))
        self._stashed = []
        self.backlog = self._stashed_backlog
        for quota in QUOTAS:
            self.fill(quota)

    def head(self) -> Entry | None:
        """The first entry that was not dropped."""
        entries = self.entries
        while entries and entries[0].dropped:
            entries.popleft()
        return entries[0] if entries else None

    def unsent(self) -> Iterator[Entry]:
        """Every entry that would be sent now, in order."""
        return (entry for entry in self.entries if not entry.dropped)

    def all(self) -> Iterator[Entry]:
        """Every entry, those in a backlog and the throttled ones too."""
        yield from self.entries
        for backlog in self.backlog.values():
            yield from backlog
        yield from self.throttled

    def batch(self) -> Batch:
        """What is to be sent now."""
        found: list[Decision] = []
        without_slot: list[str] = []
        further_attempts: list[str] = []
        room = QUOTAS['timer'] - self.open['timer']
        has_work = False
        for entry in self.entries:
            if entry.dropped:
                continue
            decision = entry.decision()
            has_work = has_work or type(entry) is not Cancellation
            if isinstance(entry, RetryableCall):
                if entry.attempt > 1:
                    further_attempts.append(entry.attempt_id)
                if type(decision) is StartTimer and entry.phase is QUEUED:
                    room -= 1
                    if room < 0:
                        without_slot.append(entry.attempt_id)
                        continue
            found.append(decision)
        frees_slots = bool(without_slot or any(self.backlog.values())) and self._frees_slots(found, without_slot)
        return Batch(found, without_slot, further_attempts, has_work, frees_slots)

    def _frees_slots(self, found: list[Decision], without_slot: list[str]) -> bool:
        """Whether what is sent makes room for the backlog when it is recorded.

        A wait before an attempt is no open activity, nor is what waits for a place among the timers; a cancelled timer
        is no open timer, nor is a call that needs no wait any more. None of them brings a decision task in which the
        room could be used.
        """
        others = any(self.backlog[quota] for quota in QUOTAS if quota != 'timer')
        if others and (without_slot or any(_is_pause(decision) for decision in found)):
            return True
        if not without_slot and not self.backlog['timer']:
            return False
        return any(type(decision) is CancelTimer for decision in found) or self._returns_slots(found)

    def _returns_slots(self, found: list[Decision]) -> bool:
        """Whether a call with a place among the timers is sent without a wait."""
        timers = {decision.timer_id for decision in found if type(decision) is StartTimer}
        with_slot = (one for one in self.unsent() if isinstance(one, RetryableCall) and one.phase is SLOT_RESERVED)
        return any(call.wait_id not in timers for call in with_slot)

    def clear_beside(self, *, completes: bool) -> None:
        """Drops what is not sent beside a close.

        SWF accepts no close beside some unsent work and timers, and a close would end the others at once. A completion
        goes without cancellations too: it ends what they would cancel, and it leaves nothing to be undone where SWF
        refuses it.
        """
        for backlog in self.backlog.values():
            backlog.clear()
        for entry in list(self.unsent()):
            if completes or entry.incompatible:
                entry.withdraw()

    def __bool__(self) -> bool:
        return self.head() is not None


def _is_pause(decision: Decision) -> bool:
    return type(decision) is StartTimer and decision.timer_id.endswith(RETRY_TIMER_SUFFIX)
