"""A file as text and back: everything in it goes on."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from genflow.local import LocalSWF
from genflow.local.engine import archive
from genflow.local.errors import CorruptFile, FileInUse, ForeignFile, StoreError
from genflow.local.store import store
from tests.local.domain import COMPLETE, WORKFLOW, Domain, decision, schedule

PAGE = 4096


@pytest.fixture
def filled(opened, path):
    """A file with one closed and two open executions, and a task that was handed out."""
    domain = opened()
    domain.start('closed', tagList=['\x00', 'é'], input='"\x00\u2028"')
    domain.decide(COMPLETE)
    domain.start('busy', input='x' * 10_000)
    domain.decide(
        schedule('a', input='[1]'),
        decision('StartTimer', timerId='t', startToFireTimeout='60'),
        decision('StartChildWorkflowExecution', workflowType=WORKFLOW, workflowId='child'),
        executionContext='here',
    )
    domain.swf.request_cancel_workflow_execution(domain='dom', workflowId='child')
    token = domain.poll_activity()['taskToken']
    domain.swf.close()
    return token


def exported(path):
    out = io.StringIO()
    report = archive.export(path, out)
    return report, out.getvalue()


@pytest.mark.thorough
def test_info(filled, path):
    assert archive.info(path) == {
        'domains': 1,
        'types': 2,
        'executions': 3,
        'open executions': 2,
        'events': 5 + 10 + 3,
        'bytes': Path(path).stat().st_size,
    }


@pytest.mark.thorough
def test_what_was_imported_is_what_was_exported(filled, path, tmp_path):
    report, text = exported(path)
    assert report == archive.Report(executions=3)
    copy = str(tmp_path / 'copy.db')
    assert archive.import_(copy, io.StringIO(text)) == report
    assert exported(copy) == (report, text)


@pytest.mark.thorough
def test_an_imported_file_continues(filled, path, tmp_path, clock):
    copy = str(tmp_path / 'copy.db')
    archive.import_(copy, io.StringIO(exported(path)[1]))
    with LocalSWF(copy, clock) as swf:
        domain = Domain(swf, clock)
        swf.respond_activity_task_completed(taskToken=filled, result='1')
        clock.advance(60)
        (found,) = (
            info['execution']
            for info in swf.list_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})[
                'executionInfos'
            ]
            if info['execution']['workflowId'] == 'busy'
        )
        assert domain.types(found)[-2:] == ['ActivityTaskCompleted', 'TimerFired']
        assert domain.describe(found)['latestExecutionContext'] == 'here'
        tagged = swf.count_closed_workflow_executions(
            domain='dom', startTimeFilter={'oldestDate': 0}, tagFilter={'tag': '\x00'}
        )
        assert tagged['count'] == 1


@pytest.mark.thorough
def test_every_line_is_json_and_an_execution_has_its_history(filled, path):
    lines = [json.loads(line) for line in exported(path)[1].splitlines()]
    assert lines[0] == {'genflow': 'swf', 'format': 1}
    executions = {line['execution']['workflow_id']: line for line in lines if 'execution' in line}
    assert [event['eventId'] for event in executions['closed']['events']] == [1, 2, 3, 4, 5]
    assert executions['closed']['items'] == []


@pytest.mark.thorough
def test_a_file_that_holds_something_is_not_imported_into(filled, path):
    with pytest.raises(StoreError, match='import into a new file'):
        archive.import_(path, io.StringIO(exported(path)[1]))


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('Dear file', 'line 1'),
        ('{"genflow": "swf", "format": 99}', 'the heading'),
        ('{"genflow":"swf","format":1}\n{"execution": {}}', 'line 2'),
        ('{"genflow":"swf","format":1}\n[]', 'line 2'),
    ],
)
def test_text_that_is_no_export(path, text, words):
    with pytest.raises(ValueError, match=words):
        archive.import_(path, io.StringIO(text))


@pytest.mark.thorough
def test_a_file_in_use_is_read_and_not_shrunk(filled, path, clock):
    before = archive.info(path)['executions']
    with LocalSWF(path, clock):
        assert archive.info(path)['executions'] == before > 0
        text = io.StringIO()
        assert archive.export(path, text).executions == before
        with pytest.raises(FileInUse, match='needs exclusive access'):
            archive.vacuum(path)


def test_a_file_that_does_not_exist_is_not_made(path):
    with pytest.raises(ForeignFile, match='does not exist'):
        archive.info(path)
    assert not Path(path).exists()


@pytest.mark.thorough
def test_vacuum_gives_space_back(path, opened, clock):
    domain = opened()
    for number in range(100):
        domain.start(str(number), input='x' * 20_000)
        domain.decide(COMPLETE)
    domain.swf.close()
    clock.advance(8 * 86_400)
    opened().swf.close()
    before, after = archive.vacuum(path)
    assert after < before


@pytest.mark.thorough
def test_what_can_be_read_of_a_damaged_file_is_exported(opened, path):
    domain = opened()
    for number in range(40):
        domain.start(str(number), input=f'"{number}"' + 'x' * 3000)
    domain.swf.close()
    connection = sqlite3.connect(path)
    (leaf,) = connection.execute(
        "SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY pageno LIMIT 1 OFFSET 3"
    ).fetchone()
    connection.close()
    with Path(path).open('r+b') as file:
        file.seek((leaf - 1) * PAGE)
        file.write(b'\xa5' * PAGE)
    damaged = Path(path).read_bytes()
    report, text = exported(path)
    assert 30 <= report.executions < 40
    assert len(report.lost) == 1 + 40 - report.executions
    assert len([line for line in text.splitlines() if line.startswith('{"execution"')]) == report.executions
    assert Path(path).read_bytes() == damaged


@pytest.mark.thorough
def test_what_can_be_read_of_a_truncated_file_is_exported(opened, path):
    domain = opened()
    for number in range(40):
        domain.start(str(number), input='x' * 3000)
        domain.decide(COMPLETE)
    domain.swf.close()
    connection = sqlite3.connect(path)
    (page,) = connection.execute(
        "SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY pageno DESC LIMIT 1 OFFSET 9"
    ).fetchone()
    connection.close()
    with Path(path).open('r+b') as file:
        file.truncate((page - 1) * PAGE)
    report, _ = exported(path)
    assert 0 < report.executions < 40
    assert 'truncated' in report.lost[0]


@pytest.mark.thorough
def test_a_file_of_which_nothing_is_left_says_so(filled, path):
    with Path(path).open('r+b') as file:
        file.truncate(3 * PAGE)
    with pytest.raises(CorruptFile):
        exported(path)


def unfolded(domain, tmp_path):
    """A copy of the file of a service that is at work; its last changes are in the journal only."""
    copy = str(tmp_path / 'copy')
    archive.backup(domain.swf.path, copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute('SELECT count(*) FROM journal').fetchone() != (0,)
        assert connection.execute('SELECT count(*) FROM executions').fetchone() == (0,)
    return copy


def test_what_is_in_the_journal_only_counts(opened, tmp_path):
    domain = opened()
    domain.start()
    assert archive.info(unfolded(domain, tmp_path))['open executions'] == 1


def test_vacuum_folds_the_journal(opened, tmp_path):
    domain = opened()
    domain.start()
    copy = unfolded(domain, tmp_path)
    archive.vacuum(copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute('SELECT count(*) FROM executions').fetchone() == (1,)


def test_vacuum_forgets_all_that_had_expired_at_the_last_change(opened, path, clock, monkeypatch):
    monkeypatch.setattr(store, 'SWEEP', 2)
    domain = opened()
    for number in range(5):
        domain.start(str(number))
        domain.decide(COMPLETE)
    clock.advance(1)
    domain.start('last')
    domain.swf.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE executions SET expires = (SELECT max(started) FROM executions) WHERE status != ''")
    archive.vacuum(path)
    assert archive.info(path)['executions'] == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute('SELECT count(*) FROM executions').fetchone() == (1,)


def test_a_type_of_a_domain_that_cannot_be_read_is_named(filled, path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE domains SET data = '{'")
    report, _ = exported(path)
    types = [lost for lost in report.lost if 'workflow type' in lost]
    assert len(types) == 1
    assert 'its domain cannot be read' in types[0]


def test_what_is_in_the_journal_of_a_damaged_file_is_exported(opened, tmp_path):
    opened()
    domain = opened()
    domain.start()
    copy = unfolded(domain, tmp_path)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    with Path(copy).open('r+b') as file:
        file.truncate(Path(copy).stat().st_size - PAGE)
    report, _ = exported(copy)
    assert 'truncated' in report.lost[0]
    assert report.executions == 1
