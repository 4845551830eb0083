"""One file, several processes: who leads, who follows, and what becomes of their work when one of them ends."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path

import attrs
import pytest
from botocore.exceptions import ClientError

from genflow.local import Limits, LocalSWF, ManualClock
from genflow.local.errors import FileInUse, ServiceError
from genflow.local.http.http11 import LARGEST
from genflow.local.rules.crash_recovery import PROCESS_DIED
from genflow.local.shared import front, leading, link, member, names
from genflow.local.shared.following import Following
from genflow.local.shared.link import Link
from genflow.local.shared.notice import PROTOCOL, Notice, read_notice
from genflow.local.shared.sockets import connect, listen
from genflow.local.state.answers import Caller
from genflow.local.store.filelock import FileLock
from genflow.local.store.filelock import read_notice as read_lock_file
from genflow.steady_time import monotonic
from tests.local.domain import Domain, schedule
from tests.local.other_process import OtherProcess
from tests.local.test_forks import in_child, refusal

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='processes are killed and stopped by signals')


SOON = 60
"""Seconds on a busy machine; where `patient`, a leader that is waited for until it counts as gone takes longer."""


@pytest.fixture
def other(path):
    """Another process that leads the file, with everything prepared."""
    with OtherProcess(path, long_poll=60, synchronous='NORMAL') as process:
        assert process.leads
        process('domain.prepare() and None')
        yield process


@pytest.fixture
def swf(other, path):
    """The same file in this process, which follows."""
    with LocalSWF(path, long_poll=60) as swf:
        assert not swf.is_leader
        yield swf


def notice_of(path):
    return read_notice(read_lock_file(f'{path}-lock')[1])


def attributes(event):
    (found,) = (value for name, value in event.items() if name.endswith('EventAttributes'))
    return found


# The same API, through the leader.


@pytest.mark.thorough
def test_both_processes_see_what_either_does(other, swf):
    domain = Domain(swf)
    execution = domain.start('here')
    assert other('domain.start("there")')['workflowId'] == 'there'
    assert other(f'domain.types({execution!r})') == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']
    assert swf.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['count'] == 2


def test_answers_and_errors_are_those_of_the_service(other, swf):
    domain = Domain(swf)
    execution = domain.start('w', input='"é"')
    assert domain.history(execution)[0]['eventTimestamp'].tzinfo is not None
    with pytest.raises(ClientError, match='UnknownResourceFault') as caught:
        domain.signal('nobody')
    assert type(caught.value) is swf.exceptions.UnknownResourceFault
    with pytest.raises(ServiceError, match='Value null at'):
        swf.call('StartWorkflowExecution', {'domain': 'dom'})
    assert json.loads(swf.call_json('ListDomains', {'registrationStatus': 'REGISTERED'}))['domainInfos']


def test_a_poll_of_one_process_gets_the_task_of_the_other(other, swf):
    other.send('domain.poll_decision()["workflowExecution"]["workflowId"]')
    Domain(swf).start('w')
    assert other.read() == 'w'


def test_a_held_poll_waits_in_a_thread_of_its_own(other, swf):
    """As `genflow server` polls, where another process leads."""
    rung = threading.Event()
    held = swf.hold('PollForDecisionTask', {'domain': 'dom', 'taskList': {'name': 'deciders'}}, rung.set)
    assert held.attempt() is None
    Domain(swf).start('w')
    assert rung.wait(60)
    assert json.loads(held.attempt())['workflowExecution']['workflowId'] == 'w'


def test_a_held_poll_that_is_abandoned_takes_no_task(other, swf):
    """As when a client of `genflow server` goes away, where another process leads the file."""
    rung = threading.Event()
    request = {'domain': 'dom', 'taskList': {'name': 'deciders'}}
    held = swf.hold('PollForDecisionTask', request, rung.set)
    assert held.attempt() is None
    held.abandon()
    assert rung.wait(60)  # its thread has ended
    Domain(swf).start('w')
    assert Domain(swf).poll_decision()['workflowExecution']['workflowId'] == 'w'


@pytest.mark.thorough
def test_two_services_of_one_process_share_too(path):
    with LocalSWF(path) as first:
        Domain(first).prepare()
        with LocalSWF(path) as second:
            assert (first.is_leader, second.is_leader) == (True, False)
            Domain(second).start('w')
        assert Domain(first).poll_decision()['workflowExecution']['workflowId'] == 'w'


def test_the_switch_interval_is_short_while_any_file_has_followers(tmp_path):
    """A process may lead several files; what it had before comes back with the end of the last follower's."""
    first, second = tmp_path / 'first', tmp_path / 'second'
    usual = sys.getswitchinterval()
    with LocalSWF(second) as leader, LocalSWF(second) as follower:
        with LocalSWF(first), LocalSWF(first) as other_follower:
            for swf in (follower, other_follower):  # whose calls are answered after they have come
                swf.list_domains(registrationStatus='REGISTERED')
            assert sys.getswitchinterval() == front.SWITCH_INTERVAL < usual
        assert sys.getswitchinterval() == front.SWITCH_INTERVAL
        assert in_child(lambda: sys.getswitchinterval()) == usual
        follower.close()
        leader.close()
        assert sys.getswitchinterval() == usual


