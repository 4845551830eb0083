"""The workflows whose histories are recorded with every release. Never change one: add another beside it."""

from __future__ import annotations

from typing import Any

from genflow import (
    Activity,
    ActivityFailed,
    ActivityProxy,
    LambdaProxy,
    Retry,
    Saga,
    Signal,
    Workflow,
    WorkflowProxy,
    activity,
    all_of,
    any_of,
    as_completed,
    first_success,
    update,
    workflow,
)

LIST = 'recorded'


@activity(name='Echo', version='1', task_list=LIST)
class Echo(Activity):
    def run(self, value: Any) -> Any:
        return value


class Calls(Workflow):
    echo = ActivityProxy('Echo', '1', heartbeat=10)
    flaky = ActivityProxy('Flaky', '1', start_to_close=30, retry=Retry(4, initial_interval=2, backoff=3))
    late = ActivityProxy('Echo', '1', delay=7, task_list=LIST)
    child = WorkflowProxy('Leaf', '1', tags=['a', 'b'])


@workflow(name='Leaf', version=1, task_list=LIST)
class Leaf(Calls):
    go = Signal()

    def run(self, value: Any, wait: bool = False) -> Any:
        if wait:
            value = yield self.go.get()
        return (yield self.echo(value))


@workflow(name='Everyday', version=1, task_list=LIST)
class Everyday(Calls):
    """Sequence, parallel, races, data flow, retries, delays, branches, maps."""

    def run(self, size: int) -> Any:
        first = yield self.echo(size)
        left, right = yield self.echo(first), self.late({'nested': [self.echo('argument')]})
        retried = yield self.flaky()
        winner = yield any_of(self.sleep(3), self.branch('slow', 9), cancel_rest=True)
        doubled = yield self.map(self.echo, range(size), limit=2)
        quick = yield first_success(self.echo('x'), self.echo('y'), n=2)
        order = []
        for slot in as_completed([self.sleep(4), self.echo('sooner')]):
            order.append((yield slot))  # noqa: PERF401 - nothing is yielded in a comprehension
        try:
            yield self.sleep(60).timeout(5)
        except TimeoutError:
            order.append('timed out')
        return [left, right, retried, winner.result(), doubled, quick, order]

    def branch(self, word: str, seconds: int) -> Any:
        yield self.sleep(seconds)
        return word


@workflow(name='Remembering', version=1, task_list=LIST)
class Remembering(Calls):
    """Markers and chance."""

    def run(self) -> Any:
        said = self.side_effect(lambda: {'made': 'once'})
        number = self.random.random()
        token = str(self.uuid4())
        path = 'new' if self.patched('a change') else 'old'
        self.set_status('half way')
        yield self.echo(number)
        again = self.side_effect(lambda: 2)
        return [said, number, token, path, again, self.now().isoformat()]


@workflow(name='Family', version=1, task_list=LIST)
class Family(Calls):
    """Children, signals to them and to others, cancellation of a child."""

    def run(self) -> Any:
        first = self.child('plain')
        second = self.child.with_options(workflow_id='known')(None, wait=True)
        yield second.signal('go', 'hello')
        third = self.child(None, wait=True)
        yield self.sleep(2)
        third.cancel()
        try:
            yield self.external('nobody').signal('go')
        except Exception as error:
            missing = type(error).__name__
        return [(yield first), (yield second), missing]


@workflow(name='Paging', version=1, task_list=LIST)
class Paging(Calls):
    """A restart that carries signals nobody has read."""

    item = Signal()

    def run(self, page: int) -> Any:
        if page < 2:
            yield self.echo(page)
            return self.restart(page + 1)
        values = self.item.drain()
        yield self.sleep(1)
        return values


@workflow(name='Booking', version=1, task_list=LIST)
class Booking(Calls):
    """A saga that is cancelled while it waits, behind a shield."""

    def run(self) -> Any:
        saga = Saga()
        try:
            saga.add(self.echo, 'unbook')
            yield self.echo('book')
            with self.shield():
                yield self.sleep(30)
            yield self.sleep(30)
        except BaseException:
            yield from saga.compensate()
            raise


@workflow(name='Wide', version=1, task_list=LIST)
class Wide(Calls):
    """More decisions than one response takes."""

    def run(self, count: int) -> Any:
        return sum((yield all_of(self.echo(number) for number in range(count))))


@workflow(name='Failing', version=1, task_list=LIST)
class Failing(Calls):
    resize = LambdaProxy('resize')

    def run(self) -> Any:
        size = yield self.resize({'width': 3})
        try:
            yield self.flaky()
        except ActivityFailed as error:
            raise ValueError(f'gave up at {size}') from error


@workflow(name='Dropping', version=1, task_list=LIST)
class Dropping(Calls):
    """A further attempt that one decision decides on and drops."""

    def run(self) -> Any:
        first = self.flaky()
        yield self.sleep(30)
        first.cancel()
        return (yield self.flaky())


@workflow(name='Crowded', version=1, task_list=LIST)
class Crowded(Calls):
    """As many timers as may be open, so that the wait before an attempt finds no place among them."""

    def run(self, timers: int) -> Any:
        waits = [self.sleep(60), *[self.sleep(600) for _ in range(timers - 1)]]
        retried = self.flaky()
        yield any_of(waits)
        return (yield retried)


@workflow(name='Bursting', version=1, task_list=LIST)
class Bursting(Calls):
    """More further attempts than one response takes."""

    def run(self, count: int) -> Any:
        return (yield all_of(self.flaky() for _ in range(count)))


@workflow(name='Suggested', version=1, task_list=LIST)
class Suggested(Calls):
    """A restart that the length of the history suggests."""

    def run(self, count: int) -> Any:
        self.count = count
        while self.count < 100:
            self.count = yield self.echo(self.count + 1)
        return self.count

    def restart_when_suggested(self) -> Any:
        return self.restart(self.count)


@workflow(name='Updated', version=1, task_list=LIST)
class Updated(Calls):
    """Updates that are answered, that fail, and that the validator refuses."""

    fin = Signal()

    def run(self) -> Any:
        self.taken: list[Any] = []
        yield self.fin.get()
        return self.taken

    @update
    def take(self, item: Any) -> Any:
        self.taken.append((yield self.echo(item)))
        return len(self.taken)

    @take.validator
    def fits(self, item: Any) -> None:
        if item is None:
            raise ValueError('nothing to take')

    @update
    def fail(self) -> Any:
        raise ValueError('as asked')


@workflow(name='Successor', version=1, task_list=LIST)
class Successor(Calls):
    """A chain of restarts, whose last run asks for the first one."""

    def run(self, runs: int) -> Any:
        if runs:
            return self.restart(runs - 1)
        first = self.info.first_run_id
        yield self.echo(first)
        return [self.info.first_run_id == first, list(self.info.root)]


ALL = (
    Leaf,
    Everyday,
    Remembering,
    Family,
    Paging,
    Booking,
    Wide,
    Failing,
    Dropping,
    Crowded,
    Bursting,
    Suggested,
    Updated,
    Successor,
)
