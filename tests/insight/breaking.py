"""Executions that are broken on purpose, on the embedded service: one way for each finding of ``genflow why``.

Nothing runs by itself: the clock stands until it is moved, and a test is the decider and the worker. ``WAYS`` is a
table from the code of a finding to a function that breaks one execution in that way.
"""

from __future__ import annotations

import contextlib
import json
import math
from datetime import datetime, timedelta, timezone

from genflow import (
    ActivityProxy,
    LambdaProxy,
    Retry,
    Signal,
    Task,
    TaskFailed,
    Workflow,
    WorkflowCanceled,
    WorkflowProxy,
)
from genflow.core.engine.execution import Execution
from genflow.core.model.registry import WorkflowSpec
from genflow.insight import ExecutionView, Facts, diagnose
from genflow.local import LocalSWF, ManualClock
from genflow.local.state.limits import Limits
from genflow.swf.wire.decisions import plan
from genflow.swf.wire.events import translate
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.executions.gathering import Gathered, Gatherer

DOMAIN = 'd'
DECIDERS, WORKERS = 'deciders', 'work'


class Base(Workflow):
    """Warms up, perhaps with a timer beside it, and then does what the test is about."""

    warm = ActivityProxy('Warm', '1')
    work = ActivityProxy('Work', '1', retry=0)

    def run(self, warmups=0, beside=False):
        for _ in range(warmups):
            yield self.warm()
        if beside:
            self.sleep(200_000)
        return (yield from self.story())

    def story(self):
        return (yield self.work())


class Plain(Base):
    pass


class Retrying(Base):
    work = ActivityProxy('Work', '1', retry=Retry(4, initial_interval=600, max_interval=600, jitter=0))


class Insistent(Base):
    work = ActivityProxy(
        'Work', '1', start_to_close=600, retry=Retry(4, initial_interval=600, max_interval=600, jitter=0)
    )


class AtOnce(Base):
    work = ActivityProxy('Work', '1', heartbeat=30, retry=3)


class Endless(Base):
    work = ActivityProxy(
        'Work', '1', retry=0, heartbeat=math.inf, start_to_close=math.inf, schedule_to_close=math.inf,
        schedule_to_start=math.inf,
    )  # fmt: skip


class Beating(Base):
    work = ActivityProxy('Work', '1', retry=0, heartbeat=30)


class SlowBeat(Base):
    work = ActivityProxy('Work', '1', retry=0, heartbeat=600, start_to_close=600)


class Typo(Base):
    work = ActivityProxy('Work', '1', retry=0, task_list='wrok')


class Parent(Base):
    child = WorkflowProxy('Plain', '1', retry=0, workflow_id='child')

    def story(self):
        return (yield self.child())


class Tolerant(Base):
    """Goes on after what SWF refuses."""

    approve = Signal()

    def story(self):
        with contextlib.suppress(TaskFailed):
            yield from self.asked()
        yield self.approve.get()


class UnknownActivity(Tolerant):
    unknown = ActivityProxy('Unknown', '1', retry=0)

    def asked(self):
        yield self.unknown()


class UnknownChild(Tolerant):
    unknown = WorkflowProxy('Unknown', '1', retry=0)

    def asked(self):
        yield self.unknown()


class Old(Tolerant):
    old = ActivityProxy('Deprecated', '1', retry=0)

    def asked(self):
        yield self.old()


class Listless(Tolerant):
    listless = ActivityProxy('Listless', '1', retry=0)

    def asked(self):
        yield self.listless()


class TakenId(Tolerant):
    child = WorkflowProxy('Plain', '1', retry=0, workflow_id='taken')

    def asked(self):
        yield self.child()


class Lambdas(Tolerant):
    resize = LambdaProxy('resize', retry=0)

    def asked(self):
        yield self.resize(1)


class Denied(Tolerant):
    def asked(self):
        yield self.work()


class Canceler(Tolerant):
    def asked(self):
        yield self.external('nobody').cancel()


class Sender(Tolerant):
    def asked(self):
        yield self.external('nobody').signal('hello', 1)


class LambdaFails(Base):
    resize = LambdaProxy('resize', retry=0)

    def story(self):
        return (yield self.resize(1))


class SignalFails(Base):
    def story(self):
        yield self.external('nobody').signal('hello', 1)


