"""Rule 7: an execution completes when run has returned and everything it called has settled."""

from __future__ import annotations

import pytest

from genflow import ActivityProxy, Retry, all_of, any_of

from .story import Story

HOLDING = {
    'an activity': (lambda s: s.echo(), lambda t: t.completed(1)),
    'a child': (lambda s: s.child(), lambda t: t.completed(1)),
    'a lambda function': (lambda s: s.shrink(1), lambda t: t.completed(1)),
    'a signal to another execution': (lambda s: s.external('w').signal('s'), lambda t: t.delivered(1)),
    'a cancel request to another execution': (lambda s: s.external('w').cancel(), lambda t: t.delivered('cancel w')),
    'a spawned branch': (lambda s: s.spawn(sleeping(s)), lambda t: t.fired(1)),
    'a delay': (lambda s: s.echo.with_options(delay=9)(), lambda t: (t.fired(1), t.decide(), t.completed(1))),
    'a map': (lambda s: s.map(s.echo, [1, 2], limit=1), lambda t: (t.completed(1), t.decide(), t.completed(2))),
}


def sleeping(self):
    yield self.sleep(5)


@pytest.mark.parametrize('name', HOLDING)
def test_the_close_waits_for(name):
    call, end = HOLDING[name]

    def run(self):
        call(self)
        return 'done'

    story = Story(run)
    story.decide()
    assert story.closed is None
    end(story)
    assert story.decide() == ['complete "done"']


FREE = {
    'a timer': lambda s: s.sleep(60),
    'a signal that nobody sent': lambda s: s.go.get(),
    'a branch that nobody spawned': sleeping,
}


@pytest.mark.parametrize('name', FREE)
def test_the_close_does_not_wait_for(name):
    call = FREE[name]

    def run(self):
        yield any_of(call(self), self.echo())
        call(self)
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(next(item.key for item in story.open.values() if item.kind == 'activity'))
    assert story.decide()[-1] == 'complete "done"'


def test_a_timer_of_a_time_limit_does_not_hold_the_close():
    def run(self):
        self.go.get().timeout(60)
        return 'done'

    assert Story(run).decide() == ['complete "done"']


def test_what_still_waits_for_an_argument_holds_the_close():
    def run(self):
        self.other(self.echo())
        return 'done'

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed(1, 'x')
    assert story.decide() == ['activity 2.1 Other [["x"],{}]']
    story.completed(2)
    assert story.decide() == ['complete "done"']


def test_a_retry_holds_the_close():
    def run(self):
        self.careful()
        return 'done'

    retry = Retry(2, initial_interval=7, jitter=0)
    story = Story(run, members={'careful': ActivityProxy('Careful', '1', retry=retry)})
    story.decide()
    story.failed(1)
    assert story.decide() == ['timer 1.2;w 7s']
    story.fired('1.2;w')
    assert story.decide() == ['activity 1.2 Careful [[],{}]']
    story.completed(1)
    assert story.decide() == ['complete "done"']


def test_a_close_goes_with_what_swf_takes_beside_it():
    def run(self):
        self.child.with_options(child_policy='ABANDON')().detach()
        task = self.echo()
        yield self.stop.get()
        task.cancel()
        return 'done'

    story = Story(run, child_policy='ABANDON')
    story.decide()
    story.child_started(2 if story.is_open(2) else 1)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['complete "done"']


def test_a_close_removes_unsent_timers():
    def run(self):
        self.sleep(60)
        return 'done'

    assert Story(run).decide() == ['complete "done"']


def test_a_started_timer_is_left_behind_at_the_close():
    def run(self):
        self.sleep(60)
        yield self.echo()
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(2)
    assert story.decide() == ['complete "done"']


# the result


def test_a_returned_task_is_resolved():
    def run(self):
        yield self.echo()
        return self.other()

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.completed(2, 'value')
    assert story.decide() == ['complete "value"']


