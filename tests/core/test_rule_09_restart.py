"""Rule 9: a restart continues as new, and drops nothing silently."""

from __future__ import annotations

import math

import pytest

from genflow import DefinitionError, PayloadTooLarge, Signal, WorkflowCanceled
from genflow.core.payloads.hooks import decode

from .story import Desk, Story


def test_unread_signals_that_do_not_fit_into_a_restart_hold_it():
    def run(self, drains=False):
        yield self.sleep(1)
        if drains:
            self.go.drain()
        return self.restart()

    story = Story(run)
    story.decide()
    for _ in range(4):
        story.signaled('go', 'x' * 10_000)
    story.fired(1)
    with pytest.raises(
        PayloadTooLarge,
        match=r"unread signals: 'go' \(4\)\) has 40,\d{3} characters, SWF takes 32,768; have run read them",
    ):
        story.decide()

    story = Story(run, True)
    story.decide()
    for _ in range(4):
        story.signaled('go', 'x' * 10_000)
    story.fired(1)
    story.decide()
    assert story.closed.how == 'continued'


def test_a_returned_restart_continues_as_new():
    def run(self, page):
        yield self.echo(page)
        return self.restart(page + 1, key='x')

    story = Story(run, 1)
    story.decide()
    story.completed(1)
    assert story.decide() == ['continue [[2],{"key":"x"}]']
    assert story.closed.how == 'continued'


def test_a_restart_waits_for_what_was_called():
    def run(self):
        self.child()
        self.sleep(99)
        return self.restart()

    story = Story(run)
    story.decide()
    assert story.closed is None
    story.child_started(1)
    assert story.decide() == []
    story.completed(1)
    assert story.decide() == ['continue [[],{}]']


def test_a_plain_run_may_restart():
    assert Story(lambda self: self.restart(1)).decide() == ['continue [[1],{}]']


def test_a_failure_that_was_never_retrieved_goes_before_a_restart():
    def run(self):
        self.echo()
        return self.restart()

    story = Story(run)
    story.decide()
    story.failed(1, reason='lost')
    assert story.decide() == ['fail ActivityFailed: activity 1 Echo v1: lost']


def test_a_restart_keeps_the_settings_of_event_1():
    given = {
        'task_list': 'mine',
        'workflow_duration': 60,
        'decision_duration': math.inf,
        'child_policy': 'ABANDON',
        'priority': 3,
        'tags': ('a', 'b'),
        'lambda_role': 'role',
    }
    story = Story(lambda self: self.restart(), **given)
    story.decide()
    (decision,) = story.answer.all
    assert {name: getattr(decision, name) for name in given} == given
    assert decision.version is None


def test_with_options_says_something_else():
    def run(self):
        return self.restart.with_options(version=2, task_list='other', tags=['c'], workflow_duration=5.5)(7)

    story = Story(run, task_list='mine', workflow_duration=60, tags=('a',), priority=3)
    story.decide()
    (decision,) = story.answer.all
    assert decision.version == '2'
    assert decision.task_list == 'other'
    assert decision.tags == ('c',)
    assert decision.workflow_duration == 6
    assert decision.priority == 3
    assert decision.input == '[[7],{}]'


def test_tags_may_be_taken_away():
    story = Story(lambda self: self.restart.with_options(tags=())(), tags=('a',))
    story.decide()
    assert story.answer.all[0].tags == ()


@pytest.mark.parametrize('options', [{'retry': 3}, {'nonsense': 1}, {'child_policy': 'KEEP'}, {'tags': list('abcdef')}])
def test_options_that_a_restart_does_not_have_are_refused(options):
    def run(self):
        try:
            self.restart.with_options(**options)
        except DefinitionError:
            return 'refused'

    assert Story(run).decide() == ['complete "refused"']


def test_restart_arguments_have_a_serializer_of_their_own():
    class Own(Desk):
        def _serialize_restart_arguments(self, *args, **kwargs):
            return f'own {args}'

        def run(self):
            return self.restart(1)

    assert Story(Own).decide() == ['continue own (1,)']


def calls(self):
    self.restart()
    yield self.echo()


def yields(self):
    task = self.echo()
    yield self.other()
    self.restart()
    yield task


def sleeps(self):
    self.restart()
    yield self.sleep(5)


def yields_nothing_to_wait_for(self):
    self.restart()
    yield []


@pytest.mark.parametrize('run', [calls, yields, sleeps, yields_nothing_to_wait_for])
def test_a_call_or_a_yield_after_an_unreturned_restart_is_a_yield_error(run):
    story = Story(run)
    said = story.decide()
    if run is yields:
        story.completed(2)
        said = story.decide()
    assert said[0].startswith('fail YieldError')
    assert 'return self.restart' in said[0]
    assert run.__name__ in story.failure.traceback


