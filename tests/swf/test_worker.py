"""A worker's threads: they work, count, drain and stop, and no task makes them fall over."""

from __future__ import annotations

import logging
import threading

import pytest
from botocore.exceptions import ClientError

from genflow import Activity, ActivityProxy, Workflow
from genflow.core.errors import RegistrationError
from genflow.local import LocalSWF, SystemClock
from genflow.swf.client.handles import Client
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker.worker import Worker, default_identity
from tests.swf.work import attributes, registry_of

LONG = 20  # seconds after which a test that hangs is given up


@activity('Echo', 1, 'tl')
class Echo(Activity):
    def run(self, value):
        return value


@workflow('Pair', 1, 'tl')
class Pair(Workflow):
    echo = ActivityProxy('Echo', 1)

    def run(self, value):
        first = yield self.echo(value)
        left, right = yield self.echo(first), self.echo('x')
        return [left, right]


REGISTRY = registry_of(Echo, Pair)


@pytest.fixture
def live():
    """A service whose time passes by itself."""
    with LocalSWF(clock=SystemClock(), synchronous='OFF', long_poll=0.1) as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        yield service


def worker(service, registry=REGISTRY, **options):
    return Worker('d', 'tl', service, registry=registry, **options)


@pytest.mark.parametrize('sticky', [True, False])
def test_executions_are_worked_on_until_they_complete(live, sticky):
    with worker(live, deciders=2, activities=3, sticky=sticky) as working:
        start = Client('d', live).starter(Pair)
        executions = [start(number) for number in range(10)]
        assert [execution.result(LONG) for execution in executions] == [[number, 'x'] for number in range(10)]
    assert working.counts['activity completed'] == 30
    assert working.counts['decision decided'] >= 30


def test_sticky_executions_are_read_once(live):
    with worker(live) as working:
        execution = Client('d', live).starter(Pair)(1)
        execution.result(LONG)
    lists = {said['taskList']['name'] for said in attributes(execution, 'DecisionTaskScheduled')}
    assert 'tl' in lists
    assert len(lists) == 2
    assert working.counts['decision continued'] == working.counts['decision decided'] - 1


def test_it_stops_after_so_many_tasks(live):
    live.register_workflow_type(domain='d', name='Pair', version='1')
    seen = []
    working = worker(live, deciders=1, activities=0, sticky=False, max_tasks=2, on_task=seen.append)
    runner = threading.Thread(target=working.run)
    runner.start()
    start = Client('d', live).starter(
        Pair, task_list='tl', decision_duration=60, workflow_duration=600, child_policy='TERMINATE'
    )
    for number in range(2):
        start(number)
    runner.join(LONG)
    assert not runner.is_alive()
    assert len(seen) == 2


def test_who_works_where_is_said_once(live, caplog):
    caplog.set_level(logging.INFO, 'genflow.worker')
    with worker(live, identity='me'):
        pass
    assert [record.getMessage() for record in caplog.records] == [
        'working for domain d, task list tl, at local::memory:, region us-east-1, as me'
    ]
    assert ':' in default_identity()


def test_polls_carry_the_identity(live):
    with worker(live, identity='me'):
        execution = Client('d', live).starter(Pair)(1)
        execution.result(LONG)
    assert {said['identity'] for said in attributes(execution, 'DecisionTaskStarted')} == {'me'}
    assert {said['identity'] for said in attributes(execution, 'ActivityTaskStarted')} == {'me'}


def test_a_domain_that_is_not_there_is_an_error_at_the_start(live):
    with pytest.raises(RegistrationError, match='nowhere'):
        Worker('nowhere', 'tl', live, registry=REGISTRY).run()


def test_a_domain_that_is_not_there_ends_a_worker_that_registers_nothing(live):
    with pytest.raises(ClientError, match='Unknown domain: nowhere'):
        Worker('nowhere', 'tl', live, registry=REGISTRY, register=False).run()


def test_without_registering_no_call_is_made(live):
    with worker(live, register=False):
        pass
    assert live.list_workflow_types(domain='d', registrationStatus='REGISTERED')['typeInfos'] == []


class Gate:
    """An activity that waits inside until the test lets it go."""

    def __init__(self):
        self.inside, self.leave = threading.Event(), threading.Event()
        gate = self

        @activity('Slow', 1, 'tl', heartbeat=60)
        class Slow(Activity):
            def run(self):
                gate.inside.set()
                gate.leave.wait(LONG)
                return 'done'

        @workflow('Calls', 1, 'tl')
        class Calls(Workflow):
            slow = ActivityProxy('Slow', 1, retry=0)

            def run(self):
                return (yield self.slow())

        self.workflow = Calls
        self.registry = registry_of(Slow, Calls)


class TestStopping:
    def test_draining_lets_activities_finish_and_polls_return(self, live):
        gate = Gate()
        working = worker(live, gate.registry)
        working.start()
        execution = Client('d', live).starter(gate.workflow)()
        assert gate.inside.wait(LONG)
        working.drain(LONG)
        gate.leave.set()
        working.wait()
        assert attributes(execution, 'ActivityTaskCompleted')[0]['result'] == '"done"'

    def test_what_does_not_finish_is_failed(self, live):
        gate = Gate()
        working = worker(live, gate.registry)
        working.start()
        execution = Client('d', live).starter(gate.workflow)()
        assert gate.inside.wait(LONG)
        working.drain(0.05)
        working.wait()
        gate.leave.set()
        (said,) = attributes(execution, 'ActivityTaskFailed')
        assert said['reason'] == 'genflow.WorkerStopped'
        assert working.counts['activity stopped'] == 1

    def test_a_second_word_can_only_shorten_the_time(self, live):
        gate = Gate()
        working = worker(live, gate.registry)
        working.start()
        Client('d', live).starter(gate.workflow)()
        assert gate.inside.wait(LONG)
        working.drain(3600)
        waiter = threading.Thread(target=working.wait)
        waiter.start()
        working.stop()
        working.drain(3600)
        waiter.join(LONG)
        gate.leave.set()
        assert not waiter.is_alive()


def test_a_broken_answer_leaves_the_worker_alive(live, caplog):
    class Broken:
        calls = 0

        def __getattr__(self, name):
            return getattr(live, name)

        def respond_activity_task_completed(self, **request):
            Broken.calls += 1
            if Broken.calls == 1:
                raise KeyError('a mistake')
            return live.respond_activity_task_completed(**request)

    @workflow('Twice', 1, 'tl')
    class Twice(Workflow):
        echo = ActivityProxy('Echo', 1, start_to_close=1, retry=1)

        def run(self):
            return (yield self.echo(5))

    with worker(Broken(), registry_of(Echo, Twice)):
        assert Client('d', live).starter(Twice)().result(LONG) == 5
    assert 'Echo 1 (activity 1.1' in caplog.text
    assert 'could not be handled' in caplog.text