def test_a_plain_run_may_return_a_task():
    story = Story(lambda self: self.echo(1))
    story.decide()
    story.completed(1, 'value')
    assert story.decide() == ['complete "value"']


def test_tasks_nested_in_what_is_returned_are_resolved():
    def run(self):
        yield self.echo()
        return {'plain': 1, 'tasks': [self.other(), {'deep': self.other()}], 'pair': (self.other(), 2)}

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    for number in (2, 3, 4):
        story.completed(number, number)
    story.decide()
    assert story.result == {'plain': 1, 'tasks': [2, {'deep': 3}], 'pair': [4, 2]}


def test_a_returned_branch_is_run():
    def run(self):
        def branch():
            return (yield self.echo()) + 1

        yield self.other()
        return branch()

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['activity 2.1 Echo [[],{}]']
    story.completed(2, 4)
    assert story.decide() == ['complete 5']


def test_the_failure_of_a_returned_task_is_the_workflows():
    story = Story(lambda self: self.echo())
    story.decide()
    story.failed(1, reason='broken')
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: broken']


def test_a_spawned_branch_that_returns_a_task_gives_its_value():
    def run(self):
        def branch():
            yield self.echo()
            return self.other()

        return (yield branch())

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    story.completed(2, 'inner')
    assert story.decide() == ['complete "inner"']


def test_a_returned_signal_is_waited_for():
    story = Story(lambda self: self.go.get())
    assert story.decide() == []
    story.signaled('go', 7)
    assert story.decide() == ['complete 7']


def test_a_returned_combinator_is_resolved():
    story = Story(lambda self: all_of(self.echo(), self.other()))
    story.decide()
    story.completed(1, 1)
    story.completed(2, 2)
    assert story.decide() == ['complete [1,2]']


def test_a_result_that_is_no_json_fails_the_workflow():
    (line,) = Story(lambda self: object()).decide()
    assert line.startswith('fail TypeError')


def test_a_result_that_is_too_long_fails_the_workflow():
    (line,) = Story(lambda self: 'x' * 32_767).decide()
    assert line.startswith('fail PayloadTooLarge')


def test_a_run_that_returns_nothing_completes_with_null():
    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.completed(1, 5)
    assert story.decide() == ['complete null']


# failing


def test_if_run_raises_the_execution_fails_at_once():
    def run(self):
        self.child()
        self.echo()
        yield self.other()
        raise ValueError('now')

    story = Story(run)
    story.decide()
    story.completed(3)
    assert story.decide() == ['fail ValueError: now']


def test_unspawned_branches_are_cancelled_when_run_returns():
    def run(self):
        log = []

        def branch():
            try:
                yield self.sleep(60)
            finally:
                log.append('ended')

        yield any_of(branch(), self.echo())
        return log

    story = Story(run)
    story.decide()
    story.completed(1 if story.is_open('1.1') else 2)
    assert story.decide()[-1] == 'complete ["ended"]'


def test_a_branch_in_a_combinator_that_is_not_yielded_is_cancelled_at_the_end():
    def run(self):
        def branch():
            yield self.sleep(60)
            yield self.echo('never')

        all_of(branch(), branch())
        yield self.echo('main')
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(next(item.key for item in story.open.values() if item.kind == 'activity'))
    assert story.decide()[-1] == 'complete "done"'


def test_cancelling_a_branch_cancels_those_that_only_it_waited_for():
    def run(self):
        def inner():
            yield self.sleep(60)
            yield self.echo('never')

        def outer(task):
            yield task

        any_of(outer(all_of(inner())))
        yield self.echo('main')
        self.other()
        return 'done'

    story = Story(run)
    story.decide()
    story.completed(next(item.key for item in story.open.values() if item.kind == 'activity'))
    timer = next(item.key for item in story.open.values() if item.kind == 'timer')
    assert story.decide() == ['activity 3.1 Other [[],{}]', f'cancel timer {timer}']
    story.completed(3)
    assert story.decide() == ['complete "done"']
