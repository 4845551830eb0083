"""Middleware: reached in live decisions only, once for what SWF accepted; its headers go where they should."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from contextlib import contextmanager

import pytest

from genflow import (
    Activity,
    AsyncClient,
    Client,
    DefinitionError,
    Middleware,
    Retry,
    Signal,
    SuspendTask,
    Workflow,
    run,
)
from genflow.core.payloads.envelopes import opened
from genflow.local import LocalSWF, SystemClock
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker.points import DecisionPoints
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.swf.worker.worker import Worker
from genflow.testing import replay
from tests.swf.work import Loops, attributes, registry_of

LONG = 60


@activity('Charge', 1, 'tl')
class Charge(Activity):
    def run(self, amount):
        if self.info.attempt == 1:
            raise ValueError('declined')
        return amount


@activity('Ship', 1, 'tl')
class Ship(Activity):
    async def run(self, amount):
        await asyncio.sleep(0)
        return amount


@workflow('Parcel', 1, 'tl')
class Parcel(Workflow):
    ship = Ship.proxy()

    def run(self, amount):
        return (yield self.ship(amount))


@workflow('Order', 1, 'tl')
class Order(Workflow):
    charge = Charge.proxy(retry=Retry(3, initial_interval=0))
    parcel = Parcel.proxy()
    go = Signal()

    def run(self, amount, rounds=1):
        yield self.charge(amount)
        yield self.sleep(0)
        yield self.parcel(amount)
        if rounds:
            return self.restart(amount, rounds - 1)
        return amount


CLASSES = (Charge, Ship, Parcel, Order)
REGISTRY = registry_of(*CLASSES)

ORDER = [
    ('scheduled', 'Order', 'activity', '1.1'),
    ('started', 'Order'),
    ('decided', 'Order', ['1.1'], None),
    ('activity', 'Charge', '1.1', 'failed'),
    ('scheduled', 'Order', 'activity', '1.2'),
    ('decided', 'Order', ['1.2'], None),
    ('activity', 'Charge', '1.2', 'completed'),
    ('scheduled', 'Order', 'timer', '2'),
    ('decided', 'Order', ['2'], None),
    ('scheduled', 'Order', 'child', '3.1'),
    ('decided', 'Order', ['3.1'], None),
]
RESTARTS = [
    ('scheduled', 'Order', 'restart', ''),
    ('decided', 'Order', [''], 'continued'),
    ('closed', 'Order', 'continued'),
]
COMPLETES = [('decided', 'Order', [], 'completed'), ('closed', 'Order', 'completed')]
PARCEL = [
    ('scheduled', 'Parcel', 'activity', '1.1'),
    ('started', 'Parcel'),
    ('decided', 'Parcel', ['1.1'], None),
    ('activity', 'Ship', '1.1', 'completed'),
    ('decided', 'Parcel', [], 'completed'),
    ('closed', 'Parcel', 'completed'),
]
"""What runs tell; whether a child's start and its end are seen by one decision or by two is chance."""


def without_chance(told):
    """What a run tells: its decisions in order, and its activities, which other threads run at the same time."""
    told = [one for one in told if one != ('decided', 'Order', [], None)]
    return [one for one in told if one[0] != 'activity'], [one for one in told if one[0] == 'activity']


class Telling(Middleware):
    """Notes what it is told, and sends a header that says the way to where it is read."""

    def __init__(self):
        self.told = []
        self.runs = {}
        self.ways = {}

    def tell(self, run_id, *what):
        self.told.append(what)
        self.runs.setdefault(run_id, []).append(what)

    @contextmanager
    def client_call(self, call):
        call.headers['way'] = call.name or ''
        yield
        self.told.append(('call', call.operation, call.name))

    def workflow_started(self, run):
        self.tell(run.info.run_id, 'started', run.info.name)
        self.ways.setdefault(run.info.name, run.headers.get('way'))

    def scheduled(self, operation):
        info = operation.run.info
        self.tell(info.run_id, 'scheduled', info.name, operation.kind, operation.id)
        operation.headers['way'] = f'{operation.run.headers.get("way")}>{operation.id or "restart"}'

    def workflow_closed(self, close):
        assert close.events[-1]['eventId'] > close.decision.started_id
        self.tell(close.run.info.run_id, 'closed', close.run.info.name, close.outcome)

    def decided(self, decision):
        close = None if decision.close is None else decision.close.outcome
        ids = [one.id for one in decision.scheduled]
        assert all(event['eventId'] > decision.previous_id for event in decision.new_events)
        self.tell(decision.run.info.run_id, 'decided', decision.run.info.name, ids, close)

    @contextmanager
    def activity(self, attempt):
        assert attempt.outcome is None
        yield
        self.tell(attempt.run_id, 'activity', attempt.name, attempt.id, attempt.outcome)
        self.ways[attempt.name, attempt.id] = attempt.headers.get('way')


