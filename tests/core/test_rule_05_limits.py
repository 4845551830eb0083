"""Rule 5: a time limit covers everything, and cancels its task when it strikes."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityFailed,
    ActivityTimedOut,
    ChildCanceled,
    Retry,
    TaskTimeout,
    all_of,
)

from .story import Story


def test_a_time_limit_is_a_timer_that_goes_when_the_task_settles():
    def run(self):
        value = yield self.echo().timeout(60)
        yield self.stop.get()
        return value

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [[],{}]', 'timer 2 60s']
    story.completed(1, 'x')
    assert story.decide() == ['cancel timer 2']


def test_a_time_limit_cancels_its_task_when_it_strikes():
    def run(self):
        try:
            yield self.echo().timeout(60)
        except TaskTimeout as error:
            yield self.stop.get()
            return [type(error).__name__, error.timeout_type, '60' in str(error)]

    story = Story(run)
    story.decide()
    story.fired(2)
    assert story.decide() == ['cancel activity 1.1']
    story.canceled(1)
    story.signaled('stop')
    assert story.decide() == ['complete ["ActivityTimedOut",null,true]']


def test_keep_leaves_the_task_as_it_is():
    def run(self):
        task = self.echo()
        try:
            yield task.timeout(60, keep=True)
        except ActivityTimedOut:
            return (yield task)

    story = Story(run)
    story.decide()
    story.fired(2)
    assert story.decide() == []
    story.completed(1, 'late')
    assert story.decide() == ['complete "late"']


def test_a_child_that_runs_out_of_time_is_cancelled():
    def run(self):
        try:
            yield self.child.with_options(workflow_id='kid')().timeout(60)
        except ChildCanceled:
            return 'canceled'
        except TaskTimeout:
            return 'timed out'

    story = Story(run)
    story.decide()
    story.child_started(1)
    story.decide()
    story.fired(2)
    assert story.decide() == ['cancel execution kid']
    story.canceled('kid')
    assert story.decide() == ['complete "timed out"']


def test_a_time_limit_covers_every_attempt_and_the_waits_between():
    def run(self):
        retry = Retry(9, initial_interval=30, jitter=0)
        try:
            yield self.echo.with_options(retry=retry)().timeout(60)
        except TaskTimeout:
            return 'timed out'

    story = Story(run)
    story.decide()
    story.failed(1)
    assert story.decide() == ['timer 1.2;w 30s']
    story.fired(2)
    assert story.decide() == ['complete "timed out"']


@pytest.mark.parametrize('nested', [False, True])
def test_a_time_limit_over_retries_names_the_failure_of_the_last_attempt(nested):
    def run(self):
        retry = Retry(9, initial_interval=30, jitter=0)
        task = self.echo.with_options(retry=retry)()
        try:
            yield task.timeout(90).timeout(60) if nested else task.timeout(60)
        except TaskTimeout as error:
            return [str(error), type(error.__cause__).__name__, error.__cause__.reason]

    story = Story(run)
    story.decide()
    story.failed(1, reason='broken')
    story.decide()
    story.fired('3' if nested else '2')
    story.decide()
    text = 'activity 1 Echo v1: not settled within 60 s; the last attempt failed with ActivityFailed: broken'
    assert story.result == [text, 'ActivityFailed', 'broken']


def test_a_time_limit_over_a_first_attempt_names_none():
    def run(self):
        try:
            yield self.echo().timeout(60)
        except TaskTimeout as error:
            return [str(error), error.__cause__ is None]

    story = Story(run)
    story.decide()
    story.fired('2')
    story.decide()
    assert story.result == ['activity 1 Echo v1: not settled within 60 s', True]


def test_a_limit_on_several_tasks_cancels_them_all():
    def run(self):
        try:
            yield all_of(self.echo(), self.other()).timeout(60)
        except TaskTimeout:
            yield self.stop.get()

    story = Story(run)
    story.decide()
    story.completed(1)
    story.fired(3)
    assert story.decide() == ['cancel activity 2.1']


def test_a_limit_on_a_branch_closes_it():
    def run(self):
        def branch():
            yield self.sleep(100)
            yield self.echo('never')

        try:
            yield self.spawn(branch()).timeout(60)
        except TaskTimeout:
            return 'timed out'

    story = Story(run)
    story.decide()
    (limit,) = [item for item in story.open.values() if item.key == '1']
    story.fired(limit.key)
    story.decide()
    assert story.result == 'timed out'


def test_a_limit_within_a_limit():
    def run(self):
        try:
            yield self.echo().timeout(60).timeout(30)
        except TaskTimeout as error:
            return '30' in str(error)

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [[],{}]', 'timer 2 60s', 'timer 3 30s']
    story.fired(3)
    assert story.decide() == ['complete true']


def test_a_limit_on_a_settled_task_needs_no_timer():
    def run(self):
        task = self.echo()
        yield task
        return (yield task.timeout(5))

    story = Story(run)
    story.decide()
    story.completed(1, 'x')
    assert story.decide() == ['complete "x"']


def test_the_tasks_own_failure_passes_a_limit():
    def run(self):
        try:
            yield self.echo().timeout(60)
        except ActivityFailed as error:
            return error.reason

    story = Story(run)
    story.decide()
    story.failed(1, reason='own')
    assert story.decide() == ['complete "own"']


def test_a_limit_takes_part_in_a_shape():
    def run(self):
        return (yield [self.echo().timeout(5), self.other()])

    story = Story(run)
    story.decide()
    story.completed(1, 'a')
    story.completed(3, 'b')
    assert story.decide() == ['complete ["a","b"]']
