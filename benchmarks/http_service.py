"""The service over HTTP: against moto_server, against a server that answers a fixed body at once, and at full load.

Run `python benchmarks/http_service.py [activities] [calls] [load] [signed] [polls]`; all of them unless some are
named. Servers run in processes of their own, ours on a file with `synchronous=FULL`; the figures of one part are
measured in turns, so that a busy machine slows both. What moto's server needs is installed into an environment in the
user's cache.

* activities: one thread decides and performs activities one after the other, through boto3 and through a bare socket;
  moto_server keeps nothing, ours is durable, and once more without waiting for the disk. With the CPU time of a call,
  server's and client's, for boto3's own is half of what is measured. Bound, with boto3: at least 3 times moto_server.
* calls: each of the five operations of a worker, with boto3, against the same call to a server that has nothing to do.
  Bound: at most 1.35 times.
* load: 1 and 16 connections that send as fast as they are answered. Bound: with 16, 6,000 durable calls a second; with
  1, half of the single-row commits that SQLite itself makes on the same disk. Beside it a server that does nothing but
  such a commit for each request: no server on asyncio can be quicker.
* signed: the load of 16 connections on a server that verifies signatures, against one that does not, in turns. Bound:
  at most 15 % fewer calls a second.
* polls: how soon a held poll has its task, alone and beside 1,000 others that wait. Bound: 20 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import selectors
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from environments import THIS, Interpreters, cache, environment

from genflow.local.http.server import allow_descriptors

TASK_LIST = {'domain': 'bench', 'taskList': {'name': 'list'}}
TYPE = {'name': 'type', 'version': '1'}
WORKFLOW_DEFAULTS = {
    'defaultTaskList': {'name': 'list'},
    'defaultExecutionStartToCloseTimeout': '3600',
    'defaultTaskStartToCloseTimeout': '600',
    'defaultChildPolicy': 'ABANDON',
}
ACTIVITY_DEFAULTS = {
    'defaultTaskList': {'name': 'list'},
    'defaultTaskScheduleToStartTimeout': 'NONE',
    'defaultTaskScheduleToCloseTimeout': 'NONE',
    'defaultTaskStartToCloseTimeout': '600',
    'defaultTaskHeartbeatTimeout': 'NONE',
}
COMPLETE = {'decisionType': 'CompleteWorkflowExecution', 'completeWorkflowExecutionDecisionAttributes': {}}

KEY, SECRET = 'AKIDBENCH', 'of no value'

SIGNED = f'AWS4-HMAC-SHA256 Credential={KEY}/20261129/us-east-1/swf/aws4_request, SignedHeaders=host, Signature=0'
"""A signature for a server that only looks for the region in it, as moto's does."""

# Servers.

OURS = """
import sys
from genflow.local import LocalSWF
from genflow.local.http.server import serve
from genflow.local.http.credentials import read_credentials
credentials = read_credentials(sys.argv[4]) if sys.argv[4:] else None
with LocalSWF(sys.argv[1], long_poll=float(sys.argv[2]), synchronous=sys.argv[3]) as service:
    serve(service, started=lambda url: print(url, flush=True), credentials=credentials)
"""

MOTO_REQUIREMENT = 'moto[server]>=5.2'

MOTO = """
import logging, os
from moto.server import ThreadedMotoServer
logging.getLogger('werkzeug').setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0)
server.start()
host, port = server.get_host_and_port()
print(f'http://{host}:{port}', flush=True)
server._thread.join()
"""

