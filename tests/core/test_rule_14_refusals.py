"""Rule 14: never hang silently; every failed decision has a defined outcome for each of its causes."""

from __future__ import annotations

import pytest
from botocore.session import Session

from genflow import (
    ActivityProxy,
    HistoryError,
    LambdaFailed,
    Retry,
    ScheduleFailed,
    SignalFailed,
    TaskFailed,
    WorkflowProxy,
)
from genflow.core import decisions, events
from genflow.core.causes import is_backpressure
from genflow.core.outbox import LANES

from .story import Desk, Story

SWF = Session().get_service_model('swf')


def causes(shape):
    return SWF.shape_for(f'{shape}FailedCause').enum


NEVER = 'OPERATION_NOT_PERMITTED'

CALLS = {
    'ScheduleActivityTask': (lambda s: s.echo(), decisions.ScheduleActivity),
    'StartChildWorkflowExecution': (lambda s: s.child(), decisions.StartChild),
    'StartTimer': (lambda s: s.sleep(60), decisions.StartTimer),
    'ScheduleLambdaFunction': (lambda s: s.shrink(1), decisions.ScheduleLambda),
}

SYNCHRONOUS = [(name, cause) for name in CALLS for cause in causes(name)]


def catching(call):
    def run(self):
        try:
            yield call(self)
        except TaskFailed as error:
            return [type(error).__name__, error.reason]
        return 'done'

    return run


@pytest.mark.parametrize(('name', 'cause'), [pair for pair in SYNCHRONOUS if not is_backpressure(pair[1])])
def test_a_refused_call_raises_at_its_task(name, cause):
    call, decision = CALLS[name]
    story = Story(catching(call))
    story.decide(refuse={decision: cause})
    assert story.decide() == [f'complete ["ScheduleFailed","{cause}"]']


@pytest.mark.parametrize(('name', 'cause'), [pair for pair in SYNCHRONOUS if is_backpressure(pair[1])])
def test_a_limit_or_rate_is_waited_out(name, cause):
    call, decision = CALLS[name]
    story = Story(catching(call))
    said = story.decide(refuse={decision: cause})
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    assert story.decide() == said
    assert story.open


def test_the_causes_that_are_waited_out_are_the_limits_and_rates():
    names = [*CALLS, 'SignalExternalWorkflowExecution', 'RequestCancelExternalWorkflowExecution']
    names.append('ContinueAsNewWorkflowExecution')
    every = {cause for name in names for cause in causes(name)}
    assert {cause for cause in every if is_backpressure(cause)} == {
        'OPEN_ACTIVITIES_LIMIT_EXCEEDED',
        'ACTIVITY_CREATION_RATE_EXCEEDED',
        'OPEN_CHILDREN_LIMIT_EXCEEDED',
        'OPEN_WORKFLOWS_LIMIT_EXCEEDED',
        'CHILD_CREATION_RATE_EXCEEDED',
        'OPEN_TIMERS_LIMIT_EXCEEDED',
        'TIMER_CREATION_RATE_EXCEEDED',
        'OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED',
        'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED',
        'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED',
        'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED',
        'CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED',
    }


@pytest.mark.parametrize('cause', causes('RequestCancelActivityTask'))
def test_a_refused_cancel_of_an_activity_is_ignored(cause):
    def run(self):
        task = self.echo()
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()
        return 'done'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide(refuse={decisions.RequestCancelActivity: cause}) == ['cancel activity 1.1']
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete "done"']


@pytest.mark.parametrize('cause', causes('CancelTimer'))
def test_a_refused_cancel_of_a_timer_is_ignored(cause):
    def run(self):
        task = self.sleep(60)
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()
        return 'done'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide(refuse={decisions.CancelTimer: cause}) == ['cancel timer 1']
    assert story.decide() == []
    story.signaled('stop')
    assert story.decide() == ['complete "done"']


@pytest.mark.parametrize('name', ['signal', 'cancel'])
@pytest.mark.parametrize('cause', causes('SignalExternalWorkflowExecution'))
def test_what_was_said_to_another_execution_fails_or_is_said_again(name, cause):
    cause = cause.replace('SIGNAL', 'REQUEST_CANCEL') if name == 'cancel' else cause
    assert cause in causes(f'{"Signal" if name == "signal" else "RequestCancel"}ExternalWorkflowExecution')
    arguments = ('go',) if name == 'signal' else ()

    def run(self):
        try:
            yield getattr(self.external('w'), name)(*arguments)
        except SignalFailed as error:
            return error.reason

    story = Story(run)
    said = story.decide()
    (item,) = story.open.values()
    story.undelivered(item.key, cause)
    if not is_backpressure(cause):
        assert story.decide() == [f'complete "{cause}"']
        return
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    assert story.decide() == said


