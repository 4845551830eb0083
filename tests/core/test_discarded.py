"""A worker takes a closed execution apart; for a workflow object that outlives it, nothing changes."""

from __future__ import annotations

import gc
import weakref

import pytest

from genflow import all_of
from genflow.core.model.decisions import CompleteWorkflow

from .story import Story


def run(self):
    go = self.go.get()
    self.branches = [self.twice(number) for number in (1, 2)]
    yield all_of(*self.branches)
    self.left = self.sleep(1000)
    self.value = yield go
    return self.value


def twice(self, number):
    yield self.echo(number)
    try:
        yield self.echo(number)
    finally:
        yield self.other(number)


def ended():
    """A story up to the close of its execution, and its workflow object."""
    story = Story(run, members={'twice': twice})
    story.decide()
    for number in (1, 2):
        story.completed(number, number)
    story.decide()
    for number in (3, 4):
        story.completed(number, number)
    story.decide()
    for number in (5, 6):
        story.completed(number, number)
    story.signaled('go', 'value')
    story.decide()
    assert isinstance(story.answer.all[-1], CompleteWorkflow)
    return story, story.sticky.workflow


USES = {
    'a call': lambda workflow: workflow.echo(1),
    'a call with options': lambda workflow: workflow.echo.with_options(retry=3)(1),
    'a child': lambda workflow: workflow.child(1),
    'a timer': lambda workflow: workflow.sleep(1),
    'a branch': lambda workflow: workflow.spawn(workflow.twice(1)),
    'a signal to another': lambda workflow: workflow.external('w').signal('s'),
    'its info': lambda workflow: workflow.info,
    'its time': lambda workflow: workflow.now(),
    'a uuid': lambda workflow: workflow.uuid4(),
    'chance': lambda workflow: workflow.random.random(),
    'a patch': lambda workflow: workflow.patched('p'),
    'a side effect': lambda workflow: workflow.side_effect(lambda: 1),
    'a status': lambda workflow: workflow.set_status('s'),
    'a restart': lambda workflow: workflow.restart(),
    'a wait for a signal': lambda workflow: workflow.go.get(),
    'the signals that are there': lambda workflow: workflow.go.drain(),
    'how many these are': lambda workflow: len(workflow.go),
    'a log': lambda workflow: workflow.logger.info('hello'),
    'options': lambda workflow: workflow.options(retry=1).__enter__(),
    'a shield': lambda workflow: workflow.shield().__enter__(),
    'a map': lambda workflow: workflow.map(workflow.echo, [1], limit=1),
    'a condition': lambda workflow: workflow.until(lambda: True),
    'a settled task': lambda workflow: workflow.branches[0],
    'a cancellation': lambda workflow: workflow.left.cancel(),
    'a limit': lambda workflow: workflow.left.timeout(1),
    'its repr': lambda workflow: repr(workflow.left),
}


def outcome(use, workflow):
    """The kind of what it gives or raises, with its text."""
    try:
        given = use(workflow)
    except Exception as error:
        return type(error), str(error)
    return type(given), ''


@pytest.mark.parametrize('use', USES)
def test_a_workflow_object_that_outlives_its_execution_behaves_as_if_that_were_only_closed(use):
    closed, before = ended()
    closed.sticky.close()
    discarded, after = ended()
    discarded.sticky.discard()
    assert outcome(USES[use], after) == outcome(USES[use], before)


def test_what_an_execution_was_made_of_is_freed_without_the_garbage_collector():
    """Of 124 objects 16 are left to it; they are those for which others may still ask."""
    story, workflow = ended()
    execution, workflow = story.sticky, weakref.ref(workflow)
    del story
    gc.collect()
    gc.disable()
    try:
        assert workflow() is not None
        execution.discard()
        assert workflow() is None
        del execution
        assert gc.collect() <= 20
    finally:
        gc.enable()


def test_an_execution_can_be_discarded_twice_and_in_the_middle():
    story = Story(run, members={'twice': twice})
    story.decide()
    for _ in range(2):
        story.sticky.discard()
    assert not story.sticky.live
