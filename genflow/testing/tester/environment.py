"""The service that a test plays on: LocalSWF on a clock that moves only when it is told to, and what is asked of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from attrs import Factory, define, field

from genflow.core.authoring.proxies import ActivityProxy, WorkflowProxy
from genflow.core.errors import SuspendTask
from genflow.core.model.registry import Spec, WorkflowSpec
from genflow.core.payloads.hooks import decode
from genflow.insight import ExecutionView
from genflow.local import LocalSWF, ManualClock
from genflow.local.engine.lambdas import FunctionFailure
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.pagination import pages
from genflow.swf.aws.registration import register, register_domain
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask
from genflow.swf.tasks.poller import Poller
from genflow.testing.tester.doubles import TASK_LIST, Doubles
from genflow.testing.tester.stubs import Stand, TesterError, TimeOut
from genflow.testing.tester.timeouts import NOBODYS_LIST, Waiting

__all__ = ['DOMAIN', 'Environment']

DOMAIN = 'test'
ROLE = 'arn:aws:iam::123456789012:role/test'

Event = Mapping[str, Any]


class Silent(BaseException):
    """A Lambda function that never answers; never seen outside."""


@define(eq=False)
class Environment:
    """The service of one test.

    Attributes:
        swf: The service; its clock is a ``ManualClock``.
        doubles: The doubles by type.
        service: The same, as the worker side calls it.
        decision_lists: The task lists on which decision tasks may appear; kept in order as a dict's keys.
        activity_lists: Likewise for activity tasks.
        registered: The types that the service knows.
        calls: Lambda functions that were started and are to be called.
        crash: What the last of them raised that means the test itself.
    """

    swf: LocalSWF
    doubles: Doubles
    service: RetryingClient = field(init=False)
    decision_lists: dict[str, None] = Factory(dict)
    activity_lists: dict[str, None] = Factory(dict)
    registered: list[Spec] = Factory(list)
    calls: deque[Callable[[], None]] = Factory(deque)
    crash: BaseException | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.swf.clock, ManualClock):
            raise TesterError(
                f'the service runs on a {type(self.swf.clock).__name__}; a test moves the time itself: '
                'LocalSWF(clock=ManualClock())'
            )
        self.service = RetryingClient(connect(self.swf))
        register_domain(self.service, DOMAIN)
        self.register_types()
        for (kind, name, _), part in self.doubles.parts.items():
            if kind == 'lambda' and part.is_stubbed:
                self.swf.register_lambda(name, self._function(part.stand()), run=self.calls.append)

    def register_types(self) -> None:
        """Registers the types that are not yet, and remembers their task lists."""
        types = [spec for spec in self.doubles.types() if spec not in self.registered]
        register(self.service, DOMAIN, types)
        self.registered += types
        for spec in types:
            lists = self.decision_lists if hasattr(spec, 'decision_duration') else self.activity_lists
            lists[spec.task_list or TASK_LIST] = None

    # executions

    def start(self, workflow_id: str, input: str, spec: WorkflowSpec | None = None) -> str:
        """Starts an execution of the lead, or of another type; its run id."""
        lead = self.doubles.lead if spec is None else spec
        request: dict[str, Any] = {
            'workflowId': workflow_id,
            'workflowType': {'name': lead.name, 'version': lead.version},
            'input': input,
            'lambdaRole': lead.lambda_role or ROLE,
        }
        run_id: str = self.service.call('start_workflow_execution', domain=DOMAIN, **request)['runId']
        return run_id

    def call(self, operation: str, workflow_id: str, **request: Any) -> dict[str, Any]:
        """Calls an operation of the service for the open run of an execution."""
        return self.service.call(operation, domain=DOMAIN, workflowId=workflow_id, **request)

    def events(self, workflow_id: str, run_id: str) -> list[Event]:
        """The whole history of a run."""
        read = partial(self.service.call, 'get_workflow_execution_history')
        execution = {'workflowId': workflow_id, 'runId': run_id}
        return [event for page in pages(read, domain=DOMAIN, execution=execution) for event in page['events']]

    def last_event(self, workflow_id: str, run_id: str) -> Event:
        """The latest event of a run."""
        request: dict[str, Any] = {'execution': {'workflowId': workflow_id, 'runId': run_id}, 'reverseOrder': True}
        page = self.service.call('get_workflow_execution_history', domain=DOMAIN, maximumPageSize=1, **request)
        event: Event = page['events'][0]
        return event

    def beginning(self, workflow_id: str, run_id: str) -> tuple[Event, datetime]:
        """What event 1 of a run says, and when it was started."""
        request: dict[str, Any] = {'execution': {'workflowId': workflow_id, 'runId': run_id}}
        page = self.service.call('get_workflow_execution_history', domain=DOMAIN, maximumPageSize=1, **request)
        (event,) = page['events']
        return event['workflowExecutionStartedEventAttributes'], event['eventTimestamp']

    def status(self, workflow_id: str, run_id: str) -> Any:
        """The execution context of a run, as the value that it says."""
        request: dict[str, Any] = {'execution': {'workflowId': workflow_id, 'runId': run_id}}
        text = self.service.call('describe_workflow_execution', domain=DOMAIN, **request).get('latestExecutionContext')
        return None if not text else decode(text)

    # tasks

    def decision_task(self) -> DecisionTask | None:
        """The next decision task of any list, with the events since the last decision only."""
        for name in list(self.decision_lists):
            task = Poller(self.service, DOMAIN, name).decision_task(trimmed=True)
            if task is not None:
                return task
        return None

    def activity_task(self) -> ActivityTask | None:
        """The next activity task of any list."""
        for name in list(self.activity_lists):
            task = Poller(self.service, DOMAIN, name).activity_task()
            if task is not None:
                return task
        return None

    def waiting(self, workflow_id: str, run_id: str, activity_id: str) -> Waiting:
        """An activity that was scheduled and that nobody answers, the latest of that id."""
        view = ExecutionView().apply_all(self.events(workflow_id, run_id))
        for operation in reversed(view.operations):
            for attempt in reversed(operation.attempts):
                if operation.kind == 'activity' and attempt.key == activity_id:
                    label = f'{operation.name} {operation.version}'
                    return Waiting(label, attempt.attributes, attempt.scheduled_at, attempt.started_at)
        raise LookupError(f'no activity {activity_id!r} was scheduled')

    def give_stubs(self, run_id: str, decisions: list[dict[str, Any]]) -> list[tuple[str, TimeOut]]:
        """Gives each activity that is being scheduled its stub.

        Those that are not to be started in time go to a list that nobody polls; their ids and stubs are returned.

        Raises:
            TesterError: A script has ended.
        """
        left: list[tuple[str, TimeOut]] = []
        self._meet(decisions)
        for decision in decisions:
            if decision['decisionType'] == 'ScheduleActivityTask':
                attributes = decision['scheduleActivityTaskDecisionAttributes']
                stub = self._given(run_id, attributes)
                if isinstance(stub, TimeOut) and stub.type == 'SCHEDULE_TO_START':
                    attributes['taskList'] = {'name': NOBODYS_LIST}
                    left.append((attributes['activityId'], stub))
        return left

    def _meet(self, decisions: list[dict[str, Any]]) -> None:
        """Adds the types that no attribute of a class names: their proxies come from data."""
        known = len(self.doubles.parts)
        for decision in decisions:
            if decision['decisionType'] in _PROXIES:
                attributes, member, proxy = _PROXIES[decision['decisionType']]
                kind = decision[attributes][member]
                if (proxy.call.kind, kind['name'], kind['version']) not in self.doubles.parts:
                    self.doubles.add(proxy(**kind))
        if len(self.doubles.parts) > known:
            self.register_types()

    def _given(self, run_id: str, attributes: Mapping[str, Any]) -> Any:
        part = self.doubles.parts.get(
            ('activity', attributes['activityType']['name'], attributes['activityType']['version'])
        )
        return part.give(run_id, attributes['activityId']) if part is not None and part.is_stubbed else None

    def note_lists(self, decisions: list[dict[str, Any]]) -> None:
        """Remembers the task lists that decisions name."""
        for decision in decisions:
            lists = self.activity_lists if decision['decisionType'] == 'ScheduleActivityTask' else self.decision_lists
            for attributes in decision.values():
                if (
                    isinstance(attributes, Mapping)
                    and 'taskList' in attributes
                    and attributes['taskList']['name'] != NOBODYS_LIST
                ):
                    lists[attributes['taskList']['name']] = None

    def call_function(self) -> str | None:
        """Calls the next Lambda function that was started."""
        if not self.calls:
            return None
        try:
            self.calls.popleft()()
        except Silent:
            return 'a Lambda function does not answer'
        if self.crash is not None:
            raise self.crash
        return 'called a Lambda function'

    def _function(self, stand: Stand) -> Callable[[Any], Any]:
        """A stub as the service calls it: with the event that the workflow sent."""

        def function(event: Any) -> Any:
            try:
                return stand.run(event)
            except SuspendTask as silence:
                raise Silent from silence
            except Exception:
                if stand.failure is not None:
                    raise FunctionFailure(stand.failure.reason, stand.failure.details) from None
                raise
            finally:
                self.crash = stand.crash

        return function

    # time

    @property
    def now(self) -> datetime:
        return self.swf.clock.now()

    def skip_to(self, moment: datetime) -> None:
        """Lets time pass until then; what becomes due on the way happens in order."""
        clock = self.swf.clock
        if isinstance(clock, ManualClock):
            clock.advance_to(moment)


_PROXIES: dict[str, tuple[str, str, type[ActivityProxy | WorkflowProxy]]] = {
    'ScheduleActivityTask': ('scheduleActivityTaskDecisionAttributes', 'activityType', ActivityProxy),
    'StartChildWorkflowExecution': ('startChildWorkflowExecutionDecisionAttributes', 'workflowType', WorkflowProxy),
}
"""Where a decision names a type: the member with its attributes, the one with the type, and the proxy that it is of."""
