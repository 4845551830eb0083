"""The executions of a domain: an index that is kept up to date, and what a page of it shows.

*Theory of operation.* SWF lists executions by time and filters by one thing at a time. The index reads the lists once,
in a thread of its own, then only what has started and what has closed since; and so every filter and every order works
on it, for 100,000 too. A :class:`Query` is the whole state of the page, written as the query of its URL.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

from attrs import define, evolve, field, fields, frozen

from genflow.insight import utc
from genflow.swf.aws.pagination import pages
from genflow.tools.dashboard.data.source import Source
from genflow.tools.executions.follow import EPOCH, listed

__all__ = ['COLUMNS', 'STATUSES', 'Index', 'Listing', 'Query', 'Row', 'listing_of']

STATUSES = ('open', 'completed', 'failed', 'timed out', 'terminated', 'canceled', 'continued as new')

PAGE = 100
"""Executions on one page."""

OVERLAP = timedelta(seconds=5)
"""How far before the last start and the last close lists are asked for again: clocks differ, and lists lag."""

SHARE = 10
"""The index is refreshed so rarely that this takes at most one part in so many of the time."""

FIRST = 1.5
"""Seconds that a page waits for the lists to be read; after them it shows what there is."""

BATCH = 1000

FAR = datetime.max.replace(tzinfo=timezone.utc)


@frozen
class Row:
    """An execution as the service lists it."""

    workflow_id: str
    run_id: str
    name: str
    version: str
    status: str
    started: datetime
    closed: datetime | None = None
    tags: tuple[str, ...] = ()
    parent: tuple[str, str] | None = None
    cancel_requested: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Workflow id and run id: files may have the same run id under several workflow ids."""
        return self.workflow_id, self.run_id

    @property
    def is_open(self) -> bool:
        return self.closed is None


def row_of(info: Mapping[str, Any]) -> Row:
    """A row of what a list of SWF has."""
    kind, execution, closed = info['workflowType'], info['execution'], info.get('closeTimestamp')
    return Row(
        execution['workflowId'],
        execution['runId'],
        kind['name'],
        kind['version'],
        info.get('closeStatus', 'OPEN').lower().replace('_', ' '),
        utc(info['startTimestamp']),
        None if closed is None else utc(closed),
        tuple(info.get('tagList') or ()),
        (parent['workflowId'], parent['runId']) if (parent := info.get('parent')) else None,
        bool(info.get('cancelRequested')),
    )


