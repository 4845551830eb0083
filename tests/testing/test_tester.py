"""The tester: every kind of stub, every step, and every way in which a workflow can disappoint."""

from __future__ import annotations

import contextvars
import json
import math
import sys
import time
import types
import uuid
from datetime import datetime, timedelta, timezone
from typing import ClassVar

import pytest

from genflow import (
    Activity,
    ActivityFailed,
    ActivityProxy,
    ActivityTimedOut,
    ChildCanceled,
    ChildTerminated,
    ChildTimedOut,
    LambdaFailed,
    LambdaProxy,
    NondeterminismError,
    Retry,
    Signal,
    SuspendTask,
    Workflow,
    WorkflowCanceled,
    WorkflowProxy,
    WorkflowStalled,
    activity,
    workflow,
)
from genflow.local import LocalSWF, SystemClock
from genflow.local.operations.answers import EventTexts
from genflow.testing import Fail, Never, Script, Stuck, Tester, TesterError, TimeOut, replay, run_activity
from tests.testing.orders import Declined, Order

START = datetime(2000, 1, 1, tzinfo=timezone.utc)


class Hello(Workflow):
    greet = ActivityProxy(name='Greet', version='v1', retry=0)

    def run(self, *args, **kwargs):
        return (yield self.greet(*args, **kwargs))


# stubs


@pytest.mark.parametrize(
    ('stub', 'result'),
    [
        ('hi', 'hi'),
        (None, None),
        (['a', 'list'], ['a', 'list']),
        (lambda name, mark='?': f'hi {name}{mark}', 'hi you!'),
        (Script('first', 'second'), 'first'),
        (Script(Script(['nested'])), ['nested']),
        (lambda name, mark: Script, TypeError),
    ],
    ids=['value', 'None', 'list', 'function', 'script', 'script of a script', 'unserializable'],
)
def test_a_stub_gives_a_result(stub, result):
    if result is TypeError:
        with pytest.raises(ActivityFailed, match='TypeError'):
            Tester(Hello, greet=stub).run('you', mark='!')
    else:
        assert Tester(Hello, greet=stub).run('you', mark='!') == result


@pytest.mark.parametrize(
    ('stub', 'error', 'said'),
    [
        (Fail('declined'), ActivityFailed, 'declined'),
        (Fail('declined', 'no funds'), ActivityFailed, 'declined'),
        (LookupError('nobody'), ActivityFailed, 'LookupError: nobody'),
        (LookupError, ActivityFailed, 'LookupError'),
        (lambda: 1 / 0, ActivityFailed, 'ZeroDivisionError'),
        (lambda: Fail('later'), ActivityFailed, 'later'),
        (lambda one: one, ActivityFailed, 'missing 1 required positional argument'),
        (TimeOut(), ActivityTimedOut, 'START_TO_CLOSE'),
        (Never(), ActivityTimedOut, 'START_TO_CLOSE'),
    ],
    ids=lambda value: getattr(value, '__name__', None) or repr(value),
)
def test_a_stub_fails(stub, error, said):
    with pytest.raises(error) as raised:
        Tester(Hello, greet=stub).run()
    assert said in raised.value.reason


def test_the_failure_of_a_stub_brings_details_and_the_users_own_lines():
    with pytest.raises(ActivityFailed) as raised:
        Tester(Hello, greet=Fail('declined', 'no funds')).run()
    assert raised.value.details == 'no funds'
    with pytest.raises(ActivityFailed) as raised:
        Tester(Hello, greet=lambda: 1 / 0).run()
    assert '1 / 0' in raised.value.traceback


def test_a_script_has_one_entry_for_each_attempt():
    class Again(Workflow):
        greet = ActivityProxy(name='Greet', version='v1', retry=Retry(3, jitter=0, initial_interval=60))

        def run(self):
            return (yield self.greet())

    tester = Tester(Again, greet=Script(Fail('one'), LookupError(), 'three'))
    assert tester.run() == 'three'
    assert tester.now == START + timedelta(seconds=60 + 60)  # doubled, but at most 60


