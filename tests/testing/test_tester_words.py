"""What a test asks the tester beside results: queries, calls, other executions, types that data names."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityProxy,
    NotDecidedYet,
    Retry,
    Signal,
    UpdateFailed,
    UpdateRefused,
    Workflow,
    WorkflowProxy,
    activity,
    query,
    update,
    workflow,
)
from genflow.testing import Fail, Script, Stuck, Tester, TesterError


@activity(name='Pack', version=1, task_list='orders')
def pack(order):
    return f'parcel {order}'


@workflow('Courier', 1, 'orders')
class Courier(Workflow):
    go = Signal()

    def run(self, parcel):
        self.where = 'depot'
        told = yield self.go.get()
        self.where = told
        if told == 'report':
            yield self.external('order').signal('delivered', parcel)
        return f'{parcel} at {told}'

    @query
    def shown(self):
        return self.where


class Order(Workflow):
    pack = pack.proxy(retry=Retry(2, initial_interval=0))
    deliver = Courier.proxy(retry=0)
    delivered = Signal()

    def run(self, order):
        self.state = 'packing'
        parcel = yield self.pack(order)
        self.state = 'on its way'
        child = self.deliver.with_options(workflow_id='courier')(parcel)
        yield self.sleep(1)
        return (yield child)

    @query
    def shown(self, prefix=''):
        return prefix + self.state


def test_a_query_is_answered_from_the_last_decision():
    tester = Tester(Order).start(7)
    with pytest.raises(NotDecidedYet):
        tester.query(Order.shown)
    tester.advance(seconds=5)
    assert tester.query(Order.shown) == 'on its way'
    assert tester.query('shown', prefix='it is ') == 'it is on its way'
    with pytest.raises(AttributeError):
        tester.query('nothing')


@pytest.mark.parametrize('sticky', [False, True])
def test_a_query_disturbs_nothing(sticky):
    tester = Tester(Order, sticky=sticky).start(7).advance(seconds=5)
    tester.query(Order.shown)
    assert tester.signal('go', 'home', workflow_id='courier').result() == 'parcel 7 at home'


def test_the_calls_are_told_in_order():
    tester = Tester(Order, pack=Script(Fail('broken'), 'a box'), deliver='there')
    assert tester.run(7) == 'there'
    assert tester.calls == [Order.pack.task(7), Order.deliver.task('a box')]


@pytest.mark.thorough
def test_the_calls_of_earlier_runs_are_told_too():
    class Pages(Workflow):
        load = ActivityProxy('Load', '1', heartbeat=5)

        def run(self, page):
            yield self.load(page)
            if page < 2:
                return self.restart(page + 1)

    tester = Tester(Pages, load=None)
    tester.run(0)
    assert tester.calls == [Pages.load.task(page) for page in range(3)]


def test_a_child_is_signaled_by_its_id():
    tester = Tester(Order).start(7).advance(seconds=5).signal(Courier.go, 'the door', workflow_id='courier')
    assert tester.result() == 'parcel 7 at the door'


def test_a_signal_to_no_open_execution_is_refused():
    with pytest.raises(TesterError, match="no execution with the workflow id 'courier' is open"):
        Tester(Order).start(7).signal('go', workflow_id='courier')


def test_another_execution_is_started_beside():
    class Waits(Workflow):
        delivered = Signal()

        def run(self):
            return (yield self.delivered.get())

    tester = Tester(Waits, workflow_id='order').start().start_other(Courier, 'box', workflow_id='other')
    tester.advance(seconds=1)
    assert tester.client.execution('other', workflow=Courier).query(Courier.shown) == 'depot'
    tester.signal('go', 'report', workflow_id='other')
    assert tester.result() == 'box'
    assert tester.client.execution('other').wait('OPEN') == 'OPEN'  # nothing happens once the tested one has ended


def test_another_execution_takes_what_its_run_takes():
    with pytest.raises(TypeError, match='do not fit'):
        Tester(Order).start(7).start_other(Courier, workflow_id='other')
    with pytest.raises(TesterError, match='is not decorated'):
        Tester(Order).start(7).start_other(Order, 8, workflow_id='other')


STEPS = {'pack': ActivityProxy('Pack', '1'), 'scan': ActivityProxy('Scan', '1'), 'ship': WorkflowProxy('Ship', '1')}


class Pipeline(Workflow):
    def run(self, steps):
        return (yield [self.bind(STEPS[name])(name) for name in steps])


def test_what_data_names_is_run_or_stubbed():
    tester = Tester(Pipeline, stubs={STEPS['scan']: lambda name: name.upper(), STEPS['ship']: 'gone'})
    assert tester.run(['pack', 'scan', 'ship']) == ['parcel pack', 'SCAN', 'gone']
    assert tester.calls == [STEPS['pack'].task('pack'), STEPS['scan'].task('scan'), STEPS['ship'].task('ship')]


def test_what_data_names_and_nobody_plays_is_reported():
    with pytest.raises(TesterError, match='the activity Scan 1 was scheduled, which has neither a stub'):
        Tester(Pipeline).run(['scan'])


def test_a_function_may_be_the_key_of_its_stub():
    assert Tester(Order, stubs={pack: 'box', Courier: 'there'}).run(7) == 'there'


def test_a_workflow_that_binds_takes_stubs_by_function_class_and_type():
    stubs = {pack: 'box', ('Scan', '1'): 'seen', STEPS['ship']: 'gone'}
    assert Tester(Pipeline, stubs=stubs).run(['pack', 'scan', 'ship']) == ['box', 'seen', 'gone']
    with pytest.raises(TesterError, match='nothing here calls'):
        Tester(Order, stubs={('Scan', '1'): 'seen'})


@workflow('Cluster', 1, 'orders')
class Cluster(Workflow):
    prepare = ActivityProxy('Prepare', 1, retry=0)

    def run(self, nodes):
        self.free, self.over = list(nodes), False
        yield self.until(lambda: self.over)
        yield self.sleep(0)
        return self.free

    @update
    def assign(self, job):
        node = self.free.pop(0)
        yield self.prepare(node, job)
        yield self.sleep(600)
        return node

    @assign.validator
    def has_room(self, job):
        if not self.free:
            raise LookupError('no node is free')

    @update
    def close(self):
        self.over = True

    @update
    def never(self):
        yield self.future()


def test_an_update_is_played_until_its_reply():
    tester = Tester(Cluster, prepare='ready').start(['a', 'b'])
    assert tester.update(Cluster.assign, 'x') == 'a'
    assert tester.now.minute == 10
    assert tester.calls == [Cluster.prepare.task('a', 'x')]
    assert tester.update('assign', job='y', update_id='y') == 'b'
    assert tester.update(Cluster.assign, 'y', update_id='y') == 'b'
    with pytest.raises(UpdateRefused, match='no node is free'):
        tester.update(Cluster.assign, 'z')
    tester.update(Cluster.close)
    assert tester.result() == []
    with pytest.raises(TesterError, match="no execution with the workflow id 'workflow-1' is open"):
        tester.update(Cluster.close)


def test_an_update_that_fails_or_is_never_answered_says_so():
    tester = Tester(Cluster, prepare=Fail('broken')).start(['a'])
    with pytest.raises(UpdateFailed, match='broken'):
        tester.update(Cluster.assign, 'x')
    with pytest.raises(Stuck, match="the update 'never' has no reply"):
        tester.update(Cluster.never)
    with pytest.raises(UpdateFailed, match="has no update 'assing'"):
        tester.update('assing', 'x')


def test_another_execution_is_asked_by_its_id():
    tester = Tester(Order).start(1).start_other(Cluster, ['a'], workflow_id='cluster')
    tester.update(Cluster.close, workflow_id='cluster')
    with pytest.raises(TesterError, match="'nobody' is open"):
        tester.update(Cluster.close, workflow_id='nobody')


def test_it_forgets_nothing_however_far_time_goes():
    tester = Tester(Order).start(1).advance(seconds=2)
    tester.signal('go', 'home', workflow_id='courier')
    assert tester.result() == 'parcel 1 at home'
    tester.advance(days=365)
    assert tester.result() == 'parcel 1 at home'
    assert tester.query(Order.shown) == 'on its way'
    assert tester.calls[0] == Order.pack.task(1)
    assert tester.history.closed == 'WorkflowExecutionCompleted'
    assert tester.client.execution('courier').status() == 'COMPLETED'
