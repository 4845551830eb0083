"""Activity tasks from poll to answer, with heartbeats, attempts, limits and stopping."""

from __future__ import annotations

import contextvars
import logging
import threading

import pytest

from genflow import (
    Activity,
    ActivityFailed,
    ActivityProxy,
    ChildFailed,
    PayloadTooLarge,
    Retry,
    StopActivity,
    SuspendTask,
    Workflow,
    WorkflowCanceled,
)
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import Connection
from genflow.swf.client.async_completion import AsyncCompletion
from genflow.swf.scanner import activity, workflow
from genflow.swf.wire.activity_ids import ActivityId, read_activity_id
from genflow.swf.worker import heartbeats as heartbeats_module
from genflow.swf.worker.heartbeats import Heartbeats, TaskHeartbeat
from tests.swf.scripted import refusal
from tests.swf.work import Loops, attributes


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('7.2', ActivityId(7, 2)),
        ('12.1;h=10', ActivityId(12, 1, 10)),
        ('12.1;h=0', ActivityId(12, 1, 0)),
        ('7', None),
        ('order-7', None),
        ('7.2;x=1', None),
    ],
)
def test_ids_are_read(text, expected):
    assert read_activity_id(text) == expected


@activity('Echo', 1, 'tl')
class Echo(Activity):
    def run(self, value):
        return value


class Script:
    """What an activity does, given by the test: a function of the activity."""

    def __init__(self):
        self.run = None


def make(script, *, heartbeat=None, proxy=None, retry=0):
    """An activity that runs a script, and a workflow that calls it."""

    @activity('Deed', 1, 'tl', heartbeat=heartbeat)
    class Deed(Activity):
        def run(self):
            return script.run(self)

    @workflow('Calls', 1, 'tl')
    class Calls(Workflow):
        deed = ActivityProxy('Deed', 1, heartbeat=proxy, retry=retry)

        def run(self):
            return (yield self.deed())

    return Deed, Calls


@pytest.fixture
def begin(swf):
    """Starts an execution whose one activity waits to be performed."""

    def started(run, **options):
        script = Script()
        script.run = run
        deed, calls = make(script, **options)
        loops = Loops(swf, deed, calls)
        # The heartbeats' clock is the service's, so that an hour passes for both at once.
        loops.performer.heartbeats.clock = lambda: swf.clock.milliseconds() / 1000
        execution = loops.client.starter(calls)()
        assert loops.decide()
        return loops, execution

    return started


