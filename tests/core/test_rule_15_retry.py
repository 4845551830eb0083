"""Rule 15: retry, followed from the history."""

from __future__ import annotations

import math
from random import Random

import pytest

from genflow import (
    ActivityCanceled,
    ActivityFailed,
    ActivityProxy,
    ActivityTimedOut,
    LambdaProxy,
    Retry,
    TaskFailed,
    TaskTimeout,
    Workflow,
    WorkflowProxy,
    any_of,
)
from genflow.core.calls.activity import heartbeat_details
from genflow.core.model.retry import least_wait

from .story import Story


def test_three_is_three_more_tries_after_a_time_out_at_once():
    def run(self):
        yield self.sturdy()

    story = Story(run)
    assert story.decide() == ['activity 1.1 Sturdy [[],{}]']
    for attempt in (2, 3, 4):
        story.timed_out(1)
        assert story.decide() == [f'activity 1.{attempt} Sturdy [[],{{}}]']
    story.timed_out(1)
    (line,) = story.decide()
    assert line.startswith('fail ActivityTimedOut')


def test_by_default_only_time_outs_are_tried_again():
    def run(self):
        yield self.sturdy()

    story = Story(run)
    story.decide()
    story.failed(1)
    assert story.decide()[0].startswith('fail ActivityFailed')


def test_zero_is_one_try():
    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.timed_out(1)
    assert story.decide()[0].startswith('fail ActivityTimedOut')


def test_the_shorthand_says_what_the_page_says():
    proxy = ActivityProxy('Echo', '1', retry=3)
    assert proxy.options.retry == Retry(max_attempts=4, on=(TaskTimeout,), initial_interval=0)
    assert ActivityProxy('Echo', '1').options.retry == proxy.options.retry
    assert ActivityProxy('Echo', '1', retry=0).options.retry.max_attempts == 1


def waits(retry, count, fail=lambda story: story.failed(1)):
    """The waits before the attempts that follow the first."""
    proxy = ActivityProxy('Careful', '1', retry=retry)

    def run(self):
        yield self.careful()

    story = Story(run, members={'careful': proxy})
    story.decide()
    found = []
    for attempt in range(2, count + 2):
        fail(story)
        (line,) = story.decide()
        if line.startswith('timer'):
            assert line.startswith(f'timer 1.{attempt};w ')
            found.append(int(line.split()[-1].removesuffix('s')))
            story.fired(f'1.{attempt};w')
            (line,) = story.decide()
        else:
            found.append(0)
        if line.startswith('fail'):
            return [*found[:-1], 'fail']
        assert line == f'activity 1.{attempt} Careful [[],{{}}]'
    return found


def test_the_waits_grow_by_the_factor_to_the_cap():
    assert waits(Retry(9, jitter=0, max_interval=10), 6) == [1, 2, 4, 8, 10, 10]
    assert waits(Retry(9, initial_interval=3, backoff=3, jitter=0, max_interval=100), 4) == [3, 9, 27, 81]
    assert waits(Retry(9, initial_interval=0.4, backoff=1, jitter=0), 2) == [1, 1]


def test_attempts_end():
    assert waits(Retry(3, jitter=0), 3) == [1, 2, 'fail']


def test_jitter_stays_within_its_part_and_is_not_the_same_for_each():
    retry = Retry(math.inf, initial_interval=1000, backoff=1, jitter=0.1, max_interval=1000)
    found = waits(retry, 8)
    assert all(900 <= wait <= 1100 for wait in found)
    assert len(set(found)) > 1


def test_a_policy_computes_without_surprises():
    retry = Retry(math.inf, initial_interval=1, backoff=2, max_interval=60, jitter=0)
    assert [retry.interval(tried, Random(0)) for tried in (1, 2, 6, 7, 100_000)] == [1, 2, 32, 60, 60]


ON = {
    'a class of the engine': (Retry(2, jitter=0, on=(ActivityFailed,)), [1]),
    'another class of the engine': (Retry(2, jitter=0, on=(ActivityTimedOut,)), ['fail']),
    'a remote class': (Retry(2, jitter=0, on=(KeyError,)), [1]),
    'a base of a remote class': (Retry(2, jitter=0, on=(LookupError,)), [1]),
    'a simple name': (Retry(2, jitter=0, on=('KeyError',)), [1]),
    'a qualified name': (Retry(2, jitter=0, on='builtins.KeyError'), [1]),
    'another name': (Retry(2, jitter=0, on=('ValueError',)), ['fail']),
    'a class given up on': (Retry(2, jitter=0, give_up_on=(KeyError,)), ['fail']),
    'a name given up on': (Retry(2, jitter=0, give_up_on='LookupError'), ['fail']),
    'another class given up on': (Retry(2, jitter=0, give_up_on=(ValueError,)), [1]),
}


