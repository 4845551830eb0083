"""One record for each execution that closes, by whoever closes it, without payloads."""

from __future__ import annotations

import json
import logging

import pytest

from genflow import Client, Workflow
from genflow.swf.scanner import workflow
from genflow.swf.worker.sticky_cache import StickyCache
from genflow.telemetry import Records
from tests.swf.work import registry_of
from tests.telemetry.orders import PAYLOAD, Order, finish, working

MODES = {'kept': {}, 'cold': {'sticky': False, 'cache': StickyCache(max_executions=0)}}


def read(file):
    return {record['run_id']: record for record in map(json.loads, file.read_text(encoding='utf-8').splitlines())}


@pytest.mark.parametrize('options', MODES.values(), ids=MODES)
def test_an_order_and_its_parcel_have_a_record_each(live, tmp_path, options):
    file = tmp_path / 'records.jsonl'
    started = finish(live, Records(file), 7, **options)
    lines = file.read_text(encoding='utf-8').splitlines()
    assert len(lines) == 2
    record = read(file)[started.run_id]
    history = started.history()
    here = record.pop('here')
    decisions = sum(event['eventType'] == 'DecisionTaskCompleted' for event in history)
    assert here['decisions'] == decisions == record['decisions']
    assert here['replays'] == (0 if options == {} else decisions - 1)
    assert here['decision_cpu_seconds'] > 0
    assert record['slowest']['seconds'] >= 0
    expected = {
        'record': 1,
        'domain': 'd',
        'workflow': 'Order',
        'version': '1',
        'workflow_id': started.workflow_id,
        'run_id': started.run_id,
        'parent': None,
        'continued_from': None,
        'tags': [],
        'task_list': 'tl',
        'outcome': 'completed',
        'reason': None,
        'events': len(history),
        'operations': {'activity': 1, 'timer': 1, 'child': 1},
        'attempts': 4,
        'retries': 1,
        'signals': 0,
        'started_at': history[0]['eventTimestamp'].isoformat(),
        'closed_at': history[-1]['eventTimestamp'].isoformat(),
    }
    assert {name: record[name] for name in expected} == expected
    assert record['first_failure'] == {
        'operation': 'activity 1 Charge',
        'attempt': 1,
        'state': 'failed',
        'reason': 'ValueError',
        'event': next(event['eventId'] for event in history if event['eventType'] == 'ActivityTaskFailed'),
    }
    [parcel] = [one for one in read(file).values() if one['workflow'] == 'Parcel']
    assert parcel['parent'] == started.workflow_id


def test_a_record_quotes_no_payload(live, tmp_path):
    file = tmp_path / 'records.jsonl'
    started = finish(live, Records(file), 7, True)
    record = read(file)[started.run_id]
    assert (record['outcome'], record['reason']) == ('failed', 'LookupError')
    assert PAYLOAD not in file.read_text(encoding='utf-8')


def test_the_logger_gets_them_unless_a_file_is_named(live, caplog):
    caplog.set_level(logging.INFO, 'genflow.records')
    started = finish(live, Records(), 7)
    records = [json.loads(one.getMessage()) for one in caplog.records if one.name == 'genflow.records']
    assert started.run_id in {one['run_id'] for one in records}
    assert len(records) == 2


def test_who_terminates_an_execution_writes_its_record(live, tmp_path):
    file = tmp_path / 'records.jsonl'
    live.register_workflow_type(domain='d', name='Order', version='1')
    client = Client('d', live, middleware=Records(file))
    started = client.starter(
        Order, task_list='nobody', decision_duration=60, workflow_duration=600, child_policy='TERMINATE'
    )(7)
    client.execution(started.workflow_id).terminate('enough')
    [record] = read(file).values()
    assert (record['outcome'], record['closed_by'], record['run_id']) == ('terminated', 'client', started.run_id)
    assert 'here' not in record


def test_each_run_of_a_chain_of_restarts_has_a_record(live, tmp_path):
    @workflow('Chained', 1, 'tl')
    class Chained(Workflow):
        def run(self, left):
            yield self.sleep(0)
            return self.restart(left - 1) if left else None

    file = tmp_path / 'records.jsonl'
    with working(live, Records(file), registry_of(Chained)):
        Client('d', live).starter(Chained)(2).result(60)
    found = sorted(read(file).values(), key=lambda record: record['started_at'])
    assert [record['outcome'] for record in found] == ['continued as new', 'continued as new', 'completed']
    assert [record['continued_from'] for record in found] == [None, *(record['run_id'] for record in found[:2])]
    assert len(file.read_text(encoding='utf-8').splitlines()) == 3


def test_two_workers_that_share_a_file_write_whole_lines(live, tmp_path):
    file = tmp_path / 'records.jsonl'
    with working(live, Records(file)), working(live, Records(file)):
        start = Client('d', live).starter(Order)
        started = [start(number) for number in range(10)]
        for one in started:
            one.result(60)
    lines = [json.loads(line) for line in file.read_text(encoding='utf-8').splitlines()]
    assert len(lines) == 20
    assert len({one['run_id'] for one in lines}) == 20


def test_a_file_that_cannot_be_written_is_an_error_at_once(tmp_path):
    with pytest.raises(OSError, match='nowhere'):
        Records(tmp_path / 'nowhere' / 'x')


def test_a_file_that_was_moved_away_is_made_anew(live, tmp_path):
    """As log rotation does."""
    file = tmp_path / 'records.jsonl'
    records = Records(file)
    finish(live, records, 7)
    file.rename(tmp_path / 'old')
    finish(live, records, 7)
    assert len(read(file)) == 2