class TestHeartbeats:
    def test_the_details_are_in_the_time_out_and_the_next_try_reads_them(self, begin, swf):
        seen = []

        def run(deed):
            seen.append((deed.info.attempt, deed.info.last_heartbeat))
            swf.clock.advance(2)
            deed.heartbeat(f'page {len(seen)}')
            if len(seen) < 3:
                swf.clock.advance(11)
            return 'done'

        loops, execution = begin(run, heartbeat=10, retry=5)
        loops.run()
        assert seen == [(1, None), (2, 'page 1'), (3, 'page 2')]
        assert execution.result() == 'done'
        assert [said['details'] for said in attributes(execution, 'ActivityTaskTimedOut')] == ['page 1', 'page 2']

    def test_the_first_after_a_loss_is_false_and_the_next_stops(self, begin, swf):
        seen = []

        def run(deed):
            swf.clock.advance(11)
            seen.append(deed.heartbeat())
            with pytest.raises(StopActivity):
                deed.heartbeat()
            return 'too late'

        loops, execution = begin(run, heartbeat=10)
        loops.run_activity()
        assert seen == [False]
        assert loops.performer.counts['late'] == 1
        assert execution.status() == 'OPEN'

    def test_checking_stops_at_once(self, begin, swf):
        def run(deed):
            swf.clock.advance(11)
            deed.heartbeat(check=True)

        loops, _ = begin(run, heartbeat=10)
        loops.run_activity()
        assert loops.performer.counts['canceled'] == 1

    def test_a_cancel_request_is_seen(self, swf):
        seen = []

        @activity('Deed', 1, 'tl', heartbeat=60)
        class Deed(Activity):
            def run(self):
                execution.cancel()
                assert loops.decide()
                swf.clock.advance(2)
                seen.append(self.heartbeat())
                raise StopActivity('tidied up')

        @workflow('Calls', 1, 'tl')
        class Calls(Workflow):
            deed = ActivityProxy('Deed', 1)

            def run(self):
                task = self.deed()
                try:
                    yield task
                except WorkflowCanceled:
                    task.cancel()
                    yield self.sleep(60)

        loops = Loops(swf, Deed, Calls)
        loops.performer.heartbeats.clock = lambda: swf.clock.milliseconds() / 1000
        execution = loops.client.starter(Calls)()
        loops.decide()
        loops.run_activity()
        assert seen == [False]
        assert attributes(execution, 'ActivityTaskCanceled')[0]['details'] == 'tidied up'

    def test_a_tight_loop_costs_nothing(self, begin, swf):
        sent = []
        beat = swf.record_activity_task_heartbeat

        def run(deed):
            for number in range(1000):
                assert deed.heartbeat(str(number))
            swf.clock.advance(1)
            assert deed.heartbeat('last')

        def counted(**request):
            sent.append(request.get('details'))
            return beat(**request)

        loops, _ = begin(run, heartbeat=60)
        swf.record_activity_task_heartbeat = counted
        loops.run_activity()
        assert sent == ['last']

    def test_long_details_are_refused_with_their_length(self, begin):
        seen = []

        def run(deed):
            deed.heartbeat('x' * 2048)
            with pytest.raises(PayloadTooLarge, match='2,049 characters, SWF takes 2,048'):
                deed.heartbeat('x' * 2049)
            seen.append('refused')

        loops, _ = begin(run, heartbeat=10)
        loops.run_activity()
        assert seen == ['refused']

    @pytest.mark.parametrize(('type_says', 'proxy_says', 'beats'), [(40, None, 20), (40, 10, 5), (None, 10, 5)])
    def test_the_background_keeps_a_silent_activity_alive(self, begin, swf, type_says, proxy_says, beats):
        """Half the time-out after the last heartbeat the next is due, and sending it keeps the task ours."""

        def run(deed):
            heartbeats = loops.performer.heartbeats
            for _ in range(8):
                swf.clock.advance(beats)
                heartbeats.send_due()
            return 'alive'

        loops, execution = begin(run, heartbeat=type_says, proxy=proxy_says)
        loops.run()
        assert execution.result() == 'alive'

    def test_nobody_beats_for_an_activity_without_a_time_out(self, begin, swf):
        def run(deed):
            swf.clock.advance(200)
            loops.performer.heartbeats.send_due()

        sent = []
        loops, execution = begin(run, heartbeat=10, proxy=float('inf'))
        swf.record_activity_task_heartbeat = lambda **request: sent.append(request)
        assert attributes(execution, 'ActivityTaskScheduled')[0]['activityId'] == '1.1;h=0'
        loops.run()
        assert execution.status() == 'COMPLETED'
        assert sent == []


def test_the_background_sends_by_itself():
    """A real clock and a real thread: three heartbeats for an activity that says nothing."""
    sent = threading.Semaphore(0)

    class Client:
        def record_activity_task_heartbeat(self, **request):
            sent.release()
            return {'cancelRequested': False}

    heartbeats = Heartbeats()
    pulse = TaskHeartbeat(RetryingClient(Connection(Client(), 'the service')), 'token', 0.02)
    with heartbeats.kept_up(pulse):
        assert all(sent.acquire(timeout=60) for _ in range(3))
    assert pulse.alive


def test_the_background_ends_when_it_has_nothing_left_though_a_task_was_lost(monkeypatch):
    monkeypatch.setattr(heartbeats_module, '_IDLE_TIMEOUT', 0.01)
    lost, before = threading.Event(), threading.enumerate()

    class Client:
        def record_activity_task_heartbeat(self, **request):
            lost.set()
            raise refusal('UnknownResourceFault')

    heartbeats = Heartbeats()
    pulse = TaskHeartbeat(RetryingClient(Connection(Client(), 'the service')), 'token', 0.02)
    with heartbeats.kept_up(pulse):
        assert lost.wait(60)
        (thread,) = (one for one in threading.enumerate() if one.name == 'genflow-heartbeats' and one not in before)
    thread.join(60)
    assert not thread.is_alive()


def test_a_failure_travels_with_its_class_and_traceback(swf):
    class PaymentDeclined(Exception):
        pass

    @activity('Pay', 1, 'tl')
    class Pay(Activity):
        def run(self, amount):
            raise PaymentDeclined(amount, 'limit')

    @workflow('Shop', 1, 'tl')
    class Shop(Workflow):
        pay = ActivityProxy('Pay', 1, raises=(PaymentDeclined,))

        def run(self):
            try:
                yield self.pay(30)
            except PaymentDeclined as error:
                return [*error.args, type(error.__cause__).__name__, 'test_activities.py' in error.__cause__.traceback]

    loops = Loops(swf, Pay, Shop)
    execution = loops.client.starter(Shop)()
    loops.run()
    assert execution.result() == [30, 'limit', ActivityFailed.__name__, True]


