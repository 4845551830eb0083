"""A decision that computes for too long is reported once, with the user's own line, and interrupted at its time-out."""

from __future__ import annotations

import contextlib
import logging
import math
import subprocess
import sys
import threading

import pytest

from genflow import Workflow, workflow
from genflow.core.engine.execution import Execution
from genflow.core.engine.workflow_values import Abort
from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.worker.slow_decisions import DecisionInterrupted, SlowDecisionWatchdog
from tests.swf.work import Loops

TASK = DecisionTask('t', 'w', 'r', 'Order', '1', 3, 0)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_slow_decision_shows_where_it_is(caplog):
    clock = Clock()
    watch = SlowDecisionWatchdog(2.0, clock)

    def look_into_the_user():
        clock.now = 1.9
        watch.look()
        clock.now = 2.0
        watch.look()
        clock.now = 9.0
        watch.look()

    watch.over(TASK, Execution(Workflow), look_into_the_user)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert 'deciding Order 1 (workflow w, run r) has taken 2.0 s so far' in record.getMessage()
    assert 'in look_into_the_user' in record.getMessage()


def test_a_decision_that_ended_is_not_reported(caplog):
    clock = Clock()
    watch = SlowDecisionWatchdog(2.0, clock)
    watch.over(TASK, Execution(Workflow), lambda: None)
    clock.now = 10.0
    watch.look()
    assert caplog.records == []


def test_what_a_decision_raises_without_an_interrupt_passes_through():
    def aborts():
        raise Abort

    with pytest.raises(Abort):
        SlowDecisionWatchdog().over(TASK, Execution(Workflow), aborts)


def spin(inside):
    inside.set()
    while True:
        pass


def catches_everything(inside):
    with contextlib.suppress(BaseException):
        spin(inside)
    spin(inside)


@pytest.mark.parametrize('spins', [spin, catches_everything])
@pytest.mark.parametrize('yields', [False, True])
def test_an_endless_loop_is_interrupted_after_the_decisions_time_out(swf, caplog, spins, yields):
    inside = threading.Event()

    @workflow('Loop', 1, 'tl', decision_duration=60)
    class Loop(Workflow):
        def run(self):
            if yields:
                return self.branch()
            return spins(inside)

        def branch(self):
            spins(inside)
            yield

    @workflow('Quick', 1, 'tl')
    class Quick(Workflow):
        def run(self):
            return 'done'

    clock = Clock()
    watch = SlowDecisionWatchdog(math.inf, clock)
    loops = Loops(swf, Loop, Quick, watch=watch)
    execution = loops.client.starter(Loop)()
    thread = threading.Thread(target=loops.decide, daemon=True)
    thread.start()
    assert inside.wait(60)
    clock.now = 59.0
    watch.look()
    assert not loops.decider.held
    clock.now = 60.0
    while thread.is_alive():
        watch.look()
        thread.join(0.01)
    (error,) = loops.decider.held.values()
    assert isinstance(error, DecisionInterrupted)
    assert 'had not ended after 60 s' in str(error)
    assert 'in spin' in str(error)
    assert execution.status() == 'OPEN'
    assert [record.levelname for record in caplog.records] == ['ERROR']
    other = loops.client.starter(Quick)()
    loops.run()
    assert other.result() == 'done'


def test_after_an_interrupt_a_debugger_and_coverage_continue():
    """In a process of its own: a thread that never gets past a traced call would not end before the tests do."""
    words = [sys.executable, '-c', TRACED_AFTER_AN_INTERRUPT]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == '25\n', done.stderr


TRACED_AFTER_AN_INTERRUPT = """
import sys, threading
from genflow import Workflow
from genflow.core.engine.execution import Execution
from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.worker.slow_decisions import DecisionInterrupted, SlowDecisionWatchdog

def spin():
    inside.set()
    while True:
        pass

def decide():
    try:
        watch.over(DecisionTask('t', 'w', 'r', 'Order', '1', 3, 0), execution, spin)
    except DecisionInterrupted:
        over.set()

inside, over, execution = threading.Event(), threading.Event(), Execution(Workflow)
execution.base = type('Base', (), {'decision_duration': 0.0})
watch = SlowDecisionWatchdog()
threading.Thread(target=decide).start()
inside.wait()
watch.look()
over.wait()
sys.settrace(lambda *call: None)
print(sum(map(lambda number: number ** 2, [3, 4])))
"""
