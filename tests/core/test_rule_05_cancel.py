"""Rule 5: a cancelled task is settled for the code at once."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityCanceled,
    BranchCanceled,
    ChildCanceled,
    TaskCanceled,
    TaskFailed,
    TaskTimeout,
    all_of,
    any_of,
    first_success,
)

from .story import Story


def cancelling(call, *, later=True):
    """A run that cancels one call after it was sent."""

    def run(self):
        task = call(self)
        yield self.stop.get()
        task.cancel()
        seen = [task.done(), type(task.exception()).__name__]
        try:
            yield task
        except TaskCanceled as error:
            seen.append(type(error).__name__)
        if later:
            yield self.stop.get()
        return seen

    return run


CANCELS = {
    'activity': (lambda s: s.echo(), ['cancel activity 1.1'], 'ActivityCanceled'),
    'timer': (lambda s: s.sleep(60), ['cancel timer 1'], 'TaskCanceled'),
    'lambda': (lambda s: s.shrink(1), [], 'TaskCanceled'),
    'signal': (lambda s: s.external('w').signal('s'), [], 'TaskCanceled'),
    'cancel request': (lambda s: s.external('w').cancel(), [], 'TaskCanceled'),
}


@pytest.mark.parametrize('name', CANCELS)
def test_cancel_settles_at_once_and_tells_swf_where_swf_can(name):
    call, expected, error = CANCELS[name]
    story = Story(cancelling(call))
    story.decide()
    story.signaled('stop')
    assert story.decide() == expected
    story.signaled('stop')
    story.decide()
    if story.closed is None:  # what SWF cannot cancel does not hold the close either, or is waited for
        pytest.fail(f'{name} still holds the close')
    assert story.result == [True, error, error]


def test_a_running_child_is_cancelled_by_workflow_id_alone():
    story = Story(cancelling(lambda s: s.child.with_options(workflow_id='kid')()))
    story.decide()
    story.child_started(1)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel execution kid']
    assert story.answer.all[0].run_id is None


def test_a_child_that_has_not_started_is_cancelled_when_it_has():
    story = Story(cancelling(lambda s: s.child.with_options(workflow_id='kid')()))
    story.decide()
    story.signaled('stop')
    assert story.decide() == []
    story.child_started(1)
    assert story.decide() == ['cancel execution kid']


def test_a_cancelled_child_holds_the_close_until_it_has_closed():
    story = Story(cancelling(lambda s: s.child.with_options(workflow_id='kid')(), later=False))
    story.decide()
    story.child_started(1)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel execution kid']
    story.delivered('cancel kid')
    assert story.decide() == []
    story.canceled('kid')
    assert story.decide() == ['complete [true,"ChildCanceled","ChildCanceled"]']


def test_a_detached_child_is_asked_before_a_completion_which_does_not_end_it():
    def run(self):
        child = self.child.with_options(workflow_id='kid')().detach()
        yield self.stop.get()
        child.cancel()
        return 'done'

    story = Story(run, child_policy='ABANDON')
    story.decide()
    story.child_started(1)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel execution kid']
    story.delivered('cancel kid')
    assert story.decide() == ['complete "done"']


def test_a_cancelled_activity_does_not_hold_the_close():
    story = Story(cancelling(lambda s: s.echo(), later=False))
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['complete [true,"ActivityCanceled","ActivityCanceled"]']


@pytest.mark.parametrize('outcome', ['completed', 'failed', 'canceled', 'timed_out'])
def test_what_comes_after_a_cancel_is_ignored(outcome):
    story = Story(cancelling(lambda s: s.echo()))
    story.decide()
    story.signaled('stop')
    story.decide()
    getattr(story, outcome)(1)
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete [true,"ActivityCanceled","ActivityCanceled"]']


@pytest.mark.parametrize('call', [lambda s: s.echo(), lambda s: s.sleep(5), lambda s: s.child(), lambda s: s.shrink(1)])
def test_a_call_cancelled_before_it_was_sent_leaves_no_trace(call):
    def run(self):
        call(self).cancel()
        yield self.other()

    assert Story(run).decide() == ['activity 2.1 Other [[],{}]']


def test_a_cancel_whose_target_settles_in_the_same_decision_is_dropped():
    story = Story(cancelling(lambda s: s.echo()))
    story.decide()
    story.signaled('stop')
    story.completed(1, 'too late')
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete [true,"ActivityCanceled","ActivityCanceled"]']


def test_a_timer_that_fires_in_the_decision_that_cancels_it_needs_no_cancel():
    story = Story(cancelling(lambda s: s.sleep(60)))
    story.decide()
    story.signaled('stop')
    story.fired(1)
    assert story.decide() == []


def test_a_cancel_that_swf_finds_too_late_is_ignored():
    story = Story(cancelling(lambda s: s.echo()))
    story.decide()
    story.signaled('stop')
    assert story.start() == ['cancel activity 1.1']
    story.completed(1)
    story.respond()
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete [true,"ActivityCanceled","ActivityCanceled"]']


def test_a_timer_cancel_that_swf_finds_too_late_is_ignored():
    story = Story(cancelling(lambda s: s.sleep(9)))
    story.decide()
    story.signaled('stop')
    assert story.start() == ['cancel timer 1']
    story.fired(1)
    story.respond()
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete [true,"TaskCanceled","TaskCanceled"]']


def test_cancelling_twice_is_cancelling_once():
    def run(self):
        task = self.echo()
        yield self.stop.get()
        task.cancel()
        task.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1']


def test_cancelling_a_settled_task_changes_nothing():
    def run(self):
        task = self.echo()
        yield task
        task.cancel()
        return task.result()

    story = Story(run)
    story.decide()
    story.completed(1, 'x')
    assert story.decide() == ['complete "x"']


def test_a_call_that_waits_for_an_argument_is_cancelled_before_it_is_scheduled():
    def run(self):
        waiting = self.other(self.echo())
        yield self.stop.get()
        waiting.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == []
    story.completed(1)
    assert story.decide() == []


def test_a_branch_is_told_of_its_cancellation():
    def run(self):
        log = []

        def branch():
            try:
                yield self.echo()
            except BranchCanceled:
                log.append('told')
                raise

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()
        return log

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1']
    story.signaled('stop')
    assert story.decide() == ['complete ["told"]']


def test_someone_who_waits_for_a_cancelled_task_is_notified():
    def run(self):
        task = self.echo()

        def branch():
            try:
                yield task
            except ActivityCanceled:
                return 'told'

        waiting = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        return (yield waiting)

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['complete "told"']


# stopped and waited for


def stopping(call):
    """A run that asks one call to stop and waits for what comes of it."""

    def run(self):
        task = call(self)
        yield self.stop.get()
        task.cancel(wait=True)
        before = task.done()
        try:
            return [before, (yield task)]
        except TaskFailed as error:
            return [before, type(error).__name__, error.details]

    return run


def stopped(call):
    story = Story(stopping(call))
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1']
    return story


@pytest.mark.parametrize(
    ('end', 'expected'),
    [
        (lambda story: story.canceled('1.1', 'cleaned up'), [False, 'ActivityCanceled', 'cleaned up']),
        (lambda story: story.completed('1.1', 'quicker'), [False, 'quicker']),
        (lambda story: story.failed('1.1', reason='broken'), [False, 'ActivityFailed', None]),
        (lambda story: story.timed_out('1.1'), [False, 'ActivityTimedOut', None]),
    ],
)
@pytest.mark.parametrize('name', ['echo', 'sturdy'])
def test_an_activity_that_is_waited_for_ends_as_swf_records_it_and_is_not_tried_again(end, expected, name):
    story = stopped(lambda self: getattr(self, name)())
    end(story)
    story.decide()
    assert story.result == expected


def test_an_execution_stays_open_until_the_activity_has_closed():
    def run(self):
        task = self.echo()
        yield self.stop.get()
        task.cancel(wait=True)
        return 'returned'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1']
    story.canceled('1.1')
    assert story.decide() == ['complete "returned"']


def test_a_child_is_waited_for():
    def run(self):
        child = self.child()
        yield self.stop.get()
        child.cancel(wait=True)
        try:
            yield child
        except ChildCanceled as error:
            return error.details

    story = Story(run)
    story.decide()
    (child,) = story.open.values()
    story.child_started(child)
    story.signaled('stop')
    assert len(story.decide()) == 1
    story.canceled(child, 'undone')
    story.decide()
    assert story.result == 'undone'


@pytest.mark.parametrize(
    'call',
    [lambda self: self.sleep(60), lambda self: self.go.get(), lambda self: self.shrink(1)],
    ids=['timer', 'get', 'lambda'],
)
def test_what_nobody_outside_stops_is_cancelled_at_once(call):
    def run(self):
        task = call(self)
        yield self.stop.get()
        task.cancel(wait=True)
        return task.done()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    story.decide()
    if story.closed is None:  # SWF cannot take back a Lambda function
        (item,) = story.open.values()
        story.completed(item)
        story.decide()
    assert story.result is True


def test_a_combinator_waits_for_its_members_and_asks_each_once():
    def run(self):
        both = all_of(self.echo(1), self.echo(2), failures='return').timeout(60)
        yield self.stop.get()
        both.cancel(wait=True)
        both.cancel(wait=True)
        values = yield both
        return [value if isinstance(value, str) else type(value).__name__ for value in values]

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1', 'cancel activity 2.1']
    story.completed('1.1', 'quick')
    story.decide()
    story.canceled('2.1')
    story.decide()
    assert story.result == ['quick', 'ActivityCanceled']


def test_one_that_is_waited_for_may_still_be_given_up():
    def run(self):
        task = self.echo()
        yield self.stop.get()
        task.cancel(wait=True)
        yield self.stop.get()
        task.cancel()
        return task.done()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1']
    story.signaled('stop')
    assert story.decide() == ['complete true']


KINDS = {
    'activity': (lambda s: s.echo(), 'cancel activity 1.1'),
    'child': (lambda s: s.child.with_options(workflow_id='kid')(), 'cancel execution kid'),
    'timer': (lambda s: s.sleep(60), 'cancel timer 1'),
}


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('wait', [False, True])
def test_what_stands_in_several_combinators_is_asked_to_stop_once(kind, wait):
    call, expected = KINDS[kind]

    def run(self):
        task = call(self)
        every = all_of(task)
        some = first_success([any_of(task), every, all_of(task, every)], n=2)
        yield self.stop.get()
        some.cancel(wait=wait)
        yield self.stop.get()

    story = Story(run)
    story.decide()
    if kind == 'child':
        story.child_started(1)
        story.decide()
    story.signaled('stop')
    assert story.decide() == [expected]


def test_a_child_that_ends_while_its_cancellation_is_unsent_holds_the_close_no_longer():
    def run(self):
        task = self.child.with_options(workflow_id='kid')()
        try:
            yield all_of(any_of(task), all_of(task)).timeout(5)
        except TaskTimeout:
            return 'too late'

    story = Story(run)
    story.decide()
    story.child_started(1)
    story.decide()
    story.fired(2)
    story.completed(1, 'done')
    assert story.decide() == ['complete "too late"']


def test_cancelling_takes_no_longer_where_combinators_share_their_members():
    def run(self):
        task = self.echo()
        for _ in range(60):
            task = all_of(any_of(task), all_of(task))
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1']
