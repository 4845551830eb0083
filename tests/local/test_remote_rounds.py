"""Rounds of a process that goes through the leader of its file: each happens once, whoever ends meanwhile."""

from __future__ import annotations

import logging
import os
import sys
import textwrap
import threading
from collections import Counter
from pathlib import Path

import pytest

from genflow import Activity, Client, Workflow, activity, workflow
from genflow.local import Limits, LocalSWF
from genflow.local.engine.rounds import Rounds as LeaderRounds
from genflow.local.errors import DiskFull
from genflow.local.remote_rounds import RemoteRounds
from genflow.local.shared.following import Following
from genflow.local.shared.link import ConnectionLost, Link
from genflow.local.store import Store
from genflow.swf.worker.worker import Worker
from tests.local.domain import COMPLETE, Domain, schedule
from tests.local.other_process import OtherProcess
from tests.processes import Process

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='processes are killed by signals')

PATIENCE = 90
DECISION = ('decision', {'domain': 'dom', 'taskList': {'name': 'deciders'}}, {'most': 5})
ACTIVITY = ('activity', {'domain': 'dom', 'taskList': {'name': 'workers'}}, {'most': 5, 'slots': 5})
LIST = 'remote'


@activity(name='RemoteStep', version=1, task_list=LIST)
class Step(Activity):
    def run(self, number):
        return number


@workflow(name='RemoteChain', version=1, task_list=LIST)
class Chain(Workflow):
    step = Step.proxy()

    def run(self, count):
        for number in range(count):
            yield self.step(number)
        return count


@pytest.fixture
def leader(path):
    with LocalSWF(path, synchronous='OFF', long_poll=20) as service:
        Domain(service).prepare()
        yield service


@pytest.fixture
def follower(leader, path):
    with LocalSWF(path, long_poll=20) as service:
        assert not service.is_leader
        yield service


@pytest.fixture
def rounds(follower):
    found = follower.deferring()
    assert isinstance(found, RemoteRounds)
    return found


def taken(rounds, want):
    (found,) = rounds.take([want])
    return found


def decided(rounds, *decisions):
    """Takes a decision task and answers it."""
    (answer,) = taken(rounds, DECISION)
    task = rounds.read(answer, rounds.taken)
    rounds.respond_decision_task_completed(taskToken=task['taskToken'], decisions=list(decisions))
    return task


@pytest.fixture
def cut(monkeypatch):
    """Says how often from now on the leader's word is lost on its way back."""
    losses = [0]
    control = Following.control

    def lossy(self, what, body=None):
        found = control(self, what, body)
        if what == 'round' and losses[0]:
            losses[0] -= 1
            raise ConnectionLost('cut')
        return found

    monkeypatch.setattr(Following, 'control', lossy)
    return losses


@pytest.fixture
def in_line(monkeypatch):
    """Is released whenever somebody stands in line at the leader."""
    stood = threading.Semaphore(0)
    stand = LeaderRounds.stand_in_lines

    def counted(self, *args):
        places = stand(self, *args)
        stood.release()
        return places

    monkeypatch.setattr(LeaderRounds, 'stand_in_lines', counted)
    return stood


def test_answers_and_new_tasks_share_a_commit(leader, rounds):
    execution = Domain(leader).start()
    decided(rounds, schedule('a'), schedule('b'))
    before = leader.statistics.commits
    assert [task['activityId'] for task in taken(rounds, ACTIVITY)] == ['a', 'b']
    assert leader.statistics.commits - before == 1
    assert Domain(leader).types(execution)[-2:] == ['ActivityTaskStarted'] * 2


def test_a_round_whose_answer_is_lost_happens_once(leader, rounds, cut):
    execution = Domain(leader).start()
    cut[0] = 2
    decided(rounds, schedule('a'))
    cut[0] = 2
    (task,) = taken(rounds, ACTIVITY)
    rounds.respond_activity_task_completed(taskToken=task['taskToken'], result='1')
    cut[0] = 2
    rounds.settle()
    found = Counter(Domain(leader).types(execution))
    assert found['DecisionTaskCompleted'] == found['ActivityTaskStarted'] == found['ActivityTaskCompleted'] == 1


