"""Rounds where something goes wrong: the disk, the process, the worker that stops in the middle."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import textwrap
import threading
from collections import Counter

import pytest
from attrs import evolve

from genflow import Activity, Client, LambdaProxy, Workflow, activity, workflow
from genflow.local import Limits, LocalSWF
from genflow.local.errors import DiskFull
from genflow.local.store import Store
from genflow.swf.worker.response_delay import ResponseDelay
from genflow.swf.worker.worker import Worker
from tests.processes import Process

DOMAIN, LIST = 'd', 'tl'
PATIENCE = 60


@activity(name='Step', version=1, task_list=LIST)
class Step(Activity):
    def run(self, number):
        return number


@activity(name='Awaited', version=1, task_list=LIST)
class Awaited(Activity):
    async def run(self, number):
        await asyncio.sleep(0)
        return number


@workflow(name='Chain', version=1, task_list=LIST)
class Chain(Workflow):
    step = Step.proxy()

    def run(self, count):
        for number in range(count):
            yield self.step(number)
        return count


@workflow(name='Wide', version=1, task_list=LIST)
class Wide(Workflow):
    step = Step.proxy()
    awaited = Awaited.proxy()

    def run(self, count, awaits=False):
        step = self.awaited if awaits else self.step
        return sum((yield [step(number) for number in range(count)]))


@workflow(name='Ticks', version=1, task_list=LIST)
class Ticks(Workflow):
    def run(self, count):
        for _ in range(count):
            yield self.sleep(0)


CLASSES = [Step, Awaited, Chain, Wide, Ticks]


@pytest.fixture
def swf(tmp_path):
    with LocalSWF(tmp_path / 'swf.db', synchronous='OFF') as service:
        service.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        yield service


class Disk:
    """Full whenever the test says so of a write."""

    def __init__(self, monkeypatch):
        self.is_full = lambda: False
        append = Store.append

        def disturbed(store, *args):
            if self.is_full():
                raise DiskFull('swf.db: the disk is full')
            return append(store, *args)

        monkeypatch.setattr(Store, 'append', disturbed)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def working(swf, **options):
    return Worker(DOMAIN, LIST, swf, registry=CLASSES, **options)


def start(swf, cls, *args, **options):
    return Client(DOMAIN, swf).starter(cls, **options)(*args)


def result(execution):
    """What came of it; a client that asks may be the one who hears that the disk is full."""
    while True:
        try:
            return execution.result(timeout=PATIENCE)
        except DiskFull:
            pass


def kinds(execution):
    return Counter(event['eventType'] for event in execution.history())


# what was deferred before and after a commit that somebody else could not make


def test_who_deferred_before_and_after_a_failed_commit_learns_of_it(swf, disk):
    with working(swf):
        start(swf, Chain, 1).result(timeout=PATIENCE)
    for _ in range(2):
        start(swf, Chain, 1)
    deferring = swf.deferring()
    wants = [('decision', {'domain': DOMAIN, 'taskList': {'name': LIST}}, {'most': 2})]
    one, other = (deferring.read(answer, deferring.taken) for answer in deferring.take(wants)[0])
    deferring.settle()
    deferring.respond_decision_task_completed(taskToken=one['taskToken'], decisions=[])
    disk.is_full = lambda: True
    with pytest.raises(DiskFull):
        swf.register_domain(name='other', workflowExecutionRetentionPeriodInDays='1')
    disk.is_full = lambda: False
    deferring.respond_decision_task_completed(taskToken=other['taskToken'], decisions=[])
    with pytest.raises(DiskFull):
        deferring.settle()
    assert [call[1]['taskToken'] for call in deferring.lost()] == [one['taskToken'], other['taskToken']]
    deferring.respond_decision_task_completed(taskToken=one['taskToken'], decisions=[])
    deferring.settle()


def test_an_activity_whose_start_survived_a_failed_commit_runs(swf, disk):
    """Its start is in a later batch than the answers that got lost."""
    chance = random.Random(3)
    with working(swf):
        start(swf, Chain, 3).result(timeout=PATIENCE)
        disk.is_full = lambda: chance.random() < 0.2
        executions = [start_surely(swf, Wide, 30) for _ in range(10)]
        assert [result(execution) for execution in executions] == [sum(range(30))] * 10
        disk.is_full = lambda: False
    for execution in executions:
        found = kinds(execution)
        assert found['ActivityTaskTimedOut'] == found['DecisionTaskTimedOut'] == 0
        assert found['ActivityTaskCompleted'] == 30


def start_surely(swf, *args):
    while True:
        try:
            return start(swf, *args)
        except DiskFull:
            pass


def test_answers_of_async_activities_are_given_again(swf, disk):
    chance = random.Random(5)
    with working(swf):
        disk.is_full = lambda: chance.random() < 0.2
        execution = start_surely(swf, Wide, 50, True)
        assert result(execution) == sum(range(50))
        disk.is_full = lambda: False
    assert kinds(execution)['ActivityTaskTimedOut'] == 0


def test_a_disk_that_is_full_for_a_while_stops_no_worker(swf, disk):
    with working(swf) as worker:
        failures = iter([True] * 12)
        disk.is_full = lambda: next(failures, False)
        assert result(start_surely(swf, Chain, 20)) == 20
        assert worker.error is None


def test_a_function_begins_once_its_start_is_in_the_file(tmp_path, disk):
    begun = []
    with LocalSWF(tmp_path / 'swf.db', synchronous='OFF') as swf:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        swf.register_lambda('double', lambda value: value, run=begun.append)

        @workflow(name='Calls', version=1, task_list=LIST)
        class Calls(Workflow):
            double = LambdaProxy('double')

            def run(self):
                return (yield self.double(2))

        Client(DOMAIN, swf).register(Calls)
        Client(DOMAIN, swf).starter(Calls, lambda_role='role')()
        deferring = swf.deferring()
        wants = [('decision', {'domain': DOMAIN, 'taskList': {'name': LIST}}, {'most': 1})]
        (taken,) = deferring.take(wants)[0]
        answer = deferring.read(taken, deferring.taken)
        deferring.settle()
        writing, let = threading.Event(), threading.Event()
        disk.is_full = lambda: writing.set() or not let.wait(PATIENCE)
        options = {'name': 'other', 'workflowExecutionRetentionPeriodInDays': '1'}
        other = threading.Thread(target=lambda: swf.register_domain(**options))
        other.start()
        assert writing.wait(PATIENCE)
        call = {'id': '1', 'name': 'double', 'input': '2'}
        decision = {'decisionType': 'ScheduleLambdaFunction', 'scheduleLambdaFunctionDecisionAttributes': call}
        deferring.respond_decision_task_completed(taskToken=answer['taskToken'], decisions=[decision])
        let.set()
        other.join(PATIENCE)  # its call, which was written without the decision, runs what is due
        assert begun == []
        deferring.settle()
        assert len(begun) == 1


@pytest.mark.thorough
def test_what_was_taken_before_a_refusal_is_not_lost(tmp_path):
    limits = Limits(rates={'PollForActivityTask': (3, 1000)})
    with LocalSWF(limits=limits) as swf:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        with working(swf):
            execution = start(swf, Wide, 40)
            assert execution.result(timeout=PATIENCE) == sum(range(40))
        assert kinds(execution)['ActivityTaskTimedOut'] == 0


# answers that are held back


def test_an_answer_that_is_held_back_stops_nothing_and_is_given_at_the_end(swf, monkeypatch):
    asked = threading.Event()

    def holding(self, events, open_tasks):
        if open_tasks < 2:
            return self
        asked.set()
        return evolve(self, held=3600)

    monkeypatch.setattr(ResponseDelay, 'holding', holding)
    monkeypatch.setattr('genflow.swf.worker.decider.STEP', 0)
    with working(swf) as worker:
        wide = start(swf, Wide, 2)
        assert asked.wait(PATIENCE)
        assert start(swf, Chain, 3).result(timeout=PATIENCE) == 3
        assert kinds(wide)['DecisionTaskCompleted'] == 0
        worker.drain(PATIENCE)
        worker.wait()
        assert kinds(wide)['ActivityTaskScheduled'] == 2


# a worker that stops


@pytest.mark.parametrize('seconds', [0, PATIENCE], ids=['at once', 'in order'])
def test_a_worker_that_stops_leaves_nothing_begun(swf, seconds):
    enough = threading.Semaphore(0)
    worker = working(swf, on_task=lambda task: enough.release())
    Client(DOMAIN, swf).register(*CLASSES)
    executions = [start(swf, Chain, 1000) for _ in range(20)] + [start(swf, Wide, 900)]
    worker.start()
    for _ in range(300):
        assert enough.acquire(timeout=PATIENCE)
    worker.drain(seconds)
    worker.wait()
    for execution in executions:
        found = kinds(execution)
        ended = sum(found[f'ActivityTask{way}'] for way in ('Completed', 'Failed'))
        assert found['ActivityTaskStarted'] == ended
        assert found['DecisionTaskStarted'] == found['DecisionTaskCompleted']


# everybody's turn


@pytest.mark.thorough
def test_the_activities_of_one_execution_do_not_stop_the_decisions_of_another(swf):
    order = []
    Client(DOMAIN, swf).register(*CLASSES)
    worker = working(swf, on_task=lambda task: order.append(task.workflow_id))
    start(swf, Wide, 900, workflow_id='wide')
    start(swf, Ticks, 6, workflow_id='ticks')
    with worker:
        assert Client(DOMAIN, swf).execution('wide').result(timeout=PATIENCE) == sum(range(900))
    assert order.count('ticks') == 7
    assert order[-200:].count('ticks') == 0


# the process dies


DIES = """
    import os, sys
    from genflow import Activity, Client, Workflow, activity, workflow
    from genflow.local import LocalSWF
    from genflow.swf.worker.worker import Worker

    @activity(name='Step', version=1, task_list='tl', start_to_close=2)
    class Step(Activity):
        def run(self, workflow, number):
            os.write(1, f'{workflow} {number}\\n'.encode())
            return number

    @workflow(name='Chain', version=1, task_list='tl', decision_duration=2)
    class Chain(Workflow):
        step = Step.proxy(retry=50)
        def run(self, name, count):
            for number in range(count):
                yield self.step(name, number)
            return count

    swf = LocalSWF('swf.db', synchronous='OFF', abandon_started=True)
    try:
        swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
    except swf.exceptions.DomainAlreadyExistsFault:
        pass
    client = Client('d', swf)
    client.register(Step, Chain)
    if sys.argv[1:]:
        for n in range(12):
            client.starter(Chain, workflow_id=f'w{n}')(f'w{n}', 20)
    with Worker('d', 'tl', swf, registry=[Step, Chain]):
        for n in range(12):
            client.execution(f'w{n}').result(timeout=60)
    swf.close()
