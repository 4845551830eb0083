"""Rule 10 in combinators: each value goes to one get, the first in order that somebody waits for.

Gets of small combinators line up one by one, those of large ones in rows; every test holds for both.
"""

from __future__ import annotations

import pytest

from genflow import TaskTimeout, WorkflowStalled, all_of, any_of, as_completed, first_success
from genflow.core.tasks import signal_waits

from .story import Story


@pytest.fixture(autouse=True, params=[signal_waits.FEW, 1, 0], ids=['one by one', 'nested in rows', 'in rows'])
def few(request, monkeypatch):
    monkeypatch.setattr(signal_waits, 'FEW', request.param)
    return request.param


def result_of(run, *signals):
    """What a run completes with that begins to wait after these signals have come, and another that waits for them."""

    def late(self):
        yield self.echo()
        return (yield from run(self))

    first = Story(late)
    first.decide()
    for name, value in signals:
        first.signaled(name, value)
    first.completed(1)
    first.decide()
    second = Story(run)
    second.decide()
    for name, value in signals:
        second.signaled(name, value)
        if second.closed is None:
            second.decide()
    if first.closed is None or second.closed is None:
        assert first.closed is second.closed
        return None
    assert first.result == second.result
    return first.result


GO = [('go', number) for number in range(4)]
MIXED = [('stop', 'a'), ('go', 0), ('go', 1), ('stop', 'b')]


def test_each_takes_its_own():
    def run(self):
        return (yield [self.go.get(), self.stop.get(), self.go.get(), self.stop.get()])

    assert result_of(run, *MIXED) == [0, 'a', 1, 'b']


def test_nested_ones_take_in_the_order_of_the_members():
    def run(self):
        inner = all_of([self.go.get() for _ in range(2)])
        return (yield [self.go.get(), inner, self.go.get()])

    assert result_of(run, *GO) == [0, [1, 2], 3]


def test_of_several_unread_the_first_member_wins_the_race():
    def run(self):
        yield self.echo()
        winner = yield any_of(self.stop.get(), self.go.get())
        return [winner.result(), len(self.go), len(self.stop)]

    story = Story(run)
    story.decide()
    story.signaled('go', 'came first')
    story.signaled('stop', 'stands first')
    story.completed(1)
    assert story.decide() == ['complete ["stands first",1,0]']


@pytest.mark.parametrize(
    'member',
    [
        lambda self: self.go.get().timeout(60),
        lambda self: all_of(self.go.get()),
        lambda self: any_of(self.go.get(), self.echo()),
        lambda self: first_success(all_of([self.go.get()]).timeout(9)),
    ],
)
def test_what_lies_deeper_in_a_race_is_told_before_the_next_one_takes(member):
    def run(self):
        yield self.echo()
        yield any_of(member(self), self.stop.get(), self.go.get())
        return [len(self.go), len(self.stop)]

    story = Story(run)
    story.decide()
    story.signaled('go')
    story.signaled('go')
    story.signaled('stop')
    story.completed(1)
    assert story.decide()[-1] == 'complete [1,1]' or story.open
    if story.open:  # the activity that lost holds the close
        story.completed(next(iter(story.open.values())))
        assert story.decide()[-1] == 'complete [1,1]'


def test_as_completed_takes_one_for_each_slot_that_is_waited_for():
    def run(self):
        yield self.echo()
        slots = as_completed([self.go.get() for _ in range(3)])
        first = yield next(slots)
        left = len(self.go)
        return [first, left, (yield next(slots)), len(self.go)]

    story = Story(run)
    story.decide()
    for number in range(3):
        story.signaled('go', number)
    story.completed(1)
    assert story.decide() == ['complete [0,2,1,1]']


def test_as_completed_says_which():
    def run(self):
        gets = [self.go.get(), self.stop.get(), self.go.get().timeout(60), self.stop.get(), all_of(self.go.get())]
        seen = []
        for slot in as_completed(gets):
            value = yield slot
            seen.append([gets.index(slot.task), value])
        return seen

    story = Story(run)
    story.decide()
    for name, value in [('go', 0), ('go', 1), ('stop', 'a'), ('go', 2), ('stop', 'b')]:
        story.signaled(name, value)
        story.decide()
    assert story.result == [[0, 0], [2, 1], [1, 'a'], [4, [2]], [3, 'b']]