@define
class Index:
    """The executions of one domain.

    Attributes:
        source: What is asked.
        domain: The domain.
        clock: Seconds, for the time between two refreshes.
        version: Changes whenever the executions do.
    """

    source: Source
    domain: str
    clock: Callable[[], float] = time.monotonic
    version: int = 0
    _rows: dict[tuple[str, str], Row] = field(factory=dict)
    _started_until: datetime = EPOCH
    _closed_until: datetime = EPOCH
    _due: float = -1.0
    _lock: threading.Lock = field(factory=threading.Lock)
    _reader: threading.Thread | None = None
    _read: threading.Event = field(factory=threading.Event)
    _failure: Exception | None = None

    @property
    def is_whole(self) -> bool:
        """Whether everything has been read; what is missing is being read."""
        return self._read.is_set()

    def rows(self) -> list[Row]:
        """All executions, as they are now or were a moment ago; at first those that were read soon.

        Raises:
            Exception: The client's error.
        """
        self._begin()
        self._read.wait(FIRST)
        with self._lock:
            if self._failure is not None:
                error, self._failure, self._reader = self._failure, None, None
                self._read.clear()
                raise error
            if self.is_whole and self.clock() >= self._due:
                self._refresh()
            return list(self._rows.values())

    def stale(self) -> None:
        """Something was done: what is known is asked for again."""
        self._due = -1.0

    def _begin(self) -> None:
        """Has a thread read everything, once."""
        with self._lock:
            if self._reader is None:
                self._reader = threading.Thread(target=self._read_all, name='genflow-index', daemon=True)
                self._reader.start()

    def _read_all(self) -> None:
        try:
            for kind in ('open', 'closed'):
                infos = map(row_of, listed(self.source.client, self.domain, kind))
                while batch := list(islice(infos, BATCH)):
                    with self._lock:
                        self._note(batch)
        except Exception as error:  # noqa: BLE001 - it is raised where the rows are asked for
            self._failure = error
        self._due = self.clock() + self.source.pace
        self._read.set()

    def _refresh(self) -> None:
        began = self.clock()
        if not self.source.is_live:
            infos = (info for kind in ('open', 'closed') for info in listed(self.source.client, self.domain, kind))
            rows = [row_of(info) for info in infos]
            self.version += len(self._rows) != len(rows)
            self._rows = {row.key: row for row in rows if row.key in self._rows}
            self._note(rows)
        else:
            self._note(map(row_of, self._news()))
        ended = self.clock()
        self._due = ended + max(self.source.pace, SHARE * (ended - began))

    def _news(self) -> Iterator[Mapping[str, Any]]:
        """What started and what closed since the last look; whatever closed comes last."""
        client, domain = self.source.client, self.domain
        yield from listed(client, domain, 'open', startTimeFilter={'oldestDate': before(self._started_until)})
        since = {'oldestDate': before(self._closed_until)}
        for page in pages(client.list_closed_workflow_executions, domain=domain, closeTimeFilter=since):
            yield from page['executionInfos']

    def _note(self, rows: Iterable[Row]) -> None:
        for row in rows:
            known = self._rows.get(row.key)
            if row == known or (known is not None and row.is_open and not known.is_open):
                continue
            self.version += 1
            self._rows[row.key] = row
            self._started_until = max(self._started_until, row.started)
            self._closed_until = max(self._closed_until, row.closed or EPOCH)


def before(moment: datetime) -> datetime:
    """Somewhat before a moment."""
    return max(EPOCH, moment - OVERLAP)


Key = Callable[[Row], Any]

COLUMNS: dict[str, tuple[str, Key]] = {
    'status': ('State', lambda row: STATUSES.index(row.status) if row.status in STATUSES else len(STATUSES)),
    'id': ('Workflow id', lambda row: row.workflow_id),
    'type': ('Type', lambda row: (row.name, row.version)),
    'cause': ('Cause', lambda row: ''),
    'started': ('Started', lambda row: row.started),
    'closed': ('Closed', lambda row: row.closed or FAR),
    'took': ('Took', lambda row: (row.closed or FAR) - row.started),
    'tags': ('Tags', lambda row: row.tags),
}
"""The columns: title, and what they are sorted by."""


@frozen
class Query:
    """What the page of executions shows: the query of its URL.

    Attributes:
        id: How the workflow id begins.
        type: A type's name, or name and version.
        tag: A tag.
        status: One of :data:`STATUSES`; empty for all.
        since: Started at or after this moment, ISO 8601.
        until: Started before it.
        sort: A column; one that begins with ``-`` is sorted downwards.
        page: From 1.
        flat: Whether children stand by themselves, and not under their parents.
    """

    id: str = ''
    type: str = ''
    tag: str = ''
    status: str = ''
    since: str = ''
    until: str = ''
    sort: str = '-started'
    page: int = 1
    flat: bool = False

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Query:
        """The query of a URL; what makes no sense is left out."""
        texts = {one.name: params.get(one.name, '').strip() for one in fields(cls) if one.default == ''}
        sort = params.get('sort', '')
        page = params.get('page', '')
        return cls(
            **texts,
            sort=sort if sort.lstrip('-') in COLUMNS else '-started',
            page=max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1,  # noqa: PLR2004 - a million pages
            flat=bool(params.get('flat')),
        )

    def params(self) -> dict[str, str]:
        """As parameters of a URL, without what is as usual."""
        found = {one.name: getattr(self, one.name) for one in fields(type(self))}
        usual = Query()
        texts = {name: '1' if value is True else str(value) for name, value in found.items()}
        return {name: text for name, text in texts.items() if found[name] != getattr(usual, name)}

    @property
    def column(self) -> str:
        return self.sort.lstrip('-')

    @property
    def is_downwards(self) -> bool:
        return self.sort.startswith('-')

    @property
    def is_filtered(self) -> bool:
        return bool(self.id or self.type or self.tag or self.status or self.since or self.until)

    def sorted_by(self, column: str) -> Query:
        """The query that a click on the head of a column leads to."""
        downwards = column == self.column and not self.is_downwards
        return evolve(self, sort=f'-{column}' if downwards else column, page=1)

    def tests(self, zone: Any = timezone.utc) -> Iterator[Callable[[Row], bool]]:
        """What a row has to pass.

        Raises:
            ValueError: A moment is not ISO 8601.
        """
        if self.id:
            yield lambda row: row.workflow_id.startswith(self.id)
        if self.type:
            yield lambda row: self.type in (row.name, f'{row.name} {row.version}')
        if self.tag:
            yield lambda row: self.tag in row.tags
        if self.status:
            yield lambda row: row.status == self.status
        if self.since:
            since = moment(self.since, zone)
            yield lambda row: row.started >= since
        if self.until:
            until = moment(self.until, zone)
            yield lambda row: row.started < until


