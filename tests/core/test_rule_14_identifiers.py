"""Rule 14: a name or an id that SWF does not take is refused at the call, instead of with the whole answer."""

from __future__ import annotations

import pytest

from genflow import ActivityProxy, DefinitionError, LambdaProxy, WorkflowProxy

from .story import Story

SURROGATE = 'caf\udce9'
LONG = '\U0001f600' * 129
"""SWF counts UTF-16 code units, of which each of these characters has two."""

CALLS = {
    'workflow id': lambda self, bad: self.child.with_options(workflow_id=bad)(),
    'tag': lambda self, bad: self.child.with_options(tags=('good', bad))(),
    'task list of a child': lambda self, bad: self.child.with_options(task_list=bad)(),
    'task list of an activity': lambda self, bad: self.echo.with_options(task_list=bad)(),
    'task list of a block': lambda self, bad: self.options(task_list=bad).__enter__(),
    'external workflow id': lambda self, bad: self.external(bad).signal('s'),
    'external run id': lambda self, bad: self.external('w', bad).cancel(),
    'restart': lambda self, bad: self.restart.with_options(tags=[bad])(),
    'task list of a restart': lambda self, bad: self.restart.with_options(task_list=bad)(),
    'activity type': lambda self, bad: self.bind(ActivityProxy(bad, '1'))(),
    'version': lambda self, bad: self.bind(WorkflowProxy('Child', bad))(),
    'function': lambda self, bad: self.bind(LambdaProxy(bad))(),
    'change': lambda self, bad: self.patched(bad),
    'deprecated change': lambda self, bad: self.deprecate_patch(bad),
}
BAD = {
    'lone surrogate': SURROGATE,
    'too long': 'x' * 2_000,
    'too long for SWF': LONG,
    'empty': '',
    'no text': 7,
    'none of several': b'x',
}

TAKEN = {
    'version': ['no text'],
    'tag': ['empty'],
    'restart': ['empty'],
    'change': ['lone surrogate', 'too long for SWF'],
    'deprecated change': ['lone surrogate', 'too long for SWF'],
}
"""A version may be a number, a tag may be empty, and the id of a change is written as JSON."""


@pytest.mark.parametrize(
    ('what', 'kind'), [(what, kind) for what in CALLS for kind in BAD if kind not in TAKEN.get(what, ())]
)
def test_what_swf_does_not_take_is_refused_at_the_call(what, kind):
    def run(self):
        with pytest.raises(DefinitionError):
            CALLS[what](self, BAD[kind])
        return 'went on'

    (line,) = Story(run).decide()
    assert line == 'complete "went on"'


TARGETS = {
    'another execution': lambda self, bad: self.external('w').signal(bad),
    'a child': lambda self, bad: self.child().signal(bad),
    'this execution': lambda self, bad: self.signal(bad),
}


@pytest.mark.parametrize('kind', BAD)
@pytest.mark.parametrize('target', TARGETS)
def test_the_name_of_a_signal(target, kind):
    def run(self):
        with pytest.raises(TypeError, match='is not a signal'):
            TARGETS[target](self, BAD[kind])
        yield self.sleep(1)

    Story(run).decide()


@pytest.mark.parametrize('what', ['workflow id', 'tag', 'external workflow id'])
def test_as_long_as_swf_takes_is_taken(what):
    def run(self):
        yield CALLS[what](self, LONG[:128])

    assert len(Story(run).decide()) == 1


@pytest.mark.parametrize('length', [256, 257])
def test_the_id_of_a_change_has_256_characters_at_most(length):
    def run(self):
        return self.patched('x' * length)
        yield

    story = Story(run)
    story.decide()
    assert story.closed.how == ('completed' if length == 256 else 'failed')
