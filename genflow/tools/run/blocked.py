"""Finds the signals that a run waits for, if nothing else can continue it.

No execution is examined while workers are busy. When they have been idle for a while, each is examined once, and again
only after a worker has answered another task.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from attrs import frozen

from genflow.core.engine.execution import Execution
from genflow.core.errors import GenflowError
from genflow.core.model.registry import Registry
from genflow.insight import ExecutionView
from genflow.insight.command_line import command_line, quoted
from genflow.swf.wire.events import decided, translate
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.tools.executions.follow import HistoryTail, open_runs

__all__ = ['Waiting', 'stranded', 'waiting', 'way_out']


@frozen
class Waiting:
    """An execution that waits for signals and for nothing else.

    Attributes:
        workflow_id: Its workflow id.
        type: Name and version of its type.
        signals: The names of the signals that it waits for, at least one.
        describe_blocked: Where it waits in the code, in words.
    """

    workflow_id: str
    type: str
    signals: tuple[str, ...]
    describe_blocked: str


def stranded(client: Any, domain: str) -> list[HistoryTail]:
    """The open executions that only a signal can continue; none while any execution of the domain has work to do."""
    found: list[HistoryTail] = []
    for run in open_runs(client, domain):
        view = ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0))
        if not view.is_passive:
            return []
        if not view.open_operations():
            found.append(run)
    return found


def waiting(run: HistoryTail, registry: Registry, cache: StickyCache) -> Waiting | None:
    """The signals that an execution waits for; ``None`` if it waits for none, or cannot be examined.

    Examines the cached generator of its decider, if there is one; otherwise replays the history.
    """
    kind = run.first()['workflowType']
    kept = cache.take(run.run_id)
    if kept is not None:
        try:
            return _seen(run, kind, kept.execution)
        finally:
            cache.put(run.run_id, kept)
    spec = registry.workflow(kind['name'], kind['version'])
    if spec is None:
        return None
    execution = Execution(spec, workflow_id=run.workflow_id, run_id=run.run_id, seed=run.run_id)
    try:
        execution.advance(decided(translate(run.since(0))))
        return _seen(run, kind, execution)
    except GenflowError:  # the next decider will report it
        return None
    finally:
        execution.close()


def _seen(run: HistoryTail, kind: Any, execution: Execution) -> Waiting | None:
    boxes = execution.mailboxes.items()
    signals = tuple(name for name, box in boxes if box.is_awaited())
    if not signals:
        return None
    return Waiting(run.workflow_id, f'{kind["name"]} {kind["version"]}', signals, execution.describe_blocked())


def way_out(found: Waiting, db: str | os.PathLike[str] | None) -> str:
    """How a user can send the signal that an execution waits for; `db` is the file of the run, if it has one."""
    text = f'{found.type} waits for something that this command cannot provide: {found.describe_blocked}. '
    if db is None:
        return text + (
            'No other process can reach a run in memory: Ctrl-C ends it. Run it with --db FILE --id ID; then '
            f'`genflow signal ID {found.signals[0]} --db FILE` in another terminal sends the signal.'
        )
    arguments, service = [found.workflow_id, found.signals[0]], f'--db {quoted(os.fspath(db))}'
    command = command_line('signal', arguments, service=service)
    # The live table breaks lines at the terminal's width, so there the command has a line of its own.
    apart = '\n  ' if sys.stderr is not None and sys.stderr.isatty() else ' '
    where = 'To send it (its value, if it has one, stands behind its name), type in another terminal:'
    return text + where + apart + command
