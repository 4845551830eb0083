"""A worker's threads: they work, count, drain and stop, and no task makes them fall over."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from queue import SimpleQueue

import boto3
import pytest
from botocore.exceptions import ClientError

from genflow import Activity, ActivityProxy, Workflow
from genflow.core.errors import RegistrationError
from genflow.local import LocalSWF, SystemClock
from genflow.local.http.server import HttpServer
from genflow.swf.client.handles import Client
from genflow.swf.scanner import activity, workflow
from genflow.swf.tasks.polled_tasks import ActivityTask
from genflow.swf.worker.worker import Worker, default_identity
from tests.swf.work import attributes, registry_of

LONG = 60  # seconds after which a test that hangs is given up


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


def test_who_works_where_is_reported_once(live, caplog):
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


@pytest.mark.thorough
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


def test_a_failure_of_each_task_is_logged_once_with_its_traceback(live, caplog):
    def broken(task):
        raise KeyError('a mistake')

    working = worker(live, registry=[Echo])
    task = ActivityTask('token', '1', 'w', 'run', 'Echo', '1', 1, None, 'tl')
    for _ in range(3):
        working._handled(broken, task)  # noqa: SLF001 - as its threads do
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False]
    assert 'failure 3 of this kind' in caplog.text


def test_a_worker_takes_classes(live):
    working = worker(live, registry=[Echo, Pair])
    assert [spec.cls for spec in working.registry.activities] == [Echo]
    assert [spec.cls for spec in working.registry.workflows] == [Pair]


class AnnouncedQueue(SimpleQueue):
    """A queue that says when somebody begins to wait at it."""

    def __init__(self):
        super().__init__()
        self.is_read = threading.Event()

    def get(self, block=True, timeout=None):
        self.is_read.set()
        return super().get(block, timeout)


class TestSignals:
    """``stop_on_signals``, with signals that this process sends itself."""

    def test_the_first_drains_and_another_stops_at_once(self, live):
        working, told = worker(live), []
        signals = working.stop_on_signals(3600, on_signal=lambda number, first: told.append((number, first)))
        working.start()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        working.wait()
        assert signals.received == [signal.SIGTERM, signal.SIGINT]
        assert told == [(signal.SIGTERM, True), (signal.SIGINT, False)]

    @pytest.mark.thorough
    def test_one_that_does_not_wake_the_main_thread_drains_as_well(self, live):
        """The system may deliver it to another thread, or just before the main thread begins to wait."""
        working, told, was_told = worker(live), threading.Event(), []
        working.stop_on_signals(on_signal=lambda number, first: told.set())
        working._drain_requested = requests = AnnouncedQueue()  # noqa: SLF001 - what the main thread waits at

        def interrupt_another_thread():
            assert requests.is_read.wait(LONG)
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            was_told.append(told.wait(LONG))
            working.stop()

        interrupting = threading.Thread(target=interrupt_another_thread, daemon=True)
        interrupting.start()
        working.start()
        working.wait()
        interrupting.join()
        assert was_told == [True]

    def test_a_handler_waits_for_no_lock(self, live):
        """It may interrupt the main thread while that holds any of them."""
        working, told = worker(live), []
        signals = working.stop_on_signals(3600, on_signal=lambda number, first: told.append(first))
        working.start()
        handle = signal.getsignal(signal.SIGTERM)
        # On a thread, so that a handler that waits fails the test and does not hang it.
        handling = threading.Thread(target=lambda: [handle(number, None) for number in (15, 2)], daemon=True)
        with working._lock, working._draining._cond:  # noqa: SLF001 - those that draining takes
            handling.start()
            handling.join(LONG)
            assert not handling.is_alive()
            assert signals.received == [signal.SIGTERM, signal.SIGINT]
            assert told == []
        working.wait()
        assert told == [True, False]

    def test_one_that_comes_while_another_is_told_of_stops_at_once(self, live):
        working, told = worker(live), []

        def tell(number, first):
            if first:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGHUP)
            told.append((number, first))

        working.stop_on_signals(3600, on_signal=tell)
        working.start()
        signal.raise_signal(signal.SIGTERM)
        working.wait()
        assert told == [(signal.SIGTERM, True), (signal.SIGHUP, False)]

    @pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning')
    def test_in_a_forked_child_signals_do_what_they_did_before(self, live):
        """A pool of processes that an activity makes can be terminated."""
        before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            working = worker(live)
            signals = working.stop_on_signals()
            child = os.fork()
            if not child:
                signal.raise_signal(signal.SIGTERM)
                os._exit(0)
            assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM
            assert signals.received == []
            working.stop()
            working.run()
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_handlers_are_given_back(self, live):
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = [signal.getsignal(number) for number in numbers]
        working = worker(live)
        working.stop_on_signals()
        assert [signal.getsignal(number) for number in numbers] != before
        signal.raise_signal(signal.SIGHUP)
        working.run()
        assert [signal.getsignal(number) for number in numbers] == before

    def test_handlers_are_given_back_by_a_worker_that_cannot_start(self):
        before = signal.getsignal(signal.SIGTERM)
        with LocalSWF() as service:
            working = worker(service)
            working.stop_on_signals()
            with pytest.raises(RegistrationError):
                working.run()
        assert signal.getsignal(signal.SIGTERM) is before

    def test_a_callback_that_fails_keeps_nobody_from_stopping(self, live, caplog):
        def fail(number, first):
            raise BrokenPipeError

        working = worker(live)
        signals = working.stop_on_signals(3600, on_signal=fail)
        working.start()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        working.wait()
        assert len(signals.received) == 2
        assert caplog.text.count('the handling of a stop signal failed') == 2

    def test_a_hangup_that_is_ignored_stays_ignored(self, live):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            working = worker(live)
            working.stop_on_signals()
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            working.stop()
            working.run()
        finally:
            signal.signal(signal.SIGHUP, before)


def boto3_client(server):
    session = boto3.session.Session(aws_access_key_id='a', aws_secret_access_key='b', region_name='us-east-1')
    return session.client('swf', endpoint_url=server.url)


@pytest.mark.thorough
@pytest.mark.parametrize('register', [True, False])
def test_an_idle_worker_takes_its_polls_back_from_a_server(register):
    with LocalSWF(clock=SystemClock(), synchronous='OFF', long_poll=60) as service, HttpServer(service) as server:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        other = boto3_client(server)
        theirs = threading.Thread(
            target=other.poll_for_decision_task, kwargs={'domain': 'd', 'taskList': {'name': 'tl'}}, daemon=True
        )
        theirs.start()
        working = worker(server.url, register=register, activities=2)
        working.start()
        polls = 4  # for activities, a decider, a decider of its own list, and somebody else's
        while server.connections < polls + register:
            threading.Event().wait(0.01)
        began = time.monotonic()
        working.drain(10 * LONG)
        working.wait()
        assert time.monotonic() - began < LONG / 3  # polls are held for as long as it
        assert theirs.is_alive()
        server.stop()
        theirs.join(LONG)
