"""Random programs decided and performed in rounds: what is promised of every execution holds there too.

A real worker runs them, several at a time, on a service in its process; whom it hands the lead to, which commits fail
and who signals meanwhile is made of a number. `GENFLOW_EXAMPLES=ci` plays thousands, the default some dozens.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genflow import Activity, Workflow
from genflow.core.model.registry import ActivitySpec, Registry, WorkflowSpec
from genflow.local import LocalSWF, SkippingClock
from genflow.local.errors import DiskFull
from genflow.local.store import Store
from genflow.swf.worker import rounds
from genflow.swf.worker.worker import Worker
from tests.core.programs import PROGRAMS
from tests.profile import examples

from .laws import LAWS, attributes, cold
from .runs import Asked, Run, Watched
from .scheduled_service import ACTIVITIES, ACTIVITY_DEFAULTS, DEFAULT, SERVICES, WORKFLOW_DEFAULTS
from .scheduled_workers import DOMAIN

PATIENCE = 60
DAY = '86400'
SEEDS = st.integers(0, 2**32)
SEVERAL = st.lists(PROGRAMS, min_size=1, max_size=6)

thorough = settings(max_examples=examples(8, 1000, few=3), suppress_health_check=list(HealthCheck), deadline=None)


class Performed(Activity):
    """Gives what it was given, fails, or computes for so long that somebody else takes the lead."""

    chance = Random(0)

    def run(self, *args, **options):
        way = Performed.chance.randrange(8)
        if way == 7:
            raise ValueError('broken')
        if way == 6:
            spend(0.001)
        return args[0] if args else None


class Child(Workflow):
    def run(self, number):
        if number % 4 == 3:
            yield self.sleep(number)
        return number


def spend(seconds):
    """Computes."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def registry():
    known = Registry()
    known.add(WorkflowSpec(Watched, 'Interpreter', '1'))
    known.add(WorkflowSpec(Child, 'Child', '1'))
    for name in ACTIVITIES:
        known.add(ActivitySpec(Performed, name, '1', 'activities'))
    return known


def register(swf):
    swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='90')
    for name in ACTIVITIES:
        defaults = {DEFAULT[member]: value for member, value in ACTIVITY_DEFAULTS.items()}
        swf.register_activity_type(domain=DOMAIN, name=name, version='1', **defaults)
    for name in ('Interpreter', 'Child'):
        defaults = {DEFAULT[member]: value for member, value in WORKFLOW_DEFAULTS.items()}
        swf.register_workflow_type(domain=DOMAIN, name=name, version='1', **defaults)
    swf.register_lambda('shrink', lambda value: value)


class Played:
    """Programs, played to their ends by a worker on one service."""

    def __init__(self, programs, seed, path=None, fails=0.0):
        self.chance = Random(seed)
        self.fails = fails
        self.programs = programs
        Performed.chance = Random(seed)
        options = {} if path is None else {'path': path, 'synchronous': 'OFF'}
        limits = SERVICES[self.chance.randrange(len(SERVICES))]
        self.swf = LocalSWF(clock=SkippingClock(), limits=limits, **options)
        self.closed = threading.Event()
        self.lock = threading.Lock()
        self.cancels = Counter()

    def play(self):
        with ExitStack() as stack:
            stack.enter_context(self.swf)
            register(self.swf)
            self.runs = [self.start(number, program) for number, program in enumerate(self.programs)]
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setattr(rounds, 'OVERDUE', 0.0005)  # the lead changes hands all the time
            self.disturb(patch)
            self.worker = worker = Worker(
                DOMAIN,
                ['main', 'activities', 'children'],
                self.swf,
                registry=registry(),
                register=False,
                on_task=self.happen,
                activities=1 + self.chance.randrange(4),
            )
            with worker:
                self.wait()
            assert worker.error is None
            self.fails = 0.0
            return [run for first in self.runs for run in self.recorded(first)]

    def start(self, number, program):
        kind = {'name': 'Interpreter', 'version': '1'}
        text = json.dumps([[program], {}])
        options = {'taskList': {'name': 'main'}, 'executionStartToCloseTimeout': DAY, 'lambdaRole': 'role'}
        return f'w{number}', self.swf.start_workflow_execution(
            domain=DOMAIN, workflowId=f'w{number}', workflowType=kind, input=text, **options
        )['runId']

    def disturb(self, patch):
        append = Store.append

        def disturbed(store, *args):
            with self.lock:
                fails = self.chance.random() < self.fails
            if fails:
                raise DiskFull('no room')
            return append(store, *args)

        patch.setattr(Store, 'append', disturbed)

    def happen(self, task):
        """Before a task: somebody signals, or asks to cancel."""
        with self.lock:
            way, number = self.chance.randrange(12), self.chance.randrange(len(self.programs))
        workflow = {'domain': DOMAIN, 'workflowId': f'w{number}'}
        with suppress(self.swf.exceptions.UnknownResourceFault, DiskFull):
            if way < 6:
                name, value = (('go', 'on'), ('stop', 'on'), ('number', 3), ('strict', 2), ('go', 'more'), ('go', 1))[
                    way
                ]
                self.swf.signal_workflow_execution(**workflow, signalName=name, input=json.dumps(value))
            elif way == 11 and self.cancels[number] < 2:
                self.cancels[number] += 1
                self.swf.request_cancel_workflow_execution(**workflow)

    def wait(self):
        """Until all have ended; a day at the latest, by their clock."""
        until = time.monotonic() + PATIENCE
        while True:
            with suppress(DiskFull):
                if not self.swf.count_open_workflow_executions(domain=DOMAIN, startTimeFilter={'oldestDate': 0})[
                    'count'
                ]:
                    return
            assert time.monotonic() < until, 'some execution does not end'
            self.closed.wait(0.002)

    def recorded(self, first):
        workflow_id, run_id = first
        while run_id is not None:
            execution = {'workflowId': workflow_id, 'runId': run_id}
            pages = self.swf.get_paginator('get_workflow_execution_history').paginate(
                domain=DOMAIN, execution=execution
            )
            history = [event for page in pages for event in page['events']]
            spec = WorkflowSpec(Watched, 'Interpreter', '1')
            run = Run(spec, run_id, run_id, 0, history=history, workflow_id=workflow_id)
            run.asked = asked(run)
            yield run
            run_id = attributes(history[-1]).get('newExecutionRunId')


def asked(run):
    """Each decision that was recorded, and what is said from nothing."""
    started = [attributes(e)['startedEventId'] for e in run.history if e['eventType'] == 'DecisionTaskCompleted']
    run.asked = [Asked(started_id, '', None, arrived=True) for started_id in started]
    return [Asked(started_id, said, None, arrived=True) for started_id, said in cold(run)]


def check(programs, seed, **options):
    for run in Played(programs, seed, **options).play():
        for law in LAWS:
            law(run)


@thorough
@given(SEVERAL, SEEDS)
def test_every_execution_keeps_the_laws(programs, seed):
    check(programs, seed)


@thorough
@given(SEVERAL, SEEDS)
def test_every_execution_keeps_the_laws_where_commits_fail(tmp_path_factory, programs, seed):
    check(programs, seed, path=tmp_path_factory.mktemp('rounds') / 'swf.db', fails=0.1)
