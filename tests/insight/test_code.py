"""What the code makes of a history: branches, what they wait for, and what would happen."""

from __future__ import annotations

import linecache

import pytest

from genflow import (
    ActivityProxy,
    LambdaProxy,
    NondeterminismError,
    Retry,
    Signal,
    Workflow,
    WorkflowProxy,
    any_of,
)
from genflow.core.model.registry import WorkflowSpec
from genflow.insight import ExecutionView, parsed, replayed, suppose
from genflow.insight.code import Replay
from genflow.testing import History

effects = []


class Desk(Workflow):
    echo = ActivityProxy('Echo', '1', retry=0)
    again = ActivityProxy('Again', '1', retry=Retry(3, initial_interval=5, jitter=0))
    approve = Signal()
    refuse = Signal('no')


def spec_of(run):
    cls = type('Story', (Desk,), {'run': run})
    return WorkflowSpec(cls, 'Story', '1')


def seen(run, *steps):
    """The view and the code's view of a story, after its first decision and some further steps."""
    spec = spec_of(run)
    history = History(spec.cls).decide()
    for step in steps:
        history = step(history)
    view = ExecutionView('w', 'r').apply_all(history.events)
    return view, replayed(view, spec, linecache.getlines), spec


def numbers(view, branch):
    return [view.operation_at(event_id).number for event_id in branch.operations]


def test_each_branch_stands_at_its_line_and_knows_what_it_waits_for():
    def work(self):
        yield self.echo(2)

    def run(self):
        other = self.spawn(work(self))
        yield self.echo(1)
        yield other

    view, code, _ = seen(run)
    first, second = code.branches
    assert (first.name, second.name) == ('run', 'work')
    assert first.place.lines[1][1].strip() == 'yield self.echo(1)'
    assert second.place.lines[1][1].strip() == 'yield self.echo(2)'
    assert (numbers(view, first), numbers(view, second)) == ([1], [2])
    assert code.made_by == {1: 'run', 2: 'work'}


def test_a_branch_that_waits_for_another_waits_for_what_that_one_waits_for():
    def work(self):
        yield self.echo(1)

    def run(self):
        yield [work(self), work(self)]

    view, code, _ = seen(run)
    assert numbers(view, code.branches[0]) == [1, 2]


def test_a_combinator_waits_for_all_its_members_and_signals():
    def run(self):
        yield any_of(self.echo(1), self.approve.get(), self.refuse.get(), self.sleep(9))

    view, code, _ = seen(run)
    (branch,) = code.branches
    assert numbers(view, branch) == [1, 2]
    assert branch.signals == ('approve', 'no')
    assert code.awaited == ('approve', 'no')


def test_a_map_waits_for_what_it_has_begun():
    def run(self):
        yield self.map(self.echo, range(5), limit=2)

    view, code, _ = seen(run)
    assert numbers(view, code.branches[0]) == [1, 2]


def test_a_time_limit_is_one_of_the_things_that_are_waited_for():
    def run(self):
        yield self.echo(1).timeout(30)

    view, code, _ = seen(run)
    assert [view.numbered(number).kind for number in numbers(view, code.branches[0])] == ['activity', 'timer']


def test_signals_are_declared_awaited_and_unread():
    def run(self):
        yield self.echo(1)

    _, code, _ = seen(run, lambda history: history.signaled('approve', 1).signaled('approve', 2).decide())
    assert set(code.declared) == {'approve', 'no'}
    assert (code.awaited, code.unread) == ((), {'approve': 2})


def test_retries_are_known_from_the_code():
    def run(self):
        yield [self.again(1), self.echo(1)]

    _, code, _ = seen(run)
    assert {number: retry.max_attempts for number, retry in code.retries.items()} == {1: 3}


def test_a_pending_decision_says_what_the_code_requests():
    def run(self):
        yield self.echo(1)
        yield self.again(2)

    _, code, _ = seen(run, lambda history: history.completed(Desk.echo.task(1), 1))
    assert code.decides == ('schedules activity Again',)


@pytest.mark.parametrize('what', ['first_run_id', 'root'])
def test_an_origin_is_never_looked_up_here(what):
    def run(self):
        yield self.echo(1)
        getattr(self.info, what)
        yield self.echo(2)

    spec = spec_of(run)
    events = History(spec.cls).decide().completed(Desk.echo.task(1), 1).events
    above = {
        'continuedExecutionRunId': 'run-0',
        'parentWorkflowExecution': {'workflowId': 'father', 'runId': 'run-f'},
    }
    member = 'workflowExecutionStartedEventAttributes'
    events = [{**events[0], member: {**events[0][member], **above}}, *events[1:]]
    code = replayed(ExecutionView('w', 'r').apply_all(events), spec, linecache.getlines)
    assert code.error is None
    assert code.decides == (f'the code asks for info.{what} next; only a worker looks it up',)


def test_a_side_effect_is_never_made_here():
    def run(self):
        yield self.echo(1)
        self.side_effect(lambda: effects.append(1))
        yield self.echo(2)

    view, code, spec = seen(run, lambda history: history.completed(Desk.echo.task(1), 1))
    assert code.error is None
    assert code.decides == ('the code runs a side effect next; its value is only made by a worker',)
    assert suppose(view, spec, None) == code.decides
    assert effects == []


def test_a_mismatch_is_an_error_of_the_view_and_says_where():
    def run(self):
        yield self.echo(1)

    def changed(self):
        yield self.again(1)

    view, _, _ = seen(run)
    code = replayed(view, spec_of(changed))
    assert isinstance(code.error, NondeterminismError)
    assert code.error.event_id == view.operations[0].id


