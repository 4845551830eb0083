"""The facts about an execution that its code can read: ``self.info``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from attrs import field, frozen

from genflow.core.model.events import WorkflowStarted

__all__ = ['FIRST_RUN', 'RESTART_SUGGESTED', 'ROOT', 'UNKNOWN', 'ExecutionIds', 'Info', 'Origins']

RESTART_SUGGESTED = 10_000
"""Events from which a restart is advised: SWF ends an execution at 25,000 and asks to stay below 10,000."""

FIRST_RUN = 'first_run_id'
"""The question for the first run of the chain of restarts."""

ROOT = 'root'
"""The question for the ancestor that has no parent."""


class ExecutionIds(NamedTuple):
    """The ids of an execution."""

    workflow_id: str
    run_id: str


Origins = Callable[[str, ExecutionIds], ExecutionIds]
"""Answers :data:`FIRST_RUN` or :data:`ROOT`, going on from the previous run or the parent, which event 1 names."""


@frozen
class Info:
    """The facts about an execution; the same at every replay.

    Attributes:
        workflow_id: The workflow id; empty if no engine drives the workflow.
        run_id: The run id; empty likewise.
        history_length: Events up to the decision task that is being answered.
    """

    workflow_id: str = ''
    run_id: str = ''
    domain: str | None = None
    name: str | None = None
    version: str | None = None
    task_list: str | None = None
    tags: tuple[str, ...] = ()
    priority: int | None = None
    child_policy: str | None = None
    lambda_role: str | None = None
    workflow_duration: float | None = None
    decision_duration: float | None = None
    parent_workflow_id: str | None = None
    parent_run_id: str | None = None
    continued_run_id: str | None = None
    started_at: datetime | None = None
    history_length: int = 0
    _origins: Origins | None = field(default=None, eq=False, repr=False, alias='origins')

    def begun(self, event: WorkflowStarted) -> Info:
        """The same execution with what event 1 says of it; by place, since each replay begins with that."""
        return Info(
            self.workflow_id,
            self.run_id,
            self.domain,
            event.name,
            event.version,
            event.task_list,
            event.tags,
            event.priority,
            event.child_policy,
            event.lambda_role,
            event.workflow_duration,
            event.decision_duration,
            event.parent_workflow_id,
            event.parent_run_id,
            event.continued_run_id,
            event.time,
            self.history_length,
            self._origins,
        )

    def __str__(self) -> str:
        who = f'{self.name} {self.version}'
        return who if not self.workflow_id else f'{who} (workflow {self.workflow_id}, run {self.run_id})'

    @property
    def first_run_id(self) -> str:
        """The run with which the chain of restarts began: this one, if it continues none.

        Where event 1 names a previous run, a worker looks the first one up once and records it. What is gone after its
        retention cannot be looked into, so the answer is then the earliest run that is still named.
        """
        if self.continued_run_id is None:
            return self.run_id
        previous = ExecutionIds(self.workflow_id, self.continued_run_id)
        return (previous if self._origins is None else self._origins(FIRST_RUN, previous)).run_id

    @property
    def root(self) -> ExecutionIds:
        """Workflow id and run id of the top-most ancestor: of the execution itself, if it has no parent.

        Where event 1 names a parent, a worker looks the root up once and records it, as for ``first_run_id``.
        """
        if self.parent_workflow_id is None or self.parent_run_id is None:
            return ExecutionIds(self.workflow_id, self.run_id)
        parent = ExecutionIds(self.parent_workflow_id, self.parent_run_id)
        return parent if self._origins is None else self._origins(ROOT, parent)

    @property
    def restart_suggested(self) -> bool:
        """Whether the history has grown so long that the workflow should restart."""
        return self.history_length >= RESTART_SUGGESTED


UNKNOWN = Info()
"""Of an execution of which nothing is known."""