@pytest.fixture
def live():
    with LocalSWF(clock=SystemClock(), synchronous='OFF', long_poll=0.1) as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        yield service


@contextmanager
def work(service, middleware, registry=REGISTRY, **options):
    """A worker that finishes what it has taken, and what it tells of it, before it stops."""
    worker = Worker('d', 'tl', service, registry=registry, middleware=middleware, **options)
    worker.start()
    try:
        yield worker
    finally:
        worker.drain(LONG)
        worker.wait()


MODES = {
    'kept': {},
    'cold': {'sticky': False, 'cache': StickyCache(max_executions=0)},
    'evicted': {'cache': StickyCache(max_executions=0)},
    'no event loop': {'async_activities': 0},
}


def finish(live, middleware, *args, **options):
    with work(live, middleware, **options):
        started = Client('d', live, middleware=middleware).starter(Order)(*args)
        result = started.result(LONG)
    return started, result


@pytest.mark.parametrize('options', MODES.values(), ids=MODES)
def test_each_point_is_reached_once_in_order(live, options):
    telling = Telling()
    _, result = finish(live, telling, 7, 1, **options)
    assert result == 7
    runs = [without_chance(told) for told in telling.runs.values()]
    expected = [without_chance(told) for told in (ORDER + RESTARTS, ORDER + COMPLETES, PARCEL, PARCEL)]
    assert sorted(runs, key=str) == sorted(expected, key=str)
    assert telling.told.count(('call', 'start', 'Order')) == 1


def test_headers_lead_from_the_starter_to_the_last_activity_and_the_next_run(live):
    telling = Telling()
    started, _ = finish(live, telling, 7)
    assert telling.ways == {
        'Order': 'Order',
        ('Charge', '1.1'): 'Order>restart>1.1',
        ('Charge', '1.2'): 'Order>restart>1.2',
        'Parcel': 'Order>3.1',
        ('Ship', '1.1'): 'Order>restart>3.1>1.1',
    }
    latest = Client('d', live).execution(started.workflow_id)
    [begun] = attributes(latest, 'WorkflowExecutionStarted')
    assert opened(begun['input']) == ({'way': 'Order>restart'}, '[[7,0],{}]')


def test_a_replay_calls_nothing(live):
    telling = Telling()
    started, _ = finish(live, telling, 7)
    told = list(telling.told)
    for _ in range(3):
        replay(started.history(), Order)
    assert telling.told == told


def test_a_history_has_no_headers_where_nobody_sends_any(live):
    class Watching(Middleware):
        pass

    started, _ = finish(live, Watching(), 7)
    inputs = [
        said['input']
        for kind in ('WorkflowExecutionStarted', 'ActivityTaskScheduled', 'StartChildWorkflowExecutionInitiated')
        for said in attributes(started, kind)
    ]
    assert len(inputs) == 4
    assert all(text.startswith('[[7') for text in inputs)


def test_a_run_with_headers_continues_with_a_worker_that_has_no_middleware(live):
    telling = Telling()
    started, result = finish_without(live, telling, 7)
    assert result == 7
    latest = Client('d', live).execution(started.workflow_id)
    assert opened(attributes(latest, 'WorkflowExecutionStarted')[0]['input'])[0] == {'way': 'Order'}


def finish_without(live, middleware, *args):
    """The client has middleware, the worker has none."""
    with work(live, ()):
        started = Client('d', live, middleware=middleware).starter(Order)(*args)
        return started, started.result(LONG)


