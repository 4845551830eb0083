"""The checks of every run, built-in ones and the user's: a table of judges.

A judge looks at a run that has ended and gives the text of what is wrong, or nothing. What is wrong in every order is
mostly the test's own setting (a stub that gives ``None`` where the code needs a dict), so some judges compare with the
first run: first in first out, without faults.
"""

from __future__ import annotations

import dis
import re
from collections import Counter
from collections.abc import Callable, Mapping

from attrs import Factory, frozen

from genflow.core.errors import (
    DefinitionError,
    GenflowError,
    HistoryError,
    ScheduleFailed,
    TaskCanceled,
    TaskFailed,
    WorkflowStalled,
    YieldError,
)
from genflow.core.text import counted, failed_at
from genflow.testing.explorer.inputs.setup import Asked
from genflow.testing.explorer.judging.checks import Check, Verdict
from genflow.testing.explorer.places import LIBRARIES, shown_place
from genflow.testing.explorer.playing.calls import Call
from genflow.testing.explorer.playing.choices import ALREADY_RUNNING
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.explorer.playing.undoing import SagaLog, Undo

__all__ = [
    'JUDGES',
    'NEVER_RUN',
    'Baseline',
    'is_like',
    'judged',
    'may_be_swallowed',
    'swallowed_like',
    'what_is_asked',
]

MISTAKES = (
    TypeError,
    AttributeError,
    NameError,
    LookupError,
    AssertionError,
    ZeroDivisionError,
    RecursionError,
    SystemExit,
    UnicodeError,
    YieldError,
    DefinitionError,
)
"""Exceptions that show a mistake in the code, unless it raises them itself."""

UNLESS_RAISED = (ValueError, ArithmeticError, RuntimeError)
"""Exceptions that show one where no ``raise`` makes them, such as that a dict changed while it was iterated."""

KEY_NAMES = frozenset({'idempotency_key', 'idempotencykey', 'idempotency_token', 'request_token', 'client_token'})

READS = frozenset(
    {'check', 'count', 'describe', 'fetch', 'find', 'get', 'has', 'is', 'list', 'load', 'look', 'poll', 'query', 'read'}
    | {'search', 'status', 'wait', 'watch'}
)
"""First words of the names of calls that only read, so that it is no harm if one is made anew."""

NEVER_RUN = 'but never run: '
"""Is in what the engine reports of a generator that the code made and dropped."""

