"""``genflow run`` as people use it: as a process, by what it prints and how it exits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from genflow.local import LocalSWF, ManualClock
from tests.processes import Process
from tests.tools.processes import TIMEOUT, finish, start, wait_for

pytestmark = pytest.mark.thorough

# Each activity leaves a line when it begins and when it ends; the one that is told to waits to be killed.
STEPS = """
import os
from genflow import Activity, ActivityProxy, Workflow, activity, workflow

def note(text):
    with open('log', 'a') as log:
        log.write(text + '\\n')

@activity(name='Step', version=1, task_list='steps')
class Step(Activity):
    def run(self, number, hang):
        note(f'begin {number}')
        if hang and os.path.exists('hang'):
            open('hang').close()
        note(f'end {number}')
        return number

@workflow(name='Chain', version=1, task_list='steps')
class Chain(Workflow):
    step = ActivityProxy(name='Step', version=1, retry=0)

    def run(self, count, hang_at=-1):
        total = 0
        for number in range(count):
            total += yield self.step(number, number == hang_at)
        return total
"""


@pytest.fixture
def genflow_run(tmp_path):
    """Runs ``genflow run`` in an empty folder, and gives the finished process."""

    def run(*arguments):
        return finish(start(tmp_path, 'run', *arguments))

    return run


@pytest.fixture
def file(tmp_path):
    def write(text, name='flow.py'):
        (tmp_path / name).write_text(textwrap.dedent(text), encoding='utf-8')
        return name

    return write


def workflow_file(run, activities=''):
    return f"""
from genflow import Activity, ActivityProxy, Signal, Workflow, activity, workflow
{activities}

@workflow(name='Flow', version=1, task_list='flow')
class Flow(Workflow):
{textwrap.indent(textwrap.dedent(run), '    ')}
"""


def test_the_result_goes_to_stdout_as_json_and_the_rest_to_stderr(genflow_run, file):
    done = genflow_run(file(STEPS), 3)
    assert (done.returncode, json.loads(done.out)) == (0, 3)
    lines = [line.split(maxsplit=1)[1] for line in done.err.splitlines()]
    assert lines[0] == 'workflow Chain 1 started'
    assert lines[1:4] == [f'activity Step 1 [1.1] {state}' for state in ('scheduled', 'started', 'completed')]
    assert lines[-1] == 'workflow completed'


def test_quiet_shows_the_result_alone(genflow_run, file):
    done = genflow_run('--quiet', file(STEPS), 2)
    assert (done.out, done.err) == ('1\n', '')


def test_what_user_code_prints_is_kept_apart_from_the_result(genflow_run, file):
    done = genflow_run(
        '-q', file("print('imported')\n" + workflow_file('def run(self):\n    print("ran")\n    return 1'))
    )
    assert (done.out, done.err) == ('1\n', 'imported\nran\n')


def test_arguments_are_json_or_text(genflow_run, file):
    done = genflow_run(
        '-q', file(workflow_file('def run(self, *words):\n    return words')), '5', 'five', '[1, null]', '-1'
    )
    assert json.loads(done.out) == [5, 'five', [1, None], -1]


def test_keyword_arguments(genflow_run, file):
    text = workflow_file('def run(self, *words, limit, mark="."):\n    return [*words, limit, mark]')
    done = genflow_run('-q', file(text), '-1', 'two', '--kwarg', 'limit=3', '--kwarg', 'mark=a=b')
    assert (done.returncode, json.loads(done.out)) == (0, [-1, 'two', 3, 'a=b']), done.err


def test_a_workflow_that_raises_exits_with_3_and_shows_where(genflow_run, file):
    failing = """
    def run(self):
        yield self.sleep(0)
        raise ValueError('no more')
    """
    done = genflow_run('-q', file(workflow_file(failing)))
    assert (done.returncode, done.out) == (3, '')
    assert done.err.startswith('genflow: workflow Flow-')
    assert done.err.count('ValueError: no more') == 1
    assert 'flow.py", line 10, in run' in done.err
    assert "raise ValueError('no more')" in done.err


def test_an_activity_that_raises_shows_its_own_traceback(genflow_run, file):
    activities = """
@activity(name='Break', version=1, task_list='flow')
class Break(Activity):
    def run(self):
        raise ZeroDivisionError('by nothing')
"""
    breaking = """
    broken = ActivityProxy(name='Break', version=1)
    def run(self):
        yield self.broken()
    """
    done = genflow_run('-q', file(workflow_file(breaking, activities)))
    assert done.returncode == 3
    assert 'flow.py", line 7, in run' in done.err
    assert 'ZeroDivisionError: by nothing' in done.err


NESTED = """
from genflow import Activity, Workflow, activity, workflow

@activity(name='Charge', version=1, task_list='t')
class Charge(Activity):
    def run(self):
        raise ValueError('card refused')

