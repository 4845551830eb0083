"""Task lists and workers: who took tasks lately, from which list, and what each did last.

SWF does not tell who polls. So it is read from the ends of the histories of executions that started last.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import define, field, frozen

from genflow.insight import ExecutionView
from genflow.tools.executions.gathering import Gatherer

__all__ = ['TaskList', 'Worker', 'task_lists']


@frozen
class Worker:
    """A worker that was seen.

    Attributes:
        identity: What it calls itself.
        at: When it last took a task.
        did: What that was.
        state: What became of it.
        workflow_id: The execution that it was of.
        run_id: Its run.
    """

    identity: str
    at: datetime
    did: str
    state: str
    workflow_id: str
    run_id: str


@define
class TaskList:
    """A task list.

    Attributes:
        kind: ``decision`` or ``activity``.
        name: Its name.
        pending: How many tasks wait; ``None`` where nobody tells.
        workers: Who took tasks from it, by identity.
    """

    kind: str
    name: str
    pending: int | None = None
    workers: dict[str, Worker] = field(factory=dict)

    def saw(self, worker: Worker) -> None:
        known = self.workers.get(worker.identity)
        if known is None or known.at < worker.at:
            self.workers[worker.identity] = worker

    def by_time(self) -> list[Worker]:
        """The workers, who took a task last first."""
        return sorted(self.workers.values(), key=lambda one: one.at, reverse=True)


def task_lists(gatherer: Gatherer) -> list[TaskList]:
    """The lists that executions of late use."""
    found: dict[tuple[str, str], TaskList] = {}
    for view in gatherer.neighbours():
        for kind, name, worker in _seen(view):
            known = found.setdefault((kind, name), TaskList(kind, name))
            if worker is not None:
                known.saw(worker)
    for one in found.values():
        one.pending = gatherer.count(one.kind, one.name)
    return sorted(found.values(), key=lambda one: (-(one.pending or 0), one.kind, one.name))


def _seen(view: ExecutionView) -> Iterator[tuple[str, str, Worker | None]]:
    ids = view.workflow_id or '', view.run_id or ''
    for task in view.decisions:
        if task.task_list:
            taken = task.started_at and Worker(
                task.worker or 'a decider', task.started_at, 'a decision', task.state, *ids
            )
            yield 'decision', task.task_list, taken or None
    for operation in view.operations:
        for attempt in operation.attempts if operation.kind == 'activity' else ():
            if attempt.task_list:
                taken = attempt.started_at and Worker(
                    attempt.worker or 'a worker', attempt.started_at, operation.label, attempt.state, *ids
                )
                yield 'activity', attempt.task_list, taken or None
