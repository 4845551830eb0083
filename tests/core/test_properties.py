"""Random programs, random schedules: what the engine promises for all of them.

`GENFLOW_EXAMPLES=ci` tells a thousand stories and more, the default a hundred. Within a story every decision is asked
of an execution that was kept, of one that replays everything, and of one that is evicted now and then; the `Story`
compares their answers, refuses what SWF refuses, and sees that no attempt is scheduled twice.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genflow.core.engine import suggested_restart
from genflow.core.engine.execution import Execution
from genflow.core.engine.outbox import QUOTAS
from genflow.core.model import events, info
from genflow.core.model.registry import WorkflowSpec
from genflow.core.model.wire_names import (
    BACKOFF_TIMER_PREFIX,
    REFUSED_MARKER,
    REPLY_MARKER,
    SUGGESTED_RESTART_MARKER,
    UPDATE_SIGNAL,
    WAKE_TIMER_PREFIX,
)
from genflow.core.payloads.envelopes import opened_input
from genflow.core.payloads.hooks import decode
from genflow.core.tasks import signal_waits
from genflow.core.tasks.task import OPEN
from tests.profile import examples

from .programs import PROGRAMS, Interpreter, LooksLast, Renewed
from .schedules import SCHEDULES, Requested, Schedule, Signaling, left_open, unasked

thorough = settings(
    max_examples=examples(100, 1500),
    suppress_health_check=list(HealthCheck),
)


@thorough
@given(PROGRAMS, SCHEDULES)
def test_every_story_is_the_same_kept_replayed_and_evicted(program, schedule):
    check(program, schedule)


_CALL = ('call', ('echo', 1))

CANCELLED = {
    'as it is': lambda one, other: one,
    'a failing list': lambda one, other: ('list', (('seq', (_CALL, ('raise',))), one)),
    'run raises': lambda one, other: ('seq', (('spawn', one), ('spawn', ('saga', (other,), False)), _CALL, ('raise',))),
    'a limit': lambda one, other: ('limit', ('saga', (one, _CALL, other), False), 1, False),
    'a race': lambda one, other: ('any', (('saga', (one, other), False), _CALL), False),
}
"""Ways in which branches with sagas are cancelled, beside the request."""


@thorough
@example(_CALL, _CALL, 12, 'a failing list')
@given(PROGRAMS, PROGRAMS, st.integers(0, 12), st.sampled_from(sorted(CANCELLED)))
def test_a_request_at_any_moment_undoes_every_saga_once_and_leaves_nothing_unasked(one, other, moment, way):
    programs = [program[1] if program[0] == 'restart' else program for program in (one, other)]
    story = Requested(CANCELLED[way](*programs), moment).tell()
    check_cancellations(story)


@settings(thorough, max_examples=examples(40, 500))
@given(PROGRAMS, SCHEDULES)
def test_every_story_is_the_same_where_hardly_anything_may_be_open(program, schedule):
    with pytest.MonkeyPatch.context() as patch:
        for quota in QUOTAS:
            patch.setitem(QUOTAS, quota, 2)
        patch.setattr(signal_waits, 'FEW', 0)  # gets line up in rows, as those of large combinators do
        check_open_work(check(program, schedule))


@thorough
@given(PROGRAMS, SCHEDULES)
def test_no_signal_is_lost_to_code_that_looks_before_it_returns(program, schedule):
    story = check(program, schedule, LooksLast, Signaling)
    if story.closed.how == 'completed' and returned_in_the_last_decision(story):
        unread = [name for name, box in story.sticky.mailboxes.items() if box.items and name in ('go', 'stop')]
        assert not unread


def returned_in_the_last_decision(story):
    """Whether `run` was still going on before the decision that closed, and those just before that tried to."""
    last = story.closed.decision_id
    completed = {event.id: event for event in story.events if isinstance(event, events.DecisionCompleted)}
    tried = {event.decision_id for event in story.events if isinstance(event, events.CloseRefused)}
    earlier = [completed[number] for number in sorted(completed, reverse=True) if number < last]
    first = [completed[last], *itertools.takewhile(lambda event: event.id in tried, earlier)][-1]
    execution = story.execution()
    execution.advance([event for event in story.events if event.id < first.started_id])
    going_on = execution.root is None or execution.root.generator is not None
    execution.close()
    return going_on


@settings(thorough, max_examples=examples(40, 500))
@given(PROGRAMS, SCHEDULES, st.integers(4, 40))
def test_every_story_is_the_same_where_long_histories_are_restarted(program, schedule, length):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(info, 'RESTART_SUGGESTED', length)
        patch.setattr(suggested_restart, 'REST', 12)
        story = check(program, schedule, Renewed)
        if SUGGESTED_RESTART_MARKER in [
            event.name for event in last_batch(story) if isinstance(event, events.MarkerRecorded)
        ]:
            assert story.closed.how == 'continued'
            assert not left_open(story)
            assert not [item.attempt for item in story.open.values() if item.kind == 'child']
            assert not [item.key for item in story.open.values() if item.kind == 'timer' and '-' not in item.key]
        check_replay(story, WorkflowSpec(Interpreter, story.spec.name, story.spec.version))
        story.sticky.close()
        story.roaming.close()


@settings(thorough, max_examples=examples(20, 200))
@given(PROGRAMS, SCHEDULES)
def test_a_history_that_was_made_without_a_hook_is_followed_by_code_that_has_one(program, schedule):
    story = Schedule(program, schedule).tell()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(info, 'RESTART_SUGGESTED', 4)
        check_replay(story, WorkflowSpec(Renewed, story.spec.name, story.spec.version))


def last_batch(story):
    """What the last decision recorded."""
    completed = [place for place, event in enumerate(story.events) if isinstance(event, events.DecisionCompleted)]
    return story.events[completed[-1] + 1 :]


OPENED = {
    events.ActivityScheduled: 'activity',
    events.ChildInitiated: 'child',
    events.LambdaScheduled: 'lambda',
    events.TimerStarted: 'timer',
}


def check_open_work(story):
    """Of no kind was more open than the engine allows itself, its own timers left out."""
    quotas, timers = {}, {}
    for event in story.events:
        quota = OPENED.get(type(event))
        if quota is not None and not getattr(event, 'timer_id', '').startswith(
            (WAKE_TIMER_PREFIX, BACKOFF_TIMER_PREFIX)
        ):
            quotas[event.id] = quota
            timers[getattr(event, 'timer_id', '')] = event.id
            assert sum(other == quota for other in quotas.values()) <= QUOTAS[quota], event
        elif isinstance(event, events.TimerCanceled):
            del quotas[timers[event.timer_id]]
        elif not isinstance(event, events.ChildStarted):
            quotas.pop(getattr(event, 'ref', None), None)


def check(program, schedule, workflow=Interpreter, teller=Schedule):
    told = teller(program, schedule, workflow)
    first = check_story(told.tell())
    story = first
    while story.closed.how == 'continued':
        told = told.following()
        story = check_story(told.tell())
        story.sticky.close()
        story.roaming.close()
    return first


def check_story(story):
    assert story.closed is not None
    if story.closed.how == 'completed':
        assert not [call.label for call in story.sticky.calls() if call.kind == 'activity' and call.state == OPEN]
    if story.closed.how == 'canceled':
        assert not left_open(story)
        assert not [item.key for item in story.open.values() if item.kind == 'child']
    check_cancellations(story)
    check_updates(story)
    check_prefixes(story)
    check_replay_elsewhere(story)
    return story


def check_updates(story):
    """An update is answered once, or carried into the next run; only a close may come before its answer."""
    asked = {decode(text)['id'] for text in signals(story, UPDATE_SIGNAL)}
    markers = [event for event in story.events if isinstance(event, events.MarkerRecorded)]
    answered = [decode(event.details)['id'] for event in markers if event.name == REPLY_MARKER]
    answered += [key for event in markers if event.name == REFUSED_MARKER for key in decode(event.details)['updates']]
    assert len(answered) == len(set(answered))
    assert set(answered) <= asked
    if story.closed.how == 'continued':
        _, unread = opened_input(story.closed.result)
        carried = [decode(text)['id'] for name, text in unread if name == UPDATE_SIGNAL]
        assert set(answered) | set(carried) == asked


def signals(story, name):
    """The inputs of the signals of a name, those that the run before carried too."""
    _, carried = opened_input(story.events[0].input)
    yield from (text for known, text in carried if known == name)
    yield from (event.input for event in story.events if isinstance(event, events.Signaled) and event.name == name)


def check_cancellations(story):
    """Every saga that an exception left was undone, once; and what was given up was asked to stop, once."""
    workflow = story.sticky.workflow
    assert not story.sticky.live or SUGGESTED_RESTART_MARKER in str(last_batch(story))
    undone = [number for numbers in workflow.sagas_left for number in numbers]
    assert sorted(workflow.undone) == sorted(undone)
    asked = [event.activity_id for event in story.events if isinstance(event, events.ActivityCancelRequested)]
    asked += [event.control for event in story.events if isinstance(event, events.CancelInitiated)]
    assert len(asked) == len(set(asked))
    kept = [name for name in unasked(story) if name.startswith('child')]
    assert not (kept if story.closed.how == 'completed' else unasked(story))  # a completion ends all but children


def check_prefixes(story):
    """Each prefix of the whole history that ends with an answered decision gives the decisions that the rest shows."""
    answers = iter(story.answered_with)
    completed = {event.started_id for event in story.events if isinstance(event, events.DecisionCompleted)}
    for place, event in enumerate(story.events):
        if event.id in completed and isinstance(event, events.DecisionStarted):
            fresh = story.execution()
            assert fresh.advance(story.events[: place + 1]) == next(answers)
            fresh.close()


def check_replay_elsewhere(story):
    """The finished history replays with another worker's seed and names."""
    check_replay(story, story.spec, seed='another worker')


def check_replay(story, spec, **engine):
    other = Execution(spec, **{**story.engine, **engine})
    assert other.advance(story.events) is None
    assert other.closed
    other.close()
