"""Reading a history: pages, order, times, and one history as a recording of the service has it."""

from __future__ import annotations

import pytest

from .decisions import cancel, complete, marker, schedule
from .domain import Domain, Run


def long_run(swf: Domain) -> Run:
    """Eleven events."""
    run = swf.start()
    swf.decide(*(marker(str(n)) for n in range(7)))
    return run


def pages(run: Run, **request: object) -> list[list[int]]:
    found, token = [], {}
    while True:
        answer = run.page(**request, **token)
        found.append([event['eventId'] for event in answer['events']])
        if 'nextPageToken' not in answer:
            return found
        token = {'nextPageToken': answer['nextPageToken']}


def test_pages_follow_each_other(swf: Domain) -> None:
    assert pages(long_run(swf), maximumPageSize=4) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11]]


def test_a_full_last_page_has_no_token(swf: Domain) -> None:
    assert pages(long_run(swf), maximumPageSize=11) == [list(range(1, 12))]


def test_reverse_order_reverses_the_whole(swf: Domain) -> None:
    assert pages(long_run(swf), maximumPageSize=6, reverseOrder=True) == [[11, 10, 9, 8, 7, 6], [5, 4, 3, 2, 1]]


@pytest.mark.parametrize('request_members', [{}, {'maximumPageSize': 0}, {'maximumPageSize': 1000}], ids=str)
def test_the_largest_page_has_100_events(swf: Domain, request_members: dict) -> None:
    run = swf.start()
    swf.decide(*(marker() for _ in range(200)))
    assert [len(page) for page in pages(run, **request_members)] == [100, 100, 4]


@pytest.mark.parametrize(('size', 'bound'), [(1001, 'less than or equal to 1000'), (-1, 'greater than or equal to 0')])
def test_a_page_size_out_of_range(swf: Domain, size: int, bound: str) -> None:
    expected = (
        f"1 validation error detected: Value '{size}' at 'maximumPageSize' failed to satisfy constraint: "
        f'Member must have value {bound}'
    )
    run = swf.start()
    with swf.refused('ValidationException', expected):
        run.page(maximumPageSize=size)


def test_a_corrupt_page_token(swf: Domain) -> None:
    run = swf.start()
    with swf.refused('ValidationException', 'Invalid token'):
        run.page(nextPageToken='nonsense')


def test_a_page_token_of_another_operation(swf: Domain) -> None:
    run = swf.start()
    token = swf.poll_decision(maximumPageSize=1)['nextPageToken']
    with swf.refused('ValidationException'):
        run.page(nextPageToken=token)


def test_a_page_token_lives_for_a_day(swf: Domain) -> None:
    run = long_run(swf)
    answer = run.page(maximumPageSize=4)
    swf.advance(86000)
    run.page(maximumPageSize=4, nextPageToken=answer['nextPageToken'])
    swf.advance(1000)
    with swf.refused('ValidationException', 'Specified token has exceeded its maximum lifetime'):
        run.page(maximumPageSize=4, nextPageToken=answer['nextPageToken'])


def test_a_closed_history_can_be_read(swf: Domain) -> None:
    run = swf.start()
    swf.decide(complete())
    assert run.types()[-1] == 'WorkflowExecutionCompleted'


def test_times_are_whole_milliseconds_and_never_fall(swf: Domain) -> None:
    run = long_run(swf)
    swf.advance(1.234)
    swf.signal(run, input='i')
    moments = [event['eventTimestamp'] for event in run.history()]
    assert moments == sorted(moments)
    assert all(moment.microsecond % 1000 == 0 for moment in moments)


def test_a_cancelled_execution_as_the_service_recorded_it(swf: Domain) -> None:
    """A cancel request comes during an activity; the activity closes while the decision about the request is made."""
    run = swf.start()
    swf.decide(schedule())
    activity = swf.take_activity()
    swf.request_cancel(run)
    task = swf.poll_decision()
    swf.client.respond_activity_task_completed(taskToken=activity['taskToken'], result='r')
    swf.respond(task)
    swf.decide(cancel())
    assert run.types()[6:] == [
        'WorkflowExecutionCancelRequested',
        'DecisionTaskScheduled',
        'DecisionTaskStarted',
        'ActivityTaskCompleted',
        'DecisionTaskScheduled',
        'DecisionTaskCompleted',
        'DecisionTaskStarted',
        'DecisionTaskCompleted',
        'WorkflowExecutionCanceled',
    ]
    started, completed = run.all('DecisionTaskStarted'), run.all('DecisionTaskCompleted')
    assert [event['scheduledEventId'] for event in started] == [2, 8, 11]
    assert [(event['scheduledEventId'], event['startedEventId']) for event in completed] == [(2, 3), (8, 9), (11, 13)]
    assert run.only('WorkflowExecutionCanceled') == {'decisionTaskCompletedEventId': 14}