CANCEL_WITHIN = 60
"""Events within which a canceled execution has to end, faults of the schedule not counted."""


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
        is_invariant: Whether the user's check is to hold however an execution ends.
        signal_places: Where its branches waited when signals came.
        drops: Whether it made a generator that never ran.
        fired: How many timers fired.
    """

    completes: bool = False
    result: str | None = None
    asked: Counter[tuple[str, str]] = Factory(Counter)
    unread: Mapping[str, int] = Factory(dict)
    undos: SagaLog = Factory(SagaLog)
    is_unreadable: bool = False
    is_invariant: bool = False
    signal_places: frozenset[str] = frozenset()
    drops: bool = False
    fired: int = 0


def what_is_asked(run: Simulation, call: Call) -> tuple[str, str]:
    """What a call asks for: its name and its arguments, idempotency keys left out, which differ from call to call."""
    return _asked(run, call).what


def _asked(run: Simulation, call: Call) -> Asked:
    """What a call asks for, and its key: read once for all calls of a type that have the same input."""
    same = (call.kind, call.name, call.input)
    known = run.setup.asked.get(same)
    if known is None:
        known = run.setup.asked[same] = _read(run, call)
    return known


def _read(run: Simulation, call: Call) -> Asked:
    names = run.parameters(call)
    named = [(names[place] if place < len(names) else '', value) for place, value in enumerate(call.args)]
    args = [value for name, value in named if name.lower() not in KEY_NAMES]
    keywords = {name: value for name, value in call.kwargs.items() if name.lower() not in KEY_NAMES}
    keys = [value for name, value in (*call.kwargs.items(), *named) if name.lower() in KEY_NAMES]
    key = keys[0] if keys else None
    return Asked((call.name, repr((args, keywords))), key, repr(key))


def _broken(run: Simulation, first: Baseline) -> str | None:
    error = run.error
    if error is None or isinstance(error, WorkflowStalled) or (first.is_unreadable and type(error) is HistoryError):
        return None
    return f'{type(error).__name__}: {error}{_shared(run)}'


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
    if not run.setup.says_signals and (not unread or run.fired != first.fired):
        return None  # more of them may come, or what is unread came after a time-out
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
        return f'a replay of the history does not agree with the run: {error}{_shared(run)}'
    finally:
        fresh.discard()
    return None if agrees else f'a replay of the history does not end where the run ended{_shared(run)}'


def _shared(run: Simulation) -> str:
    changed = run.setup.shared.changed()
    return f'\nnote: the run changed what all executions of a process share: {", ".join(changed)}' if changed else ''


def _untaken(run: Simulation, first: Baseline) -> str | None:
    if not run.unretrieved or isinstance(run.failure, ScheduleFailed):  # anything may be refused, also of a stub
        return None
    place = _at(run.failure) if run.failure is not None else ''
    return f'the failure of {run.unretrieved} fails the execution, and nobody waited for it: {run.failure}{place}'


def _mistaken(run: Simulation, first: Baseline) -> str | None:
    error = run.failure
    if run.started_twice and isinstance(error, ScheduleFailed) and error.cause == ALREADY_RUNNING:
        return f'the code starts a child with the id {run.started_twice!r} while its own child of that id is open'
    if isinstance(error, YieldError) and 'None' not in str(error):  # None is what a call without a stub gives
        return _failing(error)
    if not first.completes:
        return None
    return _mistaken_failure(run) or run.broken_update or (_never_run(run) if not first.drops else None)


def _mistaken_failure(run: Simulation) -> str | None:
    error = run.failure
    if isinstance(error, TaskCanceled) and run.cancel_at is None:
        return f'the code cancels a task, and fails since it asks for its result: {type(error).__name__}: {error}'
    if isinstance(error, TaskFailed) or (isinstance(error, DefinitionError) and _has_made_up_value(run)):
        return None
    if isinstance(error, MISTAKES):
        is_meant = not isinstance(error, (AssertionError, SystemExit)) and _is_raised(error, by_user=True)
        return None if is_meant else _failing(error)
    if isinstance(error, UNLESS_RAISED) and not _is_raised(error, by_user=False):
        return _failing(error)
    return None


def _has_made_up_value(run: Simulation) -> bool:
    """Whether a signal brought a value such as an empty text, which may be no id or no number of seconds."""
    return any(step.verb == 'signal' and step.outcome.startswith('with ') for step in run.steps)


def _never_run(run: Simulation) -> str | None:
    """A generator that the code makes and drops."""
    if run.closed is None or run.closed.how != 'completed':
        return None
    report = next((text for text in (*run.warnings, *run.live.warnings) if NEVER_RUN in text), None)
    return None if report is None else report.partition(': ')[2]


def _failing(error: BaseException) -> str:
    return f'the code fails{_at(error)}, with {type(error).__name__}: {error}'


def _at(error: BaseException) -> str:
    place = shown_place(failed_at(error))
    return f' at {place}' if place else ''


def _is_raised(error: BaseException, *, by_user: bool) -> bool:
    """Whether a ``raise`` made an exception, and not the interpreter; ``by_user`` asks for one in the user's code."""
    place = error.__traceback__
    if place is None:
        return not by_user
    while place.tb_next is not None:
        place = place.tb_next
    code = place.tb_frame.f_code
    if by_user and code.co_filename.startswith(LIBRARIES):
        return False
    instructions = code.co_code
    at = place.tb_lasti
    return 0 <= at < len(instructions) and dis.opname[instructions[at]] in ('RAISE_VARARGS', 'RERAISE')


def _compensated(run: Simulation, first: Baseline) -> str | None:
    """Every compensation of a saga runs once, and only after its step."""
    return _failed_undo(run) or _undone(run, first)


def _failed_undo(run: Simulation) -> str | None:
    wrong = [
        error for error in run.live.log.errors if isinstance(error, Exception) and not isinstance(error, TaskFailed)
    ]
    if wrong:
        return f'a compensation cannot run: {wrong[0]!r}{_at(wrong[0])}'
    if run.closed is None or run.closed.how == 'completed':
        return None
    left = run.live.log.left()
    if not left:
        return None
    return f'the execution {run.closed.how} with {counted(left, "compensation")} of a saga that never ran'


def _undone(run: Simulation, first: Baseline) -> str | None:
    """A compensation that runs more than once, or without its step."""
    if run.error is not None:
        return None
    ran = [undo for undo in run.live.log.undos if undo.has_run]
    return (
        _undone_twice(run, first, ran)
        or _undone_by_hand(run, first, ran)
        or _undone_too_soon(first, ran)
        or _undone_for_nothing(run, first, ran)
    )


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


