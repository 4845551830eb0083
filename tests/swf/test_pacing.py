"""Answers are held back as a history fills, so that more is decided at a time."""

from __future__ import annotations

import pytest

from genflow import Activity, ActivityProxy, Workflow
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker.response_delay import ResponseDelay
from tests.swf.work import Loops


@pytest.mark.parametrize(
    ('events', 'open_tasks', 'interval', 'seconds'),
    [
        (4_999, 1000, 0.1, 0),
        (5_000, 1000, 0.1, 0.1),
        (10_000, 1000, 0.1, 0.3),
        (15_000, 1000, 0.1, 0.7),
        (24_000, 1000, 0.01, 0.15),
        (24_000, 1000, 60, 1),
        (24_000, 4, 0.1, 0.3),
        (24_000, 1, 0.1, 0),
        (24_000, 0, 0.1, 0),
    ],
)
def test_how_long_answers_are_held_back(events, open_tasks, interval, seconds):
    assert ResponseDelay(100, interval).holding(events, open_tasks).held == pytest.approx(seconds)


def test_the_interval_is_measured():
    assert ResponseDelay().decided(100, 3) == ResponseDelay(100)
    assert ResponseDelay(100).decided(106, 3) == ResponseDelay(106, 2)
    assert ResponseDelay(100, 2, held=4).decided(106, 3) == ResponseDelay(106, 2)


def test_waiting_that_was_no_use_is_left_alone_for_a_while():
    pace = ResponseDelay(100, 1, held=1).decided(102, 1)
    assert pace == ResponseDelay(102, 1, resting=20)
    for _ in range(20):
        assert pace.holding(20_000, 100).held == 0
        pace = pace.decided(pace.decided_at + 1, 1)
    assert pace.holding(20_000, 100).held == 1


@activity('Echo', 1, 'tl', schedule_to_start=None)
class Echo(Activity):
    def run(self, value):
        return value


@workflow('Wide', 1, 'tl', workflow_duration=None)
class Wide(Workflow):
    echo = ActivityProxy('Echo', 1)

    def run(self, count):
        values = yield [self.echo(number) for number in range(count)]
        return sum(values)


@pytest.mark.slow
def test_five_thousand_activities_that_end_one_by_one_fit_into_a_history(swf):
    """One ends every 50 ms; decided on one by one they would need 30,000 events."""
    loops = Loops(swf, Echo, Wide)
    rate = 0.05

    def pass_time(seconds):
        for _ in range(round(seconds / rate)):
            swf.clock.advance(rate)
            loops.run_activity()
        return False

    loops.service.clock = lambda: swf.clock.milliseconds() / 1000
    loops.service.pause = pass_time
    execution = loops.client.starter(Wide)(5_000)
    while execution.status() == 'OPEN':
        pass_time(rate)
        loops.decide()
    assert execution.result() == sum(range(5_000))
    assert len(execution.history()) < 24_000


@pytest.mark.thorough
def test_a_long_history_is_mentioned_once(swf, caplog):
    @workflow('Chain', 1, 'tl', workflow_duration=None)
    class Chain(Workflow):
        echo = ActivityProxy('Echo', 1)

        def run(self, rounds):
            for _ in range(rounds):
                yield [self.echo(number) for number in range(99)]

    loops = Loops(swf, Echo, Chain)
    loops.client.starter(Chain)(18)  # each round takes about 600 events
    loops.run()
    (record,) = [record for record in caplog.records if 'events' in record.getMessage()]
    assert 'SWF terminates it at 25,000: restart it before that' in record.getMessage()
