"""Decision tasks are decided, continued from the cache, held or left; answers keep executions where they belong."""

from __future__ import annotations

import contextlib
import gc
import logging

import pytest
from botocore.exceptions import ParamValidationError

from genflow import Activity, ActivityProxy, Signal, Workflow
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker import decider, sticky_cache
from genflow.swf.worker.sticky_cache import ClosingExecution, StickyCache
from tests.swf.work import Loops, attributes, kinds, registry_of


@activity('Echo', 1, 'tl')
class Echo(Activity):
    def run(self, value):
        return value


@workflow('Chain', 1, 'tl')
class Chain(Workflow):
    echo = ActivityProxy('Echo', 1)

    def run(self, length):
        for number in range(length):
            yield self.echo(number)
        return length


@workflow('Waits', 1, 'tl')
class Waits(Workflow):
    go = Signal()

    def run(self):
        return (yield self.go.get())


@workflow('Drains', 1, 'tl')
class Drains(Workflow):
    echo = ActivityProxy('Echo', 1)
    jobs = Signal()

    def run(self):
        done = []
        while self.jobs:
            done += yield [self.echo(job) for job in self.jobs.drain()]
        return done


def test_the_second_decision_continues_the_first(swf):
    loops = Loops(swf, Echo, Chain)
    execution = loops.client.starter(Chain)(3)
    loops.run()
    assert execution.result() == 3
    assert loops.decider.counts['decided'] == 4
    assert loops.decider.counts['continued'] == 3
    # Three events up to the first DecisionTaskStarted, and after each activity the seven from the last one on.
    assert loops.decider.counts['events'] == 3 + 3 * 7


def test_without_a_cache_every_history_is_read_whole(swf):
    loops = Loops(swf, Echo, Chain, cache=decider.StickyCache(max_executions=0))
    execution = loops.client.starter(Chain)(3)
    loops.run()
    assert execution.result() == 3
    assert loops.decider.counts['continued'] == 0


def test_an_execution_that_closed_is_not_kept(swf):
    loops = Loops(swf, Echo, Chain)
    loops.client.starter(Chain)(1)
    loops.run()
    assert len(loops.decider.cache) == 0


class TestItsOwnList:
    def test_decision_tasks_come_to_it_and_activities_do_not(self, swf):
        loops = Loops(swf, Echo, Chain, own_list='mine')
        execution = loops.client.starter(Chain)(2)
        loops.lists.append('mine')
        loops.run()
        lists = [said['taskList']['name'] for said in attributes(execution, 'DecisionTaskScheduled')]
        assert lists == ['tl', 'mine', 'mine']
        answers = attributes(execution, 'DecisionTaskCompleted')
        assert [said['taskListScheduleToStartTimeout'] for said in answers] == ['5'] * 3

    def test_an_idle_execution_comes_back_by_its_time_out(self, swf):
        loops = Loops(swf, Waits, own_list='mine')
        execution = loops.client.starter(Waits)()
        assert loops.decide()
        execution.signal('go', 1)
        assert not loops.decide('tl')
        swf.clock.advance(5)
        assert loops.decide('tl')
        assert execution.result() == 1

    def test_a_task_in_hand_is_sent_back_to_the_original_list(self, swf):
        loops = Loops(swf, Echo, Chain, own_list='mine')
        execution = loops.client.starter(Chain)(2)
        loops.decide()
        loops.run_activity()
        loops.decider.leave_own_list()
        assert loops.decide('mine')
        last = attributes(execution, 'DecisionTaskCompleted')[-1]
        assert last['taskList'] == {'name': 'tl'}
        assert 'taskListScheduleToStartTimeout' not in last
        loops.run()
        assert execution.result() == 2

    def test_another_worker_takes_over_cold(self, swf):
        one = Loops(swf, Echo, Chain, own_list='mine')
        two = Loops(swf, Echo, Chain, own_list='other')
        execution = one.client.starter(Chain)(4)
        one.decide()
        one.run_activity()
        swf.clock.advance(5)
        two.lists.append('other')
        two.run()
        assert execution.result() == 4
        assert two.decider.counts['continued'] == 3

    def test_a_cached_execution_that_another_worker_decided_is_not_continued(self, swf):
        one = Loops(swf, Echo, Chain)
        two = Loops(swf, Echo, Chain)
        execution = one.client.starter(Chain)(3)
        one.decide()
        one.run_activity()
        two.decide()
        two.run_activity()
        one.run()
        assert execution.result() == 3
        assert one.decider.counts['continued'] == 1  # the last; the one before was decided by the other

    def test_a_service_that_forgets_the_time_out_is_not_given_a_list(self, swf, caplog):
        class Forgetful:
            def __getattr__(self, name):
                return getattr(swf, name)

            def respond_decision_task_completed(self, **request):
                request.pop('taskListScheduleToStartTimeout', None)
                return swf.respond_decision_task_completed(**request)

        loops = Loops(Forgetful(), Echo, Chain, own_list='mine')
        execution = loops.client.starter(Chain)(3)
        loops.lists.append('mine')
        loops.run()
        assert execution.result() == 3
        lists = [said['taskList']['name'] for said in attributes(execution, 'DecisionTaskScheduled')]
        assert lists == ['tl', 'mine', 'tl', 'tl']
        assert 'ignores the time-out of a task list for one worker' in caplog.text


