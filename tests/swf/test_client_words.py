"""What a program says to a client beside start, signal and result."""

from __future__ import annotations

import pickle
import threading
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from genflow import (
    Activity,
    ActivityProxy,
    AlreadyStarted,
    Client,
    DefinitionError,
    NotDecidedYet,
    Signal,
    Workflow,
    query,
)
from genflow.swf.scanner import activity, workflow
from tests.swf.work import Loops, attributes


@activity('WordsEcho', 1, 'tl')
class Echo(Activity):
    def run(self, value):
        return value


@workflow('WordsBasket', 1, 'tl')
class Basket(Workflow):
    echo = ActivityProxy('WordsEcho', 1)
    add = Signal()

    def run(self, first=None):
        self.items = [first]
        while True:
            item = yield self.add.get()
            if item is None:
                return self.items
            self.items.append(item)

    @query
    def shown(self):
        return self.items


@workflow('WordsOther', 1, 'tl')
class Other(Workflow):
    def run(self):
        yield self.sleep(5)


@workflow('WordsShop', 1, 'tl')
class Shop(Workflow):
    def run(self):
        yield self.sleep(0)
        self.set_status({'payment': 7})
        yield self.sleep(5)


@pytest.fixture
def loops(swf):
    return Loops(swf, Echo, Basket, Other, Shop)


# starting


def test_a_start_joins_the_execution_that_is_open(loops):
    first = loops.client.starter(Basket, workflow_id='b')('a')
    second = loops.client.starter(Basket, workflow_id='b', if_open='join')('b')
    assert (second.workflow_id, second.run_id) == ('b', first.run_id)


def test_a_start_that_may_join_starts_where_none_is_open(loops):
    first = loops.client.starter(Basket, workflow_id='b')('a')
    first.terminate()
    second = loops.client.starter(Basket, workflow_id='b', if_open='join')('b')
    loops.run()
    assert second.run_id != first.run_id
    assert second.query(Basket.shown) == ['b']


def test_if_open_has_two_values(loops):
    with pytest.raises(DefinitionError, match="if_open is 'ignore'"):
        loops.client.starter(Basket, if_open='ignore')


def test_already_started_survives_pickling():
    copy = pickle.loads(pickle.dumps(AlreadyStarted('b')))  # noqa: S301 - our own bytes
    assert (copy.workflow_id, str(copy)) == ('b', str(AlreadyStarted('b')))


def test_signal_with_start_starts_once_and_signals_each_time(loops):
    basket = loops.client.starter(Basket, workflow_id='b')
    first = basket.signal_with_start(Basket.add, 'x', 'a')
    second = basket.signal_with_start('add', 'y', 'not this one')
    loops.run()
    assert first.run_id == second.run_id
    assert first.query(Basket.shown) == ['a', 'x', 'y']


def test_signal_with_start_starts_anew_after_a_close(loops):
    basket = loops.client.starter(Basket, workflow_id='b')
    first = basket.signal_with_start(Basket.add, None, 'a')
    loops.run()
    assert first.result(0) == ['a']
    second = basket.signal_with_start(Basket.add, 'x', 'b')
    loops.run()
    assert second.query(Basket.shown) == ['b', 'x']


def test_signal_with_start_needs_a_workflow_id(loops):
    with pytest.raises(DefinitionError, match='needs a workflow id'):
        loops.client.starter(Basket).signal_with_start(Basket.add, 'x')


def test_signal_with_start_of_an_unknown_type_says_so(loops):
    with pytest.raises(ClientError, match='UnknownResource'):
        loops.client.starter('Nobody', version=1, workflow_id='b').signal_with_start('add', 'x')


def test_types_are_registered_before_any_worker_runs(swf):
    client = Client('d', swf)
    with pytest.raises(ClientError, match='UnknownResource'):
        client.starter(Basket)()
    client.register(Basket, Echo)
    client.register(Basket)
    assert client.starter(Basket)().status() == 'OPEN'
    assert [info['activityType']['name'] for info in _activity_types(swf)] == ['WordsEcho']


def _activity_types(swf):
    return swf.list_activity_types(domain='d', registrationStatus='REGISTERED')['typeInfos']


def test_only_what_is_decorated_is_registered(swf):
    with pytest.raises(DefinitionError, match='is decorated neither'):
        Client('d', swf).register(Workflow)


# listing


@pytest.fixture
def listed(loops):
    """Two open executions, two that were terminated, and one that completed."""
    clock = loops.swf.clock
    for number, (cls, tags) in enumerate([(Basket, ('red',)), (Other, ('red',)), (Basket, ()), (Other, ())]):
        execution = loops.client.starter(cls, workflow_id=f'e{number}', tags=tags)()
        if number >= 2:
            execution.terminate()
        clock.advance(60)
    basket = loops.client.starter(Basket, workflow_id='e4', tags=('red', 'done'))()
    basket.signal('add')
    loops.run()
    assert basket.status() == 'COMPLETED'
    return loops.client


