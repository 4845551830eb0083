"""One writer for a file, whatever it is called; and what becomes of a file that is taken away."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from genflow.local import LocalSWF, ManualClock
from genflow.local.engine import archive
from genflow.local.errors import FileGone, FileInUse, ForeignFile, StoreError
from tests.local.domain import Domain

OPEN = 'import sys; from genflow.local import LocalSWF; LocalSWF(sys.argv[1])'


@pytest.fixture
def domain(path):
    with LocalSWF(path, synchronous='NORMAL') as swf:
        yield Domain(swf).prepare()


def symlink(path):
    other = f'{path}-symlink'
    os.symlink(path, other)  # noqa: PTH211
    return other


def hard_link(path):
    folder = Path(f'{path}-folder')
    folder.mkdir()
    os.link(path, folder / 'other.db')
    return str(folder / 'other.db')


def lock_removed(path):
    Path(f'{path}-lock').unlink()
    return path


def relative(path):
    return os.path.relpath(path)


NAMES = [symlink, relative, *([hard_link, lock_removed] if sys.platform == 'linux' else [])]


@pytest.mark.thorough
@pytest.mark.parametrize('name', NAMES, ids=lambda name: name.__name__)
def test_a_second_writer_is_refused_by_any_name(domain, path, name):
    """Nobody leads beside the leader: by its name or a link the file is shared, by any other name it is refused."""
    other = name(path)
    done = subprocess.run([sys.executable, '-c', OPEN, other], capture_output=True, text=True, check=False)
    if name in (symlink, relative):
        with LocalSWF(other) as second:
            domain.start('shared')
            assert second.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['count'] == 1
        assert done.returncode == 0
    else:
        assert 'FileInUse' in done.stderr
        with pytest.raises(FileInUse, match='is in use by process') as caught:
            LocalSWF(other)
        assert caught.value.notice == '', 'or it is waited for, as for one who is just opening the file'
    domain.start()
    domain.swf.close()
    LocalSWF(other).close()


@pytest.mark.thorough
def test_a_refusal_leaves_sqlite_s_locks_alone(domain, path):
    """A program that writes the file beside the service still finds the last commit of the service in its log."""
    with pytest.raises(FileInUse):
        LocalSWF(path, ManualClock())
    code = 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("SELECT * FROM domains"); c.close()'
    subprocess.run([sys.executable, '-c', code, path], check=True)
    domain.start()
    assert Path(f'{path}-wal').exists()


@pytest.mark.parametrize('how', ['deleted', 'replaced', 'moved'])
def test_a_file_that_is_taken_away_fails_the_next_call(tmp_path, how):
    path = tmp_path / 'swf.db'
    with LocalSWF(path, synchronous='NORMAL', long_poll=0) as swf:
        domain = Domain(swf).prepare()
        domain.start('before')
        if how == 'replaced':
            shutil.copyfile(path, tmp_path / 'other.db')
            (tmp_path / 'other.db').replace(path)
        elif how == 'moved':
            path.rename(tmp_path / 'elsewhere.db')
        else:
            path.unlink()
        for call in (
            lambda: domain.start('after'),
            domain.poll_decision,
            lambda: swf.list_domains(registrationStatus='REGISTERED'),
            swf.reset,
        ):
            with pytest.raises(FileGone, match='deleted or replaced'):
                call()


@pytest.mark.skipif(os.name != 'posix', reason='there are no such modes')
def test_files_are_their_owner_s(domain, path):
    domain.start()
    for name in ('', '-wal', '-shm', '-lock'):
        assert stat.S_IMODE(Path(path + name).stat().st_mode) == 0o600


def test_a_backup_of_a_file_in_use_is_whole(domain, path, tmp_path):
    domain.start('w')
    copy = str(tmp_path / 'copy.db')
    assert archive.backup(path, copy) == Path(copy).stat().st_size
    domain.start('later')
    assert stat.S_IMODE(Path(copy).stat().st_mode) == 0o600 or os.name != 'posix'
    with LocalSWF(copy, long_poll=0) as other:
        found = other.list_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['executionInfos']
        assert [info['execution']['workflowId'] for info in found] == ['w']
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute('PRAGMA integrity_check').fetchone() == ('ok',)


def test_a_backup_overwrites_nothing(domain, path, tmp_path):
    copy = tmp_path / 'copy.db'
    copy.write_text('mine')
    with pytest.raises(StoreError, match='exists already'):
        archive.backup(path, str(copy))
    assert copy.read_text() == 'mine'


def test_a_backup_of_something_else_leaves_nothing_behind(tmp_path):
    copy = tmp_path / 'copy.db'
    other = tmp_path / 'letter.txt'
    other.write_text('Dear file,\n' * 100)
    with pytest.raises(ForeignFile):
        archive.backup(str(other), str(copy))
    with pytest.raises(ForeignFile, match='does not exist'):
        archive.backup(str(tmp_path / 'nothing.db'), str(copy))
    assert not copy.exists()