@pytest.mark.parametrize(
    ('cause', 'expected'), [('WORKFLOW_ALREADY_RUNNING', 'ScheduleFailed'), ('OPEN_WORKFLOWS_LIMIT_EXCEEDED', None)]
)
def test_a_child_that_could_not_start_after_all(cause, expected):
    story = Story(catching(lambda s: s.child()))
    said = story.decide()
    story.undelivered(1, cause)
    if expected:
        assert story.decide() == [f'complete ["{expected}","{cause}"]']
    else:
        assert story.decide() == ['timer backoff-1 1s']
        story.fired('backoff-1')
        story.used.clear()  # the same attempt again: the first was never started
        assert story.decide() == said


def test_a_lambda_function_that_could_not_start():
    def run(self):
        try:
            yield self.shrink(1)
        except LambdaFailed as error:
            return error.reason

    story = Story(run)
    story.decide()
    story.undelivered(1, 'ASSUME_ROLE_FAILED')
    assert story.decide() == ['complete "ASSUME_ROLE_FAILED"']


# the engine's own


def test_a_marker_that_may_not_be_recorded_is_held():
    def run(self):
        self.side_effect(lambda: 1)
        yield self.echo()

    story = Story(run)
    story.decide(refuse={decisions.RecordMarker: NEVER})
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


@pytest.mark.parametrize('how', ['complete', 'fail', 'cancel', 'continue'])
def test_a_close_that_is_not_permitted_is_held(how):
    def run(self):
        if how == 'fail':
            raise ValueError
        if how == 'continue':
            return self.restart()
        if how == 'cancel':
            yield self.go.get()
        return None

    story = Story(run)
    if how == 'cancel':
        story.cancel_requested()
    story.start()
    story.respond_close_refused(NEVER)
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


def test_the_wait_before_an_attempt_is_held_where_timers_are_not_permitted():
    def run(self):
        yield self.echo.with_options(delay=5)()

    story = Story(run)
    story.decide(refuse={'1.1;w': NEVER})
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


def test_a_back_off_timer_that_is_not_permitted_is_held():
    story = Story(catching(lambda s: s.echo()))
    story.decide(refuse={decisions.ScheduleActivity: 'ACTIVITY_CREATION_RATE_EXCEEDED'})
    story.decide(refuse={'backoff-1': NEVER})
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


def test_a_wake_up_timer_that_is_not_permitted_is_held():
    def run(self):
        yield [self.echo(), self.echo(), self.echo()]

    story = Story(run)
    story.start()
    story.respond(1, refuse={'wake-3': NEVER})
    with pytest.raises(HistoryError, match=NEVER):
        story.decide()


@pytest.mark.parametrize('cause', causes('ContinueAsNewWorkflowExecution'))
def test_each_cause_of_a_refused_restart(cause):
    story = Story(lambda self: self.restart(1))
    story.start()
    story.respond_close_refused(cause)
    if cause == 'UNHANDLED_DECISION':
        assert story.decide() == ['continue [[1],{}]']
    elif cause == NEVER:
        with pytest.raises(HistoryError, match=NEVER):
            story.decide()
    elif is_backpressure(cause):
        assert story.decide() == ['timer backoff-1 1s']
        story.fired('backoff-1')
        assert story.decide() == ['continue [[1],{}]']
    else:
        (line,) = story.decide()
        assert line.startswith(f'fail ScheduleFailed: {cause}')


# back-pressure


RATE = {decisions.ScheduleActivity: 'ACTIVITY_CREATION_RATE_EXCEEDED'}


def test_the_back_off_doubles_to_a_minute():
    def run(self):
        yield self.echo()
        return 'through'

    story = Story(run)
    waits = []
    story.decide(refuse=RATE)
    for number in range(1, 9):
        (line,) = story.decide()
        waits.append(line)
        story.fired(f'backoff-{number}')
        assert story.decide(refuse=RATE if number < 8 else None) == ['activity 1.1 Echo [[],{}]']
    assert waits == [f'timer backoff-{n} {s}s' for n, s in enumerate([1, 2, 4, 8, 16, 32, 60, 60], 1)]
    story.completed(1)
    assert story.decide() == ['complete "through"']


