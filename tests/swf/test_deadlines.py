"""A decision that computes for too long is reported once, with the user's own line."""

from __future__ import annotations

import logging

from genflow.swf.worker.polled_tasks import DecisionTask
from genflow.swf.worker.slow_decisions import SlowDecisionWatchdog

TASK = DecisionTask('t', 'w', 'r', 'Order', '1', 3, 0)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_slow_decision_shows_where_it_is(caplog):
    clock = Clock()
    watch = SlowDecisionWatchdog(2.0, clock)

    def look_into_the_user():
        clock.now = 1.9
        watch.look()
        clock.now = 2.0
        watch.look()
        clock.now = 9.0
        watch.look()

    with watch.over(TASK):
        look_into_the_user()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert 'deciding Order 1 (workflow w, run r) has taken 2.0 s so far' in record.getMessage()
    assert 'in look_into_the_user' in record.getMessage()


def test_a_decision_that_ended_is_not_reported(caplog):
    clock = Clock()
    watch = SlowDecisionWatchdog(2.0, clock)
    with watch.over(TASK):
        pass
    clock.now = 10.0
    watch.look()
    assert caplog.records == []
