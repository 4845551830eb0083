"""The checks of every run, built-in ones and the user's: a table of judges.

A judge looks at a run that has ended and gives the text of what is wrong, or nothing. What is wrong in every order is
mostly the test's own setting (a stub that gives ``None`` where the code needs a dict), so some judges compare with the
first run: first in first out, without faults.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from attrs import Factory, asdict, fields, frozen

from genflow.core.errors import (
    CompensationFailed,
    DefinitionError,
    GenflowError,
    HistoryError,
    TaskCanceled,
    TaskFailed,
    WorkflowStalled,
    YieldError,
)
from genflow.core.payloads.hooks import decode
from genflow.testing.explorer.simulation import Call, Simulation
from genflow.testing.explorer.undoing import SagaLog, Undo

__all__ = ['JUDGES', 'Baseline', 'Run', 'Verdict', 'judged', 'minds_calls', 'summary', 'what_is_asked']

MISTAKES = (
    TypeError,
    AttributeError,
    NameError,
    LookupError,
    AssertionError,
    ZeroDivisionError,
    RecursionError,
    YieldError,
    DefinitionError,
)
"""Exceptions that show a mistake in the code; others may be raised on purpose."""

UNNAMED = ('result', 'calls', 'run')
"""What the parameters of a check get whose names say nothing."""

KEY_NAMES = frozenset({'idempotency_key', 'idempotencykey', 'idempotency_token', 'request_token', 'client_token'})

CANCEL_WITHIN = 60
"""Events within which a canceled execution has to end, faults of the schedule not counted."""


@frozen
class Verdict:
    """What is wrong with a run.

    Attributes:
        judge: The name of the judge.
        text: A description of the fault.
    """

    judge: str
    text: str


@frozen(eq=False)
class Run:
    """A run that has ended, as checks see it.

    Attributes:
        status: ``completed``, ``failed``, ``canceled``, ``open`` or ``cut off``.
        result: Of a completed one.
        failure: The exception that left ``run``.
        calls: Every attempt that was scheduled: ``.name``, ``.args``, ``.kwargs``, ``.outcome``.
        arrived: By name, how many signals came.
        unread: By name, the number of unread signals when it closed.
        runs: How many runs the execution had: one, and one for each restart.
        warnings: The warnings of the engine.
    """

    status: str
    result: Any
    failure: BaseException | None
    calls: list[Call]
    arrived: Mapping[str, int]
    unread: Mapping[str, int]
    runs: int
    warnings: list[str]


@frozen
class Baseline:
    """What the first run showed.

    Attributes:
        completes: Whether it completed.
        result: What it gave, as text.
        asked: How often it made each call, by :func:`what_is_asked`.
        unread: By name, the number of unread signals when it closed.
        undos: The compensations of its sagas.
        is_unreadable: Whether a result cannot be read, such as the ``None`` of an activity that returns a list.
    """

    completes: bool = False
    result: str | None = None
    asked: Counter[tuple[str, str]] = Factory(Counter)
    unread: Mapping[str, int] = Factory(dict)
    undos: SagaLog = Factory(SagaLog)
    is_unreadable: bool = False


def what_is_asked(run: Simulation, call: Call) -> tuple[str, str]:
    """What a call asks for: its name and its arguments, idempotency keys left out, which differ from call to call."""
    if call.asked is None:
        call.asked = _what_is_asked(run, call)
    return call.asked


def _what_is_asked(run: Simulation, call: Call) -> tuple[str, str]:
    keywords = {name: value for name, value in call.kwargs.items() if name.lower() not in KEY_NAMES}
    names = run.parameters(call)
    args = [
        value for place, value in enumerate(call.args) if place >= len(names) or names[place].lower() not in KEY_NAMES
    ]
    return call.name, repr((args, keywords))


def summary(run: Simulation) -> Run:
    """The run as checks see it."""
    closed = run.closed
    status = 'cut off' if run.cut else 'open' if closed is None else closed.how
    result = decode(closed.result) if closed is not None and closed.how == 'completed' and closed.result else None
    warnings = [*run.warnings, *run.live.warnings]
    return Run(status, result, run.failure, run.calls, run.arrived, run.unread, len(run.past) + 1, warnings)


def _broken(run: Simulation, first: Baseline) -> str | None:
    error = run.error
    if error is None or isinstance(error, WorkflowStalled) or (first.is_unreadable and type(error) is HistoryError):
        return None
    return f'{type(error).__name__}: {error}'


def _stalled(run: Simulation, first: Baseline) -> str | None:
    return str(run.error) if isinstance(run.error, WorkflowStalled) else None


def _stuck(run: Simulation, first: Baseline) -> str | None:
    if run.closed is not None or run.error is not None or run.cut or run.open:
        return None
    if run.has_failures or run.cancel_at is not None or not (first.completes or run.setup.says_signals):
        return None
    if not first.completes and run.serves():
        return None
    awaited = [name for name, box in run.live.mailboxes.items() if box.is_awaited()]
    if not awaited or not (run.setup.says_signals or all(run.setup.signals.get(name) for name in awaited)):
        return None
    unread = any(len(box.items) > first.unread.get(name, 0) for name, box in run.live.mailboxes.items())
    if not (run.setup.says_signals or unread):
        return None  # more of them may come
    return (
        f'the execution waits for ever: nothing is open at SWF and all signals have come, in an order that leaves it '
        f'waiting; {run.live.describe_blocked()}'
    )


def _replay(run: Simulation, first: Baseline) -> str | None:
    if run.error is not None or run.closed is None:
        return None
    fresh = run.execution()
    fresh.input_mismatch = 'error'
    try:
        fresh.advance(run.events)
        agrees = fresh.closed
    except GenflowError as error:
        return f'a replay of the history does not agree with the run: {error}'
    finally:
        fresh.close()
    return None if agrees else 'a replay of the history does not end where the run ended'


def _untaken(run: Simulation, first: Baseline) -> str | None:
    if not run.unretrieved:
        return None
    return f'the failure of {run.unretrieved} fails the execution, and nobody waited for it: {run.failure}'


def _mistaken(run: Simulation, first: Baseline) -> str | None:
    if not first.completes:
        return None
    error = run.failure
    if isinstance(error, MISTAKES) and not isinstance(error, TaskFailed):
        return f'the code fails with {type(error).__name__}: {error}'
    if isinstance(error, TaskCanceled) and run.cancel_at is None:
        return f'the code cancels a task, and fails since it asks for its result: {type(error).__name__}: {error}'
    return run.broken_update


def _compensated(run: Simulation, first: Baseline) -> str | None:
    """Every compensation of a saga runs once, and only after its step."""
    return _failed_undo(run) or _undone(run, first)


def _failed_undo(run: Simulation) -> str | None:
    error: BaseException | None = run.failure
    while error is not None:
        if isinstance(error, CompensationFailed):
            wrong = [found for found in error.errors if not isinstance(found, TaskFailed)]
            return f'a compensation cannot run: {wrong[0]!r}' if wrong else None
        error = error.__context__
    if run.closed is None or run.closed.how == 'completed':
        return None
    left = run.live.log.left()
    return f'the execution {run.closed.how} with {left} compensation(s) of a saga that never ran' if left else None


def _undone(run: Simulation, first: Baseline) -> str | None:
    """A compensation that runs more than once, or without its step."""
    if run.error is not None:
        return None
    ran = [undo for undo in run.live.log.undos if undo.has_run]
    return _undone_twice(run, first, ran) or _undone_by_hand(run, first, ran) or _undone_too_soon(first, ran)


def _undone_twice(run: Simulation, first: Baseline, ran: list[Undo]) -> str | None:
    if not ran:
        return None
    usual = first.undos.counts() if first.completes else Counter(undo.what for undo in ran)
    log = run.live.log
    for what, times in Counter(undo.what for undo in ran).items():
        same = [undo for undo in ran if undo.what == what]
        if times > 1 and (times > usual[what] or (same[0].is_call and log.share_a_step(same))):
            return f'the compensation {what} runs {times} times; it was added anew, so it undoes one step twice'
    return None


def _undone_by_hand(run: Simulation, first: Baseline, ran: list[Undo]) -> str | None:
    """The code calls by itself what a compensation calls as well."""
    if not ran:
        return None
    calls = [call for call in run.calls if call.run == len(run.past) + 1 and call.number.isdigit()]
    inside = {id(call) for call in calls if any(undo.made(int(call.number)) for undo in ran)}
    for call in calls:
        what = what_is_asked(run, call)
        same = [other for other in calls if what_is_asked(run, other) == what and other.number != call.number]
        if id(call) in inside and first.asked[what] == 0 and any(id(other) not in inside for other in same):
            return f'{call} is called by a compensation, and by the code itself as well: it is undone twice'
    return None


def _undone_too_soon(first: Baseline, ran: list[Undo]) -> str | None:
    """A compensation that was added before its step ran without it; the first run shows that a step follows it."""
    usual = {undo.place: undo for undo in first.undos.undos}
    for undo in ran:
        known = usual.get(undo.place)
        if known is None or undo.work_before or known.work_before or undo.work_undoing != undo.work_at:
            continue
        if known.is_followed and first.completes:
            return (
                f'the compensation {undo.what} runs, and its step was never called: it was added too early; add it '
                'directly before the call that it undoes'
            )
    return None


def _repeated(run: Simulation, first: Baseline) -> str | None:
    return _repeated_key(run) or _asked_again(run, first)


def _asked_again(run: Simulation, first: Baseline) -> str | None:
    """A call that timed out may have been performed; another call of the same has another idempotency key."""
    if run.cancel_at is not None:
        return None
    asked: dict[tuple[str, str], list[Call]] = {}
    for place, call in enumerate(run.calls):
        if call.kind == 'child':
            continue  # one that timed out is closed
        if _is_compensation(run, call):
            continue  # what undoes a step may be the same call
        what = what_is_asked(run, call)
        before = asked.setdefault(what, [])
        others = [other for other in before if (other.run, other.number) != (call.run, call.number)]
        last = {(other.run, other.number): other for other in others}  # of its attempts; one before it was tried again
        key = _idempotency_key(run, call)
        lost = [other for other in last.values() if other.outcome == 'timed out' and (other.ended or 0) <= place]
        again = any(key is None or _idempotency_key(run, other) != key for other in lost)
        before.append(call)
        if again and len({(other.run, other.number) for other in before}) > first.asked[what] > 0:
            return (
                f'{call} is called anew after it timed out: the first call may have been performed, and the second '
                'has another idempotency key; let retry= try again, or give both calls one key'
            )
    return None


def _is_compensation(run: Simulation, call: Call) -> bool:
    """Whether a call was made while a compensation ran."""
    return call.number.isdigit() and any(undo.made(int(call.number)) for undo in run.saga_log(call.run).undos)


def _repeated_key(run: Simulation) -> str | None:
    """A second call with a key, unless it asks for the same once more after the first one has timed out or failed."""
    seen: dict[tuple[str, str], Call] = {}
    for place, call in enumerate(run.calls):
        key = _idempotency_key(run, call)
        if key is None:
            continue
        known = seen.setdefault((call.name, repr(key)), call)
        if (known.run, known.number) == (call.run, call.number) or _asks_once_more(run, known, call, place):
            seen[call.name, repr(key)] = call
        else:
            return f'{call} is a second call with the idempotency key {key!r}; the first one {known.outcome}'
    return None


def _asks_once_more(run: Simulation, known: Call, call: Call, place: int) -> bool:
    is_over = known.ended is not None and known.ended <= place and known.outcome not in ('open', 'completed')
    return is_over and what_is_asked(run, known) == what_is_asked(run, call)


def _idempotency_key(run: Simulation, call: Call) -> Any:
    for name, value in call.kwargs.items():
        if name.lower() in KEY_NAMES:
            return value
    names = run.parameters(call)
    for name, value in zip(names, call.args, strict=False):
        if name.lower() in KEY_NAMES:
            return value
    return None


def _cancel_bounds(run: Simulation, first: Baseline) -> str | None:
    if run.cancel_at is None or run.error is not None:
        return None
    if run.closed is None:
        waits = run.cut and run.total - run.cancel_events > CANCEL_WITHIN
        return 'the execution was canceled and goes on' if waits else None
    if not run.moved_by_cancel or run.canceled_run != len(run.past) or run.has_failures:
        return None
    same = first.completes and run.closed.how == 'completed' and run.closed.result == first.result
    return _swallowed(run, first, run.cancel_at) if same else None


def _swallowed(run: Simulation, first: Baseline, canceled_at: int) -> str | None:
    """A canceled execution completed with the result of one that was not."""
    later = run.calls[canceled_at:]
    if later:
        known = all(what_is_asked(run, call) in first.asked for call in later)
        text = (
            f'the cancellation was swallowed: afterwards the code called {later[0]} and completed as if it had not '
            'been canceled'
        )
        return text if known else None
    if first.result in (None, 'null') or len(run.calls) >= sum(first.asked.values()):
        return None
    return 'the cancellation was swallowed: the result is that of an execution which was not cut short'


def _overtaken(run: Simulation, first: Baseline) -> str | None:
    return run.violation


JUDGES: dict[str, Callable[[Simulation, Baseline], str | None]] = {
    'always': _overtaken,
    'decision': _broken,
    'stall': _stalled,
    'compensation': _compensated,
    'untaken': _untaken,
    'mistake': _mistaken,
    'idempotency': _repeated,
    'cancel': _cancel_bounds,
    'stuck': _stuck,
    'replay': _replay,
}
"""By name; the first that objects speaks for a run."""


def judged(
    run: Simulation, first: Baseline, without: frozenset[str], check: Callable[..., Any] | None
) -> Verdict | None:
    """What is wrong with a run, if anything."""
    for name, judge in JUDGES.items():
        if name not in without:
            text = judge(run, first)
            if text is not None:
                return Verdict(name, text)
    return None if check is None else _checked(run, check)


def minds_calls(check: Callable[..., Any]) -> bool:
    """Whether a check gets the calls, and so may see the order in which they were made."""
    names = list(inspect.signature(check).parameters)
    unnamed = [name for name in names if name not in {'run', *(field.name for field in fields(Run))}]
    return bool({'calls', 'run'} & {*names, *UNNAMED[: len(unnamed)]})


def _checked(run: Simulation, check: Callable[..., Any]) -> Verdict | None:
    """Calls the user's check with what its parameters are named after."""
    if run.error is not None or run.cut:
        return None
    found = summary(run)
    values = {'run': found, **asdict(found, recurse=False)}
    names = list(inspect.signature(check).parameters)
    known = [name for name in names if name in values]
    if found.status != 'completed' and not set(known) & {'run', 'status', 'failure'} and names:
        return None
    order = iter(UNNAMED)
    try:
        answer = check(*[values[name] if name in values else values[next(order)] for name in names])
    except Exception as error:  # noqa: BLE001 - what else it raises shows an order that it does not know either
        return Verdict('check', f'the check fails: {error!r} (result {found.result!r})')
    return None if answer is None or answer else Verdict('check', f'the check is false for the result {found.result!r}')