def test_a_switch_interval_that_the_program_sets_meanwhile_stays(path):
    usual = sys.getswitchinterval()
    try:
        with LocalSWF(path), LocalSWF(path) as follower:
            follower.list_domains(registrationStatus='REGISTERED')
            sys.setswitchinterval(0.001)
        assert sys.getswitchinterval() == 0.001
    finally:
        sys.setswitchinterval(usual)


def test_a_follower_can_empty_the_service_and_requests_deadlines(other, swf):
    Domain(swf).start('w')
    assert swf.next_deadline() is not None
    assert swf.statistics.calls > 0
    swf.reset()
    assert swf.list_domains(registrationStatus='REGISTERED')['domainInfos'] == []
    assert swf.next_deadline() is None


# Taking over.


@pytest.fixture
def patient(monkeypatch):
    """A leader that says nothing, or cannot be reached, is waited for ten minutes."""
    for constant in ('following.SILENCE', 'following.UNREACHABLE', 'member.UNREACHABLE'):
        monkeypatch.setattr(f'genflow.local.shared.{constant}', 600)


@pytest.mark.thorough
@pytest.mark.usefixtures('patient')
def test_a_follower_takes_over_when_the_leader_is_killed(other, swf):
    domain = Domain(swf)
    runs = [domain.start(f'w{number}')['runId'] for number in range(5)]
    began = monotonic()
    other.kill()
    execution = {'workflowId': 'w0', 'runId': runs[0]}
    assert domain.describe(execution)['executionInfo']['executionStatus'] == 'OPEN'
    assert monotonic() - began < SOON
    assert swf.is_leader
    assert swf.count_open_workflow_executions(domain='dom', startTimeFilter={'oldestDate': 0})['count'] == 5


@pytest.mark.thorough
def test_a_follower_takes_over_when_the_leader_leaves(other, swf):
    Domain(swf).start('w')
    other.send('domain.swf.close()')
    other.read()
    assert Domain(swf).poll_decision()['workflowExecution']['workflowId'] == 'w'
    assert swf.is_leader
    assert other('domain.swf.path')  # that process goes on, without the file


@pytest.mark.thorough
def test_a_leader_that_leaves_as_soon_as_it_is_followed(path, monkeypatch):
    """Whoever watches it sees that before anything else happens, and takes over."""
    first = LocalSWF(path)

    class Late(Following):
        def __init__(self, *args):
            super().__init__(*args)
            first.close()

    class AtOnce(threading.Thread):
        def start(self):
            super().start()
            if self.name == 'genflow-local-follower':
                self.join(60)

    monkeypatch.setattr(member, 'Following', Late)
    monkeypatch.setattr(member.threading, 'Thread', AtOnce)
    with LocalSWF(path) as second:
        assert second.is_leader
        second.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')


def test_a_poll_outlives_its_leader(other, swf):
    tasks = []
    thread = threading.Thread(target=lambda: tasks.append(Domain(swf).poll_decision()))
    thread.start()
    other('domain.swf.count_pending_decision_tasks(domain="dom", taskList={"name": "deciders"})')
    other.kill()
    Domain(swf).start('w')
    thread.join(60)
    assert tasks[0]['workflowExecution']['workflowId'] == 'w'