def _undone_for_nothing(run: Simulation, first: Baseline, ran: list[Undo]) -> str | None:
    """A compensation ran, and the only step that its name tells of was never called."""
    if not first.completes or first.undos.has_undone:
        return None
    steps = {name: set(words_of(name)) for name in first.undos.work}
    times = Counter(word for words in steps.values() for word in words)
    for undo in ran:
        words = {word for word in words_of(undo.name) if times[word] == 1} if undo.is_call else set()
        named = [name for name, its in steps.items() if its & words]
        if len(named) == 1 and named[0] not in run.live.log.work and undo.name != named[0]:
            return (
                f'the compensation {undo.what} runs, and its step {named[0]} was never called: it was added too early; '
                'add it directly before the call that it undoes'
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
        what, key, _ = _asked(run, call)
        before = asked.get(what)
        if before is None:
            asked[what] = [call]
            continue
        others = [other for other in before if (other.run, other.number) != (call.run, call.number)]
        last = {(other.run, other.number): other for other in others}  # of its attempts; one before it was tried again
        lost = [other for other in last.values() if _may_have_been_performed(other, place)]
        again = [other for other in lost if key is None or _asked(run, other).key != key]
        before.append(call)
        many = len({(other.run, other.number) for other in before}) > first.asked[what] > 0
        if again and again[0].outcome != 'timed out' and not _gives_up(run, first, again[0], call):
            continue
        if again and many and not _only_reads(call):
            when = 'after it timed out' if again[0].outcome == 'timed out' else 'while it is still open'
            return (
                f'{call} is called anew {when}: the first call may have been performed, and the second '
                'has another idempotency key; let retry= try again, or give both calls one key'
            )
    return None


def _gives_up(run: Simulation, first: Baseline, known: Call, call: Call) -> bool:
    """Whether a call that is made while an equal one is open takes its place, as far as that can be told.

    It is all that its decision calls, nothing was called in between, and the first order makes no equal calls at all.
    """
    if max(first.asked.values(), default=0) > 1 or run.calls.index(call) != run.calls.index(known) + 1:
        return False
    decisions = run.decisions_of_calls()
    own = decisions.get(id(call))
    return own is not None and decisions.get(id(known)) != own and list(decisions.values()).count(own) == 1


def _may_have_been_performed(call: Call, place: int) -> bool:
    """Whether a call had timed out, or not ended at all, when so many calls had been made."""
    return call.ended is None or call.ended > place or call.outcome == 'timed out'


def _only_reads(call: Call) -> bool:
    """Whether the name of a call begins with a word for what may be repeated at will."""
    return bool(READS & {words_of(name)[0] for name in (call.name, call.attribute) if words_of(name)})


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: of ``BookHotel`` and ``book_hotel`` the same."""
    return [word.lower() for word in re.findall(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+', name)]


def _is_compensation(run: Simulation, call: Call) -> bool:
    """Whether a call was made while a compensation ran."""
    return call.number.isdigit() and any(undo.made(int(call.number)) for undo in run.saga_log(call.run).undos)


def _repeated_key(run: Simulation) -> str | None:
    """A second call with a key, unless it asks for the same once more after the first one has timed out or failed."""
    seen: dict[tuple[str, str], Call] = {}
    for place, call in enumerate(run.calls):
        _, key, text = _asked(run, call)
        if key is None:
            continue
        known = seen.setdefault((call.name, text), call)
        if (known.run, known.number) == (call.run, call.number) or _asks_once_more(run, known, call, place):
            seen[call.name, text] = call
        else:
            return f'{call} is a second call with the idempotency key {key!r}; the first one {known.outcome}'
    return None


def _asks_once_more(run: Simulation, known: Call, call: Call, place: int) -> bool:
    is_over = known.ended is not None and known.ended <= place and known.outcome not in ('open', 'completed')
    return is_over and what_is_asked(run, known) == what_is_asked(run, call)


def _cancel_bounds(run: Simulation, first: Baseline) -> str | None:
    if run.cancel_at is None or run.error is not None:
        return None
    if run.needs_signal is not None:
        name, places = run.needs_signal
        if not places & first.signal_places:
            return (
                f'the canceled execution waits for the signal {name!r} and nothing else, without a time limit; '
                'if nobody sends it, the execution never ends'
            )
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


def may_be_swallowed(run: Simulation, first: Baseline) -> bool:
    """Whether a canceled run completed after it made calls as usual, though not with the usual result."""
    if run.cancel_at is None or run.error is not None or run.closed is None or run.closed.how != 'completed':
        return False
    if not run.moved_by_cancel or run.canceled_run != len(run.past) or run.has_failures or not first.completes:
        return False
    usual = {name for name, _ in first.asked}
    later = {call.name for call in run.calls[run.cancel_at :]}
    return bool(later) and later <= usual


def is_like(run: Simulation, other: Simulation) -> bool:
    """Whether two runs made the same calls and completed with the same result."""
    if (
        other.closed is None
        or run.closed is None
        or (other.closed.how, other.closed.result)
        != (
            run.closed.how,
            run.closed.result,
        )
    ):
        return False
    return [what_is_asked(run, call) for call in run.calls] == [what_is_asked(other, call) for call in other.calls]


def swallowed_like(run: Simulation, name: str, outcome: str) -> str:
    """What is wrong with a run that is like the one in which an open call ended so."""
    assert run.cancel_at is not None  # noqa: S101 - it was canceled
    return (
        f'the cancellation was swallowed: the code took it for {name} having {outcome}, called '
        f'{run.calls[run.cancel_at]} as then, and completed'
    )


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


def judged(run: Simulation, first: Baseline, without: frozenset[str], check: Check | None) -> Verdict | None:
    """What is wrong with a run, if anything."""
    for name, judge in JUDGES.items():
        if name not in without:
            text = judge(run, first)
            if text is not None:
                return Verdict(name, text)
    if check is None or run.error is not None or run.cut:
        return None
    text = check.objection(run, is_invariant=first.is_invariant)
    return None if text is None else Verdict('check', text)
