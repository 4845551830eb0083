"""Pages after the first: signed, sent past botocore, and the client's as soon as anything is out of the ordinary."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import botocore.handlers
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.stub import Stubber

from genflow.local import LocalSWF
from genflow.local.http.credentials import Secret
from genflow.local.http.server import HttpServer
from genflow.swf import fast
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect

OPERATION = 'get_workflow_execution_history'
REQUEST = {'domain': 'd', 'execution': {'workflowId': 'w', 'runId': 'r'}}
CONFIG = Config(retries={'total_max_attempts': 1})


def event(number):
    return {'eventTimestamp': 1.5, 'eventType': 'TimerFired', 'eventId': number}


PAGES = [{'events': [event(1)], 'nextPageToken': '2'}, {'events': [event(2)], 'nextPageToken': '3'}]
LAST = {'events': [event(3)]}
DROPPED = (None, b'')


class Service:
    """Answers each request with the next of its answers, and keeps the requests."""

    def __init__(self):
        self.answers = []
        self.requests = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                service.requests.append((self.path, dict(self.headers), body))
                status, answer = service.answers.pop(0)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.address = f'http://127.0.0.1:{self.server.server_port}'
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def will_answer(self, *answers):
        self.answers[:] = [
            answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode()) for answer in answers
        ]

    @property
    def calls(self):
        """How many calls botocore made, which gives each a number."""
        return sum('amz-sdk-invocation-id' in headers for _, headers, _ in self.requests)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(autouse=True)
def no_hooks_of_moto(monkeypatch):
    """Importing moto, as other tests do, hooks into every client that is made from then on."""
    own = [spec for spec in botocore.handlers.BUILTIN_HANDLERS if not type(spec[1]).__module__.startswith('moto.')]
    monkeypatch.setattr(botocore.handlers, 'BUILTIN_HANDLERS', own)


@pytest.fixture
def service():
    with contextlib.closing(Service()) as service:
        yield service


def client_of(address, config=CONFIG):
    session = boto3.session.Session('key', 'secret', 'session', region_name='eu-west-1')
    return session.client('swf', endpoint_url=address, config=config)


@pytest.fixture
def client(service):
    with contextlib.closing(fast(fast(client_of(service.address)))) as client:  # the second time changes nothing
        yield client


def history(client, **request):
    """The events' ids of every page."""
    calls, found, token = RetryingClient(connect(client)), [], {}
    while True:
        page = calls.call(OPERATION, patience=0, **REQUEST, **request, **token)
        found += [event['eventId'] for event in page['events']]
        if not page.get('nextPageToken'):
            return found
        token = {'nextPageToken': page['nextPageToken']}


def test_pages_are_asked_for_past_botocore(service, client):
    service.will_answer(*PAGES, LAST)
    assert history(client, maximumPageSize=1) == [1, 2, 3]
    assert service.calls == 1
    (path, first, asked), *others = service.requests
    for number, (other_path, headers, body) in enumerate(others, 2):
        assert (other_path, body) == (path, {**asked, 'nextPageToken': str(number)})
        assert headers['Authorization'].startswith('AWS4-HMAC-SHA256 Credential=key/')
        assert headers['Authorization'] != first['Authorization']
        for name in ('X-Amz-Target', 'Content-Type', 'User-Agent', 'X-Amz-Security-Token'):
            assert headers[name] == first[name]


def test_a_client_that_nobody_made_fast_asks_for_each_page_itself(service):
    service.will_answer(*PAGES, LAST)
    with contextlib.closing(client_of(service.address)) as plain:
        assert history(plain) == [1, 2, 3]
    assert service.calls == 3