@workflow(name='Payment', version=1, task_list='t')
class Payment(Workflow):
    charge = Charge.proxy(retry=0)

    def run(self):
        yield self.charge()

@workflow(name='Order', version=1, task_list='t')
class Order(Workflow):
    payment = Payment.proxy(retry=0)

    def run(self):
        yield self.payment()
"""


def test_a_failure_through_three_levels_gives_its_reason_once(genflow_run, file):
    done = genflow_run('-q', f'{file(NESTED)}:Order')
    assert done.returncode == 3
    head, _, rest = done.err.partition('\n\n')
    first, *levels = head.splitlines()
    assert first.endswith(' failed because')
    assert levels == ['  child 1 Payment 1 failed because', '  activity 1 Charge 1 failed:']
    assert rest.count('Traceback') == 1
    assert 'flow.py", line 7, in run' in rest
    assert done.err.count('card refused') == 2  # the line of code, and what it raised


def test_a_verbose_failure_shows_every_traceback(genflow_run, file):
    assert genflow_run('-qv', f'{file(NESTED)}:Order').err.count('Traceback') == 3


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nothing.py'], "there is no file 'nothing.py'"),
        (['flow.py:Nothing'], "has no class 'Nothing'"),
        (
            ['flow.py', '1', '2', '3', '4'],
            'these arguments do not fit Chain.run(count, hang_at=-1): too many positional arguments',
        ),
        (['flow.py'], 'these arguments do not fit Chain.run(count, hang_at=-1): missing a required argument'),
        (
            ['flow.py', '1', '--kwarg', 'size=1'],
            "fit Chain.run(count, hang_at=-1): got an unexpected keyword argument 'size'",
        ),
        (['flow.py', '--kwarg', '1'], "'1' is not a keyword argument; write NAME=VALUE"),
        (['flow.py', '1', '--quick'], 'No such option: --quick'),
        (['--no-such-option', 'flow.py'], 'No such option'),
        ([], 'Missing argument'),
    ],
)
def test_wrong_usage_exits_with_2(genflow_run, file, arguments, message):
    file(STEPS)
    done = genflow_run(*arguments)
    assert (done.returncode, done.out) == (2, '')
    assert message in done.err


def test_a_file_with_several_workflows_needs_a_class(genflow_run, file):
    second = STEPS + '\n@workflow(name="Other", version=1, task_list="steps")\nclass Other(Chain):\n    pass\n'
    done = genflow_run(file(second), 1)
    assert done.returncode == 2
    assert '  flow.py:Chain\n  flow.py:Other\n' in done.err
    assert genflow_run('-q', 'flow.py:Other', 3).out == '3\n'


def log_of(folder):
    return (folder / 'log').read_text().splitlines()


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_an_interrupted_run_continues_and_repeats_nothing(genflow_run, file, tmp_path, number, code):
    os.mkfifo(tmp_path / 'hang')
    arguments = ['--db', 'x.db', '--id', 'a', file(STEPS), 4, 2]
    process = start(tmp_path, 'run', *arguments)
    wait_for(process.stderr, '[3.1] started')
    process.send_signal(number)
    _out, said = process.communicate(timeout=TIMEOUT)
    assert process.returncode == code
    assert 'genflow.worker' not in said, said
    (tmp_path / 'hang').unlink()

    done = genflow_run(*arguments)
    assert (done.returncode, done.out) == (0, '6\n'), done.err
    assert 'workflow continued: 2 completed before' in done.err
    ended = [line for line in log_of(tmp_path) if line.startswith('end')]
    assert sorted(ended) == ['end 0', 'end 1', 'end 2', 'end 3']


def test_what_still_runs_at_the_end_of_a_run_is_no_news(genflow_run, file, tmp_path):
    os.mkfifo(tmp_path / 'hang')
    loser = STEPS.replace('class Chain', 'class Race').replace("name='Chain'", "name='Race'")
    begin, _run, _rest = loser.partition('    def run(self, count')
    text = f"""{begin}    def run(self):
        yield self.step(1, True).timeout(1)
"""
    text = text.replace('from genflow import', 'from genflow import TaskTimeout,')
    text += """
@workflow(name='Main', version=1, task_list='steps')
class Main(Workflow):
    step = ActivityProxy(name='Step', version=1, retry=0)

    def run(self):
        try:
            yield self.step(1, True).timeout(1)
        except TaskTimeout:
            return 'late'
"""
    done = genflow_run(f'{file(text)}:Main')
    (tmp_path / 'hang').unlink()
    assert (done.returncode, done.out) == (0, '"late"\n'), done.err
    assert 'genflow.worker' not in done.err
    assert 'running' not in done.err


def test_a_workflow_that_raises_a_keyboard_interrupt_fails_like_any_other(genflow_run, file):
    done = genflow_run(
        file(
            workflow_file("""
        def run(self):
            yield self.sleep(0)
            raise KeyboardInterrupt
    """)
        )
    )
    assert done.returncode == 3, done.err
    assert done.err.endswith('raise KeyboardInterrupt\nKeyboardInterrupt\n')


WAITING = """
from genflow import Signal, TaskTimeout, Workflow, WorkflowProxy, workflow

