"""Whatever becomes of a test, the processes that it started end: see ``tests/processes.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import STARTED, Process, end_since

TESTS = Path(__file__).parent
FOR_EVER = [sys.executable, '-c', 'import signal; print("begun", flush=True); signal.pause()']

OTHERS = {'test_processes.py', 'conformance/backends.py'}
"""Where the name may stand; what the conformance suite starts serves several files, and ends when its input does."""


def test_no_test_starts_a_process_that_nobody_ends():
    users = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob('*.py') if 'Popen(' in path.read_text('utf-8')}
    assert users == OTHERS, 'make a tests.processes.Process'


@pytest.mark.thorough
def test_what_a_test_has_started_is_killed_and_its_pipes_are_closed():
    before = len(STARTED)
    process = Process(FOR_EVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'begun\n'
    end_since(before)
    assert process.returncode < 0
    assert process.stdin.closed
    assert process.stdout.closed
    assert len(STARTED) == before


@pytest.mark.thorough
def test_a_block_that_fails_does_not_wait_for_its_process():
    with pytest.raises(ZeroDivisionError), Process(FOR_EVER, stdout=subprocess.PIPE, text=True) as process:
        raise ZeroDivisionError(process.stdout.readline())
    assert process.returncode < 0
