"""A call that lasts longer than its execution is warned of when it is made, with file and line."""

from __future__ import annotations

import math

import pytest

from genflow import ActivityProxy

from .story import START, Story

HOUR = 3600


def warned(caplog, make, duration, **given):
    """What is logged of a call in the first decision of an execution that may take so long."""

    def run(self):
        yield make(self)

    story = Story(run, members={'slow': ActivityProxy('Slow', '1', start_to_close=7200)}, workflow_duration=duration)
    story.start()
    return {record.getMessage() for record in caplog.records}


CALLS = {
    'a sleep': (lambda self: self.sleep(7200), 'timer 1 (7200 s)'),
    'a time limit': (lambda self: self.echo().timeout(7200), 'timer 2 (7200 s)'),
    'a start-to-close': (lambda self: self.slow(), 'activity 1 Slow 1'),
    'a delay': (lambda self: self.echo.with_options(delay=7200)(), 'activity 1 Echo v1'),
    'a delay and a start-to-close': (
        lambda self: self.slow.with_options(delay=3600, start_to_close=3600)(),
        'activity 1 Slow 1',
    ),
    'the delay of a child': (lambda self: self.child.with_options(delay=7200)(), 'child 1 Child v1'),
}


@pytest.mark.parametrize('name', CALLS)
def test_what_outlasts_the_execution_is_warned_of(caplog, name):
    make, label = CALLS[name]
    (message,) = warned(caplog, make, HOUR)
    assert f'{label}, called at {__file__}:' in message
    assert 'lasts 7,200 s' in message
    assert 'workflow_duration is 3,600 s' in message


@pytest.mark.parametrize('name', CALLS)
@pytest.mark.parametrize('duration', [2 * HOUR + 60, math.inf, None])
def test_what_fits_is_not(caplog, name, duration):
    make, _ = CALLS[name]
    assert not warned(caplog, make, duration)


def test_the_time_that_has_passed_counts_and_each_line_is_told_of_once(caplog):
    def run(self):
        for _ in range(3):
            yield self.sleep(HOUR - 10)

    story = Story(run, workflow_duration=HOUR)
    assert story.events[0].time == START
    for number in (1, 2, 3):
        story.start()
        if number == 1:
            assert caplog.records == []
        story.respond()
        story.fired(str(number))
        story.last_id += 20  # twenty seconds pass
    kept = {record.getMessage() for record in caplog.records}
    assert len(kept) == 2  # of the kept execution and of the one that replays
