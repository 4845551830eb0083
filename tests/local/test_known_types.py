"""Programs that share a file and a task list, and not their code: tasks go to a process that knows their types."""

from __future__ import annotations

import threading
import time

import pytest

from genflow.local import LocalSWF
from genflow.local.state.task_lists import TaskQueue
from tests.local.domain import ACTIVITY_DEFAULTS, COMPLETE, WORKFLOW_DEFAULTS, Domain, decision, schedule
from tests.local.other_process import OtherProcess

SECOND = {'name': 'second', 'version': '1'}


@pytest.fixture
def two(path):
    """Two parts in one file: the first knows ``wf`` and ``act``, the other one ``second``."""
    with LocalSWF(path, synchronous='NORMAL', long_poll=0) as first, LocalSWF(path, long_poll=0) as other:
        first.declare_types(workflows=[('wf', '1')], activities=[('act', '1')])
        other.declare_types(workflows=[('second', '1')], activities=[('second', '1')])
        register(Domain(first).prepare())
        yield Domain(first), Domain(other)


def register(domain):
    domain.swf.register_workflow_type(domain='dom', **SECOND, **WORKFLOW_DEFAULTS)
    domain.swf.register_activity_type(domain='dom', **SECOND, **ACTIVITY_DEFAULTS)


def seconds_activity(name):
    return decision('ScheduleActivityTask', activityId=name, activityType=SECOND)


@pytest.mark.thorough
def test_a_task_goes_to_the_process_that_knows_its_type(two):
    """Whoever polls first, and though tasks of the other type are older."""
    first, other = two
    first.start('a', workflowType=SECOND)
    first.start('b')
    assert first.poll_decision()['workflowExecution']['workflowId'] == 'b'
    assert 'taskToken' not in first.poll_decision()
    task = other.poll_decision()
    assert task['workflowExecution']['workflowId'] == 'a'
    other.respond(task, schedule('x'), seconds_activity('y'))
    assert [domain.poll_activity()['activityId'] for domain in (other, first)] == ['y', 'x']
    assert all('taskToken' not in domain.poll_activity() for domain in two)


@pytest.mark.thorough
@pytest.mark.parametrize('waits_in', ['first', 'other'])
def test_the_poll_that_waits_is_woken_where_the_type_is_known(path, waits_in):
    """The leader's own poll and one of a follower; the one that has waited longer does not know the type."""
    with LocalSWF(path, synchronous='NORMAL', long_poll=30) as first, LocalSWF(path, long_poll=30) as other:
        first.declare_types(workflows=[('wf', '1')], activities=[])
        other.declare_types(workflows=[('second', '1')], activities=[])
        register(Domain(first).prepare())
        names = {'first': 'wf', 'other': 'second'}
        found = {}

        def poll(name, swf):
            found[name] = Domain(swf).poll_decision()['workflowType']['name']

        threads = {
            name: threading.Thread(target=poll, args=(name, swf)) for name, swf in (('first', first), ('other', other))
        }
        order = [name for name in threads if name != waits_in] + [waits_in]
        for name in order:
            threads[name].start()
        for name in reversed(order):
            Domain(first).start(name, workflowType={'name': names[name], 'version': '1'})
            threads[name].join(60)
            assert found[name] == names[name]


@pytest.mark.thorough
def test_a_type_that_nobody_has_declared_is_anybody_s(two):
    first, other = two
    other.swf.close()
    first.start('a', workflowType=SECOND)
    until = time.monotonic() + 60
    while 'workflowExecution' not in (task := first.poll_decision()):  # it hears a little later who has left
        assert time.monotonic() < until
    assert task['workflowExecution']['workflowId'] == 'a'


@pytest.mark.thorough
def test_who_declares_nothing_takes_everything(two, path):
    first, _ = two
    first.start('a', workflowType=SECOND)
    with LocalSWF(path, long_poll=0) as third:
        assert Domain(third).poll_decision()['workflowExecution']['workflowId'] == 'a'


