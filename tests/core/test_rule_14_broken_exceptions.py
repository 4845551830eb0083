"""Rule 14: what is raised fails, even if the exception itself cannot be read."""

from __future__ import annotations

from functools import partial

import pytest

from genflow import Activity, Saga
from genflow.core.model.registry import ActivitySpec
from genflow.core.payloads.wire_text import shortened, units
from genflow.swf.worker.performing import run_activity

from .story import Story


class Unreadable(Exception):
    """One of whose attributes raises; asked for its length, it raises too."""

    def __init__(self, name):
        self.name = name

    def __getattribute__(self, name):
        if name != '__class__' and name == super().__getattribute__('name'):
            raise RuntimeError(f'{name} is broken')
        return super().__getattribute__(name)

    def __len__(self):
        raise RuntimeError('it has no length')


class Wordless(Exception):
    def __str__(self):
        raise SystemExit(3)

    __repr__ = __str__


class Words(str):
    """Text that cannot be used as text is."""

    __slots__ = ()

    def __len__(self):
        raise RuntimeError('it has no length')

    def __format__(self, spec):
        raise RuntimeError('it has no format')


class Worded(Exception):
    def __str__(self):
        return Words('so it says')


class LastOfMany(Exception):
    """It was raised in an ``except`` of an ``except`` of…"""

    def __init__(self):
        super().__init__('once more')
        error = self
        for place in range(5_000):
            error.__context__ = ValueError(place)
            error = error.__context__


ATTRIBUTES = ('args', '__traceback__', '__notes__', '__cause__', '__context__', 'with_traceback')

BROKEN = {
    **{f'no {name}': (partial(Unreadable, name), 'Unreadable: ') for name in ATTRIBUTES},
    'no text': (Wordless, 'Wordless: <the exception has no readable text>'),
    'odd text': (Worded, 'Worded: so it says'),
    'a long chain': (LastOfMany, 'LastOfMany: once more'),
}


@pytest.fixture(params=BROKEN)
def broken(request):
    """What makes an exception, and the beginning of the reason that tells of it."""
    return BROKEN[request.param]


def raises(make):
    raise make()
    yield


def story_of(run):
    """After the first decision, and the end of the first call."""
    story = Story(run)
    story.decide()
    story.completed(1)
    story.decide()
    return story


def test_a_workflow_fails(broken):
    make, reason = broken

    def run(self):
        yield self.echo()
        yield from raises(make)

    assert story_of(run).failure.reason.startswith(reason)


def test_a_branch_fails(broken):
    make, reason = broken

    def run(self):
        yield self.echo()
        yield [raises(make)]

    assert story_of(run).failure.reason.startswith(reason)


def test_the_failure_of_a_branch_is_told_when_it_is_requested(broken):
    make, reason = broken

    def run(self):
        task = self.spawn(raises(make))
        yield self.echo()
        task.result()

    assert story_of(run).failure.reason.startswith(reason)


def test_an_activity_fails(broken):
    make, reason = broken

    class Raises(Activity):
        def run(self):
            raise make()

    outcome = run_activity(ActivitySpec(Raises, 'Raises', '1'), None, None, lambda cls: cls())
    assert outcome.reason.startswith(reason)


LEAVING = {error.__name__: (error, error.__name__) for error in (SystemExit, KeyboardInterrupt)}
"""What ends a program elsewhere."""


@pytest.mark.parametrize('raised', {**BROKEN, **LEAVING})
def test_a_compensation_fails_and_the_others_run(raised):
    make, reason = {**BROKEN, **LEAVING}[raised]

    def run(self):
        saga = Saga()
        saga.add(self.echo, 'undone')
        saga.add(raises, make)
        yield from saga.run(raises(partial(ValueError, 'why')))

    story = Story(run, engine={'passing': ()})
    assert story.decide() == ['activity 1.1 Echo [["undone"],{}]']
    story.completed(1)
    story.decide()
    assert story.failure.reason == 'ValueError: why'
    assert f'A compensation failed: {reason}' in story.failure.traceback


def test_a_long_text_is_cut_to_the_limit_and_between_characters():
    for length in range(250, 262):
        text = shortened('x' * length + '\U0001f600' * 40_000, 256)
        assert units(text) == (256 if length % 2 or length > 255 else 255)
        assert text == 'x' * min(length, 255) + '\U0001f600' * ((255 - length) // 2) + '…'
