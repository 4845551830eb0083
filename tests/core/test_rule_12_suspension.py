"""Rule 12: suspension is invisible."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from genflow.core.tasks.generators import MAX_DRAINS
from tests.profile import examples

from .story import Story

EVICTIONS = examples(500, 10_000, few=50)

called = []


@contextmanager
def block(self):
    try:
        yield
    finally:
        self.logger.warning('leaving a block')


def quiet(self):
    try:
        with block(self):
            try:
                yield self.echo()
            finally:
                self.closed_inner = True
    finally:
        self.closed_outer = True


def yields_in_finally(self):
    try:
        yield self.echo()
    finally:
        yield self.other()
        yield self.sleep(5)


def calls_in_finally(self):
    try:
        yield self.echo()
    finally:
        self.other()
        self.sleep(9)
        self.child()
        self.external('w').signal('s')
        self.spawn(quiet(self))


def logs_in_finally(self):
    try:
        yield self.echo()
    finally:
        self.logger.error('evicted %s', self.info.workflow_id)


def effects_in_finally(self):
    try:
        yield self.echo()
    finally:
        self.side_effect(lambda: called.append('side effect'))
        self.random.random()
        self.uuid4()
        self.patched('x')
        self.set_status('leaving')


def raises_in_finally(self):
    try:
        yield self.echo()
    finally:
        raise ValueError('while leaving')


def swallows(self):
    try:
        yield self.echo()
    except BaseException:
        return 'eaten'


def swallows_and_goes_on(self):
    try:
        yield self.echo()
    except GeneratorExit:
        yield self.other()
    yield self.other()


def delegates(self):
    def inner():
        try:
            yield self.echo()
        finally:
            yield self.other('inner')

    try:
        yield from inner()
    finally:
        yield self.other('outer')


def delegates_anew(self, depth=3):
    if not depth:
        return (yield self.echo())
    try:
        yield from delegates_anew(self, 0)
    finally:
        yield from delegates_anew(self, depth - 1)


def has_branches(self):
    def branch():
        try:
            yield self.echo()
        finally:
            yield self.other()

    self.spawn(branch())
    try:
        yield [branch(), self.go.get()]
    finally:
        yield self.sleep(5)


def restarts_in_finally(self):
    try:
        yield self.echo()
    finally:
        self.restart('never')


def yields_from_a_task(self):
    try:
        yield from self.echo()
    finally:
        yield from self.other()


def resolves_tasks(self):
    task, child = self.echo(), self.child()
    try:
        yield task
    finally:
        child.signal('bye')
        child.timeout(5)
        task.cancel()
        child.cancel()
        yield task.timeout(5)


GENERATORS = [
    quiet,
    yields_in_finally,
    calls_in_finally,
    logs_in_finally,
    effects_in_finally,
    raises_in_finally,
    swallows,
    swallows_and_goes_on,
    delegates,
    delegates_anew,
    has_branches,
    restarts_in_finally,
    yields_from_a_task,
    resolves_tasks,
]


@pytest.fixture
def silence(caplog, capfd, monkeypatch):
    """Nothing may be said while this is in use."""
    unraisable = []
    monkeypatch.setattr(sys, 'unraisablehook', unraisable.append)
    caplog.set_level(logging.DEBUG)
    called.clear()
    yield
    gc.collect()
    assert unraisable == []
    assert caplog.records == []
    assert capfd.readouterr() == ('', '')
    assert called == []


@pytest.mark.parametrize('run', GENERATORS)
@pytest.mark.usefixtures('silence')
def test_eviction_decides_nothing_and_says_nothing(run):
    story = Story(run)
    story.decide()
    execution = story.sticky
    before = list(execution.outbox.entries)
    numbers = len(story.open)
    execution.close()
    assert list(execution.outbox.entries) == before
    assert execution.pending_close is None
    assert not execution.closed
    assert not execution.branches
    assert len(story.open) == numbers
    execution.close()  # closing twice is closing once


@pytest.mark.parametrize('run', GENERATORS)
@pytest.mark.usefixtures('silence')
def test_an_execution_that_was_never_advanced_closes_too(run):
    Story(run).sticky.close()


@pytest.mark.usefixtures('silence')
def test_thousands_of_evictions_leave_no_trace():
    stories = [Story(run) for run in GENERATORS]
    for story in stories:
        story.decide()
    for number in range(EVICTIONS):
        story = stories[number % len(stories)]
        execution = story.execution()
        execution.advance(story.events)
        execution.close()
        del execution
    for story in stories:
        story.sticky.close()


def test_blocks_do_run():
    def run(self):
        seen.append(self)
        yield from quiet(self)

    seen = []
    story = Story(run)
    story.decide()
    story.sticky.close()
    workflow = seen[0]
    assert workflow.closed_inner
    assert workflow.closed_outer


def test_the_innermost_block_runs_first():
    log = []

    def run(self):
        def inner():
            try:
                yield self.echo()
            finally:
                log.append('inner')

        try:
            yield from inner()
        finally:
            log.append('outer')

    story = Story(run)
    story.decide()
    log.clear()
    story.sticky.close()
    assert log == ['inner', 'outer']


def test_an_eviction_in_the_middle_changes_nothing_that_follows():
    def run(self):
        try:
            value = yield self.echo()
        finally:
            yield self.other('in finally')
        return value

    story = Story(run)
    story.decide()
    story.sticky.close()
    story.sticky = story.execution()
    story.completed(1, 'x')
    assert story.decide() == ['activity 2.1 Other [["in finally"],{}]']
    story.completed(2)
    assert story.decide() == ['complete "x"']


def test_a_generator_that_ignores_being_closed_is_reported_once(caplog, capfd):
    def run(self):
        for _ in range(MAX_DRAINS):  # the next one, by the interpreter at its end, gets through
            with suppress(GeneratorExit):
                yield self.stop.get()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    caplog.clear()
    story.sticky.close()
    story.sticky.close()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert 'ignores being closed' in record.message
    assert f'{__file__}:' in record.message
    del story
    gc.collect()
    assert capfd.readouterr() == ('', '')


def test_one_that_ignores_it_for_a_while_is_closed_in_silence(caplog):
    def run(self):
        for _ in range(900):
            with suppress(GeneratorExit):
                yield self.stop.get()

    story = Story(run)
    story.decide()
    caplog.clear()
    story.sticky.close()
    assert caplog.records == []


STUBBORN = """
import sys
from tests.core.story import Story

def run(self):
    while True:
        try:
            yield self.stop.get()
        except GeneratorExit:
            pass

story = Story(run)
story.decide()
story.sticky.close()
print(len(sys.genflow_unclosable))
"""


def test_one_that_ignores_it_for_ever_is_silent_at_the_end_of_the_process_too():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, '-c', STUBBORN],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, 'PYTHONPATH': str(root)},
    )
    assert int(done.stdout) == 2  # of the execution that was kept, and of the replay that checked it
    reports = done.stderr.splitlines()
    assert len(reports) == 2
    assert all('ignores being closed' in report for report in reports)


def test_nothing_is_left_to_the_garbage_collector():
    finalized = []

    def run(self):
        class Marker:
            def __del__(self):
                finalized.append('gone')

        marker = Marker()
        try:
            yield self.echo()
        finally:
            del marker

    story = Story(run)
    story.decide()
    finalized.clear()
    story.sticky.close()
    assert finalized == ['gone']
