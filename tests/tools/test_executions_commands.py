"""The commands that work with executions, on a file of the embedded service."""

from __future__ import annotations

import json
import re
import threading

import pytest
from click.shell_completion import ShellComplete

from genflow.local import LocalSWF
from genflow.local.http.server import HttpServer
from genflow.tools.cli.main import cli, main
from tests.insight.typed import typed
from tests.tools.processes import TIMEOUT

TYPE = {'name': 'Order', 'version': '1'}
DEFAULTS = {
    'defaultTaskList': {'name': 'orders'},
    'defaultTaskStartToCloseTimeout': '60',
    'defaultExecutionStartToCloseTimeout': '3600',
    'defaultChildPolicy': 'TERMINATE',
}


@pytest.fixture
def db(tmp_path):
    """A file with a domain and a workflow type."""
    path = str(tmp_path / 'x.db')
    with LocalSWF(path) as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        service.register_workflow_type(
            domain='genflow',
            **TYPE,
            **DEFAULTS,
        )
    return path


@pytest.fixture
def genflow(db, capsys):
    """Runs a command on the file; gives exit code, stdout and stderr."""

    def run(*arguments):
        code = main([*arguments, '--db', db])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def decide(db, decision):
    with LocalSWF(db) as service:
        task = service.poll_for_decision_task(domain='genflow', taskList={'name': 'orders'})
        service.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[decision])


def complete(db, result):
    attributes = {'result': result}
    kind = 'CompleteWorkflowExecution'
    decide(db, {'decisionType': kind, 'completeWorkflowExecutionDecisionAttributes': attributes})


def history_of(db, workflow_id, run_id):
    with LocalSWF(db) as service:
        execution = {'workflowId': workflow_id, 'runId': run_id}
        return service.get_workflow_execution_history(domain='genflow', execution=execution)['events']


def test_start_prints_the_ids_and_sends_the_arguments(genflow, db):
    code, out, _ = genflow('start', 'Order', '1', '5', 'book', '--id', 'order-5', '--tag', 'paid')
    workflow_id, run_id = out.split()
    started = history_of(db, workflow_id, run_id)[0]['workflowExecutionStartedEventAttributes']
    assert (code, workflow_id) == (0, 'order-5')
    assert json.loads(started['input']) == [[5, 'book'], {}]
    assert started['tagList'] == ['paid']


def test_start_sends_keyword_arguments(genflow, db):
    out = genflow('start', 'Order', '1', '-5', '--kwarg', 'express=true', '--kwarg', 'note=to the door')[1]
    started = history_of(db, *out.split())[0]['workflowExecutionStartedEventAttributes']
    assert json.loads(started['input']) == [[-5], {'express': True, 'note': 'to the door'}]


def test_what_the_service_refuses_is_one_message(genflow):
    code, out, err = genflow('start', 'Nothing', '1')
    assert (code, out) == (2, '')
    assert err.startswith('Error: Unknown type: WorkflowType=[name=Nothing, version=1] (UnknownResourceFault). ')
    assert '`genflow worker TARGET --domain genflow --task-list LIST' in err


def test_an_id_in_use_names_the_open_execution(genflow):
    genflow('start', 'Order', '1', '--id', 'order-5')
    code, out, err = genflow('start', 'Order', '1', '--id', 'order-5')
    assert (code, out) == (2, '')
    assert 'An execution order-5 is open' in err
    assert '`genflow terminate order-5 --domain genflow' in err


@pytest.mark.thorough
def test_an_execution_that_has_closed_takes_no_signal(genflow, db):
    genflow('start', 'Order', '1', '--id', 'a')
    complete(db, '1')
    code, _, err = genflow('signal', 'a', 'approve')
    assert code == 2
    assert '`genflow list --closed --domain genflow' in err


def test_history_tells_what_happened(genflow, db):
    genflow('start', 'Order', '1', '--id', 'a')
    complete(db, '1')
    code, out, _ = genflow('history', 'a')
    assert code == 0
    assert [line.split(maxsplit=2)[2] for line in out.splitlines()] == [
        'workflow Order 1 started',
        'workflow completed',
    ]