def test_an_unknown_type_fails_at_once_and_is_tried_again_later(begin, swf, caplog):
    loops, execution = begin(lambda deed: 'done', retry=2)
    stranger = Loops(swf, Echo)
    for wait in (10, 20):
        assert stranger.run_activity()
        loops.decide()
        assert not loops.run_activity()
        swf.clock.advance(wait)
        loops.decide()
    loops.run()
    assert execution.result() == 'done'
    said = attributes(execution, 'ActivityTaskFailed')
    assert [one['reason'] for one in said] == [
        'genflow.UnknownActivityType: this worker does not have the type Deed 1; it has Echo 1'
    ] * 2
    assert 'Import or scan the module that defines Deed 1' in said[0]['details']
    assert [record.getMessage() for record in caplog.records] == [
        'activity type Deed 1 is unknown to this worker, which fails its tasks. It has: Echo 1'
    ]


def test_a_worker_of_many_types_still_says_so_within_swfs_limits(begin, swf):
    loops, execution = begin(lambda deed: 'done')
    stranger = Loops(swf, *(named(f'{number:03}' * 60) for number in range(300)))
    stranger.run_activity()
    (said,) = attributes(execution, 'ActivityTaskFailed')
    assert len(said['reason']) == 256
    assert len(said['details']) == 32_768
    loops.run()
    assert execution.status() == 'FAILED'


def named(name):
    @activity(name, 1, 'tl')
    class Named(Activity):
        def run(self):
            return name

    return Named


@pytest.mark.parametrize('error', [ValueError('caf\udce9'), KeyError('\ud800'), StopActivity('\ud800' * 20_000)])
def test_whatever_text_an_activity_ends_with_it_ends(begin, error):
    def run(deed):
        raise error

    loops, execution = begin(run, retry=0)
    loops.run()
    assert attributes(execution, 'ActivityTaskFailed') or attributes(execution, 'ActivityTaskCanceled')
    assert execution.status() in ('FAILED', 'CANCELED')


class Picky:
    """A service that takes no free text of a kind."""

    def __init__(self, swf, refuses):
        self.swf = swf
        self.refuses = refuses

    def __getattr__(self, name):
        method = getattr(self.swf, name)

        def call(**request):
            if self.refuses(name, request):
                raise refusal('ValidationException')
            return method(**request)

        return call


@pytest.mark.parametrize(
    ('error', 'kind', 'said'),
    [
        (ValueError('é\n!'), 'ActivityTaskFailed', {'reason': 'ValueError: \\xe9 !'}),
        (StopActivity('é'), 'ActivityTaskCanceled', {}),
    ],
)
def test_an_answer_that_is_refused_is_sent_again_in_plain_words(begin, error, kind, said):
    def run(deed):
        raise error

    loops, execution = begin(run)
    loops.performer.service = RetryingClient(
        Connection(Picky(loops.swf, lambda name, request: 'details' in request), 'picky')
    )
    loops.run_activity()
    (found,) = attributes(execution, kind)
    assert {name: found[name] for name in ('reason', 'details') if name in found} == said


def test_a_failure_of_a_workflow_that_is_refused_is_sent_again_in_plain_words(swf):
    @workflow('Fails', 1, 'tl')
    class Fails(Workflow):
        def run(self):
            raise ValueError('é')

    loops = Loops(swf, Fails)
    execution = loops.client.starter(Fails)()
    loops.decider.service = RetryingClient(
        Connection(Picky(swf, lambda name, request: 'details' in str(request)), 'picky')
    )
    loops.decide()
    (found,) = attributes(execution, 'WorkflowExecutionFailed')
    assert found['reason'] == 'ValueError: \\xe9'
    assert not loops.decider.held


def test_what_is_failed_by_its_token_is_sent_again_in_plain_words_too(begin):
    tokens = []

    def run(deed):
        tokens.append(deed.token)
        raise SuspendTask

    loops, execution = begin(run)
    loops.run_activity()
    picky = RetryingClient(Connection(Picky(loops.swf, lambda name, request: 'details' in request), 'picky'))
    assert AsyncCompletion(picky, 'd').fail(tokens[0], 'caf\udce9', 'more')
    (found,) = attributes(execution, 'ActivityTaskFailed')
    assert (found['reason'], found.get('details')) == ('caf\\udce9', None)


class TestContext:
    """Each attempt runs in a copy of the context in which its worker was started."""

    def test_what_one_activity_sets_no_other_one_sees(self, swf):
        tenant = contextvars.ContextVar('tenant', default='nobody')

        @activity('Sets', 1, 'tl')
        class Sets(Activity):
            def run(self, who):
                seen = tenant.get()
                tenant.set(who)
                return seen

        @workflow('Calls', 1, 'tl')
        class Calls(Workflow):
            sets = ActivityProxy('Sets', 1)

            def run(self):
                return [(yield self.sets('Ada')), (yield self.sets('Bob'))]

        def started():
            tenant.set('the worker')
            return Loops(swf, Sets, Calls)

        loops = contextvars.copy_context().run(started)
        execution = loops.client.starter(Calls)()
        loops.run()
        assert execution.result() == ['the worker', 'the worker']
        assert tenant.get() == 'nobody'


