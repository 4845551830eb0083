"""The services that the suite is run against.

Each back end gives a boto3-like client, a clock to advance and a place for Lambda functions.
"""

from __future__ import annotations

import contextlib
import functools
import json
import operator
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import attrs
import boto3
import urllib3
from botocore.config import Config

from genflow.local import Limits, LocalSWF, ManualClock
from genflow.local.http.server import HttpServer
from genflow.local.remote_rounds import RemoteRounds
from genflow.local.requests.model import operations

from .clients import CheckedClient, check_wire
from .domain import Domain

# The service does the checking here, so that what is tested is its answers and not boto3's.
CONTROL = urllib3.PoolManager()
CONFIG = Config(parameter_validation=False, retries={'total_max_attempts': 1}, read_timeout=70)


@functools.cache
def _session(backend: str) -> boto3.session.Session:
    # One for each: moto is heard only by sessions that are made after its import.
    return boto3.session.Session(aws_access_key_id='key', aws_secret_access_key='secret', region_name='us-east-1')


@contextlib.contextmanager
def in_process(**options: Any) -> Iterator[Domain]:
    """`LocalSWF`, called as if it were a client."""
    clock = ManualClock()
    settings = {'long_poll': 0, 'parameter_validation': False, **options}
    with LocalSWF(clock=clock, **settings) as service:
        yield Domain(CheckedClient(service), clock.advance, service.register_lambda)


@contextlib.contextmanager
def in_rounds(**options: Any) -> Iterator[Domain]:
    """`LocalSWF` as a worker of its process uses it: tasks are taken without a poll, answers share commits."""
    clock = ManualClock()
    settings = {'long_poll': 0, 'parameter_validation': False, **options}
    with LocalSWF(clock=clock, **settings) as service:
        yield Domain(CheckedClient(RoundsClient(service)), clock.advance, service.register_lambda)


class RoundsClient:
    """A client whose polls take what is there, and whose answers are written when something else is asked."""

    POLLS: ClassVar = {'poll_for_decision_task': 'decision', 'poll_for_activity_task': 'activity'}
    EMPTY: ClassVar = {
        'decision': {'startedEventId': 0, 'previousStartedEventId': 0},
        'activity': {'startedEventId': 0},
    }

    def __init__(self, service: LocalSWF) -> None:
        self.client = service.deferring()

    def __getattr__(self, name: str) -> Any:
        if name in self.POLLS:
            return functools.partial(self._poll, name)
        if not name.startswith('respond_'):
            self.client.settle()
        return getattr(self.client, name)

    def _poll(self, name: str, **request: Any) -> dict[str, Any]:
        if request.get('nextPageToken'):
            return getattr(self.client.client, name)(**request)
        kind = self.POLLS[name]
        ((*taken,),) = self.client.take([(kind, request, {'most': 1})])
        if taken:
            answer = self.client.read(taken[0], self.client.taken) if kind == 'decision' else taken[0]
            return {**answer, 'ResponseMetadata': {}}
        places = self.client.stand([(kind, request, None)], lambda: None)
        self.client.take([], places or ())
        return dict(self.EMPTY[kind])


class SharedRoundsClient(RoundsClient):
    """A client whose calls about tasks go to the leader in rounds, each at once."""

    def __init__(self, service: LocalSWF) -> None:
        rounds = service.deferring()
        assert isinstance(rounds, RemoteRounds)
        self.client = StrictRounds(service, rounds._member, service._invoke, service._client_error)  # noqa: SLF001

    def __getattr__(self, name: str) -> Any:
        asked = super().__getattr__(name)
        return functools.partial(self._respond, asked) if name.startswith('respond_') else asked

    def _respond(self, method: Callable[..., dict[str, Any]], **request: Any) -> dict[str, Any]:
        answer = method(**request)
        self.client.settle()
        return {**answer, 'ResponseMetadata': {}}


class StrictRounds(RemoteRounds):
    """Raises what a worker only logs."""

    def _comes_again(self, call: Any, error: Exception) -> bool:
        getattr(self.client, call[0])(**call[1])  # the words of a refusal are those of a call by itself
        raise self._error(operations()[call[0]], error)


@contextlib.contextmanager
def over_http(**options: Any) -> Iterator[Domain]:
    """An unmodified boto3 client that talks to `LocalSWF` through the HTTP front."""
    service = LocalSWF(clock=ManualClock(), **{'long_poll': 0, **options})
    with service, HttpServer(service, test_control=True) as server, contextlib.closing(_client(server.url)) as client:
        control = functools.partial(_control, server.url)
        yield Domain(
            CheckedClient(client),
            advance=lambda seconds: control('clock', {'advance': seconds}),
            register_lambda=service.register_lambda,
            reset=lambda: control('reset', {}),
        )


