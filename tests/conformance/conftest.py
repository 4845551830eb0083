"""The fixtures of the suite: `swf` is a prepared `Domain` on each back end in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .backends import BACKENDS
from .domain import Domain
from .moto_differences import reason_for


@pytest.fixture(scope='session')
def http_domain() -> Iterator[Domain]:
    """One server for all tests, emptied before each: what costs time is boto3's making of a client."""
    with BACKENDS['http']() as domain:
        yield domain


@pytest.fixture(scope='session')
def shared_domain() -> Iterator[Domain]:
    """One process that leads a file, for all tests."""
    with BACKENDS['shared']() as domain:
        yield domain


@pytest.fixture(scope='session')
def shared_rounds_domain() -> Iterator[Domain]:
    """Likewise, with tasks taken and answered in rounds."""
    with BACKENDS['shared_rounds']() as domain:
        yield domain


ABOUT_TASKS = ('test_activit', 'test_decision', 'test_batches', 'test_task_lists')
"""How the names of the files begin whose tests are about what rounds do; elsewhere rounds differ in nothing."""


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest) -> Iterator[Domain]:
    """A service in which nothing is registered."""
    if request.param in ('http', 'shared', 'shared_rounds'):
        domain = request.getfixturevalue(f'{request.param}_domain')
        domain.reset()
        yield domain
    else:
        with BACKENDS[request.param]() as domain:
            yield domain


@pytest.fixture
def swf(empty: Domain) -> Domain:
    """A service with a domain, a workflow type and an activity type."""
    return empty.prepare()


@pytest.fixture(params=['in_process', 'http', 'shared'])
def ours(request: pytest.FixtureRequest) -> str:
    """The name of one of our own back ends, for tests that need switches which only ours has."""
    if request.param == 'shared':
        request.getfixturevalue('shared_domain')  # so that one process leads the files of all tests
    return request.param


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave all back ends but one to the thorough suite, and expect the listed differences on moto.

    They are expected strictly: one that has vanished fails.
    """
    items[:] = [item for item in items if backend_of(item) != 'shared_rounds' or item.path.name.startswith(ABOUT_TASKS)]
    own = {path for path in {item.path for item in items} if Path(__file__).parent in path.parents}
    for item in items:
        if item.path not in own:
            continue
        backend = backend_of(item)
        if backend not in (None, 'in_process'):
            item.add_marker(pytest.mark.thorough)
        if backend == 'moto':
            reason = reason_for(line_of(item))
            if reason:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
                item.repr_failure = lambda *args, **kwargs: 'as expected'  # a traceback costs more than the test


def backend_of(item: pytest.Item) -> str | None:
    """The name of the back end that a test runs on."""
    params = item.callspec.params if hasattr(item, 'callspec') else {}
    return params.get('empty') or params.get('ours')


def line_of(item: pytest.Item) -> str:
    """How the table of differences writes the test."""
    parameters = item.callspec.id.removeprefix('moto').removeprefix('-')
    name = f'{item.path.stem.removeprefix("test_")}.{item.originalname.removeprefix("test_")}'
    return f'{name}[{parameters}]' if parameters else name