def test_a_worker_reads_what_it_has_answered(leader, rounds):
    execution = Domain(leader).start()
    decided(rounds, schedule('a'))
    page = rounds.get_workflow_execution_history(domain='dom', execution=execution)
    assert page['events'][-1]['eventType'] == 'ActivityTaskScheduled'


def test_a_round_that_finds_nothing_writes_nothing(leader, rounds):
    before = leader.statistics.commits
    assert rounds.take([DECISION, ACTIVITY]) == [[], []]
    assert leader.statistics.commits == before


def test_a_response_that_comes_too_late_is_logged_and_hurts_no_other(leader, rounds, caplog):
    execution = Domain(leader).start()
    decided(rounds, schedule('a'), schedule('b'))
    one, other = taken(rounds, ACTIVITY)
    leader.respond_activity_task_completed(taskToken=one['taskToken'])
    for task in (one, other):
        rounds.respond_activity_task_completed(taskToken=task['taskToken'], result='"mine"')
    with caplog.at_level(logging.WARNING):
        rounds.settle()
    assert 'came too late' in caplog.text
    assert '"mine"' not in caplog.text
    assert Domain(leader).types(execution).count('ActivityTaskCompleted') == 2


def test_what_boto3_or_the_service_refuses_for_its_form_is_refused_at_once(leader, rounds):
    Domain(leader).start()
    (answer,) = taken(rounds, DECISION)
    with pytest.raises(leader.exceptions.ClientError, match='Close must be last'):
        rounds.respond_decision_task_completed(taskToken=answer['taskToken'], decisions=[COMPLETE, schedule('a')])
    rounds.respond_decision_task_completed(taskToken=answer['taskToken'], decisions=[COMPLETE])
    rounds.settle()


def test_a_throttled_response_is_given_again(path):
    limits = Limits(rates={'RespondDecisionTaskCompleted': (1, 1000)})
    with LocalSWF(path, synchronous='OFF', limits=limits) as leader, LocalSWF(path, limits=limits) as follower:
        domain = Domain(leader).prepare()
        executions = [domain.start(f'w{number}') for number in range(3)]
        rounds = follower.deferring()
        for answer in taken(rounds, DECISION):
            rounds.respond_decision_task_completed(taskToken=answer['taskToken'], decisions=[COMPLETE])
        throttled = set()
        for _ in range(PATIENCE * 100):
            try:
                rounds.settle()
                break
            except leader.exceptions.ClientError as error:
                throttled.add(error.response['Error']['Code'])
        assert throttled <= {'ThrottlingException'}
        assert [Domain(leader).types(one)[-1] for one in executions] == ['WorkflowExecutionCompleted'] * 3


def test_long_answers_go_in_portions(leader, rounds):
    domain = Domain(leader)
    executions = [domain.start(f'w{number}') for number in range(30)]
    while any(found := [rounds.read(answer, 0) for answer in taken(rounds, DECISION)]):
        for task in found:
            decision = schedule('a', input='x' * 30_000)
            rounds.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[decision])
    rounds.settle()
    got = 0
    while tasks := taken(rounds, ACTIVITY):
        for task in tasks:
            rounds.respond_activity_task_completed(taskToken=task['taskToken'], result='y' * 32_000)
            got += 1
        if got == 30:
            break
    rounds.settle()
    assert all(Domain(leader).types(execution).count('ActivityTaskCompleted') == 1 for execution in executions)


