"""Replay: recorded histories are held against the code, and a corpus says everything that is wrong with it."""

from __future__ import annotations

import json

import pytest

from genflow import ActivityProxy, HistoryError, NondeterminismError, Signal, Workflow, WorkflowProxy, workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.testing import History, ImpossibleStory, Tester, replay, replay_files
from tests.testing.orders import Declined, Order

DONE = History(Order, 1).decide().completed('charge', 'ok').signaled('approve', True).decide()
DONE = DONE.completed('ship', 'gone').decide()


class Swapped(Workflow):
    charge, ship, approve = Order.ship, Order.charge, Order.approve
    run = Order.run


SWAPPED = WorkflowSpec(Swapped, 'Order', '1')


class Louder(Workflow):
    charge, ship, approve = Order.charge, Order.ship, Order.approve

    def run(self, order):
        receipt = yield self.charge(order)
        approved = yield self.approve.get()
        return (yield self.ship(f'{receipt}!')) if approved else 'refused'


LOUDER = WorkflowSpec(Louder, 'Order', '1')


ISO = DONE.to_json().replace('946684800.0', '"2000-01-01T00:00:00+00:00"')


@pytest.mark.parametrize(
    'source', [DONE, DONE.to_json(), ISO, {'events': DONE.events}], ids=['story', 'epoch seconds', 'ISO 8601', 'answer']
)
def test_a_history_is_replayed(source):
    found = replay(source, Order)
    assert (found.name, found.version, found.events, found.warnings, found.pending) == ('Order', '1', 18, (), False)


def test_an_open_history_is_replayed_up_to_its_end():
    story = History(Order, 1).decide().completed('charge', 'ok')
    assert not replay(story, Order).pending
    assert replay(story.decision_started(), Order).pending


class Closes(Workflow):
    act, other = (ActivityProxy(name, '1', error_handling=True) for name in ('Act', 'Other'))
    news = Signal()

    def run(self, result='as recorded'):
        self.other()
        yield self.act()
        return result


class GoesOn(Closes):
    def run(self, result='as recorded'):
        yield from super().run(result)
        yield self.act()


def test_a_refused_completion_at_the_end_of_an_open_history_is_compared():
    story = History(Closes).decide().completed('act').completed('other').decision_started().cancel_requested().decide()
    assert story.events[-1]['eventType'] == 'CompleteWorkflowExecutionFailed'
    assert not replay(story, Closes).warnings
    with pytest.raises(NondeterminismError):
        replay(story, WorkflowSpec(GoesOn, 'Closes', '1'))
    with pytest.raises(NondeterminismError):
        replay(story.decision_timed_out(), WorkflowSpec(GoesOn, 'Closes', '1'))


def test_one_that_was_refused_because_of_a_signal_counts_as_not_made():
    story = History(Closes).decide().completed('act').completed('other').decision_started().signaled('news').decide()
    assert story.events[-1]['eventType'] == 'CompleteWorkflowExecutionFailed'
    assert not replay(story, WorkflowSpec(GoesOn, 'Closes', '1')).warnings


def test_a_mismatch_is_reported_whole():
    with pytest.raises(NondeterminismError) as raised:
        replay(DONE, SWAPPED)
    said = str(raised.value)
    recorded, asked = said.index("name='Charge'"), said.index("name='Ship'")
    assert recorded < asked
    assert 'orders.py:' in said
    assert 'self.patched("change-id")' in said
    assert raised.value.event_id == 5


def test_another_input_is_a_warning_or_an_error():
    (warning,) = replay(DONE, LOUDER).warnings
    assert '["ok!"]' in warning
    with pytest.raises(NondeterminismError, match='is not what event 12 recorded'):
        replay(DONE, LOUDER, input_mismatch='error')


def test_another_type_is_refused():
    with pytest.raises(HistoryError, match="of the workflow type 'Order' version '1'; Declined is"):
        replay(DONE, Declined)


def test_what_is_no_workflow_is_refused():
    with pytest.raises(TypeError, match='is not a workflow'):
        replay(DONE, ActivityProxy)


# a corpus


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / 'orders' / 'old').mkdir(parents=True)
    (tmp_path / 'orders' / 'one.json').write_text(DONE.to_json(), encoding='utf-8')
    (tmp_path / 'orders' / 'old' / 'two.json').write_text(DONE.to_json(), encoding='utf-8')
    (tmp_path / 'orders' / 'notes.txt').write_text('no history', encoding='utf-8')
    return tmp_path / 'orders'


