"""Activities that are functions, those that are `async def`, and what both say of later attempts."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import datetime, timedelta, timezone

import pytest

from genflow import (
    Activity,
    ActivityFailed,
    Client,
    DefinitionError,
    GiveUp,
    Retry,
    RetryLater,
    Workflow,
    activity,
    current_activity,
    workflow,
)
from genflow.local import LocalSWF, SystemClock
from genflow.swf.scanner import scan
from genflow.swf.worker.log_context import add_task
from genflow.swf.worker.worker import Worker
from genflow.testing import Tester, run_activity
from tests.swf.work import Loops, attributes

LONG = 60  # seconds after which a test that hangs is given up


@activity(name='PlainCharge', version=1, task_list='tl')
def charge(order: int, amount: float = 1.0) -> str:
    """Charges an order."""
    here = current_activity()
    here.heartbeat(f'order {order}')
    return f'{order}: {amount}'


@activity(name='PlainKey', version=1, task_list='tl')
def key(when: datetime) -> list[str]:
    here = current_activity()
    here.logger.info('asked')
    return [here.info.name, here.idempotency_key.partition(':')[2], type(when).__name__]


@activity(name='PlainFetch', version=1, task_list='tl')
async def fetch(url: str) -> str:
    await asyncio.sleep(0)
    return f'content of {url}, {threading.current_thread().name}'


class Shop(Workflow):
    charge = charge.proxy(retry=0)
    key = key.proxy(retry=0)
    fetch = fetch.proxy(retry=0)


@workflow('Shop', 1, 'tl')
class Sell(Shop):
    def run(self):
        return [
            (yield self.charge(7)),
            (yield self.charge(8, amount=2.5)),
            (yield self.key(datetime(2024, 1, 1, tzinfo=timezone.utc))),
        ]


# functions


def test_a_function_is_called_plainly():
    assert charge(7) == '7: 1.0'
    assert asyncio.run(fetch('x')).startswith('content of x')
    assert charge.__doc__ == 'Charges an order.'


def test_plainly_called_there_is_no_task():
    with pytest.raises(RuntimeError, match='has no task'):
        key(datetime(2024, 1, 1, tzinfo=timezone.utc))


def test_a_worker_runs_functions(swf, caplog):
    caplog.set_level(logging.INFO, 'genflow.activity')
    loops = Loops(swf, charge, key, fetch, Sell)
    execution = loops.client.starter(Sell)()
    loops.run()
    assert execution.result(0) == ['7: 1.0', '8: 2.5', ['PlainKey', '3', 'datetime']]
    (record,) = [record for record in caplog.records if record.message == 'asked']
    assert (record.name, record.workflow_id, record.run_id) == (
        'genflow.activity.PlainKey',
        execution.workflow_id,
        execution.run_id,
    )
    assert (record.activity_id, record.attempt) == ('3.1', 1)


def test_a_function_is_run_alone_by_the_test_tools():
    ran = run_activity(charge, 7, amount=3.0)
    assert (ran.result, ran.heartbeats) == ('7: 3.0', ['order 7'])
    assert run_activity(fetch, 'x').result.startswith('content of x')


def test_the_tester_runs_functions_where_a_stub_is_one():
    class Sale(Shop):
        def run(self):
            return [(yield self.charge(7)), (yield self.fetch('x'))]

    assert Tester(Sale, charge=charge, fetch='stub').run() == ['7: 1.0', 'stub']


def test_arguments_that_do_not_fit_fail_with_the_functions_signature(swf):
    ran = Sell.charge.task('a', 'b', 'c')
    assert ran.proxy.name == 'PlainCharge'
    with pytest.raises(TypeError):
        charge('a', 'b', 'c')


def test_a_scan_finds_functions():
    names = {spec.name for spec in scan('tests.swf.test_function_activities').activities}
    assert {'PlainCharge', 'PlainKey', 'PlainFetch'} <= names


def test_one_function_may_stand_for_two_types():
    @activity(name='PlainTwo', version=1, task_list='tl')
    @activity(name='PlainTwo', version=2, task_list='tl')
    def two():
        return 2

    assert [spec.version for spec in two.__genflow_specs__] == ['2', '1']
    assert two.proxy().version == '1'


def test_a_generator_function_is_refused():
    with pytest.raises(DefinitionError, match='has a `yield`, and an activity must not yield'):

        @activity(name='Gen', version=1, task_list='tl')
        def generator():
            yield 1


# async def


@activity(name='PlainMeet', version=1, task_list='tl')
class Meet(Activity):
    """Ends when as many have come as are expected: they have to run at the same time."""

    came = 0
    arrived = threading.Semaphore(0)
    all_here: asyncio.Event | None = None

    async def run(self, expected: int) -> str:
        cls = type(self)
        cls.all_here = cls.all_here or asyncio.Event()
        cls.came += 1
        cls.arrived.release()
        if cls.came == expected:
            cls.all_here.set()
        await cls.all_here.wait()
        return threading.current_thread().name


@workflow('Meeting', 1, 'tl')
class Meeting(Workflow):
    meet = Meet.proxy(retry=0)

    def run(self, expected):
        return (yield [self.meet(expected) for _ in range(expected)])


stopped = []
entered = threading.Event()


@activity(name='PlainForever', version=1, task_list='tl', heartbeat=1)
async def forever() -> None:
    entered.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        stopped.append(current_activity().info.name)
        raise


@workflow('Stopping', 1, 'tl')
class Stopping(Workflow):
    forever = forever.proxy(retry=0)

    def run(self):
        task = self.forever()
        yield self.sleep(1)
        task.cancel()
        yield self.sleep(2)  # longer than its worker takes to learn of it


@activity(name='PlainBroken', version=1, task_list='tl')
async def broken(how: str) -> None:
    if how == 'cancelled':
        raise asyncio.CancelledError
    logging.getLogger('users.own').warning('about to break')
    raise LookupError(how)


@workflow('Breaking', 1, 'tl')
class Breaking(Workflow):
    broken = broken.proxy(retry=0)

    def run(self, how):
        try:
            yield self.broken(how)
        except ActivityFailed as error:
            return error.reason


@pytest.fixture
def live():
    """A service whose time passes by itself."""
    with LocalSWF(clock=SystemClock(), synchronous='OFF', long_poll=0.1) as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        yield service


def working(service, *classes, **options):
    return Worker('d', 'tl', service, registry=classes, **options)


def test_many_async_activities_run_at_a_time_on_one_thread(live):
    Meet.came, Meet.all_here, Meet.arrived = 0, None, threading.Semaphore(0)
    with working(live, Meeting, Meet, activities=1):
        threads = Client('d', live).starter(Meeting)(30).result(LONG)
    assert threads == ['genflow-event-loop'] * 30


@pytest.mark.thorough
def test_no_more_async_activities_run_than_there_is_room_for(live):
    Meet.came, Meet.all_here, Meet.arrived = 0, None, threading.Semaphore(0)
    with working(live, Meeting, Meet, activities=1, async_activities=2):
        execution = Client('d', live).starter(Meeting)(3)
        assert all(Meet.arrived.acquire(timeout=LONG) for _ in range(2))
        with pytest.raises(TimeoutError):
            execution.result(0.5)
        assert Meet.came == 2


@pytest.mark.thorough
def test_a_limit_of_a_type_holds_for_async_activities(live):
    Meet.came, Meet.all_here, Meet.arrived = 0, None, threading.Semaphore(0)
    with working(live, Meeting, Meet, activities=1, activity_limits={'PlainMeet': 2}):
        execution = Client('d', live).starter(Meeting)(3)
        assert all(Meet.arrived.acquire(timeout=LONG) for _ in range(2))
        with pytest.raises(TimeoutError):
            execution.result(0.5)
        assert Meet.came == 2


def test_without_an_event_loop_an_async_activity_takes_a_thread(live):
    Meet.came, Meet.all_here, Meet.arrived = 0, None, threading.Semaphore(0)
    with working(live, Meeting, Meet, async_activities=0):
        assert Client('d', live).starter(Meeting)(1).result(LONG)[0].startswith('genflow-activity-')


@pytest.mark.thorough
def test_a_cancellation_is_asyncios(live):
    stopped.clear()
    with working(live, Stopping, forever) as worker:
        execution = Client('d', live).starter(Stopping)()
        execution.result(LONG)
        assert stopped == ['PlainForever']
        assert attributes(execution, 'ActivityTaskCanceled')
        assert worker.counts['activity canceled'] == 1


@pytest.mark.parametrize(('how', 'reason'), [('lost', 'LookupError: lost'), ('cancelled', 'CancelledError')])
def test_what_an_async_activity_raises_fails_it(live, how, reason, caplog):
    caplog.handler.addFilter(add_task)
    with working(live, Breaking, broken):
        execution = Client('d', live).starter(Breaking)(how)
        assert execution.result(LONG) == reason
    caplog.handler.removeFilter(add_task)
    own = [record.workflow_id for record in caplog.records if record.name == 'users.own']
    assert own == ([execution.workflow_id] if how == 'lost' else [])


def test_a_worker_that_stops_fails_async_activities(live):
    entered.clear()
    with working(live, Stopping, forever) as worker:
        execution = Client('d', live).starter(Stopping)()
        assert entered.wait(LONG)
    assert worker.counts['activity stopped'] == 1
    (failed,) = attributes(execution, 'ActivityTaskFailed')
    assert failed['reason'] == 'genflow.WorkerStopped'


# where an activity runs


@activity(name='PlainWhere', version=1, task_list='tl', start_to_close=50, schedule_to_start=100)
def where() -> list:
    info = current_activity().info
    return [info.task_list, info.own_list, info.identity, info.deadline.timestamp()]


@workflow('Placed', 1, 'tl')
class Placed(Workflow):
    where = where.proxy(retry=0)

    def run(self):
        first = yield self.where()
        return [first, (yield self.where.with_options(task_list=first[1], start_to_close=20)())]


def test_an_activity_knows_its_place_and_what_follows_finds_it(live):
    with working(live, Placed, where, own_list=True, identity='host-a') as worker:
        execution = Client('d', live).starter(Placed)()
        first, second = execution.result(LONG)
    assert first[:3] == ['tl', worker.own_list, 'host-a']
    assert second[:3] == [worker.own_list, worker.own_list, 'host-a']
    started = [e['eventTimestamp'] for e in execution.history() if e['eventType'] == 'ActivityTaskStarted']
    assert [first[3], second[3]] == [
        (started[0] + timedelta(seconds=50)).timestamp(),
        (started[1] + timedelta(seconds=20)).timestamp(),
    ]


@workflow('PlacedTwice', 1, 'tl')
class PlacedTwice(Workflow):
    where = where.proxy(retry=0)

    def run(self):
        return (yield [self.where(), self.where()])


def test_each_of_several_activities_at_a_time_knows_its_deadline(live):
    with working(live, PlacedTwice, where):
        execution = Client('d', live).starter(PlacedTwice)()
        found = {deadline for *_, deadline in execution.result(LONG)}
    started = [e['eventTimestamp'] for e in execution.history() if e['eventType'] == 'ActivityTaskStarted']
    assert found == {(moment + timedelta(seconds=50)).timestamp() for moment in started}


def test_two_workers_have_two_lists_of_their_own(live):
    first, second = (working(live, where, own_list=True) for _ in range(2))
    assert first.own_list != second.own_list
    assert working(live, where).own_list is None


# trying again


@pytest.mark.parametrize(
    ('error', 'retry', 'waits'),
    [
        (RetryLater(30), Retry(3, initial_interval=1, jitter=0), ['30', '30']),
        (RetryLater(timedelta(minutes=2)), 2, ['120', '120']),
        (RetryLater(1), Retry(3, initial_interval=5, backoff=1, jitter=0), ['5', '5']),
        (RetryLater(30), 0, []),
        (GiveUp('no such order'), Retry(5), []),
        (LookupError('x'), [Retry(5, on=KeyError), Retry(2, on=LookupError, initial_interval=9, jitter=0)], ['9']),
        (KeyError('x'), [Retry(3, on=KeyError, initial_interval=4, backoff=1, jitter=0), Retry(2)], ['4', '4']),
        (ValueError('x'), [Retry(5, on=KeyError), Retry(2, on=LookupError)], []),
    ],
)
def test_what_an_activity_raises_says_whether_and_when_it_is_tried_again(swf, error, retry, waits):
    class Fails(Activity):
        def run(self):
            raise error

    activity(name='PlainFails', version=1, task_list='tl')(Fails)

    class Tries(Workflow):
        fails = Fails.proxy(retry=retry)

        def run(self):
            try:
                yield self.fails()
            except ActivityFailed as failure:
                return failure.reason

    workflow('Tries', 1, 'tl')(Tries)
    loops = Loops(swf, Fails, Tries)
    execution = loops.client.starter(Tries)()
    loops.run()
    while execution.status() == 'OPEN':
        swf.clock.advance_to(swf.next_deadline() + timedelta(milliseconds=1))
        loops.run()
    assert [timer['startToFireTimeout'] for timer in attributes(execution, 'TimerStarted')] == waits
    assert execution.result(0).startswith(type(error).__name__)
    assert len(attributes(execution, 'ActivityTaskFailed')) == len(waits) + 1


@pytest.mark.parametrize('seconds', [-1, 'soon', True, float('nan'), 10**9])
def test_retry_later_takes_seconds(seconds):
    with pytest.raises(DefinitionError, match=r'RetryLater\(\) was given'):
        RetryLater(seconds)


@pytest.mark.parametrize('retry', [[], ['x'], 'x'])
def test_a_list_of_policies_has_policies(retry):
    with pytest.raises(DefinitionError, match=r'a Retry\(\.\.\.\) or a list of them'):
        charge.proxy(retry=retry)
