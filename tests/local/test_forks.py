"""Forks beside an open service: the child refuses, the parent goes on, and nobody hangs."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from genflow.local import LocalSWF, ManualClock
from genflow.local.store.file import close_everything
from tests.local.domain import Domain

pytestmark = [
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork'),
    pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning'),
]


def in_child(function, *, seconds=30):
    """What ``function`` returns in a forked child, through JSON."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(seconds)  # the child must not hang
        status = 1
        try:
            os.write(writer, json.dumps(function()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, 'rb') as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, f'the child ended with {status}'
    return json.loads(text)


def refusal(call):
    try:
        call()
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return 'no refusal'


def open_ids(swf):
    pages = swf.get_paginator('list_open_workflow_executions').paginate(domain='dom', startTimeFilter={'oldestDate': 0})
    return {info['execution']['workflowId'] for page in pages for info in page['executionInfos']}


@pytest.fixture(params=['memory', 'file'])
def domain(request, path):
    clock = ManualClock()
    with LocalSWF(path if request.param == 'file' else ':memory:', clock, synchronous='NORMAL') as swf:
        yield Domain(swf, clock).prepare()


@pytest.mark.parametrize(
    'call',
    [
        lambda domain: domain.start('child'),
        lambda domain: domain.poll_decision(),
        lambda domain: domain.swf.list_domains(registrationStatus='REGISTERED'),
        lambda domain: domain.swf.call('ListDomains', {'registrationStatus': 'REGISTERED'}),
        lambda domain: domain.swf.call_json('ListDomains', {'registrationStatus': 'REGISTERED'}),
        lambda domain: domain.swf.hold('PollForDecisionTask', {'domain': 'dom', 'taskList': {'name': 'l'}}, print),
        lambda domain: domain.swf.register_lambda('f', len),
        lambda domain: domain.swf.next_deadline(),
        lambda domain: domain.swf.reset(),
    ],
    ids=['start', 'poll', 'list', 'call', 'call_json', 'hold', 'register_lambda', 'next_deadline', 'reset'],
)
def test_every_call_of_a_child_is_refused_with_the_way_out(domain, call):
    text = in_child(lambda: refusal(lambda: call(domain)))
    assert text.startswith('ServiceForked: ')
    assert f'process {os.getpid()}' in text
    assert 'genflow server' in text
    domain.start('parent')
    assert open_ids(domain.swf) == {'parent'}


def test_a_child_may_close_what_it_inherited_and_the_parent_continues(domain):
    def close():
        domain.swf.close()
        domain.clock.advance(1)
        return True

    assert in_child(close)
    domain.start('parent')
    domain.clock.advance(1)
    assert open_ids(domain.swf) == {'parent'}


def test_a_child_that_ends_as_programs_do_damages_nothing(path):
    """Its interpreter is finalized, with everything that it inherited."""
    with LocalSWF(path, synchronous='NORMAL') as swf:
        domain = Domain(swf).prepare()
        domain.start('before')
        child = os.fork()
        if child == 0:
            sys.stdout = sys.stderr = open(os.devnull, 'w')  # noqa: SIM115, PTH123 - nothing of pytest's is written twice
            close_everything()
            del domain, swf
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        Domain(swf).start('after')
    with LocalSWF(path) as again:
        assert open_ids(again) == {'before', 'after'}


def test_a_child_that_lives_on_holds_no_file(path):
    reader, writer = os.pipe()
    swf = LocalSWF(path, synchronous='NORMAL')
    Domain(swf).prepare()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    try:
        swf.close()
        LocalSWF(path).close()
    finally:
        os.close(writer)
        os.waitpid(child, 0)


def test_a_file_whose_owner_died_just_after_a_fork_can_be_opened_at_once(path):
    """The orphan is held up before it runs a single line: its descriptors are closed a moment later."""
    code = (
        'import os, sys; from genflow.local import LocalSWF; swf = LocalSWF(sys.argv[1]); '
        'pid = os.fork(); os._exit(0) if pid else os.read(0, 1)'
    )
    reader, writer = os.pipe()
    try:
        subprocess.run([sys.executable, '-c', code, path], stdin=reader, check=True)
        LocalSWF(path).close()
    finally:
        os.close(writer)
        os.close(reader)


class Busy:
    """Threads that open, close and use services until they are told to stop."""

    def __init__(self, path):
        self.stop = threading.Event()
        self.swf = LocalSWF(path, synchronous='NORMAL')
        self.domain = Domain(self.swf).prepare()
        works = (self.make, self.make, self.use, self.use)
        self.threads = [threading.Thread(target=self.repeat, args=(work,), daemon=True) for work in works]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
        self.swf.close()

    def repeat(self, work):
        for number in itertools.count():
            if self.stop.is_set():
                return
            work(f'{threading.get_ident()}-{number}')

    def make(self, name):
        LocalSWF().close()

    def use(self, name):
        self.domain.start(name)
        open_ids(self.swf)


@pytest.mark.thorough
def test_a_child_makes_a_service_of_its_own_whatever_the_parent_s_threads_do(path):
    def own():
        with LocalSWF() as mine:
            Domain(mine).prepare().start('own')
            return sorted(open_ids(mine))

    with Busy(path):
        for _ in range(15):
            assert in_child(own) == ['own']


@pytest.mark.thorough
def test_a_clock_that_threads_move_is_free_in_the_child():
    clock = ManualClock()
    stop = threading.Event()

    def move():
        while not stop.is_set():
            clock.advance(1)

    threads = [threading.Thread(target=move, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            assert in_child(lambda: clock.advance(1) is None)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


WHILE_IMPORTING = """
import os, signal, sys, threading
from genflow.local import LocalSWF
from genflow.local.errors import StoreError

MODULE, ACTION = sys.argv[1:]
path = os.path.join(os.getcwd(), 'x.db')
importing, forked = threading.Event(), threading.Event()

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE and not importing.is_set():
            importing.set()
            forked.wait(0.5)  # which does not come: the fork waits for the import

sys.meta_path.insert(0, Slow())
assert MODULE not in sys.modules, MODULE
action = compile(ACTION, 'action', 'exec')
thread = threading.Thread(target=exec, args=(action, {'LocalSWF': LocalSWF, 'path': path}))
thread.start()
assert importing.wait(60)
child = os.fork()
if child == 0:
    signal.alarm(60)
    exec(action, {'LocalSWF': LocalSWF, 'path': f'{path}-child'})
    os._exit(0)
forked.set()
thread.join()
sys.exit(os.waitpid(child, 0)[1])
"""


COUNT = 'LocalSWF().count_open_workflow_executions(domain="d", startTimeFilter={"oldestDate": "2026-01-01"})'


@pytest.mark.parametrize(
    ('module', 'action'),
    [
        ('genflow.local.shared.member', 'LocalSWF(path).close()'),
        ('genflow.local.shared.read_only', 'LocalSWF(path).close(), LocalSWF(path, mode="r").close()'),
        ('botocore.exceptions', 'try: LocalSWF().list_domains(x=1)\nexcept Exception: pass'),
        ('botocore.errorfactory', 'LocalSWF().exceptions'),
        ('botocore.paginate', 'LocalSWF().get_paginator("list_domains")'),
        ('botocore.utils', f'try: {COUNT}\nexcept Exception: pass'),
    ],
)
def test_a_fork_waits_for_an_import_that_another_thread_makes(tmp_path, module, action):
    """Python gives the child the parent's half-made module, and a lock on it that nobody gives up."""
    command = [sys.executable, '-c', WHILE_IMPORTING, module, action]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
