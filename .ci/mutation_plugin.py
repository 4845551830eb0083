"""What pytest needs under `mutate.py`: which test runs which lines, and an end when its parent ends."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

import genflow

LIFELINE = 'GENFLOW_MUTATION_LIFELINE'
"""The variable with the end of a pipe that the parent holds: when it closes, the parent is gone."""

TIMES = 'GENFLOW_MUTATION_TIMES'
"""The variable with the file that takes the seconds of each test that passed."""


def pytest_configure(config: pytest.Config) -> None:
    """Watch the parent, and make sure that the clone is what is tested."""
    if LIFELINE in os.environ:
        threading.Thread(target=end_with_parent, args=(int(os.environ[LIFELINE]),), daemon=True).start()
    if not Path(genflow.__file__).is_relative_to(config.rootpath):
        raise pytest.UsageError(f'{genflow.__file__} is tested, which is not in {config.rootpath}')


def end_with_parent(pipe: int) -> None:
    """Kill this process and its children when nobody holds the other end of the pipe any more."""
    os.read(pipe, 1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let coverage write the lines of all threads down under the test's name."""
    running = coverage.Coverage.current()
    if running is not None:
        running.switch_context(item.nodeid)
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write the seconds of a test down, if it passed."""
    if report.when == 'call' and report.passed and TIMES in os.environ:
        with Path(os.environ[TIMES]).open('a', encoding='utf-8') as file:
            file.write(json.dumps([report.nodeid, report.duration]) + '\n')
