"""``genflow db`` on files that the service wrote."""

from __future__ import annotations

import pytest

from genflow.local import LocalSWF
from genflow.tools.cli.main import main


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


def test_an_export_goes_to_stdout_unless_told_otherwise(db, tmp_path, capsys):
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
