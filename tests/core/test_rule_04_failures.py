"""Rule 4: failure is an exception at the yield, and none is lost."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest

from genflow import (
    ActivityCanceled,
    ActivityFailed,
    ActivityProxy,
    ActivityTimedOut,
    ChildCanceled,
    ChildFailed,
    ChildTerminated,
    ChildTimedOut,
    LambdaFailed,
    LambdaTimedOut,
    TaskFailed,
    TaskTimeout,
    WorkflowProxy,
    all_of,
    any_of,
    first_success,
)
from genflow.core.serialization import encode

from .story import Story


class PaymentDeclined(Exception):
    def __init__(self, card, amount):
        super().__init__(card, amount)
        self.card = card
        self.amount = amount


class StolenCard(PaymentDeclined):
    pass


class Stubborn(Exception):
    def __init__(self):
        super().__init__('made of more than its arguments', 2)


def caught(call, happen, **story):
    """The exception that one call raises, as ``run`` sees it."""
    seen = []

    def run(self):
        try:
            yield call(self)
        except TaskFailed as error:
            seen.append(error)

    told = Story(run, **story)
    told.decide()
    happen(told)
    told.decide()
    assert told.closed is not None
    return seen[0]


OUTCOMES = {
    'activity failed': (lambda s: s.echo(), lambda t: t.failed(1), ActivityFailed),
    'activity timed out': (lambda s: s.echo(), lambda t: t.timed_out(1), ActivityTimedOut),
    'activity canceled': (lambda s: s.echo(), lambda t: t.canceled(1), ActivityCanceled),
    'child failed': (lambda s: s.child(), lambda t: t.failed(1), ChildFailed),
    'child timed out': (lambda s: s.child(), lambda t: t.timed_out(1), ChildTimedOut),
    'child canceled': (lambda s: s.child(), lambda t: t.canceled(1), ChildCanceled),
    'child terminated': (lambda s: s.child(), lambda t: t.terminated(1), ChildTerminated),
    'lambda failed': (lambda s: s.shrink(1), lambda t: t.failed(1), LambdaFailed),
    'lambda timed out': (lambda s: s.shrink(1), lambda t: t.timed_out(1), LambdaTimedOut),
}


@pytest.mark.parametrize('name', OUTCOMES)
def test_each_outcome_raises_its_own_class(name):
    call, happen, expected = OUTCOMES[name]
    error = caught(call, happen)
    assert type(error) is expected
    assert error.task.number == 1


def test_reason_and_details_travel():
    error = caught(lambda s: s.echo(), lambda t: t.failed(1, reason='no paper', details='tray 2'))
    assert (error.reason, error.details, error.traceback) == ('no paper', 'tray 2', None)
    assert 'no paper' in str(error)


def test_a_remote_traceback_travels():
    error = caught(lambda s: s.echo(), lambda t: t.failed(1, KeyError('k')))
    assert error.traceback == 'Traceback: remote'
    assert 'Traceback: remote' in str(error)
    assert error.reason == "KeyError: 'k'"
    assert 'builtins.KeyError' in error.names


def test_a_timeout_says_its_type_and_is_a_timeout_error():
    error = caught(lambda s: s.echo(), lambda t: t.timed_out(1, 'HEARTBEAT', 'page 3'))
    assert isinstance(error, TimeoutError)
    assert isinstance(error, TaskTimeout)
    assert (error.timeout_type, error.details) == ('HEARTBEAT', 'page 3')


def test_uncaught_it_fails_the_workflow_with_the_users_frames():
    def run(self):
        yield from helper(self)

    def helper(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.failed(1, KeyError('k'))
    (line,) = story.decide()
    assert line.startswith('fail ActivityFailed: activity 1 Echo v1')
    trace = story.failure.traceback
    assert 'in helper' in trace
    assert 'yield self.echo()' in trace
    assert 'Traceback: remote' in trace
    assert 'branches.py' not in trace


def reads_a_result(self):
    task = self.echo()
    yield self.go.get()
    task.result()


def has_a_side_effect(self):
    yield self.go.get()
    self.side_effect(lambda: 1 / 0)


@pytest.mark.parametrize('run', [reads_a_result, has_a_side_effect])
def test_frames_of_the_engine_are_not_shown(run):
    story = Story(run)
    story.decide()
    if run is reads_a_result:
        story.failed(1)
    story.signaled('go')
    story.decide()
    assert f'in {run.__name__}' in story.failure.traceback
    assert 'genflow/core' not in story.failure.traceback.replace('tests/core', '')


def test_an_exception_of_the_users_own_fails_the_workflow():
    def run(self):
        yield self.echo()
        raise PaymentDeclined('visa', 5)

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ["fail PaymentDeclined: ('visa', 5)"]
    assert story.failure.args == ('visa', 5)
    assert story.failure.names[0] == f'{__name__}.PaymentDeclined'


def test_failing_discards_what_was_not_sent():
    def run(self):
        self.echo()
        self.sleep(5)
        self.child()
        self.child.with_options(delay=5)()
        self.shrink(1)
        self.external('w').signal('news')
        raise ValueError

    assert Story(run).decide() == ['signal w news null', 'fail ValueError']


# raises=


def raising(*classes):
    return {'pay': ActivityProxy('Pay', '1', retry=0, raises=classes)}


def test_the_activitys_own_class_comes_back():
    def run(self):
        try:
            yield self.pay()
        except PaymentDeclined as error:
            cause = error.__cause__
            return [type(error).__name__, error.card, error.amount, type(cause).__name__, cause.task.number]

    story = Story(run, members=raising(PaymentDeclined))
    story.decide()
    story.failed(1, PaymentDeclined('visa', 5))
    assert story.decide() == ['complete ["PaymentDeclined","visa",5,"ActivityFailed",1]']


def test_the_class_of_a_base_comes_back_where_only_that_is_named():
    def run(self):
        try:
            yield self.pay()
        except PaymentDeclined as error:
            return [type(error).__name__, error.card]

    story = Story(run, members=raising(PaymentDeclined))
    story.decide()
    story.failed(1, StolenCard('visa', 5))
    assert story.decide() == ['complete ["PaymentDeclined","visa"]']


def test_the_most_derived_class_wins():
    def run(self):
        try:
            yield self.pay()
        except PaymentDeclined as error:
            return type(error).__name__

    story = Story(run, members=raising(PaymentDeclined, StolenCard))
    story.decide()
    story.failed(1, StolenCard('visa', 5))
    assert story.decide() == ['complete "StolenCard"']


@pytest.mark.parametrize(
    ('classes', 'error'),
    [((KeyError,), PaymentDeclined('visa', 5)), ((Stubborn,), Stubborn()), ((), KeyError('k'))],
    ids=['another class', 'arguments that do not fit', 'none named'],
)
def test_what_cannot_be_brought_back_stays_an_activity_failure(classes, error):
    def run(self):
        try:
            yield self.pay()
        except ActivityFailed:
            return 'as it is'

    story = Story(run, members=raising(*classes))
    story.decide()
    story.failed(1, error)
    assert story.decide() == ['complete "as it is"']


def test_a_name_in_a_payload_is_never_imported():
    def run(self):
        try:
            yield self.pay()
        except ActivityFailed as error:
            return error.names

    details = encode({'genflow.failure': 1, 'names': ['antigravity.X'], 'args': [], 'traceback': ''})
    story = Story(run, members=raising(KeyError))
    story.decide()
    story.failed(1, reason='x', details=details)
    story.decide()
    assert story.result == ['antigravity.X']
    assert 'antigravity' not in sys.modules


def test_a_child_brings_its_class_back_too():
    def run(self):
        try:
            yield self.order()
        except PaymentDeclined as error:
            return error.card

    story = Story(run, members={'order': WorkflowProxy('Order', '1', retry=0, raises=(PaymentDeclined,))})
    story.decide()
    story.failed(1, PaymentDeclined('visa', 5))
    assert story.decide() == ['complete "visa"']


# a failure waits to be taken, and is not lost


def test_a_failure_waits_while_run_can_still_yield_it():
    def run(self):
        task = self.echo()
        yield self.other()
        try:
            yield task
        except ActivityFailed:
            return 'taken late'

    story = Story(run)
    story.decide()
    story.failed(1)
    assert story.decide() == []
    story.completed(2)
    assert story.decide() == ['complete "taken late"']


def test_a_failure_that_nobody_took_fails_the_workflow_when_run_returns():
    def run(self):
        self.echo()
        yield self.other()

    story = Story(run)
    story.decide()
    story.failed(1, reason='lost')
    assert story.decide() == []
    story.completed(2)
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: lost']


def test_a_failure_that_comes_after_run_returned_fails_the_workflow():
    def run(self):
        self.echo()
        return 'fine'

    story = Story(run)
    story.decide()
    story.failed(1, reason='late')
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: late']


def test_error_handling_on_the_proxy_lets_a_failure_go():
    def run(self):
        self.careless()
        yield self.other()
        return 'fine'

    story = Story(run, members={'careless': ActivityProxy('Careless', '1', retry=0, error_handling=True)})
    story.decide()
    story.failed(1)
    story.completed(2)
    assert story.decide() == ['complete "fine"']


def test_error_handling_does_not_keep_a_failure_from_its_yield():
    def run(self):
        yield self.careless()

    story = Story(run, members={'careless': ActivityProxy('Careless', '1', retry=0, error_handling=True)})
    story.decide()
    story.failed(1)
    assert story.decide()[0].startswith('fail ActivityFailed')


def result_read(self, task):
    with pytest.raises(ActivityFailed):
        task.result()


def passed(self, task):
    return self.other.with_options(error_handling=True)(task)


def cancelled(self, task):
    task.cancel()


def yielded(self, task):
    with suppress(ActivityFailed):
        yield task


def member_of_all(self, task):
    with suppress(ActivityFailed):
        yield all_of(task, self.go.get())


def member_of_all_returned(self, task):
    yield all_of([task], failures='return')


def member_of_first_success(self, task):
    yield first_success(task, self.sleep(0))


TAKING = {
    'its exception() is read': (lambda self, task: task.exception(), 'after'),
    'its result() is read': (result_read, 'after'),
    'it is passed as an argument': (passed, 'after'),
    'it is cancelled': (cancelled, 'before'),
    'it is yielded': (yielded, 'after'),
    'it is a member of a yielded all_of': (member_of_all, 'after'),
    'it is a member of a yielded all_of that returns failures': (member_of_all_returned, 'after'),
}


@pytest.mark.parametrize('name', TAKING)
def test_a_failure_is_taken_when(name):
    take, when = TAKING[name]

    def run(self):
        task = self.echo()
        if when == 'after':
            yield self.other()
        found = take(self, task)
        if hasattr(found, 'gi_frame'):
            yield from found
        if when == 'before':
            yield self.other()
        return 'fine'

    story = Story(run)
    story.decide()
    if when == 'after':
        story.failed(1)
    story.completed(2)
    story.decide()
    assert story.result == 'fine'


def test_a_failed_winner_of_any_of_is_taken_only_when_it_is_asked():
    def run(self):
        winner = yield any_of(self.echo(), self.sleep(60))
        return winner.number

    story = Story(run)
    story.decide()
    story.failed(1, reason='won')
    assert story.decide()[-1] == 'fail ActivityFailed: activity 1 Echo v1: won'


def test_a_failed_winner_of_any_of_that_is_asked_is_taken():
    def run(self):
        winner = yield any_of(self.echo(), self.sleep(60))
        return str(winner.exception().reason)

    story = Story(run)
    story.decide()
    story.failed(1, reason='won')
    assert story.decide()[-1] == 'complete "won"'


def test_the_failure_of_a_loser_of_any_of_is_taken():
    def run(self):
        yield any_of(self.echo(), self.other())
        yield self.sleep(5)
        return 'fine'

    story = Story(run)
    story.decide()
    story.completed(2)
    story.decide()
    story.failed(1)
    story.fired(3)
    assert story.decide() == ['complete "fine"']


@pytest.mark.parametrize(
    'combine', [all_of, any_of, lambda *tasks: all_of(*tasks, failures='return')], ids=['all', 'any', 'return']
)
def test_a_combinator_that_nobody_yields_takes_nothing(combine):
    def run(self):
        combine(self.echo(), self.other())
        return 'fine'

    story = Story(run)
    story.decide()
    story.failed(1, reason='unseen')
    story.completed(2)
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: unseen']


def test_a_failed_branch_that_nobody_takes_fails_the_workflow():
    def run(self):
        def branch():
            yield self.echo()
            raise KeyError('branch')

        self.spawn(branch())
        return 'fine'

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ["fail KeyError: 'branch'"]


def test_the_first_of_several_untaken_failures_is_the_one():
    def run(self):
        self.echo()
        self.other()
        return 'fine'

    story = Story(run)
    story.decide()
    story.failed(2, reason='first')
    story.failed(1, reason='second')
    assert story.decide() == ['fail ActivityFailed: activity 2 Other v2: first']


def test_the_same_failure_may_be_raised_more_than_once():
    def run(self):
        task = self.echo()
        seen = []
        for _ in range(3):
            try:
                yield task
            except ActivityFailed as error:
                seen.append(len(list(walk(error.__traceback__))))
        return seen

    story = Story(run)
    story.decide()
    story.failed(1)
    story.decide()
    first, *others = story.result
    assert others == [first, first]  # frames do not pile up


def walk(trace):
    while trace is not None:
        yield trace
        trace = trace.tb_next


def test_a_result_that_cannot_be_read_is_held():
    from genflow import HistoryError

    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.completed(1, text='{oops')
    with pytest.raises(HistoryError, match=r'activity 1 Echo v1.*\{oops'):
        story.decide()
