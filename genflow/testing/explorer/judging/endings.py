"""Judges of how a run comes to its end: it can be decided and replayed, and does not wait for ever."""

from __future__ import annotations

import dis
from types import GeneratorType
from typing import Any

from genflow.core.errors import GenflowError, HistoryError, WorkflowStalled
from genflow.core.tasks.combinators import Race
from genflow.core.tasks.signals import SignalGet
from genflow.testing.explorer.judging.baseline import Baseline
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['broken', 'replayed', 'stalled', 'stuck']


def broken(run: Simulation, first: Baseline) -> str | None:
    error = run.error
    if error is None or isinstance(error, WorkflowStalled) or (first.is_unreadable and type(error) is HistoryError):
        return None
    return f'{type(error).__name__}: {error}{_shared(run)}'


def stalled(run: Simulation, first: Baseline) -> str | None:
    return str(run.error) if isinstance(run.error, WorkflowStalled) else None


def stuck(run: Simulation, first: Baseline) -> str | None:
    if run.closed is not None or run.error is not None or run.cut or run.open:
        return None
    if run.has_failures or run.cancel_at is not None or not (first.completes or run.setup.says_signals):
        return None
    if not first.completes and _serves(run):
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


def replayed(run: Simulation, first: Baseline) -> str | None:
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


def _serves(run: Simulation) -> bool:
    """Whether each branch waits in a loop for one more of the signals that it has read, so that it never ends."""
    boxes = run.live.mailboxes
    return not any(box.items for box in boxes.values()) and all(
        _is_in_loop(generator) and any(boxes[name].read for name in _signals_alone(branch.awaiting))
        for generator, branch in run.live.branches.items()
    )


def _is_in_loop(generator: GeneratorType[Any, Any, Any]) -> bool:
    """Whether the place at which a generator stands is in a loop of its code; ``yield from`` is none."""
    frame = generator.gi_frame
    return frame is not None and any(
        step.opcode in _JUMPS
        and step.opname != 'JUMP_BACKWARD_NO_INTERRUPT'
        and step.argval <= frame.f_lasti < step.offset
        for step in dis.get_instructions(generator.gi_code)
    )


def _signals_alone(task: Any) -> list[str]:
    """The signals of which a wait needs one; nothing if it needs anything else."""
    members = task.members if isinstance(task, Race) else [task]
    names = [member.name for member in members if isinstance(member, SignalGet)]
    return names if len(names) == len(members) else []


_JUMPS = frozenset({*dis.hasjabs, *dis.hasjrel})
