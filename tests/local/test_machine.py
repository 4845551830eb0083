"""Random sequences of all operations, held to a reference model after every step.

20 runs of 50 steps by default, 200 of 100 with `GENFLOW_EXAMPLES=ci`.
"""

from __future__ import annotations

import contextlib
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from genflow.local import Limits, LocalSWF, ManualClock
from genflow.local.requests.model import operations
from tests.conformance.shapes import MODEL, answer_problems
from tests.local.domain import ACTIVITY, ACTIVITY_DEFAULTS, WORKFLOW, WORKFLOW_DEFAULTS, decision
from tests.local.reference import Reference
from tests.profile import examples

RUNS, STEPS = examples(20, 200, few=3), examples(50, 100, few=20)

IDS = st.sampled_from(['w1', 'w2', 'w3'])
NAMES = st.sampled_from(['a', 'b', 'c'])
LISTS = {'decision': ['deciders', 'sticky'], 'activity': ['workers', 'others']}
SECONDS = st.sampled_from(['1', '60', 'NONE'])
POLICIES = st.sampled_from(['TERMINATE', 'REQUEST_CANCEL', 'ABANDON'])
PRIORITY = st.sampled_from(['-1', '0', '5'])
RUN_IDS = st.sampled_from([None, 'no-such-run'])


def some(**members):
    """Attributes of which any may be missing."""
    return st.fixed_dictionaries({}, optional=members)


def activity(name, **attributes):
    return decision('ScheduleActivityTask', activityId=name, activityType=ACTIVITY, **attributes)


def timer(name, seconds):
    return decision('StartTimer', timerId=name, startToFireTimeout=seconds)


def child(name, policy, **attributes):
    return decision(
        'StartChildWorkflowExecution', workflowId=name, workflowType=WORKFLOW, childPolicy=policy, **attributes
    )


UNKNOWN = {'name': 'act', 'version': 'none'}
WORK = [
    activity('a'),
    activity('b'),
    activity('c', taskPriority='5'),
    activity('b', taskList={'name': 'others'}),
    activity('a', scheduleToStartTimeout='1'),
    activity('b', startToCloseTimeout='1', scheduleToCloseTimeout='5'),
    activity('c', heartbeatTimeout='1'),
    activity('a', scheduleToCloseTimeout='0'),
    decision('ScheduleActivityTask', activityId='a', activityType=UNKNOWN),
    timer('a', '0'),
    timer('a', '1'),
    timer('b', '5'),
    timer('c', '60'),
]
OTHERS = [
    *(decision('RequestCancelActivityTask', activityId=name) for name in 'ab'),
    *(decision('CancelTimer', timerId=name) for name in 'ab'),
    decision('RecordMarker', markerName='m', details='d'),
    *(decision('SignalExternalWorkflowExecution', workflowId=name, signalName='s') for name in ('w1', 'w2', 'w3')),
    *(decision('RequestCancelExternalWorkflowExecution', workflowId=name) for name in ('w1', 'w2')),
    child('w2', 'TERMINATE'),
    child('w3', 'REQUEST_CANCEL', executionStartToCloseTimeout='60'),
    child('w4', 'ABANDON'),
    child('w5', 'TERMINATE', taskPriority='5'),
    decision('StartChildWorkflowExecution', workflowId='w3', workflowType={'name': 'wf', 'version': 'none'}),
    decision('ScheduleLambdaFunction', id='l', name='f'),
]
CLOSES = [
    decision('CompleteWorkflowExecution', result='r'),
    decision('FailWorkflowExecution', reason='r', details='d'),
    decision('CancelWorkflowExecution', details='d'),
    decision('ContinueAsNewWorkflowExecution'),
    decision('ContinueAsNewWorkflowExecution', workflowTypeVersion='none'),
]
GOING_ON = st.lists(st.sampled_from([*WORK, *WORK, *OTHERS]), max_size=4)
CLOSING = st.builds(
    lambda batch, close: [*batch, close], st.lists(st.sampled_from(OTHERS), max_size=1), st.sampled_from(CLOSES)
)
BATCHES = st.one_of(GOING_ON, GOING_ON, GOING_ON, GOING_ON, CLOSING)
OVERRIDES = some(
    taskList=st.sampled_from([{'name': name} for name in LISTS['decision']]),
    taskListScheduleToStartTimeout=SECONDS,
    executionContext=NAMES,
)
TIME = {'startTimeFilter': {'oldestDate': 0}}