class UnknownFails(Base):
    unknown = ActivityProxy('Unknown', '1', retry=0)

    def story(self):
        yield self.unknown()


class Raises(Base):
    def story(self):
        yield self.work()
        raise ValueError('no such order')


class Stalls(Base):
    def story(self):
        yield self.work()
        yield Task(self.loop)


class Changed(Base):
    """The code of Plain after somebody changed it."""

    other = ActivityProxy('Other', '1', retry=0)

    def story(self):
        return (yield self.other())


class Approval(Base):
    approve = Signal()

    def story(self):
        return (yield self.approve.get())


class Inattentive(Base):
    approve = Signal()

    def story(self):
        yield self.work()


class Sleeper(Base):
    def story(self):
        yield self.sleep(3600)


class Cleaning(Base):
    cleanup = ActivityProxy('Other', '1', retry=0)

    def story(self):
        try:
            yield self.work()
        except WorkflowCanceled:
            yield self.cleanup()
            raise


class Deaf(Base):
    """Does not let its activity be canceled before it has ended."""

    def story(self):
        task = self.work()
        try:
            yield task
        except WorkflowCanceled:
            task.cancel()
            yield self.sleep(100_000)


class Many(Base):
    def story(self):
        yield [self.work() for _ in range(950)]


class Restarts(Base):
    def story(self):
        yield self.work()
        return self.restart(0, False)


class Detaching(Base):
    child = WorkflowProxy('Plain', '1', retry=0, workflow_id='child')

    def story(self):
        yield self.work()
        self.child().detach()
        yield self.sleep(1)


class Both(Base):
    def story(self):
        yield [self.work(), self.work()]


class Swallows(Base):
    def story(self):
        with contextlib.suppress(TaskFailed):
            yield self.work()
        raise ValueError('its own')


class Wraps(Base):
    def story(self):
        try:
            yield self.work()
        except TaskFailed as error:
            raise RuntimeError('wrapped') from error


class Declined(Exception):
    pass


class Rebuilds(Base):
    work = ActivityProxy('Work', '1', retry=0, raises=(Declined,))


class Limited(Base):
    def story(self):
        yield self.work().timeout(50)


class Impatient(Base):
    work = ActivityProxy('Work', '1', retry=0, schedule_to_start=60)


class Stubborn(Base):
    work = ActivityProxy('Work', '1', retry=5, schedule_to_start=60)


class Grandparent(Base):
    child = WorkflowProxy('Parent', '1', retry=0, workflow_id='middle')

    def story(self):
        return (yield self.child())


WORKFLOWS = [
    value
    for value in list(vars().values())
    if isinstance(value, type) and issubclass(value, Base) and value is not Base
]
BY_NAME = {cls.__name__: cls for cls in WORKFLOWS}


OPEN = []
"""The services of the running test; a fixture closes them."""


