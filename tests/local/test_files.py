"""Files that cannot be used, files that break, and two that want one file: each a clear error, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from genflow.local import LocalSWF, ManualClock
from genflow.local.errors import (
    CorruptFile,
    DiskFull,
    FileInUse,
    ForeignFile,
    NewerSchema,
    ReadOnlyFile,
    StoreError,
)
from genflow.local.store import Store, schema
from genflow.local.store.file import missing_bytes
from genflow.local.store.sqlite_errors import ClearErrors
from tests.local.domain import COMPLETE, Domain, decision, schedule

PAGE = 4096


def fill(path, executions=20):
    """A file with closed and open executions; the open ones."""
    with LocalSWF(path, synchronous='NORMAL', long_poll=0) as swf:
        domain = Domain(swf).prepare()
        for number in range(executions):
            domain.start(str(number), input='"' + 'x' * 2000 + '"')
        for _ in range(executions // 2):
            domain.decide(COMPLETE)
        return swf.list_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['executionInfos']


@pytest.mark.thorough
def test_a_file_on_a_clock_that_somebody_moves_is_not_shared(path):
    with LocalSWF(path, ManualClock()), pytest.raises(FileInUse) as caught:
        LocalSWF(path)
    assert f'{path} is in use by process {os.getpid()}, which does not share it: its clock is a ManualClock' in str(
        caught.value
    )


@pytest.mark.thorough
def test_another_process_is_told_so_too(path):
    code = 'import sys; from genflow.local import LocalSWF; LocalSWF(sys.argv[1])'
    with LocalSWF(path, ManualClock()):
        done = subprocess.run([sys.executable, '-c', code, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f'FileInUse: {path} is in use by process {os.getpid()}' in done.stderr


def test_a_closed_file_can_be_opened_again(path):
    LocalSWF(path).close()
    LocalSWF(path).close()


def test_a_file_that_could_not_be_opened_is_not_held(path):
    fill(path)
    with sqlite3.connect(path) as connection:
        connection.execute('PRAGMA user_version = 99')
    connection.close()
    for _ in range(2):
        with pytest.raises(NewerSchema):
            LocalSWF(path)


def test_a_newer_schema_is_refused(path):
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute(f'PRAGMA user_version = {schema.VERSION + 1}')
    connection.close()
    with pytest.raises(NewerSchema, match=f'schema {schema.VERSION + 1}; this one knows up to {schema.VERSION}'):
        LocalSWF(path)


def test_a_file_without_a_version_is_migrated(path):
    sqlite3.connect(path).close()
    LocalSWF(path).close()
    connection = sqlite3.connect(path)
    assert connection.execute('PRAGMA user_version').fetchone() == (schema.VERSION,)
    assert connection.execute('PRAGMA application_id').fetchone() == (schema.APPLICATION_ID,)
    connection.close()


def test_another_program_s_database_is_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE recipes (name)')
    connection.close()
    with pytest.raises(ForeignFile, match='another program'):
        LocalSWF(path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    letter = tmp_path / 'letter.txt'
    letter.write_text('Dear file,\n' * 100)
    with pytest.raises(ForeignFile, match='not an SQLite file'):
        LocalSWF(letter)
    assert letter.read_text().startswith('Dear')


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(StoreError, match='No such file or directory'):
        LocalSWF(tmp_path / 'nowhere' / 'swf.db')


def test_an_unknown_synchronous_setting(path):
    with pytest.raises(ValueError, match="synchronous='fast'"):
        LocalSWF(path, synchronous='fast')


def test_a_truncated_file(path):
    fill(path)
    os.truncate(path, Path(path).stat().st_size // PAGE // 2 * PAGE)
    with pytest.raises(CorruptFile, match='truncated'):
        LocalSWF(path)


def read_everything(path):
    """Touch every page that holds anything."""
    with LocalSWF(path, long_poll=0) as swf:
        domain = Domain(swf)
        for method in ('list_open_workflow_executions', 'list_closed_workflow_executions'):
            for info in getattr(swf, method)(domain='dom', startTimeFilter={'oldestDate': 0})['executionInfos']:
                domain.history(info['execution'])
        while 'taskToken' in domain.poll_decision():
            pass


def pages_of(path, table):
    connection = sqlite3.connect(path)
    root = connection.execute('SELECT rootpage FROM sqlite_master WHERE name = ?', (table,)).fetchone()[0]
    connection.close()
    return root


@pytest.mark.parametrize('table', ['events', 'items', 'executions', 'domains', 'types'])
def test_a_corrupt_page(path, table):
    fill(path)
    root = pages_of(path, table)
    with Path(path).open('r+b') as file:
        file.seek((root - 1) * PAGE)
        file.write(b'\xa5' * PAGE)
    with pytest.raises(CorruptFile, match='genflow db export'):
        read_everything(path)


def test_a_file_that_cannot_be_written(path, monkeypatch):
    fill(path)
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, 'connect', lambda name, **options: connect(f'file:{name}?mode=ro', **{**options, 'uri': True})
    )
    with pytest.raises(ReadOnlyFile, match='Allow this user'), LocalSWF(path) as swf:
        Domain(swf).start('new')


FULL_DISK = """
import json, resource, sys
from genflow.local import LocalSWF
from genflow.local.errors import StoreError
from tests.local.domain import Domain

