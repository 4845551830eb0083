"""``genflow init``: what it writes runs, and passes its own tests, its types and its linter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from genflow.tools.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def run(folder, *words):
    command = [sys.executable, '-m', *words]
    environment = {'PYTHONPATH': str(ROOT), 'PATH': '/usr/bin:/bin', 'HOME': str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp('init') / 'My shop'
    assert main(['init', str(folder)]) == 0
    return folder


@pytest.mark.thorough
def test_a_new_project_passes_its_tests(project):
    done = run(project, 'pytest', '-q', '-p', 'no:cacheprovider')
    assert done.returncode == 0, done.stdout
    assert '5 passed' in done.stdout


@pytest.mark.thorough
def test_a_new_project_runs_in_the_file_that_it_names(project):
    done = run(project, 'genflow', 'run', '-q', 'my_shop/workflows.py', '7')
    assert (done.returncode, done.stdout) == (0, '"receipt 7 for 100, parcel 7"\n'), done.stderr
    assert (project / 'my_shop.db').exists()
    assert run(project, 'genflow', 'count', '--status', 'completed').stdout == '1\n'


def test_a_new_project_has_nothing_that_breaks_determinism(project):
    assert run(project, 'genflow', 'lint', 'my_shop').returncode == 0


@pytest.mark.thorough
def test_a_new_project_follows_the_strictest_types(project):
    pytest.importorskip('mypy')
    done = run(project, 'mypy', '--strict', '--cache-dir', str(project / 'cache'), 'my_shop', 'tests')
    assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(project, capsys):
    (project / 'README.md').write_text('mine')
    assert main(['init', str(project)]) == 2
    assert 'is there already' in capsys.readouterr().err
    assert (project / 'README.md').read_text() == 'mine'


@pytest.mark.parametrize('name', ['7', 'json', 'class', '…', 'genflow'])
def test_what_can_be_no_package_is_refused(tmp_path, capsys, name):
    assert main(['init', str(tmp_path / 'x'), '--name', name]) == 2
    assert 'give another --name' in capsys.readouterr().err
    assert not (tmp_path / 'x').exists()
