"""Polls give a task with all of its history, or nothing."""

from __future__ import annotations

import pickle

import pytest
from attrs import evolve
from botocore.exceptions import ClientError

from genflow.swf.tasks.poller import Poller, whole_history
from tests.swf.scripted import Scripted, refusal, service, silent


def event(number):
    return {'eventId': number, 'eventType': 'MarkerRecorded'}


def answer(events, page=None, previous=0):
    found = {
        'taskToken': 'token',
        'startedEventId': 5,
        'previousStartedEventId': previous,
        'workflowExecution': {'workflowId': 'w', 'runId': 'r'},
        'workflowType': {'name': 'Order', 'version': '1'},
        'events': [event(number) for number in events],
    }
    return found if page is None else {**found, 'nextPageToken': page}


ACTIVITY = {
    'taskToken': 'token',
    'activityId': '7.1',
    'startedEventId': 6,
    'workflowExecution': {'workflowId': 'w', 'runId': 'r'},
    'activityType': {'name': 'Echo', 'version': '1'},
    'input': '[[1],{}]',
}


def poller(client, identity=None):
    return Poller(service(client), 'd', 'tl', identity)


@pytest.mark.parametrize(
    'empty',
    [{'startedEventId': 0}, {'startedEventId': 0, 'taskToken': ''}, {'taskToken': None}, {}, silent()],
    ids=['no token', 'empty token', 'null token', 'nothing', 'read time-out'],
)
def test_an_empty_poll_is_no_task(empty):
    assert poller(Scripted(empty)).activity_task() is None
    assert poller(Scripted(empty)).decision_task() is None


def test_an_activity_task():
    client = Scripted(ACTIVITY)
    task = poller(client, 'me' * 200).activity_task()
    assert (task.token, task.activity_id, task.workflow_id, task.run_id) == ('token', '7.1', 'w', 'r')
    assert (task.name, task.version, task.started_id, task.input) == ('Echo', '1', 6, '[[1],{}]')
    request = {'domain': 'd', 'taskList': {'name': 'tl'}, 'identity': 'me' * 127 + 'm…'}
    assert client.calls == [('poll_for_activity_task', request)]


def test_tasks_are_values():
    """What `on_task` gets may be compared, collected and copied."""
    one, other = poller(Scripted(ACTIVITY)).activity_task(), poller(Scripted(ACTIVITY)).activity_task()
    assert {one, other} == {one}
    assert pickle.loads(pickle.dumps(one)) == evolve(one) == other  # noqa: S301 - our own
    page = answer([1, 2, 3])
    one, other = poller(Scripted(page)).decision_task(), poller(Scripted(page)).decision_task()
    assert pickle.loads(pickle.dumps(one)) == evolve(one) == other  # noqa: S301 - our own
    assert evolve(one, token='another') != other


def test_every_page_of_a_history_is_read():
    client = Scripted(answer([1, 2], 'p2'), answer([3, 4], 'p3'), answer([5]))
    task = poller(client).decision_task()
    assert [event['eventId'] for event in task.events] == [1, 2, 3, 4, 5]
    assert [request.get('nextPageToken') for _, request in client.calls] == [None, 'p2', 'p3']
    assert (task.name, task.version, task.started_id, task.previous_id, task.task_list) == ('Order', '1', 5, 0, 'tl')


def test_a_page_that_fails_is_requested_again():
    client = Scripted(answer([1, 2], 'p2'), refusal('InternalFailure', 500), answer([3, 4, 5]))
    assert len(poller(client).decision_task().events) == 5


def test_pages_after_the_first_are_requested_when_their_events_are_wanted():
    client = Scripted(answer([1, 2], 'p2'), answer([3, 4], 'p3'), refusal('UnknownResourceFault'))
    task = poller(client).decision_task()
    assert (task.events[0]['eventId'], len(client.calls)) == (1, 1)
    assert (task.events[3]['eventId'], len(client.calls)) == (4, 2)
    with pytest.raises(ClientError, match='UnknownResourceFault'):
        len(task.events)


def test_a_domain_that_is_not_there_is_an_error():
    with pytest.raises(ClientError, match='UnknownResourceFault'):
        poller(Scripted(refusal('UnknownResourceFault'))).decision_task()


def test_trimmed_histories_are_requested():
    client = Scripted(answer([3, 4, 5], previous=3))
    task = poller(client).decision_task(trimmed=True)
    assert client.calls[0][1]['startAtPreviousStartedEvent'] is True
    assert task.events[0]['eventId'] != 1


def test_a_trimmed_history_is_made_whole_up_to_its_own_decision():
    client = Scripted(
        answer([3, 4, 5], previous=3),
        {'events': [event(1), event(2), event(3)], 'nextPageToken': 'more'},
        {'events': [event(4), event(5), event(6)]},
    )
    task = whole_history(service(client), 'd', poller(client).decision_task(trimmed=True))
    assert [event['eventId'] for event in task.events] == [1, 2, 3, 4, 5]
    name, request = client.calls[2]
    assert name == 'get_workflow_execution_history'
    assert request == {'domain': 'd', 'execution': {'workflowId': 'w', 'runId': 'r'}, 'nextPageToken': 'more'}


def test_a_whole_history_is_read_once():
    client = Scripted(answer([1, 2, 3, 4, 5]))
    task = poller(client).decision_task(trimmed=True)
    assert whole_history(service(client), 'd', task) is task
