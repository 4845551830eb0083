"""Activities that are cancelled, and those that time out."""

from __future__ import annotations

import pytest

from .decisions import cancel_activity, complete, marker, schedule
from .domain import Domain


def test_cancel_of_a_started_activity_is_recorded(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    swf.take_activity()
    swf.signal(run, input='i')
    swf.decide(cancel_activity('a'))
    assert run.types()[-1] == 'ActivityTaskCancelRequested'
    assert run.only('ActivityTaskCancelRequested') == {'activityId': 'a', 'decisionTaskCompletedEventId': 10}


def test_a_worker_that_gives_in_names_the_last_request(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    task = swf.take_activity()
    swf.signal(run, input='i')
    swf.decide(cancel_activity('a'), cancel_activity('a'))
    swf.answer_activity('canceled', task, details='d')
    assert run.only('ActivityTaskCanceled') == {
        'details': 'd',
        'scheduledEventId': 5,
        'startedEventId': 6,
        'latestCancelRequestedEventId': run.id_of('ActivityTaskCancelRequested', 1),
    }


def test_a_worker_may_complete_in_spite_of_a_request(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    task = swf.take_activity()
    swf.signal(run, input='i')
    swf.decide(cancel_activity('a'))
    swf.complete_activity(task, result='r')
    assert run.only('ActivityTaskCompleted')['result'] == 'r'


def test_cancel_of_an_unstarted_activity_cancels_it(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    swf.signal(run, input='i')
    swf.decide(cancel_activity('a'))
    swf.settle()
    assert run.only('ActivityTaskCanceled') == {
        'scheduledEventId': 5,
        'startedEventId': 0,
        'latestCancelRequestedEventId': run.id_of('ActivityTaskCancelRequested'),
    }
    assert run.types()[-2:] == ['ActivityTaskCanceled', 'DecisionTaskScheduled']


def test_an_activity_cancelled_before_its_start_leaves_the_list(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    swf.signal(run, input='i')
    swf.decide(cancel_activity('a'))
    swf.settle()
    assert swf.poll_activity() == {'startedEventId': 0}


def test_the_cancelling_comes_after_the_batch(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    swf.signal(run, input='i')
    swf.decide(cancel_activity('a'), complete())
    swf.settle()
    assert run.types()[-2:] == ['ActivityTaskCancelRequested', 'WorkflowExecutionCompleted']


def test_schedule_and_cancel_in_one_batch(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'), cancel_activity('a'), marker())
    swf.settle()
    assert run.types()[4:8] == [
        'ActivityTaskScheduled',
        'ActivityTaskCancelRequested',
        'MarkerRecorded',
        'ActivityTaskCanceled',
    ]


def test_cancel_of_an_unknown_activity(swf: Domain) -> None:
    run = swf.start()
    swf.decide(cancel_activity('never'))
    assert run.only('RequestCancelActivityTaskFailed') == {
        'activityId': 'never',
        'cause': 'ACTIVITY_ID_UNKNOWN',
        'decisionTaskCompletedEventId': 4,
    }
    assert run.types()[-1] == 'DecisionTaskScheduled'


def test_cancel_of_a_closed_activity(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a'))
    swf.complete_activity(swf.take_activity())
    swf.decide(cancel_activity('a'))
    assert run.only('RequestCancelActivityTaskFailed')['cause'] == 'ACTIVITY_ID_UNKNOWN'


TIMEOUTS = {
    'SCHEDULE_TO_START': ('scheduleToStartTimeout', False),
    'SCHEDULE_TO_CLOSE': ('scheduleToCloseTimeout', True),
    'START_TO_CLOSE': ('startToCloseTimeout', True),
    'HEARTBEAT': ('heartbeatTimeout', True),
}


@pytest.mark.parametrize('kind', TIMEOUTS)
def test_time_out(swf: Domain, kind: str) -> None:
    member, started = TIMEOUTS[kind]
    run = swf.start()
    swf.decide(schedule(**{member: '10'}))
    if started:
        swf.take_activity()
    swf.advance(11)
    assert run.only('ActivityTaskTimedOut') == {
        'timeoutType': kind,
        'scheduledEventId': 5,
        'startedEventId': 6 if started else 0,
    }
    assert run.types()[-2:] == ['ActivityTaskTimedOut', 'DecisionTaskScheduled']


@pytest.mark.parametrize('kind', TIMEOUTS)
def test_no_time_out_before_its_time(swf: Domain, kind: str) -> None:
    member, started = TIMEOUTS[kind]
    run = swf.start()
    swf.decide(schedule(**{member: '10'}))
    if started:
        swf.take_activity()
    swf.advance(9)
    assert 'ActivityTaskTimedOut' not in run.types()


@pytest.mark.parametrize('kind', TIMEOUTS)
def test_a_time_out_is_dated_at_its_deadline(swf: Domain, kind: str) -> None:
    member, started = TIMEOUTS[kind]
    run = swf.start()
    swf.decide(schedule(**{member: '10'}))
    if started:
        swf.take_activity()
    swf.advance(3)
    swf.advance(1000)
    assert run.at('ActivityTaskTimedOut') - run.at('ActivityTaskScheduled') == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize('kind', ['SCHEDULE_TO_CLOSE', 'START_TO_CLOSE', 'HEARTBEAT'])
def test_a_call_after_a_time_out(swf: Domain, kind: str) -> None:
    swf.start()
    swf.decide(schedule(**{TIMEOUTS[kind][0]: '10'}))
    task = swf.take_activity()
    swf.advance(11)
    with swf.refused('UnknownResourceFault', 'Unknown activity, scheduledEventId = 5'):
        swf.complete_activity(task)


@pytest.mark.parametrize('kind', ['SCHEDULE_TO_START', 'SCHEDULE_TO_CLOSE'])
def test_a_task_that_timed_out_waiting_leaves_the_list(swf: Domain, kind: str) -> None:
    run = swf.start()
    swf.decide(schedule(**{TIMEOUTS[kind][0]: '10'}))
    swf.advance(11)
    assert run.only('ActivityTaskTimedOut')['startedEventId'] == 0
    assert swf.poll_activity() == {'startedEventId': 0}


def test_schedule_to_start_ends_with_the_start(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(scheduleToStartTimeout='10'))
    swf.advance(9)
    swf.take_activity()
    swf.advance(100)
    assert run.types()[-1] == 'ActivityTaskStarted'


def test_start_to_close_begins_with_the_start(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(startToCloseTimeout='10'))
    swf.advance(100)
    swf.take_activity()
    swf.advance(9)
    assert run.types()[-1] == 'ActivityTaskStarted'


def test_the_earliest_time_out_wins(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(scheduleToCloseTimeout='30', startToCloseTimeout='20', heartbeatTimeout='10'))
    swf.take_activity()
    swf.advance(60)
    assert run.only('ActivityTaskTimedOut')['timeoutType'] == 'HEARTBEAT'


def test_time_outs_are_recorded_in_the_order_of_their_deadlines(swf: Domain) -> None:
    run = swf.start()
    swf.decide(
        schedule('slow', scheduleToStartTimeout='30'),
        schedule('quick', scheduleToStartTimeout='10'),
        schedule('middling', scheduleToStartTimeout='20'),
    )
    swf.advance(60)
    assert [timed_out['scheduledEventId'] for timed_out in run.all('ActivityTaskTimedOut')] == [6, 7, 5]


def test_a_time_out_of_zero_comes_at_once(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(scheduleToStartTimeout='0'))
    swf.settle()
    assert run.only('ActivityTaskTimedOut')['timeoutType'] == 'SCHEDULE_TO_START'


def test_a_timed_out_activity_is_not_tried_again(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(scheduleToStartTimeout='1'))
    swf.advance(100)
    assert len(run.all('ActivityTaskScheduled')) == 1
    assert run.open_counts()['openActivityTasks'] == 0


def test_a_heartbeat_does_not_put_off_the_other_time_outs(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(heartbeatTimeout='10', startToCloseTimeout='20'))
    task = swf.take_activity()
    for _ in range(2):
        swf.advance(8)
        swf.heartbeat(task)
    swf.advance(5)
    assert run.only('ActivityTaskTimedOut')['timeoutType'] == 'START_TO_CLOSE'


def test_a_time_out_other_than_of_heartbeats_shows_the_last_details_too(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(startToCloseTimeout='20'))
    swf.heartbeat(swf.take_activity(), details='half')
    swf.advance(21)
    assert run.only('ActivityTaskTimedOut')['details'] == 'half'


def test_time_outs_while_deciding_queue_one_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule('a', scheduleToStartTimeout='10'), schedule('b', scheduleToStartTimeout='20'))
    swf.signal(run, input='i')
    swf.poll_decision()
    swf.advance(30)
    assert run.types()[-3:] == ['ActivityTaskTimedOut', 'DecisionTaskScheduled', 'ActivityTaskTimedOut']


def test_a_time_out_in_a_closed_execution_is_not_recorded(swf: Domain) -> None:
    run = swf.start()
    swf.decide(schedule(startToCloseTimeout='10'))
    swf.take_activity()
    swf.signal(run, input='i')
    swf.decide(complete())
    swf.advance(60)
    assert run.types()[-1] == 'WorkflowExecutionCompleted'
