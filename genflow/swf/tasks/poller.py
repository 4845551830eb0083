"""Polling: one call waits for a task, and returns it or nothing.

An empty poll has no ``taskToken``, or an empty one (SWF's documentation and its answers disagree), or is a client's
own read time-out. Every page of a history is read before a decision task is handed on; over the network, the next page
is fetched while the last one is parsed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

from attrs import define, evolve

from genflow.core.payloads.wire_text import shortened
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.pagination import pages
from genflow.swf.tasks.collection import COLLECTION, LONG
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask

__all__ = ['MAX_IDENTITY', 'Poller', 'activity_task_of', 'whole_history']

MAX_IDENTITY = 256
"""Characters of a poller's identity: SWF's ``Identity`` shape."""

Page = Mapping[str, Any]


@define
class Poller:
    """Polls one task list.

    Attributes:
        identity: Who polls, at most 256 characters; shown in ``DecisionTaskStarted`` and ``ActivityTaskStarted``.
        trims: Whether the client and the service support ``startAtPreviousStartedEvent``; true until a call shows
            otherwise.
    """

    service: RetryingClient
    domain: str
    task_list: str
    identity: str | None = None
    trims: bool = True

    def activity_task(self) -> ActivityTask | None:
        """Waits for an activity task, as long as SWF holds the poll.

        Raises:
            Exception: The client's error, if polling again is pointless, for example because the domain does not exist.
        """
        answer = self._poll('poll_for_activity_task', self.request())
        self._count('activity', answer)
        return activity_task_of(answer, self.task_list) if answer.get('taskToken') else None

    def decision_task(self, *, trimmed: bool = False) -> DecisionTask | None:
        """Waits for a decision task and reads all of its history.

        Args:
            trimmed: Ask for the events from the last completed decision on only (``startAtPreviousStartedEvent``).

        Returns:
            The task; ``None`` if there was none, or it timed out while its history was being read.

        Raises:
            Exception: As for :meth:`activity_task`.
        """
        request = self.request()
        first = self._first(request, trimmed=trimmed and self.trims)
        self._count('decision', first)
        return self.read(first, request) if first.get('taskToken') else None

    def read(self, first: Page, request: dict[str, Any]) -> DecisionTask | None:
        """The task of a first page, with the events of every page; ``None`` if it timed out meanwhile.

        Args:
            first: The response to the poll.
            request: The arguments of the poll.
        """
        is_long = first['startedEventId'] >= LONG and 'nextPageToken' in first
        with COLLECTION.held() if is_long else nullcontext():
            events = self._events(first, request)
        if events is None:
            return None
        execution, kind = first['workflowExecution'], first['workflowType']
        return DecisionTask(
            first['taskToken'],
            execution['workflowId'],
            execution['runId'],
            kind['name'],
            kind['version'],
            first['startedEventId'],
            first.get('previousStartedEventId', 0),
            events,
            self.task_list,
        )

    def request(self) -> dict[str, Any]:
        """The arguments of a poll."""
        request: dict[str, Any] = {'domain': self.domain, 'taskList': {'name': self.task_list}}
        if self.identity:
            request['identity'] = shortened(self.identity, MAX_IDENTITY)
        return request

    def _first(self, request: dict[str, Any], *, trimmed: bool) -> Page:
        """The first page; afterwards ``request`` has the arguments for the other pages."""
        if not trimmed:
            return self._poll('poll_for_decision_task', request)
        try:
            request['startAtPreviousStartedEvent'] = True
            return self._poll('poll_for_decision_task', request)
        except Exception as error:
            if not faults.is_unsupported(error):
                raise
            self.trims = False
            del request['startAtPreviousStartedEvent']
            return self._poll('poll_for_decision_task', request)

    def _count(self, kind: str, answer: Page) -> None:
        self.service.counts[f'poll {kind} {"task" if answer.get("taskToken") else "empty"}'] += 1

    def _poll(self, operation: str, request: dict[str, Any]) -> Page:
        try:
            return self.service.call(operation, patience=math.inf, **request)
        except Exception as error:
            if faults.is_timeout(error):
                return {}
            raise

    def _events(self, page: Page, request: dict[str, Any]) -> list[Page] | None:
        """The events of every page, or ``None`` where the task timed out meanwhile."""
        events: list[Page] = list(page.get('events', ()))
        if not page.get('nextPageToken'):
            return events
        operation = 'poll_for_decision_task'
        with self.service.reading_ahead(operation) as service:
            while page.get('nextPageToken'):
                try:
                    page = service.call(operation, nextPageToken=page['nextPageToken'], **request)
                except Exception as error:
                    if faults.is_late(error) or faults.is_timeout(error):
                        return None
                    raise
                events.extend(page.get('events', ()))
        return events


def activity_task_of(answer: Page, task_list: str) -> ActivityTask:
    """The task in the response to a poll.

    Args:
        answer: SWF's response, with a ``taskToken``.
        task_list: The list that was polled.
    """
    execution, kind = answer['workflowExecution'], answer['activityType']
    return ActivityTask(
        answer['taskToken'],
        answer['activityId'],
        execution['workflowId'],
        execution['runId'],
        kind['name'],
        kind['version'],
        answer['startedEventId'],
        answer.get('input'),
        task_list,
    )


def whole_history(service: RetryingClient, domain: str, task: DecisionTask) -> DecisionTask:
    """The task with its history from event 1 up to its ``DecisionTaskStarted``.

    Raises:
        Exception: The client's error; ``UnknownResourceFault`` if the execution is gone.
    """
    if task.events and task.events[0]['eventId'] == 1:
        return task
    execution = {'workflowId': task.workflow_id, 'runId': task.run_id}
    operation = 'get_workflow_execution_history'
    events: list[Page] = []
    with (
        COLLECTION.held() if task.started_id >= LONG else nullcontext(),
        service.reading_ahead(operation) as ahead,
    ):
        for page in pages(partial(ahead.call, operation), domain=domain, execution=execution):
            # What was recorded after the task was started is no part of it.
            events.extend(event for event in page['events'] if event['eventId'] <= task.started_id)
            if len(events) >= task.started_id:
                break
    return evolve(task, events=events)
