"""Races whose members have names."""

from __future__ import annotations

import pytest

from genflow import DefinitionError, TaskCanceled, TaskFailed, any_of, first_of

from .played import done, failed, played
from .story import Desk, Story


def test_the_first_is_given_by_name_and_the_others_are_cancelled():
    def run(self):
        over, echo = self.sleep(60), self.echo('x')
        name, value = yield first_of(decided=self.go.get(), echo=echo, over=over)
        try:
            over.result()
        except TaskCanceled:
            return [name, value, echo.result()]

    story = played(run)
    story.completed(2, 'echoed')
    assert story.decide() == ['complete ["echo","echoed","echoed"]']


def test_what_is_kept_continues():
    def run(self):
        over = self.sleep(60)
        seen = []
        for _ in range(2):
            name, value = yield first_of(decided=self.go.get(), over=over, reminder=self.sleep(10), keep=('over',))
            seen.append([name, value, over.done()])
        return seen

    story = played(run)
    story.signaled('go', 7)
    assert 'cancel timer 2' in ' '.join(story.decide())
    story.fired(1)
    story.decide()
    assert story.result == [['decided', 7, False], ['over', None, True]]


def test_one_name_to_keep_may_be_given_by_itself():
    def run(self):
        over = self.sleep(60)
        yield first_of(echo=self.echo(), over=over, keep='over')
        return over.done()

    assert played(run, done(2)).result is False


def test_a_get_that_lost_takes_nothing():
    def run(self):
        yield first_of(decided=self.go.get(), echo=self.echo())
        yield self.sleep(1)
        return self.go.drain()

    story = played(run, done(1))
    story.signaled('go', 1)
    story.decide()
    story.fired(2)
    story.decide()
    assert story.result == [1]


def test_the_failure_of_the_first_is_raised():
    def run(self):
        try:
            yield first_of(echo=self.echo(), over=self.sleep(5))
        except TaskFailed as error:
            return error.reason

    assert played(run, failed(1, 'broken')).result == 'broken'


def test_branches_and_lists_have_names_too():
    def work(self):
        value = yield self.echo()
        return value

    def run(self):
        first = yield first_of(branch=work(self), over=self.sleep(5))
        second = yield first_of(only=[self.echo(), self.echo()])
        return [first, second]

    assert played(run, done(2, 'a'), done(3, 'b'), done(4, 'c')).result == [['branch', 'a'], ['only', ['b', 'c']]]


def test_a_branch_that_is_kept_is_not_cancelled():
    def work(self):
        yield self.echo('long')
        self.seen.append('ended')

    def run(self):
        self.seen = []
        task = self.spawn(work(self))
        name, _ = yield first_of(work=task, quick=self.echo('quick'), keep=('work',))
        yield task
        return [name, self.seen]

    story = played(run)
    quick = 1 if 'quick' in story.answers[0].all[0].input else 2
    story.completed(quick)
    story.decide()
    story.completed(3 - quick)
    story.decide()
    assert story.result == ['quick', ['ended']]


def test_it_needs_a_name_and_keeps_only_what_it_has():
    with pytest.raises(ValueError, match='of nothing would never settle'):
        first_of()
    with pytest.raises(DefinitionError, match='keep names ovr; the tasks are echo, over'):
        first_of(echo=Desk.echo.task(), over=Desk.echo.task(), keep=('ovr',))


def test_descriptions_compare():
    one, other = Desk.echo.task(1), Desk.echo.task(2)
    assert first_of(a=one, b=other) == first_of(a=Desk.echo.task(1), b=Desk.echo.task(2))
    assert first_of(a=one, b=other) != first_of(a=one, c=other)
    assert first_of(a=one, b=other) != first_of(a=one, b=other, keep='a')


def test_any_of_gives_the_very_task_that_was_handed_in():
    def run(self):
        limited = self.echo().timeout(5)
        first = yield any_of(limited, self.go.get())
        return first is limited

    assert played(run, done(1)).result is True


def test_it_replays_where_two_settle_in_one_decision():
    def run(self):
        return (yield first_of(a=self.echo(1), b=self.echo(2)))

    story = Story(run)
    story.decide()
    story.completed(2, 'b')
    story.completed(1, 'a')
    assert story.decide() == ['complete ["b","b"]']