@contextlib.contextmanager
def in_another_process(
    *, long_poll: float = 0, denied: Collection[str] = (), limits: Limits | None = None
) -> Iterator[Domain]:
    """`LocalSWF` that follows another process, which leads the file and has the clock."""
    limits = limits or Limits()
    with tempfile.TemporaryDirectory() as folder, leaders() as tell:
        path = str(Path(folder) / 'swf.db')
        options = {'long_poll': long_poll, 'denied': sorted(denied), 'limits': attrs.asdict(limits)}
        tell(open=path, options=options)
        with LocalSWF(path, long_poll=long_poll, denied=denied, limits=limits, parameter_validation=False) as service:
            assert not service.is_leader
            advance = lambda seconds: tell(advance=seconds, of=path)  # noqa: E731
            yield Domain(CheckedClient(service), advance, service.register_lambda, reset=service.reset)
        tell(close=path)


@contextlib.contextmanager
def in_rounds_elsewhere(**options: Any) -> Iterator[Domain]:
    """As a worker uses `LocalSWF` that follows another process."""
    with in_another_process(**options) as domain:
        client = SharedRoundsClient(domain.client.unchecked)
        yield Domain(CheckedClient(client), domain.advance, domain.register_lambda, reset=domain.reset)


_LEADERS: list[Callable[..., None]] = []
"""How to tell the process that leads what to do, as long as somebody needs it."""


@contextlib.contextmanager
def leaders() -> Iterator[Callable[..., None]]:
    """A process that leads files; one for all who need it at the same time."""
    if _LEADERS:
        yield _LEADERS[0]
        return
    command = [sys.executable, '-m', 'tests.conformance.leader']
    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'text': True}
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], **pipes) as process:
        _LEADERS.append(functools.partial(_tell, process))
        try:
            yield _LEADERS[0]
        finally:
            _LEADERS.clear()
            process.stdin.close()  # at which it ends


def _tell(leader: subprocess.Popen[str], **request: Any) -> None:
    leader.stdin.write(json.dumps(request) + '\n')
    leader.stdin.flush()
    assert leader.stdout.readline() == 'done\n'


def _client(url: str) -> Any:
    client = _session('http').client('swf', endpoint_url=url, config=CONFIG)
    check_wire(client)
    return client


def _control(url: str, what: str, body: dict[str, Any]) -> None:
    response = CONTROL.request('POST', f'{url}/_genflow/{what}', body=json.dumps(body).encode())
    assert response.status == 200, response.data


@contextlib.contextmanager
def on_moto() -> Iterator[Domain]:
    """moto's SWF in this process, with a virtual clock of ours under it and without its pauses."""
    from moto import mock_aws

    clock = MotoClock()
    with mock_aws(), contextlib.ExitStack() as patches:
        for module in ('decision_task', 'history_event', 'activity_task', 'timeout', 'workflow_execution'):
            patches.enter_context(mock.patch(f'moto.swf.models.{module}.unix_time', clock))
        timer = functools.partial(MotoTimer, clock)
        patches.enter_context(mock.patch('moto.swf.models.workflow_execution.ThreadingTimer', timer))
        patches.enter_context(mock.patch('moto.swf.models.sleep', _no_pause))
        yield Domain(CheckedClient(_moto_client()), clock.advance, _no_lambda)


@functools.cache
def _moto_client() -> Any:
    return _session('moto').client('swf', config=CONFIG)


class MotoClock:
    """Takes the place of moto's `unix_time`, and rings its timers."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.timers: list[MotoTimer] = []

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [timer for timer in self.timers if timer.at <= until]:
            timer = min(due, key=operator.attrgetter('at'))
            self.timers.remove(timer)
            self.now = timer.at
            timer.ring()
        self.now = until


class MotoTimer:
    """Takes the place of the `threading.Timer` of moto's timers."""

    def __init__(self, clock: MotoClock, seconds: float, ring: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.clock = clock
        self.seconds = seconds
        self.ring = functools.partial(ring, *args)
        self.at = 0.0

    def start(self) -> None:
        self.at = self.clock.now + self.seconds
        self.clock.timers.append(self)

    def cancel(self) -> None:
        if self.is_alive():
            self.clock.timers.remove(self)

    def is_alive(self) -> bool:
        return self in self.clock.timers


def _no_pause(seconds: float) -> None:
    """moto answers an empty poll after a second; nobody here waits for it."""


def _no_lambda(name: str, function: Callable[..., Any]) -> None:
    """moto's SWF runs no Lambda functions."""


BACKENDS = {
    'in_process': in_process,
    'rounds': in_rounds,
    'http': over_http,
    'shared': in_another_process,
    'shared_rounds': in_rounds_elsewhere,
    'moto': on_moto,
}
