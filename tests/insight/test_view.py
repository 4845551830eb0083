"""The model of an execution, from its events."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from genflow.core.errors import HistoryError
from genflow.insight import ExecutionView, Limits, utc
from genflow.insight.view import CHANGES, OPENS, OTHERS, REFUSALS
from genflow.insight.view import EVENT_TYPES as HANDLED
from genflow.local.requests.model import service_model
from genflow.testing import History
from tests.insight.breaking import DECIDERS, Approval, Environment, Plain, Retrying
from tests.testing.orders import Everything, Order, Patient

NOW = datetime(2000, 1, 1, tzinfo=timezone.utc)
EVENT_TYPES = set(service_model().shape_for('EventType').enum)


def view_of(history):
    return ExecutionView('w', 'r').apply_all(history.events)


def test_the_tables_have_every_event_type_once():
    tables = (OPENS, CHANGES, OTHERS)
    assert set(HANDLED) == EVENT_TYPES
    assert sum(map(len, tables)) == len(EVENT_TYPES)
    assert {name for name in EVENT_TYPES if name.endswith('Failed') and 'cause' in members_of(name)} == set(REFUSALS)


def members_of(event_type):
    member = f'{event_type[0].lower()}{event_type[1:]}EventAttributes'
    members = service_model().shape_for('HistoryEvent').members[member].members
    return {'cause'} if 'Cause' in str(members.get('cause', '')) else set()


def test_attempts_of_one_call_are_one_operation_with_the_wait_between_them():
    env = Environment()
    env.begin(Retrying)
    env.wait(5)
    env.fail(env.take(identity='worker-7'))
    env.decide()
    view = env.gathered().view
    (work,) = view.visible_operations()
    assert (work.kind, work.name, work.number, work.state) == ('activity', 'Work', 1, 'retrying')
    assert [(one.number, one.state, one.worker) for one in work.attempts] == [(1, 'failed', 'worker-7')]
    assert work.last.waited(env.now) == 5
    assert [(one.kind, one.at - env.now) for one in work.deadlines()] == [('attempt', timedelta(seconds=600))]
    env.wait(600)
    env.decide()
    env.complete(env.take())
    (work,) = env.gathered().view.visible_operations()
    assert [(one.number, one.state) for one in work.attempts] == [(1, 'failed'), (2, 'completed')]
    assert not work.is_open


def test_queue_wait_and_run_time_are_apart():
    env = Environment()
    env.begin(Plain)
    env.wait(7)
    token = env.take()
    env.wait(3)
    assert running_times(env) == (7, 3)
    env.complete(token)
    env.wait(100)
    assert running_times(env) == (7, 3)


def running_times(env):
    attempt = env.gathered().view.operations[0].last
    return attempt.waited(env.now), attempt.ran(env.now)


def test_each_kind_of_operation_is_seen():
    view = view_of(History(Everything).decide())
    assert [(one.kind, one.name, one.number) for one in view.operations] == [
        ('activity', 'Work', 1),
        ('child', 'Child', 2),
        ('lambda', 'resize', 3),
        ('timer', '1 min 30 s', 4),
        ('signal', 'hello', 5),
        ('cancel', 'third', 6),
    ]
    assert view.operations[0].last.limits == Limits(10, 60, 70, 30)


def test_named_finds_operations_by_number_id_and_name():
    view = view_of(History(Everything).decide())
    assert [view.named(text)[0].number for text in ('4', '1.1;h=30', 'work', 'other')] == [4, 1, 1, 5]
    assert view.named('nothing') == []


def test_markers_have_a_meaning():
    view = ExecutionView()
    for number, name in enumerate(
        ('genflow.patch', 'genflow.side_effect', 'genflow.seed', 'genflow.origin', 'mine'), 1
    ):
        attributes = {'markerName': name, 'decisionTaskCompletedEventId': 4}
        view.apply(
            {
                'eventId': number,
                'eventType': 'MarkerRecorded',
                'eventTimestamp': NOW,
                'markerRecordedEventAttributes': attributes,
            }
        )
    assert [(one.meaning, one.is_of_engine) for one in view.markers] == [
        ('patch', False),
        ('side effect', False),
        ('random seed', True),
        ('origin', True),
        ('marker', False),
    ]


def test_signals_cancel_requests_and_status_are_seen():
    history = History(Patient).decide().cancel_requested().decide()
    view = view_of(history)
    assert (
        view.cancel_requested.id
        == [one['eventType'] for one in history.events].index('WorkflowExecutionCancelRequested') + 1
    )
    assert view.operations[0].last.cancel_id > view.cancel_requested.id
    assert json.loads(view.status_text) == 'stopping'
    signaled = view_of(History(Order, 1).decide().signaled('approve', True))
    assert [(one.name, one.input) for one in signaled.signals] == [('approve', 'true')]


@pytest.mark.parametrize('written', ['datetime', 'epoch', 'iso'])
def test_the_same_events_give_the_same_view_however_times_are_written(written):
    events = History(Everything).decide().events
    forms = {'datetime': lambda when: when, 'epoch': datetime.timestamp, 'iso': datetime.isoformat}
    changed = [{**event, 'eventTimestamp': forms[written](event['eventTimestamp'])} for event in events]
    view = ExecutionView().apply_all(changed)
    assert (view.started_at, view.last_event_id) == (NOW, len(events))
    assert view.deadlines() == sorted(view.deadlines(), key=lambda one: one.at)


def test_event_by_event_is_the_same_as_all_at_once():
    events = History(Everything).decide().events
    view = ExecutionView()
    for event in events:
        view.apply(event)
    whole = ExecutionView().apply_all(events)
    assert [(one.label, one.state) for one in view.operations] == [(one.label, one.state) for one in whole.operations]


def test_what_changed_since_an_event_is_what_a_page_draws_anew():
    env = Environment()
    env.begin(Plain, beside=True)
    view = env.gathered().view
    last = view.last_event_id
    assert list(view.changed_since(last)) == []
    env.take()
    view.apply_all(env.events('w', env.gathered().view.run_id)[last:])
    assert [one.name for one in view.changed_since(last)] == ['Work']


def test_an_event_type_of_the_future_is_counted_and_does_no_harm():
    view = ExecutionView().apply_all([{'eventId': 1, 'eventType': 'SomethingNew', 'eventTimestamp': 946684800}])
    assert dict(view.unknown) == {'SomethingNew': 1}


def test_the_execution_says_what_it_was_started_with():
    env = Environment()
    env.begin(Approval, tagList=['paid'], executionStartToCloseTimeout='500')
    view = env.gathered().view
    assert (view.name, view.version, view.tags, view.task_list) == ('Approval', '1', ('paid',), DECIDERS)
    assert view.deadline == view.started_at + timedelta(seconds=500)
    assert (view.status, view.title) == ('open', 'w')


def test_utc_refuses_what_is_no_time():
    with pytest.raises(HistoryError, match='not a timestamp'):
        utc('yesterday')


def test_the_largest_payload_is_known():
    view = view_of(History(Order, 'x' * 100).decide())
    assert view.largest == (len('[["' + 'x' * 100 + '"],{}]'), 1)


@pytest.mark.parametrize(
    ('event', 'complaint'),
    [
        ({'eventId': 1, 'eventTimestamp': 0}, "event 1, of no type, lacks the member 'eventType'"),
        (
            {'eventType': 'TimerStarted', 'eventTimestamp': 0},
            "event without id, TimerStarted, lacks the member 'eventId'",
        ),
        ({'eventId': 3, 'eventType': 'TimerStarted', 'eventTimestamp': 0}, 'event 3, TimerStarted, lacks the member'),
        (
            {
                'eventId': 3,
                'eventType': 'TimerStarted',
                'eventTimestamp': 0,
                'timerStartedEventAttributes': {'timerId': '1', 'startToFireTimeout': 'soon'},
            },
            'event 3, TimerStarted, cannot be read: .*soon',
        ),
    ],
)
def test_an_event_that_is_not_whole_is_named(event, complaint):
    with pytest.raises(HistoryError, match=complaint):
        ExecutionView().apply(event)
