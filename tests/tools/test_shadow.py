"""``genflow shadow`` and ``genflow worker --shadow-first``, on the embedded service."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve

from genflow import ActivityProxy, Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.local import LocalSWF, ManualClock
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.testing import Tester
from genflow.testing.replayer import replay_files
from genflow.tools.shadow import Fetcher, Outcome, Shadow, Wanted, shadow_executions, shadow_files, since_of
from tests.tools.processes import finish, start, start_flow, wait_for

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Order(Workflow):
    charge = ActivityProxy('Charge', '1')

    def run(self, order):
        receipt = yield self.charge(order)
        yield self.sleep(60)
        return receipt


class Other(Workflow):
    """The same type, after a change."""

    debit = ActivityProxy('Debit', '1')

    def run(self, order):
        receipt = yield self.debit(order)
        yield self.sleep(60)
        return receipt


SAME = WorkflowSpec(Order, 'Order', '1')
CHANGED = WorkflowSpec(Other, 'Order', '1')


class Recorder:
    """A client that remembers what was called."""

    def __init__(self, service):
        self._service = service
        self.calls = []

    def __getattr__(self, name):
        method = getattr(self._service, name)
        if not callable(method):
            return method

        def call(**request):
            self.calls.append((name, request))
            return method(**request)

        return call


@pytest.fixture
def service():
    """A service with two executions that are closed and one that is open, all of the domain of testers."""
    with LocalSWF(clock=ManualClock(START)) as service:
        for number in (1, 2):
            Tester(Order, service=service, workflow_id=f'order-{number}', charge='ok').run(number)
        tester = Tester(Order, service=service, workflow_id='order-3', charge='ok').start(3)
        for _ in range(3):  # decided, charged, decided
            tester.step()
        yield service


DOMAIN = 'test'


def fetcher(service, folder=None, **options):
    pauses = []
    found = Fetcher(
        RetryingClient(connect(service)), folder, pause=pauses.append, now=lambda: service.clock.now(), **options
    )
    return found, pauses


def test_code_that_follows_everything(service):
    found, _ = fetcher(service)
    shadow = shadow_executions(found, Wanted(DOMAIN), [SAME])
    assert shadow.ok
    assert [(o.workflow_id, o.is_open) for o in shadow.outcomes] == [
        ('order-3', True),
        ('order-2', False),
        ('order-1', False),
    ]
    assert 'Order 1: 3 of 3 executions follow the code' in str(shadow)


def test_code_that_does_not_is_reported_by_mutation_with_one_example(service):
    found, _ = fetcher(service)
    shadow = shadow_executions(found, Wanted(DOMAIN), [CHANGED])
    assert len(shadow.failed) == 3
    assert [outcome.workflow_id for outcome in shadow.held] == ['order-3']
    ((key, outcomes),) = shadow.by_mutation().items()
    assert key[:2] == ('Order', '1')
    assert len(outcomes) == 3
    text = str(shadow)
    assert text.count('for example') == 1
    assert "+ asked:    activity number=1, name='Debit'" in text
    assert '3 executions do not follow the code, 1 of them open' in text
    one = shadow_executions(found, Wanted(DOMAIN, limit=1), [CHANGED])
    assert 'Order 1: 1 execution does not follow the code, and is open' in str(one)


@pytest.mark.parametrize(
    ('number', 'lines'),
    [
        (
            1,
            [
                'Order 1: 1 execution does not follow the code, and is closed',
                'Order 1: 0 of 1 execution follows the code',
                'Order 2: 1 execution, of a type that the code does not have',
                '1 execution was deleted before its history was read',
                '0 of 1 execution follows the code (1 event, 0.00 s CPU, 1 call, 0.0 s)',
            ],
        ),
        (
            2,
            [
                'Order 1: 2 executions do not follow the code, 0 of them open',
                'Order 1: 0 of 2 executions follow the code',
                'Order 2: 2 executions, of a type that the code does not have',
                '2 executions were deleted before their histories were read',
                '0 of 2 executions follow the code (2 events, 0.00 s CPU, 2 calls, 0.0 s)',
            ],
        ),
    ],
)
def test_the_report_tells_one_from_many(number, lines):
    outcomes = [Outcome('Order', '1', 'a', 'r', False, 1, 0.0, ValueError('no'))] * number
    shadow = Shadow(outcomes, {('Order', '2'): number}, number, number)
    assert [line for line in str(shadow).splitlines() if line and not line.startswith(' ')] == lines


def test_reports_for_machines(service):
    found, _ = fetcher(service)
    shadow = shadow_executions(found, Wanted(DOMAIN), [CHANGED])
    report = json.loads(json.dumps(shadow.to_json()))
    assert (report['ok'], report['executions'], report['held']) == (False, 3, 1)
    assert report['mutations'][0]['example']['workflow_id'] == 'order-3'
    root = ET.fromstring(shadow.to_junit())  # noqa: S314 - our own text
    assert [(suite.get('tests'), suite.get('failures')) for suite in root] == [('3', '3')]
    assert 'NondeterminismError' in root[0][0][0].get('type')


def test_types_that_the_code_does_not_have_are_counted(service):
    found, _ = fetcher(service)
    shadow = shadow_executions(found, Wanted(DOMAIN), [WorkflowSpec(Order, 'Invoice', '1')])
    assert (shadow.outcomes, shadow.unknown) == ([], {('Order', '1'): 3})
    assert 'Order 1: 3 executions, of a type that the code does not have' in str(shadow)


@pytest.mark.parametrize(
    ('wanted', 'ids'),
    [
        (Wanted(DOMAIN, open_only=True), ['order-3']),
        (Wanted(DOMAIN, limit=2), ['order-3', 'order-2']),
        (Wanted(DOMAIN, type_name='Invoice'), []),
        (Wanted(DOMAIN, since=timedelta(seconds=90)), ['order-3', 'order-2']),  # order-1 closed 120 s ago
    ],
)
def test_what_is_shown(service, wanted, ids):
    service.clock.advance(60)
    found, _ = fetcher(service)
    shadow = shadow_executions(found, wanted, [SAME])
    assert [outcome.workflow_id for outcome in shadow.outcomes] == ids


def test_closed_histories_are_kept_and_not_fetched_again(service, tmp_path):
    first = Recorder(service)
    found, _ = fetcher(first, tmp_path)
    assert shadow_executions(found, Wanted(DOMAIN), [SAME]).ok
    files = sorted(path.name.rpartition('-')[0] for path in Path(tmp_path).rglob('*.json'))
    assert files == ['order-1', 'order-2', 'order-3']
    assert replay_files([tmp_path], [SAME]).ok
    second = Recorder(service)
    found, _ = fetcher(second, tmp_path)
    assert shadow_executions(found, Wanted(DOMAIN), [SAME]).ok
    fetched = [request['execution']['workflowId'] for name, request in second.calls if name.startswith('get_')]
    assert fetched == ['order-3']  # the open one


def test_a_history_that_was_kept_of_an_open_execution_is_fetched_again_once_that_has_closed(service, tmp_path):
    found, _ = fetcher(service, tmp_path)
    shadow_executions(found, Wanted(DOMAIN), [SAME])
    service.terminate_workflow_execution(domain=DOMAIN, workflowId='order-3')
    again, _ = fetcher(service, tmp_path)
    (closed,) = [one for one in again.executions(Wanted(DOMAIN)) if one.workflow_id == 'order-3']
    assert again.history(DOMAIN, closed)['events'][-1]['eventType'] == 'WorkflowExecutionTerminated'
    calls = again.calls
    again.history(DOMAIN, closed)
    assert again.calls == calls


def test_an_execution_that_is_deleted_meanwhile_is_counted_and_the_others_are_replayed(service):
    class Late(Fetcher):
        """Reads the first history after its retention has ended."""

        def history(self, domain, execution):
            return super().history(domain, execution if self.calls > 2 else evolve(execution, run_id='no such run'))

    found = Late(RetryingClient(connect(service)), pause=lambda seconds: None, now=lambda: service.clock.now())
    shadow = shadow_executions(found, Wanted(DOMAIN), [SAME])
    assert (len(shadow.outcomes), shadow.gone, shadow.ok) == (2, 1, True)
    assert '1 execution was deleted before its history was read' in str(shadow)


def test_an_interrupted_shadow_continues_where_it_was(service, tmp_path):
    found, _ = fetcher(service, tmp_path)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shadow_executions(found, Wanted(DOMAIN), [SAME], tick=stop)
    histories = found.calls - 1  # the open execution's
    again, _ = fetcher(service, tmp_path)
    assert shadow_executions(again, Wanted(DOMAIN), [SAME]).ok
    assert histories == 1
    assert not list(tmp_path.rglob('*.part'))


def test_nothing_but_three_operations_is_called(service):
    recorder = Recorder(service)
    found, _ = fetcher(recorder)
    shadow_executions(found, Wanted(DOMAIN), [SAME])
    assert {name for name, _ in recorder.calls} == {
        'get_workflow_execution_history',
        'list_closed_workflow_executions',
        'list_open_workflow_executions',
    }


def test_calls_keep_to_half_of_the_rate(service):
    found, pauses = fetcher(service, clock=lambda: 0.0)
    shadow_executions(found, Wanted(DOMAIN), [SAME])
    assert pauses == pytest.approx([1 / 30, 2 / 30])  # three histories at half of 60 a second


def test_a_folder_of_histories(service, tmp_path):
    found, _ = fetcher(service, tmp_path)
    shadow_executions(found, Wanted(DOMAIN), [SAME])
    assert shadow_files([tmp_path], [SAME]).ok
    shadow = shadow_files([tmp_path], [CHANGED])
    assert sorted((o.workflow_id, o.is_open) for o in shadow.failed) == [
        ('order-1', False),
        ('order-2', False),
        ('order-3', True),
    ]


@pytest.mark.parametrize(('text', 'hours'), [('7d', 168), ('12h', 12), ('30m', 0.5), ('2w', 336), ('3600s', 1)])
def test_since(text, hours):
    assert since_of(text) == timedelta(hours=hours)


@pytest.mark.parametrize('text', ['7', 'd', '1y', '-1d'])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match='such as 7d'):
        since_of(text)


# the commands

FLOW = """
from genflow import ActivityProxy, Workflow, workflow