def test_a_script_that_has_ended_ends_the_test():
    class Twice(Workflow):
        greet = Hello.greet

        def run(self):
            yield self.greet()
            try:
                yield self.greet()
            except ActivityFailed:
                return 'swallowed'

    with pytest.raises(TesterError, match=r'Greet was called 2 times, but its script has 1 entry'):
        Tester(Twice, greet=Script('one')).run()


def test_a_failed_assertion_in_a_stub_ends_the_test():
    def charge(order):
        assert order == 2

    with pytest.raises(AssertionError):
        Tester(Declined, charge=charge).run(1)


def test_a_call_to_pytest_fail_in_a_stub_ends_the_test():
    with pytest.raises(pytest.fail.Exception, match='not here'):
        Tester(Declined, charge=lambda order: pytest.fail('not here')).run(1)


@pytest.mark.parametrize('key', ['greet', Hello.greet, ('Greet', 'v1')], ids=['attribute', 'proxy', 'name and version'])
def test_a_stub_is_keyed_in_several_ways(key):
    assert Tester(Hello, stubs={key: 'hi'}).run() == 'hi'


@pytest.mark.parametrize(
    ('stubs', 'said'),
    [
        ({'great': 1}, "Hello has no proxy 'great'; it has greet; did you mean 'greet'?"),
        ({('Greet', 'v2'): 1}, r"nothing here calls \('Greet', 'v2'\); it calls 'Greet' 'v1'"),
        ({Order.charge: 1}, r"nothing here calls ActivityProxy\(name='Charge', version='v1'\)"),
        ({Order: 1}, 'nothing here calls <class'),
        ({7: 1}, 'nothing here calls 7'),
    ],
)
def test_a_stub_for_what_is_not_there_is_refused(stubs, said):
    with pytest.raises(TesterError, match=said):
        Tester(Hello, stubs=stubs)


def test_a_time_out_needs_a_limit():
    class Endless(Workflow):
        greet = ActivityProxy(
            name='Greet', version='v1', start_to_close=float('inf'), schedule_to_close=float('inf'), schedule_to_start=1
        )

        def run(self):
            yield self.greet()

    with pytest.raises(TesterError, match='Greet v1 should time out, but all of its limits are NONE'):
        Tester(Endless, greet=TimeOut()).run()
    with pytest.raises(Stuck):
        Tester(Endless, greet=Never()).run()


class Timed(Workflow):
    greet = ActivityProxy(
        name='Greet', version='v1', retry=0, schedule_to_start=10, start_to_close=60, schedule_to_close=65, heartbeat=5
    )

    def run(self, **limits):
        begun = self.now()
        limits = {name: math.inf if limit == 'never' else limit for name, limit in limits.items()}
        try:
            return (yield self.greet.with_options(**limits)())
        except ActivityTimedOut as error:
            return [error.timeout_type, (self.now() - begun).total_seconds()]


@pytest.mark.parametrize(
    ('stub', 'limits', 'seconds'),
    [
        (TimeOut(), {}, ['HEARTBEAT', 5]),
        (TimeOut('HEARTBEAT'), {}, ['HEARTBEAT', 5]),
        (TimeOut('SCHEDULE_TO_START'), {}, ['SCHEDULE_TO_START', 10]),
        (TimeOut('START_TO_CLOSE'), {'heartbeat': 'never'}, ['START_TO_CLOSE', 60]),
        (TimeOut('SCHEDULE_TO_CLOSE'), {'heartbeat': 100, 'start_to_close': 100}, ['SCHEDULE_TO_CLOSE', 65]),
        (lambda: TimeOut('HEARTBEAT'), {}, ['HEARTBEAT', 5]),
    ],
)
@pytest.mark.parametrize('sticky', [False, True])
def test_an_activity_times_out_as_configured(stub, limits, seconds, sticky):
    assert Tester(Timed, greet=stub, sticky=sticky).run(**limits) == seconds


