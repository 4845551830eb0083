"""Workflows with one planted bug each, and what finds it: a table.

Each bug needs a certain order of events; first in first out and without faults every one of them completes.
"""

from __future__ import annotations

from typing import Any

from attrs import Factory, frozen

from genflow import (
    ActivityProxy,
    ChildFailed,
    ChildTerminated,
    Retry,
    Saga,
    Signal,
    TaskCanceled,
    TaskFailed,
    TaskTimeout,
    Workflow,
    WorkflowCanceled,
    WorkflowProxy,
    all_of,
    any_of,
    query,
    update,
)


class Desk(Workflow):
    """What the workflows below call."""

    read = ActivityProxy('Read', '1')
    write = ActivityProxy('Write', '1')
    charge = ActivityProxy('Charge', '1', retry=0)
    refund = ActivityProxy('Refund', '1')
    ship = ActivityProxy('Ship', '1')
    notify = ActivityProxy('Notify', '1', retry=0)


class LostUpdate(Desk):
    def run(self) -> Any:
        self.total = 0
        yield [self.add(self.read(1)), self.add(self.read(2))]
        return self.total

    def add(self, call: Any) -> Any:
        self.total += yield call  # the old total was read before the wait


class LostUpdateLater(Desk):
    def run(self) -> Any:
        self.stock = 10
        yield [self.take(4), self.take(5)]
        return self.stock

    def take(self, count: int) -> Any:
        yield self.read(count)
        left = self.stock
        yield self.write(count)
        self.stock = left - count


class DoubleCharge(Desk):
    def run(self, order: int) -> Any:
        try:
            yield self.charge(order)
        except TaskTimeout:
            yield self.charge(order)  # the first one may have been performed
        return 'charged'


class RetriedByHand(Desk):
    def run(self, order: int) -> Any:
        for _ in range(3):
            try:
                return (yield self.charge(order))
            except TaskTimeout:
                self.tried = True
        return 'given up'


class SameKey(Desk):
    def run(self, order: int) -> Any:
        key = str(order)
        try:
            yield self.charge(order, idempotency_key=key)
        except TaskFailed:
            yield self.charge(order + 1, idempotency_key=key)
        return 'charged'


class LostAtRestart(Desk):
    items = Signal()

    def run(self, seen: int = 0, runs: int = 0) -> Any:
        batch = [(yield self.items.get())]
        batch += self.items.drain()
        yield self.write(batch)
        seen += 1  # and not len(batch)
        if runs == 0:
            return self.restart(seen, runs + 1)
        return seen


class DroppedAtRestart(Desk):
    items = Signal()

    def run(self, seen: int = 0, runs: int = 0) -> Any:
        yield self.items.get()
        yield self.write(seen)
        if runs == 0:
            self.items.drain()  # what came meanwhile is forgotten
            return self.restart(seen + 1, runs + 1)
        return seen + 1


class NoCompensationOnCancel(Desk):
    def run(self, order: int) -> Any:
        saga = Saga()
        try:
            receipt = yield self.charge(order)
            saga.add(self.refund, receipt)
            yield self.ship(order)
        except TaskFailed:  # a cancellation is none
            yield from saga.compensate()
            raise
        return 'shipped'


class CompensationCannotRun(Desk):
    def run(self, order: int) -> Any:
        saga = Saga()
        try:
            receipt = yield self.charge(order)
            saga.add(self.undo, receipt['id'] if receipt else None)
            yield self.ship(order)
        except BaseException:
            yield from saga.compensate()
            raise
        return 'shipped'

    def undo(self, receipt: Any) -> Any:
        yield self.refund(receipt.upper())


class CancelSwallowed(Desk):
    def run(self, order: int) -> Any:
        try:
            yield self.charge(order)
        except BaseException as error:
            self.seen = error  # and goes on
        yield self.ship(order)
        return 'shipped'


class CancelGoesOn(Desk):
    def run(self) -> Any:
        done = 0
        while done < 3:
            try:
                yield self.read(done)
                done += 1
            except (TaskFailed, WorkflowCanceled):
                done = done and 0  # begins again
        return done


