"""Rule 7: a close that came too early is decided again; children that outlive."""

from __future__ import annotations

import pytest

from genflow import DefinitionError, HistoryError, any_of
from genflow.core.engine.execution import Execution
from genflow.core.model.registry import WorkflowSpec
from genflow.core.tasks.task import OPEN

from .recording import said
from .story import Desk, Story


def test_a_completion_that_came_too_early_stands_where_no_signal_arrived():
    def run(self):
        yield any_of(self.echo(), self.sleep(60))
        return self.now().second

    story = Story(run)
    story.decide()
    story.completed(1)
    said = story.start()
    story.fired('2')
    story.respond()
    assert story.closed is None
    assert story.decide() == said


def test_a_completion_that_came_too_early_counts_as_not_made_where_a_signal_arrived():
    def run(self):
        yield self.echo()
        return [self.go.drain(), self.now().second, self.info.history_length]

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.start() == ['complete [[],8,9]']
    story.signaled('go', 1)
    story.respond()
    assert story.decide() == ['complete [[1],13,14]']


def test_code_that_looks_before_it_returns_continues_with_a_signal_that_came_with_the_close():
    def run(self):
        done = []
        while self.go:
            for job in self.go.drain():
                done.append((yield self.echo(job)))  # noqa: PERF401
        return done

    story = Story(run)
    assert story.start() == ['complete []']
    story.signaled('go', 'late')
    story.respond()
    assert story.decide() == ['activity 1.1 Echo [["late"],{}]']
    story.completed(1, 'done')
    assert story.decide() == ['complete ["done"]']


def test_several_completions_in_a_row_count_as_not_made_with_attempts_that_timed_out_between():
    def run(self):
        yield self.echo()
        return [self.side_effect(lambda: 'effect'), self.go.drain()]

    story = Story(run)
    story.decide()
    story.completed(1)
    for number in (1, 2):
        story.start()
        story.signaled('go', number)
        story.respond()
        story.lose_decision_task()
    assert story.decide()[-1] == 'complete ["effect",[1,2]]'


def test_a_completion_counts_as_not_made_where_the_signal_came_with_a_later_one():
    def run(self):
        yield any_of(self.echo(), self.sleep(60))
        return self.go.drain()

    story = Story(run)
    story.decide()
    story.completed(1)
    story.start()
    story.fired('2')
    story.respond()
    assert story.start() == ['complete []']
    story.signaled('go', 1)
    story.respond()
    assert story.decide() == ['complete [1]']


def test_a_completion_counts_where_the_next_one_was_refused_for_no_signal():
    def run(self):
        yield any_of(self.echo(), self.sleep(60))
        return self.go.drain()

    story = Story(run)
    story.decide()
    story.completed(1)
    story.start()
    story.signaled('go', 1)
    story.respond()
    story.start()
    story.fired('2')
    story.respond()
    assert story.decide() == ['complete [1]']


def test_a_completion_that_was_refused_for_another_cause_counts():
    def run(self):
        return self.go.drain()

    story = Story(run)
    story.start()
    story.signaled('go', 1)
    story.respond_close_refused('OPERATION_NOT_PERMITTED')
    with pytest.raises(HistoryError, match='permission'):
        story.decide()


def test_markers_of_a_completion_that_was_not_made_are_not_compared():
    class Old(Desk):
        def run(self):
            return [self.patched('old'), self.go.drain()]

    class New(Desk):
        def run(self):
            return self.go.drain()

    story = Story(Old)
    story.start()
    story.signaled('go', 1)
    story.respond()
    execution = Execution(WorkflowSpec(New, 'Old', '1'))
    story.start()
    assert said(execution.advance(story.events)) == ['complete [1]']
    execution.close()


def test_a_completion_that_was_refused_counts_where_the_execution_ends_without_another():
    def run(self):
        return self.now().second

    story = Story(run)
    story.start()
    story.respond_close_refused('UNHANDLED_DECISION')
    story.terminate()
    execution = story.execution()
    assert execution.advance(story.events) is None
    assert execution.root.state != OPEN
    execution.close()


def test_a_completing_decision_carries_nothing_but_its_close_and_markers():
    def run(self):
        task = self.echo()
        value = yield self.other().timeout(60)
        task.cancel()
        return [self.patched('change'), value]

    story = Story(run)
    story.decide()
    story.completed(2, 'v')
    assert story.decide() == ['marker genflow.patch {"id":"change"}', 'complete [true,"v"]']


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
        raise ValueError('no')

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.start() == ['cancel activity 1.1', 'fail ValueError: no']
    story.signaled('go')
    story.respond()
    assert story.decide() == ['fail ValueError: no']


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
