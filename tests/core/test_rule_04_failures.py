"""Rule 4: failure is an exception at the yield, and none is lost."""

from __future__ import annotations

import pytest

from genflow import (
    ActivityCanceled,
    ActivityFailed,
    ActivityTimedOut,
    ChildCanceled,
    ChildFailed,
    ChildTerminated,
    ChildTimedOut,
    LambdaFailed,
    LambdaTimedOut,
    TaskFailed,
    TaskTimeout,
)

from .story import Story


class PaymentDeclined(Exception):
    def __init__(self, card, amount):
        super().__init__(card, amount)
        self.card = card
        self.amount = amount


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