class TimerAgainstActivity(Desk):
    def run(self) -> Any:
        work = self.read(1)
        winner = yield any_of(work, self.sleep(5))
        if winner is work:
            return work.result()
        return work.result() + 1 if work.done() else self.late

    # `late` is never set


class DeadlockOfSignals(Desk):
    left = Signal()
    right = Signal()

    def run(self) -> Any:
        first = self.left.get()
        winner = yield any_of(first, self.right.get())
        if winner is first:
            yield self.right.get()
        else:
            yield self.right.get()  # should be left
        return 'met'


class UnreadAtClose(Desk):
    items = Signal()

    def run(self) -> Any:
        seen = [(yield self.items.get())]
        yield self.write(seen)
        seen += self.items.drain()
        yield self.notify(len(seen))
        return len(seen)


class OrderDependentMerge(Desk):
    def run(self) -> Any:
        self.merged = ''
        yield [self.append(1), self.append(2)]
        return self.merged

    def append(self, number: int) -> Any:
        piece = yield from self.fetch(number)
        self.merged += piece

    def fetch(self, number: int) -> Any:
        return (yield self.read(number))


class FirstWriterWins(Desk):
    def run(self) -> Any:
        seen: dict[str, int] = {}
        yield [self.put(seen, 1), self.put(seen, 2)]
        return seen['winner']

    def put(self, seen: dict[str, int], number: int) -> Any:
        yield self.read(number)
        seen.setdefault('winner', number)


class RetriedStep(Desk):
    step = ActivityProxy('Charge', '1', retry=Retry(3, on=(TaskTimeout,)))

    def run(self, order: int) -> Any:
        return (yield self.step(order))


class NobodyTakes(Desk):
    def run(self) -> Any:
        self.notify('begun')  # nobody waits for it
        yield self.read(1)
        return 'done'


class UnsetName(Desk):
    def run(self) -> Any:
        try:
            value = yield self.charge(1)
        except TaskFailed:
            self.failed = True  # and `value` has no value
        return value


class LostWakeUp(Desk):
    go = Signal()

    def run(self) -> Any:
        yield self.read(1)
        self.go.drain()  # what came early is thrown away
        yield self.go.get()
        return 'gone'


class NegativeStock(Desk):
    def run(self) -> Any:
        self.stock = 1
        yield [self.sell(1), self.sell(2)]
        return self.stock

    def sell(self, order: int) -> Any:
        if self.stock > 0:
            yield self.read(order)
            self.stock -= 1

    @query
    def left(self) -> int:
        return self.stock


class HalfDone(Desk):
    def run(self) -> Any:
        self.parts: list[int] = []
        both = all_of(self.part(1), self.part(2), failures='return')
        yield both
        return self.parts[1]

    def part(self, number: int) -> Any:
        yield self.notify(number)
        self.parts.append(number)


class CrossedSignals(Desk):
    left = Signal()
    right = Signal()

    def run(self) -> Any:
        yield [self.both(self.left, self.right), self.both(self.right, self.left)]
        return 'met'

    def both(self, first: Any, second: Any) -> Any:
        yield first.get()
        yield second.get()


class WaitsForItself(Desk):
    left = Signal()
    right = Signal()

    def run(self) -> Any:
        yield [self.answer(self.left, self.right), self.answer(self.right, self.left)]
        return 'met'

    def answer(self, heard: Any, said: Any) -> Any:
        yield heard.get()
        yield self.external(self.info.workflow_id).signal(said)


class FalseResult(Desk):
    def run(self) -> Any:
        try:
            yield self.read(1)
            yield self.write(1)
        finally:
            return 'written'  # noqa: B012 - the bug: whatever happened


class AddedAgain(Desk):
    def run(self, order: int) -> Any:
        saga = Saga()
        try:
            saga.add(self.refund, order)
            yield self.charge(order)
            saga.add(self.refund, order)  # should be a compensation of the next step
            yield self.ship(order)
        except BaseException:
            yield from saga.compensate()
            raise
        return 'shipped'


