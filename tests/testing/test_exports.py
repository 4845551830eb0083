"""Histories as JSON: the command line's output in its forms is read, and what is not a whole history is refused."""

from __future__ import annotations

import codecs
import gzip
import json
from datetime import datetime, timezone

import pytest

from genflow import HistoryError
from genflow.core.model.decisions import CompleteWorkflow
from genflow.testing import History, decisions
from genflow.testing.histories.exports import load
from tests.testing.orders import Declined, Order

STORY = History(Declined, 1).decide().failed('charge', 'no funds')
EVENTS = json.loads(STORY.to_json())['events']
PAGES = [{'events': EVENTS[:3], 'nextPageToken': 'x'}, {'events': EVENTS[3:]}]


def iso(event):
    when = datetime.fromtimestamp(event['eventTimestamp'], timezone.utc)
    return {**event, 'eventTimestamp': when.isoformat()}


FORMS = {
    'epoch seconds': json.dumps({'events': EVENTS}),
    'ISO 8601': json.dumps({'events': [iso(event) for event in EVENTS]}),
    'ISO 8601 with a Z': json.dumps({'events': EVENTS}).replace('946684800.0', '"2000-01-01T00:00:00Z"'),
    'another zone': json.dumps({'events': EVENTS}).replace('946684800.0', '"2000-01-01T01:00:00.000+01:00"'),
    'pages one after the other': ''.join(json.dumps(page, indent=2) + '\n' for page in PAGES),
    'a list of pages': json.dumps(PAGES),
    'a bare list': json.dumps(EVENTS),
    'one event on each line': '\n'.join(map(json.dumps, EVENTS)),
    'bytes': json.dumps({'events': EVENTS}).encode(),
    'an answer of a client': {'events': STORY.events},
    'answers of a client': [{'events': STORY.events[:2], 'nextPageToken': 'x'}, {'events': STORY.events[2:]}],
    'our own': STORY.to_json(indent=1),
}


@pytest.mark.parametrize('source', FORMS.values(), ids=FORMS)
def test_a_history_is_read_in_every_form(source):
    assert History.from_json(source) == STORY


def test_a_file_is_read(tmp_path):
    file = tmp_path / 'order.json'
    file.write_text(STORY.to_json(), encoding='utf-8')
    assert History.from_json(file) == History.from_json(str(file)) == STORY


def test_a_recorded_history_continues_as_a_story():
    story = History.from_json(STORY.to_json(), Declined)
    assert decisions(Declined, story) == [CompleteWorkflow('"declined: no funds"')]
    assert story.decide() == STORY.decide()


def test_our_own_export_keeps_the_ids_of_the_execution():
    named = History(Declined, 1).given(workflow_id='order-7', run_id='run-9')
    story = History.from_json(named.to_json())
    assert (story.workflow_id, story.run_id) == ('order-7', 'run-9')


def text(events):
    return json.dumps({'events': events})


BAD = {
    'is cut: it ends in line 1 in the middle of a value': text(EVENTS)[:-40],
    'is cut: its last page says that there are more': json.dumps(PAGES[0]),
    r'pages out of order: event 4 stands where event 1 belongs \(page 1 of 2\)': json.dumps(PAGES[::-1]),
    'has a gap: event 5 stands where event 4 belongs, which is missing': text(EVENTS[:3] + EVENTS[4:]),
    'has a gap: event 4 stands where event 1 belongs': text(EVENTS[3:]),
    'has event 3 twice': text(EVENTS[:3] + EVENTS[2:]),
    'runs backwards, from event 8 to 1': text(EVENTS[::-1]),
    'has no events': text([]),
    "lacks 'eventId'": text([{'eventType': 'TimerFired'}]),
    'begins with TimerFired': text([{'eventType': 'TimerFired', 'eventId': 1}]),
    "not a history: it contains an object with 'executionInfo'": '{"executionInfo": {}}',
    'not a history: it contains a value of type int': '[1] 2',
    'is not JSON, in line 1': '{"events": nothing}   and more of it',
}


@pytest.mark.parametrize(('said', 'source'), BAD.items(), ids=BAD)
def test_what_is_no_whole_history_is_refused(said, source):
    with pytest.raises(HistoryError, match=said):
        History.from_json(source)


def test_the_file_is_named(tmp_path):
    file = tmp_path / 'half.json'
    file.write_text(text(EVENTS)[:-40], encoding='utf-8')
    with pytest.raises(HistoryError, match=r'half\.json is cut'):
        History.from_json(file)


def test_a_history_of_another_type_is_refused():
    with pytest.raises(HistoryError, match="of the workflow type 'Declined' version '1'; Order is 'Order' version '1'"):
        History.from_json(STORY.to_json(), Order)
    with pytest.raises(HistoryError, match="'Declined' version '1'; Order is"):
        decisions(Order, STORY)


def test_a_bad_timestamp_is_shown():
    with pytest.raises(HistoryError, match="'yesterday' is not a timestamp"):
        History.from_json(text([{**EVENTS[0], 'eventTimestamp': 'yesterday'}]))


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / 'history.json'
    path.write_bytes(b'\xff\xfe')
    with pytest.raises(HistoryError, match=r'history\.json is not JSON: it is not text in UTF-8'):
        load(path)


AS_WRITTEN = {
    'a byte order mark': lambda text: text.encode('utf-8-sig'),
    'UTF-16, as PowerShell writes it': lambda text: text.encode('utf-16'),
    'UTF-16 in the other order': lambda text: codecs.BOM_UTF16_BE + text.encode('utf-16-be'),
    'lines that end as on Windows': lambda text: text.replace('\n', '\r\n').encode(),
    'gzip': lambda text: gzip.compress(text.encode()),
    'gzip of a text with a byte order mark': lambda text: gzip.compress(text.encode('utf-8-sig')),
}


@pytest.mark.parametrize('how', AS_WRITTEN)
def test_a_history_is_read_however_its_text_was_written(how, tmp_path):
    path = tmp_path / 'history.json'
    path.write_bytes(AS_WRITTEN[how](STORY.to_json(indent=2)))
    assert [event['eventId'] for event in load(path).events] == [event['eventId'] for event in STORY.events]


def test_a_compressed_file_that_is_cut_is_named(tmp_path):
    path = tmp_path / 'history.json.gz'
    path.write_bytes(gzip.compress(STORY.to_json().encode())[:40])
    with pytest.raises(HistoryError, match=r'history\.json\.gz cannot be decompressed'):
        load(path)
