"""Updates from a program: sent, answered, and found again."""

from __future__ import annotations

import asyncio

import pytest

from genflow import (
    Activity,
    ActivityProxy,
    AsyncClient,
    Signal,
    Steps,
    UpdateFailed,
    UpdateRefused,
    Workflow,
    update,
)
from genflow.swf.scanner import activity, workflow
from tests.swf.work import Loops


@activity('Echo', 1, 'tl')
class Echo(Activity):
    def run(self, value):
        return value


@workflow('Cluster', 1, 'tl')
class Cluster(Workflow):
    echo = ActivityProxy('Echo', 1)
    stop = Signal()

    def run(self, runs: int = 1):
        self.free = ['n1', 'n2']
        self.over = False
        yield self.until(lambda: self.over or self.stop)
        if self.stop.drain():
            yield self.sleep(0)
        return self.restart(runs - 1) if runs > 1 else self.free

    @update
    def assign(self, job: str) -> Steps[str]:
        node = self.free.pop(0)
        yield self.echo(job)
        return node

    @update
    def count(self) -> int:
        return len(self.free)

    @update
    def rotate(self) -> str:
        self.over = True
        return 'rotated'

    @update
    def reserve(self, number: int) -> int:
        return number

    @reserve.validator
    def positive(self, number: int) -> None:
        if number < 0:
            raise ValueError('negative')


@pytest.fixture
def loops(swf):
    return Loops(swf, Echo, Cluster)


def answered(loops, execution, *args, **options):
    """The reply, with the workers run whenever the client waits."""
    watch = execution.update_watch(*args, **options)
    while not watch.look():
        loops.run()
    return watch.answer


@pytest.fixture
def cluster(loops):
    execution = loops.client.starter(Cluster, workflow_id='c')()
    loops.run()
    return execution


def test_the_result_of_a_handler_comes_back(loops, cluster):
    assert answered(loops, cluster, Cluster.assign, 'job') == 'n1'
    assert answered(loops, cluster, 'assign', job='job') == 'n2'
    assert answered(loops, cluster, Cluster.count) == 0


def test_a_failure_and_a_refusal_are_distinguished(loops, cluster):
    with pytest.raises(UpdateRefused, match='ValueError: negative'):
        answered(loops, cluster, Cluster.reserve, -1)
    for _ in range(2):
        answered(loops, cluster, Cluster.assign, 'job')
    with pytest.raises(UpdateFailed, match='IndexError: pop from empty list') as caught:
        answered(loops, cluster, Cluster.assign, 'job')
    assert 'self.free.pop(0)' in caught.value.traceback
    assert not isinstance(caught.value, UpdateRefused)


def test_arguments_are_held_against_the_method_before_anything_is_sent(cluster):
    before = len(cluster.history())
    with pytest.raises(TypeError, match='job'):
        cluster.update(Cluster.assign)
    assert len(cluster.history()) == before


def test_nobody_answers_in_time(cluster):
    with pytest.raises(TimeoutError, match="has not answered the update 'count'"):
        cluster.update(Cluster.count, timeout=0)


def test_an_id_is_sent_once_and_its_reply_found_again(loops, cluster):
    assert answered(loops, cluster, Cluster.assign, 'job', update_id='job-7') == 'n1'
    before = len(cluster.history())
    assert cluster.update(Cluster.assign, 'job', update_id='job-7', timeout=0) == 'n1'
    assert len(cluster.history()) == before


def test_an_id_that_is_under_way_is_waited_for(loops, cluster):
    with pytest.raises(TimeoutError):
        cluster.update(Cluster.assign, 'job', update_id='job-7', timeout=0)
    assert answered(loops, cluster, Cluster.assign, 'job', update_id='job-7') == 'n1'
    assert answered(loops, cluster, Cluster.count) == 1


def test_an_earlier_run_of_the_chain_is_looked_through(loops):
    execution = loops.client.starter(Cluster, workflow_id='d')(2)
    loops.run()
    named = loops.client.execution('d', workflow=Cluster)
    assert answered(loops, named, Cluster.assign, 'job', update_id='job-7') == 'n1'
    execution.signal(Cluster.stop)
    loops.run()
    assert execution.history()[-1]['eventType'] == 'WorkflowExecutionContinuedAsNew'
    assert named.update(Cluster.assign, 'job', update_id='job-7', timeout=0) == 'n1'
    assert answered(loops, named, Cluster.count) == 2


def test_an_update_that_a_restart_carries_is_followed(loops):
    execution = loops.client.starter(Cluster, workflow_id='e')(2)
    loops.run()
    execution.signal(Cluster.stop)
    watch = loops.client.execution('e', workflow=Cluster).update_watch(Cluster.count, update_id='one')
    while not watch.look():
        loops.run()
    assert watch.answer in (1, 2)


def test_the_handle_of_a_run_that_was_continued_asks_the_run_that_is_open(loops):
    first = loops.client.starter(Cluster, workflow_id='h')(3)
    loops.run()
    named = loops.client.execution('h', workflow=Cluster)
    for _ in range(2):
        answered(loops, named, Cluster.rotate)
        loops.run()
    assert answered(loops, first, Cluster.count) == 2
    named.signal(Cluster.stop)
    loops.run()
    with pytest.raises(Exception, match='UnknownResource'):
        first.update(Cluster.count)


def test_an_update_that_has_a_workflow_restart_is_answered(loops):
    loops.client.starter(Cluster, workflow_id='f')(2)
    loops.run()
    named = loops.client.execution('f', workflow=Cluster)
    assert answered(loops, named, Cluster.rotate) == 'rotated'
    assert answered(loops, named, Cluster.count) == 2


def test_a_restart_without_a_reply_is_reported(loops):
    """As another version of genflow has left it."""
    swf = loops.client.service.connection.client
    loops.client.starter(Cluster, workflow_id='g')(2)
    watch = loops.client.execution('g', workflow=Cluster).update_watch(Cluster.count)
    assert not watch.look()
    task = swf.poll_for_decision_task(domain='d', taskList={'name': 'tl'})
    restart = {'decisionType': 'ContinueAsNewWorkflowExecution'}
    swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[restart])
    with pytest.raises(UpdateFailed, match='WorkflowExecutionContinuedAsNew'):
        watch.look()


def test_a_close_without_a_reply_is_reported(loops, cluster):
    watch = cluster.update_watch(Cluster.count)
    assert not watch.look()
    cluster.terminate()
    with pytest.raises(UpdateFailed, match='without a reply'):
        watch.look()


def test_an_execution_that_is_closed_is_sent_nothing(loops, cluster):
    cluster.terminate()
    with pytest.raises(Exception, match='UnknownResource'):
        cluster.update(Cluster.count)
    with pytest.raises(LookupError):
        loops.client.execution('unknown').update('count')


def test_an_update_is_awaited_on_an_event_loop(loops, cluster):
    async def ask():
        async with AsyncClient('d', service=loops.service) as client:
            execution = client.execution('c', workflow=Cluster)
            asked = asyncio.create_task(execution.update(Cluster.assign, 'job'))
            while not asked.done():
                loops.run()
                await asyncio.sleep(0)
            return await asked

    assert asyncio.run(ask()) == 'n1'


def test_five_events_an_update(loops, cluster):
    before = len(cluster.history())
    answered(loops, cluster, Cluster.count)
    assert len(cluster.history()) - before == 5