FIXED = """
import asyncio, sqlite3, sys
body = sys.argv[1].encode()
store = None
if sys.argv[2:]:
    store = sqlite3.connect(sys.argv[2], isolation_level=None)
    store.execute('pragma journal_mode=wal')
    store.execute('pragma synchronous=full')
    store.execute('pragma wal_autocheckpoint=128')
    store.execute('create table item (value)')
answer = b'HTTP/1.1 200 OK\\r\\nContent-Type: application/x-amz-json-1.0\\r\\nx-amzn-RequestId: 1\\r\\nContent-Length: %d\\r\\n\\r\\n%b' % (len(body), body)
class Fixed(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.data = transport, b''
    def data_received(self, data):
        self.data += data
        head, end, rest = self.data.partition(b'\\r\\n\\r\\n')
        if end and len(rest) >= int(head.lower().partition(b'content-length:')[2].split(b'\\r\\n')[0]):
            self.data = b''
            if store is not None:
                store.execute('insert into item values (1)')
            self.transport.write(answer)
async def main():
    server = await asyncio.get_running_loop().create_server(Fixed, '127.0.0.1', 0)
    print('http://127.0.0.1:%d' % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""  # noqa: E501 - one line of HTTP
"""Answers the body that it is given; given a file, too, each time after a commit of one row."""


class Running(str):
    """The URL of a server.

    Attributes:
        pid: Of its process.
    """

    __slots__ = ('pid',)

    pid: int

    def seconds(self) -> float:
        """CPU time that it has used, ended threads included; not a number where the system has no `/proc`."""
        try:
            numbers = Path(f'/proc/{self.pid}/stat').read_text().rpartition(')')[2].split()
        except OSError:
            return math.nan
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf('SC_CLK_TCK')


@contextlib.contextmanager
def server(source: str, *arguments: str, python: str = sys.executable) -> Iterator[Running]:
    """A server in a process of its own."""
    process = subprocess.Popen([python, '-c', source, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = Running(next(line.strip() for line in process.stdout if line.startswith('http://')))
        url.pid = process.pid
        yield url
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def ours(hold: str = '1', *, synchronous: str = 'FULL', verifies: bool = False) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        credentials = Path(folder) / 'credentials'
        credentials.write_text(f'[bench]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n')
        credentials.chmod(0o600)
        arguments = [f'{folder}/bench.db', hold, synchronous, *([str(credentials)] if verifies else [])]
        with server(OURS, *arguments) as url:
            yield url


def client(url: str) -> Any:
    session = boto3.session.Session(aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name='us-east-1')
    return session.client('swf', endpoint_url=url, config=Config(retries={'total_max_attempts': 1}))


def prepare(swf: Any) -> None:
    swf.register_domain(name='bench', workflowExecutionRetentionPeriodInDays='1')
    swf.register_workflow_type(domain='bench', **TYPE, **WORKFLOW_DEFAULTS)
    swf.register_activity_type(domain='bench', **TYPE, **ACTIVITY_DEFAULTS)


def schedule(activity_id: str) -> dict[str, Any]:
    attributes = {
        'activityType': TYPE,
        'activityId': activity_id,
        'taskList': {'name': 'list'},
        'scheduleToStartTimeout': '600',
        'scheduleToCloseTimeout': '600',
        'startToCloseTimeout': '600',
        'heartbeatTimeout': '600',
    }
    return {'decisionType': 'ScheduleActivityTask', 'scheduleActivityTaskDecisionAttributes': attributes}


# Activities.


def run_activities(swf: Any, workflow_id: str, steps: int, **poll: Any) -> float:
    """Activities a second in one execution of so many steps, by one thread that decides and performs."""
    swf.start_workflow_execution(domain='bench', workflowId=workflow_id, workflowType=TYPE)
    began = time.perf_counter()
    for step in range(steps):
        token = swf.poll_for_decision_task(**TASK_LIST, **poll)['taskToken']
        swf.respond_decision_task_completed(taskToken=token, decisions=[schedule(f'{workflow_id}.{step}')])
        token = swf.poll_for_activity_task(**TASK_LIST)['taskToken']
        swf.respond_activity_task_completed(taskToken=token, result='1')
    seconds = time.perf_counter() - began
    token = swf.poll_for_decision_task(**TASK_LIST)['taskToken']
    swf.respond_decision_task_completed(taskToken=token, decisions=[COMPLETE])
    return steps / seconds


#: how a decider asks for its events; moto_server gives whole histories in any case.
ASKING: dict[str, dict[str, Any]] = {
    'whole histories': {},
    'new events only': {'startAtPreviousStartedEvent': True},
}


class SocketClient:
    """The methods of boto3's client that the activities need, with next to no work of its own."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix('http://').split(':')
        self._address = (host, int(port))
        self._head = f'POST / HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: {SIGNED}\r\n'
        self._stream: Any = None

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = ''.join(map(str.capitalize, method.split('_')))
        return lambda **members: self._call(operation, json.dumps(members).encode())

    def _call(self, operation: str, body: bytes) -> Any:
        target = f'X-Amz-Target: SimpleWorkflowService.{operation}\r\nContent-Length: {len(body)}\r\n\r\n'
        if self._stream is None:
            with socket.create_connection(self._address) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._stream = connection.makefile('rwb')
        self._stream.write(f'{self._head}{target}'.encode() + body)
        self._stream.flush()
        version, status, _ = self._stream.readline().split(b' ', 2)
        lines = iter(self._stream.readline, b'\r\n')
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b':') for line in lines)}
        answer = self._stream.read(int(headers[b'content-length']))
        assert status == b'200', answer
        if version == b'HTTP/1.0' or headers.get(b'connection') == b'close':
            self.close()
        return json.loads(answer or '{}')

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def activities(scale: float, steps: int = 10) -> None:
    moto = environment(cache(), MOTO_REQUIREMENT, Interpreters().find((THIS,)))
    with ours() as durable, ours(synchronous='OFF') as unsynced, server(MOTO, python=moto) as moto_url:
        urls = {'ours': durable, 'ours, not synced': unsynced, 'moto_server': moto_url}
        for url in urls.values():
            prepare(client(url))
        for kind, make in (('boto3', client), ('socket', SocketClient)):
            for asking, poll in ASKING.items():
                beside_one_another(urls, kind, asking, make, poll, max(1, round(20 * scale)), steps)
    print('activities  bound: with boto3, ours at least 3 times moto_server')


