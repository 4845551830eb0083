"""``genflow rerun`` and ``genflow debug``."""

from __future__ import annotations

import gc
import io

import pytest

from genflow.core.model.registry import WorkflowSpec
from genflow.insight import ExecutionView
from genflow.local import LocalSWF
from genflow.testing import History
from genflow.tools.cli.executions.debugging import parted, pdb_of, step_through
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.main import main
from genflow.tools.executions.rerun import request_of
from tests.testing.orders import Order

TYPE = {'name': 'Order', 'version': '1'}


@pytest.fixture
def db(tmp_path):
    path = str(tmp_path / 'x.db')
    with LocalSWF(path, long_poll=0) as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        service.register_workflow_type(
            domain='genflow',
            **TYPE,
            defaultTaskList={'name': 'orders'},
            defaultTaskStartToCloseTimeout='60',
            defaultExecutionStartToCloseTimeout='3600',
            defaultChildPolicy='TERMINATE',
        )
        run_id = service.start_workflow_execution(
            domain='genflow', workflowId='o', workflowType=TYPE, input='[[5],{}]', tagList=['paid'],
            executionStartToCloseTimeout='77', taskPriority='3', childPolicy='ABANDON',
        )['runId']  # fmt: skip
    return path, run_id


def first_event(path, workflow_id, run_id):
    with LocalSWF(path, long_poll=0) as service:
        execution = {'workflowId': workflow_id, 'runId': run_id}
        events = service.get_workflow_execution_history(domain='genflow', execution=execution)['events']
    return events[0]['workflowExecutionStartedEventAttributes']


def test_rerun_starts_a_new_execution_with_the_same_input_and_settings(db, capsys):
    path, old = db
    assert main(['terminate', 'o', '--db', path]) == 0
    assert main(['rerun', 'o', '--db', path]) == 0
    workflow_id, run_id = capsys.readouterr().out.split()
    said = first_event(path, workflow_id, run_id)
    before = first_event(path, 'o', old)
    assert workflow_id == 'o'
    assert run_id != old
    assert said['tagList'] == ['paid', f'rerun-of:{old}']
    assert {**said, 'tagList': ['paid']} == before


def test_rerun_of_an_open_execution_needs_another_id(db, capsys):
    path, _ = db
    assert main(['rerun', 'o', '--db', path]) == 2
    assert main(['rerun', 'o', '--id', 'o-2', '--db', path]) == 0
    assert capsys.readouterr().out.startswith('o-2 ')


def test_a_sixth_tag_is_not_set():
    begun = {'workflowType': TYPE, 'tagList': list('abcde')}
    assert request_of(begun, 'run-1')['tagList'] == list('abcde')


def paused():
    history = History(Order, 1).decide().completed(Order.charge.task(1), 'ok').decide()
    return history.signaled('approve', True).decide()


def test_the_debugger_stops_in_the_workflow_with_everything_recorded_so_far():
    history = paused()
    view = ExecutionView('w', 'r').apply_all(history.events)
    out = io.StringIO()
    debugger = pdb_of(stdin=io.StringIO('n\np approved, receipt\nq\n'), stdout=out)
    debugger.use_rawinput = False
    signaled = next(one.id for one in view.signals)
    step_through(view, WorkflowSpec(Order, 'Order', '1'), signaled, debugger)
    assert 'orders.py' in out.getvalue()
    assert "(True, 'ok')" in out.getvalue()


@pytest.mark.parametrize(('event_id', 'first', 'last'), [(1, 1, 5), (5, 1, 5), (7, 6, 10), (11, 11, 15)])
def test_the_events_are_parted_before_the_decision_that_an_event_belongs_to(event_id, first, last):
    view = ExecutionView('w', 'r').apply_all(paused().events)
    before, decision = parted(view, event_id)
    assert (len(before) + 1, decision[-1]['eventId']) == (first, last)


def test_an_event_that_is_not_there_is_refused():
    view = ExecutionView('w', 'r').apply_all(paused().events)
    with pytest.raises(Refused, match='there is no event 99; the last one is 15'):
        parted(view, 99)


def test_an_event_that_no_decision_has_seen_yet_is_refused():
    view = ExecutionView('w', 'r').apply_all(paused().signaled('approve', 2).events)
    with pytest.raises(Refused, match='no decision has seen event 16 yet; the last one ends with event 15'):
        parted(view, 16)


def test_the_decision_that_is_to_be_made_is_stepped_through_without_an_event():
    history = History(Order, 1).decide().completed(Order.charge.task(1), 'ok').decide().signaled('approve', 'now')
    view = ExecutionView('w', 'r').apply_all(history.events)
    out = io.StringIO()
    debugger = pdb_of(stdin=io.StringIO('n\np approved\nq\n'), stdout=out)
    debugger.use_rawinput = False
    step_through(view, WorkflowSpec(Order, 'Order', '1'), None, debugger)
    assert "'now'" in out.getvalue()


def test_a_decision_that_a_worker_is_making_is_stepped_through_too():
    view = ExecutionView('w', 'r').apply_all(paused().signaled('approve', 'now').decision_started().events)
    before, decision = parted(view)
    kinds = [event['eventType'] for event in decision]
    assert (len(before), kinds[-1], kinds.count('DecisionTaskStarted')) == (15, 'DecisionTaskStarted', 1)


def test_without_any_decision_there_is_nothing_to_step_through():
    view = ExecutionView('w', 'r').apply_all(History(Order).events[:1])
    with pytest.raises(Refused, match='no decision of this execution has been made'):
        parted(view)


@pytest.mark.parametrize('event_id', [1, 7, 11])
def test_the_debugger_shows_lines_of_the_workflow_alone(event_id):
    view = ExecutionView('w', 'r').apply_all(paused().events)
    out = io.StringIO()
    debugger = pdb_of(stdin=io.StringIO('w\nn\nw\ns\ns\nw\nq\n'), stdout=out)
    debugger.use_rawinput = False
    step_through(view, WorkflowSpec(Order, 'Order', '1'), event_id, debugger)
    places = [line for line in out.getvalue().splitlines() if '.py(' in line]
    assert places
    assert [line for line in places if 'orders.py' not in line] == []


def test_what_the_garbage_collector_calls_is_not_stepped_into():
    view = ExecutionView('w', 'r').apply_all(paused().events)
    out = io.StringIO()
    debugger = pdb_of(stdin=io.StringIO('n\n' * 20), stdout=out)
    debugger.use_rawinput = False
    called = []

    def at_a_collection(phase, info):
        called.append(phase)

    threshold = gc.get_threshold()
    gc.callbacks.append(at_a_collection)
    gc.set_threshold(1)
    try:
        step_through(view, WorkflowSpec(Order, 'Order', '1'), 1, debugger)
        assert gc.isenabled()
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(at_a_collection)
    assert called
    assert 'orders.py' in out.getvalue()
    assert 'at_a_collection' not in out.getvalue()


def test_what_the_code_requests_in_a_decision_that_is_to_be_made_is_printed(capsys):
    history = History(Order, 1).decide().completed(Order.charge.task(1), 'ok').decide().signaled('approve', True)
    view = ExecutionView('w', 'r').apply_all(history.events)
    debugger = pdb_of(stdin=io.StringIO('c\n'), stdout=io.StringIO())
    debugger.use_rawinput = False
    step_through(view, WorkflowSpec(Order, 'Order', '1'), None, debugger)
    assert 'genflow: the code ' in capsys.readouterr().err
