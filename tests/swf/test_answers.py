"""An answer of the wrong shape is an outage: waited for where that does no harm, and never the end of a worker."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from genflow.swf.aws import faults
from genflow.swf.aws.answers import MalformedAnswer
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.tasks.poller import Poller
from tests.swf.scripted import Scripted, Waiting, service

ACTIVITY = {
    'taskToken': 'token',
    'activityId': '7.1',
    'startedEventId': 6,
    'workflowExecution': {'workflowId': 'w', 'runId': 'r'},
    'activityType': {'name': 'Echo', 'version': '1'},
}
EVENT = {'eventId': 1, 'eventType': 'WorkflowExecutionStarted', 'eventTimestamp': 1.5}
DECISION = {
    'taskToken': 'token',
    'startedEventId': 3,
    'previousStartedEventId': 0,
    'workflowExecution': {'workflowId': 'w', 'runId': 'r'},
    'workflowType': {'name': 'Order', 'version': '1'},
    'events': [EVENT],
}

BODIES = [
    b'[]',
    b'null',
    b'3',
    b'"text"',
    b'<html><body>Bad gateway</body></html>',
    b'',
    b'\xff\xfe\x00',
    json.dumps(DECISION).encode()[:40],
    b'{"startedEventId": "three"}',
    b'{"taskToken": 7}',
]


def broken(answer, path, value):
    """An answer with one member changed, or taken away where ``value`` is ``None``."""
    made = json.loads(json.dumps(answer))
    *way, last = path
    place = made
    for name in way:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return made


PATHS = [
    ('taskToken',),
    ('startedEventId',),
    ('workflowExecution',),
    ('workflowExecution', 'runId'),
    ('workflowType',),
    ('workflowType', 'version'),
    ('events',),
    ('events', 0),
    ('events', 0, 'eventId'),
]
WRONG = [None, 7.5, {}, [[]], 'text']


class Bodies:
    """A web server that gives one body after the other, whatever it is asked."""

    def __init__(self, *bodies):
        pending = list(bodies)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers['Content-Length']))
                body = pending.pop(0)
                self.send_response(200)
                self.send_header('Content-Type', 'application/x-amz-json-1.0')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *said):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return f'http://127.0.0.1:{self.server.server_port}'

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


def polling(url, waiting):
    connection = connect(url)
    return connection, Poller(RetryingClient(connection, pause=waiting.pause, clock=waiting.clock), 'd', 'tl')


@pytest.mark.thorough
@pytest.mark.parametrize('body', BODIES)
@pytest.mark.parametrize('kind', ['decision', 'activity'])
def test_a_poll_over_the_network_waits_for_an_answer_that_is_one(body, kind, caplog):
    waiting = Waiting()
    good = json.dumps(DECISION if kind == 'decision' else ACTIVITY).encode()
    with Bodies(body, body, good) as url:
        connection, poller = polling(url, waiting)
        task = poller.decision_task() if kind == 'decision' else poller.activity_task()
        connection.close()
    assert task.token == 'token'  # noqa: S105 - no password
    assert len(waiting.pauses) == 2
    assert [record.getMessage().split()[0] for record in caplog.records][:1] == [f'poll_for_{kind}_task']
    assert 'answers again after' in caplog.records[1].getMessage()
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ('path', 'value'),
    [
        (path, value)
        for path in PATHS
        for value in WRONG
        if not (isinstance(value, str) and path[-1] in ('taskToken', 'runId', 'version'))
        if (path[-1], value) != (0, None)
    ],
)
def test_a_decision_task_that_lacks_something_is_no_answer(path, value):
    waiting = Waiting()
    client = Scripted({**broken(DECISION, path, value), 'ResponseMetadata': {}}, DECISION)
    assert Poller(service(client, waiting), 'd', 'tl').decision_task().token == 'token'  # noqa: S105
    assert len(waiting.pauses) == 1


def test_an_empty_poll_is_no_outage():
    empty = {'startedEventId': 0, 'previousStartedEventId': 0, 'ResponseMetadata': {}}
    for answer in ({}, empty, {'taskToken': '', **empty}):
        waiting = Waiting()
        assert Poller(service(Scripted(answer), waiting), 'd', 'tl').decision_task() is None
        assert waiting.pauses == []


def test_a_history_that_is_cut_off_is_read_again():
    client = Scripted({'events': None}, {'events': [EVENT]})
    assert service(client).call('get_workflow_execution_history')['events'] == [EVENT]


def test_an_answer_that_says_nothing_may_be_absent():
    assert service(Scripted(None)).call('respond_activity_task_completed') == {}


def test_a_start_with_a_broken_answer_may_have_had_its_effect():
    client = Scripted({'ResponseMetadata': {}})
    with pytest.raises(MalformedAnswer, match='runId is missing') as raised:
        service(client).call('start_workflow_execution')
    assert faults.is_doubtful(raised.value)
    assert len(client.calls) == 1


def test_a_mistake_of_the_program_is_no_outage():
    client = Scripted(KeyError('a mistake'))
    with pytest.raises(KeyError):
        service(client).call('poll_for_decision_task')