@pytest.mark.thorough
@pytest.mark.parametrize(
    'odd',
    [
        (500, b'{}'),
        (400, b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'),
        (200, b'{"events": [{"eventId"'),
        (200, b'[]'),
        (200, b'{"events": [], "nextPageToken": null}'),
    ],
    ids=repr,
)
def test_the_client_is_asked_for_a_page_that_is_out_of_the_ordinary(service, client, odd):
    service.will_answer(PAGES[0], odd, PAGES[1], LAST)
    assert history(client) == [1, 2, 3]
    assert service.calls == 2, 'one for the first page, one instead of the odd one, whose request the last is made of'


def test_an_error_is_the_clients(service, client):
    fault = (400, b'{"__type": "com.amazonaws.swf.base.model#UnknownResourceFault", "message": "Unknown run"}')
    service.will_answer(PAGES[0], fault, fault)
    with pytest.raises(client.exceptions.UnknownResourceFault, match='Unknown run'):
        history(client)


def test_the_client_is_asked_where_the_connection_breaks(service, client):
    service.will_answer(PAGES[0], DROPPED, PAGES[1], LAST)
    assert history(client) == [1, 2, 3]
    assert service.calls == 2


@pytest.mark.thorough
@pytest.mark.parametrize('name', ['before-send', 'before-call', 'before-sign', 'after-call', 'request-created'])
def test_a_hook_of_the_application_sees_every_page(service, client, name):
    seen = []
    client.meta.events.register(f'{name}.swf', lambda **_: seen.append(name))
    service.will_answer(*PAGES, LAST)
    assert history(client) == [1, 2, 3]
    assert (len(seen), service.calls) == (3, 3)


def test_a_hook_that_comes_between_two_histories_sees_every_page_of_the_second(service, client):
    service.will_answer(*PAGES, LAST)
    assert history(client) == [1, 2, 3]
    seen = []
    client.meta.events.register('before-send.swf', lambda **_: seen.append(1))
    service.will_answer(*PAGES, LAST)
    assert history(client) == [1, 2, 3]
    assert len(seen) == 3


@pytest.mark.thorough
def test_a_stubbed_client_gives_every_page(service, client):
    with Stubber(client) as stub:
        for page in (*PAGES, LAST):
            stub.add_response(OPERATION, page)
        assert history(client) == [1, 2, 3]
        stub.assert_no_pending_responses()
    assert service.requests == []


def test_a_client_that_does_not_sign_asks_for_each_page_itself(service):
    service.will_answer(*PAGES, LAST)
    config = Config(signature_version=UNSIGNED, retries={'total_max_attempts': 1})
    with contextlib.closing(fast(client_of(service.address, config))) as unsigned:
        assert history(unsigned) == [1, 2, 3]
    assert service.calls == 3
    assert all('Authorization' not in headers for _, headers, _ in service.requests)


def test_pages_go_through_the_clients_proxy(service):
    config = Config(proxies={'http': service.address}, retries={'total_max_attempts': 1})
    with contextlib.closing(fast(client_of('http://swf.invalid', config))) as client:
        service.will_answer(*PAGES, LAST)
        assert history(client) == [1, 2, 3]
    assert [path for path, _, _ in service.requests] == ['http://swf.invalid/'] * 3
    assert service.calls == 1


def test_the_signatures_are_right():
    keys = {'key': Secret('secret', 'session')}
    with (
        LocalSWF() as swf,
        HttpServer(swf, credentials=keys) as server,
        contextlib.closing(fast(client_of(server.url))) as client,
    ):
        swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        swf.register_workflow_type(domain='d', name='w', version='1')
        run = swf.start_workflow_execution(
            domain='d', workflowId='x', workflowType={'name': 'w', 'version': '1'}, childPolicy='ABANDON',
            taskList={'name': 'l'}, executionStartToCloseTimeout='9', taskStartToCloseTimeout='9',
        )['runId']  # fmt: skip
        request = {'domain': 'd', 'execution': {'workflowId': 'x', 'runId': run}, 'maximumPageSize': 1}
        calls = RetryingClient(connect(client))
        first = calls.call(OPERATION, **request)
        second = calls.call(OPERATION, **request, nextPageToken=first['nextPageToken'])
    assert [event['eventId'] for event in second['events']] == [2]
    assert 'HTTPHeaders' not in second['ResponseMetadata'], 'it did not come through the client'