def test_history_as_json_is_what_the_aws_command_line_prints(genflow):
    genflow('start', 'Order', '1', '--id', 'a')
    events = json.loads(genflow('history', 'a', '--json')[1])['events']
    assert [event['eventType'] for event in events] == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
    assert isinstance(events[0]['eventTimestamp'], float)


@pytest.mark.thorough
def test_signal_sends_a_value(genflow):
    genflow('start', 'Order', '1', '--id', 'a')
    assert genflow('signal', 'a', 'approve', '{"by": "Ada"}')[0] == 0
    events = json.loads(genflow('history', 'a', '--json')[1])['events']
    attributes = events[-1]['workflowExecutionSignaledEventAttributes']
    assert (attributes['signalName'], json.loads(attributes['input'])) == ('approve', {'by': 'Ada'})


def test_cancel_asks(genflow):
    genflow('start', 'Order', '1', '--id', 'a')
    assert genflow('cancel', 'a')[0] == 0
    assert 'cancellation requested' in genflow('history', 'a')[1]


def test_terminate_ends(genflow):
    genflow('start', 'Order', '1', '--id', 'a')
    assert genflow('terminate', 'a', '--reason', 'a mistake')[0] == 0
    assert 'workflow terminated: a mistake' in genflow('history', 'a')[1]


def test_result_of_a_completed_execution(genflow, db):
    genflow('start', 'Order', '1', '--id', 'a')
    complete(db, '{"total": 3}')
    assert genflow('result', 'a')[:2] == (0, '{"total": 3}\n')


def test_result_of_an_open_execution(genflow):
    genflow('start', 'Order', '1', '--id', 'a')
    assert genflow('result', 'a') == (3, '', 'genflow: the execution a is open\n')


def test_result_of_a_failed_execution(genflow, db):
    genflow('start', 'Order', '1', '--id', 'a')
    attributes = {'reason': 'no stock', 'details': 'none at all'}
    decide(db, {'decisionType': 'FailWorkflowExecution', 'failWorkflowExecutionDecisionAttributes': attributes})
    code, out, err = genflow('result', 'a')
    assert (code, out) == (3, '')
    assert 'workflow a failed: no stock' in err
    assert 'none at all' in err


def test_an_execution_that_is_not_there(genflow):
    code, _, err = genflow('history', 'nothing')
    assert code == 2
    assert "no execution with the id 'nothing'" in err


def test_an_endpoint_and_a_file_exclude_each_other(genflow):
    code, _, err = genflow('list', '--endpoint', 'http://127.0.0.1:1')
    assert code == 2
    assert 'two different services' in err


def scheduled_activity(db, genflow):
    """Starts an execution, schedules an activity in it, begins it, and gives its token."""
    genflow('start', 'Order', '1', '--id', 'a')
    with LocalSWF(db) as service:
        service.register_activity_type(domain='genflow', name='Ask', version='1')
    timeouts = ('heartbeatTimeout', 'scheduleToCloseTimeout', 'scheduleToStartTimeout', 'startToCloseTimeout')
    attributes = {
        'activityId': '1.1',
        'activityType': {'name': 'Ask', 'version': '1'},
        'taskList': {'name': 'people'},
        **dict.fromkeys(timeouts, 'NONE'),
    }
    decide(db, {'decisionType': 'ScheduleActivityTask', 'scheduleActivityTaskDecisionAttributes': attributes})
    with LocalSWF(db) as service:
        return service.poll_for_activity_task(domain='genflow', taskList={'name': 'people'})['taskToken']


def last_attributes(genflow, kind):
    events = json.loads(genflow('history', 'a', '--json')[1])['events']
    (found,) = [event for event in events if event['eventType'] == kind]
    return found[f'{kind[0].lower()}{kind[1:]}EventAttributes']


