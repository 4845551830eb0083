"""Checkpoints: a run that is taken up at one of its choices is where it was left."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from genflow import ActivityProxy, Signal, TaskFailed, Workflow
from genflow.testing.explorer.equivalence.states import fingerprint
from genflow.testing.explorer.exploration import Exploration
from genflow.testing.explorer.playing.checkpoints import Checkpoint
from genflow.testing.explorer.playing.simulation import Simulation
from tests.core.programs import PROGRAMS, Interpreter
from tests.profile import examples


def exploration(workflow, *args, **stubs):
    return Exploration.of(workflow, args, {}, stubs)


def begun(exploring):
    exploring.memory.restore()
    return Simulation(exploring.setup)


def seen(run, exploring):
    """By what a search knows the state of a run again."""
    return fingerprint(run, exploring.memory.roots)


def is_seen_alike(run, other, exploring):
    """Whether a search takes two runs for one; never so if addresses or the like are part of what it sees."""
    return seen(run, exploring) == seen(other, exploring)


def state(run):
    """What a run has recorded, and how it can go on."""
    has_come = run.actions(9), run.steps, run.time, run.spent, run.ended
    return (
        has_come,
        [repr(event) for event in run.events],
        [(repr(call), call.outcome, call.ended) for call in run.calls],
    )


@seed(18)
@settings(
    max_examples=examples(40, 300, 10),
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(PROGRAMS, st.lists(st.integers(0, 40), min_size=12, max_size=12))
def test_a_run_goes_on_from_a_checkpoint_as_if_it_had_never_stopped(program, choices):
    exploring = exploration(Interpreter, program)
    run = begun(exploring)
    with closing(run), closing(begun(exploring)) as twin:
        for choice in choices:
            actions = run.actions(5 - run.spent)
            if not actions:
                break
            action = actions[choice % len(actions)]
            checkpoint = Checkpoint(run, exploring.memory)
            with closing(checkpoint.resumed(action)) as other, closing(checkpoint.resumed(action)) as same:
                run.take(action)
                twin.take(action)
                assert state(other) == state(run)
                if is_seen_alike(twin, run, exploring) and is_seen_alike(other, same, exploring):
                    assert is_seen_alike(other, run, exploring)


class Counting(Workflow):
    """Reads from a model that counts, and takes what it cannot have."""

    read = ActivityProxy('CountingRead', '1', retry=0)
    go = Signal()

    def run(self):
        found = [(yield self.read(1))]
        yield self.go.get()
        try:
            found.append((yield self.read(2)))
        except TaskFailed as error:
            found.append(str(error))
        return found


class Reader:
    def __init__(self):
        self.found = []

    def read(self, number):
        self.found.append(number)
        return self.found


def test_a_run_from_a_checkpoint_changes_neither_the_checkpoint_nor_another_run():
    reader = Reader()
    exploring = exploration(Counting, read=reader.read)
    run = begun(exploring)
    while len(run.calls) < 2:
        run.take(run.actions(0)[0])
    checkpoint = Checkpoint(run, exploring.memory)
    ends = [action for action in run.actions(9) if action.verb in ('end', 'signal')]
    assert len(ends) > 1
    first = [state(checkpoint.resumed(action)) for action in ends]
    assert [state(checkpoint.resumed(action)) for action in ends] == first
    assert reader.found[:1] == [1]
    assert run.calls[-1].outcome == 'open'


class Moody(Workflow):
    """Asks for something else where a test wants that."""

    left = ActivityProxy('MoodyLeft', '1', retry=0)
    right = ActivityProxy('MoodyRight', '1', retry=0)
    moods = iter(())

    def run(self):
        yield getattr(self, next(self.moods, 'left'))()
        yield [self.left(), self.right()]


def test_code_that_does_not_follow_its_history_is_played_from_the_beginning():
    exploring = exploration(Moody)
    run = begun(exploring)
    while len(run.calls) < 3:
        run.take(run.actions(0)[0])
    action = run.actions(0)[-1]
    checkpoint = Checkpoint(run, exploring.memory)
    usual = state(checkpoint.resumed(action))
    Moody.moods = iter(['right'])
    assert state(checkpoint.resumed(action)) == usual
    assert not list(Moody.moods)
    Moody.moods = iter(['right', 'right'])  # when it is played from the beginning, too
    assert [call.name for call in checkpoint.resumed(action).calls][:1] == ['MoodyRight']


def test_a_checkpoint_before_the_first_decision_has_nothing_to_replay():
    exploring = exploration(Counting)
    run = begun(exploring)
    actions = run.actions(2)
    assert len(actions) > 1
    other = Checkpoint(run, exploring.memory).resumed(actions[1])
    assert other.steps == [actions[1]]


def test_warnings_are_kept():
    exploring = exploration(Counting)
    run = begun(exploring)
    run.live.report('once')
    run.warnings.append('before')
    other = Checkpoint(run, exploring.memory).resumed(run.actions(0)[0])
    assert other.warnings == ['before', 'once']


@pytest.mark.parametrize('choice', ['evict', 'lose'])
def test_an_execution_that_is_about_to_be_dropped_is_taken_up_too(choice):
    exploring = exploration(Counting)
    run = begun(exploring)
    while not run.calls or not run.is_due:
        run.take(run.actions(0)[0])
    run.take(next(action for action in run.actions(9) if action.verb == choice))
    for action in run.actions(9):
        other = Checkpoint(run, exploring.memory).resumed(action)
        assert other.steps == [*run.steps, action]
        assert other.error is None
