"""The first run of a chain of restarts and the root of a child, looked up on the embedded service."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from genflow import Signal, Steps, Workflow, WorkflowProxy
from genflow.core.engine.workflow_values import LookUpFailed
from genflow.core.model.info import FIRST_RUN, ROOT, ExecutionIds
from genflow.swf.scanner import workflow
from genflow.swf.worker import origins
from genflow.swf.worker.decider import Decider
from genflow.swf.worker.origins import OriginFinder
from genflow.testing import Tester, replay
from tests.swf.scripted import refusal
from tests.swf.work import Loops, attributes


def asked(self):
    return [self.info.first_run_id, *self.info.root]


@workflow('Chained', 1, 'tl', workflow_duration=timedelta(days=300))
class Chained(Workflow):
    go = Signal()

    def run(self, runs: int, ids: list[str]) -> Steps[list[str]]:
        ids = [*ids, self.info.run_id]
        if len(ids) < runs:
            return self.restart(runs, ids)
        yield self.go.get()
        found = asked(self)
        yield self.go.get()
        return [*found, *asked(self), *ids]


@workflow('Kin', 1, 'tl')
class Kin(Workflow):
    kin = WorkflowProxy('Kin', 1)

    def run(self, depth: int, restarts: int = 0) -> Steps[list[str]]:
        if restarts:
            return self.restart(depth, restarts - 1)
        if depth:
            return (yield self.kin(depth - 1, 1))
        return asked(self)


@workflow('Plain', 1, 'tl')
class Plain(Workflow):
    def run(self) -> list[str]:
        return asked(self)


@pytest.fixture
def loops(swf):
    return Loops(swf, Chained, Kin, Plain)


def origin_markers(execution):
    found = attributes(execution, 'MarkerRecorded')
    return [json.loads(one['details']) for one in found if one['markerName'] == 'genflow.origin']


def chain(loops, runs):
    execution = loops.client.starter(Chained, workflow_id='c')(runs, [])
    loops.run()
    return loops.client.execution(execution.workflow_id, workflow=Chained)


def test_an_execution_of_its_own_records_nothing(loops):
    execution = loops.client.starter(Plain, workflow_id='p')()
    loops.run()
    assert execution.result() == [execution.run_id, 'p', execution.run_id]
    assert origin_markers(execution) == []


@pytest.mark.parametrize('kept', [True, False])
def test_the_first_of_three_runs(loops, kept, tmp_path):
    last = chain(loops, 3)
    last.signal(Chained.go)
    loops.run()
    if not kept:
        loops.decider.cache.close_all()
        loops.decider = Decider(loops.service, 'd', loops.registry)
    last.signal(Chained.go)
    loops.run()
    first, *rest = last.result()
    ids = rest[-3:]
    assert len({*ids}) == 3
    assert [first, *rest[:-3]] == [ids[0], 'c', ids[2], ids[0], 'c', ids[2]]
    assert origin_markers(last) == [{'what': 'first_run_id', 'workflow_id': 'c', 'run_id': ids[0]}]
    assert (loops.decider.counts['continued'] > 0) == kept
    file = tmp_path / f'c,{ids[2]}.json'
    file.write_text(json.dumps({'events': last.history()}, default=str))
    assert not replay(file, Chained, input_mismatch='error').warnings


def test_what_is_gone_after_its_retention_is_not_needed_once_it_is_recorded(loops, swf):
    last = chain(loops, 3)
    last.signal(Chained.go)
    loops.run()
    swf.clock.advance(timedelta(days=100).total_seconds())
    loops.decider.cache.close_all()
    last.signal(Chained.go)
    loops.run()
    found = last.result()
    assert found[3] == found[0] == found[-3]


def test_of_runs_that_are_gone_the_earliest_that_is_still_named_counts(loops, swf):
    last = chain(loops, 3)
    swf.clock.advance(timedelta(days=100).total_seconds())
    last.signal(Chained.go)
    last.signal(Chained.go)
    loops.run()
    found = last.result()
    assert found[0] == found[3] == found[-2]


def test_the_root_of_a_childs_child_that_restarted(loops):
    execution = loops.client.starter(Kin, workflow_id='top')(2)
    loops.run()
    first, *root = execution.result()
    assert root == ['top', execution.run_id]
    runs = list(loops.client.executions(open=False))
    assert len(runs) == 5  # the one at the top, and two runs of each of the others
    (last,) = (one for one in runs if origin_markers(one))
    (innermost,) = (one for one in runs if one.run_id == first)
    assert innermost.workflow_id == last.workflow_id
    assert innermost.run_id != last.run_id
    assert origin_markers(last) == [
        {'what': 'first_run_id', 'workflow_id': last.workflow_id, 'run_id': first},
        {'what': 'root', 'workflow_id': 'top', 'run_id': execution.run_id},
    ]


def test_a_look_up_takes_a_bounded_number_of_steps(loops, monkeypatch):
    monkeypatch.setattr(origins, 'MAX_STEPS', 2)
    last = chain(loops, 5)
    last.signal(Chained.go)
    last.signal(Chained.go)
    loops.run()
    found = last.result()
    ids = found[-5:]
    assert found[0] == ids[1]  # named by the second of the runs that were looked into


def test_what_the_service_does_not_know_is_the_end(loops):
    find = OriginFinder(loops.service, 'd')
    for what in (FIRST_RUN, ROOT):
        assert find(what, ExecutionIds('nobody', 'no-run')) == ('nobody', 'no-run')


class Forgetful:
    """The embedded service, which refuses to look up single events while it is told to."""

    refuses = False

    def __init__(self, swf):
        self._swf = swf

    def __getattr__(self, name):
        return getattr(self._swf, name)

    def get_workflow_execution_history(self, **request):
        if self.refuses and request.get('maximumPageSize') == 1:
            raise refusal('AccessDeniedException')
        return self._swf.get_workflow_execution_history(**request)


@pytest.mark.parametrize('mismatch', ['hold', 'fail'])
def test_a_service_that_refuses_leaves_the_decision_for_later(swf, mismatch):
    service = Forgetful(swf)
    loops = Loops(service, Chained, mismatch=mismatch)
    last = chain(loops, 2)
    last.signal(Chained.go)
    service.refuses = True
    with pytest.raises(LookUpFailed, match=r'info\.first_run_id of Chained 1 .*AccessDenied'):
        loops.run()
    service.refuses = False
    swf.clock.advance(100)  # the decision task times out
    last.signal(Chained.go)
    loops.run()
    found = last.result()
    assert found[0] == found[-2]


def test_the_tester_looks_up_too():
    tester = Tester(Kin)
    first, workflow_id, run_id = tester.run(2)
    assert first != run_id
    assert (workflow_id, run_id) == (tester.history.workflow_id, tester.history.run_id)


class Counting(Forgetful):
    """The same, which notes whose first event is read."""

    def __init__(self, swf):
        super().__init__(swf)
        self.read = []

    def get_workflow_execution_history(self, **request):
        if request.get('maximumPageSize') == 1:
            self.read.append(request['execution'])
        return self._swf.get_workflow_execution_history(**request)


def test_nothing_is_read_twice(swf):
    service = Counting(swf)
    OriginFinder(Loops(service, Chained).service, 'd')(ROOT, ExecutionIds('nobody', 'no-run'))
    assert service.read == [{'workflowId': 'nobody', 'runId': 'no-run'}]
