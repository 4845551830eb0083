"""A short run of the soak script: kill -9 at random moments loses nothing that was acknowledged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

SOAK = Path(__file__).parents[2] / 'benchmarks' / 'soak.py'


def test_ten_kills(tmp_path):
    command = [sys.executable, str(SOAK), '--kills', '10', '--open', '40', '--longest', '0.2']
    done = subprocess.run([*command, '--db', str(tmp_path / 'soak.db')], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('kills: 10, '), done.stdout


def test_whoever_leads_is_killed_four_times(tmp_path):
    command = [
        sys.executable,
        str(SOAK.with_name('soak_shared.py')),
        '--kills',
        '4',
        '--open',
        '10',
        '--longest',
        '0.4',
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('kills: 4, '), done.stdout
