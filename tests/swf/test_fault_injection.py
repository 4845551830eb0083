"""A fifth of all calls fails at random, before or after its effect: nothing is lost and nothing happens twice.

``GENFLOW_FAULT_WORKFLOWS=1000`` runs the large version.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from genflow import Activity, ActivityProxy, Workflow
from genflow.local import LocalSWF, SystemClock
from genflow.local.http.server import HttpServer
from genflow.swf.client.handles import Client
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker.worker import Worker
from tests.swf.scripted import URL, refusal
from tests.swf.work import registry_of

WORKFLOWS = int(os.environ.get('GENFLOW_FAULT_WORKFLOWS', '8'))
SECONDS = 2 if WORKFLOWS > 100 else 1  # what a lost poll costs
SHARE = 0.2


class Faults:
    """Decides which call fails and how, and remembers which results of activities were acknowledged."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.failures = Counter()
        self.acknowledged = Counter()

    def draw(self):
        """Half of the failures come before the effect, half after it; of each, half say something."""
        with self.lock:
            when, loud = self.random.random(), self.random.random() < 0.5
            moment = 'before' if when < SHARE / 2 else 'after' if when < SHARE else None
            self.failures[moment] += 1
            return moment, loud

    def acknowledge(self, result):
        with self.lock:
            self.acknowledged[result] += 1


class Unreliable:
    """A client in this process whose calls fail."""

    def __init__(self, swf, faults):
        self.swf = swf
        self.faults = faults
        self.meta = swf.meta

    def __getattr__(self, name):
        method = getattr(self.swf, name)

        def call(**request):
            moment, loud = self.faults.draw()
            if moment == 'before':
                raise refusal('ThrottlingException') if loud else EndpointConnectionError(endpoint_url=URL)
            answer = method(**request)
            if moment == 'after':
                raise refusal('InternalFailure', 500) if loud else ConnectionClosedError(endpoint_url=URL)
            if name == 'respond_activity_task_completed':
                self.faults.acknowledge(request['result'])
            return answer

        return call


@contextmanager
def in_process(swf, faults):
    yield Unreliable(swf, faults)


class Proxy(BaseHTTPRequestHandler):
    """Stands in front of the HTTP service, and loses requests and answers."""

    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        moment, loud = self.server.faults.draw()
        if moment == 'before':
            self.fail(loud, 400, 'ThrottlingException')
            return
        status, answer = self.forward(body)
        if moment == 'after':
            self.fail(loud, 500, 'InternalFailure')
            return
        if status == 200 and self.headers['X-Amz-Target'].endswith('.RespondActivityTaskCompleted'):
            self.server.faults.acknowledge(json.loads(body)['result'])
        self.reply(status, answer)

    def forward(self, body):
        there = http.client.HTTPConnection('127.0.0.1', self.server.behind)
        try:
            there.request('POST', '/', body, dict(self.headers))
            answer = there.getresponse()
            return answer.status, answer.read()
        finally:
            there.close()

    def fail(self, loud, status, code):
        if loud:
            self.reply(status, json.dumps({'__type': f'x#{code}', 'message': 'at random'}).encode())
        else:
            self.close_connection = True

    def reply(self, status, content):
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Nothing."""


@contextmanager
def over_http(swf, faults):
    with HttpServer(swf) as server, ThreadingHTTPServer(('127.0.0.1', 0), Proxy) as proxy:
        proxy.faults, proxy.behind, proxy.daemon_threads = faults, server.port, True
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield f'http://127.0.0.1:{proxy.server_port}'
        finally:
            proxy.shutdown()
            thread.join()


@activity('Work', 1, 'tl', start_to_close=SECONDS, schedule_to_start=600)
class Work(Activity):
    def run(self, order, step):
        return [order, step, self.info.activity_id]


@workflow('Flow', 1, 'tl', 1800, SECONDS)
class Flow(Workflow):
    work = ActivityProxy('Work', 1, retry=20)

    def run(self, order):
        first = yield self.work(order, 1)
        both = yield self.work(order, 2), self.work(order, 3)
        return [first, *both]


def recorded(swf):
    """How often each result stands in a history; no try of a call may have been scheduled twice."""
    found = Counter()
    for number in range(WORKFLOWS):
        history = Client('d', swf).execution(f'order-{number}').history()
        ids = [
            event['activityTaskScheduledEventAttributes']['activityId']
            for event in history
            if event['eventType'] == 'ActivityTaskScheduled'
        ]
        assert len(ids) == len(set(ids))
        found.update(
            event['activityTaskCompletedEventAttributes']['result']
            for event in history
            if event['eventType'] == 'ActivityTaskCompleted'
        )
    return found


@pytest.mark.slow
@pytest.mark.parametrize('reach', [in_process, over_http], ids=lambda reach: reach.__name__)
def test_everything_completes_once(reach, caplog):
    faults = Faults(seed=7)
    registry = registry_of(Work, Flow)
    with LocalSWF(clock=SystemClock(), synchronous='OFF', long_poll=1) as swf, reach(swf, faults) as layer1:
        swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        with (
            Client('d', layer1) as client,
            Worker('d', 'tl', layer1, registry=registry, deciders=3, activities=6),
        ):
            executions = [client.starter(Flow, workflow_id=f'order-{n}')(n) for n in range(WORKFLOWS)]
            for number, execution in enumerate(executions):
                assert [said[:2] for said in execution.result(1200)] == [[number, step] for step in (1, 2, 3)]
        results = recorded(swf)
    assert set(results.values()) == {1}
    assert set(faults.acknowledged) <= set(results)
    assert set(faults.acknowledged.values()) == {1}
    assert faults.failures['before'] > WORKFLOWS
    assert faults.failures['after'] > WORKFLOWS
    assert 'could not be handled' not in caplog.text
