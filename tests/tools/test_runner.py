"""``genflow.run``: the command's engine, as a function."""

from __future__ import annotations

import sys
import threading

import pytest

import genflow
from genflow import (
    ActivityProxy,
    ChildFailed,
    ChildTimedOut,
    DefinitionError,
    HistoryError,
    NondeterminismError,
    PayloadTooLarge,
    RegistrationError,
    Workflow,
    WorkflowProxy,
)
from genflow.local import LocalSWF
from genflow.swf.scanner import activity, workflow
from genflow.tools.run import one_run

calls = []


@activity(name='runner.Double', version=1, task_list='runner')
class Double(genflow.Activity):
    def run(self, number):
        calls.append(number)
        if number < 0:
            raise ValueError('no negative numbers')
        return 2 * number


@workflow(name='runner.Doubling', version=1, task_list='runner')
class Doubling(Workflow):
    double = ActivityProxy(name='runner.Double', version=1)

    def run(self, *numbers, times=1):
        for _ in range(times):
            numbers = yield [self.double(number) for number in numbers]
        return numbers


@workflow(name='runner.Elsewhere', version=1, task_list='runner')
class Elsewhere(Workflow):
    double = ActivityProxy(name='runner.Double', version=1, task_list='runner.a.list.of.its.own')
    doubling = WorkflowProxy(name='runner.Doubling', version=1, task_list='runner.another.list')

    def run(self, number):
        first = yield self.double(number)
        return (yield self.doubling(first))


@workflow(name='runner.Counting', version=1, task_list='runner')
class Counting(Workflow):
    def run(self, number, last):
        yield self.sleep(0)
        return number if number == last else self.restart(number + 1, last)


@workflow(name='runner.Late', version=1, task_list='runner', workflow_duration=1)
class Late(Workflow):
    def run(self):
        yield self.sleep(60)


@workflow(name='runner.Lonely', version=1, task_list='runner')
class Lonely(Workflow):
    missing = ActivityProxy(
        name='runner.Missing', version=1, task_list='runner', start_to_close=60, schedule_to_start=60
    )

    def run(self):
        yield self.missing()


@workflow(name='runner.Words', version=1, task_list='runner')
class Words(Workflow):
    """With a transport of its own."""

    def _serialize_arguments(self, *words):
        return '|'.join(words)

    def _deserialize_arguments(self, text):
        return text.split('|'), {}

    def _serialize_result(self, value):
        return '|'.join(value)

    def _deserialize_result(self, text):
        return text.split('|')

    def run(self, *words):
        return sorted(words)


@pytest.fixture(autouse=True)
def no_calls_yet():
    calls.clear()


@pytest.mark.thorough
def test_the_result_of_a_workflow():
    assert genflow.run(Doubling, 1, 2, 3) == [2, 4, 6]


def test_keyword_arguments():
    assert genflow.run(Doubling, 1, kwargs={'times': 5}) == [32]


def test_a_transport_of_its_own():
    assert genflow.run(Words, 'c', 'a', 'b') == ['a', 'b', 'c']


def test_task_lists_that_only_a_decision_names_are_worked_for():
    assert genflow.run(Elsewhere, 3) == [12]


def test_restarts_are_followed():
    assert genflow.run(Counting, 1, 4) == 4


def test_a_failure_raises_with_the_remote_traceback():
    with pytest.raises(ChildFailed, match=r'ActivityFailed: activity 1 runner\.Double 1: ValueError') as caught:
        genflow.run(Doubling, -1)
    assert "raise ValueError('no negative numbers')" in caught.value.traceback


@pytest.mark.thorough
def test_a_time_out_raises():
    with pytest.raises(ChildTimedOut) as caught:
        genflow.run(Late)
    assert caught.value.timeout_type == 'START_TO_CLOSE'


def test_a_class_that_is_not_decorated_is_refused():
    with pytest.raises(DefinitionError, match='decorate it'):
        genflow.run(type('Bare', (Workflow,), {}))


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(
        DefinitionError, match=r"fit Counting\.run\(number, last\): missing a required argument: 'last'"
    ):
        genflow.run(Counting, 1)


def test_arguments_that_are_no_json_are_refused():
    with pytest.raises(DefinitionError, match=r'of Counting\.run.* cannot be serialized'):
        genflow.run(Counting, 1, object())


def test_arguments_that_are_too_large_are_refused():
    with pytest.raises(PayloadTooLarge, match=r'the input of Words\.run has 40,000 characters'):
        genflow.run(Words, 'x' * 40_000)


@pytest.mark.thorough
def test_a_completed_execution_is_recalled(tmp_path):
    db = tmp_path / 'x.db'
    assert genflow.run(Doubling, 4, db=db, workflow_id='a') == [8]
    assert genflow.run(Doubling, 4, db=db, workflow_id='a') == [8]
    assert calls == [4]
    assert genflow.run(Doubling, 5, db=db, workflow_id='a') == [10]


@pytest.mark.thorough
def test_a_completed_execution_is_recalled_by_the_arguments_of_its_first_run(tmp_path):
    db = tmp_path / 'x.db'
    assert genflow.run(Counting, 1, 3, db=db, workflow_id='a') == 3
    assert genflow.run(Counting, 1, 3, db=db, workflow_id='a') == 3
    with LocalSWF(db) as service:
        infos = service.list_closed_workflow_executions(domain='genflow', startTimeFilter={'oldestDate': 0})
    assert len(infos['executionInfos']) == 3


