"""Rule 11: cancellation is structured: every branch is told, cleans up and is waited for, from the inside outwards."""

from __future__ import annotations

import copy
from contextlib import suppress

import pytest

from genflow import (
    BranchCanceled,
    Canceled,
    Saga,
    TaskCanceled,
    TaskFailed,
    TaskTimeout,
    WorkflowCanceled,
    all_of,
    any_of,
    as_completed,
    first_success,
)
from genflow.core.model import events

from .story import Story


def scheduled(story, name):
    return [event.input for event in story.events if isinstance(event, events.ActivityScheduled) and event.name == name]


def tidying(self, name, log=None):
    """A branch that waits for an activity, and has another one clean up after it."""
    try:
        yield self.echo(name)
    except Canceled as error:
        if log is not None:
            log.append([name, type(error).__name__])
        yield self.other(f'tidy {name}')
        raise


# 1. one family


@pytest.mark.parametrize('error', [WorkflowCanceled, BranchCanceled])
def test_one_family_outside_of_exception(error):
    assert issubclass(error, Canceled)
    assert not issubclass(Canceled, Exception)


@pytest.mark.parametrize('error', [WorkflowCanceled('why'), BranchCanceled(), Canceled('why')])
@pytest.mark.parametrize('same', [copy.copy, copy.deepcopy])
def test_they_survive_copies(error, same):
    other = same(error)
    assert (type(other), other.args, other.details) == (type(error), error.args, error.details)


# 2. who is cancelled

WAYS = {
    'cancel()': lambda self, branch: cancelled(self, branch),
    'a time-out': lambda self, branch: self.spawn(branch).timeout(5),
    'a lost race': lambda self, branch: any_of(branch, self.go.get()),
    'cancel_rest': lambda self, branch: any_of(self.spawn(branch), self.go.get(), cancel_rest=True),
    'a first success': lambda self, branch: first_success(branch, self.go.get()),
    'a failing list': lambda self, branch: all_of(branch, failing(self)),
    'a failing map': lambda self, branch: self.map(lambda make: make, [branch, failing(self)], limit=2),
    'a list that is given up': lambda self, branch: any_of([branch, self.sleep(9)], self.go.get()),
}


def failing(self):
    yield self.go.get()
    raise ValueError('failed')


def cancelled(self, branch):
    task = self.spawn(branch)
    self.spawn(after_go(self, task))
    return task


def after_go(self, task):
    yield self.go.get()
    task.cancel()


@pytest.mark.parametrize('way', WAYS)
def test_a_branch_is_told_and_waited_for(way):
    def run(self):
        log = []
        with suppress(TaskFailed, ValueError):
            yield WAYS[way](self, tidying(self, 'x', log))
        return log

    story = Story(run)
    story.decide()
    if way == 'a time-out':
        story.fired(next(item.key for item in story.open.values() if item.kind == 'timer'))
    else:
        story.signaled('go')
    activity = next(item.key for item in story.open.values() if item.kind == 'activity')
    answer = story.decide()
    assert f'cancel activity {activity}' in answer
    assert [line for line in answer if 'Other [["tidy x"],{}]' in line]
    assert not [line for line in answer if line.startswith('complete')]
    story.completed(next(item.key for item in story.open.values() if item.key != activity and item.kind == 'activity'))
    assert story.decide()[-1] == 'complete [["x","BranchCanceled"]]'


def test_a_spawned_branch_outlives_those_who_wait_for_it():
    def run(self):
        log = []
        task = self.spawn(tidying(self, 'shared', log))
        waiting = self.spawn(waits(task))
        yield self.stop.get()
        waiting.cancel()
        yield self.stop.get()
        return log

    def waits(task):
        yield [task]

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == []
    story.completed(1)
    assert story.decide() == ['complete []']


def test_what_somebody_else_waits_for_continues():
    def run(self):
        call = self.echo('shared')
        both = all_of(self.inner(), call)
        one, two = self.spawn(waits(both)), self.spawn(waits(both))
        yield self.stop.get()
        one.cancel()
        yield self.stop.get()
        two.cancel()
        yield all_of(one, two, failures='return')
        yield self.stop.get()

    def inner(self):
        yield self.other('inner')

    def waits(task):
        yield task

    story = Story(run, members={'inner': inner})
    story.decide()
    story.signaled('stop')
    assert story.decide() == []
    story.signaled('stop')
    assert sorted(story.decide()) == ['cancel activity 1.1', 'cancel activity 2.1']