def test_an_activity_is_completed_by_its_token(genflow, db):
    token = scheduled_activity(db, genflow)
    assert genflow('activity', 'heartbeat', token, 'half') == (0, 'go on\n', '')
    assert genflow('activity', 'complete', token, '[1, 2]') == (0, '', '')
    assert json.loads(last_attributes(genflow, 'ActivityTaskCompleted')['result']) == [1, 2]


def test_an_activity_is_failed_by_its_token(genflow, db):
    token = scheduled_activity(db, genflow)
    assert genflow('activity', 'fail', token, 'nobody home', '--details', 'twice') == (0, '', '')
    attributes = last_attributes(genflow, 'ActivityTaskFailed')
    assert (attributes['reason'], attributes['details']) == ('nobody home', 'twice')


@pytest.mark.parametrize('answer', [['complete'], ['fail', 'nobody home'], ['heartbeat']], ids=lambda answer: answer[0])
def test_a_token_that_was_answered_is_spent(genflow, db, answer):
    token = scheduled_activity(db, genflow)
    genflow('activity', 'complete', token)
    code, out, err = genflow('activity', answer[0], token, *answer[1:])
    assert (code, out) == (2, '')
    assert 'The token is no longer valid: its task was answered before' in err


def test_a_token_that_is_none_is_refused(genflow):
    code, _, err = genflow('activity', 'complete', 'no-token', '1')
    assert code == 2
    assert err.startswith('Error: ')


def test_the_printed_history_names_its_execution(genflow):
    _, out, _ = genflow('start', 'Order', '1', '--id', 'a')
    run_id = out.split()[1]
    printed = json.loads(genflow('history', 'a', '--json')[1])
    assert printed['workflowExecution'] == {'workflowId': 'a', 'runId': run_id}


@pytest.mark.thorough
def test_a_signal_that_the_class_does_not_declare_is_sent_with_a_warning(genflow, db, tmp_path):
    flow = tmp_path / 'orders_with_a_signal.py'
    flow.write_text(
        'from genflow import Signal, Workflow, workflow\n'
        '@workflow(name="Order", version=1, task_list="orders")\n'
        'class Order(Workflow):\n'
        '    approve = Signal()\n'
        '    def run(self):\n'
        '        yield self.approve.get()\n',
        encoding='utf-8',
    )
    run = genflow('start', 'Order', '1', '--id', 'a')[1].split()
    code, _, err = genflow('signal', 'a', 'aprove', '--target', str(flow))
    assert code == 0
    assert err.startswith(
        "genflow: Order declares no signal 'aprove', so nothing will read what is sent; it has approve; did you"
    )
    assert genflow('signal', 'a', 'approve', '--target', str(flow)) == (0, '', '')
    assert [event['eventType'] for event in history_of(db, *run)].count('WorkflowExecutionSignaled') == 2


def test_a_value_that_is_not_of_the_type_of_a_signal_is_not_sent(genflow, db, tmp_path):
    flow = tmp_path / 'orders_with_a_typed_signal.py'
    flow.write_text(
        'from genflow import Signal, Workflow, workflow\n'
        '@workflow(name="Order", version=1, task_list="orders")\n'
        'class Order(Workflow):\n'
        '    count = Signal[int]("how-many")\n'
        '    def run(self):\n'
        '        yield self.count.get()\n',
        encoding='utf-8',
    )
    run = genflow('start', 'Order', '1', '--id', 'a')[1].split()
    code, _, err = genflow('signal', 'a', 'how-many', 'three', '--target', str(flow))
    assert code == 2
    assert "the value of signal 'how-many' is no int, as Order declares it, so it is not sent" in err
    assert genflow('signal', 'a', 'how-many', '3', '--target', str(flow)) == (0, '', '')
    assert [event['eventType'] for event in history_of(db, *run)].count('WorkflowExecutionSignaled') == 1


