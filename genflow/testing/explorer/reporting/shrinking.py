"""Shrinks a failing schedule: fewest faults, fewest events, closest to first in first out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['shrunk']

MAX_TRIES = 400
CANCEL = 'cancel'


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

    def is_better(candidate: list[str]) -> bool:
        nonlocal best, size, tries
        tries += 1
        run = attempt(candidate)
        found = None if run is None else _size(run, candidate)
        if found is None or found >= size:
            return False
        best, size = candidate, found
        return True

    for at in range(len(labels)):  # while every step has its name; what is usual has none later
        for candidate in _moved(best, labels[at], at):
            is_better(candidate)
    while tries < MAX_TRIES and any(tries < MAX_TRIES and is_better(candidate) for candidate in _smaller(best)):
        pass
    return best


def _moved(labels: list[str], label: str, at: int) -> list[list[str]]:
    """The schedule with one event before a decision instead of after it; with a cancellation instead of a failure."""
    found = []
    if label.startswith(('end ', 'signal ', CANCEL)):  # nothing else can come before a decision
        found.append(_joined_at(labels, at))
    if label.endswith((' failed', ' timed out')) and CANCEL not in labels:  # it may show the same before the call
        found.append([*labels[:at], f'before {CANCEL}', *labels[at + 1 :]])
    return found


def _size(run: Simulation, labels: Sequence[str]) -> tuple[int, int, int, int, int]:
    """What goes wrong, the events, and what is unusual; that events come before one decision is nothing wrong."""
    borders = sum(step.when == 'before' for step in run.steps)
    return (run.spent - borders, run.total, run.spent, len(labels), sum(map(len, labels)))


def _smaller(labels: Sequence[str]) -> list[list[str]]:
    """The schedule with parts left out, large ones first; with one decision less or more; with usual values."""
    found: list[list[str]] = []
    length = len(labels)
    while length:
        found += [[*labels[:at], *labels[at + length :]] for at in range(len(labels) - length, -1, -length)]
        length //= 2
    found += _joined(labels)
    found += [
        [*labels[:at], label.removeprefix('before '), *labels[at + 1 :]]
        for at, label in enumerate(labels)
        if label.startswith('before ')
    ]
    usual = [label.partition(' with ')[0] if label.startswith('signal ') else label for label in labels]
    found += [
        [*labels[:at], name, *labels[at + 1 :]]
        for at, (label, name) in enumerate(zip(labels, usual, strict=True))
        if name != label
    ]
    return found


def _joined(labels: Sequence[str]) -> list[list[str]]:
    """The schedule with one event at a time that comes before a decision instead of after it."""
    return [_joined_at(labels, at) for at, label in enumerate(labels) if label.startswith(('end ', 'signal '))]


def _joined_at(labels: Sequence[str], at: int) -> list[str]:
    return [*labels[:at], f'before {labels[at]}', *labels[at + 1 :]]
