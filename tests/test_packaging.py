"""What setup.cfg and pyproject.toml promise about the package."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

import genflow
from genflow import __main__ as entry

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope='module')
def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(ROOT / 'setup.cfg', encoding='utf-8')
    return parser


def names(requirements):
    lines = (line.strip() for line in requirements.splitlines())
    return {re.split(r'[ \[<>=]', line)[0] for line in lines if line and not line.startswith('#')}


def test_the_package_needs_three_others(setup_cfg):
    assert names(setup_cfg['options']['install_requires']) == {'attrs', 'boto3', 'venusian'}


def test_no_requirement_has_an_upper_bound(setup_cfg):
    assert setup_cfg['options']['python_requires'] == '>=3.10'
    extras = {name: text for name, text in setup_cfg['options.extras_require'].items() if name != 'test'}
    everything = setup_cfg['options']['install_requires'] + ''.join(extras.values())
    requirements = [line.partition(';')[0] for line in everything.splitlines() if not line.startswith('#')]
    assert [line for line in requirements if re.search(r'<|==|~=', line)] == []


def test_each_extra_has_a_purpose(setup_cfg):
    extras = setup_cfg['options.extras_require']
    assert {'cli', 'ui', 'typed', 'otel', 'test', 'docs', 'all'} <= set(extras)
    assert names(extras['cli']) == {'click', 'rich', 'tomli', 'watchfiles'}
    assert names(extras['ui']) == {'genflow', 'jinja2', 'starlette', 'uvicorn'}


def test_the_licence_is_mit_by_expression_and_by_file(setup_cfg):
    assert setup_cfg['metadata']['license_expression'] == 'MIT'
    assert (ROOT / 'LICENSE').read_text(encoding='utf-8').startswith('MIT License')


def test_setup_cfg_alone_says_what_the_package_is():
    assert '[project]' not in (ROOT / 'pyproject.toml').read_text(encoding='utf-8')


def test_the_package_says_that_it_is_typed():
    assert (Path(genflow.__file__).parent / 'py.typed').is_file()


def test_the_changelog_has_the_version_of_the_package(setup_cfg):
    changelog = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')
    assert re.search(rf'^## {re.escape(setup_cfg["metadata"]["version"])} ', changelog, re.MULTILINE)


def test_the_console_script_exists(setup_cfg):
    scripts = setup_cfg['options.entry_points']['console_scripts']
    assert scripts.strip() == f'genflow = {entry.__name__}:{entry.main.__name__}'


def test_without_its_extra_the_command_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(entry, 'NEEDED', ('a_package_that_nobody_has',))
    assert entry.main() == 2
    error = capsys.readouterr().err
    assert 'a_package_that_nobody_has' in error
    assert 'pip install "genflow[cli]"' in error