@pytest.mark.parametrize('daemon', [False, True])
def test_a_daemon_is_cancelled_when_run_returns_and_not_waited_for(daemon):
    def run(self):
        self.spawn(tidying(self, 'x'), daemon=daemon)
        yield self.go.get()
        return 'done'

    story = Story(run)
    story.decide()
    story.signaled('go')
    if daemon:
        assert story.decide() == ['cancel activity 1.1', 'activity 2.1 Other [["tidy x"],{}]']
        story.completed(2)
    else:
        assert story.decide() == []
        story.completed(1)
    assert story.decide() == ['complete "done"']


def test_where_run_raises_branches_end_first_and_calls_are_abandoned():
    def run(self):
        self.spawn(tidying(self, 'x'))
        self.sturdy('left')
        yield self.go.get()
        raise ValueError('end')

    story = Story(run)
    story.decide()
    story.signaled('go')
    assert story.decide() == ['cancel activity 2.1', 'activity 3.1 Other [["tidy x"],{}]']
    story.completed(3)
    assert story.decide() == ['fail ValueError: end']
    assert story.is_open('1.1')


def test_a_failure_waits_until_children_that_were_given_up_have_started_and_are_asked_to_stop():
    def run(self):
        self.spawn(self.branch())
        yield self.go.get()
        raise ValueError('end')

    def branch(self):
        yield self.child.with_options(workflow_id='kid')()

    story = Story(run, members={'branch': branch})
    story.decide()
    story.signaled('go')
    assert story.decide() == []
    story.child_started('kid')
    assert story.decide() == ['cancel execution kid', 'fail ValueError: end']


# 3. condemned: only the exception resumes it


def test_a_value_that_was_settled_before_is_delivered_first():
    def run(self):
        log = []
        task = self.echo()
        first = self.spawn(self.cancels(task, lambda: second))
        second = self.spawn(self.sees(task.timeout(60), log))
        yield all_of(first, second, failures='return')
        return log

    def cancels(self, task, other):
        yield task
        other().cancel()

    def sees(self, task, log):
        log.append((yield task))
        try:
            yield self.go.get()
        except BranchCanceled:
            log.append('told')

    story = Story(run, members={'cancels': cancels, 'sees': sees})
    story.decide()
    story.completed(1, 'value')
    assert story.decide()[-1] == 'complete ["value","told"]'


def test_it_takes_no_signal_and_is_not_resumed_by_an_outcome():
    def run(self):
        log = []

        def inner():
            try:
                yield self.echo()
            finally:
                yield self.other('inner')

        def outer():
            try:
                log.append((yield any_of(self.go.get(), inner())))
            finally:
                log.append(len(self.go))

        task = self.spawn(outer())
        yield self.stop.get()
        task.cancel()
        with suppress(TaskCanceled):
            yield task
        return log

    story = Story(run)
    story.decide()
    story.signaled('stop')
    story.decide()
    story.signaled('go')
    story.decide()
    story.completed(2)
    assert story.decide() == ['complete [1]']


def test_a_retry_is_given_up_and_no_attempt_follows():
    def run(self):
        def branch():
            yield self.sturdy()

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1']
    story.timed_out(1)
    assert story.decide() == []


def test_arguments_that_only_it_waited_for_are_cancelled_too():
    def run(self):
        def branch():
            yield self.other([self.echo('argument')])

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1']


def test_who_waits_for_a_slot_gives_up_what_could_fill_it():
    def run(self):
        def branch():
            yield next(as_completed([self.echo(1), inner()]))

        def inner():
            yield self.other(2)

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1', 'cancel activity 2.1']


def test_who_waits_for_a_map_gives_it_up():
    def run(self):
        def branch():
            yield self.map(self.echo, range(5), limit=2)

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1', 'cancel activity 2.1']


# 4. when its task settles


