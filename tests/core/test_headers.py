"""Headers in the envelope of an input: absent where there are none, opened where they are, never compared."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genflow.core.model import decisions, events
from genflow.core.payloads.envelopes import input_of, opened, wrapped
from genflow.core.payloads.hooks import MAX_PAYLOAD
from genflow.core.payloads.wire_text import units

from .story import Desk, Story

TEXT = st.text(st.characters(exclude_categories=['Cs']))


@given(st.one_of(st.none(), TEXT), st.dictionaries(TEXT, TEXT, min_size=1))
def test_what_is_wrapped_is_opened_again(text, headers):
    assert opened(wrapped(text, headers)) == (headers, text)
    assert input_of(wrapped(text, headers)) == text


@given(st.one_of(st.none(), TEXT))
def test_without_headers_an_input_is_what_it_was(text):
    assert wrapped(text, {}) is text
    assert opened(text) == ({}, text)


def test_the_text_of_an_envelope_is_a_contract():
    assert (
        wrapped('[["ö"],{}]', {'traceparent': '00-1-2-01'})
        == '{"genflow.headers":{"traceparent":"00-1-2-01"},"input":"[[\\"ö\\"],{}]"}'
    )
    assert wrapped(None, {'a': 'b'}) == '{"genflow.headers":{"a":"b"},"input":null}'


@pytest.mark.parametrize(
    'text',
    [
        '{"genflow.headers":',
        '{"genflow.headers":1,"input":"x"}',
        '{"genflow.headers":{"a":1},"input":"x"}',
        '{"genflow.headers":{"a":"b"},"input":1}',
        '{"genflow.headers":{"a":"b"}}',
        '{"genflow.headers":{"a":"b"},"input":"x","more":1}',
        ' {"genflow.headers":{"a":"b"},"input":"x"}',
        '[{"genflow.headers":{}}]',
    ],
)
def test_what_only_looks_like_an_envelope_is_an_input(text):
    assert opened(text) == ({}, text)


def test_headers_that_do_not_fit_are_left_out():
    text = json.dumps('"' * ((MAX_PAYLOAD - 2) // 2))
    assert units(text) <= MAX_PAYLOAD
    assert wrapped(text, {'a': 'b'}) == text


@pytest.mark.parametrize('headers', [{'a': 1}, {1: 'a'}, {'a': None}])
def test_headers_are_text(headers):
    with pytest.raises(TypeError, match='names and values of headers are text'):
        wrapped('[]', headers)


class Calls(Desk):
    def run(self, value):
        echoed = yield self.echo(value)
        yield self.child(echoed)
        return echoed


def with_headers(event):
    kind = (events.WorkflowStarted, events.ActivityScheduled, events.ChildInitiated)
    if isinstance(event, kind):
        event.input = wrapped(event.input, {'traceparent': f'00-{event.id}'})
    return event


def finished():
    story = Story(Calls, 5)
    story.decide()
    story.completed('1.1', 5)
    story.decide()
    story.child_started('2.1')
    story.completed('2.1', None)
    story.decide()
    return story


def test_a_history_with_headers_replays_as_one_without(caplog):
    story = finished()
    execution = story.execution()
    execution.input_mismatch = 'error'
    assert execution.advance(map(with_headers, story.events)) is None
    assert execution.closed
    assert execution.headers == {'traceparent': '00-1'}
    assert caplog.records == []


def test_another_input_behind_headers_is_a_mismatch_whose_report_shows_no_envelope(caplog):
    story = finished()
    scheduled = next(event for event in story.events if isinstance(event, events.ActivityScheduled))
    scheduled.input = wrapped('[[6],{}]', {'a': 'b'})
    story.execution().advance(story.events)
    [record] = caplog.records
    assert "input='[[6],{}]'" in record.getMessage()
    assert 'genflow.headers' not in record.getMessage()


def test_a_run_that_carries_signals_and_headers_begins_with_both():
    inner = '{"genflow.restart":1,"input":"[[],{}]","signals":[["go","7"]]}'

    class Going(Desk):
        def run(self):
            return (yield self.go.get())

    story = Story(Going, input=wrapped(inner, {'a': 'b'}))
    story.decide()
    assert story.answer.all == (decisions.CompleteWorkflow('7'),)