@pytest.mark.parametrize(
    ('filters', 'expected'),
    [
        ({}, ['e1', 'e0', 'e4', 'e3', 'e2']),
        ({'open': True}, ['e1', 'e0']),
        ({'open': False}, ['e4', 'e3', 'e2']),
        ({'workflow': Basket}, ['e0', 'e4', 'e2']),
        ({'workflow': 'WordsOther', 'open': False}, ['e3']),
        ({'workflow': 'WordsOther', 'version': 2}, []),
        ({'tag': 'red'}, ['e1', 'e0', 'e4']),
        ({'tag': 'red', 'workflow': Basket}, ['e0', 'e4']),
        ({'tag': 'red', 'workflow': Basket, 'status': 'COMPLETED'}, ['e4']),
        ({'status': 'TERMINATED'}, ['e3', 'e2']),
        ({'status': 'TERMINATED', 'workflow': Other}, ['e3']),
        ({'status': 'OPEN'}, ['e1', 'e0']),
        ({'status': 'OPEN', 'open': False}, []),
    ],
)
def test_executions_are_listed_by_every_filter_given(listed, filters, expected):
    assert [execution.workflow_id for execution in listed.executions(**filters)] == expected


def test_executions_are_listed_since_a_time(listed):
    times = {one.workflow_id: one.history()[0]['eventTimestamp'] for one in listed.executions()}
    found = {one.workflow_id for one in listed.executions(since=times['e2'])}
    assert found == {'e2', 'e3', 'e4'}


def test_a_listed_execution_knows_its_class(listed):
    (basket,) = listed.executions(workflow=Basket, open=True)
    assert basket.query(Basket.shown) == [None]


@pytest.mark.parametrize(
    ('filters', 'message'),
    [
        ({'status': 'DONE'}, "status is 'DONE'; it must be one of OPEN, COMPLETED"),
        ({'workflow': Workflow}, 'is not decorated'),
    ],
)
def test_a_wrong_filter_is_refused_at_once(listed, filters, message):
    with pytest.raises(DefinitionError, match=message):
        listed.executions(**filters)


def test_pages_are_read_on(loops):
    for number in range(3):
        loops.client.starter(Other, workflow_id=f'e{number}')()
    service = loops.client.service
    pages = []

    class Small:
        connection = service.connection

        def call(self, operation, **request):
            pages.append(operation)
            return service.call(operation, **request, maximumPageSize=1)

    client = Client('d', service=Small())
    assert len(list(client.executions(open=True))) == 3
    assert len(pages) >= 3


# waiting


def test_a_query_waits_for_the_first_decision(loops):
    execution = loops.client.starter(Basket)('a')
    with pytest.raises(NotDecidedYet):
        execution.query(Basket.shown)
    deciding = threading.Timer(0.1, loops.run)
    deciding.start()
    assert execution.query(Basket.shown, wait=timedelta(seconds=20)) == ['a']
    deciding.join()


def test_a_query_that_waits_in_vain_says_what_it_waited_for(loops):
    with pytest.raises(NotDecidedYet):
        loops.client.starter(Basket)('a').query(Basket.shown, wait=0.05)


def test_wait_gives_the_state_at_any_close(loops):
    execution = loops.client.starter(Basket)('a')
    assert execution.wait('OPEN') == 'OPEN'
    with pytest.raises(TimeoutError, match='is still open'):
        execution.wait(timeout=0)
    with pytest.raises(TimeoutError, match='is still open'):
        execution.wait('COMPLETED', timeout=timedelta(0))
    execution.terminate()
    assert execution.wait() == 'TERMINATED'
    assert execution.wait('COMPLETED') == 'TERMINATED'


def test_wait_refuses_a_state_that_there_is_not(loops):
    with pytest.raises(DefinitionError, match="'DONE' is not a state"):
        loops.client.starter(Basket)('a').wait('DONE')


# terminating


def test_terminate_says_why_in_full_and_what_becomes_of_children(loops):
    execution = loops.client.starter(Basket)('a')
    execution.terminate('enough', details='x' * 40_000, child_policy='ABANDON')
    (said,) = attributes(execution, 'WorkflowExecutionTerminated')
    assert (said['reason'], said['childPolicy'], len(said['details'])) == ('enough', 'ABANDON', 32_768)


def test_terminate_refuses_an_unknown_policy(loops):
    with pytest.raises(DefinitionError, match="child_policy is 'KEEP'"):
        loops.client.starter(Basket)('a').terminate(child_policy='KEEP')


def test_a_status_that_a_workflow_will_set_is_waited_for(loops):
    """What a workflow publishes; without a wait, what is there."""
    execution = loops.client.starter(Shop)()
    assert execution.context() is None
    deciding = threading.Timer(0.05, loops.run)
    deciding.start()
    assert execution.context(wait=timedelta(seconds=20)) == {'payment': 7}
    deciding.join()
    assert execution.context() == {'payment': 7}


def test_a_wait_for_a_status_ends_with_the_execution_or_the_time(loops):
    execution = loops.client.starter(Basket)('a')
    assert execution.context(wait=0.05) is None
    execution.terminate()
    assert execution.context(wait=20) is None
