"""``--read-only``: commands that look at a file and write nothing to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from genflow import Workflow, run, workflow
from genflow.local import LocalSWF
from genflow.tools.cli.main import main
from tests.local.other_process import OtherProcess

pytestmark = pytest.mark.thorough


@workflow(name='Whole', version=1, task_list='whole')
class Whole(Workflow):
    def run(self):
        return 7


@pytest.fixture
def db(tmp_path):
    """A file with a completed execution, that nobody has open."""
    path = str(tmp_path / 'x.db')
    assert run(Whole, db=path, workflow_id='a') == 7
    return path


def bytes_of(db):
    return {one.name: one.read_bytes() for one in Path(db).parent.iterdir() if one.is_file()}


COMMANDS = [
    ['list', '--closed'],
    ['count', '--closed'],
    ['history', 'a'],
    ['result', 'a'],
    ['why', 'a'],
    ['show', 'a'],
    ['timeline', 'a'],
    ['graph', 'a'],
]


@pytest.mark.parametrize('command', COMMANDS, ids=lambda command: command[0])
def test_a_command_shows_the_same_and_changes_no_byte(command, db, capsys):
    before = bytes_of(db)
    code = main([*command, '--read-only', '--db', db])
    out, err = capsys.readouterr()
    assert (code, bytes_of(db)) == (0, before), err
    assert main([*command, '--db', db]) == 0
    assert capsys.readouterr().out == out


def test_a_command_says_that_it_reads_a_copy(db, capsys, caplog):
    with OtherProcess(db) as other:
        other('domain.prepare() and None')
        other.kill()
    assert main(['domain', 'list', '--db', db]) == 0  # this one may write, and closes the file in order
    assert main(['count', '--closed', '--read-only', '--db', db]) == 0
    assert caplog.text == ''
    with OtherProcess(db) as other:
        other('domain.start("w")')
        other.kill()
    before = bytes_of(db)
    assert main(['count', '--domain', 'dom', '--read-only', '--db', db]) == 0
    assert capsys.readouterr().out.endswith('1\n')
    assert 'x.db was not closed by its last user: a copy of it and of its write-ahead log is read.' in caplog.text
    assert bytes_of(db) == before


def test_a_command_asks_the_leader(db, capsys):
    with LocalSWF(db):
        assert main(['result', 'a', '--read-only', '--db', db]) == 0
    assert capsys.readouterr().out == '7\n'