"""


@pytest.mark.thorough
def test_a_process_that_is_killed_in_the_middle_of_rounds_has_left_a_trace_of_each_activity(tmp_path):
    chance = random.Random(11)
    reported = Counter()
    for kill in range(4):
        command = [sys.executable, '-c', textwrap.dedent(DIES), *(['start'] if kill == 0 else [])]
        with Process(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
            lines = chance.randrange(1, 80) if kill < 3 else None
            for number, line in enumerate(process.stdout):
                reported[tuple(line.split())] += line.endswith('\n')
                if number == lines:
                    process.kill()
        if lines is None:
            assert process.returncode == 0
    with LocalSWF(tmp_path / 'swf.db') as swf:
        for number in range(12):
            history = Client(DOMAIN, swf).execution(f'w{number}').history()
            assert history[-1]['eventType'] == 'WorkflowExecutionCompleted'
            check_traces(history, reported, f'w{number}')


def check_traces(history, reported, name):
    """No more runs of user code than there are starts, and one result of each step."""
    inputs, started, completed = {}, Counter(), Counter()
    for event in history:
        if event['eventType'] == 'ActivityTaskScheduled':
            (_, number), _ = json.loads(event['activityTaskScheduledEventAttributes']['input'])
            inputs[event['eventId']] = str(number)
        elif event['eventType'] == 'ActivityTaskStarted':
            started[inputs[event['activityTaskStartedEventAttributes']['scheduledEventId']]] += 1
        elif event['eventType'] == 'ActivityTaskCompleted':
            completed[inputs[event['activityTaskCompletedEventAttributes']['scheduledEventId']]] += 1
    assert completed == Counter(map(str, range(20)))
    for (workflow_name, step), runs in reported.items():
        if workflow_name == name:
            assert runs <= started[step], f'{name} {step} ran {runs} times and was started {started[step]} times'


def test_a_leader_that_throttles_slows_a_worker_down_and_loses_no_response(tmp_path):
    limits = Limits(rates={'RespondActivityTaskCompleted': (1, 40)})
    path = tmp_path / 'swf.db'
    with LocalSWF(path, synchronous='OFF', limits=limits) as leader, LocalSWF(path, limits=limits) as swf:
        leader.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        with Worker(DOMAIN, LIST, swf, registry=[Step, Awaited, Wide], activities=20) as worker:
            assert not swf.is_leader
            assert Client(DOMAIN, swf).starter(Wide)(20).result(timeout=PATIENCE) == sum(range(20))
            assert worker.error is None