class Environment:
    """A service with registered types, and the hands of its decider and worker."""

    def __init__(self, warmups=0, beside=False, **options):
        self.warmups, self.beside = warmups, beside
        self.clock = ManualClock()
        self.run_ids = {}
        self.swf = LocalSWF(clock=self.clock, long_poll=0, **options)
        OPEN.append(self.swf)
        self.swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='90')
        for cls in WORKFLOWS:
            self.register(cls.__name__)
        for name in ('Warm', 'Work', 'Other', 'Deprecated'):
            self.register_activity(name, defaultTaskList={'name': WORKERS})
        self.register_activity('Listless')
        self.swf.deprecate_activity_type(domain=DOMAIN, activityType={'name': 'Deprecated', 'version': '1'})

    def register(self, name):
        self.swf.register_workflow_type(
            domain=DOMAIN, name=name, version='1', defaultTaskList={'name': DECIDERS}, defaultChildPolicy='TERMINATE',
            defaultTaskStartToCloseTimeout='60', defaultExecutionStartToCloseTimeout='30000000',
        )  # fmt: skip

    def register_activity(self, name, **more):
        self.swf.register_activity_type(
            domain=DOMAIN, name=name, version='1', defaultTaskHeartbeatTimeout='NONE',
            defaultTaskStartToCloseTimeout='100000', defaultTaskScheduleToStartTimeout='NONE',
            defaultTaskScheduleToCloseTimeout='NONE', **more,
        )  # fmt: skip

    # starting and deciding

    def begin(self, cls, workflow_id='w', *, decided=True, beside=None, **request):
        """Starts an execution and brings it through its warm-up to the first decision of its story."""
        beside = self.beside if beside is None else beside
        self.start(cls, workflow_id, beside=beside, **request)
        if decided:
            self.decide(request.get('taskList', {'name': DECIDERS})['name'])
            for _ in range(self.warmups):
                self.complete(self.take())
                self.decide()

    def start(self, cls, workflow_id, *, beside=False, **request):
        text = json.dumps([[self.warmups, beside], {}])
        self.run_ids[workflow_id] = self.swf.start_workflow_execution(
            domain=DOMAIN, workflowId=workflow_id, workflowType={'name': cls.__name__, 'version': '1'}, input=text,
            **request,
        )['runId']  # fmt: skip

    def poll(self, task_list=DECIDERS, identity='decider-1'):
        task = self.swf.poll_for_decision_task(domain=DOMAIN, taskList={'name': task_list}, identity=identity)
        assert task.get('taskToken'), f'no decision task waits on {task_list}'
        return task

    def decide(self, task_list=DECIDERS):
        task = self.poll(task_list)
        self.answer(task)
        return task

    def answer(self, task):
        spec = WorkflowSpec(BY_NAME[task['workflowType']['name']], task['workflowType']['name'], '1')
        ids = {'workflow_id': task['workflowExecution']['workflowId'], 'run_id': task['workflowExecution']['runId']}
        events = self.events(*ids.values())
        started = task['startedEventId']
        execution = Execution(spec, **ids)
        try:
            answer = execution.advance(translate(events[:started]))
        finally:
            execution.close()
        self.swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=plan(answer))

    def events(self, workflow_id, run_id):
        return HistoryTail(self.swf, DOMAIN, workflow_id, run_id).since(0)

    # working

    def take(self, task_list=WORKERS, identity='worker-1'):
        task = self.swf.poll_for_activity_task(domain=DOMAIN, taskList={'name': task_list}, identity=identity)
        assert task.get('taskToken'), f'no activity task waits on {task_list}'
        return task['taskToken']

    def complete(self, token, result='null'):
        self.swf.respond_activity_task_completed(taskToken=token, result=result)

    def fail(self, token, reason='ConnectionError: refused'):
        self.swf.respond_activity_task_failed(taskToken=token, reason=reason, details='')

    def wait(self, seconds):
        self.clock.advance(seconds)

    def signal(self, name, workflow_id='w', value='1'):
        self.swf.signal_workflow_execution(domain=DOMAIN, workflowId=workflow_id, signalName=name, input=value)

    # looking

    @property
    def now(self):
        return datetime.fromtimestamp(self.clock.milliseconds() / 1000, timezone.utc)

    def gathered(self, workflow_id='w') -> Gathered:
        infos = [
            info
            for kind in ('open', 'closed')
            for info in getattr(self.swf, f'list_{kind}_workflow_executions')(
                domain=DOMAIN, startTimeFilter={'oldestDate': 0}, executionFilter={'workflowId': workflow_id}
            )['executionInfos']
        ]
        run = HistoryTail(self.swf, DOMAIN, workflow_id, infos[-1]['execution']['runId'])
        return Gatherer(self.swf, DOMAIN, '--db x.db', clock=lambda: self.now).gather(run)

    def diagnosis(self, workflow_id='w', cls=None, *, code=True):
        gathered = self.gathered(workflow_id)
        name = gathered.view.name
        spec = WorkflowSpec(cls or BY_NAME[name], name, '1') if code else None
        return gathered.diagnosis(spec)

    def offline(self, after):
        """The diagnosis of the same events, read from a file some seconds later."""
        events = json.loads(json.dumps(self.gathered().view.events, default=lambda value: value.timestamp()))
        view = ExecutionView('w').apply_all(events)
        return diagnose(view, self.now + timedelta(seconds=after), Facts())


# One way for each finding. Each gives the environment and, where it is not simply `w`, the diagnosis.


