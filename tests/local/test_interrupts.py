"""An exception out of a signal handler, wherever the main thread is: nothing hangs, and file and memory agree."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading

import pytest

from genflow.local import LocalSWF
from genflow.local.engine import call_thread
from genflow.local.engine.call_thread import CallThread
from tests.interrupting import Interrupted, Lines
from tests.local.domain import COMPLETE, Domain


def interrupted_at_every_line(call):
    """Calls ``call`` again and again, interrupted one line later each time; whether it was, and what it returned."""
    number = 0
    while True:
        number += 1
        try:
            with Lines(number) as lines:
                value = call()
        except Interrupted:
            yield True, None
        else:
            yield False, value
            assert lines.left > 0
            assert number > 10, 'the path of a call has more lines than that'
            return


def answered(call):
    """What ``call`` returns; it must not hang."""
    values = []
    thread = threading.Thread(target=lambda: values.append(call()), daemon=True)
    thread.start()
    thread.join(60)
    assert values, 'the service does not answer any more'
    return values[0]


def open_ids(swf):
    pages = swf.get_paginator('list_open_workflow_executions').paginate(domain='dom', startTimeFilter={'oldestDate': 0})
    return {info['execution']['workflowId'] for page in pages for info in page['executionInfos']}


@pytest.fixture(params=['memory', 'file'])
def swf(request, path):
    with LocalSWF(path if request.param == 'file' else ':memory:', long_poll=0.02, synchronous='NORMAL') as swf:
        Domain(swf).prepare()
        yield swf


def test_a_start_interrupted_at_every_line_happens_whole_or_not_at_all(swf):
    domain = Domain(swf)
    acknowledged = set()
    names = (f'w{number}' for number in range(1000))
    for interrupted, run in interrupted_at_every_line(lambda: domain.start(next(names))):
        if not interrupted:
            acknowledged.add(run['workflowId'])
        answered(lambda: domain.start(f'next{len(acknowledged)}'))
        acknowledged.add(f'next{len(acknowledged)}')
    there = answered(lambda: open_ids(swf))
    assert acknowledged <= there
    assert answered(lambda: swf.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0}))[
        'count'
    ] == len(there)
    while task := answered(domain.poll_decision).get('taskToken'):
        swf.respond_decision_task_completed(taskToken=task, decisions=[COMPLETE])
    assert answered(lambda: open_ids(swf)) == set()


def test_what_was_acknowledged_is_in_the_file_and_nothing_else(path):
    seen = set()
    with LocalSWF(path, long_poll=0, synchronous='NORMAL') as swf:
        domain = Domain(swf).prepare()
        names = (f'w{number}' for number in range(1000))
        for interrupted, run in interrupted_at_every_line(lambda: domain.start(next(names))):
            seen |= set() if interrupted else {run['workflowId']}
        there = open_ids(swf)
    with LocalSWF(path, long_poll=0) as again:
        assert seen <= open_ids(again) == there


@pytest.mark.thorough
def test_a_poll_interrupted_at_every_line_takes_nobody_s_place(swf):
    """Who stands in line next is woken for the next task, not somebody who has left."""
    domain = Domain(swf)
    request = {'domain': 'dom', 'taskList': {'name': 'deciders'}}
    for number, _ in enumerate(interrupted_at_every_line(domain.poll_decision)):
        rung = threading.Event()
        held = swf.hold('PollForDecisionTask', request, rung.set)
        assert held.attempt() is None
        domain.start(f'w{number}')
        assert rung.wait(60)
        assert '"taskToken"' in held.attempt(last=True)


def test_a_signal_while_a_poll_waits(path):
    def interrupt(number, frame):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with LocalSWF(path, long_poll=60, synchronous='NORMAL') as swf:
            domain = Domain(swf).prepare()
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Interrupted):
                domain.poll_decision()
            domain.start()
            assert 'taskToken' in answered(domain.poll_decision)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.thorough
def test_closing_interrupted_at_every_line_can_be_repeated(tmp_path):
    files = (str(tmp_path / f'{number}.db') for number in range(1000))
    services = []

    def opened():
        services.append(LocalSWF(next(files), long_poll=0, synchronous='NORMAL'))
        return services[-1]

    number, interrupted = 0, True
    while interrupted:
        number += 1
        swf = opened()
        Domain(swf).prepare().start()
        interrupted = False
        try:
            with Lines(number):
                swf.close()
        except Interrupted:
            interrupted = True
            answered(lambda swf=swf: swf.close() or True)
        with LocalSWF(swf.path) as again:
            assert open_ids(again) == {'w'}
    assert number > 5


@pytest.mark.thorough
@pytest.mark.filterwarnings('ignore:Exception ignored in. <sqlite3.Connection')  # dropped on purpose
def test_opening_interrupted_at_every_line_leaves_the_file_to_the_next(path):
    number, interrupted = 0, True
    while interrupted:
        number += 1
        interrupted = False
        try:
            with Lines(number):
                LocalSWF(path, synchronous='NORMAL').close()
        except Interrupted:
            interrupted = True
        with contextlib.closing(answered(lambda: LocalSWF(path, synchronous='NORMAL'))):
            pass
    assert number > 50


def thread_of(swf):
    """Where the main thread's calls are carried out."""
    return swf._service._core.calls.call(threading.current_thread)  # noqa: SLF001


