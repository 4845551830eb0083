"""Who waits for a result from a service in this process has it when the execution closes, not after the next pause."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from genflow import AsyncClient, Workflow
from genflow.local import LocalSWF
from genflow.swf.aws.client import Backoff
from genflow.swf.client.close_bell import CloseBell
from genflow.swf.client.handles import Client
from genflow.swf.scanner import workflow
from tests.swf.work import Loops

FOREVER = Backoff(first=3600, longest=3600)
PATIENCE = 60


@workflow('Relay', 1, 'tl')
class Relay(Workflow):
    def run(self, left):
        yield self.sleep(0)
        return self.restart(left - 1) if left else 'over'


@pytest.fixture
def loops(swf):
    return Loops(swf, Relay)


@pytest.fixture
def patient(loops):
    """A client that never looks again by itself."""
    loops.client._intervals = FOREVER  # noqa: SLF001
    return loops.client


def watchers(swf):
    """Whom the service would tell of a close; who has left is forgotten when somebody comes or an execution closes."""
    known = swf._service._state.close_watchers  # noqa: SLF001
    known._forget_left()  # noqa: SLF001
    return [wake for wakes in known._waiting.values() for wake in wakes]  # noqa: SLF001


@pytest.fixture
def pool():
    with ThreadPoolExecutor() as threads:
        yield threads


@pytest.fixture
def waits(monkeypatch):
    """Given back once for each time that somebody waits for a close."""
    begun = threading.Semaphore(0)
    on_close = LocalSWF.on_close

    def noted(*args):
        try:
            return on_close(*args)
        finally:
            begun.release()

    monkeypatch.setattr(LocalSWF, 'on_close', noted)
    return begun


@pytest.mark.parametrize('restarts', [0, 3])
def test_a_result_ends_the_wait(loops, patient, pool, waits, restarts):
    execution = patient.starter(Relay)(restarts)
    result = pool.submit(execution.result, PATIENCE)
    assert waits.acquire(timeout=PATIENCE)
    assert not result.done()
    loops.run()
    loops.swf.clock.advance(0)
    loops.run()
    assert result.result(PATIENCE) == 'over'


@pytest.mark.parametrize('wait', ['wait', 'context'])
def test_a_close_ends_the_wait_for_a_state_and_for_a_status(loops, patient, pool, waits, wait):
    execution = patient.starter(Relay)(0)
    answer = pool.submit(getattr(execution, wait), **{'context': {'wait': PATIENCE}, 'wait': {}}[wait])
    assert waits.acquire(timeout=PATIENCE)
    assert not answer.done()
    loops.run()
    loops.swf.clock.advance(0)
    loops.run()
    assert answer.result(PATIENCE) == {'context': None, 'wait': 'COMPLETED'}[wait]


def test_a_termination_ends_the_wait(patient, pool, waits):
    execution = patient.starter(Relay)(0)
    result = pool.submit(execution.result, PATIENCE)
    assert waits.acquire(timeout=PATIENCE)
    execution.terminate('enough')
    assert 'enough' in str(result.exception(PATIENCE))


def test_a_client_that_is_closed_ends_the_wait(patient, pool, waits):
    execution = patient.starter(Relay)(0)
    result = pool.submit(execution.result, PATIENCE)
    assert waits.acquire(timeout=PATIENCE)
    patient.close()
    with pytest.raises(RuntimeError, match='the client was closed during this call'):
        result.result(PATIENCE)


def test_time_is_up_all_the_same_and_nobody_waits_any_more(swf, patient):
    execution = patient.starter(Relay)(0)
    with pytest.raises(TimeoutError, match='is still open'):
        execution.result(timeout=0.01)
    assert watchers(swf) == []


def test_on_an_event_loop(loops, waits):
    async def program():
        async with AsyncClient('d', service=loops.client.service) as client:
            client._threads.client._intervals = FOREVER  # noqa: SLF001
            execution = await client.starter(Relay)(2)
            results = [asyncio.create_task(execution.result(PATIENCE)) for _ in range(3)]
            for _ in results:
                assert await asyncio.to_thread(waits.acquire, timeout=PATIENCE)
            await asyncio.to_thread(loops.run)
            return await asyncio.wait_for(asyncio.gather(*results), PATIENCE)

    assert asyncio.run(program()) == ['over'] * 3


def test_an_event_loop_that_is_over_is_left_alone(loops, waits):
    """The service rings for a loop that is closed."""
    executions = []

    async def program():
        async with AsyncClient('d', service=loops.client.service) as client:
            executions.append(await client.starter(Relay)(0))
            waiting = asyncio.create_task(executions[0].result())
            assert await asyncio.to_thread(waits.acquire, timeout=PATIENCE)
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting

    asyncio.run(program())
    loops.run()
    assert Client('d', loops.swf).execution(executions[0].workflow_id).result(timeout=PATIENCE) == 'over'


def test_who_leaves_while_another_thread_begins_to_wait_leaves_nothing_behind(loops, swf, pool):
    """As an event loop does whose wait is cancelled."""
    execution = loops.client.starter(Relay)(0)
    begun, goes_on = threading.Event(), threading.Event()

    class Slow:
        def on_close(self, *args):
            begun.set()
            assert goes_on.wait(PATIENCE)
            return swf.on_close(*args)

    bell = CloseBell(Slow(), 'd', lambda: None)
    waiting = pool.submit(bell.wait_for, {'workflowId': execution.workflow_id, 'runId': execution.run_id})
    assert begun.wait(PATIENCE)
    bell.leave()
    goes_on.set()
    waiting.result(PATIENCE)
    assert watchers(swf) == []


class Wrapper:
    """A client of an application, which forwards the methods of SWF, and knows their arguments by name."""

    def __init__(self, swf):
        self.swf = swf
        self.meta = swf.meta

    def __getattr__(self, name):
        method = getattr(self.swf, name)
        return lambda **request: method(**request)


def test_a_wrapper_of_the_service_is_asked_for_nothing_else(loops, swf):
    with Client('d', Wrapper(swf)) as client:
        execution = client.starter(Relay)(0)
        loops.run()
        assert execution.result(timeout=PATIENCE) == 'over'
        execution = client.starter(Relay)(0)
        with pytest.raises(TimeoutError):
            execution.result(timeout=0.01)
