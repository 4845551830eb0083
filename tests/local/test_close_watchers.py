"""Who waits for an execution to close is told when the file has it, and only then."""

from __future__ import annotations

import threading

import pytest

from genflow.local import LocalSWF, SkippingClock
from genflow.local.clock import Clock, SystemClock
from genflow.local.errors import DiskFull, ServiceClosed
from genflow.local.state.close_watchers import CloseWatchers
from genflow.local.store import Store
from tests.local.domain import COMPLETE, Domain, decision


class Woken:
    """Counts how often it was woken."""

    def __init__(self, domain, run):
        self.times = 0
        self.leave = domain.swf.on_close('dom', run['workflowId'], run['runId'], self)

    def __call__(self):
        self.times += 1


ENDS = {
    'decided': lambda domain: domain.decide(COMPLETE),
    'failed': lambda domain: domain.decide(decision('FailWorkflowExecution')),
    'continued': lambda domain: domain.decide(decision('ContinueAsNewWorkflowExecution')),
    'terminated': lambda domain: domain.swf.terminate_workflow_execution(domain='dom', workflowId='w'),
    'timed out': lambda domain: domain.clock.advance(2 * 86400),
    'emptied': lambda domain: domain.swf.reset(),
    'closed': lambda domain: domain.swf.close(),
}


@pytest.mark.parametrize('end', ENDS.values(), ids=ENDS.keys())
def test_whoever_waits_is_woken_once_by_any_end(domain, end):
    run = domain.start()
    domain.start('other')
    one, two = Woken(domain, run), Woken(domain, run)
    domain.signal()
    assert (one.times, two.times) == (0, 0)
    end(domain)
    assert (one.times, two.times) == (1, 1)
    one.leave()


def test_a_run_that_is_not_open_wakes_at_once(domain):
    run = domain.start()
    domain.decide(COMPLETE)
    assert Woken(domain, run).times == 1
    later = domain.start()
    assert Woken(domain, run).times == 1
    assert Woken(domain, later).times == 0
    assert Woken(domain, {'workflowId': 'unknown', 'runId': 'unknown'}).times == 1


def test_whoever_has_left_is_not_woken(domain):
    run = domain.start()
    gone, there = Woken(domain, run), Woken(domain, run)
    gone.leave()
    gone.leave()
    domain.decide(COMPLETE)
    assert (gone.times, there.times) == (0, 1)


def fail():
    raise RuntimeError('the event loop is closed')


def test_one_that_fails_when_it_is_woken_keeps_nobody_from_being_woken(domain, caplog):
    run = domain.start()
    domain.swf.on_close('dom', run['workflowId'], run['runId'], fail)
    woken = Woken(domain, run)
    domain.decide(COMPLETE)
    assert woken.times == 1
    assert 'the event loop is closed' in caplog.text


def test_a_close_that_is_deferred_wakes_when_the_file_has_it(opened):
    domain = opened()
    run = domain.start()
    woken = Woken(domain, run)
    deferring = domain.swf.deferring()
    (tasks,) = deferring.take([('decision', {'domain': 'dom', 'taskList': {'name': 'deciders'}}, {'most': 1})])
    token = deferring.read(tasks[0], deferring.taken)['taskToken']
    deferring.respond_decision_task_completed(taskToken=token, decisions=[COMPLETE])
    assert woken.times == 0
    deferring.settle()
    assert woken.times == 1


def test_after_a_failed_write_all_look_anew(opened, monkeypatch):
    domain = opened()
    run = domain.start()
    woken = Woken(domain, run)

    def full(*_):
        raise DiskFull('no room')

    with monkeypatch.context() as patch:
        patch.setattr(Store, 'append', full)
        with pytest.raises(DiskFull):
            domain.decide(COMPLETE)
    assert woken.times == 1
    again = Woken(domain, run)
    assert again.times == 0  # it is open, since its close was lost
    domain.clock.advance(120)
    domain.decide(COMPLETE)
    assert again.times == 1


def test_another_process_is_not_told(tmp_path):
    with LocalSWF(tmp_path / 'swf.db', synchronous='OFF') as leader, LocalSWF(tmp_path / 'swf.db') as follower:
        domain = Domain(leader).prepare()
        run = domain.start()
        assert follower.on_close('dom', run['workflowId'], run['runId'], lambda: None) is None
        assert leader.on_close('dom', run['workflowId'], run['runId'], lambda: None) is not None


def test_a_closed_service_says_so(domain):
    run = domain.start()
    domain.swf.close()
    with pytest.raises(ServiceClosed):
        Woken(domain, run)


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
        domain = Domain(swf).prepare()
        run = domain.start()
        swf.on_close('dom', run['workflowId'], run['runId'], woken.set)
        poll = swf.hold('PollForActivityTask', {'domain': 'dom', 'taskList': {'name': 'nobody'}}, lambda: None)
        assert poll.attempt() is None
        clock.hours = 48
        assert woken.wait(60)
        assert domain.types(run)[-1] == 'WorkflowExecutionTimedOut'


@pytest.mark.parametrize('path', ['file', 'memory'])
def test_the_end_of_an_execution_wakes_where_a_poll_moves_the_time_on(tmp_path, path):
    woken = threading.Event()
    with LocalSWF(tmp_path / 'swf.db' if path == 'file' else ':memory:', SkippingClock(), long_poll=600) as swf:
        domain = Domain(swf).prepare()
        run = domain.start(taskList={'name': 'nobody'})
        swf.on_close('dom', run['workflowId'], run['runId'], woken.set)
        waits = threading.Thread(target=domain.poll_activity)
        waits.start()
        assert woken.wait(60)
    waits.join(60)


def test_the_end_of_an_execution_wakes_where_a_function_ends_after_it():
    woken, work, clock = threading.Event(), [], Forward()
    with LocalSWF(clock=clock) as swf:
        domain = Domain(swf).prepare()
        swf.register_lambda('double', lambda number: 2 * number, run=work.append)
        run = domain.start(lambdaRole='arn:aws:iam::123456789012:role/test')
        swf.on_close('dom', run['workflowId'], run['runId'], woken.set)
        domain.decide(decision('ScheduleLambdaFunction', id='1', name='double', input='21'))
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
