"""Schedules: the choices of a run by name, as an id (``gx1`` and text), to be played again later and elsewhere.

A schedule names its choices instead of counting them, so that a change of the code elsewhere leaves most of it true:
a choice that is not possible any more is left out, and after the last one everything is first in, first out.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

from genflow.testing.explorer.inputs.memory import Memory
from genflow.testing.explorer.inputs.setup import Setup
from genflow.testing.explorer.playing.choices import ALLOW_ALL
from genflow.testing.explorer.playing.items import DECIDE, Action
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['labels_of', 'named_choice', 'play_labels', 'read_schedule', 'schedule_id']

PREFIX = 'gx1'


def schedule_id(labels: Sequence[str]) -> str:
    """The id of a schedule."""
    packed = zlib.compress('\n'.join(labels).encode(), 9)
    return PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip('=')


def read_schedule(text: str) -> list[str]:
    """The labels of the choices that an id stands for.

    Raises:
        ValueError: It is no schedule id.
    """
    if not text.startswith(PREFIX):
        raise ValueError(f'{text!r} is not a schedule id: it must begin with {PREFIX}')
    body = text[len(PREFIX) :]
    try:
        packed = base64.b64decode(body + '=' * (-len(body) % 4), altchars=b'-_', validate=True)
        return [label for label in zlib.decompress(packed).decode().split('\n') if label]
    except (ValueError, zlib.error) as error:
        raise ValueError(f'{text!r} is not a schedule id, or is cut off: {error}') from error


def labels_of(run: Simulation) -> list[str]:
    """The choices of a run by name; decisions are made whenever they are due, so they need no name."""
    return [step.label for step in run.steps if step is not DECIDE]


def play_labels(setup: Setup, memory: Memory, labels: Sequence[str], allowance: int = ALLOW_ALL) -> Simulation:
    """Plays a schedule by the labels of its choices; a choice that is not possible is left out."""
    memory.restore()
    run = Simulation(setup)
    left = list(labels)[::-1]
    while actions := run.actions(allowance - run.spent):
        choice = named_choice(actions, left)
        if choice.cost and not left and choice is actions[0]:
            break  # nothing is left that happens by itself
        run.take(choice)
    return run


def named_choice(actions: Sequence[Action], left: list[str]) -> Action:
    """The first possible choice that a schedule names; before it, choices that the schedule does not name at all.

    A choice of another time, such as one around a decision that is not made now, waits.
    """
    if left and actions[0] is DECIDE:
        found = next((action for action in actions if action.label == left[-1]), DECIDE)
    else:
        found = actions[0]
        if found.cost or found.label in left:
            known = {action.label: action for action in actions}
            found = next((known[label] for label in reversed(left) if label in known), found)
        elif left:
            found = next((action for action in actions if action.label == left[-1]), found)
    if found.label in left:
        left.reverse()
        left.remove(found.label)
        left.reverse()
    return found
