"""Rule 17: what genflow writes is a contract."""

from __future__ import annotations

import re

import pytest

from genflow import ActivityProxy, Retry, WorkflowProxy
from genflow.core.calls.child import child_id
from genflow.core.model import decisions, events
from genflow.core.model.decisions import Decisions
from genflow.core.payloads.hooks import decode

from .story import Desk, Story

SAFE = re.compile(r'[A-Za-z0-9._;=-]{1,256}')


class Everything(Desk):
    patient = ActivityProxy('Patient', '1', heartbeat=5, delay=3, retry=Retry(3, initial_interval=9, jitter=0))

    def run(self):
        self.patient()
        self.sturdy()
        self.child()
        self.shrink(1)
        self.sleep(5)
        self.external('w').signal('s')
        self.side_effect(lambda: 1)
        self.patched('x')
        self.random.random()
        yield self.go.get()


def ids_of(answer):
    names = ('activity_id', 'timer_id', 'lambda_id', 'control')
    found = [getattr(decision, name, None) for decision in answer.all for name in names]
    found += [d.workflow_id for d in answer.all if isinstance(d, decisions.StartChild)]
    return [value for value in found if value is not None] + [answer.wake.timer_id]


def test_ids_are_made_of_characters_that_swf_and_everybody_takes():
    story = Story(Everything)
    story.decide(refuse={decisions.ScheduleActivity: 'ACTIVITY_CREATION_RATE_EXCEEDED'})
    ids = ids_of(story.answer)
    story.decide()
    ids += ids_of(story.answer)
    assert all(SAFE.fullmatch(value) for value in ids), ids
    assert {'1.1;w', '2.1', '3.1', '4.1', '5', '6', 'wake-3', 'backoff-1'} <= set(ids)


def test_an_activitys_id_carries_number_attempt_and_heartbeat():
    story = Story(Everything)
    story.decide()
    story.fired('1.1;w')
    story.decide()
    assert story.answer.all == (decisions.ScheduleActivity('1.1;h=5', 'Patient', '1', '[[],{}]', heartbeat=5),)


def test_markers_are_as_they_have_always_been():
    story = Story(Everything)
    story.start()
    assert [(d.name, decode(d.details)) for d in story.answer.all if isinstance(d, decisions.RecordMarker)] == [
        ('genflow.side_effect', {'n': 1, 'value': 1}),
        ('genflow.patch', {'id': 'x'}),
        ('genflow.seed', {'seed': 'seed'}),
    ]


def test_the_marker_of_an_origin_names_question_workflow_and_run():
    story = Story(lambda self: self.info.first_run_id, continued_run_id='run-0')
    story.start()
    assert (story.answer.all[0].name, decode(story.answer.all[0].details)) == (
        'genflow.origin',
        {'what': 'first_run_id', 'workflow_id': 'desk-1', 'run_id': 'run-0'},
    )


def test_a_childs_id_is_that_of_its_parent_run_and_number():
    def run(self):
        yield [self.child(), self.child()]

    story = Story(run)
    story.decide()
    one, other = (decision.workflow_id for decision in story.answer.all)
    assert one == child_id('desk-1', 'run-1', '1.1')
    assert re.fullmatch(r'desk-1-[0-9a-f]{10}-1\.1', one)
    assert one != other
    assert child_id('desk-1', 'run-2', '1.1') != one


def test_a_long_or_strange_parent_id_makes_a_childs_id_that_swf_takes():
    for parent in ('x' * 256, 'a:b/c|d e\u00e9', '', None):
        assert SAFE.fullmatch(child_id(parent, 'run', '99999.99999'))


def test_the_parents_id_is_no_part_of_what_is_compared():
    """A history file names neither workflow nor run."""

    def run(self):
        return (yield self.child())

    story = Story(run)
    story.decide()
    story.completed('1.1', 7)
    story.decide()
    other = Story(run, engine={'workflow_id': None, 'run_id': None})
    execution = other.execution()
    assert execution.advance(story.events) is None
    assert execution.closed


# a history as an earlier release recorded it

