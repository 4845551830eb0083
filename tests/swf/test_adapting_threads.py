"""A worker's threads come while tasks wait for one that blocks, and go again, within `deciders` and `activities`."""

from __future__ import annotations

import threading

import pytest

from genflow import Activity, ActivityProxy, Client, Workflow
from genflow.local import LocalSWF
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker.worker import Worker
from tests.swf.work import registry_of

PATIENCE = 90


class Gate:
    """Where user code waits; counts who is inside."""

    def __init__(self):
        self.entered = threading.Semaphore(0)
        self.let = threading.Semaphore(0)

    def pass_through(self):
        self.entered.release()
        assert self.let.acquire(timeout=PATIENCE)

    def admits(self, count):
        return all(self.entered.acquire(timeout=PATIENCE) for _ in range(count))

    def open(self, count):
        for _ in range(count):
            self.let.release()


GATE = Gate()


@activity('AdaptBlocks', 1, 'tl')
class Blocks(Activity):
    def run(self):
        GATE.pass_through()


@workflow('AdaptActivities', 1, 'tl')
class Several(Workflow):
    blocks = ActivityProxy('AdaptBlocks', 1)

    def run(self, count):
        yield [self.blocks() for _ in range(count)]


@workflow('AdaptDecisions', 1, 'tl')
class Decides(Workflow):
    def run(self):
        GATE.pass_through()
        yield self.sleep(0)


REGISTRY = registry_of(Blocks, Several, Decides)


class Passing:
    """Passes every call on, so that a worker polls as it does on Amazon SWF."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)


@pytest.fixture
def swf():
    GATE.__init__()
    with LocalSWF(long_poll=0.1) as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        yield service
        GATE.open(100)


@pytest.fixture(params=['polling', 'rounds'])
def client(request, swf):
    return Passing(swf) if request.param == 'polling' else swf


def working(client, **options):
    return Worker('d', 'tl', client, registry=REGISTRY, **options)


def threads(kind):
    return [thread for thread in threading.enumerate() if thread.name.startswith(f'genflow-{kind}')]


def test_activities_that_block_get_threads_up_to_the_bound(swf, client):
    before = set(threads('activity'))  # those of an earlier worker may end meanwhile
    with working(client, activities=3):
        execution = Client('d', swf).starter(Several)(7)
        assert GATE.admits(3)
        assert len(set(threads('activity')) - before) == 3
        GATE.open(2)
        assert GATE.admits(2)
        assert not GATE.entered.acquire(blocking=False)
        GATE.open(5)
        execution.result(PATIENCE)


def test_sixteen_activities_block_at_a_time_unless_a_number_is_given(swf, client):
    with working(client):
        execution = Client('d', swf).starter(Several)(17)
        assert GATE.admits(16)
        assert not GATE.entered.acquire(blocking=False)
        GATE.open(17)
        execution.result(PATIENCE)


def test_decisions_that_block_get_threads_up_to_the_bound(swf, client):
    with working(client):
        executions = [Client('d', swf).starter(Decides)() for _ in range(6)]
        assert GATE.admits(4)
        GATE.open(6)
        for execution in executions:
            execution.result(PATIENCE)


def test_threads_that_find_nothing_go(swf):
    with working(Passing(swf), deciders=3, activities=3):
        execution = Client('d', swf).starter(Several)(3)
        assert GATE.admits(3)
        busy = threads('activity')
        GATE.open(3)
        execution.result(PATIENCE)
        while sum(thread.is_alive() for thread in busy) > 1:
            for thread in busy:
                thread.join(0.01)