@pytest.mark.thorough
@pytest.mark.filterwarnings('ignore:Exception ignored in. <sqlite3.Connection')  # dropped on purpose
@pytest.mark.parametrize('end', ['close', 'drop'])
def test_the_thread_ends_soon_after_the_service(end):
    swf = LocalSWF()
    Domain(swf).prepare()
    thread = thread_of(swf)
    assert thread is not threading.current_thread()
    if end == 'close':
        swf.close()
    else:
        del swf
        gc.collect()
    thread.join(60)
    assert not thread.is_alive()


def wait_until(condition):
    for _ in range(60_000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError('it did not come to be in a minute')


class Idle(list):
    """Threads without an owner, for one test; knows all that were ever among them."""

    def __init__(self):
        super().__init__()
        self.known = []

    def append(self, line):
        self.known.append(line)
        super().append(line)


@pytest.fixture
def idle():
    """Threads without an owner wait for another one as long as the test takes.

    Those that other tests have let go, and that hear of it only now, are among them; after it they wait no longer.
    """
    lines = Idle()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(call_thread, 'IDLE_TIMEOUT', 600)
        patch.setattr(call_thread, '_IDLE', lines)
        patch.setattr(call_thread, 'SPARE', 100)
        yield lines
    for line in lines.known:
        line.jobs.put(None)


def test_the_thread_of_a_closed_service_serves_the_next(idle):
    with LocalSWF() as first:
        thread = thread_of(first)
    wait_until(lambda: any(line._thread is thread for line in idle))  # noqa: SLF001 - it has its own time
    idle[:] = [line for line in idle if line._thread is thread]  # noqa: SLF001
    with LocalSWF() as second, LocalSWF() as third:
        assert thread_of(second) is thread
        assert thread_of(third) is not thread
        assert thread_of(second) is thread


class TakenMeanwhile(list):
    """Room for one idle thread, which is taken after it has decided to end and before it is removed."""

    def __init__(self, line):
        super().__init__()
        self.line, self.ends = line, threading.Event()

    def append(self, line):
        if line is self.line:  # else it is of another test
            super().append(line)

    def remove(self, line):
        if line is self.line:
            self.ends.set()
            wait_until(lambda: line.owned)
        super().remove(line)


def test_a_thread_that_is_taken_as_it_times_out_serves(monkeypatch):
    """It ended, and its new owner waited up to a second before it looked after it."""
    first, second = CallThread(), CallThread()
    thread = first.call(threading.current_thread)
    idle = TakenMeanwhile(first._line)  # noqa: SLF001
    monkeypatch.setattr(call_thread, '_IDLE', idle)
    with monkeypatch.context() as patch:
        patch.setattr(call_thread, 'IDLE_TIMEOUT', 0.01)
        first.stop()
        assert idle.ends.wait(60)
    assert second.call(threading.current_thread) is thread
    second.stop()


class TakenForGood(list):
    """Idle threads that somebody has taken who was interrupted before he could use them."""

    def append(self, line):
        pass


def test_a_thread_ends_that_was_taken_by_somebody_who_was_interrupted(monkeypatch):
    monkeypatch.setattr(call_thread, '_IDLE', TakenForGood())
    monkeypatch.setattr(call_thread, 'IDLE_TIMEOUT', 0.01)
    monkeypatch.setattr(call_thread, 'LOOK_AGAIN', 0.01)
    owner = CallThread()
    thread = owner.call(threading.current_thread)
    owner.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_threads_without_a_service_end(monkeypatch):
    """Not more of them wait than there may be."""
    monkeypatch.setattr(call_thread, '_IDLE', [])
    monkeypatch.setattr(call_thread, 'SPARE', 0)
    with LocalSWF() as swf:
        thread = thread_of(swf)
    thread.join(60)
    assert not thread.is_alive()


def test_a_handler_that_raises_while_a_thread_starts_is_heard_by_its_own_name(path, monkeypatch):
    """Python's threading tidies up after the thread then, which is there already, and fails by that."""
    name = '_start_joinable_thread' if hasattr(threading, '_start_joinable_thread') else '_start_new_thread'
    start = getattr(threading, name)

    def start_and_raise(bootstrap, *arguments, **options):
        start(bootstrap, *arguments, **options)
        monkeypatch.setattr(threading, name, start)
        while bootstrap.__self__ in threading._limbo:  # noqa: SLF001
            pass
        raise TimeoutError('of a signal handler')

    monkeypatch.setattr(call_thread, '_IDLE', [])
    monkeypatch.setattr(threading, name, start_and_raise)
    with pytest.raises(TimeoutError, match='of a signal handler'):
        LocalSWF(path)
    with LocalSWF(path) as swf:
        assert swf.is_leader
