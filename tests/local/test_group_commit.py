"""Calls that run at the same time share a commit; each returns only after its own."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
from types import SimpleNamespace

import pytest

from genflow.local import LocalSWF
from genflow.local.engine import group_commit
from genflow.local.engine.group_commit import CHUNK, FAILURES, LOOK_AGAIN, Journal
from genflow.local.errors import DiskFull
from genflow.local.state.limits import Limits
from genflow.local.state.state import State
from genflow.local.state.token_buckets import Rates
from genflow.local.state.transaction import Batch
from tests.local.domain import Domain


class SlowDisk:
    """A store that writes only when it is let, and remembers what it wrote."""

    in_memory = False

    def __init__(self):
        self.entered = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.written = []
        self.failure = None

    def append(self, number, columns, answers=()):
        self.entered.release()
        assert self.let.acquire(timeout=60)
        if self.failure:
            raise self.failure
        self.written.append((number, columns[0]))

    def fold(self, columns, answers, events):
        self.append(0, (events, *columns[1:]))


class Dispatcher:
    """A journal over a slow disk, and callers that add an event each."""

    def __init__(self):
        self.disk = SlowDisk()
        self.lock = threading.RLock()
        self.state = State(archive=None, limits=Limits(), rates=Rates({}), arn_prefix='')
        self.recovered = self.now = 0
        self.journal = Journal(self.disk, self.state, self.lock, lambda: self.now, self._recover)
        self.returned = []
        self.threads = []

    def _recover(self):
        self.recovered += 1

    def call(self, name):
        """A caller in a thread of its own; it has made its change when this returns."""
        changed = threading.Event()

        def run():
            with self.lock:
                self.state.batch.events.append((name, '{}'))
                mark = self.journal.mark()
            changed.set()
            try:
                self.journal.settle(mark)
            except DiskFull:
                self.returned.append((name, 'refused'))
            else:
                self.returned.append((name, 'kept'))

        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)
        assert changed.wait(60)

    def wait(self):
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


@pytest.fixture
def dispatcher():
    return Dispatcher()


def test_one_caller_writes_its_own(dispatcher):
    dispatcher.disk.let.release()
    dispatcher.call('a')
    dispatcher.wait()
    assert dispatcher.disk.written == [(1, '{"a":{}}')]


def test_who_comes_during_a_write_shares_the_next(dispatcher):
    dispatcher.call('a')
    assert dispatcher.disk.entered.acquire(timeout=60)
    for name in 'bcd':
        dispatcher.call(name)
    assert dispatcher.returned == []
    dispatcher.disk.let.release()
    assert dispatcher.disk.entered.acquire(timeout=60)
    assert dispatcher.disk.written == [(1, '{"a":{}}')]
    dispatcher.disk.let.release()
    dispatcher.wait()
    assert dispatcher.disk.written[1] == (2, '{"b":{},"c":{},"d":{}}')
    assert dispatcher.journal.statistics.commits == 2


def test_of_two_who_were_there_lately_the_leader_waits_for_the_other(dispatcher, monkeypatch):
    """As long as the last write took, which is a minute here."""
    monkeypatch.setattr(group_commit, 'LONGEST_WAIT', 60)
    monkeypatch.setattr(group_commit, 'monotonic', itertools.count(step=60).__next__)
    dispatcher.call('a')
    assert dispatcher.disk.entered.acquire(timeout=60)
    dispatcher.call('b')
    dispatcher.disk.let.release()
    dispatcher.threads[0].join(60)
    assert dispatcher.returned == [('a', 'kept')]
    dispatcher.call('c')
    dispatcher.disk.let.release()
    dispatcher.wait()
    assert dispatcher.disk.written == [(1, '{"a":{}}'), (2, '{"b":{},"c":{}}')]


def test_a_failed_write_refuses_all_that_built_on_it(dispatcher):
    dispatcher.disk.failure = DiskFull('no room')
    dispatcher.call('a')
    assert dispatcher.disk.entered.acquire(timeout=60)
    dispatcher.call('b')
    dispatcher.disk.let.release()
    dispatcher.wait()
    assert sorted(dispatcher.returned) == [('a', 'refused'), ('b', 'refused')]
    assert dispatcher.recovered == 1
    assert dispatcher.disk.written == []


def test_calls_of_one_thread_that_get_lost_together_are_all_refused(dispatcher):
    """The first one learns of it by writing, the others find it written off."""
    journal, marks = dispatcher.journal, []
    dispatcher.disk.failure = DiskFull('no room')
    dispatcher.disk.let.release()
    for name in 'abc':
        dispatcher.state.batch.events.append((name, '{}'))
        marks.append(journal.mark())
    for mark in marks:
        with pytest.raises(DiskFull):
            journal.settle(mark)
    journal.settle(journal.mark())  # who comes now has seen nothing of it


def test_after_a_failure_the_next_write_counts_on(dispatcher):
    dispatcher.disk.failure = DiskFull('no room')
    dispatcher.disk.let.release()
    dispatcher.call('a')
    dispatcher.wait()
    dispatcher.disk.failure = None
    dispatcher.disk.let.release()
    dispatcher.call('b')
    dispatcher.wait()
    assert dispatcher.returned == [('a', 'refused'), ('b', 'kept')]
    assert [text for _, text in dispatcher.disk.written] == ['{"b":{}}']


def test_a_call_that_changes_nothing_waits_for_what_it_saw(dispatcher):
    dispatcher.call('a')
    assert dispatcher.disk.entered.acquire(timeout=60)
    with dispatcher.lock:
        assert dispatcher.state.batch.empty
        mark = dispatcher.journal.mark()
    assert mark == 1
    dispatcher.disk.let.release()
    dispatcher.wait()


class Interrupted(BaseException):
    pass


class InterruptedLock:
    """A lock at which the first to wait gets a signal, whose handler raises."""

    def __init__(self):
        self._lock = threading.Lock()

    def acquire(self, *args, **kwargs):
        if self._lock.locked():
            signal.raise_signal(signal.SIGUSR1)
        return self._lock.acquire(*args, **kwargs)

    def release(self):
        self._lock.release()


def test_who_is_interrupted_while_it_waits_is_not_waited_for(dispatcher, monkeypatch):
    """Or it would be named the next leader, and nobody would ever write again."""

    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        dispatcher.call('a')
        assert dispatcher.disk.entered.acquire(timeout=60)
        with dispatcher.lock:
            dispatcher.state.batch.events.append(('b', '{}'))
            mark = dispatcher.journal.mark()
        with monkeypatch.context() as patch:
            patch.setattr(group_commit, 'threading', SimpleNamespace(Lock=InterruptedLock))
            with pytest.raises(Interrupted):
                dispatcher.journal.settle(mark)
    finally:
        signal.signal(signal.SIGUSR1, before)
    dispatcher.disk.let.release(2)
    dispatcher.call('c')
    dispatcher.wait()
    assert sorted(dispatcher.returned) == [('a', 'kept'), ('c', 'kept')]
    assert [text for _, text in dispatcher.disk.written] == ['{"a":{}}', '{"b":{},"c":{}}']


@pytest.mark.parametrize('tried', [False, True])
def test_changes_of_several_batches_are_settled_together(dispatcher, tried):
    """Whether or not others have tried to write the first of them already."""
    marks = []
    for name in 'ab':
        with dispatcher.lock:
            dispatcher.state.batch.events.append((name, '{}'))
            marks.append(dispatcher.journal.mark())
        if tried and name == 'a':
            dispatcher.disk.failure = DiskFull('no room')
            dispatcher.disk.let.release()
            with pytest.raises(DiskFull):
                dispatcher.journal.settle(marks[0])
            dispatcher.disk.failure = None
    dispatcher.disk.let.release()
    if tried:
        with pytest.raises(DiskFull):
            dispatcher.journal.settle_deferred(*marks)
    else:
        dispatcher.journal.settle_deferred(*marks)
    assert [text for _, text in dispatcher.disk.written] == (['{"b":{}}'] if tried else ['{"a":{},"b":{}}'])


def test_an_empty_batch_is_not_written(dispatcher):
    with dispatcher.lock:
        assert dispatcher.journal.mark() == 0
    dispatcher.journal.settle(0)
    assert dispatcher.disk.written == []


def test_sixteen_callers_share_commits(path):
    """Each signals an execution of its own; with one commit a call there would be 640."""
    with LocalSWF(path, long_poll=0) as swf:
        domain = Domain(swf).prepare()
        for number in range(16):
            domain.start(str(number))
        before = swf.statistics.commits
        together = threading.Barrier(16)

        def signal(number):
            together.wait(60)
            for _ in range(40):
                domain.signal(str(number))

        threads = [threading.Thread(target=signal, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        commits = swf.statistics.commits - before
    assert 16 * 40 / commits >= 3  # the faster the disk, the fewer share one


def test_batches_merge_in_order():
    first, second = Batch(1), Batch(2)
    first.events.append((1, '{}'))
    second.events.append((2, '{}'))
    first.absorb(second)
    assert (first.number, first.columns(folding=False)[0]) == (2, '{"1":{},"2":{}}')
    assert first.columns(folding=True)[0] is None  # events go into the tables by themselves


def test_a_service_in_memory_commits_nothing():
    with LocalSWF() as swf:
        Domain(swf).prepare()
        assert (swf.statistics.calls > 0, swf.statistics.commits) == (True, 0)


def test_a_disk_that_stays_full_makes_nobody_forget_the_first_that_it_refused(dispatcher):
    marks = []
    dispatcher.disk.failure = DiskFull('no room')
    for name in range(FAILURES + 2):
        with dispatcher.lock:
            dispatcher.state.batch.events.append((name, '{}'))
            marks.append(dispatcher.journal.mark())
        dispatcher.disk.let.release()
        with pytest.raises(DiskFull):
            dispatcher.journal.settle(marks[-1])
    assert all(map(dispatcher.journal.is_lost, marks))
    dispatcher.disk.failure = None
    with dispatcher.lock:
        dispatcher.state.batch.events.append(('kept', '{}'))
        kept = dispatcher.journal.mark()
    dispatcher.disk.let.release()
    dispatcher.journal.settle(kept)
    assert not dispatcher.journal.is_lost(kept)
    with pytest.raises(DiskFull):
        dispatcher.journal.settle_deferred(marks[0], kept)


def test_what_is_lost_is_known_at_every_moment_of_the_next_failure(dispatcher):
    """Whoever was refused before may look just then, without a lock, and must not take its change for kept."""
    marks, known = [], []

    def trace(frame, event, argument):
        if frame.f_globals.get('__name__') == Journal.__module__:
            known.extend(map(dispatcher.journal.is_lost, marks))
            return trace
        return None

    dispatcher.disk.failure = DiskFull('no room')
    before = sys.gettrace()
    for name in 'abc':
        dispatcher.state.batch.events.append((name, '{}'))
        mark = dispatcher.journal.mark()
        dispatcher.disk.let.release()
        sys.settrace(trace)
        try:
            with pytest.raises(DiskFull):
                dispatcher.journal.settle(mark)
        finally:
            sys.settrace(before)
        marks.append(mark)
    assert len(known) > 9
    assert all(known)


def test_what_changes_during_a_sweep_is_looked_for_a_minute_later(dispatcher):
    """The tables do not know yet when it expires."""
    sweeps = []

    def sweep(now):
        sweeps.append(now)
        if len(sweeps) == 1:
            dispatcher.state.batch.events.append((1, '{}'))

    dispatcher.disk.sweep = sweep
    dispatcher.now = 5_000
    dispatcher.state.expect_expiry(5_000)
    dispatcher.journal.sweep()
    assert sweeps == [5_000]
    assert dispatcher.state.next_expiry == 5_000 + LOOK_AGAIN


def sweeps_seen(dispatcher, *following):
    """Says when the disk is swept, from now on; each sweep says what is due next."""
    sweeps, answers = [], iter(following)

    def sweep(now):
        sweeps.append(now)
        return next(answers)

    dispatcher.disk.sweep = sweep
    dispatcher.state.expect_expiry(5_000)
    return sweeps


def test_there_is_a_second_between_two_sweeps_and_each_goes_on_while_something_is_due(dispatcher):
    sweeps = sweeps_seen(dispatcher, 5_000, 5_001, 5_999, None)
    for dispatcher.now in (4_999, 5_000, 5_001, 5_999, 6_000):
        dispatcher.journal.sweep(whole=True)
    assert sweeps == [5_000, 5_000, 6_000, 6_000]


def test_a_call_sweeps_once_and_the_next_goes_on_without_a_second_between(dispatcher):
    sweeps = sweeps_seen(dispatcher, 5_000, 5_500, None)
    for dispatcher.now in (5_000, 5_001, 5_501, 6_000, 6_001):
        dispatcher.journal.sweep()
    assert sweeps == [5_000, 5_001, 6_001]


def test_in_memory_changes_are_folded_in_portions(dispatcher):
    folded = []
    dispatcher.disk.in_memory = True
    dispatcher.disk.fold = lambda columns, answers, events: folded.append(events)
    batches = []
    for number in range(2 * CHUNK):
        dispatcher.state.batch.events.append((number, '{}'))
        batches.append(dispatcher.journal.mark())
    assert set(batches) == {0}
    assert [len(events) for events in folded] == [CHUNK, CHUNK]
