"""Looks up the first run of an execution's chain of restarts, and its top-most ancestor.

Event 1 names only the previous run and the parent, so their first events are read in turn. This happens once in an
execution, when its code reads the property; the answer is recorded in its history.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from genflow.core.model.info import FIRST_RUN, ROOT, ExecutionIds
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient

__all__ = ['MAX_STEPS', 'OriginFinder']

MAX_STEPS = 100
"""The most executions that are read for one answer, since a decision has to be answered in time."""

RETRY_FOR = 20.0
"""Seconds for which the calls are retried before the decision is left unanswered."""


@frozen
class OriginFinder:
    """Looks up ``info.first_run_id`` and ``info.root``."""

    service: RetryingClient
    domain: str

    def __call__(self, what: str, nearest: ExecutionIds) -> ExecutionIds:
        """Follows the previous runs, or the parents, as far as their histories exist.

        Args:
            what: ``first_run_id`` or ``root``.
            nearest: The previous run, or the parent.

        Returns:
            The last one that was named: at most :data:`MAX_STEPS` steps away.

        Raises:
            Exception: The client's error, if the service does not answer.
        """
        before = _BEFORE[what]
        give_up = self.service.clock() + RETRY_FOR
        found = nearest
        for _ in range(MAX_STEPS):
            started = self._started(found, give_up)
            further = None if started is None else before(found, started)
            if further is None:
                break
            found = further
        return found

    def _started(self, ids: ExecutionIds, give_up: float) -> Mapping[str, Any] | None:
        """The attributes of event 1; ``None`` if the history no longer exists."""
        try:
            page = self.service.call(
                'get_workflow_execution_history',
                patience=max(0.0, give_up - self.service.clock()),
                domain=self.domain,
                execution={'workflowId': ids.workflow_id, 'runId': ids.run_id},
                maximumPageSize=1,
            )
        except Exception as error:
            if faults.code_of(error) == 'UnknownResourceFault':
                return None
            raise
        started: Mapping[str, Any] = page['events'][0]['workflowExecutionStartedEventAttributes']
        return started


def _previous_run(ids: ExecutionIds, started: Mapping[str, Any]) -> ExecutionIds | None:
    run_id = started.get('continuedExecutionRunId')
    return None if run_id is None else ExecutionIds(ids.workflow_id, run_id)


def _parent(_: ExecutionIds, started: Mapping[str, Any]) -> ExecutionIds | None:
    parent = started.get('parentWorkflowExecution')
    return None if parent is None else ExecutionIds(parent['workflowId'], parent['runId'])


_BEFORE: dict[str, Callable[[ExecutionIds, Mapping[str, Any]], ExecutionIds | None]] = {
    FIRST_RUN: _previous_run,
    ROOT: _parent,
}
