"""The checks of every run, built-in ones and the user's: a table of judges.

A judge checks a run that has ended, and returns the text of what is wrong, or ``None``. What is wrong in every order
is mostly caused by the test (a stub that gives ``None`` where the code needs a dict), so some judges compare with the
first run: first in, first out, without faults.
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
"""The judges by name, in order; the first one that finds something gives the verdict."""


def judged(run: Simulation, first: Baseline, without: frozenset[str], check: Check | None) -> Verdict | None:
    """The verdict of the first judge that finds something, or of the user's check; ``None`` if all is well."""
    for name, judge in JUDGES.items():
        if name not in without:
            text = judge(run, first)
            if text is not None:
                return Verdict(name, text)
    if check is None or run.error is not None or run.cut:
        return None
    text = check.objection(run, is_invariant=first.is_invariant)
    return None if text is None else Verdict('check', text)
