"""Pages after the first: signed, sent past botocore, and the client's as soon as anything is out of the ordinary."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import boto3
import botocore.exceptions
import pytest
import urllib3.util.connection
from botocore import UNSIGNED
from botocore.config import Config
from botocore.stub import Stubber
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from genflow import Signal, Workflow
from genflow.core.model.registry import Registry, WorkflowSpec
from genflow.local import LocalSWF
from genflow.local.http.credentials import Secret
from genflow.local.http.server import HttpServer
from genflow.swf import fast
from genflow.swf.aws.answers import MalformedAnswer
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.fast_clients import PAGED, page_requests_of, remember
from genflow.swf.aws.fast_reading import read_page
from genflow.swf.aws.page_requests import OPERATIONS, PageRequests
from genflow.swf.aws.pagination import pages
from genflow.swf.client.handles import Client
from genflow.swf.tasks.poller import Poller
from genflow.swf.worker.decider import Decider
from genflow.tools.executions.follow import HistoryTail

pytestmark = pytest.mark.usefixtures('no_hooks_of_moto')

OPERATION = 'get_workflow_execution_history'
REQUEST = {'domain': 'd', 'execution': {'workflowId': 'w', 'runId': 'r'}}
CONFIG = Config(retries={'total_max_attempts': 1})


def event(number):
    return {'eventTimestamp': 1.5, 'eventType': 'TimerFired', 'eventId': number}


PAGES = [{'events': [event(1)], 'nextPageToken': '2'}, {'events': [event(2)], 'nextPageToken': '3'}]
LAST = {'events': [event(3)]}
DROPPED = (None, b'')


class Service:
    """Answers each request with the next of its answers, and keeps the requests.

    A page in ``held_back`` is answered once its event is set; ``arrived`` tells that a page has been asked for.
    """

    def __init__(self, tls=None):
        self.answers = []
        self.requests = []
        self.arrived = defaultdict(threading.Event)
        self.held_back = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                service.requests.append((self.path, dict(self.headers), body))
                token = body.get('nextPageToken')
                service.arrived[token].set()
                status, answer = service.answers.pop(0)
                assert token not in service.held_back or service.held_back[token].wait(60)
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
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.address = f'{"http" if tls is None else "https"}://127.0.0.1:{self.server.server_port}'
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

    @property
    def tokens(self):
        """The pages that were asked for."""
        return [body.get('nextPageToken') for _, _, body in self.requests]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def service():
    with contextlib.closing(Service()) as service:
        yield service
        for thread in fetching():
            thread.join(60)
            assert not thread.is_alive()


def client_of(address, config=CONFIG):
    session = boto3.session.Session('key', 'secret', 'session', region_name='eu-west-1')
    return session.client('swf', endpoint_url=address, config=config)


@pytest.fixture
def client(service):
    with contextlib.closing(fast(fast(client_of(service.address)))) as client:  # the second time changes nothing
        yield client


@pytest.fixture(params=[False, True], ids=['in turn', 'ahead'])
def history(request):
    """Reads the events' ids of every page."""
    is_ahead = request.param

    def read(client, **request):
        calls, found, token = RetryingClient(connect(client)), [], {}
        with calls.reading_ahead(OPERATION) if is_ahead else contextlib.nullcontext(calls) as reading:
            while True:
                page = reading.call(OPERATION, patience=0, **REQUEST, **request, **token)
                found += [event['eventId'] for event in page['events']]
                if not page.get('nextPageToken'):
                    return found
                token = {'nextPageToken': page['nextPageToken']}

    return read


def fetching():
    """The threads that fetch pages."""
    return [thread for thread in threading.enumerate() if thread.name == 'genflow-pages']


def test_the_methods_that_give_pages_are_known_without_loading_what_requests_them():
    assert frozenset(OPERATIONS.values()) == PAGED


def test_pages_are_requested_past_botocore(service, client, history):
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


