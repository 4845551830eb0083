"""map and spawn, and limits of combinations."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityFailed,
    DefinitionError,
    TaskFailed,
    WorkflowCanceled,
    all_of,
    any_of,
    first_success,
)

from .played import done, played
from .story import Story


def test_map_keeps_the_limit_and_the_order():
    def run(self):
        return (yield self.map(self.echo, 'abcde', limit=2))

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [["a"],{}]', 'activity 2.1 Echo [["b"],{}]']
    story.completed(2, 'B')
    assert story.decide() == ['activity 3.1 Echo [["c"],{}]']
    story.completed(3, 'C')
    story.completed(1, 'A')
    assert story.decide() == ['activity 4.1 Echo [["d"],{}]', 'activity 5.1 Echo [["e"],{}]']
    story.completed(4, 'D')
    story.completed(5, 'E')
    assert story.decide() == ['complete ["A","B","C","D","E"]']


def test_map_runs_branches():
    def run(self):
        def step(x):
            y = yield self.echo(x)
            return (yield self.other(y))

        return (yield self.map(step, 'ab', limit=1))

    story = played(run, done(1, 'x'), done(2, 'A'), done(3, 'y'), done(4, 'B'))
    assert story.result == ['A', 'B']


@pytest.mark.parametrize('fails', [False, True])
def test_one_task_for_several_items_of_a_map(fails):
    def run(self):
        shared = self.echo()
        try:
            return (yield self.map(lambda item: shared if item else self.other(item), range(4), limit=2))
        except ActivityFailed as error:
            return error.reason

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [[],{}]', 'activity 2.1 Other [[0],{}]']
    story.completed(2, 'own')
    assert story.decide() == []
    if fails:
        story.failed(1, reason='broken')
    else:
        story.completed(1, 'shared')
    assert story.decide() == ['complete "broken"' if fails else 'complete ["own","shared","shared","shared"]']


def test_map_of_plain_values_and_of_nothing():
    def run(self):
        return [(yield self.map(lambda x: x + 1, [1, 2], limit=1)), (yield self.map(self.echo, [], limit=5))]

    assert played(run).result == [[2, 3], []]


def test_the_first_failure_starts_no_more_items():
    def run(self):
        try:
            yield self.map(self.echo, range(9), limit=2)
        except ActivityFailed as error:
            yield self.stop.get()
            return error.reason

    story = Story(run)
    story.decide()
    story.failed(1, reason='first')
    assert story.decide() == []
    story.failed(2, reason='second')
    story.decide()
    story.signaled('stop')
    story.decide()
    assert story.result == 'first'


def test_a_function_that_raises_fails_the_map():
    def run(self):
        def step(x):
            if x == 2:
                raise KeyError(x)
            return self.echo(x)

        try:
            yield self.map(step, [1, 2, 3], limit=1)
        except KeyError:
            return 'raised'

    assert played(run, done(1)).result == 'raised'


@pytest.mark.parametrize('limit', [0, -1, 1.5, True])
def test_map_needs_a_limit(limit):
    def run(self):
        try:
            self.map(self.echo, [1], limit=limit)
        except DefinitionError:
            return 'refused'

    assert played(run).result == 'refused'


def test_a_cancelled_map_starts_no_more_items():
    def run(self):
        task = self.map(self.echo, range(5), limit=1)
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()
        return 'done'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    story.decide()
    if story.is_open('1.1'):
        story.completed(1)
        assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete "done"']


def test_a_cancellation_ends_a_map():
    def run(self):
        try:
            yield self.map(self.echo, range(5), limit=1)
        except WorkflowCanceled:
            return 'canceled'

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['complete "canceled"']


def test_thousands_of_plain_items_recurse_nowhere():
    def run(self):
        found = yield self.map(lambda x: x, range(20_000), limit=1)
        return len(found)

    assert played(run).result == 20_000


# spawn


def test_a_spawned_branch_is_a_task_like_any_other():
    def run(self):
        def branch(x):
            return (yield self.echo(x))

        a, b = self.spawn(branch('a')), self.spawn(branch('b'))
        seen = yield any_of(a, b)
        other = self.other(a, {'b': b})
        yield other
        return [seen is b, a.done(), b.result()]

    story = played(run, done(2, 'B'), done(1, 'A'))
    assert [event.input for event in story.events if getattr(event, 'name', '') == 'Other'] == ['[["A",{"b":"B"}],{}]']
    story.completed(3)
    story.decide()
    assert story.result == [True, True, 'B']


def test_a_spawned_branch_may_spawn():
    def run(self):
        def inner():
            yield self.echo('inner')
            return 'in'

        def outer():
            task = self.spawn(inner())
            return [(yield task), 'out']

        return (yield self.spawn(outer()))

    assert played(run, done(1)).result == ['in', 'out']


def test_spawning_a_task_is_that_task():
    def run(self):
        task = self.echo()
        return [self.spawn(task) is task, (yield task)]

    assert played(run, done(1, 'x')).result == [True, 'x']


def test_combinators_work_within_branches():
    def run(self):
        def branch(x):
            return (yield all_of(self.echo(x), first_success(self.echo(x), self.echo(x))))

        return (yield [branch('a'), branch('b')])

    story = Story(run)
    story.decide()
    for number in range(1, 7):
        story.completed(number, number)
    story.decide()
    assert story.result == [[1, 2], [4, 5]]


# limits of combinations


def test_a_limit_on_all_of_raises_a_time_out():
    def run(self):
        try:
            yield all_of(self.go.get(), self.stop.get()).timeout(5)
        except TimeoutError:
            return 'timed out'

    assert played(run, lambda s: s.fired(1)).result == 'timed out'


def test_an_unyielded_limit_that_strikes_fails_the_workflow():
    def run(self):
        self.echo().timeout(5)
        yield self.go.get()
        return 'done'

    story = played(run, lambda s: s.fired(2))
    story.signaled('go')
    story.canceled(1)
    assert story.decide()[0].startswith('fail ActivityTimedOut')


# failures, and items that are made when their turn comes


def test_without_a_limit_all_begin_at_once():
    story = Story(lambda self: (yield self.map(self.echo, range(5))))
    assert len(story.decide()) == 5


def test_failures_may_be_results_in_their_places():
    def run(self):
        values = yield self.map(self.echo, 'abc', limit=2, failures='return')
        return [getattr(value, 'reason', value) for value in values]

    story = Story(run)
    story.decide()
    story.failed(1, reason='broken')
    story.decide()
    story.completed(2, 'b')
    story.completed(3, 'c')
    story.decide()
    assert story.result == ['broken', 'b', 'c']


def test_the_others_may_be_waited_for_and_the_first_item_that_failed_is_raised():
    def run(self):
        try:
            yield self.map(self.echo, 'abc', failures='wait')
        except TaskFailed as error:
            return error.reason

    story = Story(run)
    story.decide()
    story.failed(3, reason='third')
    assert story.decide() == []
    story.failed(1, reason='first')
    assert story.decide() == []
    story.completed(2)
    story.decide()
    assert story.result == 'first'


@pytest.mark.parametrize(('failures', 'expected'), [('return', 'ZeroDivisionError'), ('wait', None), ('raise', None)])
def test_what_the_function_raises_is_the_failure_of_its_item(failures, expected):
    def run(self):
        try:
            values = yield self.map(lambda number: 6 // number, [3, 0, 2], failures=failures)
        except ZeroDivisionError:
            return None
        return [values[0], type(values[1]).__name__, values[2]]

    story = Story(run)
    story.decide()
    assert story.result == (None if expected is None else [2, expected, 3])


def test_a_generator_makes_an_item_when_a_place_is_free():
    def run(self):
        made = []

        def items():
            for number in range(4):
                made.append(number)
                yield number

        task = self.map(self.echo, items(), limit=2)
        seen = [list(made)]
        yield any_of(task, self.go.get())
        seen.append(list(made))
        values = yield task
        return [seen, made, values]

    story = Story(run)
    story.decide()
    story.completed(1, 'a')
    story.signaled('go')
    story.decide()
    for number in (2, 3, 4):
        story.completed(number, number)
        story.decide()
    assert story.result == [[[0, 1], [0, 1, 2]], [0, 1, 2, 3], ['a', 2, 3, 4]]


def test_a_list_is_read_at_once():
    def run(self):
        items = [1, 2, 3]
        task = self.map(self.echo, items, limit=1)
        items.clear()
        return len((yield task))

    story = Story(run)
    story.decide()
    for number in (1, 2, 3):
        story.completed(number)
        story.decide()
    assert story.result == 3


@pytest.mark.parametrize('failures', ['raise', 'wait', 'return'])
def test_what_the_generator_raises_fails_the_map(failures):
    def items():
        yield 1
        raise KeyError('page 2')

    def run(self):
        try:
            yield self.map(self.echo, items(), limit=1, failures=failures)
        except KeyError as error:
            return error.args[0]

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    assert story.result == 'page 2'


@pytest.mark.parametrize('end', ['fail', 'cancel', 'suspend'])
def test_the_generator_is_closed_when_no_more_items_are_taken(end):
    def run(self):
        self.closed = []

        def items():
            try:
                while True:
                    yield 1
            finally:
                self.closed.append(1)

        task = self.map(self.echo, items(), limit=1)
        if end == 'cancel':
            yield self.go.get()
            task.cancel()
        try:
            yield task
        except TaskFailed:
            return len(self.closed)

    story = Story(run)
    story.decide()
    if end == 'suspend':
        workflow = story.sticky.workflow
        story.sticky.close()
        assert workflow.closed == [1]
        return
    if end == 'fail':
        story.failed(1)
    else:
        story.signaled('go')
    story.decide()
    assert story.result == 1


@pytest.mark.parametrize('options', [{'limit': 0}, {'limit': True}, {'failures': 'ignore'}])
def test_wrong_options_are_refused(options):
    def run(self):
        with pytest.raises(DefinitionError):
            self.map(self.echo, [], **options)
        return 1
        yield

    story = Story(run)
    story.decide()
    assert story.result == 1
