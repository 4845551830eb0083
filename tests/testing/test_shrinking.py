"""What shrinking a failing schedule tries, and whether it ends with the smallest one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from genflow.testing import ExplorationFailed, explore
from genflow.testing.explorer.exploration import Exploration
from genflow.testing.explorer.inputs.keywords import Named
from genflow.testing.explorer.playing.schedules import play_labels, read_schedule
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.explorer.reporting.shrinking import shrunk
from tests.testing.planted import PLANTED
from tests.testing.planted_races import RACES

MOST = 450
"""The runs in which every smaller story can be tried."""


def test_only_what_can_come_before_a_decision_is_tried_there():
    """Else the tries are used up before anything is left out."""
    tried = []

    def fails(labels):
        tried.append(list(labels))
        return SimpleNamespace(steps=(), spent=len(labels), total=len(labels)) if labels else None

    assert len(shrunk(['during end Step#1'] * 500, fails)) == 1
    assert not any(label.startswith('before during') for labels in tried for label in labels)


def exploration_of(planted):
    options = dict(planted.options)
    own = {name: options.pop(name, None) for name in ('check', 'always', 'signals', 'stubs')}
    named = Named.of(planted.workflow, options)
    signals = {**(own['signals'] or {}), **named.signals}
    return Exploration.of(
        planted.workflow,
        planted.args,
        named.arguments,
        {**(own['stubs'] or {}), **named.stubs},
        signals=signals if signals or own['signals'] is not None else None,
        updates=named.updates,
        check=own['check'],
        always=own['always'],
    )


def size(run):
    """What goes wrong in a run, and its events."""
    return run.spent - sum(step.when == 'before' for step in run.steps), run.total


def smaller(exploration, judge, bound):
    """The steps of a run that a judge objects to and that is smaller, of all that there are."""
    waiting = [()]
    for _ in range(MOST):
        if not waiting:
            return None
        choices = list(waiting.pop())
        exploration.memory.restore()
        run = Simulation(exploration.setup)
        made = 0
        while size(run) < bound and (actions := run.actions(3 - run.spent)):
            if len(actions) > 1 and made == len(choices):
                waiting += [(*choices, place) for place in range(1, len(actions))]
                choices.append(0)
            run.take(actions[choices[made] if len(actions) > 1 else 0])
            made += len(actions) > 1
        verdict = exploration._verdict(run) if size(run) < bound else None  # noqa: SLF001 - as the search asks for it
        run.close()
        if verdict is not None and verdict.judge == judge:
            return [step.label for step in run.steps]
    return None


LARGER = {'DroppedAtRestart', 'CancelGoesOn', 'CheckedTooEarly', 'BufferDropped'}
"""Of which a story that is one or two events, or three, smaller is not found: other events have to wait in it."""

SMALL = [
    planted
    for planted in [*PLANTED, *RACES]
    if planted.judge != 'replay' and planted.events <= 16 and planted.workflow.__name__ not in LARGER
]


@pytest.mark.thorough
@pytest.mark.parametrize('planted', SMALL, ids=lambda planted: planted.workflow.__name__)
def test_no_story_is_smaller_than_the_one_that_is_shown(planted):
    """Every smaller one is tried, as far as they are few."""
    with pytest.raises(ExplorationFailed) as caught:
        explore(planted.workflow, *planted.args, **planted.options)
    exploration = exploration_of(planted)
    shown = play_labels(exploration.setup, exploration.memory, read_schedule(caught.value.schedule))
    shown.close()
    assert smaller(exploration, caught.value.finding.verdict.judge, size(shown)) is None
    exploration.memory.restore()
