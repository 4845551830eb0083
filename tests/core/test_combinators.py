"""all_of, any_of, first_success, as_completed, map and spawn."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityFailed,
    BranchCanceled,
    DefinitionError,
    TaskCanceled,
    all_of,
    any_of,
)

from .played import done, failed, played
from .story import Story

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

    result = played(run, done(1, 'a'), done(2, 'b')).result
    assert result in (['a', 'b'], [['a'], 'b'])


def test_all_of_one_branch_is_that_branch():
    def run(self):
        def branch():
            return (yield self.echo())

        return (yield all_of(branch()))

    assert played(run, done(1, 'a')).result == ['a']


def test_all_of_nothing_is_an_empty_list():
    def run(self):
        return [(yield all_of()), (yield all_of([])), (yield all_of({}))]

    assert played(run).result == [[], [], []]


def test_all_of_fails_fast_with_the_first_failure_of_the_history():
    def run(self):
        try:
            yield all_of(self.echo(), self.echo(), self.go.get())
        except ActivityFailed as error:
            yield self.stop.get()
            return error.reason

    story = played(run, failed(2, 'second'), failed(1, 'first'), lambda s: s.signaled('stop'))
    assert story.result == 'second'


def test_all_of_that_waits_fails_with_the_first_in_the_order_given():
    def run(self):
        try:
            yield all_of(self.echo(), self.echo(), self.echo(), failures='wait')
        except ActivityFailed as error:
            return error.reason

    story = played(run, failed(3, 'third'), failed(2, 'second'))
    assert story.closed is None
    story.completed(1)
    story.decide()
    assert story.result == 'second'


def test_all_of_that_returns_failures_puts_them_in_their_places():
    def run(self):
        one, two = yield all_of(self.echo(), self.echo(), failures='return')
        return [one, type(two).__name__, two.reason]

    assert played(run, failed(2, 'no'), done(1, 'yes')).result == ['yes', 'ActivityFailed', 'no']


def test_all_of_knows_three_ways():
    def run(self):
        try:
            all_of(self.echo(), failures='ignore')
        except DefinitionError:
            return 'refused'

    assert played(run, done(1)).result == 'refused'


def test_all_of_settled_tasks_is_settled():
    def run(self):
        a, b = self.echo(), self.other()
        yield [a, b]
        both = all_of(a, b)
        return [both.done(), both.result()]

    assert played(run, done(1, 'a'), done(2, 'b')).result == [True, ['a', 'b']]


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

    story = played(run, done(2, 'b'), done(1))
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

    assert played(run).result == [True, True, True]


def test_any_of_a_settled_task_is_settled():
    def run(self):
        a = self.echo()
        yield a
        first = yield any_of(self.go.get(), a)
        return first is a

    assert played(run, done(1)).result is True


def test_losers_continue_unless_they_are_cancelled():
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
    assert story.decide() == ['complete "first"']


def test_a_branch_that_loses_is_cancelled_with_what_it_waits_for():
    def run(self):
        log = []

        def branch():
            try:
                yield self.echo()
                log.append('went on')
            except BranchCanceled:
                log.append('told')
                raise

        yield any_of(branch(), self.other())
        yield self.stop.get()
        return log

    story = Story(run)
    story.decide()
    ids = {event.name: event.activity_id for event in story.events if hasattr(event, 'activity_id')}
    story.completed(ids['Other'])
    assert story.decide() == [f'cancel activity {ids["Echo"]}']
    story.signaled('stop')
    assert story.decide() == ['complete ["told"]']


def test_a_spawned_branch_that_loses_continues():
    def run(self):
        log = []

        def branch():
            yield self.go.get()
            log.append('went on')

        yield any_of(self.spawn(branch()), self.echo())
        yield self.stop.get()
        return log

    story = played(run, done(1), lambda s: s.signaled('go'), lambda s: s.signaled('stop'))
    assert story.result == ['went on']


def test_a_branch_that_another_one_waits_for_is_not_cancelled():
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

    assert played(run, done(1), lambda s: s.signaled('go')).result == 'kept'


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
