"""Queries: asked from outside, they change nothing."""

from __future__ import annotations

import logging

import pytest

from genflow import DefinitionError, NotDecidedYet, query

from .story import Desk, Story

called = []


class Asked(Desk):
    steps = 0

    def run(self):
        self.steps = 1
        yield self.echo()
        self.steps = 2
        yield self.other()
        return 'done'

    @query
    def step(self, factor=1):
        return self.steps * factor

    @query
    def meddles(self):
        task = self.echo('never')
        task.cancel()
        self.child().signal('never')
        self.sleep(5).timeout(9)
        self.side_effect(lambda: called.append('side effect'))
        self.random.random()
        self.uuid4()
        self.patched('never')
        self.set_status('never')
        self.restart('never')
        self.logger.error('never')
        return task.done()

    @query
    def breaks(self):
        raise KeyError('asked too much')

    def no_query(self):
        return 'never'


def test_a_query_reads_what_run_keeps():
    story = Story(Asked)
    story.decide()
    assert story.sticky.query('step') == 1
    story.completed(1)
    story.decide()
    assert story.sticky.query('step', 10) == 20
    assert story.sticky.query('step', factor=3) == 6


def test_a_closed_execution_answers():
    story = Story(Asked)
    story.decide()
    story.completed(1)
    story.decide()
    story.completed(2)
    story.decide()
    execution = story.execution()
    execution.advance(story.events)
    assert execution.query('step') == 2


def test_a_query_that_meddles_changes_nothing(caplog):
    caplog.set_level(logging.DEBUG)
    called.clear()
    story = Story(Asked)
    story.decide()
    assert story.sticky.query('meddles') is False
    assert called == []
    assert caplog.records == []
    story.completed(1)
    assert story.decide() == ['activity 2.1 Other [[],{}]']  # and the cold execution agrees


def test_what_a_query_raises_is_the_askers():
    story = Story(Asked)
    story.decide()
    with pytest.raises(KeyError, match='asked too much'):
        story.sticky.query('breaks')
    story.completed(1)
    story.decide()


@pytest.mark.parametrize('name', ['no_query', 'nothing', 'run', 'steps'])
def test_what_is_no_query_is_not_asked(name):
    story = Story(Asked)
    story.decide()
    with pytest.raises(AttributeError, match=f'no query {name!r}; it has breaks, meddles, step'):
        story.sticky.query(name)


def test_before_the_first_decision_there_is_nothing_to_ask():
    with pytest.raises(NotDecidedYet, match='nothing to query'):
        Story(Asked).sticky.query('step')


def yields(self):
    yield


async def waits(self):
    return 1


async def both(self):
    yield


@pytest.mark.parametrize('method', [yields, waits, both])
def test_a_query_that_yields_is_refused_when_its_class_is_made(method):
    with pytest.raises(DefinitionError, match=f'the query {method.__name__} yields'):
        query(method)