@workflow(name='Flow', version=1, task_list='flow')
class Flow(Workflow):
    approve = Signal()

    def run(self):
        return (yield self.approve.get())

@workflow(name='Parent', version=1, task_list='flow')
class Parent(Workflow):
    flow = WorkflowProxy(name='Flow', version=1)

    def run(self):
        yield [self.flow(), self.flow()]

@workflow(name='Limited', version=1, task_list='flow')
class Limited(Workflow):
    approve = Signal()

    def run(self):
        try:
            yield self.approve.get().timeout(1)
        except TaskTimeout:
            return 'nobody'
"""


@pytest.mark.parametrize('name', ['Flow', 'Parent'])
def test_a_signal_that_nobody_can_send_is_named_once(file, tmp_path, name):
    process = start(tmp_path, 'run', '-q', f'{file(WAITING)}:{name}')
    line = process.stderr.readline()
    assert line.startswith('genflow.run: Flow 1 waits for something that this command cannot provide: it stands at ')
    assert "flow.py:9 in run, waiting for signal 'approve'" in line
    assert '`genflow signal ID approve --db FILE` in another terminal' in line
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, out, rest.strip()) == (130, '', 'interrupted')


def test_a_signal_is_sent_to_a_run_that_was_stopped(genflow_run, file, tmp_path):
    arguments = ['-q', '--db', 'x.db', '--id', 'a', f'{file(WAITING)}:Flow']
    for _ in range(2):  # the second time there is a history, and no decision to make
        process = start(tmp_path, 'run', *arguments)
        assert 'in another terminal: genflow signal a approve --db x.db\n' in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT)
    assert finish(start(tmp_path, 'signal', 'a', 'approve', '7', '--db', 'x.db')).returncode == 0
    assert genflow_run(*arguments).out == '7\n'


@pytest.mark.skipif(os.name != 'posix', reason='needs a pseudo-terminal')
def test_on_a_terminal_the_command_that_sends_a_signal_is_a_line_of_its_own(file, tmp_path):
    outer, inner = os.openpty()
    words = [sys.executable, '-m', 'genflow', 'run', '-q', '--db', 'x.db', '--id', 'a', f'{file(WAITING)}:Flow']
    with Process(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=inner) as process:
        os.close(inner)
        with os.fdopen(outer, encoding='utf-8', newline='') as screen:
            lines = iter(screen.readline, '')
            assert any(line == '  genflow signal a approve --db x.db\r\n' for line in lines)
            process.send_signal(signal.SIGINT)
            assert process.wait(TIMEOUT) == 130


def test_a_signal_and_other_commands_reach_a_run_that_waits(file, tmp_path):
    arguments = ['-q', '--db', 'x.db', f'{file(WAITING)}:Flow', '--id']
    first = start(tmp_path, 'run', *arguments, 'a')
    assert 'genflow signal a approve --db x.db' in first.stderr.readline()
    joining = start(tmp_path, 'run', *arguments, 'a')
    beside = start(tmp_path, 'run', *arguments, 'b')
    assert 'genflow signal a approve --db x.db' in joining.stderr.readline()
    assert 'genflow signal b approve --db x.db' in beside.stderr.readline()
    for command in (['list', '--db', 'x.db'], ['history', 'a', '--db', 'x.db'], ['db', 'info', 'x.db']):
        done = finish(start(tmp_path, *command))
        assert done.returncode == 0, done.err
    assert finish(start(tmp_path, 'signal', 'a', 'approve', '7', '--db', 'x.db')).returncode == 0
    assert [finish(process).out for process in (first, joining)] == ['7\n', '7\n']
    assert finish(start(tmp_path, 'signal', 'b', 'approve', '8', '--db', 'x.db')).returncode == 0
    assert finish(beside).out == '8\n'


def test_who_waits_for_a_timer_too_is_left_in_peace(genflow_run, file):
    done = genflow_run('-q', f'{file(WAITING)}:Limited')
    assert (done.returncode, done.out, done.err) == (0, '"nobody"\n', '')


def test_a_result_beyond_json_is_printed_as_json(genflow_run, file):
    text = workflow_file("""
        def run(self):
            return {'price': Decimal('4.40'), 'tags': {'a'}}
    """)
    done = genflow_run(file('from decimal import Decimal\n' + text))
    assert (done.returncode, done.out) == (0, '{"price": "4.40", "tags": ["a"]}\n'), done.err


def test_two_classes_of_one_type_in_one_file_are_both_named(genflow_run, file):
    text = STEPS.replace(
        '@workflow(',
        """@activity(name='Step', version=1, task_list='steps')
