"""Rule 12 where it counts: a worker's process that evicts all day, on its own stderr."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.profile import examples

ROOT = Path(__file__).parents[2]
EVICTIONS = examples(300, 10_000, few=30)


@pytest.mark.thorough
def test_thousands_of_evictions_from_the_cache_of_a_worker_say_nothing():
    done = subprocess.run(
        [sys.executable, '-X', 'dev', '-m', 'tests.swf.evictions', str(EVICTIONS)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert done.stdout == f'{EVICTIONS} evicted'
    assert not [line for line in done.stderr.splitlines() if 'a clean-up raised' not in line]
