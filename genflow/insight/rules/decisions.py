"""Rules about deciders: whether they poll, whether they answer, and whether the code follows the history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from difflib import get_close_matches

from genflow.core.errors import NondeterminismError, WorkflowStalled
from genflow.insight.code import CodeView
from genflow.insight.finding import Case, Evidence, Found, remedy
from genflow.insight.operations import DecisionTask
from genflow.insight.times import duration

__all__ = [
    'decision_in_line',
    'decision_list_misspelt',
    'decision_not_polled',
    'decision_slow',
    'decision_timed_out',
    'nondeterminism',
    'polled',
    'polled_lists',
    'similar',
    'stalled',
    'taken_since',
    'times',
    'unreadable',
    'workflow_type_gone',
]

DECISION_WAIT = 10
"""Seconds after which a decision task without a worker is a finding: an idle decider takes it at once."""

SLOW_DECISION = 10
"""Seconds after which a decision that is being made is a finding."""


def polled_lists(case: Case, kind: str) -> list[str]:
    """The task lists of a kind that workers poll."""
    return [name for found, name in case.facts.pollers if found == kind]


def similar(name: str, names: Iterable[str]) -> str | None:
    """The one of some names that is nearly the same, but not the same."""
    folded = {other.casefold().replace('_', '-'): other for other in names if other != name}
    found = get_close_matches(name.casefold().replace('_', '-'), folded, 1, 0.75)
    return folded[found[0]] if found else None


def taken_since(case: Case, kind: str, task_list: str, when: datetime) -> bool:
    """Whether a worker took a task from a list after some moment."""
    return any(poller.at > when for poller in case.facts.pollers.get((kind, task_list), ()))


def waiting_decision(case: Case) -> DecisionTask | None:
    """The decision task that no worker has taken for a while."""
    task = case.view.pending_decision
    if task is None or task.state != 'scheduled':
        return None
    return task if case.since(task.scheduled_at) >= max(DECISION_WAIT, task.start_limit or 0) else None


def _shown(task: DecisionTask) -> Evidence:
    return Evidence('the decision task was scheduled', task.scheduled_id, task.scheduled_at)


def nondeterminism(case: Case) -> Iterator[Found]:
    """The code does not follow the history."""
    error = None if case.code is None else case.code.error
    if isinstance(error, NondeterminismError):
        event_id = getattr(error, 'event_id', None) or 0
        what, _, rest = error.report.partition('\n')
        yield Found(
            f'{what[:1].upper()}{what[1:]}:\n{rest}',
            remedy(
                'Guard the change with `self.patched("change-id")`, or go back to the code that began the execution. '
                'To step through the code there:',
                case.on_this('debug', case.target, at=_seen(case, event_id)),
            ),
            (Evidence('the history and the code diverge here', event_id),),
        )


def _seen(case: Case, event_id: int) -> int | None:
    """An event if a decision that was made has seen it; ``None`` stands for the decision that is to be made."""
    ended = next((task.ended_id for task in reversed(case.view.decisions) if task.state == 'completed'), 0)
    return event_id if 0 < event_id <= ended else None


def stalled(case: Case) -> Iterator[Found]:
    """The execution is open and waits for nothing."""
    error = None if case.code is None else case.code.error
    if case.code is not None and isinstance(error, WorkflowStalled):
        yield Found(
            f'It is open, but SWF has nothing open for it: no activity, child or timer; no signal would help either. '
            f'{_standing(case.code)}',
            remedy(
                'Fix the code; the decision is then made again. To step through it, or to end the execution:',
                case.on_this('debug', case.target),
                case.on_this('terminate'),
            ),
        )


def _standing(code: CodeView) -> str:
    """Where each branch waits, and the unread signals."""
    places = [f'{branch.name} waits for {branch.awaits}' for branch in code.branches]
    unread = ', '.join(f'{name!r} ({count})' for name, count in code.unread.items())
    return ('; '.join(places) or 'run has ended') + (f'; unread signals: {unread}' if unread else '') + '.'


def unreadable(case: Case) -> Iterator[Found]:
    """The code cannot go on with the history: a payload cannot be read, or the engine refuses."""
    error = None if case.code is None else case.code.error
    if error is not None and not isinstance(error, (WorkflowStalled, NondeterminismError)):
        yield Found(
            f'The code cannot go on with the history: {type(error).__name__}: {error.report}',
            remedy(
                'Give both sides the same transport, or bring back the code that wrote it. To step through the code:',
                case.on_this('debug', case.target),
            ),
        )


def decision_list_misspelt(case: Case) -> Iterator[Found]:
    """The decision task waits on a list while a list of nearly the same name is polled."""
    task = waiting_decision(case)
    if task is None or not task.task_list or polled(case, 'decision', task.task_list):
        return
    other = similar(task.task_list, polled_lists(case, 'decision'))
    if other is not None:
        yield Found(
            f'No worker polls the decision task list {task.task_list!r}, but deciders poll {other!r}, which is nearly '
            f'the same name; the decision has waited for {duration(case.since(task.scheduled_at))}.',
            remedy(
                'Start a worker for this list; then correct the name in the decorator or where the execution is '
                'started:',
                case.worker(task.task_list),
            ),
            (_shown(task),),
        )


def polled(case: Case, kind: str, task_list: str) -> bool:
    """Whether a worker is known to poll a list."""
    return bool(case.facts.pollers.get((kind, task_list)))


def decision_not_polled(case: Case) -> Iterator[Found]:
    """No worker takes the decision task."""
    task = waiting_decision(case)
    if task is None or taken_since(case, 'decision', task.task_list or '', task.scheduled_at):
        return
    if any(decision_list_misspelt(case)):
        return
    pending = case.facts.pending.get(('decision', task.task_list or ''))
    count = f' (waiting there: {pending})' if pending else ''
    yield Found(
        f'No worker has taken the decision task from the list {task.task_list!r} for '
        f'{duration(case.since(task.scheduled_at))}{count}.',
        remedy('Start a decider for it:', case.worker(task.task_list)),
        (_shown(task),),
    )


def workflow_type_gone(case: Case) -> Iterator[Found]:
    """No worker takes the decision task, and the workflow type is deprecated or not registered."""
    task = waiting_decision(case)
    state = case.facts.types.get(('workflow', case.view.name, case.view.version))
    if task is not None and state in ('MISSING', 'DEPRECATED') and not any(decision_list_misspelt(case)):
        yield Found(
            f'No worker has taken the decision task for {duration(case.since(task.scheduled_at))}, and the workflow '
            f'type {case.view.name} {case.view.version} '
            f'is {"deprecated" if state == "DEPRECATED" else "not registered"}: '
            'the deciders that know it may be gone.',
            remedy(
                'Run a decider whose code still has this type, until its last execution has closed:',
                case.worker(task.task_list),
            ),
            (_shown(task),),
        )


def decision_in_line(case: Case) -> Iterator[Found]:
    """The deciders are there, but busy."""
    task = waiting_decision(case)
    if task is not None and taken_since(case, 'decision', task.task_list or '', task.scheduled_at):
        pending = case.facts.pending.get(('decision', task.task_list or ''), 1)
        yield Found(
            f'The decision waits in line on {task.task_list!r} behind {pending} tasks: the deciders are busy.',
            remedy('Start more deciders on this list:', case.worker(task.task_list)),
            (_shown(task),),
        )


def decision_timed_out(case: Case) -> Iterator[Found]:
    """Decisions time out again and again."""
    lost = []
    for task in reversed(case.view.decisions):
        if task.state == 'completed':
            break
        if task.state == 'timed out' and task.timeout_type != 'SCHEDULE_TO_START':
            lost.append(task)
    if lost and case.view.is_open:
        worker = f', last by {lost[0].worker}' if lost[0].worker else ''
        yield Found(
            f'The decision timed out {times(len(lost))}{" in a row" if len(lost) > 1 else ""}{worker}: the decider '
            f'took it and did not answer within {duration(lost[0].limit or 0)}.',
            _look_into(
                case,
                'See the log of that worker: it holds the execution (its code does not match, or raised), or is too '
                'slow.',
            ),
            tuple(Evidence('the decision timed out', task.ended_id, task.ended_at) for task in reversed(lost)),
        )


def _look_into(case: Case, text: str) -> str:
    """A remedy that ends with the command which shows what the code does in this decision."""
    lead = 'To step through the decision:' if case.code else 'With the code at hand:'
    return remedy(f'{text} {lead}', case.on_this('debug' if case.code else 'why', case.target))


def times(count: int) -> str:
    return 'once' if count == 1 else f'{count} times'


def decision_slow(case: Case) -> Iterator[Found]:
    """A decider took the decision a while ago and has not answered."""
    task = case.view.pending_decision
    if task is not None and task.started_at is not None and case.since(task.started_at) >= SLOW_DECISION:
        limit = 'it has no time-out' if task.limit is None else f'it times out after {duration(task.limit)}'
        yield Found(
            f'A decider{" (" + task.worker + ")" if task.worker else ""} took the decision {case.ago(task.started_at)} '
            f'and has not answered; {limit}.',
            _look_into(
                case, 'See the log of that worker: it holds the execution, is stopped in a debugger, or is gone.'
            ),
            (Evidence('the decision task was started', task.started_id, task.started_at),),
        )