@pytest.mark.thorough
def test_a_failed_execution_is_run_again(tmp_path):
    db = tmp_path / 'x.db'
    for _ in range(2):
        with pytest.raises(ChildFailed):
            genflow.run(Doubling, -1, db=db, workflow_id='a')
    assert calls == [-1, -1]


def start(db, spec_name, text):
    """An execution as another process would have left it: started, and nothing done."""
    with LocalSWF(db) as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        kind = {'name': spec_name, 'version': '1'}
        service.register_workflow_type(domain='genflow', **kind)
        service.start_workflow_execution(
            domain='genflow',
            workflowId='a',
            workflowType=kind,
            taskList={'name': 'runner'},
            input=text,
            executionStartToCloseTimeout='3600',
            taskStartToCloseTimeout='60',
            childPolicy='TERMINATE',
        )


def decide(db, timer):
    """Answers its decision task with a timer, as other code might have."""
    with LocalSWF(db) as service:
        task = service.poll_for_decision_task(domain='genflow', taskList={'name': 'runner'})
        decision = {'decisionType': 'StartTimer', 'startTimerDecisionAttributes': timer}
        service.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[decision])


@pytest.mark.thorough
def test_an_open_execution_is_continued(tmp_path):
    start(tmp_path / 'x.db', 'runner.Doubling', '[[4],{}]')
    assert genflow.run(Doubling, 4, db=tmp_path / 'x.db', workflow_id='a') == [8]


@pytest.mark.thorough
def test_an_open_execution_of_another_type_is_refused(tmp_path):
    start(tmp_path / 'x.db', 'runner.Counting', '[[1,2],{}]')
    with pytest.raises(HistoryError, match=r"'a' is open, of the workflow runner\.Counting 1, not runner\.Doubling 1"):
        genflow.run(Doubling, 4, db=tmp_path / 'x.db', workflow_id='a')


@pytest.mark.thorough
def test_code_that_does_not_follow_the_history_raises_what_the_engine_says(tmp_path):
    start(tmp_path / 'x.db', 'runner.Counting', '[[1,2],{}]')
    decide(tmp_path / 'x.db', {'timerId': '7', 'startToFireTimeout': '0'})
    with pytest.raises(NondeterminismError, match=r'recorded: .* TimerStarted'):
        genflow.run(Counting, 1, 2, db=tmp_path / 'x.db', workflow_id='a')


def test_an_activity_type_that_nobody_has_is_an_error_at_its_task():
    with pytest.raises(ChildFailed, match='ACTIVITY_TYPE_DOES_NOT_EXIST'):
        genflow.run(Lonely)


@pytest.mark.thorough
def test_an_activity_type_that_only_the_file_knows_ends_the_run(tmp_path):
    start(tmp_path / 'x.db', 'runner.Lonely', '[[],{}]')
    with LocalSWF(tmp_path / 'x.db') as service:
        service.register_activity_type(
            domain='genflow', name='runner.Missing', version='1', defaultTaskHeartbeatTimeout='NONE'
        )
    with pytest.raises(RegistrationError, match=r'the activity type runner\.Missing 1, which the execution a needs'):
        genflow.run(Lonely, db=tmp_path / 'x.db', workflow_id='a')


def test_a_class_that_was_defined_again_gives_way_to_its_successor(monkeypatch):
    def define(result):
        @workflow(name='runner.Again', version=1, task_list='runner')
        class Again(Workflow):
            def run(self):
                return result

        Again.__qualname__ = 'Again'
        monkeypatch.setattr(sys.modules[__name__], 'Again', Again, raising=False)
        return Again

    first, second = define('first'), define('second')
    assert genflow.run(second) == 'second'
    del first


def test_importing_the_room_is_left_to_those_who_use_it():
    assert genflow.run.__module__ == 'genflow.tools.run.runner'


@pytest.mark.parametrize('wrong', ['', 'x' * 257, 7])
def test_a_workflow_id_that_is_none_is_refused(wrong):
    with pytest.raises(DefinitionError, match='it must be text of 1 to 256 characters'):
        genflow.run(Doubling, workflow_id=wrong)


def test_run_waits_for_the_middleware_that_handles_the_close():
    returned = threading.Event()
    handled = []

    class Slow(genflow.Middleware):
        def workflow_closed(self, close):
            handled.append(returned.wait(0.2))  # true if `run` returns while this runs

    assert genflow.run(Doubling, 4, middleware=Slow()) == [8]
    returned.set()
    assert handled == [False]


@pytest.mark.parametrize('restarts', [0, 2])
def test_a_run_ends_as_soon_as_its_execution_has_closed(monkeypatch, restarts):
    """It is told so: without that, it would look again after the pause for showing."""
    monkeypatch.setattr(one_run, 'SETTLE_INTERVAL', 3600)
    results = []
    thread = threading.Thread(target=lambda: results.append(genflow.run(Counting, 0, restarts)), daemon=True)
    thread.start()
    thread.join(60)
    assert results == [restarts]
