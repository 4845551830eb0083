"""Bars and the scale that leaves out idle time; and what led to what."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from genflow.insight import ExecutionView, elapsed
from genflow.insight.flow import steps
from genflow.insight.timeline import bars, scale_of
from genflow.testing import History
from tests.insight.breaking import Approval, Environment, Plain, Retrying
from tests.testing.orders import Everything, Order

NOW = datetime(2000, 1, 1, tzinfo=timezone.utc)


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def drawn(env):
    return [
        [((one.start - NOW).total_seconds(), (one.end - NOW).total_seconds(), one.kind, one.state)
         for one in bar.segments]
        for bar in bars(env.gathered().view, env.now)
    ]  # fmt: skip


def test_queue_wait_run_time_and_the_wait_for_a_retry_are_segments():
    env = Environment()
    env.begin(Retrying)
    env.wait(5)
    token = env.take()
    env.wait(3)
    env.fail(token)
    env.decide()
    env.wait(2)
    assert drawn(env) == [[(0, 5, 'queued', 'failed'), (5, 8, 'running', 'failed'), (8, 10, 'waiting', 'retrying')]]


def test_an_open_bar_ends_now_and_a_closed_executions_bars_at_its_close():
    env = Environment()
    env.begin(Plain)
    env.take()
    env.wait(4)
    assert drawn(env) == [[(0, 4, 'running', 'started')]]
    env.swf.terminate_workflow_execution(domain='d', workflowId='w')
    env.wait(100)
    assert drawn(env) == [[(0, 4, 'running', 'started')]]


def test_the_scale_grows_from_0_to_1_and_draws_idle_time_short():
    env = Environment(warmups=2)
    env.start(Approval, 'w')
    env.decide()
    for pause in (0, 7_200):
        env.wait(pause)
        token = env.take()
        env.wait(10)
        env.complete(token)
        env.decide()
    view = env.gathered().view
    scale = scale_of(bars(view, env.now), view.started_at, env.now)
    places = [scale.place(at(seconds)) for seconds in range(0, 7_230, 5)]
    assert places == sorted(places)
    assert (places[0], scale.place(at(7_220)), scale.place(at(-1)), scale.place(at(9_999))) == (0, 1, 0, 1)
    (idle,) = scale.breaks
    assert idle.seconds == 7_200
    assert idle.end - idle.start < 0.1
    assert scale.place(at(10)) > 0.4


def test_a_scale_of_nothing_has_no_width_and_does_no_harm():
    scale = scale_of([], NOW, NOW)
    assert scale.place(NOW) in (0.0, 1.0)


def test_a_step_joins_what_had_ended_with_what_was_requested():
    history = History(Order, 1).decide().completed(Order.charge.task(1), 'ok').decide()
    history = history.signaled('approve', True).decide()
    found = list(steps(ExecutionView().apply_all(history.events)))
    assert [([one.name for one in step.causes], list(step.signals), [one.name for one in step.asked])
            for step in found] == [([], [], ['Charge']), (['Charge'], ['approve'], ['Ship'])]  # fmt: skip


def test_all_that_one_decision_requests_is_one_step():
    (step,) = steps(ExecutionView().apply_all(History(Everything).decide().events))
    assert len(step.asked) == 6


def test_elapsed_is_short():
    forms = [elapsed(timedelta(seconds=seconds)) for seconds in (0, 0.142, 7.25, 42, 7471, 273_000)]
    assert forms == ['0 s', '0.14 s', '7.2 s', '0:42', '2:04:31', '3d 03:50']


def test_a_minute_is_drawn_as_it_was_however_little_of_it_is_work():
    env = Environment()
    env.begin(Retrying)
    env.wait(9)
    token = env.take()
    env.wait(0.02)
    env.fail(token)
    env.decide()
    env.wait(17)
    view = env.gathered().view
    scale = scale_of(bars(view, env.now), view.started_at, env.now)
    assert scale.breaks == ()
    assert scale.place(at(9)) == pytest.approx(9 / 26.02)


def test_many_idle_times_are_all_drawn_short():
    env = Environment(warmups=4)
    env.start(Approval, 'w')
    env.decide()
    for _ in range(4):
        env.wait(86_400)
        token = env.take()
        env.wait(5)
        env.complete(token)
        env.decide()
    view = env.gathered().view
    assert len(scale_of(bars(view, env.now), view.started_at, env.now).breaks) == 4