def test_a_closed_execution_has_no_branches_and_no_error():
    def run(self):
        return (yield self.echo(1))

    _, code, _ = seen(run, lambda history: history.completed(Desk.echo.task(1), 1).decide())
    assert (code.branches, code.error, code.finished) == ((), None, True)


def everything(self):
    try:
        found = yield any_of(self.echo(1), self.sleep(9), self.approve.get(), cancel_rest=True)
        outcome = f'{found.kind} {found.result()!r}'
    except Exception as error:
        outcome = type(error).__name__
    self.set_status(outcome)
    return outcome


@pytest.mark.parametrize(
    ('supposed', 'expected'),
    [
        ('complete Echo 5', 'completes the workflow with "activity 5"'),
        ('fail 1', 'completes the workflow with "ActivityFailed"'),
        ('time out 1', 'completes the workflow with "ActivityTimedOut"'),
        ('cancel echo', 'completes the workflow with "ActivityCanceled"'),
        ('fire 2', 'completes the workflow with "timer None"'),
        ('signal approve true', 'completes the workflow with "signal True"'),
        ('cancel', 'closes the workflow as canceled'),
    ],
)
def test_each_supposition_has_its_consequence_and_changes_nothing(supposed, expected):
    view, _, spec = seen(everything)
    events = list(view.events)
    assert suppose(view, spec, parsed(supposed, view))[-1] == expected
    assert view.events == events


@pytest.mark.parametrize('supposed', ['complete Echo 5', 'fail 1', 'fire 2', 'signal approve true', 'cancel'])
def test_the_replay_that_was_made_answers_as_a_new_one_does(supposed):
    view, _, spec = seen(everything)
    replay = Replay(view, spec)
    fresh = suppose(view, spec, parsed(supposed, view))
    assert [replay.suppose(parsed(supposed, view)) for _ in range(2)] == [fresh, fresh]
    replay.close()


def test_supposing_the_end_of_a_wait_begins_the_next_attempt():
    def run(self):
        yield self.again(1)

    view, _, spec = seen(run, lambda history: history.failed(Desk.again.task(1), 'broken').decide())
    assert suppose(view, spec, parsed('fire 1', view)) == ('schedules activity Again (attempt 2)',)


@pytest.mark.parametrize('text', ['explode 1', 'fail', 'fail nothing', 'signal', ''])
def test_what_cannot_happen_is_refused(text):
    view, _, _ = seen(everything)
    with pytest.raises(ValueError, match=r'begin with one of|names nothing that is open'):
        parsed(text, view)


VERBS = ('complete', 'fail', 'time out', 'cancel', 'terminate', 'fire')


CAN = {
    'activity': {'complete', 'fail', 'time out', 'cancel'},
    'child': {'complete', 'fail', 'time out', 'cancel', 'terminate'},
    'lambda': {'complete', 'fail', 'time out'},
    'timer': {'fire'},
    'signal': set(),
    'cancel': set(),
}
WRONG = {('time out', value) for value in (' 5', ' "text"', ' plain text')}


def calls(self):
    other = self.external('other')
    yield [
        self.echo(1),
        self.child(1),
        self.resize(1),
        self.sleep(60),
        other.signal('hello', 1),
        other.cancel(),
    ]


class All(Desk):
    child = WorkflowProxy('Child', '1', retry=0)
    resize = LambdaProxy('resize', retry=0)
    run = calls


@pytest.mark.parametrize('verb', VERBS)
@pytest.mark.parametrize('number', range(1, 7))
@pytest.mark.parametrize('value', ['', ' 5', ' "text"', ' plain text'])
def test_any_verb_for_any_kind_is_an_answer_or_a_clear_refusal(verb, number, value):
    view = ExecutionView('w', 'r').apply_all(History(All).given(lambda_role='role').decide().events)
    spec = WorkflowSpec(All, 'All', '1')
    operation = view.numbered(number)
    if verb in CAN[operation.kind] and (verb, value) not in WRONG:
        assert suppose(view, spec, parsed(f'{verb} {number}{value}', view))
    else:
        with pytest.raises(ValueError, match=operation.label.replace('(', r'\(').replace(')', r'\)')):
            parsed(f'{verb} {number}{value}', view)


def test_what_an_operation_can_is_named():
    view = ExecutionView('w', 'r').apply_all(History(All).given(lambda_role='role').decide().events)
    with pytest.raises(
        ValueError, match="activity 1 Echo cannot 'fire'; it can: 'complete', 'fail', 'time out', 'cancel'"
    ):
        parsed('fire 1', view)
    with pytest.raises(ValueError, match="signal 5 hello cannot 'fail'; it can: no operation that a name can select"):
        parsed('fail hello', view)
    with pytest.raises(ValueError, match="activity 1 Echo has no time-out 'soon'; it has START_TO_CLOSE"):
        parsed('time out 1 soon', view)


def test_an_operation_that_waits_for_its_next_attempt_can_only_have_that_begin():
    def run(self):
        yield self.again()

    view, _, _ = seen(run, lambda history: history.failed('again', 'x').decide())
    with pytest.raises(
        ValueError, match="activity 1 Again waits for its next attempt and cannot 'fail'; it can: 'fire'"
    ):
        parsed('fail Again', view)
    assert parsed('fire Again', view)


def test_a_result_may_be_plain_text_and_an_id_stands_without_what_genflow_adds():
    def run(self):
        return (yield self.echo(1))

    view, _, spec = seen(run)
    key = view.operations[0].last.key.partition(';')[0]
    assert suppose(view, spec, parsed(f'complete {key} all is well', view)) == (
        'completes the workflow with "all is well"',
    )