path = sys.argv[1]
domain = Domain(LocalSWF(path, long_poll=0)).prepare()
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
accepted = []
refused = None
for number in range(10_000):
    try:
        accepted.append(domain.start(str(number), input='x' * 1000)['runId'])
    except StoreError as error:
        refused = str(error)
        break
still = None
try:
    domain.start('again', input='x' * 30_000)
except StoreError as error:
    still = type(error).__name__
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
accepted.append(domain.start('after')['runId'])
found = {
    info['execution']['runId']
    for page in domain.swf.get_paginator('list_open_workflow_executions').paginate(
        domain='dom', startTimeFilter={'oldestDate': 0}
    )
    for info in page['executionInfos']
}
print(json.dumps({'refused': refused, 'still': still, 'accepted': sorted(accepted), 'found': sorted(found)}))
"""


@pytest.mark.thorough
def test_a_disk_without_room_refuses_and_continues_when_there_is_room_again(path):
    done = subprocess.run([sys.executable, '-c', FULL_DISK, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told['refused'].startswith(path)
    assert len(told['accepted']) > 10
    assert told['found'] == told['accepted']
    with LocalSWF(path, long_poll=0) as swf:
        count = swf.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['count']
    assert count == len(told['accepted'])


def test_every_caller_of_a_failed_commit_is_notified(path, monkeypatch):
    """Many threads share a commit that fails: none of them is told that it worked, and all that follows works."""
    with LocalSWF(path, synchronous='NORMAL') as swf:
        domain = Domain(swf).prepare()
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        outcomes = []

        def start(number):
            try:
                outcomes.append(domain.start(str(number), input='x' * 30_000)['runId'])
            except StoreError:
                outcomes.append(None)

        threads = [threading.Thread(target=start, args=(number,)) for number in range(40)]
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limit[1]))
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        assert None in outcomes
        listed = swf.list_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['executionInfos']
        assert {info['execution']['runId'] for info in listed} == {outcome for outcome in outcomes if outcome}
        domain.start('after', input='x')


def test_a_service_that_is_closed_says_so(path):
    swf = LocalSWF(path)
    swf.close()
    swf.close()
    with pytest.raises(StoreError, match='closed'):
        swf.list_domains(registrationStatus='REGISTERED')


@pytest.mark.thorough
def test_a_commit_that_was_not_folded_is_read_back(path):
    """A process that dies leaves its last changes in the journal."""
    code = (
        'import os, sys; from genflow.local import LocalSWF; from tests.local.domain import *;'
        'domain = Domain(LocalSWF(sys.argv[1], long_poll=0)).prepare(); domain.start();'
        "domain.decide(decision('RecordMarker', markerName='m', details='\\x00\\u2028é')); os._exit(9)"
    )
    done = subprocess.run([sys.executable, '-c', code, path], check=False)
    assert done.returncode == 9
    connection = sqlite3.connect(path)
    assert connection.execute('SELECT count(*) FROM journal').fetchone()[0] > 0
    assert connection.execute('SELECT count(*) FROM events').fetchone() == (0,)
    connection.close()
    with LocalSWF(path) as swf:
        (info,) = swf.list_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['executionInfos']
        events = Domain(swf).history(info['execution'])
    assert [event['eventId'] for event in events] == [1, 2, 3, 4, 5]
    assert events[4]['markerRecordedEventAttributes']['details'] == '\x00\u2028é'


def test_the_views_for_people_show_histories(path):
    with LocalSWF(path, long_poll=0) as swf:
        domain = Domain(swf).prepare()
        domain.start()
        domain.decide(decision('StartTimer', timerId='t', startToFireTimeout='9'))
    connection = sqlite3.connect(path)
    rows = connection.execute('SELECT workflow_id, event_id, event_type FROM history ORDER BY event_id').fetchall()
    assert rows[4] == ('w', 5, 'TimerStarted')
    assert ('w', 5, 'timer') in connection.execute('SELECT workflow_id, event_id, kind FROM open_items').fetchall()
    connection.close()


def test_a_file_of_an_older_version_is_brought_up_step_by_step(path, monkeypatch):
    fill(path, executions=4)
    steps = (*schema.STEPS, 'CREATE TABLE one (x)', 'CREATE TABLE two (x); INSERT INTO two VALUES (2)')
    monkeypatch.setattr('genflow.local.store.file.STEPS', steps)
    monkeypatch.setattr('genflow.local.store.file.VERSION', len(steps))
    read_everything(path)
    connection = sqlite3.connect(path)
    assert connection.execute('PRAGMA user_version').fetchone() == (schema.VERSION + 2,)
    assert connection.execute('SELECT x FROM two').fetchall() == [(2,)]
    connection.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    fill(path, executions=4)
    monkeypatch.setattr('genflow.local.store.file.STEPS', (*schema.STEPS, 'CREATE TABLE one (x); no such statement'))
    with pytest.raises(StoreError, match='syntax error'):
        LocalSWF(path)
    monkeypatch.undo()
    read_everything(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'one'").fetchone() == (0,)
    connection.close()


def test_an_sqlite_that_is_too_old(path, monkeypatch):
    monkeypatch.setattr(sqlite3, 'sqlite_version_info', (3, 31, 1))
    with pytest.raises(StoreError, match=r'needs 3\.33\.0 or newer'):
        LocalSWF(path)


@pytest.mark.parametrize(
    ('error', 'kind'),
    [
        (sqlite3.OperationalError('database or disk is full'), DiskFull),
        (sqlite3.DatabaseError('database disk image is malformed'), CorruptFile),
        (sqlite3.DatabaseError('file is not a database'), ForeignFile),
        (sqlite3.OperationalError('attempt to write a readonly database'), ReadOnlyFile),
        (sqlite3.OperationalError('unable to open database file'), ReadOnlyFile),
        (sqlite3.OperationalError('database is locked'), StoreError),
        (sqlite3.OperationalError('disk I/O error'), StoreError),
        (sqlite3.OperationalError("Could not decode to UTF-8 column 'event'"), CorruptFile),
        (PermissionError(13, 'Permission denied'), ReadOnlyFile),
        (OSError(errno.EROFS, 'Read-only file system'), ReadOnlyFile),
        (OSError(errno.ENOSPC, 'No space left on device'), DiskFull),
        (OSError(errno.EIO, 'Input/output error'), StoreError),
        (OSError('no number'), StoreError),
        (json.JSONDecodeError('Expecting value', '', 0), CorruptFile),
    ],
)
def test_what_sqlite_and_the_system_say_is_told_with_the_file_and_what_to_do(error, kind):
    with pytest.raises(StoreError) as caught, ClearErrors('orders.db'):
        raise error
    assert type(caught.value) is kind
    assert str(caught.value).startswith('orders.db: ')
    assert str(caught.value).endswith('.')
    assert str(caught.value).count('. ') >= 1
    assert 'None' not in str(caught.value)


def test_a_deadline_of_what_could_not_be_written_strikes_nothing(path, monkeypatch):
    """What takes its place in the history has the same number, and no deadline."""
    clock = ManualClock()

    def full(store, *args):
        raise DiskFull('the disk is full')

    with LocalSWF(path, clock, synchronous='NORMAL') as swf:
        domain = Domain(swf, clock).prepare()
        execution = domain.start()
        task = domain.poll_decision()
        with monkeypatch.context() as patch:
            patch.setattr(Store, 'append', full)
            patch.setattr(Store, 'fold', full)
            with pytest.raises(DiskFull):
                domain.respond(task, decision('StartTimer', timerId='lost', startToFireTimeout='10'))
        domain.respond(task, schedule('kept'))
        before = domain.types(execution)
        clock.advance(1000)
        assert domain.types(execution) == before
        assert domain.poll_activity()['activityId'] == 'kept'


@pytest.mark.parametrize('linked', [False, True])
def test_the_log_beside_a_file_makes_up_for_pages_that_it_lacks(tmp_path, linked):
    """Also where a symbolic link leads to the file: SQLite keeps the log beside the file itself."""
    path = tmp_path / 'folder' / 'orders.db'
    path.parent.mkdir()
    header = bytearray(PAGE)
    header[16:18], header[28:32] = PAGE.to_bytes(2, 'big'), (10).to_bytes(4, 'big')
    path.write_bytes(header)
    named = tmp_path / 'link.db'
    named.symlink_to(path)
    with path.open('rb') as file:
        name = str(named if linked else path)
        assert missing_bytes(file.fileno(), name) == 9 * PAGE
        Path(f'{path}-wal').write_bytes(b'log')
        assert missing_bytes(file.fileno(), name) == 0
