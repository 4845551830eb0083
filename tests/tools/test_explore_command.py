"""``genflow explore``: exit codes, reports, and schedules that play again."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import pytest

from genflow.testing.explorer import Report
from genflow.testing.explorer.judging.judges import JUDGES
from genflow.testing.explorer.settings import JUDGE_NAMES
from genflow.tools.cli.checking.exploring import BEGINNING
from tests.tools.processes import finish, start

FLOW = """
from genflow import Activity, Workflow, activity, workflow

@activity(name='Step', version=1, task_list='steps')
class Step(Activity):
    def run(self, number):
        return 2 * number

@workflow(name='Flow', version=1, task_list='steps')
class Flow(Workflow):
    step = Step.proxy(retry=0)

    def run(self, number):
        self.step(number)
        yield self.step(number + 1)
"""


WIDE = """
import itertools
from multiprocessing import parent_process
from genflow import ActivityProxy, TaskFailed, Workflow, workflow

@workflow(name='Wide', version='1', task_list='tl')
class Wide(Workflow):
    step = ActivityProxy('Step', '1', retry=0)
    def run(self):
        print('hello')
        failed = 0
        for number in range(9):
            try:
                yield self.step(number)
            except TaskFailed:
                failed += 1
        return failed

CALLS = itertools.count()

def in_the_first_process(value):
    return parent_process() is None

def in_the_others(value):
    return parent_process() is not None or next(CALLS) < 2_000
"""


def genflow(folder, *arguments):
    done = finish(start(folder, *arguments))
    return done.returncode, done.out, done.err


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'flow.py').write_text(FLOW, encoding='utf-8')
    (tmp_path / 'good.py').write_text(FLOW.replace('        self.step(number)\n', ''), encoding='utf-8')
    return tmp_path


@pytest.mark.thorough
def test_code_that_holds(folder):
    code, out, err = genflow(folder, 'explore', 'good.py', 1, '--budget', 50)
    assert (code, err) == (0, '')
    assert 'the only order without faults holds' in out


@pytest.mark.thorough
def test_what_is_found_is_told_and_plays_again(folder):
    code, out, _ = genflow(folder, 'explore', 'flow.py:Flow', 1)
    assert code == 8
    assert 'flow.py:15 in run' in out
    schedule = re.search(r'--schedule (gx1\S+)', out)[1]
    assert genflow(folder, 'explore', 'flow.py', 1, '--schedule', schedule)[0] == 8
    assert genflow(folder, 'explore', 'good.py', 1, '--schedule', schedule)[0] == 0


@pytest.mark.thorough
def test_ctrl_c_shows_what_was_tried_until_then(folder):
    """The code interrupts the command itself, in a run of its own choice."""
    flow = (folder / 'good.py').read_text(encoding='utf-8')
    interrupt = '        if not next(left):\n            os.kill(os.getpid(), signal.SIGINT)\n'
    flow = flow.replace(
        '    def run(self, number):\n        yield', f'    def run(self, number):\n{interrupt}        yield'
    )
    setting = 'import itertools, os, signal\nleft = itertools.chain(range(60, 0, -1), itertools.repeat(0))\n'
    (folder / 'good.py').write_text(setting + flow, encoding='utf-8')
    code, out, _ = genflow(folder, 'explore', 'good.py', 1, '--budget', 100_000)
    assert code == 130, out
    assert 'interrupted: not all orders were tried' in out
    assert 'the only order without faults holds' in out


@pytest.mark.thorough
def test_the_report_is_the_same_whatever_the_seed_of_hashes_is(folder, monkeypatch):
    """Beside the time that it took."""
    shown = set()
    for hashes in ('1', '2'):
        monkeypatch.setenv('PYTHONHASHSEED', hashes)
        shown.add(re.sub(r'in [0-9.]+ s', '', genflow(folder, 'explore', 'good.py', 1, '--budget', 300)[1]))
    assert len(shown) == 1


CHECKS = """

def is_even(result):
    return result % 2 == 0

def is_odd(result):
    return result % 2 == 1

def is_begun(workflow):
    return workflow.info.workflow_id

def is_done(workflow):
    raise AssertionError('it is not done yet')