def test_a_client_that_nobody_made_fast_requests_each_page_itself(service, history):
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
def test_the_client_requests_a_page_that_is_out_of_the_ordinary(service, client, odd, history):
    service.will_answer(PAGES[0], odd, PAGES[1], LAST)
    assert history(client) == [1, 2, 3]
    assert service.calls == 2, 'one for the first page, one instead of the odd one, whose request the last is made of'


def test_an_error_is_the_clients(service, client, history):
    fault = (400, b'{"__type": "com.amazonaws.swf.base.model#UnknownResourceFault", "message": "Unknown run"}')
    service.will_answer(PAGES[0], fault, fault)
    with pytest.raises(client.exceptions.UnknownResourceFault, match='Unknown run'):
        history(client)


def test_the_client_is_asked_where_the_connection_breaks(service, client, history):
    service.will_answer(PAGES[0], DROPPED, PAGES[1], LAST)
    assert history(client) == [1, 2, 3]
    assert service.calls == 2


@pytest.mark.thorough
@pytest.mark.parametrize('name', ['before-send', 'before-call', 'before-sign', 'after-call', 'request-created'])
def test_a_hook_of_the_application_sees_every_page(service, client, name, history):
    seen = []
    client.meta.events.register(f'{name}.swf', lambda **_: seen.append(name))
    service.will_answer(*PAGES, LAST)
    assert history(client) == [1, 2, 3]
    assert (len(seen), service.calls) == (3, 3)


def test_a_hook_that_comes_between_two_histories_sees_every_page_of_the_second(service, client, history):
    service.will_answer(*PAGES, LAST)
    assert history(client) == [1, 2, 3]
    seen = []
    client.meta.events.register('before-send.swf', lambda **_: seen.append(1))
    service.will_answer(*PAGES, LAST)
    assert history(client) == [1, 2, 3]
    assert len(seen) == 3


@pytest.mark.thorough
def test_a_stubbed_client_gives_every_page(service, client, history):
    with Stubber(client) as stub:
        for page in (*PAGES, LAST):
            stub.add_response(OPERATION, page)
        assert history(client) == [1, 2, 3]
        stub.assert_no_pending_responses()
    assert service.requests == []


def test_a_client_that_does_not_sign_requests_each_page_itself(service, history):
    service.will_answer(*PAGES, LAST)
    config = Config(signature_version=UNSIGNED, retries={'total_max_attempts': 1})
    with contextlib.closing(fast(client_of(service.address, config))) as unsigned:
        assert history(unsigned) == [1, 2, 3]
    assert service.calls == 3
    assert all('Authorization' not in headers for _, headers, _ in service.requests)


def test_pages_go_through_the_clients_proxy(service, history):
    config = Config(proxies={'http': service.address}, retries={'total_max_attempts': 1})
    with contextlib.closing(fast(client_of('http://swf.invalid', config))) as client:
        service.will_answer(*PAGES, LAST)
        assert history(client) == [1, 2, 3]
    assert [path for path, _, _ in service.requests] == ['http://swf.invalid/'] * 3
    assert service.calls == 1


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that vouches for itself, with its key; for both sides."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'swf')])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address('127.0.0.1'))])
    begin = datetime.now(timezone.utc) - timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = (
        made.not_valid_before(begin).not_valid_after(begin + timedelta(days=9)).add_extension(address, critical=False)
    )
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, SHA256())
    (tmp_path / 'cert.pem').write_bytes(made.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / 'key.pem').write_bytes(secret)
    return str(tmp_path / 'cert.pem'), str(tmp_path / 'key.pem')


