"""``genflow domain``, and what commands say where a domain is not there."""

from __future__ import annotations

import pytest

from genflow.local import LocalSWF
from genflow.tools.cli.main import main


@pytest.fixture
def db(tmp_path):
    return str(tmp_path / 'x.db')


@pytest.fixture
def genflow(db, capsys):
    """Runs a command on the file; gives exit code, stdout and stderr."""

    def run(*arguments):
        code = main([*arguments, '--db', db])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def described(db, name):
    with LocalSWF(db) as service:
        return service.describe_domain(name=name)


def test_a_domain_is_registered(genflow, db):
    assert genflow('domain', 'register', 'shop', '--retention-days', '7', '--description', 'Orders') == (0, '', '')
    found = described(db, 'shop')
    assert found['configuration'] == {'workflowExecutionRetentionPeriodInDays': '7'}
    assert found['domainInfo']['description'] == 'Orders'


def test_closed_executions_are_kept_for_a_month_by_default(genflow, db):
    genflow('domain', 'register', 'shop')
    assert described(db, 'shop')['configuration'] == {'workflowExecutionRetentionPeriodInDays': '30'}


def test_a_domain_that_is_there_is_left_as_it_is(genflow, db):
    genflow('domain', 'register', 'shop', '--retention-days', '7')
    code, out, err = genflow('domain', 'register', 'shop')
    assert (code, out) == (0, '')
    assert err == 'genflow: the domain shop is registered already, and keeps closed executions for 7 days\n'
    assert described(db, 'shop')['configuration'] == {'workflowExecutionRetentionPeriodInDays': '7'}


def test_a_deprecated_domain_is_no_use(genflow, db):
    genflow('domain', 'register', 'shop')
    with LocalSWF(db) as service:
        service.deprecate_domain(name='shop')
    code, _, err = genflow('domain', 'register', 'shop')
    assert code == 2
    assert "the domain 'shop' is deprecated" in err
    assert genflow('domain', 'list')[1] == ''
    assert genflow('domain', 'list', '--deprecated')[1] == 'shop\n'


def test_domains_are_listed_by_name(genflow):
    for name in ('shop', 'bank'):
        genflow('domain', 'register', name)
    genflow('domain', 'register', 'zoo', '--description', 'Animals')
    assert genflow('domain', 'list') == (0, 'bank\nshop\nzoo Animals\n', '')


def test_a_name_that_swf_refuses(genflow):
    code, _, err = genflow('domain', 'register', 'a/b')
    assert code == 2
    assert err.startswith('Error: ')


@pytest.mark.parametrize('command', [['start', 'Order', '1'], ['list'], ['history', 'a'], ['signal', 'a', 'go']])
def test_a_command_in_an_unknown_domain_names_the_way_out(genflow, command):
    genflow('domain', 'register', 'shop')
    code, out, err = genflow(*command)
    assert (code, out) == (2, '')
    assert err.startswith('Error: Unknown domain: genflow (UnknownResourceFault). `genflow domain register genflow')


def test_the_way_out_leads_out(genflow):
    genflow('domain', 'register', 'genflow')
    assert genflow('list') == (0, '', "genflow: the domain 'genflow' has no execution that fits\n")


def test_no_file_is_made_by_a_command_that_only_looks(genflow, tmp_path):
    code, _, err = genflow('start', 'Order', '1')
    assert code == 2
    assert 'there is no such file' in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('command', [('list',), ('doctor',), ('domain', 'list'), ('count',)], ids=' '.join)
def test_the_command_that_makes_a_file_names_it_as_a_shell_reads_it(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    assert main([*command, '--db', "Bob's orders.db"]) in (2, 7)
    shown = capsys.readouterr()
    assert """`genflow run --db 'Bob'"'"'s orders.db'`""" in ' '.join((shown.out + shown.err).split())
