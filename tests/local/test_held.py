"""Long polls that wait without a thread: attempts, waking, and giving up."""

from __future__ import annotations

import json
import threading

import pytest
from botocore.exceptions import ClientError

from genflow.local import Limits, LocalSWF, ManualClock
from genflow.local.engine import long_polls
from genflow.local.engine.long_polls import LongPolls
from genflow.local.engine.rounds import Wants
from genflow.local.errors import ServiceError
from genflow.local.state.answers import Caller
from genflow.local.state.room import Room
from genflow.local.state.task_lists import CallbackWaiter
from tests.local.domain import Domain, schedule

PATIENCE = 60
POLL = {'domain': 'd', 'taskList': {'name': 'l'}}
EMPTY = {'startedEventId': 0, 'previousStartedEventId': 0}


@pytest.fixture
def service():
    with LocalSWF(clock=ManualClock(), limits=Limits(pollers=2)) as service:
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        service.register_workflow_type(
            domain='d',
            name='w',
            version='1',
            defaultTaskList={'name': 'l'},
            defaultExecutionStartToCloseTimeout='3600',
            defaultTaskStartToCloseTimeout='60',
            defaultChildPolicy='TERMINATE',
        )
        yield service


def start(service):
    service.start_workflow_execution(domain='d', workflowId='w', workflowType={'name': 'w', 'version': '1'})


def hold(service, rung, name):
    return service.hold('PollForDecisionTask', POLL, lambda: rung.append(name))


def test_an_attempt_takes_what_is_there(service):
    start(service)
    assert json.loads(hold(service, [], 'a').attempt())['startedEventId'] == 3


def test_an_attempt_that_finds_nothing_stands_in_line_until_it_is_woken(service):
    rung = []
    poll = hold(service, rung, 'a')
    assert poll.attempt() is None
    assert rung == []
    start(service)
    assert rung == ['a']
    assert json.loads(poll.attempt())['startedEventId'] == 3


def test_a_task_wakes_the_poll_that_has_waited_longest(service):
    rung = []
    for name in 'ab':
        assert hold(service, rung, name).attempt() is None
    start(service)
    assert rung == ['a']


def test_a_deadline_wakes_too(service):
    rung = []
    start(service)
    service.poll_for_decision_task(**POLL)
    poll = hold(service, rung, 'a')
    assert poll.attempt() is None
    service.clock.advance(61)
    assert rung == ['a']
    assert json.loads(poll.attempt())['startedEventId'] == 6


def take_here(swf, request, rung):
    worker, wants = swf.deferring(), [('activity', request, {'most': 1})]
    places = worker.stand(wants, rung)
    return lambda: worker.take(wants, places)


def take_for_another_process(swf, request, rung):
    rounds, caller = swf._own_service.rounds, Caller('other', 1)  # noqa: SLF001
    wants = [Wants('PollForActivityTask', request, Room(1))]
    places = rounds.stand_in_lines(wants, lambda: CallbackWaiter(rung), caller)

    def take():
        rounds.leave_lines(places, wakes_next=False)
        code, *_ = rounds.carry_out([], wants, caller)['refusal']
        raise ClientError({'Error': {'Code': code}}, 'PollForActivityTask')

    return take


@pytest.mark.parametrize('stand', [take_here, take_for_another_process])
def test_one_that_is_refused_when_it_comes_for_a_task_hands_its_waking_on(stand):
    rung, woken = [], []
    with LocalSWF(clock=ManualClock(), limits=Limits(rates={'PollForActivityTask': (2, 1)})) as swf:
        domain = Domain(swf).prepare()
        request = {'domain': 'dom', 'taskList': {'name': 'workers'}}
        take = stand(swf, request, lambda: rung.append('worker'))
        poll = swf.hold('PollForActivityTask', request, lambda: woken.append('poll'))
        assert poll.attempt() is None
        domain.start()
        domain.decide(schedule('a'))
        assert (rung, woken) == (['worker'], [])
        with pytest.raises(ClientError, match='ThrottlingException'):
            take()
        assert woken == ['poll']


def test_the_last_attempt_answers_in_any_case(service):
    poll = hold(service, [], 'a')
    assert poll.attempt() is None
    assert json.loads(poll.attempt(last=True)) == EMPTY


def test_a_poll_that_has_answered_is_out_of_the_line(service):
    rung = []
    poll = hold(service, rung, 'a')
    poll.attempt()
    poll.attempt(last=True)
    start(service)
    assert rung == []


