"""Histories of the service in another process, with another hash seed, ten years on: the same decisions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from random import Random

import pytest

from .runs import Environment

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]

VALUES = tuple(('value', name) for name in ('now', 'random', 'uuid', 'effect', 'patched', 'status'))

PROGRAMS = (
    ('seq', (*VALUES, ('catch', ('value', 'failing')))),
    ('seq', tuple(('seq', (('call', ('echo', 1)), value, ('call', ('sleep', 1)))) for value in VALUES)),
    ('all', tuple(('limited', (name, 1), 9, True) for name in ('patient', 'sturdy', 'late', 'child')), 'return'),
    ('first', (('kid', 1, False), ('call', ('shrink', 2)), ('catch', ('request', 1))), True),
    ('seq', (('map', 4, 2), ('completed', (('echo', 1), ('sleep', 2), ('get', 1))), ('signals',))),
    ('undo', ('mixed', (('call', ('get', 1)),), (('echo', 1), ('tell', 2))), ('call', ('sturdy', 1))),
    ('restart', ('race', (('echo', 1), ('patient', 2), ('child', 3)), True, 2)),
    ('tangle', (('echo', 1), ('late', 2), ('shrink', 3))),
)
CHANCES = 4


@pytest.fixture(scope='module')
def runs():
    """Each program, played as it leads on and as chance has it."""
    schedules = [b'', *(Random(chance).randbytes(400) for chance in range(1, CHANCES))]
    return [Environment(program, schedule).play() for program in PROGRAMS for schedule in schedules]


@pytest.fixture(scope='module')
def recorded(runs, tmp_path_factory):
    file = tmp_path_factory.mktemp('runs') / 'runs.json'
    written = [
        {
            'run_id': run.run_id,
            'seed': run.seed,
            'asked': [asked.started_id for asked in run.asked],
            'history': run.history,
        }
        for run in runs
    ]
    file.write_text(json.dumps(written, default=datetime.timestamp))
    return file


@pytest.mark.parametrize('seed', ['1', '4242'])
def test_ten_years_later_another_process_decides_the_same(runs, recorded, seed):
    done = subprocess.run(
        [sys.executable, '-m', 'tests.swf.elsewhere', recorded],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, 'PYTHONHASHSEED': seed, 'PYTHONPATH': str(ROOT)},
    )
    said = json.loads(done.stdout)
    assert said['year'] - datetime.now(timezone.utc).year in (10, 11)
    assert said['decided'] == [[[asked.started_id, asked.said] for asked in run.asked] for run in runs]
