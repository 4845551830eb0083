"""``close()`` while other threads call: it waits for those inside SQLite, and refuses the rest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genflow.local import LocalSWF
from genflow.local.engine.group_commit import Journal
from genflow.local.errors import ServiceClosed
from tests.local.office import Office

READ_WHILE_CLOSING = """
import sys, threading
from genflow.local import LocalSWF
from genflow.local.errors import ServiceClosed
from tests.local.office import Office

with LocalSWF(sys.argv[1], synchronous='NORMAL', long_poll=0) as swf:
    office = Office(swf).prepare()
    execution = office.start()
    for _ in range(300):
        office.signal()
ends = []
for _ in range(6):
    swf = LocalSWF(sys.argv[1], synchronous='NORMAL', long_poll=0)
    office = Office(swf)
    begun = threading.Barrier(4)

    def read():
        begun.wait()
        try:
            while True:
                office.history(execution)
        except ServiceClosed:
            ends.append('closed')

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    begun.wait()
    office.history(execution)
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
    office = Office(swf).prepare()
    execution = office.start()
    swf.close()
    calls = [
        lambda: office.start('late'),
        office.poll_decision,
        lambda: office.history(execution),
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
    office = Office(swf).prepare()
    refused = []
    fold = Journal.fold

    def folding(journal):
        with pytest.raises(ServiceClosed):
            office.start('late')
        refused.append('late')
        fold(journal)

    monkeypatch.setattr(Journal, 'fold', folding)
    swf.close()
    assert refused == ['late']
