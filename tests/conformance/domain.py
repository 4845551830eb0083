"""A domain with one workflow type and one activity type, and short names for what deciders and workers do in it.

Only client methods underneath.  What a test does not say is `DOMAIN`, the types `wf` and `act`, the lists `deciders`
and `workers`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from botocore.exceptions import ClientError

from .clients import CheckedClient
from .decisions import ACTIVITY, WORKFLOW, Decision

DOMAIN = 'dom'
ROLE = 'arn:aws:iam::123456789012:role/r'
TYPE_DEFAULTS = {
    'defaultTaskList': {'name': 'deciders'},
    'defaultExecutionStartToCloseTimeout': '3600',
    'defaultTaskStartToCloseTimeout': '60',
    'defaultChildPolicy': 'ABANDON',
}
ACTIVITY_DEFAULTS = {
    'defaultTaskList': {'name': 'workers'},
    'defaultTaskScheduleToStartTimeout': 'NONE',
    'defaultTaskStartToCloseTimeout': 'NONE',
    'defaultTaskScheduleToCloseTimeout': 'NONE',
    'defaultTaskHeartbeatTimeout': 'NONE',
}
# All that a start must say, or its type.
START_SETTINGS = {
    'taskList': {'name': 'other'},
    'executionStartToCloseTimeout': '100',
    'taskStartToCloseTimeout': '10',
    'childPolicy': 'TERMINATE',
}
# What happens outside the deciding transaction (a child's start, a signal to another execution ...) has come by then.
SOON = 0.5

Answer = dict[str, Any]


def attributes_of(event: Answer) -> Answer:
    """The attributes of an event; there is exactly one such member, named after the type."""
    kind = event['eventType']
    member = f'{kind[0].lower()}{kind[1:]}EventAttributes'
    assert set(event) == {'eventId', 'eventTimestamp', 'eventType', member}
    return event[member]


@attrs.frozen
class Domain:
    """A domain on one back end, and what its deciders, workers and users do there."""

    client: CheckedClient
    advance: Callable[[float], None]
    register_lambda: Callable[[str, Callable[..., Any]], None]
    reset: Callable[[], None] = lambda: None

    def settle(self) -> None:
        """Let what follows a decision asynchronously happen."""
        self.advance(SOON)

    def prepare(self) -> Domain:
        """Register the domain and the two types."""
        self.client.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='7')
        self.client.register_workflow_type(domain=DOMAIN, **WORKFLOW, **TYPE_DEFAULTS)
        self.client.register_activity_type(domain=DOMAIN, **ACTIVITY, **ACTIVITY_DEFAULTS)
        return self

    def start(self, workflow_id: str = 'w', **request: Any) -> Run:
        request = {'domain': DOMAIN, 'workflowType': WORKFLOW, **request}
        return self.run(workflow_id, self.client.start_workflow_execution(workflowId=workflow_id, **request)['runId'])

    def run(self, workflow_id: str, run_id: str) -> Run:
        return Run(client=self.client, workflow_id=workflow_id, run_id=run_id)

    def poll_decision(self, task_list: str = 'deciders', **request: Any) -> Answer:
        return self.client.poll_for_decision_task(domain=DOMAIN, taskList={'name': task_list}, **request)

    def poll_activity(self, task_list: str = 'workers', **request: Any) -> Answer:
        return self.client.poll_for_activity_task(domain=DOMAIN, taskList={'name': task_list}, **request)

    def respond(self, task: Answer, *decisions: Decision, **request: Any) -> None:
        request = {'taskToken': task['taskToken'], 'decisions': list(decisions), **request}
        self.client.respond_decision_task_completed(**request)

    def decide(self, *decisions: Decision, task_list: str = 'deciders', **request: Any) -> Answer:
        """Take the next decision task, which must be there, and answer it."""
        task = self.poll_decision(task_list)
        assert 'taskToken' in task, f'no decision task on {task_list}'
        self.respond(task, *decisions, **request)
        return task

    def take_activity(self, task_list: str = 'workers', **request: Any) -> Answer:
        """Take the next activity task, which must be there."""
        task = self.poll_activity(task_list, **request)
        assert 'taskToken' in task, f'no activity task on {task_list}'
        return task

    def answer_activity(self, verb: str, task: Answer, **members: str) -> Answer:
        """Answer an activity task; `verb` is completed, failed or canceled."""
        return getattr(self.client, f'respond_activity_task_{verb}')(taskToken=task['taskToken'], **members)

    def complete_activity(self, task: Answer, **members: str) -> Answer:
        return self.answer_activity('completed', task, **members)

    def heartbeat(self, task: Answer, **members: str) -> bool:
        """Whether the heartbeat's answer asks the worker to stop."""
        return self.client.record_activity_task_heartbeat(taskToken=task['taskToken'], **members)['cancelRequested']

    def signal(self, run: Run, name: str = 's', **request: Any) -> None:
        self.client.signal_workflow_execution(domain=DOMAIN, workflowId=run.workflow_id, signalName=name, **request)

    def request_cancel(self, run: Run, **request: Any) -> None:
        self.client.request_cancel_workflow_execution(domain=DOMAIN, workflowId=run.workflow_id, **request)

    def terminate(self, run: Run, **request: Any) -> None:
        self.client.terminate_workflow_execution(domain=DOMAIN, workflowId=run.workflow_id, **request)

    @contextlib.contextmanager
    def refused(self, code: str, message: str | None = None) -> Iterator[None]:
        """The call inside is refused with this code and, where given, exactly this message."""
        with pytest.raises(ClientError) as caught:
            yield
        error = caught.value.response['Error']
        assert (error['Code'], error.get('Message')) == (code, error.get('Message') if message is None else message)


@attrs.frozen
class Run:
    """One run of an execution, and what its history says."""

    client: CheckedClient = attrs.field(repr=False)
    workflow_id: str
    run_id: str

    @property
    def execution(self) -> Answer:
        return {'workflowId': self.workflow_id, 'runId': self.run_id}

    def page(self, **request: Any) -> Answer:
        """One page of the history."""
        return self.client.get_workflow_execution_history(domain=DOMAIN, execution=self.execution, **request)

    def history(self) -> list[Answer]:
        """All events; their ids are held to be 1 to n without a gap."""
        answer = self.page()
        events = answer['events']
        while 'nextPageToken' in answer:
            answer = self.page(nextPageToken=answer['nextPageToken'])
            events += answer['events']
        assert [event['eventId'] for event in events] == list(range(1, len(events) + 1))
        return events

    def types(self) -> list[str]:
        return [event['eventType'] for event in self.history()]

    def all(self, kind: str) -> list[Answer]:
        """The attributes of each event of this type, in order."""
        return [attributes_of(event) for event in self.history() if event['eventType'] == kind]

    def only(self, kind: str) -> Answer:
        """The attributes of the one event of this type."""
        (found,) = self.all(kind)
        return found

    def id_of(self, kind: str, nth: int = 0) -> int:
        """The id of the nth event of this type."""
        return [event['eventId'] for event in self.history() if event['eventType'] == kind][nth]

    def at(self, kind: str, nth: int = 0) -> float:
        """When the nth event of this type was recorded, in epoch seconds."""
        found = [event['eventTimestamp'] for event in self.history() if event['eventType'] == kind]
        return found[nth].timestamp()

    def describe(self) -> Answer:
        return self.client.describe_workflow_execution(domain=DOMAIN, execution=self.execution)

    def info(self) -> Answer:
        return self.describe()['executionInfo']

    def open_counts(self) -> Answer:
        return self.describe()['openCounts']
