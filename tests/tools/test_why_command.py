"""``genflow why``: on a file of the embedded service, and on a file of JSON alone."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone

import pytest

from genflow.local import LocalSWF
from genflow.tools.cli.main import main

CODE = """
from genflow import ActivityProxy, Signal, Workflow, workflow

@workflow(name='WhyOrder', version='1', task_list='orders')
class Order(Workflow):
    ship = ActivityProxy('Ship', '1', retry=0, task_list='shipping')
    approve = Signal()

    def run(self):
        yield self.approve.get()
        return (yield self.ship())
"""


@pytest.fixture
def order(tmp_path):
    path = tmp_path / 'why_orders.py'
    path.write_text(CODE)
    return str(path)


@pytest.fixture
def db(tmp_path):
    """A file with an execution that has waited for its approval since its first decision."""
    path = str(tmp_path / 'x.db')
    with LocalSWF(path, long_poll=0) as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        service.register_workflow_type(
            domain='genflow',
            name='WhyOrder',
            version='1',
            defaultTaskList={'name': 'orders'},
            defaultTaskStartToCloseTimeout='60',
            defaultExecutionStartToCloseTimeout='3600',
            defaultChildPolicy='TERMINATE',
        )
        service.start_workflow_execution(
            domain='genflow', workflowId='order-5', workflowType={'name': 'WhyOrder', 'version': '1'}, input='[[],{}]'
        )
        task = service.poll_for_decision_task(domain='genflow', taskList={'name': 'orders'})
        service.respond_decision_task_completed(taskToken=task['taskToken'])
    return path


@pytest.fixture
def genflow(capsys):
    def run(*arguments):
        code = main(list(arguments))
        return (code, *capsys.readouterr())

    return run


def test_with_the_code_it_says_where_the_branch_stands_and_which_signal_to_send(genflow, db, order):
    code, out, err = genflow('why', 'order-5', order, '--db', db)
    assert (code, err) == (0, '')
    assert "It waits for the signal 'approve'." in out
    assert '>   10 |         yield self.approve.get()' in out
    assert f'-> genflow signal order-5 approve VALUE --db {db}' in out
    assert 'Nothing is wrong.' in out


def test_something_wrong_is_exit_code_7(genflow, db):
    with LocalSWF(db) as service:
        service.terminate_workflow_execution(domain='genflow', workflowId='order-5', reason='a mistake')
    code, out, _ = genflow('why', 'order-5', '--db', db)
    assert code == 7
    assert 'It was terminated just now: a mistake.' in out
    assert re.search(r'^It was terminated (just now|[^ ]+ s ago) after ', out, re.MULTILINE)


def test_json_has_the_documented_members(genflow, db, order):
    code, out, _ = genflow('why', 'order-5', order, '--json', '--db', db)
    found = json.loads(out)
    assert code == 0
    assert set(found) == {
        'schema', 'execution', 'at', 'healthy', 'state', 'next', 'branches', 'findings', 'unknown',
    }  # fmt: skip
    assert found['schema'] == 1
    (branch,) = found['branches']
    assert (branch['name'], branch['line'], branch['signals']) == ('run', 10, ['approve'])
    assert set(found['findings'][0]) == {'code', 'level', 'text', 'remedy', 'evidence'}


def test_a_file_of_json_alone_is_enough(genflow, db, order, tmp_path):
    _, text, _ = genflow('history', 'order-5', '--json', '--db', db)
    path = tmp_path / 'history.json'
    path.write_text(text)
    code, out, _ = genflow('why', '--file', str(path), order)
    assert code == 0
    assert "It waits for the signal 'approve'." in out
    assert 'Not known: which workers poll its task lists' in out


STUCK = """
from genflow import Workflow, workflow

@workflow(name='Stuck', version='1', task_list='orders')
class Stuck(Workflow):
    def run(self):
        ready = False
        yield self.until(lambda: ready)
