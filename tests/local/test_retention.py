"""Executions past their retention leave the file, in proportion to what expires."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import closing

import pytest

from genflow import steady_time
from genflow.local import LocalSWF
from genflow.local import clock as clocks
from genflow.local.engine import group_commit
from genflow.local.shared import front
from genflow.local.store import store
from tests.local.domain import COMPLETE, Domain

DAY = 86_400


def rows(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute('SELECT count(*) FROM executions').fetchone()[0]


def run_to_the_end(domain, names):
    for name in names:
        domain.start(name)
        domain.decide(COMPLETE)


@pytest.mark.thorough
def test_rows_are_those_that_are_visible(path, clock):
    """70 executions a day, each kept for a week: at most a week of them are in the tables at any time."""
    with LocalSWF(path, clock, synchronous='OFF') as swf:
        domain = Domain(swf, clock).prepare()
        for day in range(11):
            run_to_the_end(domain, (f'{day}-{number}' for number in range(70)))
            clock.advance(DAY)
            assert rows(path) <= 70 * 7
        assert rows(path) == 70 * 6


def test_nobody_need_call(path, clock):
    with LocalSWF(path, clock, synchronous='OFF') as swf:
        run_to_the_end(Domain(swf, clock).prepare(), map(str, range(30)))
        clock.advance(8 * DAY)
        assert rows(path) == 0


def test_opening_forgets_what_expired_meanwhile(path, clock):
    with LocalSWF(path, clock, synchronous='OFF') as swf:
        run_to_the_end(Domain(swf, clock).prepare(), map(str, range(30)))
    assert rows(path) == 30
    clock.advance(8 * DAY)
    with LocalSWF(path, clock):
        assert rows(path) == 0


def test_calls_sweep_at_most_once_a_second(path, clock):
    with LocalSWF(path, clock, synchronous='OFF') as swf:
        domain = Domain(swf, clock).prepare()
        run_to_the_end(domain, ['first'])
        clock.advance(1)
        run_to_the_end(domain, ['second'])
        clock.advance(7 * DAY - 1)
        assert rows(path) == 1
        clock.advance(1)
        assert rows(path) == 0


@pytest.mark.parametrize(('most', 'seconds', 'left'), [(10, 60, [20, 10, 0]), (30, -1, [*range(29, -1, -1)])])
def test_a_call_forgets_one_portion_and_leaves_the_rest_to_the_next(path, monkeypatch, most, seconds, left):
    """So many executions, or what was done in so many seconds: a call may hold up others, such as those of a server."""
    monkeypatch.setattr(store, 'SWEEP', most)
    monkeypatch.setattr(store, 'SWEEP_SECONDS', seconds)
    with LocalSWF(path, synchronous='OFF') as swf:
        run_to_the_end(Domain(swf).prepare(), map(str, range(30)))
        swf.count_closed_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})  # which folds the journal
        monkeypatch.setattr(clocks, 'monotonic_ns', lambda: steady_time.monotonic_ns() + 8 * DAY * 10**9)
        found = []
        for _ in left:
            swf.list_domains(registrationStatus='REGISTERED')
            found.append(rows(path))
    assert found == left


@pytest.mark.parametrize('chunk', [1, 2_000])
def test_a_sweep_that_fails_fails_no_call_and_is_repeated(path, clock, monkeypatch, caplog, chunk):
    """The file has the changes of the call; after each fold, or once a second, it would also have swept."""
    monkeypatch.setattr(group_commit, 'CHUNK', chunk)
    with LocalSWF(path, clock, synchronous='OFF') as swf, closing(sqlite3.connect(path)) as other:
        domain = Domain(swf, clock).prepare()
        run_to_the_end(domain, map(str, range(30)))
        clock.advance(7 * DAY - 1)
        full = "BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        other.execute(f'CREATE TRIGGER full BEFORE DELETE ON executions {full}')
        clock.advance(1)
        run = domain.start('next')
        assert domain.types(run) == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
        assert rows(path) >= 30
        assert caplog.text.count('executions past their retention stay in the file') == 1
        other.execute('DROP TRIGGER full')
        clock.advance(60)
        assert rows(path) == 1


def test_in_memory_too(clock):
    with LocalSWF(clock=clock) as swf:
        run_to_the_end(Domain(swf, clock).prepare(), map(str, range(30)))
        clock.advance(8 * DAY)
        counted = swf.count_closed_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})
    assert counted['count'] == 0


@pytest.mark.skipif(os.name != 'posix', reason='the file is shared through a socket')
@pytest.mark.parametrize('followers', [0, 1])
def test_a_file_that_is_shared_forgets_although_nobody_calls(path, monkeypatch, followers):
    monkeypatch.setattr(front, 'IDLE_SWEEP', 0.01)
    with LocalSWF(path, synchronous='OFF') as swf, contextlib.ExitStack() as stack:
        for _ in range(followers):
            stack.enter_context(LocalSWF(path))
        run_to_the_end(Domain(swf).prepare(), map(str, range(30)))
        swf.count_closed_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})  # which folds the journal
        assert rows(path) == 30
        monkeypatch.setattr(clocks, 'monotonic_ns', lambda: steady_time.monotonic_ns() + 8 * DAY * 10**9)
        ends = steady_time.monotonic() + 60
        while rows(path) and steady_time.monotonic() < ends:
            pass
        assert rows(path) == 0
