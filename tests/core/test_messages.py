"""What errors say: the thing, the place, the way out."""

from __future__ import annotations

import attrs
import pytest

from genflow import (
    Activity,
    DefinitionError,
    HistoryError,
    NondeterminismError,
    PayloadTooLarge,
    Workflow,
    WorkflowCanceled,
)
from genflow.core.engine.execution import Execution

from .story import Story, made


def test_a_coroutine_is_no_workflow():
    async def run(self):
        return None

    with pytest.raises(DefinitionError, match=r'\.Later\.run is declared with `async def`; write `def`'):
        type('Later', (Workflow,), {'run': run})


def test_an_asynchronous_generator_is_no_activity():
    async def run(self):
        yield None

    with pytest.raises(DefinitionError, match=r'\.Later\.run has a `yield`, and an activity must not yield'):
        type('Later', (Activity,), {'run': run})


def no_self():
    return None


def keywords_only(*, value):
    return value


@pytest.mark.parametrize('run', [no_self, keywords_only, lambda: None])
@pytest.mark.parametrize('base', [Workflow, Activity])
def test_a_run_without_self_is_refused_when_the_class_is_made(base, run):
    with pytest.raises(DefinitionError, match=r'\.Bare\.run\(.*\) takes no `self`; .* write `def run\(self, …\)`'):
        type('Bare', (base,), {'run': run})


@pytest.mark.parametrize(
    'run', [lambda *args: None, lambda self, /: None, lambda me, value=1: None, staticmethod(no_self)]
)
@pytest.mark.parametrize('base', [Workflow, Activity])
def test_what_may_well_take_self_is_not(base, run):
    type('Fine', (base,), {'run': run})


def yields(self):
    yield self


class Mixin:
    def run(self):
        yield 1


@pytest.mark.parametrize(('bases', 'members'), [((Activity,), {'run': yields}), ((Mixin, Activity), {})])
def test_an_activity_that_yields_is_refused_when_the_class_is_made(bases, members):
    with pytest.raises(DefinitionError, match=r'\.Deed\.run has a `yield`, and an activity must not yield'):
        type('Deed', bases, members)


def failure(run):
    story = Story(run)
    story.decide()
    return story.failure


def test_an_argument_that_cannot_be_written_is_named_with_its_call():
    def run(self):
        yield self.echo('fine', wrong=object())

    text = failure(run)
    expected = "argument 'wrong' of activity Echo v1, <object object>, cannot be serialized: Object of type object"
    assert expected in text.reason
    assert 'override the serialization' in text.traceback
    assert 'test_messages.py' in text.traceback


def test_a_result_that_cannot_be_written_names_its_workflow():
    text = failure(lambda self: {'a': object()})
    assert "the result of Desk.run, {'a': <object object>}, cannot be serialized" in text.reason


def test_a_payload_that_is_too_large_names_the_argument_that_takes_most():
    def run(self):
        yield self.echo('x' * 20_000, 'y' * 20_001)

    # two strings in quotes with a comma between them, in [[…],{}]
    total = 20_000 + 20_001 + 4 + 1 + 7
    text = failure(run).traceback
    assert PayloadTooLarge.__name__ in text
    assert f'the input of activity Echo v1 has {total:,} characters, SWF takes 32,768' in text
    assert 'most of it is argument 2; pass a reference' in text


def test_a_failure_that_was_never_retrieved_says_where_its_call_was_made():
    def run(self):
        self.echo(1)

    story = Story(run)
    story.decide()
    story.failed(1, reason='boom')
    story.decide()
    text = story.failure.traceback
    assert 'Nothing retrieved this failure of activity 1 Echo v1, called at ' in text
    assert 'test_messages.py' in text
    assert 'error_handling=True' in text


def test_a_run_that_raises_where_the_history_went_on_shows_the_exception_and_its_line():
    def run(self):
        yield self.sleep(3)

    def changed(self):
        raise ValueError(5)
        yield

    story = Story(run)
    story.decide()
    execution = Execution(made(changed))
    place = r'\(.*test_messages\.py:\d+ in changed\)'
    with pytest.raises(NondeterminismError, match=rf'asked:    run raised ValueError\(5\) {place}'):
        execution.advance(story.events)


