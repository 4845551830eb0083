"""Rule 8: the first run and the root are looked up once, and read from the record ever after."""

from __future__ import annotations

import json

import pytest

from genflow import HistoryError, NondeterminismError, YieldError
from genflow.core.engine.workflow_values import LookUpFailed
from genflow.core.model.info import ExecutionIds
from genflow.core.payloads.hooks import decode
from genflow.testing import History, by_hand, decisions, replay

from .story import Desk, Story

ABOVE = {'parent_workflow_id': 'father', 'parent_run_id': 'run-f'}
ASKED = {'first_run_id': {'continued_run_id': 'run-0'}, 'root': ABOVE}


class LookUp:
    """What a worker looks up, and how often it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, what, nearest):
        self.asked.append((what, nearest))
        return ExecutionIds('grandfather' if what == 'root' else nearest.workflow_id, 'run-g')


def none(*_):
    raise AssertionError('it is looked up')


def both(self):
    first = [self.info.first_run_id, list(self.info.root)]
    yield self.echo()
    return [first, [self.info.first_run_id, list(self.info.root)]]


def markers(story):
    return [decode(made.details) for made in story.answer.all if type(made).__name__ == 'RecordMarker']


def test_what_event_1_says_is_neither_looked_up_nor_recorded():
    story = Story(both, engine={'origins': none})
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed('1.1')
    story.decide()
    assert story.result == [['run-1', ['desk-1', 'run-1']]] * 2


def test_code_that_does_not_ask_writes_nothing():
    story = Story(lambda self: self.info.continued_run_id, engine={'origins': none}, **ABOVE, continued_run_id='run-0')
    story.decide()
    assert markers(story) == []


def test_it_is_looked_up_once_and_read_from_the_record():
    look_up = LookUp()
    story = Story(both, engine={'origins': look_up}, **ABOVE, continued_run_id='run-0')
    story.decide()  # by a kept execution and by one that knows nothing
    assert markers(story) == [
        {'what': 'first_run_id', 'workflow_id': 'desk-1', 'run_id': 'run-g'},
        {'what': 'root', 'workflow_id': 'grandfather', 'run_id': 'run-g'},
    ]
    each = [('first_run_id', ('desk-1', 'run-0')), ('root', ('father', 'run-f'))]
    assert look_up.asked == each * 2
    story.engine['origins'] = none
    story.completed('1.1')
    story.decide()
    assert story.result == [['run-g', ['grandfather', 'run-g']]] * 2


def test_a_record_is_believed_whatever_is_known_now():
    story = Story(both, engine={'origins': LookUp()}, **ABOVE, continued_run_id='run-0')
    story.decide()
    story.engine['origins'] = None
    story.completed('1.1')
    story.decide()
    assert story.result == [['run-g', ['grandfather', 'run-g']]] * 2


@pytest.mark.parametrize('what', ASKED)
def test_code_that_begins_to_ask_is_told_that_the_history_shows_none(what):
    def before(self):
        yield self.echo()

    def after(self):
        getattr(self.info, what)
        yield self.echo()

    story = Story(before, **ASKED[what])
    story.decide()
    story.completed('1.1')
    story.decide()
    with pytest.raises(NondeterminismError, match=rf'asks for info\.{what} in the decision of event'):
        Story(after, **ASKED[what]).execution().advance(story.events)


@pytest.mark.parametrize('what', ASKED)
def test_code_that_no_longer_asks_is_told_what_the_history_shows(what):
    def asks(self):
        getattr(self.info, what)
        yield self.echo()

    def asks_no_more(self):
        yield self.echo()

    story = Story(asks, **ASKED[what])
    story.decide()
    story.completed('1.1')
    story.decide()
    with pytest.raises(NondeterminismError, match=r'genflow\.origin'):
        Story(asks_no_more, **ASKED[what]).execution().advance(story.events)


@pytest.mark.parametrize('what', ASKED)
def test_a_decision_is_not_made_where_the_service_does_not_answer(what):
    def out_of_reach(*_):
        raise OSError('no route')

    def run(self):
        try:
            return getattr(self.info, what)
        except Exception:
            return 'caught'

    execution = Story(run, engine={'origins': out_of_reach}, **ASKED[what])
    with pytest.raises(LookUpFailed, match=rf'info\.{what} of Desk 1 .*OSError: no route'):
        execution.start()


@pytest.mark.parametrize('what', ASKED)
def test_what_may_only_read_sees_it_once_the_code_has_asked(what):
    def run(self):
        try:
            yield self.until(lambda: getattr(self.info, what))
        except YieldError as error:
            yield self.echo(str(error))
        found = getattr(self.info, what)
        yield self.until(lambda: getattr(self.info, what) == found)
        return 'seen'

    story = Story(run, engine={'origins': LookUp()}, **ASKED[what])
    (called,) = story.decide()
    assert f'uses info.{what}; it may only read' in called
    story.completed('1.1')
    story.decide()
    assert story.result == 'seen'


def test_by_hand_an_execution_is_its_own_origin():
    info = by_hand(Desk).info
    assert (info.first_run_id, info.root) == ('', ('', ''))
    story = Story(both)
    told = by_hand(Desk, info=story.sticky.info).info
    assert (told.first_run_id, told.root) == ('run-1', ExecutionIds('desk-1', 'run-1'))


class FirstRun(Desk):
    def run(self):
        yield self.echo(self.info.first_run_id)


class Heir(Desk):
    def run(self):
        root = self.info.root
        yield self.echo(self.info.first_run_id, root.workflow_id)


def test_a_history_by_hand_and_its_replay():
    history = History(Heir)
    (call,) = decisions(Heir, history)
    assert decode(call.input)[0] == [history.run_id, history.workflow_id]


def test_a_history_by_hand_knows_the_previous_run_and_the_parent():
    story = Story(both, **ABOVE, continued_run_id='run-0')
    story.decide()
    assert [mark['run_id'] for mark in markers(story)] == ['run-0', 'run-f']


def test_a_replay_without_ids_says_which_ones_the_code_reads():
    events = json.loads(History(Heir).decide().to_json())['events']
    with pytest.raises(HistoryError, match=r'reads info\.workflow_id and info\.run_id'):
        replay({'events': events}, Heir, input_mismatch='error')

    events = json.loads(History(FirstRun).decide().to_json())['events']
    with pytest.raises(HistoryError, match=r'reads info\.run_id, which'):
        replay({'events': events}, FirstRun, input_mismatch='error')
    events[0]['workflowExecutionStartedEventAttributes']['continuedExecutionRunId'] = 'run-0'
    with pytest.raises(NondeterminismError, match=r'shows none'):  # its own id is not what the code depends on
        replay({'events': events}, FirstRun, input_mismatch='error')