@workflow('Drifts', 1, 'tl')
class Drifts(Workflow):
    echo = ActivityProxy('Echo', 1)
    other = ActivityProxy('Other', 1)
    changed = False

    def run(self):
        yield (self.other if type(self).changed else self.echo)(1)
        yield self.echo(2)


class TestHolding:
    @pytest.fixture
    def drifted(self, swf, monkeypatch):
        def begin(**options):
            loops = Loops(swf, Echo, Drifts, cache=decider.StickyCache(max_executions=0), **options)
            execution = loops.client.starter(Drifts)()
            loops.decide()
            loops.run_activity()
            monkeypatch.setattr(Drifts, 'changed', True)
            return loops, execution

        return begin

    def test_an_execution_whose_code_changed_is_left_as_it_is(self, drifted, swf, caplog):
        seen = []
        loops, execution = drifted(on_hold=lambda task, error: seen.append((task.workflow_id, type(error).__name__)))
        for _ in range(3):
            assert loops.decide()
            swf.clock.advance(61)
        assert execution.status() == 'OPEN'
        assert loops.decider.counts['held'] == 3
        assert list(loops.decider.held) == [execution.run_id]
        assert seen == [(execution.workflow_id, 'NondeterminismError')]
        assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
        assert 'is held, its decision task left unanswered' in caplog.text

    def test_a_corrected_worker_continues(self, drifted, swf, monkeypatch):
        loops, execution = drifted()
        loops.decide()
        monkeypatch.setattr(Drifts, 'changed', False)
        swf.clock.advance(61)
        loops.run()
        assert execution.status() == 'COMPLETED'
        assert loops.decider.held == {}

    def test_failing_instead_is_opt_in(self, drifted):
        loops, execution = drifted(mismatch='fail')
        loops.decide()
        assert execution.status() == 'FAILED'
        (said,) = attributes(execution, 'WorkflowExecutionFailed')
        assert said['reason'].startswith('NondeterminismError: ')


def test_a_type_that_is_not_known_is_left_to_others_and_mentioned_once(swf, caplog):
    loops = Loops(swf, Echo, Chain)
    stranger = Loops(swf, Waits)
    for _ in range(2):
        loops.client.starter(Chain)(1)
        assert stranger.decide()
    assert [record.getMessage() for record in caplog.records] == [
        'workflow type Chain 1 is unknown to this worker; its tasks are left to other workers'
    ]
    assert stranger.decider.counts['unknown'] == 2
    swf.clock.advance(61)
    loops.run()
    assert loops.decider.counts['decided'] == 4


