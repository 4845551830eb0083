"""One response of a decider, while its decisions are applied."""

from __future__ import annotations

from typing import Any

from attrs import define

from genflow.local.rules.recording import record
from genflow.local.state.domains import Domain, TypeRecord
from genflow.local.state.execution import Execution
from genflow.local.state.state import State

__all__ = ['DecisionContext']

TYPE_CAUSES = {
    'ACTIVITY': ('ACTIVITY_TYPE_DOES_NOT_EXIST', 'ACTIVITY_TYPE_DEPRECATED'),
    'WORKFLOW': ('WORKFLOW_TYPE_DOES_NOT_EXIST', 'WORKFLOW_TYPE_DEPRECATED'),
}
"""Kind of type -> the causes where it is not registered, and where it is deprecated."""


@define(eq=False, kw_only=True)
class DecisionContext:
    """The response of a decider, as every decision rule gets it.

    Attributes:
        at: The moment of the response, in milliseconds since 1970.
        completed: The id of its DecisionTaskCompleted.
        unhandled: Whether the history has events that this decider has not seen, so that it cannot close the execution.
        failed: Whether a decision failed, so that another decision task is needed.
    """

    state: State
    execution: Execution
    at: int
    completed: int
    unhandled: bool
    failed: bool = False

    @property
    def domain(self) -> Domain:
        return self.state.domains[self.execution.domain]

    def record(self, event_type: str, attributes: dict[str, Any]) -> int:
        """Appends an event that the decision caused, and returns its id."""
        attributes['decisionTaskCompletedEventId'] = self.completed
        return record(self.state, self.execution, self.at, event_type, attributes)

    def fail(self, event_type: str, cause: str, attributes: dict[str, Any]) -> None:
        """Appends the event of a decision that fails; another decision task follows."""
        self.record(event_type, {**attributes, 'cause': cause})
        self.failed = True

    def type_cause(self, kind: str, record: TypeRecord | None) -> str | None:
        """The cause if a type is unknown or deprecated, else ``None``; ``kind`` is ``'ACTIVITY'`` or ``'WORKFLOW'``."""
        missing, deprecated = TYPE_CAUSES[kind]
        if record is None:
            return missing
        return deprecated if record.deprecated is not None else None
