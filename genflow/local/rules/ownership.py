"""The process that has a started task, if several processes share a file."""

from __future__ import annotations

from genflow.local.json_text import encode
from genflow.local.state.answers import Caller
from genflow.local.state.state import State
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK

__all__ = ['release', 'take_over']


def take_over(state: State, ref: int, caller: Caller) -> None:
    """Records which process has a task that was just handed out; the same poll, if repeated, gets it again."""
    if caller.owns:
        execution = state.execution(ref >> EVENT_BITS)
        task = execution.activities.get(ref & EVENT_MASK) or execution.decision
        if task is not None and task.id == ref & EVENT_MASK:
            task.owner = state.owners[ref] = caller.process
    if caller.number:
        state.answer(caller, encode(ref))


def release(state: State, process: str) -> None:
    """Ends the ownership of all activities of a process; from then on, any holder of a token may answer."""
    for ref in [ref for ref, owner in state.owners.items() if owner == process]:
        execution = state.find(ref >> EVENT_BITS)
        activity = execution and execution.activities.get(ref & EVENT_MASK)
        if execution and activity:
            activity.owner = ''
            del state.owners[ref]
            state.touch(execution, activity)
