"""Chooses the process for a task: one that knows its type; see :mod:`genflow.local.state.known_types`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from genflow.local.engine.locked_state import LockedState
from genflow.local.operations import tasks
from genflow.local.operations.answers import Answer
from genflow.local.rules.ownership import take_over
from genflow.local.state.answers import Caller
from genflow.local.state.task_lists import TaskQueue
from genflow.local.state.transaction import EVENT_MASK

__all__ = ['TaskTaker']


class TaskTaker:
    """Takes tasks from their lists, and wakes polls for them; all of it under the lock."""

    def __init__(self, core: LockedState) -> None:
        self._core = core
        self._state = core.state

    def tasks(
        self, take: Callable[..., Answer], request: dict[str, Any], now: int, queue: TaskQueue, caller: Caller
    ) -> Iterator[tuple[int, Answer]]:
        """Start the tasks of a list that can be, one whenever the next is asked for.

        Returns:
            The ref of each, and what whoever takes it is answered.
        """
        core, state = self._core, self._state
        may = self.may_take(caller.process)
        while (ref := queue.take(may)) is not None:
            execution = core.find(ref)
            if execution is None:
                continue
            answer = core.apply(take, state, request, now, execution, ref & EVENT_MASK)
            if state.agenda:
                core.follow_up(now)
            if answer is not None:
                if caller.process:
                    take_over(state, ref, caller)
                yield ref, answer

    def taken_before(self, request: dict[str, Any], now: int, caller: Caller) -> Answer:
        """What the same poll was answered before."""
        known = self._state.answers.find(caller)
        return None if known is None else tasks.taken_before(self._state, request, now, json.loads(known))

    def may_take(self, process: str) -> Callable[[int], bool] | None:
        """Which tasks a process may have; ``None`` for all."""
        return partial(self.is_for, process) if self._state.known_types.matter else None

    def is_for(self, process: str, ref: int) -> bool:
        kind = self._core.type_of(ref)
        return kind is None or self._state.known_types.may_take(process, kind)

    def wake_one(self, queue: TaskQueue) -> None:
        """Wake the poll that has waited longest, of those that may have a task of the list."""
        if not self._state.known_types.matter:
            queue.wake_one()
            return
        refs = queue.refs
        queue.wake_one(lambda waiter: any(self.is_for(waiter.process, ref) for ref in refs))
