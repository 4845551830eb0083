"""``genflow dev``: what a save means for the code that runs and for the executions that are open."""

from __future__ import annotations

import io
import os
import queue
import signal
import threading
import urllib.parse
import urllib.request
from datetime import datetime, timezone

import pytest
from rich.console import Console

from genflow.local import LocalSWF
from genflow.swf.client.handles import Client
from genflow.tools.cli.processes.dev import follow
from genflow.tools.cli.processes.ui import at_address
from genflow.tools.dev import session as dev_session
from genflow.tools.dev.page import Executions, PlainPage, drawn
from genflow.tools.dev.session import Session
from tests.tools.processes import ends_with_its_children, finish, needs_pidfd, start, wait_for

pytestmark = pytest.mark.slow

FLOW = """
from genflow import Activity, Signal, Workflow, activity, workflow

@activity(name='Count', version=1, task_list='dev')
class Count(Activity):
    def run(self, number):
        return number

@workflow(name='Flow', version=1, task_list='dev')
class Flow(Workflow):
    count = Count.proxy()
    go = Signal()

    def run(self):
        first = yield self.count(1)
        second = yield self.count(2)
        yield self.go.get()
        return [first, second]
"""
LIMIT = 60


@pytest.fixture
def flow(tmp_path, monkeypatch):
    monkeypatch.delenv('PYTHONDONTWRITEBYTECODE', raising=False)
    path = tmp_path / 'dev_flow.py'
    path.write_text(FLOW, encoding='utf-8')
    return path


class Lines(list):
    """The lines that a session has printed; a test can wait for one."""

    def __init__(self):
        super().__init__()
        self._changed = threading.Condition()

    def append(self, line):
        with self._changed:
            super().append(line)
            self._changed.notify_all()

    def wait_for(self, line):
        with self._changed:
            assert self._changed.wait_for(lambda: line in self, LIMIT)


@pytest.fixture
def told():
    return Lines()


@pytest.fixture
def session(flow, told):
    with Session(str(flow), 'genflow', told.append) as session:
        session.saved()
        yield session


@pytest.fixture
def waiting(session):
    """An execution that has counted twice and waits for its signal."""
    execution = Client('genflow', session.client).starter('Flow', version='1', workflow_id='a')()
    until_it_waits(execution)
    return execution


def until_it_waits(execution):
    while len(completed(execution)) < 2 or execution.history()[-1]['eventType'] != 'DecisionTaskCompleted':
        threading.Event().wait(0.02)


def completed(execution):
    return [event for event in execution.history() if event['eventType'] == 'ActivityTaskCompleted']


