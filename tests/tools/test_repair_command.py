"""``genflow repair``: a pipeline that failed goes on where it failed, in a file of the embedded service."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone

import pytest

from genflow import ActivityProxy, Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.insight import ExecutionView, attributes_of, replayed
from genflow.insight.repair import RepairError, plan_repair
from genflow.local import LocalSWF, ManualClock
from genflow.testing import History
from genflow.tools.cli.main import main
from tests.insight.breaking import WAYS
from tests.local.domain import Domain, decision, schedule
from tests.local.other_process import OtherProcess
from tests.testing.orders import Order

PIPELINE = """
from pathlib import Path
from genflow import Activity, ActivityProxy, Workflow, activity, workflow

HERE = Path(__file__).parent

@activity(name='Step', version='1', task_list='steps')
class Step(Activity):
    def run(self, number):
        with (HERE / 'ran').open('a') as file:
            print(number, file=file)
        if number == 127 and not (HERE / 'mended').exists():
            raise ConnectionError('the disk is full')
        return number

@activity(name='Undo', version='1', task_list='steps')
class Undo(Activity):
    def run(self):
        return None

@workflow(name='Pipeline', version='1', task_list='pipeline')
class Pipeline(Workflow):
    step = ActivityProxy('Step', '1', retry=0)

    def run(self, steps):
        total = 0
        for number in range(1, steps + 1):
            total += yield self.step(number)
        return total

@workflow(name='Careful', version='1', task_list='pipeline')
class Careful(Pipeline):
    undo = ActivityProxy('Undo', '1', retry=0)

    def run(self, steps):
        try:
            return (yield from super().run(steps))
        except Exception:
            yield self.undo()
            raise
"""


def genflow(folder, *arguments):
    words = [sys.executable, '-m', 'genflow', *arguments]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'pipeline.py').write_text(PIPELINE)
    return tmp_path


@pytest.mark.thorough
def test_a_pipeline_continues_at_the_activity_that_failed(folder):
    command = ('run', 'pipeline.py:Pipeline', '200', '--db', 'x.db', '--id', 'p')
    assert genflow(folder, *command).returncode == 3
    (folder / 'mended').touch()
    done = genflow(folder, 'repair', 'p', 'pipeline.py:Pipeline', '--db', 'x.db')
    assert (done.returncode, done.stdout.split()[0]) == (0, 'p'), done.stderr
    assert '126 operations stay completed' in done.stderr
    assert 'scheduled again: activity 127 Step' in done.stderr
    assert done.stderr.endswith('genflow: a worker, or `genflow run` with --id p, continues it\n')
    done = genflow(folder, *command)
    assert (done.returncode, done.stdout.strip()) == (0, str(sum(range(1, 201)))), done.stderr
    ran = [int(line) for line in (folder / 'ran').read_text().split()]
    assert ran == [*range(1, 128), *range(127, 201)]


@pytest.mark.thorough
def test_run_offers_to_continue_where_it_failed_and_does_so(folder):
    command = ('run', 'pipeline.py:Pipeline', '200', '--db', 'x.db', '--id', 'p')
    done = genflow(folder, *command)
    assert done.stderr.splitlines()[-1] == (
        'genflow: fix the cause and run the same command again: --repair continues with the 126 operations that '
        'completed, --anew starts over'
    )
    (folder / 'mended').touch()
    done = genflow(folder, *command, '--repair')
    assert (done.returncode, done.stdout.strip()) == (0, str(sum(range(1, 201)))), done.stderr
    assert len((folder / 'ran').read_text().split()) == 201
    again = genflow(folder, *command, '--repair')  # it has completed, so there is nothing to repair
    assert (again.returncode, again.stdout) == (0, done.stdout)


@pytest.mark.thorough
def test_the_same_command_continues_where_it_failed(folder):
    command = ('run', '-q', 'pipeline.py:Pipeline', '200', '--db', 'x.db', '--id', 'p')
    assert genflow(folder, *command).returncode == 3
    (folder / 'mended').touch()
    done = genflow(folder, *command)
    assert (done.returncode, done.stdout.strip()) == (0, str(sum(range(1, 201)))), done.stderr
    ran = [int(line) for line in (folder / 'ran').read_text().split()]
    assert ran == [*range(1, 128), *range(127, 201)]


@pytest.mark.thorough
def test_a_run_that_failed_begins_again_where_that_is_requested_or_the_arguments_are_others(folder):
    command = ('run', '-q', 'pipeline.py:Pipeline')
    keep = ('--db', 'x.db', '--id', 'p')
    assert genflow(folder, *command, '127', *keep).returncode == 3
    assert genflow(folder, *command, '127', *keep, '--anew').returncode == 3
    assert len((folder / 'ran').read_text().split()) == 254
    assert genflow(folder, *command, '3', *keep).stdout.strip() == '6'


@pytest.mark.thorough
def test_it_continues_while_another_process_has_the_file(folder):
    """The command and ``run`` repair through the process that leads."""
    ways = {
        'a': [('repair', 'a', 'pipeline.py:Pipeline'), ('run', '-q', 'pipeline.py:Pipeline', '127')],
        'b': [('run', '-q', 'pipeline.py:Pipeline', '127', '--processes', '2')],
    }
    with OtherProcess(folder / 'x.db') as other:
        for name in ways:
            done = genflow(folder, 'run', '-q', 'pipeline.py:Pipeline', '127', '--db', 'x.db', '--id', name)
            assert done.returncode == 3, done.stderr
        (folder / 'mended').touch()
        for name, commands in ways.items():
            for command in commands:
                done = genflow(folder, *command, '--db', 'x.db', *['--id', name][: 2 * (command[0] == 'run')])
            assert (done.returncode, done.stdout) == (0, f'{sum(range(128))}\n'), done.stderr
        bulk = genflow(folder, 'repair', '--all', '--yes', '--db', 'x.db')
        assert 'genflow: no execution that can be repaired fits these options' in bulk.stderr
        assert other('domain.swf.is_leader')
    ran = [int(line) for line in (folder / 'ran').read_text().split()]
    assert sorted(ran) == sorted([*range(1, 128), 127] * 2)


@pytest.mark.thorough
def test_run_repairs_nothing_that_was_not_kept(folder):
    done = genflow(folder, 'run', 'pipeline.py:Pipeline', '1', '--repair')
    assert done.returncode == 2
    assert 'give --db FILE and --id ID, too' in done.stderr


KEYS = """
from pathlib import Path
from genflow import Activity, Workflow, activity, workflow

