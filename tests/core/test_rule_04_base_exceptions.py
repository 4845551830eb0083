"""Rule 4: what code of the user's raises is an outcome wherever it is called, exceptions that are no `Exception` too.

None may leave the engine: the decision would be held, and with it the execution, for ever.
"""

from __future__ import annotations

import json

import pytest

from genflow import BranchCanceled, TaskCanceled, WorkflowCanceled, update

from .story import Desk, Story
from .test_rule_10_updates import ask, replies


def raiser(kind):
    def raises(*args):
        raise kind('raised')

    return raises


def items(kind):
    yield 1
    raise kind('raised')


WAYS = {
    'until': lambda self, kind: self.until(raiser(kind)),
    'match': lambda self, kind: self.go.get(match=raiser(kind)),
    'map': lambda self, kind: self.map(raiser(kind), [1]),
    'items': lambda self, kind: self.map(lambda item: item, items(kind)),
    'branch': lambda self, kind: self.spawn(branch(kind)),
}


def branch(kind):
    raise kind('raised')
    yield


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('kind', [SystemExit, WorkflowCanceled, BranchCanceled, GeneratorExit])
def test_it_is_the_failure_of_its_task(way, kind):
    def run(self):
        task = WAYS[way](self, kind)
        try:
            yield task
        except BaseException as error:
            return [type(error).__name__, type(task.exception()).__name__]

    story = Story(run)
    story.signaled('go', 1)
    story.decide()
    name = TaskCanceled.__name__ if kind in (WorkflowCanceled, BranchCanceled) else kind.__name__
    assert story.result == [name, name]


class Asked(Desk):
    def run(self):
        yield self.go.get()

    @update
    def leave(self):
        raise SystemExit('raised')

    @update
    def cancel(self):
        raise WorkflowCanceled('raised')

    @update
    def check(self):
        return 1

    @check.validator
    def checked(self):
        raise SystemExit('raised')


def test_it_is_the_reply_to_an_update_or_its_refusal():
    story = Story(Asked)
    story.decide()
    left, canceled, refused = ask(story, 'leave'), ask(story, 'cancel'), ask(story, 'check')
    story.decide()
    found = replies(story)
    assert found[left]['reason'] == 'SystemExit: raised'
    assert found[canceled]['reason'] == 'WorkflowCanceled: raised'
    (marker,) = [event for event in story.events if getattr(event, 'name', '') == 'genflow.refused']
    assert json.loads(marker.details) == {'updates': {refused: 'SystemExit: raised'}}
    story.signaled('go')
    story.decide()
    assert story.closed.how == 'completed'


def test_it_is_recorded_of_a_side_effect():
    def run(self):
        try:
            self.side_effect(raiser(SystemExit))
        except BaseException as error:
            yield self.echo()
            return str(error.reason)

    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    assert story.result == 'SystemExit: raised'


@pytest.mark.parametrize('way', WAYS)
def test_what_is_to_leave_the_engine_leaves_it(way):
    def run(self):
        yield WAYS[way](self, KeyboardInterrupt)

    story = Story(run)
    story.signaled('go', 1)
    with pytest.raises(KeyboardInterrupt):
        story.start()
    story.sticky.close()