"""


def test_a_branch_that_nothing_wakes_is_reported_once(genflow, tmp_path):
    path = tmp_path / 'stuck.py'
    path.write_text(STUCK)
    start = {
        'taskList': {'name': 'orders'},
        'childPolicy': 'TERMINATE',
        'taskStartToCloseTimeout': '60',
        'executionStartToCloseTimeout': '3600',
    }
    with LocalSWF(tmp_path / 'stuck.db') as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        service.register_workflow_type(domain='genflow', name='Stuck', version='1')
        kind = {'name': 'Stuck', 'version': '1'}
        service.start_workflow_execution(domain='genflow', workflowId='stuck', workflowType=kind, **start)
    code, out, _ = genflow('why', 'stuck', str(path), '--db', str(tmp_path / 'stuck.db'))
    assert code == 7
    assert 'Branch run, ' in out
    assert 'waits for until() 7 |' in ' '.join(out.split())  # and not its own place once more
    assert '[stalled]' in out
    assert 'could ever' not in out


def test_if_says_what_the_code_would_request(genflow, db, order):
    code, out, _ = genflow('why', 'order-5', order, '--if', 'signal approve true', '--db', db)
    assert (code, out) == (0, 'if signal approve true: the code\n  schedules activity Ship\n')


@pytest.mark.parametrize('value', ['NaN', '[-Infinity]', '[' * 30_000, 'yes'], ids=lambda value: value[:12])
def test_if_takes_as_text_what_is_not_json(genflow, db, order, value):
    code, out, err = genflow('why', 'order-5', order, '--if', f'signal approve {value}', '--db', db)
    assert (code, err) == (0, '')
    assert out.endswith('  schedules activity Ship\n')


@pytest.mark.parametrize(
    ('supposed', 'message'),
    [('explode', 'begin with one of'), ('fail Ship', "'Ship' names nothing that is open; open operations: nothing")],
)
def test_if_refuses_what_cannot_happen(genflow, db, order, supposed, message):
    code, _, err = genflow('why', 'order-5', order, '--if', supposed, '--db', db)
    assert code == 2
    assert message in err


def test_all_groups_the_executions_by_cause(genflow, db):
    with LocalSWF(db) as service:
        for name in ('order-6', 'order-7'):
            service.start_workflow_execution(
                domain='genflow',
                workflowId=name,
                workflowType={'name': 'WhyOrder', 'version': '1'},
                input='[[],{}]',
            )
            service.signal_workflow_execution(
                domain='genflow', workflowId=name, signalName='approve', input=json.dumps('x' * 31_000)
            )
    code, out, _ = genflow('why', '--all', '--db', db)
    first, second = out.splitlines()
    assert code == 7
    assert first.startswith('    2  large-payload: order-7, order-6; the first: The payload of event 3 has 31,002')
    assert second == '    1  healthy'


def test_an_execution_that_is_not_there_is_one_message(genflow, db):
    code, _, err = genflow('why', 'nothing', '--db', db)
    assert code == 2
    assert "has no execution with the id 'nothing'" in err


def test_why_needs_to_know_which_execution(genflow):
    assert genflow('why')[0] == 2


def test_at_sets_the_present_of_a_file(genflow, db, tmp_path):
    _, text, _ = genflow('history', 'order-5', '--json', '--db', db)
    path = tmp_path / 'history.json'
    path.write_text(text)
    started = json.loads(text)['events'][0]['eventTimestamp']
    later = datetime.fromtimestamp(started + 3500, timezone.utc).isoformat()
    assert genflow('why', '--file', str(path))[0] == 0
    code, out, _ = genflow('why', '--file', str(path), '--at', later)
    assert code == 7
    assert '[expires-soon]' in out
    assert genflow('why', '--file', str(path), '--at', 'tomorrow')[0] == 2


def written_by_the_aws_cli(text):
    """A history as version 2 of the AWS command line prints it: ISO 8601, and without the ids of the execution."""
    events = json.loads(text)['events']
    for event in events:
        event['eventTimestamp'] = datetime.fromtimestamp(event['eventTimestamp'], timezone.utc).isoformat()
    return events


def test_the_times_of_a_file_may_be_iso_8601_with_the_code_too(genflow, db, order, tmp_path):
    _, text, _ = genflow('history', 'order-5', '--json', '--db', db)
    path = tmp_path / 'history.json'
    path.write_text(json.dumps({'events': written_by_the_aws_cli(text)}))
    code, out, err = genflow('why', '--file', str(path), order)
    assert (code, err) == (0, '')
    assert "It waits for the signal 'approve'." in out


@pytest.mark.parametrize('command', ['why', 'show', 'timeline', 'graph'])
@pytest.mark.parametrize(
    ('place', 'member', 'value', 'complaint'),
    [
        (0, 'input', [1], 'event 1, WorkflowExecutionStarted, is incomplete: input is a value of type list'),
        (0, 'taskList', 'x', 'taskList is a value of type str, expected an object'),
        (0, 'workflowType', None, "event 1, WorkflowExecutionStarted, lacks the member 'workflowType'"),
        (3, 'startedEventId', 'x', 'startedEventId is a value of type str, expected a number'),
    ],
)
def test_an_event_of_a_file_that_is_not_whole_is_named(genflow, db, tmp_path, command, place, member, value, complaint):
    _, text, _ = genflow('history', 'order-5', '--json', '--db', db)
    events = json.loads(text)['events']
    kind = events[place]['eventType']
    events[place][f'{kind[0].lower()}{kind[1:]}EventAttributes'][member] = value
    path = tmp_path / 'history.json'
    path.write_text(json.dumps({'events': events}))
    code, out, err = genflow(command, '--file', str(path))
    assert (code, out) == (2, '')
    assert complaint in ' '.join(err.split())


def test_what_only_the_replay_needs_is_a_finding(genflow, db, order, tmp_path):
    _, text, _ = genflow('history', 'order-5', '--json', '--db', db)
    events = json.loads(text)['events']
    del events[3]['decisionTaskCompletedEventAttributes']['startedEventId']
    path = tmp_path / 'history.json'
    path.write_text(json.dumps({'events': events}))
    code, out, _ = genflow('why', '--file', str(path), order)
    assert code == 7
    assert "event 4, DecisionTaskCompleted, lacks the member 'startedEventId' [unreadable]" in ' '.join(out.split())


def test_history_reads_a_file_too(genflow, db, tmp_path):
    _, lines, _ = genflow('history', 'order-5', '--db', db)
    _, text, _ = genflow('history', 'order-5', '--json', '--db', db)
    path = tmp_path / 'history.json'
    path.write_text(text)
    assert genflow('history', '--file', str(path)) == (0, lines, '')
    path.write_text(json.dumps({'events': written_by_the_aws_cli(text)}))
    assert genflow('history', '--file', str(path)) == (0, lines, '')
    code, out, _ = genflow('history', '--json', '--file', str(path))
    assert (code, set(json.loads(out))) == (0, {'events'})


def test_history_of_nothing_says_what_it_needs(genflow, tmp_path):
    path = tmp_path / 'history.json'
    path.write_text('[]')
    assert genflow('history')[0] == 2
    assert 'has no events' in genflow('history', '--file', str(path))[2]


def test_a_supposed_signal_that_the_class_does_not_declare_is_pointed_out(genflow, db, order):
    _, out, _ = genflow(
        'why', 'order-5', order, '--if', 'signal aprove true', '--if', 'signal approve true', '--db', db
    )
    assert out.count("(the class declares no signal 'aprove'; it declares: approve)") == 1


@pytest.mark.parametrize('supposed', ['fire 1', 'terminate approve', 'fail', '', 'explode 3', 'time out 7'])
def test_a_supposition_that_cannot_be_is_refused_in_one_line(genflow, db, order, supposed):
    code, out, err = genflow('why', 'order-5', order, '--if', supposed, '--db', db)
    assert (code, out) == (2, '')
    assert err.startswith('Error: ')
    assert 'Traceback' not in err
