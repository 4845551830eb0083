"""The pytest plugin: fixtures, a mark for explorations, and readable comparisons of tasks.

pytest loads this module in every run of every project that has genflow installed, so nothing is imported before a
test asks for it.
"""

# ruff: noqa: PLC0415 - what a test does not ask for is not imported

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from genflow.local import LocalSWF, ManualClock
    from genflow.testing.replayer import Report
    from genflow.testing.tester.tester import Tester


def pytest_addoption(parser: pytest.Parser) -> None:
    text = 'file or folder of recorded histories for the fixture genflow_replay; may be given several times'
    group = parser.getgroup('genflow')
    group.addoption('--genflow-histories', action='append', default=[], metavar='PATH', help=text)
    parser.addini('genflow_histories', type='paths', help=text, default=[])


def pytest_configure(config: pytest.Config) -> None:
    text = 'genflow_explore(workflow, *args, **options): explore the orders of events before the test is called'
    config.addinivalue_line('markers', text)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Runs the explorations that the marks ``genflow_explore`` of a test name; a failure fails the test."""
    __tracebackhide__ = True
    for mark in item.iter_markers('genflow_explore'):
        from genflow.testing.explorer import ExplorationFailed, explore

        if not mark.args:
            pytest.fail(
                'the mark genflow_explore names no workflow, such as in genflow_explore(Order, 1)', pytrace=False
            )
        failure = None
        try:
            explore(*mark.args, **mark.kwargs)
        except ExplorationFailed as error:
            failure = str(error)
        if failure is not None:  # here, so that pytest does not show the error that it is about once more
            pytest.fail(failure, pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    """Hides genflow's own frames from a traceback: what a test shows is the user's code. ``--full-trace`` shows all."""
    traceback = None if call.excinfo is None else call.excinfo.tb
    while traceback is not None:
        names = traceback.tb_frame.f_globals
        if str(names.get('__name__')).startswith('genflow.'):
            names.setdefault('__tracebackhide__', True)
        traceback = traceback.tb_next


@pytest.fixture
def genflow_clock() -> ManualClock:
    """A clock that moves only when the test advances it; it begins at 2000-01-01 UTC."""
    from genflow.local import ManualClock

    return ManualClock()


@pytest.fixture
def genflow_service(genflow_clock: ManualClock) -> Iterator[LocalSWF]:
    """An empty ``LocalSWF`` in memory, on ``genflow_clock``: every method of boto3's SWF client."""
    from genflow.local import LocalSWF

    with LocalSWF(clock=genflow_clock) as service:
        yield service


@pytest.fixture
def genflow_tester(genflow_service: LocalSWF, genflow_clock: ManualClock) -> Iterator[Callable[..., Tester]]:
    """Makes testers, as ``genflow.testing.Tester`` does, and closes them.

    The first one uses ``genflow_service``, further ones services of their own. All use ``genflow_clock``.
    """
    from contextlib import ExitStack

    from genflow.local import LocalSWF
    from genflow.testing.tester.tester import Tester

    services = iter([genflow_service])
    with ExitStack() as made:

        def make(workflow: Any, /, **options: Any) -> Tester:
            service = next(services, None) or made.enter_context(LocalSWF(clock=genflow_clock))
            return made.enter_context(Tester(workflow, **{'service': service, **options}))

        yield make


@pytest.fixture
def genflow_replay(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """Replays recorded histories against workflow classes, and fails the test with the whole report.

    ``genflow_replay(Order, Invoice)`` replays everything that ``--genflow-histories`` (or the ini option
    ``genflow_histories``) names; ``genflow_replay(Order, histories='tests/histories')`` that folder.
    """
    from genflow.testing.replayer import replay_files

    config = request.config
    asked: list[str | Path] = config.getoption('--genflow-histories') or config.getini('genflow_histories')

    def replayed(*workflows: Any, histories: Any = None, input_mismatch: str = 'warn') -> Report:
        __tracebackhide__ = True
        paths = asked if histories is None else [histories] if isinstance(histories, (str, Path)) else histories
        if not paths:
            pytest.fail('there are no histories to replay: give --genflow-histories=PATH', pytrace=False)
        report = replay_files(paths, workflows, input_mismatch=input_mismatch)
        if not report.ok:
            pytest.fail(str(report), pytrace=False)
        return report

    return replayed


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> list[str] | None:
    """Explains in which parts two tasks differ."""
    tasks = sys.modules.get('genflow.core.tasks.task')
    if op != '==' or tasks is None or not (isinstance(left, tasks.Task) and isinstance(right, tasks.Task)):
        return None
    from genflow.testing.assertrepr import differences

    return [f'{left!r} == {right!r}', *differences(left, right)]