@pytest.mark.parametrize(
    ('stub', 'limits', 'said'),
    [
        (TimeOut('START_TO_CLOSE'), {}, r'Greet v1 should time out by START_TO_CLOSE, but HEARTBEAT expires first'),
        (
            TimeOut('SCHEDULE_TO_START'),
            {'schedule_to_close': 7},
            r'by SCHEDULE_TO_START, but SCHEDULE_TO_CLOSE expires',
        ),
        (
            TimeOut('HEARTBEAT'),
            {'heartbeat': 'never'},
            r'by HEARTBEAT, but has no such limit; it has START_TO_',
        ),
        (
            lambda: TimeOut('SCHEDULE_TO_START'),
            {},
            r'by SCHEDULE_TO_START, but has no such limit; it has HEARTBEAT',
        ),
    ],
)
def test_a_time_out_that_does_not_strike_first_is_refused(stub, limits, said):
    with pytest.raises(TesterError, match=said):
        Tester(Timed, greet=stub).run(**limits)


def test_a_time_out_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(
        ValueError, match=r"'LATE'; SWF has START_TO_CLOSE, SCHEDULE_TO_START, SCHEDULE_TO_CLOSE, HEARTBEAT"
    ):
        TimeOut('LATE')


def test_each_attempt_times_out_as_its_entry_of_a_script_says():
    class Retried(Workflow):
        greet = Timed.greet

        def run(self):
            first, second = yield self.greet.with_options(retry=2)(), self.greet()
            return [first, second, self.now().second]

    script = Script(TimeOut('SCHEDULE_TO_START'), 'one', TimeOut('HEARTBEAT'), 'two')
    tester = Tester(Retried, greet=script)
    assert tester.run() == ['two', 'one', 10 + 5]
    assert script.called == 4


# real activities


@activity(name='Greeter', version='v1', task_list='greetings', heartbeat=10)
class Greet(Activity):
    def run(self, name):
        return (
            f'{self.info.attempt} {name} {self.heartbeat("x")} {self.info.last_heartbeat} {self.idempotency_key[-2:]}'
        )


@activity(name='Later', version='1', task_list='greetings')
class Later(Activity):
    tokens: ClassVar[list] = []

    def run(self):
        self.tokens.append(self.token)
        raise SuspendTask


class Greeting(Workflow):
    greet = Greet.proxy(retry=2)

    def run(self, name):
        return (yield self.greet(name))


def test_the_real_activity_runs_where_there_is_no_stub():
    assert Tester(Greeting).run('you') == '1 you True None :1'


def test_an_activity_class_is_a_stub():
    class Other(Activity):
        def run(self, name):
            return f'other {name}'

    assert Tester(Greeting, greet=Other).run('you') == 'other you'
    assert Tester(Greeting, stubs={Greet: Other}).run('you') == 'other you'


def test_activities_can_be_made_with_something():
    class Made(Activity):
        def __init__(self, word):
            self.word = word

        def run(self, name):
            return f'{self.word} {name}'

    assert Tester(Greeting, greet=Made, create=lambda cls: cls('hey')).run('you') == 'hey you'


def test_an_activity_may_be_answered_by_token():
    class Waiting(Workflow):
        later = Later.proxy()

        def run(self):
            return (yield self.later())

    tester = Tester(Waiting).start()
    while not Later.tokens:
        tester.step()
    tester.service.respond_activity_task_completed(taskToken=Later.tokens.pop(), result='"done"')
    assert tester.result() == 'done'


def test_an_activity_without_stub_and_class_is_named():
    with pytest.raises(TesterError, match=r"Ship v1 was scheduled.*stubs=\{\('Ship', 'v1'\): …\}"):
        Tester(Order, charge='ok').start(1).signal('approve', True).result()


# children and functions


@workflow(name='Inner', version='1', task_list='inner')
class Inner(Workflow):
    greet = ActivityProxy(name='Greeter', version='v1')

    def run(self, name):
        return (yield self.greet(name.upper()))


class Outer(Workflow):
    inner = WorkflowProxy(name='Inner', version='1', retry=0)

    def run(self, name):
        return [(yield self.inner(name))]


