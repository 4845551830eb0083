"""Starting ``genflow`` as a process, the way people do, and waiting for what it shows."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import Process

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 180  # seconds: a process that hangs is a failure, not a test run that never ends


def start(folder, *arguments):
    """A process of ``genflow`` in a folder.

    It writes no bytecode: Python would take that of a file for current which a test changes within the same second.
    """
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONDONTWRITEBYTECODE': '1'}
    command = [sys.executable, '-m', 'genflow', *map(str, arguments)]
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
    return Process(command, cwd=folder, env=environment, **pipes)


def finish(process):
    """The process when it has ended, with what it wrote as ``out`` and ``err``."""
    process.out, process.err = process.communicate(timeout=TIMEOUT)
    return process


def wait_for(stream, text):
    """Reads lines until one has `text`, and gives that one."""
    seen = []
    for line in stream:
        if text in line:
            return line
        seen.append(line)
    raise AssertionError(f'{text!r} was never shown, but only:\n{"".join(seen)}')


needs_pidfd = pytest.mark.skipif(not hasattr(os, 'pidfd_open'), reason='waits for processes that are no children')


def children(pid):
    """The process ids of the processes that another one has started."""
    found = subprocess.run(['/bin/ps', '-o', 'pid=', '--ppid', str(pid)], capture_output=True, text=True, check=True)
    return sorted(int(line) for line in found.stdout.split())


@contextmanager
def ends_with_its_children(process, count):
    """A process that has `count` children, all of which end after the block."""
    workers = [os.pidfd_open(worker) for worker in children(process.pid)]
    assert len(workers) == count
    yield
    for worker in workers:
        ended, _, _ = select.select([worker], [], [], TIMEOUT)
        os.close(worker)
        assert ended


def start_flow(service):
    """An execution ``a`` of the type ``Flow``, for a worker of the domain ``shop`` and the task list ``steps``."""
    service.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    service.register_workflow_type(domain='shop', name='Flow', version='1')
    service.start_workflow_execution(
        domain='shop',
        workflowId='a',
        workflowType={'name': 'Flow', 'version': '1'},
        taskList={'name': 'steps'},
        input='[[4],{}]',
        executionStartToCloseTimeout='3600',
        taskStartToCloseTimeout='60',
        childPolicy='TERMINATE',
    )