def test_pages_are_requested_with_the_clients_certificates(certificate, history):
    """The server asks for the client's certificate, and nothing but the client's ``verify`` knows the server's."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    tls.load_verify_locations(certificate[0])
    tls.verify_mode = ssl.CERT_REQUIRED
    config = Config(client_cert=certificate, retries={'total_max_attempts': 1})
    session = boto3.session.Session('key', 'secret', region_name='eu-west-1')
    with contextlib.closing(Service(tls)) as service:
        options = {'endpoint_url': service.address, 'verify': certificate[0], 'config': config}
        with contextlib.closing(fast(session.client('swf', **options))) as client:
            service.will_answer(*PAGES, LAST)
            assert history(client) == [1, 2, 3]
            for thread in fetching():
                thread.join(60)
    assert service.calls == 1


@pytest.mark.parametrize('keepalive', [False, True])
def test_connections_are_made_as_the_client_makes_them_but_without_delay(service, monkeypatch, keepalive):
    made = []

    def create_connection(address, timeout, source_address=None, socket_options=None):
        sock = create(address, timeout, source_address=source_address, socket_options=socket_options)
        made.append((timeout, sock))
        return sock

    create = urllib3.util.connection.create_connection
    monkeypatch.setattr(urllib3.util.connection, 'create_connection', create_connection)
    seconds = {'connect_timeout': 71, 'read_timeout': 73}
    config = Config(**seconds, tcp_keepalive=keepalive, retries={'total_max_attempts': 1})
    service.will_answer(*PAGES, LAST)
    with contextlib.closing(fast(client_of(service.address, config))) as client:
        for _ in pages(partial(RetryingClient(connect(client)).call, OPERATION), **REQUEST):
            pass
        (_, first), (timeout, sock) = made  # one connection for all other pages
        assert (timeout, sock.gettimeout()) == (71, 73)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        for each in (first, sock):
            assert bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) is keepalive
    assert service.calls == 1


def test_a_client_whose_credentials_are_renewed_signs_with_the_new_ones(service, client, history):
    service.will_answer(PAGES[0])
    calls = RetryingClient(connect(client))
    calls.call(OPERATION, **REQUEST)
    credentials = client._request_signer._credentials  # noqa: SLF001 - as botocore renews them
    credentials.access_key, credentials.token = 'renewed', 'other session'
    service.will_answer(LAST)
    calls.call(OPERATION, **REQUEST, nextPageToken='2')
    _, headers, _ = service.requests[-1]
    assert headers['Authorization'].startswith('AWS4-HMAC-SHA256 Credential=renewed/')
    assert headers['X-Amz-Security-Token'] == 'other session'
    assert service.calls == 1


@pytest.mark.parametrize('read', ['execution.history()', 'HistoryTail'])
def test_who_reads_a_whole_history_reads_ahead_and_gets_datetimes(service, client, read):
    numbers_of(service, range(1, 6))
    if read == 'HistoryTail':
        numbers_of(service, range(5, 0, -1))
        found = HistoryTail(client, 'd', 'w', 'r').since(0)
    else:
        found = Client('d', client).execution('w', 'r').history()
    assert [(one['eventId'], one['eventTimestamp'].timestamp()) for one in found] == [(n, 1.5) for n in range(1, 6)]
    assert {one['eventTimestamp'].tzinfo is not None for one in found} == {True}
    assert service.calls == 1


def test_who_looks_for_new_events_reads_nothing_ahead(service, client):
    service.will_answer({'events': [event(9), event(8)], 'nextPageToken': '2'})
    assert [one['eventId'] for one in HistoryTail(client, 'd', 'w', 'r').since(8)] == [9]
    assert fetching() == []
    assert len(service.requests) == 1


def numbers_of(service, numbers):
    """So many pages with an event each; the token of each is how many pages there were."""
    tokens = [{'nextPageToken': str(place + 1)} for place in range(1, len(numbers))] + [{}]
    pages = ({'events': [event(number)], **token} for number, token in zip(numbers, tokens, strict=True))
    service.will_answer(*pages)


def test_the_next_page_is_requested_while_the_last_is_parsed(service):
    def parse(body, members):
        page = read_page(body, members)
        assert service.arrived[page['nextPageToken']].wait(60) if 'nextPageToken' in page else not service.answers
        parsed.append(page['events'][0]['eventId'])
        return page

    parsed, found = [], []
    numbers_of(service, range(1, 6))
    with contextlib.closing(client_of(service.address)) as client:
        remember(client, PageRequests.of(client, parse))
        with RetryingClient(connect(client)).reading_ahead(OPERATION) as ahead:
            for page in pages(partial(ahead.call, OPERATION), **REQUEST):
                found += [event['eventId'] for event in page['events']]
    assert (found, parsed, service.tokens) == ([1, 2, 3, 4, 5], [2, 3, 4, 5], [None, '2', '3', '4', '5'])


@pytest.fixture
def at_first_page(client):
    """Functions that are called with the body of each of the client's answers that is about to be parsed."""

    def parse(response_dict, **_):
        for call in calls:
            call(response_dict['body'])

    calls = []
    parse.__module__ = 'genflow'  # the hook of an application would have to see every page
    client.meta.events.register_last('before-parse.swf.GetWorkflowExecutionHistory', parse)
    return calls