class TestHeartbeatsOfFailedAttempts:
    @pytest.mark.parametrize('ends', ['raises', 'worker stops'])
    def test_the_next_attempt_reads_the_latest_whether_sent_or_not(self, begin, ends):
        seen = []

        def run(deed):
            seen.append(deed.info.last_heartbeat)
            if len(seen) > 2:
                return 'done'
            for page in range(5):
                deed.heartbeat(f'page {len(seen)}.{page} \udce9')
            if ends == 'raises':
                raise ValueError('again')
            return loops.performer.abandon()

        loops, execution = begin(run, heartbeat=60, retry=Retry(3, initial_interval=0))
        loops.run()
        assert seen == [None, 'page 1.4 \\udce9', 'page 2.4 \\udce9']
        assert execution.result() == 'done'

    def test_an_attempt_without_heartbeats_leaves_none(self, begin):
        seen = []

        def run(deed):
            seen.append(deed.info.last_heartbeat)
            raise ValueError('again')

        loops, _ = begin(run, retry=Retry(2, initial_interval=0))
        loops.run()
        assert seen == [None, None]

    def test_the_failure_itself_says_what_it_said_before(self, begin):
        def run(deed):
            deed.heartbeat('half')
            raise LookupError('gone', 7)

        loops, execution = begin(run)
        loops.run()
        with pytest.raises(ChildFailed, match='LookupError') as raised:
            execution.result()
        assert 'half' not in str(raised.value)


def test_a_late_answer_is_a_line_in_the_log(begin, swf, caplog):
    def run(deed):
        swf.clock.advance(301)
        return 'late'

    loops, _ = begin(run)
    loops.run_activity()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert 'Deed 1 (activity 1.1, workflow' in record.getMessage()
    assert 'came too late' in record.getMessage()


def test_no_payload_is_logged(begin, swf, caplog):
    caplog.set_level(logging.DEBUG, 'genflow')

    def run(deed):
        raise ValueError('the secret')

    loops, _ = begin(run)
    loops.run_activity()
    assert 'the secret' not in caplog.text


@pytest.mark.parametrize('heartbeat', [60, None], ids=['kept up', 'never asked for before'])
def test_stopping_fails_what_runs_and_ignores_what_it_says_later(begin, heartbeat):
    inside, leave = threading.Event(), threading.Event()
    seen = []

    def run(deed):
        inside.set()
        leave.wait(60)
        seen.append(deed.heartbeat())
        return 'ignored'

    loops, execution = begin(run, heartbeat=heartbeat)
    thread = threading.Thread(target=loops.run_activity)
    thread.start()
    inside.wait(60)
    assert not loops.performer.wait(0)
    loops.performer.abandon()
    leave.set()
    thread.join(60)
    assert seen == [False]
    (said,) = attributes(execution, 'ActivityTaskFailed')
    assert said['reason'] == 'genflow.WorkerStopped'
    assert attributes(execution, 'ActivityTaskCompleted') == []
    assert loops.performer.wait(0)
    assert loops.performer.counts == {'stopped': 1}


def test_what_a_stopped_worker_ran_is_tried_again_like_a_time_out(begin):
    rounds = []

    def run(deed):
        rounds.append(deed.info.attempt)
        if len(rounds) == 1:
            loops.performer.abandon()
        return 'done'

    loops, execution = begin(run, retry=1)
    loops.run()
    assert rounds == [1, 2]
    assert execution.result() == 'done'


def test_no_more_of_a_type_run_at_a_time_than_allowed(swf):
    running, most, lock = set(), [], threading.Lock()
    ready = threading.Barrier(2, timeout=60)

    @activity('Few', 1, 'tl')
    class Few(Activity):
        def run(self, number):
            with lock:
                running.add(number)
                most.append(len(running))
            ready.wait()
            with lock:
                running.discard(number)

    @workflow('Many', 1, 'tl')
    class Many(Workflow):
        few = ActivityProxy('Few', 1)

        def run(self):
            yield [self.few(number) for number in range(6)]

    loops = Loops(swf, Few, Many, limits={'Few': 2})
    execution = loops.client.starter(Many)()
    loops.decide()
    threads = [threading.Thread(target=loops.run_activity) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    loops.run()
    assert execution.status() == 'COMPLETED'
    assert max(most) == 2
