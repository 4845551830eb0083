"""What an exploration may be told, apart from what does it: ``genflow explore --help`` needs no more."""

from __future__ import annotations

__all__ = ['BUDGET', 'JUDGE_NAMES', 'MAX_FAULTS']

BUDGET = 5_000
"""Runs that are tried unless somebody says otherwise."""

MAX_FAULTS = 3
"""The most faults in one run unless somebody says otherwise."""

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
"""The keys of ``genflow.testing.explorer.judges.JUDGES``, in their order."""
