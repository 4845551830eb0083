"""all_of, any_of, first_success, as_completed, map and spawn."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityFailed,
    DefinitionError,
    TaskCanceled,
    TaskFailed,
    WorkflowCanceled,
    all_of,
    any_of,
    as_completed,
    first_success,
)

from .story import Story


def told(run, *happenings, **given):
    """The story after its first decision and one decision after each happening."""
    story = Story(run, **given)
    story.decide()
    for happening in happenings:
        happening(story)
        story.decide()
    return story


def done(number, value=None):
    return lambda story: story.completed(number, value)


def failed(number, reason='broken'):
    return lambda story: story.failed(number, reason=reason)


# all_of


@pytest.mark.parametrize(
    'make',
    [
        lambda s: all_of(s.echo(), s.other()),
        lambda s: all_of([s.echo(), s.other()]),
        lambda s: all_of((s.echo(), s.other())),
        lambda s: all_of({'a': s.echo(), 'b': s.other()}),
        lambda s: all_of(call() for call in (s.echo, s.other)),
        lambda s: all_of(iter([s.echo(), s.other()])),
        lambda s: all_of(all_of(s.echo()), s.other()),
    ],
    ids=['several', 'list', 'tuple', 'dict', 'generator expression', 'iterator', 'nested'],
)
def test_all_of_takes_tasks_in_every_form(make):
    def run(self):
        return (yield make(self))

    result = told(run, done(1, 'a'), done(2, 'b')).result
    assert result in (['a', 'b'], [['a'], 'b'])


def test_all_of_one_branch_is_that_branch():
    def run(self):
        def branch():
            return (yield self.echo())

        return (yield all_of(branch()))

    assert told(run, done(1, 'a')).result == ['a']


def test_all_of_nothing_is_an_empty_list():
    def run(self):
        return [(yield all_of()), (yield all_of([])), (yield all_of({}))]

    assert told(run).result == [[], [], []]


def test_all_of_fails_fast_with_the_first_failure_of_the_history():
    def run(self):
        try:
            yield all_of(self.echo(), self.echo(), self.go.get())
        except ActivityFailed as error:
            yield self.stop.get()
            return error.reason

    story = told(run, failed(2, 'second'), failed(1, 'first'), lambda s: s.signaled('stop'))
    assert story.result == 'second'


def test_all_of_that_waits_fails_with_the_first_in_the_order_given():
    def run(self):
        try:
            yield all_of(self.echo(), self.echo(), self.echo(), failures='wait')
        except ActivityFailed as error:
            return error.reason

    story = told(run, failed(3, 'third'), failed(2, 'second'))
    assert story.closed is None
    story.completed(1)
    story.decide()
    assert story.result == 'second'


def test_all_of_that_returns_failures_puts_them_in_their_places():
    def run(self):
        one, two = yield all_of(self.echo(), self.echo(), failures='return')
        return [one, type(two).__name__, two.reason]

    assert told(run, failed(2, 'no'), done(1, 'yes')).result == ['yes', 'ActivityFailed', 'no']


def test_all_of_knows_three_ways():
    def run(self):
        try:
            all_of(self.echo(), failures='ignore')
        except DefinitionError:
            return 'refused'

    assert told(run, done(1)).result == 'refused'


def test_all_of_settled_tasks_is_settled():
    def run(self):
        a, b = self.echo(), self.other()
        yield [a, b]
        both = all_of(a, b)
        return [both.done(), both.result()]

    assert told(run, done(1, 'a'), done(2, 'b')).result == [True, ['a', 'b']]


def test_cancelling_all_of_cancels_its_members():
    def run(self):
        both = all_of(self.echo(), self.sleep(9))
        yield self.stop.get()
        both.cancel()
        try:
            yield both
        except TaskCanceled:
            yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1', 'cancel timer 2']


# any_of


def test_any_of_gives_the_very_task():
    def run(self):
        a, b = self.echo(), self.other()
        first = yield any_of(a, b)
        return [first is b, first is a, first.result()]

    story = told(run, done(2, 'b'), done(1))
    assert story.result == [True, False, 'b']


def test_any_of_nothing_is_a_value_error():
    def run(self):
        refused = []
        for nothing in ((), ([],), ({},)):
            try:
                any_of(*nothing)
            except ValueError:
                refused.append(True)
        return refused
        yield

    assert told(run).result == [True, True, True]


def test_any_of_a_settled_task_is_settled():
    def run(self):
        a = self.echo()
        yield a
        first = yield any_of(self.go.get(), a)
        return first is a

    assert told(run, done(1)).result is True


def test_losers_go_on_unless_they_are_cancelled():
    def run(self):
        yield any_of(self.echo(), self.other())
        return 'first'

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == []
    story.completed(2)
    assert story.decide() == ['complete "first"']


def test_cancel_rest_cancels_the_losers():
    def run(self):
        yield any_of(self.echo(), self.other(), self.sleep(60), cancel_rest=True)
        return 'first'

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['cancel activity 2.1', 'cancel timer 3', 'complete "first"']


def test_a_branch_that_loses_is_closed():
    def run(self):
        log = []

        def branch():
            try:
                yield self.echo()
                log.append('went on')
            finally:
                log.append('closed')

        yield any_of(branch(), self.other())
        return log

    story = Story(run)
    story.decide()
    other = next(item.key for item in story.open.values() if item.mark.startswith('1') or item.mark.startswith('2'))
    numbers = {event.name: event.activity_id for event in story.events if hasattr(event, 'activity_id')}
    assert other in numbers.values()
    story.completed(numbers['Other'])
    story.decide()
    story.completed(numbers['Echo'])
    story.decide()
    assert story.result == ['closed']


def test_a_spawned_branch_that_loses_goes_on():
    def run(self):
        log = []

        def branch():
            yield self.go.get()
            log.append('went on')

        yield any_of(self.spawn(branch()), self.echo())
        yield self.stop.get()
        return log

    story = told(run, done(1), lambda s: s.signaled('go'), lambda s: s.signaled('stop'))
    assert story.result == ['went on']


def test_a_branch_that_somebody_else_waits_for_does_not_lose_its_life():
    def run(self):
        def branch():
            yield self.go.get()
            return 'kept'

        generator = branch()
        keeper = self.spawn(keeping(generator))
        yield any_of(generator, self.echo())
        return (yield keeper)

    def keeping(generator):
        return (yield generator)

    assert told(run, done(1), lambda s: s.signaled('go')).result == 'kept'


def test_a_race_of_many_in_a_loop_keeps_nothing_of_those_that_are_over():
    def run(self):
        stop = self.stop.get()
        for _ in range(500):
            yield any_of(stop, self.go.get())
        return len(stop.waiters)

    story = Story(run)
    story.decide()
    for _ in range(500):
        story.signaled('go')
    story.decide()
    assert story.result < 130


# first_success


def test_first_success_passes_over_failures():
    def run(self):
        return (yield first_success(self.echo(), self.other()))

    assert told(run, failed(1), done(2, 'b')).result == 'b'


def test_first_success_of_n_gives_them_in_the_order_of_success():
    def run(self):
        return (yield first_success([self.echo(), self.echo(), self.echo(), self.go.get()], n=2))

    story = told(run, done(3, 'c'), done(1, 'a'), done(2))
    assert story.result == ['c', 'a']


def test_first_success_fails_as_soon_as_too_few_are_left():
    def run(self):
        try:
            yield first_success(self.echo(), self.echo(), self.echo(), n=2)
        except ActivityFailed as error:
            return error.reason

    story = told(run, failed(1, 'one'), failed(3, 'three'), done(2))
    assert story.result == 'three'


@pytest.mark.parametrize('n', [0, -1, 3])
def test_first_success_needs_as_many_tasks(n):
    def run(self):
        try:
            first_success(self.echo(), self.other(), n=n)
        except ValueError as error:
            return str(n) in str(error)

    story = told(run, done(1), done(2))
    assert story.result is True


def test_first_success_cancels_the_rest_where_asked():
    def run(self):
        return (yield first_success(self.echo(), self.other(), cancel_rest=True))

    story = Story(run)
    story.decide()
    story.completed(1, 'a')
    assert story.decide() == ['cancel activity 2.1', 'complete "a"']


# as_completed


def test_slots_come_in_the_order_of_completion():
    def run(self):
        tasks = [self.echo(), self.echo(), self.echo()]
        seen = []
        for slot in as_completed(tasks):
            value = yield slot
            seen.append([tasks.index(slot.task), value])
        return seen

    story = told(run, done(2, 'b'), done(3, 'c'), done(1, 'a'))
    assert story.result == [[1, 'b'], [2, 'c'], [0, 'a']]


def test_a_slot_raises_the_failure_of_its_task():
    def run(self):
        seen = []
        for slot in as_completed([self.echo(), self.echo()]):
            try:
                seen.append((yield slot))
            except TaskFailed as error:
                seen.append([error.reason, slot.task.number])
        return seen

    assert told(run, failed(2, 'no'), done(1, 'yes')).result == [['no', 2], 'yes']


def test_slots_may_be_left():
    def run(self):
        for slot in as_completed([self.echo(), self.echo()]):
            yield slot
            break
        return 'left'

    story = told(run, done(1))
    assert story.closed is None
    story.completed(2)
    story.decide()
    assert story.result == 'left'


def test_a_failure_in_a_slot_that_nobody_took_fails_the_workflow():
    def run(self):
        for slot in as_completed([self.echo(), self.echo()]):
            yield slot
            break
        return 'left'

    story = told(run, done(1))
    story.failed(2, reason='unseen')
    assert story.decide() == ['fail ActivityFailed: activity 2 Echo v1: unseen']


def test_slots_of_branches():
    def run(self):
        def branch(x):
            return (yield self.echo(x)) + x

        seen = []
        for slot in as_completed(branch(x) for x in (10, 20)):
            seen.append((yield slot))  # noqa: PERF401
        return seen

    assert told(run, done(2, 2), done(1, 1)).result == [22, 11]


def test_as_completed_of_nothing_is_no_round():
    def run(self):
        for slot in as_completed([]):
            value = yield slot
            assert value is not None
        return 'none'

    assert told(run).result == 'none'


# map


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

    story = told(run, done(1, 'x'), done(2, 'A'), done(3, 'y'), done(4, 'B'))
    assert story.result == ['A', 'B']


def test_map_of_plain_values_and_of_nothing():
    def run(self):
        return [(yield self.map(lambda x: x + 1, [1, 2], limit=1)), (yield self.map(self.echo, [], limit=5))]

    assert told(run).result == [[2, 3], []]


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

    assert told(run, done(1)).result == 'raised'


@pytest.mark.parametrize('limit', [0, -1, 1.5, True, None])
def test_map_needs_a_limit(limit):
    def run(self):
        try:
            self.map(self.echo, [1], limit=limit)
        except DefinitionError:
            return 'refused'

    assert told(run).result == 'refused'


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
    assert story.decide() == ['cancel activity 1.1', 'complete "canceled"']


def test_thousands_of_plain_items_recurse_nowhere():
    def run(self):
        found = yield self.map(lambda x: x, range(20_000), limit=1)
        return len(found)

    assert told(run).result == 20_000


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

    story = told(run, done(2, 'B'), done(1, 'A'))
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

    assert told(run, done(1)).result == ['in', 'out']


def test_spawning_a_task_is_that_task():
    def run(self):
        task = self.echo()
        return [self.spawn(task) is task, (yield task)]

    assert told(run, done(1, 'x')).result == [True, 'x']


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

    assert told(run, lambda s: s.fired(1)).result == 'timed out'


def test_an_unyielded_limit_that_strikes_fails_the_workflow():
    def run(self):
        self.echo().timeout(5)
        yield self.go.get()
        return 'done'

    story = told(run, lambda s: s.fired(2))
    story.signaled('go')
    story.canceled(1)
    assert story.decide()[0].startswith('fail ActivityTimedOut')
