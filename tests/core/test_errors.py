"""Every public exception survives pickle and copy, as those that cross processes and queues do."""

from __future__ import annotations

import copy
import pickle

import pytest

import genflow
from genflow import CompensationFailed, NondeterminismError, RetryLater, TaskFailed, TaskTimeout
from genflow.local.errors import ServiceError

from .story import Story

PUBLIC = sorted(
    (
        found
        for found in (getattr(genflow, name) for name in genflow.__all__)
        if isinstance(found, type) and issubclass(found, BaseException)
    ),
    key=lambda cls: cls.__name__,
)
WAYS = {'pickle': lambda error: pickle.loads(pickle.dumps(error)), 'copy': copy.copy, 'deepcopy': copy.deepcopy}  # noqa: S301


def made(cls):
    if issubclass(cls, TaskTimeout):
        return cls('reason', 'details', 'trace', timeout_type='HEARTBEAT')
    if issubclass(cls, TaskFailed):
        return cls('reason', 'details', 'trace')
    if cls is CompensationFailed:
        return cls([ValueError('one'), KeyError('two')], LookupError('why'))
    if cls is NondeterminismError:
        return cls('report', event_id=7, execution='Order 1')
    return cls(5, 'why') if cls is RetryLater else cls('text')


@pytest.mark.parametrize('way', WAYS.values(), ids=WAYS)
@pytest.mark.parametrize('cls', PUBLIC)
def test_an_exception_survives(cls, way):
    error = made(cls)
    error.note = 'kept'
    found = way(error)
    assert type(found) is cls
    assert (str(found), repr(found.args)) == (str(error), repr(error.args))
    assert {name: repr(value) for name, value in vars(found).items()} == {
        name: repr(value) for name, value in vars(error).items()
    }


@pytest.mark.parametrize('way', WAYS.values(), ids=WAYS)
def test_the_failure_of_a_task_of_an_execution_survives_with_its_text(way):
    caught = []

    def run(self):
        try:
            yield self.echo(1)
        except TaskFailed as error:
            caught.append(error)

    story = Story(run)
    story.decide()
    story.failed(1, ValueError('no'))
    story.decide()
    found = way(caught[0])
    assert str(found) == str(caught[0])
    assert str(found).startswith('activity 1 Echo v1: ValueError: no')
    assert found.names == caught[0].names
    assert found.task is (None if way is WAYS['pickle'] else caught[0].task)


def test_a_refusal_of_the_embedded_service_survives():
    error = ServiceError('UnknownResourceFault', 'no such domain', 400, 'com.amazonaws.swf')
    error.note = 'kept'
    found = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (str(found), vars(found)) == (str(error), vars(error))