def moment(text: str, zone: Any) -> datetime:
    """A moment that somebody typed, in a time zone unless it says one.

    Raises:
        ValueError: It is none.
    """
    try:
        found = datetime.fromisoformat(text.replace('Z', '+00:00'))
    except ValueError:
        raise ValueError(f'{text!r} is not a time; write it as 2026-11-28 or 2026-11-28T14:30') from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


@frozen
class Listing:
    """A page of executions.

    Attributes:
        query: What was asked.
        rows: With how deep each stands under its parents.
        counts: How many there are of each status, by the other filters.
        total: How many the query has.
        pages: How many pages.
    """

    query: Query
    rows: tuple[tuple[int, Row], ...]
    counts: Mapping[str, int]
    total: int
    pages: int
    matching: tuple[Row, ...] = field(repr=False, default=())


CauseOf = Callable[[Row], str]


def listing_of(rows: Iterable[Row], query: Query, zone: Any = timezone.utc, cause_of: CauseOf | None = None) -> Listing:
    """The page of a query.

    Args:
        rows: All executions.
        query: What is asked.
        zone: Of moments that say none.
        cause_of: Sorts by cause.

    Raises:
        ValueError: A moment of the query is none.
    """
    besides = list(evolve(query, status='').tests(zone))
    found = [row for row in rows if all(test(row) for test in besides)]
    counts = Counter(row.status for row in found)
    if query.status:
        found = [row for row in found if row.status == query.status]
    key = cause_of if query.column == 'cause' and cause_of is not None else COLUMNS[query.column][1]
    found.sort(key=lambda row: (row.started, row.workflow_id, row.run_id))
    found.sort(key=key, reverse=query.is_downwards)
    heads, below = (found, {}) if query.flat else families(found)
    last = max(1, -(-len(heads) // PAGE))
    page = min(query.page, last)
    shown = heads[(page - 1) * PAGE : page * PAGE]
    placed = tuple(placed_rows(shown, below))
    return Listing(evolve(query, page=page), placed, counts, len(found), last, tuple(found))


def families(rows: list[Row]) -> tuple[list[Row], dict[tuple[str, str], list[Row]]]:
    """The rows whose parents are not among them, and the children of each of the others."""
    known = {row.key for row in rows}
    heads: list[Row] = []
    below: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.parent in known and row.parent is not None:
            below[row.parent].append(row)
        else:
            heads.append(row)
    return heads, below


FAMILY = 1000
"""Descendants of one execution that are shown in a list."""


def placed_rows(heads: Iterable[Row], below: Mapping[tuple[str, str], list[Row]]) -> Iterator[tuple[int, Row]]:
    """Rows with their children below them."""
    for head in heads:
        stack = [(0, head)]
        for _ in range(FAMILY):
            if not stack:
                break
            depth, row = stack.pop()
            yield depth, row
            stack += [(depth + 1, child) for child in reversed(below.get(row.key, ()))]
