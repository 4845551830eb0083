"""How a run is shown: not at all, as plain lines, or live on a terminal.

A view is told what changed and looks at the `Progress` for the rest. It never sees inputs or results, and writes to
stderr only: stdout belongs to the result.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, Protocol, TextIO

from attrs import define

from genflow.tools.run.follow import EPOCH
from genflow.tools.run.progress import Progress, Row, Step
from genflow.tools.terminal_text import escape_line

__all__ = ['LiveView', 'PlainView', 'Silent', 'View']

ROWS_SHOWN = 12
"""Rows of the live table: more would not fit a small terminal, together with what is printed above it."""

MAX_STATUS = 100
"""Characters of a status that are shown."""

NUMBERS = ('done', 'failed', 'retried', 'open')
COLUMNS = ('kind', 'name', *NUMBERS, 'now')


class View(Protocol):
    """Who is told how a run goes."""

    def start(self) -> None:
        """Begin to show; called before the first event."""

    def stop(self) -> None:
        """Leave the terminal as it was; called after the last event, whatever happened."""

    def show(self, steps: Iterable[Step], progress: Progress) -> None:
        """Show what changed; called in the order of the history, and now and then with nothing."""


class Silent:
    """A view that shows nothing."""

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to end."""

    def show(self, steps: Iterable[Step], progress: Progress) -> None:
        for _ in steps:
            pass  # the steps are made as they are taken, and the progress with them


@define
class PlainView(Silent):
    """One line for each step, with the seconds since the execution started; for pipes and log files."""

    stream: TextIO

    def show(self, steps: Iterable[Step], progress: Progress) -> None:
        for step in steps:
            since = step.when - (progress.began or step.when)
            print(f'{since.total_seconds():9.3f}s  {escape_line(step.short)}', file=self.stream, flush=True)


class LiveView:
    """A table of what is open and counts of what has ended, redrawn in place; what went wrong stays above it.

    Args:
        title: What is run.
        clock: The time of day.
    """

    def __init__(self, title: str, clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        from rich.console import Console
        from rich.live import Live

        self._title = title
        self._clock = clock
        self._progress = Progress()
        self._live = Live(console=Console(stderr=True), refresh_per_second=12, get_renderable=self._drawn)

    def start(self) -> None:
        self._live.start()

    def stop(self) -> None:
        self._live.stop()

    def show(self, steps: Iterable[Step], progress: Progress) -> None:
        self._progress = progress
        for step in steps:
            if step.went_wrong:
                text = escape_line(step.short)
                self._live.console.print(text, style='red', markup=False, highlight=False, soft_wrap=True)

    def _drawn(self) -> Any:
        """The table as it is now; called by the thread that redraws, and so no more often than is seen."""
        return picture(self._title, self._progress, self._clock())


@define
class Count:
    """The rows of one kind and name, by how far they are."""

    done: int = 0
    failed: int = 0
    retried: int = 0
    still_open: int = 0
    last: datetime = EPOCH

    def add(self, row: Row) -> None:
        self.last = row.began
        if row.is_open:
            self.still_open += 1
        elif row.retried:
            self.retried += 1
        elif row.went_wrong:
            self.failed += 1
        else:
            self.done += 1

    @property
    def cells(self) -> list[str]:
        return [str(number) for number in (self.done, self.failed, self.retried, self.still_open)]


def picture(title: str, progress: Progress, now: datetime) -> Any:
    """The state of a run as something that rich can draw."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(f'{title}: {_state(progress, now)}'), title_justify='left', expand=False)
    for column in COLUMNS:
        table.add_column(column, justify='right' if column in NUMBERS else 'left')
    for key, count in _counts(progress.rows.values()).items():
        kind, name = key
        states = _states(row for row in progress.open_rows if row.key == key)
        table.add_row(kind, Text(escape_line(name)), *count.cells, states)
    return Group(table, *map(Text, _notes(progress, now)))


def _state(progress: Progress, now: datetime) -> str:
    began = progress.began
    if began is None:
        return progress.state
    end = now if progress.is_open else progress.now or now
    return f'{progress.state}, {_duration((end - began).total_seconds())}'


def _notes(progress: Progress, now: datetime) -> Iterator[str]:
    """What the workflow says of itself, and what it waits for."""
    if progress.status:
        yield f'status: {escape_line(progress.status)[:MAX_STATUS]}'
    row = progress.waits_for
    if row is not None:
        since = _duration((now - row.began).total_seconds())
        yield escape_line(f'waits for {row.kind} {row.name} [{row.id}], {row.state}, for {since}')
    elif progress.is_passive:
        yield 'waits for a signal'
    elif progress.open_rows:
        yield 'waits for the time of the next try'


def _duration(seconds: float) -> str:
    """``0:04``, ``12:30`` or ``1:02:03``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02}:{rest:02}' if hours else f'{minutes}:{rest:02}'


def _counts(rows: Iterable[Row]) -> dict[tuple[str, str], Count]:
    """The rows of each kind and name, counted; those last begun, no more than fit."""
    counts: defaultdict[tuple[str, str], Count] = defaultdict(Count)
    for row in rows:
        if not row.is_internal:
            counts[row.key].add(row)
    shown = sorted(counts, key=lambda key: (counts[key].still_open > 0, counts[key].last), reverse=True)[:ROWS_SHOWN]
    return {key: counts[key] for key in sorted(shown)}


def _states(rows: Iterable[Row]) -> str:
    return ', '.join(f'{count} {state}' for state, count in sorted(Counter(row.state for row in rows).items()))