def test_the_next_leader_removes_the_socket_of_a_dead_one(other, swf, path):
    stale = notice_of(path).address.partition(':')[2]
    other.kill()
    Domain(swf).start('w')
    assert not Path(stale).exists()
    swf.close()
    assert list(Path(path).parent.glob('*.sock')) == []


# Calls whose answers are lost.


@pytest.fixture
def following(other, path):
    """A follower whose every call can be repeated as it was."""
    role = Following(notice_of(path), names.new_name())
    yield role
    leave(role)


def leave(role):
    role.close(ends_tasks=False)
    role.presence.close()


START = {'domain': 'dom', 'workflowId': 'w', 'workflowType': {'name': 'wf', 'version': '1'}}


def perform(role, operation, request, number):
    caller = Caller(role.process, number, number)
    return role.perform(operation, request, caller, 0, right=False, again=False)


def test_a_numbered_call_happens_once(other, following):
    first = perform(following, 'StartWorkflowExecution', START, 1)
    assert perform(following, 'StartWorkflowExecution', START, 1) == first
    with pytest.raises(ServiceError, match='WorkflowExecutionAlreadyStarted'):
        perform(following, 'StartWorkflowExecution', START, 2)


def test_a_numbered_call_happens_once_whoever_leads(other, following, path):
    first = perform(following, 'StartWorkflowExecution', START, 7)
    other.kill()
    with LocalSWF(path) as swf:
        role = Following(notice_of(path), following.process)
        assert perform(role, 'StartWorkflowExecution', START, 7) == first
        leave(role)
        assert swf.is_leader


def test_a_signal_that_is_sent_again_arrives_once(other, following):
    run = perform(following, 'StartWorkflowExecution', START, 1)
    for _ in range(3):
        request = {'domain': 'dom', 'workflowId': 'w', 'signalName': 's'}
        assert perform(following, 'SignalWorkflowExecution', request, 2) is None
    types = other(f'domain.types({ {"workflowId": "w", **run}!r})')
    assert types.count('WorkflowExecutionSignaled') == 1


def test_a_poll_that_is_sent_again_gets_its_task_again(other, following):
    perform(following, 'StartWorkflowExecution', START, 1)
    poll = {'domain': 'dom', 'taskList': {'name': 'deciders'}}
    first = perform(following, 'PollForDecisionTask', poll, 2)
    assert perform(following, 'PollForDecisionTask', poll, 2)['taskToken'] == first['taskToken']
    assert 'taskToken' not in perform(following, 'PollForDecisionTask', poll, 3)


def test_answers_that_nobody_waits_for_are_forgotten(other, following, path):
    for number in range(1, 20):
        perform(following, 'StartWorkflowExecution', {**START, 'workflowId': f'w{number}'}, number)
    other.kill()
    with LocalSWF(path) as swf:
        assert swf.is_leader
        role = Following(notice_of(path), following.process)
        with pytest.raises(ServiceError, match='WorkflowExecutionAlreadyStarted'):
            perform(role, 'StartWorkflowExecution', {**START, 'workflowId': 'w18'}, 18)
        assert perform(role, 'StartWorkflowExecution', {**START, 'workflowId': 'w19'}, 19)['runId']
        leave(role)


# Tasks of processes that end.


def busy(domain):
    """An execution with a started activity; the task."""
    execution = domain.start('w')
    domain.decide(schedule('a'))
    return execution, domain.poll_activity()


@pytest.mark.thorough
def test_the_tasks_of_a_process_that_dies_end_at_once(other, path):
    with OtherProcess(path, long_poll=60) as third:
        execution = third('domain.start("w")')
        third('domain.decide(__import__("tests.local.domain").local.domain.schedule("a"))["taskToken"]')
        third('domain.poll_activity()["taskToken"]')
        other.send('domain.poll_decision()["startedEventId"]')
        third.kill()
        other.read()
        events = {event['eventType']: event for event in other(f'domain.history({execution!r})')}
    ended = attributes(events['ActivityTaskTimedOut'])
    assert (ended['timeoutType'], ended['details']) == ('START_TO_CLOSE', PROCESS_DIED)


