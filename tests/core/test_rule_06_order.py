"""Rule 6: events decide the order."""

from __future__ import annotations

import pytest

from genflow import any_of

from .story import Story


def two_chains(self):
    def chain(x):
        y = yield self.echo(x)
        return (yield self.other(y))

    return (yield [chain('l'), chain('r')])


@pytest.mark.parametrize('order', [(1, 2), (2, 1)])
def test_events_of_one_decision_are_applied_in_history_order(order):
    story = Story(two_chains)
    story.decide()
    for number in order:
        story.completed(number, number)
    assert story.decide() == [
        f'activity 3.1 Other [[{order[0]}],{{}}]',
        f'activity 4.1 Other [[{order[1]}],{{}}]',
    ]


def test_several_events_in_one_decision_are_as_one_in_each():
    together, apart = Story(two_chains), Story(two_chains)
    for story in (together, apart):
        story.decide()
    together.completed(2, 'R')
    together.completed(1, 'L')
    apart.completed(2, 'R')
    said = apart.decide()
    apart.completed(1, 'L')
    assert together.decide() == said + apart.decide()


def test_a_branch_runs_until_it_is_blocked_after_each_event():
    def run(self):
        log = []

        def watch(task, name):
            yield task
            log.append(name)

        self.spawn(watch(self.echo(), 'first'))
        self.spawn(watch(self.other(), 'second'))
        last = self.child()
        log.append((yield self.go.get()))
        yield last
        return log

    story = Story(run)
    story.decide()
    story.child_started(3)
    story.completed(2)
    story.signaled('go', 'between')
    story.completed(1)
    story.completed(3)
    assert story.decide() == ['complete ["second","between","first"]']


def test_what_arrives_while_a_decision_is_made_is_input_of_the_next():
    def run(self):
        first = yield any_of(self.echo(), self.other())
        then = yield self.echo(first.number)
        return then

    story = Story(run)
    story.decide()
    story.completed(2, 'b')
    assert story.start() == ['activity 3.1 Echo [[2],{}]']
    story.completed(1, 'a')
    story.respond()
    assert story.decide() == []
    story.completed(3, 'c')
    assert story.decide() == ['complete "c"']


def test_a_signal_that_arrives_while_the_first_decision_is_made():
    def run(self):
        yield self.echo(len(self.go))
        return len(self.go)

    story = Story(run)
    assert story.start() == ['activity 1.1 Echo [[0],{}]']
    story.signaled('go')
    story.respond()
    story.completed(1)
    assert story.decide() == ['complete 1']


def test_the_input_of_an_attempt_that_timed_out_joins_the_next():
    def run(self):
        yield self.echo()
        return self.go.drain()

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.start() == ['complete []']
    story.signaled('go', 'in time after all')
    story.time_out_decision()
    assert story.decide() == ['complete ["in time after all"]']


def test_the_time_of_an_attempt_that_timed_out_is_not_the_workflows():
    def run(self):
        yield self.echo()
        return self.now().second

    story = Story(run)
    story.decide()
    story.completed(1)
    story.start()
    story.time_out_decision()
    story.start()
    story.respond()
    assert story.result == story.events[-3].time.second


def test_a_decision_task_that_nobody_saw_changes_nothing():
    def run(self):
        yield self.echo()
        return 'fine'

    story = Story(run)
    story.lose_decision_task()
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed(1)
    story.lose_decision_task()
    story.signaled('go')
    story.lose_decision_task()
    assert story.decide() == ['complete "fine"']


def test_a_race_is_decided_by_the_history():
    def run(self):
        winner = yield any_of(self.echo(), self.sleep(5))
        return winner.number

    for order in ((1, 2), (2, 1)):
        story = Story(run)
        story.decide()
        for number in order:
            story.completed(1) if number == 1 else story.fired(2)
        story.decide()
        assert story.result == order[0]


def test_who_yielded_first_is_told_first():
    def run(self):
        task = self.echo()
        log = []

        def branch(name):
            yield task
            log.append(name)

        yield [branch(name) for name in 'abc']
        return log

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete ["a","b","c"]']
