"""Races that practitioners report of durable workflows, each with a twin that does it right: a table."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

from attrs import field, frozen

from genflow import (
    ActivityProxy,
    Saga,
    Signal,
    TaskCanceled,
    TaskFailed,
    TaskTimeout,
    Workflow,
    WorkflowCanceled,
    WorkflowProxy,
    any_of,
    as_completed,
    query,
    update,
)
from tests.testing.planted import Desk, Planted

# a timer that a signal puts off


class TimerOfBefore(Desk):
    more = Signal()

    def run(self) -> Any:
        self.deadline = 10
        timer = self.sleep(10)
        while True:
            more = self.more.get()
            winner = yield any_of(more, timer)
            if winner is timer:
                return 'late' if self.deadline == 10 else 'too early'
            self.deadline = 20  # and the timer stays the same


class TimerAnew(Desk):
    more = Signal()

    def run(self) -> Any:
        self.deadline = 10
        timer = self.sleep(10)
        while True:
            more = self.more.get()
            winner = yield any_of(more, timer)
            if winner is timer:
                return 'late'
            timer.cancel()
            timer = self.sleep(20)


# results in the order of completion


class ResultsAsTheyCome(Desk):
    def run(self) -> Any:
        results = []
        for task in as_completed([self.read(1), self.read(2)]):
            results.append((yield task))  # noqa: PERF401
        return results


class ResultsInOrder(Desk):
    def run(self) -> Any:
        return (yield [self.read(1), self.read(2)])


# what was done is undone


class AddedAfterwards(Desk):
    def run(self, order: int) -> Any:
        saga = Saga()
        try:
            yield self.charge(order)
            saga.add(self.refund, order)  # a charge that timed out may have been made
            yield self.ship(order)
        except BaseException:
            yield from saga.compensate()
            raise
        return 'shipped'


class AddedBefore(Desk):
    def run(self, order: int) -> Any:
        saga = Saga()
        try:
            saga.add(self.refund, order)
            yield self.charge(order)
            yield self.ship(order)
        except BaseException:
            yield from saga.compensate()
            raise
        return 'shipped'


class CanceledWhileUndoing(Desk):
    def run(self, order: int) -> Any:
        yield self.charge(order)
        try:
            yield self.notify(order)
        except TaskFailed:
            yield self.write('undoing')
            yield self.refund(order)  # a cancellation just before leaves it out
            return 'refunded'
        return 'done'


class ShieldedWhileUndoing(Desk):
    def run(self, order: int) -> Any:
        yield self.charge(order)
        try:
            yield self.notify(order)
        except TaskFailed:
            with self.shield():
                yield self.write('undoing')
                yield self.refund(order)
            return 'refunded'
        return 'done'


class RestOfTheUndosSkipped(Desk):
    undo = ActivityProxy('Undo', '1', retry=0)

    def run(self) -> Any:
        done = []
        try:
            for step in (1, 2):
                yield self.write(step)
                done.append(step)
            yield self.notify('done')
        except TaskFailed:
            for step in done:  # and not reversed(done)
                yield self.undo(step)
            return 'undone'
        return 'done'


class UndosInReverse(Desk):
    undo = ActivityProxy('Undo', '1', retry=0)

    def run(self) -> Any:
        done = []
        try:
            for step in (1, 2):
                yield self.write(step)
                done.append(step)
            yield self.notify('done')
        except TaskFailed:
            for step in reversed(done):
                yield self.undo(step)
            return 'undone'
        return 'done'


class SiblingsForgotten(Desk):
    def run(self) -> Any:
        try:
            yield [self.charge(1), self.charge(2)]
        except TaskFailed:
            return 'nothing was charged'  # the other one may have been
        return 'charged'


class SiblingsUndone(Desk):
    def run(self) -> Any:
        saga = Saga()
        try:
            for order in (1, 2):
                saga.add(self.refund, order)
                yield self.charge(order)
        except BaseException:
            yield from saga.compensate()
            raise
        return 'charged'


# state before it is there, and after it has changed


class UpdateBeforeState(Desk):
    def run(self) -> Any:
        yield self.read(1)
        self.items: list[int] = []
        yield self.read(2)
        return len(self.items)

    @update
    def put(self, item: int) -> int:
        self.items.append(item)
        return len(self.items)


class StateFirst(Desk):
    def run(self) -> Any:
        self.items: list[int] = []
        yield self.read(1)
        yield self.read(2)
        return len(self.items)

    @update
    def put(self, item: int) -> int:
        self.items.append(item)
        return len(self.items)


class CheckedTooEarly(Desk):
    done = Signal()

    def run(self) -> Any:
        self.left = 1
        yield self.read(1)
        yield self.until(lambda: not self.handlers_running())
        return self.left

    def handlers_running(self) -> int:
        return getattr(self, 'running', 0)

    @update
    def take(self, count: int = 1) -> Any:
        if self.left < count:
            raise ValueError('none left')
        self.running = self.handlers_running() + 1
        yield self.read(count)  # another update may take it meanwhile
        self.left -= count
        self.running -= 1
        return self.left


class TakenAtOnce(CheckedTooEarly):
    @update
    def take(self, count: int = 1) -> Any:
        if self.left < count:
            raise ValueError('none left')
        self.left -= count
        self.running = self.handlers_running() + 1
        yield self.read(count)
        self.running -= 1
        return self.left


class QueryBeforeState(Desk):
    def run(self) -> Any:
        yield self.read(1)
        self.step = 'read'
        yield self.read(2)
        return 'done'

    @query
    def where(self) -> str:
        return self.step


class QueryFromTheStart(Desk):
    step = 'begun'
    run = QueryBeforeState.run

    @query
    def where(self) -> str:
        return self.step


# signals


class CountedTwice(Desk):
    vote = Signal()

    def run(self) -> Any:
        votes = [(yield self.vote.get()), (yield self.vote.get())]  # may be the same voter twice
        return sorted(votes)


class CountedOnce(Desk):
    vote = Signal()

    def run(self) -> Any:
        voters: set[str] = set()
        while len(voters) < 2:
            voters.add((yield self.vote.get()))
        return sorted(voters)


class AskedForNothing(Desk):
    ask = Signal()

    def run(self) -> Any:
        yield self.read(1)
        asked = self.ask.get()
        winner = yield any_of(asked, self.sleep(5))
        return asked.result() if winner is asked or self.ask else self.nobody  # and `nobody` is never set


class AskedAtAnyTime(Desk):
    ask = Signal()

    def run(self) -> Any:
        yield self.read(1)
        try:
            return (yield self.ask.get().timeout(5))
        except TaskTimeout:
            return None


class PauseUnnoticed(Desk):
    pause = Signal()
    resume = Signal()

    def run(self) -> Any:
        for step in range(2):
            if self.pause.drain():
                self.resume.drain()  # one that came already is thrown away
                yield self.resume.get()
            yield self.read(step)
        return 'done'


class PauseHeard(Desk):
    pause = Signal()
    resume = Signal()

    def run(self) -> Any:
        for step in range(2):
            for _ in self.pause.drain():
                yield self.resume.get()
            yield self.read(step)
        return 'done'


# children


class CanceledChildForgotten(Desk):
    child = WorkflowProxy('Child', '1', retry=0)

    def run(self) -> Any:
        child = self.child()
        try:
            yield any_of(child, self.sleep(5))
            if not child.done():
                child.cancel()
            return child.result()  # of one that was canceled there is none
        except TaskCanceled:
            return self.given_up


class CanceledChildKnown(Desk):
    child = WorkflowProxy('Child', '1', retry=0)

    def run(self) -> Any:
        child = self.child()
        try:
            yield any_of(child, self.sleep(5))
        except TaskFailed:
            return 'failed'
        if not child.done():
            child.cancel()
            return 'given up'
        return child.result()


# restarts


class DeadlineAnew(Desk):
    ping = Signal()

    def run(self, runs: int = 0) -> Any:
        timer = self.sleep(10)  # the next run begins to wait anew
        ping = self.ping.get()
        winner = yield any_of(ping, timer)
        if winner is ping and not runs:
            yield self.write(runs)
            return self.restart(1)
        return self.now().second


class DeadlineKept(Desk):
    ping = Signal()

    def run(self, runs: int = 0, due: float | None = None) -> Any:
        due = due if due is not None else self.now().timestamp() + 10
        timer = self.sleep(max(0, due - self.now().timestamp()))
        ping = self.ping.get()
        winner = yield any_of(ping, timer)
        if winner is ping and not runs:
            yield self.write(runs)
            return self.restart(1, due)
        return self.now().second


class BufferDropped(Desk):
    items = Signal()

    def run(self, seen: int = 0) -> Any:
        buffer = [(yield self.items.get())]
        yield self.read(1)
        buffer += self.items.drain()
        if not seen:
            return self.restart(1)  # without what was read and not yet handled
        return seen + len(buffer)


class BufferCarried(Desk):
    items = Signal()

    def run(self, seen: int = 0) -> Any:
        buffer = [(yield self.items.get())]
        yield self.read(1)
        if not seen:
            return self.restart(len(buffer))
        return seen + len(buffer) + len(self.items.drain())


# chance and other processes


class Flips(Desk):
    def run(self) -> Any:
        yield self.read(1)
        if random.random() < 0.5:
            yield self.write(1)
        return 'done'


class FlipsRecorded(Desk):
    def run(self) -> Any:
        yield self.read(1)
        if self.random.random() < 2:
            yield self.write(1)
        return 'done'


class NotLocked(Desk):
    """Reads, waits and writes what it read."""

    get = ActivityProxy('Get', '1')
    put = ActivityProxy('Put', '1')

    def run(self) -> Any:
        yield [self.add(), self.add()]
        return 'done'

    def add(self) -> Any:
        value = yield self.get()
        yield self.put(value + 1)


class Locked(NotLocked):
    locked = False

    def add(self) -> Any:
        yield self.until(lambda: not self.locked)
        self.locked = True
        value = yield self.get()
        yield self.put(value + 1)
        self.locked = False


class LockKept(Desk):
    """A failure leaves the lock as it is."""

    def run(self) -> Any:
        self.locked = False
        return (yield [self.add(1), self.add(2)])

    def add(self, number: int) -> Any:
        yield self.until(lambda: not self.locked)
        self.locked = True
        try:
            yield self.read(number)
        except TaskFailed:
            return 'failed'
        self.locked = False
        return 'added'


class LockReturned(LockKept):
    def add(self, number: int) -> Any:
        yield self.until(lambda: not self.locked)
        self.locked = True
        try:
            yield self.read(number)
        except TaskFailed:
            return 'failed'
        finally:
            self.locked = False
        return 'added'


class DrainedTwice(Desk):
    votes = Signal()

    def run(self) -> Any:
        count = len(self.votes.drain())
        yield self.read(1)
        self.votes.drain()  # and not counted
        return count


class DrainedInTheEnd(Desk):
    votes = Signal()

    def run(self) -> Any:
        count = len(self.votes.drain())
        yield self.read(1)
        return count + len(self.votes.drain())


class KeyOfAll(Desk):
    """Both charges have one key, so that the second one is taken for a repetition."""

    pay = ActivityProxy('Pay', '1', retry=0)

    def run(self) -> Any:
        yield [self.part(1), self.part(2)]
        return 'paid'

    def part(self, number: int) -> Any:
        yield self.pay(number, idempotency_key='order')


class KeyOfEach(KeyOfAll):
    def part(self, number: int) -> Any:
        yield self.pay(number, idempotency_key=f'order-{number}')


# calls made anew


class ChargedWhileOpen(Desk):
    def run(self, order: int) -> Any:
        try:
            return (yield self.charge(order).timeout(30))
        except TaskTimeout:
            return (yield self.charge(order))  # nobody knows what became of the first one


class WaitedFor(Desk):
    def run(self, order: int) -> Any:
        charge = self.charge(order)
        try:
            return (yield charge.timeout(30, keep=True))
        except TaskTimeout:
            return (yield charge)


class ChildStartedTwice(Desk):
    nightly = WorkflowProxy('Nightly', '1', retry=0, workflow_id='nightly')

    def run(self) -> Any:
        try:
            return (yield self.nightly().timeout(60, keep=True))
        except TaskTimeout:
            return (yield self.nightly())  # the first one is open, and has the id


class ChildStartedOnce(ChildStartedTwice):
    def run(self) -> Any:
        nightly = self.nightly()
        try:
            return (yield nightly.timeout(60, keep=True))
        except TaskTimeout:
            return (yield nightly)


# cancellation


class CanceledLikeAFailure(Desk):
    def run(self, url: str) -> Any:
        page = yield from self.fetched(url)
        yield self.write(page)
        return page

    def fetched(self, url: str) -> Any:
        try:
            return (yield self.notify(url))
        except (TaskFailed, WorkflowCanceled):
            return 'nothing'


class FailuresOnly(CanceledLikeAFailure):
    def fetched(self, url: str) -> Any:
        try:
            return (yield self.notify(url))
        except TaskFailed:
            return 'nothing'


class CleanUpWaitsForSomebody(Desk):
    seen = Signal()

    def run(self) -> Any:
        try:
            yield self.read(1)
            yield self.seen.get()
        except WorkflowCanceled:
            yield self.seen.get()
            raise
        return 'seen'


class CleanUpWaitsAWhile(CleanUpWaitsForSomebody):
    def run(self) -> Any:
        try:
            yield self.read(1)
            yield self.seen.get()
        except WorkflowCanceled:
            with suppress(TaskTimeout):
                yield self.seen.get().timeout(60)
            raise
        return 'seen'


# compensations


class AllUndosFirst(Desk):
    book_flight = ActivityProxy('BookFlight', '1', retry=0)
    book_hotel = ActivityProxy('BookHotel', '1', retry=0)
    cancel_flight = ActivityProxy('CancelFlight', '1', retry=0)
    cancel_hotel = ActivityProxy('CancelHotel', '1', retry=0)

    def run(self) -> Any:
        saga = Saga()
        saga.add(self.cancel_flight)
        saga.add(self.cancel_hotel)  # although the hotel may never be asked
        return (yield from saga.run(self.booked()))

    def booked(self) -> Any:
        yield self.book_flight()
        yield self.book_hotel()


class EachUndoBeforeItsStep(AllUndosFirst):
    def run(self) -> Any:
        saga = Saga()
        return (yield from saga.run(self.booked_with(saga)))

    def booked_with(self, saga: Saga) -> Any:
        saga.add(self.cancel_flight)
        yield self.book_flight()
        saga.add(self.cancel_hotel)
        yield self.book_hotel()


# what executions share

KNOWN: dict[str, Any] = {}


class CachedInTheModule(Desk):
    def run(self, key: str) -> Any:
        if key not in KNOWN:
            KNOWN[key] = yield self.read(key)
        return KNOWN[key]


class CachedInTheExecution(Desk):
    def run(self, key: str) -> Any:
        known: dict[str, Any] = {}
        if key not in known:
            known[key] = yield self.read(key)
        return known[key]


class CachedInADefault(Desk):
    def run(self, key: str) -> Any:
        return (yield from self.cached(key))

    def cached(self, key: str, known: dict[str, Any] = {}) -> Any:  # noqa: B006 - the bug
        if key not in known:
            known[key] = yield self.read(key)
        return known[key]


# what the interpreter itself objects to


class TimeLeft(Desk):
    go = Signal()

    def run(self) -> Any:
        end = self.now().timestamp() + 100
        try:
            yield self.charge(1)
        except TaskFailed:
            self.failed = True
        try:
            yield self.go.get().timeout(self.left(end))
        except TaskTimeout:
            return 'late'
        return 'in time'

    def left(self, end: float) -> float:
        return end - self.now().timestamp()  # the charge may have taken longer


class TimeLeftOrNone(TimeLeft):
    def left(self, end: float) -> float:
        return max(0, super().left(end))


class ChangedWhileIterated(Desk):
    opened = Signal()

    def run(self) -> Any:
        self.open = {'a': 1, 'b': 2}
        self.spawn(self.listen(), daemon=True)
        for name in self.names():
            yield self.read(name)
        return len(self.open)

    def names(self) -> Any:
        return self.open

    def listen(self) -> Any:
        while True:
            yield self.opened.get()
            self.open[str(len(self.open))] = 0


class CopiedAndIterated(ChangedWhileIterated):
    def names(self) -> Any:
        return list(self.open)


class Ascii(Desk):
    name = Signal[str]()

    def run(self) -> Any:
        return (yield self.name.get()).encode('ascii').decode()


class Unicode(Ascii):
    def run(self) -> Any:
        return (yield self.name.get()).encode().decode()


class Store:
    """A model: a value elsewhere."""

    def __init__(self) -> None:
        self.value = 0

    def get(self) -> int:
        return self.value

    def put(self, value: int) -> None:
        self.value = value


class Bank:
    """A model: who was charged, and refunded."""

    def __init__(self) -> None:
        self.balance: dict[int, int] = {}
        self.void: list[int] = []
        self.undone: list[int] = []

    def charge(self, order: int) -> str:
        if order not in self.void:  # a refund that comes first prevents the charge
            self.balance[order] = self.balance.get(order, 0) + 1
        return f'receipt {order}'

    def refund(self, order: int) -> None:
        self.balance[order] = 0
        self.void.append(order)

    def undo(self, step: int) -> None:
        self.undone.append(step)


@frozen
class Race(Planted):
    """A planted race and its twin, which does it right under the same options."""

    twin: type[Workflow] = field(kw_only=True)


def _race(workflow: type[Workflow], twin: type[Workflow], *planted: Any) -> Race:
    return Race(workflow, *planted, twin=twin)


def _races() -> list[Race]:
    bank, store = Bank(), Store()
    undone = {
        'charge': bank.charge,
        'refund': bank.refund,
        'check': lambda status: status == 'completed' or not any(bank.balance.values()),
    }
    honest = {
        'charge': bank.charge,
        'refund': bank.refund,
        'check': lambda run: (
            (run.status == 'completed' and run.result != 'nothing was charged') or not any(bank.balance.values())
        ),
    }
    refunded = {'check': lambda run: run.status == 'failed' or _refunded(run.calls)}
    reverse = {'undo': bank.undo, 'check': lambda: bank.undone == sorted(bank.undone, reverse=True)}
    return [
        _race(
            TimerOfBefore, TimerAnew, 'check', 11, (), {'more': [None], 'check': lambda result: result != 'too early'}
        ),
        _race(
            ResultsAsTheyCome, ResultsInOrder, 'check', 12, (), {'read': int, 'check': lambda result: result == [1, 2]}
        ),
        _race(AddedAfterwards, AddedBefore, 'check', 8, (7,), undone),
        _race(CanceledWhileUndoing, ShieldedWhileUndoing, 'check', 17, (7,), refunded),
        _race(RestOfTheUndosSkipped, UndosInReverse, 'check', 24, (), reverse),
        _race(SiblingsForgotten, SiblingsUndone, 'check', 12, (), honest),
        _race(UpdateBeforeState, StateFirst, 'mistake', 8),
        _race(CheckedTooEarly, TakenAtOnce, 'check', 23, (), {'take': [1, 1], 'check': lambda result: result >= 0}),
        _race(
            QueryBeforeState, QueryFromTheStart, 'always', 4, (), {'always': lambda workflow: workflow.where() != ''}
        ),
        _race(
            CountedTwice,
            CountedOnce,
            'check',
            9,
            (),
            {'vote': ['a', 'a', 'b'], 'check': lambda result: result == ['a', 'b']},
        ),
        _race(AskedForNothing, AskedAtAnyTime, 'mistake', 12),
        _race(PauseUnnoticed, PauseHeard, 'stuck', 12, (), {'pause': None, 'resume': None}),
        _race(CanceledChildForgotten, CanceledChildKnown, 'mistake', 12),
        _race(DeadlineAnew, DeadlineKept, 'check', 23, (), {'ping': [None], 'check': lambda result: result < 15}),
        _race(
            BufferDropped,
            BufferCarried,
            'check',
            25,
            (),
            {
                'items': [1, 2, 3],
                'check': lambda result, arrived, unread: result + unread.get('items', 0) == arrived['items'],
            },
        ),
        _race(LockKept, LockReturned, 'stall', 6),
        _race(DrainedTwice, DrainedInTheEnd, 'check', 9, (), {'votes': [1, 2], 'check': _all_counted}),
        _race(KeyOfAll, KeyOfEach, 'idempotency', 12),
        _race(Flips, FlipsRecorded, 'replay', 11),
        _race(ChargedWhileOpen, WaitedFor, 'idempotency', 15, (7,)),
        _race(ChildStartedTwice, ChildStartedOnce, 'mistake', 12),
        _race(CanceledLikeAFailure, FailuresOnly, 'cancel', 14, ('/',)),
        _race(CleanUpWaitsForSomebody, CleanUpWaitsAWhile, 'cancel', 15),
        _race(AllUndosFirst, EachUndoBeforeItsStep, 'compensation', 16),
        _race(CachedInTheModule, CachedInTheExecution, 'replay', 8, ('key',)),
        _race(CachedInADefault, CachedInTheExecution, 'replay', 8, ('key',)),
        _race(TimeLeft, TimeLeftOrNone, 'mistake', 8),
        _race(ChangedWhileIterated, CopiedAndIterated, 'mistake', 9),
        _race(Ascii, Unicode, 'mistake', 5),
        _race(
            NotLocked,
            Locked,
            'check',
            20,
            (),
            {'get': store.get, 'put': store.put, 'check': lambda status: status != 'completed' or store.value == 2},
        ),
    ]


def _all_counted(result: Any, arrived: Any, unread: Any) -> bool:
    return bool(result + unread.get('votes', 0) == arrived['votes'])


def _refunded(calls: list[Any]) -> bool:
    """Whether a charge is refunded once it began to be undone."""
    return not any((call.name, call.outcome) == ('Write', 'completed') for call in calls) or any(
        call.name == 'Refund' for call in calls
    )


RACES = _races()