class UndoneByHandToo(Desk):
    def run(self, order: int) -> Any:
        saga = Saga()
        try:
            saga.add(self.refund, order)
            yield self.charge(order)
            try:
                yield self.ship(order)
            except TaskFailed:
                yield self.refund(order)  # and the saga does it again
                raise
        except BaseException:
            yield from saga.compensate()
            raise
        return 'shipped'


class UndoneTooSoon(Desk):
    approve = Signal()

    def run(self, order: int) -> Any:
        saga = Saga()
        try:
            saga.add(self.refund, order)  # long before the charge
            yield self.approve.get()
            yield self.charge(order)
            yield self.ship(order)
        except BaseException:
            yield from saga.compensate()
            raise
        return 'shipped'


class FreshKey(Desk):
    def run(self, order: int) -> Any:
        for _ in range(2):
            try:
                return (yield self.charge(order, idempotency_key=str(self.uuid4())))
            except TaskTimeout:
                self.tried = True
        return 'given up'


class DrainedAway(Desk):
    items = Signal()

    def run(self) -> Any:
        seen = [(yield self.items.get())]
        yield self.write(seen)
        while self.items:
            yield self.notify(self.items.drain())
            seen += self.items.drain()  # what the line before drained is not counted
        return len(seen)


class LoserGoesOn(Desk):
    def run(self) -> Any:
        quick, slow = self.charge(1), self.spawn(self.later(2))
        yield any_of(quick, slow)  # and nobody cancels the other one
        return 'charged'

    def later(self, order: int) -> Any:
        yield self.sleep(5)
        yield self.charge(order)


class SharedByRuns(Desk):
    seen: list[int] = []  # noqa: RUF012 - the bug: all executions of the process share it

    def run(self) -> Any:
        self.seen.append((yield self.read(1)))
        return len(self.seen)


class PatchedByProcess(Desk):
    replays = 0

    def run(self) -> Any:
        yield self.read(1)
        type(self).replays += 1
        if self.replays % 2 and self.patched('check first'):
            yield self.write(1)
        return 'done'


class ChargedAfterAll(Desk):
    def run(self, order: int) -> Any:
        try:
            yield self.charge(order).timeout(30, keep=True)
        except TaskTimeout:
            return 'not charged'  # the charge goes on
        return 'charged'


class ForgottenAtRestart(Desk):
    items = Signal()

    def run(self, seen: int = 0, runs: int = 0) -> Any:
        yield self.items.get()
        work, more = self.write(seen), self.items.get()
        winner = yield any_of(work, more)  # a second item may be taken here, and is not counted
        if winner is more:
            yield work
        return self.restart(seen + 1, 1) if runs == 0 else seen + 1


class KeptLock(Desk):
    def run(self) -> Any:
        self.locked = False
        yield [self.work(1), self.work(2)]
        return 'done'

    def work(self, number: int) -> Any:
        yield self.until(lambda: not self.locked)
        self.locked = True
        try:
            yield self.notify(number)
        except TaskFailed:
            return  # and the lock stays
        self.locked = False


class LostToAnUpdate(Desk):
    def run(self) -> Any:
        self.stock = 10
        stock = self.stock
        yield self.write(stock)
        self.stock = stock - 1  # what an update added meanwhile is gone
        return self.stock

    @update
    def deliver(self, count: int) -> int:
        self.stock += count
        return self.stock


class SilentWorker(Desk):
    beat = ActivityProxy('Beat', '1', retry=0, heartbeat=10)

    def run(self) -> Any:
        try:
            yield self.beat()
        except TaskTimeout as error:
            return {'START_TO_CLOSE': 'slow', 'SCHEDULE_TO_START': 'nobody'}[error.timeout_type]
        return 'done'


class RefusedChild(Desk):
    child = WorkflowProxy('Child', '1', retry=0)

    def run(self) -> Any:
        child = self.child.with_options(workflow_id='one')()
        try:
            yield child
        except (ChildFailed, TaskTimeout, TaskCanceled, ChildTerminated):
            return 'failed'
        except TaskFailed as error:
            return error.missing  # type: ignore[attr-defined]
        return 'done'