def plain(self):
    return 5


def early(self):
    if self.info.history_length:
        return 5
    yield self.sleep(3)


def delegating(self):
    return (yield from early(self))


def restarting(self):
    yield []
    return self.restart()


def of(run, offset):
    return f'({__file__}:{run.__code__.co_firstlineno + offset} in {run.__name__})'


ENDS = {
    plain: f"run returned {of(plain, 0)}, result='5'",
    early: f"run returned {of(early, 2)}, result='5'",
    delegating: f"run returned {of(delegating, 1)}, result='5'",
    restarting: f'run returned a restart {of(restarting, 2)}',
}


@pytest.mark.parametrize('run', ENDS)
def test_a_run_that_returns_where_the_history_went_on_is_shown_with_its_line(run):
    story = Story(lambda self: self.sleep(3))
    story.decide()
    execution = Execution(made(run))
    with pytest.raises(NondeterminismError) as caught:
        execution.advance(story.events)
    assert f'\n+ asked:    {ENDS[run]}\n' in str(caught.value)


def test_an_end_that_waits_for_something_is_shown_too():
    def run(self):
        yield self.echo()
        yield self.other()

    def changed(self):
        self.child()
        yield self.echo()

    story = Story(run)
    story.decide()
    with pytest.raises(NondeterminismError, match=r'\+ asked:    child number=1'):
        Execution(made(changed)).advance(story.events)

    def shorter(self):
        yield self.echo()
        self.go.drain()

    story.completed(1)
    story.decide()
    with pytest.raises(NondeterminismError, match=r'\+ asked:    run returned \(.* in shorter\)'):
        Execution(made(shorter)).advance(story.events)


def test_a_cancellation_that_left_run_is_shown():
    def run(self):
        try:
            yield self.stop.get()
        except WorkflowCanceled:
            yield self.echo('tidy up')

    def changed(self):
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.cancel_requested()
    story.decide()
    with pytest.raises(NondeterminismError, match=r'\+ asked:    run raised the cancellation'):
        Execution(made(changed)).advance(story.events)


def test_a_report_names_the_execution_once_for_those_who_have_named_it():
    story = Story(lambda self: self.sleep(3))
    story.decide()
    execution = Execution(story.spec, workflow_id='w-7', run_id='r-7')
    execution.spec = attrs.evolve(story.spec, cls=made(plain))
    with pytest.raises(NondeterminismError) as caught:
        execution.advance(story.events)
    error = caught.value
    assert str(error) == f'{error.execution}: {error.report}'
    assert error.execution == 'Desk 1 (workflow w-7, run r-7)'
    assert error.report.startswith('the code does not match the history\n')


def test_other_errors_report_what_they_say():
    assert HistoryError('a gap').report == 'a gap'


@pytest.mark.parametrize('shows', [True, False])
def test_a_report_for_a_log_quotes_no_payload(shows):
    story = Story(lambda self: self.echo('secret'))
    story.decide()
    execution = Execution(made(lambda self: self.other('hidden')), shows_payloads=shows)
    with pytest.raises(NondeterminismError) as caught:
        execution.advance(story.events)
    assert ('secret' in str(caught.value)) is shows
    assert ('hidden' in str(caught.value)) is shows


@pytest.mark.parametrize('shows', [True, False])
def test_a_warning_for_a_log_quotes_no_payload(shows, caplog):
    story = Story(lambda self: self.echo('secret'))
    story.decide()
    execution = Execution(made(lambda self: self.echo('hidden')), shows_payloads=shows)
    execution.advance(story.events)
    assert 'the input of activity 1 Echo v1 is not what event 5 recorded' in caplog.text
    assert ('secret' in caplog.text) is shows
    assert ('hidden' in caplog.text) is shows
