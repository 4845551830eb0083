"""How a history is cut into decisions, and what is wrong with one that cannot be."""

from __future__ import annotations

import pytest

from genflow import HistoryError
from genflow.core.engine.history import Reader
from genflow.core.model import events

from .story import START, Story

STARTED = events.WorkflowStarted(1, START, 'Desk', '1')


def turns(*found):
    reader = Reader()
    return [
        (turn.started.id, [event.id for event in turn.input], None if turn.output is None else len(turn.output))
        for turn in [*reader.read(found), reader.live]
        if turn is not None
    ]


def test_a_history_ends_with_the_decision_that_is_to_be_made():
    assert turns(STARTED, events.DecisionStarted(3, START)) == [(3, [1], None)]


def test_a_history_without_a_started_decision_ends_with_none():
    assert turns(STARTED) == []
    assert turns(STARTED, events.DecisionStarted(3, START), events.DecisionCompleted(4, 3)) == [(3, [1], 0)]


def test_what_comes_between_started_and_completed_is_input_of_the_next():
    found = turns(
        STARTED,
        events.DecisionStarted(3, START),
        events.Signaled(4, 's'),
        events.DecisionCompleted(6, 3),
        events.TimerStarted(7, 6, '1', 5),
        events.Signaled(8, 's'),
        events.DecisionStarted(9, START),
    )
    assert found == [(3, [1], 1), (9, [4, 8], None)]


def test_an_attempt_that_timed_out_is_none():
    found = turns(
        STARTED,
        events.DecisionStarted(3, START),
        events.Signaled(4, 's'),
        events.DecisionTimedOut(5),
        events.DecisionStarted(7, START),
        events.DecisionCompleted(8, 7),
    )
    assert found == [(7, [1, 4], 0)]


def test_a_history_that_continues_after_a_started_decision_does_not_request_it():
    assert turns(STARTED, events.DecisionStarted(3, START), events.Signaled(4, 's')) == []


WRONG = {
    'an event twice': [STARTED, STARTED],
    'events out of order': [events.Signaled(5, 's'), events.Signaled(4, 's')],
    'a completion of another decision': [STARTED, events.DecisionStarted(3, START), events.DecisionCompleted(4, 2)],
    'a completion of none': [STARTED, events.DecisionCompleted(4, 3)],
    'an output of no decision': [STARTED, events.TimerStarted(4, 3, '1', 5)],
    'an output of another decision': [
        STARTED,
        events.DecisionStarted(3, START),
        events.DecisionCompleted(4, 3),
        events.TimerStarted(5, 2, '1', 5),
    ],
}


@pytest.mark.parametrize('name', WRONG)
def test_what_does_not_fit_together_is_an_error(name):
    with pytest.raises(HistoryError, match=r'event \d+'):
        turns(*WRONG[name])


def test_a_page_that_does_not_show_the_answer_is_an_error():
    story = Story(lambda self: self.echo())
    story.decide()
    execution = story.execution()
    execution.advance(story.events[:2])
    with pytest.raises(HistoryError, match='answered by this process'):
        execution.advance([events.DecisionStarted(9, START)])
    execution.close()


@pytest.mark.parametrize('how', ['terminated', 'timed out'])
@pytest.mark.parametrize('during', [False, True])
def test_an_execution_that_was_closed_from_outside(how, during):
    def run(self):
        yield self.echo()
        yield self.other()

    story = Story(run)
    story.decide()
    story.completed(1)
    story._begin_decision() if during else story.decide()  # noqa: SLF001
    story.add(events.Closed, decision_id=None, how=how)
    for execution, page in ((story.sticky, story._page(story.sticky)), (story.execution(), story.events)):  # noqa: SLF001
        assert execution.advance(page) is None
        assert execution.closed
        execution.close()


def test_an_interrupt_from_the_keyboard_leaves_the_engine():
    def run(self):
        yield self.echo()
        raise KeyboardInterrupt

    story = Story(run)
    story.decide()
    story.completed(1)
    story._begin_decision()  # noqa: SLF001
    with pytest.raises(KeyboardInterrupt):
        story.sticky.advance(story._page(story.sticky))  # noqa: SLF001


def test_where_the_engine_runs_on_a_workers_thread_an_interrupt_is_an_exception_like_any_other():
    def run(self):
        yield self.echo()
        raise KeyboardInterrupt

    story = Story(run, engine={'passing': ()})
    story.decide()
    story.completed(1)
    assert story.decide() == ['fail KeyboardInterrupt']


def test_an_interrupt_in_a_plain_run_fails_it_there_too():
    def run(self):
        raise KeyboardInterrupt('now')

    assert Story(run, engine={'passing': ()}).decide() == ['fail KeyboardInterrupt: now']
