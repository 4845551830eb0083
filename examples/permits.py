"""A permit gate: no more than so many calls at a time, and so many in a period, for all workflows together.

genflow run examples/permits.py:Crowd 4 2 3 2

runs four callers through a gate with two permits, which gives out three in two seconds. A caller asks for a permit by a
signal, waits for the answer, and gives the permit back. A permit that does not come back expires.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from genflow import Retry, Signal, SignalFailed, Steps, Task, TaskTimeout, Workflow, activity, workflow

LEASE = 600
"""Seconds after which a permit is given to somebody else, though it did not come back."""


@dataclass
class Request:
    """Asks for a permit for a workflow; without the workflow, gives it back."""

    key: str
    workflow: str = ''


@dataclass
class Books:
    """What the gate knows: who waits, which permits are out until when, and when the last ones were given."""

    waiting: list[Request]
    out: dict[str, float]
    given: list[float]


@workflow(name='Gate', version=1, task_list='gate', workflow_duration=None)
class Gate(Workflow):
    request = Signal[Request](on_invalid='log')

    def run(self, limit: int, rate: int, period: int, books: Books | None = None) -> Steps[Any]:
        self.books = books or Books([], {}, [])
        while not self.info.restart_suggested:
            pause = yield from self.hand_out(limit, rate, period)
            try:
                request = yield from self.request.get().timeout(pause)
            except TaskTimeout:
                continue
            if request.workflow:
                self.books.waiting.append(request)
            else:
                self.books.out.pop(request.key, None)
        return self.restart(limit, rate, period, self.books)

    def hand_out(self, limit: int, rate: int, period: int) -> Steps[float]:
        """Gives the permits that are free, and returns the seconds after which the next one may be."""
        waiting = deque(self.books.waiting)
        now = self.now().timestamp()
        out = {key: until for key, until in self.books.out.items() if until > now}
        given = deque(time for time in self.books.given if time > now - period)
        while waiting and len(out) < limit and len(given) < rate:
            request = waiting.popleft()
            try:
                yield self.external(request.workflow).signal(Limited.permit, request.key)
            except SignalFailed:
                continue  # whoever asked is gone
            out[request.key] = now + LEASE
            given.append(now)
        self.books = replace(self.books, waiting=list(waiting), out=out, given=list(given))
        due = [*out.values(), *(time + period for time in given)]
        return max(1.0, min(due) - now) if due else float(LEASE)


class Limited(Workflow):
    """The base of workflows that go through a gate: ``yield from self.through('gate', lambda: self.fetch(url))``."""

    permit = Signal[str]()

    def through(self, gate: str, call: Callable[[], Task[Any]]) -> Steps[Any]:
        key = str(self.uuid4())
        yield self.external(gate).signal(Gate.request, Request(key, self.info.workflow_id))
        try:
            yield self.permit.get(match=lambda permit: permit == key)
            return (yield call())
        finally:
            with self.shield():
                yield self.external(gate).signal(Gate.request, Request(key))


@activity(name='Fetch', version=1, task_list='gate')
def fetch(number: int) -> int:
    return number * number


@workflow(name='Caller', version=1, task_list='gate')
class Caller(Limited):
    fetch = fetch.proxy(retry=Retry(3))

    def run(self, number: int) -> Steps[int]:
        square: int = yield from self.through('gate', lambda: self.fetch(number))
        return square


@workflow(name='Crowd', version=1, task_list='gate')
class Crowd(Workflow):
    """A gate and its callers in one tree, to try it."""

    gate = Gate.proxy(workflow_id='gate', error_handling=True)  # callers hear by themselves that it is gone
    caller = Caller.proxy()

    def run(self, callers: int, limit: int, rate: int, period: int) -> Steps[list[int]]:
        gate = self.gate(limit, rate, period)
        yield self.sleep(1)
        squares: list[int] = yield [self.caller(number) for number in range(callers)]
        gate.cancel()
        return squares