def test_all_slots_at_once():
    def run(self):
        return (yield list(as_completed([self.go.get() for _ in range(4)])))

    assert result_of(run, *GO) == [0, 1, 2, 3]


def test_a_get_in_as_completed_that_timed_out_is_passed_over():
    def run(self):
        gets = [self.go.get().timeout(60), self.go.get(), self.go.get()]
        seen = []
        for slot in as_completed(gets):
            try:
                seen.append((yield slot))
            except TaskTimeout:
                seen.append('late')
        return seen

    story = Story(run)
    story.decide()
    story.fired(1)
    assert story.decide() == []
    story.signaled('go', 1)
    assert story.decide() == []
    story.signaled('go', 2)
    assert story.decide() == ['complete ["late",1,2]']


def test_a_cancelled_member_takes_nothing():
    def run(self):
        gets = [self.go.get() for _ in range(3)]
        every = all_of(gets, failures='return')
        first = self.spawn(waits(every))
        yield self.stop.get()
        gets[1].cancel()
        yield self.stop.get()
        values = yield first
        return [value if isinstance(value, int) else type(value).__name__ for value in values]

    def waits(task):
        return (yield task)

    story = Story(run)
    story.decide()
    for name, value in [('go', 0), ('stop', None), ('go', 1), ('stop', None)]:
        story.signaled(name, value)
        story.decide()
    assert story.result == [0, 'TaskCanceled', 1]


def test_while_nobody_waits_nobody_takes_and_later_they_do():
    def run(self):
        every = all_of([self.go.get() for _ in range(3)])
        winner = yield any_of(every, self.stop.get())
        assert winner is not every
        yield self.echo()
        unread = len(self.go)
        return [unread, (yield every)]

    story = Story(run)
    story.decide()
    story.signaled('go', 0)
    story.decide()
    story.signaled('stop')
    story.decide()
    story.signaled('go', 1)
    assert story.decide() == []
    story.completed(1)
    assert story.decide() == []
    story.signaled('go', 2)
    assert story.decide() == ['complete [1,[0,1,2]]']


def test_a_member_of_its_own_and_of_what_stands_beside_it():
    """The first take ends the race in the middle of the row: the others keep their places for another time."""

    def run(self):
        gets = [self.go.get() for _ in range(3)]
        every = all_of(gets)
        yield self.echo()
        winner = yield any_of(every, gets[0])
        unread = len(self.go)
        return [gets.index(winner), unread, (yield every)]

    story = Story(run)
    story.decide()
    story.signaled('go', 0)
    story.signaled('go', 1)
    story.completed(1)
    assert story.decide() == []
    story.signaled('go', 2)
    assert story.decide() == ['complete [0,1,[0,1,2]]']


def test_who_lined_up_first_is_served_first():
    def run(self):
        def branch(count):
            first = yield [self.go.get() for _ in range(count)]
            second = yield [self.go.get() for _ in range(count)]
            return [first, second]

        return (yield [branch(2), branch(1)])

    story = Story(run)
    story.decide()
    for number in range(6):
        story.signaled('go', number)
        story.decide()
    assert story.result == [[[0, 1], [3, 4]], [[2], [5]]]


def test_a_get_that_sits_in_two_combinators_takes_once():
    def run(self):
        get = self.go.get()
        one, other = all_of([get, self.go.get()]), all_of([self.go.get(), get])
        return (yield [one, other])

    story = Story(run)
    story.decide()
    for number in range(3):
        story.signaled('go', number)
    story.decide()
    assert story.result == [[0, 1], [2, 0]]


def test_slots_in_other_combinators():
    def run(self):
        slots = list(as_completed([self.go.get(), self.stop.get(), self.go.get()]))
        return (yield all_of([all_of(slots[:2]), slots[2].timeout(60)]))

    assert result_of(run, ('go', 0), ('stop', 'a'), ('go', 1)) == [[0, 'a'], 1]


def test_a_row_that_nobody_waits_for_is_no_reason_to_stay_open():
    def run(self):
        every = all_of([self.go.get() for _ in range(3)])
        winner = yield any_of(every, self.stop.get())
        assert winner is not every
        yield self.knot()

    def knot(self):
        branches = []

        def one():
            yield branches[1]

        def other():
            yield branches[0]

        branches += [self.spawn(one()), self.spawn(other())]
        yield branches

    story = Story(run, members={'knot': knot})
    story.decide()
    story.signaled('stop')
    with pytest.raises(WorkflowStalled):
        story.decide()
