"""What type checkers must see of clients, functions and combinators; checked as ``cases.py`` is, not run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from typing_extensions import assert_type

from genflow import (
    Activity,
    ActivityProxy,
    AsyncClient,
    Client,
    Execution,
    Retry,
    Signal,
    Steps,
    Task,
    Workflow,
    activity,
    all_of,
    any_of,
    current_activity,
    first_of,
    run,
    workflow,
)


@activity(name='Charge', version='1', task_list='cases', start_to_close=timedelta(minutes=1))
def charge(order: int, note: str = '') -> str:
    current_activity().heartbeat(note)
    return str(order)


@activity(name='Fetch', version='1', task_list='cases')
async def fetch(url: str) -> bytes:
    return url.encode()


@activity(name='Later', version='1', task_list='cases')
class Later(Activity):
    async def run(self, url: str) -> int:
        return len(url)


assert_type(charge(1), str)
charge('x')  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

charge.proxy(task_lst='x')  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

LATER = Later.proxy()
STEPS = {'a': ActivityProxy('A', 1), 'b': ActivityProxy('B', 1)}


@workflow(name='Main', version=1, task_list='cases')
class Main(Workflow):
    charge = charge.proxy(retry=[Retry(5, on=TimeoutError), Retry(2)], heartbeat=timedelta(seconds=5))
    fetch = fetch.proxy()
    later = Later.proxy()
    go = Signal[str]()

    def branch(self, number: int) -> Steps[float]:
        yield self.sleep(timedelta(seconds=number))
        return number / 2

    def run(self, order: int) -> Steps[str]:
        assert_type((yield from self.charge(order)), str)
        assert_type((yield from self.fetch('x')), bytes)
        assert_type((yield from self.later('x')), int)
        self.charge('x')  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.charge.with_options(task_lst='x')  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

        assert_type((yield from self.bind(LATER)('x')), int)
        yield from self.bind(STEPS['a'])(1, two=2)

        assert_type(self.spawn(self.branch(1)), Task[float])
        assert_type(self.map(self.branch, [1, 2], limit=3), Task[list[float]])
        assert_type(self.map(self.charge, [1, 2]), Task[list[str]])
        self.map(self.branch, ['x'])
        assert_type((yield from all_of(self.charge(1), self.charge(2))), list[str])
        assert_type((yield from all_of([self.charge(1)])), list[str])
        assert_type((yield from any_of(self.charge(1), self.charge(2))), Task[str])
        assert_type((yield from first_of(a=self.charge(1), b=self.charge(2))), tuple[str, str])

        assert_type(self.info.workflow_id, str)
        if order > 1:
            return self.restart(order - 1)
        with self.options(task_lst='x'):  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
            return 'done'


class Endless(Workflow):
    def run(self) -> Steps[Any]:
        yield self.sleep(5)
        return self.restart()


def programs(client: Client) -> None:
    start = client.starter(Main, workflow_id='w', if_open='join')
    assert_type(start(7), Execution[str])
    assert_type(start(7).result(timedelta(seconds=5)), str)
    assert_type(start.signal_with_start(Main.go, 'x', 7), Execution[str])
    assert_type(client.execution('w', workflow=Main).result(), str)
    assert_type(client.execution('w').result(), Any)
    start('x')  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.starter(Main, task_lst='x')  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    assert_type(run(Main, 7), str)
    run(Main, 'x')  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    run(Main, 7, db='file.db')


async def on_asyncio(client: AsyncClient) -> None:
    execution = await client.starter(Main)(7)
    assert_type(await execution.result(), str)
    assert_type(await client.execution('w', workflow=Main).result(), str)


def bare(execution: Execution) -> Any:
    return execution.result()
