"""Who waits for an execution to close is told when the file has it, and only then."""

from __future__ import annotations

import threading

import pytest

from genflow.local import LocalSWF, SkippingClock
from genflow.local.clock import Clock, SystemClock
from genflow.local.errors import DiskFull, ServiceClosed
from genflow.local.state.close_watchers import CloseWatchers
from genflow.local.store import Store
from tests.local.office import COMPLETE, Office, decision


class Woken:
    """Counts how often it was woken."""

    def __init__(self, office, run):
        self.times = 0
        self.leave = office.swf.on_close('dom', run['workflowId'], run['runId'], self)

    def __call__(self):
        self.times += 1


ENDS = {
    'decided': lambda office: office.decide(COMPLETE),
    'failed': lambda office: office.decide(decision('FailWorkflowExecution')),
    'continued': lambda office: office.decide(decision('ContinueAsNewWorkflowExecution')),
    'terminated': lambda office: office.swf.terminate_workflow_execution(domain='dom', workflowId='w'),
    'timed out': lambda office: office.clock.advance(2 * 86400),
    'emptied': lambda office: office.swf.reset(),
    'closed': lambda office: office.swf.close(),
}


@pytest.mark.parametrize('end', ENDS.values(), ids=ENDS.keys())
def test_whoever_waits_is_woken_once_by_any_end(office, end):
    run = office.start()
    office.start('other')
    one, two = Woken(office, run), Woken(office, run)
    office.signal()
    assert (one.times, two.times) == (0, 0)
    end(office)
    assert (one.times, two.times) == (1, 1)
    one.leave()


def test_a_run_that_is_not_open_wakes_at_once(office):
    run = office.start()
    office.decide(COMPLETE)
    assert Woken(office, run).times == 1
    later = office.start()
    assert Woken(office, run).times == 1
    assert Woken(office, later).times == 0
    assert Woken(office, {'workflowId': 'unknown', 'runId': 'unknown'}).times == 1


def test_whoever_has_left_is_not_woken(office):
    run = office.start()
    gone, there = Woken(office, run), Woken(office, run)
    gone.leave()
    gone.leave()
    office.decide(COMPLETE)
    assert (gone.times, there.times) == (0, 1)


def test_a_close_that_is_deferred_wakes_when_the_file_has_it(opened):
    office = opened()
    run = office.start()
    woken = Woken(office, run)
    deferring = office.swf.deferring()
    (tasks,) = deferring.take([('decision', {'domain': 'dom', 'taskList': {'name': 'deciders'}}, {'most': 1})])
    token = deferring.read(tasks[0], deferring.taken)['taskToken']
    deferring.respond_decision_task_completed(taskToken=token, decisions=[COMPLETE])
    assert woken.times == 0
    deferring.settle()
    assert woken.times == 1


def test_after_a_failed_write_all_look_anew(opened, monkeypatch):
    office = opened()
    run = office.start()
    woken = Woken(office, run)

    def full(*_):
        raise DiskFull('no room')

    with monkeypatch.context() as patch:
        patch.setattr(Store, 'append', full)
        with pytest.raises(DiskFull):
            office.decide(COMPLETE)
    assert woken.times == 1
    again = Woken(office, run)
    assert again.times == 0  # it is open, since its close was lost
    office.clock.advance(120)
    office.decide(COMPLETE)
    assert again.times == 1


def test_another_process_is_not_told(tmp_path):
    with LocalSWF(tmp_path / 'swf.db', synchronous='OFF') as leader, LocalSWF(tmp_path / 'swf.db') as follower:
        office = Office(leader).prepare()
        run = office.start()
        assert follower.on_close('dom', run['workflowId'], run['runId'], lambda: None) is None
        assert leader.on_close('dom', run['workflowId'], run['runId'], lambda: None) is not None


def test_a_closed_service_says_so(office):
    run = office.start()
    office.swf.close()
    with pytest.raises(ServiceClosed):
        Woken(office, run)


class Forward(Clock):
    """The time of day, which a test sets forward; who sleeps for a while looks again at once."""

    hours = 0

    def milliseconds(self):
        return SystemClock().milliseconds() + self.hours * 3_600_000

    def seconds_until(self, milliseconds):
        return 0.001


def test_the_end_of_an_execution_by_the_time_wakes_while_others_poll(tmp_path):
    """Nobody calls the service then: the thread that watches the clock for a poll tells."""
    woken, clock = threading.Event(), Forward()
    with LocalSWF(tmp_path / 'swf.db', clock, synchronous='OFF') as swf:
        office = Office(swf).prepare()
        run = office.start()
        swf.on_close('dom', run['workflowId'], run['runId'], woken.set)
        poll = swf.hold('PollForActivityTask', {'domain': 'dom', 'taskList': {'name': 'nobody'}}, lambda: None)
        assert poll.attempt() is None
        clock.hours = 48
        assert woken.wait(60)
        assert office.types(run)[-1] == 'WorkflowExecutionTimedOut'


@pytest.mark.parametrize('path', ['file', 'memory'])
def test_the_end_of_an_execution_wakes_where_a_poll_moves_the_time_on(tmp_path, path):
    woken = threading.Event()
    with LocalSWF(tmp_path / 'swf.db' if path == 'file' else ':memory:', SkippingClock(), long_poll=600) as swf:
        office = Office(swf).prepare()
        run = office.start(taskList={'name': 'nobody'})
        swf.on_close('dom', run['workflowId'], run['runId'], woken.set)
        waits = threading.Thread(target=office.poll_activity)
        waits.start()
        assert woken.wait(60)
    waits.join(60)


def test_the_end_of_an_execution_wakes_where_a_function_ends_after_it():
    woken, work, clock = threading.Event(), [], Forward()
    with LocalSWF(clock=clock) as swf:
        office = Office(swf).prepare()
        swf.register_lambda('double', lambda number: 2 * number, run=work.append)
        run = office.start(lambdaRole='arn:aws:iam::123456789012:role/test')
        swf.on_close('dom', run['workflowId'], run['runId'], woken.set)
        office.decide(decision('ScheduleLambdaFunction', id='1', name='double', input='21'))
        clock.hours = 48
        work.pop()()
        assert woken.is_set()


def test_nothing_is_left_of_those_who_have_left():
    watchers = CloseWatchers()
    for key in range(10):
        for wake in (print, repr):
            watchers.add(key, wake)
            watchers.discard(key, wake)
    watchers.discard(1, print)
    watchers.add(10, print)
    assert watchers._waiting == {10: [print]}  # noqa: SLF001
    assert watchers.take_all() == [print]
    watchers.add(11, print)
    watchers.discard(11, print)
    watchers.closed(11, 1)
    assert (watchers.due, watchers.take_all()) == ([], [])
