"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from genflow.testing import History
from tests.testing.orders import Order

pytest_plugins = ['pytester']

ROOT = Path(__file__).resolve().parents[2]

WORKFLOW = """
    from genflow import ActivityProxy, Workflow

    class Order(Workflow):
        charge = ActivityProxy(name='Charge', version='v1')
        def run(self, order):
            return (yield self.charge(order))
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs pytest with this plugin and no other, whether genflow is installed or not."""
    monkeypatch.setenv('PYTEST_DISABLE_PLUGIN_AUTOLOAD', '1')

    def run(*args):
        return pytester.runpytest_inprocess('-p', 'genflow.testing.pytest_plugin', '-p', 'no:cacheprovider', *args)

    return run


def test_a_tester_comes_with_its_service_and_clock(pytester, run):
    pytester.makepyfile(
        WORKFLOW
        + """
    def test_order(genflow_tester, genflow_service, genflow_clock):
        tester = genflow_tester(Order, charge='ok')
        other = genflow_tester(Order, charge='other')
        assert tester.run(1) == 'ok'
        assert other.run(1) == 'other'
        assert tester.service is genflow_service
        assert tester.clock is genflow_clock is other.clock
        counted = genflow_service.count_closed_workflow_executions(
            domain='test', startTimeFilter={'oldestDate': 0}, closeStatusFilter={'status': 'COMPLETED'})
        assert counted['count'] == 1
    """
    )
    run().assert_outcomes(passed=1)


def test_the_service_is_empty_and_its_time_stands_still(pytester, run):
    pytester.makepyfile(
        """
    import datetime

    def test_service(genflow_service, genflow_clock):
        assert genflow_service.list_domains(registrationStatus='REGISTERED')['domainInfos'] == []
        assert genflow_clock.now() == datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
    """
    )
    run().assert_outcomes(passed=1)


REPLAYS = (
    WORKFLOW
    + """
    def test_replay(genflow_replay):
        assert genflow_replay(Order).events == 18
    """
)


@pytest.fixture
def corpus(pytester):
    folder = pytester.mkdir('histories')
    story = History(Order, 1).decide().completed('charge', 'ok').signaled('approve', True).decide()
    story = story.completed('ship', 'gone').decide()
    (folder / 'order.json').write_text(story.to_json(), encoding='utf-8')
    return folder


SAME = """
    from tests.testing.orders import Order

    def test_replay(genflow_replay):
        assert genflow_replay(Order).events == 18
"""


def test_the_histories_of_the_option_are_replayed(pytester, run, corpus):
    pytester.makepyfile(SAME)
    run('--genflow-histories', str(corpus)).assert_outcomes(passed=1)


def test_the_histories_of_the_ini_option_are_replayed(pytester, run, corpus):
    pytester.makepyfile(SAME)
    pytester.makeini('[pytest]\ngenflow_histories = histories')
    run().assert_outcomes(passed=1)


def test_the_histories_that_a_test_names_are_replayed(pytester, run, corpus):
    pytester.makepyfile(SAME.replace('(Order)', f'(Order, histories={str(corpus)!r})'))
    run().assert_outcomes(passed=1)


def test_a_mismatch_fails_with_the_report(pytester, run, corpus):
    pytester.makepyfile(REPLAYS)
    done = run('--genflow-histories', str(corpus))
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(['*order.json: NondeterminismError: Order 1*', '*self.patched("change-id")*'])


@pytest.mark.thorough
def test_no_histories_are_a_failure(pytester, run):
    pytester.makepyfile(SAME)
    done = run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(['*give --genflow-histories=PATH*'])
    done = run('--genflow-histories', str(pytester.mkdir('none')))
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(['*none contains no history*'])