HISTORY = [
    events.WorkflowStarted(1, Story(Everything).events[0].time, 'Old', '1', '[[5],{}]', child_policy='TERMINATE'),
    events.DecisionStarted(3, Story(Everything).events[0].time),
    events.DecisionCompleted(4, 3),
    events.MarkerRecorded(5, 4, 'genflow.side_effect', '{"n":1,"value":["v",1]}'),
    events.MarkerRecorded(6, 4, 'genflow.patch', '{"id":"faster"}'),
    events.MarkerRecorded(7, 4, 'genflow.seed', '{"seed":"s"}'),
    events.ActivityScheduled(8, 4, '1.1;h=10', 'Echo', 'v1', '[[5],{}]'),
    events.TimerStarted(9, 4, '2.1;w', 30),
    events.ChildInitiated(10, 4, 'somebody-0123456789-3.1', 'Child', 'v1', '[[],{}]', '3.1'),
    events.TimerStarted(11, 4, '4', 60),
    events.TimerStarted(12, 4, 'wake-3', 0),
    events.TimerFired(13, 12),
    events.TimedOut(14, 8, 'HEARTBEAT'),
    events.DecisionStarted(16, Story(Everything).events[0].time),
    events.DecisionCompleted(17, 16),
    events.SignalInitiated(18, 17, 'w', 'news', None, '[1]', '5'),
    events.TimerStarted(19, 17, '1.2;w', 7),
    events.TimerFired(20, 19),
    events.TimerFired(21, 9),
    events.DecisionStarted(23, Story(Everything).events[0].time),
    events.DecisionCompleted(24, 23),
    events.ActivityScheduled(25, 24, '1.2;h=10', 'Echo', 'v1', '[[5],{}]'),
    events.Refused(26, 24, 'activity', '2.1', 'ACTIVITY_CREATION_RATE_EXCEEDED'),
    events.DecisionStarted(28, Story(Everything).events[0].time),
    events.DecisionCompleted(29, 28),
    events.TimerStarted(30, 29, 'backoff-1', 1),
    events.Delivered(31, 18),
    events.ChildStarted(32, 10, 'somebody-0123456789-3.1', 'r'),
    events.TimerFired(33, 30),
    events.Completed(34, 25, '"one"'),
    events.Completed(35, 10, '"three"'),
    events.DecisionStarted(37, Story(Everything).events[0].time),
    events.DecisionCompleted(38, 37),
    events.ActivityScheduled(39, 38, '2.1', 'Other', 'v2', '[[],{}]'),
    events.Completed(40, 39, '"two"'),
    events.DecisionStarted(42, Story(Everything).events[0].time),
    events.DecisionCompleted(43, 42),
    events.Closed(44, 43, 'completed', '["one","two","three"]'),
]


class Old(Desk):
    echo = ActivityProxy('Echo', 'v1', heartbeat=10, retry=Retry(3, initial_interval=1, backoff=1))
    other = ActivityProxy('Other', 'v2', retry=0, delay=30)

    def run(self, number):
        assert self.side_effect(lambda: None) == ['v', 1]
        assert self.patched('faster')
        self.random.random()
        calls = [self.echo(number), self.other(), self.child()]
        timer = self.sleep(60)
        self.external('w').signal('news', [1])
        values = yield calls
        timer.cancel()
        return values


def test_a_history_of_the_first_release_replays(caplog):
    story = Story(Old)
    execution = story.execution()
    assert execution.advance(HISTORY) is None
    assert execution.closed
    assert caplog.records == []


@pytest.mark.parametrize('place', [place for place, e in enumerate(HISTORY) if isinstance(e, events.DecisionStarted)])
def test_every_prefix_of_it_requests_what_came_next(place):
    execution = Story(Old, seed='s').execution()
    answer = execution.advance(HISTORY[: place + 1])
    assert isinstance(answer, Decisions)
    assert answer.all or place
    execution.close()


def test_a_restarts_envelope_is_opened():
    class Reads(Desk):
        def run(self, page):
            return [page, (yield self.go.get())]

    story = Story(Reads, input='{"genflow.restart":1,"input":"[[2],{}]","signals":[["go","\\"carried\\""]]}')
    assert story.decide() == ['complete [2,"carried"]']


def test_an_envelope_of_a_version_not_known_is_not_misread():
    class Reads(Desk):
        def run(self, page):
            return [page, len(self.go)]

    (line,) = Story(Reads, input='{"genflow.restart":2,"text":"[[2],{}]"}').decide()
    assert line.startswith('fail ValueError')


def test_kids_take_their_names_from_the_proxy():
    members = {'kid': WorkflowProxy('Kid', '1', workflow_id='kid;1')}
    story = Story(lambda self: self.kid(), members=members)
    story.decide()
    assert story.answer.all[0].workflow_id == 'kid;1'
