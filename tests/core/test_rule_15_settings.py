"""Rule 15: granular settings."""

from __future__ import annotations

import math

import pytest

from genflow import (
    ActivityProxy,
    DefinitionError,
    LambdaProxy,
    Retry,
    WorkflowProxy,
)

from .story import Story


def scheduled(call, **members):
    """The first decision of a run that makes one call."""
    story = Story(lambda self: call(self), members=members)
    story.decide()
    return story.answer.all[0]


def test_none_on_a_proxy_is_the_types_default():
    decision = scheduled(lambda s: s.echo())
    names = ('task_list', 'priority', 'heartbeat', 'schedule_to_close', 'schedule_to_start', 'start_to_close')
    assert {name: getattr(decision, name) for name in names} == dict.fromkeys(names)


def test_the_proxys_arguments_are_sent():
    proxy = ActivityProxy('Echo', 'v1', 10, 100, 20, 30, 'mine', 2, 0, priority=7)
    decision = scheduled(lambda s: s.mine(), mine=proxy)
    assert (decision.heartbeat, decision.schedule_to_close, decision.schedule_to_start) == (10, 100, 20)
    assert (decision.start_to_close, decision.task_list, decision.priority) == (30, 'mine', 7)


def test_infinity_stays_infinity():
    decision = scheduled(lambda s: s.mine(), mine=ActivityProxy('Echo', 'v1', heartbeat=math.inf))
    assert decision.heartbeat == math.inf


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ({'start_to_close': 30, 'schedule_to_start': 20}, 50),
        ({'start_to_close': 30, 'schedule_to_start': 20, 'schedule_to_close': 40}, 40),
        ({'start_to_close': 30, 'schedule_to_start': math.inf}, math.inf),
        ({'start_to_close': 31_536_000, 'schedule_to_start': 31_536_000}, math.inf),
        ({}, None),
    ],
)
def test_schedule_to_close_is_the_sum_of_its_parts(given, expected):
    decision = scheduled(lambda s: s.mine(), mine=ActivityProxy('Echo', 'v1', **given))
    assert decision.schedule_to_close == expected


@pytest.mark.parametrize(('value', 'expected'), [(0, 0), (0.1, 1), (59.5, 60), (60, 60), (31_536_000, 31_536_000)])
def test_seconds_round_up(value, expected):
    assert (
        scheduled(lambda s: s.mine(), mine=ActivityProxy('Echo', 'v1', start_to_close=value)).start_to_close == expected
    )


@pytest.mark.parametrize('value', [-1, -0.5, 31_536_001, float('nan'), '60', True])
def test_a_wrong_duration_is_a_definition_error(value):
    for name in ('heartbeat', 'schedule_to_close', 'schedule_to_start', 'start_to_close', 'delay'):
        with pytest.raises(DefinitionError, match=name):
            ActivityProxy('Echo', 'v1', **{name: value})
    for name in ('workflow_duration', 'decision_duration', 'delay'):
        with pytest.raises(DefinitionError, match=name):
            WorkflowProxy('Child', 'v1', **{name: value})


@pytest.mark.parametrize('retry', [-1, 1.5, 'three', True, [3]])
def test_a_wrong_retry_is_a_definition_error(retry):
    with pytest.raises(DefinitionError, match='retry'):
        ActivityProxy('Echo', 'v1', retry=retry)


@pytest.mark.parametrize(
    'options',
    [
        {'max_attempts': 0},
        {'max_attempts': 1.5},
        {'max_attempts': 3, 'backoff': 0.5},
        {'max_attempts': 3, 'initial_interval': -1},
        {'max_attempts': 3, 'jitter': 2},
        {'max_attempts': 3, 'on': (5,)},
    ],
)
def test_a_wrong_policy_is_a_definition_error(options):
    with pytest.raises(DefinitionError):
        Retry(options.pop('max_attempts'), **options)


@pytest.mark.parametrize('given', [{'start_to_close': 0}, {'start_to_close': 901}])
def test_a_lambda_function_has_1_to_900_seconds(given):
    with pytest.raises(DefinitionError, match='900'):
        LambdaProxy('f', **given)


def test_with_options_overrides_one_call():
    def run(self):
        self.echo.with_options(task_list='gpu', start_to_close=5)(1)
        self.echo(2)
        yield self.go.get()

    story = Story(run)
    story.decide()
    first, second = story.answer.all
    assert (first.task_list, first.start_to_close) == ('gpu', 5)
    assert (second.task_list, second.start_to_close) == (None, None)


