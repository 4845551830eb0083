"""The embedded service around one execution: workers, signals, time, as a schedule has them happen.

A schedule is bytes, read one by one wherever there is a choice; where it ends every choice is the first, which is the
one that leads on, so every execution ends. What happens is what happens on SWF: activities are polled, heartbeat, and
are answered in time or never; children decide, or are terminated; functions return or raise; people signal, and ask
to cancel; time passes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.local import Limits, LocalSWF, ManualClock
from tests.core.schedules import asked_for

from .scheduled_workers import DOMAIN, ScheduledWorkers

ACTIVITIES = ('Echo', 'Sturdy', 'Patient', 'Late')
ACTIVITY_DEFAULTS = {
    'taskList': {'name': 'activities'},
    'heartbeatTimeout': 'NONE',
    'scheduleToStartTimeout': '40',
    'scheduleToCloseTimeout': '90',
    'startToCloseTimeout': '30',
}
WORKFLOW_DEFAULTS = {
    'taskList': {'name': 'children'},
    'taskStartToCloseTimeout': '10',
    'executionStartToCloseTimeout': '60',
    'childPolicy': 'TERMINATE',
}
DEFAULT = {
    'taskList': 'defaultTaskList',
    'childPolicy': 'defaultChildPolicy',
    'heartbeatTimeout': 'defaultTaskHeartbeatTimeout',
    'scheduleToStartTimeout': 'defaultTaskScheduleToStartTimeout',
    'scheduleToCloseTimeout': 'defaultTaskScheduleToCloseTimeout',
    'startToCloseTimeout': 'defaultTaskStartToCloseTimeout',
    'taskStartToCloseTimeout': 'defaultTaskStartToCloseTimeout',
    'executionStartToCloseTimeout': 'defaultExecutionStartToCloseTimeout',
}
"""What the registration of a type calls what the events of its tasks and executions say."""

YEAR = '31536000'
MOMENT = timedelta(milliseconds=1)

SLOW = (
    'ScheduleActivityTask',
    'StartTimer',
    'StartChildWorkflowExecution',
    'ScheduleLambdaFunction',
    'SignalExternalWorkflowExecution',
    'RequestCancelExternalWorkflowExecution',
)
SERVICES = (
    Limits(),
    Limits(),
    Limits(open_activities=2, open_children=1, open_lambdas=1),
    Limits(rates=dict.fromkeys(SLOW, (2, 0.4))),
)
"""What a service may grant: everything, little at a time, or little in a second."""


class ScheduledService:
    """A service, and what a schedule makes happen there."""

    def __init__(self, numbers: bytes) -> None:
        self._numbers: Iterator[int] = iter(numbers)
        self.clock = ManualClock()
        self.swf = LocalSWF(clock=self.clock, limits=SERVICES[self.pick(len(SERVICES))])
        self.workers = ScheduledWorkers(self.swf, self.pick)
        self._cancels = self._updates = 0
        self._register()
        for workflow_id in ('other-1', 'other-2'):
            self.start(workflow_id, 'Child')

    def pick(self, count: int) -> int:
        """A choice of so many; the first one when the numbers have run out."""
        return next(self._numbers, 0) % count

    def _register(self) -> None:
        self.swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='9')
        said = {DEFAULT[name]: value for name, value in ACTIVITY_DEFAULTS.items()}
        for name in ACTIVITIES:
            self.swf.register_activity_type(domain=DOMAIN, name=name, version='1', **said)
        said = {DEFAULT[name]: value for name, value in WORKFLOW_DEFAULTS.items()}
        for name in ('Interpreter', 'Child'):
            self.swf.register_workflow_type(domain=DOMAIN, name=name, version='1', **said)
        if self.pick(8) != 7:
            self.workers.serve('shrink')

    def start(self, workflow_id: str, name: str, **said: Any) -> str:
        """Starts an execution of which nobody takes the decision tasks, unless a task list is given."""
        said = {'taskList': {'name': 'nobody'}, 'executionStartToCloseTimeout': YEAR, **said}
        kind = {'name': name, 'version': '1'}
        answer = self.swf.start_workflow_execution(domain=DOMAIN, workflowId=workflow_id, workflowType=kind, **said)
        return answer['runId']

    def describe(self, run_id: str) -> dict[str, Any]:
        return self.swf.describe_workflow_execution(domain=DOMAIN, execution={'workflowId': 'main', 'runId': run_id})

    def is_open(self, run_id: str) -> bool:
        return self.describe(run_id)['executionInfo']['executionStatus'] == 'OPEN'

    def history(self, run_id: str) -> list[Any]:
        pages = self.swf.get_paginator('get_workflow_execution_history')
        execution = {'workflowId': 'main', 'runId': run_id}
        return [event for page in pages.paginate(domain=DOMAIN, execution=execution) for event in page['events']]

    # what happens

    def one(self, run_id: str) -> None:
        """Something happens to the execution, or to what it has asked for."""
        if self.is_open(run_id):
            HAPPENINGS.get(self.pick(16), ScheduledService.lead_on)(self, run_id)

    def lead_on(self, run_id: str) -> None:
        """What the execution waits for."""
        self.workers.collect()
        if self.workers.work():
            return
        counts = self.describe(run_id)['openCounts']
        if any(counts[kind] for kind in counts if kind != 'openDecisionTasks'):
            self.strike(run_id)
        else:  # whoever still waits waits for a signal
            self._signal('go', 'on')
            self._signal('stop', 'on')

    def strike(self, run_id: str) -> None:
        """Time passes until something is due by itself."""
        moment = self.swf.next_deadline()
        if moment is not None:
            self.clock.advance_to(moment + MOMENT)

    def wait(self, run_id: str) -> None:
        self.clock.advance(self.pick(45))

    def greet(self, run_id: str) -> None:
        self._signal('go', 'early')

    def tell(self, run_id: str) -> None:
        """A signal with a type, which its value may not have."""
        self._signal(('number', 'strict')[self.pick(2)], (1, 2, 'no number', True)[self.pick(4)])

    def ask(self, run_id: str) -> None:
        self._updates += 1
        if self._updates <= 4:
            self._signal(UPDATE_SIGNAL, asked_for(self.pick(16), self.pick))

    def _signal(self, name: str, value: Any) -> None:
        said = {'signalName': name, 'input': json.dumps(value)}
        self.workers.attempt('signal_workflow_execution', domain=DOMAIN, workflowId='main', **said)

    def cancel(self, run_id: str) -> None:
        self._cancels += 1
        if self._cancels <= 2:
            said = {'workflowId': 'main', 'runId': run_id}
            self.workers.attempt('request_cancel_workflow_execution', domain=DOMAIN, **said)

    def terminate(self, run_id: str) -> None:
        """Ends a child; now and then the execution itself."""
        found = self.swf.list_open_workflow_executions(
            domain=DOMAIN, startTimeFilter={'oldestDate': 0}, typeFilter={'name': 'Child'}
        )
        children = [info['execution'] for info in found['executionInfos'] if 'parent' in info]
        if children or self.pick(4) == 3:
            doomed = children[self.pick(len(children))] if children else {'workflowId': 'main', 'runId': run_id}
            self.swf.terminate_workflow_execution(domain=DOMAIN, **doomed)

    # what others do to what is asked for

    def squat(self, workflow_id: str) -> None:
        """Somebody else starts an execution of that id."""
        with suppress(self.swf.exceptions.WorkflowExecutionAlreadyStartedFault):
            self.start(workflow_id, 'Child')

    @contextmanager
    def without(self, name: str | None) -> Iterator[None]:
        """An activity type is deprecated for a while."""
        kind = {'domain': DOMAIN, 'activityType': {'name': name, 'version': '1'}}
        if name is not None:
            self.swf.deprecate_activity_type(**kind)
        yield
        if name is not None:
            self.swf.undeprecate_activity_type(**kind)


HAPPENINGS: dict[int, Callable[[ScheduledService, str], None]] = {
    8: ScheduledService.ask,
    9: ScheduledService.tell,
    10: ScheduledService.terminate,
    11: ScheduledService.wait,
    12: ScheduledService.wait,
    13: ScheduledService.strike,
    14: ScheduledService.greet,
    15: ScheduledService.cancel,
}
"""What may happen, by the choice; the execution is led on by those that do not stand here."""