class Machine(RuleBasedStateMachine):
    """A service on a file, and everything that its users know of it."""

    def __init__(self):
        super().__init__()
        self.exits = contextlib.ExitStack()
        folder = self.exits.enter_context(tempfile.TemporaryDirectory())
        self.path = str(Path(folder) / 'swf.db')
        self.clock = ManualClock()
        self.open()
        self.call('register_domain', name='dom', workflowExecutionRetentionPeriodInDays='90')
        self.call('register_workflow_type', domain='dom', **WORKFLOW, **WORKFLOW_DEFAULTS)
        self.call('register_activity_type', domain='dom', **ACTIVITY, **ACTIVITY_DEFAULTS)
        self.runs = {}  # run id -> workflow id
        self.tasks = {'activity': [], 'decision': []}  # that were handed out: (token, run id, scheduled, started)
        for number in (1, 2):
            self.start_one(f'w{number}')

    def open(self, **options):
        self.swf = LocalSWF(self.path, self.clock, synchronous='OFF', limits=Limits(history_events=400), **options)

    def teardown(self):
        self.swf.close()
        self.exits.close()

    def call(self, method, **request):
        """Call the service; its answer fits the model."""
        answer = getattr(self.swf, method)(**request)
        answer.pop('ResponseMetadata')
        assert answer_problems(MODEL.operation_model(operations()[method]), answer) == []
        return answer

    def refused(self, method, *codes, **request):
        """Call the service, which must refuse with one of the codes."""
        with pytest.raises(ClientError) as caught:
            self.call(method, **request)
        assert caught.value.response['Error']['Code'] in codes

    # What the histories say.

    def history(self, run_id):
        request = {'domain': 'dom', 'execution': {'workflowId': self.runs[run_id], 'runId': run_id}}
        answer = self.call('get_workflow_execution_history', **request)
        events = answer['events']
        while 'nextPageToken' in answer:  # a page holds a hundred
            answer = self.call('get_workflow_execution_history', nextPageToken=answer['nextPageToken'], **request)
            events += answer['events']
        return events

    def reference(self, run_id):
        return Reference.of(self.history(run_id))

    def references(self):
        return {run_id: self.reference(run_id) for run_id in self.runs}

    def running(self, workflow_id):
        """The reference of the open run of that workflow id."""
        found = [run for run, name in self.runs.items() if name == workflow_id and self.reference(run).closed is None]
        assert len(found) <= 1
        return self.reference(found[0]) if found else None

    def discover(self):
        """Learn of runs that the service started itself: children and successors."""
        for method in ('list_open_workflow_executions', 'list_closed_workflow_executions'):
            for info in self.call(method, domain='dom', **TIME)['executionInfos']:
                self.runs[info['execution']['runId']] = info['execution']['workflowId']

    # Operations.

    @rule(workflow_id=IDS, more=some(childPolicy=POLICIES, taskPriority=PRIORITY, tagList=st.just(['a', 'b'])))
    def start(self, workflow_id, more):
        if self.running(workflow_id):
            with pytest.raises(ClientError, match='WorkflowExecutionAlreadyStartedFault'):
                self.start_one(workflow_id, **more)
        else:
            self.start_one(workflow_id, **more)

    def start_one(self, workflow_id, **more):
        answer = self.call(
            'start_workflow_execution', domain='dom', workflowId=workflow_id, workflowType=WORKFLOW, **more
        )
        self.runs[answer['runId']] = workflow_id

    def expect_task(self, kind, task_list, task):
        """A poll gives a task exactly if one waits, one of the highest priority, the oldest of these."""
        waiting = [
            (-priority, date, run_id)
            for run_id, reference in self.before.items()
            for name, priority, date in reference.waiting(kind)
            if name == task_list
        ]
        if 'taskToken' not in task:
            assert waiting == []
        else:
            best = min(waiting)[:2]
            assert task['workflowExecution']['runId'] in {run_id for *key, run_id in waiting if tuple(key) == best}

    def lists(self, kind):
        """Task lists on which something waits; a strategy never empty."""
        waiting = {name for reference in self.references().values() for name, *_ in reference.waiting(kind)}
        return st.sampled_from(sorted(waiting) or LISTS[kind])

    @rule(data=st.data(), trim=st.booleans(), size=st.sampled_from([0, 1, 3]))
    def poll_decision(self, data, trim, size):
        self.hand_out_decision(data.draw(self.lists('decision')), trim, size)

    def decide(self, data, batch, override, signals):
        """A poll, signals that come while the decider thinks, and its answer."""
        known = len(self.tasks['decision'])
        self.hand_out_decision(data.draw(self.lists('decision')), trim=True, size=0)
        if len(self.tasks['decision']) > known:
            task = self.tasks['decision'][-1]
            for _ in range(signals):
                self.call('signal_workflow_execution', domain='dom', workflowId=self.runs[task[1]], signalName='s')
            self.answer_decision(task, batch, override)

    # Rules are chosen evenly, and mostly it is deciders who make executions grow.
    decide_1 = rule(data=st.data(), batch=BATCHES, override=OVERRIDES, signals=st.integers(0, 2))(decide)
    decide_2 = rule(data=st.data(), batch=GOING_ON, override=st.just({}), signals=st.just(0))(decide)
    decide_3 = rule(data=st.data(), batch=GOING_ON, override=st.just({}), signals=st.just(0))(decide)
    decide_4 = rule(data=st.data(), batch=GOING_ON, override=st.just({}), signals=st.just(0))(decide)

    def hand_out_decision(self, task_list, trim, size):
        self.before = self.references()
        request = {'domain': 'dom', 'taskList': {'name': task_list}, 'startAtPreviousStartedEvent': trim}
        task = self.call('poll_for_decision_task', **request, maximumPageSize=size)
        self.expect_task('decision', task_list, task)
        if 'taskToken' not in task:
            return
        run_id = task['workflowExecution']['runId']
        reference = self.before[run_id]
        assert task['previousStartedEventId'] == reference.previous
        events, page = task['events'], task
        while 'nextPageToken' in page:
            page = self.call(
                'poll_for_decision_task', **request, maximumPageSize=size, nextPageToken=page['nextPageToken']
            )
            events += page['events']
            assert page['taskToken'] == task['taskToken']
        first = max(1, reference.previous) if trim else 1
        assert events == self.history(run_id)[first - 1 : task['startedEventId']]
        scheduled = reference.decision['eventId']
        self.tasks['decision'].append((task['taskToken'], run_id, scheduled, task['startedEventId']))

    def poll_activity(self, data):
        task_list = data.draw(self.lists('activity'))
        self.before = self.references()
        task = self.call('poll_for_activity_task', domain='dom', taskList={'name': task_list})
        self.expect_task('activity', task_list, task)
        if 'taskToken' in task:
            run_id = task['workflowExecution']['runId']
            after = self.reference(run_id)
            if after.closed is None:
                (scheduled,) = (
                    event_id
                    for event_id, activity in after.activities.items()
                    if activity['started'] == task['startedEventId']
                )
                self.tasks['activity'].append((task['taskToken'], run_id, scheduled, task['startedEventId']))

    @rule(data=st.data(), how=st.sampled_from(['completed', 'failed', 'canceled']))
    def work(self, data, how):
        """A poll and its answer."""
        known = len(self.tasks['activity'])
        self.poll_activity(data)
        if len(self.tasks['activity']) > known:
            self.answer_activity(self.tasks['activity'][-1], how)

    @precondition(lambda self: self.tasks['decision'])
    @rule(data=st.data(), batch=BATCHES, override=OVERRIDES)
    def respond_decision(self, data, batch, override):
        self.answer_decision(data.draw(st.sampled_from(self.tasks['decision'])), batch, override)

    def answer_decision(self, task, batch, override):
        token, run_id, _, started = task
        reference = self.reference(run_id)
        request = {'taskToken': token, 'decisions': batch, **override}
        if reference.closed or reference.started != started:
            self.refused('respond_decision_task_completed', 'UnknownResourceFault', **request)
            return
        self.call('respond_decision_task_completed', **request)
        self.discover()
        after = self.reference(run_id)
        if after.closed in {'COMPLETED', 'FAILED', 'CANCELED', 'CONTINUED_AS_NEW'}:
            assert reference.queued is None, 'closed with an unhandled decision'

    @precondition(lambda self: self.tasks['activity'])
    @rule(data=st.data(), how=st.sampled_from(['completed', 'failed', 'canceled']))
    def respond_activity(self, data, how):
        self.answer_activity(data.draw(st.sampled_from(self.tasks['activity'])), how)

    def answer_activity(self, task, how):
        token, run_id, scheduled, _ = task
        reference = self.reference(run_id)
        if reference.closed or scheduled not in reference.activities:
            self.refused(f'respond_activity_task_{how}', 'UnknownResourceFault', taskToken=token)
        else:
            self.call(f'respond_activity_task_{how}', taskToken=token)
            after = self.reference(run_id)
            assert scheduled not in after.activities or after.closed

    @rule(data=st.data())
    def beat(self, data):
        """A poll, or a task that was handed out before; and a heartbeat."""
        if not self.tasks['activity'] or data.draw(st.booleans()):
            self.poll_activity(data)
        if self.tasks['activity']:
            self.heartbeat(data.draw(st.sampled_from(self.tasks['activity'])))

    def heartbeat(self, task):
        token, run_id, scheduled, _ = task
        reference = self.reference(run_id)
        if reference.closed or scheduled not in reference.activities:
            self.refused('record_activity_task_heartbeat', 'UnknownResourceFault', taskToken=token)
        else:
            answer = self.call('record_activity_task_heartbeat', taskToken=token, details='x')
            assert answer['cancelRequested'] == bool(reference.activities[scheduled]['cancel'])

    @rule(
        workflow_id=IDS,
        run_id=RUN_IDS,
        what=st.sampled_from(
            [
                ('signal', {'signalName': 's'}),
                ('signal', {'signalName': 't'}),
                ('request_cancel', {}),
                ('terminate', {}),
            ]
        ),
    )
    def tell(self, workflow_id, run_id, what):
        verb, more = what
        request = {'domain': 'dom', 'workflowId': workflow_id, **more, **({'runId': run_id} if run_id else {})}
        if run_id or self.running(workflow_id) is None:
            self.refused(f'{verb}_workflow_execution', 'UnknownResourceFault', **request)
        else:
            self.call(f'{verb}_workflow_execution', **request)

    @rule(seconds=st.sampled_from([0.001, 0.5, 1, 5, 61]))
    def advance(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def fire_timeout(self):
        """To the next deadline, if it is near; an execution lives for a day."""
        moment = self.swf.next_deadline()
        if moment and moment - self.clock.now() < timedelta(hours=1):
            self.clock.advance_to(moment)

    @rule(how=st.sampled_from(['reopen', 'reopen', 'abandon', 'types']))
    def maintain(self, how):
        if how == 'types':
            for kind, named in (('workflow', {'workflowType': WORKFLOW}), ('activity', {'activityType': ACTIVITY})):
                self.deprecate_and_back(kind, named)
        else:
            self.swf.close()
            self.open(abandon_started=how == 'abandon')

    def deprecate_and_back(self, kind, named):
        self.call(f'deprecate_{kind}_type', domain='dom', **named)
        if kind == 'workflow' and self.running('w1') is None:
            self.refused('start_workflow_execution', 'TypeDeprecatedFault', domain='dom', workflowId='w1', **named)
        self.call(f'undeprecate_{kind}_type', domain='dom', **named)

    # What holds after each of them.

    @invariant()
    def descriptions_agree_with_the_histories(self):
        self.discover()
        for run_id, reference in self.references().items():
            execution = {'workflowId': self.runs[run_id], 'runId': run_id}
            found = self.call('describe_workflow_execution', domain='dom', execution=execution)
            assert found['executionInfo'].get('closeStatus') == reference.closed
            if reference.closed is None:
                assert found['openCounts'] == {**reference.open_counts, 'openLambdaFunctions': 0}

    @invariant()
    def counts_agree_with_the_histories(self):
        references = self.references().values()
        closed = sum(reference.closed is not None for reference in references)
        assert self.call('count_open_workflow_executions', domain='dom', **TIME)['count'] == len(references) - closed
        assert self.call('count_closed_workflow_executions', domain='dom', **TIME)['count'] == closed
        for kind, lists in LISTS.items():
            for name in lists:
                waiting = [task for reference in references for task in reference.waiting(kind) if task[0] == name]
                method = f'count_pending_{kind}_tasks'
                assert self.call(method, domain='dom', taskList={'name': name})['count'] == len(waiting)


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=RUNS,
    stateful_step_count=STEPS,
    suppress_health_check=list(HealthCheck),
)
