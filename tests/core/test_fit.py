"""Arguments that do not fit ``run`` fail the execution with a text that names the signature, however run is made."""

from __future__ import annotations

import functools
import json
from contextlib import nullcontext

import pytest

from genflow import Workflow
from genflow.core.authoring.checks import check_arguments
from genflow.core.errors import DefinitionError

from .story import Story


def wrapped(function):
    @functools.wraps(function)
    def run(*args):
        return function(*args)

    return run


class Plain(Workflow):
    def run(self, a, b=2):
        return [a, b]


class Keyword(Workflow):
    def run(self, a, *, b):
        return [a, b]


class Many(Workflow):
    def run(self, a, *rest):
        return [a, *rest]


class Wrapped(Workflow):
    @wrapped
    def run(self, a, b=2):
        return [a, b]


class Static(Workflow):
    run = functools.partialmethod(Plain.run, 1)


CASES = [
    (Plain, '[[],{}]', False),
    (Plain, '[[1],{}]', True),
    (Plain, '[[1,2],{}]', True),
    (Plain, '[[1,2,3],{}]', False),
    (Plain, '[[],{"a":1}]', True),
    (Plain, '[[1],{"a":1}]', False),
    (Keyword, '[[1],{}]', False),
    (Keyword, '[[1],{"b":2}]', True),
    (Many, '[[],{}]', False),
    (Many, '[[1,2,3,4],{}]', True),
    (Wrapped, '[[1,2,3],{}]', False),
    (Wrapped, '[[1],{}]', True),
    (Static, '[[5],{}]', True),
    (Static, '[[5,6],{}]', False),
]


@pytest.mark.parametrize(('workflow', 'input', 'fits'), CASES)
def test_arguments_fit_as_the_signature_says(workflow, input, fits):
    story = Story(workflow, input=input)
    [decision] = story.decide()
    assert ('do not fit' in decision) is not fits
    assert decision.startswith('complete' if fits else 'fail')


@pytest.mark.parametrize(('workflow', 'input', 'fits'), CASES)
def test_a_starter_refuses_the_same_arguments(workflow, input, fits):
    args, kwargs = json.loads(input)
    with nullcontext() if fits else pytest.raises(DefinitionError, match='do not fit'):
        check_arguments(workflow, args, kwargs)