def test_a_late_answer_is_a_line_in_the_log(swf, caplog):
    loops = Loops(swf, Echo, Chain)
    execution = loops.client.starter(Chain)(1)
    task = loops.poller('tl').decision_task()
    swf.clock.advance(61)
    loops.decider.handle(task)
    assert 'came too late, its task is gone' in caplog.text
    assert loops.decider.counts['late'] == 1
    assert len(loops.decider.cache) == 0
    loops.run()
    assert execution.result() == 1


def test_an_input_that_is_no_json_fails_its_execution_only(swf):
    loops = Loops(swf, Echo, Chain)
    swf.start_workflow_execution(
        domain='d', workflowId='bad', workflowType={'name': 'Chain', 'version': '1'}, input='not json at all'
    )
    good = loops.client.starter(Chain)(1)
    loops.run()
    bad = loops.client.execution('bad')
    (said,) = attributes(bad, 'WorkflowExecutionFailed')
    assert "the input of Chain cannot be read: 'not json at all'" in said['reason']
    assert good.result() == 1


def test_more_decisions_than_fit_leave_in_portions(swf):
    @workflow('Wide', 1, 'tl')
    class Wide(Workflow):
        echo = ActivityProxy('Echo', 1)

        def run(self):
            values = yield [self.echo(number) for number in range(250)]
            return sum(values)

    loops = Loops(swf, Echo, Wide)
    execution = loops.client.starter(Wide)()
    loops.run()
    assert execution.result() == sum(range(250))
    scheduled = [
        len(
            [
                None
                for event in attributes(execution, 'ActivityTaskScheduled')
                if event['decisionTaskCompletedEventId'] == n
            ]
        )
        for n in sorted(
            {event['decisionTaskCompletedEventId'] for event in attributes(execution, 'ActivityTaskScheduled')}
        )
    ]
    assert scheduled == [99, 99, 52]


def test_a_signal_that_arrives_while_deciding_makes_the_close_wait(swf):
    loops = Loops(swf, Waits)
    execution = loops.client.starter(Waits)()
    loops.decide()
    execution.signal('go', 1)
    task = loops.poller('tl').decision_task(trimmed=True)
    execution.signal('go', 2)
    loops.decider.handle(task)
    assert execution.status() == 'OPEN'
    loops.run()
    assert execution.result() == 1
    assert 'CompleteWorkflowExecutionFailed' in kinds(execution)


@pytest.mark.parametrize('own_list', [None, 'mine'])
def test_a_signal_that_arrives_with_the_close_is_seen_by_code_that_looks_last(swf, own_list):
    loops = Loops(swf, Echo, Drains, own_list=own_list)
    loops.lists += [own_list] if own_list else []
    execution = loops.client.starter(Drains)()
    execution.signal('jobs', 'before')
    loops.decide()
    loops.run_activity()
    for late in ('while it is decided', 'and once more'):
        task = loops.poller(loops.lists[-1]).decision_task(trimmed=True)
        execution.signal('jobs', late)
        loops.decider.handle(task)
        assert execution.status() == 'OPEN'
    loops.run()
    assert execution.result() == ['before', 'while it is decided', 'and once more']
    assert kinds(execution).count('CompleteWorkflowExecutionFailed') == 1
    assert not loops.decider.held


class Reads:
    """A client that counts how often a history is read."""

    def __init__(self, swf):
        self.swf = swf
        self.exceptions = swf.exceptions
        self.count = 0

    def __getattr__(self, name):
        self.count += name == 'get_workflow_execution_history'
        return getattr(self.swf, name)


@workflow('Ends', 1, 'tl')
class Ends(Workflow):
    go = Signal()

    def run(self, how):
        yield self.go.get()
        if how == 'fail':
            raise ValueError(how)
        if how == 'restart':
            return self.restart('complete')
        return [how, len(self.go)]


