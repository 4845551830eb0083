"""The history that comes with a decision task: pages, order, and where it starts."""

from __future__ import annotations

import pytest

from .decisions import marker
from .domain import Domain


def test_poll_pages_its_events(swf: Domain) -> None:
    run = swf.start()
    for _ in range(4):
        swf.signal(run, input='i')
    first = swf.poll_decision(maximumPageSize=5)
    second = swf.poll_decision(maximumPageSize=5, nextPageToken=first['nextPageToken'])
    assert first['events'] + second['events'] == run.history()
    assert [len(page['events']) for page in (first, second)] == [5, 2]
    assert 'nextPageToken' not in second


@pytest.mark.parametrize('request_members', [{}, {'maximumPageSize': 1000}], ids=str)
def test_the_largest_page_of_a_task_has_100_events(swf: Domain, request_members: dict) -> None:
    run = swf.start()
    swf.decide(*(marker() for _ in range(100)))
    swf.signal(run, input='i')
    first = swf.poll_decision(**request_members)
    second = swf.poll_decision(nextPageToken=first['nextPageToken'], **request_members)
    assert [len(page['events']) for page in (first, second)] == [100, 7]


def test_every_page_of_a_task_repeats_the_rest(swf: Domain) -> None:
    swf.start()
    first = swf.poll_decision(maximumPageSize=2)
    second = swf.poll_decision(maximumPageSize=2, nextPageToken=first['nextPageToken'])
    for member in ('taskToken', 'startedEventId', 'previousStartedEventId', 'workflowExecution', 'workflowType'):
        assert second[member] == first[member]


def test_a_page_token_takes_no_task(swf: Domain) -> None:
    swf.start('a')
    first = swf.poll_decision(maximumPageSize=1)
    swf.start('b')
    swf.poll_decision(maximumPageSize=1, nextPageToken=first['nextPageToken'])
    assert swf.poll_decision()['workflowExecution']['workflowId'] == 'b'


def test_a_page_token_may_be_used_again(swf: Domain) -> None:
    swf.start()
    first = swf.poll_decision(maximumPageSize=2)
    pages = [swf.poll_decision(maximumPageSize=2, nextPageToken=first['nextPageToken']) for _ in range(2)]
    assert pages[0]['events'] == pages[1]['events'] == [event for event in pages[0]['events'] if event['eventId'] == 3]


def test_events_after_the_start_are_not_part_of_the_task(swf: Domain) -> None:
    run = swf.start()
    first = swf.poll_decision(maximumPageSize=2)
    swf.signal(run, input='i')
    second = swf.poll_decision(maximumPageSize=2, nextPageToken=first['nextPageToken'])
    assert [event['eventId'] for event in second['events']] == [3]


def test_the_next_page_of_a_timed_out_task(swf: Domain) -> None:
    swf.start()
    first = swf.poll_decision(maximumPageSize=1)
    swf.advance(61)
    with swf.refused('UnknownResourceFault'):
        swf.poll_decision(maximumPageSize=1, nextPageToken=first['nextPageToken'])


def test_a_page_exactly_full_has_no_next(swf: Domain) -> None:
    swf.start()
    assert 'nextPageToken' not in swf.poll_decision(maximumPageSize=3)


def test_a_corrupt_page_token(swf: Domain) -> None:
    with swf.refused('ValidationException', 'Invalid token'):
        swf.poll_decision(nextPageToken='nonsense')


def test_poll_in_reverse_order(swf: Domain) -> None:
    run = swf.start()
    swf.signal(run, input='i')
    assert [event['eventId'] for event in swf.poll_decision(reverseOrder=True)['events']] == [4, 3, 2, 1]


def test_poll_in_reverse_order_pages_from_the_end(swf: Domain) -> None:
    swf.start()
    first = swf.poll_decision(reverseOrder=True, maximumPageSize=2)
    second = swf.poll_decision(reverseOrder=True, maximumPageSize=2, nextPageToken=first['nextPageToken'])
    assert [event['eventId'] for event in first['events'] + second['events']] == [3, 2, 1]


def test_start_at_previous_started_event_trims_what_is_known(swf: Domain) -> None:
    run = swf.start()
    swf.decide(marker())
    swf.signal(run, input='i')
    task = swf.poll_decision(startAtPreviousStartedEvent=True)
    assert [event['eventId'] for event in task['events']] == [3, 4, 5, 6, 7, 8]


def test_start_at_previous_started_event_trims_nothing_at_first(swf: Domain) -> None:
    swf.start()
    task = swf.poll_decision(startAtPreviousStartedEvent=True)
    assert [event['eventId'] for event in task['events']] == [1, 2, 3]


def test_start_at_previous_started_event_pages(swf: Domain) -> None:
    run = swf.start()
    swf.decide()
    swf.signal(run, input='i')
    first = swf.poll_decision(startAtPreviousStartedEvent=True, maximumPageSize=3)
    second = swf.poll_decision(
        startAtPreviousStartedEvent=True, maximumPageSize=3, nextPageToken=first['nextPageToken']
    )
    assert [event['eventId'] for event in first['events'] + second['events']] == [3, 4, 5, 6, 7]


def test_start_at_previous_started_event_in_reverse(swf: Domain) -> None:
    run = swf.start()
    swf.decide()
    swf.signal(run, input='i')
    task = swf.poll_decision(startAtPreviousStartedEvent=True, reverseOrder=True)
    assert [event['eventId'] for event in task['events']] == [7, 6, 5, 4, 3]


def test_start_at_previous_started_event_after_a_time_out_shows_all_that_is_new(swf: Domain) -> None:
    run = swf.start()
    swf.decide()
    swf.signal(run, input='i')
    swf.poll_decision()
    swf.advance(61)
    task = swf.poll_decision(startAtPreviousStartedEvent=True)
    assert [event['eventId'] for event in task['events']] == list(range(3, 11))


@pytest.mark.parametrize('size', [-1, 1001])
def test_page_size_out_of_range(swf: Domain, size: int) -> None:
    with swf.refused('ValidationException'):
        swf.poll_decision(maximumPageSize=size)
