"""Random programs on the embedded service: what is promised of every execution.

`GENFLOW_EXAMPLES=ci` plays thousands, the default some dozens of each kind.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genflow.core.engine import suggested_restart
from genflow.core.engine.outbox import QUOTAS
from genflow.core.model import info
from tests.core.programs import PROGRAMS, Renewed
from tests.profile import examples

from .laws import LAWS, attributes
from .runs import Environment, Watched

thorough = settings(
    max_examples=examples(80, 2000),
    suppress_health_check=list(HealthCheck),
)

_STEPS = st.lists(PROGRAMS.filter(lambda program: program[0] != 'restart'), min_size=2, max_size=4).map(tuple)

LONGER = st.one_of(
    PROGRAMS,
    st.tuples(st.just('seq'), _STEPS),
    st.tuples(st.just('restart'), st.tuples(st.just('seq'), _STEPS), PROGRAMS),
    st.tuples(st.just('all'), _STEPS, st.just('return')),
)
"""Programs, and several of them one after the other or at once, for histories of some length."""

SCHEDULES = st.binary(min_size=400, max_size=400)


class WatchedRenewed(Watched, Renewed):
    pass


def check(program, schedule, workflow=Watched):
    first, *others = Environment(program, schedule, workflow).play_chain()
    for run in (first, *others):
        for law in LAWS:
            law(run)
    return first


@thorough
@given(LONGER, SCHEDULES)
def test_every_execution_keeps_the_laws(program, schedule):
    check(program, schedule)


@settings(thorough, max_examples=examples(20, 500))
@given(LONGER, SCHEDULES)
def test_every_execution_keeps_the_laws_where_hardly_anything_may_be_open(program, schedule):
    with pytest.MonkeyPatch.context() as patch:
        for quota in QUOTAS:
            patch.setitem(QUOTAS, quota, 2)
        check(program, schedule)


@settings(thorough, max_examples=examples(20, 500))
@given(LONGER, SCHEDULES, st.integers(4, 40))
def test_every_execution_keeps_the_laws_where_long_histories_are_restarted(program, schedule, length):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(info, 'RESTART_SUGGESTED', length)
        patch.setattr(suggested_restart, 'REST', 12)
        check(program, schedule, WatchedRenewed)


def test_a_child_that_stands_in_several_combinators_and_ends_while_it_is_asked_to_stop_keeps_them():
    """The time limit over the combinators strikes in the decision that also hears of the child's end."""
    check(('any', (('seq', (('tangle', (('child', 0),)),)),), False), bytes([0] * 14 + [5, 1, 0, 3] + [0] * 40))


def test_a_decision_that_fills_more_than_one_response_keeps_them():
    """A hundred and twenty decisions at once; a response takes a hundred."""
    names = ('echo', 'late', 'child', 'sleep', 'shrink', 'tell')
    calls = tuple(('call', (name, number)) for number in range(20) for name in names)
    run = check(('all', calls, 'return'), b'')
    timers = [attributes(event)['timerId'] for event in run.history if event['eventType'] == 'TimerStarted']
    assert 'wake-3' in timers
