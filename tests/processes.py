"""Processes that tests start: whatever becomes of a test, none of them outlives it.

Tests make a :class:`Process` instead of a ``subprocess.Popen``. ``tests/conftest.py`` ends what a test has started when
the test is over, and what a fixture of a file has started after the last test of the file.
"""

from __future__ import annotations

import subprocess

STARTED: list[Process] = []
"""The processes that were started, and not seen to have ended by :func:`end_since`; oldest first."""


class Process(subprocess.Popen):
    """A child process of a test; as a context, it is killed where the block fails, instead of waited for."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        STARTED.append(self)

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)


def end_since(count):
    """Kills the processes that were started after the first so many, and closes what a test reads of them."""
    while len(STARTED) > count:
        process = STARTED.pop()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