def test_an_activity_of_a_process_that_leaves_can_be_answered_with_its_token(other, path):
    with LocalSWF(path, long_poll=60) as swf:
        execution, activity = busy(Domain(swf))
    other(f'domain.complete({ {"taskToken": activity["taskToken"]}!r})')
    assert 'ActivityTaskCompleted' in other(f'domain.types({execution!r})')


def test_a_task_that_a_closing_process_never_got_is_not_lost(other, following):
    """Its poll was answered when nobody read the answer any more."""
    perform(following, 'StartWorkflowExecution', START, 1)
    other('domain.decide(__import__("tests.local.domain").local.domain.schedule("a"))["taskToken"]')
    poll = {'domain': 'dom', 'taskList': {'name': 'workers'}}
    assert perform(following, 'PollForActivityTask', poll, 2)['activityId'] == 'a'
    other.send('domain.poll_decision()["workflowExecution"]')
    following.close(ends_tasks=False, given_up=[2])
    assert 'ActivityTaskTimedOut' in other(f'domain.types({other.read()!r})')


@pytest.mark.thorough
def test_a_poll_that_a_signal_handler_interrupts_gives_its_task_back(other, swf):
    """The handler raises when the answer is there already, and before it is read."""
    domain = Domain(swf)
    domain.start('w')

    class Interrupted(BaseException):
        pass

    def interrupt(number, frame):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    domain.poll_decision()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Interrupted):
            domain.poll_decision()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    domain.start('w2')
    assert other('domain.poll_decision()["workflowExecution"]["workflowId"]') == 'w2'


def test_a_decision_task_of_a_process_that_leaves_is_decided_by_another(other, path):
    with LocalSWF(path, long_poll=60) as swf:
        Domain(swf).start('w')
        Domain(swf).poll_decision()
    assert other('domain.poll_decision()["workflowExecution"]["workflowId"]') == 'w'


def test_tasks_survive_the_leader_of_their_process(other, swf):
    domain = Domain(swf)
    execution, activity = busy(domain)
    other.kill()
    domain.complete(activity)
    assert 'ActivityTaskCompleted' in domain.types(execution)


@pytest.fixture
def absent(other, swf, path, monkeypatch):
    """A process that has started an activity and is stopped, so that it does not come back after a take-over."""
    monkeypatch.setattr(leading, 'OWNERS_RETURN', 0.2)
    monkeypatch.setattr(leading, 'OWNERS_LOOKS', 1000)
    looks, look_for = threading.Semaphore(0), leading.Leading.look_for

    def look(leader, *arguments):
        look_for(leader, *arguments)
        looks.release()

    monkeypatch.setattr(leading.Leading, 'look_for', look)
    with OtherProcess(path, long_poll=60) as third:
        third.execution = Domain(swf).start('w')
        third.looked = lambda: looks.acquire(timeout=60)
        Domain(swf).decide(schedule('a'))
        third.task = {'taskToken': third('domain.poll_activity()["taskToken"]')}
        third.process.send_signal(signal.SIGSTOP)
        try:
            yield third
        finally:
            third.process.send_signal(signal.SIGCONT)


@pytest.mark.thorough
def test_a_process_that_is_slow_to_come_back_keeps_its_tasks(other, absent, swf):
    other.kill()
    assert absent.looked()
    assert absent.looked()
    absent.process.send_signal(signal.SIGCONT)
    absent(f'domain.complete({absent.task!r})')
    assert 'ActivityTaskCompleted' in Domain(swf).types(absent.execution)


@pytest.mark.thorough
def test_a_process_that_does_not_come_back_loses_its_tasks(other, absent, swf, monkeypatch):
    monkeypatch.setattr(leading, 'OWNERS_LOOKS', 2)
    other.kill()
    assert absent.looked()
    assert 'ActivityTaskTimedOut' not in Domain(swf).types(absent.execution)
    assert absent.looked()
    assert 'ActivityTaskTimedOut' in Domain(swf).types(absent.execution)


@pytest.mark.thorough
def test_a_process_that_dies_before_it_comes_back_loses_its_tasks(other, absent, swf):
    other.kill()
    assert absent.looked()
    absent.kill()
    while 'ActivityTaskTimedOut' not in Domain(swf).types(absent.execution):
        assert absent.looked()


