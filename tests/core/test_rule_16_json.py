"""Rule 16: what genflow writes is JSON that any language reads; what it cannot write is refused where it is given."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genflow import LambdaProxy, PayloadTooLarge, Workflow
from genflow.core.payloads.hooks import MAX_DEPTH, MAX_PAYLOAD, decode, encode
from genflow.core.payloads.wire_text import plain, sendable, shortened, units

from .story import Desk, Story

texts = st.text(st.characters())  # halves of surrogate pairs included
atoms = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=20
)
words = st.sampled_from(['1', 'true', 'null', '-1', '0.5'])
keys = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-2, 2) | words


def nested(levels, value=0):
    for _ in range(levels):
        value = [value]
    return value


def cyclic():
    found = {'name': 'x'}
    found['self'] = [found]
    return found


def refuse(constant):
    raise AssertionError(f'{constant} is no JSON')


@given(values)
def test_what_is_written_is_read_again_by_a_strict_reader_and_can_be_sent(value):
    text = encode(value)
    text.encode('utf-8')
    found = json.loads(text, parse_constant=refuse)
    # Two halves that stand side by side are one character to every reader of JSON.
    assert found == json.loads(json.dumps(value))
    assert decode(text) == found


@given(st.dictionaries(keys, st.integers(), max_size=5))
def test_no_entry_of_a_dict_vanishes(value):
    if len(json.loads(json.dumps(value))) == len(value):
        assert len(json.loads(encode([value]))[0]) == len(value)
    else:
        with pytest.raises(ValueError, match='alike'):
            encode([value])


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
@pytest.mark.parametrize('around', [lambda value: value, lambda value: [{'a': value}], lambda value: {value: 1}])
def test_numbers_that_json_has_not_are_refused(value, around):
    with pytest.raises(ValueError, match='not JSON compliant'):
        encode(around(value))


def test_text_is_written_as_it_is():
    assert encode(['漢' * 3, 'é']) == '["漢漢漢","é"]'
    assert encode('caf\udce9') == '"caf\\udce9"'


@pytest.mark.parametrize(('left', 'right'), [('[', ']'), ('{"a":', '}')])
def test_nesting_has_one_limit_for_reading_and_writing(left, right):
    within = left * MAX_DEPTH + '1' + right * MAX_DEPTH
    assert encode(decode(within)) == within
    for levels in (MAX_DEPTH + 1, 16_000):
        with pytest.raises(ValueError, match='nested more than'):
            decode(left * levels + '1' + right * levels)


def test_brackets_in_texts_are_no_nesting():
    text = encode(['[{' * MAX_DEPTH, '\\"' + '[' * MAX_DEPTH + '\\'])
    assert decode(text) == ['[{' * MAX_DEPTH, '\\"' + '[' * MAX_DEPTH + '\\']


# at the calls


BAD = [
    (lambda: float('nan'), 'not JSON compliant'),
    (lambda: {'a': [float('inf')]}, 'not JSON compliant'),
    (lambda: {1: 'int', '1': 'text'}, 'alike'),
    (cyclic, 'contains itself'),
    (lambda: nested(MAX_DEPTH + 1), 'nested more than'),
    (lambda: nested(50_000), 'nested more than'),
]
"""What no argument, result, signal value or status may be, and how the error says so."""

CALLS = {
    'an argument': (lambda self, bad: self.echo(1, bad), r'argument 2 of activity Echo v1'),
    'a named argument': (lambda self, bad: self.child(key=bad), r"argument 'key' of child Child v1"),
    'an event': (lambda self, bad: self.shrink(bad), r'argument 1 of lambda shrink'),
    'a signal': (lambda self, bad: self.external('w').signal('s', bad), r"the value of signal 's' to w"),
    'a status': (lambda self, bad: self.set_status(bad), r'the status'),
    'a restart': (lambda self, bad: self.restart(1, bad), r'argument 2 of the restart'),
}


@pytest.mark.parametrize(('make', 'said'), BAD)
@pytest.mark.parametrize(('call', 'name'), CALLS.values(), ids=CALLS)
def test_what_cannot_be_written_is_refused_at_the_call(call, name, make, said):
    def run(self):
        try:
            call(self, make())
        except ValueError as error:
            return str(error)

    (line,) = Story(run).decide()
    assert said in line
    for word in name.split():
        assert json.dumps(word)[1:-1] in line


@pytest.mark.parametrize(('make', 'said'), BAD)
def test_a_result_that_cannot_be_written_fails_the_workflow(make, said):
    def run(self):
        return make()

    story = Story(run)
    story.decide()
    assert 'the result of Desk.run' in story.failure.reason
    assert said in story.failure.traceback


@pytest.mark.parametrize(('make', 'said'), BAD)
def test_a_side_effect_that_cannot_be_written_raises(make, said):
    def run(self):
        try:
            self.side_effect(make)
        except Exception as error:
            return str(error)

    assert said in Story(run).decide()[-1]


def test_a_cyclic_value_around_a_task_is_refused_at_the_call():
    def run(self):
        bad = [self.echo(1)]
        bad.append(bad)
        try:
            self.echo(bad)
        except ValueError as error:
            return str(error)

    story = Story(run)
    story.decide()
    story.completed(1, 1)
    assert 'contains itself' in story.decide()[-1]


@pytest.mark.parametrize('branch', [False, True])
def test_a_cyclic_value_around_a_task_is_no_result(branch):
    def cycle(self):
        bad = {'task': self.echo(1)}
        bad['bad'] = bad
        return bad
        yield

    def through_a_branch(self):
        return (yield self.cycle())

    story = Story(through_a_branch if branch else cycle, members={'cycle': cycle})
    story.decide()
    assert 'contains itself' in story.failure.reason


def test_a_list_that_contains_itself_cannot_be_waited_for():
    def run(self):
        bad = []
        bad.append(bad)
        try:
            yield bad
        except TypeError as error:
            return str(error)

    assert 'contains itself' in Story(run).decide()[-1]


def test_a_value_that_stands_in_two_places_is_written_twice():
    def run(self):
        shared = [self.echo(1)]
        return (yield self.echo([shared, {'again': shared}]))

    story = Story(run)
    story.decide()
    story.completed(1, 7)
    assert story.decide() == ['activity 2.1 Echo [[[[7],{"again":[7]}]],{}]']


# deep texts that come in

DEEP = '[' * 16_000 + ']' * 16_000


def test_a_signal_that_is_too_deep_raises_at_the_yield():
    def run(self):
        try:
            yield self.go.get()
        except Exception as error:
            return type(error).__name__

    story = Story(run)
    story.signaled('go', text=DEEP)
    assert story.decide() == ['complete "SignalFailed"']


def test_a_start_input_that_is_too_deep_fails_the_execution():
    story = Story(lambda self: 1, input=DEEP)
    story.decide()
    assert 'cannot be read' in story.failure.reason


def test_a_failure_envelope_that_is_too_deep_is_text_like_any_other():
    def run(self):
        try:
            yield self.echo()
        except Exception as error:
            return [type(error).__name__, error.details[:4], error.traceback]

    story = Story(run)
    story.decide()
    story.failed(1, details='{"genflow.failure":' + DEEP + '}')
    assert story.decide() == ['complete ["ActivityFailed","{\\"ge",null]']


# records in another spelling


def test_a_record_that_escapes_what_is_not_ascii_is_followed():
    def run(self):
        assert self.patched('größer')
        return (yield self.echo('漢'))

    story = Story(run)
    assert story.decide() == ['marker genflow.patch {"id":"größer"}', 'activity 1.1 Echo [["漢"],{}]']
    for event in story.events:
        for name in ('details', 'input'):
            if getattr(event, name, None):
                setattr(event, name, json.dumps(json.loads(getattr(event, name)), separators=(',', ':')))
    story.sticky = story.execution()
    story.completed(1, 'ok')
    assert story.decide() == ['complete "ok"']


# lengths


@given(texts, st.integers(2, 40))
def test_a_shortened_text_can_be_sent_and_is_short(text, length):
    found = shortened(text, length)
    found.encode('utf-8')
    assert units(found) <= length
    if units(sendable(text)) <= length:
        assert found == sendable(text)
    else:
        assert found.endswith('…')


@given(texts, st.integers(1, 40))
def test_a_plain_text_is_printable_ascii(text, length):
    found = plain(text, length)
    assert len(found) <= length
    assert found.isascii()
    assert found.isprintable()


def test_lengths_are_counted_in_units_of_utf_16():
    assert [units('a'), units('漢'), units('😀'), units('\udce9')] == [1, 1, 2, 1]


def test_20_000_chinese_characters_are_20_000_of_the_32_768():
    def run(self):
        return (yield self.echo('漢' * 20_000))

    (line,) = Story(run).decide()
    assert len(line) < 20_100


def test_characters_beyond_the_basic_plane_count_twice():
    def run(self, count):
        try:
            self.echo('😀' * count)
        except PayloadTooLarge:
            return 'too large'

    fits = (MAX_PAYLOAD - len('[[""],{}]')) // 2
    assert Story(run, fits).decide() == [f'activity 1.1 Echo [["{"😀" * fits}"],{{}}]']
    assert Story(run, fits + 1).decide() == ['complete "too large"']


def test_a_lambda_event_is_written_as_an_argument_is():
    pytest.importorskip('cattrs')

    assert LambdaProxy('f')._serialize_arguments(Decimal('1.5')) == '"1.5"'


def test_every_way_out_writes_values_as_arguments_are_written():
    pytest.importorskip('cattrs')
    when = datetime(2026, 1, 2, tzinfo=timezone.utc)

    class Ways(Desk, Workflow):
        def run(self):
            self.set_status(when)
            kid = self.child(when)
            kid.signal('s', when)
            self.external('other').signal('s', when)
            effect = self.side_effect(lambda: when)
            yield kid
            return effect

    story = Story(Ways)
    lines = story.decide()
    written = '"2026-01-02T00:00:00+00:00"'
    assert story.answers[-1].context == written
    assert sum(written in line for line in lines) == 3
