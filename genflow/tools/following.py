"""Following an execution through the client's methods alone, in process or over a network.

SWF gives a history from its beginning or from its end, but not from the middle. So what is new is read from the end
backwards, until an event that is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

__all__ = ['Follower']

PAGE = 200  # events at a time: enough for what happens between two looks, and no more than a moment's work
EVERYTHING = 1000  # SWF's largest page


@frozen
class Follower:
    """Reads the history of one run.

    Attributes:
        client: Has the methods of boto3's SWF client.
        domain: The domain of the execution.
        workflow_id: Its workflow id.
        run_id: Its run.
    """

    client: Any
    domain: str
    workflow_id: str
    run_id: str

    def since(self, event_id: int) -> list[Mapping[str, Any]]:
        """The events after `event_id`, oldest first."""
        size = PAGE if event_id else EVERYTHING
        request: dict[str, Any] = {'domain': self.domain, 'execution': self.execution, 'maximumPageSize': size}
        found: list[Mapping[str, Any]] = []
        while True:
            page = self.client.get_workflow_execution_history(reverseOrder=True, **request)
            found += [event for event in page['events'] if event['eventId'] > event_id]
            token = page.get('nextPageToken')
            if not token or page['events'][-1]['eventId'] <= event_id + 1:
                return found[::-1]
            request['nextPageToken'] = token

    def first(self) -> Mapping[str, Any]:
        """The attributes of the run's ``WorkflowExecutionStarted``."""
        page = self.client.get_workflow_execution_history(
            domain=self.domain, execution=self.execution, maximumPageSize=1
        )
        attributes: Mapping[str, Any] = page['events'][0]['workflowExecutionStartedEventAttributes']
        return attributes

    @property
    def execution(self) -> dict[str, str]:
        """The execution as SWF's requests name it."""
        return {'workflowId': self.workflow_id, 'runId': self.run_id}