def test_a_branch_continues_after_the_restart_was_returned():
    def run(self):
        def branch():
            yield self.echo()
            yield self.other()

        self.spawn(branch())
        return self.restart()
        yield

    story = Story(run)
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed(1)
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.completed(2)
    assert story.decide() == ['continue [[],{}]']


def test_a_restart_that_is_not_returned_is_a_yield_error():
    def run(self):
        self.restart(1)
        return 'something else'

    (line,) = Story(run).decide()
    assert line.startswith('fail YieldError: restart() was called but not returned')


def test_a_restart_is_a_value_by_hand():
    class Pages(Desk):
        def run(self, page):
            yield self.echo(page)
            return self.restart(page + 1)

    w = Pages()
    run = w.run(1)
    next(run)
    with pytest.raises(StopIteration) as stop:
        run.send(None)
    assert stop.value.value == w.restart(2)
    assert stop.value.value != w.restart(3)


# signals


def reading(self, seen=()):
    seen = list(seen)
    while len(seen) < 2:
        seen.append((yield self.go.get()))
    return self.restart(seen)


def test_unread_signals_travel_along():
    story = Story(reading)
    story.decide()
    for value in 'abc':
        story.signaled('go', value)
    story.signaled('unknown to the code', {'x': 1})
    (line,) = story.decide()
    envelope = decode(line.removeprefix('continue '))
    assert envelope == {
        'genflow.restart': 1,
        'input': '[[["a","b"]],{}]',
        'signals': [['go', '"c"'], ['unknown to the code', '{"x":1}']],
    }


def test_the_next_run_finds_them_before_its_own():
    def run(self, seen):
        yield self.echo(seen)
        return [(yield self.go.get()), (yield self.go.get()), (yield self.go.get(raw=True))]

    first = Story(reading)
    first.decide()
    for value in 'abcd':
        first.signaled('go', value)
    first.decide()
    second = Story(run, input=first.closed.result)
    assert second.decide() == ['activity 1.1 Echo [[["a","b"]],{}]']
    second.signaled('go', 'e')
    second.completed(1)
    assert second.decide() == ['complete ["c","d","\\"e\\""]']


def test_without_unread_signals_there_is_no_envelope():
    story = Story(reading)
    story.decide()
    story.signaled('go', 'a')
    story.signaled('go', 'b')
    assert story.decide() == ['continue [[["a","b"]],{}]']


def test_a_signal_that_arrives_with_the_restart_is_not_lost():
    story = Story(reading)
    story.decide()
    story.signaled('go', 'a')
    story.signaled('go', 'b')
    assert story.start() == ['continue [[["a","b"]],{}]']
    story.signaled('go', 'late')
    story.respond()
    assert story.closed is None
    (line,) = story.decide()
    assert decode(line.removeprefix('continue '))['signals'] == [['go', '"late"']]


def test_inputs_that_nobody_decoded_travel_as_they_are():
    story = Story(lambda self: self.restart())
    story.signaled('go', text='{no json')
    story.signaled('stop', text=None)
    story.events[-1].input = None
    (line,) = story.decide()
    assert decode(line.removeprefix('continue '))['signals'] == [['go', '{no json'], ['stop', None]]


def test_an_own_transport_sees_its_own_input_only():
    class Own(Desk):
        def _deserialize_arguments(self, input):
            return (input,), {}

        def run(self, text):
            yield self.echo(text, len(self.go))

    story = Story(Own, input='{"genflow.restart":1,"input":"mine","signals":[["go","1"]]}')
    assert story.decide() == ['activity 1.1 Echo [["mine",1],{}]']


def test_a_refused_restart_fails_the_execution():
    story = Story(lambda self: self.restart.with_options(version='9')())
    story.start()
    completed = story.answer
    assert completed.all[0].version == '9'
    story.respond_close_refused('WORKFLOW_TYPE_DOES_NOT_EXIST')
    (line,) = story.decide()
    assert line.startswith('fail ScheduleFailed: WORKFLOW_TYPE_DOES_NOT_EXIST')


def test_a_cancelled_run_may_restart_in_its_handler():
    def run(self):
        try:
            yield self.echo()
        except WorkflowCanceled:
            return self.restart('canceled')

    story = Story(run)
    story.decide()
    story.cancel_requested()
    assert story.decide()[-1] == 'continue [["canceled"],{}]'


def test_a_signal_of_another_name_than_its_attribute_travels_under_its_own():
    class Named(Desk):
        ready = Signal('is-ready')

        def run(self):
            yield self.echo()
            return self.restart(len(self.ready))

    story = Story(Named)
    story.signaled('is-ready')
    story.decide()
    story.completed(1)
    (line,) = story.decide()
    assert decode(line.removeprefix('continue '))['signals'] == [['is-ready', 'null']]
