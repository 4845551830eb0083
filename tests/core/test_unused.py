"""What the code makes and never uses is reported with file and line when `run` has ended, once."""

from __future__ import annotations

import re

import pytest

from genflow import Saga, any_of
from genflow.core.tasks.unused import dropped_by

from .story import Desk, Story


class Drops(Desk):
    def branch(self, *steps):
        yield self.echo(*steps)

    def run(self):
        raise TypeError('each test has its own')


def reports(caplog, run, *, after=()):
    """What is logged of a workflow until it has ended."""
    story = Story(type('Drops', (Drops,), {'run': run}))
    story.decide()
    for key in after:
        story.completed(key)
        story.decide()
    assert story.closed is not None
    return sorted({record.getMessage() for record in caplog.records})


def line_in(run, number):
    return f'{run.__code__.co_filename}:{run.__code__.co_firstlineno + number} in run'


def test_a_branch_that_is_made_and_dropped(caplog):
    def run(self):
        self.branch(1)

    (message,) = reports(caplog, run)
    assert f'branch() was created at {line_in(run, 1)} but never run' in message


def of_the_module(workflow, *steps):
    yield workflow.echo(*steps)


def drops_one_itself(workflow):
    of_the_module(workflow)
    yield workflow.echo()


class Holder:
    @staticmethod
    def branch(workflow):
        yield workflow.echo()


def inside(self):
    def branch():
        yield self.echo()

    branch()


def inside_with_arguments(self):
    def branch(first, *others, **named):
        yield self.echo()

    branch(1, *[2, [3]], name={'a': len('b')})


def inside_and_named(self):
    def branch():
        yield self.echo()

    made = branch()  # noqa: F841


def below_something_inside(self):
    def branch():
        yield self.echo()

    def other():
        branch()

    other()


def of_a_module(self):
    if self.info:
        for number in range(2):
            of_the_module(self, number)


def of_a_class(self):
    Holder.branch(self)


def of_a_branch(self):
    yield from drops_one_itself(self)


OUT_OF_REACH = {
    inside: 'branch',
    inside_with_arguments: 'branch',
    inside_and_named: 'branch',
    below_something_inside: 'branch',
    of_a_module: 'of_the_module',
    of_a_class: 'Holder.branch',
    of_a_branch: 'of_the_module',
}
"""Ways to make a branch by something that is no method, and to drop it."""


@pytest.mark.parametrize('run', OUT_OF_REACH, ids=lambda run: run.__name__)
def test_a_branch_that_no_method_makes(caplog, run):
    (message,) = reports(caplog, run, after=[1] if run is of_a_branch else [])
    assert f'the generator {OUT_OF_REACH[run]}() is made at {__file__}:' in message
    assert 'never runs' in message


def used_inside(self):
    def branch():
        yield self.echo()

    self.spawn(branch())
    made = branch()
    list(branch())
    branch().close()
    of_the_module(self).close()
    next(of_the_module(self), None)
    return made


def another_of_that_name(self):
    def branch():
        yield self.echo()

    def takes(branch, of_the_module=print):
        branch(self)
        of_the_module()

    takes(id)
    branch = id  # noqa: F811
    branch(self)


def read_inside(self):
    made = of_the_module(self)

    def branch():
        yield from made

    return branch()


def driven_by_a_decorator(self):
    def driven(function):
        return lambda: list(function())

    @driven
    def branch():
        yield 1

    branch()


@pytest.mark.parametrize('run', [used_inside, another_of_that_name, read_inside, driven_by_a_decorator])
def test_what_looks_like_one_and_is_none(run):
    assert dropped_by(type('Looks', (Desk,), {'run': run})) == ()


@pytest.mark.parametrize('use', ['yield', 'yield from', 'spawn', 'return', 'race'])
def test_a_branch_that_is_used_is_none(caplog, use):
    def run(self):
        made = self.branch(1)
        if use == 'yield':
            yield made
        elif use == 'yield from':
            yield from made
        elif use == 'spawn':
            self.spawn(made)
        elif use == 'race':
            yield any_of(made, self.other())
        else:
            return made

    assert reports(caplog, run, after=[1]) == []


@pytest.mark.parametrize('raises', [False, True])
def test_a_saga_whose_compensation_is_not_driven(caplog, raises):
    def run(self):
        saga = Saga()
        saga.add(self.echo)
        try:
            int('x')
        except ValueError:
            saga.compensate()
            if raises:
                raise

    (message,) = reports(caplog, run)
    assert f'compensate() was created at {line_in(run, 6)} but never run' in message


@pytest.mark.parametrize(
    ('make', 'what'),
    [(lambda self: self.sleep(5), r'timer \S+ \(5 s\)'), (lambda self: self.go.get(), "signal 'go'")],
    ids=['timer', 'get'],
)
def test_a_timer_or_get_that_nobody_waited_for(caplog, make, what):
    def run(self):
        make(self)

    (message,) = reports(caplog, run)
    assert re.search(f'nothing waited for the {what} created at .*test_unused.py', message)


USES = {
    'a race that it lost': lambda task, self: any_of(task, self.echo()),
    'a cancellation': lambda task, self: task.cancel(),
    'a question': lambda task, self: task.done(),
    'a combinator that nobody waited for': lambda task, self: any_of(task),
}


@pytest.mark.parametrize('make', [lambda self: self.sleep(5), lambda self: self.go.get()], ids=['timer', 'get'])
@pytest.mark.parametrize('use', USES)
def test_one_that_was_used_otherwise_is_none(caplog, make, use):
    def run(self):
        used = USES[use](make(self), self)
        yield self.echo() if used is None or isinstance(used, bool) or use.startswith('a comb') else used

    story = Story(type('Drops', (Drops,), {'run': run}))
    story.decide()
    (activity,) = [item.attempt for item in story.open.values() if item.kind == 'activity']
    story.completed(activity)
    story.decide()
    assert story.closed is not None
    assert caplog.records == []


def test_a_timer_whose_turn_has_not_come_when_run_raises_is_none(caplog):
    def run(self):
        self.sleep(5)
        raise ValueError

    assert reports(caplog, run) == []


def test_a_replay_reports_nothing(caplog):
    def run(self):
        self.branch(1)

    story = Story(type('Drops', (Drops,), {'run': run}))
    story.decide()
    caplog.clear()
    execution = story.execution()
    assert execution.advance(story.events) is None
    assert execution.closed
    assert caplog.records == []


def test_what_has_been_used_is_let_go_of():
    def run(self):
        for _ in range(1000):
            yield from self.branch()

    story = Story(type('Drops', (Drops,), {'run': run}))
    for number in range(1, 101):
        story.decide()
        story.completed(number)
    assert story.sticky.unused.count < 100
