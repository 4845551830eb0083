"""What errors say: the thing, the place, the way out."""

from __future__ import annotations

import pytest

from genflow import Activity, DefinitionError, NondeterminismError, PayloadTooLarge, Workflow
from genflow.core.execution import Execution

from .story import Story, made


@pytest.mark.parametrize('base', [Workflow, Activity])
def test_a_coroutine_is_refused_when_the_class_is_made(base):
    async def run(self):
        return None

    with pytest.raises(DefinitionError, match=r'\.Later\.run is declared with `async def`; write `def`'):
        type('Later', (base,), {'run': run})


def failure(run):
    story = Story(run)
    story.decide()
    return story.failure


def test_an_argument_that_cannot_be_written_is_named_with_its_call():
    def run(self):
        yield self.echo('fine', wrong=object())

    text = failure(run)
    expected = "argument 'wrong' of activity Echo v1, <object object>, cannot be written: Object of type object"
    assert expected in text.reason
    assert 'override the serialization' in text.traceback
    assert 'test_messages.py' in text.traceback


def test_a_result_that_cannot_be_written_names_its_workflow():
    text = failure(lambda self: {'a': object()})
    assert "the result of Desk.run, {'a': <object object>}, cannot be written" in text.reason


def test_a_payload_that_is_too_large_names_the_argument_that_takes_most():
    def run(self):
        yield self.echo('x' * 20_000, 'y' * 20_001)

    # two strings in quotes with a comma between them, in [[…],{}]
    total = 20_000 + 20_001 + 4 + 1 + 7
    text = failure(run).traceback
    assert PayloadTooLarge.__name__ in text
    assert f'the input of activity Echo v1 has {total:,} characters, SWF takes 32,768' in text
    assert 'most of it is argument 2; pass a reference' in text


def test_a_failure_that_nobody_took_says_where_its_call_was_made():
    def run(self):
        self.echo(1)

    story = Story(run)
    story.decide()
    story.failed(1, reason='boom')
    story.decide()
    text = story.failure.traceback
    assert 'Nobody took this failure of activity 1 Echo v1, called at ' in text
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
    with pytest.raises(NondeterminismError, match=r'run raised ValueError\(5\) at .*test_messages\.py:\d+ in changed'):
        execution.advance(story.events)


def test_a_run_that_returns_where_the_history_went_on_says_so():
    def run(self):
        yield self.sleep(3)

    story = Story(run)
    story.decide()
    with pytest.raises(NondeterminismError, match='run has ended: Complete'):
        Execution(made(lambda self: 5)).advance(story.events)


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
