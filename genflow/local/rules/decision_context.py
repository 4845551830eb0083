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
    """What every decision rule is given.

    Attributes:
        at: The moment of the response, milliseconds.
        completed: Its DecisionTaskCompleted.
        unhandled: Something happened that this decider has not seen; it cannot close the execution.
        failed: A decision failed, of which the decider must hear.
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
        """Append an event that the decision caused."""
        attributes['decisionTaskCompletedEventId'] = self.completed
        return record(self.state, self.execution, self.at, event_type, attributes)

    def fail(self, event_type: str, cause: str, attributes: dict[str, Any]) -> None:
        """Append the event of a decision that cannot be applied; a decider hears of it."""
        self.record(event_type, {**attributes, 'cause': cause})
        self.failed = True

    def type_cause(self, kind: str, record: TypeRecord | None) -> str | None:
        """Why nothing can be made of a type; ``kind`` is ``'ACTIVITY'`` or ``'WORKFLOW'``."""
        missing, deprecated = TYPE_CAUSES[kind]
        if record is None:
            return missing
        return deprecated if record.deprecated is not None else None