@workflow(name='Flow', version=1, task_list='steps')
class Flow(Workflow):
    step = ActivityProxy(name='Step', version=1)

    def run(self, number):
        return (yield self.step(number))
"""

WORKER = ('worker', 'flow.py', '--domain', 'shop', '--task-list', 'steps', '--db', 'x.db', '--max-tasks', 1)


@pytest.fixture
def folder(tmp_path):
    """A folder with a workflow, and a file with an execution of it that was decided on once."""
    (tmp_path / 'flow.py').write_text(FLOW, encoding='utf-8')
    with LocalSWF(tmp_path / 'x.db') as service:
        start_flow(service)
        service.register_activity_type(
            domain='shop',
            name='Step',
            version='1',
            defaultTaskList={'name': 'steps'},
            defaultTaskScheduleToStartTimeout='60',
            defaultTaskScheduleToCloseTimeout='60',
            defaultTaskStartToCloseTimeout='60',
            defaultTaskHeartbeatTimeout='NONE',
        )
    assert genflow(tmp_path, *WORKER, '--no-register')[0] == 0
    return tmp_path


def genflow(folder, *arguments):
    done = finish(start(folder, *arguments))
    return done.returncode, done.out, done.err


@pytest.mark.thorough
def test_the_command(folder):
    code, out, err = genflow(folder, 'shadow', 'flow.py', '--domain', 'shop', '--db', 'x.db', '--cache', 'kept')
    assert (code, err) == (0, '')
    assert '1 of 1 execution follows the code' in out
    changed = FLOW.replace("name='Step'", "name='Stop'")
    (folder / 'flow.py').write_text(changed, encoding='utf-8')
    ways = (('--domain', 'shop', '--db', 'x.db'), ('--histories', 'kept'))
    for way in ways:
        code, out, _ = genflow(folder, 'shadow', 'flow.py', *way, '--junit', 'junit.xml')
        assert code == 6
        assert "+ asked:    activity number=1, name='Stop'" in out
        assert 'failures="1"' in (folder / 'junit.xml').read_text(encoding='utf-8')


@pytest.mark.thorough
def test_a_worker_does_not_poll_where_an_open_execution_would_be_held(folder):
    worker = start(folder, *WORKER, '--no-register', '--shadow-first')
    wait_for(worker.stderr, '1 of 1 execution follows the code')
    worker.kill()
    finish(worker)
    (folder / 'flow.py').write_text(FLOW.replace("name='Step'", "name='Stop'"), encoding='utf-8')
    code, _, err = genflow(folder, *WORKER, '--no-register', '--shadow-first')
    assert code == 6
    assert 'would be held: Flow 1 a ' in err
    assert '1 open execution would be held, so this worker does not poll' in err


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (('flow.py',), 'give --domain, or --histories'),
        (('none.py', '--domain', 'shop'), 'there is no file'),
        (('flow.py', '--domain', 'shop', '--db', 'x.db', '--since', 'long'), 'such as 7d'),
        (('flow.py', '--domain', 'none', '--db', 'x.db'), 'none'),
    ],
)
def test_wrong_usage(folder, arguments, text):
    code, _, err = genflow(folder, 'shadow', *arguments)
    assert code == 2
    assert text in err
