"""Workers of the embedded service take tasks in rounds: few commits, and nothing slow stops the rest."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from contextlib import ExitStack

import pytest

from genflow import Activity, Client, Workflow, activity, workflow
from genflow.local import LocalSWF
from genflow.local.errors import DiskFull
from genflow.local.store import Store
from genflow.steady_time import monotonic
from genflow.swf.worker import rounds
from genflow.swf.worker.rounds import OVERDUE, SHORT, Speeds
from genflow.swf.worker.settling import Settling
from genflow.swf.worker.thread_pool import ThreadPool
from genflow.swf.worker.worker import Worker

DOMAIN, LIST = 'd', 'tl'
PATIENCE = 90


class Gate:
    """Where user code waits until a test lets it go on."""

    def __init__(self):
        self.closed = False
        self.entered = threading.Semaphore(0)
        self.let = threading.Semaphore(0)

    def pass_through(self):
        if self.closed:
            self.entered.release()
            assert self.let.acquire(timeout=PATIENCE)


GATE = Gate()


@activity(name='Step', version=1, task_list=LIST)
class Step(Activity):
    def run(self, number):
        return number


@activity(name='Gated', version=1, task_list=LIST)
class Gated(Activity):
    def run(self, number):
        if number < 0:
            GATE.pass_through()
        return number


@workflow(name='Chain', version=1, task_list=LIST)
class Chain(Workflow):
    step = Step.proxy()

    def run(self, count):
        for number in range(count):
            yield self.step(number)
        return count


@workflow(name='Waits', version=1, task_list=LIST)
class Waits(Workflow):
    gated = Gated.proxy()

    def run(self, numbers):
        return (yield [self.gated(number) for number in numbers])


@workflow(name='Blocks', version=1, task_list=LIST)
class Blocks(Workflow):
    def run(self):
        yield self.sleep(0)
        GATE.pass_through()
        return 'done'


CLASSES = [Step, Gated, Chain, Waits, Blocks]


@pytest.fixture(autouse=True)
def gate():
    GATE.__init__()
    GATE.closed = True
    yield GATE
    for _ in range(100):
        GATE.let.release()


@pytest.fixture(params=['memory', 'file', 'follower'])
def swf(request, tmp_path):
    """A service in memory, on a file, and on a file that another process (or part of this one) leads."""
    path = ':memory:' if request.param == 'memory' else tmp_path / 'swf.db'
    with ExitStack() as stack:
        service = stack.enter_context(LocalSWF(path, synchronous='FULL' if request.param == 'memory' else 'OFF'))
        service.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        if request.param == 'follower':
            service = stack.enter_context(LocalSWF(path))
            assert not service.is_leader
        yield service


def working(swf, **options):
    return Worker(DOMAIN, LIST, swf, registry=CLASSES, **options)


def start(swf, cls, *args):
    return Client(DOMAIN, swf).starter(cls)(*args)


@pytest.fixture
def never_overdue(monkeypatch):
    """However busy the machine is, steps are short."""
    monkeypatch.setattr(rounds, 'SHORT', PATIENCE)
    monkeypatch.setattr(rounds, 'OVERDUE', PATIENCE)


@pytest.mark.usefixtures('never_overdue')
def test_a_step_of_a_chain_costs_one_commit(tmp_path):
    with LocalSWF(tmp_path / 'swf.db', synchronous='OFF') as swf:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        with working(swf):
            assert start(swf, Chain, 5).result(timeout=PATIENCE) == 5  # types are known to be short after these
            before = swf.statistics.commits
            assert start(swf, Chain, 100).result(timeout=PATIENCE) == 100
            assert 100 <= swf.statistics.commits - before <= 110


@pytest.mark.thorough
@pytest.mark.usefixtures('never_overdue')
def test_many_executions_share_their_commits(tmp_path):
    with LocalSWF(tmp_path / 'swf.db', synchronous='OFF') as swf:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        with working(swf):
            start(swf, Chain, 5).result(timeout=PATIENCE)
        executions = [start(swf, Chain, 10) for _ in range(50)]
        worker = working(swf)
        before = swf.statistics.commits
        with worker:
            for execution in executions:
                execution.result(timeout=PATIENCE)
        assert swf.statistics.commits - before < 250, 'of 500 steps, which are 2,000 calls'


def test_an_activity_that_nobody_knows_yet_does_not_stop_the_rest(swf, gate):
    with working(swf):
        slow = start(swf, Waits, [-1])
        assert gate.entered.acquire(timeout=PATIENCE)
        assert start(swf, Chain, 3).result(timeout=PATIENCE) == 3
        gate.let.release()
        assert slow.result(timeout=PATIENCE) == [-1]


def test_a_short_activity_that_blocks_all_of_a_sudden_does_not_stop_the_rest(swf, gate):
    with working(swf):
        for _ in range(4):
            start(swf, Waits, [1, 2]).result(timeout=PATIENCE)
        slow = start(swf, Waits, [3, -1, 4])
        assert gate.entered.acquire(timeout=PATIENCE)
        assert start(swf, Chain, 3).result(timeout=PATIENCE) == 3
        gate.let.release()
        assert slow.result(timeout=PATIENCE) == [3, -1, 4]


def test_a_decision_that_blocks_does_not_stop_the_rest(swf, gate):
    with working(swf):
        blocked = start(swf, Blocks)
        assert gate.entered.acquire(timeout=PATIENCE)
        assert start(swf, Chain, 3).result(timeout=PATIENCE) == 3
        gate.let.release()
        assert blocked.result(timeout=PATIENCE) == 'done'


@pytest.mark.parametrize('activities', [1, 2])
def test_no_more_activities_run_than_the_worker_was_given(swf, gate, activities):
    with working(swf, activities=activities):
        assert start(swf, Chain, 3).result(timeout=PATIENCE) == 3
        slow = start(swf, Waits, [-1, -2, -3, -4])
        for _ in range(activities):
            assert gate.entered.acquire(timeout=PATIENCE)
        waiting = swf.count_pending_activity_tasks(domain=DOMAIN, taskList={'name': LIST})
        assert waiting['count'] == 4 - activities
        assert not gate.entered.acquire(blocking=False)
        for _ in range(4):
            gate.let.release()
        assert slow.result(timeout=PATIENCE) == [-1, -2, -3, -4]


def test_a_worker_of_activities_that_has_no_room_waits(swf, gate, monkeypatch):
    def pending():
        return swf.count_pending_activity_tasks(domain=DOMAIN, taskList={'name': LIST})['count']

    with working(swf, activities=0):
        slow = start(swf, Waits, [-1, -2])
        while pending() < 2:
            pass
    settled = []
    settle = Settling.settle

    def counted(self, decided=()):
        settled.append(decided)
        return settle(self, decided)

    monkeypatch.setattr(Settling, 'settle', counted)
    with working(swf, deciders=0, activities=1):
        assert gate.entered.acquire(timeout=PATIENCE)
        before = len(settled)
        assert [pending() for _ in range(100)] == [1] * 100
        assert len(settled) - before <= 3
        gate.let.release()
        gate.let.release()
        while [event['eventType'] for event in slow.history()].count('ActivityTaskCompleted') < 2:
            pass


def test_user_code_and_other_callers_have_tokens_that_are_plain_texts(swf):
    """They may be sent anywhere, by whatever writes them, such as YAML."""

    @activity(name='TellsItsToken', version=1, task_list='tokens')
    class TellsItsToken(Activity):
        def run(self):
            return type(self.token).__qualname__

    @workflow(name='AsksForTokens', version=1, task_list='tokens')
    class AsksForTokens(Workflow):
        tells = TellsItsToken.proxy()

        def run(self):
            return (yield self.tells())

    with Worker(DOMAIN, 'tokens', swf, registry=[AsksForTokens, TellsItsToken]):
        assert Client(DOMAIN, swf).starter(AsksForTokens)().result(timeout=PATIENCE) == 'str'
    Client(DOMAIN, swf).starter(AsksForTokens, task_list='other tokens')()
    task = swf.poll_for_decision_task(domain=DOMAIN, taskList={'name': 'other tokens'})
    assert type(task['taskToken']) is str


def ends_with_one_leader(before):
    until = monotonic() + PATIENCE
    while len([one for one in threading.enumerate() if one.name == 'genflow-rounds' and one not in before]) > 1:
        assert monotonic() < until, 'an old leader leads on'


def test_however_often_user_code_blocks_another_thread_leads_and_one_in_the_end(swf, gate, monkeypatch):
    """Activities that overrun do not count as decisions that do."""
    monkeypatch.setattr(rounds, 'MAX_OVERRUNNING', 1)
    monkeypatch.setattr(rounds, 'SHORT', PATIENCE)
    before = threading.enumerate()
    with working(swf):
        start(swf, Waits, [1, 2]).result(timeout=PATIENCE)
        for cls, arguments in ((Waits, [[-1]]), (Blocks, []), (Blocks, [])):
            blocked = start(swf, cls, *arguments)
            assert gate.entered.acquire(timeout=PATIENCE)
            assert start(swf, Chain, 3).result(timeout=PATIENCE) == 3
            gate.let.release()
            blocked.result(timeout=PATIENCE)
            ends_with_one_leader(before)


def test_a_worker_without_an_event_loop_runs_activities(swf):
    with working(swf, async_activities=0, activities=1):
        assert start(swf, Chain, 3).result(timeout=PATIENCE) == 3


def test_a_limit_of_a_type_holds(swf, gate):
    with working(swf, activity_limits={'Gated': 1}):
        slow = start(swf, Waits, [-1, -2])
        assert gate.entered.acquire(timeout=PATIENCE)
        assert start(swf, Chain, 3).result(timeout=PATIENCE) == 3
        assert not gate.entered.acquire(blocking=False)
        gate.let.release()
        gate.let.release()
        assert slow.result(timeout=PATIENCE) == [-1, -2]


def test_an_idle_worker_stops_at_once(swf):
    worker = working(swf)
    worker.start()
    start(swf, Chain, 2).result(timeout=PATIENCE)
    worker.drain(PATIENCE)
    before = threading.Event()
    threading.Thread(target=lambda: (worker.wait(), before.set())).start()
    assert before.wait(PATIENCE / 3)


def test_two_workers_share_a_list(swf):
    with working(swf) as one, working(swf) as other:
        executions = [start(swf, Chain, 5) for _ in range(10)]
        assert [execution.result(timeout=PATIENCE) for execution in executions] == [5] * 10
    assert (one.counts + other.counts)['activity completed'] == 50


DIES = """
    import os
    from genflow import Activity, Client, Workflow, activity, workflow
    from genflow.local import LocalSWF
    from genflow.swf.worker.worker import Worker

    @activity(name='Step', version=1, task_list='tl')
    class Step(Activity):
        def run(self, number):
            if number == 5:
                os._exit(9)
            return number

    @workflow(name='Chain', version=1, task_list='tl')
    class Chain(Workflow):
        step = Step.proxy()
        def run(self, count):
            for number in range(count):
                yield self.step(number)

    swf = LocalSWF('swf.db')
    swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
    with Worker('d', 'tl', swf, registry=[Step, Chain]):
        Client('d', swf).starter(Chain, workflow_id='w')(10).result(timeout=60)
