"""The rows of the journal: their places are taken again once they are folded, and nothing is folded twice or lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from genflow.local import LocalSWF
from genflow.local.store import Store
from genflow.local.store.schema import APPLICATION_ID, STEPS
from tests.local.domain import Domain

NOTHING = (None,) * 7


def columns(*refs):
    """A batch of events."""
    return (json.dumps({str(ref): {'n': ref} for ref in refs}), *NOTHING)


def refs(path):
    with closing(sqlite3.connect(path)) as connection:
        return [ref for (ref,) in connection.execute('SELECT ref FROM events ORDER BY ref')]


def slots(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute('SELECT slot, number FROM journal ORDER BY slot').fetchall()


def after_a_crash(path):
    """The file as a process leaves it that dies now."""
    copy = f'{path}.copy'
    shutil.copyfile(path, copy)
    shutil.copyfile(f'{path}-wal', f'{copy}-wal')
    with closing(Store(copy)) as store:
        store.replay()
        assert store.is_settled
    assert slots(copy) == []
    return refs(copy)


def test_folded_rows_stay_and_are_not_folded_again(path):
    with closing(Store(path)) as store:
        for number in range(1, 6):
            store.append(number, columns(number))
        assert after_a_crash(path) == [1, 2, 3, 4, 5]
        store.fold((None,) * 8, events=[(ref, '{}') for ref in range(1, 6)])
        assert store.is_settled
        assert slots(path) == [(0, 5), *zip(range(1, 6), range(1, 6), strict=True)]
        assert after_a_crash(path) == [1, 2, 3, 4, 5]
        store.append(7, columns(7))
        store.append(8, columns(8, 9))
        assert not store.is_settled
        assert slots(path) == [(0, 5), (1, 7), (2, 8), (3, 3), (4, 4), (5, 5)]
        assert after_a_crash(path) == [1, 2, 3, 4, 5, 7, 8, 9]
        store.fold(columns(7, 8, 9))
        assert after_a_crash(path) == [1, 2, 3, 4, 5, 7, 8, 9]


def test_a_fold_that_fails_leaves_all_rows_to_be_folded(path):
    with closing(Store(path)) as store:
        store.append(1, columns(1))
        store.fold(columns(1))
        store.append(2, columns(2))
        with pytest.raises(Exception, match='UNIQUE'):
            store.fold(columns(1, 2))
        store.append(3, columns(3))
        assert after_a_crash(path) == [1, 2, 3]


def test_a_commit_writes_one_page_once_there_are_rows(path):
    """It was four: the row, the list of free pages, and what points at both."""
    text = 'x' * 1500
    with closing(Store(path)) as store:
        for number in range(1, 40):
            store.append(number, (f'{{"{number}":"{text}"}}', *NOTHING))
        store.fold((None,) * 8, events=[(ref, '{}') for ref in range(1, 40)])
        store.writer.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        for number in range(40, 79):
            store.append(number, (f'{{"{number}":"{text}"}}', *NOTHING))
        (_, pages, _) = store.writer.execute('PRAGMA wal_checkpoint(PASSIVE)').fetchone()
        assert 39 <= pages <= 45


def test_a_service_that_closes_leaves_no_row(path):
    with LocalSWF(path, synchronous='OFF') as swf:
        domain = Domain(swf).prepare()
        for number in range(5):
            domain.start(str(number))
        assert len(slots(path)) >= 5
    assert slots(path) == []


def test_rows_of_an_older_file_are_folded(path):
    with closing(sqlite3.connect(path)) as connection:
        for number, step in enumerate(STEPS[:2], start=1):
            connection.executescript(f'{step};PRAGMA application_id = {APPLICATION_ID};PRAGMA user_version = {number};')
        connection.execute('INSERT INTO journal (number, events) VALUES (9, ?)', (columns(4)[0],))
        connection.execute('INSERT INTO journal (number, events) VALUES (10, ?)', (columns(5)[0],))
        connection.commit()
    with closing(Store(path)) as store:
        assert not store.is_settled
        store.replay()
    assert refs(path) == [4, 5]