def test_start_that_waits_prints_the_result(tmp_path, capsys):
    """Over HTTP, with somebody who decides while the command waits."""
    with LocalSWF(long_poll=TIMEOUT) as service, HttpServer(service) as server:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        service.register_workflow_type(domain='genflow', **TYPE, **DEFAULTS)

        def decider():
            task = service.poll_for_decision_task(domain='genflow', taskList={'name': 'orders'})
            attributes = {'result': '{"total": 3}'}
            decision = {
                'decisionType': 'CompleteWorkflowExecution',
                'completeWorkflowExecutionDecisionAttributes': attributes,
            }
            service.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[decision])

        thread = threading.Thread(target=decider)
        thread.start()
        code = main(['start', 'Order', '1', '--id', 'a', '--wait', '--timeout', str(TIMEOUT), '--endpoint', server.url])
        thread.join()
    out, err = capsys.readouterr()
    assert (code, out) == (0, '{"total": 3}\n')
    assert err.startswith('genflow: a ')


def test_start_waits_no_longer_than_it_may(genflow):
    code, out, err = genflow('start', 'Order', '1', '--id', 'a', '--wait', '--timeout', '0')
    assert (code, out) == (3, '')
    assert err.endswith('genflow: the execution a is open\n')


def test_a_signal_starts_what_is_not_open(genflow, db):
    started = genflow('signal', 'a', 'approve', 'yes', '--start', 'Order', '1', '--input', '5')[1]
    assert genflow('signal', 'a', 'approve', 'no', '--start', 'Order', '1', '--input', '5') == (0, '', '')
    events = history_of(db, *started.split())
    assert json.loads(events[0]['workflowExecutionStartedEventAttributes']['input']) == [[5], {}]
    sent = [event['workflowExecutionSignaledEventAttributes'] for event in events if 'Signaled' in event['eventType']]
    assert [json.loads(attributes['input']) for attributes in sent] == ['yes', 'no']


QUERIED = """
from genflow import Signal, Workflow, query, workflow

@workflow(name='Queried', version='1', task_list='queried', workflow_duration=60)
class QueriedOrder(Workflow):
    approve = Signal()
    state = 'new'

    @query
    def where(self, loud=False, mark=''):
        return (self.state.upper() if loud else self.state) + mark

    def run(self):
        self.state = 'waits'
        yield self.approve.get()
"""


@pytest.fixture
def queried(tmp_path, genflow, db):
    """The file of a workflow, an execution of which has made its first decision."""
    path = tmp_path / 'queried_order.py'
    path.write_text(QUERIED, encoding='utf-8')
    with LocalSWF(db) as service:
        settings = {**DEFAULTS, 'defaultTaskList': {'name': 'queried'}}
        service.register_workflow_type(domain='genflow', name='Queried', version='1', **settings)
        service.start_workflow_execution(
            domain='genflow', workflowId='a', workflowType={'name': 'Queried', 'version': '1'}
        )
        task = service.poll_for_decision_task(domain='genflow', taskList={'name': 'queried'})
        service.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[])
    return str(path)


def test_a_query_is_answered_by_replaying(genflow, queried):
    assert genflow('query', 'a', 'where', queried) == (0, '"waits"\n', '')
    assert genflow('query', 'a', 'where', 'true', '--kwarg', 'mark=!', queried) == (0, '"WAITS!"\n', '')


def test_a_query_that_is_none_is_refused_with_those_there_are(genflow, queried):
    code, out, err = genflow('query', 'a', 'wher', queried)
    assert (code, out) == (2, '')
    assert "no query 'wher'; it has where" in err


def test_a_query_with_wrong_arguments_is_refused(genflow, queried):
    code, _, err = genflow('query', 'a', 'where', '1', '2', '3', queried)
    assert code == 2
    assert 'takes from 1 to 3 positional arguments' in err


def test_types_are_listed_beside_the_code(genflow, queried):
    code, out, _ = genflow('types', queried)
    assert (code, out.splitlines()[0].split()) == (0, ['KIND', 'NAME', 'VERSION', 'STATUS', 'REGISTERED', 'CODE'])
    (row,) = [line for line in out.splitlines() if line.startswith('workflow  Queried ')]
    assert row.endswith(' differs')
    assert 'workflow Queried 1: defaultExecutionStartToCloseTimeout is 3600, the class says 60' in out
    records = {record['name']: record for record in json.loads(genflow('types', '-o', 'json')[1])}
    assert sorted(records) == ['Order', 'Queried']
    assert (records['Queried']['kind'], records['Queried']['code']) == ('workflow', None)