def test_a_worker_may_begin_to_send_headers_while_an_execution_runs(swf):
    without = Loops(swf, *CLASSES, task_list='tl')
    telling = Telling()
    with_them = Loops(swf, *CLASSES, task_list='tl', points=DecisionPoints((telling,)))
    started = without.client.starter(Order)(7, 0)
    for loops in (without, with_them, without, with_them, without, with_them) * 4:
        loops.decide()
        loops.run_activity()
        swf.clock.advance(1)
    assert started.result(LONG) == 7
    inputs = [said['input'] for said in attributes(started, 'ActivityTaskScheduled')]
    assert len({text.startswith('{"genflow.headers"') for text in inputs}) == 2


def test_a_close_that_swf_refuses_is_no_close(swf):
    """A signal comes while the last decision is made: SWF takes the answer and refuses the close in it."""

    @workflow('Late', 1, 'tl')
    class Late(Workflow):
        go = Signal()

        def run(self):
            self.sleep(0)

    telling = Telling()
    loops = Loops(swf, Late, points=DecisionPoints((telling,)))
    started = loops.client.starter(Late)()
    task = loops.poller('tl').decision_task()
    started.signal('go', 1)
    loops.decider.handle(task)
    assert ('closed', 'Late', 'completed') not in telling.told
    loops.run()
    assert [one for one in telling.told if one[0] == 'closed'] == [('closed', 'Late', 'completed')]
    assert [one[3] for one in telling.told if one[0] == 'decided'] == [None, 'completed']


def test_an_answer_that_comes_too_late_is_told_of_by_who_comes_after(swf):
    telling = Telling()
    loops = Loops(swf, *CLASSES, points=DecisionPoints((telling,)))
    loops.client.starter(Order, decision_duration=5)(7)
    task = loops.poller('tl').decision_task()
    swf.clock.advance(6)
    loops.decider.handle(task)
    assert telling.told == [('scheduled', 'Order', 'activity', '1.1')]
    loops.decide()
    assert telling.told[1:] == [
        ('scheduled', 'Order', 'activity', '1.1'),
        ('started', 'Order'),
        ('decided', 'Order', ['1.1'], None),
    ]


def test_what_is_sent_in_portions_is_decided_once(swf):
    @workflow('Many', 1, 'tl')
    class Many(Workflow):
        ship = Ship.proxy()

        def run(self):
            yield [self.ship(number) for number in range(150)]

    telling = Telling()
    loops = Loops(swf, Many, Ship, points=DecisionPoints((telling,)))
    loops.client.starter(Many)()
    for _ in range(2):
        loops.decide()
        swf.clock.advance(1)
    ids = [one for kind, _, ids, _ in (told for told in telling.told if told[0] == 'decided') for one in ids]
    assert ids == [f'{number}.1' for number in range(1, 151)]


def test_middleware_that_fails_before_an_answer_holds_the_execution(swf):
    class Failing(Middleware):
        broken = True

        def scheduled(self, operation):
            if self.broken:
                raise LookupError('no tenant')

    failing = Failing()
    loops = Loops(swf, *CLASSES, points=DecisionPoints((failing,)))
    loops.client.starter(Order, decision_duration=5)(7)
    loops.decide()
    assert [str(error) for error in loops.decider.held.values()] == ['no tenant']
    failing.broken = False
    swf.clock.advance(6)
    loops.decide()
    assert loops.decider.held == {}