def beside_one_another(
    urls: dict[str, Running],
    kind: str,
    asking: str,
    make: Callable[[str], Any],
    poll: dict[str, Any],
    executions: int,
    steps: int,
) -> None:
    """Executions in turns on each of the servers, the last of which is what the others are compared with."""
    clients = {name: make(url) for name, url in urls.items()}
    rates: dict[str, list[float]] = {name: [] for name in clients}
    busy = dict.fromkeys(clients, 0.0)
    before = {name: url.seconds() for name, url in urls.items()}
    for number in range(executions):
        for name, swf in clients.items():
            began = time.process_time()
            rates[name].append(run_activities(swf, f'{kind} {asking[:3]}{number}', steps, **poll))
            busy[name] += time.process_time() - began
    calls = executions * (4 * steps + 3)
    for name, found in rates.items():
        ratio = statistics.median(ours / other for ours, other in zip(found, list(rates.values())[-1], strict=True))
        server_time, client_time = (
            seconds / calls * 1e6 for seconds in (urls[name].seconds() - before[name], busy[name])
        )
        print(
            f'activities  {kind:6} {asking:15} {name:16} {statistics.median(found):5.0f}/s, ratio {ratio:5.2f}, '
            f'CPU of a call: server {server_time:4.0f} µs, client {client_time:4.0f} µs'
        )
        clients[name].close()


# Calls.


class Worker:
    """Calls of a worker that can be made again and again."""

    def __init__(self, swf: Any) -> None:
        self.swf = swf
        self.number = 0
        self.tokens: dict[str, str] = {}

    def start(self) -> None:
        self.number += 1
        self.swf.start_workflow_execution(domain='bench', workflowId=f'w{self.number}', workflowType=TYPE)

    def poll_decision(self) -> Any:
        return self.swf.poll_for_decision_task(**TASK_LIST)

    def take_decision(self) -> None:
        self.start()
        self.tokens['decision'] = self.poll_decision()['taskToken']

    def respond_decision(self) -> Any:
        decisions = [schedule(str(self.number))]
        return self.swf.respond_decision_task_completed(taskToken=self.tokens['decision'], decisions=decisions)

    def schedule(self) -> None:
        self.take_decision()
        self.respond_decision()

    def poll_activity(self) -> Any:
        return self.swf.poll_for_activity_task(**TASK_LIST)

    def take_activity(self) -> None:
        self.schedule()
        self.tokens['activity'] = self.poll_activity()['taskToken']

    def heartbeat(self) -> Any:
        return self.swf.record_activity_task_heartbeat(taskToken=self.tokens['activity'], details='half')

    def respond_activity(self) -> Any:
        return self.swf.respond_activity_task_completed(taskToken=self.tokens['activity'], result='1')