def test_a_failed_commit_of_the_leader_loses_nothing(leader, rounds, monkeypatch):
    execution = Domain(leader).start()
    decided(rounds, schedule('a'))

    def full(store, *args):
        raise DiskFull('the disk is full')

    with monkeypatch.context() as patch:
        patch.setattr(Store, 'append', full)
        patch.setattr(Store, 'fold', full)
        with pytest.raises(DiskFull) as found:
            rounds.settle()
    assert rounds.is_passing(found.value)
    (call,) = rounds.lost()
    getattr(rounds, call[0])(**call[1])
    rounds.settle()
    assert Domain(leader).types(execution).count('ActivityTaskScheduled') == 1


# waiting


def test_who_waits_is_rung_when_a_task_is_there(leader, rounds):
    rung = threading.Event()
    places = rounds.stand([DECISION, ACTIVITY], rung.set)
    Domain(leader).start()
    assert rung.wait(PATIENCE)
    assert len(rounds.take([DECISION], places)[0]) == 1


def test_who_leaves_takes_no_task_and_wakes_the_next(leader, rounds, path):
    rung = threading.Event()
    with LocalSWF(path) as third:
        others = third.deferring()
        first = rounds.stand([DECISION], lambda: None)
        for place in first:
            place.leave()
        places = others.stand([DECISION], rung.set)
        Domain(leader).start()
        assert rung.wait(PATIENCE)
        assert len(others.take([DECISION], places)[0]) == 1


@pytest.mark.parametrize('wants', [[], [(*ACTIVITY[:2], {'most': 0})]], ids=['nothing', 'no room'])
def test_who_was_woken_for_a_task_and_takes_none_wakes_the_next(leader, rounds, path, wants, in_line):
    mine, theirs = threading.Event(), threading.Event()
    with LocalSWF(path, long_poll=2 * PATIENCE) as third:
        others = third.deferring()
        first = rounds.stand([DECISION, ACTIVITY], mine.set)
        assert in_line.acquire(timeout=PATIENCE)
        second = others.stand([DECISION, ACTIVITY], theirs.set)
        assert in_line.acquire(timeout=PATIENCE)
        Domain(leader).start()
        assert mine.wait(PATIENCE)
        assert rounds.take(wants, first) == [[] for _ in wants]
        assert theirs.wait(PATIENCE)
        assert len(others.take([DECISION], second)[0]) == 1


def test_who_leaves_after_the_ring_cuts_no_other_call(leader, rounds, monkeypatch):
    lost = []
    call = Link.call

    def watched(self, path, *args):
        try:
            return call(self, path, *args)
        except ConnectionLost:
            lost.append(path)
            raise

    monkeypatch.setattr(Link, 'call', watched)
    for number in range(3):
        rung = threading.Event()
        places = rounds.stand([DECISION], rung.set)
        Domain(leader).start(f'w{number}')
        assert rung.wait(PATIENCE)
        assert len(rounds.take([DECISION], places)[0]) == 1
    assert lost == []


def test_a_refusal_to_wait_is_reported_to_one_who_takes_nothing(rounds):
    rung = threading.Event()
    request = {'domain': 'nowhere', 'taskList': {'name': 'tl'}}
    places = rounds.stand([('activity', request, None)], rung.set)
    assert rung.wait(PATIENCE)
    with pytest.raises(rounds.exceptions.UnknownResourceFault, match='PollForActivityTask'):
        rounds.take([], places)


def test_a_domain_that_is_not_there_is_reported(rounds):
    request = {'domain': 'nowhere', 'taskList': {'name': 'tl'}}
    rung = threading.Event()
    with pytest.raises(rounds.exceptions.UnknownResourceFault):
        rounds.take([('decision', request, {'most': 1})])
    places = rounds.stand([('decision', request, None)], rung.set)
    assert rung.wait(PATIENCE)
    with pytest.raises(rounds.exceptions.UnknownResourceFault):
        rounds.take([('decision', request, {'most': 1})], places)


