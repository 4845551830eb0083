"""``close()`` while other threads call: it waits for those inside SQLite, and refuses the rest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genflow.local import LocalSWF
from genflow.local.engine.group_commit import Journal
from genflow.local.errors import ServiceClosed
from tests.local.domain import Domain

READ_WHILE_CLOSING = """
import sys, threading
from genflow.local import LocalSWF
from genflow.local.errors import ServiceClosed
from tests.local.domain import Domain

with LocalSWF(sys.argv[1], synchronous='NORMAL', long_poll=0) as swf:
    domain = Domain(swf).prepare()
    execution = domain.start()
    for _ in range(300):
        domain.signal()
ends = []
for _ in range(6):
    swf = LocalSWF(sys.argv[1], synchronous='NORMAL', long_poll=0)
    domain = Domain(swf)
    begun = threading.Barrier(4)

    def read():
        begun.wait()
        try:
            while True:
                domain.history(execution)
        except ServiceClosed:
            ends.append('closed')

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    begun.wait()
    domain.history(execution)
    if sys.argv[2] == 'close':
        swf.close()
        for thread in threads:
            thread.join()
    else:
        break
print(ends)
"""


@pytest.mark.thorough
def test_readers_beside_a_close_are_notified(path):
    command = [sys.executable, '-c', READ_WHILE_CLOSING, path, 'close']
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (0, f'{["closed"] * 18}\n')


@pytest.mark.thorough
def test_a_program_that_ends_without_closing_does_not_crash(path):
    """Its threads read on while the interpreter is finalized."""
    code = READ_WHILE_CLOSING.replace('target=read)', 'target=read, daemon=True)')
    command = [sys.executable, '-c', code, path, 'leave']
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0


@pytest.mark.parametrize('where', ['memory', 'file'])
def test_calls_of_a_closed_service(where, path):
    swf = LocalSWF(path if where == 'file' else ':memory:')
    domain = Domain(swf).prepare()
    execution = domain.start()
    swf.close()
    calls = [
        lambda: domain.start('late'),
        domain.poll_decision,
        lambda: domain.history(execution),
        swf.reset,
        swf.next_deadline,
        lambda: swf.register_lambda('f', len),
    ]
    for call in calls:
        with pytest.raises(ServiceClosed, match='the service is closed'):
            call()
    swf.close()


def test_while_it_closes_nothing_more_is_begun(tmp_path, monkeypatch):
    """It would come after what is written last, and be lost."""
    swf = LocalSWF(str(tmp_path / 'swf.db'), synchronous='NORMAL')
    domain = Domain(swf).prepare()
    refused = []
    fold = Journal.fold

    def folding(journal):
        with pytest.raises(ServiceClosed):
            domain.start('late')
        refused.append('late')
        fold(journal)

    monkeypatch.setattr(Journal, 'fold', folding)
    swf.close()
    assert refused == ['late']
