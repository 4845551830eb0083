"""Moving an execution to another task list, for good or for as long as a host answers."""

from __future__ import annotations

import pytest

from .domain import DOMAIN, Domain


def test_a_list_without_a_time_out_replaces_the_old_one(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'new'})
    swf.signal(run, input='i')
    assert run.all('DecisionTaskScheduled')[-1]['taskList'] == {'name': 'new'}
    swf.decide(task_list='new')
    swf.signal(run, input='i')
    assert 'taskToken' in swf.poll_decision('new')


def test_an_override_is_recorded_with_the_completion(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    assert run.only('DecisionTaskCompleted') == {
        'scheduledEventId': 2,
        'startedEventId': 3,
        'taskList': {'name': 'host'},
        'taskListScheduleToStartTimeout': '5',
    }


def test_an_override_shows_on_the_next_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    scheduled = run.all('DecisionTaskScheduled')[-1]
    assert (scheduled['taskList'], scheduled['scheduleToStartTimeout']) == ({'name': 'host'}, '5')
    assert 'taskToken' in swf.poll_decision('host')


def test_a_task_that_waits_too_long_on_an_override_goes_back(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    swf.advance(6)
    assert run.only('DecisionTaskTimedOut') == {
        'timeoutType': 'SCHEDULE_TO_START',
        'scheduledEventId': 6,
        'startedEventId': 0,
    }
    assert run.types()[-2:] == ['DecisionTaskTimedOut', 'DecisionTaskScheduled']
    assert run.all('DecisionTaskScheduled')[-1]['taskList'] == {'name': 'deciders'}
    assert 'taskToken' not in swf.poll_decision('host')
    assert 'taskToken' in swf.poll_decision()


def test_a_task_on_an_override_has_no_other_time_out_once_started(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    swf.poll_decision('host')
    swf.advance(10)
    assert run.types()[-1] == 'DecisionTaskStarted'


def test_a_task_not_answered_on_an_override_goes_back(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    swf.poll_decision('host')
    swf.advance(61)
    assert run.only('DecisionTaskTimedOut')['timeoutType'] == 'START_TO_CLOSE'
    assert run.all('DecisionTaskScheduled')[-1]['taskList'] == {'name': 'deciders'}


def test_an_override_lasts_until_it_is_replaced(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    swf.decide(task_list='host')
    swf.signal(run, input='i')
    assert run.all('DecisionTaskScheduled')[-1]['taskList'] == {'name': 'host'}


def test_the_original_list_given_without_a_time_out_ends_an_override(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    swf.decide(task_list='host', taskList={'name': 'deciders'})
    swf.signal(run, input='i')
    assert run.all('DecisionTaskScheduled')[-1]['taskList'] == {'name': 'deciders'}


def test_an_override_that_ended_stays_ended(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    swf.advance(6)
    swf.decide()
    swf.signal(run, input='i')
    assert run.all('DecisionTaskScheduled')[-1]['taskList'] == {'name': 'deciders'}


def test_a_permanent_list_is_what_a_later_override_goes_back_to(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'new'})
    swf.signal(run, input='i')
    swf.decide(task_list='new', taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    swf.advance(6)
    assert run.all('DecisionTaskScheduled')[-1]['taskList'] == {'name': 'new'}


def test_a_task_queued_before_the_override_stays_on_its_list(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.signal(run, input='i')
    swf.respond(task, taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    assert 'taskToken' not in swf.poll_decision('host')
    assert 'taskToken' in swf.poll_decision()


def test_a_time_out_without_a_list_changes_nothing(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    swf.advance(30)
    assert run.types()[-1] == 'DecisionTaskScheduled'
    assert run.all('DecisionTaskScheduled')[-1]['taskList'] == {'name': 'deciders'}


def test_an_override_may_wait_without_end(swf: Domain) -> None:
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='NONE')
    swf.signal(run, input='i')
    swf.advance(3000)
    assert 'taskToken' in swf.poll_decision('host')


@pytest.mark.parametrize('name', ['a:b', 'arn', 'x' * 257, ''])
def test_an_override_refuses_names(swf: Domain, name: str) -> None:
    swf.start()
    with swf.refused('ValidationException'):
        swf.decide(taskList={'name': name})


def test_the_list_of_the_execution_is_kept_in_its_configuration(swf: Domain) -> None:
    run = swf.start()
    assert run.describe()['executionConfiguration']['taskList'] == {'name': 'deciders'}


@pytest.mark.parametrize('kind', ['activity', 'decision'])
def test_poll_needs_a_task_list(swf: Domain, kind: str) -> None:
    expected = (
        "1 validation error detected: Value null at 'taskList' failed to satisfy constraint: Member must not be null"
    )
    with swf.refused('ValidationException', expected):
        getattr(swf.client, f'poll_for_{kind}_task')(domain=DOMAIN)


def test_the_clock_of_an_override_starts_when_the_task_can_be_polled(swf: Domain) -> None:
    """A task queued behind a started one waits for that, not for a poller."""
    run = swf.start()
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    task = swf.poll_decision('host')
    swf.signal(run, input='i')
    swf.advance(30)
    swf.respond(task)
    swf.advance(4)
    assert 'DecisionTaskTimedOut' not in run.types()
    swf.advance(2)
    assert run.only('DecisionTaskTimedOut')['timeoutType'] == 'SCHEDULE_TO_START'


def test_later_tasks_carry_the_priority_of_the_execution(swf: Domain) -> None:
    run = swf.start(taskPriority='7')
    swf.decide(taskList={'name': 'host'}, taskListScheduleToStartTimeout='5')
    swf.signal(run, input='i')
    assert [scheduled['taskPriority'] for scheduled in run.all('DecisionTaskScheduled')] == ['7', '7']
