"""The judge of sagas: every compensation runs once, and only after its step."""

from __future__ import annotations

from collections import Counter

from genflow.core.errors import TaskFailed
from genflow.core.text import counted
from genflow.testing.explorer.judging.asked import what_is_asked, words_of
from genflow.testing.explorer.judging.baseline import Baseline
from genflow.testing.explorer.judging.failures import raised_at
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.explorer.playing.undoing import Undo

__all__ = ['compensated']


def compensated(run: Simulation, first: Baseline) -> str | None:
    """Every compensation of a saga runs once, and only after its step."""
    return _failed_undo(run) or _undone(run, first)


def _failed_undo(run: Simulation) -> str | None:
    wrong = [
        error for error in run.live.log.errors if isinstance(error, Exception) and not isinstance(error, TaskFailed)
    ]
    if wrong:
        return f'a compensation cannot run: {wrong[0]!r}{raised_at(wrong[0])}'
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
