"""Activity tasks: scheduling, handing out, answering, heartbeats, cancelling, the four time-outs."""

from __future__ import annotations

from typing import Any

import pytest

from .decisions import ACTIVITY, schedule
from .domain import ACTIVITY_DEFAULTS, DOMAIN, Domain

BARE = {'name': 'bare', 'version': '1'}
EVERYTHING: dict[str, Any] = {
    'taskList': {'name': 'other'},
    'scheduleToStartTimeout': '10',
    'scheduleToCloseTimeout': '100',
    'startToCloseTimeout': '20',
    'heartbeatTimeout': '5',
}
UNDEFINED = {
    'taskList': 'DEFAULT_TASK_LIST_UNDEFINED',
    'scheduleToStartTimeout': 'DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED',
    'scheduleToCloseTimeout': 'DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED',
    'startToCloseTimeout': 'DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED',
    'heartbeatTimeout': 'DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED',
}


# -- scheduling


def test_scheduled_shows_the_defaults_of_the_type(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    assert run.only('ActivityTaskScheduled') == {
        'activityId': 'a',
        'activityType': ACTIVITY,
        'taskList': {'name': 'workers'},
        'scheduleToStartTimeout': 'NONE',
        'scheduleToCloseTimeout': 'NONE',
        'startToCloseTimeout': 'NONE',
        'heartbeatTimeout': 'NONE',
        'decisionTaskCompletedEventId': 4,
    }


def test_scheduled_shows_what_the_decision_overrides(swf: Domain) -> None:
    run = swf.start()
    given = {**EVERYTHING, 'input': 'in', 'control': 'mine', 'taskPriority': '4'}
    swf.decide(schedule('a', **given))
    assert run.only('ActivityTaskScheduled') == {
        **given,
        'activityId': 'a',
        'activityType': ACTIVITY,
        'decisionTaskCompletedEventId': 4,
    }


def test_scheduled_shows_the_priority_of_the_type(swf: Domain) -> None:
    swf.client.register_activity_type(domain=DOMAIN, **BARE, **{**ACTIVITY_DEFAULTS, 'defaultTaskPriority': '8'})
    run = swf.start()
    swf.decide(schedule(activityType=BARE))
    assert run.only('ActivityTaskScheduled')['taskPriority'] == '8'


def test_priority_is_not_inherited_from_the_execution(swf: Domain) -> None:
    run = swf.start(taskPriority='8')
    swf.decide(schedule())
    assert 'taskPriority' not in run.only('ActivityTaskScheduled')


@pytest.mark.parametrize('missing', UNDEFINED)
def test_schedule_without_a_default(swf: Domain, missing: str) -> None:
    swf.client.register_activity_type(domain=DOMAIN, **BARE)
    run = swf.start()
    swf.decide(schedule('a', activityType=BARE, **{**EVERYTHING, missing: None}))
    assert run.only('ScheduleActivityTaskFailed') == {
        'activityId': 'a',
        'activityType': BARE,
        'cause': UNDEFINED[missing],
        'decisionTaskCompletedEventId': 4,
    }


def test_schedule_of_an_unknown_type(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a', activityType=BARE))
    assert run.only('ScheduleActivityTaskFailed') == {
        'activityId': 'a',
        'activityType': BARE,
        'cause': 'ACTIVITY_TYPE_DOES_NOT_EXIST',
        'decisionTaskCompletedEventId': 4,
    }


def test_schedule_of_a_deprecated_type(swf: Domain) -> None:
    swf.client.deprecate_activity_type(domain=DOMAIN, activityType=ACTIVITY)
    run = swf.start()
    swf.decide(schedule())
    assert run.only('ScheduleActivityTaskFailed')['cause'] == 'ACTIVITY_TYPE_DEPRECATED'


def test_schedule_of_a_deleted_type(swf: Domain) -> None:
    swf.client.deprecate_activity_type(domain=DOMAIN, activityType=ACTIVITY)
    swf.client.delete_activity_type(domain=DOMAIN, activityType=ACTIVITY)
    run = swf.start()
    swf.decide(schedule())
    assert run.only('ScheduleActivityTaskFailed')['cause'] == 'ACTIVITY_TYPE_DOES_NOT_EXIST'


def test_schedule_of_an_open_id(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'), schedule('a'))
    assert run.only('ScheduleActivityTaskFailed')['cause'] == 'ACTIVITY_ID_ALREADY_IN_USE'


def test_schedule_of_a_started_id(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    swf.take_activity()
    swf.signal(run, input='i')
    swf.decide(schedule('a'))
    assert run.only('ScheduleActivityTaskFailed')['cause'] == 'ACTIVITY_ID_ALREADY_IN_USE'


def test_schedule_of_a_closed_id(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    swf.complete_activity(swf.take_activity())
    swf.decide(schedule('a'))
    assert len(run.all('ActivityTaskScheduled')) == 2


def test_an_id_is_of_its_execution_alone(swf: Domain) -> None:
    runs = [swf.start('one'), swf.start('two')]
    swf.decide(schedule('a'))
    swf.decide(schedule('a'))
    assert [len(run.all('ActivityTaskScheduled')) for run in runs] == [1, 1]


def test_a_failed_schedule_schedules_a_decision_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a', activityType=BARE))
    assert run.types()[-2:] == ['ScheduleActivityTaskFailed', 'DecisionTaskScheduled']


@pytest.mark.parametrize(
    'members',
    [
        {'activityId': ''},
        {'activityId': 'x' * 257},
        {'activityId': 'arn'},
        {'activityId': 'a\nb'},
        {'input': 'x' * 32769},
        {'control': 'x' * 32769},
        {'taskList': {'name': 'a:b'}},
        {'heartbeatTimeout': '1.5'},
        {'startToCloseTimeout': '31536001'},
        {'taskPriority': 'urgent'},
    ],
    ids=lambda members: next(iter(members)),
)
def test_schedule_refuses_members(swf: Domain, members: dict) -> None:
    run = swf.start()
    with swf.refused('ValidationException'):
        swf.decide(schedule(**{'activity_id': 'a', **_renamed(members)}))
    assert run.types()[-1] == 'DecisionTaskStarted'


def _renamed(members: dict) -> dict:
    return {{'activityId': 'activity_id'}.get(name, name): value for name, value in members.items()}


def test_an_unknown_type_comes_before_an_open_id(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'), schedule('a', activityType=BARE))
    assert run.only('ScheduleActivityTaskFailed')['cause'] == 'ACTIVITY_TYPE_DOES_NOT_EXIST'


def test_an_open_id_comes_before_missing_defaults(swf: Domain) -> None:
    swf.client.register_activity_type(domain=DOMAIN, **BARE)
    run = swf.start()
    swf.decide(schedule('a'), schedule('a', activityType=BARE))
    assert run.only('ScheduleActivityTaskFailed')['cause'] == 'ACTIVITY_ID_ALREADY_IN_USE'


def test_a_type_may_be_registered_between_two_tries(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a', activityType=BARE))
    swf.client.register_activity_type(domain=DOMAIN, **BARE, **ACTIVITY_DEFAULTS)
    swf.decide(schedule('a', activityType=BARE))
    assert run.only('ActivityTaskScheduled')['activityType'] == BARE