# Operation -> (what must have happened before, the call).
OPERATIONS: dict[str, tuple[Callable[[Worker], None], Callable[[Worker], Any]]] = {
    'PollForDecisionTask': (Worker.start, Worker.poll_decision),
    'RespondDecisionTaskCompleted': (Worker.take_decision, Worker.respond_decision),
    'PollForActivityTask': (Worker.schedule, Worker.poll_activity),
    'RecordActivityTaskHeartbeat': (Worker.take_activity, Worker.heartbeat),
    'RespondActivityTaskCompleted': (Worker.take_activity, Worker.respond_activity),
}


def body_of(url: str, operation: str) -> str:
    """What our service answers to the operation, for the server that always answers that."""
    caught: list[bytes] = []
    swf = client(url)
    swf.meta.events.register('after-call.swf', lambda http_response, **_: caught.append(http_response.content))
    worker = Worker(swf)
    worker.number = sum(map(ord, operation)) * 1_000_000
    before, call = OPERATIONS[operation]
    before(worker)
    call(worker)
    return caught[-1].decode()


def timed(call: Callable[[Worker], Any], worker: Worker) -> float:
    began = time.perf_counter()
    call(worker)
    return time.perf_counter() - began


def measure(operation: str, our_url: str, offset: int, rounds: int) -> tuple[float, float]:
    """Median seconds of the call, with our service and with the server that has nothing to do."""
    before, call = OPERATIONS[operation]
    with server(FIXED, body_of(our_url, operation)) as fixed_url:
        worker, idle = Worker(client(our_url)), Worker(client(fixed_url))
        worker.number = offset * 1_000_000
        found: list[tuple[float, float]] = []
        for _ in range(rounds):
            before(worker)
            idle.tokens = dict(worker.tokens)
            found.append((timed(call, worker), timed(call, idle)))
    return statistics.median(pair[0] for pair in found), statistics.median(pair[1] for pair in found)


def calls(scale: float) -> None:
    rounds = round(300 * scale)
    for offset, operation in enumerate(OPERATIONS):
        with ours() as url:
            prepare(client(url))
            real, fixed = measure(operation, url, offset, rounds)
        ratio = real / fixed
        print(f'calls       {operation:29} {real * 1e3:5.2f} ms, fixed {fixed * 1e3:5.2f} ms, ratio {ratio:.2f}')
    print('calls       bound: at most 1.35')


# Load.


def plain_request(url: str, operation: str, members: dict[str, Any]) -> bytes:
    body = json.dumps(members).encode()
    head = f'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SimpleWorkflowService.{operation}\r\n'
    return f'{head}Content-Length: {len(body)}\r\n\r\n'.encode() + body


def signed_request(url: str, operation: str, members: dict[str, Any]) -> bytes:
    """As an SDK sends it: with a signature, which holds for five minutes."""
    body = json.dumps(members).encode()
    headers = {'X-Amz-Target': f'SimpleWorkflowService.{operation}', 'Content-Type': 'application/x-amz-json-1.0'}
    request = AWSRequest('POST', f'{url}/', data=body, headers={**headers, 'Host': url.removeprefix('http://')})
    SigV4Auth(Credentials(KEY, SECRET), 'swf', 'us-east-1').add_auth(request)
    lines = [f'{name}: {value}' for name, value in request.headers.items()]
    head = '\r\n'.join(['POST / HTTP/1.1', *lines, f'Content-Length: {len(body)}', '', ''])
    return head.encode() + body


def drive(
    url: str, connections: int, total: int, request: Callable[[str, str, dict[str, Any]], bytes] = plain_request
) -> float:
    """Signals a second over so many connections, each sending the next when the last is answered."""
    host, port = url.removeprefix('http://').split(':')
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for number in range(connections):
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            signal = {'domain': 'bench', 'workflowId': f'load{number}', 'signalName': 's', 'input': 'x' * 50}
            selector.register(connection, selectors.EVENT_READ, request(url, 'SignalWorkflowExecution', signal))
        began, answered = time.perf_counter(), 0
        for key in list(selector.get_map().values()):
            key.fileobj.sendall(key.data)  # type: ignore[union-attr]
        while answered < total:
            for key, _ in selector.select():
                answer = key.fileobj.recv(4096)  # type: ignore[union-attr]
                assert answer.startswith(b'HTTP/1.1 200'), answer
                answered += 1
                key.fileobj.sendall(key.data)  # type: ignore[union-attr]
        return answered / (time.perf_counter() - began)


