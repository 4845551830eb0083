"""Shrinks a failing schedule: fewest faults, fewest events, closest to first in first out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genflow.testing.explorer.items import DECIDE
from genflow.testing.explorer.simulation import Simulation

__all__ = ['labels_of', 'shrunk']

MAX_TRIES = 400


def labels_of(run: Simulation) -> list[str]:
    """The choices of a run by name; decisions are made whenever they are due, so they need no name."""
    return [step.label for step in run.steps if step is not DECIDE]


def shrunk(labels: Sequence[str], attempt: Callable[[Sequence[str]], Simulation | None]) -> list[str]:
    """The smallest schedule that still fails.

    Args:
        labels: A schedule that fails.
        attempt: Plays a schedule; the run where it fails in the same way, else ``None``.
    """
    first = attempt(labels)
    if first is None:
        return list(labels)
    best, size = list(labels), _size(first, labels)
    tries = 0
    found = True
    while found and tries < MAX_TRIES:
        found = False
        for candidate in _smaller(best):
            tries += 1
            run = attempt(candidate)
            if run is not None and _size(run, candidate) < size:
                best, size, found = candidate, _size(run, candidate), True
                break
            if tries >= MAX_TRIES:
                break
    return best


def _size(run: Simulation, labels: Sequence[str]) -> tuple[int, int, int, int]:
    return (run.spent, run.total, len(labels), sum(map(len, labels)))


def _smaller(labels: Sequence[str]) -> list[list[str]]:
    """The schedule with parts left out, large ones first, from the end; then with the usual values of signals."""
    found: list[list[str]] = []
    length = len(labels)
    while length:
        found += [[*labels[:at], *labels[at + length :]] for at in range(len(labels) - length, -1, -length)]
        length //= 2
    usual = [label.partition(' with ')[0] if label.startswith('signal ') else label for label in labels]
    found += [
        [*labels[:at], name, *labels[at + 1 :]]
        for at, (label, name) in enumerate(zip(labels, usual, strict=True))
        if name != label
    ]
    return found