def test_a_real_child_runs_with_stubs_for_what_it_calls():
    assert Tester(Outer, stubs={('Greeter', 'v1'): lambda name: f'hi {name}'}).run('you') == ['hi YOU']
    assert Tester(Outer, stubs={Greet: 'hi'}).run('you') == ['hi']


def test_a_real_child_runs_its_real_activities():
    assert Tester(Outer).run('you') == ['1 YOU True None :1']


@pytest.mark.parametrize('key', ['inner', Inner, Outer.inner, ('Inner', 1)], ids=repr)
def test_a_child_is_stubbed(key):
    assert Tester(Outer, stubs={key: lambda name: f'stub {name}'}).run('you') == ['stub you']


@pytest.mark.parametrize(
    ('stub', 'error'),
    [(Fail('broken'), 'broken'), (LookupError('x'), 'LookupError: x'), (TimeOut(), 'timed out')],
)
def test_a_stub_of_a_child_fails(stub, error):
    with pytest.raises(Exception, match=error):
        Tester(Outer, inner=stub).run('you')


def test_a_child_has_one_time_out_only():
    with pytest.raises(TesterError, match='Inner is a child, which cannot time out by HEARTBEAT: START_TO_CLOSE only'):
        Tester(Outer, inner=TimeOut('HEARTBEAT')).run('you')
    with pytest.raises(ChildTimedOut) as raised:
        Tester(Outer, inner=TimeOut('START_TO_CLOSE')).run('you')
    assert raised.value.timeout_type == 'START_TO_CLOSE'


def test_a_workflow_class_is_a_stub_for_a_child():
    class Other(Workflow):
        shout = ActivityProxy(name='Shout', version='1')

        def run(self, name):
            return (yield self.shout(name))

    stubs = {('Shout', '1'): lambda name: f'{name}!', 'inner': Other}
    assert Tester(Outer, stubs=stubs).run('you') == ['you!']


def test_tasks_on_lists_of_their_own_are_found():
    class Elsewhere(Workflow):
        greet = ActivityProxy(name='Greet', version='v1', task_list='gpu')
        inner = WorkflowProxy(name='Inner', version='1', task_list='fast')

        def run(self):
            return (yield [self.greet(), self.greet.with_options(task_list='cpu')(), self.inner('x')])

    assert Tester(Elsewhere, greet='hi', stubs={Greet: 'inner'}).run() == ['hi', 'hi', 'inner']


def test_a_child_that_never_answers_can_be_cancelled():
    class Impatient(Workflow):
        inner = WorkflowProxy(name='Inner', version='1', retry=0)

        def run(self):
            child = self.inner('x')
            yield self.sleep(60)
            child.cancel()
            return 'gave up'

    tester = Tester(Impatient, inner=Never())
    assert tester.run() == 'gave up'
    assert tester.now == START + timedelta(seconds=60)


@pytest.mark.parametrize('sticky', [False, True])
def test_a_child_that_never_answers_can_be_cancelled_before_it_has_decided_anything(sticky):
    class Hasty(Workflow):
        inner = WorkflowProxy(name='Inner', version='1', retry=0, workflow_duration=1000, task_list='polled later')

        def run(self):
            child = self.inner('x')
            yield child.signal('go', 1)
            child.cancel()
            try:
                yield child
            except ChildCanceled:
                return 'cancelled'

    tester = Tester(Hasty, inner=Never(), sticky=sticky)
    assert tester.run() == 'cancelled'
    assert tester.now == START


def test_a_child_without_stub_and_class_is_named():
    class Lonely(Workflow):
        other = WorkflowProxy(name='Nobody', version='9')

        def run(self):
            yield self.other()

    with pytest.raises(TesterError, match='the child Nobody 9 was started'):
        Tester(Lonely).run()


class Lambdas(Workflow):
    resize = LambdaProxy('resize', start_to_close=60)

    def run(self):
        return (yield self.resize({'size': 3}))


@pytest.mark.parametrize('key', ['resize', Lambdas.resize], ids=repr)
def test_a_function_is_stubbed(key):
    assert Tester(Lambdas, stubs={key: lambda event: event['size'] * 2}).run() == 6