@pytest.mark.parametrize('name', ON)
def test_what_is_tried_again(name):
    retry, expected = ON[name]
    assert waits(retry, 1, lambda story: story.failed(1, KeyError('k'))) == expected


def test_a_class_brought_back_is_matched_too():
    class Declined(Exception):
        pass

    def run(self):
        yield self.pay()

    proxy = ActivityProxy('Pay', '1', raises=(Declined,), retry=Retry(2, initial_interval=0, on=(Declined,)))
    story = Story(run, members={'pay': proxy})
    story.decide()
    story.failed(1, Declined('no'))
    assert story.decide() == ['activity 1.2 Pay [[],{}]']


def test_cancellations_and_refusals_are_tried_again_only_where_they_are_named():
    from genflow.core.model.decisions import ScheduleActivity

    def run(self):
        yield self.mine()

    for on, again in (((TaskFailed,), False), ((ActivityCanceled,), True)):
        members = {'mine': ActivityProxy('Mine', '1', retry=Retry(2, initial_interval=0, on=on))}
        story = Story(run, members=members)
        story.decide()
        story.canceled(1)
        assert (story.decide() == ['activity 1.2 Mine [[],{}]']) == again
    members = {'mine': ActivityProxy('Mine', '1', retry=Retry(2, initial_interval=0))}
    story = Story(run, members=members)
    story.decide(refuse={ScheduleActivity: 'ACTIVITY_TYPE_DOES_NOT_EXIST'})
    assert story.decide()[0].startswith('fail ScheduleFailed')


def test_children_and_lambda_functions_are_tried_again():
    def run(self):
        yield [self.kid(), self.resize(1)]

    retry = Retry(2, initial_interval=0)
    members = {'kid': WorkflowProxy('Kid', '1', retry=retry), 'resize': LambdaProxy('resize', retry=retry)}
    story = Story(run, members=members)
    story.decide()
    first_id = story.answer.all[0].workflow_id
    story.child_started('1.1')
    story.decide()
    story.failed('1.1')
    story.failed('2.1')
    assert story.decide() == ['child 1.2 Kid [[],{}]', 'lambda 2.2 resize 1']
    assert story.answer.all[0].workflow_id != first_id


def test_a_child_with_an_id_of_its_own_keeps_it():
    def run(self):
        yield self.kid()

    members = {'kid': WorkflowProxy('Kid', '1', workflow_id='kid', retry=Retry(2, initial_interval=0))}
    story = Story(run, members=members)
    story.decide()
    story.failed('kid')
    assert story.decide() == ['child 1.2 Kid [[],{}]']
    assert story.answer.all[0].workflow_id == 'kid'


@pytest.mark.parametrize('details', ['genflow.ProcessDied', 'genflow.ProcessDied at 14'])
def test_a_lost_process_is_no_try(details):
    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.timed_out(1, details=details)
    assert story.decide() == ['activity 1.2 Echo [[],{}]']
    story.timed_out(1)
    assert story.decide()[0].startswith('fail ActivityTimedOut')


@pytest.mark.parametrize(
    ('details', 'said'),
    [
        ('genflow.ProcessDied', None),
        ('genflow.ProcessDied at 14', 'at 14'),
        ('genflow.ProcessDied  ', ' '),
        ('at 14', 'at 14'),
        ('', ''),
        (None, None),
    ],
)
def test_the_next_try_learns_what_an_activity_of_a_lost_process_said_last(details, said):
    assert heartbeat_details(details) == said


def test_a_lost_process_leaves_the_other_tries_as_they_were():
    def run(self):
        yield self.mine()

    story = Story(run, members={'mine': ActivityProxy('Mine', '1', retry=Retry(2, jitter=0, initial_interval=4))})
    story.decide()
    for attempt in (2, 3):
        story.timed_out(1, details='genflow.ProcessDied')
        assert story.decide() == [f'activity 1.{attempt} Mine [[],{{}}]']
    story.timed_out(1)
    assert story.decide() == ['timer 1.4;w 4s']  # the first wait, before the second try that counts
    story.fired('1.4;w')
    story.decide()
    story.timed_out(1)
    assert story.decide()[0].startswith('fail ActivityTimedOut')


def test_a_worker_that_stopped_counts_as_a_time_out():
    def run(self):
        yield self.sturdy()

    story = Story(run)
    story.decide()
    story.failed(1, reason='genflow.WorkerStopped')
    assert story.decide() == ['activity 1.2 Sturdy [[],{}]']


