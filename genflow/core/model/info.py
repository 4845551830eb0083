"""What an execution knows of itself: ``self.info``."""

from __future__ import annotations

from datetime import datetime

import attrs
from attrs import frozen

from genflow.core.model.events import WorkflowStarted

__all__ = ['RESTART_SUGGESTED', 'Info']

RESTART_SUGGESTED = 10_000
"""Events from which a restart is advised: SWF ends an execution at 25,000 and asks to stay below 10,000."""


@frozen
class Info:
    """What an execution knows of itself; the same at every replay.

    Attributes:
        workflow_id: Empty where nothing drives the workflow.
        run_id: Likewise.
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

    def begun(self, event: WorkflowStarted) -> Info:
        """What is known once the history has begun."""
        return attrs.evolve(
            self,
            name=event.name,
            version=event.version,
            task_list=event.task_list,
            tags=event.tags,
            priority=event.priority,
            child_policy=event.child_policy,
            lambda_role=event.lambda_role,
            workflow_duration=event.workflow_duration,
            decision_duration=event.decision_duration,
            parent_workflow_id=event.parent_workflow_id,
            parent_run_id=event.parent_run_id,
            continued_run_id=event.continued_run_id,
            started_at=event.time,
        )

    def __str__(self) -> str:
        who = f'{self.name} {self.version}'
        return who if not self.workflow_id else f'{who} (workflow {self.workflow_id}, run {self.run_id})'

    @property
    def restart_suggested(self) -> bool:
        """Whether the history has grown so long that the workflow should restart."""
        return self.history_length >= RESTART_SUGGESTED