"""


@pytest.mark.thorough
def test_an_activity_that_kills_its_process_leaves_a_trace(tmp_path):
    done = subprocess.run([sys.executable, '-c', textwrap.dedent(DIES)], cwd=tmp_path, check=False)
    assert done.returncode == 9
    with LocalSWF(tmp_path / 'swf.db') as swf:
        history = Client(DOMAIN, swf).execution('w').history()
    kinds = [event['eventType'] for event in history]
    assert kinds.count('ActivityTaskStarted') == 6
    assert kinds.count('ActivityTaskCompleted') == 5


def test_what_a_failed_commit_takes_with_it_happens_again(tmp_path, monkeypatch, caplog):
    failures = iter([*[False] * 6, True, *[False] * 8, True, True])
    append = Store.append

    def failing(self, *args):
        if next(failures, False):
            raise DiskFull('swf.db: the disk is full')
        return append(self, *args)

    with LocalSWF(tmp_path / 'swf.db', synchronous='OFF') as swf:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        with working(swf):
            start(swf, Chain, 3).result(timeout=PATIENCE)
            monkeypatch.setattr(Store, 'append', failing)
            execution = start(swf, Chain, 20)
            while not ended(execution):
                pass
        history = execution.history()
    assert 'could not be written' in caplog.text
    assert [event['eventType'] for event in history].count('ActivityTaskCompleted') == 20


def ended(execution):
    """Whether it has; a client that asks may be the one who hears that the disk is full."""
    try:
        return execution.result(timeout=PATIENCE) == 20
    except DiskFull:
        return False


class TestSpeeds:
    KIND = ('Step', '1')

    def test_a_type_that_nobody_knows_is_slow(self):
        assert self.KIND not in Speeds().short

    def test_one_short_run_of_the_last_three_is_enough(self):
        speeds = Speeds()
        speeds.took(self.KIND, SHORT / 2)
        assert self.KIND in speeds.short
        for _ in range(2):
            speeds.took(self.KIND, SHORT * 2)
        assert self.KIND in speeds.short
        speeds.took(self.KIND, SHORT * 2)
        assert self.KIND not in speeds.short

    def test_who_overran_is_slow_until_it_is_short_again(self):
        speeds = Speeds()
        speeds.took(self.KIND, 0)
        speeds.overran(self.KIND)
        assert self.KIND not in speeds.short
        speeds.took(self.KIND, OVERDUE)
        assert self.KIND not in speeds.short
        speeds.took(self.KIND, 0)
        assert self.KIND in speeds.short


class TestThreadPool:
    @pytest.fixture
    def threads(self):
        started = []
        yield started
        for thread in started:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def pool(self, threads, **options):
        def spawn(job):
            threads.append(threading.Thread(target=job))
            threads[-1].start()

        return ThreadPool(spawn, **options)

    def test_jobs_run_at_the_same_time(self, threads):
        pool, barrier = self.pool(threads), threading.Barrier(3)
        for _ in range(2):
            pool.run(lambda: barrier.wait(PATIENCE))
        barrier.wait(PATIENCE)
        pool.drain()

    def test_a_thread_goes_when_there_is_nothing_to_do(self, threads):
        pool, done = self.pool(threads, linger=0.01), threading.Event()
        pool.run(lambda: None)
        threads[0].join(PATIENCE)
        pool.run(done.set)
        assert done.wait(PATIENCE)

    def test_draining_lets_idle_threads_go_and_does_what_comes(self, threads):
        pool, done = self.pool(threads, linger=PATIENCE), threading.Event()
        pool.run(lambda: None)
        pool.drain()
        threads[0].join(PATIENCE)
        pool.run(done.set)
        assert done.wait(PATIENCE)


def test_a_list_is_asked_for_what_was_learned_of_it_while_its_first_request_was_checked(swf):
    """A thread that overran learns it while another one leads; the request of before was kept then."""
    working_rounds = next(working(swf)._all_rounds(None))  # noqa: SLF001
    poller = working_rounds.deciding[0]
    client = working_rounds.client = Learning(working_rounds)
    asked = [working_rounds._request('decision', poller) for _ in range(2)]  # noqa: SLF001
    assert [request.get('startAtPreviousStartedEvent') for request in asked] == [True, None]
    assert working_rounds._request('decision', poller) is asked[1]  # noqa: SLF001
    assert client.checked == 2


class Learning:
    """A client; while a request is checked, an execution comes that was not here."""

    def __init__(self, rounds):
        self.rounds, self.checked = rounds, 0

    def checked_poll(self, kind, request):
        self.checked += 1
        self.rounds._trimmed[LIST] = False  # noqa: SLF001 - as another thread does then
        return request