def test_it_settles_when_the_branch_has_ended_whatever_that_returns():
    def run(self):
        def branch():
            try:
                yield self.echo()
            except BranchCanceled:
                return (yield self.other())

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        seen = [task.done()]
        try:
            yield task
        except TaskCanceled:
            return [*seen, 'canceled']

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1', 'activity 2.1 Other [[],{}]']
    story.completed(2, 'value')
    assert story.decide() == ['complete [false,"canceled"]']


def test_a_limit_raises_when_the_branch_has_ended():
    def run(self):
        task = self.spawn(tidying(self, 'x'))
        try:
            yield task.timeout(5)
        except TaskTimeout:
            return type(task.exception()).__name__

    story = Story(run)
    story.decide()
    story.fired(1)
    story.decide()
    story.completed(3)
    assert story.decide() == ['complete "TaskCanceled"']


def test_no_waiter_races_an_undo():
    def run(self):
        log = []

        def undoes():
            try:
                yield self.echo()
            finally:
                yield self.other('undo')
                log.append('undone')

        def fails():
            yield self.go.get()
            raise ValueError('first failure')

        try:
            yield [undoes(), fails()]
        except ValueError as error:
            log.append(str(error))
        return log

    story = Story(run)
    story.decide()
    story.signaled('go')
    story.decide()
    story.completed(2)
    assert story.decide() == ['complete ["undone","first failure"]']


# 5. inside out


def nest(self, depth, log):
    try:
        if depth:
            yield [nest(self, depth - 1, log)]
        else:
            yield self.echo()
    except Canceled as error:
        log.append([depth, type(error).__name__])
        yield self.other(depth)
        log.append(depth)
        raise


@pytest.mark.parametrize('by', ['request', 'cancel'])
def test_the_innermost_is_notified_first(by):
    def run(self):
        log = []
        task = self.spawn(nest(self, 2, log))
        try:
            if by == 'cancel':
                yield self.stop.get()
                task.cancel()
            yield task
        except (WorkflowCanceled, TaskCanceled) as error:
            return [*log, type(error).__name__]

    story = Story(run)
    story.decide()
    if by == 'cancel':
        story.signaled('stop')
    else:
        story.cancel_requested()
    for _ in range(3):
        story.decide()
        story.completed(next(item.key for item in story.open.values() if not item.key.startswith('1.')))
    name = 'BranchCanceled' if by == 'cancel' else 'WorkflowCanceled'
    last = 'TaskCanceled' if by == 'cancel' else 'WorkflowCanceled'
    story.decide()
    assert story.result == [[0, name], 0, [1, name], 1, [2, name], 2, last]


def test_in_a_circle_the_youngest_is_notified_first():
    def run(self):
        log, tasks = [], []

        def waits(place):
            try:
                yield self.sleep(1)
                yield tasks[(place + 1) % 3]
            except Canceled:
                log.append(place)
                yield self.other(place)
                raise

        tasks += [self.spawn(waits(place)) for place in range(3)]
        try:
            yield [*tasks, self.sleep(60)]
        except WorkflowCanceled:
            return log

    story = Story(run)
    story.decide()
    for number in (2, 3, 4):
        story.fired(number)
    story.decide()
    story.cancel_requested()
    for _ in range(3):
        story.decide()
        story.completed(next(item.key for item in story.open.values() if item.kind == 'activity'))
    story.decide()
    assert story.result == [2, 1, 0]


def test_a_circle_that_waits_for_another_hears_when_that_has_ended():
    def run(self):
        log, tasks = [], {}

        def waits(name, others):
            try:
                yield self.sleep(1)
                yield [tasks[other] for other in others]
            except Canceled:
                log.append(name)
                yield self.other(name)
                raise

        for name, others in (('a', 'bc'), ('b', 'a'), ('c', 'd'), ('d', 'c')):
            tasks[name] = self.spawn(waits(name, others))
        try:
            yield [*tasks.values(), self.sleep(60)]
        except WorkflowCanceled:
            return log

    story = Story(run)
    story.decide()
    for number in (2, 3, 4, 5):
        story.fired(number)
    story.decide()
    story.cancel_requested()
    for _ in range(4):
        story.decide()
        story.completed(next(item.key for item in story.open.values() if item.kind == 'activity'))
    story.decide()
    assert story.result == ['d', 'c', 'b', 'a']