def edit(flow, old, new):
    """A change that comes so soon after the last one that the time of the file is the same."""
    assert old in flow.read_text(encoding='utf-8')
    before = flow.stat()
    flow.write_text(flow.read_text(encoding='utf-8').replace(old, new), encoding='utf-8')
    os.utime(flow, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_code_that_every_open_execution_follows_is_taken_up(session, waiting, flow, told):
    edit(flow, 'return [first, second]', 'return [first, second, "new"]')
    session.saved()
    waiting.signal('go')
    assert waiting.result(LIMIT) == [1, 2, 'new']
    assert told[:1] == ['the code runs']
    assert 'the new code runs' in told


def test_an_error_in_the_file_keeps_the_code_from_before(session, waiting, flow, told):
    edit(flow, 'return [first', 'return [first +')
    session.saved()
    assert session.code == 'broken'
    assert 'SyntaxError' in told[-1]
    assert 'genflow/tools' not in told[-1]  # the user's lines only
    waiting.signal('go')
    assert waiting.result(LIMIT) == [1, 2]


def departed(session, flow, told):
    """The second step is another one now."""
    edit(flow, 'self.count(2)', 'self.sleep(0)')
    session.saved()
    assert session.code == 'departs'
    assert told[-1] == '1 open execution would be held by the saved code; the previous code keeps running.'
    assert 'no longer matches: Flow 1 (workflow a' in told[-2]


def test_a_type_that_the_saved_code_does_not_have_keeps_the_code_from_before(session, waiting, flow, told):
    edit(flow, "name='Flow'", "name='Renamed'")
    session.saved()
    assert session.code == 'departs'
    assert told[-2] == 'no longer matches: a: the code has no workflow type Flow 1'
    waiting.signal('go')
    assert waiting.result(LIMIT) == [1, 2]


@pytest.mark.parametrize('key', ['r', 'p'])
def test_an_execution_of_a_type_that_is_gone_stays_open(session, waiting, flow, told, key):
    edit(flow, "name='Flow'", "name='Renamed'")
    session.saved()
    session.choose(key)
    assert waiting.status() == 'OPEN'
    assert 'a: the code has no workflow type Flow 1; it stays open until the code has it again' in told
    renamed = Client('genflow', session.client).execution('b')
    while not _started(session, 'Renamed', 'b'):
        threading.Event().wait(0.05)  # the worker registers the type that the check could not
    renamed.signal('go')
    assert renamed.result(LIMIT) == [1, 2]


def _started(session, name, workflow_id):
    try:
        Client('genflow', session.client).starter(name, version='1', workflow_id=workflow_id)()
    except session.client.exceptions.UnknownResourceFault:
        return False
    return True


def test_code_that_never_ran_is_not_called_the_previous_code(flow, told):
    flow.write_text('def (:', encoding='utf-8')
    with Session(str(flow), 'genflow', told.append) as session:
        assert 'the code is being checked' in page_of(session)
        session.saved()
        assert 'nothing runs until it is fixed and saved' in page_of(session)
    assert 'previous' not in ''.join(told)


def page_of(session):
    console = Console(file=io.StringIO(), width=200)
    console.print(drawn(session, [], datetime.now(timezone.utc)))
    return console.file.getvalue()


def ended(session):
    """The result of the latest run, how many activities it has had done, and its tags."""
    latest = Client('genflow', session.client).execution('a')
    latest.signal('go')
    result = latest.result(LIMIT)
    tags = latest.history()[0]['workflowExecutionStartedEventAttributes'].get('tagList', [])
    return result, len(completed(latest)), [tag.partition(':')[0] for tag in tags]


def test_an_execution_that_departs_continues_by_the_old_code(session, waiting, flow, told):
    departed(session, flow, told)
    session.choose('k')
    assert ended(session) == ([1, 2], 2, [])


def test_an_execution_that_departs_is_started_again(session, waiting, flow, told):
    departed(session, flow, told)
    session.choose('r')
    assert waiting.status() == 'TERMINATED'
    assert ended(session) == ([1, None], 1, ['rerun-of'])


@pytest.mark.parametrize('key', ['r', 'p'])
def test_no_old_code_runs_when_an_execution_begins_anew(session, waiting, flow, told, monkeypatch, key):
    departed(session, flow, told)
    worked = []
    for name in ('start_workflow_execution', 'fork_run'):
        method = getattr(LocalSWF, name)

        def begin(*args, method=method, **request):
            worked.append(session.is_working)
            return method(*args, **request)

        monkeypatch.setattr(LocalSWF, name, begin)
    session.choose(key)
    assert worked == [False]


@pytest.fixture
def stuck(session, monkeypatch):
    """The process of the code that runs, which hears no signal that it could handle."""
    monkeypatch.setattr(dev_session, 'WORKER_TIMEOUT', 0)
    monkeypatch.setattr(dev_session, 'DRAIN', 0)
    worker = session._worker  # noqa: SLF001
    worker.send_signal(signal.SIGSTOP)
    return worker


@pytest.mark.parametrize('key', ['r', 'p'])
def test_old_code_that_does_not_end_is_killed_before_an_execution_begins_anew(
    session, waiting, stuck, flow, told, monkeypatch, key
):
    departed(session, flow, told)
    ends = []
    for name in ('start_workflow_execution', 'fork_run'):
        method = getattr(LocalSWF, name)

        def begin(*args, method=method, **request):
            ends.append(stuck.poll())
            return method(*args, **request)

        monkeypatch.setattr(LocalSWF, name, begin)
    session.choose(key)
    assert ends == [-signal.SIGKILL]


def test_replaced_code_that_does_not_end_is_killed(session, waiting, stuck, flow, told):
    edit(flow, 'return [first, second]', 'return [first, second, "new"]')
    session.saved()
    assert told[-1] == 'the new code runs'
    assert stuck.wait(LIMIT) == -signal.SIGKILL


def test_an_execution_that_departs_is_repaired_where_the_code_still_follows_it(session, waiting, flow, told):
    departed(session, flow, told)
    session.choose('p')
    assert 'a goes on after event' in told[-2]
    assert told[-2].endswith(', with 1 operation completed')
    assert ended(session) == ([1, None], 1, ['repair-of'])


def test_the_dashboard_repairs_while_the_session_serves(session, waiting):
    waiting.terminate('by mistake')
    with at_address(session.url, 'flow', session.domain, session.db, session.fork_run) as dashboard:
        form = urllib.parse.urlencode({'action': 'repair', 'on': f'a:{waiting.run_id}'}).encode()
        with urllib.request.urlopen(f'{dashboard.url}/act', form, timeout=LIMIT) as page:  # noqa: S310
            assert 'did=repair' in page.url
    assert ended(session) == ([1, 2], 2, ['repair-of'])


def test_the_page_shows_what_executions_do_and_what_may_be_chosen(session, waiting, flow, told):
    executions = Executions(session)
    assert list(executions.refresh()) == []
    console = Console(file=io.StringIO(), width=140, color_system=None)
    console.print(drawn(session, executions.views, datetime.now(timezone.utc)))
    assert 'waits for a signal' in console.file.getvalue()
    departed(session, flow, told)
    console.print(drawn(session, executions.views, datetime.now(timezone.utc)))
    assert '[r] restart them   [p] repair them   [k] keep the old code   [q] quit' in console.file.getvalue()


def test_a_failure_is_shown_once_with_the_users_lines(session, waiting, flow):
    edit(flow, 'return [first, second]', 'raise KeyError("lost")')
    session.saved()
    waiting.signal('go')
    with pytest.raises(Exception, match='lost'):
        waiting.result(LIMIT)
    executions = Executions(session)
    (text,) = executions.refresh()
    assert text.startswith('workflow a failed')
    assert "KeyError: 'lost'" in text
    assert 'genflow/core' not in text
    assert list(executions.refresh()) == []


def test_keys_and_saves_are_followed_until_somebody_quits(session, flow, told):
    messages = queue.SimpleQueue()
    for message in ('x', 'saved', 'k', 'q'):
        messages.put(message)
    follow(session, Executions(session), PlainPage(io.StringIO()), messages)
    assert told == ['the code runs', 'the new code runs']


def test_the_command_takes_up_a_save_and_ends_with_an_interrupt(tmp_path, flow):
    process = start(tmp_path, 'dev', 'dev_flow.py')
    address = wait_for(process.stderr, 'the dashboard is at ').split()[-1]
    wait_for(process.stderr, 'the code runs')
    with urllib.request.urlopen(address, timeout=LIMIT) as page:  # noqa: S310 - our own address
        assert 'dev_flow.py' in page.read().decode()
    edit(flow, 'return [first, second]', 'return first')
    wait_for(process.stderr, 'the new code runs')
    process.send_signal(signal.SIGINT)
    assert finish(process).returncode == 0, process.err


@needs_pidfd
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_worker_outlives_the_command(tmp_path, flow, number):
    """A terminal that is closed sends SIGHUP."""
    process = start(tmp_path, 'dev', 'dev_flow.py', '--no-ui')
    wait_for(process.stderr, 'the code runs')
    with ends_with_its_children(process, 1):
        process.send_signal(number)
    code = finish(process).returncode
    assert code == (-number if number == signal.SIGKILL else 0), process.err


def test_a_file_that_is_not_there_is_named(tmp_path):
    done = finish(start(tmp_path, 'dev', 'nothing.py'))
    assert done.returncode == 2
    assert "there is no file 'nothing.py'" in done.err


AUDIT = """
class Audit(Middleware):
    def workflow_started(self, run):
        print('started', run.info.workflow_id, flush=True)

@activity"""


def test_the_worker_of_a_session_calls_the_middleware_that_it_is_given(flow, told):
    edit(flow, 'import Activity', 'import Activity, Middleware')
    edit(flow, '@activity', AUDIT)
    with Session(str(flow), 'genflow', told.append, middleware=f'{flow}:Adit') as session:
        session.saved()
        assert session.code == 'broken'
        assert "has no 'Adit'" in told[-1]
        session.middleware = f'{flow}:Audit'
        session.saved()
        execution = Client('genflow', session.client).starter('Flow', version='1', workflow_id='a')()
        execution.signal('go')
        assert execution.result(LIMIT) == [1, 2]
        told.wait_for('started a')
