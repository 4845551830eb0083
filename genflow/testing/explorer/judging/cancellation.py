"""The judge of cancellations: a canceled execution ends within bounds, and not as if it had not been canceled."""

from __future__ import annotations

from genflow.testing.explorer.judging.asked import what_is_asked
from genflow.testing.explorer.judging.baseline import Baseline
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['cancel_bounds', 'is_like', 'may_be_swallowed', 'swallowed_like']

CANCEL_WITHIN = 60
"""Events within which a canceled execution has to end, faults of the schedule not counted."""


def cancel_bounds(run: Simulation, first: Baseline) -> str | None:
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