def test_a_comparison_of_tasks_says_what_differs(pytester, run):
    pytester.makepyfile(
        WORKFLOW
        + """
    def test_argument():
        assert Order().charge(1, size='s') == Order.charge.task(2, size='m')

    def test_kind():
        assert Order().sleep(1) == Order.charge.task(2)

    def test_seconds():
        assert Order().sleep(1) == Order().sleep(2)
    """
    )
    done = run()
    done.assert_outcomes(failed=3)
    done.stdout.fnmatch_lines(
        [
            "*assert <activity Charge v1(1, size='s')> == <activity Charge v1(2, size='m')>",
            '*argument 1: 1 != 2',
            "*argument 'size': 's' != 'm'",
            '*kind: timer != activity',
            '*part 1: 1 != 2',
        ]
    )


def test_a_failing_workflow_shows_its_own_lines_and_none_of_ours(pytester, run):
    pytester.makepyfile(
        WORKFLOW.replace('return (yield self.charge(order))', 'raise LookupError(order)')
        + """
    def test_order(genflow_tester):
        genflow_tester(Order).run(1)
    """
    )
    done = run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(['*raise LookupError(order)'])
    done.stdout.no_fnmatch_line('*genflow/testing/tester/tester.py*')


@pytest.mark.thorough
def test_the_plugin_brings_neither_boto_nor_a_database():
    code = 'import sys, genflow.testing.pytest_plugin; print(*sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert not {'boto3', 'botocore', 'sqlite3', 'venusian', 'genflow.local', 'genflow.swf'} & set(done.stdout.split())


def test_the_package_names_the_plugin():
    setup = ConfigParser()
    setup.read(ROOT / 'setup.cfg', encoding='utf-8')
    assert 'genflow = genflow.testing.pytest_plugin' in setup['options.entry_points']['pytest11']


@pytest.mark.thorough
def test_the_example_of_the_documentation_runs(pytester, run):
    page = (ROOT / 'docs' / 'testing.md').read_text(encoding='utf-8')
    snippets = re.findall(r'^```python\n(.*?)^```$', page, re.MULTILINE | re.DOTALL)
    pytester.makepyfile('\n\n'.join(snippets))
    story = History(Order, 1).decide()
    pytester.mkdir('histories').joinpath('order.json').write_text(story.to_json(), encoding='utf-8')
    run('--genflow-histories', 'histories').assert_outcomes(passed=6)


@pytest.mark.thorough
def test_a_mark_explores_before_the_test(pytester, run):
    pytester.makepyfile(
        WORKFLOW
        + """
    class Dropped(Order):
        def run(self, order):
            self.charge.with_options(retry=0)(order)
            yield self.sleep(1)

    import pytest

    @pytest.mark.genflow_explore(Order, 1, budget=50)
    def test_order():
        pass

    @pytest.mark.genflow_explore(Dropped, 1)
    def test_dropped():
        raise RuntimeError('not reached')

    class Alone(Order):
        def run(self):
            self.charge.with_options(retry=0)(1)
            yield self.sleep(1)

    @pytest.mark.genflow_explore.with_args(Alone)
    def test_alone():
        raise RuntimeError('not reached')

    @pytest.mark.genflow_explore
    def test_nothing():
        raise RuntimeError('not reached')
    """
    )
    result = run('--strict-markers')
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(['*untaken: the failure of activity 1 Charge v1*', '*Play it again: --schedule gx1*'])
    result.stdout.fnmatch_lines(['*the mark genflow_explore names no workflow, such as in genflow_explore(Order, 1)*'])
    result.stdout.no_fnmatch_line('*another exception occurred*')


FAILING = """
    from genflow import Workflow
    from genflow.testing import Tester

    class Order(Workflow):
        def run(self):
            yield 7

    def test_it():
        Tester(Order).run()
"""


@pytest.mark.thorough
@pytest.mark.parametrize(('options', 'shown'), [((), False), (('--full-trace',), True)])
def test_a_traceback_has_no_frames_of_genflow(pytester, monkeypatch, options, shown):
    monkeypatch.setenv('PYTEST_DISABLE_PLUGIN_AUTOLOAD', '1')
    pytester.makepyfile(FAILING)
    result = pytester.runpytest_subprocess('-p', 'genflow.testing.pytest_plugin', '-p', 'no:cacheprovider', *options)
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert ('tester.py' in text) is shown
    assert 'Tester(Order).run()' in text
