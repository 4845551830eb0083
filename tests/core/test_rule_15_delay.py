"""Rule 15: delay before the first try."""

from __future__ import annotations

import pytest

from .story import Story


def test_a_delay_is_a_timer_before_the_first_try():
    def run(self):
        return (yield self.echo.with_options(delay=30)())

    story = Story(run)
    assert story.decide() == ['timer 1.1;w 30s']
    story.fired('1.1;w')
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed(1, 'x')
    assert story.decide() == ['complete "x"']


def test_a_delay_is_before_the_first_try_only():
    def run(self):
        yield self.sturdy.with_options(delay=30)()

    story = Story(run)
    story.decide()
    story.fired('1.1;w')
    story.decide()
    story.timed_out(1)
    assert story.decide() == ['activity 1.2 Sturdy [[],{}]']


def test_a_delayed_call_that_is_cancelled_needs_its_timer_no_more():
    def run(self):
        task = self.echo.with_options(delay=30)()
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel timer 1.1;w']
    story.signaled('stop')
    assert story.decide() == ['complete null']


def test_children_and_lambda_functions_may_be_delayed():
    def run(self):
        yield [self.child.with_options(delay=5)(), self.shrink.with_options(delay=6)(1)]

    story = Story(run)
    assert story.decide() == ['timer 1.1;w 5s', 'timer 2.1;w 6s']
    story.fired('2.1;w')
    assert story.decide() == ['lambda 2.1 shrink 1']
    story.fired('1.1;w')
    assert story.decide() == ['child 1.1 Child [[],{}]']


@pytest.mark.parametrize(
    ('before', 'after'),
    [(0, 5), (5, 0), (5, 9)],
    ids=['a new delay', 'a delay that is gone', 'another delay'],
)
def test_a_changed_delay_breaks_no_running_execution(before, after):
    def code(delay):
        def run(self):
            yield self.echo.with_options(delay=delay)()
            return (yield self.other())

        return run

    story = Story(code(before))
    story.decide()
    if before:
        story.fired('1.1;w')
        story.decide()
    story.completed(1)
    changed = Story(code(after))
    changed.events, changed.last_id, changed.is_due = story.events, story.last_id, True
    assert changed.decide() == ['activity 2.1 Other [[],{}]']


def test_a_changed_delay_during_the_delay():
    def code(delay):
        def run(self):
            yield self.echo.with_options(delay=delay)()

        return run

    story = Story(code(5))
    story.decide()
    story.fired('1.1;w')
    changed = Story(code(0))
    changed.events, changed.last_id, changed.is_due = story.events, story.last_id, True
    assert changed.decide() == ['activity 1.1 Echo [[],{}]']
