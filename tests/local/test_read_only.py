"""``LocalSWF(path, mode='r')``: only to look, whoever has the file and whatever its modes are."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

import pytest

from genflow.local import LocalSWF, ManualClock
from genflow.local.errors import FileInUse, ForeignFile, ReadOnly, ServiceClosed
from tests.local.domain import Domain, decision, schedule
from tests.local.other_process import OtherProcess
from tests.local.test_forks import in_child

COPY = 'a copy of it and of its write-ahead log is read'


def bytes_of(path):
    return {one.name: one.read_bytes() for one in Path(path).parent.iterdir() if one.is_file()}


@pytest.fixture
def execution(path):
    """An execution with a started activity and a timer, in a file that nobody has open."""
    with LocalSWF(path, synchronous='NORMAL', long_poll=0) as swf:
        domain = Domain(swf).prepare()
        execution = domain.start('w')
        domain.decide(schedule('a'), decision('StartTimer', timerId='t', startToFireTimeout='0'))
        domain.poll_activity()
    return execution


def test_looking_changes_no_byte_and_makes_no_file(execution, path, caplog):
    before = bytes_of(path)
    with LocalSWF(path, mode='r') as swf:
        domain = Domain(swf)
        assert domain.types(execution)[-1] == 'ActivityTaskStarted'
        assert domain.describe(execution)['openCounts']['openActivityTasks'] == 1
        assert not swf.is_leader
    assert bytes_of(path) == before
    assert COPY not in caplog.text


def test_nothing_becomes_due_by_being_looked_at(path):
    """Time has passed since the file was closed."""
    with LocalSWF(path, ManualClock(), synchronous='NORMAL', long_poll=0) as swf:
        domain = Domain(swf).prepare()
        execution = domain.start()
        domain.decide(decision('StartTimer', timerId='t', startToFireTimeout='1'))
    with LocalSWF(path, mode='r') as swf:
        assert Domain(swf).types(execution)[-1] == 'TimerStarted'
        assert swf.next_deadline() is not None


@pytest.mark.parametrize(
    'call',
    [
        lambda domain: domain.start('other'),
        lambda domain: domain.signal(),
        lambda domain: domain.poll_decision(),
        lambda domain: domain.swf.reset(),
        lambda domain: domain.swf.register_lambda('f', len),
        lambda domain: domain.swf.hold('PollForDecisionTask', {}, print),
    ],
)
def test_a_call_that_would_change_something_is_refused(execution, path, call):
    with LocalSWF(path, mode='r') as swf, pytest.raises(ReadOnly, match='read-only'):
        call(Domain(swf))


@pytest.mark.thorough
def test_what_was_not_folded_yet_is_seen(path, caplog):
    """A process that was killed leaves its last commits in the journal and in the write-ahead log."""
    with OtherProcess(path, synchronous='NORMAL') as other:
        other('domain.prepare() and None')
        execution = other('domain.start("w")')
        other.kill()
    before = bytes_of(path)
    with LocalSWF(path, mode='r') as swf:
        assert Domain(swf).types(execution) == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
    assert bytes_of(path) == before
    assert caplog.text.count(f'{path} was not closed by its last user: {COPY}') == 1


def test_what_others_write_later_is_seen(execution, path):
    """Whether they still have the file, or have closed it again."""
    with LocalSWF(path, mode='r') as swf:
        assert Domain(swf).types(execution)[-1] == 'ActivityTaskStarted'
        with LocalSWF(path, synchronous='NORMAL') as leader:
            assert leader.is_leader
            Domain(leader).signal()
            assert 'WorkflowExecutionSignaled' in Domain(swf).types(execution)
            Domain(leader).signal()
        assert Domain(swf).types(execution).count('WorkflowExecutionSignaled') == 2
        with LocalSWF(path, ManualClock()), pytest.raises(FileInUse, match='ManualClock'):
            Domain(swf).types(execution)
        assert Domain(swf).types(execution).count('WorkflowExecutionSignaled') == 2
    with pytest.raises(ServiceClosed):
        Domain(swf).types(execution)


def test_who_looks_sees_what_the_leader_does(execution, path):
    with LocalSWF(path, synchronous='NORMAL') as leader, LocalSWF(path, mode='r') as swf:
        Domain(leader).signal()
        assert 'WorkflowExecutionSignaled' in Domain(swf).types(execution)
        with pytest.raises(ReadOnly):
            Domain(swf).signal()


def test_the_file_of_a_clock_that_is_moved_is_not_shown(path):
    with LocalSWF(path, ManualClock()), pytest.raises(FileInUse, match='ManualClock'):
        LocalSWF(path, mode='r')


def test_a_file_that_is_not_there_is_not_made(path):
    with pytest.raises(ForeignFile, match='does not exist'):
        LocalSWF(path, mode='r')
    assert not Path(path).exists()


def test_an_unknown_mode(path):
    with pytest.raises(ValueError, match="mode='w'"):
        LocalSWF(path, mode='w')


@pytest.mark.thorough
@pytest.mark.skipif(os.name != 'posix', reason='there are no such modes')
@pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning')
@pytest.mark.parametrize('is_killed', [False, True])
def test_a_file_and_a_folder_that_cannot_be_written(is_killed):
    """Looked at by a user who may only read it: root may write everything, so a child gives its rights up."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders cannot be entered by others
        folder = Path(name)
        path = folder / 'swf.db'
        with OtherProcess(path, synchronous='NORMAL') as other:
            execution = other('domain.prepare().start("w")')
            if is_killed:
                other.kill()
        assert (folder / 'swf.db-wal').exists() == is_killed

        def look():
            if os.geteuid() == 0:
                os.seteuid(65534)
            with pytest.raises(PermissionError):
                path.open('ab')
            with LocalSWF(path, mode='r') as swf:
                return Domain(swf).types(execution)

        files = {one: 0o444 for one in folder.iterdir() if one.is_file()}
        with modes({**files, folder: 0o555}):
            assert in_child(look)[0] == 'WorkflowExecutionStarted'


@contextlib.contextmanager
def modes(wanted):
    before = {one: stat.S_IMODE(one.stat().st_mode) for one in wanted}
    for one, mode in wanted.items():
        one.chmod(mode)
    yield
    for one, mode in before.items():
        one.chmod(mode)
