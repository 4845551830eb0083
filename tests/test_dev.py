"""dev.py, the way from a bare checkout to a running command."""

from __future__ import annotations

import subprocess
import sys
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