@pytest.mark.parametrize(
    ('stub', 'said'), [(Fail('broken'), 'broken'), (Never(), 'timed out'), (ValueError('bad'), 'bad')], ids=repr
)
def test_a_stub_of_a_function_fails(stub, said):
    with pytest.raises(Exception, match=said):
        Tester(Lambdas, resize=stub).run()


def test_a_failed_assertion_in_a_function_ends_the_test():
    def resize(event):
        assert event == {}

    with pytest.raises(AssertionError):
        Tester(Lambdas, resize=resize).run()


# step by step


def test_one_thing_is_done_at_a_time():
    tester = Tester(Order, charge='ok', ship='gone').start(1)
    assert tester.open_tasks == []
    assert tester.step() == 'decided Order 1 (1 decision)'
    assert tester.open_tasks == [Order.charge.task(1)]
    assert tester.step() == 'Charge v1 completed'
    assert tester.step() == 'decided Order 1 (0 decisions)'
    assert tester.step() is None  # it waits for the signal
    assert not tester.is_closed
    assert tester.signal(Order.approve, True).result() == 'gone'
    assert tester.is_closed
    assert tester.step() is None
    assert tester.result() == 'gone'


def test_a_signal_may_come_before_the_first_decision():
    assert Tester(Order, charge='ok').start(1).signal('approve', False).result() == 'refused'


class Reminder(Workflow):
    remind = ActivityProxy(name='Remind', version='1')
    paid = Signal()

    def run(self):
        reminded = 0
        while not self.paid:
            yield self.sleep(7 * 86400)
            yield self.remind(self.now().isoformat())
            reminded += 1
        return reminded


@workflow(name='Reminder', version='1', task_list='reminders', workflow_duration=365 * 86400)
class LongReminder(Reminder):
    pass


def test_time_passes_as_the_test_says():
    reminders = []
    tester = Tester(LongReminder, remind=reminders.append).start().advance(days=20)
    assert reminders == ['2000-01-08T00:00:00+00:00', '2000-01-15T00:00:00+00:00']
    assert tester.now == START + timedelta(days=20)
    assert tester.open_tasks == [LongReminder().sleep(7 * 86400)]
    tester.signal('paid').advance(days=1)
    assert tester.result() == 3


def test_time_begins_when_the_test_says():
    class Clock(Workflow):
        def run(self):
            yield self.sleep(1)
            return self.now().isoformat()

    assert Tester(Clock, now=datetime(2024, 2, 29, tzinfo=timezone.utc)).run() == '2024-02-29T00:00:01+00:00'


def test_time_does_not_run_backwards():
    with pytest.raises(ValueError, match='time cannot pass by'):
        Tester(Order).start(1).advance(days=-1)


def test_a_timer_of_thirty_days_takes_thirty_days():
    class Long(Workflow):
        def run(self):
            yield self.sleep(30 * 86400)

    tester = Tester(Long)
    tester.run()
    assert tester.now == START + timedelta(days=30)


def test_everything_open_is_described():
    class Open(Workflow):
        work = ActivityProxy(name='Work', version='1')
        inner = WorkflowProxy(name='Inner', version='1')
        resize = LambdaProxy('resize')

        def run(self):
            yield [self.work(1, two=2), self.inner('x'), self.resize({'a': 1}), self.sleep(9)]

    tester = Tester(Open, work='', inner=Never(), resize=Never()).start()
    tester.step()
    work, inner = Open.work.task(1, two=2), Open.inner.task('x')
    assert tester.open_tasks == [work, inner, Open.resize.task({'a': 1}), Open().sleep(9)]


def test_a_cancelled_workflow_closes_as_canceled():
    class Patient(Workflow):
        stopped = Signal()

        def run(self):
            try:
                yield self.stopped.get()
            except WorkflowCanceled:
                self.set_status({'state': 'stopping'})
                raise

    tester = Tester(Patient).start().cancel()
    with pytest.raises(ChildCanceled):
        tester.result()
    assert tester.status == {'state': 'stopping'}


