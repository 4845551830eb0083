"""The last event of an execution that has just closed is read without writing everything into the tables first."""

from __future__ import annotations

import pytest

from genflow.local import LocalSWF, ManualClock
from genflow.local.errors import DiskFull
from genflow.local.state import recently_closed
from genflow.local.store import Store

DOMAIN = 'd'


@pytest.fixture
def swf(tmp_path):
    with LocalSWF(tmp_path / 'swf.db', ManualClock(), synchronous='OFF') as service:
        service.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        service.register_workflow_type(
            domain=DOMAIN,
            name='W',
            version='1',
            defaultTaskList={'name': 'tl'},
            defaultChildPolicy='TERMINATE',
            defaultExecutionStartToCloseTimeout='3600',
            defaultTaskStartToCloseTimeout='60',
        )
        yield service


@pytest.fixture
def folds(monkeypatch):
    """How often changes were written into the tables."""
    found = []
    fold = Store.fold

    def counted(store, *args):
        found.append(args)
        return fold(store, *args)

    monkeypatch.setattr(Store, 'fold', counted)
    return found


def closed(swf, workflow_id):
    """The run of an execution that has closed."""
    kind = {'name': 'W', 'version': '1'}
    run = swf.start_workflow_execution(domain=DOMAIN, workflowId=workflow_id, workflowType=kind)['runId']
    swf.terminate_workflow_execution(domain=DOMAIN, workflowId=workflow_id)
    return {'workflowId': workflow_id, 'runId': run}


def kinds(swf, execution, **options):
    page = swf.get_workflow_execution_history(domain=DOMAIN, execution=execution, **options)
    return [event['eventType'] for event in page['events']]


WHOLE = ['WorkflowExecutionStarted', 'DecisionTaskScheduled', 'WorkflowExecutionTerminated']


def test_the_history_of_a_run_that_has_just_closed_folds_nothing(swf, folds):
    runs = [closed(swf, f'w{number}') for number in range(20)]
    before = len(folds)
    for run in runs:
        assert kinds(swf, run, reverseOrder=True, maximumPageSize=1) == WHOLE[-1:]
        assert kinds(swf, run) == WHOLE
    assert len(folds) == before


def test_a_run_that_closed_long_ago_is_read_from_the_file(swf, folds, monkeypatch):
    monkeypatch.setattr(recently_closed, 'MOST', 3)
    runs = [closed(swf, f'w{number}') for number in range(5)]
    assert [kinds(swf, run) for run in runs] == [WHOLE] * 5
    assert len(folds) >= 1


def test_runs_with_long_histories_leave_room_for_others(swf, monkeypatch):
    monkeypatch.setattr(recently_closed, 'CHARACTERS', 100)
    runs = [closed(swf, f'w{number}') for number in range(3)]
    assert [kinds(swf, run) for run in runs] == [WHOLE] * 3


def test_a_run_past_its_retention_is_gone(swf):
    run = closed(swf, 'w')
    swf.clock.advance(2 * 86_400)
    with pytest.raises(swf.exceptions.UnknownResourceFault):
        kinds(swf, run)


def test_an_emptied_service_has_none(swf):
    run = closed(swf, 'w')
    swf.reset()
    with pytest.raises(swf.exceptions.UnknownResourceFault):
        kinds(swf, run)


def test_a_close_that_could_not_be_written_has_never_been(swf, monkeypatch):
    kind = {'name': 'W', 'version': '1'}
    run = swf.start_workflow_execution(domain=DOMAIN, workflowId='w', workflowType=kind)['runId']

    def full(store, *args):
        raise DiskFull('the disk is full')

    with monkeypatch.context() as patch:
        patch.setattr(Store, 'append', full)
        patch.setattr(Store, 'fold', full)
        with pytest.raises(DiskFull):
            swf.terminate_workflow_execution(domain=DOMAIN, workflowId='w')
    assert kinds(swf, {'workflowId': 'w', 'runId': run}) == WHOLE[:2]
