"""What is sent fits into a response of SWF, and is the longest beginning that does."""

from __future__ import annotations

import json

import boto3
import pytest

from genflow.core.model.decisions import CompleteWorkflow, Decisions, RecordMarker, ScheduleActivity, StartTimer
from genflow.swf.wire.decisions import MAX_BYTES, DecisionsTooLarge, plan

KEYS = {'aws_access_key_id': 'key', 'aws_secret_access_key': 'secret'}
WAKE_TIMER_PREFIX = StartTimer('wake', 0)


def activities(count, input='i'):
    return tuple(ScheduleActivity(f'{number}.1', 'A', '1', input=input) for number in range(1, count + 1))


def ids(written):
    return [
        decision.get('scheduleActivityTaskDecisionAttributes', decision.get('startTimerDecisionAttributes'))
        for decision in written
    ]


def test_what_fits_is_sent_whole():
    assert len(plan(Decisions(activities(100), wake=WAKE_TIMER_PREFIX))) == 100


def test_the_hundred_and_first_decision_waits_behind_the_wake_up_timer():
    written = plan(Decisions((*activities(100), CompleteWorkflow('1')), wake=WAKE_TIMER_PREFIX))
    assert [decision['decisionType'] for decision in written] == ['ScheduleActivityTask'] * 99 + ['StartTimer']
    assert ids(written)[98]['activityId'] == '99.1'
    assert ids(written)[99] == {'timerId': 'wake', 'startToFireTimeout': '0'}


@pytest.mark.parametrize('letter', ['x', 'ü', '\N{GRINNING FACE}'], ids=['ascii', 'two bytes', 'beyond the BMP'])
def test_the_body_that_botocore_writes_stays_below_a_megabyte(letter):
    decisions = Decisions(activities(90, letter * 32_768), 'c' * 32_768, wake=WAKE_TIMER_PREFIX)
    sent = []
    client = boto3.client('swf', region_name='us-east-1', **KEYS)

    def keep(request, **kwargs):
        sent.append(len(request.body) + sum(len(name) + len(value) + 4 for name, value in request.headers.items()))
        raise InterruptedError

    client.meta.events.register('before-send.swf', keep)
    with pytest.raises(InterruptedError):
        client.respond_decision_task_completed(
            taskToken='t' * 1024, decisions=plan(decisions), executionContext='c' * 32_768
        )
    (size,) = sent
    one = len(json.dumps(letter * 32_768)) + 300
    assert 1_000_000 - 16_000 - 2 * one < size <= 1_000_000


def test_markers_that_do_not_fit_together_are_refused():
    markers = tuple(RecordMarker(f'm{number}', 'x' * 32_768) for number in range(40))
    with pytest.raises(DecisionsTooLarge, match=r'40 markers take 1,31\d,\d{3} bytes'):
        plan(Decisions(markers, markers=40, wake=WAKE_TIMER_PREFIX))


def test_what_names_the_rest_stands_behind_the_markers_of_a_portion_only():
    names = {'markers': 1, 'later': (RecordMarker('later', 'l'),), 'wake': WAKE_TIMER_PREFIX}
    made = RecordMarker('made', 'm')
    kinds = [decision['decisionType'] for decision in plan(Decisions((made, *activities(120)), **names))]
    assert kinds == ['RecordMarker'] * 2 + ['ScheduleActivityTask'] * 97 + ['StartTimer']
    assert len(plan(Decisions((made, *activities(99)), **names))) == 100


def test_without_a_timer_there_are_no_portions():
    with pytest.raises(DecisionsTooLarge, match='101 decisions of'):
        plan(Decisions(activities(101)))


def test_the_limit_leaves_room_for_the_headers():
    assert MAX_BYTES == 984_000
