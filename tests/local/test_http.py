"""The HTTP front: what SWF's clients send, what they get, and that a client that leaves takes no task with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
import urllib3
from botocore.config import Config

from genflow.local import Limits, LocalSWF, ManualClock
from genflow.local.http.dispatcher import Upgrade
from genflow.local.http.http11 import LARGEST
from genflow.local.http.server import HttpServer, allow_descriptors, serve
from genflow.local.http.timeouts import Timeouts

TIMEOUT = 60.0  # real seconds, far more than anything here takes
SHORT = 'SimpleWorkflowService.'
LONG = 'com.amazonaws.swf.service.model.SimpleWorkflowService.'
TASK_LIST = {'domain': 'd', 'taskList': {'name': 'l'}}
DEFAULTS = {
    'defaultTaskList': {'name': 'l'},
    'defaultExecutionStartToCloseTimeout': '3600',
    'defaultTaskStartToCloseTimeout': '60',
    'defaultChildPolicy': 'TERMINATE',
}


@pytest.fixture
def service():
    """A domain `d` in which an execution of `w` needs nothing but an id; polls are held."""
    with LocalSWF(clock=ManualClock(), long_poll=TIMEOUT) as service:
        prepare(service)
        yield service


@pytest.fixture
def server(service):
    with HttpServer(service, test_control=True) as server:
        yield server


def prepare(service):
    service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
    service.register_workflow_type(domain='d', name='w', version='1', **DEFAULTS)


def start(service, workflow_id='w'):
    service.start_workflow_execution(domain='d', workflowId=workflow_id, workflowType={'name': 'w', 'version': '1'})


def events(service, workflow_id='w'):
    (info,) = service.list_open_workflow_executions(
        domain='d', startTimeFilter={'oldestDate': 0}, executionFilter={'workflowId': workflow_id}
    )['executionInfos']
    history = service.get_workflow_execution_history(domain='d', execution=info['execution'])
    return [event['eventType'] for event in history['events']]


def post(server, target, body=b'{}', **headers):
    sent = {'X-Amz-Target': target, 'Content-Type': 'application/x-amz-json-1.0', **headers}
    return urllib3.request(
        'POST', server.url, body=body, headers={name: value for name, value in sent.items() if value is not None}
    )


def document(response):
    return response.status, json.loads(response.data)


DOMAIN = json.dumps({'name': 'd'}).encode()


# -- requests


@pytest.mark.parametrize('prefix', [SHORT, LONG])
@pytest.mark.parametrize('content_type', ['application/x-amz-json-1.0', 'application/json; charset=UTF-8', None])
def test_targets_and_content_types_that_clients_send(server, prefix, content_type):
    response = post(server, f'{prefix}DescribeDomain', DOMAIN, **{'Content-Type': content_type})
    assert response.status == 200
    assert json.loads(response.data)['domainInfo']['name'] == 'd'


def test_amz_is_no_encoding(server):
    assert post(server, f'{LONG}DescribeDomain', DOMAIN, **{'Content-Encoding': 'amz-1.0'}).status == 200


def test_a_compressed_body_is_refused(server):
    status, error = document(post(server, f'{SHORT}DescribeDomain', DOMAIN, **{'Content-Encoding': 'gzip'}))
    assert (status, error['__type'].partition('#')[2]) == (400, 'SerializationException')


def test_an_empty_body_has_no_members(server):
    status, error = document(post(server, f'{SHORT}DescribeDomain', b''))
    assert (status, error['__type']) == (400, 'com.amazon.coral.validate#ValidationException')
    assert "'name'" in error['message']


def test_an_answer_has_the_headers_of_aws(server):
    response = post(server, f'{SHORT}DescribeDomain', DOMAIN)
    assert response.headers['Content-Type'] == 'application/x-amz-json-1.0'
    assert len(response.headers['x-amzn-RequestId']) == 36
    assert response.headers['Content-Length'] == str(len(response.data))


def test_every_request_has_an_id_of_its_own(server):
    found = {post(server, f'{SHORT}DescribeDomain', DOMAIN).headers['x-amzn-RequestId'] for _ in range(3)}
    assert len(found) == 3


def test_an_operation_without_output_answers_no_bytes(server):
    response = post(server, f'{SHORT}DeprecateDomain', DOMAIN)
    assert (response.status, response.data, response.headers['Content-Length']) == (200, b'', '0')


def test_a_fault_has_swfs_document(server):
    status, error = document(post(server, f'{SHORT}DescribeDomain', b'{"name": "nowhere"}'))
    assert status == 400
    assert error == {
        '__type': 'com.amazonaws.swf.base.model#UnknownResourceFault',
        'message': 'Unknown domain: nowhere',
    }


@pytest.mark.parametrize('target', ['', 'SimpleWorkflowService.Rest', 'DescribeDomain', 'DynamoDB_20120810.ListTables'])
def test_an_unknown_target(server, target):
    status, error = document(post(server, target, DOMAIN))
    assert (status, error['__type']) == (404, 'com.amazon.coral.service#UnknownOperationException')


@pytest.mark.parametrize(
    'body',
    [b'{', b'[]', b'"x"', b'null', b'\xff{}', b'{"name": NaN}', b'[' * 100_000, '{"name": "d"}'.encode('utf-16')],
)
def test_a_body_that_is_no_object_of_json(server, body):
    status, error = document(post(server, f'{SHORT}DescribeDomain', body))
    assert (status, error['__type'].partition('#')[2]) == (400, 'SerializationException')


def test_a_member_of_the_wrong_type(server):
    status, error = document(post(server, f'{SHORT}DescribeDomain', b'{"name": 5}'))
    assert (status, error['__type'].partition('#')[2]) == (400, 'SerializationException')


@pytest.mark.parametrize('number', [b'1e999', b'-1e999', b'1e300', b'9' * 100, b'9' * 5000, b'-' + b'9' * 5000])
@pytest.mark.parametrize(
    ('operation', 'body'),
    [
        ('ListDomains', b'{"registrationStatus": "REGISTERED", "maximumPageSize": %s}'),
        ('ListOpenWorkflowExecutions', b'{"domain": "d", "startTimeFilter": {"oldestDate": %s}}'),
        ('CountOpenWorkflowExecutions', b'{"domain": "d", "startTimeFilter": {"oldestDate": 0, "latestDate": %s}}'),
    ],
)
def test_a_number_out_of_range_is_a_validation_error(server, operation, body, number):
    status, error = document(post(server, SHORT + operation, body % number))
    assert (status, error['__type']) == (400, 'com.amazon.coral.validate#ValidationException')
    assert len(error['message']) < 400


def test_a_huge_number_that_means_nothing_is_ignored(server):
    assert post(server, f'{SHORT}DescribeDomain', b'{"name": "d", "colour": %s}' % (b'9' * 5000)).status == 200


def test_unknown_and_null_members_are_ignored(server):
    assert post(server, f'{SHORT}DescribeDomain', b'{"name": "d", "colour": "red", "size": null}').status == 200


@pytest.mark.parametrize('signature', [None, 'nonsense', 'AWS3 AWSAccessKeyId=x,Algorithm=HmacSHA256,Signature=y'])
def test_signatures_are_not_checked(server, signature):
    assert post(server, f'{SHORT}DescribeDomain', DOMAIN, Authorization=signature).status == 200


def test_a_request_that_is_too_large(server):
    status, error = document(post(server, f'{SHORT}DescribeDomain', b' ' * LARGEST))
    assert (status, error['__type']) == (413, 'com.amazon.coral.service#RequestEntityTooLargeException')


def test_health(server):
    response = urllib3.request('GET', server.url)
    assert (response.status, response.headers['Content-Type']) == (200, 'text/plain; charset=utf-8')
    assert urllib3.request('HEAD', server.url).status == 200


@pytest.mark.parametrize(('method', 'path', 'status'), [('POST', '/x', 404), ('PUT', '/', 405), ('OPTIONS', '/', 405)])
def test_other_paths_and_methods(server, method, path, status):
    assert urllib3.request(method, server.url + path).status == status


def test_web_pages_are_refused(server):
    status, error = document(post(server, f'{SHORT}DescribeDomain', DOMAIN, Origin='http://example.com'))
    assert (status, error['__type']) == (403, 'com.amazon.coral.service#AccessDeniedException')


class Broken:
    """Stands where a service should, and fails as a bug would."""

    long_poll = 0
    answers_here = True

    def call_json(self, operation, members):
        raise ZeroDivisionError('a secret')


def test_a_bug_is_an_internal_failure_that_tells_nothing(caplog):
    with HttpServer(Broken()) as server:
        status, error = document(post(server, f'{SHORT}DescribeDomain', DOMAIN))
    assert (status, error['__type']) == (500, 'com.amazon.coral.service#InternalFailure')
    assert 'secret' not in error['message']
    assert 'DescribeDomain failed' in caplog.text


@pytest.mark.parametrize('path', ['/_genflow/reset', '/_genflow/clock'])
def test_an_exception_in_any_route_answers(path, caplog):
    # a service without any of the members that the routes use
    with HttpServer(object(), test_control=True) as server:
        status, error = document(urllib3.request('POST', server.url + path))
    assert (status, error['__type']) == (500, 'com.amazon.coral.service#InternalFailure')
    assert f'POST {path} failed' in caplog.text


@pytest.mark.thorough
def test_a_service_that_was_closed_is_an_internal_failure(service, server):
    service.close()
    status, error = document(post(server, f'{SHORT}DescribeDomain', DOMAIN))
    assert (status, error['__type']) == (500, 'com.amazon.coral.service#InternalFailure')


# -- connections


def connect(server):
    return socket.create_connection((server.host, server.port), timeout=TIMEOUT)


def raw(operation, members, *headers):
    body = json.dumps(members).encode()
    lines = ['POST / HTTP/1.1', 'Host: x', f'X-Amz-Target: {SHORT}{operation}', *headers]
    return '\r\n'.join([*lines, f'Content-Length: {len(body)}', '', '']).encode() + body


def read_response(stream):
    """Status and body of the next response on a connection."""
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline().strip().lower()) != b'':
        if line.startswith(b'content-length:'):
            length = int(line.partition(b':')[2])
    return status, stream.read(length)


def test_a_connection_is_used_again(server):
    with connect(server) as client, client.makefile('rb') as stream:
        for _ in range(3):
            client.sendall(raw('DescribeDomain', {'name': 'd'}))
            assert read_response(stream)[0] == 200


def test_requests_that_come_at_once_are_answered_in_order(server):
    with connect(server) as client, client.makefile('rb') as stream:
        client.sendall(raw('DescribeDomain', {'name': 'd'}) + raw('DescribeDomain', {'name': 'x'}) * 2)
        assert [read_response(stream)[0] for _ in range(3)] == [200, 400, 400]


def test_a_connection_ends_when_the_client_says_so(server):
    with connect(server) as client, client.makefile('rb') as stream:
        client.sendall(raw('DescribeDomain', {'name': 'd'}, 'Connection: close'))
        assert read_response(stream)[0] == 200
        assert stream.read() == b''


def test_a_client_that_sends_no_more_still_gets_its_answer(server):
    with connect(server) as client, client.makefile('rb') as stream:
        client.sendall(raw('DescribeDomain', {'name': 'd'}))
        client.shutdown(socket.SHUT_WR)
        assert read_response(stream)[0] == 200


def test_a_body_is_sent_for_when_the_client_waits_for_that(server):
    head, _, body = raw('DescribeDomain', {'name': 'd'}, 'Expect: 100-continue').partition(b'\r\n\r\n')
    with connect(server) as client, client.makefile('rb') as stream:
        client.sendall(head + b'\r\n\r\n')
        assert read_response(stream) == (100, b'')
        client.sendall(body)
        assert read_response(stream)[0] == 200


def test_a_body_that_would_be_too_large_is_not_sent_for(server):
    with connect(server) as client, client.makefile('rb') as stream:
        client.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n')
        assert read_response(stream)[0] == 413


def test_what_is_no_http_is_refused(server):
    with connect(server) as client, client.makefile('rb') as stream:
        client.sendall(b'hello\r\n\r\n')
        assert read_response(stream)[0] == 400


# -- clients that take their time


@pytest.mark.parametrize('sent', [b'GET / HT', b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf'])
def test_a_request_that_is_never_finished_ends_its_connection(service, sent):
    with HttpServer(service, timeouts=Timeouts(request=0.05)) as server, connect(server) as client:
        client.sendall(sent)
        assert client.recv(100) == b''


def test_a_request_that_comes_drop_by_drop_gets_no_more_time(service):
    with HttpServer(service, timeouts=Timeouts(request=0.05)) as server, connect(server) as client:
        with pytest.raises(OSError):  # noqa: PT011 - reset or broken pipe, as the system likes
            until(lambda: client.sendall(b'x'))
        with contextlib.suppress(OSError):
            assert client.recv(100) == b''


@pytest.mark.parametrize('requests', [0, 2])
def test_a_connection_that_is_not_used_is_closed(service, requests):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(HttpServer(service, timeouts=Timeouts(idle=0.05)))
        client = stack.enter_context(connect(server))
        stream = stack.enter_context(client.makefile('rb'))
        for _ in range(requests):
            client.sendall(raw('DescribeDomain', {'name': 'd'}))
            assert read_response(stream)[0] == 200
        assert stream.read() == b''


def test_a_held_poll_is_neither_idle_nor_unfinished(service):
    quick = Timeouts(request=0.01, idle=0.01, reply=0.01)
    with contextlib.ExitStack() as stack:
        server, other = (stack.enter_context(HttpServer(service, timeouts=quick)) for _ in range(2))
        client = stack.enter_context(contextlib.closing(poll(server)))
        stream = stack.enter_context(client.makefile('rb'))
        with connect(other) as witness:
            assert witness.recv(100) == b''  # so time enough has passed
        start(service)
        assert read_response(stream)[0] == 200


def long_history(service, events=60):
    start(service)
    for _ in range(events):
        service.signal_workflow_execution(domain='d', workflowId='w', signalName='s', input='x' * 32_000)
    (info,) = service.list_open_workflow_executions(domain='d', startTimeFilter={'oldestDate': 0})['executionInfos']
    return raw('GetWorkflowExecutionHistory', {'domain': 'd', 'execution': info['execution']})


def test_a_client_that_does_not_read_is_not_worked_for(service, server):
    """Thirty pipelined requests for 2 MB each: the next one is carried out when the reply before it has been read."""
    request = long_history(service)
    before = service.statistics.calls
    with connect(server) as client, client.makefile('rb') as stream:
        client.sendall(request * 30)
        assert read_response(stream)[0] == 200
        assert service.statistics.calls - before < 10  # what the system's buffers hold is on its way
        assert [read_response(stream)[0] for _ in range(29)] == [200] * 29
    assert service.statistics.calls - before == 30


def test_a_client_that_never_reads_is_cut_off(service):
    with HttpServer(service, timeouts=Timeouts(reply=0.05)) as server, connect(server) as client:
        client.sendall(long_history(service) * 30)
        until(lambda: server.connections == 1)
        until(lambda: server.connections == 0)


def test_connections_beyond_the_bound_wait_until_another_one_ends(service):
    with HttpServer(service, max_connections=2) as server, contextlib.ExitStack() as stack:
        first, second, third = (stack.enter_context(connect(server)) for _ in range(3))
        for client in (first, second, third):
            client.sendall(raw('DescribeDomain', {'name': 'd'}))
        for client in (first, second):
            assert client.recv(10_000).startswith(b'HTTP/1.1 200 ')
        assert server.connections == 2
        first.close()
        assert third.recv(10_000).startswith(b'HTTP/1.1 200 ')


LARGE = raw('DescribeDomain', {'name': 'd', 'unknown': 'x' * 500_000})


def chunked(request):
    """The request with its body in one chunk."""
    head, _, body = request.partition(b'\r\n\r\n')
    lines = [line for line in head.split(b'\r\n') if not line.lower().startswith(b'content-length')]
    return b'\r\n'.join([*lines, b'Transfer-Encoding: chunked', b'', b'%x' % len(body), body, b'0', b'', b''])


@pytest.mark.parametrize('request_', [LARGE, chunked(LARGE)], ids=['length', 'chunks'])
def test_large_requests_are_held_within_a_bound(service, request_):
    """Whoever was there first gets an answer, whoever goes beyond the bound is to try again; small requests pass."""
    with HttpServer(service, max_request_bytes=600_000) as server, contextlib.ExitStack() as stack:
        first, second, small = (stack.enter_context(connect(server)) for _ in range(3))
        half = len(request_) * 4 // 5
        first.sendall(request_[:half])
        until(lambda: server._held.total > 300_000)  # noqa: SLF001 - clients cannot see it
        second.sendall(request_[:half])
        with second.makefile('rb') as stream:
            status, body = read_response(stream)
        assert status == 503
        assert json.loads(body)['__type'] == 'com.amazon.coral.service#ServiceUnavailable'
        small.sendall(raw('DescribeDomain', {'name': 'd'}))
        assert small.recv(10_000).startswith(b'HTTP/1.1 200 ')
        first.sendall(request_[half:])
        assert first.recv(10_000).startswith(b'HTTP/1.1 200 ')
        assert server._held.total == 0  # noqa: SLF001
        with connect(server) as leaving:
            leaving.sendall(request_[:half])
            until(lambda: server._held.total > 300_000)  # noqa: SLF001
        until(lambda: server._held.total == 0)  # noqa: SLF001
        first.sendall(request_)
        assert first.recv(10_000).startswith(b'HTTP/1.1 200 ')


UPGRADE = ('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk')


def test_a_client_that_would_rather_speak_http2_is_answered_in_http1(server):
    """With the bounds of every other request, the one of all connections included."""
    with connect(server) as client, client.makefile('rb') as stream:
        client.sendall(raw('DescribeDomain', {'name': 'd'}, *UPGRADE))
        assert read_response(stream)[0] == 200
        client.sendall(raw('DescribeDomain', {'name': 'd'}))
        assert read_response(stream)[0] == 200
        head = raw('DescribeDomain', {}, *UPGRADE).partition(b'Content-Length')[0]
        client.sendall(head + b'Content-Length: %d\r\n\r\n' % LARGEST)
        assert read_response(stream)[0] == 413


def test_large_requests_that_ask_for_an_upgrade_are_held_within_a_bound(service):
    request_ = raw('DescribeDomain', {'name': 'd', 'unknown': 'x' * 500_000}, *UPGRADE)
    with HttpServer(service, max_request_bytes=600_000) as server, connect(server) as first, connect(server) as second:
        first.sendall(request_[:400_000])
        until(lambda: server._held.total > 300_000)  # noqa: SLF001 - clients cannot see it
        second.sendall(request_[:400_000])
        with second.makefile('rb') as stream:
            assert read_response(stream)[0] == 503
        first.sendall(request_[400_000:])
        with first.makefile('rb') as stream:
            assert read_response(stream)[0] == 200
        until(lambda: server._held.total == 0)  # noqa: SLF001


def test_an_upgrade_that_is_taken_gives_back_what_its_request_held(service):
    """As the connection of a follower to its leader; it is no connection of the server any more."""
    taken = []

    class Other(asyncio.Protocol):
        def connection_made(self, transport):
            taken.append(server._held.total)  # noqa: SLF001
            transport.close()

    with HttpServer(service, max_request_bytes=600_000) as server:
        server._routes[('POST', '/other')] = lambda request: Upgrade('other', Other)  # noqa: SLF001
        for _ in range(2):  # both would not fit
            with connect(server) as client, client.makefile('rb') as stream:
                client.sendall(raw('X', {'unknown': 'x' * 500_000}).replace(b'POST /', b'POST /other', 1))
                assert stream.readline() == b'HTTP/1.1 101 Switching Protocols\r\n'
                assert stream.read().endswith(b'Upgrade: other\r\n\r\n')
    assert taken == [0, 0]


def test_a_held_poll_counts_with_the_request_that_made_it(service):
    with HttpServer(service, max_request_bytes=600_000) as server, connect(server) as client:
        client.sendall(raw('PollForDecisionTask', {**TASK_LIST, 'unknown': 'x' * 500_000}))
        until(lambda: any(connection._held for connection in tuple(server._dispatcher.connections)))  # noqa: SLF001
        assert server._held.total > 500_000  # noqa: SLF001
        start(service)
        assert client.recv(100_000).startswith(b'HTTP/1.1 200 ')
        assert server._held.total == 0  # noqa: SLF001


def test_little_is_read_ahead_of_a_request_that_is_carried_out(service, server):
    """A client that pipelines gets no more memory than another."""
    with contextlib.closing(poll(server)) as client:
        until(lambda: any(connection._held for connection in tuple(server._dispatcher.connections)))  # noqa: SLF001
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                client.send(b'x' * 65_536)
        (connection,) = server._dispatcher.connections  # noqa: SLF001
        assert connection._reader.buffered < 400_000  # noqa: SLF001


# -- long polls


def poll(stream_of, operation='PollForDecisionTask'):
    """Send a poll on a connection of its own."""
    client = connect(stream_of)
    client.sendall(raw(operation, TASK_LIST))
    return client


def until(condition):
    """Wait until another thread has made it true: there is no event to wait for in what a client can see."""
    assert any(condition() or threading.Event().wait(0.005) for _ in range(12_000))


def test_a_held_poll_ends_with_a_task(service, server):
    with contextlib.closing(poll(server)) as client, client.makefile('rb') as stream:
        start(service)
        status, body = read_response(stream)
    assert (status, json.loads(body)['startedEventId']) == (200, 3)


def test_a_client_that_leaves_takes_no_task_with_it(service, server):
    """Eight polls are held, seven of their clients leave: the only task goes to the eighth."""
    before = service.statistics.calls
    clients = [poll(server, 'PollForActivityTask') for _ in range(3)] + [poll(server) for _ in range(8)]
    until(lambda: service.statistics.calls == before + 11)
    for client in clients[:-1]:
        client.close()
    with contextlib.closing(clients[-1]) as client, client.makefile('rb') as stream:
        until(lambda: server.connections == 1)
        start(service)
        status, body = read_response(stream)
    assert (status, json.loads(body)['startedEventId']) == (200, 3)
    assert events(service) == ['WorkflowExecutionStarted', 'DecisionTaskScheduled', 'DecisionTaskStarted']


def test_a_task_waits_when_its_only_poller_has_left(service, server):
    before = service.statistics.calls
    client = poll(server)
    until(lambda: service.statistics.calls == before + 1)
    client.close()
    until(lambda: not server.connections)
    start(service)
    assert events(service) == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']


def test_a_client_that_is_cut_off_takes_no_task_with_it(service, server):
    before = service.statistics.calls
    client = poll(server)
    until(lambda: service.statistics.calls == before + 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))  # closing resets the connection
    client.close()
    until(lambda: not server.connections)
    start(service)
    assert events(service) == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']


def test_a_client_that_sends_no_more_gives_its_poll_up(service, server):
    with contextlib.closing(poll(server)) as client, client.makefile('rb') as stream:
        client.shutdown(socket.SHUT_WR)
        status, body = read_response(stream)
    assert (status, json.loads(body)) == (200, {'startedEventId': 0, 'previousStartedEventId': 0})


def test_hundreds_of_held_polls_hold_up_nobody(service, server):
    """More polls than workers by far; another call is answered, and every poll gets its task."""
    before = service.statistics.calls
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(poll(server))) for _ in range(POLLERS)]
        until(lambda: service.statistics.calls == before + POLLERS)
        assert post(server, f'{SHORT}DescribeDomain', DOMAIN).status == 200
        for n in range(POLLERS):
            start(service, str(n))
        found = set()
        for client in clients:
            with client.makefile('rb') as stream:
                found.add(json.loads(read_response(stream)[1])['workflowExecution']['workflowId'])
    assert found == {str(n) for n in range(POLLERS)}


POLLERS = 400  # as many as fit into the usual 1,024 descriptors of a process that holds both ends


def test_more_pollers_of_a_list_than_are_allowed():
    limits = Limits(pollers=2)
    with LocalSWF(long_poll=TIMEOUT, limits=limits) as service, HttpServer(service) as server:
        prepare(service)
        before = service.statistics.calls
        with contextlib.closing(poll(server)), contextlib.closing(poll(server)):
            until(lambda: service.statistics.calls == before + 2)
            status, error = document(post(server, f'{SHORT}PollForDecisionTask', json.dumps(TASK_LIST).encode()))
    assert (status, error['__type'].partition('#')[2]) == (400, 'LimitExceededFault')


def test_a_poll_of_an_unknown_domain_is_refused_at_once(server):
    body = json.dumps({**TASK_LIST, 'domain': 'x'}).encode()
    status, error = document(post(server, f'{SHORT}PollForDecisionTask', body))
    assert (status, error['message']) == (400, 'Unknown domain: x')


def test_a_held_poll_comes_back_empty_after_its_time():
    with LocalSWF(long_poll=0.05) as service, HttpServer(service) as server:
        prepare(service)
        body = json.dumps(TASK_LIST).encode()
        assert document(post(server, f'{SHORT}PollForActivityTask', body)) == (200, {'startedEventId': 0})


# -- the end


def test_stopping_answers_held_polls_with_nothing(service):
    with HttpServer(service) as server:
        before = service.statistics.calls
        client = poll(server)
        until(lambda: service.statistics.calls == before + 1)
    with contextlib.closing(client), client.makefile('rb') as stream:
        status, body = read_response(stream)
        assert (status, json.loads(body)) == (200, {'startedEventId': 0, 'previousStartedEventId': 0})
        assert stream.read() == b''


def test_stopping_closes_idle_connections(service):
    with HttpServer(service) as server:
        client = connect(server)
        client.sendall(raw('DescribeDomain', {'name': 'd'}))
        with client.makefile('rb') as stream:
            assert read_response(stream)[0] == 200
    with contextlib.closing(client), client.makefile('rb') as stream:
        assert stream.read() == b''


def test_a_server_may_be_stopped_before_it_runs(service):
    server = HttpServer(service)
    server.stop()
    server.run()


def test_a_port_that_is_taken(service, server):
    with pytest.raises(OSError, match='in use'):
        HttpServer(service, port=server.port)


def serve_quietly(service, started):
    """Serve, and leave the process's limits as they were."""
    resource = pytest.importorskip('resource')
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        serve(service, started=started)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_serve_tells_its_address_and_ends_when_it_is_told_to(service):
    def started(url):
        urls.append(url)
        signal.raise_signal(signal.SIGINT)

    urls = []
    with pytest.raises(KeyboardInterrupt):
        serve_quietly(service, started)
    assert urls[0].startswith('http://127.0.0.1:')


