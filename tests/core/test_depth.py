"""Depth and breadth: no recursion, and work in proportion. Work is counted in calls of functions, never in time."""

from __future__ import annotations

import sys

import pytest

from genflow import all_of

from .recording import said
from .shapes import (
    SHAPES,
    as_completed_of_gets,
    cancelled_chain_of_branches,
    cancelled_chain_of_combinators,
    cancelled_circle,
    chain_of_branches,
    deep_all_of,
    deep_cancel,
    deep_signal,
    long_argument_chain,
    settled_yields,
    wide_as_completed,
)
from .story import Desk, Story


def work(function):
    """How many Python functions are called on the way."""
    count = 0

    def count_calls(frame, event, argument):
        nonlocal count
        if event == 'call':
            count += 1

    before = sys.getprofile()
    sys.setprofile(count_calls)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def once(run, happen=lambda story: None):
    """Only the kept execution of a story: its last decision, counted."""
    story = Story(run)
    story.decide()
    happen(story)
    started = story.execution()
    story.start()
    pages = story.events
    calls = work(lambda: started.advance(pages))
    started.close()
    story.respond()
    story.sticky.close()
    return calls


def alone(story):
    """The next answer of the kept execution, without the others."""
    story._begin_decision()  # noqa: SLF001
    return story.sticky.advance(story._page(story.sticky))  # noqa: SLF001


@pytest.mark.thorough
@pytest.mark.parametrize('shape', SHAPES)
def test_twice_the_size_is_at_most_a_little_more_than_twice_the_work(shape):
    assert once(*shape(240)) <= 2.3 * once(*shape(120))


def test_a_hundred_thousand_settled_yields():
    run, happen = settled_yields(100_000)
    story = Story(run)
    story.decide()
    happen(story)
    assert said(alone(story)) == ['complete "done"']


RECURSIVE = [
    deep_all_of,
    deep_signal,
    deep_cancel,
    long_argument_chain,
    chain_of_branches,
    cancelled_chain_of_branches,
    cancelled_chain_of_combinators,
    cancelled_circle,
]


@pytest.mark.parametrize('shape', RECURSIVE)
def test_nothing_recurses(shape):
    run, happen = shape(2_000)  # twice what the interpreter allows
    story = Story(run)
    story.decide()
    happen(story)
    (line,) = story.decide()
    assert line.startswith('complete')


def test_ten_thousand_tasks_in_one_all_of():
    def run(self):
        def branch(value):
            return (yield all_of()) or value

        return sum((yield all_of(branch(value) for value in range(10_000))))

    assert said(alone(Story(run))) == ['complete 49995000']


def test_two_thousand_in_as_completed():
    run, happen = wide_as_completed(2_000)
    story = Story(run)
    story.decide()
    happen(story)
    assert story.decide() == ['complete "done"']


@pytest.mark.thorough
def test_ten_thousand_gets_in_as_completed():
    run, happen = as_completed_of_gets(10_000)
    story = Story(run)
    story.decide()
    happen(story)
    assert said(alone(story)) == ['complete "done"']


def test_a_sticky_decision_costs_what_is_new():
    class Long(Desk):
        def run(self):
            while True:
                yield self.echo()

    story = Story(Long)
    story.decide()
    costs = []
    for number in range(1, 121):
        story.completed(number)
        story._begin_decision()  # noqa: SLF001
        page = story._page(story.sticky)  # noqa: SLF001
        costs.append(work(lambda page=page: story.answers.append(story.sticky.advance(page))))
        story.answer = story.answers[-1]
        story.respond()
    assert costs[-1] == costs[5]
    story.sticky.close()
