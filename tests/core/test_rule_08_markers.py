"""Rule 8: side effects and patches are remembered in markers."""

from __future__ import annotations

import pytest

from genflow import DefinitionError, NondeterminismError, PayloadTooLarge, TaskFailed

from .story import Desk, Story


def test_a_side_effect_happens_once():
    calls = []

    def run(self):
        value = self.side_effect(lambda: calls.append(1) or len(calls))
        yield self.echo(value)
        return value

    story = Story(run)
    # cold and kept are two workers here: each makes the value of a live decision
    with pytest.raises(AssertionError, match='sticky'):
        story.decide()
    assert len(calls) == 2


class Asks(Desk):
    """Asks itself for something in the function of a side effect."""

    def branch(self):
        yield self.echo()

    def run(self, name):
        try:
            self.side_effect(lambda: ASKED[name](self) and None)
        except DefinitionError as error:
            yield self.echo(str(error))
        return [str(self.uuid4()), self.random.random()]


ASKED = {
    'a call': lambda self: self.echo(),
    'a timer': lambda self: self.sleep(1),
    'a branch': lambda self: self.spawn(self.branch()),
    'chance': lambda self: self.random.random(),
    'a UUID': lambda self: self.uuid4(),
    'a patch': lambda self: self.patched('change'),
    'the end of a patch': lambda self: self.deprecate_patch('change'),
    'a side effect': lambda self: self.side_effect(lambda: 1),
    'a status': lambda self: self.set_status('x'),
    'signals': lambda self: self.go.drain(),
    'a signal': lambda self: self.go.get(),
    'a restart': lambda self: self.restart(1),
}


@pytest.mark.parametrize('name', ASKED)
def test_a_side_effect_that_asks_the_workflow_for_something_is_refused(name):
    story = Story(Asks, name)
    marker, *others = story.decide()
    assert marker.startswith('marker genflow.side_effect {"n":1,"reason":"DefinitionError: the function given to')
    assert len(others) == 1
    assert 'it must not use the workflow' in others[0]
    story.completed(1)
    story.decide()  # a replay refuses it likewise
    assert story.closed.how == 'completed'


DONE_WITH = {
    'cancel': lambda task, child, told: task.cancel(),
    'timeout': lambda task, child, told: task.timeout(1),
    'signal': lambda task, child, told: child.signal('s'),
    'set_result': lambda task, child, told: told.set_result(1),
    'set_exception': lambda task, child, told: told.set_exception(ValueError()),
}


@pytest.mark.parametrize('name', DONE_WITH)
def test_a_side_effect_that_does_something_with_a_task_is_refused(name):
    def run(self):
        tasks = self.echo(), self.child(), self.future()
        with pytest.raises(DefinitionError, match='it must not use the workflow'):
            self.side_effect(lambda: DONE_WITH[name](*tasks) and None)
        assert not tasks[2].done()
        yield tasks[:2]

    assert [line.split()[0] for line in Story(run).decide()] == ['marker', 'activity', 'child']


def test_a_side_effect_may_log_and_look_at_the_clock(caplog):
    caplog.set_level('INFO')

    def run(self):
        return self.side_effect(lambda: self.logger.info('in it') or self.now().year)

    story = Story(run)
    story.decide()
    assert story.result == 2020
    assert {record.getMessage() for record in caplog.records} == {'in it'}


def test_a_recorded_side_effect_is_read_from_its_marker():
    calls = []

    def run(self):
        value = self.side_effect(lambda: calls.append(1) or 'value')
        yield self.echo(value)
        return [value, self.side_effect(lambda: calls.append(1) or 'later')]

    story = Story(run)
    assert story.decide() == [
        'marker genflow.side_effect {"n":1,"value":"value"}',
        'activity 1.1 Echo [["value"],{}]',
    ]
    assert len(calls) == 2  # once each
    story.completed(1)
    assert story.decide() == [
        'marker genflow.side_effect {"n":2,"value":"later"}',
        'complete ["value","later"]',
    ]
    assert len(calls) == 4


def test_a_live_side_effect_gives_the_decoded_record_too():
    def run(self):
        yield self.echo()
        return type(self.side_effect(lambda: (1, 2))).__name__

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide()[-1] == 'complete "list"'


def test_a_side_effect_that_raises_is_recorded_and_raised_from_the_record():
    def run(self):
        try:
            self.side_effect(lambda: 1 / 0)
        except TaskFailed as error:
            seen = [error.reason, error.names[0]]
        yield self.echo()
        return seen

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete ["ZeroDivisionError: division by zero","builtins.ZeroDivisionError"]']


def test_a_side_effect_that_is_no_json_is_a_failure_like_any_other():
    def run(self):
        try:
            self.side_effect(object)
        except TaskFailed as error:
            yield self.echo(error.names[0])

    assert Story(run).decide()[-1] == 'activity 1.1 Echo [["builtins.TypeError"],{}]'


def test_a_side_effect_that_is_too_long_raises():
    def run(self):
        try:
            self.side_effect(lambda: 'x' * 32_768)
        except PayloadTooLarge as error:
            return '32,768' in str(error)

    assert Story(run).decide()[-1] == 'complete true'


