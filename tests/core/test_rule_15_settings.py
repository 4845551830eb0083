"""Rule 15: granular settings."""

from __future__ import annotations

import math
from random import Random

import pytest

from genflow import (
    ActivityCanceled,
    ActivityFailed,
    ActivityProxy,
    ActivityTimedOut,
    DefinitionError,
    LambdaProxy,
    Retry,
    TaskFailed,
    TaskTimeout,
    WorkflowProxy,
    any_of,
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


# retry


def test_three_is_three_more_tries_after_a_time_out_at_once():
    def run(self):
        yield self.sturdy()

    story = Story(run)
    assert story.decide() == ['activity 1.1 Sturdy [[],{}]']
    for attempt in (2, 3, 4):
        story.timed_out(1)
        assert story.decide() == [f'activity 1.{attempt} Sturdy [[],{{}}]']
    story.timed_out(1)
    (line,) = story.decide()
    assert line.startswith('fail ActivityTimedOut')


def test_by_default_only_time_outs_are_tried_again():
    def run(self):
        yield self.sturdy()

    story = Story(run)
    story.decide()
    story.failed(1)
    assert story.decide()[0].startswith('fail ActivityFailed')


def test_zero_is_one_try():
    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.timed_out(1)
    assert story.decide()[0].startswith('fail ActivityTimedOut')


def test_the_shorthand_says_what_the_page_says():
    proxy = ActivityProxy('Echo', '1', retry=3)
    assert proxy.options.retry == Retry(max_attempts=4, on=(TaskTimeout,), initial_interval=0)
    assert ActivityProxy('Echo', '1').options.retry == proxy.options.retry
    assert ActivityProxy('Echo', '1', retry=0).options.retry.max_attempts == 1


def waits(retry, count, fail=lambda story: story.failed(1)):
    """The waits before the attempts that follow the first."""
    proxy = ActivityProxy('Careful', '1', retry=retry)

    def run(self):
        yield self.careful()

    story = Story(run, members={'careful': proxy})
    story.decide()
    found = []
    for attempt in range(2, count + 2):
        fail(story)
        (line,) = story.decide()
        if line.startswith('timer'):
            assert line.startswith(f'timer 1.{attempt};w ')
            found.append(int(line.split()[-1].removesuffix('s')))
            story.fired(f'1.{attempt};w')
            (line,) = story.decide()
        else:
            found.append(0)
        if line.startswith('fail'):
            return [*found[:-1], 'fail']
        assert line == f'activity 1.{attempt} Careful [[],{{}}]'
    return found


def test_the_waits_grow_by_the_factor_to_the_cap():
    assert waits(Retry(9, jitter=0, max_interval=10), 6) == [1, 2, 4, 8, 10, 10]
    assert waits(Retry(9, initial_interval=3, backoff=3, jitter=0, max_interval=100), 4) == [3, 9, 27, 81]
    assert waits(Retry(9, initial_interval=0.4, backoff=1, jitter=0), 2) == [1, 1]


def test_attempts_end():
    assert waits(Retry(3, jitter=0), 3) == [1, 2, 'fail']


def test_jitter_stays_within_its_part_and_is_not_the_same_for_each():
    retry = Retry(math.inf, initial_interval=1000, backoff=1, jitter=0.1, max_interval=1000)
    found = waits(retry, 8)
    assert all(900 <= wait <= 1100 for wait in found)
    assert len(set(found)) > 1


def test_a_policy_computes_without_surprises():
    retry = Retry(math.inf, initial_interval=1, backoff=2, max_interval=60, jitter=0)
    assert [retry.interval(tried, Random(0)) for tried in (1, 2, 6, 7, 100_000)] == [1, 2, 32, 60, 60]


ON = {
    'a class of the engine': (Retry(2, jitter=0, on=(ActivityFailed,)), [1]),
    'another class of the engine': (Retry(2, jitter=0, on=(ActivityTimedOut,)), ['fail']),
    'a remote class': (Retry(2, jitter=0, on=(KeyError,)), [1]),
    'a base of a remote class': (Retry(2, jitter=0, on=(LookupError,)), [1]),
    'a simple name': (Retry(2, jitter=0, on=('KeyError',)), [1]),
    'a qualified name': (Retry(2, jitter=0, on='builtins.KeyError'), [1]),
    'another name': (Retry(2, jitter=0, on=('ValueError',)), ['fail']),
    'a class given up on': (Retry(2, jitter=0, give_up_on=(KeyError,)), ['fail']),
    'a name given up on': (Retry(2, jitter=0, give_up_on='LookupError'), ['fail']),
    'another class given up on': (Retry(2, jitter=0, give_up_on=(ValueError,)), [1]),
}


@pytest.mark.parametrize('name', ON)
def test_what_is_tried_again(name):
    retry, expected = ON[name]
    assert waits(retry, 1, lambda story: story.failed(1, KeyError('k'))) == expected


def test_a_class_brought_back_is_matched_too():
    class Declined(Exception):
        pass

    def run(self):
        yield self.pay()

    proxy = ActivityProxy('Pay', '1', raises=(Declined,), retry=Retry(2, initial_interval=0, on=(Declined,)))
    story = Story(run, members={'pay': proxy})
    story.decide()
    story.failed(1, Declined('no'))
    assert story.decide() == ['activity 1.2 Pay [[],{}]']


def test_cancellations_and_refusals_are_tried_again_only_where_they_are_named():
    from genflow.core.decisions import ScheduleActivity

    def run(self):
        yield self.mine()

    for on, again in (((TaskFailed,), False), ((ActivityCanceled,), True)):
        members = {'mine': ActivityProxy('Mine', '1', retry=Retry(2, initial_interval=0, on=on))}
        story = Story(run, members=members)
        story.decide()
        story.canceled(1)
        assert (story.decide() == ['activity 1.2 Mine [[],{}]']) == again
    members = {'mine': ActivityProxy('Mine', '1', retry=Retry(2, initial_interval=0))}
    story = Story(run, members=members)
    story.decide(refuse={ScheduleActivity: 'ACTIVITY_TYPE_DOES_NOT_EXIST'})
    assert story.decide()[0].startswith('fail ScheduleFailed')


def test_children_and_lambda_functions_are_tried_again():
    def run(self):
        yield [self.kid(), self.resize(1)]

    retry = Retry(2, initial_interval=0)
    members = {'kid': WorkflowProxy('Kid', '1', retry=retry), 'resize': LambdaProxy('resize', retry=retry)}
    story = Story(run, members=members)
    story.decide()
    first_id = story.answer.all[0].workflow_id
    story.child_started('1.1')
    story.decide()
    story.failed('1.1')
    story.failed('2.1')
    assert story.decide() == ['child 1.2 Kid [[],{}]', 'lambda 2.2 resize 1']
    assert story.answer.all[0].workflow_id != first_id


def test_a_child_with_an_id_of_its_own_keeps_it():
    def run(self):
        yield self.kid()

    members = {'kid': WorkflowProxy('Kid', '1', workflow_id='kid', retry=Retry(2, initial_interval=0))}
    story = Story(run, members=members)
    story.decide()
    story.failed('kid')
    assert story.decide() == ['child 1.2 Kid [[],{}]']
    assert story.answer.all[0].workflow_id == 'kid'


@pytest.mark.parametrize('details', ['genflow.ProcessDied', 'genflow.ProcessDied at 14'])
def test_a_lost_process_is_no_try(details):
    def run(self):
        yield self.echo()

    story = Story(run)
    story.decide()
    story.timed_out(1, details=details)
    assert story.decide() == ['activity 1.2 Echo [[],{}]']
    story.timed_out(1)
    assert story.decide()[0].startswith('fail ActivityTimedOut')


def test_a_lost_process_leaves_the_other_tries_as_they_were():
    def run(self):
        yield self.mine()

    story = Story(run, members={'mine': ActivityProxy('Mine', '1', retry=Retry(2, jitter=0, initial_interval=4))})
    story.decide()
    for attempt in (2, 3):
        story.timed_out(1, details='genflow.ProcessDied')
        assert story.decide() == [f'activity 1.{attempt} Mine [[],{{}}]']
    story.timed_out(1)
    assert story.decide() == ['timer 1.4;w 4s']  # the first wait, before the second try that counts
    story.fired('1.4;w')
    story.decide()
    story.timed_out(1)
    assert story.decide()[0].startswith('fail ActivityTimedOut')


def test_a_worker_that_stopped_counts_as_a_time_out():
    def run(self):
        yield self.sturdy()

    story = Story(run)
    story.decide()
    story.failed(1, reason='genflow.WorkerStopped')
    assert story.decide() == ['activity 1.2 Sturdy [[],{}]']


def test_a_retry_that_replays_does_not_ask_the_policy():
    asked = []

    class Counting(Retry):
        def again(self, error, tried):
            asked.append(tried)
            return super().again(error, tried)

    def run(self):
        yield self.mine()
        yield self.other()

    story = Story(run, members={'mine': ActivityProxy('Mine', '1', retry=Counting(5, initial_interval=0))})
    story.decide()
    story.failed(1)
    story.decide()
    assert asked == [1, 1]  # kept and cold, both live
    story.completed(1)
    story.decide()
    assert asked == [1, 1]


@pytest.mark.parametrize('end', ['signal', 'failure', 'cancellation', 'time limit'])
def test_an_attempt_that_is_decided_on_and_dropped_at_once_is_remembered(end):
    def run(self):
        task = self.sturdy()
        limited = task.timeout(60)
        other = self.echo()
        yield any_of(limited, self.go.get(), other)
        seen = [task.done(), limited.done(), other.done()]
        if end == 'failure':
            other.result()
        limited.cancel()
        other.cancel()
        return seen

    story = Story(run)
    story.decide()
    story.timed_out(1)
    {
        'signal': lambda: story.signaled('go'),
        'failure': lambda: story.failed(3),
        'cancellation': story.cancel_requested,
        'time limit': lambda: story.fired(2),
    }[end]()
    said = story.decide()
    assert said[0] == 'marker genflow.attempts {"marks":["1.2"]}'
    assert story.closed is not None  # and so was replayed as a whole
    if end == 'signal':
        assert story.result == [False, False, False]


# delay


def test_a_delay_is_a_timer_before_the_first_try():
    def run(self):
        return (yield self.echo.with_options(delay=30)())

    story = Story(run)
    assert story.decide() == ['timer 1.1;w 30s']
    story.fired('1.1;w')
    assert story.decide() == ['activity 1.1 Echo [[],{}]']
    story.completed(1, 'x')
    assert story.decide() == ['complete "x"']


def test_a_delay_is_before_the_first_try_only():
    def run(self):
        yield self.sturdy.with_options(delay=30)()

    story = Story(run)
    story.decide()
    story.fired('1.1;w')
    story.decide()
    story.timed_out(1)
    assert story.decide() == ['activity 1.2 Sturdy [[],{}]']


def test_a_delayed_call_that_is_cancelled_needs_its_timer_no_more():
    def run(self):
        task = self.echo.with_options(delay=30)()
        yield self.stop.get()
        task.cancel()
        yield self.stop.get()

    story = Story(run)
    story.decide()
    story.signaled('stop')
    assert story.decide() == ['cancel timer 1.1;w']
    story.signaled('stop')
    assert story.decide() == ['complete null']


def test_children_and_lambda_functions_may_be_delayed():
    def run(self):
        yield [self.child.with_options(delay=5)(), self.shrink.with_options(delay=6)(1)]

    story = Story(run)
    assert story.decide() == ['timer 1.1;w 5s', 'timer 2.1;w 6s']
    story.fired('2.1;w')
    assert story.decide() == ['lambda 2.1 shrink 1']
    story.fired('1.1;w')
    assert story.decide() == ['child 1.1 Child [[],{}]']


@pytest.mark.parametrize(
    ('before', 'after'),
    [(0, 5), (5, 0), (5, 9)],
    ids=['a new delay', 'a delay that is gone', 'another delay'],
)
def test_a_changed_delay_breaks_no_running_execution(before, after):
    def code(delay):
        def run(self):
            yield self.echo.with_options(delay=delay)()
            return (yield self.other())

        return run

    story = Story(code(before))
    story.decide()
    if before:
        story.fired('1.1;w')
        story.decide()
    story.completed(1)
    changed = Story(code(after))
    changed.events, changed._id, changed._due = story.events, story._id, True  # noqa: SLF001
    assert changed.decide() == ['activity 2.1 Other [[],{}]']


def test_a_changed_delay_during_the_delay():
    def code(delay):
        def run(self):
            yield self.echo.with_options(delay=delay)()

        return run

    story = Story(code(5))
    story.decide()
    story.fired('1.1;w')
    changed = Story(code(0))
    changed.events, changed._id, changed._due = story.events, story._id, True  # noqa: SLF001
    assert changed.decide() == ['activity 1.1 Echo [[],{}]']