@pytest.mark.thorough
def test_the_tasks_of_the_leader_end_with_it(other, swf):
    execution = other('domain.start("w")')
    other('domain.poll_decision()["taskToken"]')
    other.kill()
    assert Domain(swf).poll_decision()['workflowExecution']['workflowId'] == 'w'
    assert 'DecisionTaskTimedOut' in Domain(swf).types(execution)


# Functions.


@pytest.mark.thorough
def test_a_function_runs_in_the_process_that_registered_it(other, swf):
    domain = Domain(swf)
    swf.register_lambda('pid', lambda value: [value, os.getpid()])
    execution = domain.start('w', lambdaRole='arn:aws:iam::123456789012:role/r')
    attributes_ = {'id': 'f', 'name': 'pid', 'input': '7'}
    decision = {
        'decisionType': 'ScheduleLambdaFunction',
        'scheduleLambdaFunctionDecisionAttributes': attributes_,
    }
    domain.decide(decision)
    task = domain.poll_decision()
    ended = task['events'][-3]
    assert ended['eventType'] == 'LambdaFunctionCompleted', domain.types(execution)
    assert json.loads(attributes(ended)['result']) == [7, os.getpid()]


@pytest.mark.thorough
def test_a_function_ends_with_the_process_that_runs_it(other, swf, path):
    """Which is killed while the function runs; the workflow hears of it, and does not wait for the time-out."""
    domain = Domain(swf)
    with OtherProcess(path, long_poll=60) as third:
        kill = '__import__("os").kill(__import__("os").getpid(), 9)'
        third(f'domain.swf.register_lambda("deadly", lambda value: {kill})')
        domain.start('w', lambdaRole='arn:aws:iam::123456789012:role/r')
        schedules = {'id': 'f', 'name': 'deadly', 'input': '7'}
        domain.decide({'decisionType': 'ScheduleLambdaFunction', 'scheduleLambdaFunctionDecisionAttributes': schedules})
        ended = domain.poll_decision()['events'][-3]
        assert (ended['eventType'], attributes(ended)['reason']) == ('LambdaFunctionFailed', 'ProcessDied')
        third.process.wait(60)


# Who is refused.


