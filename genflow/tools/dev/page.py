"""The live page of ``genflow dev``: the latest executions, and the result of each save."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import islice
from typing import Any, Protocol, TextIO

from genflow.core.errors import TaskFailed
from genflow.core.payloads.hooks import Serialization
from genflow.insight import ExecutionView, elapsed
from genflow.swf.wire import close_events
from genflow.tools.dev.session import CHOICES, Session
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.executions.listing import Wanted, found
from genflow.tools.executions.steps import ExecutionSteps, named, state_of
from genflow.tools.text.failure_text import failure_text
from genflow.tools.text.terminal_text import escape_controls, escape_line

__all__ = ['Executions', 'LivePage', 'Page', 'PlainPage', 'drawn']

SHOWN = 12
"""Executions on the page: more would not fit a small terminal, together with what is printed above it."""

STATES = {
    'running': 'the saved code runs',
    'broken': 'the saved code has an error; the previous code runs',
    'departs': 'open executions do not match the saved code; the previous code runs',
    'kept': 'the previous code runs',
}
"""What runs, in words, by the state of the session."""

BEFORE = {
    'running': 'the code is being checked',
    'broken': 'the code has an error; nothing runs until it is fixed and saved',
    'departs': 'open executions do not match the code; nothing runs yet',
    'kept': 'nothing runs until the next save',
}
"""The same while no code has run in this session."""


class Executions:
    """The latest executions of a session, read event by event.

    Args:
        session: Whose executions.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._steps: dict[str, ExecutionSteps] = {}

    def refresh(self) -> Iterator[str]:
        """Reads what is new; gives a message for each execution that has failed."""
        client, domain = self._session.client, self._session.domain
        for info in islice(found(client, domain, Wanted()), SHOWN):
            execution = info['execution']
            run = HistoryTail(client, domain, execution['workflowId'], execution['runId'])
            steps = self._steps.setdefault(run.run_id, ExecutionSteps(run.view()))
            if steps.view.is_open:
                for _ in steps.apply_all(run.since(steps.view.last_event_id)):
                    pass
                yield from _failure(steps.view)

    @property
    def views(self) -> list[ExecutionView]:
        """The executions, the latest first."""
        views = [steps.view for steps in self._steps.values() if steps.view.started_at is not None]
        return sorted(views, key=lambda view: str(view.started_at), reverse=True)[:SHOWN]


def _failure(view: ExecutionView) -> Iterator[str]:
    """Why an execution failed, with the user's lines."""
    if view.close is None or view.status != 'failed':
        return
    try:
        close_events.result_of(view.events[-1], Serialization())
    except TaskFailed as error:
        yield failure_text(f'workflow {view.title} failed', error, hint=False)


class Page(Protocol):
    """Where a session is shown."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def tell(self, text: str) -> None:
        """Shows a message; called from any thread."""


class PlainPage:
    """Messages, one below the other; for pipes and log files.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to end."""

    def tell(self, text: str) -> None:
        with self._lock:
            print(f'genflow: {escape_controls(text)}', file=self._stream, flush=True)


class LivePage:
    """A table that is drawn in place, with the messages above it.

    Args:
        draw: Gives what to draw.
    """

    def __init__(self, draw: Callable[[], Any]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True), refresh_per_second=8, get_renderable=draw)

    def start(self) -> None:
        self._live.start()

    def stop(self) -> None:
        self._live.stop()

    def tell(self, text: str) -> None:
        self._live.console.print(escape_controls(text), markup=False, highlight=False, soft_wrap=True)


def drawn(session: Session, views: list[ExecutionView], now: datetime) -> Any:
    """The page as something that rich can draw."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=False)
    for column in ('status', 'type', 'id', 'done', 'failed', 'time', 'now'):
        table.add_column(column, justify='right' if column in ('done', 'failed', 'time') else 'left')
    for view in views:
        table.add_row(*map(Text, _cells(view, now)))
    lines = [Text(line) for line in _notes(session, bool(views))]
    return Group(table, *lines) if views else Group(*lines)


def _cells(view: ExecutionView, now: datetime) -> list[str]:
    operations = view.visible_operations()
    done = sum(one.state in ('completed', 'fired', 'delivered') for one in operations)
    failed = sum(one.has_failed for one in operations)
    age = elapsed(datetime.fromtimestamp(view.age(now), timezone.utc) - datetime.fromtimestamp(0, timezone.utc))
    head = [view.status, f'{view.name} {view.version}', view.title]
    return [*map(escape_line, head), str(done), str(failed), age, escape_line(_now(view))]


def _now(view: ExecutionView) -> str:
    """What an execution does, in a few words."""
    if not view.is_open:
        return ''
    waited = [one for one in view.open_operations() if not one.is_of_engine]
    if waited:
        more = f' and {len(waited) - 1} more' if len(waited) > 1 else ''
        return f'{named(waited[0])} {state_of(waited[0])}{more}'
    if view.pending_decision is not None:
        return f'decision {view.pending_decision.state}'
    return f'waits for a signal{f" ({view.status_text})" if view.status_text else ""}'


def _notes(session: Session, has_executions: bool) -> Iterator[str]:
    state = STATES[session.code] if session.is_working else BEFORE.get(session.code, STATES[session.code])
    yield f'{session.target}: {state}; service {session.url}, domain {session.domain}'
    if session.dashboard:
        yield f'dashboard {session.dashboard}'
    if session.code == 'departs':
        yield '   '.join(f'[{key}] {words}' for key, (words, _) in CHOICES.items()) + '   [q] quit'
    elif not has_executions:
        yield f'`genflow start NAME VERSION --domain {session.domain} --endpoint {session.url}` starts an execution'
