"""The bounds of the HTTP front: how long clients may take, and how many there may be."""

from __future__ import annotations

import asyncio
import math
import os
import socket

import pytest

from genflow.local.http import accepting
from genflow.local.http.accepting import MOST, RESERVED, accept, most_connections
from genflow.local.http.dispatcher import Dispatcher
from genflow.local.http.timeouts import Deadline, Timeouts

resource = pytest.importorskip('resource')
TIMEOUTS = Timeouts(request=10, idle=20, reply=30)


@pytest.mark.parametrize(('owed', 'seconds'), [('request', 10), ('idle', 20), ('reply', 30)])
def test_what_is_owed_has_its_time(owed, seconds):
    deadline = Deadline(TIMEOUTS)
    deadline.expect(owed, 100)
    assert not deadline.is_over(100 + seconds - 0.1, 0)
    assert deadline.is_over(100 + seconds, 0)


def test_nothing_is_owed_at_first_or_while_the_server_works():
    deadline = Deadline(TIMEOUTS)
    assert not deadline.is_over(math.nextafter(math.inf, 0), 0)
    deadline.expect('request', 0)
    deadline.lift()
    assert not deadline.is_over(1e9, 0)


def test_a_part_of_what_is_owed_gives_no_more_time():
    deadline = Deadline(TIMEOUTS)
    deadline.expect('request', 0)
    deadline.expect('request', 9)
    assert deadline.is_over(10, 0)


def test_the_next_thing_that_is_owed_has_its_own_time():
    deadline = Deadline(TIMEOUTS)
    deadline.expect('idle', 0)
    deadline.expect('request', 19)
    assert not deadline.is_over(28, 0)
    assert deadline.is_over(29, 0)


def test_a_client_that_reads_on_has_its_time_anew():
    deadline = Deadline(TIMEOUTS)
    deadline.expect('reply', 0, unsent=1000)
    assert not deadline.is_over(30, unsent=999)
    assert not deadline.is_over(59, unsent=999)
    assert deadline.is_over(60, unsent=999)


@pytest.fixture
def descriptors():
    """Sets the number of descriptors that this process may have open, for a moment."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda number: resource.setrlimit(resource.RLIMIT_NOFILE, (number, before[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(('limit', 'most'), [(1024, 1024 - RESERVED), (64, 32), (40, 20), (MOST + 100, MOST)])
def test_connections_leave_descriptors_for_everything_else(descriptors, limit, most):
    descriptors(limit)
    assert most_connections() == most


def next_descriptor():
    """The one that the system would give out: the smallest that is free."""
    number = os.dup(0)
    os.close(number)
    return number


def test_accepting_continues_when_descriptors_run_out_and_come_back(descriptors, monkeypatch, caplog):
    monkeypatch.setattr(accepting, 'PAUSE', 0.01)

    async def main():
        loop, connected, refused = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def note(record):
            refused.set()
            return True

        dispatcher = Dispatcher(loop, None, None)

        class Client(asyncio.Protocol):
            def connection_made(self, transport):
                connected.set()
                transport.close()

        with socket.create_server(('127.0.0.1', 0)) as listener, socket.socket() as client:
            listener.setblocking(False)
            descriptors(next_descriptor())
            task = loop.create_task(accept(listener, dispatcher, Client))
            client.connect(listener.getsockname())
            caplog.handler.addFilter(note)
            await asyncio.wait_for(refused.wait(), 10)
            caplog.handler.removeFilter(note)
            assert not connected.is_set()
            descriptors(512)
            await asyncio.wait_for(connected.wait(), 10)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert {record.getMessage() for record in caplog.records} == {
        'No connection is accepted for 0.01 s: [Errno 24] Too many open files'
    }
