"""dev.py, the way from a bare checkout to a running command."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import dev

ROOT = Path(__file__).resolve().parent.parent
WAYS = {'ensurepip': dev.pip_by_ensurepip, "the system's pip": dev.pip_by_systems_pip}


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """dev.py with an environment of its own, which is not there yet."""
    monkeypatch.setattr(dev, 'VENV', tmp_path / 'venv')
    monkeypatch.setattr(dev, 'PYTHON', tmp_path / 'venv' / 'bin' / 'python')
    return tmp_path / 'venv'


@pytest.mark.parametrize('arguments', [[], ['nothing']])
def test_an_unknown_command_is_a_usage_error(arguments, capsys):
    assert dev.main(arguments) == 2
    assert capsys.readouterr().err.startswith('usage: python3 dev.py demo|test')


def test_the_readme_has_the_two_commands():
    text = (ROOT / 'README.md').read_text(encoding='utf-8')
    assert '```sh\npython3 dev.py demo\n```' in text
    assert '```sh\npython3 dev.py test\n```' in text


@pytest.mark.parametrize(
    ('given', 'left'),
    [
        ([], ['-m', dev.QUICK]),
        (['-x', '-k', 'saga'], ['-m', dev.QUICK, '-x', '-k', 'saga']),
        (['--all'], []),
        (['-x', '--all'], ['-x']),
        (['tests/core', '-x'], ['tests/core', '-x']),
        (['tests/test_dev.py::test_x'], ['tests/test_dev.py::test_x']),
    ],
)
def test_the_quick_suite_runs_unless_all_tests_or_some_files_are_requested(given, left, monkeypatch):
    monkeypatch.setenv('GENFLOW_EXAMPLES', 'of this run')
    assert dev.suite(given) == left


@pytest.mark.parametrize(('given', 'examples'), [([], 'quick'), (['--all'], None), (['tests/core'], None)])
def test_the_quick_suite_tries_a_few_examples_of_each_property(given, examples, monkeypatch):
    monkeypatch.setattr(os, 'environ', {})
    dev.suite(given)
    assert os.environ.get('GENFLOW_EXAMPLES') == examples


def test_where_no_bytecode_may_be_written_it_is_kept_in_the_environment(environment, monkeypatch):
    monkeypatch.setenv('PYTHONDONTWRITEBYTECODE', '1')
    code = 'import sys, textwrap; print(sys.dont_write_bytecode, textwrap.__cached__)'
    done = subprocess.run([sys.executable, '-c', code], env=dev.variables(), capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f'False {environment / "bytecode"}')


def test_otherwise_the_environment_of_a_command_is_the_one_of_its_user(monkeypatch):
    monkeypatch.delenv('PYTHONDONTWRITEBYTECODE', raising=False)
    assert dev.variables() == os.environ


def test_the_bytecode_of_modules_that_tests_wrote_does_not_pile_up(environment, monkeypatch):
    monkeypatch.setenv('PYTHONDONTWRITEBYTECODE', '1')
    temporary = Path(tempfile.gettempdir()).resolve()
    old = environment / 'bytecode' / temporary.relative_to('/') / 'pytest-of-me' / 'pytest-0'
    old.mkdir(parents=True)
    dev.variables()
    assert not old.exists()
    assert old.parents[1].exists()


LAWS = ('core', 'swf', 'local', 'conformance', 'insight', 'recorded', 'testing')
PROCESSES = {'test_kill.py', 'test_programs.py', 'test_elsewhere.py', 'test_evictions.py', 'test_fault_injection.py'}
"""Files that are all about processes, which the thorough suite starts."""


@pytest.mark.parametrize('room', LAWS)
def test_the_quick_suite_asks_every_law_something(room):
    """No file of laws is left out as a whole."""
    files = {path for path in (ROOT / 'tests' / room).glob('test_*.py') if path.name not in PROCESSES}
    assert files
    assert [path.name for path in sorted(files) if not has_quick_tests(path)] == []


def has_quick_tests(path):
    tree = ast.parse(path.read_text(encoding='utf-8'))
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith('test_')]
    quick = [test.name for test in tests if not any(map(is_left_out, test.decorator_list))]
    machine = any(isinstance(node, ast.Assign) and 'TestCase' in ast.unparse(node) for node in tree.body)
    whole = any(isinstance(node, ast.Assign) and is_left_out(node) for node in tree.body)
    return (quick or machine) and not whole


def is_left_out(node):
    return any(f'pytest.mark.{mark}' in ast.unparse(node) for mark in ('thorough', 'slow', 'browser'))


def test_what_is_installed_is_not_installed_again(environment, capsys):
    environment.mkdir()
    (environment / 'stamp-cli').write_text(dev.fingerprint())
    dev.prepare('cli')
    assert capsys.readouterr().err == ''
    assert [path.name for path in environment.iterdir()] == ['stamp-cli']


def test_another_setup_cfg_means_another_installation(tmp_path, monkeypatch):
    for name in ('setup.cfg', 'pyproject.toml', 'dev.py'):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(dev, 'ROOT', tmp_path)
    before = dev.fingerprint()
    (tmp_path / 'setup.cfg').write_text('[metadata]\n')
    assert dev.fingerprint() != before


@pytest.mark.slow
@pytest.mark.parametrize('way', WAYS)
def test_pip_comes_into_an_environment_that_was_made_without(environment, way):
    dev.make_environment()
    assert not dev.works(dev.PYTHON, '-m', 'pip', '--version')
    try:
        dev.install_pip([WAYS[way]])
    except dev.SetUpError:
        pytest.skip(f'this machine has no {way}')
    assert dev.works(dev.PYTHON, '-m', 'pip', '--version')


def test_where_nothing_brings_pip_the_error_says_what_to_install(environment):
    with pytest.raises(dev.SetUpError, match='apt install python3-venv'):
        dev.install_pip([])


def test_an_interpreter_that_is_too_old_is_told_so_or_replaced():
    code = (
        f'import sys; sys.version_info = (3, 9, 0); sys.argv = ["dev.py"]; exec(open({str(ROOT / "dev.py")!r}).read())'
    )
    done = subprocess.run(
        [sys.executable, '-c', f'__file__ = {str(ROOT / "dev.py")!r}; {code}'],
        env={'PATH': ''},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'genflow needs Python 3.10 or newer' in done.stderr
