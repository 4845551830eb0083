"""Services on a clock that stands still: in memory, and in a file that can be opened again."""

from __future__ import annotations

import contextlib

import pytest

from genflow.local import LocalSWF, ManualClock
from tests.local.domain import Domain


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def domain(clock):
    """Everything prepared, in memory."""
    with contextlib.closing(LocalSWF(clock=clock)) as swf:
        yield Domain(swf, clock).prepare()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / 'swf.db')


@pytest.fixture
def opened(path, clock):
    """Opens the file, again and again; each time whoever had it is closed first."""
    services = []

    def open_it(**options):
        for service in services:
            service.close()
        service = LocalSWF(path, clock, **{'synchronous': 'NORMAL', **options})
        services.append(service)
        domain = Domain(service, clock)
        return domain if service.list_domains(registrationStatus='REGISTERED')['domainInfos'] else domain.prepare()

    yield open_it
    for service in services:
        service.close()