def failed_by_activity(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.fail(env.take())
    env.decide()
    return env.diagnosis()


def failed_by_child(noise):
    env = Environment(**noise)
    env.begin(Parent)
    env.decide()
    env.decide()
    env.fail(env.take())
    env.decide()
    env.decide()
    return env.diagnosis()


def failed_by_timeout(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.take()
    env.wait(100_001)
    env.decide()
    return env.diagnosis()


def failed_by_lambda(noise):
    env = Environment(**noise)
    env.swf.register_lambda('resize', lambda value: 1 / 0, run=lambda work: work())
    env.begin(LambdaFails, lambdaRole='arn:aws:iam::012345678901:role/swf')
    env.decide()
    return env.diagnosis()


def failed_by_refusal(noise):
    env = Environment(**noise)
    env.begin(SignalFails)
    env.decide()
    return env.diagnosis()


def failed_unscheduled(noise):
    env = Environment(**noise)
    env.begin(UnknownFails)
    env.decide()
    return env.diagnosis()


def failed_by_code(noise):
    env = Environment(**noise)
    env.begin(Raises)
    env.complete(env.take())
    env.decide()
    return env.diagnosis()


def execution_timed_out(noise):
    env = Environment(**noise)
    env.begin(Plain, executionStartToCloseTimeout='500')
    env.wait(501)
    return env.diagnosis()


def terminated(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.swf.terminate_workflow_execution(domain=DOMAIN, workflowId='w', reason='a mistake')
    return env.diagnosis()


def canceled(noise):
    env = Environment(**noise)
    env.begin(Approval)
    env.swf.request_cancel_workflow_execution(domain=DOMAIN, workflowId='w')
    env.decide()
    return env.diagnosis()


def event_limit(noise):
    env = Environment(**noise, limits=Limits(history_events=60))
    env.begin(Approval)
    while env.gathered().view.is_open:
        env.signal('noise')
    return env.diagnosis()


def ended_with_parent(noise):
    env = Environment(**noise)
    env.begin(Parent)
    env.decide()
    env.swf.terminate_workflow_execution(domain=DOMAIN, workflowId='w')
    return env.diagnosis('child')


def history_mismatch(noise):
    env = Environment(**noise)
    env.begin(Plain)
    return env.diagnosis(cls=Changed)


def stalled(noise):
    env = Environment(**{**noise, 'beside': False})
    env.begin(Stalls)
    env.complete(env.take())
    return env.diagnosis()


def unreadable(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.complete(env.take(), 'this is not JSON')
    return env.diagnosis()


def decision_timed_out(noise):
    env = Environment(**noise)
    env.begin(Plain, taskStartToCloseTimeout='60')
    env.complete(env.take())
    for _ in range(2):
        env.poll()
        env.wait(61)
    return env.diagnosis()


def decision_slow(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.complete(env.take())
    env.poll()
    env.wait(30)
    return env.diagnosis()


def decision_list_misspelt(noise):
    env = Environment(**noise)
    env.begin(Plain, 'other')
    env.begin(Plain, decided=False, taskList={'name': 'decider'})
    env.wait(60)
    return env.diagnosis()


def decision_not_polled(noise):
    env = Environment(**noise)
    env.begin(Plain, decided=False, taskList={'name': 'somewhere-else'})
    env.wait(60)
    return env.diagnosis()


def decision_in_line(noise):
    env = Environment(**noise)
    env.start(Plain, 'other')
    env.start(Plain, 'w')
    env.wait(20)
    env.decide()
    return env.diagnosis()


def _refused(cls, *, steps=1, **options):
    def way(noise):
        env = Environment(**noise, **options)
        env.begin(cls, lambdaRole='arn:aws:iam::012345678901:role/swf') if cls is Lambdas else env.begin(cls)
        for _ in range(steps):
            env.decide()
        return env.diagnosis()

    return way


def not_permitted(noise):
    env = Environment(**{**noise, 'warmups': 0}, denied=('ScheduleActivityTask',))
    env.begin(Denied)
    env.decide()
    return env.diagnosis()


def child_id_taken(noise):
    env = Environment(**noise)
    env.begin(Plain, 'taken')
    env.take()
    env.begin(TakenId)
    env.decide()
    return env.diagnosis()


def lambda_refused(noise):
    env = Environment(**noise)
    env.begin(Lambdas)
    env.decide()
    return env.diagnosis()


def throttled(noise):
    env = Environment(**noise, limits=Limits(rates={'ScheduleActivityTask': (noise.get('warmups', 0), 0.0)}))
    env.begin(Plain)
    return env.diagnosis()


def close_refused(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.complete(env.take())
    for _ in range(3):
        task = env.poll()
        env.signal('late')
        env.answer(task)
    return env.diagnosis()


def many_events(noise):
    env = Environment(**noise)
    env.begin(Approval)
    for _ in range(20_000):
        env.signal('noise')
    env.poll()
    return env.diagnosis(code=False)


def many_open(noise):
    env = Environment(**noise)
    env.begin(Many)
    while env.gathered().view.pending_decision is not None:
        env.decide()
    return env.diagnosis()


def cancel_unanswered(noise):
    env = Environment(**noise)
    env.begin(Deaf)
    env.take()
    env.swf.request_cancel_workflow_execution(domain=DOMAIN, workflowId='w')
    env.decide()
    env.wait(40)
    return env.diagnosis()


def cancel_unfinished(noise):
    env = Environment(**noise)
    env.begin(Cleaning)
    env.swf.request_cancel_workflow_execution(domain=DOMAIN, workflowId='w')
    env.decide()
    return env.diagnosis()


def child_stuck(noise):
    env = Environment(**{**noise, 'warmups': 0})
    env.begin(Parent)
    env.decide()
    env.decide()
    env.wait(60)
    return env.diagnosis()


def retry_too_late(noise):
    env = Environment(**noise)
    env.begin(Retrying, executionStartToCloseTimeout='500')
    env.fail(env.take())
    env.decide()
    return env.diagnosis()


def heartbeats_lost(noise):
    env = Environment(**noise)
    env.begin(AtOnce)
    env.take()
    env.wait(31)
    env.decide()
    return env.diagnosis()


def retrying(noise):
    env = Environment(**noise)
    env.begin(Retrying)
    env.fail(env.take())
    env.decide()
    env.wait(10)
    return env.diagnosis()


def activity_list_misspelt(noise):
    env = Environment(**noise)
    env.begin(Plain, 'other')
    env.take()
    env.begin(Typo)
    env.wait(60)
    return env.diagnosis()


def activity_type_missing(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.swf.deprecate_activity_type(domain=DOMAIN, activityType={'name': 'Work', 'version': '1'})
    env.wait(60)
    return env.diagnosis()


def activity_not_polled(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.wait(60)
    return env.diagnosis()


def activity_in_line(noise):
    env = Environment(**{**noise, 'warmups': 0})
    env.begin(Plain, 'other')
    env.begin(Plain)
    env.wait(60)
    env.take()
    return env.diagnosis()


def endless_activity(noise):
    env = Environment(**noise)
    env.begin(Endless)
    env.take()
    return env.diagnosis()


def worker_silent(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.take(identity='worker-7')
    env.wait(60_000)
    return env.diagnosis()


def running_long(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.take(identity='worker-7')
    env.wait(900)
    return env.diagnosis()


def workflow_type_gone(noise):
    env = Environment(**noise)
    env.begin(Plain)
    env.complete(env.take())
    env.swf.deprecate_workflow_type(domain=DOMAIN, workflowType={'name': 'Plain', 'version': '1'})
    env.wait(60)
    return env.diagnosis()


def retry_outlives_execution(noise):
    env = Environment(**noise)
    env.begin(Insistent, executionStartToCloseTimeout='1500', beside=False)
    env.take()
    return env.diagnosis()


def heartbeat_overdue(noise):
    env = Environment(**noise)
    env.begin(Beating)
    env.take()
    return env.offline(after=90)


def signal_undeclared(noise):
    env = Environment(**noise)
    env.begin(Approval)
    env.signal('aprove')
    env.decide()
    return env.diagnosis()


def parent_closed(noise):
    env = Environment(**{**noise, 'warmups': 0})
    env.begin(Parent, childPolicy='ABANDON')
    env.decide()
    env.swf.terminate_workflow_execution(domain=DOMAIN, workflowId='w')
    env.decide()
    env.take()
    return env.diagnosis('child')


def abandoned_children(noise):
    env = Environment(**noise)
    env.begin(Detaching, childPolicy='ABANDON', beside=False)
    env.complete(env.take())
    env.decide()
    env.decide()
    env.decide()
    env.wait(2)
    env.decide()
    return env.diagnosis()


def large_payload(noise):
    env = Environment(**noise)
    env.begin(Approval)
    env.signal('noise', value=json.dumps('x' * 31_000))
    env.decide()
    return env.diagnosis(code=False)


def old(noise):
    env = Environment(**noise)
    env.begin(Approval, executionStartToCloseTimeout='31536000', beside=False)
    env.wait(340 * 86_400)
    return env.diagnosis()


def expires_soon(noise):
    env = Environment(**noise)
    env.begin(Approval, executionStartToCloseTimeout='1000', beside=False)
    env.wait(950)
    return env.diagnosis()


def idle(noise):
    env = Environment(**noise)
    env.begin(Approval, beside=False)
    return env.diagnosis(code=False)


def signal_awaited(noise):
    env = Environment(**noise)
    env.begin(Approval)
    return env.diagnosis()


def signals_unread(noise):
    env = Environment(**noise)
    env.begin(Inattentive)
    env.take()
    env.signal('approve')
    env.decide()
    return env.diagnosis()


def sleeping(noise):
    env = Environment(**noise)
    env.begin(Sleeper)
    return env.diagnosis()


def continued(noise):
    env = Environment(**noise)
    env.begin(Restarts, beside=False)
    env.complete(env.take())
    env.decide()
    return env.diagnosis()


def heartbeat_too_long(noise):
    env = Environment(**noise)
    env.begin(SlowBeat)
    env.take()
    return env.diagnosis()


def no_start_to_close(noise):
    env = Environment(**noise)
    env.begin(Endless)
    return env.diagnosis()


def outlives_execution(noise):
    env = Environment(**noise)
    env.begin(Plain, executionStartToCloseTimeout='5000')
    env.take()
    return env.diagnosis()


def endless_decisions(noise):
    env = Environment(**noise)
    env.begin(Beating, taskStartToCloseTimeout='NONE')
    env.take()
    return env.diagnosis()


WAYS = {
    'event-limit': event_limit,
    'ended-with-parent': ended_with_parent,
    'failed-by-activity': failed_by_activity,
    'failed-by-child': failed_by_child,
    'failed-by-timeout': failed_by_timeout,
    'failed-by-lambda': failed_by_lambda,
    'failed-by-refusal': failed_by_refusal,
    'failed-unscheduled': failed_unscheduled,
    'failed-by-code': failed_by_code,
    'execution-timed-out': execution_timed_out,
    'terminated': terminated,
    'canceled': canceled,
    'history-mismatch': history_mismatch,
    'stalled': stalled,
    'unreadable': unreadable,
    'decision-timed-out': decision_timed_out,
    'decision-slow': decision_slow,
    'decision-list-misspelt': decision_list_misspelt,
    'workflow-type-gone': workflow_type_gone,
    'decision-not-polled': decision_not_polled,
    'decision-in-line': decision_in_line,
    'activity-unregistered': _refused(UnknownActivity),
    'child-unregistered': _refused(UnknownChild),
    'type-deprecated': _refused(Old),
    'default-undefined': _refused(Listless),
    'not-permitted': not_permitted,
    'child-id-taken': child_id_taken,
    'lambda-refused': lambda_refused,
    'undelivered': _refused(Sender),
    'throttled': throttled,
    'close-refused': close_refused,
    'many-events': many_events,
    'many-open': many_open,
    'cancel-unanswered': cancel_unanswered,
    'cancel-unfinished': cancel_unfinished,
    'child-stuck': child_stuck,
    'retry-too-late': retry_too_late,
    'heartbeats-lost': heartbeats_lost,
    'retrying': retrying,
    'activity-list-misspelt': activity_list_misspelt,
    'activity-type-missing': activity_type_missing,
    'activity-not-polled': activity_not_polled,
    'activity-in-line': activity_in_line,
    'endless-activity': endless_activity,
    'worker-silent': worker_silent,
    'heartbeat-overdue': heartbeat_overdue,
    'signal-undeclared': signal_undeclared,
    'parent-closed': parent_closed,
    'abandoned-children': abandoned_children,
    'large-payload': large_payload,
    'old': old,
    'expires-soon': expires_soon,
    'idle': idle,
    'signal-awaited': signal_awaited,
    'signals-unread': signals_unread,
    'running-long': running_long,
    'sleeping': sleeping,
    'continued': continued,
    'heartbeat-too-long': heartbeat_too_long,
    'no-start-to-close': no_start_to_close,
    'outlives-execution': outlives_execution,
    'retry-outlives-execution': retry_outlives_execution,
    'endless-decisions': endless_decisions,
}
"""From the code of each finding to what breaks an execution in that way, given the noise before and beside it."""
