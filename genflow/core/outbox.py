"""What the code asked for and the history has not recorded yet, in the order in which it was asked.

SWF allows an execution a thousand open activities, timers, children and Lambda functions each. A call beyond that
waits in the backlog of its lane until the history closes one, so the limit is back-pressure and no error. A retry
keeps the place of the attempt that failed. A wait before an attempt is a timer: where none may be opened, its call
waits in the timers' backlog. Whether there is a wait is only known when the decision is sent, so what is held back so
is put on record in a marker, and follows that at replay.

An entry leaves when the history shows it. What did not fit into a response therefore stays by itself, and a live
continuation and a replay agree on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Union

from .attempts import PAUSE, RetriedCall
from .calls import HELD, QUEUED, SEATED, Call, Cancellation
from .decisions import CancelTimer, StartTimer

if TYPE_CHECKING:
    from .backoff import BackoffTimer
    from .decisions import Decision

__all__ = ['LANES', 'Entry', 'Outbox']

Entry = Union[Call, Cancellation, 'BackoffTimer']

LANES = {'activity': 1000, 'child': 1000, 'lambda': 1000, 'timer': 990}
"""Open work that one execution may have (SWF's quotas); ten timers are kept for the engine. Part of what shapes a
response, hence a constant."""


class Outbox:
    """The entries that are to be sent, and how much of each kind is open."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.open = dict.fromkeys(LANES, 0)
        self.backlog: dict[str, deque[Call]] = {lane: deque() for lane in LANES}
        self.parked: list[Call] = []
        self._aside: list[Entry] = []
        self._backlog_aside = self.backlog

    def add(self, entry: Entry) -> None:
        """Puts an entry at the end, or into the backlog where its lane is full."""
        if isinstance(entry, Call):
            lane = entry.lane
            entry.phase = QUEUED
            if lane is not None:
                count = self.open[lane]
                if count >= LANES[lane]:
                    entry.phase = HELD
                    self.backlog[lane].append(entry)
                    return
                self.open[lane] = count + 1
        self.entries.append(entry)

    def put(self, entry: Entry) -> None:
        """Puts an entry at the end that has its place in the lane already."""
        self.entries.append(entry)

    def move(self, lane: str, other: str) -> None:
        """A call gives up its place for one in another lane, whatever the limit there: SWF has it already."""
        self.open[other] += 1
        self.release(lane)

    def unseat(self, call: RetriedCall) -> None:
        """A call with a place among the timers was sent without a wait, or SWF refused the wait.

        The place is filled when the next decision begins: what follows from a record adds nothing to that record.
        """
        self.open['timer'] -= 1
        self.open[call.lane] += 1

    def hold(self, marks: Iterable[str]) -> bool:
        """Moves calls into the timers' backlog.

        Args:
            marks: Of attempts that have to be preceded by a wait.

        Returns:
            Whether all of them were there.
        """
        wanted = set(marks)
        found = [entry for entry in self.unsent() if isinstance(entry, RetriedCall) and entry.mark in wanted]
        for call in found:
            call.phase = HELD
        kept = [entry for entry in self.unsent() if not (isinstance(entry, Call) and entry.phase is HELD)]
        self.entries.clear()
        self.entries.extend(kept)
        for call in found:
            self.backlog['timer'].append(call)
            self.release(call.lane)
        return len(found) == len(wanted)

    def release(self, lane: str) -> None:
        """SWF closed one: the next of the backlog may go."""
        self.open[lane] -= 1
        if self.backlog[lane]:
            self.fill(lane)

    def fill(self, lane: str) -> None:
        """Lets the backlog of a lane take the places that are free."""
        backlog = self.backlog[lane]
        while backlog and self.open[lane] < LANES[lane]:
            call = backlog.popleft()
            if not call.dropped:
                self.open[lane] += 1
                call.phase = QUEUED if call.lane == lane else SEATED
                self.entries.append(call)

    def park(self, call: Call) -> None:
        """Keeps a call that SWF refused for its rate or quota until the back-off is over."""
        self.parked.append(call)

    def unpark(self) -> None:
        parked, self.parked = self.parked, []
        for call in parked:
            if not call.dropped:
                self.entries.append(call)

    def set_aside(self) -> None:
        """Takes away everything but cancellations, for a restart that may yet be refused."""
        self._aside = [entry for entry in self.unsent() if not isinstance(entry, Cancellation)]
        kept = [entry for entry in self.unsent() if isinstance(entry, Cancellation)]
        self.entries.clear()
        self.entries.extend(kept)
        self._backlog_aside, self.backlog = self.backlog, {lane: deque() for lane in LANES}

    def bring_back(self) -> None:
        """The restart was refused: what was set aside is to be sent after all."""
        self.entries.extendleft(reversed(self._aside))
        self._aside = []
        self.backlog = self._backlog_aside
        for lane in LANES:
            self.fill(lane)

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
        """Every entry, those in a backlog and those parked too."""
        yield from self.entries
        for backlog in self.backlog.values():
            yield from backlog
        yield from self.parked

    def further_attempts(self) -> list[str]:
        """The marks of the further attempts that were decided on and are not recorded."""
        return [entry.mark for entry in self.unsent() if isinstance(entry, RetriedCall) and entry.attempt > 1]

    def decisions(self) -> tuple[list[Decision], list[str]]:
        """What to send now, and the marks of the attempts whose waits find no place among the open timers."""
        found: list[Decision] = []
        held: list[str] = []
        room = LANES['timer'] - self.open['timer']
        for entry in self.unsent():
            decision = entry.decision()
            if isinstance(entry, RetriedCall) and type(decision) is StartTimer and entry.phase is QUEUED:
                room -= 1
                if room < 0:
                    held.append(entry.mark)
                    continue
            found.append(decision)
        return found, held

    def frees_places(self, found: list[Decision], held: list[str]) -> bool:
        """Whether what is sent makes room for the backlog when it is recorded.

        A wait before an attempt is no open activity, nor is what waits for a place among the timers; a cancelled timer
        is no open timer, nor is a call that needs no wait any more. None of them brings a decision task in which the
        room could be used.
        """
        others = any(self.backlog[lane] for lane in LANES if lane != 'timer')
        if others and (held or any(_is_pause(decision) for decision in found)):
            return True
        if not held and not self.backlog['timer']:
            return False
        return any(type(decision) is CancelTimer for decision in found) or self._unseats(found)

    def _unseats(self, found: list[Decision]) -> bool:
        """Whether a call with a place among the timers is sent without a wait."""
        timers = {decision.timer_id for decision in found if type(decision) is StartTimer}
        seated = (entry for entry in self.unsent() if isinstance(entry, RetriedCall) and entry.phase is SEATED)
        return any(f'{call.mark}{PAUSE}' not in timers for call in seated)

    def clear_incompatible(self) -> None:
        """Drops unsent work and timers: SWF accepts no close beside some, and a close would end the others at once."""
        for backlog in self.backlog.values():
            backlog.clear()
        for entry in list(self.unsent()):
            if not isinstance(entry, Cancellation) and entry.incompatible:
                entry.withdraw()

    def __bool__(self) -> bool:
        return self.head() is not None


def _is_pause(decision: Decision) -> bool:
    return type(decision) is StartTimer and decision.timer_id.endswith(PAUSE)
