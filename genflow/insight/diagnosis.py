"""``why``: one sentence of state, what happens next by itself, where the branches stand, and the causes by rank.

:func:`diagnose` is pure: its arguments are the model of an execution, other known facts, and the current time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from attrs import field, frozen

from genflow.core.errors import GenflowError, NondeterminismError
from genflow.core.model.registry import WorkflowSpec
from genflow.insight.code import BranchView, CodeView, Place, Replay, Source, no_source
from genflow.insight.finding import CAUSE, NOTE, SETTING, Case, Facts, Finding, plain
from genflow.insight.operations import Deadline, Operation
from genflow.insight.rules import RULES
from genflow.insight.suppositions import Supposition, settle
from genflow.insight.times import duration
from genflow.insight.view import ExecutionView

__all__ = ['BranchState', 'Diagnosis', 'diagnose', 'state_of']

MAX_SUPPOSED = 4
"""The most branches for which the effect of the next deadline is computed: each takes a replay."""

MANY_EVENTS = 5_000
"""Histories with more events than this get one such replay only."""

NAMED = 3


@frozen
class BranchState:
    """A branch, and the deadline that it meets next.

    Attributes:
        branch: Where it stands.
        since: When it began to wait, where that is known.
        deadline: The first deadline of the operations that it waits for.
        then: The calls that the code would make if that deadline struck.
    """

    branch: BranchView
    since: datetime | None = None
    deadline: Deadline | None = None
    then: tuple[str, ...] = ()


@frozen
class Diagnosis:
    """What ``why`` reports about an execution.

    Attributes:
        view: The execution.
        state: One sentence.
        next: What happens next by itself; empty where nothing does.
        branches: Those that have not ended; empty without code.
        findings: By rank: causes, then notes, then settings.
        code: The result of the replay; ``None`` if the class is not available.
        unknown: What could not be found out.
        now: The current time.
    """

    view: ExecutionView
    state: str
    next: str
    branches: tuple[BranchState, ...]
    findings: tuple[Finding, ...]
    code: CodeView | None
    now: datetime
    unknown: tuple[str, ...] = field(default=())

    def of_level(self, level: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == level]

    @property
    def causes(self) -> list[Finding]:
        return self.of_level(CAUSE)

    @property
    def first_cause(self) -> Finding | None:
        return next(iter(self.causes), None)

    @property
    def is_healthy(self) -> bool:
        """Whether there is no cause; notes and settings do not count."""
        return not self.causes

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis for JSON; the documented schema of ``genflow why --json``."""
        view = self.view
        return {
            'schema': 1,
            'execution': {
                'workflowId': view.workflow_id,
                'runId': view.run_id,
                'type': {'name': view.name, 'version': view.version},
                'status': view.status,
                'startedAt': plain(view.started_at),
                'closedAt': plain(view.close.at) if view.close else None,
                'events': view.last_event_id,
            },
            'at': plain(self.now),
            'healthy': self.is_healthy,
            'state': self.state,
            'next': self.next or None,
            'branches': [_branch_dict(state) for state in self.branches],
            'findings': [_finding_dict(finding) for finding in self.findings],
            'unknown': list(self.unknown),
        }


def _branch_dict(state: BranchState) -> dict[str, Any]:
    place: Place | None = state.branch.place
    return {
        'name': state.branch.name,
        'file': place.file if place else None,
        'line': place.line if place else None,
        'waitsFor': state.branch.awaits,
        'since': plain(state.since),
        'signals': list(state.branch.signals),
        'deadline': {'at': plain(state.deadline.at), 'kind': state.deadline.kind} if state.deadline else None,
        'then': list(state.then),
    }


def _finding_dict(finding: Finding) -> dict[str, Any]:
    return {
        'code': finding.code,
        'level': finding.level,
        'text': finding.text,
        'remedy': finding.remedy or None,
        'evidence': [
            {'eventId': one.event_id or None, 'at': plain(one.at), 'text': one.text} for one in finding.evidence
        ],
    }


def diagnose(
    view: ExecutionView,
    now: datetime,
    facts: Facts | None = None,
    spec: WorkflowSpec | None = None,
    source: Source = no_source,
) -> Diagnosis:
    """Finds out what an execution does, and what is wrong with it.

    Args:
        view: The execution.
        now: The current time.
        facts: What is known besides its events.
        spec: Its class. Without it there are no branches, and no findings that need the code.
        source: Reads source lines.
    """
    facts = facts or Facts()
    replay = None if spec is None else Replay(view, spec, source)
    code = None if replay is None else replay.code
    case = Case(view, now, facts, code)
    found = [finding for rule in RULES for finding in rule.findings(case)]
    levels = {CAUSE: 0, NOTE: 1, SETTING: 2}
    branches: tuple[BranchState, ...] = ()
    if replay is not None:
        branches = tuple(_branches(case, replay))
        replay.close()
    return Diagnosis(
        view,
        state_of(case),
        _next(case, branches),
        branches,
        tuple(sorted(found, key=lambda finding: levels[finding.level])),
        code,
        now,
        (*facts.unknown, *_unknown(case)),
    )


def _unknown(case: Case) -> Iterator[str]:
    if case.view.unknown:
        names = ', '.join(case.view.unknown)
        yield f'what the events of these types mean, which this release does not know: {names}'
    if case.code is None and case.view.is_open:
        yield 'where its code stands: name the code (TARGET) to have it replayed'
    if not case.facts.live:
        yield 'which workers poll its task lists, whether its types are registered, and what its children do'


