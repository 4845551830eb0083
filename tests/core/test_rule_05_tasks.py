"""Rule 5: tasks are values."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityCanceled,
    ActivityFailed,
    ActivityTimedOut,
    ChildCanceled,
    TaskCanceled,
    TaskTimeout,
    YieldError,
    all_of,
)

from .story import Story


def test_a_task_may_be_yielded_many_times():
    def run(self):
        task = self.echo()
        one = yield task
        two = yield task
        three = yield [task, task]
        return [one, two, three]

    story = Story(run)
    story.decide()
    story.completed(1, 'x')
    assert story.decide() == ['complete ["x","x",["x","x"]]']


def test_a_task_may_sit_in_many_combinators():
    def run(self):
        task = self.echo()
        both = all_of(task, self.other())
        again = all_of(task, both)
        return (yield [task, both, again])

    story = Story(run)
    story.decide()
    story.completed(1, 'a')
    story.completed(2, 'b')
    story.decide()
    assert story.result == ['a', ['a', 'b'], ['a', ['a', 'b']]]


def test_two_branches_may_wait_for_the_same_task():
    def run(self):
        task = self.echo()

        def branch(name):
            value = yield task
            return f'{name}{value}'

        return (yield [branch('l'), branch('r')])

    story = Story(run)
    story.decide()
    story.completed(1, 7)
    assert story.decide() == ['complete ["l7","r7"]']


# as arguments


def test_a_task_is_an_argument_and_waits_for_nobodys_yield():
    def run(self):
        first = self.echo('in')
        second = self.other(first)
        return (yield second)

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [["in"],{}]']
    story.completed(1, 'between')
    assert story.decide() == ['activity 2.1 Other [["between"],{}]']
    story.completed(2, 'out')
    assert story.decide() == ['complete "out"']


def test_a_waiting_call_keeps_the_number_of_its_place():
    def run(self):
        a = self.echo('a')
        b = self.other(a)
        c = self.echo('c')
        return (yield [a, b, c])

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [["a"],{}]', 'activity 3.1 Echo [["c"],{}]']
    story.completed(1, 'A')
    assert story.decide() == ['activity 2.1 Other [["A"],{}]']


def test_tasks_nest_in_lists_tuples_dicts_and_keywords():
    def run(self):
        a, b = self.echo(), self.echo()
        yield self.other([a, {'k': b}], (a,), key=[b])

    story = Story(run)
    story.decide()
    story.completed(2, 'B')
    assert story.decide() == []
    story.completed(1, 'A')
    assert story.decide() == ['activity 3.1 Other [[["A",{"k":"B"}],["A"]],{"key":["B"]}]']


def test_an_argument_that_is_there_already_is_no_wait():
    def run(self):
        a = self.echo()
        yield a
        yield self.other(a)

    story = Story(run)
    story.decide()
    story.completed(1, 'A')
    assert story.decide() == ['activity 2.1 Other [["A"],{}]']


def test_an_arguments_failure_is_the_calls_failure():
    def run(self):
        try:
            yield self.other(self.echo())
        except ActivityFailed as error:
            return error.task.number

    story = Story(run)
    story.decide()
    story.failed(1)
    assert story.decide() == ['complete 1']


def test_a_chain_of_arguments_fails_as_a_whole():
    def run(self):
        yield self.other(self.other(self.other(self.echo())))

    story = Story(run)
    story.decide()
    story.failed(1, reason='deep')
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: deep']


def test_children_lambdas_and_signals_take_tasks_too():
    def run(self):
        a = self.echo()
        yield [self.child(a), self.shrink(a), self.external('w').signal('s', [a])]

    story = Story(run)
    story.decide()
    story.completed(1, 'A')
    assert story.decide() == [
        'child 2.1 Child [["A"],{}]',
        'lambda 3.1 shrink "A"',
        'signal w s ["A"]',
    ]


def test_a_combinator_is_an_argument():
    def run(self):
        yield self.other(all_of(self.echo(), self.echo()))

    story = Story(run)
    story.decide()
    story.completed(1, 1)
    story.completed(2, 2)
    assert story.decide() == ['activity 3.1 Other [[[1,2]],{}]']


def test_a_signal_is_an_argument():
    def run(self):
        yield self.other(self.go.get())

    story = Story(run)
    assert story.decide() == []
    story.signaled('go', 'ahead')
    assert story.decide() == ['activity 1.1 Other [["ahead"],{}]']


def test_signals_as_arguments_are_read_in_the_order_of_the_arguments():
    def run(self):
        yield self.other(self.go.get(), [self.go.get()], key=self.go.get())

    story = Story(run)
    story.decide()
    for value in 'abc':
        story.signaled('go', value)
    assert story.decide() == ['activity 1.1 Other [["a",["b"]],{"key":"c"}]']


def test_a_serializer_that_fails_on_a_resolved_argument_is_the_calls_failure():
    def run(self):
        try:
            yield self.other(self.echo(), big='x' * 32_760)
        except ValueError as error:
            return type(error).__name__

    story = Story(run)
    story.decide()
    story.completed(1, 'long enough')
    assert story.decide() == ['complete "PayloadTooLarge"']


# asked


def test_an_open_task_has_no_result():
    def run(self):
        task = self.echo()
        asked = []
        for ask in (task.result, task.exception):
            try:
                ask()
            except YieldError as error:
                asked.append('yield it' in str(error))
        return [task.done(), asked, (yield task), task.done(), task.result(), task.exception()]

    story = Story(run)
    story.decide()
    story.completed(1, 'x')
    assert story.decide() == ['complete [false,[true,true],"x",true,"x",null]']


def test_a_failed_task_raises_at_result_and_gives_its_exception():
    def run(self):
        task = self.echo()
        yield self.other()
        try:
            task.result()
        except ActivityFailed as error:
            return error is task.exception()

    story = Story(run)
    story.decide()
    story.failed(1)
    story.completed(2)
    assert story.decide() == ['complete true']


# cancelled


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


def test_a_cancelled_activity_does_not_hold_the_close():
    story = Story(cancelling(lambda s: s.echo(), later=False))
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1', 'complete [true,"ActivityCanceled","ActivityCanceled"]']


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


def test_a_branch_is_cancelled_by_being_closed():
    def run(self):
        log = []

        def branch():
            try:
                yield self.echo()
            finally:
                log.append('closed')

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        return log

    story = Story(run)
    story.decide()
    story.signaled('stop')
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete ["closed"]']


def test_someone_who_waits_for_a_cancelled_task_is_told():
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
    assert story.decide() == ['cancel activity 1.1', 'complete "told"']


# limited


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
    from genflow import Retry

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
    assert story.decide() == ['cancel timer 1.2;w', 'complete "timed out"']


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
    assert story.decide() == ['cancel timer 2', 'cancel activity 1.1', 'complete true']


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
    assert story.decide() == ['cancel timer 2', 'complete "own"']


def test_a_limit_takes_part_in_a_shape():
    def run(self):
        return (yield [self.echo().timeout(5), self.other()])

    story = Story(run)
    story.decide()
    story.completed(1, 'a')
    story.completed(3, 'b')
    assert story.decide() == ['cancel timer 2', 'complete ["a","b"]']