@pytest.mark.parametrize('place', ['leader', 'follower'])
@pytest.mark.parametrize('kind', ['decision', 'activity'])
def test_a_poll_that_is_wrong_is_refused_when_it_is_checked(request, place, kind):
    rounds = request.getfixturevalue(place).deferring()
    right = {'domain': 'dom', 'taskList': {'name': 'tl'}}
    assert rounds.take([(kind, rounds.checked_poll(kind, right), {'most': 1})]) == [[]]
    with pytest.raises(rounds.exceptions.ClientError, match=f'PollFor{kind.title()}Task.*taskList.name'):
        rounds.checked_poll(kind, {'domain': 'dom', 'taskList': {'name': ''}})


# ends of processes


@pytest.mark.thorough
def test_the_tasks_of_a_follower_that_is_killed_are_somebody_else_s(path):
    with LocalSWF(path, synchronous='OFF', long_poll=20) as leader:
        domain = Domain(leader).prepare()
        execution = domain.start()
        with OtherProcess(path) as other:
            want = f'("decision", {DECISION[1]!r}, {DECISION[2]!r})'
            assert other(f'len(domain.swf.deferring().take([{want}])[0])') == 1
            other.kill()
        task = domain.poll_decision()
        assert task['taskToken']
        assert Domain(leader).types(execution).count('DecisionTaskStarted') == 2


@pytest.mark.thorough
@pytest.mark.parametrize('ends', ['kill', 'close'])
def test_a_worker_continues_when_its_leader_ends(path, ends):
    with OtherProcess(path, synchronous='OFF') as other:
        other('domain.swf.register_domain(name="dom", workflowExecutionRetentionPeriodInDays="1") and None')
        with LocalSWF(path, long_poll=20) as swf, Worker('dom', LIST, swf, registry=[Step, Chain]) as worker:
            assert isinstance(swf.deferring(), RemoteRounds)
            client = Client('dom', swf)
            executions = [client.starter(Chain)(60) for _ in range(4)]
            while worker.counts['activity completed'] < 20:
                assert worker.error is None
            if ends == 'kill':
                other.kill()
            else:
                other.process.stdin.close()
                other.process.wait(PATIENCE)
            assert [execution.result(timeout=PATIENCE) for execution in executions] == [60] * 4
            assert swf.is_leader
            for execution in executions:
                found = Counter(event['eventType'] for event in execution.history())
                assert found['ActivityTaskScheduled'] == found['ActivityTaskCompleted'] == 60
                assert found['ActivityTaskTimedOut'] == 0


DIES = """
    import os, sys
    from genflow import Activity, Workflow, activity, workflow
    from genflow.local import LocalSWF
    from genflow.swf.worker.worker import Worker

    @activity(name='DyingStep', version=1, task_list='tl')
    class Step(Activity):
        def run(self, number):
            if number == 5:
                os._exit(9)
            return number

    @workflow(name='DyingChain', version=1, task_list='tl')
    class Chain(Workflow):
        step = Step.proxy()
        def run(self, count):
            for number in range(count):
                yield self.step(number)

    with LocalSWF(sys.argv[1]) as swf, Worker('dom', 'tl', swf, registry=[Step, Chain]) as worker:
        worker.wait()
"""


@pytest.mark.thorough
def test_an_activity_that_kills_its_process_leaves_a_trace_at_the_leader(path):
    with LocalSWF(path, synchronous='OFF') as leader:
        Domain(leader).prepare()
        command = [sys.executable, '-c', textwrap.dedent(DIES), str(path)]
        with Process(command, cwd=Path(__file__).parents[2]) as process:
            while True:
                try:
                    run = leader.start_workflow_execution(
                        domain='dom',
                        workflowId='w',
                        workflowType={'name': 'DyingChain', 'version': '1'},
                        input='[[10], {}]',
                    )
                    break
                except leader.exceptions.UnknownResourceFault:  # not registered yet
                    assert process.poll() is None
            assert process.wait(PATIENCE) == 9
        found = Counter(Domain(leader).types({'workflowId': 'w', 'runId': run['runId']}))
        assert found['ActivityTaskStarted'] == 6
        assert found['ActivityTaskCompleted'] == 5
