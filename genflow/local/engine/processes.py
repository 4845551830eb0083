"""The processes that share a file, and the tasks of processes that end."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Any

from genflow.local.engine.locked_state import LockedState
from genflow.local.engine.taking import TaskTaker
from genflow.local.rules.crash_recovery import end
from genflow.local.rules.ownership import release
from genflow.local.state.answers import Caller
from genflow.local.state.known_types import TaskType

__all__ = ['Processes']


class Processes:
    """The part of the service that knows of other processes."""

    def __init__(self, core: LockedState, taker: TaskTaker) -> None:
        self._core = core
        self._state = core.state
        self._taker = taker

    def declare_types(self, process: str, types: Iterable[TaskType]) -> None:
        """A process can work on these types; what another one has that cannot is taken from it, and is no try."""
        known = self._state.known_types
        wanted = frozenset(types)
        with self._core.lock:
            known.declare(process, wanted)
            misplaced: dict[str, set[int]] = {}
            for ref, owner in self._state.owners.items():
                kind = self._core.type_of(ref)
                if kind in wanted and not known.knows(owner, kind):
                    misplaced.setdefault(owner, set()).add(ref)
        for owner, refs in misplaced.items():
            self.end_tasks_of(owner, kept=self._state.owners.keys() - refs)

    def end_tasks_of(self, process: str, *, kept: Collection[int] = ()) -> None:
        """End the tasks that a process had started, because it can answer them no more; no try is counted.

        Args:
            process: Its name.
            kept: Refs of tasks that it has after all.
        """
        self._core.calls.call(partial(self._core.alter, partial(self._end_tasks_of, process, kept)))

    def _end_tasks_of(self, process: str, kept: Collection[int], now: int) -> None:
        for ref in [ref for ref, owner in self._state.owners.items() if owner == process and ref not in kept]:
            self._core.apply_to(ref, end, now)

    def end_undelivered(self, process: str, numbers: Collection[int]) -> None:
        """End the tasks that these polls and rounds of a process had taken, because it has given them up."""
        callers = [Caller(process, number) for number in numbers]
        with self._core.lock:
            known = [self._state.answers.find(caller) for caller in callers]
            refs = {ref for answer in filter(None, known) for ref in refs_of(json.loads(answer))}
            kept = [ref for ref, owner in self._state.owners.items() if owner == process and ref not in refs]
        if refs:
            self.end_tasks_of(process, kept=kept)

    def release_tasks_of(self, process: str) -> None:
        """A process leaves in order: its activities may be answered by others who have their tokens.

        Nobody else can answer its decision tasks, so these end.
        """
        self._core.calls.call(partial(self._core.alter, lambda now: release(self._state, process)))
        self.end_tasks_of(process)

    def admit(self, process: str) -> None:
        """A process is there, and may take tasks."""
        with self._core.lock:
            self._state.departed.discard(process)

    def dismiss(self, process: str) -> None:
        """A process is gone: it takes no tasks and repeats no calls any more."""
        with self._core.lock:
            self._state.departed.add(process)
            self._state.answers.forget(process)
            self._state.known_types.forget(process)
            for queue in self._state.queues.values():  # what only that process has known may now be anybody's
                for _ in range(min(len(queue), queue.polls)):
                    self._taker.wake_one(queue)
        self._core.calls.call(partial(self._core.journal.alone, partial(self._core.store.forget_answers, process)))

    def owners(self) -> set[str]:
        """The processes that have started tasks, or whose calls may be repeated."""
        with self._core.lock:
            return {*self._state.owners.values(), *self._state.answers.processes()}


def refs_of(answer: Any) -> Iterator[int]:
    """The tasks that a numbered call was given, as its answer is kept: a poll one, a round those of several lists."""
    if isinstance(answer, int):
        yield answer
    elif isinstance(answer, dict):
        for refs in answer.get('refs', ()):
            yield from refs
