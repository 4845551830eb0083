"""Proxies from data: `self.bind(proxy)(*args)`."""

from __future__ import annotations

import pytest

from genflow import ActivityProxy, DefinitionError, WorkflowProxy
from genflow.testing import Tester

from .story import Desk, Story

STEPS = {'resize': ActivityProxy('Resize', '1'), 'archive': WorkflowProxy('Archive', '2')}


def test_a_proxy_from_a_dict_is_called_through_bind():
    def run(self):
        yield [self.bind(STEPS[name])(name) for name in ('resize', 'archive')]

    assert Story(run).decide() == [
        'activity 1.1 Resize [["resize"],{}]',
        'child 2.1 Archive [["archive"],{}]',
    ]


def test_a_proxy_made_on_the_spot_keeps_its_options():
    def run(self):
        with self.options(task_list='gpu'):
            yield self.bind(ActivityProxy('Scan', '3', priority=7))('x')

    story = Story(run)
    story.decide()
    (decision,) = story.answers[0].all
    assert (decision.task_list, decision.priority) == ('gpu', 7)


def test_a_bound_proxy_takes_options_for_one_call():
    def run(self):
        yield self.bind(STEPS['resize']).with_options(task_list='gpu')('x')

    story = Story(run)
    story.decide()
    assert story.answers[0].all[0].task_list == 'gpu'


def test_bind_describes_on_a_workflow_that_is_never_driven():
    assert Desk().bind(STEPS['resize'])('x') == STEPS['resize'].task('x')


def test_a_tester_runs_what_is_bound():
    class Bind(Desk):
        def run(self):
            return (yield self.bind(ActivityProxy('Echo', 'v1'))(5))

    assert Tester(Bind, echo=lambda value: value + 1).run() == 6


@pytest.mark.parametrize('call', [lambda: STEPS['resize'](1), lambda: Desk.echo(1)])
def test_an_unbound_proxy_that_is_called_says_how_to_bind_it(call):
    with pytest.raises(DefinitionError, match=r'ActivityProxy\(name=.*self\.bind\(proxy\)'):
        call()


def test_bind_refuses_what_is_no_proxy():
    with pytest.raises(DefinitionError, match=r"bind\(\) was given 'Resize', a str; it takes a proxy"):
        Desk().bind('Resize')


def test_what_is_bound_already_stays_so():
    def run(self):
        yield self.bind(self.echo)(1)

    assert Story(run).decide() == ['activity 1.1 Echo [[1],{}]']