@pytest.mark.thorough
def test_what_only_a_process_knew_that_has_left_goes_to_a_poll_that_waits(path):
    with LocalSWF(path, synchronous='NORMAL', long_poll=30) as first:
        first.declare_types(workflows=[('wf', '1')], activities=[])
        domain = register(Domain(first).prepare()) or Domain(first)
        other = LocalSWF(path)
        other.declare_types(workflows=[('second', '1')], activities=[])
        domain.start('a', workflowType=SECOND)
        tasks = []
        thread = threading.Thread(target=lambda: tasks.append(domain.poll_decision()))
        thread.start()
        other.close()
        thread.join(60)
        assert tasks[0]['workflowExecution']['workflowId'] == 'a'


@pytest.mark.thorough
def test_a_process_that_comes_gets_what_another_holds_that_cannot_do_it(two, path):
    first, other = two
    other.swf.close()
    execution = first.start('a', workflowType=SECOND)
    while not first.poll_decision().get('taskToken'):
        """Until the leader has noticed that the process which knows the type has left."""
    with LocalSWF(path, long_poll=60) as again:
        again.declare_types(workflows=[('second', '1')], activities=[])
        assert Domain(again).poll_decision()['workflowExecution']['workflowId'] == 'a'
    assert 'DecisionTaskTimedOut' in first.types(execution)


@pytest.mark.thorough
def test_types_are_known_after_a_take_over(path):
    with OtherProcess(path, long_poll=0, synchronous='NORMAL') as leader:
        leader('domain.prepare() and None')
        with LocalSWF(path, long_poll=0) as first, LocalSWF(path, long_poll=0) as other:
            first.declare_types(workflows=[('wf', '1')], activities=[])
            other.declare_types(workflows=[('second', '1')], activities=[])
            leader.kill()
            register(Domain(first))
            other.list_domains(registrationStatus='REGISTERED')
            assert {first.is_leader, other.is_leader} == {False, True}
            Domain(first).start('a', workflowType=SECOND)
            assert 'taskToken' not in Domain(first).poll_decision()
            assert Domain(other).poll_decision()['workflowExecution']['workflowId'] == 'a'


@pytest.mark.thorough
def test_a_worker_s_rounds_wait_while_there_are_only_tasks_of_others(two):
    first, other = two
    first.start('a', workflowType=SECOND)
    wants = [('decision', {'domain': 'dom', 'taskList': {'name': 'deciders'}}, {'most': 1})]
    rounds = first.swf.deferring()
    rung = threading.Event()
    places = rounds.stand(wants, rung.set)
    assert places is not None
    task = other.poll_decision()
    other.respond(task, COMPLETE)
    first.start('b')
    assert rung.wait(60)
    ((taken,),) = rounds.take(wants, places)
    assert taken['workflowExecution']['workflowId'] == 'b'
    rounds.settle()


def test_tasks_that_are_passed_over_keep_their_places():
    queue = TaskQueue()
    for ref in (4, 3, 2, 1):
        queue.add(ref, 0, since=10)
    assert queue.take(lambda ref: ref % 2 == 1) == 3
    assert queue.take(lambda ref: ref > 4) is None
    assert [queue.take() for _ in range(4)] == [4, 2, 1, None]


@pytest.mark.parametrize(('held', 'declared'), [('wf', 'wf'), ('second', 'third')])
def test_a_process_that_comes_leaves_others_what_they_can_do_and_what_it_cannot(path, held, declared):
    with LocalSWF(path, synchronous='NORMAL', long_poll=0) as first:
        first.declare_types(workflows=[('wf', '1')], activities=[])
        domain = Domain(first).prepare()
        register(domain)
        domain.start('a', workflowType={'name': held, 'version': '1'})
        task = domain.poll_decision()
        with LocalSWF(path, long_poll=0) as other:
            other.declare_types(workflows=[(declared, '1')], activities=[])
            domain.respond(task, COMPLETE)
