"""``genflow list`` and ``genflow count``: what is chosen, in which order, and in which format."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta, timezone

import pytest

from genflow.local import LocalSWF, ManualClock
from genflow.tools.cli.main import main

START = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=10)
DEFAULTS = {
    'defaultTaskList': {'name': 'orders'},
    'defaultTaskStartToCloseTimeout': '60',
    'defaultExecutionStartToCloseTimeout': '3600',
    'defaultChildPolicy': 'TERMINATE',
}


def after(seconds):
    return (START + timedelta(seconds=seconds)).isoformat()


@pytest.fixture(scope='module')
def db(tmp_path_factory):
    """Executions that started a minute apart: order-1, which completed, a parent with two children, refund-1."""
    path = str(tmp_path_factory.mktemp('list') / 'x.db')
    clock = ManualClock(START)
    with LocalSWF(path, clock) as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        for name in ('Order', 'Refund'):
            service.register_workflow_type(domain='genflow', name=name, version='1', **DEFAULTS)

        def begin(workflow_id, name, *tags):
            kind = {'name': name, 'version': '1'}
            service.start_workflow_execution(
                domain='genflow', workflowId=workflow_id, workflowType=kind, tagList=list(tags)
            )

        def decide(*decisions):
            task = service.poll_for_decision_task(domain='genflow', taskList={'name': 'orders'})
            service.respond_decision_task_completed(taskToken=task['taskToken'], decisions=list(decisions))
            clock.advance(60)

        begin('order-1', 'Order', 'paid')
        done = {'result': '1'}
        decide({'decisionType': 'CompleteWorkflowExecution', 'completeWorkflowExecutionDecisionAttributes': done})
        begin('order-2', 'Order')
        decide(*map(child, ('part-a', 'part-b')))
        begin('refund-1', 'Refund', 'paid', 'late')
    return path


def child(workflow_id):
    attributes = {'workflowId': workflow_id, 'workflowType': {'name': 'Order', 'version': '1'}}
    kind = 'StartChildWorkflowExecution'
    return {'decisionType': kind, 'startChildWorkflowExecutionDecisionAttributes': attributes}


@pytest.fixture
def genflow(db, capsys):
    def run(*arguments):
        code = main([*arguments, '--db', db])
        return code, *capsys.readouterr()

    return run


def ids(out):
    """The column ID of a table."""
    header, *rows = out.splitlines()
    start = header.index(' ID') + 1
    return [row[start:].removeprefix('└ ').split()[0] for row in rows]


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ([], {'refund-1', 'order-2', 'part-a', 'part-b', 'order-1'}),
        (['--open'], {'refund-1', 'order-2', 'part-a', 'part-b'}),
        (['--closed'], {'order-1'}),
        (['--status', 'completed'], {'order-1'}),
        (['--status', 'failed', '--status', 'completed'], {'order-1'}),
        (['--type', 'Refund'], {'refund-1'}),
        (['--type', 'Order', '--version', '1', '--closed'], {'order-1'}),
        (['--id-prefix', 'order-'], {'order-1', 'order-2'}),
        (['--tag', 'paid'], {'refund-1', 'order-1'}),
        (['--tag', 'paid', '--type', 'Refund'], {'refund-1'}),
        (['--since', after(90)], {'refund-1'}),
        (['--until', after(30).replace('+00:00', 'Z')], {'order-1'}),
    ],
    # Names of tests are the same in each process: without times, and sets in order.
    ids=lambda value: ' '.join(word for word in value if word[:2] != '20') if isinstance(value, list) else len(value),
)
def test_what_is_chosen_is_listed_and_counted(genflow, options, expected):
    code, out, err = genflow('list', *options)
    assert (code, err) == (0, '')
    assert set(ids(out)) == expected
    assert genflow('count', *options) == (0, f'{len(expected)}\n', '')


def test_children_stand_below_their_parent_and_columns_line_up(genflow):
    out = genflow('list', '--open')[1]
    header, *rows = out.splitlines()
    start = header.index(' ID') + 1
    assert [row[start:].split('  ')[0] for row in rows] == ['refund-1', 'order-2', '└ part-b', '└ part-a']
    assert rows[0].startswith(f'{START + timedelta(seconds=120):%Y-%m-%d %H:%M:%S}  ')
    assert len({row.index(' Order 1 ') for row in rows[1:]}) == 1


@pytest.mark.parametrize(
    ('sort', 'expected'),
    [
        (['--sort', 'id'], ['order-1', 'order-2', 'refund-1']),
        (['--sort', 'id', '-r'], ['refund-1', 'order-2', 'order-1']),
        (['--sort', 'type'], ['order-2', 'order-1', 'refund-1']),
        (['--sort', 'started', '-r'], ['order-1', 'order-2', 'refund-1']),
        (['--sort', 'duration', '-r'], ['order-1', 'refund-1', 'order-2']),
    ],
    ids=lambda words: ' '.join(words),
)
def test_executions_are_sorted_by_a_column(genflow, sort, expected):
    assert [name for name in ids(genflow('list', *sort)[1]) if not name.startswith('part')] == expected


def test_a_limit_is_told_of(genflow):
    code, out, err = genflow('list', '--limit', '1')
    assert (code, ids(out)) == (0, ['refund-1'])
    assert err == 'genflow: only the first 1 are listed; use --limit N to list more\n'
    assert genflow('list', '--limit', '1', '-q')[2] == ''


def test_each_format_has_the_same_members(genflow):
    whole = json.loads(genflow('list', '-o', 'json')[1])
    lines = [json.loads(line) for line in genflow('list', '-o', 'jsonl')[1].splitlines()]
    rows = list(csv.DictReader(genflow('list', '-o', 'csv')[1].splitlines()))
    assert whole == lines
    assert [row['workflowId'] for row in rows] == [record['workflowId'] for record in whole]
    assert list(rows[0]) == list(whole[0])
    (part,) = [record for record in whole if record['workflowId'] == 'part-a']
    assert (part['parentWorkflowId'], part['status'], part['name']) == ('order-2', 'open', 'Order')
    (refund,) = [row for row in rows if row['workflowId'] == 'refund-1']
    assert (refund['tags'], refund['started']) == ('paid late', after(120))


def test_groups_are_counted(genflow):
    assert genflow('count', '--by', 'status')[1].split() == ['4', 'open', '1', 'completed']


def test_what_is_no_time_is_refused(genflow):
    code, _, err = genflow('list', '--since', 'yesterday')
    assert code == 2
    assert "'yesterday' is not a time" in err
