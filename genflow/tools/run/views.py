"""The views of a run: silent, plain lines, or live on a terminal.

A view gets the changes, and reads everything else from the model of the execution. It shows no inputs and no results.
It writes to stderr only, since stdout is for the result.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, Protocol, TextIO

from attrs import define

from genflow.insight import ExecutionView, Operation
from genflow.tools.executions.follow import EPOCH
from genflow.tools.executions.steps import Step, named, state_of
from genflow.tools.text.terminal_text import escape_line

__all__ = ['LiveView', 'PlainView', 'Silent', 'View']

ROWS_SHOWN = 12
"""Rows of the live table: more would not fit a small terminal, together with what is printed above it."""

MAX_STATUS = 100
"""Characters of a status that are shown."""

NUMBERS = ('done', 'failed', 'retried', 'open')
COLUMNS = ('kind', 'name', *NUMBERS, 'now')


class View(Protocol):
    """Shows the progress of a run."""

    def start(self) -> None:
        """Begin to show; called before the first event."""

    def stop(self) -> None:
        """Leave the terminal as it was; called after the last event, whatever happened."""

    def show(self, steps: Iterable[Step], execution: ExecutionView) -> None:
        """Show what changed; called in the order of the history, and now and then with nothing."""

    def wait_for(self, what: str) -> None:
        """Show that the execution waits for something from outside, until the next step."""


class Silent:
    """A view that shows nothing."""

    def wait_for(self, what: str) -> None:
        """Shows nothing; the log names the signal."""

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to end."""

    def show(self, steps: Iterable[Step], execution: ExecutionView) -> None:
        for _ in steps:
            pass  # the steps are made as they are taken, and the model with them


@define
class PlainView(Silent):
    """One line for each step, with the seconds since the execution started; for pipes and log files."""

    stream: TextIO

    def show(self, steps: Iterable[Step], execution: ExecutionView) -> None:
        for step in steps:
            since = step.when - (execution.started_at or step.when)
            print(f'{since.total_seconds():9.3f}s  {escape_line(step.short)}', file=self.stream, flush=True)


class LiveView:
    """A table of open operations and counts of ended ones, redrawn in place. Failures stay above it.

    Args:
        title: The title of the table.
        clock: Returns the current time.
    """

    def __init__(self, title: str, clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        from rich.console import Console
        from rich.live import Live

        self._title = title
        self._clock = clock
        self._execution = ExecutionView()
        self._missing = ''
        self._live = Live(console=Console(stderr=True), refresh_per_second=12, get_renderable=self._drawn)

    def start(self) -> None:
        self._live.start()

    def stop(self) -> None:
        self._live.stop()

    def show(self, steps: Iterable[Step], execution: ExecutionView) -> None:
        self._execution = execution
        for step in steps:
            self._missing = ''
            if step.went_wrong:
                text = escape_line(step.short)
                self._live.console.print(text, style='red', markup=False, highlight=False, soft_wrap=True)

    def wait_for(self, what: str) -> None:
        self._missing = what

    def _drawn(self) -> Any:
        """The table as it is now; called by the thread that redraws, and so no more often than is seen."""
        return picture(self._title, self._execution, self._clock(), self._missing)


@define
class Count:
    """The number of operations of one kind and name in each state; ``retried`` counts attempts."""

    done: int = 0
    failed: int = 0
    retried: int = 0
    still_open: int = 0
    last: datetime = EPOCH

    def add(self, operation: Operation) -> None:
        self.last = operation.last.scheduled_at
        self.retried += len(operation.attempts) - (operation.pause is None)
        if operation.last.is_open:
            self.still_open += 1
        elif operation.has_failed:
            self.failed += 1
        elif operation.pause is None:
            self.done += 1

    @property
    def cells(self) -> list[str]:
        return [str(number) for number in (self.done, self.failed, self.retried, self.still_open)]


Key = tuple[str, str]


def picture(title: str, execution: ExecutionView, now: datetime, missing: str = '') -> Any:
    """The state of a run, for rich to draw.

    Args:
        title: The title of the table.
        execution: The model of the execution.
        now: The current time.
        missing: What it waits for from outside, if that is known.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    operations = list(execution.visible_operations())  # of a list that another thread makes longer
    table = Table(title=Text(f'{title}: {_state(execution, now)}'), title_justify='left', expand=False)
    for column in COLUMNS:
        table.add_column(column, justify='right' if column in NUMBERS else 'left')
    for key, count in _counts(operations).items():
        kind, name = key
        states = _states(one for one in operations if one.last.is_open and _key(one) == key)
        table.add_row(kind, Text(escape_line(name)), *count.cells, states)
    return Group(table, *map(Text, _notes(execution, now, missing)))


def _state(execution: ExecutionView, now: datetime) -> str:
    if execution.started_at is None:
        return execution.status
    return f'{execution.status}, {_duration(execution.age(now))}'


def _notes(execution: ExecutionView, now: datetime, missing: str) -> Iterator[str]:
    """What the workflow says of itself, and what it waits for."""
    if execution.status_text:
        yield f'status: {escape_line(execution.status_text)[:MAX_STATUS]}'
    still_open = execution.open_operations()
    waited = next((one for one in still_open if one.last.is_open and not one.is_of_engine), None)
    if waited is not None:
        since = _duration((now - waited.last.scheduled_at).total_seconds())
        yield escape_line(f'waits for {named(waited)}, {state_of(waited)}, for {since}')
    elif execution.is_passive:
        yield f'waits for {escape_line(missing) or "a signal"}'
    elif still_open:
        yield 'waits for the time of the next try'


def _duration(seconds: float) -> str:
    """``0:04``, ``12:30`` or ``1:02:03``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02}:{rest:02}' if hours else f'{minutes}:{rest:02}'


def _key(operation: Operation) -> Key:
    return operation.kind, f'{operation.name} {operation.version}' if operation.version else operation.name


def _counts(operations: Iterable[Operation]) -> dict[Key, Count]:
    """The operations of each kind and name, counted; those last begun, no more than fit."""
    counts: defaultdict[Key, Count] = defaultdict(Count)
    for operation in operations:
        counts[_key(operation)].add(operation)
    shown = sorted(counts, key=lambda key: (counts[key].still_open > 0, counts[key].last), reverse=True)[:ROWS_SHOWN]
    return {key: counts[key] for key in sorted(shown)}


def _states(operations: Iterable[Operation]) -> str:
    return ', '.join(f'{count} {state}' for state, count in sorted(Counter(map(state_of, operations)).items()))