def test_one_that_fails_when_it_is_woken_is_not_of_the_call_that_made_the_task(service, caplog):
    def fail():
        raise RuntimeError('the event loop is closed')

    poll = service.hold('PollForDecisionTask', POLL, fail)
    assert poll.attempt() is None
    start(service)
    assert 'the event loop is closed' in caplog.text
    assert json.loads(poll.attempt())['startedEventId'] == 3


def test_somebody_quicker_leaves_the_poll_in_line(service):
    rung = []
    poll = hold(service, rung, 'a')
    poll.attempt()
    start(service)
    assert 'taskToken' in service.poll_for_decision_task(**POLL)
    assert poll.attempt() is None
    service.clock.advance(61)
    assert rung == ['a', 'a']


def test_an_abandoned_poll_takes_no_task(service):
    poll = hold(service, [], 'a')
    poll.attempt()
    start(service)
    poll.abandon()
    assert json.loads(poll.attempt(last=True)) == EMPTY
    assert 'taskToken' in service.poll_for_decision_task(**POLL)


def test_an_abandoned_poll_hands_its_waking_on(service):
    rung = []
    first, second = hold(service, rung, 'first'), hold(service, rung, 'second')
    first.attempt()
    second.attempt()
    start(service)
    first.abandon()
    first.attempt(last=True)
    assert rung == ['first', 'second']
    assert json.loads(second.attempt())['startedEventId'] == 3


@pytest.mark.thorough
def test_the_end_of_the_service_wakes_everybody(service):
    rung = []
    poll = hold(service, rung, 'a')
    poll.attempt()
    service.close()
    assert rung == ['a']
    assert json.loads(poll.attempt()) == EMPTY


def test_too_many_polls_in_line(service):
    for name in 'ab':
        assert hold(service, [], name).attempt() is None
    with pytest.raises(ServiceError) as caught:
        hold(service, [], 'c').attempt()
    assert caught.value.code == 'LimitExceededFault'


def test_a_wrong_request_is_refused_before_any_attempt(service):
    with pytest.raises(ServiceError) as caught:
        service.hold('PollForDecisionTask', {'domain': 'd'}, lambda: None)
    assert caught.value.code == 'ValidationException'


def test_where_the_service_is_emptied_a_poll_that_waits_gets_nothing(service):
    rung = []
    poll = hold(service, rung, 'a')
    assert poll.attempt() is None
    service.reset()
    assert rung == ['a']
    assert json.loads(poll.attempt()) == EMPTY


# the thread that watches the clock while polls wait


def test_only_a_deadline_that_comes_before_its_next_look_wakes_the_timekeeper(monkeypatch):
    """To wake it for every earlier deadline is a change of threads for every step of a workflow."""
    looks, looked = [], threading.Event()
    keep_time = LongPolls._keep_time  # noqa: SLF001 - each look of the thread, which nobody else can count

    def counted(self):
        looks.append(None)
        looked.set()
        return keep_time(self)

    monkeypatch.setattr(LongPolls, '_keep_time', counted)
    monkeypatch.setattr(long_polls, 'IDLE_TIMEOUT', 300)
    with LocalSWF(long_poll=300) as swf:
        domain = Domain(swf).prepare()
        waits = threading.Thread(target=domain.poll_decision, args=['nobody'])
        waits.start()
        assert looked.wait(PATIENCE)
        looked.clear()
        for hours in range(9, 1, -1):
            domain.start(f'{hours} hours', executionStartToCloseTimeout=str(hours * 3600))
        assert len(looks) == 1
        domain.start('soon', executionStartToCloseTimeout='200')
        assert looked.wait(PATIENCE)
        assert len(looks) == 2
    waits.join(PATIENCE)


def test_a_poll_for_which_no_thread_can_be_started_leaves_the_line(monkeypatch):
    """As at the end of the interpreter; the task that comes next is for who stands there, and the time has a keeper."""
    start_thread = threading.Thread.start

    def refuse(thread):
        if thread.name == 'genflow-local-time':
            raise RuntimeError("can't start new thread")
        start_thread(thread)

    woken = threading.Event()
    with LocalSWF() as swf:
        domain = Domain(swf).prepare()
        request = {'domain': 'dom', 'taskList': {'name': 'deciders'}}
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, 'start', refuse)
            with pytest.raises(RuntimeError, match='new thread'):
                swf.hold('PollForDecisionTask', request, lambda: None).attempt()
        poll = swf.hold('PollForDecisionTask', request, woken.set)
        assert poll.attempt() is None
        assert 'genflow-local-time' in [thread.name for thread in threading.enumerate()]
        domain.start()
        assert woken.is_set()
        assert json.loads(poll.attempt())['startedEventId'] == 3