def test_the_second_page_is_requested_before_the_clients_answer_is_parsed(service, client, at_first_page):
    at_first_page.append(lambda _: arrived.append(service.arrived['2'].wait(60)))
    arrived = []
    service.will_answer(*PAGES, LAST)
    with RetryingClient(connect(client)).reading_ahead(OPERATION) as ahead:
        found = [page['events'][0]['eventId'] for page in pages(partial(ahead.call, OPERATION), **REQUEST)]
    assert (found, arrived, service.tokens) == ([1, 2, 3], [True], [None, '2', '3'])


def test_pages_of_another_token_than_the_parsed_one_are_dropped(service, client, at_first_page):
    """The search finds the last member of that name, wherever it is; which one counts shows when it is parsed."""
    odd = {'events': [event(1)], 'nextPageToken': '2', 'x': {'nextPageToken': '9'}}
    at_first_page.append(lambda _: arrived.append(service.arrived['9'].wait(60)))
    arrived = []
    service.will_answer(odd, LAST, LAST)
    with RetryingClient(connect(client)).reading_ahead(OPERATION) as ahead:
        found = [page['events'][0]['eventId'] for page in pages(partial(ahead.call, OPERATION), **REQUEST)]
    assert (found, arrived, service.tokens, service.calls) == ([1, 3], [True], [None, '9', '2'], 1)


@pytest.mark.parametrize(
    ('first', 'begins'),
    [
        ((500, b'{"nextPageToken": "2"}'), False),
        ((400, b'{"__type": "UnknownResourceFault", "nextPageToken": "2"}'), False),
        ((200, b'{"events": [], "nextPageToken": "2"'), True),
    ],
    ids=['500', '400', 'broken'],
)
def test_nothing_is_fetched_on_after_an_error(service, client, first, begins):
    service.will_answer(first, *PAGES[1:], LAST)
    with (
        RetryingClient(connect(client)).reading_ahead(OPERATION) as ahead,
        pytest.raises((botocore.exceptions.ClientError, MalformedAnswer)),
    ):
        ahead.call(OPERATION, patience=0, **REQUEST)
    for thread in fetching():
        thread.join(60)
        assert not thread.is_alive()
    assert ('2' in service.tokens) is begins


def test_a_call_that_was_abandoned_starts_nothing_when_it_comes_back(service, client):
    service.will_answer(*PAGES, LAST)
    service.held_back[None] = threading.Event()
    calls = RetryingClient(connect(client), is_over=service.arrived[None].is_set)
    with calls.reading_ahead(OPERATION) as ahead, pytest.raises(TimeoutError, match='closed'):
        ahead.call(OPERATION, **REQUEST)
    (thread,) = (thread for thread in threading.enumerate() if thread.name == 'genflow-client-call')
    service.held_back[None].set()
    thread.join(60)
    assert not thread.is_alive()
    assert (fetching(), service.tokens) == ([], [None])