@pytest.mark.parametrize('own_list', [None, 'mine'])
@pytest.mark.parametrize('how', ['complete', 'fail', 'restart'])
@pytest.mark.parametrize('times', [1, 3])
def test_a_close_that_is_refused_is_decided_again_without_reading_the_history(swf, own_list, how, times):
    client = Reads(swf)
    loops = Loops(client, Ends, own_list=own_list)
    loops.lists += [own_list] if own_list else []
    execution = loops.client.starter(Ends)(how)
    loops.run()
    execution.signal('go', 0)
    for _ in range(times):
        (task,) = filter(None, [loops.poller(name).decision_task(trimmed=True) for name in loops.lists])
        execution.signal('go', 1)
        loops.decider.handle(task)
    loops.run()
    assert client.count == 0
    assert loops.decider.counts['held'] == 0
    seen = kinds(execution)
    refused = {'complete': 'CompleteWorkflow', 'fail': 'FailWorkflow', 'restart': 'ContinueAsNewWorkflow'}[how]
    assert seen.count(f'{refused}ExecutionFailed') == times
    if how == 'complete':
        assert execution.result() == ['complete', times]


def test_what_is_kept_of_executions_that_close_is_bounded(swf, monkeypatch):
    monkeypatch.setattr(sticky_cache, 'MAX_CLOSING', 2)
    cache = StickyCache()
    for number in range(4):
        cache.remember(f'r{number}', ClosingExecution(3, 'tl', []))
    assert [cache.take_closing(f'r{number}') is not None for number in range(4)] == [False, False, True, True]
    assert cache.take_closing('r3') is None


def test_a_long_history_is_read_again(swf, monkeypatch):
    monkeypatch.setattr(sticky_cache, 'MAX_RECORD', 4)
    client = Reads(swf)
    loops = Loops(client, Ends)
    execution = loops.client.starter(Ends)('complete')
    loops.run()
    execution.signal('go', 0)
    task = loops.poller('tl').decision_task(trimmed=True)
    execution.signal('go', 1)
    loops.decider.handle(task)
    loops.run()
    assert client.count == 1
    assert execution.result() == ['complete', 1]


def test_the_registry_is_the_workers_own(swf):
    assert [spec.name for spec in registry_of(Chain, Echo).workflows] == ['Chain']


class TestAnOldClient:
    """One that does not know ``startAtPreviousStartedEvent`` and ``taskListScheduleToStartTimeout``."""

    @pytest.fixture
    def old(self, swf):
        class Old:
            exceptions = swf.exceptions
            refused = 0

            def __getattr__(self, name):
                def call(**request):
                    if {'startAtPreviousStartedEvent', 'taskListScheduleToStartTimeout'} & set(request):
                        self.refused += 1
                        raise ParamValidationError(report='Unknown parameter in input')
                    return getattr(swf, name)(**request)

                return call

        return Old()

    def test_it_works_without_them(self, old, caplog):
        loops = Loops(old, Echo, Chain, own_list='mine')
        execution = loops.client.starter(Chain)(3)
        poller = loops.poller('tl')
        while (task := poller.decision_task(trimmed=True)) is not None:
            loops.decider.handle(task)
            loops.run_activity()
        assert execution.result() == 3
        assert old.refused == 2
        assert loops.decider.counts['continued'] == 3
        assert 'does not support a task list for one worker' in caplog.text


@workflow('Tidies', 1, 'tl')
class Tidies(Workflow):
    go = Signal()

    def run(self, ended):
        try:
            yield self.go.get()
        finally:
            ENDED.append(ended)


ENDED = []


@pytest.mark.parametrize('how', ['late', 'broken'])
def test_an_execution_whose_answer_is_not_taken_is_closed_at_once(swf, monkeypatch, how):
    """On the thread that decides, and not by the collector of garbage."""
    loops = Loops(swf, Tidies)
    loops.client.starter(Tidies)(how)

    def respond(**request):
        if how == 'late':
            raise swf.exceptions.UnknownResourceFault(
                {'Error': {'Code': 'UnknownResourceFault', 'Message': 'gone'}}, ''
            )
        raise LookupError('broken')

    monkeypatch.setattr(swf, 'respond_decision_task_completed', respond)
    gc.disable()
    try:
        with contextlib.suppress(LookupError):
            loops.run()
        assert ENDED.count(how) == 1
    finally:
        gc.enable()