@pytest.mark.parametrize('through', ['the branch itself', 'a combinator', 'an argument'])
def test_one_that_a_clean_up_waits_for_hears_although_it_waits_for_that_branch(through):
    def awaited(self, task):
        return {
            'the branch itself': lambda: task,
            'a combinator': lambda: all_of([task]),
            'an argument': lambda: self.echo(task),
        }[through]()

    def run(self):
        log, tasks = [], []

        def cleans():
            try:
                yield self.sleep(60)
            except Canceled:
                log.append('cleans')
                yield self.other('begun')
                yield awaited(self, tasks[1])

        def waits():
            try:
                yield tasks[0]
            except Canceled:
                log.append('waits')
                raise

        tasks += [self.spawn(cleans()), self.spawn(waits())]
        try:
            yield tasks
        except WorkflowCanceled:
            return log

    story = Story(run)
    story.decide()
    story.cancel_requested()
    story.decide()
    story.completed(next(item.key for item in story.open.values() if item.kind == 'activity'))
    story.decide()
    assert story.result == ['cleans', 'waits']


# 6. once


def test_cancelling_oneself_strikes_at_the_next_open_yield():
    def run(self):
        log = []

        def branch():
            yield self.echo()
            tasks[0].cancel()
            log.append('goes on')
            log.append((yield all_of()))
            try:
                yield self.other()
            except BranchCanceled:
                log.append('told')
                yield self.echo('clean-up')
                log.append('cleaned up')

        tasks = [self.spawn(branch())]
        yield all_of(tasks, failures='return')
        return log

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['activity 3.1 Echo [["clean-up"],{}]']
    story.completed(3)
    assert story.decide() == ['complete ["goes on",[],"told","cleaned up"]']


def test_one_that_was_not_begun_never_runs():
    def run(self):
        log = []

        def branch():
            log.append('ran')
            yield self.echo()

        task = self.spawn(branch())
        task.cancel()
        with suppress(TaskCanceled):
            yield task
        return log

    assert Story(run).decide() == ['complete []']


def test_later_reasons_change_nothing():
    def run(self):
        log = []

        def branch():
            try:
                yield self.echo()
            except Canceled as error:
                log.append(type(error).__name__)
                try:
                    yield self.other().timeout(9)
                except TaskTimeout:
                    log.append('its own limit')

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        try:
            yield task.timeout(60)
        except WorkflowCanceled:
            return log

    story = Story(run)
    story.decide()
    story.signaled('stop')
    story.decide()
    story.cancel_requested()
    story.decide()
    story.fired(next(item.key for item in story.open.values() if item.kind == 'timer' and item.key == '4'))
    story.decide()
    assert story.result == ['BranchCanceled', 'its own limit']


# 7. shields


def test_what_is_aimed_at_a_branch_begun_in_a_shield_strikes_at_once():
    def run(self):
        with self.shield():
            try:
                yield self.spawn(tidying(self, 'x')).timeout(5)
            except TaskTimeout:
                return 'timed out'

    story = Story(run)
    story.decide()
    story.fired(1 if story.is_open('1') else 2)
    assert [line for line in story.decide() if 'tidy x' in line]


def test_a_shield_of_its_own_holds_off_what_is_aimed_at_it():
    def run(self):
        def branch():
            with self.shield():
                log.append((yield self.echo()))
            yield self.other('never')

        log = []
        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        with suppress(TaskCanceled):
            yield task
        return log

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == []
    story.completed(1, 'whole')
    assert story.decide() == ['complete ["whole"]']


def test_an_inherited_shield_ends_when_its_beginner_leaves_the_block():
    def run(self):
        log = []
        with self.shield():
            task = self.spawn(tidying(self, 'x', log))
            yield self.stop.get()
        with suppress(WorkflowCanceled):
            yield self.stop.get()
        with suppress(TaskCanceled):
            yield task
        return log

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['cancel activity 1.1', 'activity 2.1 Other [["tidy x"],{}]']
    story.completed(2)
    assert story.decide() == ['complete [["x","WorkflowCanceled"]]']


