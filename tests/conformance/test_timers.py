"""Timers and markers."""

from __future__ import annotations

import pytest

from .decisions import cancel_timer, complete, marker, start_timer
from .domain import Domain


def test_start_is_recorded(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10', control='mine'))
    assert run.only('TimerStarted') == {
        'timerId': 't',
        'startToFireTimeout': '10',
        'control': 'mine',
        'decisionTaskCompletedEventId': 4,
    }


def test_start_without_control(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'))
    assert 'control' not in run.only('TimerStarted')


def test_fires_when_it_is_due(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'))
    swf.advance(10.1)
    assert run.only('TimerFired') == {'timerId': 't', 'startedEventId': 5}
    assert run.types()[-2:] == ['TimerFired', 'DecisionTaskScheduled']
    assert run.at('TimerFired') == run.at('DecisionTaskScheduled', 1)


def test_never_fires_early(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'))
    swf.advance(9.9)
    assert run.types()[-1] == 'TimerStarted'


def test_is_dated_at_its_deadline(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'))
    swf.advance(1000)
    assert run.at('TimerFired') - run.at('TimerStarted') == pytest.approx(10, abs=0.2)


def test_fires_once(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'))
    swf.advance(11)
    swf.advance(1000)
    assert len(run.all('TimerFired')) == 1


def test_timers_fire_in_the_order_of_their_deadlines(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('c', '30'), start_timer('a', '10'), start_timer('b', '20'))
    swf.advance(60)
    assert [fired['timerId'] for fired in run.all('TimerFired')] == ['a', 'b', 'c']


def test_a_timer_of_zero_fires_soon_and_not_in_the_batch(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '0'), marker())
    swf.settle()
    assert run.types()[4:] == ['TimerStarted', 'MarkerRecorded', 'TimerFired', 'DecisionTaskScheduled']


def test_a_timer_that_fires_while_deciding_queues_a_task(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'))
    swf.signal(run, input='i')
    task = swf.poll_decision()
    swf.advance(11)
    swf.respond(task)
    assert run.types()[-3:] == ['TimerFired', 'DecisionTaskScheduled', 'DecisionTaskCompleted']


def test_start_of_an_open_id(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t'), start_timer('t'))
    assert run.only('StartTimerFailed') == {
        'timerId': 't',
        'cause': 'TIMER_ID_ALREADY_IN_USE',
        'decisionTaskCompletedEventId': 4,
    }
    assert run.types()[-1] == 'DecisionTaskScheduled'


def test_an_id_is_free_again_when_it_has_fired(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '1'))
    swf.advance(2)
    swf.decide(start_timer('t', '1'))
    assert len(run.all('TimerStarted')) == 2


def test_an_id_is_free_again_when_it_is_cancelled(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'), cancel_timer('t'), start_timer('t', '20'))
    assert run.types()[4:] == ['TimerStarted', 'TimerCanceled', 'TimerStarted']


def test_cancel_is_recorded(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t'))
    swf.signal(run, input='i')
    swf.decide(cancel_timer('t'))
    assert run.only('TimerCanceled') == {'timerId': 't', 'startedEventId': 5, 'decisionTaskCompletedEventId': 9}
    assert run.types()[-1] == 'TimerCanceled'


def test_a_cancelled_timer_never_fires(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'), cancel_timer('t'))
    swf.advance(60)
    assert 'TimerFired' not in run.types()
    assert run.open_counts()['openTimers'] == 0


def test_cancel_of_an_unknown_timer(swf: Domain) -> None:
    run = swf.start()
    swf.decide(cancel_timer('never'))
    assert run.only('CancelTimerFailed') == {
        'timerId': 'never',
        'cause': 'TIMER_ID_UNKNOWN',
        'decisionTaskCompletedEventId': 4,
    }
    assert run.types()[-1] == 'DecisionTaskScheduled'


def test_cancel_of_a_timer_that_has_fired(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '1'))
    swf.advance(2)
    swf.decide(cancel_timer('t'))
    assert run.only('CancelTimerFailed')['cause'] == 'TIMER_ID_UNKNOWN'


def test_a_timer_ends_with_its_execution(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'))
    swf.signal(run, input='i')
    swf.decide(complete())
    swf.advance(60)
    assert run.types()[-1] == 'WorkflowExecutionCompleted'


def test_a_timer_may_outlast_many_others(swf: Domain) -> None:
    run = swf.start(executionStartToCloseTimeout='31536000')
    swf.decide(start_timer('year', '31535000'))
    swf.advance(31535001)
    assert run.only('TimerFired')['timerId'] == 'year'


@pytest.mark.parametrize('seconds', ['', 'NONE', '-1', '1.5', 'soon', '31536001', '123456789'])
def test_start_refuses_durations(swf: Domain, seconds: str) -> None:
    run = swf.start()
    with swf.refused('ValidationException'):
        swf.decide(start_timer('t', seconds))
    assert run.types()[-1] == 'DecisionTaskStarted'


@pytest.mark.parametrize('timer_id', ['', 'x' * 257, 'arn', 'a\nb'])
def test_start_refuses_ids(swf: Domain, timer_id: str) -> None:
    swf.start()
    with swf.refused('ValidationException'):
        swf.decide(start_timer(timer_id))


def test_a_timer_id_may_have_colons(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('a:b:c'))
    assert run.only('TimerStarted')['timerId'] == 'a:b:c'


def test_a_marker_is_recorded(swf: Domain) -> None:
    run = swf.start()
    swf.decide(marker('m', 'd'))
    assert run.only('MarkerRecorded') == {'markerName': 'm', 'details': 'd', 'decisionTaskCompletedEventId': 4}


def test_a_marker_needs_no_details(swf: Domain) -> None:
    run = swf.start()
    swf.decide(marker('m'))
    assert run.only('MarkerRecorded') == {'markerName': 'm', 'decisionTaskCompletedEventId': 4}


def test_a_marker_keeps_empty_details(swf: Domain) -> None:
    run = swf.start()
    swf.decide(marker('m', ''))
    assert run.only('MarkerRecorded')['details'] == ''


def test_markers_need_not_differ(swf: Domain) -> None:
    run = swf.start()
    swf.decide(marker('m'), marker('m'))
    assert len(run.all('MarkerRecorded')) == 2


def test_a_marker_may_come_with_the_close(swf: Domain) -> None:
    run = swf.start()
    swf.decide(marker(), complete())
    assert run.types()[-2:] == ['MarkerRecorded', 'WorkflowExecutionCompleted']


@pytest.mark.parametrize('name', ['', 'x' * 257])
def test_a_marker_refuses_names(swf: Domain, name: str) -> None:
    swf.start()
    with swf.refused('ValidationException'):
        swf.decide(marker(name))


def test_a_failed_start_leaves_the_open_timer_alone(swf: Domain) -> None:
    run = swf.start()
    swf.decide(start_timer('t', '10'), start_timer('t', '20'))
    swf.advance(60)
    assert run.only('TimerFired')['startedEventId'] == 5
