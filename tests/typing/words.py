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
    first_success,
    run,
    update,
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
        assert_type((yield from all_of(self.charge(1), self.charge(2))), tuple[str, str])
        text, number = yield from all_of(self.charge(1), self.branch(2), failures='wait')
        assert_type(text, str)
        assert_type(number, float)
        assert_type((yield from all_of([self.charge(1)])), list[str])
        assert_type((yield from all_of([self.branch(1) for _ in 'ab'])), list[float])
        assert_type((yield from all_of(self.charge(number) for number in (1, 2))), list[str])
        assert_type((yield from all_of([self.charge(1)], failures='return')), list[str | BaseException])
        assert_type((yield from any_of(self.charge(1), self.charge(2))), Task[str])
        assert_type((yield from any_of(self.charge(1), self.later('x'))).result(), str | int)
        assert_type((yield from any_of({'a': self.charge(1)})), Task[str])
        assert_type((yield from first_of(a=self.charge(1), b=self.charge(2))), tuple[str, str])
        assert_type((yield from first_of(a=self.branch(1), b=self.branch(2), keep=['a'])), tuple[str, float])
        assert_type((yield from first_success(self.charge(1), self.later('x'), cancel_rest=True)), str | int)
        assert_type((yield from first_success([self.charge(1)])), str)
        all_of(self.charge(1), failures='ignore')  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
        any_of(self.charge(1), cancel_reast=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]

        assert_type(self.info.workflow_id, str)
        if order > 1:
            return self.restart(order - 1)
        with self.options(task_lst='x'):  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
            return 'done'


class Endless(Workflow):
    def run(self, page: int) -> Steps[None]:
        yield self.sleep(5)
        if page > 7:
            return None
        if page > 5:
            return self.restart.with_options(task_list='slow')(page + 1)
        if page > 4:
            return self.restart.with_options(task_lst='slow')(page + 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        return self.restart(page + 1)

    def restart_when_suggested(self) -> Any:
        return self.restart(1)


class Counted(Workflow):
    def run(self, page: int) -> Steps[dict[str, int] | None]:
        yield self.sleep(5)
        return self.restart(page + 1) if page < 5 else {'pages': page}


class Paid(Workflow):
    def run(self) -> Steps[None]:
        yield self.until(lambda: False)

    @update
    def pay(self, amount: int) -> Steps[str]:
        yield self.sleep(amount)
        return 'paid'


class Plain(Workflow):
    def run(self, page: int) -> int:
        return self.restart(page + 1) if page < 5 else page


def programs(client: Client) -> None:
    start = client.starter(Main, workflow_id='w', if_open='join')
    assert_type(start(7), Execution[str])
    assert_type(start(7).result(timedelta(seconds=5)), str)
    assert_type(start.signal_with_start(Main.go, 'x', 7), Execution[str])
    assert_type(client.execution('w', workflow=Main).result(), str)
    start.signal_with_start(Main.go, 7, 7)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
    start.signal_with_start('go', {'any': 'value'}, 7)
    client.execution('w').signal(Main.go, 'x')
    client.execution('w').signal('go', 7)
    client.execution('w').signal(Main.go, 7)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
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
    assert_type(await execution.update(Paid.pay, 5, timeout=5), str)
    await execution.signal(Main.go, 'x')
    await execution.signal(Main.go, 7)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
    await execution.terminate('why', child_polcy='ABANDON')  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type([one.workflow_id async for one in client.executions(workflow=Main)], list[str])


def bare(execution: Execution) -> Any:
    return execution.result()
