"""One damaged row: all else goes on, and the error names the file, the execution and the event."""

from __future__ import annotations

import contextlib
import io
import logging
import sqlite3
from contextlib import closing

import pytest

from genflow.local import LocalSWF, ManualClock
from genflow.local.engine import archive
from genflow.local.errors import CorruptFile
from tests.local.domain import Domain, schedule

JUNK = ('{"eventId": 1', '{}', 'null', '[]', '7', '"text"', '{"kind": "decision"}', '{"kind": "nobody"}', '')


@pytest.fixture
def filled(path, clock):
    """Two open executions with an activity and a decision task each."""
    with LocalSWF(path, clock, synchronous='OFF') as swf:
        domain = Domain(swf, clock).prepare()
        for name in ('bad', 'good'):
            domain.start(name)
            domain.decide(schedule('a'))
            domain.signal(name)
    return path


def damage(path, statement, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


OF_BAD = "ref >> 20 = (SELECT key FROM executions WHERE workflow_id = 'bad')"
PLACES = {
    'event': f'UPDATE events SET event = ? WHERE ref = (SELECT min(ref) FROM events WHERE {OF_BAD})',  # noqa: S608
    'item': f'UPDATE items SET data = ? WHERE ref = (SELECT max(ref) FROM items WHERE {OF_BAD})',  # noqa: S608
    'row': "UPDATE executions SET about = ? WHERE workflow_id = 'bad'",
}


def try_everything(path, clock):
    """What happens to the damaged one, and that the other goes on."""
    refusals = []
    with LocalSWF(path, clock) as swf:
        domain = Domain(swf, clock)
        calls = [
            lambda: domain.signal('bad'),
            lambda: swf.terminate_workflow_execution(domain='dom', workflowId='bad'),
            lambda: swf.list_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0}),
            *([lambda run=run: domain.history(run) for run in runs_of(path)]),
        ]
        for call in calls:
            try:
                call()
            except CorruptFile as error:
                refusals.append(str(error))
            except swf.exceptions.UnknownResourceFault:
                pass  # of an execution whose domain is damaged
        domain.signal('good')
        clock.advance(100_000)
        assert swf.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['count'] <= 1
    return refusals


def runs_of(path):
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT workflow_id, run_id FROM executions WHERE workflow_id = 'bad'").fetchall()
    return [{'workflowId': workflow_id, 'runId': run_id} for workflow_id, run_id in rows]


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('junk', JUNK)
def test_the_service_continues_beside_it_and_says_which(filled, clock, place, junk, caplog):
    damage(filled, PLACES[place], junk)
    with caplog.at_level(logging.WARNING, 'genflow.local'):
        refusals = try_everything(filled, clock)
    words = [*refusals, *(record.getMessage() for record in caplog.records)]
    assert words
    assert all(filled in text for text in words)
    assert any("'bad'" in text for text in words)


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('junk', JUNK)
def test_an_export_names_it_and_can_be_imported(filled, clock, tmp_path, place, junk):
    damage(filled, PLACES[place], junk)
    out = io.StringIO()
    report = archive.export(filled, out)
    assert report.executions == 1
    (lost,) = report.lost
    assert "'bad'" in lost
    assert filled in lost
    copy = str(tmp_path / 'copy.db')
    assert archive.import_(copy, io.StringIO(out.getvalue())).executions == 1
    with LocalSWF(copy, clock) as swf:
        Domain(swf, clock).signal('good')


def test_a_missing_event_is_no_shorter_history(filled, clock):
    damage(filled, "DELETE FROM events WHERE ref = (SELECT key << 20 | 2 FROM executions WHERE workflow_id = 'bad')")
    with LocalSWF(filled, clock) as swf, pytest.raises(CorruptFile, match="event 2 of execution 'bad'"):
        Domain(swf, clock).history(runs_of(filled)[0])


@pytest.mark.parametrize('table', ['domains', 'types'])
def test_a_damaged_domain_or_type(filled, clock, tmp_path, table):
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute(f"UPDATE {table} SET data = '{{'")  # noqa: S608
    with pytest.raises(CorruptFile, match=r'damaged|cannot be read'):
        LocalSWF(filled, clock)
    out = io.StringIO()
    report = archive.export(filled, out)
    assert report.lost
    assert all(filled in text for text in report.lost)
    copy = str(tmp_path / 'copy.db')
    archive.import_(copy, io.StringIO(out.getvalue()))
    LocalSWF(copy, clock).close()


def test_an_export_of_a_cut_file_names_the_file_and_gives_no_advice_to_export(filled):
    with open(filled, 'r+b') as file:  # noqa: PTH123
        file.truncate(3 * 4096)
    out = io.StringIO()
    try:
        words = archive.export(filled, out).lost
    except CorruptFile as error:
        words = (str(error),)
    assert words
    assert all(filled in text for text in words)
    assert not any('genflow db export' in text for text in words)


DEEP = '[' * 2_000
OF_ROW = "UPDATE executions SET {} = ? WHERE workflow_id = 'bad'"
COLUMNS = {
    'key': [10**18],
    'domain': ['nowhere'],
    'started': ['text', b'\xff', 10**18, -(10**18)],
    'closed': [10**18],
    'expires': ['text', 10**18],
    'tags': [DEEP],
    'about': [DEEP],
}
DAMAGES = {
    **{
        f'{name} {number}': (OF_ROW.format(name), value)
        for name in COLUMNS
        for number, value in enumerate(COLUMNS[name])
    },
    'event without attributes': (
        PLACES['event'].replace('= ?', "= replace(event, 'EventAttributes', ?)"),
        'Attributes',
    ),
    'deep event': (PLACES['event'], DEEP),
    'deep item': (PLACES['item'], DEEP),
    'kind of a type': ("UPDATE types SET kind = ? WHERE name = 'act'", 'text'),
}


@pytest.mark.parametrize('damaged', DAMAGES)
def test_whatever_is_damaged_is_named_and_all_else_can_be_used(filled, clock, tmp_path, damaged):
    damage(filled, *DAMAGES[damaged])
    archive.info(filled)
    out = io.StringIO()
    assert archive.export(filled, out).lost
    imported = str(tmp_path / 'imported.db')
    archive.import_(imported, io.StringIO(out.getvalue()))
    if damaged == 'kind of a type':
        with pytest.raises(CorruptFile, match='text type'):
            LocalSWF(filled, clock)
    else:
        with contextlib.suppress(CorruptFile), LocalSWF(filled, mode='r') as swf:
            swf.list_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})
        try_everything(filled, ManualClock(clock.now()))
        keeps_what_begins(filled, clock)
    keeps_what_begins(imported, clock)


def keeps_what_begins(path, clock):
    with LocalSWF(path, clock) as swf:
        execution = Domain(swf, clock).start('new')
    with LocalSWF(path, clock) as swf:
        assert Domain(swf, clock).types(execution) == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']


def test_a_file_that_cannot_be_opened_is_given_back_at_once(path):
    """Though the error, and what it remembers, lives on."""
    with LocalSWF(path) as swf:
        Domain(swf).prepare()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        (whole,) = connection.execute('SELECT data FROM domains').fetchone()
        connection.execute("UPDATE domains SET data = '{'")
    with pytest.raises(CorruptFile) as caught:
        LocalSWF(path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('UPDATE domains SET data = ?', (whole,))
    assert archive.vacuum(path)
    assert caught.value.__traceback__ is not None