def test_serve_makes_its_calls_in_no_thread_that_signals_interrupt(tmp_path):
    """Calls of the main thread are handed to another one, which costs more than most of them."""
    callers = []

    class NotingCallers(LocalSWF):
        def begin(self, operation, request):
            callers.append(threading.current_thread())
            return super().begin(operation, request)

    def ask_and_end(url):
        try:
            urllib3.request('POST', url, body=b'{}', headers={'X-Amz-Target': f'{SHORT}ListDomains'})
        finally:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

    def started(url):
        asking.submit(ask_and_end, url)

    with NotingCallers(tmp_path / 'swf.db') as service, ThreadPoolExecutor(1) as asking:
        serve_quietly(service, started)
    assert len(callers) == 1
    assert threading.main_thread() not in callers


def test_serve_returns_when_it_is_terminated(service):
    serve_quietly(service, lambda url: signal.raise_signal(signal.SIGTERM))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


# -- switches for tests


def control(server, path, body=b'{}', **headers):
    return urllib3.request('POST', f'{server.url}/_genflow/{path}', body=body, headers=headers)


def test_reset_empties_the_service(server):
    assert document(control(server, 'reset')) == (200, {})
    assert post(server, f'{SHORT}DescribeDomain', DOMAIN).status == 400


def test_the_clock_moves(service, server):
    start(service)
    before = service.clock.milliseconds()
    assert document(control(server, 'clock', b'{"advance": 3601.5}')) == (200, {'now': before / 1000 + 3601.5})
    found = service.count_closed_workflow_executions(domain='d', startTimeFilter={'oldestDate': 0})
    assert found['count'] == 1


