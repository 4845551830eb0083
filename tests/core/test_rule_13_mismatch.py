"""Rule 13: a mismatch kills nothing and hides nowhere."""

from __future__ import annotations

import logging
import re

import pytest

from genflow import ActivityProxy, NondeterminismError, WorkflowProxy
from genflow.core.engine.execution import Execution

from .story import Desk, Story

MEMBERS = {'greet': ActivityProxy('Greet', '1', retry=0), 'order': WorkflowProxy('Order', '1', retry=0)}


def recorded(self):
    one = yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('target').signal('news', 5)
    yield self.external('target').cancel()
    yield self.shrink('six')
    return one


def history():
    story = Story(recorded, members=MEMBERS)
    story.decide()
    story.completed(1, 1)
    story.decide()
    story.completed(2)
    story.completed(3)
    story.decide()
    story.child_started(4)
    story.decide()
    story.completed('order-7')
    story.decide()
    story.fired(5)
    story.decide()
    story.delivered(6)
    story.decide()
    story.delivered('cancel target')
    story.decide()
    story.completed(8)
    story.decide()
    assert story.result == 1
    return story


HISTORY = history().events


def replay(run, input_mismatch='warn', **members):
    """The recorded history against other code."""
    cls = type('Desk', (Desk,), {'run': run, **MEMBERS, **members})
    execution = Execution(Story(cls).spec, workflow_id='desk-1', run_id='run-1', input_mismatch=input_mismatch)
    try:
        return execution.advance(HISTORY)
    finally:
        execution.close()


def test_the_recorded_code_follows():
    assert replay(recorded) is None


def renamed(self):
    yield from recorded(self)


def swapped(self):
    yield self.echo('one')
    yield [self.other('three'), self.greet('two')]


def inserted(self):
    yield self.echo('one')
    self.echo('more')
    yield [self.greet('two'), self.other('three')]


def removed(self):
    yield self.echo('one')
    yield [self.other('three')]


def of_another_kind(self):
    yield self.echo('one')
    yield [self.order('two'), self.other('three')]