def test_the_doctor_finds_nothing_wrong(genflow):
    code, out, _ = genflow('doctor')
    assert code == 0, out
    assert '✓ domain: genflow is registered, and keeps closed executions for 7 days' in out
    assert '✓ types: 1 of workflows and 0 of activities are registered' in out


@pytest.mark.thorough
def test_the_doctor_tells_what_waits_and_what_differs(genflow, queried):
    genflow('start', 'Queried', '1', '--id', 'b')
    code, out, _ = genflow('doctor', queried)
    assert code == 7
    assert '✗ workflow Queried 1: registered with other defaults: ' in out
    assert '· task list queried: 1 decision tasks wait' in out


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (['--domain', 'elsewhere'], '✗ domain: elsewhere is not registered'),
        (['--db', 'nothing.db'], '✗ file: nothing.db does not exist'),
        (['--endpoint', 'http://127.0.0.1:1'], '✗ service: it does not work'),
    ],
)
def test_the_doctor_names_what_is_missing(capsys, db, options, expected):
    service = [] if options[0] in ('--db', '--endpoint') else ['--db', db]
    assert main(['doctor', *options, *service]) == 7
    assert expected in capsys.readouterr().out


def test_the_doctor_finds_a_damaged_file(capsys, db):
    with open(db, 'r+b') as file:  # noqa: PTH123
        file.seek(4096)
        file.write(b'\xff' * 40_000)
    assert main(['doctor', '--db', db]) == 7
    assert f'✗ file: {db}: ' in capsys.readouterr().out


def completed(db, *words):
    """What a shell is offered for the last word."""
    completion = ShellComplete(cli, {}, 'genflow', '_GENFLOW_COMPLETE')
    return [item.value for item in completion.get_completions([*words[:-1], '--db', db], words[-1])]


@pytest.mark.thorough
def test_a_shell_completes_ids_types_versions_and_domains(genflow, db):
    for workflow_id in ('order-1', 'order-2', 'refund-1'):
        genflow('start', 'Order', '1', '--id', workflow_id)
    assert completed(db, 'why', 'order-') == ['order-2', 'order-1']
    assert completed(db, 'signal', 'r') == ['refund-1']
    assert completed(db, 'start', 'Or') == ['Order']
    assert completed(db, 'start', 'Order', '') == ['1']
    assert completed(db, 'sig') == ['signal']


def test_a_shell_is_offered_nothing_where_nothing_answers(capsys):
    completion = ShellComplete(cli, {}, 'genflow', '_GENFLOW_COMPLETE')
    assert completion.get_completions(['why', '--db', 'nothing.db'], '') == []
    assert completion.get_completions(['--db', 'nothing.db', 'list', '--domain'], '') == []
    assert capsys.readouterr() == ('', '')


def test_a_shell_completes_domains(db):
    completion = ShellComplete(cli, {}, 'genflow', '_GENFLOW_COMPLETE')
    offered = completion.get_completions(['--db', db, 'list', '--domain'], 'gen')
    assert [item.value for item in offered] == ['genflow']


def test_the_commands_of_a_refusal_reach_the_same_service(tmp_path, capsys):
    db = str(tmp_path / 'my orders.db')
    with LocalSWF(db) as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='7')
    for words in (['start', 'Nope', '1'], ['cancel', 'x'], ['list']):
        domain = ['--domain', 'nowhere' if words == ['list'] else 'd']
        assert main([*words, *domain, '--db', db]) == 2
        commands = re.findall('`(genflow [^`]+)`', capsys.readouterr().err)
        assert commands
        for command in commands:
            assert typed(command)[1].get('db', db) == db
            assert "--db '" in command
