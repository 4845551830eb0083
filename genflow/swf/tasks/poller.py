"""Polling: one call waits for a task, and returns it or nothing.

An empty poll has no ``taskToken``, or an empty one (SWF's documentation and its answers disagree), or is a client's
own read time-out. A decision task is handed on with the first page of its history. Those after it are read when their
events are wanted; over the network, the next ones are fetched meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from attrs import Factory, define, evolve

from genflow.core.payloads.wire_text import shortened
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.pagination import pages
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask
from genflow.swf.tasks.task_events import Later, TaskEvents

__all__ = ['MAX_IDENTITY', 'Poller', 'activity_task_of', 'whole_history']

POLL = 'poll_for_decision_task'

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
        reading: Reads the pages after the first, which belong to a task that is being handled. Default: as ``service``.
    """

    service: RetryingClient
    domain: str
    task_list: str
    identity: str | None = None
    trims: bool = True
    reading: RetryingClient = Factory(lambda self: self.service, takes_self=True)

    def activity_task(self) -> ActivityTask | None:
        """Waits for an activity task, as long as SWF holds the poll.

        Raises:
            Exception: The client's error, if polling again is pointless, for example because the domain does not exist.
        """
        answer = _polled(self.service, 'poll_for_activity_task', self.request())
        self._count('activity', answer)
        return activity_task_of(answer, self.task_list) if answer.get('taskToken') else None

    def decision_task(self, *, trimmed: bool = False) -> DecisionTask | None:
        """Waits for a decision task.

        Args:
            trimmed: Ask for the events from the last completed decision on only (``startAtPreviousStartedEvent``).

        Returns:
            The task, whose later pages are on their way; ``None`` if there was none.

        Raises:
            Exception: As for :meth:`activity_task`.
        """
        request = self.request()
        with ExitStack() as fetching:
            polling = fetching.enter_context(self.service.reading_ahead(POLL))
            first = self._first(polling, request, trimmed=trimmed and self.trims)
            self._count('decision', first)
            if not first.get('taskToken'):
                return None
            return self._task(first, _later_pages(self.reading.reading_on(polling), first, request, fetching))

    def read(self, first: Page, request: dict[str, Any]) -> DecisionTask:
        """The task of a first page; no later page is on its way.

        Args:
            first: The response to the poll.
            request: The arguments of the poll.
        """
        with ExitStack() as nothing:
            return self._task(first, _later_pages(self.reading, first, request, nothing))

    def _task(self, first: Page, later: Later | None) -> DecisionTask:
        execution, kind = first['workflowExecution'], first['workflowType']
        return DecisionTask(
            first['taskToken'],
            execution['workflowId'],
            execution['runId'],
            kind['name'],
            kind['version'],
            first['startedEventId'],
            first.get('previousStartedEventId', 0),
            TaskEvents(first.get('events', ()), later),
            self.task_list,
        )

    def request(self) -> dict[str, Any]:
        """The arguments of a poll."""
        request: dict[str, Any] = {'domain': self.domain, 'taskList': {'name': self.task_list}}
        if self.identity:
            request['identity'] = shortened(self.identity, MAX_IDENTITY)
        return request

    def _first(self, service: RetryingClient, request: dict[str, Any], *, trimmed: bool) -> Page:
        """The first page; afterwards ``request`` has the arguments for the other pages."""
        if not trimmed:
            return _polled(service, POLL, request)
        try:
            request['startAtPreviousStartedEvent'] = True
            return _polled(service, POLL, request)
        except Exception as error:
            if not faults.is_unsupported(error):
                raise
            self.trims = False
            del request['startAtPreviousStartedEvent']
            return _polled(service, POLL, request)

    def _count(self, kind: str, answer: Page) -> None:
        self.service.counts[f'poll {kind} {"task" if answer.get("taskToken") else "empty"}'] += 1


def _polled(service: RetryingClient, operation: str, request: dict[str, Any]) -> Page:
    try:
        return service.call(operation, patience=math.inf, **request)
    except Exception as error:
        if faults.is_timeout(error):
            return {}
        raise


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
    """The task with its history from event 1 up to its ``DecisionTaskStarted``, each page of which is read when needed.

    Raises:
        Exception: The client's error, when the events are read; ``UnknownResourceFault`` if the execution is gone.
    """
    if task.events.first_id == 1:
        return task
    return evolve(task, events=TaskEvents((), _pages_up_to(task, service, domain)))


def _later_pages(service: RetryingClient, first: Page, request: dict[str, Any], fetching: ExitStack) -> Later | None:
    """The pages after the first, ``None`` if there are none.

    Args:
        service: The client to use.
        first: The response to the poll.
        request: The arguments of the poll.
        fetching: Closed once no more pages are wanted.
    """
    token = first.get('nextPageToken')
    if not token:
        return None

    def later(fetching: ExitStack) -> Later:
        with fetching:
            yield ()
            for page in pages(partial(service.call, POLL), **{**request, 'nextPageToken': token}):
                yield page.get('events', ())

    found = later(fetching.pop_all())
    next(found)  # from now on, it closes what fetches
    return found


def _pages_up_to(task: DecisionTask, service: RetryingClient, domain: str) -> Later:
    """All pages of a history; events that were recorded after the task was started are no part of it."""
    execution = {'workflowId': task.workflow_id, 'runId': task.run_id}
    operation = 'get_workflow_execution_history'
    with service.reading_ahead(operation) as ahead:
        for page in pages(partial(ahead.call, operation), domain=domain, execution=execution):
            events = [event for event in page['events'] if event['eventId'] <= task.started_id]
            yield events
            if len(events) < len(page['events']) or (events and events[-1]['eventId'] == task.started_id):
                return
