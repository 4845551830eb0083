"""Activity tasks: handing out, answering, heartbeats."""

from __future__ import annotations

import pytest

from .decisions import ACTIVITY, cancel_activity, schedule
from .domain import Domain


def test_poll_of_an_empty_list(swf: Domain) -> None:
    assert swf.poll_activity('nobody') == {'startedEventId': 0}


def test_poll_of_an_unknown_domain(swf: Domain) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        swf.client.poll_for_activity_task(domain='nowhere', taskList={'name': 'workers'})


def test_poll_gives_the_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a', input='in'))
    task = swf.take_activity()
    assert 1 <= len(task.pop('taskToken')) <= 1024
    assert task == {
        'activityId': 'a',
        'activityType': ACTIVITY,
        'startedEventId': 6,
        'workflowExecution': run.execution,
        'input': 'in',
    }


def test_poll_gives_no_input_where_there_is_none(swf: Domain) -> None:
    swf.start()
    swf.decide(schedule())
    assert 'input' not in swf.take_activity()


def test_poll_records_the_start(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.take_activity(identity='me')
    assert run.only('ActivityTaskStarted') == {'scheduledEventId': 5, 'identity': 'me'}


def test_a_task_is_handed_out_once(swf: Domain) -> None:
    swf.start()
    swf.decide(schedule())
    swf.take_activity()
    assert swf.poll_activity() == {'startedEventId': 0}


def test_tasks_are_handed_out_oldest_first(swf: Domain) -> None:
    swf.start()
    swf.decide(schedule('1'), schedule('2'), schedule('3'))
    assert [swf.take_activity()['activityId'] for _ in range(3)] == ['1', '2', '3']


def test_tasks_of_a_higher_priority_come_first(swf: Domain) -> None:
    swf.start()
    swf.decide(schedule('low', taskPriority='-1'), schedule('none'), schedule('high', taskPriority='10'))
    assert [swf.take_activity()['activityId'] for _ in range(3)] == ['high', 'none', 'low']


def test_the_tasks_of_a_closed_execution_are_never_handed_out(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.terminate(run)
    assert swf.poll_activity() == {'startedEventId': 0}


def test_an_activity_list_is_no_decision_list(swf: Domain) -> None:
    swf.start()
    swf.decide(schedule(taskList={'name': 'deciders'}))
    assert 'taskToken' not in swf.poll_decision()
    assert 'taskToken' in swf.poll_activity('deciders')


@pytest.mark.parametrize('name', [' workers', 'workers '])
def test_poll_refuses_a_list_with_spaces_around_it(swf: Domain, name: str) -> None:
    with swf.refused('ValidationException'):
        swf.poll_activity(name)


def test_poll_refuses_a_long_identity(swf: Domain) -> None:
    with swf.refused('ValidationException'):
        swf.poll_activity(identity='x' * 257)


ANSWERS = {
    'completed': ({'result': 'r'}, 'ActivityTaskCompleted'),
    'failed': ({'reason': 'why', 'details': 'd'}, 'ActivityTaskFailed'),
    'canceled': ({'details': 'd'}, 'ActivityTaskCanceled'),
}
VERBS = pytest.mark.parametrize('verb', ANSWERS)


@VERBS
def test_an_answer_is_recorded(swf: Domain, verb: str) -> None:
    run = swf.start()
    swf.decide(schedule())
    members, kind = ANSWERS[verb]
    assert swf.answer_activity(verb, swf.take_activity(), **members) == {}
    assert run.only(kind) == {**members, 'scheduledEventId': 5, 'startedEventId': 6}


@VERBS
def test_an_answer_without_members_is_recorded_without_them(swf: Domain, verb: str) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.answer_activity(verb, swf.take_activity())
    assert run.only(ANSWERS[verb][1]) == {'scheduledEventId': 5, 'startedEventId': 6}


@VERBS
def test_an_answer_schedules_a_decision_task(swf: Domain, verb: str) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.answer_activity(verb, swf.take_activity())
    assert run.types()[-2:] == [ANSWERS[verb][1], 'DecisionTaskScheduled']
    assert run.at(ANSWERS[verb][1]) == run.at('DecisionTaskScheduled', 1)


@VERBS
def test_an_answer_closes_the_task(swf: Domain, verb: str) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.answer_activity(verb, swf.take_activity())
    assert run.open_counts()['openActivityTasks'] == 0


CALLS = [*(f'respond_activity_task_{verb}' for verb in ANSWERS), 'record_activity_task_heartbeat']


@pytest.mark.parametrize('method', CALLS)
def test_a_call_for_a_closed_task(swf: Domain, method: str) -> None:
    swf.start()
    swf.decide(schedule())
    task = swf.take_activity()
    swf.complete_activity(task)
    with swf.refused('UnknownResourceFault', 'Unknown activity, scheduledEventId = 5'):
        getattr(swf.client, method)(taskToken=task['taskToken'])


@pytest.mark.parametrize('method', CALLS)
def test_a_call_for_a_task_of_a_closed_execution(swf: Domain, method: str) -> None:
    run = swf.start()
    swf.decide(schedule())
    task = swf.take_activity()
    swf.terminate(run)
    expected = f'Unknown execution: WorkflowExecution=[workflowId=w, runId={run.run_id}]'
    with swf.refused('UnknownResourceFault', expected):
        getattr(swf.client, method)(taskToken=task['taskToken'])


@pytest.mark.parametrize('method', CALLS)
def test_a_call_with_a_token_that_is_none(swf: Domain, method: str) -> None:
    with swf.refused('ValidationException', 'Invalid token'):
        getattr(swf.client, method)(taskToken='nonsense')


@pytest.mark.parametrize('method', CALLS)
def test_a_decision_token_is_no_activity_token(swf: Domain, method: str) -> None:
    swf.start()
    task = swf.poll_decision()
    with swf.refused('ValidationException', 'Invalid token'):
        getattr(swf.client, method)(taskToken=task['taskToken'])


@pytest.mark.parametrize(
    ('verb', 'members'),
    [
        ('completed', {'result': 'x' * 32769}),
        ('failed', {'reason': 'x' * 257}),
        ('failed', {'details': 'x' * 32769}),
        ('canceled', {'details': 'x' * 32769}),
    ],
    ids=['result', 'reason', 'details', 'canceled-details'],
)
def test_an_answer_that_is_too_long(swf: Domain, verb: str, members: dict) -> None:
    swf.start()
    swf.decide(schedule())
    with swf.refused('ValidationException'):
        swf.answer_activity(verb, swf.take_activity(), **members)


def test_a_refused_answer_leaves_the_task_open(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    task = swf.take_activity()
    with swf.refused('ValidationException'):
        swf.complete_activity(task, result='x' * 32769)
    swf.complete_activity(task, result='r')
    assert run.only('ActivityTaskCompleted')['result'] == 'r'


def test_an_answer_keeps_empty_strings(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.complete_activity(swf.take_activity(), result='')
    assert run.only('ActivityTaskCompleted')['result'] == ''


def test_a_heartbeat_records_nothing(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    task = swf.take_activity()
    assert swf.heartbeat(task, details='half') is False
    assert run.types()[-1] == 'ActivityTaskStarted'


def test_a_heartbeat_tells_of_a_cancel_request(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    task = swf.take_activity()
    swf.signal(run, input='i')
    swf.decide(cancel_activity('a'))
    assert swf.heartbeat(task) is True


def test_a_heartbeat_starts_the_clock_anew(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(heartbeatTimeout='10'))
    task = swf.take_activity()
    for _ in range(3):
        swf.advance(9)
        swf.heartbeat(task)
    assert run.types()[-1] == 'ActivityTaskStarted'


def test_a_missed_heartbeat_shows_the_last_details(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(heartbeatTimeout='10'))
    task = swf.take_activity()
    swf.heartbeat(task, details='early')
    swf.heartbeat(task, details='late')
    swf.advance(11)
    assert run.only('ActivityTaskTimedOut') == {
        'timeoutType': 'HEARTBEAT',
        'scheduledEventId': 5,
        'startedEventId': 6,
        'details': 'late',
    }


def test_a_heartbeat_without_details_clears_them(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(heartbeatTimeout='10'))
    task = swf.take_activity()
    swf.heartbeat(task, details='early')
    swf.heartbeat(task)
    swf.advance(11)
    assert 'details' not in run.only('ActivityTaskTimedOut')


def test_heartbeat_details_have_at_most_2048_characters(swf: Domain) -> None:
    swf.start()
    swf.decide(schedule())
    task = swf.take_activity()
    swf.heartbeat(task, details='x' * 2048)
    with swf.refused('ValidationException'):
        swf.heartbeat(task, details='x' * 2049)


def test_the_heartbeat_clock_does_not_run_before_the_start(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(heartbeatTimeout='10'))
    swf.advance(100)
    assert run.types()[-1] == 'ActivityTaskScheduled'
