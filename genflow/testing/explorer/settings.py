"""The settings of an exploration, in a module that ``genflow explore --help`` loads without the explorer."""

from __future__ import annotations

__all__ = ['BUDGET', 'JUDGE_NAMES', 'MAX_FAULTS']

BUDGET = 5_000
"""Default for the most runs."""

MAX_FAULTS = 3
"""Default for the most faults in one run."""

JUDGE_NAMES = (
    'always',
    'decision',
    'stall',
    'compensation',
    'untaken',
    'mistake',
    'idempotency',
    'cancel',
    'stuck',
    'replay',
)
"""The keys of ``genflow.testing.explorer.judging.judges.JUDGES``, in their order."""