def commits_a_second(seconds: float = 1.0) -> float:
    """Single-row commits of SQLite on this disk, WAL and `synchronous=FULL`."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        connection = sqlite3.connect(f'{folder}/bare.db', isolation_level=None)
        connection.execute('pragma journal_mode=wal')
        connection.execute('pragma synchronous=full')
        connection.execute('create table item (value)')
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            connection.execute('insert into item values (1)')
            count += 1
        connection.close()
        return count / seconds


def load(scale: float) -> None:
    commits = commits_a_second()
    print(f'load        SQLite alone {commits:6.0f} commits/s')
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, server(FIXED, '', f'{folder}/bare.db') as url:
        rate = drive(url, 1, round(2_000 * scale))
    print(f'load         1 connection  {rate:6.0f} commits/s by a server that does nothing else, {rate / commits:.2f}')
    for connections, total in [(1, round(2_000 * scale)), (16, round(10_000 * scale))]:
        with ours() as url:
            swf = client(url)
            prepare(swf)
            for number in range(connections):
                swf.start_workflow_execution(domain='bench', workflowId=f'load{number}', workflowType=TYPE)
            rate = drive(url, connections, total)
        print(
            f'load        {connections:2} connections {rate:6.0f} durable calls/s, {rate / commits:.2f} of SQLite alone'
        )
    print('load        bound: with 1 at least 0.50 of SQLite alone, with 16 at least 6000')


# Signed.


def signed(scale: float, connections: int = 16, rounds: int = 7) -> None:
    total = max(100, round(3_000 * scale))
    with ours() as trusting, ours(verifies=True) as verifying:
        for url in (trusting, verifying):
            swf = client(url)
            prepare(swf)
            for number in range(connections):
                swf.start_workflow_execution(domain='bench', workflowId=f'load{number}', workflowType=TYPE)
        ratios = []
        for _ in range(rounds):
            unverified, verified = (drive(url, connections, total, signed_request) for url in (trusting, verifying))
            ratios.append(verified / unverified)
    ratios.sort()
    print(
        f'signed      {connections} connections: {statistics.median(ratios):.2f} of the calls/s without verification '
        f'({ratios[0]:.2f} to {ratios[-1]:.2f})'
    )
    print('signed      bound: at least 0.85')


# Polls.


def hold_polls(stack: contextlib.ExitStack, url: str, count: int) -> None:
    """Open so many connections that wait for a decision task nobody will make."""
    host, port = url.removeprefix('http://').split(':')
    for number in range(count):
        connection = stack.enter_context(socket.create_connection((host, int(port))))
        task_list = {'domain': 'bench', 'taskList': {'name': f'quiet{number % 4}'}}
        connection.sendall(plain_request(url, 'PollForDecisionTask', task_list))


def wake_once(url: str, swf: Any, number: int) -> float:
    """Seconds from the moment at which a start has been answered to that at which the held poll has its task."""
    host, port = url.removeprefix('http://').split(':')
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(plain_request(url, 'PollForDecisionTask', TASK_LIST))
        time.sleep(0.01)  # so that it is held
        swf.start_workflow_execution(domain='bench', workflowId=f'wake{number}', workflowType=TYPE)
        began = time.perf_counter()
        answer = connection.recv(65536)
        assert b'taskToken' in answer, answer
        return time.perf_counter() - began


def polls(scale: float) -> None:
    count, rounds = round(1_000 * scale), max(2, round(100 * scale))
    allow_descriptors()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(ours('60'))
        swf = client(url)
        prepare(swf)
        for held in (0, count):
            hold_polls(stack, url, held)
            found = [wake_once(url, swf, held + number) for number in range(rounds)]
            slowest = sorted(found)[-2]
            print(
                f'polls       {held:4} held: woken in {statistics.median(found) * 1e3:.2f} ms, p99 {slowest * 1e3:.2f}'
            )
    print('polls       bound: 20 ms')


PARTS = {'activities': activities, 'calls': calls, 'load': load, 'signed': signed, 'polls': polls}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('parts', nargs='*', choices=[[], *PARTS], help='which to run; all unless given')
    parser.add_argument('--scale', type=float, default=1.0, help='the share of all numbers of calls')
    options = parser.parse_args()
    for name in options.parts or PARTS:
        PARTS[name](options.scale)


if __name__ == '__main__':
    main()
