"""The executions that somebody looks at, read once and then event by event; and the causes of those in a list."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo

from attrs import define, field

from genflow.core.model.registry import WorkflowSpec
from genflow.insight import Diagnosis, ExecutionView, Finding
from genflow.swf.aws import faults
from genflow.tools.dashboard.data.executions import Row
from genflow.tools.dashboard.data.source import Source
from genflow.tools.dashboard.events.event_rows import event_line, has_failed
from genflow.tools.executions.follow import EPOCH, HistoryTail
from genflow.tools.executions.gathering import Gatherer
from genflow.tools.pictures.tree import Picture, picture_of

__all__ = ['LARGE', 'Causes', 'Run', 'Runs']

KEPT = 16
"""Executions that stay in memory, however long they are."""

MOST_RUNS = 1000

EVENTS = 400_000
"""Events up to which further ones stay."""

LARGE = 5_000
"""From so many events on, a diagnosis is made again only when there are new ones, or after a while."""

WHILE = timedelta(seconds=10)


@define(eq=False)
class Run:
    """One run that is looked at.

    Attributes:
        domain: Its domain.
        view: As far as it has been read.
        lock: Held while the view is changed or shown.
    """

    domain: str
    view: ExecutionView
    lock: threading.RLock = field(factory=threading.RLock)
    _due: float = -1.0
    _lines: dict[tuple[tzinfo, str], list[str]] = field(factory=dict)
    _diagnosis: Diagnosis | None = None
    _diagnosed: tuple[int, datetime] = (0, EPOCH)
    _picture: Picture | None = None
    _counted: int = 0
    _failures: int = 0

    def update(self, source: Source, clock: Callable[[], float]) -> None:
        """Reads the events that are new, unless that was done just now."""
        if self.view.close is None and clock() >= self._due:
            view = self.view
            tail = HistoryTail(source.client, self.domain, view.workflow_id or '', view.run_id or '')
            view.apply_all(tail.since(view.last_event_id))
            self._due = clock() + source.pace

    def lines(self, zone: tzinfo, address: str, until: int) -> list[str]:
        """The HTML of the first events, made once."""
        with self.lock:
            known = self._lines.setdefault((zone, address), [])
            events = self.view.events[len(known) : until]
            known += [event_line(self.view, event, zone, address) for event in events]
            return known

    def stale(self) -> None:
        """Something was done to it: the next look reads what is new."""
        self._due = -1.0

    def diagnosis(self, source: Source, spec: WorkflowSpec | None) -> Diagnosis:
        """What is to be said of it."""
        known, view = self._diagnosis, self.view
        if known is None or not self._is_fresh(source):
            known = self._diagnosis = source.gathered(view, self.domain).diagnosis(spec)
            self._diagnosed = view.last_event_id, source.clock()
            self._picture = None
        return known

    def _is_fresh(self, source: Source) -> bool:
        """Whether the diagnosis of a large history need not be made again."""
        events, at = self._diagnosed
        same = events == self.view.last_event_id >= LARGE
        return same and (not self.view.is_open or source.clock() - at < WHILE)

    def picture(self, now: datetime) -> Picture:
        """The operations laid out, without children; made again with the diagnosis."""
        if self._picture is None:
            self._picture = picture_of(self.view, now)
        return self._picture

    def failures(self) -> int:
        """How many events say that something failed."""
        new = self.view.events[self._counted :]
        self._counted += len(new)
        self._failures += sum(map(has_failed, new))
        return self._failures


@define
class Runs:
    """The runs that are looked at, the latest kept.

    Attributes:
        source: What is asked.
        clock: Seconds.
    """

    source: Source
    clock: Callable[[], float] = time.monotonic
    _runs: OrderedDict[tuple[str, str, str], Run] = field(factory=OrderedDict)
    _lock: threading.Lock = field(factory=threading.Lock)

    @contextmanager
    def looking_at(self, domain: str, workflow_id: str, run_id: str) -> Iterator[Run]:
        """A run as it is now; nobody changes it meanwhile."""
        key = domain, workflow_id, run_id
        with self._lock:
            run = self._runs.get(key)
            if run is None:
                run = self._runs[key] = Run(domain, ExecutionView(workflow_id, run_id))
            self._runs.move_to_end(key)
            while len(self._runs) > MOST_RUNS or (len(self._runs) > KEPT and self._size() > EVENTS):
                self._runs.popitem(last=False)
        with run.lock:
            try:
                run.update(self.source, self.clock)
            except Exception:
                if not run.view.last_event_id:
                    self._forget(key)
                raise
            yield run

    def is_known(self, domain: str, workflow_id: str, run_id: str) -> bool:
        """Whether a run has been read before, so that it is shown in no time."""
        run = self._runs.get((domain, workflow_id, run_id))
        return run is not None and run.view.last_event_id > 0

    def stale(self, domain: str, workflow_id: str, run_id: str) -> None:
        """Something was done to a run: whoever looks at it next sees what came of it."""
        run = self._runs.get((domain, workflow_id, run_id))
        if run is not None:
            run.stale()

    def _size(self) -> int:
        return sum(run.view.last_event_id for run in self._runs.values())

    def _forget(self, key: tuple[str, str, str]) -> None:
        with self._lock:
            self._runs.pop(key, None)


WELL = frozenset({'completed', 'continued as new'})
"""States that need no cause."""

BUDGET = 0.4
"""Seconds that a page takes to find causes; the next look finds those that are left."""

MOST = 20_000


@define
class Causes:
    """The first causes of executions, found as far as a page has time for.

    Attributes:
        source: What is asked.
        runs: Where the executions are remembered, so that each event is read once.
        clock: Seconds.
        refresh: Seconds after which the cause of an open execution is looked for again.
    """

    source: Source
    runs: Runs
    clock: Callable[[], float] = time.monotonic
    refresh: float = 5.0
    _known: OrderedDict[str, tuple[float, Finding | None]] = field(factory=OrderedDict)
    _gatherers: dict[str, tuple[float, Gatherer]] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def known(self, row: Row) -> Finding | None:
        """The cause that was found, ``None`` if there is none or nobody looked."""
        return self._known.get(key_of(row), (0.0, None))[1]

    def was_found(self, row: Row) -> bool:
        """Whether somebody has looked for it."""
        return row.status in WELL or key_of(row) in self._known

    def find(self, domain: str, rows: list[Row], budget: float = BUDGET) -> None:
        """Finds the causes of rows, those never looked for first, until the time is over; at least one cause a call."""
        with self._lock:
            end = self.clock() + budget
            due = [row for row in rows if row.status not in WELL and self._is_due(row)]
            due.sort(key=lambda row: self._known.get(key_of(row), (0.0, None))[0])
            for row in due:
                self._known[key_of(row)] = (self.clock(), self._found(domain, row))
                if self.clock() >= end:
                    break
            while len(self._known) > MOST:
                self._known.popitem(last=False)

    def _is_due(self, row: Row) -> bool:
        known = self._known.get(key_of(row))
        return known is None or (row.is_open and self.clock() - known[0] > self.refresh)

    def _found(self, domain: str, row: Row) -> Finding | None:
        try:
            with self.runs.looking_at(domain, row.workflow_id, row.run_id) as run:
                gathered = self.source.gathered(run.view, domain, self._gatherer(domain))
                return gathered.diagnosis().first_cause
        except Exception as error:
            if faults.code_of(error) is None:
                raise
            return None  # retention is over, or nobody may read it

    def _gatherer(self, domain: str) -> Gatherer:
        """One that has asked lately who polls: that costs as much as everything else together."""
        made, gatherer = self._gatherers.get(domain, (-1.0, None))
        if gatherer is None or self.clock() - made > self.refresh:
            made, gatherer = self.clock(), self.source.gatherer(domain)
            self._gatherers[domain] = made, gatherer
        return gatherer


def key_of(row: Row) -> str:
    return f'{row.workflow_id}:{row.run_id} {row.status}'