def test_a_clean_up_shields_the_branches_that_it_begins():
    def run(self):
        def undo(step):
            yield self.other(step)
            yield self.other(step)

        def branch():
            try:
                yield self.echo()
            except BranchCanceled:
                yield [undo(1), undo(2)]
                raise

        task = self.spawn(branch())
        yield self.stop.get()
        task.cancel()
        yield task

    story = Story(run)
    story.decide()
    story.signaled('stop')
    story.decide()
    story.cancel_requested()
    assert story.decide() == []
    story.completed(2)
    story.completed(3)
    assert story.decide() == ['activity 4.1 Other [[1],{}]', 'activity 5.1 Other [[2],{}]']
    story.completed(4)
    story.completed(5)
    assert story.decide() == ['canceled']


# 8. the close


def test_a_clean_up_that_waits_for_nothing_is_reported_and_closed(caplog):
    def run(self):
        def branch():
            try:
                yield self.echo()
            except Canceled:
                yield tasks[0]  # itself

        tasks = [self.spawn(branch())]
        yield tasks[0]

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide() == ['cancel activity 1.1']
    story.canceled(1)
    assert story.decide() == ['canceled']
    assert 'is being cancelled and waits for nothing that SWF can deliver' in caplog.text


# 9. what is told


def test_another_exception_of_a_clean_up_fails_the_workflow_that_returns():
    def run(self):
        self.spawn(self.branch(), daemon=True)
        yield self.go.get()
        return 'done'

    def branch(self):
        try:
            yield self.echo()
        finally:
            raise ValueError('while cleaning up')

    story = Story(run, members={'branch': branch})
    story.decide()
    story.signaled('go')
    assert story.decide() == ['cancel activity 1.1', 'fail ValueError: while cleaning up']


def test_another_exception_of_a_clean_up_is_the_outcome_of_its_task():
    def run(self):
        task = self.spawn(self.branch())
        yield self.go.get()
        task.cancel()
        try:
            yield task
        except ValueError:
            return 'told'

    def branch(self):
        try:
            yield self.echo()
        finally:
            raise ValueError('while cleaning up')

    story = Story(run, members={'branch': branch})
    story.decide()
    story.signaled('go')
    assert story.decide() == ['complete "told"']  # which ends the call that was given up, too


@pytest.mark.parametrize('ends', ['canceled', 'failed'])
def test_where_it_closes_otherwise_it_goes_into_log_and_details(ends, caplog):
    def run(self):
        try:
            yield [self.branch()]
        except WorkflowCanceled:
            if ends == 'failed':
                raise ValueError('of run') from None
            raise

    def branch(self):
        try:
            yield self.echo()
        finally:
            raise KeyError('while cleaning up')

    story = Story(run, members={'branch': branch})
    story.decide()
    story.cancel_requested()
    story.decide()
    assert story.closed.how == ends
    assert 'a clean-up raised KeyError' in caplog.text
    assert 'while cleaning up' in story.answered_with[-1].all[-1].details


def test_details_of_a_cancellation_of_ones_own():
    def run(self):
        self.echo()
        yield self.go.get()
        raise WorkflowCanceled('the customer called')

    story = Story(run)
    story.decide()
    story.signaled('go')
    assert story.decide() == ['cancel activity 1.1', 'canceled']
    assert story.answered_with[-1].all[-1].details == 'the customer called'


def test_a_saga_is_compensated_once_where_several_exceptions_meet():
    def run(self):
        saga = Saga()

        def step(number):
            try:
                saga.add(self.other, number)
                yield self.echo(number)
            except BaseException:
                yield from saga.compensate()
                raise

        try:
            yield [step(1), step(2)]
        except BaseException:
            yield from saga.compensate()
            raise

    story = Story(run)
    story.decide()
    story.cancel_requested()
    story.failed(1)
    while story.closed is None:
        story.decide()
        for item in list(story.open.values()):
            if item.key not in ('1.1', '2.1'):
                story.completed(item)
    assert sorted(scheduled(story, 'Other')) == ['[[1],{}]', '[[2],{}]']


def test_a_daemon_that_is_begun_after_run_has_returned_ends_with_the_others():
    def run(self):
        def watch():
            yield self.sleep(60)

        def last():
            yield self.echo()
            self.spawn(watch(), daemon=True)
            yield self.other()

        self.spawn(last())
        return 'done'
        yield

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['activity 2.1 Other [[],{}]', 'timer 3 60s']
    story.completed(2)
    assert story.decide() == ['complete "done"']
