"""Workflow programs as values: made by Hypothesis, interpreted by one workflow.

A program is nested tuples, the name of a step first. `Interpreter` does what it says and notes what it saw, so that
any difference in the order of things shows in the result.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st

from genflow import (
    ActivityProxy,
    Canceled,
    LambdaProxy,
    Retry,
    Saga,
    Signal,
    SignalFailed,
    Task,
    TaskFailed,
    Workflow,
    WorkflowProxy,
    YieldError,
    all_of,
    any_of,
    as_completed,
    first_of,
    first_success,
    update,
)

# programs

CHOICES: dict[str, Any] = {
    'raises': lambda self, value: 1 / (value != 'on'),
    'asks': lambda self, value: self.echo(value),
    'waits': lambda self, value: len(self.notes) > 3,
    'looks': lambda self, value: len(self.stop) or value == 'early',
}
"""What a ``get(match=…)`` may look for."""

WATCHES: dict[str, Any] = {
    'raises': lambda self: 1 / (len(self.notes) < 4),
    'asks': lambda self: self.sleep(1),
    'chance': lambda self: self.random.random() > 2,
    'time': lambda self: self.now().second > 40,
    'notes': lambda self: len(self.notes) % 3 == 2,
    'signals': lambda self: len(self.go) + len(self.stop) > 2,
}
"""What an ``until`` may look at."""


def _calls() -> st.SearchStrategy[Any]:
    names = ('echo', 'sturdy', 'patient', 'late', 'child', 'shrink', 'sleep', 'clock', 'get', 'pick', 'state', 'tell')
    return st.tuples(st.sampled_from(names), st.integers(0, 9))


def _steps(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    call = _calls()
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.tuples(st.just('seq'), several),
        st.tuples(st.just('all'), several, st.sampled_from(('raise', 'wait', 'return'))),
        st.tuples(st.just('any'), several, st.booleans()),
        st.tuples(st.just('first'), several, st.booleans()),
        st.tuples(st.just('mixed'), several, st.lists(call, min_size=1, max_size=2).map(tuple)),
        st.tuples(st.just('catch'), inner),
        st.tuples(st.just('finally'), inner, inner),
        st.tuples(st.just('undo'), inner, inner),
        st.tuples(st.just('driven'), several, call),
        st.tuples(st.just('spawn'), inner),
        st.tuples(st.just('limit'), inner, st.integers(0, 9), st.booleans()),
        st.tuples(st.just('shield'), inner),
        st.tuples(st.just('list'), several),
        st.tuples(st.just('items'), several, st.integers(1, 3)),
        st.tuples(st.just('saga'), several, st.booleans()),
        st.tuples(st.just('called_off'), inner, inner),
        st.tuples(st.just('daemon'), inner),
        st.tuples(st.just('circle'), inner, st.integers(0, 9)),
        st.tuples(st.just('waited_for'), inner, inner),
        st.tuples(st.just('options'), inner, st.integers(0, 2)),
    )


def _leaves() -> st.SearchStrategy[Any]:
    call = _calls()
    calls = st.lists(call, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.tuples(st.just('call'), call),
        st.tuples(st.just('loose'), call),
        st.tuples(st.just('given'), calls),
        st.tuples(st.just('cancel'), call, st.booleans()),
        st.tuples(st.just('stop'), calls),
        st.tuples(st.just('limited'), call, st.integers(0, 9), st.booleans()),
        st.tuples(st.just('completed'), calls),
        st.tuples(st.just('map'), st.integers(0, 4), st.none() | st.integers(1, 3)),
        st.tuples(st.just('pages'), calls, st.integers(1, 2), st.sampled_from(('raise', 'wait', 'return'))),
        st.tuples(st.just('signals')),
        st.tuples(st.just('typed'), st.booleans(), st.integers(1, 9)),
        st.tuples(st.just('value'), st.deferred(lambda: st.sampled_from(tuple(VALUES)))),
        st.tuples(st.just('raise')),
        st.tuples(st.just('kid'), st.integers(0, 9), st.booleans()),
        st.tuples(st.just('request'), st.integers(0, 9)),
        st.tuples(st.just('returned'), calls),
        st.tuples(st.just('race'), calls, st.booleans(), st.integers(0, 2)),
        st.tuples(st.just('tangle'), calls),
        st.tuples(st.just('until'), calls, st.integers(0, 9)),
        st.tuples(st.just('named'), calls, st.integers(0, 3), st.none() | call),
        st.tuples(st.just('gate'), calls, st.integers(1, 2)),
        st.tuples(st.just('future'), call, st.booleans()),
        st.tuples(st.just('choosy'), st.sampled_from(sorted(CHOICES)), st.booleans(), st.integers(1, 9)),
        st.tuples(st.just('watching'), st.sampled_from(sorted(WATCHES)), st.integers(1, 9)),
        st.tuples(st.just('twice'), call, st.booleans(), st.booleans()),
    )


_WHOLE = st.recursive(_leaves(), _steps, max_leaves=12)

PROGRAMS = st.one_of(_WHOLE, _WHOLE, _WHOLE, st.tuples(st.just('restart'), _WHOLE, _WHOLE))

ASKED: tuple[Any, ...] = (
    ('call', ('echo', 1)),
    ('gate', (('echo', 1), ('late', 2), ('get', 3)), 1),
    ('named', (('patient', 1), ('sleep', 2)), 1, ('get', 1)),
    ('until', (('echo', 1), ('child', 2)), 3),
    ('twice', ('get', 1), True, False),
    ('raise',),
    ('shield', ('call', ('late', 2))),
    ('saga', (('call', ('echo', 1)), ('call', ('get', 2))), True),
    ('pages', (('echo', 1), ('pick', 2)), 1, 'wait'),
    ('stop', (('echo', 1), ('late', 3))),
    ('value', 'effect'),
    ('watching', 'notes', 3),
    ('choosy', 'raises', False, 4),
    ('spawn', ('call', ('get', 2))),
)
"""What an update may ask a workflow to do."""

VALUES: dict[str, Any] = {
    'random': lambda self: self.random.random(),
    'uuid': lambda self: str(self.uuid4()),
    'effect': lambda self: self.side_effect(lambda: 'effect'),
    'failing': lambda self: self.side_effect(lambda: 1 / 0),
    'patched': lambda self: self.patched('change'),
    'now': lambda self: self.now().isoformat(),
    'status': lambda self: self.set_status(self.info.history_length),
}


class Interpreter(Workflow):
    """Does what a program says, and notes what it sees."""

    echo = ActivityProxy('Echo', '1', retry=0)
    sturdy = ActivityProxy('Sturdy', '1', retry=2)
    patient = ActivityProxy('Patient', '1', retry=Retry(3, initial_interval=5, jitter=0.5))
    late = ActivityProxy('Late', '1', delay=3, retry=0, heartbeat=5)
    child = WorkflowProxy('Child', '1', retry=1)
    shrink = LambdaProxy('shrink', retry=1)
    go = Signal()
    stop = Signal()
    number = Signal[int](on_invalid='log')
    strict = Signal[int]()

    def run(self, program: Any) -> Any:
        self.notes: list[Any] = []
        self.added: list[int] = []
        self.undone: list[int] = []
        self.sagas_left: list[list[int]] = []
        self.given_up: list[int] = []
        restarts = program[0] == 'restart'
        value = yield from self.perform(program[1] if restarts else program)
        return self.restart(program[2]) if restarts else [value, self.notes]

    @update
    def ask(self, call: Any) -> Any:
        self.notes.append('asked')
        value = yield self.make(call)
        self.notes.append('answered')
        return value

    @update
    def play(self, step: Any) -> Any:
        return (yield from self.perform(step))

    @update
    def several(self, calls: Any) -> Any:
        return self.map(self.make, calls, limit=1, failures='wait')

    @update
    def large(self) -> str:
        return 'x' * 40_000

    @update
    def look(self, number: int) -> int:
        self.notes.append('looked')
        return number + len(self.notes)

    @look.validator
    def is_even(self, number: int) -> None:
        if number % 2:
            raise ValueError(f'{number} is odd')

    def perform(self, step: Any) -> Any:
        name, *rest = step
        value = yield from getattr(self, f'do_{name}')(*rest)
        self.notes.append(name)
        return value

    def make(self, call: Any) -> Task[Any]:
        name, number = call
        if name == 'get':
            return self.go.get() if number % 2 else self.stop.get()
        if name == 'pick':
            return self.go.get(match=lambda value: value == 'on' or (number % 2 and value != 'more'))
        if name == 'state':
            return self.until(lambda: len(self.notes) > 3 * number or len(self.stop) > number % 3)
        if name == 'tell':
            return self.external(f'other-{number}').signal('hello', number)
        if name == 'clock':
            name, number = 'sleep_until', self.now() + timedelta(seconds=number)
        return getattr(self, name)(number)

    def outcome(self, task: Any) -> Any:
        error = task.exception()
        return [type(error).__name__, str(error)] if error is not None else task.result()

    # leaves

    def do_call(self, call: Any) -> Any:
        task = self.make(call)
        try:
            return (yield task)
        except Canceled:
            self.given_up.append(task.number)
            raise

    def do_loose(self, call: Any) -> Any:
        self.make(call)
        return
        yield

    def do_given(self, calls: Any) -> Any:
        task = self.make(calls[0])
        for call in calls[1:]:
            other = self.make(call)
            task = self.echo([task, {'other': other}], key=task)
        return (yield task)

    def do_cancel(self, call: Any, first: bool) -> Any:
        task = self.make(call)
        if not first:
            yield self.echo('before cancel')
        task.cancel()
        return self.outcome(task)

    def do_stop(self, calls: Any) -> Any:
        tasks = [self.make(call) for call in calls]
        every = all_of(tasks, failures='return')
        yield any_of(self.echo('before stop'), every)
        every.cancel(wait=True)
        values = yield every
        return [repr(value) if isinstance(value, Exception) else value for value in values]

    def do_limited(self, call: Any, seconds: int, keep: bool) -> Any:
        task = self.make(call)
        try:
            return (yield task.timeout(seconds, keep=keep))
        except TaskFailed as error:
            return [type(error).__name__, task.done()]

    def do_completed(self, calls: Any) -> Any:
        seen = []
        for slot in as_completed([self.make(call) for call in calls]):
            try:
                seen.append((yield slot))
            except TaskFailed as error:
                seen.append(type(error).__name__)
            seen.append(slot.task.number)
        return seen

    def do_map(self, count: int, limit: int) -> Any:
        return (yield self.map(self.echo, range(count), limit=limit))

    def do_pages(self, calls: Any, limit: int, failures: Any) -> Any:
        """Items that a generator makes of what has happened so far."""
        made: list[Any] = []

        def items() -> Any:
            for call in calls:
                made.append([len(self.go), len(self.notes)])
                yield call

        values = yield self.map(self.make, items(), limit=limit, failures=failures)
        return [made, [repr(value) if isinstance(value, Exception) else value for value in values]]

    def do_signals(self) -> Any:
        first = yield self.go.get()
        return [first, len(self.go), self.go.drain(), len(self.stop)]

    def do_typed(self, strict: bool, seconds: int) -> Any:
        """A value with a type, if one comes in time; some that come have another type."""
        signal = self.strict if strict else self.signal('number')
        try:
            value = yield signal.get(match=lambda value: value > 1 or strict).timeout(seconds)
        except TaskFailed as error:
            value = type(error).__name__
        try:
            return [value, signal.drain()]
        except SignalFailed as error:
            return [value, error.reason]

    def do_value(self, name: str) -> Any:
        return VALUES[name](self)
        yield

    def do_raise(self) -> Any:
        raise TaskFailed('raised by the program')
        yield

    def do_kid(self, number: int, cancel: bool) -> Any:
        child = self.child(number)
        told = child.signal('hello', number)
        if cancel:
            yield self.go.get()
            child.cancel()
        return (yield all_of(child, told, failures='return')) and child.workflow_id

    def do_request(self, number: int) -> Any:
        return (yield self.external(f'other-{number}').cancel())

    def do_returned(self, calls: Any) -> Any:
        return {'tasks': [self.make(call) for call in calls], 'branch': self.perform(('call', calls[0])), 'plain': 1}
        yield

    def do_race(self, calls: Any, cancel_rest: bool, limits: int) -> Any:
        tasks = [self.make(call) for call in calls]
        members = [task.timeout(3 + place) if place < limits else task for place, task in enumerate(tasks)]
        winner = yield any_of(members, cancel_rest=cancel_rest)
        return [members.index(winner), self.outcome(winner), len(self.go), len(self.stop)]

    def do_tangle(self, calls: Any) -> Any:
        tasks = [self.make(call) for call in calls]
        every = all_of(tasks, failures='return')
        some = first_success([any_of(tasks), every, all_of(tasks[0], every)], n=2)
        yield some.timeout(9)
        values = yield [every, tasks[-1].timeout(1, keep=True)]
        return repr(values[1])

    def do_until(self, calls: Any, seconds: int) -> Any:
        """Waits until branches have counted down, with a limit that the calls may reach first."""
        left = list(calls)

        def work(call: Any) -> Any:
            with suppress(TaskFailed):
                yield self.make(call)
            left.remove(call)

        for call in calls:
            self.spawn(work(call))
        done = self.until(lambda: not left or len(self.stop) > 1)
        try:
            yield done.timeout(seconds) if seconds else done
        except TaskFailed as error:
            return [type(error).__name__, len(left)]
        return len(left)

    def do_named(self, calls: Any, kept: int, branch: Any) -> Any:
        tasks: dict[str, Any] = {f'task {place}': self.make(call) for place, call in enumerate(calls)}
        if branch is not None:
            tasks['branch'] = self.perform(('call', branch))
        keep = [name for place, name in enumerate(tasks) if place < kept]
        name, value = yield first_of(**tasks, keep=keep)
        return [name, value, [task.done() for task in tasks.values() if isinstance(task, Task)]]

    def do_gate(self, calls: Any, permits: int) -> Any:
        """A few at a time, in the order in which they wait."""
        free, seen = [permits], []

        def work(place: int, call: Any) -> Any:
            yield self.until(lambda: free[0] > 0)
            assert free[0] > 0
            free[0] -= 1
            seen.append(place)
            with suppress(TaskFailed):
                yield self.make(call)
            free[0] += 1

        yield [work(place, call) for place, call in enumerate(calls)]
        return seen

    def do_future(self, call: Any, cancel: bool) -> Any:
        told = self.future()

        def work() -> Any:
            try:
                told.set_result((yield self.make(call)))
            except TaskFailed as error:
                told.set_exception(error)

        self.spawn(work())
        if cancel:
            yield any_of(told, self.sleep(2))
            told.cancel()
            return self.outcome(told)
        return (yield told)

    def do_choosy(self, name: str, raw: bool, seconds: int) -> Any:
        looks: list[Any] = []

        def match(value: Any) -> Any:
            looks.append(value)
            return CHOICES[name](self, value)

        try:
            value = yield self.go.get(raw=raw, match=match).timeout(seconds)
        except (TaskFailed, YieldError, ZeroDivisionError) as error:
            value = type(error).__name__
        return [value, looks, len(self.go)]

    def do_watching(self, name: str, seconds: int) -> Any:
        try:
            yield self.until(partial(WATCHES[name], self)).timeout(seconds)
        except (TaskFailed, YieldError, ZeroDivisionError) as error:
            return type(error).__name__
        return len(self.notes)

    def do_twice(self, call: Any, keep: bool, fails: bool) -> Any:
        """A future that is told by who ends, in a time-out and a cancellation too, and once more."""
        told = self.future()

        def work() -> Any:
            try:
                yield self.make(call)
            finally:
                if not told.done():
                    told.set_result('first')

        task = self.spawn(work())
        name, value = yield first_of(told=told, late=self.sleep(5), keep=('told',) if keep else ())
        try:
            if fails:
                told.set_exception(TaskFailed('second'))
            else:
                told.set_result('second')
        except YieldError as error:
            name = f'{name}, {error}'
        try:
            yield task
        except TaskFailed as error:
            value = [value, type(error).__name__]
        return [name, value, self.outcome(told) if told.done() else 'open']

    # steps

    def do_seq(self, steps: Any) -> Any:
        values = []
        for step in steps:
            values.append((yield from self.perform(step)))  # noqa: PERF401
        return values

    def do_all(self, steps: Any, failures: Any) -> Any:
        values = yield all_of([self.perform(step) for step in steps], failures=failures)
        return [repr(value) if isinstance(value, Exception) else value for value in values]

    def do_any(self, steps: Any, cancel_rest: bool) -> Any:
        winner = yield any_of([self.perform(step) for step in steps], cancel_rest=cancel_rest)
        return self.outcome(winner)

    def do_first(self, steps: Any, cancel_rest: bool) -> Any:
        return (yield first_success([self.perform(step) for step in steps], cancel_rest=cancel_rest))

    def do_mixed(self, steps: Any, calls: Any) -> Any:
        tasks = [self.make(call) for call in calls]
        return (yield {'branches': [self.perform(step) for step in steps], 'tasks': (tasks, tasks[0])})

    def do_catch(self, step: Any) -> Any:
        try:
            return (yield from self.perform(step))
        except TaskFailed as error:
            return [type(error).__name__, str(error.reason)]

    def do_finally(self, step: Any, cleanup: Any) -> Any:
        try:
            return (yield from self.perform(step))
        finally:
            yield from self.perform(cleanup)

    def do_undo(self, step: Any, undo: Any) -> Any:
        try:
            return (yield from self.perform(step))
        except Canceled:
            with self.shield():
                yield from self.perform(undo)
            raise

    def do_driven(self, steps: Any, undo: Any) -> Any:
        saga = Saga()

        def work() -> Any:
            values = []
            for step in steps:
                saga.add(self.make, undo)
                values.append((yield from self.perform(step)))
            return values

        try:
            return (yield from saga.run(work()))
        except TaskFailed as error:
            return [str(error.reason), list(getattr(error, '__notes__', ()))]

    def do_spawn(self, step: Any) -> Any:
        self.spawn(self.perform(step))
        return 'spawned'
        yield

    def do_limit(self, step: Any, seconds: int, keep: bool) -> Any:
        task = self.spawn(self.perform(step))
        try:
            return (yield task.timeout(seconds, keep=keep))
        except TaskFailed as error:
            return type(error).__name__

    def do_list(self, steps: Any) -> Any:
        return (yield [self.perform(step) for step in steps])

    def do_items(self, steps: Any, limit: int) -> Any:
        return (yield self.map(self.perform, steps, limit=limit))

    def do_saga(self, steps: Any, fails: bool) -> Any:
        saga, mine = Saga(), []
        try:
            for step in steps:
                number = len(self.added)
                self.added.append(number)
                mine.append(number)
                saga.add(self.undo, number)
                yield from self.perform(step)
            if fails:
                yield from self.do_raise()
        except BaseException:
            self.sagas_left.append(mine)
            yield from saga.compensate()
            raise

    def undo(self, number: int) -> Any:
        self.undone.append(number)
        try:
            yield self.echo({'undo': number})
        except TaskFailed:
            return

    def do_called_off(self, step: Any, other: Any) -> Any:
        task = self.spawn(self.perform(step))
        try:
            yield from self.perform(other)
        finally:
            task.cancel()
        return self.outcome(task) if task.done() else (yield all_of(task, failures='return')) and 'ended'

    def do_daemon(self, step: Any) -> Any:
        self.spawn(self.perform(step), daemon=True)
        return 'spawned'
        yield

    def do_circle(self, step: Any, seconds: int) -> Any:
        tasks: list[Any] = []

        def waits(place: int) -> Any:
            yield self.sleep(1)
            try:
                yield [tasks[1 - place], tasks[2]] if place < 2 else tasks[0]
            finally:
                yield from self.perform(step)

        tasks += [self.spawn(waits(place)) for place in range(3)]
        try:
            return (yield all_of(tasks).timeout(seconds))
        except TaskFailed as error:
            return type(error).__name__

    def do_waited_for(self, step: Any, other: Any) -> Any:
        task = all_of(self.perform(step))
        one = self.spawn(self.waits(task))
        two = self.spawn(self.waits(task))
        yield from self.perform(other)
        one.cancel()
        return (yield all_of(one, two, failures='return')) and 'both'

    def waits(self, task: Any) -> Any:
        return (yield task)

    def do_shield(self, step: Any) -> Any:
        with self.shield():
            return (yield from self.perform(step))

    def do_options(self, step: Any, retry: int) -> Any:
        with self.options(retry=retry, delay=retry):
            return (yield from self.perform(step))


class Renewed(Interpreter):
    """Restarts as soon as it may, and now and then a little later."""

    def restart_when_suggested(self) -> Any:
        return self.restart(['value', 'now']) if len(self.notes) % 3 != 1 else None


class LooksLast(Interpreter):
    """Ends as the documentation advises: it yields everything it calls, and looks for signals last."""

    def run(self, program: Any) -> Any:
        value = None
        with suppress(TaskFailed):
            value = yield from super().run(program)
        while self.go or self.stop:
            for name in self.go.drain() + self.stop.drain():
                with suppress(TaskFailed):
                    yield self.echo(name)
        return value