def another_child_id(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-8')('four')


def another_length(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(61)


def another_target(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('somebody else').signal('news', 5)


def another_signal(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('target').signal('gossip', 5)


def another_run(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('target', 'that run').signal('news', 5)


def another_cancel_target(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('target').signal('news', 5)
    yield self.external('somebody else').cancel()


def another_function(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('target').signal('news', 5)
    yield self.external('target').cancel()
    yield self.grow('six')


def returns_early(self):
    yield self.echo('one')


def raises_early(self):
    yield self.echo('one')
    raise ValueError('new')


def returns_late(self):
    yield from recorded(self)
    yield self.echo('more')


def raises_at_the_end(self):
    yield from recorded(self)
    raise ValueError('new')


def restarts_at_the_end(self):
    yield from recorded(self)
    return self.restart()


def waits_for_ever(self):
    yield from recorded(self)
    yield self.go.get()


def asks_for_chance(self):
    yield self.echo('one')
    self.random.random()
    yield [self.greet('two'), self.other('three')]


def asks_for_a_uuid(self):
    self.uuid4()
    yield self.echo('one')


def asks_for_a_side_effect(self):
    yield self.echo(self.side_effect(lambda: 'one'))


MUTATIONS = {
    'an activity renamed': (renamed, {'greet': ActivityProxy('Hail', '1')}, 'name='),
    'a version bumped': (renamed, {'greet': ActivityProxy('Greet', '2')}, 'version='),
    'two calls swapped': (swapped, {}, 'activity'),
    'a call inserted': (inserted, {}, 'activity'),
    'a call removed': (removed, {}, 'activity'),
    'another kind': (of_another_kind, {}, 'child'),
    'another child id': (another_child_id, {}, 'order-8'),
    'another length': (another_length, {}, '61'),
    'another target': (another_target, {}, 'somebody else'),
    'another run': (another_run, {}, 'that run'),
    'another signal': (another_signal, {}, 'gossip'),
    'another target of a cancel request': (another_cancel_target, {}, 'somebody else'),
    'another function': (another_function, {'grow': Desk.shrink.__class__('grow')}, 'grow'),
    'an early return': (returns_early, {}, 'run returned .*in returns_early'),
    'an early raise': (raises_early, {}, 'run raised .*in raises_early'),
    'a late return': (returns_late, {}, r'asked:    activity number=9, name=.Echo.(.|\n)*called at .*in returns_late'),
    'a raise for a return': (raises_at_the_end, {}, 'WorkflowExecutionCompleted(.|\n)*run raised'),
    'a restart for a return': (restarts_at_the_end, {}, 'run returned a restart'),
    'no end': (waits_for_ever, {}, 'nothing more'),
    'chance': (asks_for_chance, {}, 'random number'),
    'a uuid': (asks_for_a_uuid, {}, 'UUID'),
    'a side effect': (asks_for_a_side_effect, {}, 'side effect'),
}


@pytest.mark.parametrize('name', MUTATIONS)
def test_it_is_caught(name):
    run, members, shown = MUTATIONS[name]
    with pytest.raises(NondeterminismError) as caught:
        replay(run, **members)
    report = str(caught.value)
    assert re.search(shown, report), report
    assert __file__ in report, report


SWALLOWED = ('two calls swapped', 'an early raise', 'chance', 'a side effect')


@pytest.mark.parametrize('name', SWALLOWED)
def test_user_code_cannot_swallow_it(name):
    run, members, _ = MUTATIONS[name]

    def swallowing(self):
        generator = run(self)
        value = None
        while True:
            try:
                value = yield generator.send(value)
            except StopIteration:
                return
            except BaseException:
                value = None

    with pytest.raises(NondeterminismError):
        replay(swallowing, **members)


def test_the_report_says_all_there_is_to_know():
    with pytest.raises(NondeterminismError) as caught:
        replay(another_length)
    report = str(caught.value)
    event = next(event for event in HISTORY if type(event).__name__ == 'TimerStarted')
    assert caught.value.event_id == event.id
    lines = report.splitlines()
    assert 'Desk 1' in lines[0]
    assert 'desk-1' in lines[0]
    assert 'run-1' in lines[0]
    (was,) = [line for line in lines if line.startswith('- ')]
    (now,) = [line for line in lines if line.startswith('+ ')]
    assert f'event {event.id}' in was
    assert 'TimerStarted' in was
    assert '60' in was
    assert '61' in now
    line = another_length.__code__.co_firstlineno + 4
    assert f'{__file__}:{line}' in report
    agreed = [line for line in lines if 'agreed' in line]
    assert len(agreed) == 3
    assert 'Greet' in agreed[0]
    assert 'Other' in agreed[1]
    assert 'Order' in agreed[2]
    assert 'self.patched(' in report


@pytest.mark.parametrize('name', ['a call removed', 'a call inserted', 'no end'])
def test_the_report_of_what_is_missing_or_added_has_both_sides(name):
    run, members, _ = MUTATIONS[name]
    with pytest.raises(NondeterminismError) as caught:
        replay(run, **members)
    report = str(caught.value)
    assert re.search(r'^- recorded: +\S', report, re.MULTILINE)
    assert re.search(r'^\+ asked: +\S', report, re.MULTILINE)


def other_input(self):
    yield self.echo('another one')
    return (yield from rest(self))


def rest(self):
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('target').signal('news', 5)
    yield self.external('target').cancel()
    yield self.shrink('six')
    return 1


def test_another_input_is_reported_and_followed(caplog):
    caplog.set_level(logging.WARNING)
    assert replay(other_input) is None
    (record,) = caplog.records
    assert record.name == 'genflow'
    for part in ('Echo', '[["one"],{}]', '[["another one"],{}]', __file__):
        assert part in record.message


def test_another_input_is_an_error_where_that_is_requested():
    with pytest.raises(NondeterminismError, match='another one') as caught:
        replay(other_input, input_mismatch='error')
    assert caught.value.event_id == next(e.id for e in HISTORY if type(e).__name__ == 'ActivityScheduled')


def other_child_input(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('4')
    yield self.sleep(60)


def other_signal_input(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('target').signal('news', 6)


def other_lambda_input(self):
    yield self.echo('one')
    yield [self.greet('two'), self.other('three')]
    yield self.order.with_options(workflow_id='order-7')('four')
    yield self.sleep(60)
    yield self.external('target').signal('news', 5)
    yield self.external('target').cancel()
    yield self.shrink('7')


@pytest.mark.parametrize('run', [other_child_input, other_signal_input, other_lambda_input])
def test_inputs_of_every_kind_are_compared(run):
    with pytest.raises(NondeterminismError, match='input of'):
        replay(run, input_mismatch='error')


def test_the_report_on_an_input_is_whole():
    with pytest.raises(NondeterminismError) as caught:
        replay(other_signal_input, input_mismatch='error')
    lines = caught.value.report.splitlines()
    assert re.fullmatch(r"the input of signal \d+ 'news' to target is not what event \d+ recorded", lines[0])
    assert re.match(rf"- recorded: event {caught.value.event_id} SignalInitiated .*signal='news', input='5'", lines[1])
    assert re.match(r"\+ asked:    signal .*signal='news', input='6'", lines[2])
    assert re.match(r'called at .*test_rule_13_mismatch.py:\d+ in other_signal_input', lines[3])
    assert [line.split()[0] for line in lines[4:7]] == ['agreed:'] * 3
    assert 'self.patched(' in lines[7]


def test_another_result_is_reported(caplog):
    def run(self):
        yield from recorded(self)
        return 'another'

    assert replay(run) is None
    (record,) = caplog.records
    assert 'result' in record.message


def test_the_same_json_in_other_words_is_the_same_input(caplog):
    class Spaced(ActivityProxy):
        def _serialize_arguments(self, *args, **kwargs):
            return '[ ["one"],  {} ]'

    assert replay(recorded, echo=Spaced('Echo', 'v1', retry=0)) is None
    assert caplog.records == []


def test_retries_and_delays_shift_no_numbers():
    """Rule 15: changing `retry` or `delay` breaks no running execution."""
    members = {
        'greet': ActivityProxy('Greet', '1', retry=5, delay=30),
        'echo': ActivityProxy('Echo', 'v1', retry=0, delay=1, task_list='elsewhere', heartbeat=7),
    }
    assert replay(recorded, **members) is None


def test_options_of_a_call_are_not_compared():
    def run(self):
        with self.options(task_list='gpu', priority=3):
            return (yield from recorded(self))

    assert replay(run) is None


def test_a_live_decision_with_more_than_the_recorded_one_continues():
    story = Story(recorded, members=MEMBERS)
    story.decide()
    story.completed(1, 1)
    assert story.decide() == ['activity 2.1 Greet [["two"],{}]', 'activity 3.1 Other [["three"],{}]']


def test_a_cancel_request_that_the_history_does_not_show_is_caught():
    """It shifts no number and comes last, so no other event tells."""

    def asks(self, cancels):
        slow = self.echo('slow')
        yield self.other('first')
        second = self.other('second')
        if cancels:
            slow.cancel()
        yield second
        return 'done'

    story = Story(lambda self: asks(self, cancels=False))
    story.decide()
    story.completed(2)
    story.decide()
    story.completed(3)
    story.decide()
    cls = type('Desk', (Desk,), {'run': lambda self: asks(self, cancels=True)})
    execution = Execution(Story(cls).spec, workflow_id='desk-1', run_id='run-1')
    with pytest.raises(NondeterminismError, match=r'nothing more(.|\n)*cancel(.|\n)*in asks'):
        execution.advance(story.events)
    execution.close()


@pytest.mark.parametrize('asks', [lambda self: self.random.random(), lambda self: self.uuid4()])
def test_code_that_requests_what_the_decision_does_not_show_gets_no_further(asks):
    story = Story(lambda self: (yield self.echo(1)))
    story.decide()
    story.completed(1, 'one')
    story.decide()
    further = []

    def run(self):
        value = asks(self)
        further.append(value)
        yield self.echo(1)

    execution = Execution(Story(type('Desk', (Desk,), {'run': run})).spec, workflow_id='desk-1', run_id='run-1')
    with pytest.raises(NondeterminismError):
        execution.advance(story.events)
    execution.close()
    assert further == []


def test_two_patches_in_another_order_are_a_mismatch():
    def asks(self, *changes):
        for change in changes:
            self.patched(change)
        yield self.echo(1)
        yield self.other(2)

    story = Story(lambda self: asks(self, 'a', 'b'))
    story.decide()
    story.completed(1)
    story.decide()
    cls = type('Desk', (Desk,), {'run': lambda self: asks(self, 'b', 'a')})
    execution = Execution(Story(cls).spec, workflow_id='desk-1', run_id='run-1')
    with pytest.raises(NondeterminismError, match=r'recorded: event 5 MarkerRecorded(.|\n)*asked: '):
        execution.advance(story.events)
    execution.close()
