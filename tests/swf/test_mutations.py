"""Rule 13 on histories that the service wrote: each of ten changes of the code is caught, with all there is to know."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen

from genflow import ActivityProxy, NondeterminismError
from genflow.core.model.registry import WorkflowSpec
from genflow.testing import replay
from tests.core.programs import Interpreter

from .laws import attributes
from .runs import Environment

Step = Callable[[Any], Any]

FIRST, RENAMED, BUMPED, CHILD, TIMER, SIGNAL, LAST = range(3, 10)
"""The places of the steps that are changed; those before them are there to agree."""

STEPS: list[Step] = [
    lambda self: self.sturdy('none'),
    lambda self: self.echo('zero'),
    lambda self: self.sleep(1),
    lambda self: self.echo('first'),
    lambda self: self.greet('renamed'),
    lambda self: self.greet('bumped'),
    lambda self: self.child.with_options(workflow_id='child-7')('child'),
    lambda self: self.sleep(60),
    lambda self: self.external('other-1').signal('news', 5),
    lambda self: self.shrink('last'),
]


class Calling(Interpreter):
    """Calls its steps, in turn or at once, from ``run`` or from a branch."""

    greet = ActivityProxy('Patient', '1', retry=0)
    hail = ActivityProxy('Sturdy', '1', retry=0)
    greet_anew = ActivityProxy('Patient', '2', retry=0)
    steps: tuple[Step, ...] = tuple(STEPS)

    def run(self, shape: str) -> Any:
        return (yield from getattr(self, shape)())

    def in_turn(self) -> Any:
        values = []
        for step in self.steps:
            values.append((yield step(self)))  # noqa: PERF401 - a comprehension cannot yield
        return values

    def at_once(self) -> Any:
        return (yield [step(self) for step in self.steps])

    def in_branches(self) -> Any:
        return (yield [self.branch(step) for step in self.steps])

    def branch(self, step: Step) -> Any:
        return (yield step(self))

    def from_a_branch(self) -> Any:
        return (yield self.spawn(self.in_turn()))


@frozen
class Mutation:
    """A change of one step.

    Attributes:
        place: Of the step whose event is the first that does not fit.
        kind: The type of that event, as a report says it.
        steps: What there is in that place now; they take the place of so many of the old ones.
        replaced: How many.
        asked: What the report says that the code asks for, a pattern.
        caller: Which step makes the call that is asked for: one of ``steps``, or the old one after them.
    """

    place: int
    kind: str
    steps: tuple[Step, ...]
    asked: str
    replaced: int = 1

    @property
    def changed(self) -> tuple[Step, ...]:
        return (*STEPS[: self.place], *self.steps, *STEPS[self.place + self.replaced :])

    @property
    def caller(self) -> Step:
        """The step that makes the call that is asked for."""
        return self.changed[self.place]


MUTATIONS = {
    'an activity renamed': Mutation(
        RENAMED, 'ActivityScheduled', (lambda self: self.hail('renamed'),), "activity .*name='Sturdy'"
    ),
    'a version bumped': Mutation(
        BUMPED, 'ActivityScheduled', (lambda self: self.greet_anew('bumped'),), "activity .*version='2'"
    ),
    'two calls swapped': Mutation(FIRST, 'ActivityScheduled', (STEPS[4], STEPS[3]), "activity .*name='Patient'", 2),
    'a call inserted': Mutation(CHILD, 'ChildInitiated', (lambda self: self.echo('more'),), "activity .*'Echo'", 0),
    'a call removed': Mutation(BUMPED, 'ActivityScheduled', (), 'child .*child-7'),
    'another kind': Mutation(FIRST, 'ActivityScheduled', (lambda self: self.child('first'),), 'child '),
    'another child id': Mutation(
        CHILD,
        'ChildInitiated',
        (lambda self: self.child.with_options(workflow_id='child-8')('child'),),
        'child .*child-8',
    ),
    'another timer length': Mutation(TIMER, 'TimerStarted', (lambda self: self.sleep(61),), 'timer .*61'),
    'another signal target': Mutation(
        SIGNAL,
        'SignalInitiated',
        (lambda self: self.external('other-2').signal('news', 5),),
        'signal .*other-2',
    ),
    'another input': Mutation(FIRST, 'ActivityScheduled', (lambda self: self.echo('other'),), r'\[\["other"\],\{\}\]'),
}

SHAPES = ('in_turn', 'at_once', 'in_branches', 'from_a_branch')

SCHEDULING = {
    'ActivityTaskScheduled',
    'StartChildWorkflowExecutionInitiated',
    'TimerStarted',
    'SignalExternalWorkflowExecutionInitiated',
    'LambdaFunctionScheduled',
}


@pytest.fixture(scope='module', params=SHAPES)
def history(request):
    found = Environment(request.param, b'', Calling).play().history
    assert found[-1]['eventType'] == 'WorkflowExecutionCompleted', attributes(found[-1])
    return found


def scheduled(history):
    """The ids of the events that show the steps, in their order."""
    found = [event['eventId'] for event in history if event['eventType'] in SCHEDULING]
    assert len(found) == len(STEPS)
    return found


def replayed(history, steps):
    workflow = type('Calling', (Calling,), {'steps': steps})
    return replay(history, WorkflowSpec(workflow, 'Interpreter', '1'), input_mismatch='error')


def test_the_recorded_code_follows(history):
    assert not replayed(history, tuple(STEPS)).warnings


@pytest.mark.parametrize('name', MUTATIONS)
def test_it_is_caught_with_all_there_is_to_know(history, name):
    mutation = MUTATIONS[name]
    ids = scheduled(history)
    with pytest.raises(NondeterminismError) as caught:
        replayed(history, mutation.changed)
    report = str(caught.value)
    event_id = ids[mutation.place]
    assert caught.value.event_id == event_id, report
    assert re.search(rf'^- recorded: +event {event_id} {mutation.kind} ', report, re.MULTILINE), report
    agreed = [int(found) for found in re.findall(r'^  agreed: event (\d+) ', report, re.MULTILINE)]
    assert agreed == ids[mutation.place - 3 : mutation.place], report
    assert re.search(rf'^\+ asked: .*{mutation.asked}', report, re.MULTILINE), report
    assert f'{__file__}:{mutation.caller.__code__.co_firstlineno}' in report, report
    assert 'self.patched("change-id")' in report
