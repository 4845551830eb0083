"""Follows an execution with the client's methods alone, in process or over a network.

SWF returns a history from its beginning or from its end, but not from the middle. So new events are read from the end
backwards, up to a known event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime, timezone
from typing import Any

from attrs import frozen

from genflow import insight
from genflow.swf.aws.fast_clients import reading_ahead
from genflow.swf.aws.pagination import pages
from genflow.swf.wire.events import dated

__all__ = ['EPOCH', 'HistoryTail', 'listed', 'open_runs']

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

PAGE = 200  # events at a time: enough for what happens between two looks, and no more than a moment's work
EVERYTHING = 1000  # SWF's largest page


@frozen
class HistoryTail:
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
        request = {'domain': self.domain, 'execution': self.execution, 'maximumPageSize': size}
        found: list[Mapping[str, Any]] = []
        method = 'get_workflow_execution_history'
        with nullcontext(getattr(self.client, method)) if event_id else reading_ahead(self.client, method) as read:
            for page in pages(read, reverseOrder=True, **request):
                found += [event for event in dated(page['events']) if event['eventId'] > event_id]
                if page['events'][-1]['eventId'] <= event_id + 1:
                    break
        return found[::-1]

    def view(self) -> insight.ExecutionView:
        """A model of the run, without any event yet."""
        return insight.ExecutionView(self.workflow_id, self.run_id)

    def first(self) -> Mapping[str, Any]:
        """The attributes of the run's ``WorkflowExecutionStarted``."""
        page = self.client.get_workflow_execution_history(
            domain=self.domain, execution=self.execution, maximumPageSize=1
        )
        attributes: Mapping[str, Any] = page['events'][0]['workflowExecutionStartedEventAttributes']
        return attributes

    def close(self) -> Mapping[str, Any] | None:
        """The event that closed the run; ``None`` while it is open."""
        page = self.client.get_workflow_execution_history(
            domain=self.domain, execution=self.execution, maximumPageSize=1, reverseOrder=True
        )
        last: Mapping[str, Any] = page['events'][0]
        return last if last['eventType'] in insight.CLOSES else None

    @property
    def execution(self) -> dict[str, str]:
        """The execution as SWF's requests name it."""
        return {'workflowId': self.workflow_id, 'runId': self.run_id}


def listed(client: Any, domain: str, kind: str, **request: Any) -> Iterator[Mapping[str, Any]]:
    """Lists the executions of a domain, the newest first; ``kind`` is ``open`` or ``closed``."""
    method = getattr(client, f'list_{kind}_workflow_executions')
    for page in pages(method, domain=domain, **{'startTimeFilter': {'oldestDate': EPOCH}, **request}):
        yield from page['executionInfos']


def open_runs(client: Any, domain: str) -> Iterator[HistoryTail]:
    """The open executions of a domain."""
    for info in listed(client, domain, 'open'):
        execution = info['execution']
        yield HistoryTail(client, domain, execution['workflowId'], execution['runId'])