def test_at_most_two_pages_are_requested_that_nobody_wants_yet(service, client):
    numbers_of(service, range(1, 10))
    with RetryingClient(connect(client)).reading_ahead(OPERATION) as ahead:
        found = pages(partial(ahead.call, OPERATION), **REQUEST)
        next(found)
        assert service.arrived['3'].wait(60)
        (thread,) = fetching()
    thread.join(60)
    assert service.tokens == [None, '2', '3'], 'the thread has ended, and asked for no more'


def test_who_waits_is_told_when_a_request_has_been_sent(service, client):
    """A page is handed on then: before, its reader would hold up the request, and after the answer is too late."""
    numbers_of(service, range(1, 3))
    RetryingClient(connect(client)).call(OPERATION, **REQUEST)
    service.held_back['2'] = threading.Event()

    def sent():
        assert service.arrived['2'].wait(60)
        service.held_back['2'].set()

    body = page_requests_of(client).body(OPERATION, {**REQUEST, 'nextPageToken': '2'}, sent)
    assert json.loads(body)['events'][0]['eventId'] == 2


@pytest.mark.parametrize('error', [None, ValueError, KeyboardInterrupt])
def test_a_read_that_ends_early_waits_for_nothing(service, client, error):
    service.will_answer(*PAGES, LAST)
    service.held_back['3'] = threading.Event()
    with contextlib.suppress(error or ()), RetryingClient(connect(client)).reading_ahead(OPERATION) as ahead:
        found = pages(partial(ahead.call, OPERATION), **REQUEST)
        next(found), next(found)
        assert service.arrived['3'].wait(60)
        (thread,) = fetching()
        if error is not None:
            raise error
    assert thread.is_alive()
    service.held_back['3'].set()
    thread.join(60)
    assert not thread.is_alive()


def test_a_page_that_is_not_the_next_one_is_the_clients(service, client):
    """A caller that asks for another page than the next one gets it, not the one that was fetched."""
    service.will_answer(*PAGES, LAST, PAGES[1])
    with RetryingClient(connect(client)).reading_ahead(OPERATION) as ahead:
        for token, number in ((None, 1), ('2', 2)):
            request = {} if token is None else {'nextPageToken': token}
            assert ahead.call(OPERATION, **REQUEST, **request)['events'][0]['eventId'] == number
        assert service.arrived['3'].wait(60)
        (thread,) = fetching()
        assert ahead.call(OPERATION, **REQUEST, nextPageToken='2')['events'][0]['eventId'] == 2
        thread.join(60)
        assert ahead.call(OPERATION, **REQUEST, nextPageToken='3')['events'][0]['eventId'] == 3
    assert (service.tokens, service.calls) == ([None, '2', '3', '2'], 2), 'page 3 was there already'


def test_pages_are_read_in_turn_where_there_can_be_no_more_threads(service, client, history, monkeypatch):
    def start(thread):
        if thread.name == 'genflow-pages':
            raise RuntimeError("can't start new thread")
        begin(thread)

    begin = threading.Thread.start
    monkeypatch.setattr(threading.Thread, 'start', start)
    service.will_answer(*PAGES, LAST)
    assert history(client) == [1, 2, 3]
    assert service.tokens == [None, '2', '3']


def test_a_token_is_no_text_of_an_event(service, client, history):
    """A token is searched for in the bytes of a page, where payloads may have anything in them."""
    odd = {**event(2), 'timerFiredEventAttributes': {'timerId': '"nextPageToken":"x"', 'startedEventId': 1}}
    service.will_answer(PAGES[0], {'events': [odd], 'nextPageToken': '3'}, {'events': [{**odd, 'eventId': 3}]})
    assert history(client) == [1, 2, 3]
    assert service.tokens == [None, '2', '3']


