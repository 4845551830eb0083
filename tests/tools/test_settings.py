"""Settings that all commands share: options over GENFLOW_* over [tool.genflow]."""

from __future__ import annotations

import os

import pytest

from genflow.local import LocalSWF
from genflow.tools.cli.main import COMMANDS, main
from genflow.tools.cli.settings import SETTINGS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder below a project, with a file for each domain that commands may be led to."""
    for name in ('flag', 'environment', 'project'):
        with LocalSWF(tmp_path / f'{name}.db') as service:
            service.register_domain(name=f'of-{name}', workflowExecutionRetentionPeriodInDays='7')
    (tmp_path / 'below').mkdir()
    monkeypatch.chdir(tmp_path / 'below')
    for name in SETTINGS:
        monkeypatch.delenv(f'GENFLOW_{name.upper()}', raising=False)
    return tmp_path


@pytest.fixture
def genflow(folder, capsys):
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


def project(folder, text):
    (folder / 'pyproject.toml').write_text(f'[tool.genflow]\n{text}\n', encoding='utf-8')


@pytest.mark.thorough
def test_a_flag_counts_over_the_environment_and_that_over_the_project(folder, genflow, monkeypatch):
    project(folder, 'db = "project.db"')
    assert genflow('domain', 'list') == (0, 'of-project\n', '')
    monkeypatch.setenv('GENFLOW_DB', str(folder / 'environment.db'))
    assert genflow('domain', 'list') == (0, 'of-environment\n', '')
    assert genflow('--db', folder / 'flag.db', 'domain', 'list') == (0, 'of-flag\n', '')
    assert genflow('domain', 'list', '--db', folder / 'flag.db') == (0, 'of-flag\n', '')


@pytest.mark.thorough
def test_an_endpoint_of_a_stronger_place_takes_the_place_of_a_file(folder, genflow, monkeypatch):
    project(folder, 'db = "project.db"')
    assert genflow('domain', 'list', '--endpoint', 'http://127.0.0.1:1')[0] == 5
    monkeypatch.setenv('GENFLOW_ENDPOINT', 'http://127.0.0.1:1')
    assert genflow('domain', 'list')[0] == 5
    assert genflow('domain', 'list', '--db', folder / 'flag.db')[0] == 0


@pytest.mark.thorough
def test_the_domain_of_the_project_is_the_domain_of_commands(folder, genflow):
    project(folder, 'db = "project.db"\ndomain = "elsewhere"')
    code, _, err = genflow('list')
    assert code == 2
    assert 'elsewhere' in err


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('domian = "x"', "has no setting 'domian'; did you mean 'domain'?"),
        ('verbose = "yes"', "verbose of [tool.genflow]: 'yes' is not true or false"),
        ('domain = 5', 'domain of [tool.genflow]: 5 is not a string'),
        ('color = "red"', 'color of [tool.genflow]: '),
        ('domain = ', 'is not valid TOML'),
        ('db = "a\\u0000"', 'has a NUL character'),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_with_its_place(folder, genflow, text, expected):
    project(folder, text)
    code, _, err = genflow('list')
    assert code == 2
    assert 'pyproject.toml' in err
    assert expected in err
    assert len(err.splitlines()) == 1


def test_a_variable_that_does_not_fit_is_named(genflow, monkeypatch):
    monkeypatch.setenv('GENFLOW_ENDPOINT', 'nowhere')
    code, _, err = genflow('list')
    assert code == 2
    assert err.startswith('Error: the environment variable GENFLOW_ENDPOINT: ')


def test_another_projects_file_is_none_of_ours(folder, genflow):
    (folder / 'pyproject.toml').write_text('[project]\nname = "x"\n', encoding='utf-8')
    assert genflow('version')[0] == 0


def test_region_and_profile_are_handed_to_boto3_for_the_command_alone(genflow, monkeypatch):
    monkeypatch.delenv('AWS_PROFILE', raising=False)
    code, _, err = genflow('list', '--profile', 'nobody-has-this', '--region', 'eu-west-1')
    assert code == 2
    assert 'nobody-has-this' in err
    assert 'AWS_PROFILE' not in os.environ


@pytest.mark.thorough
@pytest.mark.parametrize('name', COMMANDS)
def test_each_command_takes_each_setting(name, genflow):
    for setting in SETTINGS.values():
        value = {'bool': [], 'boolean': [], 'choice': [getattr(setting.type, 'choices', [''])[0]]}.get(
            setting.type.name, ['http://127.0.0.1:1' if 'endpoint' in setting.flags[0] else 'x']
        )
        code, _, err = genflow(name, setting.flags[0], *value, '--help')
        assert (code, err) == (0, ''), setting


def test_a_pyproject_whose_tools_are_no_table_is_refused(folder, genflow):
    (folder / 'pyproject.toml').write_text('tool = 3  # genflow', encoding='utf-8')
    code, _, err = genflow('list')
    assert code == 2
    assert 'tool.genflow is a table of settings' in err
