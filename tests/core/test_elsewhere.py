"""The same history in another process, with another hash seed, ten years later: the same decisions, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from genflow.core.model import events

from .story import Desk, Story

ROOT = Path(__file__).parents[2]


class Traveller(Desk):
    def run(self, value):
        names = {'x', 'yy', 'zzz', 'wwww'}
        chance = [self.random.random(), str(self.uuid4())]
        calls = {name: self.echo(name) for name in sorted(names)}
        yield calls
        with self.options(retry=2):
            try:
                yield self.sturdy(chance, {'names': sorted(names)})
            except TimeoutError as error:
                yield self.other(str(error))
        try:
            yield names
        except TypeError as error:
            return [str(error), value, chance, self.side_effect(lambda: 'side')]


def tell():
    story = Story(Traveller, {'b': 1, 'a': 2})
    story.decide()
    for number in (3, 1, 4, 2):
        story.completed(number, number)
    story.decide()
    for _ in range(3):
        story.timed_out(5)
        story.decide()
    story.completed(6)
    story.decide()
    return story


def spoken(story):
    return '\n'.join(repr(answer) for answer in story.answered_with)


if __name__ == '__main__':
    sys.stdout.write(spoken(tell()))


@pytest.mark.parametrize('seed', ['1', '4242'])
def test_another_process_with_another_hash_seed_decides_the_same(seed):
    done = subprocess.run(
        [sys.executable, '-m', 'tests.core.test_elsewhere'],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, 'PYTHONHASHSEED': seed, 'PYTHONPATH': str(ROOT)},
    )
    assert done.stdout.replace('__main__', __name__) == spoken(tell())


def test_ten_years_later_nothing_is_different():
    """Nothing reads a clock: only what the history says of the time is heard."""
    story = tell()
    later = Story(Traveller, {'b': 1, 'a': 2})
    later.events = [shifted(event) for event in story.events]
    answers = iter(story.answered_with)
    for place, event in enumerate(later.events):
        if isinstance(event, events.DecisionStarted):
            fresh = later.execution()
            assert fresh.advance(later.events[: place + 1]) == next(answers)
            fresh.close()


def shifted(event):
    if hasattr(event, 'time'):
        members = {name: getattr(event, name) for name in event.__slots__ if not name.startswith('__')}
        return type(event)(**{**members, 'time': event.time + timedelta(days=3650)})
    return event
