"""Rule 14: an open execution that waits for nothing says so within one decision, naming the line."""

from __future__ import annotations

import pytest

from genflow import Signal, Task, WorkflowStalled, any_of

from .story import Desk, Story


def waiting_for_nothing(self):
    return Task(self.loop)


def test_a_wait_for_nothing_names_the_line():
    def run(self):
        yield waiting_for_nothing(self)

    with pytest.raises(WorkflowStalled, match=rf'waits for nothing .*{__name__}.*py:\d+ in run'):
        Story(run).decide()


@pytest.mark.parametrize('beside', ['status', 'side_effect', 'canceled timer'])
def test_what_brings_no_further_decision_task_does_not_hide_a_stall(beside):
    def run(self):
        if beside == 'status':
            self.set_status('here')
        elif beside == 'side_effect':
            self.side_effect(lambda: 1)
        elif beside == 'canceled timer':
            timer = self.sleep(5)
            yield any_of(timer, self.echo(1))
            timer.cancel()
        yield waiting_for_nothing(self)

    story = Story(run)
    if beside == 'canceled timer':
        story.decide()
        story.completed(2, 1)
    with pytest.raises(WorkflowStalled):
        story.decide()


def test_a_wait_for_a_signal_is_no_stall():
    class Waiting(Desk):
        go = Signal()

        def run(self):
            return (yield self.go.get())

    story = Story(Waiting)
    assert story.decide() == []
    story.signaled('go', 7)
    assert story.decide() == ['complete 7']


def test_a_wait_for_a_timer_that_lost_a_race_is_noticed_when_it_fires():
    def run(self):
        yield any_of(self.sleep(5), self.echo(1))
        yield waiting_for_nothing(self)

    story = Story(run)
    story.decide()
    story.completed(2, 1)
    assert story.decide() == []
    story.fired(1)
    with pytest.raises(WorkflowStalled):
        story.decide()