def test_a_restart_continues():
    class Pages(Workflow):
        fetch = ActivityProxy(name='Fetch', version='1')

        def run(self, page, total=0):
            total += yield self.fetch(page)
            return self.restart(page + 1, total) if page < 3 else total

    tester = Tester(Pages, fetch=lambda page: page)
    assert tester.run(1) == 6
    assert 'continuedExecutionRunId' in tester.history.events[0]['workflowExecutionStartedEventAttributes']


def test_an_execution_that_timed_out_or_was_terminated_says_so():
    tester = Tester(LongReminder, remind='').start()
    tester.service.terminate_workflow_execution(domain='test', workflowId='workflow-1', reason='enough')
    with pytest.raises(ChildTerminated, match='enough'):
        tester.result()

    @workflow(name='Short', version='1', task_list='x', workflow_duration=60)
    class Short(Workflow):
        paid = Signal()

        def run(self):
            yield self.paid.get()

    with pytest.raises(ChildTimedOut):
        Tester(Short).start().advance(seconds=61).result()


# what ends a test at once


def test_a_workflow_that_raises_fails_the_test_with_its_own_traceback():
    class Broken(Workflow):
        def run(self):
            yield self.sleep(1)
            self.missing_attribute()

    with pytest.raises(AttributeError, match='missing_attribute') as raised:
        Tester(Broken).run()
    assert raised.traceback[-1].name == 'run'
    assert raised.traceback[-1].path.name == 'test_tester.py'


def test_a_workflow_that_is_not_deterministic_is_found_out():
    class Moody(Workflow):
        greet = Hello.greet
        moods = iter(['good', 'bad'])

        def run(self):
            yield self.greet() if next(self.moods) == 'good' else self.sleep(1)

    with pytest.raises(NondeterminismError, match=r'test_tester\.py'):
        Tester(Moody, greet='').run()


def test_a_kept_generator_continues_where_it_is():
    class Counted(Workflow):
        begun = 0

        def run(self):
            Counted.begun += 1
            yield self.sleep(1)
            yield self.sleep(1)

    Tester(Counted, sticky=True).run()
    assert Counted.begun == 1
    Tester(Counted).run()
    assert Counted.begun == 1 + 3


def test_a_workflow_that_waits_for_nothing_is_found_out():
    class Stalled(Workflow):
        paid = Signal()

        def run(self):
            child = self.sleep(1)
            child.cancel()
            yield self.spawn(self.forever())

        def forever(self):
            from genflow.core.tasks.task import Task

            yield Task(self.loop)

    with pytest.raises(WorkflowStalled, match=r'test_tester\.py'):
        Tester(Stalled).run()


def test_a_workflow_that_waits_for_the_test_is_stuck():
    with pytest.raises(
        Stuck,
        match=r"waits for something that only the test can.*orders.py:\d+ in run, waiting for signal 'approve'",
    ):
        Tester(Order, charge='ok').run(1)


def test_a_workflow_that_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr('genflow.testing.tester.tester.MAX_STEPS', 50)

    class Endless(Workflow):
        def run(self):
            while True:
                yield self.sleep(0)

    with pytest.raises(TesterError, match=r'Endless goes on after 50 steps; it stands at .*test_tester\.py'):
        Tester(Endless).run()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(TesterError, match='nothing was started'):
        Tester(Order).step()
    with pytest.raises(TesterError, match='has already started'):
        Tester(Order).start(1).start(1)
    with pytest.raises(TypeError, match=r'do not fit Order\.run\(order\): too many positional arguments'):
        Tester(Order).run(1, 2)
    tester = Tester(Declined, charge='ok')
    tester.run(1)
    with pytest.raises(TesterError, match=r'closed, 2000-01-01 00:00:00> has ended with WorkflowExecutionCompleted'):
        tester.signal('approve')
    with pytest.raises(TesterError, match='runs on a SystemClock'), LocalSWF(clock=SystemClock()) as service:
        Tester(Order, service=service)


# around it


