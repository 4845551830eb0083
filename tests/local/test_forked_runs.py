"""A run that begins with a copied history, as a repair makes it, in a service that runs."""

from __future__ import annotations

import os

import attrs
import pytest
from botocore.exceptions import ClientError

from genflow.local import Limits, LocalSWF
from genflow.local.engine.forked_run import wire_events
from genflow.local.errors import ReadOnly
from genflow.local.shared import member
from tests.local.domain import COMPLETE, Domain, decision, schedule
from tests.local.other_process import OtherProcess

FAIL = decision('FailWorkflowExecution', reason='broken')
TIMER = decision('StartTimer', timerId='t', startToFireTimeout='3600')
COPIED = ['WorkflowExecutionStarted', 'DecisionTaskScheduled', 'DecisionTaskStarted', 'DecisionTaskCompleted',
          'ActivityTaskScheduled', 'TimerStarted', 'ActivityTaskStarted', 'ActivityTaskCompleted',
          'DecisionTaskScheduled']  # fmt: skip


@attrs.frozen
class Failed:
    """A run that has failed, and the history that another begins with."""

    domain: Domain
    run: dict
    events: list

    def fork(self, swf=None, **other):
        named = {'domain': 'dom', 'workflow_id': 'w', 'run_id': self.run['runId'], 'events': self.events, **other}
        return {'workflowId': 'w', 'runId': (swf or self.domain.swf).fork_run(**named)}


def failed(domain):
    """It does an activity, with a timer beside it, and fails."""
    run = domain.start(taskPriority='3', tagList=['a'])
    domain.decide(schedule('a'), TIMER, executionContext='done: nothing')
    domain.complete(domain.poll_activity())
    domain.decide(FAIL)
    return Failed(domain, run, domain.history(run)[: len(COPIED)])


def stable(description):
    """A description without what belongs to the answer and not to the run."""
    return {name: value for name, value in description.items() if name != 'ResponseMetadata'}


@pytest.fixture(params=['memory', 'file'])
def place(request, domain, opened):
    return domain if request.param == 'memory' else opened()


def test_it_continues_from_the_history_that_it_was_given(place):
    case = failed(place)
    run = case.fork()
    assert place.types(run) == COPIED
    assert place.describe(run)['openCounts'] == {
        'openActivityTasks': 0, 'openDecisionTasks': 1, 'openTimers': 1, 'openChildWorkflowExecutions': 0,
        'openLambdaFunctions': 0,
    }  # fmt: skip
    task = place.poll_decision()
    assert task['workflowExecution'] == run
    assert task['previousStartedEventId'] == 3
    assert [event['eventId'] for event in task['events']] == list(range(1, len(COPIED) + 2))
    place.respond(task, schedule('b'))
    place.complete(place.poll_activity())
    place.clock.advance(3601)
    assert 'TimerFired' in [event['eventType'] for event in place.decide(COMPLETE)['events']]
    assert place.describe(run)['executionInfo']['closeStatus'] == 'COMPLETED'
    assert place.describe(case.run)['executionInfo']['closeStatus'] == 'FAILED'


def test_a_timer_that_is_past_by_then_fires_at_once(place):
    case = failed(place)
    place.clock.advance(3601)
    assert place.types(case.fork()) == [*COPIED, 'TimerFired']


def test_a_poll_that_waits_gets_its_decision_task(place):
    case = failed(place)
    woken = []
    wanted = {'domain': 'dom', 'taskList': {'name': 'deciders'}}
    poll = place.swf.hold('PollForDecisionTask', wanted, lambda: woken.append(1))
    assert poll.attempt() is None
    run = case.fork()
    assert woken == [1]
    assert run['runId'] in poll.attempt(last=True)


def test_the_service_remembers_what_the_file_says(opened):
    """Made in a service that runs, or read again from the file: it is the same run."""
    case = failed(opened())
    run = case.fork()
    lived = stable(case.domain.describe(run))
    domain = opened()
    assert stable(domain.describe(run)) == lived


def test_it_is_refused_as_a_start_is(place):
    case = failed(place)
    with pytest.raises(ClientError, match='UnknownResourceFault'):
        case.fork(run_id='nobody')
    with pytest.raises(ClientError, match='UnknownResourceFault'):
        case.fork(domain='nowhere')
    run = case.fork()
    with pytest.raises(ClientError, match='WorkflowExecutionAlreadyStartedFault'):
        case.fork()
    place.swf.terminate_workflow_execution(domain='dom', workflowId='w', runId=run['runId'])
    place.swf.deprecate_domain(name='dom')
    with pytest.raises(ClientError, match='DomainDeprecatedFault'):
        case.fork()


def test_a_domain_has_no_more_open_executions_than_it_may(clock):
    with LocalSWF(clock=clock, limits=Limits(open_executions=1)) as swf:
        case = failed(Domain(swf, clock).prepare())
        case.domain.start('other')
        with pytest.raises(ClientError, match='LimitExceededFault'):
            case.fork()


def test_a_call_that_is_repeated_makes_one_run(place):
    case = failed(place)
    run = case.fork()
    place.swf._service.fork('dom', 'w', case.run['runId'], run['runId'], wire_events(case.events))  # noqa: SLF001
    assert place.types(run) == COPIED


def test_who_only_reads_makes_none(opened):
    case = failed(opened())
    case.domain.swf.close()
    with LocalSWF(case.domain.swf.path, mode='r') as swf, pytest.raises(ReadOnly):
        case.fork(swf)


@pytest.mark.skipif(os.name != 'posix', reason='processes are killed and stopped by signals')
def test_it_is_made_through_the_leader_and_outlives_it(path, monkeypatch):
    with OtherProcess(path, synchronous='NORMAL') as other, LocalSWF(path, long_poll=20) as swf:
        other('domain.prepare() and None')
        assert not swf.is_leader
        case = failed(Domain(swf))
        monkeypatch.setattr(member, 'PART', 1000)  # so it goes in parts
        with pytest.raises(ClientError, match='UnknownResourceFault'):
            case.fork(run_id='nobody')
        run = case.fork()
        other.kill()
        domain = Domain(swf)  # which leads now
        assert domain.types(run) == COPIED
        assert domain.decide(COMPLETE)['workflowExecution'] == run
        assert domain.describe(run)['executionInfo']['closeStatus'] == 'COMPLETED'