# the state as a sentence

PASSIVE = frozenset({'canceled', 'terminated'})
"""The statuses that somebody else brings about: an execution *was* canceled, and *completed* by itself."""


def state_of(case: Case) -> str:
    """Describes in one sentence what the execution does now."""
    view = case.view
    if view.close is not None:
        took = duration(view.age(case.now))
        reason = (view.close.failure.reason or '').partition('\n')[0]
        verb = 'was ' if view.close.status in PASSIVE else ''
        return f'{verb}{view.close.status} {case.ago(view.close.at)} after {took}' + (f': {reason}' if reason else '')
    return '; '.join(_state(case)) or 'is open'


def _state(case: Case) -> Iterator[str]:
    view = case.view
    task = view.pending_decision
    if task is not None and task.started_at is None:
        yield f'waits for a decider on the list {task.task_list!r} (decision scheduled {case.ago(task.scheduled_at)})'
    elif task is not None and task.started_at is not None:
        yield f'{task.worker or "a decider"} is deciding (for {duration(case.since(task.started_at))})'
    open_ones = [one for one in view.open_operations() if not one.is_of_engine]
    signals = () if case.code is None else case.code.awaited
    named = [_named(case, one) for one in open_ones[:NAMED]] + [f'the signal {name!r}' for name in signals]
    more = f' and {len(open_ones) - NAMED} more' if len(open_ones) > NAMED else ''
    if named:
        yield f'waits for {", ".join(named)}{more}'
    elif task is None:
        yield _idle(case.code)


def _idle(code: CodeView | None) -> str:
    if code is None:
        return 'waits for a signal, or for nothing'
    return 'waits for nothing' if code.error is None else 'cannot go on with this code'


def _named(case: Case, operation: Operation) -> str:
    """Describes an open operation and its progress."""
    last = operation.last
    tried = f', attempt {last.number}{_of_how_many(case, operation)}' if last.number > 1 else ''
    if operation.kind == 'timer':
        return f'{operation.label}, which fires at {case.clock(next(operation.deadlines()).at)}'
    if operation.pause is not None:
        fires = next(operation.pause.deadlines()).at
        which = f'attempt {last.number + 1}{_of_how_many(case, operation)}'
        return f'{which} at {operation.label}, which begins at {case.clock(fires)}'
    if last.started_at is not None:
        worker = f' by {last.worker}' if last.worker else ''
        return f'{operation.label} (started {case.ago(last.started_at)}{worker}{tried})'
    list_name = f' on the list {last.task_list!r}' if last.task_list else ''
    return f'{operation.label} (scheduled {case.ago(last.scheduled_at)}{list_name}{tried})'


def _of_how_many(case: Case, operation: Operation) -> str:
    """`` of 4`` where the code says how often it may be tried."""
    retry = None if case.code is None else case.code.retries.get(operation.number or 0)
    return f' of {retry.max_attempts}' if retry is not None and retry.max_attempts != math.inf else ''


# the next deadline


def _next(case: Case, branches: tuple[BranchState, ...]) -> str:
    deadline = next(iter(case.view.deadlines()), None)
    if deadline is None:
        return ''
    then = next((state.then for state in branches if state.deadline == deadline), ())
    return _deadline_text(case, deadline) + (f'; then the code {", ".join(then)}' if then else '')


_DEADLINES = {
    'decision': 'the time-out of the decision',
    'execution': 'the time-out of the execution',
    'fires': '{label} fires',
    'attempt': 'the next attempt of {label} begins',
}


def _deadline_text(case: Case, deadline: Deadline) -> str:
    label = '' if deadline.operation is None else deadline.operation.label
    what = _DEADLINES.get(deadline.kind, 'the {kind} time-out of {label}').format(label=label, kind=deadline.kind)
    unless = '' if deadline.is_certain else ', unless it sends one before'
    rest = (deadline.at - case.now).total_seconds()
    when = f'in {duration(rest)}' if rest >= 0 else f'{duration(-rest)} overdue'
    return f'{what} at {case.clock(deadline.at)} ({when}){unless}'


# branches


def _branches(case: Case, replay: Replay) -> Iterator[BranchState]:
    code, view = replay.code, case.view
    budget = MAX_SUPPOSED if view.last_event_id < MANY_EVENTS else 1
    for branch in code.branches:
        waits_for = () if isinstance(code.error, NondeterminismError) else branch.operations  # those are others' then
        operations = [one for one in map(view.operation_at, waits_for) if one is not None]
        deadline = min(
            (deadline for one in operations for deadline in one.deadlines()), key=lambda one: one.at, default=None
        )
        since = max((one.last.scheduled_at for one in operations), default=None)
        then: tuple[str, ...] = ()
        if deadline is not None and budget and code.error is None:
            budget -= 1
            then = _then(replay, deadline)
        yield BranchState(branch, since, deadline, then)


def _then(replay: Replay, deadline: Deadline) -> tuple[str, ...]:
    """Describes the calls that the code would make if a deadline struck."""
    try:
        return replay.suppose(struck(deadline), deadline.at)
    except GenflowError as error:
        return (f'cannot go on: {type(error).__name__}: {error}',)


def struck(deadline: Deadline) -> Supposition | None:
    """The supposition that a deadline strikes."""
    if deadline.operation is None:
        return None
    if deadline.kind in ('fires', 'attempt'):
        return settle(deadline.operation, 'fire')
    return settle(deadline.operation, 'time out', deadline.kind.upper().replace('-', '_'))