HERE = Path(__file__).parent

@activity(name='Pay', version='1', task_list='pay')
class Pay(Activity):
    def run(self, number):
        with (HERE / 'keys').open('a') as file:
            print(number, self.info.run_id, self.idempotency_key, file=file)
        if not (HERE / f'mended {number}').exists():
            raise ConnectionError('nobody answers')

@workflow(name='Payments', version='1', task_list='pay')
class Payments(Workflow):
    pay = Pay.proxy(retry=0)

    def run(self):
        for number in (1, 2, 3):
            yield self.pay(number)
"""


@pytest.mark.thorough
def test_a_call_that_is_made_again_keeps_its_idempotency_key(folder):
    (folder / 'payments.py').write_text(KEYS)
    command = ('run', '-q', 'payments.py', '--db', 'x.db', '--id', 'p')
    for number in (1, 2, 3):
        assert genflow(folder, *command, *['--repair'] * (number > 1)).returncode == 3
        (folder / f'mended {number}').touch()
    assert genflow(folder, *command, '--repair').returncode == 0
    lines = [line.split() for line in (folder / 'keys').read_text().splitlines()]
    assert [number for number, _, _ in lines] == ['1', '1', '2', '2', '3', '3']
    runs = [run for _, run, _ in lines]
    assert runs[1:] == [runs[1], runs[1], runs[3], runs[3], runs[5]]
    assert len(set(runs)) == 4
    # Each call keeps the key of the run in which it was first made.
    assert [key for _, _, key in lines] == [
        f'{runs[first]}:{number}' for first, number in ((0, 1), (0, 1), (1, 2), (1, 2), (3, 3), (3, 3))
    ]
    listed = json.loads(genflow(folder, 'list', '-o', 'json', '--db', 'x.db').stdout)
    tags = {record['runId']: [tag.partition('@')[0] for tag in record['tags']] for record in listed}
    assert tags[runs[3]] == [f'repair-of:{runs[0]}', f'repair-of:{runs[1]}']


@pytest.mark.thorough
def test_repair_in_bulk_shows_first_and_then_does_it(folder):
    for name, steps in (('a', '130'), ('b', '127'), ('c', '5')):
        genflow(folder, 'run', '-q', 'pipeline.py:Pipeline', steps, '--db', 'x.db', '--id', name)
    genflow(folder, 'run', '-q', 'pipeline.py:Careful', '130', '--db', 'x.db', '--id', 'd')
    bulk = ('repair', '--all', '--failed', '--since', '2h', '--reason-like', 'connectionerror', '--db', 'x.db')
    shown = genflow(folder, *bulk)
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ['b', 'a']
    assert '126 stay completed, scheduled again: activity 127 Step' in shown.stdout
    assert 'genflow: d is not repaired: activity 128 Undo was asked for after event' in shown.stderr
    assert '2 of 3 would be repaired; give --yes to repair them' in shown.stderr
    assert genflow(folder, 'count', '--open', '--db', 'x.db').stdout == '0\n'
    assert genflow(folder, *bulk, '--reason-like', 'other').stderr == (
        'genflow: no execution that can be repaired fits these options\n'
    )
    assert '1 of 1 are repaired' in genflow(folder, *bulk, '--type', 'Careful', '--force', '--yes').stderr
    assert '2 of 2 are repaired' in genflow(folder, *bulk, '--yes').stderr
    assert genflow(folder, 'count', '--open', '--db', 'x.db').stdout == '3\n'


@pytest.mark.thorough
def test_a_repair_is_refused_where_calls_were_made_after_what_is_trusted(folder):
    command = ('run', 'pipeline.py:Careful', '130', '--db', 'x.db', '--id', 'p')
    assert genflow(folder, *command).returncode == 3
    done = genflow(folder, 'repair', 'p', 'pipeline.py', '--db', 'x.db')  # the type says which of its classes
    assert done.returncode == 2
    assert 'activity 128 Undo was asked for after event' in done.stderr
    assert 'scheduled again' not in done.stderr  # it is not
    (folder / 'mended').touch()
    assert genflow(folder, 'repair', 'p', '--force', '--db', 'x.db').returncode == 0
    done = genflow(folder, *command)
    assert (done.returncode, done.stdout.strip()) == (0, str(sum(range(1, 131)))), done.stderr


def test_other_services_cannot_copy(capsys):
    assert main(['repair', 'p', '--endpoint', 'http://127.0.0.1:1']) == 2
    assert 'Where a `genflow server` answers there, give its --db FILE' in capsys.readouterr().err
    assert main(['repair', 'p']) == 2
    shown = capsys.readouterr().err
    assert '`genflow rerun p` starts an execution' in shown
    assert 'genflow server' not in shown


NOW = datetime(2001, 1, 1, tzinfo=timezone.utc)


def test_what_is_open_or_has_completed_is_not_repaired():
    view = ExecutionView('w').apply_all(History(Order, 1).decide().events)
    with pytest.raises(RepairError, match='w is open'):
        plan_repair(view, NOW)


def test_a_terminated_execution_is_trusted_whole_and_what_was_open_is_made_again():
    view = WAYS['terminated']({'warmups': 2}).view
    plan = plan_repair(view, NOW)
    assert plan.trusted == view.last_event_id - 1
    assert [one.label for one in plan.anew] == ['activity 3 Work']
    assert [one.label for one in plan.kept] == ['activity 1 Warm', 'activity 2 Warm']
    assert [event['eventType'] for event in plan.events[plan.trusted :]] == [
        'ActivityTaskTimedOut',
        'DecisionTaskScheduled',
    ]


def test_trusting_less_forgets_more():
    view = WAYS['terminated']({'warmups': 2}).view
    second = view.decisions[1].ended_id
    plan = plan_repair(view, NOW, before=second)
    assert [one.label for one in plan.forgotten] == ['activity 2 Warm', 'activity 3 Work']
    assert [one.label for one in plan.kept] == ['activity 1 Warm']
    assert [event['eventId'] for event in plan.events] == list(range(1, len(plan.events) + 1))


class Pair(Workflow):
    ship = ActivityProxy('Ship', 'v1', retry=0)
    bill = ActivityProxy('Bill', 'v1', retry=0)

    def run(self):
        yield [self.ship(), self.bill()]


def test_what_completed_beside_the_failure_stays_under_new_numbers_and_only_the_failed_one_is_requested_again():
    history = History(Pair).decide().failed(Pair.ship.task(), 'broken').completed(Pair.bill.task(), 'paid').decide()
    view = ExecutionView('w', 'r').apply_all(history.events)
    assert view.status == 'failed'
    plan = plan_repair(view, NOW)
    shown = [
        (event['eventId'], event['eventType'], attributes_of(event).get('startedEventId'))
        for event in plan.events[plan.trusted :]
    ]
    assert shown == [
        (7, 'ActivityTaskStarted', None),
        (8, 'ActivityTaskCompleted', 7),
        (9, 'ActivityTaskTimedOut', 0),
        (10, 'DecisionTaskScheduled', None),
    ]
    fresh = ExecutionView('w', 'r').apply_all(plan.events)
    code = replayed(fresh, WorkflowSpec(Pair, 'Pair', '1'))
    assert (code.error, code.decides) == (None, ('schedules activity Ship (attempt 2)',))
    assert [one.state for one in fresh.operations] == ['timed out', 'completed']


def test_a_failure_that_came_while_a_decision_ran_is_not_trusted():
    """That decision did not see it, and its events come after the failure."""
    domain = Domain(LocalSWF(clock=ManualClock())).prepare()
    run = domain.start()
    domain.decide(schedule('ship'), schedule('bill'))
    paid, broken = domain.poll_activity(), domain.poll_activity()
    domain.complete(paid)
    running = domain.poll_decision()
    domain.swf.respond_activity_task_failed(taskToken=broken['taskToken'], reason='broken')
    domain.respond(running)
    domain.decide(decision('FailWorkflowExecution', reason='broken'))
    plan = plan_repair(ExecutionView('w', run['runId']).apply_all(domain.history(run)), NOW)
    assert plan.trusted == 6  # the last event of the first decision
    assert ([one.state for one in plan.kept], [one.state for one in plan.anew]) == (['completed'], ['failed'])


def test_a_child_that_failed_is_named():
    view = WAYS['failed-by-child']({}).view
    with pytest.raises(RepairError, match=r'child 1 Plain \(child\) is failed: .* repair child first'):
        plan_repair(view, NOW)
