"""``genflow replay`` on histories that ``genflow run`` recorded and ``genflow history`` wrote."""

from __future__ import annotations

import pytest

from tests.tools.processes import finish, start

pytestmark = pytest.mark.thorough

FLOW = """
from genflow import Activity, Workflow, activity, workflow

@activity(name='Step', version=1, task_list='steps')
class Step(Activity):
    def run(self, number):
        return 2 * number

@workflow(name='Flow', version=1, task_list='steps')
class Flow(Workflow):
    step = Step.proxy()

    def run(self, number):
        first = yield self.step(number)
        return (yield self.step(first))
"""


def genflow(folder, *arguments):
    done = finish(start(folder, *arguments))
    return done.returncode, done.out, done.err


@pytest.fixture
def folder(tmp_path):
    """A folder with a workflow, and a folder in it with a history of the workflow."""
    (tmp_path / 'flow.py').write_text(FLOW, encoding='utf-8')
    assert genflow(tmp_path, 'run', '--db', 'x.db', '--id', 'a', 'flow.py', 4)[1] == '16\n'
    (tmp_path / 'histories').mkdir()
    (tmp_path / 'histories' / 'a.json').write_text(genflow(tmp_path, 'history', 'a', '--json', '--db', 'x.db')[1])
    return tmp_path


@pytest.mark.parametrize('target', ['flow.py', 'flow.py:Flow'])
def test_code_that_agrees(folder, target):
    code, out, err = genflow(folder, 'replay', 'histories', target)
    assert (code, err) == (0, '')
    assert out.startswith('1 of 1 history follows the code')


def test_code_that_does_not_agree_is_reported_whole(folder):
    (folder / 'flow.py').write_text(FLOW.replace('first = yield', 'yield self.sleep(1)\n        first = yield'))
    code, out, err = genflow(folder, 'replay', 'histories/a.json', 'flow.py')
    assert (code, out) == (6, '')
    assert 'a.json' in err
    assert 'flow.py:' in err
    assert '0 of 1 history follows the code' in err


def test_other_inputs_count_if_that_is_requested(folder):
    (folder / 'flow.py').write_text(FLOW.replace('self.step(first)', 'self.step(first + 1)'))
    assert genflow(folder, 'replay', 'histories', 'flow.py')[0] == 0
    assert genflow(folder, 'replay', '--strict', 'histories', 'flow.py')[0] == 6


def test_no_history_is_a_failure(folder):
    (folder / 'histories' / 'a.json').unlink()
    code, _, err = genflow(folder, 'replay', 'histories', 'flow.py')
    assert code == 6
    assert 'contains no history' in err


def test_wrong_usage_exits_with_2(folder):
    assert genflow(folder, 'replay', 'nothing', 'flow.py')[0] == 2
    assert genflow(folder, 'replay', 'histories')[0] == 2
    assert genflow(folder, 'replay', 'histories', 'nothing.py')[0] == 2
