"""What may go wrong while ``genflow shadow`` fetches executions: refusals, kills, damaged and shared caches."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from genflow import ActivityProxy, Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.local import LocalSWF, ManualClock
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.testing import Tester
from genflow.tools.shadow import Fetcher, Forbidden, Wanted, shadow_executions, since_of
from genflow.tools.shadow.fetching import LONGEST, OPERATIONS, action_of
from genflow.tools.shadow.shadowing import Outcome, Shadow
from tests.processes import Process
from tests.tools.fronts import front_of
from tests.tools.processes import finish, start

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = 'test'
FLOW = """
from genflow import ActivityProxy, Workflow, workflow

@workflow(name='Troubled', version=1, task_list='steps')
class Troubled(Workflow):
    step = ActivityProxy(name='Step', version=1)

    def run(self, number):
        return (yield self.step(number))
"""


class Troubled(Workflow):
    step = ActivityProxy('Step', '1')

    def run(self, number):
        return (yield self.step(number))


class Chained(Workflow):
    step = ActivityProxy('Step', '1')

    def run(self, left):
        yield self.step(left)
        return self.restart(left - 1) if left else 'over'


class Elsewhere(Troubled):
    """A type that the code does not have."""


SPEC = WorkflowSpec(Troubled, 'Troubled', '1')


@pytest.fixture
def service():
    """A service with three executions that closed an hour ago: flow-1 to flow-3."""
    with LocalSWF(clock=ManualClock(datetime.now(timezone.utc) - timedelta(hours=1))) as service:
        for number in (1, 2, 3):
            Tester(Troubled, service=service, workflow_id=f'flow-{number}', step='ok').run(number)
        yield service


@pytest.fixture
def front(service):
    with front_of(service) as front:
        yield front


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'flow.py').write_text(FLOW, encoding='utf-8')
    return tmp_path


def shadow_of(front, folder, *arguments):
    return start(folder, 'shadow', 'flow.py', '--domain', DOMAIN, '--endpoint', front.url, *arguments)


class Time:
    """A clock that only pauses move."""

    def __init__(self):
        self.now = 0.0

    def pause(self, seconds):
        self.now += seconds
        return False


def fetcher(where, folder=None):
    time = Time()
    client = RetryingClient(connect(where), pause=time.pause, clock=lambda: time.now)
    return Fetcher(client, folder, clock=lambda: time.now, pause=time.pause), time


# refusals


def test_what_swf_throttles_is_asked_for_again(front):
    for operation in OPERATIONS:
        front.refusals[action_of(operation).removeprefix('swf:')] = ['ThrottlingException'] * 3
    found, _ = fetcher(front.url)
    shadow = shadow_executions(found, Wanted(DOMAIN), [SPEC])
    assert (len(shadow.outcomes), shadow.ok) == (3, True)
    assert len(front.calls) == 3 * 3 + 5  # each first call is refused three times; two lists and three histories


@pytest.mark.parametrize('operation', ['ListOpenWorkflowExecutions', 'GetWorkflowExecutionHistory'])
def test_what_swf_throttles_for_ever_ends_within_bounds(front, operation):
    front.refusals[operation] = ('ThrottlingException',)
    found, time = fetcher(front.url)
    with pytest.raises(Exception, match='ThrottlingException'):
        shadow_executions(found, Wanted(DOMAIN), [SPEC])
    assert time.now < 180
    assert len(front.calls) < 60


@pytest.mark.parametrize('operation', OPERATIONS)
@pytest.mark.parametrize('code', ['AccessDeniedException', 'OperationNotPermittedFault'])
def test_a_missing_permission_is_named(front, operation, code):
    action = action_of(operation)
    front.refusals[action.removeprefix('swf:')] = (code,)
    found, _ = fetcher(front.url)
    with pytest.raises(Forbidden, match=f'Allow {action} on the domain test'):
        shadow_executions(found, Wanted(DOMAIN), [SPEC])


@pytest.mark.thorough
@pytest.mark.parametrize('command', ['shadow', 'worker'])
def test_the_commands_name_a_missing_permission(front, folder, command):
    front.refusals['ListOpenWorkflowExecutions'] = ('AccessDeniedException',)
    more = ('--task-list', 'steps', '--shadow-first', '--no-register') if command == 'worker' else ()
    done = finish(start(folder, command, 'flow.py', '--domain', DOMAIN, '--endpoint', front.url, *more))
    assert done.returncode == 2
    assert 'Allow swf:ListOpenWorkflowExecutions on the domain test' in done.err
    assert 'Traceback' not in done.err


def test_the_documented_permissions_are_those_of_the_calls(front):
    found, _ = fetcher(front.url)
    shadow_executions(found, Wanted(DOMAIN), [SPEC])
    text = (ROOT / 'docs' / 'shadow.md').read_text(encoding='utf-8')
    policy = json.loads(re.search(r'```json\n(.*?)```', text, re.DOTALL)[1])
    (statement,) = policy['Statement']
    assert {f'swf:{operation}' for operation, _ in front.calls} == set(statement['Action'])
    assert [action_of(operation) for operation in OPERATIONS] == statement['Action']


# interruptions


@pytest.mark.thorough
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_shadow_goes_on_and_fetches_nothing_twice(front, folder, number):
    front.held = 4  # two lists, and the second history
    first = shadow_of(front, folder, '--cache', 'kept')
    assert front.arrived.wait(180)
    first.send_signal(number)
    front.release.set()
    done = finish(first)
    assert done.returncode == (-9 if number == signal.SIGKILL else 130)
    assert 'Traceback' not in done.err
    assert front.fetched() == ['flow-3', 'flow-2']
    (kept,) = (folder / 'kept').rglob('*.json')
    assert kept.name.startswith('flow-3')
    done = finish(shadow_of(front, folder, '--cache', 'kept'))
    assert done.returncode == 0
    assert front.fetched() == ['flow-3', 'flow-2', 'flow-2', 'flow-1']


def test_an_execution_that_closes_after_it_was_listed_is_given_once_and_as_closed(service):
    tester = Tester(Troubled, service=service, workflow_id='flow-4', step='ok').start(4)
    tester.step()

    class Late(Fetcher):
        """Terminates the open execution when its history is asked for first."""

        def history(self, domain, execution):
            if execution.is_open:
                service.terminate_workflow_execution(domain=DOMAIN, workflowId='flow-4')
            return super().history(domain, execution)

    found = Late(RetryingClient(connect(service)), pause=lambda seconds: None)
    shadow = shadow_executions(found, Wanted(DOMAIN), [SPEC])
    assert [outcome.workflow_id for outcome in shadow.outcomes] == ['flow-4', 'flow-3', 'flow-2', 'flow-1']
    assert not any(outcome.is_open for outcome in shadow.outcomes)


# the cache


@pytest.mark.parametrize(
    'content', [b'', b'{"events": [', b'\xff\xfe', b'[]', b'{}', b'{"events": []}', b'{"events": [{}]}', b'null', b'3']
)
def test_a_damaged_file_of_the_cache_is_fetched_again(front, tmp_path, content):
    found, _ = fetcher(front.url, tmp_path)
    shadow_executions(found, Wanted(DOMAIN), [SPEC])
    whole = {path: path.read_bytes() for path in tmp_path.rglob('*.json')}
    damaged = min(whole)
    damaged.write_bytes(content)
    front.calls.clear()
    again, _ = fetcher(front.url, tmp_path)
    assert shadow_executions(again, Wanted(DOMAIN), [SPEC]).ok
    assert front.fetched() == ['flow-1']
    assert {path: path.read_bytes() for path in tmp_path.rglob('*.json')} == whole


def test_a_file_with_the_history_of_another_execution_is_fetched_again(front, tmp_path):
    found, _ = fetcher(front.url, tmp_path)
    shadow_executions(found, Wanted(DOMAIN), [SPEC])
    first, second, _ = sorted(tmp_path.rglob('*.json'))
    first.write_bytes(second.read_bytes())
    front.calls.clear()
    again, _ = fetcher(front.url, tmp_path)
    assert shadow_executions(again, Wanted(DOMAIN), [SPEC]).ok
    assert front.fetched() == ['flow-1']


def test_several_shadows_may_use_one_cache_at_once(front, tmp_path):
    together = threading.Barrier(4)
    results = []

    def shadow():
        found, _ = fetcher(front.url, tmp_path)
        together.wait()
        results.append(shadow_executions(found, Wanted(DOMAIN), [SPEC]).ok)

    threads = [threading.Thread(target=shadow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4
    assert len(list(tmp_path.rglob('*.json'))) == 3
    assert not list(tmp_path.rglob('*.part'))


def test_what_a_killed_shadow_has_left_is_deleted_once_it_is_old(front, tmp_path):
    old, new = tmp_path / 'old.part', tmp_path / 'new.part'
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    found, _ = fetcher(front.url, tmp_path)
    shadow_executions(found, Wanted(DOMAIN), [SPEC])
    assert [path.name for path in tmp_path.rglob('*.part')] == ['new.part']


def test_a_full_disk_is_reported_with_the_file_and_leaves_no_half(front, tmp_path):
    found, _ = fetcher(front.url, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match=r'cannot keep a history in the cache, .*flow-3'):
            shadow_executions(found, Wanted(DOMAIN), [SPEC])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not [path for path in tmp_path.rglob('*') if path.is_file()]


@pytest.mark.thorough
def test_a_cache_that_cannot_be_written_is_an_error(front, folder):
    done = finish(shadow_of(front, folder, '--cache', 'flow.py/kept'))
    assert done.returncode == 2
    assert 'cannot keep a history in the cache, flow.py/kept' in done.err


# what is asked for


@pytest.mark.parametrize('text', ['99999999999999d', '9' * 5000 + 's', '999999w'])
def test_a_very_long_time_is_all_time(service, text):
    assert since_of(text) == LONGEST
    found, _ = fetcher(service)
    assert len(shadow_executions(found, Wanted(DOMAIN, since=since_of(text)), [SPEC]).outcomes) == 3


@pytest.mark.parametrize('text', ['', '7 d', '\u0667d', '7D', '1.5d', '7dd'])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match='such as 7d'):
        since_of(text)


def test_a_limit_counts_what_is_checked(service):
    for number in (5, 6):
        Tester(Elsewhere, service=service, workflow_id=f'other-{number}', step='ok').run(number)
    found, _ = fetcher(service)
    shadow = shadow_executions(found, Wanted(DOMAIN, limit=2), [SPEC])
    assert [outcome.workflow_id for outcome in shadow.outcomes] == ['flow-3', 'flow-2']
    assert shadow.unknown == {('Elsewhere', '1'): 2}


@pytest.mark.thorough
def test_a_type_that_the_code_does_not_have_is_refused(front, folder):
    done = finish(shadow_of(front, folder, '--type', 'Trouble'))
    assert done.returncode == 2
    assert "flow.py has no workflow type 'Trouble'; it has Troubled." in done.err
    assert front.calls == []


# progress

PROGRESS = re.compile(r'replaying +\[(#*)-*\] +(\d+)/(\d+)')


@pytest.mark.thorough
def test_progress_is_shown_on_a_terminal_and_grows(front, folder):
    leader, follower = pty.openpty()
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'TERM': 'xterm'}
    command = [sys.executable, '-m', 'genflow', 'shadow', 'flow.py', '--domain', DOMAIN, '--endpoint', front.url]
    with Process(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=follower, text=True) as process:
        os.close(follower)
        shown = ''
        with suppress(OSError):  # the terminal is closed by the other side
            while text := os.read(leader, 4096):
                shown += text.decode()
        os.close(leader)
        assert '3 of 3 executions follow the code' in process.stdout.read()
    steps = [(len(bar), int(done), int(total)) for bar, done, total in PROGRESS.findall(shown)]
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
    assert steps[-1][1:] == (3, 3)
    assert [bar for bar, done, total in steps if 0 < done < total]  # it is seen on its way
    assert all(bar * total == done * 36 for bar, done, total in steps if total)


# reports


def test_junit_has_no_characters_that_xml_cannot_write():
    outcome = Outcome('a\x00b', '1', 'c\x1fd', 'e\ud800f', True, 3, 0.5, ValueError('\x01<&"\x02'))
    root = ET.fromstring(Shadow([outcome, outcome]).to_junit())  # noqa: S314 - our own text
    assert (root.get('tests'), root.get('failures')) == ('2', '2')
    assert root[0].attrib == {'name': 'a?b 1', 'tests': '2', 'failures': '2', 'errors': '0', 'time': '1.0000'}
    assert root[0][0].get('name') == 'c?d e?f'
    assert root[0][0][0].text == '?<&"?'


def test_an_empty_domain_is_no_failure_but_is_mentioned(service):
    service.register_domain(name='empty', workflowExecutionRetentionPeriodInDays='1')
    found, _ = fetcher(service)
    shadow = shadow_executions(found, Wanted('empty'), [SPEC])
    assert shadow.ok
    assert str(shadow).splitlines()[0].startswith('no executions were found')


def test_a_chain_of_restarts_is_checked_link_by_link(service):
    Tester(Chained, service=service, workflow_id='chain', step='ok').run(2)
    found, _ = fetcher(service)
    shadow = shadow_executions(found, Wanted(DOMAIN, type_name='Chained'), [WorkflowSpec(Chained, 'Chained', '1')])
    assert [(outcome.workflow_id, outcome.error) for outcome in shadow.outcomes] == [('chain', None)] * 3


def test_json_has_the_types():
    outcomes = [
        Outcome('A', '1', str(number), 'r', True, 3, 0.5, ValueError('x') if number else None) for number in (0, 1)
    ]
    report = Shadow(outcomes, calls=7).to_json()
    assert report['types'] == [{'name': 'A', 'version': '1', 'executions': 2, 'failed': 1}]
    assert report['calls'] == 7


def test_values_make_no_kind_of_mismatch():
    def mutation(value):
        error = ValueError(f"- recorded: event 5 Scheduled input='[[{value}], {{}}]', name='A'")
        return Outcome('A', '1', 'w', 'r', True, 3, 0.5, error).mutation

    assert mutation(1) == mutation('2, 3') == mutation('"a", "b"')
    assert "name='A'" in mutation(1)