def test_middleware_that_fails_afterwards_is_logged_and_stops_nothing(live, caplog):
    class Failing(Telling):
        def workflow_started(self, run):
            raise LookupError('started')

        def workflow_closed(self, close):
            raise LookupError('closed')

        @contextmanager
        def activity(self, attempt):
            yield
            raise LookupError('activity')

    telling = Telling()
    _, result = finish(live, [Failing(), telling], 7, 0)
    assert result == 7
    assert ('closed', 'Order', 'completed') in telling.told
    assert {str(record.exc_info[1]) for record in caplog.records if record.exc_info} >= {'started', 'closed'}
    assert any('middleware failed after Charge 1.1' in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize('kind', ['thread', 'event loop'])
def test_middleware_may_refuse_an_attempt(live, kind):
    class Refusing(Middleware):
        @contextmanager
        def activity(self, attempt):
            if attempt.name == {'thread': 'Charge', 'event loop': 'Ship'}[kind]:
                raise PermissionError('not for you')
            yield

    with work(live, Refusing()):
        started = Client('d', live).starter(Order)(7)
        with pytest.raises(Exception, match='not for you'):
            started.result(LONG)


def test_what_an_activity_leaves_is_suspended_and_what_stops_is_canceled(swf):
    outcomes = []

    class Outcomes(Middleware):
        @contextmanager
        def activity(self, attempt):
            yield
            outcomes.append((attempt.name, attempt.outcome, attempt.reason))

    @activity('Leave', 1, 'tl')
    class Leave(Activity):
        def run(self):
            raise SuspendTask

    @activity('Break', 1, 'tl')
    class Break(Activity):
        def run(self):
            raise KeyError('x')

    @workflow('Both', 1, 'tl')
    class Both(Workflow):
        leave, broken = Leave.proxy(), Break.proxy()

        def run(self):
            yield [self.leave(), self.broken()]

    loops = Loops(swf, Both, Leave, Break)
    loops.performer.middleware = (Outcomes(),)
    loops.client.starter(Both)()
    loops.run()
    assert outcomes == [('Leave', 'suspended', None), ('Break', 'failed', "KeyError: 'x'")]


def test_the_first_middleware_is_the_outermost(live):
    told = []

    class Named(Middleware):
        def __init__(self, name):
            self.name = name

        @contextmanager
        def activity(self, attempt):
            told.append(f'{self.name} in')
            yield
            told.append(f'{self.name} out')

        @contextmanager
        def client_call(self, call):
            told.append(f'{self.name} calls')
            yield

    stack = [Named('outer'), Named('inner')]
    with work(live, stack):
        Client('d', live, middleware=stack).starter(Parcel)(1).result(LONG)
    assert told == ['outer calls', 'inner calls', 'outer in', 'inner in', 'inner out', 'outer out']


def test_calls_of_a_client_are_surrounded_with_their_names_and_failures(swf):
    calls = []

    class Calls(Middleware):
        @contextmanager
        def client_call(self, call):
            try:
                yield
            except Exception as error:
                calls.append((call.operation, call.name, type(error).__name__))
                raise
            calls.append((call.operation, call.name, call.run_id is not None))

    loops = Loops(swf, *CLASSES)
    client = Client('d', swf, middleware=Calls())
    started = client.starter(Order, workflow_id='w')(7)
    started.signal(Order.go, 1)
    started.cancel()
    started.terminate()
    with pytest.raises(Exception, match='Unknown'):
        started.signal('go')
    client.starter(Order, workflow_id='v').signal_with_start('go', 1, 7)
    assert loops.client.execution('v').status() == 'OPEN'
    assert calls == [
        ('start', 'Order', True),
        ('signal', 'go', True),
        ('cancel', None, True),
        ('terminate', None, True),
        ('signal', 'go', 'UnknownResourceFault'),
        ('signal', 'go', 'UnknownResourceFault'),
        ('start', 'Order', True),
        ('signal', 'go', False),
    ]


def test_the_async_client_calls_in_the_context_of_its_caller(swf):
    current = contextvars.ContextVar('current', default='nobody')
    seen = []

    class Seeing(Middleware):
        @contextmanager
        def client_call(self, call):
            seen.append(current.get())
            yield

    async def start():
        current.set('somebody')
        async with AsyncClient('d', swf, middleware=Seeing()) as client:
            await client.starter(Order)(7)

    Loops(swf, *CLASSES)
    asyncio.run(start())
    assert seen == ['somebody']


def test_run_takes_middleware():
    telling = Telling()
    assert run(Order, 7, 0, middleware=telling) == 7
    assert ('call', 'start', 'Order') in telling.told
    assert ('closed', 'Order', 'completed') in telling.told


@pytest.mark.thorough
def test_a_run_that_was_traced_is_found_again_by_its_arguments(tmp_path):
    file = tmp_path / 'x.db'
    assert run(Order, 7, 0, db=file, workflow_id='w', middleware=Telling()) == 7
    telling = Telling()
    assert run(Order, 7, 0, db=file, workflow_id='w', middleware=telling) == 7
    assert telling.told == []


@pytest.mark.parametrize('wrong', [Middleware, object(), [Telling(), 3]])
def test_what_is_no_middleware_is_refused(swf, wrong):
    with pytest.raises(DefinitionError, match=r'is not a genflow\.Middleware'):
        Client('d', swf, middleware=wrong if isinstance(wrong, list) else [wrong])


def test_loggers_are_quiet_about_what_went_well(live, caplog):
    caplog.set_level(logging.WARNING)
    finish(live, Telling(), 7, 0)
    assert caplog.records == []
