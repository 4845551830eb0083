"""Decision tasks that nobody answers in time."""

from __future__ import annotations

from .decisions import complete
from .domain import Domain


def test_a_task_that_is_not_answered_times_out(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    swf.advance(61)
    assert run.only('DecisionTaskTimedOut') == {
        'timeoutType': 'START_TO_CLOSE',
        'scheduledEventId': 2,
        'startedEventId': 3,
    }
    assert run.types()[-2:] == ['DecisionTaskTimedOut', 'DecisionTaskScheduled']
    assert run.at('DecisionTaskTimedOut') == run.at('DecisionTaskScheduled', 1)


def test_a_task_does_not_time_out_before_its_time(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    swf.advance(59)
    assert run.types()[-1] == 'DecisionTaskStarted'


def test_the_answer_to_a_timed_out_task_is_refused(swf: Domain) -> None:
    swf.start()
    task = swf.poll_decision()
    swf.advance(61)
    with swf.refused('UnknownResourceFault', 'Unknown decision task, scheduledEventId = 2'):
        swf.respond(task, complete())


def test_a_timed_out_task_is_offered_again(swf: Domain) -> None:
    swf.start()
    swf.poll_decision()
    swf.advance(61)
    again = swf.poll_decision()
    assert (again['startedEventId'], again['previousStartedEventId']) == (6, 0)


def test_the_queued_task_serves_after_a_time_out(swf: Domain) -> None:
    run = swf.start()
    swf.poll_decision()
    swf.signal(run, input='i')
    swf.advance(61)
    assert run.types()[3:] == ['WorkflowExecutionSignaled', 'DecisionTaskScheduled', 'DecisionTaskTimedOut']
    assert swf.poll_decision()['startedEventId'] == 7


def test_a_task_without_a_time_out_waits(swf: Domain) -> None:
    run = swf.start(taskStartToCloseTimeout='NONE', executionStartToCloseTimeout='31536000')
    task = swf.poll_decision()
    swf.advance(1_000_000)
    swf.respond(task, complete())
    assert run.info()['closeStatus'] == 'COMPLETED'


def test_a_waiting_task_has_no_time_out_of_its_own(swf: Domain) -> None:
    run = swf.start()
    swf.advance(3000)
    assert run.types() == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
