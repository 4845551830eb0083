"""``genflow db`` on files that the service wrote."""

from __future__ import annotations

import json

import pytest

from genflow.local import LocalSWF
from genflow.testing import History
from genflow.tools.cli.main import main
from tests.testing.orders import Order


@pytest.fixture
def db(tmp_path):
    """A file with a domain."""
    path = str(tmp_path / 'x.db')
    with LocalSWF(path) as service:
        service.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    return path


def domains(path):
    with LocalSWF(path) as service:
        return [info['name'] for info in service.list_domains(registrationStatus='REGISTERED')['domainInfos']]


def test_info_counts(db, capsys):
    assert main(['db', 'info', db]) == 0
    facts = dict(line.rsplit(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert facts['domains'] == '1'


def test_what_is_exported_can_be_imported(db, tmp_path, capsys):
    text, copy = str(tmp_path / 'x.jsonl'), str(tmp_path / 'copy.db')
    assert main(['db', 'export', db, '--output', text]) == 0
    assert main(['db', 'import', copy, text]) == 0
    assert domains(copy) == ['shop']
    assert 'imported 0 executions' in capsys.readouterr().err


def test_an_export_goes_to_stdout_by_default(db, tmp_path, capsys):
    main(['db', 'export', db])
    assert '"shop"' in capsys.readouterr().out


def test_vacuum_says_what_it_gained(db, capsys):
    assert main(['db', 'vacuum', db]) == 0
    assert 'bytes before' in capsys.readouterr().err
    assert domains(db) == ['shop']


@pytest.mark.parametrize('command', ['info', 'export', 'vacuum'])
def test_a_file_that_is_not_there_is_refused(command, tmp_path, capsys):
    assert main(['db', command, str(tmp_path / 'nothing.db')]) == 2
    assert 'nothing.db does not exist' in capsys.readouterr().err


@pytest.mark.thorough
def test_a_file_that_is_in_use_can_be_looked_at_and_not_rewritten(db, capsys):
    with LocalSWF(db):
        assert main(['db', 'info', db]) == 0
        assert main(['db', 'vacuum', db]) == 5
    assert 'x.db' in capsys.readouterr().err


def test_a_text_that_is_no_export_is_refused(tmp_path, capsys):
    (tmp_path / 'text').write_text('hello\n')
    assert main(['db', 'import', str(tmp_path / 'new.db'), str(tmp_path / 'text')]) == 2
    assert 'line 1 is not of an export' in capsys.readouterr().err


def test_an_import_into_a_file_that_holds_something_is_refused(db, tmp_path, capsys):
    main(['db', 'export', db, '--output', str(tmp_path / 'text')])
    assert main(['db', 'import', db, str(tmp_path / 'text')]) == 2
    assert 'import into a new file' in capsys.readouterr().err


CODE = """
from genflow import ActivityProxy, Workflow, activity, workflow

@activity(name='Pack', version='1', task_list='genflow')
def pack(n):
    if n == 2 and not {mended}:
        raise ValueError('no box')
    return n

@workflow(name='Packing', version='1', task_list='genflow')
class Packing(Workflow):
    pack = ActivityProxy('Pack', '1', retry=0)

    def run(self):
        return (yield [self.pack(1), self.pack(2)])
"""


@pytest.fixture
def failed(tmp_path, capsys):
    """The history of an execution that failed, as the AWS command line prints it, and its code after it was mended."""
    code, db = tmp_path / 'packing.py', str(tmp_path / 'elsewhere.db')
    code.write_text(CODE.format(mended=False))
    assert main(['run', str(code), '--db', db, '--id', 'p']) != 0
    capsys.readouterr()
    assert main(['history', 'p', '--json', '--db', db]) == 0
    history = tmp_path / 'p.json'
    history.write_text(json.dumps({'events': json.loads(capsys.readouterr().out)['events']}))
    mended = tmp_path / 'mended.py'
    mended.write_text(CODE.format(mended=True))
    return str(history), str(mended)


def test_a_failed_execution_of_another_service_is_brought_over_and_repaired(failed, tmp_path, capsys):
    history, mended = failed
    db = str(tmp_path / 'here.db')
    assert main(['db', 'import', db, history, '--id', 'p']) == 0
    assert main(['why', 'p', '--db', db]) == 7
    assert 'because activity 2 Pack failed: ValueError: no box' in ' '.join(capsys.readouterr().out.split())
    assert main(['repair', 'p', mended, '--db', db]) == 0
    assert main(['run', mended, '--db', db, '--id', 'p']) == 0
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[-1]) == [1, 2]
    assert '[2.2] completed' in err
    assert '[1.1] scheduled' not in err


def test_a_history_without_ids_has_to_be_given_one(failed, tmp_path, capsys):
    assert main(['db', 'import', str(tmp_path / 'here.db'), failed[0]]) == 2
    assert 'does not say its workflow id; give it with --id ID' in capsys.readouterr().err


def test_an_open_execution_is_not_brought_over(tmp_path, capsys):
    path = tmp_path / 'open.json'
    path.write_text(History(Order, 1).to_json())
    assert main(['db', 'import', str(tmp_path / 'here.db'), str(path)]) == 2
    assert 'two services would then make its decisions' in ' '.join(capsys.readouterr().err.split())


@pytest.mark.parametrize('text', ['{"events": []}', 'nonsense', '', '[1]', '{"genflow":"swf","format":99}'])
def test_what_is_neither_an_export_nor_a_history_is_refused_briefly_and_leaves_no_file(text, tmp_path, capsys):
    source, db = tmp_path / 'wrong.json', tmp_path / 'here.db'
    source.write_text(text + ' ' * 100_000)
    assert main(['db', 'import', str(db), str(source)]) == 2
    assert len(capsys.readouterr().err) < 400
    assert not db.exists()
