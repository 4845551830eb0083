"""Rule 16: arguments and results travel through hooks that can be overridden, JSON by default."""

from __future__ import annotations

import base64

import pytest

from genflow import ActivityProxy, DefinitionError, HistoryError, LambdaProxy, WorkflowProxy

from .story import Desk, Story


class Base64:
    """A transport of its own: text in base 64."""

    def serialize_arguments(self, *args, **kwargs):
        return base64.b64encode(repr((args, kwargs)).encode()).decode()

    def deserialize_arguments(self, input):
        return eval(base64.b64decode(input), {})  # noqa: S307 - a test's own text

    def serialize_result(self, value):
        return base64.b64encode(repr(value).encode()).decode()

    def deserialize_result(self, text):
        return eval(base64.b64decode(text), {})  # noqa: S307 - a test's own text


def b64(text):
    return base64.b64encode(text.encode()).decode()


def test_arguments_are_a_list_and_a_dict():
    def run(self, *args, **kwargs):
        return [args, kwargs]

    story = Story(run, input='[[1,"a",null],{"b":[2]}]')
    assert story.decide() == ['complete [[1,"a",null],{"b":[2]}]']


def test_a_result_is_its_json():
    def run(self):
        value = yield self.echo()
        return {'got': value}

    story = Story(run)
    story.decide()
    story.completed(1, text=' {"a" : [1.5, true, null, "\\u00e9"]} ')
    assert story.decide() == ['complete {"got":{"a":[1.5,true,null,"é"]}}']


def test_an_absent_result_is_none():
    def run(self):
        return [(yield self.echo())]

    story = Story(run)
    story.decide()
    story.completed(1)
    story.events[-1].result = None
    assert story.decide() == ['complete [null]']


@pytest.mark.parametrize('text', ['', 'oops', '{"a":', '[1] trailing', "{'a': 1}"])
def test_a_result_that_is_no_json_is_held_and_shown(text):
    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.completed(1, text=text)
    with pytest.raises(HistoryError, match='same transport'):
        story.decide()


def test_a_workflows_own_hooks():
    class Own(Desk):
        def _deserialize_arguments(self, input):
            return (input.upper(),), {}

        def _serialize_result(self, value):
            return f'<{value}>'

        def run(self, text):
            return text

    assert Story(Own, input='shout').decide() == ['complete <SHOUT>']


def test_a_proxys_own_hooks():
    class Own(ActivityProxy):
        def _serialize_arguments(self, *args, **kwargs):
            return f'{args} {kwargs}'

        def _deserialize_result(self, text):
            return text[::-1]

    def run(self):
        return (yield self.own(1, a=2))

    story = Story(run, members={'own': Own('Own', '1')})
    assert story.decide() == ["activity 1.1 Own (1,) {'a': 2}"]
    story.completed(1, text='abc')
    assert story.decide() == ['complete "cba"']


@pytest.mark.parametrize(
    'proxy',
    [
        ActivityProxy('Far', '1', transport=Base64()),
        WorkflowProxy('Far', '1', transport=Base64()),
        LambdaProxy('far', transport=Base64()),
    ],
    ids=['activity', 'child', 'lambda'],
)
def test_a_transport_serves_a_proxy(proxy):
    def run(self):
        return (yield self.far(1, a=2))

    story = Story(run, members={'far': proxy})
    (line,) = story.decide()
    assert line.endswith(b64("((1,), {'a': 2})"))
    story.completed(1, text=b64("{'x': (1, 2)}"))
    assert story.decide() == ['complete {"x":[1,2]}']


def test_a_transport_serves_a_workflow_and_its_restart():
    class Own(Desk):
        transport = Base64()

        def run(self, number):
            if number:
                return self.restart(number - 1)
            return 'end'

    story = Story(Own, input=b64('((1,), {})'))
    assert story.decide() == [f'continue {b64("((0,), {})")}']
    story = Story(Own, input=story.closed.result)
    assert story.decide() == [f'complete {b64(repr("end"))}']


def test_something_that_is_no_transport_is_refused():
    with pytest.raises(DefinitionError, match='not a transport'):
        ActivityProxy('Far', '1', transport=object())


def test_a_serializer_that_gives_no_text_is_a_definition_error():
    class Own(ActivityProxy):
        def _serialize_arguments(self, *args, **kwargs):
            return b'bytes'

    story = Story(lambda self: self.own(), members={'own': Own('Own', '1')})
    (line,) = story.decide()
    assert line.startswith('fail DefinitionError')


def test_what_run_changes_of_a_result_is_not_seen_by_another_yield_of_another_execution():
    def run(self):
        value = yield self.echo()
        value.append('changed')
        return [value, (yield self.echo())]

    story = Story(run)
    story.decide()
    story.completed(1, ['one'])
    story.decide()
    story.completed(2, ['two'])
    assert story.decide() == ['complete [["one","changed"],["two"]]']


def test_a_lambda_function_takes_one_event():
    def run(self):
        self.shrink({'a': 1})
        self.shrink(b=2)
        self.shrink()
        try:
            self.shrink(1, 2)
        except DefinitionError:
            yield self.go.get()

    assert Story(run).decide() == ['lambda 1.1 shrink {"a":1}', 'lambda 2.1 shrink {"b":2}', 'lambda 3.1 shrink {}']
