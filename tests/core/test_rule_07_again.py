"""Rule 7: a close that came too early is decided again; children that outlive."""

from __future__ import annotations

import pytest

from genflow import DefinitionError

from .story import Story


def test_a_close_that_came_too_early_is_decided_again_after_what_arrived():
    def run(self):
        yield self.echo()
        return self.go.drain()

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.start() == ['complete []']
    story.signaled('go', 1)
    story.respond()
    assert story.closed is None
    assert story.decide() == ['complete []']


def test_a_failing_close_that_came_too_early_is_decided_again():
    def run(self):
        yield self.echo()
        raise ValueError('no')

    story = Story(run)
    story.decide()
    story.completed(1)
    story.start()
    first = story.answer
    story.signaled('go', 1)
    story.respond()
    assert story.decide() == ['fail ValueError: no']
    assert story.answer.all == first.all


def test_a_close_may_be_refused_many_times():
    def run(self):
        yield self.echo()
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(1)
    for _ in range(5):
        assert story.start() == ['complete "done"']
        story.signaled('go')
        story.respond()
    assert story.decide() == ['complete "done"']


def test_the_rest_of_a_batch_with_an_unhandled_close_counts():
    def run(self):
        task = self.echo()
        yield self.stop.get()
        task.cancel()
        return 'done'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.start() == ['cancel activity 1.1', 'complete "done"']
    story.signaled('go')
    story.respond()
    assert story.decide() == ['complete "done"']


def test_a_failure_that_arrives_with_the_unhandled_decision_counts():
    def run(self):
        self.echo()
        yield self.other()
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(2)
    assert story.decide() == []
    story.failed(1, reason='late')
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: late']


# children that outlive


def test_a_detached_child_holds_the_close_until_it_has_started():
    def run(self):
        self.child().detach()
        return 'done'

    story = Story(run, child_policy='ABANDON')
    assert story.decide() == ['child 1.1 Child [[],{}]']
    story.child_started(1)
    assert story.decide() == ['complete "done"']


@pytest.mark.parametrize('policy', ['TERMINATE', 'REQUEST_CANCEL'])
def test_detach_is_refused_where_swf_would_take_the_child_along(policy):
    def run(self):
        child = self.child()
        try:
            child.detach()
        except DefinitionError as error:
            child.cancel()
            return [policy in str(error), 'ABANDON' in str(error)]

    assert Story(run, child_policy=policy).decide() == ['complete [true,true]']


def test_a_detached_child_that_cannot_start_fails_the_workflow():
    def run(self):
        self.child().detach()
        return 'done'

    story = Story(run, child_policy='ABANDON')
    story.decide()
    story.undelivered(1, 'WORKFLOW_ALREADY_RUNNING')
    assert story.decide()[0].startswith('fail ScheduleFailed')


def test_a_detached_child_may_still_be_waited_for():
    def run(self):
        return (yield self.child().detach())

    story = Story(run, child_policy='ABANDON')
    story.decide()
    story.child_started(1)
    assert story.decide() == []
    story.completed(1, 'kid')
    assert story.decide() == ['complete "kid"']
