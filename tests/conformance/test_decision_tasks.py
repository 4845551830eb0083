"""Decision tasks: polling, when one is scheduled, what is recorded while one is being decided, task lists, tokens."""

from __future__ import annotations

import pytest

from .decisions import cancel_timer, marker, schedule, start_timer
from .domain import Domain


def test_poll_of_an_empty_list(swf: Domain) -> None:
    assert swf.poll_decision('nobody') == {'startedEventId': 0, 'previousStartedEventId': 0}


def test_poll_of_an_unknown_domain(swf: Domain) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        swf.client.poll_for_decision_task(domain='nowhere', taskList={'name': 'deciders'})


def test_poll_gives_the_task(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    assert (task['startedEventId'], task['previousStartedEventId']) == (3, 0)
    assert (task['workflowExecution'], task['workflowType']) == (run.execution, {'name': 'wf', 'version': '1'})
    assert task['events'] == run.history()
    assert 1 <= len(task['taskToken']) <= 1024


def test_poll_records_the_start(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision(identity='me')
    assert run.only('DecisionTaskStarted') == {'scheduledEventId': 2, 'identity': 'me'}


def test_poll_without_an_identity_records_none(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    assert run.only('DecisionTaskStarted') == {'scheduledEventId': 2}


def test_a_task_is_handed_out_once(swf: Domain) -> None:
    swf.start()
    swf.poll_decision()
    assert 'taskToken' not in swf.poll_decision()


def test_tasks_are_handed_out_oldest_first(swf: Domain) -> None:
    for name in ['one', 'two', 'three']:
        swf.start(name)
        swf.advance(1)
    found = [swf.poll_decision()['workflowExecution']['workflowId'] for _ in range(3)]
    assert found == ['one', 'two', 'three']


def test_tasks_of_a_higher_priority_come_first(swf: Domain) -> None:
    for name, priority in [('low', '-1'), ('none', None), ('high', '5'), ('higher', '10')]:
        swf.start(name, **({'taskPriority': priority} if priority else {}))
        swf.advance(1)
    found = [swf.poll_decision()['workflowExecution']['workflowId'] for _ in range(4)]
    assert found == ['higher', 'high', 'none', 'low']


def test_tasks_of_another_domain_stay_there(swf: Domain) -> None:
    swf.start()
    swf.client.register_domain(name='other', workflowExecutionRetentionPeriodInDays='1')
    assert 'taskToken' not in swf.client.poll_for_decision_task(domain='other', taskList={'name': 'deciders'})


def test_the_task_of_a_closed_execution_is_never_handed_out(swf: Domain) -> None:
    swf.terminate(swf.start())
    assert 'taskToken' not in swf.poll_decision()


def test_previous_started_event_is_that_of_the_last_completed_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide()
    swf.signal(run, input='i')
    assert swf.poll_decision()['previousStartedEventId'] == 3


def test_previous_started_event_is_not_that_of_a_timed_out_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide()
    swf.signal(run, input='i')
    swf.poll_decision()
    swf.advance(61)
    assert swf.poll_decision()['previousStartedEventId'] == 3


# -- responding


def test_respond_answers_nothing_and_records_completion(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    assert swf.client.respond_decision_task_completed(taskToken=task['taskToken']) == {}
    assert run.only('DecisionTaskCompleted') == {'scheduledEventId': 2, 'startedEventId': 3}


def test_respond_with_nothing_schedules_nothing(swf: Domain) -> None:
    run = swf.start()
    swf.decide()
    assert run.types()[-1] == 'DecisionTaskCompleted'
    assert run.open_counts()['openDecisionTasks'] == 0


def test_respond_dates_all_its_events_alike(swf: Domain) -> None:
    run = swf.start()
    swf.decide(marker(), schedule(), start_timer())
    assert len({event['eventTimestamp'] for event in run.history()[3:]}) == 1


def test_decisions_are_recorded_in_their_order(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer(), marker('m'), schedule(), cancel_timer())
    assert run.types()[4:] == ['TimerStarted', 'MarkerRecorded', 'ActivityTaskScheduled', 'TimerCanceled']


def test_every_event_of_a_decision_names_the_task_that_decided(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer(), marker(), schedule())
    named = [run.only(kind) for kind in ('TimerStarted', 'MarkerRecorded', 'ActivityTaskScheduled')]
    assert [attributes['decisionTaskCompletedEventId'] for attributes in named] == [4, 4, 4]


def test_respond_twice(swf: Domain) -> None:
    swf.start()
    task = swf.decide()
    with swf.refused('UnknownResourceFault', 'Unknown decision task, scheduledEventId = 2'):
        swf.respond(task)


def test_respond_for_a_closed_execution(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.terminate(run)
    expected = f'Unknown execution: WorkflowExecution=[workflowId=w, runId={run.run_id}]'
    with swf.refused('UnknownResourceFault', expected):
        swf.respond(task)


@pytest.mark.parametrize('token', ['nonsense', 'AAAAKgAAAAEAAAAA', 'é'])
def test_respond_with_a_token_that_is_none(swf: Domain, token: str) -> None:
    with swf.refused('ValidationException', 'Invalid token'):
        swf.client.respond_decision_task_completed(taskToken=token)


def test_an_activity_token_is_no_decision_token(swf: Domain) -> None:
    swf.start()
    swf.decide(schedule())
    task = swf.take_activity()
    with swf.refused('ValidationException', 'Invalid token'):
        swf.respond(task)


@pytest.mark.parametrize('token', ['', 'x' * 1025])
def test_a_token_has_1_to_1024_characters(swf: Domain, token: str) -> None:
    with swf.refused('ValidationException'):
        swf.client.respond_decision_task_completed(taskToken=token)


# -- when a task is scheduled


def test_a_waiting_task_serves_what_comes_after_it(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, input='1')
    swf.signal(run, input='2')
    assert run.types().count('DecisionTaskScheduled') == 1
    assert [event['eventType'] for event in swf.poll_decision()['events']] == [
        'WorkflowExecutionStarted',
        'DecisionTaskScheduled',
        'WorkflowExecutionSignaled',
        'WorkflowExecutionSignaled',
        'DecisionTaskStarted',
    ]


def test_what_comes_while_deciding_is_recorded_at_once(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.signal(run, input='i')
    swf.respond(task)
    assert run.types()[2:] == [
        'DecisionTaskStarted',
        'WorkflowExecutionSignaled',
        'DecisionTaskScheduled',
        'DecisionTaskCompleted',
    ]


def test_a_task_queued_while_deciding_cannot_be_polled(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    swf.signal(run, input='i')
    assert 'taskToken' not in swf.poll_decision()


def test_a_task_queued_while_deciding_comes_after_the_response(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.signal(run, input='i')
    swf.respond(task)
    following = swf.poll_decision()
    assert (following['startedEventId'], following['previousStartedEventId']) == (7, 3)
    assert run.all('DecisionTaskStarted')[-1]['scheduledEventId'] == 5


def test_only_one_task_is_queued_while_deciding(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    for _ in range(3):
        swf.signal(run, input='i')
    assert run.types().count('DecisionTaskScheduled') == 2


def test_the_start_of_an_activity_queues_no_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule())
    swf.take_activity()
    assert run.types()[-1] == 'ActivityTaskStarted'


def test_markers_timers_and_schedules_schedule_no_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide(marker(), start_timer(), schedule(), cancel_timer())
    assert run.open_counts()['openDecisionTasks'] == 0


def test_several_failed_decisions_share_one_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide(cancel_timer('x'), marker(), cancel_timer('y'))
    assert run.types()[4:] == ['CancelTimerFailed', 'MarkerRecorded', 'CancelTimerFailed', 'DecisionTaskScheduled']


def test_a_failed_decision_uses_the_task_that_is_queued(swf: Domain) -> None:
    run = swf.start()
    task = swf.poll_decision()
    swf.signal(run, input='i')
    swf.respond(task, cancel_timer('x'))
    assert run.types()[3:] == [
        'WorkflowExecutionSignaled',
        'DecisionTaskScheduled',
        'DecisionTaskCompleted',
        'CancelTimerFailed',
    ]