class Other(Activity):
    def run(self):
        return None

@workflow(""",
    )
    done = genflow_run(file(text), 1)
    assert done.returncode == 2, done.err
    assert 'Error: flow.Other and flow.Step both declare the activity type Step 1' in done.err


def step_file(result):
    return f"""
from genflow import Activity, activity

@activity(name='Step', version=1, task_list='steps')
class Step(Activity):
    def run(self, *args):
        return {result}
"""


TWO = """
import one, two
from genflow import ActivityProxy, Workflow, workflow

@workflow(name='Flow', version=1, task_list='steps')
class Flow(Workflow):
    step = {proxy}

    def run(self):
        return (yield {called})
"""


@pytest.mark.parametrize('command', [['run'], ['worker', '--db', 'x.db', '--domain', 'd', '--task-list', 'steps']])
def test_two_imported_classes_of_one_type_are_refused(file, tmp_path, command):
    file(step_file(1), 'one.py')
    file(step_file(2), 'two.py')
    proxy = "ActivityProxy(name='Step', version=1)"
    target = file(TWO.format(proxy=proxy, called='self.step()'))
    done = finish(start(tmp_path, *command, target))
    assert done.returncode == 2, done.err
    said = done.err.splitlines()[-1]
    assert said.startswith('Error: ')
    assert 'one.Step' in said
    assert 'two.Step' in said


def test_a_proxy_that_was_made_from_a_class_says_which_is_meant(genflow_run, file):
    file(step_file(1), 'one.py')
    file(step_file(2), 'two.py')
    done = genflow_run('-q', file(TWO.format(proxy='two.Step.proxy()', called='self.step()')))
    assert (done.returncode, done.out) == (0, '2\n'), done.err


def test_two_classes_of_a_type_that_nobody_calls_do_no_harm(genflow_run, file):
    file(step_file(1), 'one.py')
    file(step_file(2), 'two.py')
    done = genflow_run('-q', file(TWO.format(proxy="ActivityProxy(name='Other', version=1)", called='self.sleep(0)')))
    assert (done.returncode, done.out, done.err) == (0, 'null\n', '')


def test_a_completed_run_is_recalled_and_not_repeated(genflow_run, file, tmp_path):
    arguments = ['--db', 'x.db', '--id', 'a', file(STEPS), 2]
    assert genflow_run(*arguments).out == '1\n'
    assert genflow_run(*arguments).out == '1\n'
    assert log_of(tmp_path) == ['begin 0', 'end 0', 'begin 1', 'end 1']
    assert genflow_run('--db', 'x.db', '--id', 'a', 'flow.py', 3).out == '3\n'


def test_an_open_execution_is_not_continued_with_other_arguments(genflow_run, file, tmp_path):
    os.mkfifo(tmp_path / 'hang')
    process = start(tmp_path, 'run', '--db', 'x.db', '--id', 'a', file(STEPS), 2, 1)
    wait_for(process.stderr, '[2.1] started')
    process.kill()
    process.communicate()
    done = genflow_run('--db', 'x.db', '--id', 'a', 'flow.py', 3)
    assert done.returncode == 2
    assert "was started with other arguments: '[[2,1],{}]' instead of '[[3],{}]'" in done.err


def test_a_file_that_somebody_does_not_share_is_refused(genflow_run, file, tmp_path):
    file(STEPS)
    with LocalSWF(tmp_path / 'x.db', ManualClock()):
        done = genflow_run('--db', 'x.db', 'flow.py', 1)
    assert done.returncode == 5
    assert 'x.db is in use by process' in done.err


def test_code_that_does_not_fit_the_history_ends_with_the_report(genflow_run, file, tmp_path):
    os.mkfifo(tmp_path / 'hang')
    arguments = ['--db', 'x.db', '--id', 'a', file(STEPS), 2, 1]
    process = start(tmp_path, 'run', *arguments)
    wait_for(process.stderr, '[2.1] started')
    process.kill()
    process.communicate()
    (tmp_path / 'hang').unlink()

    file(STEPS.replace('for number in range(count):', 'yield self.sleep(1)\n        for number in range(count):'))
    done = genflow_run('-q', *arguments)
    assert (done.returncode, done.out) == (3, '')
    assert 'cannot go on: NondeterminismError' in done.err
    assert 'is held' not in done.err  # the same once more, in the words of a worker
    assert 'flow.py:' in done.err
    file(STEPS)
    assert genflow_run('-q', *arguments).out == '1\n'


def test_an_id_without_a_file_is_reported_to_have_no_effect(genflow_run, file):
    done = genflow_run('--id', 'a', file(STEPS), 0)
    assert done.returncode == 0
    assert '--id a has no effect without --db' in done.err