def test_the_back_off_of_a_signal_doubles_too():
    story = Story(lambda self: self.external('w').signal('s'))
    story.decide()
    for number, seconds in enumerate([1, 2, 4], 1):
        story.undelivered(next(iter(story.open.values())).key, 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED')
        assert story.decide() == [f'timer backoff-{number} {seconds}s']
        story.fired(f'backoff-{number}')
        assert story.decide() == ['signal w s null']


def test_a_success_ends_the_doubling():
    def run(self):
        yield self.echo()
        yield self.echo()

    story = Story(run)
    story.decide(refuse=RATE)
    story.decide()
    story.fired('backoff-1')
    story.decide()
    story.completed(1)
    story.decide(refuse=RATE)
    assert story.decide() == ['timer backoff-2 1s']


def test_there_is_one_back_off_timer_for_all():
    def run(self):
        yield [self.echo(), self.child(), self.sleep(9)]

    story = Story(run)
    said = story.decide(
        refuse={
            decisions.ScheduleActivity: 'ACTIVITY_CREATION_RATE_EXCEEDED',
            decisions.StartChild: 'CHILD_CREATION_RATE_EXCEEDED',
            decisions.StartTimer: 'TIMER_CREATION_RATE_EXCEEDED',
        }
    )
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    assert story.decide() == said


def test_what_else_happens_during_a_back_off_sends_nothing_again():
    def run(self):
        self.echo()
        yield self.go.get()
        yield self.other()

    story = Story(run)
    story.decide(refuse=RATE)
    assert story.decide() == ['timer backoff-1 1s']
    story.signaled('go')
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.fired('backoff-1')
    assert story.decide() == ['activity 1.1 Echo [[],{}]']


def test_a_call_that_waits_for_its_rate_holds_the_close():
    def run(self):
        self.echo()
        return 'done'

    story = Story(run)
    story.decide(refuse=RATE)
    assert story.decide() == ['timer backoff-1 1s']
    story.fired('backoff-1')
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete "done"']


def test_a_call_cancelled_while_it_waits_for_its_rate_is_not_sent():
    def run(self):
        task = self.echo()
        yield self.stop.get()
        task.cancel()
        yield self.other()

    story = Story(run)
    story.decide(refuse=RATE)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.fired('backoff-1')
    assert story.decide() == []
    assert story.is_open('2.1')


def test_a_rate_is_no_try():
    def run(self):
        try:
            yield self.echo()
        except TaskFailed as error:
            return error.reason

    story = Story(run, members={'echo': ActivityProxy('Echo', 'v1', retry=Retry(2, initial_interval=0))})
    story.decide(refuse=RATE)
    story.decide()
    story.fired('backoff-1')
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.failed(1)
    assert story.decide() == ['activity 1.2 Echo [[],{}]']
    story.failed(1, reason='second')
    assert story.decide() == ['complete "second"']


# open work


@pytest.mark.parametrize(
    ('lane', 'call'),
    [
        ('activity', lambda s: s.echo()),
        ('child', lambda s: s.child()),
        ('lambda', lambda s: s.shrink(1)),
        ('timer', lambda s: s.sleep(9)),
    ],
)
def test_never_more_than_swfs_limit_is_asked_for(lane, call):
    extra = 3

    def run(self):
        yield [call(self) for _ in range(LANES[lane] + extra)]
        return 'all'

    story = Story(run)
    assert len(story.decide()) == LANES[lane]
    for round_ in range(extra):
        if lane == 'timer':
            story.fired(1 + round_)
        else:
            story.completed(1 + round_)
        (line,) = story.decide()
        assert str(LANES[lane] + 1 + round_) in line
    assert LANES[lane] <= 1000


def test_a_call_in_the_backlog_that_is_cancelled_is_never_sent():
    def run(self):
        tasks = [self.echo() for _ in range(1002)]
        yield self.stop.get()
        tasks[1000].cancel()
        yield tasks[0]
        yield self.stop.get()

    story = Story(run)
    assert len(story.decide()) == 1000
    story.signaled('stop')
    story.completed('1.1')
    assert story.decide() == ['activity 1002.1 Echo [[],{}]']


def test_a_limit_that_swf_reaches_earlier_is_waited_out():
    story = Story(catching(lambda s: s.echo()))
    story.decide(refuse={decisions.ScheduleActivity: 'OPEN_ACTIVITIES_LIMIT_EXCEEDED'})
    assert story.decide() == ['timer backoff-1 1s']


# portions


def test_what_does_not_fit_is_sent_in_order_after_a_wake_up():
    def run(self):
        yield [self.echo(n) for n in range(5)]
        return 'all'

    story = Story(run)
    assert story.decide(limit=2) == [f'activity {n}.1 Echo [[{n - 1}],{{}}]' for n in range(1, 6)]
    assert [item.key for item in story.open.values()] == ['1.1', '2.1', 'wake-3']
    story.fired('wake-3')
    assert story.decide(limit=2) == [f'activity {n}.1 Echo [[{n - 1}],{{}}]' for n in range(3, 6)]
    story.fired(next(item.key for item in story.open.values() if item.kind == 'timer'))
    assert story.decide() == ['activity 5.1 Echo [[4],{}]']
    for number in range(1, 6):
        story.completed(number)
    assert story.decide() == ['complete "all"']


def test_the_wake_up_timer_takes_no_time():
    story = Story(lambda self: [self.echo(), self.echo()])
    story.start()
    assert story.answer.portion(1)[-1] == decisions.StartTimer('wake-3', 0, None)
    assert story.answer.portion(2) == story.answer.all


def test_something_else_may_come_before_the_wake_up():
    def run(self):
        yield [self.echo(n) for n in range(4)]
        return 'all'

    story = Story(run)
    story.decide(limit=1)
    story.completed('1.1')
    assert len(story.decide()) == 3
    for number in (2, 3, 4):
        story.completed(number)
    story.fired('wake-3')
    assert story.decide() == ['complete "all"']


def test_markers_go_with_the_decision_that_made_them():
    def run(self):
        self.echo(self.side_effect(lambda: 1), self.side_effect(lambda: 2))
        yield [self.echo(), self.echo()]

    story = Story(run)
    story.start()
    found = story.answer.portion(1)
    assert [type(decision) for decision in found] == [
        decisions.RecordMarker,
        decisions.RecordMarker,
        decisions.StartTimer,
    ]
    story.respond(1)
    story.fired('wake-3')
    assert [line.split()[0] for line in story.decide()] == ['activity'] * 3


def test_a_call_that_is_cancelled_before_its_portion_is_never_sent():
    def run(self):
        tasks = [self.echo(n) for n in range(3)]
        yield tasks[0]
        tasks[1].cancel()
        yield tasks[2]

    story = Story(run)
    story.decide(limit=1)
    story.completed('1.1')
    assert story.decide() == ['activity 3.1 Echo [[2],{}]']


def test_a_retry_that_did_not_fit_is_followed_from_the_history():
    def run(self):
        yield [self.sturdy(n) for n in range(3)]
        return 'all'

    story = Story(run)
    story.decide()
    for number in (1, 2, 3):
        story.timed_out(number)
    assert len(story.decide(limit=1)) == 3
    story.fired(next(item.key for item in story.open.values() if item.kind == 'timer'))
    assert story.decide() == ['activity 2.2 Sturdy [[1],{}]', 'activity 3.2 Sturdy [[2],{}]']
    for number in (1, 2, 3):
        story.completed(number)
    assert story.decide() == ['complete "all"']


def test_a_wait_before_a_retry_that_did_not_fit():
    members = {'patient': ActivityProxy('Patient', '1', retry=Retry(5, initial_interval=10, jitter=0.5))}

    def run(self):
        yield [self.patient(n) for n in range(3)]
        return 'all'

    story = Story(run, members=members)
    story.decide()
    for number in (1, 2, 3):
        story.failed(number)
    waits = story.decide(limit=1)
    assert [line.split()[1] for line in waits] == ['1.2;w', '2.2;w', '3.2;w']
    story.fired('1.2;w')
    assert story.decide(limit=1) == [*waits[1:], 'activity 1.2 Patient [[0],{}]']


def test_a_close_that_did_not_fit_comes_with_the_next():
    def run(self):
        tasks = [self.echo() for _ in range(3)]
        yield self.stop.get()
        for task in tasks:
            task.cancel()
        return 'done'

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide(limit=2)[-1] == 'complete "done"'
    assert story.closed is None
    story.fired(next(item.key for item in story.open.values() if item.kind == 'timer'))
    assert story.decide() == ['cancel activity 3.1', 'complete "done"']


def test_a_decision_without_anything_left_cannot_be_sent_in_portions():
    story = Story(lambda self: self.echo())
    story.start()
    assert story.answer.portion(100) == story.answer.all


# children, by name


def test_a_child_whose_workflow_id_is_taken():
    members = {'kid': WorkflowProxy('Child', 'v1', workflow_id='kid', retry=0)}

    def run(self):
        try:
            yield self.kid()
        except ScheduleFailed as error:
            return error.cause

    story = Story(run, members=members)
    story.decide()
    story.undelivered('kid', 'WORKFLOW_ALREADY_RUNNING')
    assert story.decide() == ['complete "WORKFLOW_ALREADY_RUNNING"']


def test_an_event_about_nothing_known_is_an_error():
    story = Story(lambda self: self.echo())
    story.decide()
    story.add(events.Completed, ref=999, result=None)
    with pytest.raises(HistoryError, match='refers to event 999'):
        story.decide()


def test_a_proxy_of_the_class_takes_no_part_in_it():
    assert Desk.echo.task(1).number is None
