"""How an execution closed, and the value or exception that stands for it in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from genflow.core.errors import TaskFailed
from genflow.core.payloads.hooks import Serialization
from genflow.insight.view import CLOSES
from genflow.swf.wire import close_events
from genflow.tools.text.failure_text import failure_text

__all__ = ['Outcome']


@frozen
class Outcome:
    """How an execution closed.

    Attributes:
        workflow_id: Its workflow id.
        run_id: The run that closed, the last one where the workflow restarted.
        event: The event that closed it.
    """

    workflow_id: str
    run_id: str
    event: Mapping[str, Any]

    @property
    def state(self) -> str:
        """``completed``, ``failed``, ``timed out``, ``canceled`` or ``terminated``."""
        return CLOSES[self.event['eventType']]

    @property
    def completed(self) -> bool:
        return self.state == 'completed'

    @property
    def recorded_result(self) -> str | None:
        """The result as it was recorded, of an execution that completed."""
        found: str | None = self.event['workflowExecutionCompletedEventAttributes'].get('result')
        return found

    def result(self, hooks: Serialization) -> Any:
        """The result, decoded by the workflow's own transport.

        Raises:
            TaskFailed: The execution did not complete; a subclass says how it closed.
        """
        return close_events.result_of(self.event, hooks)

    def text(self, *, verbose: bool = False) -> str:
        """How an execution closed that did not complete, for people: why, and where in the code.

        Args:
            verbose: Give the tracebacks of every level, instead of the innermost alone.
        """
        head = f'workflow {self.workflow_id} {self.state}'
        try:
            close_events.result_of(self.event, Serialization())
        except TaskFailed as error:
            return f'{head}: {error}' if verbose else failure_text(head, error)
        return head