def test_a_folder_is_replayed_to_its_leaves(corpus):
    report = replay_files([corpus], Order)
    assert report.ok
    assert [one.source for one in report.replayed] == [str(corpus / 'old' / 'two.json'), str(corpus / 'one.json')]
    assert report.events == 36
    assert '2 of 2 histories follow the code (36 events' in str(report)


def test_a_mismatch_stands_in_the_report_with_its_file(corpus):
    (corpus / 'three.json').write_text(History(Declined, 1).decide().to_json(), encoding='utf-8')
    report = replay_files([corpus], [SWAPPED, Declined])
    assert not report.ok
    assert [failure.is_mismatch for failure in report.failures] == [True, True]
    assert [one.name for one in report.replayed] == ['Declined']
    assert f'{corpus / "one.json"}: NondeterminismError: Order 1' in str(report)
    assert 'self.patched("change-id")' in str(report)


def test_a_file_that_cannot_be_read_does_not_hide_the_others(corpus):
    (corpus / 'cut.json').write_text(DONE.to_json()[:-30], encoding='utf-8')
    report = replay_files([corpus / 'nowhere.json', corpus], Order)
    assert not report.ok
    assert [failure.is_mismatch for failure in report.failures] == [False, False]
    assert 'nowhere.json' in str(report.failures[0])
    assert 'cut.json is cut' in str(report.failures[1])
    assert len(report.replayed) == 2


def test_a_history_whose_class_is_not_given_is_a_failure(corpus):
    report = replay_files([corpus / 'one.json'], [Declined])
    assert (
        "is of the workflow type 'Order' version '1', for which no class was given; the given classes: 'Declined'"
        in str(report)
    )


def test_an_empty_corpus_is_a_failure(tmp_path, corpus):
    (tmp_path / 'none').mkdir()
    report = replay_files([corpus, tmp_path / 'none'], Order)
    assert not report.ok
    assert 'none contains no history' in str(report)
    assert not replay_files([], Order).ok


def test_a_history_that_was_loaded_without_a_class_is_not_decided_on():
    with pytest.raises(ImpossibleStory, match='the history has no workflow class'):
        History.from_json(History(Order, 1).to_json()).decide()


# ids


@workflow(name='Ids', version='1', task_list='t')
class Ids(Workflow):
    pack = WorkflowProxy('Pack', '1')

    def run(self):
        child = f'{self.info.workflow_id}-{self.info.run_id}'
        return (yield self.pack.with_options(workflow_id=child)())


@pytest.fixture
def told():
    """A history as the AWS command line prints it, and its ids."""
    tester = Tester(Ids, pack='ok', workflow_id='order-7')
    tester.run()
    history = tester.history
    return json.dumps({'events': json.loads(history.to_json())['events']}), history.workflow_id, history.run_id


def test_a_history_that_does_not_name_its_execution_is_told_its_ids(told):
    text, workflow_id, run_id = told
    assert replay(text, Ids, workflow_id=workflow_id, run_id=run_id).warnings == ()
    assert replay(History.from_json(text, Ids, workflow_id=workflow_id, run_id=run_id), Ids).warnings == ()


@pytest.mark.parametrize('made', [lambda text: text, lambda text: History.from_json(text, Ids)])
def test_without_them_the_report_says_what_is_missing(told, made):
    with pytest.raises(HistoryError, match='cannot be checked against the code') as raised:
        replay(made(told[0]), Ids)
    assert 'The code reads info.workflow_id and info.run_id, which this history does not contain' in str(raised.value)


def test_code_that_reads_no_id_needs_none():
    with pytest.raises(NondeterminismError) as raised:
        replay({'events': DONE.events}, SWAPPED)
    assert 'info.' not in str(raised.value)


def test_a_file_may_be_named_after_its_execution(told, tmp_path):
    text, workflow_id, run_id = told
    good, bad = tmp_path / f'{workflow_id},{run_id}.json', tmp_path / f'{workflow_id}.json'
    good.write_text(text, encoding='utf-8')
    bad.write_text(text, encoding='utf-8')
    assert replay(good, Ids).warnings == ()
    report = replay_files([tmp_path], Ids)
    assert [one.source for one in report.replayed] == [str(good)]
    assert 'The code reads info.run_id, which this history does not contain' in str(report)
    assert replay_files([bad], Ids, run_id=run_id).ok
    other = tmp_path / f'other,{run_id}.json'
    other.write_text(text, encoding='utf-8')
    with pytest.raises(NondeterminismError, match='which was taken from the name of the file'):
        replay(other, Ids)
