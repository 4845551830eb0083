"""Each benchmark runs, with tiny sizes: what it prints is no figure then, but it checks what it timed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / 'benchmarks'
PATIENCE = 300

COMMANDS = {
    'cold_replay.py': ['50'],
    'compare.py': ['--rounds', '1', '--scale', '0.01'],
    'exploration.py': ['60', '2'],
    'http_service.py': ['calls', 'load', 'signed', 'polls', '--scale', '0.01'],  # the rest installs moto's server
    'local_service.py': ['--closed', '20', '--history', '1000', '--workflows', '16'],
    'processes.py': ['--processes', '1', '--rounds', '1', '--scale', '0.02'],
    'replay.py': ['2'],
    'signal_latency.py': ['3'],
    'sticky.py': ['70'],
    'sticky_http.py': ['--steps', '5', '--long', '10', '--cold'],
    'tester.py': ['3'],
    'who_leads.py': ['1', '2'],
    'wire_to_decision.py': ['50', '1'],
}
"""By script: arguments that make it quick."""

PEERS = ['--only', 'genflow', '--workflows', '2', '--steps', '2', '--chain', '3', '--rounds', '1', '--folder', '.']

PARTS = {'bars.py', 'environments.py', 'histories.py', 'short.py'}
"""What scripts use, or run."""

ELSEWHERE = {
    'peers.py',  # has to install others' packages before it measures anything
    'peers_local.py',  # below
    'soak.py',  # tests/local/test_kill.py
    'soak_shared.py',  # likewise
}


def test_every_benchmark_is_tried():
    found = {path.name for path in BENCHMARKS.glob('*.py')}
    assert found == COMMANDS.keys() | PARTS | ELSEWHERE


@pytest.mark.slow
@pytest.mark.parametrize('script', COMMANDS)
def test_it_runs(script, tmp_path):
    command = [sys.executable, '-W', 'ignore', str(BENCHMARKS / script), *COMMANDS[script]]
    scheduled_service = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=scheduled_service, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.slow
def test_peers_are_shown_as_a_table_and_a_picture(tmp_path):
    command = [sys.executable, str(BENCHMARKS / 'peers_local.py'), *PEERS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert '2 workflows of 2 steps' in done.stdout
    picture = (tmp_path / 'peers.svg').read_text()
    assert 'genflow, in memory' in picture
    assert picture.count('<rect') == 6


def test_a_commit_that_is_not_there_is_named():
    command = [sys.executable, str(BENCHMARKS / 'compare.py'), 'no-such-commit', '--rounds', '1']
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith('compare.py: `git worktree add` failed in ')
    assert 'no-such-commit' in done.stderr
    assert len(done.stderr.splitlines()) == 1