@pytest.mark.parametrize(
    'body',
    [
        b'',
        b'{}',
        b'{"advance": 1e300}',
        b'{"advance": 1e999}',
        b'{"advance": %s}' % (b'9' * 5000),
        b'{"advance": -1}',
        b'{"advance": "1"}',
        b'{"advance": true}',
        b'[]',
        b'{"advance": Infinity}',
    ],
)
def test_the_clock_is_moved_by_seconds_only(server, body):
    assert control(server, 'clock', body).status == 400


def test_the_time_of_day_is_not_moved():
    with LocalSWF() as service, HttpServer(service, test_control=True) as server:
        assert control(server, 'clock', b'{"advance": 1}').status == 400


@pytest.mark.parametrize('path', ['reset', 'clock'])
def test_the_switches_are_off_by_default(service, path):
    with HttpServer(service) as server:
        assert control(server, path, b'{"advance": 1}').status == 404
        assert post(server, f'{SHORT}DescribeDomain', DOMAIN).status == 200


def test_the_switches_are_not_for_web_pages(server):
    assert control(server, 'reset', Origin='http://example.com').status == 403


# -- boto3


def boto(server, region='us-east-1'):
    session = boto3.session.Session(aws_access_key_id='a', aws_secret_access_key='b', region_name=region)
    return session.client('swf', endpoint_url=server.url, config=Config(retries={'total_max_attempts': 1}))


