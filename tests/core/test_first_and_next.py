"""first_success and as_completed."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityFailed,
    TaskFailed,
    as_completed,
    first_success,
)

from .played import done, failed, played
from .story import Story


def test_first_success_passes_over_failures():
    def run(self):
        return (yield first_success(self.echo(), self.other()))

    assert played(run, failed(1), done(2, 'b')).result == 'b'


def test_first_success_of_n_gives_them_in_the_order_of_success():
    def run(self):
        return (yield first_success([self.echo(), self.echo(), self.echo(), self.go.get()], n=2))

    story = played(run, done(3, 'c'), done(1, 'a'), done(2))
    assert story.result == ['c', 'a']


def test_first_success_fails_as_soon_as_too_few_are_left():
    def run(self):
        try:
            yield first_success(self.echo(), self.echo(), self.echo(), n=2)
        except ActivityFailed as error:
            return error.reason

    story = played(run, failed(1, 'one'), failed(3, 'three'), done(2))
    assert story.result == 'three'


@pytest.mark.parametrize('n', [0, -1, 3])
def test_first_success_needs_as_many_tasks(n):
    def run(self):
        try:
            first_success(self.echo(), self.other(), n=n)
        except ValueError as error:
            return str(n) in str(error)

    story = played(run, done(1), done(2))
    assert story.result is True


def test_first_success_cancels_the_rest_where_asked():
    def run(self):
        return (yield first_success(self.echo(), self.other(), cancel_rest=True))

    story = Story(run)
    story.decide()
    story.completed(1, 'a')
    assert story.decide() == ['complete "a"']


# as_completed


def test_slots_come_in_the_order_of_completion():
    def run(self):
        tasks = [self.echo(), self.echo(), self.echo()]
        seen = []
        for slot in as_completed(tasks):
            value = yield slot
            seen.append([tasks.index(slot.task), value])
        return seen

    story = played(run, done(2, 'b'), done(3, 'c'), done(1, 'a'))
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

    assert played(run, failed(2, 'no'), done(1, 'yes')).result == [['no', 2], 'yes']


def test_slots_may_be_left():
    def run(self):
        for slot in as_completed([self.echo(), self.echo()]):
            yield slot
            break
        return 'left'

    story = played(run, done(1))
    assert story.closed is None
    story.completed(2)
    story.decide()
    assert story.result == 'left'


def test_a_failure_in_a_slot_that_was_never_retrieved_fails_the_workflow():
    def run(self):
        for slot in as_completed([self.echo(), self.echo()]):
            yield slot
            break
        return 'left'

    story = played(run, done(1))
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

    assert played(run, done(2, 2), done(1, 1)).result == [22, 11]


def test_as_completed_of_nothing_is_no_round():
    def run(self):
        for slot in as_completed([]):
            value = yield slot
            assert value is not None
        return 'none'

    assert played(run).result == 'none'