def test_options_override_the_proxy_in_their_block():
    def run(self):
        with self.options(task_list='gpu', retry=5, workflow_duration=60):
            self.echo()
            self.child()
            with self.options(task_list='tpu'):
                self.echo()
            self.echo()
        self.echo()
        yield self.go.get()

    story = Story(run)
    story.decide()
    assert [decision.task_list for decision in story.answer.all] == ['gpu', 'gpu', 'tpu', 'gpu', None]
    assert story.answer.all[1].workflow_duration == 60


def test_with_options_beats_the_block():
    def run(self):
        with self.options(task_list='gpu', priority=1):
            yield self.echo.with_options(task_list='mine')()

    story = Story(run)
    story.decide()
    assert (story.answer.all[0].task_list, story.answer.all[0].priority) == ('mine', 1)


def test_a_block_belongs_to_the_branch_that_entered_it():
    def run(self):
        def branch():
            yield self.other('branch')
            yield self.other('branch again')

        self.spawn(branch())
        yield self.go.get()
        with self.options(task_list='gpu'):
            self.echo('run')
            yield self.go.get()

    story = Story(run)
    story.decide()
    story.signaled('go')
    story.completed(1)
    story.decide()
    lists = {decision.name: decision.task_list for decision in story.answer.all}
    assert lists == {'Echo': 'gpu', 'Other': None}


def test_a_branch_begun_in_a_block_is_in_it():
    def run(self):
        def branch():
            yield self.echo()
            yield self.echo()

        with self.options(task_list='gpu'):
            task = self.spawn(branch())
        yield task

    story = Story(run)
    story.decide()
    assert story.answer.all[0].task_list == 'gpu'
    story.completed(1)
    story.decide()
    assert story.answer.all[0].task_list == 'gpu'


def test_the_items_of_a_map_are_in_the_block_of_the_map():
    def run(self):
        with self.options(task_list='gpu'):
            task = self.map(self.echo, [1, 2], limit=1)
        yield task

    story = Story(run)
    story.decide()
    assert story.answer.all[0].task_list == 'gpu'
    story.completed(1)
    story.decide()
    assert story.answer.all[0].task_list == 'gpu'


@pytest.mark.parametrize('options', [{'nonsense': 1}, {'retry': -1}, {'heartbeat': -1}, {'tags': list('abcdef')}])
def test_a_wrong_option_is_a_definition_error_at_its_line(options):
    def run(self):
        with self.options(**options):
            yield self.echo()

    story = Story(run)
    (line,) = story.decide()
    assert line.startswith('fail DefinitionError')
    assert 'in run' in story.failure.traceback


@pytest.mark.parametrize('options', [{'workflow_id': 'x'}, {'nonsense': 1}, {'start_to_close': -1}])
def test_with_options_refuses_what_the_call_does_not_have(options):
    def run(self):
        try:
            self.echo.with_options(**options)
        except DefinitionError:
            return 'refused'

    assert Story(run).decide() == ['complete "refused"']


def test_a_childs_settings_are_sent():
    proxy = WorkflowProxy(
        'Child',
        2,
        decision_duration=10,
        workflow_duration=20,
        task_list='kids',
        workflow_id='kid',
        tags=['a', 'b'],
        priority=-3,
        child_policy='ABANDON',
        lambda_role='role',
        retry=0,
    )
    decision = scheduled(lambda s: s.kid(), kid=proxy)
    assert (decision.name, decision.version, decision.workflow_id) == ('Child', '2', 'kid')
    assert (decision.decision_duration, decision.workflow_duration) == (10, 20)
    assert (decision.task_list, decision.tags, decision.priority) == ('kids', ('a', 'b'), -3)
    assert (decision.child_policy, decision.lambda_role) == ('ABANDON', 'role')


@pytest.mark.parametrize(
    'given',
    [
        {'name': ''},
        {'name': 'a:b'},
        {'name': 'arn'},
        {'name': 'x' * 257},
        {'version': ''},
        {'version': 'x' * 65},
        {'version': None, 'name': 5},
        {'version': 1.5},
        {'priority': 2**31},
    ],
)
def test_what_swf_would_refuse_is_refused_when_the_proxy_is_made(given):
    with pytest.raises(DefinitionError):
        ActivityProxy(**{'name': 'Echo', 'version': '1', **given})


@pytest.mark.parametrize('wrong', ['', 'x' * 257, 7])
def test_a_child_cannot_be_named_by_what_is_no_workflow_id(wrong):
    with pytest.raises(DefinitionError, match='1 to 256 characters'):
        WorkflowProxy('Child', 2, workflow_id=wrong)