def test_boto3_as_it_comes(service, server):
    with contextlib.closing(boto(server)) as client:
        start(service)
        task = client.poll_for_decision_task(domain='d', taskList={'name': 'l'})
        done = {'decisionType': 'CompleteWorkflowExecution'}
        done['completeWorkflowExecutionDecisionAttributes'] = {'result': 'r'}
        client.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[done])
        found = client.get_workflow_execution_history(domain='d', execution=task['workflowExecution'])
    assert found['events'][-1]['workflowExecutionCompletedEventAttributes']['result'] == 'r'


def test_boto3_pages(service, server):
    for name in 'abc':
        service.register_domain(name=name, workflowExecutionRetentionPeriodInDays='1')
    with contextlib.closing(boto(server)) as client:
        pages = client.get_paginator('list_domains').paginate(
            registrationStatus='REGISTERED', PaginationConfig={'PageSize': 2}
        )
        assert [len(page['domainInfos']) for page in pages] == [2, 2]


@pytest.mark.thorough
def test_a_region_may_have_a_service_of_its_own(service):
    with LocalSWF(region='eu-west-1') as other, HttpServer(service, regions={'eu-west-1': other}) as server:
        other.register_domain(name='there', workflowExecutionRetentionPeriodInDays='1')
        for region, name in [('us-east-1', 'd'), ('eu-west-1', 'there'), ('eu-west-3', 'd')]:
            with contextlib.closing(boto(server, region)) as client:
                found = client.list_domains(registrationStatus='REGISTERED')['domainInfos']
            assert [info['name'] for info in found] == [name]


@pytest.mark.thorough
def test_many_clients_at_once(service, server):
    def work(n):
        with contextlib.closing(boto(server)) as client:
            for m in range(20):
                start(client, f'{n}-{m}')

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    found = service.count_open_workflow_executions(domain='d', startTimeFilter={'oldestDate': 0})
    assert found['count'] == 160


def test_a_server_may_have_as_many_connections_as_the_system_allows():
    resource = pytest.importorskip('resource')
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        allow_descriptors()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