@frozen
class Planted:
    """A planted bug.

    Attributes:
        events: Of the smallest history that shows it.
    """

    workflow: type[Workflow]
    judge: str
    events: int
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = Factory(dict)


class Bank:
    """A model: what was charged, and how often."""

    def __init__(self) -> None:
        self.charged: list[int] = []

    def charge(self, order: int) -> str:
        self.charged.append(order)
        return f'receipt {order}'


def _planted() -> list[Planted]:
    bank = Bank()
    once = {'charge': bank.charge, 'check': lambda: len(bank.charged) <= 1}
    step = {'step': bank.charge, 'check': lambda: len(bank.charged) <= 1}
    SharedByRuns.seen.clear()
    late = {'charge': bank.charge, 'check': lambda result: result == 'charged' or not bank.charged}
    count = {'signals': {'items': ['a', 'b', 'c']}, 'check': lambda result, unread: result + sum(unread.values()) == 3}
    return [
        Planted(LostUpdate, 'check', 12, (), {'read': lambda x: x, 'check': lambda result: result == 3}),
        Planted(LostUpdateLater, 'check', 20, (), {'check': lambda result: result == 1}),
        Planted(DoubleCharge, 'idempotency', 12, (7,), once),
        Planted(RetriedByHand, 'idempotency', 12, (7,)),
        Planted(SameKey, 'idempotency', 12, (7,)),
        Planted(LostAtRestart, 'check', 22, (), count),
        Planted(DroppedAtRestart, 'check', 22, (), count),
        Planted(NoCompensationOnCancel, 'compensation', 13, (7,)),
        Planted(CompensationCannotRun, 'compensation', 12, (7,), {'charge': {'id': 5}}),
        Planted(CancelSwallowed, 'cancel', 15, (7,)),
        Planted(CancelGoesOn, 'cancel', 23),
        Planted(TimerAgainstActivity, 'mistake', 9),
        Planted(DeadlockOfSignals, 'stuck', 9),
        Planted(CrossedSignals, 'stuck', 9),
        Planted(WaitsForItself, 'stuck', 3),
        Planted(FalseResult, 'cancel', 9),
        Planted(UnreadAtClose, 'check', 18, (), {'signals': {'items': [1, 2]}, 'check': lambda unread: not unread}),
        Planted(OrderDependentMerge, 'check', 12, (), {'read': str, 'check': lambda result: result == '12'}),
        Planted(FirstWriterWins, 'check', 12, (), {'check': lambda result: result == 1}),
        Planted(RetriedStep, 'check', 16, (7,), step),
        Planted(NobodyTakes, 'untaken', 12),
        Planted(UnsetName, 'mistake', 8),
        Planted(LostWakeUp, 'stuck', 10, (), {'signals': {'go': [None]}}),
        Planted(NegativeStock, 'always', 12, (), {'always': lambda workflow: workflow.left() >= 0}),
        Planted(HalfDone, 'mistake', 12),
        Planted(AddedAgain, 'compensation', 20, (7,)),
        Planted(UndoneByHandToo, 'compensation', 20, (7,)),
        Planted(UndoneTooSoon, 'compensation', 11, (7,)),
        Planted(FreshKey, 'idempotency', 12, (7,)),
        Planted(DrainedAway, 'check', 18, (), {'signals': {'items': [1, 2]}, 'check': lambda result: result == 2}),
        Planted(LoserGoesOn, 'check', 16, (), once),
        Planted(SharedByRuns, 'replay', 8),
        Planted(PatchedByProcess, 'replay', 12),
        Planted(ChargedAfterAll, 'check', 12, (7,), late),
        Planted(ForgottenAtRestart, 'check', 22, (), count),
        Planted(KeptLock, 'stall', 6),
        Planted(LostToAnUpdate, 'check', 9, (), {'deliver': [5], 'check': lambda result: result == 14}),
        Planted(SilentWorker, 'mistake', 8),
        Planted(RefusedChild, 'mistake', 7),
    ]


PLANTED = _planted()