@pytest.mark.thorough
@pytest.mark.parametrize('mode', ['rw', 'r'])
@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'version': '9.9'}, ['genflow 9.9', 'Use one version at a time']),
        ({'protocol': PROTOCOL + 1}, [f'protocol {PROTOCOL + 1}', f'protocol {PROTOCOL}']),
        ({'schema': 99}, ['schema 99', 'Use one version at a time']),
        ({'host': 'elsewhere'}, ['of the machine elsewhere', 'Amazon SWF']),
        ({'boot': 'another boot'}, ['of the machine']),
        ({'state': 'alone', 'why': 'it counts.'}, ['does not share it: it counts.']),
    ],
)
def test_who_cannot_be_followed_is_named_with_the_reason(path, change, words, mode):
    """Somebody has the lock of the file, and has written this into it."""
    with LocalSWF(path):
        pass
    notice = attrs.evolve(Notice(state='leading', process=f'{os.getpid()}.1.x', address='unix:/nowhere'), **change)
    lock = FileLock(path, notice.text())
    try:
        with pytest.raises(FileInUse) as caught:
            LocalSWF(path, mode=mode)
    finally:
        lock.release()
    for word in [f'{path} is in use by process {os.getpid()}', *words]:
        assert word in str(caught.value)


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() != 0, reason='only root can become another user')
@pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning')
@pytest.mark.parametrize('mode', ['rw', 'r'])
@pytest.mark.parametrize('is_open_to_all', [False, True])
def test_the_process_of_another_user_is_not_followed(is_open_to_all, mode):
    """Its socket is for its own user, also where the file is not; a child becomes that other user."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders cannot be entered by others
        path = str(Path(name) / 'swf.db')
        with LocalSWF(path):
            Path(name).chmod(0o777)
            if is_open_to_all:
                for file in (one for one in Path(name).iterdir() if one.is_file()):
                    file.chmod(0o666)

            def follow():
                os.seteuid(65534)
                with LocalSWF(path, mode=mode) as swf:
                    swf.list_domains(registrationStatus='REGISTERED')

            text = in_child(lambda: refusal(follow))
    if is_open_to_all:
        assert text.startswith(f'FileInUse: {path} is in use by process {os.getpid()} of another user.')
    else:
        assert text.startswith(f'ReadOnlyFile: {path}: ' if mode == 'rw' else f'StoreError: {path} may not be read by')


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'synchronous': 'FULL'}, "synchronous='FULL'"),
        ({'limits': Limits(open_timers=5)}, 'limits.open_timers=5'),
        ({'denied': ['StartTimer']}, "denied=['StartTimer']"),
    ],
)
def test_options_that_contradict_the_leader_s_are_refused(other, path, options, words):
    with pytest.raises(FileInUse) as caught:
        LocalSWF(path, **options)
    assert words in str(caught.value)


@pytest.mark.thorough
@pytest.mark.parametrize('options', [{}, {'synchronous': 'NORMAL'}, {'limits': Limits(history_page_size=1_000)}])
def test_options_that_agree_are_taken(other, path, options):
    with LocalSWF(path, **options) as swf:
        assert not swf.is_leader


@pytest.mark.thorough
def test_a_clock_that_somebody_moves_cannot_follow(other, path):
    with pytest.raises(FileInUse, match='uses the time of day; processes cannot share a ManualClock'):
        LocalSWF(path, ManualClock())


@pytest.mark.thorough
def test_who_does_not_know_the_secret_is_refused(other, path):
    stranger = Link(attrs.evolve(notice_of(path), secret='guessed'), 'stranger')
    with pytest.raises(ServiceError, match='secret'):
        stranger.perform('ListDomains', {'registrationStatus': 'REGISTERED'}, {})
    stranger.close()


@pytest.mark.thorough
def test_the_socket_is_its_owner_s(other, path):
    address = notice_of(path).address.partition(':')[2]
    assert Path(address).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize('is_larger', [False, True], ids=['largest', 'larger'])
def test_what_a_follower_sends_as_its_last_words_is_bounded(path, is_larger, caplog):
    """After the upgrade of its connection no bound of HTTP holds."""
    with LocalSWF(path), connect(notice_of(path).address) as client:
        client.settimeout(SOON)
        client.sendall(Link(notice_of(path), 'stranger').request('/_genflow/presence', {}, ''))
        with client.makefile('rb') as stream:
            assert stream.readline() == b'HTTP/1.1 101 Switching Protocols\r\n'
            client.sendall(b'x' * (LARGEST + is_larger))
            if not is_larger:
                assert [stream.readline() for _ in range(6)][-1] == b'\n'  # it lives on, and so do its signs of life
                return
            with contextlib.suppress(ConnectionError):
                while stream.read(1000):
                    pass
    assert 'cut off' in caplog.text


LAST_WORDS = {
    'no newline': b'[1]',
    'no JSON': b'[1,\n',
    'no UTF-8': b'\xff\n',
    'no list': b'{"1": 1}\n',
    'no numbers': b'["1", true, null]\n',
    'a number of too many digits': b'[' + b'1' * 10_000 + b']\n',
    'nested too deep': b'[' * 200_000 + b'\n',
}


@pytest.mark.parametrize('words', LAST_WORDS.values(), ids=LAST_WORDS)
def test_a_follower_whose_last_words_cannot_be_read_counts_as_one_that_has_died(path, words):
    """Its tasks end, so that others get them."""
    with contextlib.ExitStack() as stack:
        swf = stack.enter_context(LocalSWF(path, long_poll=SOON))
        stranger = stack.enter_context(contextlib.closing(Link(notice_of(path), 'stranger')))
        presence = stack.enter_context(connect(notice_of(path).address))
        domain = Domain(swf)
        domain.prepare()
        domain.start('w')
        presence.settimeout(SOON)
        presence.sendall(stranger.request('/_genflow/presence', {}, ''))
        with presence.makefile('rb') as stream:
            assert stream.readline() == b'HTTP/1.1 101 Switching Protocols\r\n'
        taken = stranger.perform('PollForDecisionTask', {'domain': 'dom', 'taskList': {'name': 'deciders'}}, {})
        presence.sendall(words)
        presence.shutdown(socket.SHUT_WR)
        assert domain.poll_decision()['startedEventId'] > json.loads(taken.body)['startedEventId']


def test_a_path_may_be_longer_than_an_address(tmp_path):
    folder = tmp_path / ('d' * 120)
    folder.mkdir()
    listener, address = listen(str(folder / 'swf.db'))
    with listener, connect(address) as client, listener.accept()[0] as server:
        client.sendall(b'x')
        assert server.recv(1) == b'x'


# Stopped, forked, named.


@pytest.mark.thorough
def test_a_stopped_leader_is_waited_for_and_said_once(other, swf, monkeypatch):
    """Nobody takes over while it holds the lock: it may go on at any moment."""
    domain = Domain(swf)
    domain.start('before')
    silences, said, logger = threading.Semaphore(0), threading.Event(), logging.getLogger(Following.__module__)
    texts, text = [], f'Process {other.process.pid}, which leads the file'
    listen = link.Stream.line

    def line(stream):
        try:
            return listen(stream)
        except TimeoutError:
            silences.release()
            raise

    handler = logging.Handler()

    def emit(record):
        if record.getMessage().startswith(text):  # and not of a leader of another test
            texts.append(record.getMessage())
            said.set()

    handler.emit = emit
    logger.addHandler(handler)
    monkeypatch.setattr(link.Stream, 'line', line)
    monkeypatch.setattr('genflow.local.shared.following.SILENCE', 0.3)  # read anew after the next sign of life
    try:
        other.process.send_signal(signal.SIGSTOP)
        assert said.wait(60)
        assert all(silences.acquire(timeout=60) for _ in range(3))  # all but the last have been dealt with then
        assert not swf.is_leader
    finally:
        other.process.send_signal(signal.SIGCONT)
        logger.removeHandler(handler)
    domain.start('after')
    assert len(texts) == 1


@pytest.mark.thorough
@pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning')
def test_a_forked_child_refuses_and_the_parent_continues(swf):
    text = in_child(lambda: refusal(lambda: Domain(swf).start('child')))
    assert text.startswith('ServiceForked: ')
    assert Domain(swf).start('parent')['runId']


@pytest.mark.thorough
@pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning')
@pytest.mark.usefixtures('patient')
def test_a_child_that_outlives_the_leader_keeps_nobody_waiting(path):
    """It has inherited the lock, the listening socket and the accepted ones."""
    with OtherProcess(path, long_poll=60, synchronous='NORMAL') as other:
        assert other.leads
        other('domain.prepare() and None')
        with LocalSWF(path) as swf:
            Domain(swf).start('w')
            child = other('(lambda os: os.fork() or __import__("signal").pause())(__import__("os"))')
            try:
                other.kill()
                began = monotonic()
                Domain(swf).start('w2')
                assert monotonic() - began < SOON
            finally:
                os.kill(child, signal.SIGKILL)


def test_a_child_can_open_the_file_itself(path):
    with LocalSWF(path, synchronous='NORMAL') as swf:
        Domain(swf).prepare()

        def start():
            with LocalSWF(path) as own:
                return Domain(own).start('child')['workflowId']

        assert in_child(start) == 'child'
        assert Domain(swf).poll_decision()['workflowExecution']['workflowId'] == 'child'


@pytest.mark.thorough
def test_names_tell_who_is_alive(other):
    ours = names.new_name()
    assert names.is_alive(ours)
    names.give_up(ours)
    assert not names.is_alive(ours)
    theirs = f'{other.process.pid}.{names.started(other.process.pid)}.x'
    assert names.is_alive(theirs)
    assert not names.is_alive(f'{other.process.pid}.1.x')
    other.kill()
    assert not names.is_alive(theirs)


@pytest.mark.thorough
def test_many_short_lived_clients(other, path):
    for number in range(100):
        with LocalSWF(path) as swf:
            Domain(swf).start(f'w{number}')
    assert (
        other('domain.swf.count_open_workflow_executions(domain="dom", startTimeFilter={"oldestDate": 0})')['count']
        == 100
    )
