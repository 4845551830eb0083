"""How ``genflow debug`` replays an execution up to a decision, and steps through that decision."""

from __future__ import annotations

import bdb
import gc
import os
import pdb  # noqa: T100 - the debugger is what the command is about
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import click

import genflow
from genflow.core.errors import GenflowError
from genflow.core.model.registry import WorkflowSpec
from genflow.insight import ExecutionView, attributes_of
from genflow.insight.code import ObservedExecution
from genflow.insight.decision_lines import decision_lines
from genflow.swf.wire.events import translate
from genflow.tools.cli.executions.actions import run_of
from genflow.tools.cli.executions.files import gathered_of
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.services import client_of
from genflow.tools.executions.gathering import known_spec
from genflow.tools.targets.target import TargetError, load

__all__ = ['debug_decision', 'parted', 'pdb_of', 'step_through']


def debug_decision(
    ctx: click.Context,
    *,
    workflow_id: str | None,
    target: str | None,
    event_id: int | None,
    run_id: str | None,
    path: str | None,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Carry out ``genflow debug``."""
    if path is not None:
        view, target = gathered_of(path).view, target or workflow_id
    elif workflow_id is None:
        raise Refused('Which execution? Give its ID and TARGET, or --file FILE and TARGET.')
    else:
        with client_of(endpoint, db, domain=domain) as client:
            run = run_of(client, domain, workflow_id, run_id)
            view = ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0))
    if target is None:
        raise Refused('Which code? Give TARGET, the file or module of the workflow.')
    step_through(view, _spec(target, view), event_id, pdb_of())
    ctx.exit(Exit.COMPLETED)


def _spec(target: str, view: ExecutionView) -> WorkflowSpec:
    try:
        spec = load(target)
    except TargetError as error:
        raise Refused(str(error)) from error
    return known_spec(view) or spec


class WorkflowDebugger(pdb.Pdb):
    """A debugger that stops in the user's code only, and shows only that on the stack."""

    def stop_here(self, frame: FrameType) -> bool:
        return not _is_of_machinery(frame) and super().stop_here(frame)

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        stack, current = super().get_stack(f, t)
        shown = [place for place, (frame, _) in enumerate(stack) if place == current or not _is_of_machinery(frame)]
        return [stack[place] for place in shown], shown.index(current) if current in shown else 0


MACHINERY = tuple(
    f'{Path(folder)}{os.sep}' for folder in (sysconfig.get_paths()['stdlib'], Path(genflow.__file__).parent)
)
"""Where Python's own modules and genflow are."""


def _is_of_machinery(frame: FrameType) -> bool:
    """Whether a frame belongs to Python, genflow or generated code, and not to an application."""
    file = frame.f_code.co_filename
    if 'site-packages' in file or 'dist-packages' in file:
        return str(frame.f_globals.get('__name__')).partition('.')[0] in ('attr', 'attrs', 'cattrs', 'genflow')
    return file.startswith((*MACHINERY, '<'))


def pdb_of(**options: Any) -> pdb.Pdb:
    """A debugger that stops in the user's code only."""
    return WorkflowDebugger(**options)


def step_through(view: ExecutionView, spec: WorkflowSpec, event_id: int | None, debugger: pdb.Pdb) -> None:
    """Replays up to the decision that an event belongs to, and that decision under a debugger.

    Args:
        view: The execution.
        spec: Its class.
        event_id: An event of the decision, or one that it saw; ``None`` for the decision that is to be made, or else
            the last one.
        debugger: Stops at the first line of the user's code.
    """
    before, decision = parted(view, event_id)
    execution = ObservedExecution(spec, view)  # makes no value of a side effect
    try:
        execution.advance(translate(before))
        last = decision[-1]['eventId']
        which = f'the decision of event {last}' if last <= view.last_event_id else 'the decision that is to be made'
        click.echo(f'genflow: {which}; `n` steps, `c` goes on, `q` ends', err=True)
        advance: Callable[..., Any] = execution.advance
        with _without_collections():
            answer = debugger.runcall(advance, translate(decision))
        if answer is not None:
            click.echo(f'genflow: the code {", ".join(decision_lines(answer, view))}', err=True)
    except bdb.BdbQuit:
        pass
    except GenflowError as error:
        if debugger.quitting:  # what the engine makes of code that was left in the middle
            return
        print(f'genflow: {type(error).__name__}: {error}', file=sys.stderr)
    finally:
        execution.close()


@contextmanager
def _without_collections() -> Iterator[None]:
    """Pauses the garbage collector: the finalizers that it calls interrupt any line, and would be stepped into."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def parted(
    view: ExecutionView, event_id: int | None = None
) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """The events before the decision that an event belongs to, and those up to its end.

    A decision that is to be made ends with a ``DecisionTaskStarted`` that is not in the history.

    Args:
        view: The execution.
        event_id: The event; ``None`` for the decision that is to be made, or else the last one.

    Raises:
        Refused: There is no such event, or no decision sees it.
    """
    ends = [0] + [_after_outputs(view, task.ended_id) for task in view.decisions if task.state == 'completed']
    pending = view.pending_decision
    if event_id is None and pending is not None:
        return view.events[: ends[-1]], [*_unanswered(view, ends[-1]), _started_now(view, pending.scheduled_id)]
    if event_id is None:
        event_id = ends[-1]
        if not event_id:
            raise Refused('no decision of this execution has been made; there is no code to step through')
    if not 1 <= event_id <= view.last_event_id:
        raise Refused(f'there is no event {event_id}; the last one is {view.last_event_id}')
    for start, end in pairwise(ends):
        if event_id <= end:
            return view.events[:start], view.events[start:end]
    hint = '' if pending is None else '; without --at, the decision that is to be made is stepped through'
    raise Refused(f'no decision has seen event {event_id} yet; the last one ends with event {ends[-1]}{hint}')


def _unanswered(view: ExecutionView, start: int) -> list[Mapping[str, Any]]:
    """The events after ``start``, without the start of a decision that a worker is making."""
    begun = {task.started_id for task in view.decisions[-2:] if task.state == 'started'}
    return [event for event in view.events[start:] if event['eventId'] not in begun]


def _started_now(view: ExecutionView, scheduled_id: int) -> Mapping[str, Any]:
    return {
        'eventId': view.last_event_id + 1,
        'eventTimestamp': view.updated_at,
        'eventType': 'DecisionTaskStarted',
        'decisionTaskStartedEventAttributes': {'scheduledEventId': scheduled_id},
    }


def _after_outputs(view: ExecutionView, completed_id: int) -> int:
    """How many events there are up to the last one that a decision recorded."""
    last = completed_id
    for event in view.events[completed_id:]:
        if attributes_of(event).get('decisionTaskCompletedEventId') != completed_id:
            break
        last = event['eventId']
    return last
