"""The client for programs on asyncio: what it awaits, and that it never blocks the event loop."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import inspect
import threading
from pathlib import Path

import pytest

from genflow import (
    AlreadyStarted,
    AsyncClient,
    AsyncExecution,
    Client,
    Execution,
    NotDecidedYet,
    Signal,
    Workflow,
    query,
)
from genflow.swf.client.async_client import THREADS
from genflow.swf.scanner import workflow
from tests.swf.work import Loops

SCRIPT = Path(__file__).resolve().parents[2] / '.ci' / 'async_stub.py'


@workflow('AsyncBasket', 1, 'tl')
class Basket(Workflow):
    add = Signal()

    def run(self, first):
        self.items = [first]
        self.set_status('begun')
        self.items.append((yield self.add.get()))
        return self.items

    @query
    def shown(self):
        return self.items


@pytest.fixture
def loops(swf):
    return Loops(swf, Basket)


def on_loop(loops, program):
    async def main():
        async with AsyncClient('d', service=loops.client.service) as client:
            return await asyncio.wait_for(program(client), 30)

    return asyncio.run(main())


async def decide(loops):
    await asyncio.to_thread(loops.run)


def test_an_execution_is_started_asked_signaled_and_awaited(loops):
    async def program(client):
        execution = await client.starter(Basket, workflow_id='b')('a')
        with pytest.raises(NotDecidedYet):
            await execution.query(Basket.shown)
        asked = asyncio.create_task(execution.query(Basket.shown, wait=20))
        shown = asyncio.create_task(execution.context(wait=20))
        await decide(loops)
        seen = [await asked, await shown, await execution.status()]
        assert await execution.context() == 'begun'
        waiting = asyncio.create_task(execution.result(timeout=60))
        await execution.signal(Basket.add, 'x')
        await decide(loops)
        return [*seen, await waiting, await execution.wait(), len(await execution.history())]

    assert on_loop(loops, program) == [['a'], 'begun', 'OPEN', ['a', 'x'], 'COMPLETED', 9]


def test_many_results_are_awaited_at_a_time_on_few_threads(loops):
    async def program(client):
        executions = [await client.starter(Basket)(number) for number in range(40)]
        results = [asyncio.create_task(execution.result(timeout=60)) for execution in executions]
        await asyncio.sleep(0)
        for execution in executions:
            await execution.signal('add', 'x')
        await decide(loops)
        threads = [thread for thread in threading.enumerate() if thread.name.startswith('genflow-client')]
        return [await result for result in results], len(threads)

    results, threads = on_loop(loops, program)
    assert results == [[number, 'x'] for number in range(40)]
    assert threads <= 8


def test_a_wait_can_be_cancelled_as_any_other_of_asyncio(loops):
    async def program(client):
        execution = await client.starter(Basket)('a')
        waiting = asyncio.create_task(execution.result())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(TimeoutError):
            await execution.result(timeout=0)
        return await execution.status()

    assert on_loop(loops, program) == 'OPEN'


def test_starts_and_lists(loops):
    async def program(client):
        await client.register(Basket)
        basket = client.starter(Basket, workflow_id='b')
        first = await basket.signal_with_start(Basket.add, 'x', 'a')
        with pytest.raises(AlreadyStarted):
            await basket('a')
        joined = await client.starter(Basket, workflow_id='b', if_open='join')('a')
        listed = [execution.workflow_id async for execution in client.executions(workflow=Basket)]
        await client.execution('b').cancel()
        await client.execution('b').terminate('enough', details='why')
        return first.run_id == joined.run_id, listed, await first.status()

    assert on_loop(loops, program) == (True, ['b'], 'TERMINATED')


def test_who_waits_is_told_that_the_client_was_closed(loops):
    async def program(client):
        execution = await client.starter(Basket)('a')
        waiting = asyncio.create_task(execution.result())
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(RuntimeError, match='the client was closed'):
            await waiting

    on_loop(loops, program)


def test_who_waits_for_a_call_that_has_not_begun_is_told_so_too(loops):
    async def program(client):
        stops = threading.Event()
        busy = [asyncio.create_task(client._threads.call(stops.wait)) for _ in range(THREADS)]  # noqa: SLF001
        await asyncio.sleep(0)
        waiting = asyncio.create_task(client.execution('a').status())
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(RuntimeError, match='the client was closed'):
            await waiting
        stops.set()
        await asyncio.gather(*busy)

    on_loop(loops, program)


def public(cls):
    return {name for name, member in vars(cls).items() if callable(member) and not name.startswith('_')}


def test_it_has_the_calls_of_the_client_for_threads():
    watches = {name for name in public(Execution) if name.endswith('_watch')}
    assert public(AsyncExecution) == public(Execution) - watches
    assert public(AsyncClient) == public(Client) - {'bell', 'wait', 'pause', 'refuse_when_closed'}
    assert AsyncExecution.update.__doc__ == Execution.update.__doc__
    assert inspect.iscoroutinefunction(AsyncExecution.result)


def test_the_stub_is_what_the_script_writes():
    spec = importlib.util.spec_from_file_location('genflow_async_stub', SCRIPT)
    stub = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stub)
    assert ast.dump(ast.parse(stub.STUB.read_text(encoding='utf-8'))) == ast.dump(ast.parse(stub.text()))
