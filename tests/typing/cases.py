"""What type checkers must see; checked by mypy and pyright in their strict modes, not run.

Each ``assert_type`` is a case. A line with an error that must be there carries a ``type: ignore`` for exactly that
error: both checkers report an ignore that is not needed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from typing_extensions import assert_type

from genflow import (
    Activity,
    ActivityProxy,
    Execution,
    Future,
    Signal,
    Steps,
    Task,
    Workflow,
    activity,
    all_of,
    any_of,
    first_of,
    update,
    workflow,
)


@activity(name='Echo', version='1', task_list='cases')
class Echo(Activity):
    def run(self, value: int, when: datetime | None = None) -> str:
        return str(value)


@workflow(name='Child', version=1, task_list='cases')
class Child(Workflow):
    def run(self, name: str) -> Steps[int]:
        yield self.sleep(3)
        return len(name)


class Judged(Workflow):
    verdict = Signal[datetime]()
    plain = Signal()

    def run(self) -> Steps[None]:
        assert_type(self.verdict.get(), Task[datetime])
        assert_type((yield from self.verdict.get(match=lambda when: when.year > 2000)), datetime)
        assert_type(self.verdict.get(raw=True), Task[str])
        assert_type(self.verdict.drain(), list[datetime])
        assert_type((yield from self.plain.get()), Any)
        assert_type((yield from self.signal('answer', int).get()), int)
        assert_type((yield from self.signal('answer').get()), Any)
        yield self.external('a').signal(Judged.verdict, datetime(2020, 1, 1))  # noqa: DTZ001 - not run
        yield self.external('a').signal('verdict', 7)
        yield self.external('a').signal(Judged.verdict, 'x')  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
        self.verdict.get(match=lambda when: when.nothing)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownLambdaType]


class Bank(Workflow):
    def run(self) -> Steps[None]:
        yield self.until(lambda: False)
        told: Future[int] = self.future()
        told.set_result(1)
        told.set_result('x')  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert_type((yield from told), int)
        name, _ = yield from first_of(told=told, late=self.sleep(5), keep=('late',))
        assert_type(name, str)
        assert_type(self.close(), bool)

    @update
    def pay(self, amount: int) -> Steps[str]:
        yield self.sleep(amount)
        return 'paid'

    @pay.validator
    def may_pay(self, amount: int) -> None: ...

    @update
    def close(self) -> bool:
        return True


def ask(bank: Execution[None]) -> None:
    assert_type(bank.update(Bank.pay, 5, timeout=5), str)
    assert_type(bank.update(Bank.close, update_id='once'), bool)
    assert_type(bank.update('pay', 5), Any)


class Main(Workflow):
    echo = Echo.proxy(heartbeat=10)
    child = Child.proxy(workflow_id='child')
    plain = ActivityProxy(name='Plain', version=1)

    def run(self) -> Steps[str]:
        text = yield from self.echo(1)
        assert_type(text, str)
        assert_type((yield from self.echo(1, when=datetime.now())), str)  # noqa: DTZ005 - not run
        assert_type((yield from self.echo.with_options(retry=5)(1)), str)
        assert_type(self.echo(1), Task[str])
        assert_type((yield from self.echo(1).timeout(5)), str)

        child = self.child('a')
        assert_type((yield from child), int)
        assert_type(child.workflow_id, str)
        assert_type((yield from child.signal('go', 1)), None)

        assert_type((yield from self.plain(1, two='three')), Any)
        assert_type((yield from self.sleep(1)), None)
        assert_type((yield from all_of(self.plain(1))), list[Any])
        winner = yield from any_of(self.plain(1), self.sleep(2))
        assert_type(winner.done(), bool)

        self.echo('x')  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.echo()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        self.child(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        return text


assert_type(Main.echo.task(1), Task[str])
