"""Rules about what an execution waits for from outside: signals, children, parents, cancellation, timers."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.insight.finding import Case, Evidence, Found, remedy
from genflow.insight.times import duration

__all__ = [
    'abandoned_children',
    'cancel_unfinished',
    'child_stuck',
    'idle',
    'parent_closed',
    'signal_awaited',
    'signal_undeclared',
    'signals_unread',
    'sleeping',
]


def signal_undeclared(case: Case) -> Iterator[Found]:
    """A signal came in whose name the class does not declare."""
    if case.code is None or not case.view.is_open:
        return
    declared = case.code.declared
    for received in case.view.signals:
        if received.name in declared or received.name == UPDATE_SIGNAL:
            continue  # an update names a method, and is answered if there is no such method
        close = get_close_matches(received.name, declared, 1, 0.5)
        meant = f' Was {close[0]!r} meant?' if close else f' It declares: {", ".join(declared) or "none"}.'
        yield Found(
            f'The signal {received.name!r} came in {case.ago(received.at)}, and the class declares no such '
            f'signal.{meant}',
            remedy('Send it under the right name:', case.on_this('signal', close[0] if close else 'NAME', 'VALUE')),
            (Evidence(f'the signal {received.name!r}', received.id, received.at),),
        )


def child_stuck(case: Case) -> Iterator[Found]:
    """A child is stuck; followed down as deep as it goes."""
    for operation in case.view.open_operations():
        if operation.kind != 'child' or not case.view.is_open:
            continue
        below = case.facts.children.get(operation.last.key)
        cause = None if below is None else below.first_cause
        if cause is not None:
            yield Found(
                f'{operation.label} ({operation.last.key}) is stuck: {cause.text}',
                cause.remedy,
                (
                    Evidence(
                        f'{operation.label} was initiated', operation.last.scheduled_id, operation.last.scheduled_at
                    ),
                    *cause.evidence,
                ),
            )


def cancel_unfinished(case: Case) -> Iterator[Found]:
    """The cancellation of the execution was asked for, and it is still open."""
    request = case.view.cancel_requested
    if request is None or not case.view.is_open:
        return
    open_ones = [one for one in case.view.open_operations() if not one.is_of_engine]
    by = ', '.join(one.label for one in open_ones[:3]) or 'nothing that is open'
    yield Found(
        f'Its cancellation was requested {case.ago(request.at)} and has not finished; it still waits for {by}.',
        remedy('Wait for its clean-up, or end it at once:', case.on_this('terminate')),
        (Evidence('the cancellation was requested', request.id, request.at),),
    )


def parent_closed(case: Case) -> Iterator[Found]:
    """The parent has closed, and this execution goes on without it."""
    parent = case.view.parent
    if parent is not None and case.view.is_open and case.facts.parent not in (None, 'open'):
        yield Found(
            f'Its parent {parent[0]} is {case.facts.parent}: nothing waits for the result of this execution.',
            remedy('Let it finish, or end it:', case.on_this('cancel')),
            (Evidence(f'started by {parent[0]}', 1, case.view.started_at),),
        )


def abandoned_children(case: Case) -> Iterator[Found]:
    """The execution has closed and left children open."""
    if case.view.is_open or case.view.started.get('childPolicy') != 'ABANDON':
        return
    left = [one for one in case.view.open_operations() if one.kind == 'child' and one.last.started_id]
    if left:
        keys = ', '.join(one.last.key for one in left[:3])
        yield Found(
            f'It closed and left {len(left)} of its children open (child policy ABANDON): {keys}.',
            remedy('Look at them:', *(case.command('why', one.last.key, run_id=one.last.run_id) for one in left[:3])),
            tuple(Evidence(f'{one.label} was started', one.last.started_id, one.last.started_at) for one in left[:3]),
        )


def signal_awaited(case: Case) -> Iterator[Found]:
    """It waits for a signal that has not been sent."""
    code = case.code
    if code is None or not case.view.is_open or not code.awaited or case.view.pending_decision is not None:
        return
    for branch in code.branches:
        for name in branch.signals:
            yield Found(
                f'It waits for the signal {name!r}, which has not been sent.',
                case.on_this('signal', name, 'VALUE'),
                (Evidence('nothing has happened since', case.view.last_event_id, case.view.updated_at),),
            )


def idle(case: Case) -> Iterator[Found]:
    """Nothing is open: it waits for a signal, or is stuck; only its code shows which."""
    view = case.view
    if case.code is not None or not view.is_open or view.open_operations() or view.pending_decision is not None:
        return
    if not view.decisions or view.updated_at is None:
        return
    yield Found(
        f'Nothing of it is open since {case.clock(view.updated_at)}: it waits for a signal, or is stuck; only its '
        'code shows which.',
        remedy('Name the file or module of its code:', case.on_this('why', case.target)),
        (Evidence('the last event', view.last_event_id, view.updated_at),),
    )


def signals_unread(case: Case) -> Iterator[Found]:
    """Signals came in that the code has not read."""
    if case.code is None or not case.view.is_open:
        return
    for name, count in case.code.unread.items():
        if name in case.code.declared:
            last = next((one for one in reversed(case.view.signals) if one.name == name), None)
            yield Found(
                f'{count} signal{"s" if count > 1 else ""} {name!r} came in and {"are" if count > 1 else "is"} not '
                'read: the code does not wait for it now.',
                'The code reads it at its next `get()` or `drain()`; if it never does, that is a mistake in the code.',
                () if last is None else (Evidence(f'the signal {name!r}', last.id, last.at),),
            )


def sleeping(case: Case) -> Iterator[Found]:
    """It sleeps until a timer fires."""
    view = case.view
    open_ones = view.open_operations()
    if view.is_open and view.pending_decision is None and open_ones and all(one.kind == 'timer' for one in open_ones):
        first, timer = min(
            ((deadline.at, one) for one in open_ones for deadline in one.deadlines()), key=lambda found: found[0]
        )
        rest = (first - case.now).total_seconds()
        name = timer.last.key if timer.number is None else timer.number
        yield Found(
            f'It sleeps until {case.clock(first)} ({duration(max(0.0, rest))} from now).',
            remedy('To see what happens then:', case.on_this('why', case.target, **{'if': f'fire {name}'})),
            (Evidence('the timer was started', timer.last.scheduled_id, timer.last.scheduled_at),),
        )
