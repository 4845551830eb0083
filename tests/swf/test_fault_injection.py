"""A fifth of all calls fails at random, before or after its effect: nothing is lost and nothing happens twice.

``GENFLOW_FAULT_WORKFLOWS=1000`` runs the large version.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from genflow import Activity, ActivityProxy, Workflow
from genflow.local import LocalSWF, SystemClock
from genflow.swf.client import Client
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker import Worker
from tests.swf.scripted import URL, refusal
from tests.swf.work import registry_of

WORKFLOWS = int(os.environ.get('GENFLOW_FAULT_WORKFLOWS', '20'))
SHARE = 0.2


class Unreliable:
    """A client whose calls fail at random; remembers the answers of activities that it has acknowledged."""

    def __init__(self, swf, seed):
        self.swf = swf
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.failures = Counter()
        self.acknowledged = Counter()
        self.meta = swf.meta

    def __getattr__(self, name):
        method = getattr(self.swf, name)

        def call(**request):
            with self.lock:
                before, after, kind = (self.random.random() for _ in range(3))
            # Half of the failures come before the effect, half after it.
            if before < SHARE / 2:
                self.failures['before'] += 1
                raise EndpointConnectionError(endpoint_url=URL) if kind < 0.5 else refusal('ThrottlingException')
            answer = method(**request)
            if after < SHARE / 2:
                self.failures['after'] += 1
                raise ConnectionClosedError(endpoint_url=URL) if kind < 0.5 else refusal('InternalFailure', 500)
            if name == 'respond_activity_task_completed':
                self.acknowledged[request['result']] += 1
            return answer

        return call


@activity('Work', 1, 'tl', start_to_close=2, schedule_to_start=60)
class Work(Activity):
    def run(self, order, step):
        return [order, step, self.info.activity_id]


@workflow('Flow', 1, 'tl', 600, 2)
class Flow(Workflow):
    work = ActivityProxy('Work', 1, retry=20)

    def run(self, order):
        first = yield self.work(order, 1)
        both = yield self.work(order, 2), self.work(order, 3)
        return [first, *both]


@pytest.mark.slow
def test_everything_completes_once(caplog):
    with LocalSWF(clock=SystemClock(), synchronous='OFF', long_poll=1) as swf:
        swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        unreliable = Unreliable(swf, seed=7)
        working = Worker('d', 'tl', unreliable, registry=registry_of(Work, Flow), deciders=3, activities=6)
        with working:
            client = Client('d', unreliable)
            executions = [client.starter(Flow, workflow_id=f'order-{n}')(n) for n in range(WORKFLOWS)]
            for number, execution in enumerate(executions):
                assert [said[:2] for said in execution.result(120)] == [[number, step] for step in (1, 2, 3)]
        safe = Client('d', swf)
        recorded = Counter()
        for number in range(WORKFLOWS):
            history = safe.execution(f'order-{number}').history()
            ids = [
                event['activityTaskScheduledEventAttributes']['activityId']
                for event in history
                if event['eventType'] == 'ActivityTaskScheduled'
            ]
            assert len(ids) == len(set(ids))
            recorded.update(
                event['activityTaskCompletedEventAttributes']['result']
                for event in history
                if event['eventType'] == 'ActivityTaskCompleted'
            )
        assert set(recorded.values()) == {1}
        assert set(unreliable.acknowledged) <= set(recorded)
        assert set(unreliable.acknowledged.values()) == {1}
        assert unreliable.failures['before'] > WORKFLOWS
        assert unreliable.failures['after'] > WORKFLOWS
        assert 'could not be handled' not in caplog.text