def test_the_history_of_a_test_can_be_kept_and_replayed():
    tester = Tester(Declined, charge=Fail('no funds'))
    assert tester.run(1) == 'declined: no funds'
    assert tester.history.closed == 'WorkflowExecutionCompleted'
    assert replay(json.loads(tester.history.to_json()), Declined).events == len(tester.history.events)


def test_chance_has_the_seed_of_the_test():
    class Chancy(Workflow):
        def run(self):
            yield self.sleep(1)
            return self.random.random(), str(self.uuid4())

    assert Tester(Chancy).run() == Tester(Chancy).run()
    assert Tester(Chancy, seed=1).run() != Tester(Chancy, seed=2).run()


def test_the_class_next_to_the_workflow_is_the_real_one():
    def make(word):
        @activity(name='Local', version='1', task_list='x')
        class Local(Activity):
            def run(self):
                return word

        class Calls(Workflow):
            local = ActivityProxy(name='Local', version='1')

            def run(self):
                return (yield self.local())

        return Calls

    assert Tester(make('first')).run() == 'first'
    assert Tester(make('second')).run() == 'second'


@activity(name='Near', version='1', task_list='x')
class Far(Activity):
    def run(self):
        return 'far'


def test_a_class_in_the_same_function_is_nearer_than_one_in_the_module():
    @activity(name='Near', version='1', task_list='x')
    class Near(Activity):
        def run(self):
            return 'near'

    class Calls(Workflow):
        near = ActivityProxy(name='Near', version='1')

        def run(self):
            return (yield self.near())

    assert Tester(Calls).run() == 'near'


def test_two_classes_for_one_type_are_refused():
    @activity(name='Both', version='1', task_list='x')
    class One(Activity):
        def run(self):
            return 1

    @activity(name='Both', version='1', task_list='x')
    class Two(Activity):
        def run(self):
            return 2

    class Calls(Workflow):
        both = ActivityProxy(name='Both', version='1')

        def run(self):
            return (yield self.both())

    with pytest.raises(TesterError, match=r'One and .*Two both declare the activity type'):
        Tester(Calls)
    assert Tester(Calls, both=Two).run() == 2


def test_classes_of_other_modules_for_one_type_matter_only_where_it_is_called(monkeypatch):
    for name in ('elsewhere_one', 'elsewhere_two'):
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        module.Remote = activity(name='Remote', version='1', task_list='x')(
            type('Remote', (Activity,), {'__module__': name, '__qualname__': 'Remote', 'run': lambda self: 'real'})
        )

    class Calls(Workflow):
        remote = ActivityProxy(name='Remote', version='1')

        def run(self, calls):
            return (yield self.remote()) if calls else 'done'

    assert Tester(Calls).run(False) == 'done'
    assert Tester(Calls, remote='a stub').run(True) == 'a stub'
    with pytest.raises(
        TesterError, match=r'elsewhere_one\.Remote and elsewhere_two\.Remote both declare it: give stubs'
    ):
        Tester(Calls).run(True)


def test_a_timer_that_outlasts_the_execution_is_distinguished_from_a_wait_for_a_signal():
    @workflow(name='Sleeper', version='1', task_list='orders', workflow_duration=3600)
    class Sleeper(Workflow):
        def run(self):
            yield self.sleep(30 * 86400)

    with pytest.raises(Stuck, match=r'waits for a timer that never fires \(2,592,000 s\).*workflow_duration'):
        Tester(Sleeper).run()


# what a first test is to find


class Impure(Workflow):
    charge = ActivityProxy('Charge', '1')

    def run(self, make):
        return (yield self.charge(WAYS[make]()))


WAYS = {'chance': lambda: str(uuid.uuid4()), 'clock': time.perf_counter_ns}


@pytest.mark.parametrize('make', WAYS)
def test_chance_and_the_clock_in_arguments_fail_the_first_test(make):
    with pytest.raises(NondeterminismError, match=r'the input of activity 1 Charge 1 is not what event \d+ recorded'):
        Tester(Impure, charge='ok').run(make)


