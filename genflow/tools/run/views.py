"""How a run is shown: not at all, as plain lines, or live on a terminal.

A view is told what changed and looks at the `Progress` for the rest. It never sees inputs or results, and writes to
stderr only: stdout belongs to the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol, TextIO

from attrs import define

from genflow.tools.run.progress import Progress, Row, Step

__all__ = ['LiveView', 'PlainView', 'Silent', 'View']

ROWS_SHOWN = 12


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
            print(f'{since.total_seconds():9.3f}s  {step.text}', file=self.stream, flush=True)


class LiveView:
    """A table of what is open and a count of what is done, redrawn in place; what went wrong stays above it."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._title = title
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
                self._live.console.print(step.text, style='red', markup=False, highlight=False)

    def _drawn(self) -> Any:
        """The table as it is now; called by the thread that redraws, and so no more often than is seen."""
        return picture(self._title, self._progress)


def picture(title: str, progress: Progress) -> Any:
    """The state of a run as a table that rich can draw."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f'{title}: {progress.state}', title_justify='left', expand=False)
    for column in ('kind', 'name', 'done', 'open', 'now'):
        table.add_column(column, justify='right' if column in ('done', 'open') else 'left')
    for (kind, name), (done, still_open) in _counts(list(progress.rows.values())).items():
        states = _states(row for row in progress.open_rows if (row.kind, row.name) == (kind, name))
        table.add_row(kind, Text(name), str(done), str(still_open), states)
    return table


def _counts(rows: Iterable[Row]) -> dict[tuple[str, str], tuple[int, int]]:
    """How many rows of each kind and name are done and open, those last begun first, no more than fit."""
    done: Counter[tuple[str, str]] = Counter()
    still_open: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], datetime] = {}
    for row in rows:
        key = (row.kind, row.name)
        (still_open if row.is_open else done)[key] += 1
        last[key] = row.began
    shown = sorted(last, key=lambda key: (still_open[key] > 0, last[key]), reverse=True)[:ROWS_SHOWN]
    return {key: (done[key], still_open[key]) for key in sorted(shown)}


def _states(rows: Iterable[Row]) -> str:
    return ', '.join(f'{count} {state}' for state, count in sorted(Counter(row.state for row in rows).items()))
