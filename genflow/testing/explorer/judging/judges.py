"""The checks of every run, built-in ones and the user's: a table of judges.

A judge looks at a run that has ended and gives the text of what is wrong, or nothing. What is wrong in every order is
mostly the test's own setting (a stub that gives ``None`` where the code needs a dict), so some judges compare with the
first run: first in first out, without faults.
"""

from __future__ import annotations

from collections.abc import Callable

from genflow.testing.explorer.judging.baseline import Baseline
from genflow.testing.explorer.judging.cancellation import cancel_bounds
from genflow.testing.explorer.judging.checks import Check, Verdict
from genflow.testing.explorer.judging.compensations import compensated
from genflow.testing.explorer.judging.endings import broken, replayed, stalled, stuck
from genflow.testing.explorer.judging.failures import mistaken, untaken
from genflow.testing.explorer.judging.repeats import repeated
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['JUDGES', 'judged']


def _violated(run: Simulation, first: Baseline) -> str | None:
    return run.violation


JUDGES: dict[str, Callable[[Simulation, Baseline], str | None]] = {
    'always': _violated,
    'decision': broken,
    'stall': stalled,
    'compensation': compensated,
    'untaken': untaken,
    'mistake': mistaken,
    'idempotency': repeated,
    'cancel': cancel_bounds,
    'stuck': stuck,
    'replay': replayed,
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