def test_each_execution_has_a_stream_of_chance_of_its_own():
    @workflow(name='Kid', version=1, task_list='t')
    class Kid(Workflow):
        def run(self):
            return str(self.uuid4())
            yield

    class Parent(Workflow):
        kid = Kid.proxy()

        def run(self, again=True):
            found = yield [self.kid(), self.kid()]
            return self.restart(again=False) if again else [str(self.uuid4()), *found]

    once, again = Tester(Parent).run(), Tester(Parent).run()
    assert once == again
    assert len(set(once)) == 3


def test_a_lambda_stub_fails_as_it_says():
    class Calls(Workflow):
        resize = LambdaProxy('resize')

        def run(self):
            try:
                yield self.resize(1)
            except LambdaFailed as error:
                return [error.reason, error.details]

    assert Tester(Calls, resize=Fail('HandledError', 'why')).run() == ['HandledError', 'why']
    assert Tester(Calls, resize=lambda event: Fail('later')).run() == ['later', None]


class Waits(Workflow):
    approve = Signal('approved')
    reject = Signal()

    def run(self):
        return (yield self.approve.get())


def test_a_signal_that_the_class_does_not_declare_is_refused_with_the_nearest_one():
    tester = Tester(Waits).start()
    with pytest.raises(
        TesterError, match=r"Waits declares no signal 'aproved'.*approved, reject; did you mean 'approved'"
    ):
        tester.signal('aproved', 1)
    tester.signal('aproved', 1, undeclared=True)
    assert tester.signal('approve', 2).result() == 2


def test_an_activity_of_a_test_finds_its_details_again_after_a_failure():
    class Beats(Activity):
        def run(self):
            if self.info.attempt > 1:
                return self.info.last_heartbeat
            self.heartbeat('half')
            raise ValueError('again')

    class Calls(Workflow):
        beats = ActivityProxy('Beats', '1', retry=Retry(2))

        def run(self):
            return (yield self.beats())

    assert Tester(Calls, beats=Beats).run() == 'half'


def test_a_run_that_waits_says_what_arrived_unread():
    tester = Tester(Waits).start()
    tester.signal('reject', 1).signal('reject', 2).signal('other', undeclared=True)
    with pytest.raises(Stuck, match=r"unread signals: 'reject' \(2\), 'other' \(1\)"):
        tester.result()


def test_what_an_activity_sets_in_its_context_no_other_sees():
    tenant = contextvars.ContextVar('tenant', default='nobody')

    class Sets(Activity):
        def run(self):
            seen = tenant.get()
            tenant.set('Ada')
            return seen

    class Calls(Workflow):
        sets, stub = ActivityProxy('Sets', '1'), ActivityProxy('Stub', '1')

        def run(self):
            return [(yield self.sets()), (yield self.stub()), (yield self.sets())]

    assert Tester(Calls, sets=Sets, stub=tenant.get).run() == ['nobody'] * 3
    assert run_activity(Sets).result == 'nobody'
    assert tenant.get() == 'nobody'


def test_a_sticky_tester_reads_each_event_about_once(monkeypatch):
    """A year of days is not read anew each day."""
    read = []
    decoded = EventTexts.decoded

    def counted(texts):
        read.append(len(texts))
        return decoded(texts)

    class Daily(Workflow):
        run_report = ActivityProxy(name='Report', version='1')

        def run(self):
            for day in range(330):
                yield self.sleep(86_400)
                yield self.run_report(day)

    monkeypatch.setattr(EventTexts, 'decoded', counted)
    tester = Tester(Daily, run_report=None, sticky=True)
    tester.run()
    events = len(tester.history.events)
    assert events > 330 * 11
    assert sum(read) < 3 * events


@pytest.mark.parametrize('started', [True, False])
def test_a_tester_is_shown_when_it_is_over_too(started):
    tester = Tester(Order, charge='receipt', ship='parcel')
    if started:
        tester.start(1)
    assert repr(tester).startswith(f'<Tester of {Order.__name__} 1, {"open" if started else "not started"}, ')
    tester.close()
    assert repr(tester).startswith(
        f'<Tester of {Order.__name__} 1, {"its service is closed" if started else "not started"}'
    )
