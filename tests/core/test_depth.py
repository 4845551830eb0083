"""Depth and breadth: no recursion, and work in proportion. Work is counted in calls of functions, never in time."""

from __future__ import annotations

import sys

import pytest

from genflow import TaskCanceled, TaskFailed, all_of, any_of, as_completed, first_success

from .recording import said
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


def settled_yields(count):
    def run(self):
        task = self.echo()
        yield task
        for _ in range(count):
            yield task
        return 'done'

    return run, lambda story: story.completed(1)


def sequential_signals(count):
    def run(self):
        for _ in range(count):
            yield self.go.get()
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def wide_all_of(count):
    def run(self):
        def branch():
            yield self.go.get()

        yield all_of([branch() for _ in range(count)])
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def wide_first_success(count):
    def run(self):
        yield first_success([self.go.get() for _ in range(count)], n=count)
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def wide_as_completed(count):
    def run(self):
        def branch(task):
            yield task

        first = self.echo()
        for slot in as_completed([branch(first) for _ in range(count)]):
            value = yield slot
            assert value is None
        return 'done'

    return run, lambda story: story.completed(1)


def wide_map(count):
    def run(self):
        def branch(_):
            yield self.go.get()

        yield self.map(branch, range(count), limit=10)
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def long_argument_chain(count):
    def run(self):
        task = self.echo()
        for _ in range(count):
            task = self.external('w').signal('s', task)
        try:
            yield task
        except TaskFailed:
            return 'failed'

    return run, lambda story: story.failed(1)


def deep_all_of(count):
    def run(self):
        task = self.echo()
        for _ in range(count):
            task = all_of([task])
        yield task
        return 'done'

    return run, lambda story: story.completed(1)


def deep_signal(count):
    def run(self):
        task = self.go.get()
        for _ in range(count):
            task = all_of([task])
        yield task
        return 'done'

    return run, lambda story: story.signaled('go')


def deep_cancel(count):
    def run(self):
        yield self.go.get()
        task = self.stop.get()
        for _ in range(count):
            task = all_of([task])
        task.cancel()
        try:
            yield task
        except TaskCanceled:
            return 'canceled'

    return run, lambda story: story.signaled('go')


def chain_of_branches(count):
    def run(self):
        def branch(depth):
            if depth:
                return (yield branch(depth - 1))
            return (yield self.go.get())

        return (yield branch(count))

    return run, lambda story: story.signaled('go', 'deep')


def races_in_a_loop(count):
    def run(self):
        stop = self.stop.get()
        for _ in range(count):
            yield any_of(stop, self.go.get())
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def races_of_a_branch_in_a_loop(count):
    def run(self):
        def waits():
            yield self.stop.get()

        waiting = self.spawn(waits())
        for _ in range(count):
            yield any_of(waiting, self.go.get())
        waiting.cancel()
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


SHAPES = [
    settled_yields,
    sequential_signals,
    wide_all_of,
    wide_first_success,
    wide_as_completed,
    wide_map,
    long_argument_chain,
    deep_all_of,
    deep_signal,
    deep_cancel,
    chain_of_branches,
    races_in_a_loop,
    races_of_a_branch_in_a_loop,
]


@pytest.mark.parametrize('shape', SHAPES)
def test_twice_the_size_is_at_most_a_little_more_than_twice_the_work(shape):
    assert once(*shape(240)) <= 2.3 * once(*shape(120))


def test_a_hundred_thousand_settled_yields():
    run, happen = settled_yields(100_000)
    story = Story(run)
    story.decide()
    happen(story)
    assert said(alone(story)) == ['complete "done"']


@pytest.mark.parametrize('shape', [deep_all_of, deep_signal, deep_cancel, long_argument_chain, chain_of_branches])
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