def test_more_side_effects_than_a_response_records_raise():
    def run(self):
        made = 0
        try:
            while made < 100:
                self.side_effect(lambda: 1)
                made += 1
        except PayloadTooLarge:
            yield self.sleep(1)
        self.side_effect(lambda: 2)  # another decision has room again
        return made

    story = Story(run)
    assert len(story.decide()) == 90 + 1
    story.fired(1)
    assert [line.split()[0] for line in story.decide()] == ['marker', 'complete']
    assert story.result == 90


def test_what_a_response_holds_of_side_effects_is_counted_as_it_is_sent():
    quotes = '"' * 5_000  # four bytes each: escaped in the marker, and both characters in the body

    def run(self):
        made = 0
        try:
            while made < 90:
                self.side_effect(lambda: quotes)
                made += 1
        except PayloadTooLarge:
            return made

    story = Story(run)
    story.decide()
    assert 900_000 // 20_100 <= story.result <= 900_000 // 20_000


def test_markers_go_ahead_of_everything_else():
    def run(self):
        self.echo()
        self.side_effect(lambda: 1)
        self.sleep(5)
        self.patched('x')
        yield self.other()

    assert [line.split()[0] for line in Story(run).decide()] == ['marker', 'marker', 'activity', 'timer', 'activity']


# patches


def test_a_patch_is_true_and_recorded_in_a_live_decision():
    def run(self):
        return self.patched('faster')

    assert Story(run).decide() == ['marker genflow.patch {"id":"faster"}', 'complete true']


def test_a_patch_is_recorded_once():
    def run(self):
        one = self.patched('x')
        yield self.echo()
        return [one, self.patched('x'), self.patched('x')]

    story = Story(run)
    story.decide()
    story.completed(1)
    assert story.decide() == ['complete [true,true,true]']


def old(self):
    yield self.echo('old')
    yield self.other()
    return 'old'


def new(self):
    if self.patched('path'):
        yield self.echo('new')
    else:
        yield self.echo('old')
    yield self.other()
    return 'new' if self.patched('path') else 'old'


def changed(story, run):
    """The rest of a story by other code."""
    other = Story(run)
    other.events = list(story.events)
    other.last_id, other.is_due, other.open = story.last_id, story.is_due, story.open
    return other


def test_an_execution_that_was_past_the_change_keeps_the_old_path():
    story = Story(old)
    story.decide()
    story.completed(1)
    story = changed(story, new)
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.completed(2)
    assert story.decide() == ['complete "old"']  # the first answer holds


def test_an_execution_that_starts_after_the_change_takes_the_new_path():
    story = Story(new)
    assert story.decide() == ['marker genflow.patch {"id":"path"}', 'activity 1.1 Echo [["new"],{}]']
    story.completed(1)
    story.decide()
    story.completed(2)
    assert story.decide() == ['complete "new"']


def deprecated(self):
    self.deprecate_patch('path')
    yield self.echo('new')
    yield self.other()
    return 'new'


def without(self):
    yield self.echo('new')
    yield self.other()
    return 'new'


@pytest.mark.parametrize('rolled_to', [new, without], ids=['the patched code', 'code without the call'])
def test_code_that_deprecates_a_patch_may_be_rolled_back_and_on(rolled_to):
    story = Story(deprecated)
    story.decide()
    story.completed(1)
    story = changed(story, rolled_to)
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    story.completed(2)
    assert story.decide() == ['complete "new"']


def test_the_marker_of_a_patch_that_was_not_deprecated_is_not_ignored():
    story = Story(new)
    story.decide()
    story.completed(1)
    with pytest.raises(NondeterminismError, match='deprecate_patch'):
        changed(story, without).decide()


def test_an_execution_from_before_the_patch_takes_no_marker_of_its_deprecation():
    story = Story(without)
    story.decide()
    story.completed(1)
    assert changed(story, deprecated).decide() == ['activity 2.1 Other [[],{}]']


def test_a_deprecated_patch_accepts_the_marker_and_records_its_own():
    story = Story(new)
    story.decide()
    story.completed(1)
    story = changed(story, deprecated)
    assert story.decide() == ['activity 2.1 Other [[],{}]']
    fresh = Story(deprecated)
    flagged = 'marker genflow.patch {"id":"path","deprecated":true}'
    assert fresh.decide() == [flagged, 'activity 1.1 Echo [["new"],{}]']


class Busy(Exception):
    pass


def test_an_exception_comes_back_as_itself_where_that_is_said():
    calls = []

    def busy():
        calls.append(1)
        raise Busy('printer', 7)

    def run(self):
        seen = []
        for raises in ((Busy,), ()):
            try:
                self.side_effect(busy, raises=raises)
            except Busy as error:
                seen.append(list(error.args))
            except TaskFailed as error:
                seen.append(error.reason)
        yield self.echo()
        return seen

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    assert story.result == [['printer', 7], "Busy: ('printer', 7)"]
    assert len(calls) == 4  # twice by each of the two executions that decided live, and never at replay


def test_a_character_beyond_ascii_counts_as_a_client_writes_it():
    """As two escaped surrogates: 16,000 of them are 192 KB of a response of 1 MB, of which 900 KB are for markers."""

    def run(self):
        kept = 0
        for _ in range(8):
            try:
                kept += len(self.side_effect(lambda: '🦊' * 16_000)) // 16_000
            except PayloadTooLarge:
                break
        return kept
        yield

    story = Story(run)
    story.decide()
    assert story.result == 4
