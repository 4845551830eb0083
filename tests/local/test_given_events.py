"""A decider in the service's process is given the events themselves, not texts: they are right, and its own."""

from __future__ import annotations

import contextlib
import copy
from datetime import datetime
from enum import Enum

import pytest

from genflow.local import LocalSWF, ManualClock
from genflow.local.requests.tokens import SealedTask
from genflow.local.state.execution import LONGEST_OBJECT, MOST_OBJECTS
from tests.local.domain import ACTIVITY, COMPLETE, Domain, decision, schedule

SHORT = {('act', '1')}


class Fruit(str, Enum):
    """Texts of a class of their own, as an application's constants may be."""

    PEAR = 'pear'


class Rounds:
    """A worker that takes and answers tasks as the rounds of a worker do."""

    def __init__(self, domain):
        self.domain = domain
        self.client = domain.swf.deferring()
        self.requests = []

    def take(self, kind, task_list):
        request = {'domain': 'dom', 'taskList': {'name': task_list}, 'identity': 'me'}
        if kind == 'decision':
            request['startAtPreviousStartedEvent'] = True
        room = {'most': 9} if kind == 'decision' else {'most': 9, 'slots': 9, 'short': SHORT}
        ((answer,),) = self.client.take([(kind, request, room)])
        return answer

    def decide(self, *decisions):
        """Answers the task that is ready; the task, as it was before anybody spoiled it, and as the decider has it."""
        task = self.client.read(self.take('decision', 'deciders'), self.client.taken)
        pristine = copy.deepcopy(task)
        request = {
            'taskToken': task['taskToken'],
            'decisions': copy.deepcopy([*decisions]),
            'executionContext': 'context',
        }
        self.client.respond_decision_task_completed(**request)
        self.client.settle()
        self.requests.append(request['decisions'])
        return pristine, task

    def perform(self, result='{"a":[1]}'):
        answer = self.take('activity', 'workers')
        self.client.settle()
        self.client.respond_activity_task_completed(taskToken=answer['taskToken'], result=result)
        return answer


@pytest.fixture(params=['memory', 'file'])
def rounds(request, tmp_path):
    path = {} if request.param == 'memory' else {'path': tmp_path / 'swf.db', 'synchronous': 'OFF'}
    clock = ManualClock()
    with contextlib.closing(LocalSWF(clock=clock, **path)) as swf:
        yield Rounds(Domain(swf, clock).prepare())


def spoil(value):
    """Change everything that can be changed."""
    if isinstance(value, dict):
        for part in value.values():
            spoil(part)
        value['spoiled'] = True
    elif isinstance(value, list):
        for part in value:
            spoil(part)
        value.append('spoiled')


def live(rounds):
    """A life with several kinds of events; its execution, and for each decision what was read."""
    domain = rounds.domain
    execution = domain.start(tagList=['tag'], input='"input"')
    read = []

    def decide(*decisions):
        pristine, task = rounds.decide(*decisions)
        read.append(pristine)
        spoil(task['events'])
        spoil(rounds.requests)
        rounds.requests.clear()

    activity = {'activityType': ACTIVITY, 'taskList': {'name': 'workers'}, 'input': '[[1],{}]', 'control': 'c'}
    decide(decision('ScheduleActivityTask', activityId='1', **activity))
    rounds.perform()
    decide(
        schedule('2'),
        schedule('2'),  # fails
        decision('StartTimer', timerId='t', startToFireTimeout='5', control='c'),
        decision('RecordMarker', markerName='m', details='d'),
    )
    decide()
    domain.clock.advance(6)
    decide(decision('StartTimer', timerId='t', startToFireTimeout='5'), decision('CancelTimer', timerId='t'))
    domain.signal()
    rounds.perform()
    domain.swf.request_cancel_workflow_execution(domain='dom', workflowId='w')
    decide(COMPLETE)
    return execution, read


def pages_of(history, read):
    """The parts of a history that the decision tasks should have had."""
    return [history[max(0, task['previousStartedEventId'] - 1) : task['startedEventId']] for task in read]


def test_a_decider_reads_what_the_history_says_and_nobody_sees_what_it_does_with_that(rounds):
    execution, read = live(rounds)
    history = rounds.domain.history(execution)
    assert [task['events'] for task in read] == pages_of(history, read)
    assert len(read) == 5
    assert 'spoiled' not in str(history)
    assert 'spoiled' not in str(rounds.domain.describe(execution))
    kind = rounds.domain.swf.describe_activity_type(domain='dom', activityType=ACTIVITY)
    assert 'spoiled' not in str(kind)


@pytest.mark.parametrize(
    ('signals', 'length'), [(1, 1), (MOST_OBJECTS + 3, 1), (2, LONGEST_OBJECT)], ids=['few', 'many', 'long']
)
def test_many_and_long_events_are_read_as_few_and_short_ones(rounds, signals, length):
    """They are not kept as objects, so that an execution takes no more memory than its texts may."""
    execution = rounds.domain.start()
    read = [rounds.decide()[0]]
    for _ in range(2):
        for _ in range(signals):
            rounds.domain.swf.signal_workflow_execution(
                domain='dom', workflowId='w', signalName='s', input='x' * length
            )
        read.append(rounds.decide()[0])
    assert [task['events'] for task in read] == pages_of(rounds.domain.history(execution), read)


def types_in(value):
    """The classes of everything in a value of JSON."""
    if isinstance(value, dict):
        return {dict}.union(*(types_in(part) for item in value.items() for part in item))
    if isinstance(value, list):
        return {list}.union(*map(types_in, value))
    return {type(value)}


def test_texts_of_an_application_s_own_class_are_given_as_they_are_in_json(rounds):
    """Else a workflow would get other values from its live execution than from a replay."""
    execution = rounds.domain.start(input=Fruit.PEAR, tagList=[Fruit.PEAR])
    rounds.decide(
        decision('ScheduleActivityTask', activityId=Fruit.PEAR, activityType=ACTIVITY, input=Fruit.PEAR),
        decision('StartTimer', timerId=Fruit.PEAR, startToFireTimeout='5', control=Fruit.PEAR),
    )
    activity = rounds.perform(result=Fruit.PEAR)
    _, task = rounds.decide()
    found = {event['eventType']: event for event in task['events']}
    assert found['TimerStarted']['timerStartedEventAttributes']['control'] == 'pear'
    assert found['ActivityTaskCompleted']['activityTaskCompletedEventAttributes']['result'] == 'pear'
    assert activity['input'] == 'pear'
    given = types_in([task['events'], activity, rounds.domain.describe(execution)])
    assert given <= {dict, list, str, int, bool, datetime, SealedTask}