def test_a_retry_that_replays_does_not_ask_the_policy():
    asked = []

    class Counting(Retry):
        def again(self, error, tried):
            asked.append(tried)
            return super().again(error, tried)

    def run(self):
        yield self.mine()
        yield self.other()

    story = Story(run, members={'mine': ActivityProxy('Mine', '1', retry=Counting(5, initial_interval=0))})
    story.decide()
    story.failed(1)
    story.decide()
    assert asked == [1, 1]  # kept and cold, both live
    story.completed(1)
    story.decide()
    assert asked == [1, 1]


@pytest.mark.parametrize('end', ['signal', 'failure', 'cancellation', 'time limit'])
def test_an_attempt_that_is_decided_on_and_dropped_at_once_is_remembered(end):
    def run(self):
        task = self.sturdy()
        limited = task.timeout(60)
        other = self.echo()
        yield any_of(limited, self.go.get(), other)
        seen = [task.done(), limited.done(), other.done()]
        if end == 'failure':
            other.result()
        limited.cancel()
        other.cancel()
        return seen

    story = Story(run)
    story.decide()
    story.timed_out(1)
    {
        'signal': lambda: story.signaled('go'),
        'failure': lambda: story.failed(3),
        'cancellation': story.cancel_requested,
        'time limit': lambda: story.fired(2),
    }[end]()
    said = story.decide()
    assert said[0] == 'marker genflow.attempts {"marks":["1.2"]}'
    assert story.closed is not None  # and so was replayed as a whole
    if end == 'signal':
        assert story.result == [False, False, False]


# a policy that is not what was meant


def notes(story):
    return [line for line in story.failure.traceback.splitlines() if line.startswith('retry=')]


@pytest.mark.parametrize('kind', ['activity', 'child'])
def test_a_failure_that_an_integer_left_alone_says_how_to_try_again(kind):
    class Calls(Workflow):
        activity = ActivityProxy('Act', '1', retry=3)
        child = WorkflowProxy('Child', '1', retry=3)

        def run(self):
            yield getattr(self, kind)()

    story = Story(Calls)
    story.decide()
    if kind == 'child':
        story.child_started(1)
    story.failed(1)
    story.decide()
    assert notes(story) == ['retry=3 retries time-outs only; retry=Retry(4) would have retried this failure too.']
    assert 'retry' not in story.failure.reason


@pytest.mark.parametrize('retry', [0, Retry(1), Retry(2, on=(KeyError,)), Retry(4, on=(TaskTimeout,))])
def test_another_policy_was_meant_as_it_is(retry):
    class Calls(Workflow):
        activity = ActivityProxy('Act', '1', retry=retry)

        def run(self):
            yield self.activity()

    story = Story(Calls)
    story.decide()
    story.failed(1)
    story.decide()
    assert notes(story) == []


def test_a_time_out_after_all_of_its_tries_needs_no_advice():
    def run(self):
        yield self.sturdy()

    story = Story(run)
    story.decide()
    for _ in range(3):
        story.timed_out(1)
        story.decide()
    story.timed_out(1)
    story.decide()
    assert notes(story) == []


# types that a worker does not know

UNKNOWN = 'genflow.UnknownActivityType: this worker does not know Sturdy v1; it has none'


def test_an_unknown_type_is_tried_again_like_a_time_out_after_growing_waits():
    def run(self):
        yield self.sturdy()

    story = Story(run)
    story.decide()
    for attempt, wait in ((2, 10), (3, 20), (4, 40)):
        story.failed(1, reason=UNKNOWN)
        assert story.decide() == [f'timer 1.{attempt};w {wait}s']
        story.fired(f'1.{attempt};w')
        assert story.decide() == [f'activity 1.{attempt} Sturdy [[],{{}}]']
    story.failed(1, reason=UNKNOWN)
    assert story.decide()[0].startswith('fail ActivityFailed')


@pytest.mark.parametrize(
    'on', [TaskTimeout, ActivityTimedOut, TimeoutError, 'TaskTimeout', 'ActivityTimedOut', TaskFailed]
)
def test_every_policy_for_time_outs_means_them_too(on):
    error = ActivityFailed(UNKNOWN)
    assert Retry(2, on=(on,)).again(error, 1)
    assert not Retry(2, on=(on,), give_up_on=(TaskTimeout,)).again(error, 1)
    assert not Retry(2, on=('KeyError',)).again(error, 1)


def test_the_longest_wait_for_an_unknown_type_is_five_minutes():
    assert [least_wait(ActivityFailed(UNKNOWN), tried) for tried in (1, 2, 5, 6, 7, 5000)] == [
        10,
        20,
        160,
        300,
        300,
        300,
    ]
    assert least_wait(ActivityFailed('broken'), 1) == 0