def test_a_service_in_process_is_asked_for_no_page_ahead():
    with LocalSWF() as swf:
        calls = RetryingClient(connect(swf))
        with calls.reading_ahead(OPERATION) as same:
            assert same is calls


HEAD = {
    'taskToken': 'token',
    'startedEventId': 4,
    'previousStartedEventId': 0,
    'workflowExecution': {'workflowId': 'w', 'runId': 'r'},
    'workflowType': {'name': 'n', 'version': '1'},
}


def test_the_second_page_of_a_decision_task_is_requested_at_once(service, client):
    odd = {**HEAD, 'events': [], 'nextPageToken': '3'}
    service.will_answer({**HEAD, **PAGES[0]}, odd, {**HEAD, **PAGES[1], 'nextPageToken': '4'}, {**HEAD, **LAST})
    task = Poller(RetryingClient(connect(client)), 'd', 'tl').decision_task()
    assert service.arrived['2'].wait(60)
    assert [event['eventId'] for event in task.events] == [1, 2, 3]
    assert (service.tokens, service.calls) == ([None, '2', '3', '4'], 1)


def test_a_task_that_is_late_says_so_where_its_events_are_read(service, client):
    fault = (400, b'{"__type": "com.amazonaws.swf.base.model#UnknownResourceFault", "message": "Unknown token"}')
    service.will_answer({**HEAD, **PAGES[0]}, {**HEAD, **PAGES[1]}, fault, fault)
    task = Poller(RetryingClient(connect(client)), 'd', 'tl').decision_task()
    with pytest.raises(client.exceptions.UnknownResourceFault, match='Unknown token'):
        list(task.events)
    assert (service.tokens, service.calls) == ([None, '2', '3', '3'], 2)


def test_a_task_that_nobody_handles_leaves_no_thread(service, client):
    numbers_of(service, range(1, 10))
    service.answers[0] = (200, json.dumps({**HEAD, **PAGES[0]}).encode())
    task = Poller(RetryingClient(connect(client)), 'd', 'tl').decision_task()
    assert service.arrived['3'].wait(60)
    (thread,) = fetching()
    del task
    thread.join(60)
    assert not thread.is_alive()


class Waits(Workflow):
    go = Signal()
    first = threading.Event()

    def run(self):
        yield self.go.get()
        self.first.set()
        yield self.go.get()


def test_the_code_of_a_workflow_runs_while_pages_are_on_their_way(service, client):
    """The third page is answered once the code has seen the signal of the second."""

    def told(number, kind, **attributes):
        return {**event(number), 'eventType': kind, f'{kind[0].lower()}{kind[1:]}EventAttributes': attributes}

    types = {'workflowType': {'name': 'Waits', 'version': '1'}, 'taskList': {'name': 'tl'}}
    head = {**HEAD, 'workflowType': types['workflowType'], 'startedEventId': 7}
    service.held_back['3'] = Waits.first
    service.will_answer(
        {**head, 'events': [told(1, 'WorkflowExecutionStarted', **types)], 'nextPageToken': '2'},
        {
            **head,
            'events': [
                told(2, 'WorkflowExecutionSignaled', signalName='go', input='1'),
                told(3, 'DecisionTaskStarted'),
                told(4, 'DecisionTaskCompleted', startedEventId=3),
                told(5, 'WorkflowExecutionSignaled', signalName='other'),
            ],
            'nextPageToken': '3',
        },
        {**head, 'events': [told(6, 'DecisionTaskScheduled'), told(7, 'DecisionTaskStarted')]},
        {},
    )
    calls, registry = RetryingClient(connect(client)), Registry()
    registry.add(WorkflowSpec(Waits, 'Waits', '1'))
    decider = Decider(calls, 'd', registry)
    decider.handle(Poller(calls, 'd', 'tl').decision_task())
    decider.cache.close_all()
    assert decider.counts == {'decided': 1, 'events': 7}
    assert service.requests[-1][2] == {'taskToken': 'token', 'decisions': []}


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