"""
STUBBED = ('explore', 'good.py', 1, '--stub', 'step=4', '--budget', 50)


@pytest.mark.thorough
@pytest.mark.parametrize('jobs', [1, 2])
def test_checks_of_ones_own(folder, jobs):
    flow = (folder / 'good.py').read_text(encoding='utf-8').replace('        yield', '        return (yield')
    (folder / 'good.py').write_text(flow.rstrip() + ')\n' + CHECKS, encoding='utf-8')
    held = genflow(folder, *STUBBED, '--jobs', jobs, '--check', 'good.py:is_even', '--always', 'good:is_begun')
    assert (held[0], held[2]) == (0, '')
    code, out, _ = genflow(folder, *STUBBED, '--jobs', jobs, '--check', 'good:is_odd', '--json')
    assert (code, json.loads(out)['finding']['judge']) == (8, 'check')
    code, out, _ = genflow(folder, *STUBBED, '--jobs', jobs, '--always', 'good.py:is_done')
    assert code == 8
    assert 'it is not done yet' in out
    schedule = re.search(r'--schedule (gx1\S+)', out)[1]
    assert genflow(folder, *STUBBED, '--always', 'good.py:is_done', '--schedule', schedule)[0] == 8


@pytest.mark.thorough
def test_what_is_found_is_drawn(folder):
    code, _, err = genflow(folder, 'explore', 'flow.py', 1, '--svg', 'found.svg')
    assert (code, err) == (8, '')
    drawn = (folder / 'found.svg').read_text(encoding='utf-8')
    assert drawn.startswith('<svg ')
    assert 'Step' in drawn
    assert 'failed' in drawn


@pytest.mark.thorough
def test_a_report_as_json(folder):
    code, out, _ = genflow(folder, 'explore', 'flow.py', 1, '--json', '--jobs', 2, '--budget', 100)
    report = json.loads(out)
    assert (code, report['ok'], report['finding']['judge']) == (8, False, 'untaken')


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        (('none.py',), 'there is no file'),
        (('flow.py', '1', '2'), 'too many positional arguments'),
        (('flow.py', '1', '--stub', 'other=1'), "has no proxy 'other'"),
        (('flow.py', '1', '--schedule', 'x'), 'is not a schedule id'),
        (('flow.py', '1', '--check', 'flow.py'), "'flow.py' names no function. Write MODULE:NAME"),
        (('flow.py', '1', '--check', 'flow.py:none'), "flow.py has no 'none'"),
        (('flow.py', '1', '--always', 'flow:__name__'), "flow:__name__ is 'flow', which cannot be called"),
    ],
)
def test_wrong_usage(folder, arguments, text):
    code, out, err = genflow(folder, 'explore', *arguments)
    assert (code, out) == (2, '')
    assert text in err


def test_every_judge_can_be_left_out():
    assert list(JUDGES) == list(JUDGE_NAMES)


def is_running(pid):
    """Whether a process is there, and not only its exit code."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


@pytest.mark.thorough
@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='asks the system for processes in the way of Linux')
def test_no_process_outlives_a_command_that_was_killed(folder):
    note = (
        "import os\nwith open('pids', 'a') as file:\n    print(os.getpid(), file=file)\n"
        "if parent_process() is not None:\n    open('held')\n"
    )
    os.mkfifo(folder / 'held')  # nobody writes to it
    (folder / 'wide.py').write_text(WIDE + note, encoding='utf-8')
    process = start(folder, 'explore', 'wide.py', '--jobs', 2, '--budget', 100_000_000)
    pids = folder / 'pids'
    wait = threading.Event().wait
    assert any(wait(0.05) or (pids.exists() and len(pids.read_text().split()) >= 2) for _ in range(1200))
    process.kill()
    finish(process)
    assert any(wait(0.05) or not any(map(is_running, pids.read_text().split())) for _ in range(1200))


@pytest.mark.thorough
@pytest.mark.parametrize('jobs', [1, 2])
def test_what_the_workflow_prints_is_in_no_report(folder, jobs):
    loud = FLOW.replace('        self.step(number)\n', "        print('hello')\n")
    (folder / 'loud.py').write_text(loud, encoding='utf-8')
    code, out, err = genflow(folder, 'explore', 'loud.py', 1, '--budget', 50, '--jobs', jobs)
    assert (code, err) == (0, '')
    assert 'hello' not in out


@pytest.mark.thorough
def test_several_processes_share_the_budget(folder):
    (folder / 'wide.py').write_text(WIDE, encoding='utf-8')
    reports = []
    for jobs in (1, 2, 3):
        code, out, err = genflow(folder, 'explore', 'wide.py', '--budget', 1_100, '--jobs', jobs, '--json')
        assert (code, err) == (0, '')
        reports.append(json.loads(out))
    alone, *several = reports
    assert alone['elsewhere'] == 0
    for together in several:
        assert together['elsewhere'] == 440, 'two fifths are for random orders'
        assert together['runs'] == alone['runs'] - alone['stages']['priorities'] - alone['stages']['walks']
        assert together['stages'] == {'search': alone['stages']['search'], 'priorities': 220, 'walks': 220}
        assert together['complete'] == alone['complete']


def test_the_runs_of_other_processes_are_counted_apart():
    assert str(Report('Wide', runs=660, elsewhere=440, seconds=1.5)).splitlines()[-1] == (
        '660 runs of Wide in 1.50 s, and 440 by chance in other processes'
    )


@pytest.mark.thorough
def test_a_search_that_tries_all_orders_at_once_needs_no_other_process(folder):
    code, out, _ = genflow(folder, 'explore', 'good.py', 1, '--jobs', 2, '--json')
    report = json.loads(out)
    assert (code, report['elsewhere']) == (0, 0)
    assert report['runs'] < BEGINNING


@pytest.mark.thorough
@pytest.mark.parametrize('check', ['in_the_first_process', 'in_the_others'])
def test_what_one_process_finds_ends_all(folder, check):
    """The check fails in the other process alone, or in the first one alone once the other one has begun."""
    (folder / 'wide.py').write_text(WIDE, encoding='utf-8')
    arguments = ('--jobs', 2, '--budget', 100_000_000, '--check', f'wide:{check}', '--json')
    code, out, _ = genflow(folder, 'explore', 'wide.py', *arguments)
    assert (code, json.loads(out)['finding']['judge']) == (8, 'check')
